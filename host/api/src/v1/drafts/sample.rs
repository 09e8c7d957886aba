//! `POST /v1/tenants/{tenant}/drafts/{draft}/sample`

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sluice_core::pipeline::{Pipeline, SinkSpec, StreamSpec};
use sluice_core::sample::{Example, SampledColumn};
use sluice_core::worker::{Event, Job};
use utoipa::ToSchema;

use super::open::{definition, source};
use super::view::{content, find};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::state::App;
use crate::v1::connections::{ask, limits};
use crate::v1::record::record;

/// Most rows of a sample.
const MOST_ROWS: u32 = 200;

/// Which rows, and what becomes of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SampleBody {
    /// A stream as in a pipeline's definition: `id`, `columns`, `rename`, `cast` and so on.
    #[schema(value_type = Object, example = json!({"id": "public.orders", "cast": {"amount": {"to": "NUMERIC"}}}))]
    stream: Value,
    /// At most this many rows.
    #[schema(minimum = 1, maximum = 200, default = 50)]
    rows: Option<u32>,
}

/// The first rows of a stream as the table would have them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SampleView {
    /// The columns of the table.
    columns: Vec<SampledView>,
    /// Rows of cells, each as text, cut where it is long; null is NULL, also where a value does not fit.
    rows: Vec<Vec<Option<String>>>,
}

/// A column of a sample.
#[derive(Debug, Serialize, ToSchema)]
struct SampledView {
    /// Its name at the source.
    source: String,
    /// Its name in the table.
    name: String,
    /// Its type at the source.
    source_type: String,
    /// Its type in the table, in BigQuery's words.
    r#type: String,
    /// Whether it may be NULL in the table.
    nullable: bool,
    /// Values of the sample that do not fit the type.
    misfits: u64,
    /// Values of the sample that fit, but are not what they were: rounded, cut, or written differently.
    changed: u64,
    /// The first of both.
    examples: Vec<ExampleView>,
}

/// A value that a cast does not leave as it is.
#[derive(Debug, Serialize, ToSchema)]
struct ExampleView {
    /// The row's number in the sample, from 1.
    row: u64,
    /// What it is at the source.
    before: String,
    /// What it would be in the table; null if it does not fit.
    after: Option<String>,
}

/// The first rows of a stream as the table would have them, and what casts lose of them
///
/// Who looked at which stream is in the audit log.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/drafts/{draft}/sample", tag = "drafts", operation_id = "sample_draft",
    params(("tenant" = String, Path), ("draft" = String, Path)), request_body = SampleBody,
    responses(
        (status = 200, body = SampleView), (status = "4XX", body = ProblemBody), (status = "5XX", body = ProblemBody)
    )
)]
pub(super) async fn sample(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    Body(body): Body<SampleBody>,
) -> Result<Json<SampleView>, Problem> {
    let rows = match body.rows.unwrap_or(50) {
        rows @ 1..=MOST_ROWS => rows,
        other => return Err(Problem::field("rows", format!("a sample has 1 to {MOST_ROWS} rows, not {other}"))),
    };
    let stream: StreamSpec = serde_path_to_error::deserialize(&body.stream).map_err(|e| {
        let path = e.path().to_string();
        let field = if path == "." { "stream".to_owned() } else { format!("stream.{path}") };
        Problem::field(field, e.inner().to_string())
    })?;
    for (column, cast) in &stream.cast {
        sluice_engine::transform::check_cast(column, &cast.to)
            .map_err(|error| Problem::field(format!("stream.cast.{column}.to"), error.message))?;
    }
    let draft = find(&app, &member, &id).await?;
    let content = content(&draft)?;
    let opened = source(&app, &member, (&draft, &content), "preview").await?;
    let detail = json!({"stream": stream.id, "columns": stream.columns, "rows": rows});
    record(&app, &member, "rows.preview", format!("draft {id}"), detail).await?;
    let name = stream.id.clone();
    let pipeline = Pipeline {
        name: "sample".into(),
        source: opened.it,
        streams: vec![stream],
        // What the sink makes of types is shown as soon as there is one.
        sink: definition(&content).ok().and_then(|found| placed(&app, &member, found.sink)).unwrap_or(SinkSpec::Null),
        limits: limits(),
        schedule: None,
        retry: None,
        notify: Vec::new(),
        run: Default::default(),
    };
    let job = Job::Sample { pipeline: Box::new(pipeline), stream: name, rows: rows as usize };
    let told = ask(&app, &job, &opened.redactor).await?;
    let told = told.into_iter().find_map(|event| match event {
        Event::Sampled { columns, rows } => Some((columns, rows)),
        _ => None,
    });
    let (columns, rows) = told.ok_or_else(|| Problem::new(Slug::Upstream, "the connector gave no rows"))?;
    Ok(Json(SampleView { columns: columns.into_iter().map(shown).collect(), rows }))
}

fn placed(app: &App, member: &Member, mut sink: SinkSpec) -> Option<SinkSpec> {
    app.resolver.offers.place(&member.tenant, &mut sink).is_ok().then_some(sink)
}

fn shown(column: SampledColumn) -> SampledView {
    let SampledColumn { source, name, source_type, r#type, nullable, misfits, changed, examples } = column;
    let example = |Example { row, before, after }| ExampleView { row, before, after };
    let examples = examples.into_iter().map(example).collect();
    SampledView { source, name, source_type, r#type, nullable, misfits, changed, examples }
}
