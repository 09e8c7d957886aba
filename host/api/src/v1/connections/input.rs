//! What somebody sends to make or change a connection: checked, and its secrets taken out.

use serde::Deserialize;
use serde_json::{Map, Value};
use sluice_core::RunError;
use sluice_core::config;
use sluice_core::manifest::Manifest;
use sluice_core::pipeline::Grants;
use sluice_core::secret::{Parts, Redactor, SecretRef, Secrets, join, split};
use sluice_core::validate;
use sluice_engine::service::resolve::Purpose;
use sluice_store::Scope;
use utoipa::ToSchema;

use super::view::GrantsBody;
use crate::auth::principal::Member;
use crate::http::problem::Problem;
use crate::state::App;

/// A connection that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectionBody {
    /// What people call it; unique in the tenant.
    #[schema(min_length = 1, max_length = 100)]
    pub(super) name: String,
    /// The connector's name. It stays what it is when a connection is changed.
    #[schema(min_length = 1, max_length = 63)]
    pub(super) connector: String,
    /// The whole configuration as the connector's JSON Schema has it, secrets at their places. When a connection is changed, a secret
    /// that is left out stays, and null removes it. `{"reference": "projects/P/secrets/S/versions/V"}` in place of a secret is one that
    /// Google Secret Manager keeps, and is read from there when it is used.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(super) config: Value,
    /// What it may do beyond the sandbox's defaults.
    #[serde(default)]
    pub(super) grants: GrantsBody,
}

/// A body whose parts are known; not checked as a whole yet.
pub(super) struct Sent {
    /// What people call it.
    pub(super) name: String,
    /// The connector.
    pub(super) manifest: Manifest,
    /// The configuration in two parts.
    pub(super) parts: Parts,
    /// What it may do.
    pub(super) grants: Grants,
}

/// Takes a body apart, and checks what does not need the secrets.
///
/// # Errors
/// Names the first field that is wrong.
pub(super) async fn read(app: &App, scope: Scope<'_>, body: ConnectionBody) -> Result<Sent, Problem> {
    let name = validate::name("name", &body.name)?;
    let installed = app.resolver.catalogue.get(scope, &body.connector).await?;
    let config = if body.config.is_null() { Value::Object(Map::new()) } else { body.config };
    if !config.is_object() {
        return Err(Problem::field("/config", "the configuration is an object of fields and values"));
    }
    let grants = Grants::from(body.grants);
    installed.may_have(&grants)?;
    let manifest = installed.manifest;
    let parts = split(&manifest.config, &config);
    permitted(app, scope.tenant, &parts.secrets)?;
    app.resolver.offers.lend(&manifest.name, &mut grants.clone())?;
    if let Some(folder) = grants.folders.keys().find(|folder| !manifest.folders.contains(folder)) {
        let detail = format!("the connector does not ask for a folder named {folder}");
        return Err(Problem::field(format!("grants.folders.{folder}"), detail));
    }
    Ok(Sent { name, manifest, parts, grants })
}

/// Checks that secrets which only say where one is are the tenant's to use.
///
/// # Errors
/// Names the first that is not.
pub(in crate::v1) fn permitted(app: &App, tenant: &str, secrets: &Secrets) -> Result<(), Problem> {
    for (field, value) in secrets {
        if let Some(reference) = SecretRef::of(value) {
            let reference = reference.map_err(|why| Problem::field(in_body(field), why))?;
            app.resolver.offers.secret(tenant, &reference).map_err(|error| error.with_field(in_body(field)))?;
        } else if is_of_the_host(value) {
            let how = "the service reads no secrets from its own environment or files; send the secret itself";
            return Err(Problem::field(in_body(field), how));
        }
    }
    Ok(())
}

/// Checks a configuration with all its secrets.
///
/// # Errors
/// Names the first field that does not fit, as a pointer into the body; never a value.
pub(super) fn fits(manifest: &Manifest, public: &Value, secrets: &Secrets) -> Result<(), Problem> {
    let checked = config::validate(&manifest.config, &join(public, secrets));
    Ok(checked.map_err(|error| hide(error, &Redactor::new(secrets)))?)
}

/// An error about a configuration, as an answer has it: without secrets, its field a pointer into the body.
pub(in crate::v1) fn hide(error: RunError, redactor: &Redactor) -> RunError {
    let mut error = redactor.redact_error(error);
    error.field = error.field.map(|field| if field.starts_with('/') { in_body(&field) } else { field });
    error
}

/// A pointer into the configuration as a pointer into the body.
pub(super) fn in_body(field: &str) -> String {
    format!("/config{}", if field == "/" { "" } else { field })
}

/// Secrets as they were sent, with those that are kept elsewhere read: what the configuration is checked with. Whoever may not use one, or
/// refers to none, is told so when it is saved.
pub(super) async fn given(
    app: &App,
    member: &Member,
    secrets: &Secrets,
    (object, purpose): (String, &str),
) -> Result<Secrets, Problem> {
    let (actor, address) = (member.caller.actor(), member.caller.address.as_deref());
    let purpose = Purpose { actor: &actor, object: purpose, address, now_us: app.now_us() };
    let given = app.resolver.given(member.scope(), object, secrets, purpose).await;
    Ok(given.map_err(|error| hide(error, &Redactor::default()))?)
}

