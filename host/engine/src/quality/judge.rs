//! Judging what was counted, before anything of a stream is committed or kept.

use jiff::Timestamp;
use sluice_core::RunError;
use sluice_core::quality::{self, Level};

use crate::plan::Work;
use crate::split::{Outcome, Shared};
use crate::stream::StreamRun;

/// The warnings of the checks, or the error of those that failed; either way the stream knows all that was found.
///
/// Of a plan that was interrupted, each part is judged by what it read, because of rows that an earlier run stored only the
/// number is known.
pub(crate) async fn judge(
    stream: &StreamRun<'_>,
    shared: &Shared,
    work: &Work,
    outcomes: &mut [Outcome],
    complete: bool,
) -> Result<Vec<String>, RunError> {
    let Some(checks) = shared.checks.clone() else { return Ok(Vec::new()) };
    let held = work.before.held().unwrap_or_default().iter().map(|held| held.counts.sent).sum();
    let meters = outcomes.iter_mut().filter_map(|outcome| outcome.meter.take()).collect();
    let measured = tokio::task::spawn_blocking(move || checks.measured(meters, held)).await;
    let measured = measured.map_err(|e| RunError::internal(format!("the checks could not be counted: {e}")))?;
    let now = Timestamp::from_microsecond(stream.setup.clock.now_us())
        .map_err(|e| RunError::internal(format!("the clock shows no time: {e}")))?;
    let rows = outcomes.iter().map(|outcome| outcome.rows).sum();
    let findings = quality::decide(&stream.spec.checks, &measured, rows, complete, now);
    if !findings.is_empty() {
        let books = &stream.setup.books;
        books.store.note_findings(books.scope(), &books.lease, &stream.load_id(), &findings).await?;
    }
    let failed = quality::failure(&findings);
    let warned = findings.iter().filter(|finding| finding.level == Level::Warn);
    let warnings = warned.map(|finding| format!("check {}: {}", finding.label, finding.message)).collect();
    // Judged once; a stream that is planned anew is given an empty place.
    let _ = stream.findings.set(findings);
    failed.map_or(Ok(warnings), Err)
}
