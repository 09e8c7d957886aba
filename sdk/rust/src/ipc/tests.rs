//! What the encoder sends against what Arrow's own reader makes of it, for every type that a host takes.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, ListArray, NullArray, RecordBatch, StringArray, make_array};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, Fields, IntervalUnit, Schema, TimeUnit};

use super::{ALIGNMENT, Encoder, gather, schema_message};
use crate::native::decode;

/// A small generator of numbers, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[3]).collect()
    }

    fn nulls(&mut self, length: usize) -> Option<NullBuffer> {
        match self.below(3) {
            0 => None,
            // A bitmap that says that nothing is null.
            1 => Some(NullBuffer::new_valid(length)),
            _ => Some(NullBuffer::new(BooleanBuffer::collect_bool(length, |_| self.below(4) > 0))),
        }
    }

    fn offsets(&mut self, length: usize) -> OffsetBuffer<i64> {
        OffsetBuffer::from_lengths((0..length).map(|_| self.below(5)).collect::<Vec<_>>())
    }

    /// A random array, which may be a slice of a longer one.
    fn array(&mut self, data_type: &DataType, length: usize) -> ArrayRef {
        let (before, after) = if self.below(2) == 0 { (0, 0) } else { (self.below(20), self.below(20)) };
        let whole = before + length + after;
        let builder = ArrayData::builder(data_type.clone()).len(whole).nulls(self.nulls(whole));
        let builder = match data_type {
            DataType::Boolean => builder.add_buffer(self.bytes(whole.div_ceil(8)).into()),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => {
                let offsets = self.offsets(whole);
                let values = (0..offsets.last()).map(|_| b'a' + self.next().to_le_bytes()[1] % 26).collect::<Vec<u8>>();
                builder.add_buffer(narrow(data_type, &offsets)).add_buffer(values.into())
            }
            DataType::List(item) | DataType::LargeList(item) => {
                let offsets = self.offsets(whole);
                let items = self.array(item.data_type(), usize::try_from(offsets.last()).unwrap());
                builder.add_buffer(narrow(data_type, &offsets)).add_child_data(items.to_data())
            }
            DataType::Struct(fields) => {
                let children = fields.iter().map(|field| self.array(field.data_type(), whole).to_data()).collect();
                builder.child_data(children)
            }
            DataType::FixedSizeBinary(width) => {
                builder.add_buffer(self.bytes(whole * usize::try_from(*width).unwrap()).into())
            }
            other => {
                let width = other.primitive_width().unwrap();
                builder.add_buffer(self.bytes(whole * width).into()).align_buffers(true)
            }
        };
        make_array(builder.build().unwrap()).slice(before, length)
    }
}

/// Offsets as wide as the type has them.
fn narrow(data_type: &DataType, offsets: &OffsetBuffer<i64>) -> Buffer {
    match data_type {
        DataType::LargeUtf8 | DataType::LargeBinary | DataType::LargeList(_) => offsets.inner().inner().clone(),
        _ => offsets.iter().map(|offset| i32::try_from(*offset).unwrap()).collect::<Vec<_>>().into(),
    }
}

/// Every type that `wit/README.md` names, and some of them in each other.
fn types() -> Vec<DataType> {
    let mut types = vec![
        DataType::Boolean,
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
        DataType::Float32,
        DataType::Float64,
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Binary,
        DataType::LargeBinary,
        DataType::FixedSizeBinary(3),
        DataType::Date32,
        DataType::Date64,
        DataType::Time32(TimeUnit::Millisecond),
        DataType::Time64(TimeUnit::Nanosecond),
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::Interval(IntervalUnit::YearMonth),
        DataType::Interval(IntervalUnit::DayTime),
        DataType::Interval(IntervalUnit::MonthDayNano),
        DataType::Duration(TimeUnit::Second),
        DataType::Decimal128(38, 9),
        DataType::Decimal256(76, 38),
    ];
    let nested = |data_type: &DataType| Arc::new(Field::new("item", data_type.clone(), true));
    let lists: Vec<DataType> = types.iter().map(|data_type| DataType::List(nested(data_type))).collect();
    types.extend(lists);
    let row = DataType::Struct(Fields::from(vec![
        Field::new("a", DataType::Utf8, true),
        Field::new("b", DataType::List(nested(&DataType::Decimal128(20, 2))), true),
        Field::new("c", DataType::Boolean, true),
    ]));
    types.push(DataType::LargeList(nested(&row)));
    types.push(DataType::List(nested(&DataType::LargeList(nested(&row)))));
    types.push(row);
    types
}

fn sent(encoder: &mut Encoder, batch: &RecordBatch) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut sent = None;
    let keep = |metadata: &[u8], body: &[&[u8]]| {
        sent = Some((metadata.to_vec(), body.iter().map(|piece| piece.to_vec()).collect()));
        Ok(())
    };
    encoder.encode(batch, keep).unwrap();
    sent.unwrap()
}

