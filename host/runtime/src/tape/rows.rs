//! What a guest pushes, as much of it as a replay needs to compare.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use arrow_array::RecordBatch;
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};
use sha2::{Digest, Sha256};
use sluice_core::hex;
use sluice_core::recording::Event;

use super::{ALL, Tape};

/// Hexadecimal digits of a digest that are kept: to notice a difference, not to withstand an attack.
const DIGITS: usize = 16;

impl Tape {
    /// Takes a batch down.
    pub(crate) fn batch(&self, stream: &str, batch: &RecordBatch) {
        let columns = digests(batch);
        let rows = batch.num_rows() as u64;
        let mut inner = self.lock();
        let bytes = columns.keys().map(|name| name.len() + DIGITS).sum();
        inner.push(Event::Batch { stream: stream.to_owned(), rows, columns }, bytes);
        if inner.rows_left != ALL {
            inner.rows_left = inner.rows_left.saturating_sub(rows);
        }
    }

    /// Whether it has the rows that were wanted, so that the read ends here: before another batch, or after a checkpoint. The guest is
    /// ended in its own call, so that nothing that it does after that is chance.
    pub(crate) fn ends(&self) -> bool {
        let mut inner = self.lock();
        inner.cut = inner.rows_left == 0 || inner.shared.full.load(Ordering::Relaxed);
        inner.cut
    }
}

/// Of each column a digest of its values.
fn digests(batch: &RecordBatch) -> BTreeMap<String, String> {
    let schema = batch.schema();
    let one = |(at, field): (usize, &arrow_schema::FieldRef)| {
        let column = batch.project(&[at]).ok()?;
        let (mut tracker, mut context) = (DictionaryTracker::new(false), IpcWriteContext::default());
        let options = IpcWriteOptions::default();
        let (_, encoded) = IpcDataGenerator::default().encode(&column, &mut tracker, &options, &mut context).ok()?;
        let digest =
            hex(&Sha256::new().chain_update(&encoded.ipc_message).chain_update(&encoded.arrow_data).finalize());
        Some((field.name().clone(), digest.get(..DIGITS).unwrap_or_default().to_owned()))
    };
    schema.fields().iter().enumerate().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, StringArray};

    use super::*;
    use crate::tape::Taping;

    fn batch(last: i64) -> RecordBatch {
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(last)]));
        let names: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
        RecordBatch::try_from_iter_with_nullable([("id", ids, true), ("name", names, false)]).unwrap()
    }

    #[test]
    fn a_digest_is_of_the_values_of_its_column_and_not_of_where_they_lie() {
        let (one, other) = (digests(&batch(3)), digests(&batch(4)));
        assert_eq!(one.len(), 2);
        assert_ne!(one["id"], other["id"]);
        assert_eq!(one["name"], other["name"]);
        assert_eq!(digests(&batch(3).slice(0, 3)), one);
    }

    #[test]
    fn a_tape_says_when_it_has_the_rows_that_were_wanted_and_takes_nothing_down_after_that() {
        let taping = Taping::record();
        let tape = taping.instance().unwrap();
        tape.lock().rows_left = 4;
        tape.batch("s", &batch(3));
        assert!(!tape.ends());
        tape.batch("s", &batch(3));
        assert!(tape.ends());
        tape.push(Event::WallClock(1), 0);
        let taken = taping.take().unwrap();
        assert_eq!((taken.len(), taken[0].events.len(), taken[0].rows()), (1, 2, 6));
    }

    #[test]
    fn a_tape_that_is_full_says_so_and_ends_the_read() {
        let taping = Taping::record();
        let tape = taping.instance().unwrap();
        assert!(!tape.ends());
        tape.push(Event::WallClock(1), sluice_core::recording::MAX_BYTES);
        assert!(tape.ends());
        let error = taping.take().unwrap_err();
        assert!(error.message.contains("64 MiB") && error.message.contains("--limit"), "{error}");
    }
}
