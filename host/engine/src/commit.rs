//! Carrying out what `sluice_core::commit` decides: intent recorded, sink asked, state recorded, in that order.

use std::collections::HashMap;

use sluice_core::RunError;
use sluice_core::commit::{CommitError, CommitIntent, CommitPermit, Settled};
use sluice_core::error::{Actor, Kind, Retry};
use sluice_core::load::CommitReceipt;
use sluice_sinks::Sink;
use sluice_store::{NewIntent, OpenIntent};

use crate::books::Books;
use crate::clock::Clock;
use crate::failpoint;
use crate::mark;
use crate::step::{self, step};

/// How often a sink whose answer was lost is asked what became of the commit.
const SETTLE_TRIES: u32 = 5;

/// Commits the loads of a stream that belong together: records the intents, marks the table, makes every load visible, records the state. All of it can be
/// repeated after a crash at any point.
pub(crate) async fn commit(
    sink: &dyn Sink,
    books: &Books,
    clock: &dyn Clock,
    stream: &str,
    loads: Vec<(CommitPermit, NewIntent)>,
) -> Result<Vec<CommitReceipt>, RunError> {
    let (scope, Books { store, lease, .. }) = (books.scope(), books);
    failpoint::pass("commit.permitted");
    let intents: Vec<NewIntent> = loads.iter().map(|(_, intent)| intent.clone()).collect();
    step::take(step!("commit.intent"), store.record_intents(scope, lease, &intents, clock.now_us())).await?;
    failpoint::pass("commit.recorded");
    for (permit, _) in loads.iter().filter(|(_, new)| new.marks) {
        let CommitIntent { load, table, .. } = permit.intent();
        step::take(step!("commit.mark"), sink.mark(table, &books.author(stream), load)).await?;
    }
    failpoint::pass("commit.marked");
    let mut receipts = Vec::with_capacity(loads.len());
    for (permit, _) in &loads {
        let visible = step!("commit.visible", sluice.rows = step::number(permit.intent().rows));
        receipts.push(step::take(visible, make_visible(sink, permit)).await?);
    }
    failpoint::pass("commit.visible");
    step::take(step!("commit.state"), store.apply_commits(scope, lease, &receipts, clock.now_us())).await?;
    failpoint::pass("commit.applied");
    Ok(receipts)
}

/// Asks the sink to commit, and if its answer is lost, what became of it.
async fn make_visible(sink: &dyn Sink, permit: &CommitPermit) -> Result<CommitReceipt, RunError> {
    let mut tries = 0;
    loop {
        let unclear = match sink.commit(permit).await {
            Ok(receipt) => return Ok(receipt),
            Err(CommitError::Refused(error)) => return Err(error),
            Err(CommitError::Unclear(error)) => error,
        };
        tracing::warn!(load = %permit.intent().load, error = %unclear, "the answer to a commit was lost; asking the sink");
        match settle(sink, permit.intent()).await? {
            Settled::Committed { reference } => return Ok(receipt_of(permit.intent(), reference)),
            Settled::Intact if tries < SETTLE_TRIES => tries += 1,
            Settled::Intact => return Err(unclear),
            Settled::Lost { reason } => return Err(lost(permit.intent(), &reason)),
        }
    }
}

