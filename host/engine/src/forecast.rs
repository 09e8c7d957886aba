//! A dry run: what a run would do, found out without reading a row, without touching a table, and without the pipeline's lease.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil::Date;
use sluice_core::RunError;
use sluice_core::forecast::{ReadFrom, StreamForecast, TableForecast};
use sluice_core::naming;
use sluice_core::pipeline::{Pipeline, ReadSpec, StreamSpec};
use sluice_core::worker::Column;
use sluice_runtime::Connection;
use sluice_sinks::Sink;
use sluice_store::{Scope, Store};

use crate::items::StoredItems;
use crate::plan::{self, Work};
use crate::run::table_of;
use crate::stream::table_spec;
use crate::transform::Transform;

/// Everything that a dry run needs.
pub struct ForecastSetup {
    /// Whose pipeline it is.
    pub tenant: String,
    /// What would run; validated.
    pub pipeline: Pipeline,
    /// The source.
    pub connection: Connection,
    /// The sink, of which nothing is changed.
    pub sink: Arc<dyn Sink>,
    /// Where state is kept, of which nothing is changed.
    pub store: Store,
    /// The day that catalog loads would stand for.
    pub snapshot_date: Date,
}

/// What a run would do with each stream, in the pipeline's order. A stream that would fail says why.
///
/// # Errors
/// If the connector cannot do what the pipeline asks, or the store cannot be read.
pub async fn forecast(setup: &ForecastSetup) -> Result<Vec<StreamForecast>, RunError> {
    let ForecastSetup { tenant, pipeline, connection, store, .. } = setup;
    pipeline.suits(connection.connector().manifest())?;
    let mut before = HashMap::new();
    for spec in &pipeline.streams {
        let state = store.state_of(Scope { tenant }, &pipeline.name, &spec.id).await?;
        before.insert(spec.id.clone(), state.state);
    }
    let recall = Arc::new(StoredItems {
        store: store.clone(),
        tenant: tenant.as_str().into(),
        pipeline: pipeline.name.as_str().into(),
    });
    let wanted = pipeline.streams.iter().collect();
    let (planner, mut works) = plan::ask(connection, plan::hints(&pipeline.limits), recall, wanted, before).await;
    let mut streams = Vec::with_capacity(pipeline.streams.len());
    for spec in &pipeline.streams {
        let work = works.remove(&spec.id).unwrap_or_else(|| Err(plan::not_planned()));
        streams.push(stream(setup, spec, work).await?);
    }
    if let Some(planner) = planner {
        planner.close().await;
    }
    Ok(streams)
}

async fn stream(
    setup: &ForecastSetup,
    spec: &StreamSpec,
    work: Result<Work, RunError>,
) -> Result<StreamForecast, RunError> {
    let mut told = StreamForecast {
        stream: spec.id.clone(),
        table: table_of(&setup.pipeline.sink, spec).to_string(),
        from: ReadFrom::Beginning,
        splits: 0,
        rows: None,
        bytes: None,
        columns: Vec::new(),
        table_change: None,
        error: None,
    };
    let work = match work {
        Ok(work) => work,
        Err(error) => return Ok(StreamForecast { error: Some(error), ..told }),
    };
    told.from = match (&work.before.pending, &work.before.cursor, &spec.read) {
        (Some(_), ..) => ReadFrom::Interrupted,
        (None, Some(_), ReadSpec::Incremental(_)) => ReadFrom::State,
        (None, ..) => ReadFrom::Beginning,
    };
    told.splits = work.splits.len() as u64;
    let sum = |of: fn(&sluice_core::plan::Split) -> Option<u64>| {
        work.splits.iter().map(|(split, _)| of(split)).sum::<Option<u64>>()
    };
    // What an interrupted read left over is less than the plan's own estimate, which is of what came since.
    let whole = told.from != ReadFrom::Interrupted;
    told.rows = work.stream.rows.filter(|_| whole).or_else(|| sum(|split| split.rows));
    told.bytes = work.stream.bytes.filter(|_| whole).or_else(|| sum(|split| split.bytes));
    match table(setup, spec, &work).await {
        Ok((columns, change)) => (told.columns, told.table_change) = (columns, Some(change)),
        Err(error) => told.error = Some(error),
    }
    Ok(told)
}

/// The columns that rows would have, and what would become of the table.
async fn table(
    setup: &ForecastSetup,
    spec: &StreamSpec,
    work: &Work,
) -> Result<(Vec<Column>, TableForecast), RunError> {
    let scope = Scope { tenant: &setup.tenant };
    let remembered = setup.store.names_of(scope, &setup.pipeline.name, &spec.id).await?;
    let fields = work.stream.schema.fields();
    let names = naming::assign_fields(&remembered, fields, &spec.rename, spec.reserved_columns())?;
    let native = |schema: &arrow_schema::SchemaRef| setup.sink.native_schema(schema);
    let transform = Transform::new(spec, &work.stream.schema, &names, native)?;
    let schema = transform.output_schema();
    let columns = schema.fields().iter().map(|field| Column::from(field.as_ref())).collect();
    let table = table_spec(spec, table_of(&setup.pipeline.sink, spec), schema.clone(), setup.snapshot_date);
    Ok((columns, setup.sink.foresee(&table).await?))
}
