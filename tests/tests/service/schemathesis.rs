//! Requests made up from the document of the API itself, right ones and wrong ones: none of them may make the service fail.

use std::process::Command;

use serde_json::json;
use sluice_tests::env;
use sluice_tests::service::Site;

#[tokio::test]
async fn no_request_that_can_be_made_up_from_the_document_makes_the_service_fail() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..10);
    let pipeline = site.pipeline("acme", "orders", "lake", json!({}), None).await;
    let token = site.token("acme").await;
    let service = site.start(&[]);
    // Names of what is there, or nearly every request would end at what is not.
    let names = format!(
        "[parameters]\n\"path.tenant\" = \"acme\"\n\"path.pipeline\" = \"{pipeline}\"\n\"path.connection\" = \"acme-lake\"\n\
         \"path.connector\" = \"files\"\n\"path.stream\" = \"t\"\n"
    );
    std::fs::write(site.path().join("schemathesis.toml"), names).unwrap();
    let files = "import schemathesis\n\nfor kind in (\"application/wasm\", \"application/x-ndjson\"):\n    \
                 schemathesis.serializer.alias(kind, \"application/octet-stream\")\n";
    std::fs::write(site.path().join("uploads.py"), files).unwrap();
    let document = format!("http://{}/openapi.json", service.address);
    // Fewer requests than the service answers of one token; streams of events end with the run only.
    let tried = Command::new(env("SLUICE_TEST_SCHEMATHESIS"))
        .args(["run", &document, "--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks", "not_a_server_error", "--phases", "examples,fuzzing", "--max-examples", "12"])
        .args(["--rate-limit", "2400/m", "--request-timeout", "30", "--exclude-path-regex", "events", "--seed", "1"])
        .current_dir(site.path())
        .env("SCHEMATHESIS_HOOKS", "uploads")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&tried.stdout).into_owned();
    let log = service.kill();
    assert!(tried.status.success(), "{told}\n{}\n{log}", String::from_utf8_lossy(&tried.stderr));
    let passed = told.lines().find(|line| line.contains(" generated, ")).unwrap_or_else(|| panic!("{told}"));
    let passed: u32 = passed.split_whitespace().next().unwrap().parse().unwrap();
    assert!(passed > 500, "{told}");
}