fn received(batch: &RecordBatch, (metadata, body): &(Vec<u8>, Vec<Vec<u8>>)) -> RecordBatch {
    let body: Vec<&[u8]> = body.iter().map(Vec::as_slice).collect();
    decode(&schema_message(&batch.schema()).unwrap(), &gather(metadata, &body)).unwrap()
}

fn column(array: ArrayRef) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([("c", array, true)]).unwrap()
}

#[test]
fn whatever_is_sent_of_any_type_is_what_arrow_reads() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut encoder = Encoder::default();
    for data_type in types() {
        for round in 0..60 {
            let length = if round == 0 { 0 } else { 1 + dice.below(130) };
            let batch = column(dice.array(&data_type, length));
            let message = sent(&mut encoder, &batch);
            assert_eq!(message.0.len() % 8, 0);
            assert_eq!(received(&batch, &message), batch, "{data_type}, round {round}");
        }
    }
}

#[test]
fn batches_of_many_columns_follow_one_another_through_one_encoder() {
    let mut dice = Dice(77);
    let mut encoder = Encoder::default();
    for round in 0..50 {
        let length = dice.below(300);
        let columns: Vec<ArrayRef> = types().iter().map(|data_type| dice.array(data_type, length)).collect();
        let fields: Vec<Field> = columns
            .iter()
            .enumerate()
            .map(|(index, array)| Field::new(format!("c{index}"), array.data_type().clone(), true))
            .collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
        assert_eq!(received(&batch, &sent(&mut encoder, &batch)), batch, "round {round}");
    }
}

#[test]
fn buffers_are_sent_where_they_lie_and_without_bitmaps_that_say_nothing() {
    let ints: ArrayRef = Arc::new(Int64Array::new(vec![1, 2, 3].into(), Some(NullBuffer::new_valid(3))));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("bc")]));
    let batch = RecordBatch::try_from_iter_with_nullable([("i", ints, true), ("t", texts, true)]).unwrap();
    let places: Vec<usize> = batch
        .columns()
        .iter()
        .flat_map(|array| array.to_data().buffers().to_vec())
        .map(|buffer| buffer.as_ptr() as usize)
        .collect();
    let check = |_: &[u8], body: &[&[u8]]| {
        let sent: Vec<(usize, usize)> = body.iter().map(|piece| (piece.as_ptr() as usize, piece.len())).collect();
        assert_eq!((sent[0], sent[2], sent[3]), ((places[0], 24), (places[1], 16), (places[2], 3)));
        assert_eq!(body[1], [0b101]);
        assert_eq!(body.len(), 4);
        Ok(())
    };
    Encoder::default().encode(&batch, check).unwrap();
}

#[test]
fn of_a_slice_only_the_slice_is_sent() {
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..10_000).map(|row| format!("row {row:04}"))));
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<arrow_array::types::Int64Type, _, _>(
        (0..10_000).map(|row| Some(vec![Some(row); 10])),
    ));
    let batch = RecordBatch::try_from_iter_with_nullable([("t", texts, true), ("l", lists, true)]).unwrap();
    let slice = batch.slice(5_000, 10);
    let message = sent(&mut Encoder::default(), &slice);
    assert_eq!(message.1.iter().map(Vec::len).collect::<Vec<_>>(), [44, 80, 44, 800]);
    assert_eq!(received(&slice, &message), slice);
}

#[test]
fn every_buffer_lies_at_a_multiple_of_64() {
    let mut dice = Dice(5);
    let batch = column(dice.array(&types()[types().len() - 1], 33));
    let (metadata, _) = sent(&mut Encoder::default(), &batch);
    let message = arrow_ipc::root_as_message(&metadata[8..]).unwrap();
    let places = message.header_as_record_batch().unwrap().buffers().unwrap();
    assert!(places.iter().all(|place| place.offset() % ALIGNMENT as i64 == 0));
}

#[test]
fn a_type_that_the_contract_does_not_carry_is_named_and_the_encoder_goes_on() {
    let mut encoder = Encoder::default();
    let error = encoder.encode(&column(Arc::new(NullArray::new(3))), |_, _| Ok(())).unwrap_err();
    assert!(error.message.contains("type Null"), "{}", error.message);
    let batch = column(Arc::new(Int64Array::from(vec![1])));
    assert_eq!(received(&batch, &sent(&mut encoder, &batch)), batch);
}

#[test]
fn a_batch_is_let_go_once_it_is_sent() {
    let values = Buffer::from_vec(vec![1_i64, 2, 3]);
    let array = Int64Array::new(values.clone().into(), None);
    let mut encoder = Encoder::default();
    sent(&mut encoder, &column(Arc::new(array)));
    assert_eq!(values.strong_count(), 1);
}
