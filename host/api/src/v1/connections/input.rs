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
pub(super) struct Sent<'a> {
    /// What people call it.
    pub(super) name: String,
    /// The connector.
    pub(super) manifest: &'a Manifest,
    /// The configuration in two parts.
    pub(super) parts: Parts,
    /// What it may do.
    pub(super) grants: Grants,
}

/// Takes a body apart, and checks what does not need the secrets.
///
/// # Errors
/// Names the first field that is wrong.
pub(super) fn read<'a>(app: &'a App, tenant: &str, body: ConnectionBody) -> Result<Sent<'a>, Problem> {
    let name = validate::name("name", &body.name)?;
    let manifest = &app.catalogue.get(&body.connector)?.manifest;
    let config = if body.config.is_null() { Value::Object(Map::new()) } else { body.config };
    if !config.is_object() {
        return Err(Problem::field("/config", "the configuration is an object of fields and values"));
    }
    let parts = split(&manifest.config, &config);
    for (field, value) in &parts.secrets {
        if let Some(reference) = SecretRef::of(value) {
            let reference = reference.map_err(|why| Problem::field(in_body(field), why))?;
            app.resolver.offers.secret(tenant, &reference).map_err(|error| error.with_field(in_body(field)))?;
        } else if is_of_the_host(value) {
            let how = "the service reads no secrets from its own environment or files; send the secret itself";
            return Err(Problem::field(in_body(field), how));
        }
    }
    let grants = Grants::from(body.grants);
    app.resolver.offers.lend(&manifest.name, &mut grants.clone())?;
    if let Some(folder) = grants.folders.keys().find(|folder| !manifest.folders.contains(folder)) {
        let detail = format!("the connector does not ask for a folder named {folder}");
        return Err(Problem::field(format!("grants.folders.{folder}"), detail));
    }
    Ok(Sent { name, manifest, parts, grants })
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
