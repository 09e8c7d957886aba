//! Whether a stream's table is as the store expects it, before anything is planned, read or committed. The comparison is
//! `sluice_core::mark`'s; this asks the sink and the store, and keeps what is found.

use std::collections::HashMap;

use futures::StreamExt;
use sluice_core::RunError;
use sluice_core::commit::{CommitIntent, Settled};
use sluice_core::load::{LoadStrategy, TableName};
use sluice_core::mark::{Divergence, Expected, Standing, Verdict, compare, may_read_again};
use sluice_core::pipeline::{LoadSpec, ReadSpec, StreamSpec};
use sluice_core::run::StreamState;
use sluice_sinks::Sink;
use sluice_store::OpenIntent;

use crate::books::Books;
use crate::run::{Run, table_of};

/// Tables that are asked for at once.
const AT_ONCE: usize = 8;

/// Whether loads that are committed together have to leave a mark: not if they change nothing, and not if they replace a day of a
/// catalog, which a restored store replaces again.
pub(crate) fn needed<'a>(mut intents: impl Iterator<Item = &'a CommitIntent>) -> bool {
    let Some(first) = intents.next() else { return false };
    let changes = |intent: &CommitIntent| intent.rows > 0 || !intent.replaced.is_empty();
    !matches!(first.strategy, LoadStrategy::Catalog { .. }) && (changes(first) || intents.any(changes))
}

/// Looks at the tables of all streams, and says why those must not be loaded whose table is not as the store expects it.
///
/// # Errors
/// If the store does not answer. A sink that does not is a stream's own error.
pub(crate) async fn check(
    setup: &Run,
    before: &HashMap<String, StreamState>,
) -> Result<HashMap<String, RunError>, RunError> {
    let books = &setup.books;
    let known = books.store.marks_of(books.scope(), &setup.pipeline.name).await?;
    let known: HashMap<_, _> = known.into_iter().map(|mark| ((mark.stream, mark.table), mark.expected)).collect();
    let streams = setup.pipeline.streams.iter().filter(|spec| spec.load != LoadSpec::Catalog);
    let looks = streams.map(|spec| {
        let table = table_of(&setup.pipeline.sink, spec);
        let expected = known.get(&(spec.id.clone(), table.clone())).cloned().unwrap_or_default();
        let state = before.get(&spec.id);
        async move { (spec, one(setup, spec, &table, &expected, state).await) }
    });
    let looked: Vec<_> = futures::stream::iter(looks).buffer_unordered(AT_ONCE).collect().await;
    let refused = looked.into_iter().filter_map(|(spec, looked)| Some((spec.id.clone(), looked.err()?)));
    Ok(refused.collect())
}

/// One stream.
async fn one(
    setup: &Run,
    spec: &StreamSpec,
    table: &TableName,
    expected: &Expected,
    state: Option<&StreamState>,
) -> Result<(), RunError> {
    let (books, stream) = (&setup.books, spec.id.as_str());
    let standing = setup.sink.standing(table, &books.author(stream)).await?;
    // Whether that matters is asked only if the mark is missing: it may have to count files.
    let missing = expected.last.is_some() && standing.load().is_none();
    let builds_on_it = missing && builds_on_it(books, spec, state).await?;
    match compare(expected, &standing, builds_on_it) {
        Verdict::Fits => Ok(()),
        Verdict::Stands(load) => books.store.settle_mark(books.scope(), &books.lease, (stream, table), &load).await,
        Verdict::Diverged(divergence) => {
            refuse(books, setup.accepts_tables, (stream, table), &standing, &divergence).await
        }
    }
}

/// Whether the next read of a stream goes on where an earlier one ended.
async fn builds_on_it(books: &Books, spec: &StreamSpec, state: Option<&StreamState>) -> Result<bool, RunError> {
    if state.is_some_and(|state| state.pending.is_some()) {
        return Ok(true);
    }
    if spec.read == ReadSpec::Full {
        return Ok(false);
    }
    let has_cursor = state.is_some_and(|state| state.cursor.is_some());
    let pipeline = books.lease.pipeline();
    Ok(has_cursor || books.store.count_items(books.scope(), pipeline, &spec.id).await? > 0)
}

/// Looks at the tables of commits that are open, before they are made or given up.
///
/// # Errors
/// If the store or the sink does not answer, or a table shows that the store is older than it.
pub(crate) async fn before_recovery(
    sink: &dyn Sink,
    books: &Books,
    accepts: bool,
    settled: &[(OpenIntent, Settled)],
) -> Result<(), RunError> {
    if settled.iter().all(|(_, outcome)| matches!(outcome, Settled::Committed { .. })) {
        return Ok(());
    }
    for mark in books.store.marks_of(books.scope(), books.lease.pipeline()).await? {
        let (stream, table) = (mark.stream.as_str(), &mark.table);
        let mut open = settled.iter().filter(|(open, _)| open.stream == stream).map(|(_, outcome)| outcome).peekable();
        let (Some(intended), Some(_)) = (&mark.expected.intended, open.peek()) else { continue };
        let author = books.author(stream);
        let standing = sink.standing(table, &author).await?;
        let outcomes: Vec<_> = open.collect();
        let lost = outcomes.iter().any(|outcome| matches!(outcome, Settled::Lost { .. }));
        let verdict = if lost {
            may_read_again(&mark.expected, &standing)
        } else {
            match compare(&mark.expected, &standing, true) {
                Verdict::Diverged(divergence) => Err(divergence),
                Verdict::Fits | Verdict::Stands(_) => Ok(()),
            }
        };
        if let Err(divergence) = verdict {
            refuse(books, accepts, (stream, table), &standing, &divergence).await?;
        }
        if !lost && outcomes.contains(&&Settled::Intact) {
            sink.mark(table, &author, intended).await?;
        }
    }
    Ok(())
}

/// Refuses a stream, and keeps what was found, so that a person can accept it; or accepts it at once, if a person said so.
async fn refuse(
    books: &Books,
    accepts: bool,
    (stream, table): (&str, &TableName),
    standing: &Standing,
    divergence: &Divergence,
) -> Result<(), RunError> {
    let (scope, Books { store, lease, .. }) = (books.scope(), books);
    store.refuse_mark(scope, lease, (stream, table), standing.load()).await?;
    let committed = match divergence {
        Divergence::Other { found, .. } => store.has_committed(scope, found).await?,
        Divergence::Gone { .. } | Divergence::Unclear { .. } => false,
    };
    let error = divergence.refusal(table, committed).with_stream(stream);
    if !accepts {
        return Err(error);
    }
    tracing::warn!(%table, %error, "a table is not as the state expects it, and is taken as it is");
    store.accept_marks(scope, lease, stream).await
}
