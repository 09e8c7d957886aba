//! Hostile batches against the decoder. The fuzz target `guest_batch` goes further; these are the shapes worth naming.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, Decimal256Array, Int64Array, IntervalMonthDayNanoArray, ListArray,
    RecordBatch, StringArray, StructArray,
};
use arrow_buffer::{IntervalMonthDayNano, i256};
use arrow_ipc::MetadataVersion;
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, write_message};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::{batch, schema};

fn sample() -> RecordBatch {
    let ints: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some("bc"), None]));
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<arrow_array::types::Int32Type, _, _>(vec![
        Some(vec![Some(1), None]),
        None,
        Some(vec![]),
    ]));
    let inner = Arc::new(Field::new("x", DataType::Int64, true));
    let nested: ArrayRef = Arc::new(StructArray::from(vec![(inner, ints.clone())]));
    RecordBatch::try_from_iter_with_nullable([
        ("i", ints, true),
        ("t", texts, true),
        ("l", list, true),
        ("s", nested, true),
    ])
    .unwrap()
}

fn message_of(batch: &RecordBatch, options: &IpcWriteOptions) -> Vec<u8> {
    let mut tracker = DictionaryTracker::new(false);
    let mut context = IpcWriteContext::default();
    let (_, data) = IpcDataGenerator::default().encode(batch, &mut tracker, options, &mut context).unwrap();
    let mut bytes = Vec::new();
    write_message(&mut bytes, data, options).unwrap();
    bytes
}

fn message() -> (Vec<u8>, SchemaRef) {
    let batch = sample();
    (message_of(&batch, &IpcWriteOptions::default()), batch.schema())
}

#[test]
fn an_honest_batch_arrives_unchanged() {
    let (bytes, schema) = message();
    assert_eq!(batch::decode(bytes, &schema).unwrap(), sample());
}

#[test]
fn a_batch_of_the_metadata_version_before_arrives_unchanged() {
    let batch = sample();
    let old = IpcWriteOptions::try_new(8, false, MetadataVersion::V4).unwrap();
    assert_eq!(batch::decode(message_of(&batch, &old), &batch.schema()).unwrap(), batch);
    let older = IpcWriteOptions::try_new(8, true, MetadataVersion::V4).unwrap();
    let refused = batch::decode(message_of(&batch, &older), &batch.schema()).unwrap_err();
    assert!(refused.0.contains("continuation marker"), "{}", refused.0);
}

#[test]
fn buffers_that_lie_where_no_value_may_are_moved() {
    // Decimals want sixteen bytes of alignment; a sender aligns to eight, and a message may lie anywhere.
    let decimals: ArrayRef = Arc::new(Decimal128Array::from(vec![1, -2, 3]).with_precision_and_scale(38, 9).unwrap());
    let wide = Decimal256Array::from(vec![i256::ONE, i256::MINUS_ONE, i256::ZERO]);
    let wide: ArrayRef = Arc::new(wide.with_precision_and_scale(76, 38).unwrap());
    let days: ArrayRef = Arc::new(IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, 2, 3); 3]));
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true, false, true]));
    let batch = RecordBatch::try_from_iter([("f", flags), ("d", decimals), ("w", wide), ("i", days)]).unwrap();
    for alignment in [8, 64] {
        let options = IpcWriteOptions::try_new(alignment, false, MetadataVersion::V5).unwrap();
        assert_eq!(batch::decode(message_of(&batch, &options), &batch.schema()).unwrap(), batch, "{alignment}");
    }
}

#[test]
fn an_honest_schema_arrives_unchanged() {
    let batch = sample();
    let options = IpcWriteOptions::default();
    let mut tracker = DictionaryTracker::new(false);
    let data =
        IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(&batch.schema(), &mut tracker, &options);
    let mut bytes = Vec::new();
    write_message(&mut bytes, data, &options).unwrap();
    assert_eq!(schema::decode(&bytes).unwrap(), *batch.schema());
}

#[test]
fn a_batch_of_another_schema_is_refused_before_it_is_decoded() {
    let (bytes, _) = message();
    let other = Arc::new(Schema::new(vec![Field::new("i", DataType::Int64, true)]));
    assert_eq!(
        batch::decode(bytes, &other).unwrap_err().0,
        "the batch has 6 nodes and 12 buffers; its schema needs 1 and 2"
    );
}

#[test]
fn a_null_in_a_column_that_has_none_is_refused() {
    let batch = RecordBatch::try_from_iter_with_nullable([(
        "i",
        Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef,
        true,
    )])
    .unwrap();
    let bytes = message_of(&batch, &IpcWriteOptions::default());
    let strict = Arc::new(Schema::new(vec![Field::new("i", DataType::Int64, false)]));
    assert!(batch::decode(bytes, &strict).unwrap_err().0.contains("non-nullable"));
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let batch = RecordBatch::try_from_iter([("t", Arc::new(StringArray::from(vec!["abcd"])) as ArrayRef)]).unwrap();
    let mut bytes = message_of(&batch, &IpcWriteOptions::default());
    let at = bytes.windows(4).position(|w| w == b"abcd").unwrap();
    bytes[at] = 0xff;
    assert!(batch::decode(bytes, &batch.schema()).unwrap_err().0.contains("not valid"), "must not decode");
}

#[test]
fn a_truncated_message_is_refused_at_every_length() {
    let (bytes, schema) = message();
    for length in 0..bytes.len() {
        assert!(batch::decode(bytes[..length].to_vec(), &schema).is_err(), "{length} bytes were taken");
    }
}

#[test]
fn twenty_thousand_mutations_neither_panic_nor_pass_as_something_invalid() {
    let (bytes, schema) = message();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut decoded = 0;
    for _ in 0..20_000 {
        let mut mutated = bytes.clone();
        for _ in 0..1 + next() % 4 {
            let at = usize::try_from(next()).unwrap() % mutated.len();
            mutated[at] = u8::try_from(next() & 0xff).unwrap();
        }
        if let Ok(batch) = batch::decode(mutated, &schema) {
            decoded += 1;
            for column in batch.columns() {
                column.to_data().validate_full().unwrap();
            }
        }
    }
    // Mutations of values are valid batches with other values; were all refused, the decoder would be broken.
    assert!(decoded > 1000, "only {decoded} were taken");
}
