//! Connections whose secrets Google Secret Manager keeps: read on the host when they are used, and found nowhere.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sluice_core::request::RequestState;
use sluice_store::Scope;
use sluice_tests::env;
use sluice_tests::postgres::sql;
use sluice_tests::secret_manager::{Vault, reads};
use sluice_tests::service::{Service, Site, now_us};

/// Asks the API: method, path, body; status and answer.
type Ask<'a> = dyn FnMut(&str, &str, Option<&Value>) -> (u16, Value) + 'a;

/// A user of the real server, with a table of its own.
struct Shop {
    user: String,
    password: String,
}

impl Shop {
    fn new() -> Self {
        let it = Self {
            user: format!("shop_{}_{}", std::process::id(), now_us()),
            password: format!("pw-one-{}", now_us()),
        };
        let Self { user, password } = &it;
        sql(&format!(
            "CREATE ROLE {user} LOGIN PASSWORD '{password}'; CREATE SCHEMA {user} AUTHORIZATION {user}; \
             CREATE TABLE {user}.orders AS SELECT i AS id FROM generate_series(1, 5) i; \
             GRANT SELECT ON {user}.orders TO {user}"
        ));
        it
    }

    fn config(&self, password: Value) -> Value {
        json!({
            "host": env("SLUICE_TEST_POSTGRES_HOST"), "port": env("SLUICE_TEST_POSTGRES_PORT").parse::<u16>().unwrap(),
            "database": env("SLUICE_TEST_POSTGRES_DATABASE"), "user": self.user, "password": password, "tls": "disable",
        })
    }

    fn connection(&self, name: &str, password: Value) -> Value {
        json!({
            "name": name, "connector": "postgres", "config": self.config(password), "grants": {"private_network": true}
        })
    }
}

/// A service that offers what begins with a tenant's id to it, for a second.
fn start(site: &Site, vault: &Vault) -> Service {
    let offer = format!("*={}/{{tenant}}-*", vault.project);
    let endpoint = Vault::endpoint();
    site.start(&["--secret-manager", &offer, "--secret-manager-keep", "1", "--secret-manager-endpoint", &endpoint])
}

/// What is nowhere to be found: looked for in every answer, the log, and all files.
fn searched(texts: &mut Vec<String>, answer: &(u16, Value)) -> (u16, Value) {
    texts.push(answer.1.to_string());
    answer.clone()
}

fn files(site: &Site, needle: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![site.path().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path)
                .unwrap_or_default()
                .windows(needle.len())
                .any(|part| part == needle.as_bytes())
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

async fn from_save_to_rotation(site: Site) {
    let (vault, shop) = (Vault::new("kept"), Shop::new());
    site.tenant("acme").await;
    let token = site.token("acme").await;
    vault.make("acme-db", shop.password.as_bytes());
    let service = start(&site, &vault);
    let mut seen = Vec::new();
    let mut ask = |method: &str, path: &str, body: Option<&Value>| {
        searched(&mut seen, &service.ask(method, &format!("/tenants/acme{path}"), &token, body))
    };
    let body = shop.connection("Shop", vault.reference("acme-db", "latest"));
    let (status, tried) = ask("POST", "/connections/check", Some(&body));
    assert_eq!((status, &tried["passed"]), (200, &json!(true)), "{tried}");
    let (status, made) = ask("POST", "/connections", Some(&body));
    assert_eq!(status, 201, "{made}");
    let reference = vault.reference("acme-db", "latest")["reference"].clone();
    assert_eq!((&made["secrets"], &made["references"]), (&json!(["/password"]), &json!({"/password": reference})));
    let connection = made["id"].as_str().unwrap().to_owned();
    let (_, checked) = ask("POST", &format!("/connections/{connection}/check"), None);
    assert_eq!(checked["passed"], true, "{checked}");
    let stream = format!("{}.orders", shop.user);
    let definition = json!({
        "streams": [{"id": stream, "load": "catalog"}], "sink": {"type": "local", "path": "orders"}, "retry": {"max_attempts": 1}
    });
    let body = json!({"name": "Orders", "connection": connection, "definition": definition});
    let (status, pipeline) = ask("POST", "/pipelines", Some(&body));
    assert_eq!(status, 201, "{pipeline}");
    let pipeline = pipeline["id"].as_str().unwrap().to_owned();
    let run = async |ask: &mut Ask<'_>, state| {
        let (_, run) = ask("POST", &format!("/pipelines/{pipeline}/runs"), Some(&json!({})));
        let id = run["id"].as_str().unwrap().to_owned();
        site.run_in("acme", &id, state).await;
        for path in ["", "/logs", "/events"] {
            ask("GET", &format!("/runs/{id}{path}"), None);
        }
        id
    };
    run(&mut ask, RequestState::Succeeded).await;

    // The password is changed, first at the server, then where it is kept: nobody touches Sluice.
    let new = format!("pw-two-{}", now_us());
    sql(&format!("ALTER ROLE {} PASSWORD '{new}'", shop.user));
    vault.add("acme-db", new.as_bytes());
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    run(&mut ask, RequestState::Succeeded).await;

    // A wrong one is refused by the server, whose words do not tell it.
    let wrong = format!("pw-wrong-{}", now_us());
    vault.add("acme-db", wrong.as_bytes());
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    run(&mut ask, RequestState::Failed).await;
    for path in [
        "/connections",
        &format!("/connections/{connection}"),
        "/audit",
        "/audit/export",
        &format!("/pipelines/{pipeline}/export"),
    ] {
        ask("GET", path, None);
    }
    let log = site.store().audit_after(Scope { tenant: "acme" }, 0, 100).await.unwrap();
    let used: Vec<_> = log.iter().filter(|one| one.entry.action == "secret.use").collect();
    assert!(used.len() >= 5, "{log:#?}");
    assert!(used.iter().all(|one| one.entry.detail["references"]["/password"] == reference), "{used:#?}");
    let (_, said) = service.stop();
    for secret in [&shop.password, &new, &wrong] {
        assert!(!said.contains(secret.as_str()), "{said}");
        assert!(seen.iter().all(|answer| !answer.contains(secret.as_str())), "{seen:#?}");
        assert_eq!((files(&site, secret), site.tables_with(secret)), (Vec::new(), Vec::new()));
    }
}

