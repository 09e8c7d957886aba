//! What somebody sends to make or change a connection: checked, and its secrets taken out.

use serde::Deserialize;
use serde_json::{Map, Value};
use sluice_core::RunError;
use sluice_core::config;
use sluice_core::manifest::Manifest;
use sluice_core::pipeline::Grants;
use sluice_core::secret::{Parts, Redactor, Secrets, join, split};
use sluice_core::validate;
use utoipa::ToSchema;

use super::view::GrantsBody;
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
    /// that is left out stays, and null removes it.
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
pub(super) fn read(app: &App, body: ConnectionBody) -> Result<Sent<'_>, Problem> {
    let name = validate::name("name", &body.name)?;
    let manifest = &app.catalogue.get(&body.connector)?.manifest;
    let config = if body.config.is_null() { Value::Object(Map::new()) } else { body.config };
    if !config.is_object() {
        return Err(Problem::field("/config", "the configuration is an object of fields and values"));
    }
    let parts = split(&manifest.config, &config);
    if let Some((field, how)) = parts.secrets.iter().find_map(|(field, value)| Some((field, elsewhere(value)?))) {
        return Err(Problem::field(in_body(field), how));
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
pub(in crate::v1) fn hide(mut error: RunError, redactor: &Redactor) -> RunError {
    error.message = redactor.redact(&error.message).into_owned();
    error.field = error.field.map(|field| if field.starts_with('/') { in_body(&field) } else { field });
    error
}

/// A pointer into the configuration as a pointer into the body.
pub(super) fn in_body(field: &str) -> String {
    format!("/config{}", if field == "/" { "" } else { field })
}

/// Why a value that stands for a secret is refused: it only says where one is.
fn elsewhere(value: &Value) -> Option<&'static str> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let (name, value) = members.iter().next()?;
    match name.as_str() {
        "reference" => {
            Some("secrets that are kept elsewhere are not supported by this version; send the secret itself")
        }
        "env" | "file" if value.is_string() => {
            Some("the service reads no secrets from its own environment or files; send the secret itself")
        }
        _ => None,
    }
}
