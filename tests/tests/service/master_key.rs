//! Another master key, while the service runs.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sluice_tests::env;
use sluice_tests::service::{Service, Site};

/// The lines of the file of keys; the test's own key is the old one.
fn keys(site: &Site, lines: &[&str]) {
    let line = |name: &&str| match *name {
        "test" => format!("test {}\n", STANDARD.encode([42; 32])),
        other => format!("{other} {}\n", STANDARD.encode([7; 32])),
    };
    // Put in place at once: the service may be reading it.
    let (new, path) = (site.path().join("master.key.new"), site.path().join("master.key"));
    std::fs::write(&new, lines.iter().map(line).collect::<String>()).unwrap();
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::rename(&new, &path).unwrap();
}

async fn told(service: &Service) {
    service.hang_up();
    tokio::time::sleep(Duration::from_millis(500)).await;
}

/// What `sluice admin rewrap` says: its exit code, and its lines.
fn rewrap(site: &Site, more: &[&str]) -> (Option<i32>, Vec<Value>) {
    let output = site.admin(&[&["rewrap", "--master-key", "master.key"], more].concat());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code(), lines)
}

/// A tenant with a connection to a real server that needs its secret.
async fn shop(site: &Site, service: &Service, tenant: &str) -> (String, String) {
    site.tenant(tenant).await;
    let token = site.token(tenant).await;
    let config = json!({
        "host": env("SLUICE_TEST_POSTGRES_HOST"), "port": env("SLUICE_TEST_POSTGRES_PORT").parse::<u16>().unwrap(),
        "database": env("SLUICE_TEST_POSTGRES_DATABASE"), "user": env("SLUICE_TEST_POSTGRES_USER"),
        "password": env("SLUICE_TEST_POSTGRES_PASSWORD"), "tls": "disable",
    });
    let body = json!({
        "name": "Shop", "connector": "postgres", "config": config, "grants": {"private_network": true}
    });
    let (status, made) = service.ask("POST", &format!("/tenants/{tenant}/connections"), &token, Some(&body));
    assert_eq!(status, 201, "{made}");
    (token, format!("/tenants/{tenant}/connections/{}/check", made["id"].as_str().unwrap()))
}

fn works(service: &Service, (token, path): &(String, String)) {
    let (status, answer) = service.ask("POST", path, token, None);
    assert_eq!((status, &answer["passed"]), (200, &json!(true)), "{answer}");
}

async fn step_by_step(site: Site) {
    let service = site.start(&[]);
    let first = shop(&site, &service, "acme").await;
    works(&service, &first);
    // 1. Every host can read what either key has sealed.
    keys(&site, &["test", "next"]);
    told(&service).await;
    works(&service, &first);
    // 2. What is new is sealed with the new key.
    keys(&site, &["next", "test"]);
    told(&service).await;
    let second = shop(&site, &service, "globex").await;
    let counted = json!({"event": "keys", "current": "next", "wrapped": {"next": 1, "test": 1}, "to_do": 1});
    assert_eq!(rewrap(&site, &["--dry-run"]), (Some(0), vec![counted.clone()]));
    // 3. What is old is sealed anew, while the service runs.
    let done = json!({"event": "rewrapped", "current": "next", "done": 1, "failed": 0});
    assert_eq!(rewrap(&site, &[]), (Some(0), vec![counted, done]));
    let nothing = json!({"event": "keys", "current": "next", "wrapped": {"next": 2}, "to_do": 0});
    assert_eq!(rewrap(&site, &["--dry-run"]), (Some(0), vec![nothing]));
    works(&service, &first);
    // 4. Without the old key.
    keys(&site, &["next"]);
    told(&service).await;
    works(&service, &first);
    works(&service, &second);
    // A file that is wrong changes nothing, and stops nobody.
    std::fs::write(site.path().join("master.key"), "nonsense").unwrap();
    told(&service).await;
    works(&service, &second);
    let (_, log) = service.stop();
    assert_eq!(log.matches("the master keys were read again").count(), 3, "{log}");
    assert!(log.contains("the master keys stay as they are"), "{log}");
}

#[tokio::test]
async fn a_master_key_is_replaced_while_the_service_runs() {
    step_by_step(Site::on_sqlite().await).await;
}

#[tokio::test]
async fn a_master_key_is_replaced_while_the_service_runs_on_postgres() {
    step_by_step(Site::on_postgres().await).await;
}

#[tokio::test]
async fn a_key_whose_master_key_is_gone_is_told_of() {
    let site = Site::on_sqlite().await;
    let service = site.start(&[]);
    shop(&site, &service, "acme").await;
    keys(&site, &["next"]);
    let (code, lines) = rewrap(&site, &[]);
    assert_eq!(code, Some(2), "{lines:?}");
    assert!(lines.last().unwrap()["error"]["message"].as_str().unwrap().contains("master key test"), "{lines:?}");
    service.kill();
}
