//! Batches as the table takes them: types adapted, lists without NULL, cut into requests of bounded size.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StructArray};
use arrow_cast::CastOptions;
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, write_message};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use bytes::Bytes;
use google_cloud_bigquery_v2::model::TableFieldSchema;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};

use super::schema::canonical;

/// What a request needs besides the rows: names, offsets, framing.
const OVERHEAD: usize = 4 * 1024;

/// Turns batches in the native schema into what goes over the wire.
pub(crate) struct Wire {
    schema: SchemaRef,
    budget: usize,
    /// Rows of the last request that fitted: a first guess for the next.
    guess: usize,
}

/// Some rows, ready to be sent.
pub(crate) struct Encoded {
    pub(crate) rows: usize,
    pub(crate) message: Bytes,
}

impl Wire {
    /// For rows of this native schema into a table with these columns.
    pub(crate) fn new(native: &SchemaRef, table: &[TableFieldSchema], request_bytes: usize) -> Result<Self, RunError> {
        let fields: Fields = native.fields().iter().map(|field| wire_field(field, table)).collect();
        let schema = Arc::new(Schema::new(fields));
        let budget = request_bytes.saturating_sub(OVERHEAD).saturating_sub(encode_schema(&schema)?.len());
        if budget < OVERHEAD {
            let message =
                format!("a request of {request_bytes} bytes has no room for {} columns", schema.fields().len());
            return Err(RunError::config("sink.request_bytes", message));
        }
        Ok(Self { schema, budget, guess: usize::MAX })
    }

    pub(crate) fn schema_message(&self) -> Result<Bytes, RunError> {
        Ok(encode_schema(&self.schema)?.into())
    }

