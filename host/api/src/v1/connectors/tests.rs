//! A connector of the operator's, and a tenant that does not fit its newest version.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sluice_core::access::Role;
use sluice_core::connector::VersionStep;
use sluice_engine::service::components::digest;
use sluice_store::{Approval, NewVersion, Scope};

use crate::testing::uploads::component;
use crate::testing::{START_US, Service};

/// Installs a version of the connector `lab` for all tenants; its digest.
async fn add(service: &Service, version: &str) -> String {
    let bytes = component(version, json!({"name": "lab"}));
    let (store, scope, sha256) = (&service.app.store, Scope::OPERATOR, digest(&bytes));
    let new = NewVersion {
        sha256: sha256.clone(),
        name: "lab".into(),
        version: version.into(),
        publisher: String::new(),
        manifest: serde_json::from_slice(&bytes).unwrap(),
        report: vec![],
        signature: None,
    };
    store.add_connector_version(scope, &new, &bytes, "operator", START_US).await.unwrap();
    let instead = store.connector_install(scope, "lab").await.unwrap().map(|one| one.sha256);
    let approval = Approval { sha256: &sha256, instead_of: instead.as_deref(), pin: None };
    store.approve_connector(scope, approval, "operator", START_US).await.unwrap();
    sha256
}

/// Two tenants with their admins' tokens.
async fn service() -> (Service, String, String) {
    let service = Service::new().await;
    service.tenant("acme").await;
    service.tenant("globex").await;
    let tokens = (service.token("acme", Role::Admin).await, service.token("globex", Role::Admin).await);
    (service, tokens.0, tokens.1)
}

async fn shown(service: &Service, tenant: &str, token: &str) -> Value {
    service.call(Method::GET, &format!("/v1/tenants/{tenant}/connectors/lab"), Some(token), None).await.body
}

#[tokio::test]
async fn a_tenant_goes_back_from_the_operators_version_by_itself_and_others_stay() {
    let (service, acme, globex) = service().await;
    let first = add(&service, "1.0.0").await;
    let (path, follow) = ("/v1/tenants/acme/connectors/lab/rollback", "/v1/tenants/acme/connectors/lab/follow");
    let back = json!({"from": first, "reason": "it is the first"});
    assert_eq!(service.call(Method::POST, path, Some(&acme), Some(back)).await.problem(), "refused");
    let second = add(&service, "1.1.0").await;
    assert_eq!(service.call(Method::POST, follow, Some(&acme), None).await.problem(), "refused");
    let back = json!({"from": second, "reason": "it reads nothing of ours"});
    let gone = service.call(Method::POST, path, Some(&acme), Some(back.clone())).await;
    assert_eq!((gone.status, &gone.body["version"]), (StatusCode::OK, &"1.0.0".into()), "{gone:?}");
    let held = &gone.body["held"];
    assert_eq!((&held["instead_of"], &held["reason"]), (&second.clone().into(), &"it reads nothing of ours".into()));
    assert_eq!(gone.body["origin"], "operator");
    let theirs = shown(&service, "globex", &globex).await;
    assert_eq!((&theirs["version"], &theirs["held"]), (&"1.1.0".into(), &Value::Null));

    let followed = service.call(Method::POST, follow, Some(&acme), None).await;
    assert_eq!((&followed.body["version"], &followed.body["held"]), (&"1.1.0".into(), &Value::Null), "{followed:?}");
    let actions = service.actions("acme").await;
    assert_eq!((actions["connector.go-back"], actions["connector.follow"]), (1, 1));

    // The operator's next version is everybody's again.
    service.call(Method::POST, path, Some(&acme), Some(back)).await;
    add(&service, "1.2.0").await;
    let now = shown(&service, "acme", &acme).await;
    assert_eq!((&now["version"], &now["held"]), (&"1.2.0".into(), &Value::Null));
}

#[tokio::test]
async fn nobody_stays_with_what_the_operator_has_yanked() {
    let (service, acme, _) = service().await;
    let first = add(&service, "1.0.0").await;
    let second = add(&service, "1.1.0").await;
    let back = json!({"from": second, "reason": "it reads nothing of ours"});
    service.call(Method::POST, "/v1/tenants/acme/connectors/lab/rollback", Some(&acme), Some(back)).await;
    let by = ("operator", "it leaks");
    service.app.store.decide_connector_version(Scope::OPERATOR, &first, VersionStep::Yank, by, START_US).await.unwrap();
    let now = shown(&service, "acme", &acme).await;
    assert_eq!((&now["version"], &now["yanked"]), (&"1.1.0".into(), &Value::Null));
}
