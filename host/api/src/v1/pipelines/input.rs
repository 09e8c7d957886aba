//! What somebody sends to make or change a pipeline: checked against what can be known without asking the source.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sluice_core::manifest::Manifest;
use sluice_core::pipeline::{Definition, Pipeline, ReadSpec, SourceSpec};
use sluice_core::schedule::{Schedule, Timetable};
use sluice_core::{RunError, validate};
use sluice_store::{Connection, PipelineChange, Scope, Timing};
use utoipa::ToSchema;

use super::known;
use crate::http::problem::Problem;
use crate::state::App;
use crate::v1::connections::discovered::Known;
use crate::v1::connections::grants_of;

/// A pipeline that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PipelineBody {
    /// What people call it; unique in the tenant.
    #[schema(min_length = 1, max_length = 100)]
    pub(super) name: String,
    /// The id of the connection that it reads from.
    #[schema(min_length = 1, max_length = 100)]
    pub(super) connection: String,
    /// Whether its schedule is followed.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(super) enabled: bool,
    /// Everything else: `streams`, `sink`, `limits`, `schedule`, `retry`, `notify`; as in the file of `sluice run`.
    #[schema(value_type = Object)]
    pub(super) definition: Value,
}

pub(super) fn yes() -> bool {
    true
}

/// A pipeline that was checked.
pub(super) struct Ready {
    /// What is stored.
    pub(super) change: PipelineChange,
    /// The same, read.
    pub(super) definition: Definition,
    /// When it runs by itself.
    pub(super) timing: Option<Timing>,
    /// Whether every stream was compared with what the connection offers.
    pub(super) compared: bool,
}

/// Checks a pipeline. `id` is its own, or any for one that has none yet.
///
/// # Errors
/// Names the first field that is wrong; fields of the definition by their path in it (`streams[0].read`).
pub(super) async fn prepare(app: &App, scope: Scope<'_>, id: &str, body: PipelineBody) -> Result<Ready, Problem> {
    let name = validate::name("name", &body.name)?;
    let definition = parse(&body.definition)?;
    let found = app.store.connection(scope, &body.connection).await?;
    let connection = found.ok_or_else(|| Problem::field("connection", "there is no such connection"))?;
    let installed = app.resolver.catalogue.find(scope, &connection.connector).await?.ok_or_else(|| {
        let detail = format!("its connector {} is not installed any more", connection.connector);
        Problem::field("connection", detail)
    })?;
    let pipeline = whole(id, &definition, &connection)?;
    let known = app.discovered().known(scope.tenant, &connection.id, connection.revision, app.now_us());
    let compared = examine(app, scope.tenant, &pipeline, &installed.manifest, &definition, &known)?;
    let timing = timing(definition.schedule.as_ref(), id, app.now())?;
    let stored = serde_json::to_value(&definition).map_err(|e| RunError::internal(format!("a definition: {e}")))?;
    let change = PipelineChange { name, connection: connection.id, definition: stored, enabled: body.enabled };
    Ok(Ready { change, definition, timing, compared })
}

/// Checks a definition, and the pipeline that it is of. Whether every stream could be compared with what is known.
///
/// # Errors
/// Names the first field that is wrong.
pub(in crate::v1) fn examine(
    app: &App,
    tenant: &str,
    pipeline: &Pipeline,
    connector: &Manifest,
    definition: &Definition,
    known: &Known,
) -> Result<bool, Problem> {
    pipeline.validate()?;
    pipeline.suits(connector)?;
    can(pipeline, connector)?;
    // On a copy: what is stored says what the tenant wrote, not where the operator has it.
    app.resolver.offers.place(tenant, &mut definition.sink.clone())?;
    app.resolver.offers.allow(&definition.limits)?;
    known::fits(definition, known)
}

/// A definition out of JSON.
pub(in crate::v1) fn parse(definition: &Value) -> Result<Definition, Problem> {
    serde_path_to_error::deserialize(definition).map_err(|e| {
        let path = e.path().to_string();
        let field = if path == "." { "definition".to_owned() } else { path };
        Problem::field(field, e.inner().to_string())
    })
}

/// A definition that is stored.
pub(super) fn stored(definition: &Value) -> Result<Definition, Problem> {
    serde_json::from_value(definition.clone()).map_err(|e| {
        let detail = format!("this version of Sluice cannot read the pipeline as it was saved ({e}); save it again");
        Problem::field("definition", detail)
    })
}

/// The pipeline as `sluice run` would take it, but for the secrets.
pub(super) fn whole(id: &str, definition: &Definition, connection: &Connection) -> Result<Pipeline, Problem> {
    let source = SourceSpec {
        connector: connection.connector.clone(),
        config: connection.config.clone(),
        grants: grants_of(connection)?,
        digest: None,
    };
    Ok(definition.clone().into_pipeline(id.to_owned(), source))
}

/// Whether the connector can do what its manifest would have to say.
fn can(pipeline: &Pipeline, connector: &Manifest) -> Result<(), Problem> {
    for (index, stream) in pipeline.streams.iter().enumerate() {
        if matches!(stream.read, ReadSpec::Incremental(_)) && !connector.capabilities.incremental {
            let detail = format!("the connector {} reads everything every time; use `read: full`", connector.name);
            return Err(Problem::field(format!("streams[{index}].read"), detail));
        }
        if stream.filter.is_some() && !connector.capabilities.filter {
            let detail = format!("the connector {} takes no row restriction; remove `filter`", connector.name);
            return Err(Problem::field(format!("streams[{index}].filter"), detail));
        }
        for (column, cast) in &stream.cast {
            sluice_engine::transform::check_cast(column, &cast.to)
                .map_err(|error| Problem::field(format!("streams[{index}].cast.{column}.to"), error.message))?;
        }
    }
    Ok(())
}

/// When a pipeline runs by itself: nothing without a schedule, or with one that is not to be followed.
pub(in crate::v1) fn timing(schedule: Option<&Schedule>, id: &str, now: Timestamp) -> Result<Option<Timing>, RunError> {
    let Some(schedule) = schedule.filter(|schedule| schedule.enabled) else { return Ok(None) };
    let timetable = Timetable::new(schedule)?;
    let next = timetable.next_after(now).map(|moment| timetable.start_of(moment, id));
    Ok(Some(Timing { schedule: schedule.clone(), next_due_us: next.map(Timestamp::as_microsecond) }))
}
