//! `POST /v1/tenants/{tenant}/connections`

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sluice_core::RunError;
use sluice_core::secret::{SecretRef, Secrets};
use sluice_store::{NewConnection, Plain, SecretChange, SecretValue};

use super::input::{ConnectionBody, fits, given, read};
use super::view::{ConnectionView, find, shown};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::Tagged;
use crate::state::App;
use crate::v1::record::record;

/// Make a connection
///
/// Its secrets are sealed before they are stored, and no answer ever has them.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/connections", tag = "connections", operation_id = "create_connection",
    params(("tenant" = String, Path)), request_body = ConnectionBody,
    responses((status = 201, body = ConnectionView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn create(
    State(app): State<App>,
    member: Member,
    Body(body): Body<ConnectionBody>,
) -> Result<Response, Problem> {
    let sent = read(&app, member.scope(), body).await?;
    let id = app.ids.next();
    let whole = given(&app, &member, &sent.parts.secrets, (format!("connection {id}"), "create")).await?;
    fits(&sent.manifest, &sent.parts.public, &whole)?;
    let new = NewConnection {
        id,
        name: sent.name,
        connector: sent.manifest.name.clone(),
        config: sent.parts.public,
        grants: as_json(&sent.grants)?,
    };
    let (scope, by, now) = (member.scope(), member.caller.actor(), app.now_us());
    let secrets = sealing(&sent.parts.secrets)?;
    app.store.create_connection(scope, &app.resolver.vault, &new, &secrets, &by, now).await?;
    let fields: Vec<&String> = sent.parts.secrets.keys().collect();
    let detail = json!({"name": new.name, "connector": new.connector, "grants": new.grants, "secrets": fields});
    record(&app, &member, "connection.create", format!("connection {}", new.id), detail).await?;
    let view = shown(&app, scope, find(&app, scope, &new.id).await?).await?;
    let place = format!("/v1/tenants/{}/connections/{}", member.tenant, new.id);
    Ok(Tagged(1, (StatusCode::CREATED, [(header::LOCATION, place)], Json(view))).into_response())
}

pub(in crate::v1) fn as_json(value: &impl serde::Serialize) -> Result<serde_json::Value, RunError> {
    serde_json::to_value(value).map_err(|e| RunError::internal(format!("writing JSON: {e}")))
}

/// Secrets on their way into the vault: each as JSON, which is how they are read; of those that are kept elsewhere only where.
pub(in crate::v1) fn sealing(secrets: &Secrets) -> Result<Vec<SecretChange>, RunError> {
    let each = secrets.iter().map(|(field, value)| {
        let value = match SecretRef::of(value) {
            Some(Ok(reference)) => SecretValue::Reference(reference.to_string()),
            _ => {
                let bytes = serde_json::to_vec(value).map_err(|_| RunError::internal("writing a secret as JSON"))?;
                SecretValue::Set(Plain::new(bytes))
            }
        };
        Ok(SecretChange { field: field.clone(), value })
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::json;
    use sluice_core::access::Role;
    use sluice_core::secret::join;
    use sluice_engine::service::resolve::Purpose;
    use sluice_store::Scope;

    use crate::testing::{SECRET, START_US, Service};

    const PATH: &str = "/v1/tenants/acme/connections";

    #[tokio::test]
    async fn secrets_go_in_and_do_not_come_out() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let body = json!({
            "name": " Shop  database ", "connector": "demo",
            "config": {"host": "db.example.com", "password": SECRET}
        });
        let made = service.call(Method::POST, PATH, Some(&editor), Some(body.clone())).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        assert_eq!(made.headers["etag"], "\"1\"");
        let id = made.body["id"].as_str().unwrap();
        assert_eq!(made.headers["location"], format!("{PATH}/{id}").as_str());
        assert_eq!(
            (&made.body["name"], &made.body["config"], &made.body["secrets"]),
            (&"Shop database".into(), &json!({"host": "db.example.com"}), &json!(["/password"]))
        );
        assert!(!made.body.to_string().contains(SECRET));
        assert_eq!(service.found_in_files(SECRET), Vec::<String>::new());
        assert_eq!(service.audited("acme").await, [format!("connection.create connection {id}")]);
        let purpose = Purpose { actor: "host", object: "test", address: None, now_us: START_US };
        let source = service.app.resolver.source(Scope { tenant: "acme" }, id, purpose).await.unwrap();
        assert_eq!(source.it.config, join(&body["config"], &Default::default()));
        let again = service.call(Method::POST, PATH, Some(&editor), Some(body)).await;
        assert_eq!((again.status, &again.body["field"]), (StatusCode::CONFLICT, &"name".into()));
    }

    #[tokio::test]
    async fn what_does_not_fit_is_named_by_its_field_and_without_its_value() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let ask = async |connector: &str, config: serde_json::Value, grants: serde_json::Value| {
            let body = json!({"name": "n", "connector": connector, "config": config, "grants": grants});
            let answer = service.call(Method::POST, PATH, Some(&editor), Some(body)).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer:?}");
            assert!(!answer.body.to_string().contains("s3cr"), "{answer:?}");
            (answer.body["field"].as_str().unwrap().to_owned(), answer.body["detail"].as_str().unwrap().to_owned())
        };
        let config = |password: serde_json::Value| json!({"host": "h", "password": password});
        assert_eq!(ask("demo", json!({"host": "h"}), json!({})).await.0, "/config/password");
        assert_eq!(ask("demo", config("s3c".into()), json!({})).await.0, "/config/password");
        assert_eq!(ask("demo", config(json!(["s3cret"])), json!({})).await.0, "/config/password");
        assert_eq!(ask("demo", json!({"host": "h", "password": "s3cret", "x": 1}), json!({})).await.0, "/config/x");
        assert_eq!(ask("demo", json!("s3cret"), json!({})).await.0, "/config");
        assert_eq!(ask("nope", json!({}), json!({})).await.0, "connector");
        for (reference, says) in [
            ("projects/p/secrets/s3cret", "/versions/latest"),
            ("s3cret", "does not read projects/"),
            ("projects/p/secrets/s/versions/1", "not offered to this tenant (acme)"),
        ] {
            let (field, detail) = ask("demo", config(json!({"reference": reference})), json!({})).await;
            assert!(field == "/config/password" && detail.contains(says), "{detail}");
        }
        assert_eq!(ask("demo", config(json!({"env": "HOME"})), json!({})).await.0, "/config/password");
        let private = json!({"private_network": true});
        assert_eq!(ask("demo", config("s3cret".into()), private).await.0, "grants.private_network");
        let folders = json!({"folders": {"/certs": "/etc"}});
        assert_eq!(ask("demo", config("s3cret".into()), folders).await.0, "grants.folders./certs");
    }
}