/// Whether a value that stands for a secret only says where one is, in the words of a file for `sluice run`.
fn is_of_the_host(value: &Value) -> bool {
    let members = value.as_object().filter(|members| members.len() == 1);
    members.is_some_and(|members| ["env", "file"].iter().any(|name| members.get(*name).is_some_and(Value::is_string)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use async_trait::async_trait;
    use axum::http::Method;
    use serde_json::{Value, json};
    use sluice_core::RunError;
    use sluice_core::access::Role;
    use sluice_core::secret::{SecretOffer, SecretRef};
    use sluice_engine::service::elsewhere::{Elsewhere, Keeper};
    use sluice_engine::service::resolve::Purpose;
    use sluice_store::{Plain, Scope};

    use crate::testing::{Answer, SECRET, START_US, Service};

    const ACME: Scope<'static> = Scope { tenant: "acme" };
    const PATH: &str = "/v1/tenants/acme/connections";

    /// Keeps two secrets.
    struct Shelf;

    #[async_trait]
    impl Keeper for Shelf {
        async fn read(&self, reference: &SecretRef) -> Result<Plain, RunError> {
            match reference.to_string().as_str() {
                "projects/p/secrets/acme-db/versions/latest" => Ok(Plain::new(SECRET)),
                "projects/p/secrets/acme-short/versions/1" => Ok(Plain::new("xyz")),
                other => Err(RunError::config("x", format!("reading {other}: there is no such secret"))),
            }
        }
    }

    async fn service() -> (Service, String) {
        let service = Service::with(|parts| {
            parts.resolver.offers.secrets = vec![SecretOffer::parse("*=p/{tenant}-*").unwrap()];
            parts.resolver.elsewhere = Elsewhere::new(Box::new(Shelf), Arc::new(|| 0), Duration::ZERO);
        })
        .await;
        service.tenant("acme").await;
        let token = service.token("acme", Role::Editor).await;
        (service, token)
    }

    fn body(reference: &str) -> Value {
        let password = json!({"reference": format!("projects/p/secrets/{reference}")});
        json!({"name": "Shop", "connector": "demo", "config": {"host": "db.example.com", "password": password}})
    }

    #[tokio::test]
    async fn of_a_secret_that_is_kept_elsewhere_only_the_place_is_kept_here() {
        let (service, token) = service().await;
        let reference = "projects/p/secrets/acme-db/versions/latest";
        let made = service.call(Method::POST, PATH, Some(&token), Some(body("acme-db/versions/latest"))).await;
        assert_eq!(made.status.as_u16(), 201, "{made:?}");
        assert_eq!(
            (&made.body["secrets"], &made.body["references"]),
            (&json!(["/password"]), &json!({"/password": reference}))
        );
        assert_eq!(service.app.store.wrapped_keys().await.unwrap(), [], "nothing was sealed");
        let list = service.call(Method::GET, PATH, Some(&token), None).await;
        assert_eq!(list.body["items"][0], made.body);
        let id = made.body["id"].as_str().unwrap();
        let purpose = Purpose { actor: "host", object: "run r", address: None, now_us: START_US };
        let source = service.app.resolver.source(ACME, id, purpose).await.unwrap();
        assert_eq!(source.it.config["password"], SECRET);
        assert_eq!(source.redactor.redact(SECRET), "[secret]");
        let log = service.app.store.audit_after(ACME, 0, 9).await.unwrap();
        let used: Vec<_> = log.iter().filter(|one| one.entry.action == "secret.use").map(|one| &one.entry).collect();
        let detail = |why: &str| json!({"for": why, "fields": ["/password"], "references": {"/password": reference}});
        assert_eq!(used.iter().map(|one| &one.detail).collect::<Vec<_>>(), [&detail("create"), &detail("run r")]);
        assert!(used.iter().all(|one| one.object == format!("connection {id}")));
        assert_eq!(service.found_in_files(SECRET), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_reference_is_tried_when_it_is_saved() {
        let (service, token) = service().await;
        let refused = async |reference: &str| -> Answer {
            let answer = service.call(Method::POST, PATH, Some(&token), Some(body(reference))).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.body["field"]),
                (422, &json!("/config/password")),
                "{answer:?}"
            );
            answer
        };
        assert!(refused("acme-gone/versions/1").await.body["detail"].as_str().unwrap().contains("no such secret"));
        let short = refused("acme-short/versions/1").await;
        assert!(!short.body.to_string().contains("xyz"), "it does not fit the schema, and is not shown: {short:?}");
        assert!(refused("globex-db/versions/1").await.body["detail"].as_str().unwrap().contains("not offered"));
        let (path, body) = (format!("{PATH}/check"), body("acme-db/versions/latest"));
        let unsaved = service.call(Method::POST, &path, Some(&token), Some(body)).await;
        assert_eq!(unsaved.body["passed"], true, "{unsaved:?}");
        assert!(!unsaved.body.to_string().contains(SECRET), "what the worker says of it is cut out");
        assert_eq!(
            service.actions("acme").await["secret.use"],
            3,
            "two that were refused for another reason, and this"
        );
    }
}
