//! `PUT /v1/tenants/{tenant}/connections/{connection}`

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sluice_core::secret::{Parts, carry_over};
use sluice_engine::service::resolve::Purpose;
use sluice_store::{ChangeError, Connection, ConnectionChange, SecretChange, SecretValue};

use super::create::{as_json, sealing};
use super::input::{ConnectionBody, Sent, fits, given, hide, read};
use super::steer::{Leads, kept, same_places};
use super::view::{ConnectionView, find, grants_of, shown};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::{IfMatch, Tagged};
use crate::state::App;
use crate::v1::record::record;

/// Change a connection
///
/// The body is the connection as it is to be, but for its secrets: those that are left out stay, null removes one. Where the change
/// leads to another host, the secrets have to be sent again.
#[utoipa::path(
    put, path = "/v1/tenants/{tenant}/connections/{connection}", tag = "connections",
    operation_id = "update_connection",
    params(("tenant" = String, Path), ("connection" = String, Path), ("If-Match" = String, Header)),
    request_body = ConnectionBody,
    responses((status = 200, body = ConnectionView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn update(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    IfMatch(seen): IfMatch,
    Body(body): Body<ConnectionBody>,
) -> Result<Response, Problem> {
    let scope = member.scope();
    let found = find(&app, scope, &id).await?;
    if found.revision != seen {
        // What follows compares with what was found, so it must be what was seen.
        return Err(ChangeError::Stale { what: "connection", seen, now: found.revision }.into());
    }
    if found.connector != body.connector {
        let detail = format!("this is a connection of {}; make a new one for another connector", found.connector);
        return Err(Problem::field("connector", detail));
    }
    let sent = read(&app, member.scope(), body).await?;
    let old = stored(&app, &member, &found, &sent).await?;
    let secrets = carry_over(&old, &sent.parts);
    let grants = grants_of(&found)?;
    let before = Leads { config: &found.config, grants: &grants };
    let after = Leads { config: &sent.parts.public, grants: &sent.grants };
    same_places(&sent.manifest, before, after, kept(&secrets, &sent.parts.secrets))?;
    let mut whole = secrets.clone();
    whole.extend(given(&app, &member, &sent.parts.secrets, (format!("connection {id}"), "update")).await?);
    fits(&sent.manifest, &sent.parts.public, &whole)?;
    let mut changes = sealing(&sent.parts.secrets)?;
    let gone = old.secrets.keys().filter(|field| !secrets.contains_key(*field));
    changes.extend(gone.map(|field| SecretChange { field: field.clone(), value: SecretValue::Remove }));
    let set: Vec<&String> = sent.parts.secrets.keys().collect();
    let detail = json!({"name": sent.name, "grants": sent.grants, "secrets": set});
    let change = ConnectionChange { name: sent.name, config: sent.parts.public, grants: as_json(&sent.grants)? };
    let (vault, by, now) = (&app.resolver.vault, member.caller.actor(), app.now_us());
    let revision = app.store.update_connection(scope, vault, &id, seen, &change, &changes, &by, now).await?;
    record(&app, &member, "connection.update", format!("connection {id}"), detail).await?;
    let view = shown(&app, scope, find(&app, scope, &id).await?).await?;
    Ok(Tagged(revision, Json(view)).into_response())
}

/// The connection's configuration as it is, in two parts. Only of the secrets that may stay are the values opened, for the configuration
/// is checked as a whole.
async fn stored(app: &App, member: &Member, found: &Connection, sent: &Sent) -> Result<Parts, Problem> {
    let replaced = |field: &str| sent.parts.secrets.contains_key(field) || sent.parts.cleared.contains(field);
    let (actor, address) = (member.caller.actor(), member.caller.address.as_deref());
    let purpose = Purpose { actor: &actor, object: "update", address, now_us: app.now_us() };
    let opened = app.resolver.secrets_but(member.scope(), &found.id, purpose, replaced).await;
    let secrets = opened.map_err(|error| hide(error, &Default::default()))?;
    Ok(Parts { public: found.config.clone(), secrets, ..Parts::default() })
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::{Value, json};
    use sluice_core::access::Role;
    use sluice_engine::service::resolve::Purpose;
    use sluice_store::Scope;

    use crate::testing::{Answer, SECRET, START_US, Service};

    struct Change {
        service: Service,
        token: String,
        id: String,
    }

    impl Change {
        async fn new() -> Self {
            let service = Service::new().await;
            service.tenant("acme").await;
            let token = service.token("acme", Role::Editor).await;
            let id = service.connection("acme", &token, "shop").await;
            Self { service, token, id }
        }

        async fn put(&self, revision: Option<u64>, config: Value) -> Answer {
            let body = json!({"name": "shop", "connector": "demo", "config": config});
            let path = format!("/v1/tenants/acme/connections/{}", self.id);
            self.service.change(Method::PUT, &path, &self.token, revision, Some(body)).await
        }

        async fn config(&self) -> Value {
            let purpose = Purpose { actor: "host", object: "test", address: None, now_us: START_US };
            self.service.app.resolver.source(Scope { tenant: "acme" }, &self.id, purpose).await.unwrap().it.config
        }
    }

    #[tokio::test]
    async fn a_secret_that_is_left_out_stays_and_null_removes_one() {
        let it = Change::new().await;
        let host = "db.example.com";
        let changed = it.put(Some(1), json!({"host": host, "database": "d", "client_key": "a-key"})).await;
        assert_eq!((changed.status, changed.headers["etag"].to_str().unwrap()), (StatusCode::OK, "\"2\""));
        assert_eq!(changed.body["secrets"], json!(["/client_key", "/password"]));
        let all = json!({"host": host, "database": "d", "client_key": "a-key", "password": SECRET});
        assert_eq!(it.config().await, all);
        let changed = it.put(Some(2), json!({"host": host, "client_key": null})).await;
        assert_eq!(changed.body["secrets"], json!(["/password"]), "{changed:?}");
        assert_eq!(it.config().await, json!({"host": host, "password": SECRET}));
        let refused = it.put(Some(3), json!({"host": host, "password": null})).await;
        assert_eq!(refused.body["field"], "/config/password", "{refused:?}");
        assert!(!refused.body.to_string().contains(SECRET));
        assert_eq!(it.service.found_in_files(SECRET), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_secret_is_not_sent_to_another_host_by_who_does_not_know_it() {
        let it = Change::new().await;
        for moved in [json!({"host": "evil.example.com"}), json!({"host": "db.example.com", "port": 1})] {
            let refused = it.put(Some(1), moved).await;
            assert_eq!(
                (refused.status, &refused.body["field"]),
                (StatusCode::UNPROCESSABLE_ENTITY, &"/config/password".into())
            );
            assert!(refused.body["detail"].as_str().unwrap().contains("send the secret again"), "{refused:?}");
        }
        let moved = it.put(Some(1), json!({"host": "new.example.com", "password": "another one"})).await;
        assert_eq!(moved.status, StatusCode::OK, "{moved:?}");
        assert_eq!(it.config().await, json!({"host": "new.example.com", "password": "another one"}));
        assert_eq!(it.service.actions("acme").await["connection.update"], 1);
    }

    #[tokio::test]
    async fn it_is_changed_as_it_was_seen_or_not_at_all() {
        let it = Change::new().await;
        let config = json!({"host": "db.example.com"});
        assert_eq!(it.put(None, config.clone()).await.status, StatusCode::PRECONDITION_REQUIRED);
        assert_eq!(it.put(Some(9), config.clone()).await.status, StatusCode::PRECONDITION_FAILED);
        it.service.tenant("globex").await;
        let stranger = it.service.token("globex", Role::Owner).await;
        let path = format!("/v1/tenants/globex/connections/{}", it.id);
        let body = json!({"name": "x", "connector": "demo", "config": config});
        let other = it.service.change(Method::PUT, &path, &stranger, Some(1), Some(body)).await;
        assert_eq!(other.status, StatusCode::NOT_FOUND);
        let path = format!("/v1/tenants/acme/connections/{}", it.id);
        let body = json!({"name": "x", "connector": "lake"});
        let other = it.service.change(Method::PUT, &path, &it.token, Some(1), Some(body)).await;
        assert_eq!(other.body["field"], "connector");
    }
}