#[tokio::test]
async fn a_secret_is_read_when_it_is_used_and_a_new_version_is_used_without_anybody_touching_the_service() {
    from_save_to_rotation(Site::on_sqlite().await).await;
}

#[tokio::test]
async fn so_it_is_on_postgres() {
    from_save_to_rotation(Site::on_postgres().await).await;
}

#[tokio::test]
async fn no_tenant_refers_to_what_is_anothers_or_nobodys() {
    let site = Site::on_sqlite().await;
    let (vault, shop) = (Vault::new("whose"), Shop::new());
    let mut tokens = Vec::new();
    for tenant in ["acme", "globex"] {
        site.tenant(tenant).await;
        tokens.push(site.token(tenant).await);
    }
    let secret = format!("globex-{}", now_us());
    vault.make(&secret, shop.password.as_bytes());
    let service = start(&site, &vault);
    let elsewhere = json!({"reference": "projects/other/secrets/acme-db/versions/1"});
    for password in [vault.reference(&secret, "1"), vault.reference("db", "1"), elsewhere] {
        for path in ["", "/check"] {
            let body = shop.connection("Shop", password.clone());
            let (status, answer) =
                service.ask("POST", &format!("/tenants/acme/connections{path}"), &tokens[0], Some(&body));
            assert_eq!((status, &answer["field"]), (422, &json!("/config/password")), "{answer}");
            assert!(answer["detail"].as_str().unwrap().contains("not offered to this tenant (acme)"), "{answer}");
        }
    }
    assert_eq!(reads(&secret), 0, "it was not even asked for");
    // Its own is read by whom it belongs to, and stays in memory; that helps nobody else to it.
    let body = shop.connection("Shop", vault.reference(&secret, "1"));
    let (status, made) = service.ask("POST", "/tenants/globex/connections", &tokens[1], Some(&body));
    assert_eq!(status, 201, "{made}");
    let (status, _) = service.ask("POST", "/tenants/acme/connections", &tokens[0], Some(&body));
    assert_eq!(status, 422);
    // The operator takes the offer back: what was saved is not read any more.
    service.kill();
    let service =
        site.start(&["--secret-manager", "acme=other-project", "--secret-manager-endpoint", &Vault::endpoint()]);
    let before = reads(&secret);
    let path = format!("/tenants/globex/connections/{}/check", made["id"].as_str().unwrap());
    let (status, answer) = service.ask("POST", &path, &tokens[1], None);
    assert_eq!(status, 422, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("--secret-manager"), "{answer}");
    assert_eq!(reads(&secret), before);
    service.kill();
}

