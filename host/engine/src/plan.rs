//! The plan of a run: all streams are planned at once, so that a source that can shows them as of one moment.
//!
//! A stream that cannot be planned is left out and the others are planned again; it fails alone. What a stopped run left over
//! is read before anything new; if that cannot be read any more, and nothing of it is visible, the stream is planned anew.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::StringArray;
use sluice_core::RunError;
use sluice_core::items::Items;
use sluice_core::limits::RunLimits;
use sluice_core::pipeline::{ReadSpec, StreamSpec};
use sluice_core::plan::{Cursor, PlanHints, ReadPlan, Split, StreamPlan};
use sluice_core::run::{ItemsAfter, PendingPlan, StreamState};
use sluice_runtime::{Connection, Instance, Recall, Remembered};

use crate::items::StoredItems;
use crate::mark;
use crate::run::Run;

/// What is to be read of a stream, and the state around it.
pub(crate) struct Work {
    pub(crate) before: StreamState,
    /// Each with the checkpoint that it goes on from.
    pub(crate) splits: Vec<(Split, Option<Cursor>)>,
    pub(crate) state_after: Option<Cursor>,
    pub(crate) remembers: Remembers,
    /// Files whose rows go when those of the work come.
    pub(crate) replaced: Option<StringArray>,
    /// Rows of it are shown together or not at all.
    pub(crate) expires: bool,
    pub(crate) stream: StreamPlan,
}

/// What a stream remembers item by item once the work is done.
pub(crate) enum Remembers {
    /// What the plan of this run says; `anew` if it takes the place of all that is remembered.
    Planned { items: Items, anew: bool },
    /// What the plan of an earlier run said, which is stored.
    Stored(Option<ItemsAfter>),
}

/// The work of every stream, and the instances whose plans it is: one, unless a stream had to be planned anew.
#[derive(Default)]
pub(crate) struct Plans {
    planners: Vec<Instance>,
    works: HashMap<String, Result<Work, RunError>>,
}

impl Plans {
    /// Plans every stream of the pipeline whose table is as the store expects it. None if the run is asked to stop meanwhile: nothing has been read yet.
    ///
    /// # Errors
    /// If the state of a stream cannot be read. What a connector answers is kept for each stream's own report.
    pub(crate) async fn make(setup: &Run) -> Result<Option<Self>, RunError> {
        let mut before = HashMap::new();
        for spec in &setup.pipeline.streams {
            let record = setup.books.store.state_of(setup.books.scope(), &setup.pipeline.name, &spec.id).await?;
            before.insert(spec.id.clone(), record.state);
        }
        let mut plans = Self::default();
        let planned = async {
            let refused = mark::check(setup, &before).await?;
            let fit = setup.pipeline.streams.iter().filter(|spec| !refused.contains_key(&spec.id)).collect();
            plans.works.extend(refused.into_iter().map(|(stream, error)| (stream, Err(error))));
            plans.ask(setup, fit, before).await;
            Ok(())
        };
        tokio::select! {
            planned = planned => planned.map(|()| Some(plans)),
            () = setup.stop.cancelled() => Ok(None),
            () = setup.kill.cancelled() => Ok(None),
        }
    }

    /// Plans a stream again, whose interrupted plan cannot be read on, from its committed state, and says so; none if there is no
    /// such plan, or rows of it are visible. What the interrupted run had stored is given up: nobody has seen it.
    ///
    /// # Errors
    /// If the state of the stream cannot be read or recorded.
    pub(crate) async fn anew(
        &mut self,
        setup: &Run,
        spec: &StreamSpec,
        why: &RunError,
    ) -> Result<Option<String>, RunError> {
        let books = &setup.books;
        let state = books.store.state_of(books.scope(), &setup.pipeline.name, &spec.id).await?.state;
        let Some(held) = state.held() else { return Ok(None) };
        let rows: u64 = held.iter().map(|held| held.intent.rows).sum();
        let warning = format!(
            "what an interrupted run left over cannot be read any more ({}); the {rows} rows that it had stored are given up, \
             nobody has seen them, and the stream is read anew from its committed state",
            why.message
        );
        tracing::warn!(stream = %spec.id, "{warning}");
        let state = state.without_pending();
        let owner = (spec.id.as_str(), setup.run_id.as_str());
        books.store.keep_back(books.scope(), &books.lease, owner, &state, setup.clock.now_us()).await?;
        tokio::select! {
            () = self.ask(setup, vec![spec], HashMap::from([(spec.id.clone(), state)])) => Ok(Some(warning)),
            () = setup.kill.cancelled() => Ok(None),
        }
    }

    async fn ask<'a>(&mut self, setup: &'a Run, wanted: Vec<&'a StreamSpec>, before: HashMap<String, StreamState>) {
        if wanted.is_empty() {
            return;
        }
        let books = &setup.books;
        let recall = Arc::new(StoredItems {
            store: books.store.clone(),
            tenant: books.scope().tenant.into(),
            pipeline: books.lease.pipeline().into(),
        });
        let (planner, works) = ask(&setup.connection, hints(&setup.pipeline.limits), recall, wanted, before).await;
        self.works.extend(works);
        self.planners.extend(planner);
    }

    /// Takes the work of a stream out.
    ///
    /// # Errors
    /// Why it could not be planned.
    pub(crate) fn take(&mut self, stream: &str) -> Result<Work, RunError> {
        self.works.remove(stream).unwrap_or_else(|| Err(not_planned()))
    }

    /// The last step of a stream, and the only one that may be missed: the source is told again by the next run.
    pub(crate) async fn acknowledge(&self, stream: &str, cursor: Cursor) {
        let Some(planner) = self.planners.first() else { return };
        if let Err(error) = planner.acknowledge(stream.to_owned(), cursor).await {
            tracing::warn!(%stream, %error, "the source was not told that its rows are durable; the next run tells it");
        }
    }

    /// Lets the source release what the plan held open. Every split must have ended.
    pub(crate) async fn close(self) {
        for planner in self.planners {
            planner.close().await;
        }
    }
}

