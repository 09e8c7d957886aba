//! `POST /v1/tenants/{tenant}/connections/{connection}/preview`

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sluice_core::RunError;
use sluice_core::pipeline::{Pipeline, SinkSpec, StreamSpec};
use sluice_core::secret::Redactor;
use sluice_core::worker::{Event, Job};
use sluice_engine::service::resolve::Purpose;
use utoipa::ToSchema;

use super::input::hide;
use super::streams::ColumnView;
use super::view::find;
use super::working::{ask, limits};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::state::App;
use crate::v1::record::record;

/// Most rows of a preview.
const MOST_ROWS: u32 = 200;

/// Most columns that are asked for by name.
const MOST_COLUMNS: usize = 1_000;

/// Which rows.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PreviewBody {
    /// The stream's id.
    #[schema(min_length = 1, max_length = 1000)]
    stream: String,
    /// Its columns, in this order; all if there are none.
    #[serde(default)]
    #[schema(max_items = 1000)]
    columns: Vec<String>,
    /// At most this many rows.
    #[schema(minimum = 1, maximum = 200, default = 20)]
    rows: Option<u32>,
}

/// The first rows of a stream.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreviewView {
    /// Names and types of the columns.
    columns: Vec<ColumnView>,
    /// Rows of cells, each as text, cut where it is long; null is NULL.
    rows: Vec<Vec<Option<String>>>,
}

/// The first rows of a stream
///
/// Who looked at which stream is in the audit log.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/connections/{connection}/preview", tag = "connections",
    operation_id = "preview_rows", params(("tenant" = String, Path), ("connection" = String, Path)),
    request_body = PreviewBody,
    responses(
        (status = 200, body = PreviewView), (status = "4XX", body = ProblemBody), (status = "5XX", body = ProblemBody)
    )
)]
pub(super) async fn preview(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    Body(body): Body<PreviewBody>,
) -> Result<Json<PreviewView>, Problem> {
    let rows = match body.rows.unwrap_or(20) {
        rows @ 1..=MOST_ROWS => rows,
        other => return Err(Problem::field("rows", format!("a preview has 1 to {MOST_ROWS} rows, not {other}"))),
    };
    if body.stream.is_empty() || body.stream.chars().count() > 1000 {
        return Err(Problem::field("stream", "name a stream by its id, of at most 1000 characters"));
    }
    if body.columns.len() > MOST_COLUMNS {
        return Err(Problem::field("columns", format!("at most {MOST_COLUMNS} columns can be named")));
    }
    find(&app, member.scope(), &id).await?;
    let stream = json!({"id": body.stream, "columns": body.columns});
    let stream: StreamSpec = serde_json::from_value(stream).map_err(|e| RunError::internal(e.to_string()))?;
    let (actor, address) = (member.caller.actor(), member.caller.address.as_deref());
    let purpose = Purpose { actor: &actor, object: "preview", address, now_us: app.now_us() };
    let opened = app.resolver.source(member.scope(), &id, purpose).await;
    let opened = opened.map_err(|error| hide(error, &Redactor::default()))?;
    // Before the rows are read: whoever saw them is in the log, whatever happens on the way.
    let detail = json!({"stream": body.stream, "columns": body.columns, "rows": rows});
    record(&app, &member, "rows.preview", format!("connection {id}"), detail).await?;
    let pipeline = Pipeline {
        name: "preview".into(),
        source: opened.it,
        streams: vec![stream],
        sink: SinkSpec::Null,
        limits: limits(),
        schedule: None,
        retry: None,
        notify: Vec::new(),
        run: Default::default(),
    };
    let job = Job::Preview { pipeline: Box::new(pipeline), stream: body.stream, rows: rows as usize };
    let told = ask(&app, &job, &opened.redactor).await?;
    let told = told.into_iter().find_map(|event| match event {
        Event::Rows { columns, rows } => Some((columns, rows)),
        _ => None,
    });
    let (columns, rows) = told.ok_or_else(|| Problem::new(Slug::Upstream, "the connector gave no rows"))?;
    Ok(Json(PreviewView { columns: columns.into_iter().map(ColumnView::from).collect(), rows }))
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::json;
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn who_looked_at_rows_is_in_the_log() {
        let service = Service::new().await;
        service.tenant("acme").await;
        service.tenant("globex").await;
        let editor = service.token("acme", Role::Editor).await;
        let operator = service.token("acme", Role::Operator).await;
        let stranger = service.token("globex", Role::Owner).await;
        let id = service.connection("acme", &editor, "shop").await;
        let path = format!("/v1/tenants/acme/connections/{id}/preview");
        let body = json!({"stream": "public.orders", "rows": 2});
        let seen = service.call(Method::POST, &path, Some(&editor), Some(body.clone())).await;
        assert_eq!(seen.status, StatusCode::OK, "{seen:?}");
        assert_eq!((&seen.body["columns"][0]["name"], &seen.body["rows"]), (&"id".into(), &json!([["1"], [null]])));
        assert!(service.audited("acme").await.contains(&format!("rows.preview connection {id}")));
        let refused = service.call(Method::POST, &path, Some(&operator), Some(body.clone())).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let elsewhere = path.replace("acme", "globex");
        let other = service.call(Method::POST, &elsewhere, Some(&stranger), Some(body)).await;
        assert_eq!(other.status, StatusCode::NOT_FOUND);
        let many = json!({"stream": "public.orders", "rows": 201});
        assert_eq!(service.call(Method::POST, &path, Some(&editor), Some(many)).await.body["field"], "rows");
    }
}
