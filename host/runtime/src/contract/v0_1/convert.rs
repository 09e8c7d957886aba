//! From the contract's types to the host's words, bounding everything that a guest says.

use std::sync::Arc;
use std::time::Duration;

use arrow_schema::SchemaRef;
use sluice_core::error::{Actor, Kind, Retry, RunError};
use sluice_core::plan::{
    ChangedFiles, CheckStep, Cursor, DiscoverFilter, DiscoverPage, Outcome, PlanHints, ReadMode, ReadPlan, Selection,
    Split, StreamInfo, StreamKind, StreamPlan,
};

use super::bindings::exports::sluice::source::source as wit;
use super::bindings::sluice::source::types::{Error, ErrorKind};
use crate::fault::Fault;
use crate::text::printable;
use crate::validate;

/// Longest message of an error, bytes.
const MAX_MESSAGE: usize = 4 << 10;
/// Longest other text of a guest's, bytes.
const MAX_TEXT: usize = 4 << 10;
/// Longest descriptor of a split, bytes.
const MAX_DESCRIPTOR: usize = 1 << 20;
/// Most splits of a plan.
const MAX_SPLITS: usize = 100_000;

pub(super) fn error(error: Error) -> RunError {
    let (kind, actor) = match error.kind {
        ErrorKind::Config => (Kind::Config, Actor::User),
        ErrorKind::Auth => (Kind::Auth, Actor::User),
        ErrorKind::Permission => (Kind::Permission, Actor::User),
        ErrorKind::NotFound => (Kind::NotFound, Actor::User),
        ErrorKind::Expired => (Kind::Expired, Actor::Source),
        ErrorKind::Unsupported => (Kind::Unsupported, Actor::User),
        ErrorKind::RateLimited => (Kind::RateLimited, Actor::Source),
        ErrorKind::Transient => (Kind::Transient, Actor::Source),
        ErrorKind::Protocol => (Kind::Protocol, Actor::Source),
        ErrorKind::Cancelled => (Kind::Cancelled, Actor::Host),
        ErrorKind::Internal => (Kind::Internal, Actor::Source),
    };
    let mut result = RunError::new(kind, actor, printable(&error.message, MAX_MESSAGE));
    if let (Some(wait), Kind::RateLimited | Kind::Transient) = (error.retry_after_ms, kind) {
        // A guest cannot postpone a run for ever.
        result = result.with_retry(Retry::After(Duration::from_millis(wait.min(24 * 3600 * 1000))));
    }
    if let Some(field) = error.field {
        result = result.with_field(printable(&field, MAX_TEXT));
    }
    match error.stream_id {
        Some(stream) => result.with_stream(printable(&stream, MAX_TEXT)),
        None => result,
    }
}

pub(super) fn check_steps(steps: Vec<wit::CheckStep>) -> Vec<CheckStep> {
    let step = |step: wit::CheckStep| CheckStep {
        name: printable(&step.name, 200),
        outcome: match step.outcome {
            wit::Outcome::Passed => Outcome::Passed,
            wit::Outcome::Warned => Outcome::Warned,
            wit::Outcome::Failed => Outcome::Failed,
            wit::Outcome::Skipped => Outcome::Skipped,
        },
        detail: printable(&step.detail, MAX_TEXT),
        remedy: printable(&step.remedy, MAX_TEXT),
    };
    steps.into_iter().take(100).map(step).collect()
}

pub(super) fn filter(filter: &DiscoverFilter) -> wit::DiscoverFilter {
    wit::DiscoverFilter { contains: filter.contains.clone(), ids: filter.ids.clone(), page_size: filter.page_size }
}

pub(super) fn discover_page(page: wit::DiscoverPage) -> wasmtime::Result<DiscoverPage> {
    let streams = page.streams.into_iter().map(stream_info).collect::<wasmtime::Result<_>>()?;
    Ok(DiscoverPage { streams, next: page.next })
}

fn stream_info(info: wit::StreamInfo) -> wasmtime::Result<StreamInfo> {
    let id = bounded_id(info.id)?;
    Ok(StreamInfo {
        kind: match info.kind {
            wit::StreamKind::Table => StreamKind::Table,
            wit::StreamKind::View => StreamKind::View,
            wit::StreamKind::MaterializedView => StreamKind::MaterializedView,
            wit::StreamKind::PartitionedTable => StreamKind::PartitionedTable,
            wit::StreamKind::Query => StreamKind::Query,
            wit::StreamKind::Files => StreamKind::Files,
            wit::StreamKind::Other => StreamKind::Other,
        },
        schema: schema(&id, &info.schema)?,
        id,
        primary_key: info.primary_key,
        cursor_candidates: info.cursor_candidates,
        rows: info.rows,
        bytes: info.bytes,
        description: info.description.map(|text| printable(&text, MAX_TEXT)),
    })
}

