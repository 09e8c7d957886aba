//! What happened in a run that ended, worked out from what is recorded of it. Pure, and the same whoever asks and however often.
//!
//! To add an event: a function here that finds it in the facts, and its kind in `sluice_core::notify`.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use sluice_core::connector::lies_with_connector;
use sluice_core::error::{Actor, Kind};
use sluice_core::notify::anomaly::zero_rows;
use sluice_core::notify::{Event, EventKind, events_of_run};
use sluice_core::quality::Level;
use sluice_core::request::RequestState;
use sluice_core::run::StreamCounts;
use sluice_store::{LoadState, RunRecord, RunRequest, StreamRecord};

use super::message::Detail;
use crate::service::schedule::instant;

/// What is recorded of a run that ended.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The run.
    pub run: &'a RunRequest,
    /// Whether the pipeline's run before it failed.
    pub failed_before: bool,
    /// Its attempts, the first one first.
    pub attempts: Vec<RunRecord>,
    /// Of streams that had no rows: how many rows they had in the runs before, the newest first.
    pub rows_before: BTreeMap<String, Vec<u64>>,
}

impl<'a> Facts<'a> {
    /// Of a run of which nothing else is known yet.
    pub fn of(run: &'a RunRequest) -> Self {
        Self { run, failed_before: false, attempts: Vec::new(), rows_before: BTreeMap::new() }
    }

    /// The loads of tables, of all attempts; those of quarantines are left out.
    fn loads(&self) -> impl Iterator<Item = &StreamRecord> {
        let loads = self.attempts.iter().flat_map(|attempt| &attempt.streams);
        loads.filter(|load| !load.load.as_str().ends_with("-q"))
    }

    fn succeeded(&self) -> bool {
        self.run.state == RequestState::Succeeded
    }
}

/// Something that happened, and what a person would want to know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    /// What.
    pub event: Event,
    /// In which stream, and what exactly.
    pub details: Vec<Detail>,
}

/// Everything that happened in a run, the outcome first.
pub fn happened(facts: &Facts<'_>) -> Vec<Happened> {
    let mut found: Vec<(EventKind, String, Vec<Detail>)> = Vec::new();
    for kind in events_of_run(facts.succeeded(), facts.failed_before) {
        found.push((*kind, String::new(), Vec::new()));
    }
    found.extend(
        schema_changes(facts).into_iter().map(|(subject, details)| (EventKind::SchemaChange, subject, details)),
    );
    found.extend(
        warnings(facts).into_iter().map(|(subject, detail)| (EventKind::QualityWarning, subject, vec![detail])),
    );
    found.extend(empty(facts).into_iter().map(|(subject, detail)| (EventKind::ZeroRows, subject, vec![detail])));
    found.extend(refused(facts).map(|(subject, detail)| (EventKind::QuotaRisk, subject, vec![detail])));
    found.extend(went_back(facts).map(|(subject, detail)| (EventKind::ConnectorRollback, subject, vec![detail])));
    let at = instant(facts.run.ended_us.unwrap_or(facts.run.queued_us));
    let happened = found.into_iter().enumerate().map(|(index, (kind, subject, details))| {
        let id = format!("{}:{index}", facts.run.asked.id);
        let event = Event { id, kind, pipeline: facts.run.asked.pipeline.clone(), subject, at };
        Happened { event, details }
    });
    happened.collect()
}

/// Streams of a run that succeeded which had no rows, in all of its attempts together.
pub fn without_rows(facts: &Facts<'_>) -> Vec<String> {
    if !facts.succeeded() {
        return Vec::new();
    }
    counts(facts).into_iter().filter(|(_, _, counts)| counts.committed == 0).map(|(stream, _, _)| stream).collect()
}

/// What became of the rows of each stream, over all attempts, as (stream, table, counts): what an attempt that failed has committed of a
/// stream is part of the run.
pub fn counts(facts: &Facts<'_>) -> Vec<(String, String, StreamCounts)> {
    let mut order: Vec<&str> = Vec::new();
    let mut all: BTreeMap<&str, (String, StreamCounts)> = BTreeMap::new();
    for load in facts.loads().filter(|load| load.state == LoadState::Committed) {
        let (_, sum) = all.entry(&load.stream).or_insert_with(|| {
            order.push(&load.stream);
            (format!("{}.{}", load.table.dataset, load.table.table), StreamCounts::default())
        });
        let counts = &load.counts;
        sum.read = sum.read.saturating_add(counts.read);
        sum.quarantined = sum.quarantined.saturating_add(counts.quarantined);
        sum.nulled = sum.nulled.saturating_add(counts.nulled);
        sum.sent = sum.sent.saturating_add(counts.sent);
        sum.finalized = sum.finalized.saturating_add(counts.finalized);
        sum.committed = sum.committed.saturating_add(counts.committed);
        sum.bytes = sum.bytes.saturating_add(counts.bytes);
    }
    let found = order.into_iter().filter_map(|stream| all.get(stream).map(|(table, sum)| (stream, table, sum)));
    found.map(|(stream, table, sum)| (stream.to_owned(), table.clone(), sum.clone())).collect()
}

