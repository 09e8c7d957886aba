//! What the API shows of a draft: of its secrets only which there are.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sluice_core::RunError;
use sluice_store::{DAY_US, Draft, Owner, SecretField};
use utoipa::ToSchema;

use super::KEPT_DAYS;
use super::input::{Before, Content};
use crate::auth::principal::Member;
use crate::http::problem::Problem;
use crate::state::{App, instant};
use crate::v1::connections::GrantsBody;

/// A pipeline that is being set up.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DraftView {
    /// Names it; becomes the id of the connection that it makes.
    pub(super) id: String,
    /// What the pipeline will be called.
    name: String,
    /// Where its author is: the client's own word.
    step: String,
    /// The connection that it reads from, if that is there already.
    connection: Option<String>,
    /// The connection that will be made for it, otherwise.
    source: Option<DraftSourceView>,
    /// As much of the pipeline's definition as there is.
    #[schema(value_type = Object)]
    definition: Value,
    /// Whether its schedule will be followed.
    enabled: bool,
    /// Grows with every change; the `ETag`.
    pub(super) revision: u64,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When it is forgotten, if nobody changes it before.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// A connection that is being set up.
#[derive(Debug, Serialize, ToSchema)]
struct DraftSourceView {
    /// The connector's name.
    connector: String,
    /// What the connection will be called.
    name: String,
    /// The configuration without the secrets.
    #[schema(value_type = Object)]
    config: Value,
    /// The fields of the configuration that have a secret, as JSON pointers. The secrets themselves are never shown.
    secrets: Vec<String>,
    /// Of these, under which name Google Secret Manager keeps those that are not kept here.
    references: BTreeMap<String, String>,
    /// What it may do beyond the sandbox's defaults.
    grants: GrantsBody,
}

/// Whose drafts a member sees: those of the person, whichever session or token they come with.
pub(super) fn owner(member: &Member) -> String {
    member.caller.user().map_or_else(|| member.caller.actor(), |user| format!("user {user}"))
}

/// The draft of an address, if it is the member's own.
pub(super) async fn find(app: &App, member: &Member, id: &str) -> Result<Draft, Problem> {
    let owner = owner(member);
    let found = app.store.draft(Owner { scope: member.scope(), owner: &owner }, id).await?;
    found.ok_or_else(|| Problem::not_found("draft"))
}

/// What a stored draft says.
pub(super) fn content(draft: &Draft) -> Result<Content, Problem> {
    serde_json::from_value(draft.content.clone())
        .map_err(|e| RunError::internal(format!("the content of a draft: {e}")).into())
}

/// What there is before a change.
pub(super) async fn before(app: &App, member: &Member, draft: &Draft) -> Result<Before, Problem> {
    Ok(Before { content: content(draft)?, secrets: app.store.draft_secrets(member.scope(), &draft.id).await? })
}

/// A draft, as it is shown.
pub(super) async fn shown(app: &App, member: &Member, draft: Draft) -> Result<DraftView, Problem> {
    let secrets = app.store.draft_secrets(member.scope(), &draft.id).await?;
    with_fields(draft, secrets)
}

fn with_fields(draft: Draft, secrets: Vec<SecretField>) -> Result<DraftView, Problem> {
    let Content { name, step, connection, source, definition, enabled } = content(&draft)?;
    let source = source.map(|source| DraftSourceView {
        connector: source.connector,
        name: source.name,
        config: source.config,
        references: secrets.iter().filter_map(|one| Some((one.field.clone(), one.reference.clone()?))).collect(),
        secrets: secrets.into_iter().map(|one| one.field).collect(),
        grants: source.grants.into(),
    });
    Ok(DraftView {
        id: draft.id,
        name,
        step,
        connection,
        source,
        definition,
        enabled,
        revision: draft.revision,
        created_at: instant(draft.created_us),
        updated_at: instant(draft.updated_us),
        expires_at: instant(draft.updated_us.saturating_add(KEPT_DAYS * DAY_US)),
    })
}
