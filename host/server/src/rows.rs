//! The first rows of what a connector has planned, for people to look at. Nothing is committed and no state is kept.

use std::sync::Arc;

use arrow_array::RecordBatch;
use sluice_core::RunError;
use sluice_core::plan::{Cursor, ReadPlan};
use sluice_runtime::{Budget, Connection, ReadEvent};

/// What was read.
pub(crate) struct Read {
    /// At most as many rows as were asked for, in the order in which they came.
    pub(crate) batches: Vec<RecordBatch>,
    /// The last checkpoint, if the plan has one split only: those of several are not one cursor.
    pub(crate) state: Option<Cursor>,
    /// Whether rows were left behind that had been pushed already.
    pub(crate) cut: bool,
}

/// Reads the splits one after the other until there are so many rows. `bytes_in_flight` bounds what waits to be taken.
///
/// # Errors
/// What the connector or its source fails with.
pub(crate) async fn first(
    connection: &Connection,
    plan: &ReadPlan,
    bytes_in_flight: u64,
    limit: usize,
) -> Result<Read, RunError> {
    let mut all = Read { batches: Vec::new(), state: None, cut: false };
    let mut left = limit;
    for split in &plan.splits {
        let planned =
            plan.streams.iter().map(|stream| (Arc::from(stream.id.as_str()), stream.schema.clone())).collect();
        let instance = connection.instance().await?;
        let mut read = instance.read(split.clone(), None, planned, Budget::new(bytes_in_flight)).await?;
        while let Some(event) = read.next().await {
            match event {
                ReadEvent::Batch { batch, .. } => {
                    let shown = batch.slice(0, batch.num_rows().min(left));
                    left -= shown.num_rows();
                    all.cut = shown.num_rows() < batch.num_rows();
                    if shown.num_rows() > 0 {
                        all.batches.push(shown);
                    }
                }
                ReadEvent::Checkpoint { cursor, .. } if plan.splits.len() == 1 => all.state = Some(cursor),
                ReadEvent::Checkpoint { .. } | ReadEvent::SchemaChanged { .. } => {}
            }
            if all.cut {
                return Ok(all);
            }
        }
        read.finish().await?;
    }
    Ok(all)
}