/// One for each stream. The load that brought the change may be one of an attempt that failed: the next one found nothing new.
fn schema_changes(facts: &Facts<'_>) -> Vec<(String, Vec<Detail>)> {
    let mut by_stream: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for load in facts.loads() {
        by_stream.entry(&load.stream).or_default().extend(load.schema_changes.iter().map(ToString::to_string));
    }
    let changed = by_stream.into_iter().filter(|(_, changes)| !changes.is_empty());
    let told = changed.map(|(stream, changes)| {
        // The same changes are the same news, and names of columns may be long.
        let digest = Sha256::digest(changes.join("\n"));
        let subject = format!("{stream} {}", sluice_core::hex(digest.get(..8).unwrap_or_default()));
        (subject, changes.into_iter().map(|text| Detail::new(Some(stream), &text)).collect())
    });
    told.collect()
}

/// What checks that only warn found in the rows that are visible now.
fn warnings(facts: &Facts<'_>) -> Vec<(String, Detail)> {
    let mut last: BTreeMap<&str, &StreamRecord> = BTreeMap::new();
    for load in facts.loads().filter(|load| load.state == LoadState::Committed) {
        last.insert(&load.stream, load);
    }
    let found = last.values().flat_map(|load| load.findings.iter().map(move |finding| (&load.stream, finding)));
    let warned = found.filter(|(_, finding)| finding.level == Level::Warn);
    let told = warned.map(|(stream, finding)| {
        let text = format!("check {}: {}", finding.label, finding.message);
        (format!("{stream} {}", finding.label), Detail::new(Some(stream), &text))
    });
    told.collect()
}

fn empty(facts: &Facts<'_>) -> Vec<(String, Detail)> {
    let streams = without_rows(facts).into_iter();
    let strange = streams.filter_map(|stream| {
        let before = facts.rows_before.get(&stream)?;
        zero_rows(0, before).then(|| {
            let usual = before.iter().filter(|rows| **rows > 0).count();
            let text = format!("no rows, though {usual} of the {} runs before had some", before.len());
            (stream.clone(), Detail::new(Some(&stream), &text))
        })
    });
    strange.collect()
}

/// Attempts that were refused because a rate or a quota was used up, in a run that succeeded all the same. One that failed says so
/// itself.
fn refused(facts: &Facts<'_>) -> Option<(String, Detail)> {
    if !facts.succeeded() {
        return None;
    }
    let refused: BTreeSet<&str> =
        facts.attempts.iter().filter_map(|attempt| by_whom(attempt.error.as_ref()?)).collect();
    let whom = refused.into_iter().collect::<Vec<_>>().join(" and the ");
    (!whom.is_empty()).then(|| {
        let text = format!(
            "the {whom} refused an attempt because a rate limit or quota was used up; a later attempt succeeded"
        );
        (whom.clone(), Detail::new(None, &text))
    })
}

/// An attempt that failed because of its connector, and one after it with another version: runs went back to that.
fn went_back(facts: &Facts<'_>) -> Option<(String, Detail)> {
    let pairs = facts.attempts.iter().zip(facts.attempts.iter().skip(1));
    let mut changed = pairs.filter(|(failed, next)| failed.connector_digest != next.connector_digest);
    changed.find_map(|(failed, next)| {
        let error = failed.error.as_ref().filter(|error| lies_with_connector(error) || was_brought_down(error))?;
        let text = format!(
            "an attempt with {} failed where the version before had succeeded, so runs use {} again: {}",
            failed.connector, next.connector, error.message
        );
        Some((failed.connector_digest.clone(), Detail::new(None, &text)))
    })
}

/// Whether the attempt's process ended before it did, as the store has recorded it.
fn was_brought_down(error: &sluice_core::RunError) -> bool {
    error.kind == Kind::Internal && error.actor == Actor::Host
}

fn by_whom(error: &sluice_core::RunError) -> Option<&'static str> {
    let used_up = error.kind == Kind::RateLimited || (error.kind == Kind::Resources && error.actor != Actor::Host);
    used_up.then_some(match error.actor {
        Actor::Sink => "sink",
        Actor::Host => "host",
        Actor::Source | Actor::User => "source",
    })
}
