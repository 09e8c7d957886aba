//! Reading the splits of a stream, some at once.

use std::sync::Arc;

use sluice_core::RunError;
use sluice_core::pipeline::LoadSpec;
use sluice_core::plan::Split;
use sluice_core::run::SplitEnd;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::StreamRun;
use crate::plan::Work;
use crate::split::{self, Outcome, Shared};

/// How the splits of a stream ended.
pub(super) enum Reading {
    Done {
        ends: Vec<(Split, SplitEnd)>,
        outcomes: Vec<Outcome>,
        warnings: Vec<String>,
    },
    /// Stopped in a way that leaves nothing to commit.
    GivenUp,
}

impl StreamRun<'_> {
    /// Reads the splits, some at once. After a request to stop, none begins, and those under way end at their next checkpoint.
    pub(super) async fn read(&self, work: &Work, shared: &Arc<Shared>) -> Result<Reading, RunError> {
        let parallel = self.setup.pipeline.limits.parallel.max(1) as usize;
        // A part of a snapshot is not a snapshot, nor a part of a file the file that it replaces, and what cannot be resumed must
        // not be committed in part.
        let whole = self.spec.load == LoadSpec::Catalog || self.spec.replaces_files();
        let divisible = !whole && work.splits.iter().all(|(split, _)| split.resumable);
        let mut waiting = work.splits.iter().enumerate();
        let mut running = JoinSet::new();
        let mut done: Vec<Option<Outcome>> = work.splits.iter().map(|_| None).collect();
        loop {
            let stopping = self.setup.stop.is_cancelled();
            while !stopping && running.len() < parallel {
                let Some((index, (split, start))) = waiting.next() else { break };
                let (shared, split, start) = (shared.clone(), split.clone(), start.clone());
                let part = split::traced(shared, (index, split), start).in_current_span();
                running.spawn(async move { (index, part.await) });
            }
            if stopping && !divisible && (!running.is_empty() || waiting.len() > 0) {
                running.shutdown().await;
                return Ok(Reading::GivenUp);
            }
            let finished = tokio::select! {
                finished = running.join_next() => finished,
                () = self.setup.stop.cancelled(), if !stopping => continue,
                () = self.setup.kill.cancelled() => {
                    running.shutdown().await;
                    return Ok(Reading::GivenUp);
                }
            };
            match finished {
                None => break,
                Some(Ok((index, outcome))) => {
                    let outcome = match outcome {
                        Ok(outcome) => outcome,
                        Err(error) => {
                            // None of the others may go on counting rows, or write to what is about to be given up.
                            running.shutdown().await;
                            return Err(error);
                        }
                    };
                    if let Some(slot) = done.get_mut(index) {
                        *slot = Some(outcome);
                    }
                }
                Some(Err(error)) => return Err(RunError::internal(format!("a split's task ended: {error}"))),
            }
        }
        let mut outcomes = Vec::new();
        let mut warnings = Vec::new();
        let mut ends = Vec::new();
        for ((split, start), outcome) in work.splits.iter().zip(done) {
            let Some(mut outcome) = outcome else {
                let end = start.clone().map_or(SplitEnd::NotBegun, SplitEnd::StoppedAt);
                ends.push((split.clone(), end));
                continue;
            };
            warnings.append(&mut outcome.warnings);
            ends.push((split.clone(), outcome.end.clone()));
            outcomes.push(outcome);
        }
        Ok(Reading::Done { ends, outcomes, warnings })
    }
}