/// Asks the sink until it answers, a few times.
async fn settle(sink: &dyn Sink, intent: &CommitIntent) -> Result<Settled, RunError> {
    let mut wait = std::time::Duration::from_millis(200);
    for _ in 1..SETTLE_TRIES {
        match sink.settle(intent).await {
            Err(error) if error.retry != Retry::Never => {
                tracing::warn!(load = %intent.load, %error, "the sink does not tell what became of a commit; asking again");
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            answer => return answer,
        }
    }
    sink.settle(intent).await
}

/// Settles every commit of the pipeline whose outcome nobody recorded, and gives up what was never to be committed. Called
/// before a run does anything else.
///
/// # Errors
/// If the store or the sink does not answer, or a table shows that the store is older than it; nothing is committed then.
pub(crate) async fn recover(
    sink: &dyn Sink,
    books: &Books,
    clock: &dyn Clock,
    accepts: bool,
) -> Result<Vec<CommitReceipt>, RunError> {
    let (scope, Books { store, lease, .. }) = (books.scope(), books);
    let mut recovered = Vec::new();
    let mut settled = Vec::new();
    for open in store.open_intents(scope, lease).await? {
        let outcome = settle(sink, &open.intent).await?;
        settled.push((open, outcome));
    }
    // The open commits of a stream belong together: where one is lost, none of them may be made, and all rows are read again.
    let mut incomplete: HashMap<String, String> = HashMap::new();
    for (open, outcome) in &settled {
        if let Settled::Lost { reason } = outcome {
            incomplete.insert(open.stream.clone(), reason.clone());
        }
    }
    mark::before_recovery(sink, books, accepts, &settled).await?;
    let mut torn = None;
    for (intent, outcome) in settled {
        let lost_with = incomplete.get(&intent.stream);
        let receipt = match (&outcome, lost_with) {
            (Settled::Committed { reference }, _) => {
                if let Some(reason) = lost_with {
                    torn.get_or_insert_with(|| half(&intent, reason));
                }
                receipt_of(&intent.intent, reference.clone())
            }
            (Settled::Intact, None) => match CommitPermit::from_settled(intent.intent.clone(), &outcome) {
                Some(permit) => make_visible(sink, &permit).await?,
                None => continue,
            },
            (Settled::Lost { reason }, _) | (Settled::Intact, Some(reason)) => {
                let why = lost(&intent.intent, reason);
                tracing::warn!(load = %intent.intent.load, %reason, "a commit cannot be made any more; its rows are read again");
                store.drop_intent(scope, lease, &intent.intent.load, &why, clock.now_us()).await?;
                continue;
            }
        };
        tracing::info!(load = %receipt.load, rows = receipt.rows_committed, "settled a commit of an earlier run");
        store.apply_commits(scope, lease, std::slice::from_ref(&receipt), clock.now_us()).await?;
        recovered.push(receipt);
    }
    store.drop_stale_items(scope, lease).await?;
    abandon(sink, books).await;
    torn.map_or(Ok(recovered), Err)
}

/// Gives up everything that was begun and will never be committed. What the sink cannot remove now stays recorded and is tried
/// again by the next run; none of it can become visible.
pub(crate) async fn abandon(sink: &dyn Sink, books: &Books) {
    let (scope, Books { store, lease, .. }) = (books.scope(), books);
    let given_up = async {
        let artifacts = store.unfinished_artifacts(scope, lease).await?;
        if artifacts.is_empty() {
            return Ok(());
        }
        sink.abandon(&artifacts).await?;
        store.mark_abandoned(scope, lease, &artifacts).await
    };
    if let Err(error) = given_up.await {
        tracing::warn!(pipeline = lease.pipeline(), %error, "what an earlier attempt left at the sink is not cleaned up yet");
    }
}

fn receipt_of(intent: &CommitIntent, reference: String) -> CommitReceipt {
    CommitReceipt { load: intent.load.clone(), rows_committed: intent.rows, reference }
}

/// Loads that belong together, of which one is visible and another is gone. Told once; there is nothing left to settle then.
fn half(visible: &OpenIntent, reason: &str) -> RunError {
    let message = format!(
        "load {} into {} is visible, but rows that belong to it are not there any more ({reason}); empty the table, and load \
         the stream with --from-beginning",
        visible.intent.load, visible.intent.table
    );
    RunError::new(Kind::Internal, Actor::Sink, message).with_stream(&visible.stream)
}

fn lost(intent: &CommitIntent, reason: &str) -> RunError {
    let message = format!(
        "what load {} had sent to {} is not there any more ({reason}); nothing of it is visible, run the pipeline again",
        intent.load, intent.table
    );
    RunError::new(Kind::Transient, Actor::Sink, message)
}