fn schema(stream: &str, message: &[u8]) -> wasmtime::Result<SchemaRef> {
    let decoded = validate::schema::decode(message)
        .map_err(|refused| Fault::Schema { stream: stream.to_owned(), reason: refused.0 })?;
    Ok(Arc::new(decoded))
}

fn bounded_id(id: String) -> wasmtime::Result<String> {
    if id.is_empty() || id.len() > 1024 {
        let reason = format!("a stream's id has {} bytes; it must have 1 to 1,024", id.len());
        return Err(Fault::Contract { reason }.into());
    }
    if let Some(c) = id.chars().find(|c| crate::text::acts(*c)) {
        let reason = format!("the stream's id {} holds the character U+{:04X}", printable(&id, 80), u32::from(c));
        return Err(Fault::Contract { reason }.into());
    }
    Ok(id)
}

pub(super) fn selection(selection: &Selection) -> wit::Selection {
    wit::Selection {
        id: selection.id.clone(),
        columns: selection.columns.clone(),
        mode: match &selection.mode {
            ReadMode::Full => wit::ReadMode::Full,
            ReadMode::Incremental(column) => wit::ReadMode::Incremental(column.clone()),
        },
        filter: selection.filter.clone(),
        changed_files: selection.changed_files.map(changed_files),
        state: selection.state.as_ref().map(|cursor| cursor.0.clone()),
    }
}

fn changed_files(policy: ChangedFiles) -> wit::ChangedFiles {
    match policy {
        ChangedFiles::Append => wit::ChangedFiles::Append,
        ChangedFiles::Tail => wit::ChangedFiles::Tail,
        ChangedFiles::Replace => wit::ChangedFiles::Replace,
        ChangedFiles::Ignore => wit::ChangedFiles::Ignore,
        ChangedFiles::Fail => wit::ChangedFiles::Fail,
    }
}

pub(super) fn hints(hints: PlanHints) -> wit::PlanHints {
    wit::PlanHints { max_parallel: hints.max_parallel, split_bytes: hints.split_bytes, batch_bytes: hints.batch_bytes }
}

pub(super) fn read_plan(plan: wit::ReadPlan) -> wasmtime::Result<ReadPlan> {
    if plan.splits.len() > MAX_SPLITS {
        let reason = format!("{} splits were planned; at most {MAX_SPLITS} are taken", plan.splits.len());
        return Err(Fault::Contract { reason }.into());
    }
    let mut ids = std::collections::HashSet::new();
    if let Some(twice) = plan.splits.iter().find(|split| !ids.insert(&split.id)) {
        let reason = format!("two splits have the id {}", printable(&twice.id, 80));
        return Err(Fault::Contract { reason }.into());
    }
    let streams = plan.streams.into_iter().map(stream_plan).collect::<wasmtime::Result<_>>()?;
    let splits = plan.splits.into_iter().map(split_in).collect::<wasmtime::Result<_>>()?;
    Ok(ReadPlan { streams, splits, expires: plan.expires })
}

fn stream_plan(plan: wit::StreamPlan) -> wasmtime::Result<StreamPlan> {
    let id = bounded_id(plan.id)?;
    Ok(StreamPlan {
        schema: schema(&id, &plan.schema)?,
        id,
        rows: plan.rows,
        bytes: plan.bytes,
        state_after: plan.state_after.map(cursor).transpose()?,
    })
}

/// A cursor within the contract's bound.
pub(super) fn cursor(bytes: Vec<u8>) -> wasmtime::Result<Cursor> {
    if bytes.len() > Cursor::MAX_BYTES {
        let reason = format!("a cursor has {} bytes; at most {} are kept", bytes.len(), Cursor::MAX_BYTES);
        return Err(Fault::Contract { reason }.into());
    }
    Ok(Cursor(bytes))
}

fn split_in(split: wit::Split) -> wasmtime::Result<Split> {
    let id_fits = (1..=200).contains(&split.id.chars().count());
    if !id_fits || split.descriptor.len() > MAX_DESCRIPTOR || split.stream_ids.is_empty() {
        let reason = format!(
            "split {} must have an id of 1 to 200 characters, a descriptor of at most 1 MiB and at least one stream",
            printable(&split.id, 80)
        );
        return Err(Fault::Contract { reason }.into());
    }
    Ok(Split {
        id: split.id,
        stream_ids: split.stream_ids,
        descriptor: split.descriptor,
        rows: split.rows,
        bytes: split.bytes,
        resumable: split.resumable,
    })
}

pub(super) fn split(split: &Split) -> wit::Split {
    wit::Split {
        id: split.id.clone(),
        stream_ids: split.stream_ids.clone(),
        descriptor: split.descriptor.clone(),
        rows: split.rows,
        bytes: split.bytes,
        resumable: split.resumable,
    }
}