    /// Adapts a batch to the table.
    pub(crate) fn adapt(&self, batch: &RecordBatch) -> Result<RecordBatch, RunError> {
        let columns = batch
            .columns()
            .iter()
            .zip(self.schema.fields())
            .map(|(column, field)| {
                let column = without_null_lists(column, field.name())?;
                cast(&column, field)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options).map_err(|e| not_encoded(&e))
    }

    /// Takes as many rows from `from` as fit into a request.
    pub(crate) fn next(&mut self, batch: &RecordBatch, from: usize) -> Result<Encoded, RunError> {
        let mut rows = self.guess.min(batch.num_rows().saturating_sub(from)).max(1);
        loop {
            let message = encode_batch(&batch.slice(from, rows)).map_err(|e| not_encoded(&e))?;
            if message.len() <= self.budget {
                // A quarter of the room is left: the next rows may be wider, and encoding twice costs more.
                let fits = rows.saturating_mul(self.budget) / message.len().max(1);
                self.guess = (fits - fits / 4).max(1);
                return Ok(Encoded { rows, message: message.into() });
            }
            if rows == 1 {
                let text = format!(
                    "a row has {} bytes, more than the {} that fit into a request; raise `request_bytes` (BigQuery takes 20 MB) or leave out a column",
                    message.len(),
                    self.budget
                );
                return Err(RunError::new(Kind::Data, Actor::User, text).with_field("sink.request_bytes"));
            }
            let fits = rows.saturating_mul(self.budget) / message.len().max(1);
            rows = (fits - fits / 8).clamp(1, rows / 2 + 1).min(rows - 1);
        }
    }
}

/// The Arrow type in which a column's values are sent.
fn wire_field(field: &FieldRef, table: &[TableFieldSchema]) -> FieldRef {
    let target = table.iter().find(|t| t.name.eq_ignore_ascii_case(field.name()));
    let nested = target.map_or(&[][..], |t| t.fields.as_slice());
    let kind = target.map_or("", |t| canonical(&t.r#type));
    let data_type = wire_type(field.data_type(), kind, nested);
    Arc::new(Field::new(field.name(), data_type, field.is_nullable()))
}

fn wire_type(native: &DataType, kind: &str, nested: &[TableFieldSchema]) -> DataType {
    match (native, kind) {
        // A table that was widened takes what its column is now.
        (DataType::Int64, "NUMERIC") => DataType::Decimal128(19, 0),
        (DataType::Int64, "BIGNUMERIC") => DataType::Decimal256(19, 0),
        (DataType::Int64, "FLOAT") => DataType::Float64,
        (DataType::Decimal128(p, s), "BIGNUMERIC") => DataType::Decimal256(*p, *s),
        (DataType::List(item), _) => {
            let element = wire_type(item.data_type(), kind, nested);
            DataType::List(Arc::new(Field::new(item.name(), element, item.is_nullable())))
        }
        (DataType::Struct(fields), _) => {
            DataType::Struct(fields.iter().map(|field| wire_field(field, nested)).collect())
        }
        (other, _) => other.clone(),
    }
}

fn cast(column: &ArrayRef, field: &FieldRef) -> Result<ArrayRef, RunError> {
    if column.data_type() == field.data_type() {
        return Ok(column.clone());
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    arrow_cast::cast_with_options(column, field.data_type(), &options).map_err(|e| {
        let text = format!("column {}: a value does not fit the column's type in the table: {e}", field.name());
        RunError::new(Kind::Data, Actor::User, text).with_field(field.name())
    })
}

/// A batch as BigQuery stores it, in the schema that it has.
pub(crate) fn storable(batch: &RecordBatch) -> Result<RecordBatch, RunError> {
    let schema = batch.schema();
    let columns = batch.columns().iter().zip(schema.fields());
    let columns =
        columns.map(|(column, field)| without_null_lists(column, field.name())).collect::<Result<Vec<_>, _>>()?;
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema, columns, &options).map_err(|e| not_encoded(&e))
}

/// BigQuery knows no NULL list and no NULL in a list: the first becomes empty, the second is refused.
fn without_null_lists(column: &ArrayRef, path: &str) -> Result<ArrayRef, RunError> {
    match column.data_type() {
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            let list = if list.null_count() == 0 { list.clone() } else { emptied(list) };
            let (field, offsets, values, nulls) = list.into_parts();
            let bounds: &[i32] = &offsets;
            let (first, last) = (bounds.first().copied().unwrap_or(0), bounds.last().copied().unwrap_or(0));
            let used = values.slice(first as usize, (last - first).max(0) as usize);
            if used.logical_null_count() > 0 {
                let text = format!(
                    "column {path} holds an array with a NULL in it, which BigQuery does not store; drop such elements at the source"
                );
                return Err(RunError::new(Kind::Data, Actor::User, text).with_field(path));
            }
            let values = without_null_lists(&values, path)?;
            let field = Arc::new(field.as_ref().clone().with_data_type(values.data_type().clone()));
            let list = ListArray::try_new(field, offsets, values, nulls).map_err(|e| not_encoded(&e))?;
            Ok(Arc::new(list))
        }
        DataType::Struct(fields) => {
            let record = column.as_struct();
            let columns = record
                .columns()
                .iter()
                .zip(fields)
                .map(|(column, field)| without_null_lists(column, &format!("{path}.{}", field.name())))
                .collect::<Result<Vec<_>, _>>()?;
            let record = StructArray::try_new(fields.clone(), columns, record.nulls().cloned());
            Ok(Arc::new(record.map_err(|e| not_encoded(&e))?))
        }
        _ => Ok(column.clone()),
    }
}

/// A list whose NULLs are empty. The values below a NULL may be anything, so they are left out by taking the others.
fn emptied(list: &ListArray) -> ListArray {
    let DataType::List(field) = list.data_type() else { return list.clone() };
    let lengths = (0..list.len()).map(|row| if list.is_null(row) { 0 } else { list.value_length(row).max(0) as usize });
    let offsets = arrow_buffer::OffsetBuffer::from_lengths(lengths);
    let kept = (0..list.len()).filter(|row| list.is_valid(*row)).flat_map(|row| {
        let bounds = list.value_offsets();
        let begin = bounds.get(row).copied().unwrap_or(0);
        let end = bounds.get(row + 1).copied().unwrap_or(begin);
        begin..end
    });
    let indices = arrow_array::Int32Array::from_iter_values(kept);
    match arrow_select::take::take(list.values(), &indices, None) {
        Ok(values) => ListArray::new(field.clone(), offsets, values, None),
        Err(_) => list.clone(),
    }
}

fn encode_schema(schema: &Schema) -> Result<Vec<u8>, RunError> {
    let options = IpcWriteOptions::default();
    let mut tracker = DictionaryTracker::new(false);
    let encoded = IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(schema, &mut tracker, &options);
    let mut message = Vec::new();
    write_message(&mut message, encoded, &options).map_err(|e| not_encoded(&e))?;
    Ok(message)
}

fn encode_batch(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let options = IpcWriteOptions::default();
    let mut tracker = DictionaryTracker::new(false);
    let mut context = IpcWriteContext::default();
    let (_, encoded) = IpcDataGenerator::default().encode(batch, &mut tracker, &options, &mut context)?;
    let mut message = Vec::with_capacity(encoded.ipc_message.len() + encoded.arrow_data.len() + 64);
    write_message(&mut message, encoded, &options)?;
    Ok(message)
}

fn not_encoded(error: &ArrowError) -> RunError {
    RunError::internal(format!("a batch could not be encoded for BigQuery: {error}"))
}

#[cfg(test)]
mod tests {
    use arrow_array::builder::{ListBuilder, StringBuilder};
    use arrow_array::{Int64Array, StringArray};

    use super::*;

    fn one(name: &str, column: ArrayRef) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable([(name, column, true)]).unwrap()
    }

    fn column(kind: &str) -> TableFieldSchema {
        TableFieldSchema::new().set_name("C").set_type(kind)
    }

    #[test]
    fn a_null_list_is_stored_as_an_empty_one_whatever_lies_below_it() {
        let values = StringArray::from(vec!["a", "hidden", "b"]);
        let field = Arc::new(Field::new("element", DataType::Utf8, true));
        let offsets = arrow_buffer::OffsetBuffer::from_lengths([1, 1, 1]);
        let nulls = arrow_buffer::NullBuffer::from(vec![true, false, true]);
        let list = ListArray::new(field, offsets, Arc::new(values), Some(nulls));
        let stored = storable(&one("c", Arc::new(list))).unwrap();
        let list = stored.column(0).as_list::<i32>();
        assert_eq!((list.null_count(), list.value_length(1)), (0, 0));
        assert_eq!(list.value(2).as_string::<i32>().value(0), "b");
    }

    #[test]
    fn a_null_inside_an_array_is_refused_by_the_name_of_its_column() {
        let mut tags = ListBuilder::new(StringBuilder::new());
        tags.values().append_null();
        tags.append(true);
        let error = storable(&one("tags", Arc::new(tags.finish()))).unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (Kind::Data, Some("tags")));
    }

