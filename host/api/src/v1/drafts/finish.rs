//! `POST /v1/tenants/{tenant}/drafts/{draft}/finish`

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use sluice_core::pipeline::SourceSpec;
use sluice_core::validate;
use sluice_store::{ChangeError, Finished, NewConnection, NewPipeline, Owner, PipelineChange};
use utoipa::ToSchema;

use super::open::{definition, manifest, place, source};
use super::view::{content, find, owner};
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::IfMatch;
use crate::state::App;
use crate::v1::connections::as_json;
use crate::v1::pipelines::{examine, timing};
use crate::v1::record::record;

/// What a draft was made into.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FinishedView {
    /// The pipeline's id.
    pipeline: String,
    /// The id of the connection that it reads from.
    connection: String,
    /// Whether that was made of the draft, too.
    connection_made: bool,
}

/// Make what a draft says, and delete it
///
/// The connection, if it is a new one, and the pipeline are made together or not at all. The schedule holds from now on.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/drafts/{draft}/finish", tag = "drafts", operation_id = "finish_draft",
    params(("tenant" = String, Path), ("draft" = String, Path), ("If-Match" = String, Header)),
    responses((status = 201, body = FinishedView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn finish(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    IfMatch(seen): IfMatch,
) -> Result<Response, Problem> {
    let draft = find(&app, &member, &id).await?;
    if draft.revision != seen {
        return Err(ChangeError::Stale { what: "draft", seen, now: draft.revision }.into());
    }
    let content = content(&draft)?;
    let name = validate::name("name", &content.name)?;
    let definition = definition(&content)?;
    let (known_as, revision) = place(&app, &member, &draft, &content).await?;
    let opened = source(&app, &member, (&draft, &content), "create").await?;
    let spec = SourceSpec { connector: opened.it.connector, ..without_secrets() };
    let manifest = manifest(&app, member.scope(), &spec.connector).await?;
    let pipeline_id = app.ids.next();
    let pipeline = definition.clone().into_pipeline(pipeline_id.clone(), spec);
    let known = app.discovered().known(&member.tenant, &known_as, revision, app.now_us());
    examine(&app, &member.tenant, &pipeline, &manifest, &definition, &known)?;
    let connection = content.source.map(|source| {
        let name = validate::name("source.name", &source.name)?;
        if let Some(folder) = source.grants.folders.keys().find(|folder| !manifest.folders.contains(folder)) {
            let detail = format!("the connector does not ask for a folder named {folder}");
            return Err(Problem::field(format!("grants.folders.{folder}"), detail));
        }
        let grants = as_json(&source.grants)?;
        Ok(NewConnection { id: draft.id.clone(), name, connector: source.connector, config: source.config, grants })
    });
    let connection = connection.transpose()?;
    let connection_id = content.connection.unwrap_or_else(|| draft.id.clone());
    let timing = timing(definition.schedule.as_ref(), &pipeline_id, app.now())?;
    let first = PipelineChange {
        name,
        connection: connection_id.clone(),
        definition: as_json(&definition)?,
        enabled: content.enabled,
    };
    let made = Finished { connection, pipeline: NewPipeline { id: pipeline_id.clone(), first }, timing };
    let (owner, by, now) = (owner(&member), member.caller.actor(), app.now_us());
    app.store.finish_draft(Owner { scope: member.scope(), owner: &owner }, &id, seen, &made, &by, now).await?;
    if let Some(new) = &made.connection {
        let detail = json!({"name": new.name, "connector": new.connector, "grants": new.grants});
        record(&app, &member, "connection.create", format!("connection {}", new.id), detail).await?;
    }
    let first = &made.pipeline.first;
    let detail = json!({"name": first.name, "connection": first.connection, "enabled": first.enabled});
    record(&app, &member, "pipeline.create", format!("pipeline {pipeline_id}"), detail).await?;
    let place = format!("/v1/tenants/{}/pipelines/{pipeline_id}", member.tenant);
    let view =
        FinishedView { pipeline: pipeline_id, connection: connection_id, connection_made: made.connection.is_some() };
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(view)).into_response())
}

/// A source of which nothing is known but its connector: what a definition is examined with.
fn without_secrets() -> SourceSpec {
    SourceSpec { connector: String::new(), config: serde_json::Value::Null, grants: Default::default(), digest: None }
}
