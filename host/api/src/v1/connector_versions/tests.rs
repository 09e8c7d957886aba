//! The life of a version, from its upload to its end.

use axum::http::{Method, StatusCode};
use ring::rand::SystemRandom;
use serde_json::{Value, json};
use sluice_core::access::Role;
use sluice_core::signature::{SecretKey, Statement};
use sluice_engine::service::resolve::Purpose;
use sluice_store::{Approval, NewVersion, Scope};

use crate::testing::uploads::component;
use crate::testing::{START_US, Service};

const ACME: Scope<'static> = Scope { tenant: "acme" };

async fn service() -> (Service, String) {
    let service = Service::new().await;
    service.tenant("acme").await;
    let admin = service.token("acme", Role::Admin).await;
    (service, admin)
}

fn signed(key: &SecretKey, component: &[u8], version: &str) -> Vec<u8> {
    serde_json::to_vec(&key.sign(Statement::new("shop", version, component, component))).unwrap()
}

fn key() -> SecretKey {
    SecretKey::from_pem(&SecretKey::generate(&SystemRandom::new()).unwrap().0).unwrap()
}

fn finding<'a>(report: &'a Value, name: &str) -> &'a Value {
    report.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()
}

async fn connection(service: &Service, admin: &str, name: &str, host: &str) -> String {
    let body = json!({"name": name, "connector": "shop", "config": {"host": host, "password": "s3cret"}});
    let made = service.call(Method::POST, "/v1/tenants/acme/connections", Some(admin), Some(body)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    made.body["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_upload_is_looked_at_and_shows_what_it_asks_for() {
    let (service, admin) = service().await;
    let bytes = component("1.0.0", json!({}));
    let made = service.upload("acme", &admin, bytes.clone(), None).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let sha256 = made.body["sha256"].as_str().unwrap();
    assert_eq!(made.headers["location"], format!("/v1/tenants/acme/connector-versions/{sha256}").as_str());
    assert_eq!((&made.body["state"], &made.body["origin"]), (&"valid".into(), &"tenant".into()));
    assert_eq!(finding(&made.body["report"], "signature")["outcome"], "warned");
    let details: Vec<&str> =
        made.body["permissions"].as_array().unwrap().iter().map(|one| one["detail"].as_str().unwrap()).collect();
    assert_eq!(
        details,
        [
            "reaches the host that the connection's configuration names ({host}:443)",
            "the secret password enters the sandbox, where the connector's own code sees it"
        ]
    );
    assert_eq!(made.body["difference"], Value::Null);

    let again = service.upload("acme", &admin, bytes, None).await;
    assert_eq!((again.status, &again.body), (StatusCode::OK, &made.body), "the same bytes are one version");
    let viewer = service.token("acme", Role::Viewer).await;
    let path = format!("/v1/tenants/acme/connector-versions/{sha256}");
    assert_eq!(service.call(Method::GET, &path, Some(&viewer), None).await.body, made.body);
    let list = "/v1/tenants/acme/connector-versions?connector=shop";
    let listed = service.call(Method::GET, list, Some(&viewer), None).await;
    assert_eq!(listed.body["items"][0]["sha256"], sha256);
    let other = service.upload("acme", &admin, component("1.0.0", json!({"title": "Other"})), None).await;
    assert_eq!((other.status, other.problem()), (StatusCode::CONFLICT, "exists"));
    assert_eq!(service.audited("acme").await, [format!("connector.upload connector sha256:{sha256}")]);
}

#[tokio::test]
async fn what_is_not_valid_is_answered_with_its_report_and_not_kept() {
    let (service, admin) = service().await;
    let refused = async |bytes: Vec<u8>, signature: Option<&[u8]>| {
        let answer = service.upload("acme", &admin, bytes, signature).await;
        assert_eq!((answer.status, answer.problem()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"), "{answer:?}");
        answer.body
    };
    let junk = refused(b"junk".to_vec(), None).await;
    assert_eq!((&junk["detail"], &junk["field"]), (&"file: no WebAssembly; send some".into(), &"body".into()));
    assert_eq!(junk["findings"][0]["outcome"], "failed");
    let bomb = refused(b"bomb".to_vec(), None).await;
    assert_eq!(finding(&bomb["findings"], "compile")["outcome"], "failed", "{bomb}");
    let taken = refused(component("1.0.0", json!({"name": "demo"})), None).await;
    assert!(taken["detail"].as_str().unwrap().contains("comes with the service"), "{taken}");
    let bytes = component("1.0.0", json!({}));
    let forged = refused(bytes.clone(), Some(&signed(&key(), b"{}", "1.0.0"))).await;
    assert!(finding(&forged["findings"], "signature")["detail"].as_str().unwrap().contains("of another component"));

    let path = "/v1/tenants/acme/connector-versions";
    let text = service.call(Method::POST, path, Some(&admin), Some(json!({}))).await;
    assert_eq!(text.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(service.upload("acme", &admin, Vec::new(), None).await.body["field"], "body");
    let kept = service.call(Method::GET, path, Some(&admin), None).await;
    assert_eq!(kept.body["items"], json!([]));
    assert_eq!(service.actions("acme").await["connector.refuse"], 4);
}

#[tokio::test]
async fn nobody_approves_what_was_not_read() {
    let (service, admin) = service().await;
    let made = service.upload("acme", &admin, component("1.0.0", json!({})), None).await.body;
    let unread = service.approve("acme", &admin, &made, json!({"permissions": "0".repeat(64)})).await;
    assert_eq!((unread.problem(), &unread.body["field"]), ("invalid", &"permissions".into()));
    let none = service.call(Method::GET, "/v1/tenants/acme/connectors/shop", Some(&admin), None).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    let approved = service.approve("acme", &admin, &made, json!({})).await;
    assert_eq!((approved.status, &approved.body["state"]), (StatusCode::OK, &"installed".into()), "{approved:?}");
    let shown = service.call(Method::GET, "/v1/tenants/acme/connectors/shop", Some(&admin), None).await.body;
    assert_eq!((&shown["origin"], &shown["sha256"]), (&"tenant".into(), &made["sha256"]));
    assert_eq!((&shown["version"], &shown["yanked"]), (&"1.0.0".into(), &Value::Null));

    let id = connection(&service, &admin, "Shop", "shop.example.com").await;
    let purpose = Purpose { actor: "host", object: "test", address: None, now_us: START_US };
    let source = service.app.resolver.source(ACME, &id, purpose).await.unwrap();
    assert_eq!(source.it.digest.as_deref(), made["sha256"].as_str());
    let rejected = service.decide("acme", &admin, &made, "reject", json!({"reason": "late"})).await;
    assert_eq!((rejected.problem(), rejected.status), ("refused", StatusCode::CONFLICT));
}

#[tokio::test]
async fn a_rejected_version_loses_its_bytes_and_says_why() {
    let (service, admin) = service().await;
    let bytes = component("1.0.0", json!({}));
    let made = service.upload("acme", &admin, bytes.clone(), None).await.body;
    let silent = service.decide("acme", &admin, &made, "reject", json!({"reason": " "})).await;
    assert_eq!(silent.body["field"], "reason");
    let rejected = service.decide("acme", &admin, &made, "reject", json!({"reason": "asks for too much"})).await;
    assert_eq!((&rejected.body["state"], &rejected.body["reason"]), (&"rejected".into(), &"asks for too much".into()));
    let sha256 = made["sha256"].as_str().unwrap();
    assert_eq!(service.app.store.connector_bytes(ACME, sha256).await.unwrap(), None);
    assert_eq!(service.approve("acme", &admin, &made, json!({})).await.problem(), "refused");
    assert_eq!(service.upload("acme", &admin, bytes, None).await.status, StatusCode::CREATED, "it is looked at again");
}

#[tokio::test]
async fn an_upgrade_shows_what_changes_and_is_tried_before_it_takes_its_place() {
    let (service, admin) = service().await;
    let first = service.install("acme", &admin, component("1.0.0", json!({}))).await;
    connection(&service, &admin, "Shop", "shop.example.com").await;
    let wider = component("1.1.0", json!({"hosts": ["{host}:443", "telemetry.example.net:443"]}));
    let made = service.upload("acme", &admin, wider, None).await.body;
    assert_eq!(made["difference"]["from"], first["sha256"]);
    assert_eq!(
        made["difference"]["permissions"],
        json!([{"effect": "widens", "text": "new: it reaches telemetry.example.net:443, whatever the connection's configuration says"}])
    );
    let approved = service.approve("acme", &admin, &made, json!({})).await;
    assert_eq!(approved.status, StatusCode::OK, "{approved:?}");
    assert_eq!(finding(&approved.body["trial"], "Shop: check")["outcome"], "passed");
    assert_eq!(finding(&approved.body["trial"], "Shop: streams")["detail"], "2 streams, as before");
    assert_eq!(finding(&approved.body["trial"], "Shop: conformance hosts")["outcome"], "passed");

    // What the connection would not fit any more stays outside.
    let stricter = component(
        "1.2.0",
        json!({"config": {"type": "object", "required": ["host", "region"], "properties": {"host": {"type": "string"},
            "region": {"type": "string"}, "password": {"type": "string", "writeOnly": true}}}}),
    );
    let made = service.upload("acme", &admin, stricter, None).await.body;
    assert_eq!(made["difference"]["configuration"][0]["text"], "new field /region, which has to be set");
    let refused = service.approve("acme", &admin, &made, json!({})).await;
    assert_eq!((refused.status, refused.problem()), (StatusCode::CONFLICT, "refused"), "{refused:?}");
    assert_eq!(finding(&refused.body["findings"], "Shop: configuration")["outcome"], "failed");
    assert!(!refused.body.to_string().contains("s3cret"));
    let now = service.call(Method::GET, "/v1/tenants/acme/connectors/shop", Some(&admin), None).await.body;
    assert_eq!(now["version"], "1.1.0");
    assert_eq!(service.actions("acme").await["connector.trial-failed"], 1);
    let forced = service.approve("acme", &admin, &made, json!({"without_trial": true})).await;
    assert_eq!(forced.body["state"], "installed", "{forced:?}");

    let back = json!({"from": made["sha256"], "reason": "we have no regions"});
    let path = "/v1/tenants/acme/connectors/shop/rollback";
    let gone = service.call(Method::POST, path, Some(&admin), Some(back.clone())).await;
    assert_eq!((gone.status, &gone.body["version"]), (StatusCode::OK, &"1.1.0".into()), "{gone:?}");
    let twice = service.call(Method::POST, path, Some(&admin), Some(back)).await;
    assert_eq!(twice.problem(), "refused");
    assert_eq!(service.actions("acme").await["connector.go-back"], 1);
    let built_in = json!({"from": "5a".repeat(32), "reason": "x"});
    let demo = service.call(Method::POST, &path.replace("shop", "demo"), Some(&admin), Some(built_in)).await;
    assert_eq!(demo.problem(), "refused");
}

#[tokio::test]
async fn a_check_that_fails_keeps_the_installed_version_only_if_that_one_passes() {
    let (service, admin) = service().await;
    service.install("acme", &admin, component("1.0.0", json!({}))).await;
    connection(&service, &admin, "Down", "crash.example.com").await;
    let made = service.upload("acme", &admin, component("1.1.0", json!({})), None).await.body;
    let approved = service.approve("acme", &admin, &made, json!({})).await;
    assert_eq!(approved.status, StatusCode::OK, "{approved:?}");
    let check = finding(&approved.body["trial"], "Down: check");
    assert_eq!(check["outcome"], "warned", "{check}");
    assert!(check["detail"].as_str().unwrap().contains("with the installed version it fails as well"), "{check}");
}

#[tokio::test]
async fn a_version_that_does_not_conform_stays_outside_unless_the_installed_one_does_not_either() {
    let (service, admin) = service().await;
    let first = service.install("acme", &admin, component("1.0.0", json!({}))).await;
    let fits = format!("fits-{}.example.com", first["sha256"].as_str().unwrap());
    connection(&service, &admin, "Mine", &fits).await;
    connection(&service, &admin, "Nobody", "fits-nobody.example.com").await;
    let made = service.upload("acme", &admin, component("1.1.0", json!({})), None).await.body;
    let refused = service.approve("acme", &admin, &made, json!({})).await;
    assert_eq!(refused.problem(), "refused", "{refused:?}");
    let hosts = finding(&refused.body["findings"], "Mine: conformance hosts");
    assert_eq!((&hosts["outcome"], &hosts["detail"]), (&"failed".into(), &"it told [secret] elsewhere".into()));
    let hosts = finding(&refused.body["findings"], "Nobody: conformance hosts");
    let too = "it told [secret] elsewhere (with the installed version it fails as well)";
    assert_eq!((&hosts["outcome"], &hosts["detail"]), (&"warned".into(), &too.into()));
    let discover = finding(&refused.body["findings"], "Mine: conformance discover");
    assert_eq!(discover["outcome"], "passed");
}

#[tokio::test]
async fn what_was_yanked_is_used_by_no_run() {
    let (service, admin) = service().await;
    let first = service.install("acme", &admin, component("1.0.0", json!({}))).await;
    let id = connection(&service, &admin, "Shop", "shop.example.com").await;
    let second = service.install("acme", &admin, component("1.1.0", json!({}))).await;
    let yanked = service.decide("acme", &admin, &second, "yank", json!({"reason": "it leaks"})).await;
    assert_eq!((yanked.status, &yanked.body["state"]), (StatusCode::OK, &"yanked".into()), "{yanked:?}");
    let purpose = Purpose { actor: "host", object: "test", address: None, now_us: START_US };
    let error = service.app.resolver.source(ACME, &id, purpose).await.unwrap_err();
    assert_eq!(
        error.message,
        "version 1.1.0 of the connector shop was yanked (it leaks); approve another version of it, or go back to the one before"
    );
    let shown = service.call(Method::GET, "/v1/tenants/acme/connectors/shop", Some(&admin), None).await.body;
    assert_eq!(shown["yanked"], "it leaks");
    let body = json!({"from": second["sha256"], "reason": "it leaks"});
    let path = "/v1/tenants/acme/connectors/shop/rollback";
    assert_eq!(service.call(Method::POST, path, Some(&admin), Some(body)).await.body["sha256"], first["sha256"]);
    let source = service.app.resolver.source(ACME, &id, purpose).await.unwrap();
    assert_eq!(source.it.digest.as_deref(), first["sha256"].as_str());

    let third = service.install("acme", &admin, component("1.2.0", json!({}))).await;
    let body = json!({"reason": "it leaks too", "go_back": true});
    assert_eq!(service.decide("acme", &admin, &third, "yank", body).await.body["state"], "yanked");
    let shown = service.call(Method::GET, "/v1/tenants/acme/connectors/shop", Some(&admin), None).await.body;
    assert_eq!((&shown["version"], &shown["yanked"]), (&"1.0.0".into(), &Value::Null));
}

#[tokio::test]
async fn a_publishers_first_key_is_its_key_until_an_admin_names_another() {
    let (service, admin) = service().await;
    let (mine, other) = (key(), key());
    let bytes = component("1.0.0", json!({}));
    let made = service.upload("acme", &admin, bytes.clone(), Some(&signed(&mine, &bytes, "1.0.0"))).await.body;
    assert_eq!((&made["signed_by"], &made["publisher_key"]), (&mine.public().fingerprint().into(), &Value::Null));
    service.approve("acme", &admin, &made, json!({})).await;
    let bytes = component("1.1.0", json!({}));
    let made = service.upload("acme", &admin, bytes.clone(), Some(&signed(&other, &bytes, "1.1.0"))).await.body;
    assert_eq!(made["publisher_key"], mine.public().fingerprint());
    assert_eq!(finding(&made["report"], "publisher")["outcome"], "warned");
    let refused = service.approve("acme", &admin, &made, json!({})).await;
    assert_eq!(refused.problem(), "refused", "{refused:?}");
    assert!(refused.body["detail"].as_str().unwrap().contains("approve it with `pin`"), "{refused:?}");
    let pinned = service.approve("acme", &admin, &made, json!({"pin": other.public().fingerprint()})).await;
    assert_eq!((pinned.status, &pinned.body["publisher_key"]), (StatusCode::OK, &other.public().fingerprint().into()));
    let unsigned = service.upload("acme", &admin, component("1.2.0", json!({})), None).await.body;
    assert_eq!(service.approve("acme", &admin, &unsigned, json!({})).await.problem(), "refused");
}

#[tokio::test]
async fn what_the_operator_installs_is_everybodys_and_nobodys_to_change() {
    let (service, admin) = service().await;
    let new = NewVersion {
        sha256: sluice_engine::service::components::digest(b"x"),
        name: "lab".into(),
        version: "2.0.0".into(),
        publisher: String::new(),
        manifest: serde_json::from_slice(&component("2.0.0", json!({"name": "lab"}))).unwrap(),
        report: vec![],
        signature: None,
    };
    let store = &service.app.store;
    store.add_connector_version(Scope::OPERATOR, &new, b"x", "operator", START_US).await.unwrap();
    let path = format!("/v1/tenants/acme/connector-versions/{}", new.sha256);
    let unseen = service.call(Method::GET, &path, Some(&admin), None).await;
    assert_eq!(unseen.status, StatusCode::NOT_FOUND, "nobody has installed it");
    let approval = Approval { sha256: &new.sha256, instead_of: None, pin: None };
    store.approve_connector(Scope::OPERATOR, approval, "operator", START_US).await.unwrap();
    let shown = service.call(Method::GET, "/v1/tenants/acme/connectors/lab", Some(&admin), None).await.body;
    assert_eq!((&shown["origin"], &shown["version"]), (&"operator".into(), &"2.0.0".into()));
    let version = service.call(Method::GET, &path, Some(&admin), None).await.body;
    assert_eq!(version["origin"], "operator");
    for (what, body) in [("approve", json!({"permissions": "x"})), ("yank", json!({"reason": "x"}))] {
        let refused = service.decide("acme", &admin, &version, what, body).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{what}");
    }
    let body = json!({"from": new.sha256, "reason": "x"});
    let back = service.call(Method::POST, "/v1/tenants/acme/connectors/lab/rollback", Some(&admin), Some(body)).await;
    assert_eq!(back.problem(), "refused");
    let shadow = service.upload("acme", &admin, component("9.0.0", json!({"name": "lab"})), None).await;
    assert!(shadow.body["detail"].as_str().unwrap().contains("operator has installed"), "{shadow:?}");
}

#[tokio::test]
async fn an_uploaded_connector_is_never_lent_the_services_own_identity() {
    let service = Service::with(|parts| parts.resolver.offers.google_identity = true).await;
    service.tenant("acme").await;
    let admin = service.token("acme", Role::Admin).await;
    service.install("acme", &admin, component("1.0.0", json!({}))).await;
    let body = |connector: &str, config: Value| json!({"name": connector, "connector": connector, "config": config, "grants": {"google_identity": true}});
    let ask =
        async |body: Value| service.call(Method::POST, "/v1/tenants/acme/connections", Some(&admin), Some(body)).await;
    let refused = ask(body("shop", json!({"host": "h", "password": "s3cret"}))).await;
    assert_eq!(refused.body["field"], "grants.google_identity", "{refused:?}");
    assert_eq!(ask(body("demo", json!({"host": "h", "password": "s3cret"}))).await.status, StatusCode::CREATED);
}
