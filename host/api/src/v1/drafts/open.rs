//! What a draft reads from, ready for a worker.

use serde_json::Value;
use sluice_core::config;
use sluice_core::manifest::Manifest;
use sluice_core::pipeline::{Definition, SourceSpec};
use sluice_core::secret::Redactor;
use sluice_engine::service::resolve::{Purpose, Resolved};
use sluice_store::{Draft, Scope};

use super::input::Content;
use crate::auth::principal::Member;
use crate::http::problem::Problem;
use crate::state::App;
use crate::v1::connections::hide;
use crate::v1::pipelines::parse;

/// What is missing until there is a source.
fn nothing_chosen() -> Problem {
    Problem::field("source", "choose what is read from first")
}

/// What the draft reads from, its secrets filled in. Its configuration is checked as a whole.
///
/// # Errors
/// Names the first field that is wrong, as a pointer from `/config` on.
pub(super) async fn source(
    app: &App,
    member: &Member,
    (draft, content): (&Draft, &Content),
    what_for: &str,
) -> Result<Resolved<SourceSpec>, Problem> {
    let (actor, address) = (member.caller.actor(), member.caller.address.as_deref());
    let purpose = Purpose { actor: &actor, object: what_for, address, now_us: app.now_us() };
    let shown = |error| Problem::from(hide(error, &Redactor::default()));
    if let Some(connection) = &content.connection {
        return app.resolver.source(member.scope(), connection, purpose).await.map_err(shown);
    }
    let source = content.source.as_ref().ok_or_else(nothing_chosen)?;
    let manifest = manifest(app, member.scope(), &source.connector).await?;
    let spec = SourceSpec {
        connector: source.connector.clone(),
        config: source.config.clone(),
        grants: source.grants.clone(),
        digest: None,
    };
    let opened = app.resolver.draft(member.scope(), &draft.id, spec, purpose).await.map_err(shown)?;
    let checked = config::validate(&manifest.config, &opened.it.config);
    checked.map_err(|error| Problem::from(hide(error, &opened.redactor)))?;
    Ok(opened)
}

/// Where what is known of the draft's streams is kept: as whose, at which revision.
pub(super) async fn place(
    app: &App,
    member: &Member,
    draft: &Draft,
    content: &Content,
) -> Result<(String, u64), Problem> {
    match &content.connection {
        None => Ok((draft.id.clone(), draft.source_revision)),
        Some(id) => {
            let found = app.store.connection(member.scope(), id).await?;
            let found = found.ok_or_else(|| Problem::field("connection", "there is no such connection any more"))?;
            Ok((found.id, found.revision))
        }
    }
}

/// The connector that the draft reads with.
pub(super) async fn manifest(app: &App, scope: Scope<'_>, connector: &str) -> Result<Manifest, Problem> {
    let found = app.resolver.catalogue.find(scope, connector).await?;
    let missing = || Problem::field("source.connector", format!("the connector {connector} is not installed any more"));
    Ok(found.ok_or_else(missing)?.manifest)
}

/// The draft's definition, if it is one already.
///
/// # Errors
/// Names the field that is wrong or missing, by its path in the definition.
pub(super) fn definition(content: &Content) -> Result<Definition, Problem> {
    let mut definition = content.definition.clone();
    if let Value::Object(members) = &mut definition {
        members.entry("streams").or_insert_with(|| Value::Array(Vec::new()));
        if members.get("sink").is_none_or(Value::is_null) {
            return Err(Problem::field("sink", "choose where rows go"));
        }
    }
    parse(&definition)
}
