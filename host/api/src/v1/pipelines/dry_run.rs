//! `POST /v1/tenants/{tenant}/pipelines/{pipeline}/dry-run`

use axum::Json;
use axum::extract::{Path, State};
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::json;
use sluice_core::error::Kind;
use sluice_core::forecast::{ReadFrom, StreamForecast};
use sluice_core::pipeline::Pipeline;
use sluice_core::secret::Redactor;
use sluice_core::worker::{Event, Job, PlanJob};
use sluice_engine::service::resolve::Purpose;
use utoipa::ToSchema;

use super::view::find;
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::state::App;
use crate::v1::connections::{ColumnView, ask, hide, limits};
use crate::v1::record::record;

/// What a run would do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DryRunView {
    /// The revision of the pipeline that was planned.
    pipeline_revision: u64,
    /// Whether no stream would fail before its first row.
    passed: bool,
    /// Each stream, in the pipeline's order.
    streams: Vec<PlannedView>,
}

/// What a run would do with a stream.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::v1) struct PlannedView {
    /// The stream.
    stream: String,
    /// The table that it would go to.
    table: String,
    /// From where it would be read: `beginning`, `state` (where the last read ended) or `interrupted` (where a read was stopped).
    #[schema(value_type = String)]
    from: ReadFrom,
    /// Parts in which it would be read; 0 if there is nothing to read.
    splits: u64,
    /// Rows that the connector expects, if it does.
    rows: Option<u64>,
    /// Bytes that the connector expects, if it does.
    bytes: Option<u64>,
    /// The columns that rows would have in the table.
    columns: Vec<ColumnView>,
    /// Whether the table is there; it is created otherwise. None where the stream fails before that is known.
    table_exists: Option<bool>,
    /// How the table's columns would change, in words.
    changes: Vec<String>,
    /// Why the stream would fail.
    error: Option<PlanErrorView>,
}

/// Why a stream would fail.
#[derive(Debug, Serialize, ToSchema)]
struct PlanErrorView {
    /// Class of failure.
    #[schema(value_type = String)]
    kind: Kind,
    /// What is wrong and what to do.
    message: String,
    /// The field concerned.
    field: Option<String>,
}

/// See what a run would do, without doing it
///
/// A worker asks the source for its plan and compares the tables, for at most a minute. No row is read, no table is touched, and no state
/// changes.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/dry-run", tag = "pipelines", operation_id = "dry_run",
    params(("tenant" = String, Path), ("pipeline" = String, Path)),
    responses(
        (status = 200, body = DryRunView), (status = "4XX", body = ProblemBody), (status = "5XX", body = ProblemBody)
    )
)]
pub(super) async fn dry_run(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<DryRunView>, Problem> {
    let found = find(&app, member.scope(), &id).await?;
    let (actor, address) = (member.caller.actor(), member.caller.address.as_deref());
    let purpose = Purpose { actor: &actor, object: "dry-run", address, now_us: app.now_us() };
    let opened = app.resolver.pipeline(member.scope(), &id, found.revision, purpose).await;
    let opened = opened.map_err(|error| hide(error, &Redactor::default()))?;
    record(&app, &member, "pipeline.dry-run", format!("pipeline {id}"), json!({"revision": found.revision})).await?;
    let streams = forecast(&app, &member.tenant, opened.it, &opened.redactor).await?;
    let passed = streams.iter().all(PlannedView::passes);
    Ok(Json(DryRunView { pipeline_revision: found.revision, passed, streams }))
}

/// What a run of a pipeline would do with each stream: asked of a worker, within less than a run may take.
pub(in crate::v1) async fn forecast(
    app: &App,
    tenant: &str,
    mut pipeline: Pipeline,
    redactor: &Redactor,
) -> Result<Vec<PlannedView>, Problem> {
    let (own, most) = (&mut pipeline.limits.instance, limits().instance);
    own.cpu_ms = own.cpu_ms.min(most.cpu_ms);
    own.wall_ms = own.wall_ms.min(most.wall_ms);
    own.memory_bytes = own.memory_bytes.min(most.memory_bytes);
    let snapshot_date = app.now().to_zoned(TimeZone::UTC).date().to_string();
    let job = PlanJob { tenant: tenant.to_owned(), pipeline, snapshot_date, store: app.address.clone() };
    let told = ask(app, &Job::Plan(Box::new(job)), redactor).await?;
    let streams = told.into_iter().find_map(|event| match event {
        Event::Planned { streams } => Some(streams),
        _ => None,
    });
    let streams = streams.ok_or_else(|| Problem::new(Slug::Upstream, "the connector made no plan"))?;
    Ok(streams.into_iter().map(|stream| planned(stream, redactor)).collect())
}

impl PlannedView {
    /// Whether the stream would not fail before its first row.
    pub(in crate::v1) fn passes(&self) -> bool {
        self.error.is_none()
    }

    /// Rows that the connector expects, if it does.
    pub(in crate::v1) fn rows(&self) -> Option<u64> {
        self.rows
    }

    /// Bytes that the connector expects, if it does.
    pub(in crate::v1) fn bytes(&self) -> Option<u64> {
        self.bytes
    }
}

fn planned(stream: StreamForecast, redactor: &Redactor) -> PlannedView {
    let error = stream.error.map(|error| hide(error, redactor));
    let (table_exists, changes) = stream.table_change.map_or((None, Vec::new()), |it| (Some(it.exists), it.changes));
    PlannedView {
        stream: stream.stream,
        table: stream.table,
        from: stream.from,
        splits: stream.splits,
        rows: stream.rows,
        bytes: stream.bytes,
        columns: stream.columns.into_iter().map(ColumnView::from).collect(),
        table_exists,
        changes,
        error: error.map(|error| PlanErrorView { kind: error.kind, message: error.message, field: error.field }),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::json;
    use sluice_core::access::Role;

    use crate::testing::{SECRET, Service};

    #[tokio::test]
    async fn it_tells_what_would_be_read_and_how_tables_would_change() {
        let service = Service::new().await;
        service.tenant("acme").await;
        service.tenant("globex").await;
        let editor = service.token("acme", Role::Editor).await;
        let operator = service.token("acme", Role::Operator).await;
        let stranger = service.token("globex", Role::Owner).await;
        let id = service.pipeline("acme", &editor).await;
        let path = format!("/v1/tenants/acme/pipelines/{id}/dry-run");
        let told = service.call(Method::POST, &path, Some(&editor), None).await;
        assert_eq!(told.status, StatusCode::OK, "{told:?}");
        let (first, second) = (&told.body["streams"][0], &told.body["streams"][1]);
        assert_eq!((&first["from"], &first["splits"], &first["rows"]), (&"state".into(), &3.into(), &70.into()));
        assert_eq!((&first["table_exists"], &first["changes"]), (&true.into(), &json!(["column x is added as Int64"])));
        assert_eq!(
            (&told.body["passed"], &second["error"]["message"]),
            (&false.into(), &"[secret] was refused".into())
        );
        assert!(!told.body.to_string().contains(SECRET));
        let actions = service.actions("acme").await;
        assert_eq!((actions["secret.use"], actions["pipeline.dry-run"]), (1, 1));
        let refused = service.call(Method::POST, &path, Some(&operator), None).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let elsewhere = path.replace("acme", "globex");
        let other = service.call(Method::POST, &elsewhere, Some(&stranger), None).await;
        assert_eq!(other.status, StatusCode::NOT_FOUND);
    }
}