#[tokio::test]
async fn what_is_wrong_is_said_with_what_to_do() {
    let site = Site::on_sqlite().await;
    let (vault, shop) = (Vault::new("wrong"), Shop::new());
    site.tenant("acme").await;
    let token = site.token("acme").await;
    let secret = format!("acme-{}", now_us());
    vault.make(&secret, shop.password.as_bytes());
    let service = start(&site, &vault);
    let try_it = |reference: Value| {
        let body = shop.connection("Shop", reference);
        service.ask("POST", "/tenants/acme/connections/check", &token, Some(&body))
    };
    let wrong = |reference: Value, says: &str| {
        let (status, answer) = try_it(reference);
        assert_eq!((status, &answer["field"]), (422, &json!("/config/password")), "{answer}");
        assert!(answer["detail"].as_str().unwrap().contains(says), "{answer}");
    };
    wrong(vault.reference("acme-nothing", "latest"), "no such secret or version");
    wrong(vault.reference(&secret, "7"), "no such secret or version");
    vault.trouble("denied", 1);
    wrong(vault.reference(&secret, "1"), "roles/secretmanager.secretAccessor");
    vault.turn(&secret, "1", "disable");
    wrong(vault.reference(&secret, "1"), "DISABLED");
    vault.turn(&secret, "1", "destroy");
    wrong(vault.reference(&secret, "latest"), "refer to another");
    vault.add(&secret, b"\xff\xfe");
    wrong(vault.reference(&secret, "2"), "no text");
    vault.add(&secret, shop.password.as_bytes());

    // What was changed on the way is asked for again, and refused if it stays so.
    vault.trouble("checksum", 2);
    let before = reads(&secret);
    let (status, answer) = try_it(vault.reference(&secret, "3"));
    assert_eq!((status, &answer["passed"]), (200, &json!(true)), "{answer}");
    assert_eq!(reads(&secret), before + 3);
    for kind in ["checksum", "no-checksum", "unavailable"] {
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        vault.trouble(kind, 100);
        let begun = Instant::now();
        let (status, answer) = try_it(vault.reference(&secret, "3"));
        assert_eq!(status, 502, "{answer}");
        assert!(kind == "unavailable" || answer["detail"].as_str().unwrap().contains("checksum"), "{answer}");
        assert!(!answer.to_string().contains(&shop.password));
        assert!(begun.elapsed() < Duration::from_secs(20));
        vault.trouble("", 0);
    }
    service.kill();
}

#[tokio::test]
async fn a_broken_reference_can_be_replaced_and_a_kept_one_stays() {
    let site = Site::on_sqlite().await;
    let (vault, shop) = (Vault::new("replaced"), Shop::new());
    site.tenant("acme").await;
    let token = site.token("acme").await;
    let (first, second) = (format!("acme-a-{}", now_us()), format!("acme-b-{}", now_us()));
    vault.make(&first, shop.password.as_bytes());
    vault.make(&second, shop.password.as_bytes());
    let service = start(&site, &vault);
    let body = shop.connection("Shop", vault.reference(&first, "1"));
    let (status, made) = service.ask("POST", "/tenants/acme/connections", &token, Some(&body));
    assert_eq!(status, 201, "{made}");
    let path = format!("/tenants/acme/connections/{}", made["id"].as_str().unwrap());
    let bearer = format!("Bearer {token}");
    let put = |revision: &str, body: &Value| {
        service.ask_with("PUT", &path, &[("Authorization", &bearer), ("If-Match", revision)], Some(body))
    };
    // Left out, it stays.
    let mut renamed = shop.connection("Renamed", Value::Null);
    renamed["config"].as_object_mut().unwrap().remove("password");
    let (status, answer) = put("\"1\"", &renamed);
    assert_eq!((status, &answer["references"]["/password"]), (200, &made["references"]["/password"]), "{answer}");
    // It goes nowhere else without being sent again.
    renamed["config"]["host"] = "elsewhere.example.com".into();
    assert_eq!(put("\"2\"", &renamed).0, 422);
    // Destroyed, it can be replaced: by another, and by a secret itself.
    vault.turn(&first, "1", "destroy");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let (status, answer) = put("\"2\"", &shop.connection("Shop", vault.reference(&second, "1")));
    assert_eq!((status, &answer["revision"]), (200, &json!(3)), "{answer}");
    let (status, answer) = put("\"3\"", &shop.connection("Shop", shop.password.clone().into()));
    assert_eq!((status, &answer["references"]), (200, &json!({})), "{answer}");
    let (status, answer) = service.ask("POST", &format!("{path}/check"), &token, None);
    assert_eq!((status, &answer["passed"]), (200, &json!(true)), "{answer}");
    service.kill();
}

#[tokio::test]
async fn it_does_not_start_with_an_offer_that_is_none() {
    let site = Site::on_sqlite().await;
    for offer in ["my-project", "*=my-project/{tenant}*", "acme=My Project"] {
        let output = site.command(&["--secret-manager", offer]).stdout(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("--secret-manager") && said.contains("TENANT=PROJECT"), "{said}");
    }
}
