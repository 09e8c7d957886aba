//! `GET /v1/tenants/{tenant}/pipelines/{pipeline}/export`

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sluice_core::RunError;
use sluice_core::secret::{Secrets, join};

use super::input::{stored, whole};
use super::view::find;
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// A pipeline as the file that `sluice run` takes
///
/// Secrets are not in it: each is read from a variable of the environment, which the file's first lines name.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/export", tag = "pipelines", operation_id = "export_pipeline",
    params(("tenant" = String, Path), ("pipeline" = String, Path)),
    responses(
        (status = 200, body = String, content_type = "application/yaml"), (status = "4XX", body = ProblemBody)
    )
)]
pub(super) async fn export(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let found = find(&app, member.scope(), &id).await?;
    let definition = stored(&found.current.definition)?;
    let connection = app.store.connection(member.scope(), &found.current.connection).await?;
    let connection = connection.ok_or_else(|| Problem::not_found("connection"))?;
    let fields = app.store.secret_fields(member.scope(), &connection.id).await?;
    let fields: Vec<String> = fields.into_iter().map(|one| one.field).collect();
    let variables = variables(&connection.name, &fields);
    let mut pipeline = whole(&file_name(&found.current.name, &id), &definition, &connection)?;
    let references: Secrets = variables.iter().map(|(field, name)| (field.clone(), json!({"env": name}))).collect();
    pipeline.source.config = join(&pipeline.source.config, &references);
    let yaml = serde_saphyr::to_string(&pipeline).map_err(|e| RunError::internal(format!("writing YAML: {e}")))?;
    let mut text = format!("# Pipeline {id}, revision {}.\n", found.revision);
    if !variables.is_empty() {
        text.push_str("# Secrets are not in this file; set these variables before `sluice run`:\n");
        variables.iter().for_each(|(field, name)| text.push_str(&format!("#   {name}  (source.config{field})\n")));
    }
    if !pipeline.source.grants.folders.is_empty() {
        text.push_str(
            "# Folders of source.grants have the names under which the service offers them; write paths there.\n",
        );
    }
    text.push_str(&yaml);
    let attachment = format!("attachment; filename=\"{}.yaml\"", pipeline.name);
    let headers = [(header::CONTENT_TYPE, "application/yaml".to_owned()), (header::CONTENT_DISPOSITION, attachment)];
    Ok((headers, text).into_response())
}

/// The variable of the environment for each secret: the connection's name and the field's, in capitals.
fn variables(connection: &str, fields: &[String]) -> BTreeMap<String, String> {
    let mut taken = BTreeMap::new();
    for field in fields {
        let text = format!("{connection}{field}");
        let name: String =
            text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
        let name = if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name };
        let unique = if taken.values().any(|other| *other == name) { format!("{name}_{}", taken.len()) } else { name };
        taken.insert(field.clone(), unique);
    }
    taken
}

/// A name that `sluice run` takes: what people call the pipeline, as far as its characters are allowed there.
fn file_name(name: &str, id: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let text: String = name.chars().map(|c| if safe(c) { c } else { '-' }).collect();
    let text = text.trim_matches(['-', '.']).to_owned();
    if text.is_empty() { id.to_owned() } else { text }
}
