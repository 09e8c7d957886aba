//! What was read becomes visible, or is kept for the next run.

use sluice_core::commit::{CommitPermit, Evidence, ExpectedSplit, Settled, permit};
use sluice_core::error::{Actor, Kind};
use sluice_core::load::{Artifact, CommitReceipt, LoadStrategy, SplitReceipt};
use sluice_core::run::{Held, Next, StreamCounts, StreamState};
use sluice_core::{Retry, RunError};
use sluice_store::NewIntent;

use super::StreamRun;
use crate::plan::Work;
use crate::split::{Outcome, Shared};
use crate::{commit, mark};

impl StreamRun<'_> {
    /// What an interrupted run stored of this work and did not show, ready to be committed with the rest.
    pub(super) async fn held(&self, work: &Work) -> Result<Vec<(CommitPermit, NewIntent)>, RunError> {
        let mut loads = Vec::new();
        for Held { intent, counts } in work.before.held().unwrap_or_default() {
            let settled = self.setup.sink.settle(intent).await?;
            if let Settled::Lost { reason } = &settled {
                let message = format!("what load {} had stored is not there any more ({reason})", intent.load);
                return Err(RunError::new(Kind::Expired, Actor::Sink, message));
            }
            // Visible already: a sink that keeps nothing says so.
            let Some(permit) = CommitPermit::from_settled(intent.clone(), &settled) else { continue };
            loads.push((
                permit,
                NewIntent {
                    intent: intent.clone(),
                    state_after: None,
                    items_after: None,
                    marks: false,
                    counts: counts.clone(),
                },
            ));
        }
        Ok(loads)
    }

    /// Sets aside what a stopped run has read of a plan that expires: durable, but not visible before the rest is.
    pub(super) async fn keep_back(
        &self,
        shared: &Shared,
        work: &Work,
        outcomes: Vec<Outcome>,
        state: &mut StreamState,
    ) -> Result<StreamCounts, RunError> {
        let setup = self.setup;
        let (counts, loads) = self.permits(shared, &outcomes, Vec::new())?;
        let new = loads.into_iter().map(|(_, NewIntent { intent, counts, .. })| Held { intent, counts });
        let new = new.filter(|held| !held.intent.artifacts.is_empty());
        let held: Vec<Held> = work.before.held().unwrap_or_default().iter().cloned().chain(new).collect();
        if let Some(pending) = &mut state.pending {
            pending.held = Some(held);
        }
        let (books, owner) = (&setup.books, (self.spec.id.as_str(), setup.run_id.as_str()));
        books.store.keep_back(books.scope(), &books.lease, owner, state, setup.clock.now_us()).await?;
        Ok(counts)
    }

    pub(super) async fn commit(
        &self,
        shared: &Shared,
        work: &Work,
        outcomes: Vec<Outcome>,
        replaced: Vec<Artifact>,
        next: &Next,
        held: Vec<(CommitPermit, NewIntent)>,
    ) -> Result<StreamCounts, RunError> {
        let setup = self.setup;
        let (mut counts, mut loads) = self.permits(shared, &outcomes, replaced)?;
        if let Some((_, intent)) = loads.first_mut() {
            let moves_state = self.incremental() || work.before != next.state;
            intent.state_after = moves_state.then(|| next.state.clone());
            intent.items_after = next.items.clone();
        }
        loads.extend(held);
        let marks = mark::needed(loads.iter().map(|(permit, _)| permit.intent()));
        if let Some((_, intent)) = loads.first_mut() {
            intent.marks = marks;
        }
        let (sink, stream) = (setup.sink.as_ref(), self.spec.id.as_str());
        let receipts: Vec<CommitReceipt> =
            commit::commit(sink, &setup.books, setup.clock.as_ref(), stream, loads).await?;
        counts.committed = receipts.first().map_or(0, |receipt| receipt.rows_committed);
        if !counts.reconciled() {
            return Err(unreconciled(&counts));
        }
        Ok(counts)
    }

    /// The loads of the table and of its quarantine, in this order, if the counts of all steps agree.
    fn permits(
        &self,
        shared: &Shared,
        outcomes: &[Outcome],
        replaced: Vec<Artifact>,
    ) -> Result<(StreamCounts, Vec<(CommitPermit, NewIntent)>), RunError> {
        let mut counts = self.progress.counts();
        let expected = |receipt: &SplitReceipt, rows| ExpectedSplit { split: receipt.split.clone(), rows };
        let evidence = Evidence {
            load: shared.load.id.clone(),
            table: shared.load.spec.name.clone(),
            strategy: shared.load.spec.strategy,
            expected: outcomes.iter().map(|outcome| expected(&outcome.receipt, outcome.rows)).collect(),
            receipts: outcomes.iter().map(|outcome| outcome.receipt.clone()).collect(),
            replaced,
        };
        counts.finalized = evidence.receipts.iter().map(|receipt| receipt.rows_finalized).sum();
        let aside: Vec<SplitReceipt> = outcomes.iter().filter_map(|outcome| outcome.quarantine.clone()).collect();
        let table = permit(evidence)?;
        // Rows read must all be accounted for before anything becomes visible.
        if counts.read != counts.sent.saturating_add(counts.quarantined) || counts.sent != table.intent().rows {
            return Err(unreconciled(&counts));
        }
        let counted = counts.clone();
        let intent = NewIntent {
            intent: table.intent().clone(),
            state_after: None,
            items_after: None,
            marks: false,
            counts: counted,
        };
        let mut loads = vec![(table, intent)];
        if !aside.is_empty() {
            loads.push(quarantine_commit(shared, aside)?);
        }
        Ok((counts, loads))
    }
}

fn quarantine_commit(shared: &Shared, receipts: Vec<SplitReceipt>) -> Result<(CommitPermit, NewIntent), RunError> {
    let rows: u64 = receipts.iter().map(|receipt| receipt.rows_sent).sum();
    let permit = permit(Evidence {
        load: shared.quarantine.id.clone(),
        table: shared.quarantine.spec.name.clone(),
        strategy: LoadStrategy::Transactional,
        expected: receipts.iter().map(|r| ExpectedSplit { split: r.split.clone(), rows: r.rows_sent }).collect(),
        receipts,
        replaced: Vec::new(),
    })?;
    let counts = StreamCounts { read: rows, sent: rows, finalized: rows, ..StreamCounts::default() };
    let intent =
        NewIntent { intent: permit.intent().clone(), state_after: None, items_after: None, marks: false, counts };
    Ok((permit, intent))
}

fn unreconciled(counts: &StreamCounts) -> RunError {
    let message = format!(
        "the rows of this stream are not accounted for: {} read, {} in quarantine, {} sent, {} finalized, {} committed",
        counts.read, counts.quarantined, counts.sent, counts.finalized, counts.committed
    );
    RunError::new(Kind::Internal, Actor::Host, message).with_retry(Retry::Never)
}
