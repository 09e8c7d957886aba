//! Staged rows into the table, by a job whose id is the load's.
//!
//! A load has one name for its commit, so that it is committed at most once: who asks twice gets the first job's
//! outcome. Only a job that failed, and so did nothing, is followed by one with the next number.

use sluice_core::RunError;
use sluice_core::commit::{CommitError, CommitIntent, Settled};
use sluice_core::error::{Actor, Kind};
use sluice_core::load::{LoadId, LoadStrategy, TableName};

use super::Shared;
use super::commit::Tables;
use super::errors::Failure;
use super::jobs::{self, Ended};
use super::sql::{Replaced, Staged, swap_script};

/// Failed commits of one load before it is given up.
const MOST: u32 = 50;

/// What is known of a load's commit jobs.
enum Found {
    /// This one is done, with this script.
    Done { id: String, script: String },
    /// None is; this is the next id, and why the one before it failed.
    Free { id: String },
}

fn job_id(load: &LoadId, number: u32) -> String {
    format!("sluice_commit_{load}_{number}")
}

async fn find(shared: &Shared, load: &LoadId, location: &str) -> Result<Found, Failure> {
    for number in 0..MOST {
        let id = job_id(load, number);
        match jobs::outcome(&shared.rest, &id, location).await? {
            None => return Ok(Found::Free { id }),
            Some(Ended { job, failure: None }) => {
                let script = job.configuration.and_then(|c| c.query).map(|q| q.query).unwrap_or_default();
                return Ok(Found::Done { id, script });
            }
            Some(Ended { failure: Some(_), .. }) => {}
        }
    }
    Err(Failure::new(google_cloud_gax::error::rpc::Code::Aborted, format!("{MOST} commits of load {load} have failed")))
}

pub(crate) async fn commit(shared: &Shared, intent: &CommitIntent, tables: &Tables) -> Result<String, CommitError> {
    let doing = format!("committing the staged rows of table {}", intent.table);
    let nothing_done = |failure: Failure| CommitError::Refused(failure.into_run_error(&doing));
    let unclear = |failure: Failure| CommitError::Unclear(failure.into_run_error(&doing));
    let location = shared.rest.location(&intent.table.dataset).await.map_err(nothing_done)?;
    let id = match find(shared, &intent.load, &location).await.map_err(unclear)? {
        Found::Done { id, script } => return same(intent, tables, &id, &script).map_err(CommitError::Unclear),
        Found::Free { id } => id,
    };
    let script = script(shared, intent, tables).await.map_err(CommitError::Refused)?;
    let ended = match jobs::run(&shared.rest, &id, &location, jobs::query(script)).await {
        Ok(ended) => ended,
        Err(failure) if failure.is_refusal() => return Err(nothing_done(failure)),
        Err(failure) => return Err(unclear(failure)),
    };
    if let Some(failure) = ended.failure {
        return Err(nothing_done(failure));
    }
    let ran = ended.job.configuration.and_then(|c| c.query).map(|q| q.query).unwrap_or_default();
    let reference = same(intent, tables, &id, &ran).map_err(CommitError::Unclear)?;
    for (table, _) in tables.iter() {
        // It expires by itself, so a failure here costs storage and nothing else.
        if let Err(failure) = shared.rest.delete_table(table).await {
            tracing::debug!(%table, %failure, "bigquery.staging_table_left");
        }
    }
    Ok(reference)
}

pub(crate) async fn settle(shared: &Shared, intent: &CommitIntent, tables: &Tables) -> Result<Settled, RunError> {
    let doing = format!("reading what became of load {} into {}", intent.load, intent.table);
    let location = shared.rest.location(&intent.table.dataset).await.map_err(|f| f.into_run_error(&doing))?;
    if let Found::Done { id, script } =
        find(shared, &intent.load, &location).await.map_err(|f| f.into_run_error(&doing))?
    {
        return Ok(Settled::Committed { reference: same(intent, tables, &id, &script)? });
    }
    for (name, rows) in tables.iter() {
        let table = shared.rest.table(name).await.map_err(|f| f.into_run_error(&doing))?;
        let Some(table) = table else {
            return Ok(Settled::Lost { reason: format!("staging table {name} is gone") });
        };
        if let Some(has) = table.num_rows
            && has != *rows
        {
            return Ok(Settled::Lost { reason: format!("staging table {name} holds {has} rows instead of {rows}") });
        }
    }
    Ok(Settled::Intact)
}

/// The job under the load's id must be this commit and not that of another attempt, whose rows would be other ones.
fn same(intent: &CommitIntent, tables: &Tables, id: &str, script: &str) -> Result<String, RunError> {
    match tables.iter().find(|(table, _)| !script.contains(&table.table)) {
        None => Ok(format!("job {id}")),
        Some((table, _)) => {
            let text = format!(
                "load {} was committed by job {id} with other rows than those of staging table {table}; \
                 nothing more is committed under its name",
                intent.load
            );
            Err(RunError::new(Kind::Internal, Actor::Host, text))
        }
    }
}

async fn script(shared: &Shared, intent: &CommitIntent, tables: &Tables) -> Result<String, RunError> {
    let target = columns(shared, &intent.table).await?;
    let mut staged = Vec::with_capacity(tables.rows.len());
    let mut rows = 0_u64;
    for (name, count) in &tables.rows {
        staged.push(Staged { name: name.clone(), columns: columns(shared, name).await? });
        rows = rows.saturating_add(*count);
    }
    let replaced = match intent.strategy {
        LoadStrategy::Catalog { snapshot_date } => Replaced::Day(snapshot_date),
        LoadStrategy::Files if !tables.names.is_empty() => Replaced::Files(&tables.names),
        LoadStrategy::Transactional | LoadStrategy::Files => Replaced::Nothing,
    };
    Ok(swap_script(&shared.config.project, &intent.table, &target, &staged, replaced, rows))
}

async fn columns(
    shared: &Shared,
    name: &TableName,
) -> Result<Vec<google_cloud_bigquery_v2::model::TableFieldSchema>, RunError> {
    let table = shared.rest.table(name).await.map_err(|f| f.into_run_error(&format!("reading table {name}")))?;
    match table {
        Some(table) => Ok(table.schema.map(|schema| schema.fields).unwrap_or_default()),
        None => {
            let text = format!("table {name} is gone; the load has to be read again");
            Err(RunError::new(Kind::NotFound, Actor::Sink, text))
        }
    }
}