    #[test]
    fn integers_become_what_a_widened_column_is() {
        let batch = one("c", Arc::new(Int64Array::from(vec![7])));
        let sent = |kind| {
            let wire = Wire::new(&batch.schema(), &[column(kind)], 1 << 20).unwrap();
            wire.adapt(&batch).unwrap().column(0).data_type().clone()
        };
        assert_eq!(sent("INT64"), DataType::Int64);
        assert_eq!(sent("NUMERIC"), DataType::Decimal128(19, 0));
        assert_eq!(sent("FLOAT64"), DataType::Float64);
    }

    #[test]
    fn requests_hold_every_row_once_and_none_is_too_large() {
        let texts = StringArray::from_iter_values((0..5_000_usize).map(|i| "x".repeat(i % 997)));
        let batch = one("c", Arc::new(texts));
        let limit = 64 * 1024;
        let mut wire = Wire::new(&batch.schema(), &[], limit).unwrap();
        let mut from = 0;
        while from < batch.num_rows() {
            let encoded = wire.next(&batch, from).unwrap();
            assert!(encoded.message.len() <= limit, "{}", encoded.message.len());
            from += encoded.rows;
        }
        assert_eq!(from, batch.num_rows());
    }

    #[test]
    fn a_row_that_fits_no_request_is_an_error_that_names_the_option() {
        let batch = one("c", Arc::new(StringArray::from(vec!["x".repeat(100_000)])));
        let mut wire = Wire::new(&batch.schema(), &[], 64 * 1024).unwrap();
        assert_eq!(wire.next(&batch, 0).err().unwrap().field.as_deref(), Some("sink.request_bytes"));
    }
}
