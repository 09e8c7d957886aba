//! Commits, what became of a commit, and giving up.
//!
//! Write streams become visible by one `BatchCommitWriteStreams`, staged rows by one script that is a transaction. A load
//! that has both (rows inside and outside of the Write API's window) takes both steps, streams first; until the second
//! one is done [`settle`] answers `Intact`, and committing again does only what is missing.

use std::time::Duration;

use sluice_core::RunError;
use sluice_core::commit::{CommitError, CommitIntent, Settled};
use sluice_core::error::{Actor, Kind};
use sluice_core::load::{Artifact, CommitReceipt, LoadStrategy, TableName};

use super::Shared;
use super::admin::{Admin, Timestamp};
use super::errors::Failure;
use super::retry::{pause, repeatedly};
use super::swap;
use super::table::resource;

/// How long a commit may be at work that nobody waits for any more, before it is looked at again.
const GRACE: Duration = Duration::from_secs(1);
/// Looks at a commit that is half made, before it is called broken.
const LOOKS: u32 = 30;

/// What an artifact's name stands for.
pub(crate) enum Place {
    /// A write stream, by its resource name.
    Stream(String),
    /// A staging table.
    Table(TableName),
}

/// The places of a commit, streams and tables apart.
pub(crate) struct Places {
    pub(crate) streams: Vec<String>,
    pub(crate) tables: Tables,
}

/// Staging tables and how many rows each holds.
#[derive(Default)]
pub(crate) struct Tables {
    /// Of the load's rows.
    pub(crate) rows: Vec<(TableName, u64)>,
    /// Of the names of files whose rows are replaced.
    pub(crate) names: Vec<(TableName, u64)>,
}

impl Tables {
    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(TableName, u64)> {
        self.rows.iter().chain(&self.names)
    }
}

impl Places {
    pub(crate) fn of(intent: &CommitIntent) -> Result<Self, RunError> {
        let mut places = Self { streams: Vec::new(), tables: Tables::default() };
        for artifact in &intent.artifacts {
            match place(&artifact.name)? {
                Place::Stream(name) => places.streams.push(name),
                Place::Table(name) => places.tables.rows.push((name, artifact.rows)),
            }
        }
        for artifact in &intent.replaced {
            match place(&artifact.name)? {
                Place::Table(name) => places.tables.names.push((name, artifact.rows)),
                Place::Stream(name) => {
                    return Err(RunError::internal(format!("names of files are staged in a table, not in {name}")));
                }
            }
        }
        Ok(places)
    }

    /// Whether a script is part of the commit. A catalog has one even without rows: its day becomes empty.
    fn has_script(&self, strategy: LoadStrategy) -> bool {
        self.tables.iter().next().is_some() || matches!(strategy, LoadStrategy::Catalog { .. })
    }
}

fn place(name: &str) -> Result<Place, RunError> {
    let parts: Vec<_> = name.split('/').collect();
    match parts.as_slice() {
        ["projects", _, "datasets", _, "tables", _, "streams", _] => Ok(Place::Stream(name.to_owned())),
        ["projects", _, "datasets", dataset, "tables", table] => {
            Ok(Place::Table(TableName { dataset: (*dataset).to_owned(), table: (*table).to_owned() }))
        }
        _ => Err(RunError::internal(format!("{name} is neither a write stream nor a staging table of BigQuery"))),
    }
}

pub(crate) async fn commit(shared: &Shared, intent: &CommitIntent) -> Result<CommitReceipt, CommitError> {
    let places = Places::of(intent).map_err(CommitError::Refused)?;
    let mut references = Vec::new();
    if !places.streams.is_empty() {
        references.push(commit_streams(shared, intent, &places).await?);
    }
    if places.has_script(intent.strategy) {
        let swapped = swap::commit(shared, intent, &places.tables).await;
        references.push(swapped.map_err(|error| match error {
            // The streams are visible already, so this is no clean refusal any more.
            CommitError::Refused(error) if !places.streams.is_empty() => CommitError::Unclear(error),
            other => other,
        })?);
    }
    let reference = if references.is_empty() { "no rows".to_owned() } else { references.join(", ") };
    Ok(CommitReceipt { load: intent.load.clone(), rows_committed: intent.rows, reference })
}

async fn commit_streams(shared: &Shared, intent: &CommitIntent, places: &Places) -> Result<String, CommitError> {
    let table = resource(&shared.config.project, &intent.table);
    let doing = format!("committing {} write streams of table {}", places.streams.len(), intent.table);
    let answer = match shared.admin.session() {
        Ok(session) => session.commit(&table, places.streams.clone()).await,
        Err(failure) => Err(failure),
    };
    let answer = answer.map_err(|failure| {
        let refused = failure.is_refusal();
        let error = failure.into_run_error(&doing);
        if refused { CommitError::Refused(error) } else { CommitError::Unclear(error) }
    })?;
    if let (Some(time), true) = (answer.commit_time, answer.stream_errors.is_empty()) {
        return Ok(committed_at(time));
    }
    // None is committed by this call. An earlier call that was never answered may have committed them.
    match streams_settled(shared, &places.streams, None).await {
        Ok(Settled::Committed { reference }) => Ok(reference),
        Ok(_) => {
            let why: Vec<_> =
                answer.stream_errors.iter().take(3).map(|e| format!("{}: {}", e.entity, e.error_message)).collect();
            let text = format!("{doing}: BigQuery committed none of them: {}", why.join("; "));
            Err(CommitError::Refused(RunError::new(Kind::Protocol, Actor::Sink, text)))
        }
        Err(error) => Err(CommitError::Unclear(error)),
    }
}

