//! What somebody sends to keep a draft: nothing of it has to be right yet, only small enough, and its secrets are taken out.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sluice_core::manifest::Manifest;
use sluice_core::pipeline::Grants;
use sluice_core::secret::{Parts, carry_over, split};
use sluice_store::{DraftChange, SecretChange, SecretField, SecretValue};
use utoipa::ToSchema;

use crate::auth::principal::Member;
use crate::http::problem::Problem;
use crate::state::App;
use crate::v1::connections::{GrantsBody, Leads, leads_elsewhere, permitted, sealing};

/// Most characters of a name that is still being typed.
const LONGEST_NAME: usize = 200;

/// Most characters of the name of a step.
const LONGEST_STEP: usize = 40;

/// A pipeline that is being set up. Everything may be missing, and nothing has to be right before it is finished.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DraftBody {
    /// What the pipeline will be called.
    #[serde(default)]
    #[schema(max_length = 200)]
    name: String,
    /// Where its author is: the client's own word.
    #[serde(default)]
    #[schema(max_length = 40)]
    step: String,
    /// The connection that it reads from, if that is there already.
    #[serde(default)]
    connection: Option<String>,
    /// The connection that will be made for it, otherwise.
    #[serde(default)]
    source: Option<SourceBody>,
    /// As much of the pipeline's definition as there is.
    #[serde(default)]
    #[schema(value_type = Object)]
    definition: Option<Value>,
    /// Whether its schedule will be followed.
    #[serde(default = "yes")]
    #[schema(default = true)]
    enabled: bool,
}

/// A connection that is being set up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceBody {
    /// The connector's name.
    connector: String,
    /// What the connection will be called.
    #[serde(default)]
    #[schema(max_length = 200)]
    name: String,
    /// The configuration as far as it goes, secrets at their places. Of the secrets, those that are left out stay, unless the rest now
    /// leads to another host: then they are forgotten. Null removes one.
    #[serde(default)]
    #[schema(value_type = Object)]
    config: Option<Value>,
    /// What it may do beyond the sandbox's defaults.
    #[serde(default)]
    grants: GrantsBody,
}

fn yes() -> bool {
    true
}

/// A draft as it is stored: everything but the secrets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) name: String,
    pub(super) step: String,
    pub(super) connection: Option<String>,
    pub(super) source: Option<Source>,
    pub(super) definition: Value,
    pub(super) enabled: bool,
}

/// A connection that is being set up, as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Source {
    pub(super) connector: String,
    pub(super) name: String,
    pub(super) config: Value,
    pub(super) grants: Grants,
}

/// What was there before a change.
pub(super) struct Before {
    pub(super) content: Content,
    pub(super) secrets: Vec<SecretField>,
}

/// What is to be stored of what was sent.
///
/// # Errors
/// Names the field that is too long, or of the wrong kind, or a secret that is none of the tenant's.
pub(super) async fn read(
    app: &App,
    member: &Member,
    body: DraftBody,
    before: Option<&Before>,
) -> Result<DraftChange, Problem> {
    let DraftBody { name, step, connection, source, definition, enabled } = body;
    short("name", &name, LONGEST_NAME)?;
    short("step", &step, LONGEST_STEP)?;
    short("connection", connection.as_deref().unwrap_or_default(), LONGEST_NAME)?;
    if connection.is_some() && source.is_some() {
        return Err(Problem::field("source", "a draft reads from a connection that is there, or from a new one"));
    }
    let (source, secrets) = match source {
        Some(source) => {
            let (source, secrets) = sent(app, member, source, before).await?;
            (Some(source), secrets)
        }
        None => (None, all_removed(before)),
    };
    let moves = before.is_none_or(|before| {
        let same =
            |a: &Source, b: &Source| (&a.connector, &a.config, &a.grants) == (&b.connector, &b.config, &b.grants);
        let stays = match (&before.content.source, &source) {
            (Some(a), Some(b)) => same(a, b),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        !stays || !secrets.is_empty()
    });
    let definition = object("definition", definition)?;
    let content = Content { name, step, connection, source, definition, enabled };
    let content = crate::v1::connections::as_json(&content)?;
    Ok(DraftChange { content, secrets, moves })
}

/// The configuration without its secrets, and what becomes of those.
async fn sent(
    app: &App,
    member: &Member,
    body: SourceBody,
    before: Option<&Before>,
) -> Result<(Source, Vec<SecretChange>), Problem> {
    short("source.name", &body.name, LONGEST_NAME)?;
    let installed = app.resolver.catalogue.find(member.scope(), &body.connector).await?;
    let manifest = &installed.ok_or_else(|| Problem::field("source.connector", "there is no such connector"))?.manifest;
    let parts = split(&manifest.config, &object("source.config", body.config)?);
    permitted(app, &member.tenant, &parts.secrets)?;
    let grants = Grants::from(body.grants);
    let mut changes = sealing(&parts.secrets)?;
    let remains = before.map(|before| remaining(manifest, before, &parts, &grants)).unwrap_or_default();
    let gone = before.iter().flat_map(|before| &before.secrets).map(|one| &one.field);
    let gone = gone.filter(|field| !parts.secrets.contains_key(*field) && !remains.contains(field));
    changes.extend(gone.map(|field| SecretChange { field: field.clone(), value: SecretValue::Remove }));
    Ok((Source { connector: body.connector, name: body.name, config: parts.public, grants }, changes))
}

/// The secrets that stay: those that nobody sent anew or took out, if they still go where they went.
fn remaining<'b>(manifest: &Manifest, before: &'b Before, parts: &Parts, grants: &Grants) -> Vec<&'b String> {
    let Some(old) = before.content.source.as_ref().filter(|old| old.connector == manifest.name) else {
        return Vec::new();
    };
    let places = (Leads { config: &old.config, grants: &old.grants }, Leads { config: &parts.public, grants });
    if leads_elsewhere(manifest, places.0, places.1) {
        return Vec::new();
    }
    let held = before.secrets.iter().map(|one| (one.field.clone(), Value::Null)).collect();
    let stay = carry_over(&Parts { public: old.config.clone(), secrets: held, ..Parts::default() }, parts);
    before.secrets.iter().map(|one| &one.field).filter(|field| stay.contains_key(*field)).collect()
}

fn all_removed(before: Option<&Before>) -> Vec<SecretChange> {
    let fields = before.iter().flat_map(|before| &before.secrets);
    fields.map(|one| SecretChange { field: one.field.clone(), value: SecretValue::Remove }).collect()
}

fn short(field: &str, text: &str, most: usize) -> Result<(), Problem> {
    if text.chars().count() > most {
        return Err(Problem::field(field, format!("at most {most} characters are kept")));
    }
    Ok(())
}

fn object(field: &str, value: Option<Value>) -> Result<Value, Problem> {
    match value.unwrap_or_else(|| Value::Object(Map::new())) {
        value @ Value::Object(_) => Ok(value),
        _ => Err(Problem::field(field, "this is an object of fields and values")),
    }
}
