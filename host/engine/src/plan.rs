//! The plan of a run: all streams are planned at once, so that a source that can shows them as of one moment.
//!
//! A stream that cannot be planned is left out and the others are planned again; it fails alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::StringArray;
use sluice_core::RunError;
use sluice_core::items::Items;
use sluice_core::pipeline::{ReadSpec, StreamSpec};
use sluice_core::plan::{Cursor, PlanHints, ReadPlan, Split, StreamPlan};
use sluice_core::run::{ItemsAfter, StreamState};
use sluice_runtime::{Instance, Recall, Remembered};
use sluice_store::Scope;

use crate::items::StoredItems;
use crate::run::RunSetup;

/// What is to be read of a stream, and the state around it.
pub(crate) struct Work {
    pub(crate) before: StreamState,
    /// Each with the checkpoint that it goes on from.
    pub(crate) splits: Vec<(Split, Option<Cursor>)>,
    pub(crate) state_after: Option<Cursor>,
    pub(crate) remembers: Remembers,
    /// Files whose rows go when those of the work come.
    pub(crate) replaced: Option<StringArray>,
    pub(crate) stream: StreamPlan,
}

/// What a stream remembers item by item once the work is done.
pub(crate) enum Remembers {
    /// What the plan of this run says; `anew` if it takes the place of all that is remembered.
    Planned { items: Items, anew: bool },
    /// What the plan of an earlier run said, which is stored.
    Stored(Option<ItemsAfter>),
}

/// The work of every stream, and the instance whose plan it is.
pub(crate) struct Plans {
    planner: Option<Instance>,
    works: HashMap<String, Result<Work, RunError>>,
}

impl Plans {
    /// Plans every stream of the pipeline. None if the run is asked to stop meanwhile: nothing has been read yet.
    ///
    /// # Errors
    /// If the state of a stream cannot be read. What a connector answers is kept for each stream's own report.
    pub(crate) async fn make(setup: &RunSetup) -> Result<Option<Self>, RunError> {
        let mut before = HashMap::new();
        for spec in &setup.pipeline.streams {
            let record = setup.store.state_of(Scope::LOCAL, &setup.pipeline.name, &spec.id).await?;
            before.insert(spec.id.clone(), record.state);
        }
        tokio::select! {
            plans = Self::ask(setup, before) => Ok(Some(plans)),
            () = setup.stop.cancelled() => Ok(None),
            () = setup.kill.cancelled() => Ok(None),
        }
    }

    async fn ask(setup: &RunSetup, mut before: HashMap<String, StreamState>) -> Self {
        let mut wanted: Vec<&StreamSpec> = setup.pipeline.streams.iter().collect();
        let mut works = HashMap::new();
        let planner = match setup.connection.instance().await {
            Ok(planner) => planner,
            Err(error) => {
                works.extend(wanted.iter().map(|spec| (spec.id.clone(), Err(error.clone()))));
                return Self { planner: None, works };
            }
        };
        let pipeline = setup.pipeline.name.clone();
        let recall: Arc<dyn Recall> = Arc::new(StoredItems { store: setup.store.clone(), pipeline });
        while !wanted.is_empty() {
            let selections = wanted.iter().map(|spec| {
                let cursor = before.get(&spec.id).and_then(|state| state.cursor.clone());
                spec.selection(cursor)
            });
            match planner.plan(selections.collect(), hints(setup), recall.clone()).await {
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
        Self { planner: Some(planner), works }
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
        let Some(planner) = &self.planner else { return };
        if let Err(error) = planner.acknowledge(stream.to_owned(), cursor).await {
            tracing::warn!(%stream, %error, "the source was not told that its rows are durable; the next run tells it");
        }
    }

    /// Lets the source release what the plan held open. Every split must have ended.
    pub(crate) async fn close(self) {
        if let Some(planner) = self.planner {
            planner.close().await;
        }
    }
}

fn hints(setup: &RunSetup) -> PlanHints {
    let limits = &setup.pipeline.limits;
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
                Ok(work(before.remove(&spec.id).unwrap_or_default(), stream, splits, remembers, replaced))
            }
        };
        works.insert(spec.id.clone(), work);
    }
    works
}

fn work(
    before: StreamState,
    stream: StreamPlan,
    splits: Vec<Split>,
    remembers: Remembers,
    replaced: Option<StringArray>,
) -> Work {
    match &before.pending {
        // An interrupted read goes on with its own splits and its own upper bound; what came later is the next run's.
        Some(pending) => {
            let (splits, state_after) = (pending.splits.clone(), pending.state_after.clone());
            let remembers = Remembers::Stored(pending.items.clone());
            // A load that replaces files is never committed in part, so nothing that is left over replaces any.
            Work { splits, state_after, remembers, replaced: None, stream, before }
        }
        None => {
            let splits = splits.into_iter().map(|split| (split, None)).collect();
            Work { splits, state_after: stream.state_after.clone(), remembers, replaced, stream, before }
        }
    }
}

fn not_planned() -> RunError {
    RunError::internal("the connector did not plan a stream that it was asked for")
}