pub(crate) async fn settle(shared: &Shared, intent: &CommitIntent) -> Result<Settled, RunError> {
    let places = Places::of(intent)?;
    let has_script = places.has_script(intent.strategy);
    let mut references = Vec::new();
    if !places.streams.is_empty() {
        match streams_settled(shared, &places.streams, Some(&intent.artifacts)).await? {
            Settled::Committed { reference } => references.push(reference),
            other => return Ok(other),
        }
    }
    if has_script {
        match swap::settle(shared, intent, &places.tables).await? {
            Settled::Committed { reference } => references.push(reference),
            Settled::Lost { reason } if !places.streams.is_empty() => {
                // Half of the load is visible: reading it again would double that half.
                let text = format!(
                    "load {} into {} is half committed and the other half is gone: {reason}; \
                     delete its rows by hand before it is loaded again",
                    intent.load, intent.table
                );
                return Err(RunError::new(Kind::Internal, Actor::Sink, text));
            }
            other => return Ok(other),
        }
    }
    let reference = if references.is_empty() { "no rows".to_owned() } else { references.join(", ") };
    Ok(Settled::Committed { reference })
}

/// What became of streams. With `artifacts`, what is not committed is checked to be whole.
async fn streams_settled(
    shared: &Shared,
    streams: &[String],
    artifacts: Option<&[Artifact]>,
) -> Result<Settled, RunError> {
    let mut looked = 0;
    loop {
        let seen = look(shared, streams).await?;
        looked += 1;
        match seen {
            Seen::Gone(name) => return Ok(Settled::Lost { reason: format!("write stream {name} is gone") }),
            Seen::All(reference) => return Ok(Settled::Committed { reference }),
            // The request whose answer was lost may be at work just now, so one look is not enough.
            Seen::None if looked < 2 => tokio::time::sleep(GRACE).await,
            Seen::None => {
                return match artifacts {
                    Some(artifacts) => whole(shared, artifacts).await,
                    None => Ok(Settled::Intact),
                };
            }
            // A commit is all or nothing: it is being made.
            Seen::Some(_) if looked < LOOKS => tokio::time::sleep(GRACE).await,
            Seen::Some(count) => {
                let text = format!("{count} of {} write streams are committed and the others are not", streams.len());
                return Err(RunError::new(Kind::Transient, Actor::Sink, text));
            }
        }
    }
}

/// How many of a commit's streams are committed.
enum Seen {
    None,
    Some(usize),
    All(String),
    Gone(String),
}

async fn look(shared: &Shared, streams: &[String]) -> Result<Seen, RunError> {
    let mut reference = None;
    let mut committed = 0;
    for name in streams {
        let state = stream_state(&shared.admin, name)
            .await
            .map_err(|f| f.into_run_error(&format!("reading write stream {name}")))?;
        let Some(state) = state else { return Ok(Seen::Gone(name.clone())) };
        if let Some(time) = state.commit_time {
            committed += 1;
            reference = Some(committed_at(time));
        }
    }
    Ok(match reference {
        Some(reference) if committed == streams.len() => Seen::All(reference),
        Some(_) => Seen::Some(committed),
        None => Seen::None,
    })
}

/// Whether streams that are not committed hold what they should. They are closed already: closing again only counts.
async fn whole(shared: &Shared, artifacts: &[Artifact]) -> Result<Settled, RunError> {
    for artifact in artifacts.iter().filter(|a| a.name.contains("/streams/")) {
        match finalize(&shared.admin, &artifact.name).await {
            Ok(rows) if rows == artifact.rows => {}
            Ok(rows) => {
                let reason = format!("write stream {} holds {rows} rows instead of {}", artifact.name, artifact.rows);
                return Ok(Settled::Lost { reason });
            }
            // An implementation that does not close twice has closed it with the recorded count before.
            Err(failure) if failure.is_refusal() => {}
            Err(failure) => {
                return Err(failure.into_run_error(&format!("counting the rows of write stream {}", artifact.name)));
            }
        }
    }
    Ok(Settled::Intact)
}

/// Gives up artifacts: staging tables are deleted, streams are closed and expire by themselves.
pub(crate) async fn abandon(shared: &Shared, artifacts: &[Artifact]) -> Result<(), RunError> {
    let mut first = None;
    for artifact in artifacts {
        let result = match place(&artifact.name)? {
            Place::Table(table) => shared.rest.delete_table(&table).await,
            Place::Stream(stream) => match finalize(&shared.admin, &stream).await {
                // Gone, or closed before: never to become visible, which is all that is wanted.
                Err(failure) if failure.is_refusal() => Ok(()),
                other => other.map(|_| ()),
            },
        };
        if let Err(failure) = result {
            first.get_or_insert(failure.into_run_error(&format!("giving up {}", artifact.name)));
        }
    }
    first.map_or(Ok(()), Err)
}

/// Closes a stream and counts its rows, however often it takes: each time over a new connection.
pub(crate) async fn finalize(admin: &Admin, stream: &str) -> Result<u64, Failure> {
    repeatedly(|| async { admin.session()?.finalize(stream).await }).await
}

async fn stream_state(admin: &Admin, stream: &str) -> Result<Option<super::admin::Stream>, Failure> {
    let mut asked = 0;
    loop {
        asked += 1;
        let state = match admin.session() {
            Ok(session) => session.stream(stream, false).await,
            Err(failure) => Err(failure),
        };
        match state {
            Err(failure) if failure.is_transient() && asked < 7 => tokio::time::sleep(pause(asked)).await,
            other => return other,
        }
    }
}

fn committed_at(time: Timestamp) -> String {
    let at = jiff::Timestamp::new(time.seconds, time.nanos);
    at.map_or_else(|_| format!("committed at {}", time.seconds), |at| format!("committed at {at}"))
}
