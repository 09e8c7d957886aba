//! Brings a dataset and a table to where a load can begin.

use google_cloud_bigquery_v2::model::{Clustering, Table, TableFieldSchema, TableSchema, TimePartitioning};
use google_cloud_gax::error::rpc::Code;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::forecast::TableForecast;
use sluice_core::load::{LoadStrategy, PartitionUnit, SNAPSHOT_DATE_COLUMN, TableName, TableSpec};

use super::Shared;
use super::admin::Column;
use super::errors::Failure;
use super::evolve::{self, Plan};
use super::jobs;
use super::retry::pause;
use super::schema::{canonical, table_schema};
use super::sql::{identifier, qualified};

/// How often a table is looked at again when others change it at the same time.
const ROUNDS: u32 = 8;

/// Creates what is missing and evolves what is there.
pub(crate) async fn prepare(shared: &Shared, spec: &TableSpec) -> Result<(), RunError> {
    check_spec(spec)?;
    let rest = &shared.rest;
    let name = &spec.name;
    let doing = |what: &str| format!("{what} {}.{name}", rest.project);
    let dataset = rest.dataset(&name.dataset).await.map_err(|f| f.into_run_error(&doing("reading the dataset of")))?;
    if dataset.is_none() {
        rest.create_dataset(&name.dataset).await.map_err(|f| f.into_run_error(&doing("creating the dataset of")))?;
    }
    for round in 1..=ROUNDS {
        let Some(table) = rest.table(name).await.map_err(|f| f.into_run_error(&doing("reading table")))? else {
            rest.create_table(name, new_table(spec)).await.map_err(|f| f.into_run_error(&doing("creating table")))?;
            continue;
        };
        check_layout(spec, &table)?;
        let existing = table.schema.as_ref().map(|s| s.fields.clone()).unwrap_or_default();
        let wanted = table_schema(spec).fields;
        let plan = evolve::plan(name, &existing, &wanted, spec.evolution)?;
        if plan.is_empty() {
            return match round {
                // Nothing was changed here; whoever changed it has waited.
                1 => Ok(()),
                _ => seen_by_writers(shared, name, &wanted).await,
            };
        }
        tracing::info!(table = %name, changes = ?plan.changes, "bigquery.table_evolved");
        match apply(shared, name, &table, plan).await {
            Ok(()) => {}
            Err(failure) if failure.is(Code::FailedPrecondition) || failure.is_transient() => {
                tokio::time::sleep(pause(round)).await;
            }
            Err(failure) => {
                // Refused, but is it still the table that was looked at? If somebody changed it meanwhile, look again.
                tokio::time::sleep(pause(round)).await;
                if rest.table(name).await.is_ok_and(|now| now.is_none_or(|now| now.etag == table.etag)) {
                    return Err(failure.into_run_error(&doing("changing the columns of table")));
                }
            }
        }
    }
    let message = format!("{} did not keep the columns it was given; is another program changing it?", doing("table"));
    Err(RunError::new(Kind::Transient, Actor::Sink, message))
}

/// What [`prepare`] would do, as far as the table is now.
pub(crate) async fn foresee(shared: &Shared, spec: &TableSpec) -> Result<TableForecast, RunError> {
    check_spec(spec)?;
    let (rest, name) = (&shared.rest, &spec.name);
    let doing = |what: &str| format!("{what} {}.{name}", rest.project);
    let dataset = rest.dataset(&name.dataset).await.map_err(|f| f.into_run_error(&doing("reading the dataset of")))?;
    if dataset.is_none() {
        return Ok(TableForecast::default());
    }
    let Some(table) = rest.table(name).await.map_err(|f| f.into_run_error(&doing("reading table")))? else {
        return Ok(TableForecast::default());
    };
    check_layout(spec, &table)?;
    let existing = table.schema.map(|schema| schema.fields).unwrap_or_default();
    let plan = evolve::plan(name, &existing, &table_schema(spec).fields, spec.evolution)?;
    Ok(TableForecast { exists: true, changes: plan.changes })
}

async fn apply(shared: &Shared, name: &TableName, table: &Table, plan: Plan) -> Result<(), Failure> {
    let rest = &shared.rest;
    if let Some(fields) = plan.patch {
        let body = Table::new().set_schema(TableSchema::new().set_fields(fields));
        rest.patch_table(name, body, &table.etag).await?;
    }
    if plan.widen.is_empty() {
        return Ok(());
    }
    let location = rest.location(&name.dataset).await?;
    for (column, to) in plan.widen {
        let column = identifier(&column);
        let sql = format!("ALTER TABLE {} ALTER COLUMN {column} SET DATA TYPE {to}", qualified(&rest.project, name));
        let id = format!("sluice_alter_{}", (shared.config.names)());
        if let Some(failure) = jobs::run(rest, &id, &location, jobs::query(sql)).await?.failure {
            return Err(failure);
        }
    }
    Ok(())
}

