//! `sluice preview`: rows of a stream as the sink would get them, or of a table of a local warehouse.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sluice_core::RunError;
use sluice_core::naming::{Names, assign_fields};
use sluice_core::pipeline::{Pipeline, SinkSpec, StreamSpec};
use sluice_core::plan::PlanHints;
use sluice_core::sample::SampledColumn;
use sluice_engine::Sample;
use sluice_engine::transform::{Transform, select};
use sluice_runtime::NothingRecalled;
use sluice_sinks::local;

use super::failed;
use crate::cli::{Options, PreviewArgs};
use crate::{file, rows, show, wire};

pub(crate) async fn run(options: &Options, args: &PreviewArgs) -> u8 {
    let shown = if args.sink { table(options, args) } else { stream(options, args).await };
    match shown {
        Ok(()) => 0,
        Err(error) => failed(options, &error),
    }
}

/// Tables of a local warehouse, or rows of one.
fn table(options: &Options, args: &PreviewArgs) -> Result<(), RunError> {
    let pipeline = file::pipeline(&args.file)?;
    let SinkSpec::Local { path, dataset } = &pipeline.sink else {
        let message = "only a local warehouse can be shown; query BigQuery with its own tools";
        return Err(RunError::config("sink.type", message));
    };
    let tables = local::tables(path)?;
    match &args.name {
        None => tables.iter().try_for_each(|table| show::table(options, table)),
        Some(name) => {
            let table = tables.iter().find(|table| table.name.table == *name && table.name.dataset == *dataset);
            let Some(table) = table else {
                let all: Vec<String> = tables.iter().map(|table| table.name.table.clone()).collect();
                let message = format!("the warehouse has no table {name} in {dataset}; it has {}", all.join(", "));
                return Err(RunError::config("preview", message));
            };
            show::rows(options, &local::preview(path, &table.name, args.limit)?)
        }
    }
}

async fn stream(options: &Options, args: &PreviewArgs) -> Result<(), RunError> {
    let pipeline = file::pipeline(&args.file)?;
    show::rows(options, &stream_rows(options, &pipeline, args.name.as_deref(), args.limit).await?)
}

/// The first rows of a stream, or of the first one, as the sink would get them.
pub(super) async fn stream_rows(
    options: &Options,
    pipeline: &Pipeline,
    name: Option<&str>,
    limit: usize,
) -> Result<Vec<RecordBatch>, RunError> {
    let spec = chosen(pipeline, name)?;
    let read = first_rows(options, pipeline, spec, limit).await;
    let shaped = async {
        let Some((schema, batches)) = read? else { return Ok(Vec::new()) };
        let selected = select(spec, &schema)?;
        let names = assign_fields(&Names::default(), selected.fields(), &spec.rename, spec.reserved_columns())?;
        let sink = wire::sink(&pipeline.sink).await?;
        let mut transform = Transform::new(spec, &schema, &names, |schema| sink.native_schema(schema))?;
        batches.into_iter().map(|batch| Ok(transform.apply(batch)?.batch)).collect()
    };
    shaped.await.map_err(|error: RunError| error.with_stream(&spec.id))
}

/// The same, with what the casts lose of them.
pub(super) async fn sampled(
    options: &Options,
    pipeline: &Pipeline,
    name: &str,
    limit: usize,
) -> Result<(Vec<SampledColumn>, Vec<RecordBatch>), RunError> {
    let spec = chosen(pipeline, Some(name))?;
    let read = first_rows(options, pipeline, spec, limit).await;
    let shaped = async {
        let Some((schema, batches)) = read? else { return Ok((Vec::new(), Vec::new())) };
        let sink = wire::sink(&pipeline.sink).await?;
        let mut sample = Sample::new(spec, &schema, |schema| sink.native_schema(schema))?;
        let batches: Result<_, RunError> = batches.into_iter().map(|batch| sample.take(batch)).collect();
        Ok((sample.finish(), batches?))
    };
    shaped.await.map_err(|error: RunError| error.with_stream(&spec.id))
}

fn chosen<'p>(pipeline: &'p Pipeline, name: Option<&str>) -> Result<&'p StreamSpec, RunError> {
    let spec = match name {
        None => pipeline.streams.first(),
        Some(name) => pipeline.streams.iter().find(|spec| spec.id == *name),
    };
    spec.ok_or_else(|| {
        let all: Vec<&str> = pipeline.streams.iter().map(|spec| spec.id.as_str()).collect();
        RunError::config("preview", format!("the pipeline has no such stream; it has {}", all.join(", ")))
    })
}

/// Rows as the connector gives them, with their schema; none if it plans nothing. Nothing is committed and no state is read or written.
type FirstRows = Option<(SchemaRef, Vec<RecordBatch>)>;

async fn first_rows(
    options: &Options,
    pipeline: &Pipeline,
    spec: &StreamSpec,
    limit: usize,
) -> Result<FirstRows, RunError> {
    let runtime = wire::runtime(options)?;
    let connection = wire::connection(options, &runtime, &pipeline.source, &pipeline.limits).await?;
    let planner = connection.instance().await?;
    let hints = PlanHints { max_parallel: 1, split_bytes: pipeline.limits.split_bytes, batch_bytes: 64 << 10 };
    let (plan, _) = planner.plan(vec![spec.selection(None)], hints, Arc::new(NothingRecalled)).await?;
    let read = rows::first(&connection, &plan, pipeline.limits.bytes_in_flight, limit).await;
    planner.close().await;
    let batches = read?.batches;
    Ok(plan.streams.into_iter().next().map(|stream| (stream.schema, batches)))
}
