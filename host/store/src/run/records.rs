//! What is recorded of runs and of every load in them, read back.

use sluice_core::RunError;
use sluice_core::load::{LoadId, TableName};
use sluice_core::notify::schema::SchemaChange;
use sluice_core::quality::Finding;
use sluice_core::run::{RunState, StreamCounts};

use super::runs::{LoadState, state_word};
use crate::db::{Row, built, sql};
use crate::{Scope, Store};

/// What is recorded of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord {
    /// The run.
    pub id: String,
    /// Its pipeline.
    pub pipeline: String,
    /// Where it is.
    pub state: RunState,
    /// The connector's name and version.
    pub connector: String,
    /// The sha256 of the component.
    pub connector_digest: String,
    /// The contract's version.
    pub contract: String,
    /// A fingerprint of the pipeline's definition.
    pub pipeline_fingerprint: String,
    /// When it began, in microseconds.
    pub started_us: i64,
    /// When it ended.
    pub ended_us: Option<i64>,
    /// Why it failed.
    pub error: Option<RunError>,
    /// Its loads, in the order in which they began.
    pub streams: Vec<StreamRecord>,
}

/// What is recorded of a load.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamRecord {
    /// The load.
    pub load: LoadId,
    /// The stream.
    pub stream: String,
    /// The table.
    pub table: TableName,
    /// Where it is.
    pub state: LoadState,
    /// What happened to every row.
    pub counts: StreamCounts,
    /// The sink's own words for the commit.
    pub commit_reference: Option<String>,
    /// Why it failed.
    pub error: Option<RunError>,
    /// How the table's columns differ from those of the load before.
    pub schema_changes: Vec<SchemaChange>,
    /// What its data-quality checks found.
    pub findings: Vec<Finding>,
}

impl Store {
    /// The last runs, the newest first: of one pipeline, or of all.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn last_runs(
        &self,
        scope: Scope<'_>,
        pipeline: Option<&str>,
        limit: u32,
    ) -> Result<Vec<RunRecord>, RunError> {
        let doing = "reading the last runs";
        let rows = sql(
            "SELECT id, pipeline, state, connector, connector_digest, contract, pipeline_fingerprint, started_us, \
             ended_us, error FROM runs WHERE tenant = $1 AND ($2 IS NULL OR pipeline = $2) \
             ORDER BY started_us DESC, id DESC LIMIT $3",
        )
        .bind(scope.tenant)
        .bind(pipeline)
        .bind(i64::from(limit))
        .all_on(&self.db, doing)
        .await?;
        let mut runs = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut run = run_of(row)?;
            run.streams = self.streams_of(scope, &run.id).await?;
            runs.push(run);
        }
        Ok(runs)
    }

    /// The attempts of a run that was asked for, the first one first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn attempts_of(&self, scope: Scope<'_>, request: &str) -> Result<Vec<RunRecord>, RunError> {
        let rows = sql(
            "SELECT id, pipeline, state, connector, connector_digest, contract, pipeline_fingerprint, started_us, \
             ended_us, error FROM runs WHERE tenant = $1 AND request = $2 ORDER BY attempt",
        )
        .bind(scope.tenant)
        .bind(request)
        .all_on(&self.db, "reading the attempts of a run")
        .await?;
        let mut runs = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut run = run_of(row)?;
            run.streams = self.streams_of(scope, &run.id).await?;
            runs.push(run);
        }
        Ok(runs)
    }

    /// What one attempt of a run has committed to tables, all streams together; quarantines are not in it, and nothing of a stream that
    /// was not committed.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn committed_by(&self, scope: Scope<'_>, request: &str, attempt: u32) -> Result<StreamCounts, RunError> {
        let sum = |column: &str| format!("CAST(COALESCE(SUM(s.{column}), 0) AS BIGINT) AS {column}");
        let sums: Vec<String> = SUMMED.into_iter().map(sum).collect();
        // Loads of quarantines end in `-q`.
        let text = format!(
            "SELECT {} FROM runs r JOIN run_streams s ON s.tenant = r.tenant AND s.run_id = r.id \
             WHERE r.tenant = $1 AND r.request = $2 AND r.attempt = $3 AND s.state = 'committed' AND s.load_id NOT LIKE '%-q'",
            sums.join(", ")
        );
        let row = built(text).bind(scope.tenant).bind(request).bind(attempt);
        let Some(row) = row.one_on(&self.db, "counting what an attempt has committed").await? else {
            return Ok(StreamCounts::default());
        };
        counts(&row)
    }

    async fn streams_of(&self, scope: Scope<'_>, run: &str) -> Result<Vec<StreamRecord>, RunError> {
        let rows = sql(
            "SELECT load_id, stream, dataset_name, table_name, state, rows_read, rows_quarantined, values_nulled, \
             rows_sent, rows_finalized, rows_committed, bytes_read, commit_reference, error, schema_changes, findings FROM run_streams \
             WHERE tenant = $1 AND run_id = $2 ORDER BY started_us, load_id",
        )
        .bind(scope.tenant)
        .bind(run)
        .all_on(&self.db, "reading the loads of a run")
        .await?;
        rows.iter().map(stream).collect()
    }
}

fn run_of(row: &Row) -> Result<RunRecord, RunError> {
    Ok(RunRecord {
        id: row.text("id")?,
        pipeline: row.text("pipeline")?,
        state: row.word("state", parse_state)?,
        connector: row.text("connector")?,
        connector_digest: row.text("connector_digest")?,
        contract: row.text("contract")?,
        pipeline_fingerprint: row.text("pipeline_fingerprint")?,
        started_us: row.number("started_us")?,
        ended_us: row.get("ended_us")?,
        error: row.optional_json("error")?,
        streams: Vec::new(),
    })
}

fn stream(row: &Row) -> Result<StreamRecord, RunError> {
    Ok(StreamRecord {
        load: LoadId::from(row.text("load_id")?),
        stream: row.text("stream")?,
        table: TableName { dataset: row.text("dataset_name")?, table: row.text("table_name")? },
        state: row.word("state", LoadState::parse)?,
        counts: counts(row)?,
        commit_reference: row.get("commit_reference")?,
        error: row.optional_json("error")?,
        schema_changes: row.optional_json("schema_changes")?.unwrap_or_default(),
        findings: row.optional_json("findings")?.unwrap_or_default(),
    })
}

fn parse_state(text: &str) -> Option<RunState> {
    [RunState::Running, RunState::Succeeded, RunState::Failed, RunState::Stopped]
        .into_iter()
        .find(|state| state_word(*state) == text)
}

/// The columns of a reconciliation record.
const SUMMED: [&str; 7] =
    ["rows_read", "rows_quarantined", "values_nulled", "rows_sent", "rows_finalized", "rows_committed", "bytes_read"];

fn counts(row: &Row) -> Result<StreamCounts, RunError> {
    Ok(StreamCounts {
        read: row.count("rows_read")?,
        quarantined: row.count("rows_quarantined")?,
        nulled: row.count("values_nulled")?,
        sent: row.count("rows_sent")?,
        finalized: row.count("rows_finalized")?,
        committed: row.count("rows_committed")?,
        bytes: row.count("bytes_read")?,
    })
}