/// Plans streams from their states. The instance keeps the plan open; none if it could not be started.
pub(crate) async fn ask(
    connection: &Connection,
    hints: PlanHints,
    recall: Arc<dyn Recall>,
    mut wanted: Vec<&StreamSpec>,
    mut before: HashMap<String, StreamState>,
) -> (Option<Instance>, HashMap<String, Result<Work, RunError>>) {
    let mut works = HashMap::new();
    // Another plan must not be asked of an instance whose plan is still being read.
    let planner = match connection.instance().await {
        Ok(planner) => planner,
        Err(error) => {
            works.extend(wanted.iter().map(|spec| (spec.id.clone(), Err(error.clone()))));
            return (None, works);
        }
    };
    while !wanted.is_empty() {
        let selections = wanted.iter().map(|spec| {
            let cursor = before.get(&spec.id).and_then(|state| state.cursor.clone());
            spec.selection(cursor)
        });
        match planner.plan(selections.collect(), hints, recall.clone()).await {
            Ok((plan, remembered)) => {
                works.extend(share_out(plan, remembered, &wanted, &mut before));
                break;
            }
            Err(error) => {
                let at_fault = |spec: &&StreamSpec| error.stream.as_deref() == Some(spec.id.as_str());
                let alone = wanted.iter().any(at_fault);
                let (failed, others) = wanted.into_iter().partition(|spec| !alone || at_fault(spec));
                let failed: Vec<&StreamSpec> = failed;
                works.extend(failed.into_iter().map(|spec| (spec.id.clone(), Err(error.clone()))));
                wanted = others;
            }
        }
    }
    (Some(planner), works)
}

/// What the connector is told of a pipeline's bounds.
pub(crate) fn hints(limits: &RunLimits) -> PlanHints {
    PlanHints { max_parallel: limits.parallel, split_bytes: limits.split_bytes, batch_bytes: limits.batch_bytes }
}

/// Gives each stream its part of the plan.
fn share_out(
    plan: ReadPlan,
    mut remembered: BTreeMap<String, Remembered>,
    wanted: &[&StreamSpec],
    before: &mut HashMap<String, StreamState>,
) -> HashMap<String, Result<Work, RunError>> {
    let mut streams: HashMap<String, StreamPlan> = HashMap::new();
    let mut splits: HashMap<String, Vec<Split>> = HashMap::new();
    let known = |id: &str| wanted.iter().any(|spec| spec.id == id);
    let mut stranger = None;
    for stream in plan.streams {
        if !known(&stream.id) || streams.contains_key(&stream.id) {
            stranger =
                Some(format!("the connector planned {}, which it was not asked for, or planned it twice", stream.id));
        }
        streams.insert(stream.id.clone(), stream);
    }
    for split in plan.splits {
        match split.stream_ids.as_slice() {
            [one] if known(one) => splits.entry(one.clone()).or_default().push(split),
            others => {
                let ids = others.join(", ");
                stranger = Some(format!(
                    "the connector planned split {} for streams that were not asked for: {ids}",
                    split.id
                ));
            }
        }
    }
    let mut works = HashMap::new();
    for spec in wanted {
        let work = match (&stranger, streams.remove(&spec.id)) {
            (Some(message), _) => Err(RunError::internal(message.clone())),
            (None, None) => Err(not_planned()),
            (None, Some(stream)) => {
                let splits = splits.remove(&spec.id).unwrap_or_default();
                let Remembered { items, replaced } = remembered.remove(&spec.id).unwrap_or_default();
                let remembers = Remembers::Planned { items, anew: spec.read == ReadSpec::Full };
                let before = before.remove(&spec.id).unwrap_or_default();
                Ok(match &before.pending {
                    Some(pending) => left_over(pending.clone(), before, stream),
                    None => Work {
                        before,
                        splits: splits.into_iter().map(|split| (split, None)).collect(),
                        state_after: stream.state_after.clone(),
                        remembers,
                        replaced,
                        expires: plan.expires,
                        stream,
                    },
                })
            }
        };
        works.insert(spec.id.clone(), work);
    }
    works
}

/// An interrupted read goes on with its own splits and its own upper bound; what came later is the next run's.
fn left_over(pending: PendingPlan, before: StreamState, stream: StreamPlan) -> Work {
    let PendingPlan { splits, state_after, items, held } = pending;
    Work {
        before,
        splits,
        state_after,
        remembers: Remembers::Stored(items),
        // A load that replaces files is never committed in part, so nothing that is left over replaces any.
        replaced: None,
        expires: held.is_some(),
        stream,
    }
}

/// What becomes of a stream that the connector left out.
pub(crate) fn not_planned() -> RunError {
    RunError::internal("the connector did not plan a stream that it was asked for")
}