fn new_table(spec: &TableSpec) -> Table {
    let mut table = Table::new().set_schema(table_schema(spec));
    let partitioning = match (&spec.strategy, &spec.partitioning) {
        (LoadStrategy::Catalog { .. }, _) => Some((SNAPSHOT_DATE_COLUMN, PartitionUnit::Day)),
        (LoadStrategy::Transactional | LoadStrategy::Files, Some(by)) => Some((by.column.as_str(), by.unit)),
        (LoadStrategy::Transactional | LoadStrategy::Files, None) => None,
    };
    if let Some((column, unit)) = partitioning {
        let unit = match unit {
            PartitionUnit::Hour => "HOUR",
            PartitionUnit::Day => "DAY",
            PartitionUnit::Month => "MONTH",
            PartitionUnit::Year => "YEAR",
        };
        table = table.set_time_partitioning(TimePartitioning::new().set_type(unit).set_field(column));
    }
    if !spec.clustering.is_empty() {
        table = table.set_clustering(Clustering::new().set_fields(spec.clustering.clone()));
    }
    table
}

/// What a pipeline asks for and BigQuery would refuse with a message that names no option.
fn check_spec(spec: &TableSpec) -> Result<(), RunError> {
    let columns = table_schema(spec).fields;
    let find = |name: &str| columns.iter().find(|c| c.name.eq_ignore_ascii_case(name));
    if matches!(spec.strategy, LoadStrategy::Catalog { .. })
        && columns.iter().filter(|c| c.name.eq_ignore_ascii_case(SNAPSHOT_DATE_COLUMN)).count() > 1
    {
        let message = format!("a catalog table gets a column {SNAPSHOT_DATE_COLUMN} of its own; rename the stream's");
        return Err(RunError::config("rename", message));
    }
    if let Some(by) = &spec.partitioning {
        let kind = find(&by.column).map(|c| c.r#type.as_str());
        let fits = match kind {
            Some("TIMESTAMP" | "DATETIME") => true,
            Some("DATE") => by.unit != PartitionUnit::Hour,
            _ => false,
        };
        if !fits {
            let is = kind.map_or("does not exist".to_owned(), |kind| format!("is {kind}"));
            let message = format!(
                "column {} {is}; a table is partitioned by a DATE, DATETIME or TIMESTAMP column, by hour only by the latter two",
                by.column
            );
            return Err(RunError::config("partition", message));
        }
    }
    for name in &spec.clustering {
        match find(name).map(|c| (c.r#type.as_str(), c.mode.as_str())) {
            None => return Err(RunError::config("cluster", format!("column {name} does not exist"))),
            Some(("FLOAT" | "BYTES" | "TIME" | "JSON" | "GEOGRAPHY" | "RECORD", _) | (_, "REPEATED")) => {
                let message = format!("BigQuery does not cluster by a column of the type of {name}; choose another");
                return Err(RunError::config("cluster", message));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// A table that is partitioned otherwise is never changed, and a catalog cannot do without its partitions.
fn check_layout(spec: &TableSpec, table: &Table) -> Result<(), RunError> {
    let field = table.time_partitioning.as_ref().and_then(|p| p.field.as_deref());
    let wanted = match spec.strategy {
        LoadStrategy::Catalog { .. } => SNAPSHOT_DATE_COLUMN,
        LoadStrategy::Transactional | LoadStrategy::Files => return Ok(()),
    };
    if field.is_some_and(|field| field.eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    let is = field.map_or("is not partitioned".to_owned(), |field| format!("is partitioned by {field}"));
    let message = format!(
        "table {} {is}, but a catalog is kept in a table partitioned by {wanted}; load it into a new table",
        spec.name
    );
    Err(RunError::new(Kind::SchemaChanged, Actor::User, message).with_field("table"))
}

/// Waits until the Storage API takes rows with these columns: it learns of a change minutes after the table has it.
async fn seen_by_writers(shared: &Shared, name: &TableName, wanted: &[TableFieldSchema]) -> Result<(), RunError> {
    let stream = format!("{}/streams/_default", resource(&shared.config.project, name));
    let limit = shared.config.schema_timeout;
    let begin = tokio::time::Instant::now();
    let mut asked = 0;
    let last = loop {
        let state = match shared.admin.session() {
            Ok(session) => session.stream(&stream, true).await,
            Err(failure) => Err(failure),
        };
        let last = match state {
            // Not every implementation tells the schema; one that does not has no delay either.
            Ok(Some(stream)) => match stream.table_schema {
                Some(seen) if !seen.fields.is_empty() && !covers(&seen.fields, wanted) => None,
                _ => return Ok(()),
            },
            Ok(None) => None,
            Err(failure) if failure.is_transient() => Some(failure),
            Err(failure) => return Err(failure.into_run_error(&format!("reading the write schema of table {name}"))),
        };
        if begin.elapsed() > limit {
            break last;
        }
        asked += 1;
        tokio::time::sleep(pause(asked)).await;
    };
    let why = last.map(|failure| format!(" ({failure})")).unwrap_or_default();
    let message = format!(
        "table {name} has its new columns, but the Storage API does not take them after {limit:?}{why}; run it again later"
    );
    Err(RunError::new(Kind::Transient, Actor::Sink, message))
}

fn covers(seen: &[Column], wanted: &[TableFieldSchema]) -> bool {
    /// `STRUCT` in the Storage API's enumeration of types.
    const STRUCT: i32 = 5;
    wanted.iter().all(|want| {
        seen.iter().any(|column| {
            column.name.eq_ignore_ascii_case(&want.name)
                && (canonical(&want.r#type) != "RECORD"
                    || column.kind != STRUCT
                    || covers(&column.fields, &want.fields))
        })
    })
}

/// A table's resource name in the Storage API.
pub(crate) fn resource(project: &str, table: &TableName) -> String {
    format!("projects/{project}/datasets/{}/tables/{}", table.dataset, table.table)
}
