//! Recordings that are kept, and what they keep out.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use sluice_core::access::Role;

use crate::testing::uploads::component;
use crate::testing::{Answer, Service};

const PATH: &str = "/v1/tenants/acme/connectors/shop/recordings";

/// A service with the connector `shop` in the version 1.0.0, which is returned, and the token of an admin.
async fn service() -> (Service, String, Value) {
    let service = Service::new().await;
    service.tenant("acme").await;
    let admin = service.token("acme", Role::Admin).await;
    let first = service.install("acme", &admin, component("1.0.0", json!({}))).await;
    (service, admin, first)
}

async fn put(service: &Service, token: &str, path: &str, kind: &str, file: &str) -> Answer {
    let request = Service::request(Method::PUT, path, Some(token)).header(header::CONTENT_TYPE, kind);
    service.send(request.body(Body::from(file.to_owned())).unwrap()).await
}

async fn keep(service: &Service, token: &str, name: &str, file: &str) -> Answer {
    put(service, token, &format!("{PATH}/{name}"), "application/x-ndjson", file).await
}

#[tokio::test]
async fn a_recording_is_kept_replaced_read_and_deleted() {
    let (service, admin, _) = service().await;
    let made = keep(&service, &admin, "orders", "recording shop").await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    assert_eq!((&made.body["calls"], &made.body["rows"], &made.body["size"]), (&3.into(), &7.into(), &14.into()));
    assert_eq!((&made.body["version"], made.body["sha256"].as_str().unwrap().len()), (&"1.0.0".into(), 64));
    let again = keep(&service, &admin, "orders", "recording shop again").await;
    assert_eq!((again.status, &again.body["size"]), (StatusCode::OK, &20.into()));
    keep(&service, &admin, "returns", "recording shop").await;

    let viewer = service.token("acme", Role::Viewer).await;
    let first = service.call(Method::GET, &format!("{PATH}?limit=1"), Some(&viewer), None).await.body;
    assert_eq!((&first["items"][0]["name"], &first["next"]), (&"orders".into(), &"orders".into()));
    let rest = service.call(Method::GET, &format!("{PATH}?after=orders"), Some(&viewer), None).await.body;
    assert_eq!((&rest["items"][0]["name"], &rest["next"]), (&"returns".into(), &Value::Null));

    let orders = format!("{PATH}/orders");
    let closed = service.call(Method::GET, &orders, Some(&viewer), None).await;
    assert_eq!(closed.problem(), "forbidden", "it has rows of the source");
    let file = service.call(Method::GET, &orders, Some(&admin), None).await;
    assert_eq!((file.status, &file.body), (StatusCode::OK, &"recording shop again".into()));
    assert_eq!(file.headers[header::CONTENT_DISPOSITION], "attachment; filename=\"orders.jsonl\"");
    assert_eq!(service.call(Method::DELETE, &orders, Some(&viewer), None).await.problem(), "forbidden");
    assert_eq!(service.call(Method::DELETE, &orders, Some(&admin), None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(service.call(Method::DELETE, &orders, Some(&admin), None).await.problem(), "not-found");
    let audited = service.audited("acme").await;
    let of_orders: Vec<&str> = audited.iter().filter_map(|one| one.strip_suffix(" recording shop/orders")).collect();
    let [add, read, delete] = ["connector.recording-add", "connector.recording-read", "connector.recording-delete"];
    assert_eq!(of_orders, [add, add, read, delete]);
}

#[tokio::test]
async fn what_is_no_recording_of_the_connector_is_refused_by_name() {
    let (service, admin, _) = service().await;
    let none = keep(&service, &admin, "orders", "hello").await;
    assert_eq!((none.problem(), &none.body["field"]), ("invalid", &"body".into()), "{none:?}");
    assert_eq!(none.body["detail"], "the recording, line 1: it is none");
    let other = keep(&service, &admin, "orders", "recording lab").await;
    assert_eq!(other.body["detail"], "it is a recording of the connector lab, not of shop");
    let empty = keep(&service, &admin, "orders", "").await;
    assert_eq!(empty.body["field"], "body", "{empty:?}");
    let name = keep(&service, &admin, "..", "recording shop").await;
    assert_eq!((name.problem(), &name.body["field"]), ("invalid", &"recording".into()), "{name:?}");
    let json = put(&service, &admin, &format!("{PATH}/orders"), "application/json", "{}").await;
    assert_eq!(json.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = keep(&service, &admin, "orders", &"x".repeat(super::LARGEST + 1)).await;
    assert_eq!(large.problem(), "too-large", "{large:?}");
    let nowhere = PATH.replace("shop", "nowhere");
    let missing = put(&service, &admin, &format!("{nowhere}/a"), "application/x-ndjson", "recording nowhere").await;
    assert_eq!(missing.problem(), "not-found");
    let demo = PATH.replace("shop", "demo");
    let built_in = put(&service, &admin, &format!("{demo}/a"), "application/x-ndjson", "recording demo").await;
    assert!(built_in.body["detail"].as_str().unwrap().contains("comes with the service"), "{built_in:?}");
    let kept = service.call(Method::GET, PATH, Some(&admin), None).await;
    assert_eq!(kept.body["items"], json!([]));
}

#[tokio::test]
async fn a_connector_has_so_many_recordings_and_no_more() {
    let (service, admin, _) = service().await;
    for number in 0..20 {
        assert_eq!(keep(&service, &admin, &format!("r{number}"), "recording shop").await.status, StatusCode::CREATED);
    }
    let refused = keep(&service, &admin, "more", "recording shop").await;
    assert_eq!(refused.body["detail"], "shop has 20 recordings already; delete one that tells less", "{refused:?}");
    assert_eq!(keep(&service, &admin, "r7", "recording shop anew").await.status, StatusCode::OK, "one takes its place");
}

#[tokio::test]
async fn a_version_that_does_something_else_than_was_recorded_stays_outside() {
    let (service, admin, first) = service().await;
    let made = service.upload("acme", &admin, component("1.1.0", json!({})), None).await.body;
    let differs = format!("recording shop differs {}", made["sha256"].as_str().unwrap());
    keep(&service, &admin, "orders", &differs).await;
    keep(&service, &admin, "returns", "recording shop").await;
    let refused = service.approve("acme", &admin, &made, json!({})).await;
    assert_eq!((refused.status, refused.problem()), (StatusCode::CONFLICT, "refused"), "{refused:?}");
    let found = &refused.body["findings"];
    assert_eq!((&found[0]["name"], &found[0]["outcome"]), (&"recording orders: replay".into(), &"failed".into()));
    assert_eq!(found[0]["detail"], "read: it asks for another page");
    assert_eq!((&found[1]["name"], &found[1]["outcome"]), (&"recording returns: replay".into(), &"passed".into()));
    let now = service.call(Method::GET, "/v1/tenants/acme/connectors/shop", Some(&admin), None).await.body;
    assert_eq!(now["sha256"], first["sha256"]);

    // One that the installed version does not do either says nothing about the other.
    keep(&service, &admin, "orders", "recording shop stale").await;
    let approved = service.approve("acme", &admin, &made, json!({})).await;
    assert_eq!(approved.status, StatusCode::OK, "{approved:?}");
    let stale = &approved.body["trial"][0];
    assert_eq!(stale["outcome"], "warned", "{stale}");
    assert!(stale["detail"].as_str().unwrap().contains("with the installed version it fails as well"), "{stale}");
}

#[tokio::test]
async fn another_tenant_neither_sees_a_recording_nor_is_kept_from_an_upgrade_by_it() {
    let (service, admin, _) = service().await;
    keep(&service, &admin, "orders", "recording shop stale").await;
    service.tenant("globex").await;
    let other = service.token("globex", Role::Admin).await;
    let theirs = PATH.replace("acme", "globex");
    let unknown = service.call(Method::GET, &theirs, Some(&other), None).await;
    assert_eq!(unknown.problem(), "not-found");
    service.install("globex", &other, component("1.0.0", json!({}))).await;
    let none = service.call(Method::GET, &theirs, Some(&other), None).await;
    assert_eq!(none.body["items"], json!([]));
    let file = service.call(Method::GET, &format!("{theirs}/orders"), Some(&other), None).await;
    assert_eq!(file.problem(), "not-found");
    let deleted = service.call(Method::DELETE, &format!("{theirs}/orders"), Some(&other), None).await;
    assert_eq!(deleted.problem(), "not-found");
    let foreign = service.call(Method::GET, &format!("{PATH}/orders"), Some(&other), None).await;
    assert_eq!(foreign.problem(), "not-found");
    let upgraded = service.install("globex", &other, component("1.1.0", json!({}))).await;
    assert_eq!((&upgraded["state"], &upgraded["trial"]), (&"installed".into(), &json!([])));
}
