//! Plans and reads as the engine does them, with everything kept for comparison.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::items::{ItemKey, unpack};
use sluice_core::plan::{Cursor, PlanHints, ReadMode, ReadPlan, Selection, Split};
use sluice_runtime::{Budget, Connection, Instance, ReadEnd, ReadEvent, Recall, Remembered};

use crate::rows;

/// Arrow bytes on their way at once.
pub(crate) const IN_FLIGHT: u64 = 32 << 20;

/// Most rows that are kept of a read: tests need few, and comparing them takes memory.
const MOST_ROWS: usize = 500_000;

/// What is kept of a stream between runs.
#[derive(Clone, Default)]
pub(crate) struct State {
    pub(crate) cursor: Option<Cursor>,
    items: Arc<HashMap<(String, ItemKey), Vec<u8>>>,
}

#[async_trait]
impl Recall for State {
    async fn recall(&self, stream: &str, keys: &[ItemKey]) -> Result<Vec<Option<Vec<u8>>>, RunError> {
        Ok(keys.iter().map(|key| self.items.get(&(stream.to_owned(), *key)).cloned()).collect())
    }
}

impl From<Cursor> for State {
    fn from(cursor: Cursor) -> Self {
        Self { cursor: Some(cursor), items: Arc::default() }
    }
}

/// A plan, and the instance that made it.
pub(crate) struct Planned {
    pub(crate) planner: Instance,
    pub(crate) plan: ReadPlan,
    remembered: BTreeMap<String, Remembered>,
}

/// Plans one stream.
pub(crate) async fn plan(
    connection: &Connection,
    selection: Selection,
    hints: PlanHints,
    state: &State,
) -> Result<Planned, RunError> {
    let planner = connection.instance().await?;
    let selection = Selection { state: state.cursor.clone(), ..selection };
    let (plan, remembered) = planner.plan(vec![selection], hints, Arc::new(state.clone())).await?;
    if plan.streams.len() != 1 {
        return Err(RunError::internal(format!("a plan of one stream has {}", plan.streams.len())));
    }
    Ok(Planned { planner, plan, remembered })
}

impl Planned {
    /// The schema of the stream.
    pub(crate) fn schema(&self) -> Option<SchemaRef> {
        self.plan.streams.first().map(|stream| stream.schema.clone())
    }

    /// Reads all splits one after the other, and ends the plan.
    pub(crate) async fn read(self, connection: &Connection, state: &State) -> Result<Whole, RunError> {
        let mut splits = Vec::new();
        for split in &self.plan.splits {
            splits.push(read(connection, &self.plan, split, None, false).await?);
        }
        let after = self.state_after(&splits, state);
        let schema = self.schema();
        let Self { planner, plan, .. } = self;
        planner.close().await;
        Ok(Whole { plan, schema, splits, state: after })
    }

    /// The state once all splits are committed.
    fn state_after(&self, splits: &[SplitRead], before: &State) -> State {
        let last = || splits.last().filter(|_| splits.len() == 1).and_then(|split| split.checkpoints.last());
        let planned = self.plan.streams.first().and_then(|stream| stream.state_after.clone());
        let cursor = planned.or_else(|| last().map(|(_, cursor)| cursor.clone())).or_else(|| before.cursor.clone());
        let mut items = (*before.items).clone();
        for (stream, remembered) in &self.remembered {
            for chunk in remembered.items.clone().into_chunks(10_000) {
                for (key, value) in unpack(&chunk).unwrap_or_default() {
                    items.insert((stream.clone(), key), value.to_vec());
                }
            }
        }
        State { cursor, items: Arc::new(items) }
    }
}

/// A stream that was read to its end.
pub(crate) struct Whole {
    pub(crate) plan: ReadPlan,
    pub(crate) schema: Option<SchemaRef>,
    pub(crate) splits: Vec<SplitRead>,
    pub(crate) state: State,
}

impl Whole {
    pub(crate) fn rows(&self) -> usize {
        self.splits.iter().map(SplitRead::rows).sum()
    }

    pub(crate) fn batches(&self) -> impl Iterator<Item = &RecordBatch> {
        self.splits.iter().flat_map(|split| &split.batches)
    }

    pub(crate) fn texts(&self, columns: Option<&[String]>) -> Result<Vec<String>, RunError> {
        texts(self.batches(), columns)
    }
}

/// What a read of a split did.
pub(crate) struct SplitRead {
    pub(crate) batches: Vec<RecordBatch>,
    /// Each with the rows before it.
    pub(crate) checkpoints: Vec<(usize, Cursor)>,
    pub(crate) end: ReadEnd,
}

impl SplitRead {
    pub(crate) fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    pub(crate) fn texts(&self) -> Result<Vec<String>, RunError> {
        texts(self.batches.iter(), None)
    }
}

fn texts<'a>(
    batches: impl Iterator<Item = &'a RecordBatch>,
    columns: Option<&[String]>,
) -> Result<Vec<String>, RunError> {
    let mut all = Vec::new();
    for batch in batches {
        all.extend(rows::texts(batch, columns).map_err(|error| unshown(&error))?);
    }
    Ok(all)
}

pub(crate) fn unshown(error: &ArrowError) -> RunError {
    RunError::internal(format!("rows cannot be compared: {error}"))
}

/// What each stream of a split was planned as.
pub(crate) fn planned(plan: &ReadPlan) -> Vec<(Arc<str>, SchemaRef)> {
    plan.streams.iter().map(|stream| (Arc::from(stream.id.as_str()), stream.schema.clone())).collect()
}

/// Reads a split from a checkpoint or from its beginning; told to stop at its first checkpoint, if that is wanted.
pub(crate) async fn read(
    connection: &Connection,
    plan: &ReadPlan,
    split: &Split,
    start: Option<Cursor>,
    stop: bool,
) -> Result<SplitRead, RunError> {
    let instance = connection.instance().await?;
    let mut read = instance.read(split.clone(), start, planned(plan), Budget::new(IN_FLIGHT)).await?;
    if stop {
        read.stop_handle().stop();
    }
    let (mut batches, mut checkpoints, mut rows) = (Vec::new(), Vec::new(), 0);
    while let Some(event) = read.next().await {
        match event {
            ReadEvent::Batch { batch, .. } => {
                rows += batch.num_rows();
                batches.push(batch);
            }
            ReadEvent::Checkpoint { cursor, .. } => checkpoints.push((rows, cursor)),
            ReadEvent::SchemaChanged { .. } => {}
        }
        if rows > MOST_ROWS {
            let message = format!("more than {MOST_ROWS} rows; name a smaller stream in the specification");
            return Err(RunError::config("streams", message));
        }
    }
    let end = read.finish().await?;
    Ok(SplitRead { batches, checkpoints, end })
}

/// The stream in this mode.
pub(crate) fn selection(stream: &str, increment: Option<&String>) -> Selection {
    let mode = increment.map_or(ReadMode::Full, |column| ReadMode::Incremental(column.clone()));
    Selection { mode, ..crate::kit::whole(stream) }
}
