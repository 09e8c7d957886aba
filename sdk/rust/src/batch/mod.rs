//! Building record batches row by row, for sources that hand out values rather than columns.
//!
//! ```
//! use std::sync::Arc;
//! use arrow_schema::{DataType, Field, Schema};
//! use sluice_sdk::batch::BatchBuilder;
//!
//! let schema = Arc::new(Schema::new(vec![
//!     Field::new("id", DataType::Int64, false),
//!     Field::new("name", DataType::Utf8, true),
//! ]));
//! let mut rows = BatchBuilder::new(schema, 1 << 20)?;
//! rows.row().int(1)?.text("Ada")?.end()?;
//! rows.json(&serde_json::json!({"id": 2, "name": null}))?;
//! if rows.is_full() {
//!     // channel.push(&rows.take()?)?;
//! }
//! assert_eq!(rows.take()?.num_rows(), 2);
//! # Ok::<(), sluice_sdk::Error>(())
//! ```
//!
//! To add a type: a variant of [`column::Column`], an arm in each of its functions, and its name in the tests below.

mod column;
mod row;

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use serde_json::{Map, Value};

use crate::{Error, Result};
use column::Column;
pub use row::RowBuilder;

/// Collects rows until a batch is full.
pub struct BatchBuilder {
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
    target: usize,
}

impl BatchBuilder {
    /// Collects rows of this schema, about `target_bytes` of Arrow for each batch.
    ///
    /// # Errors
    /// `unsupported` for a type that cannot be built row by row; build such columns with Arrow's own builders.
    pub fn new(schema: SchemaRef, target_bytes: usize) -> Result<Self> {
        let columns = schema.fields().iter().map(|field| Column::new(field)).collect::<Result<_>>()?;
        Ok(Self { schema, columns, rows: 0, bytes: 0, target: target_bytes.max(1) })
    }

    /// Starts a row: its values follow in the schema's order, and [`RowBuilder::end`] completes it. A row that is dropped
    /// before that is left out.
    pub fn row(&mut self) -> RowBuilder<'_> {
        RowBuilder::new(self)
    }

    /// Adds a row from a JSON object: members by name; what is missing is null.
    ///
    /// # Errors
    /// `protocol`, naming the column, for a value that does not fit or a null where none may be. The row is left out.
    pub fn json(&mut self, object: &Value) -> Result<()> {
        let Value::Object(members) = object else {
            return Err(Error::protocol("a row must be a JSON object"));
        };
        self.members(members)
    }

    fn members(&mut self, members: &Map<String, Value>) -> Result<()> {
        let schema = Arc::clone(&self.schema);
        let mut row = self.row();
        for field in schema.fields() {
            row = row.json(members.get(field.name()).unwrap_or(&Value::Null))?;
        }
        row.end()
    }

    /// Complete rows that have not been taken.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Whether a batch's worth of bytes has been collected.
    pub fn is_full(&self) -> bool {
        self.bytes >= self.target
    }

    /// Takes the rows as a batch and starts anew; the batch has no rows if there were none.
    ///
    /// # Errors
    /// `internal` if Arrow refuses the columns.
    pub fn take(&mut self) -> Result<RecordBatch> {
        let arrays: Vec<ArrayRef> = self.columns.iter_mut().map(Column::finish).collect::<Result<_>>()?;
        self.rows = 0;
        self.bytes = 0;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), arrays)?)
    }

    /// Drops the values that an incomplete row has added.
    fn cut(&mut self) {
        for column in &mut self.columns {
            column.truncate(self.rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int32Type, TimestampMicrosecondType};
    use arrow_schema::{DataType, Field, Schema, TimeUnit};
    use serde_json::json;

    use super::*;
    use crate::ErrorKind;

    fn builder(fields: Vec<Field>, target: usize) -> BatchBuilder {
        BatchBuilder::new(Arc::new(Schema::new(fields)), target).unwrap()
    }

    #[test]
    fn values_of_every_type_become_columns() {
        let mut rows = builder(
            vec![
                Field::new("b", DataType::Boolean, true),
                Field::new("i", DataType::Int32, true),
                Field::new("f", DataType::Float64, true),
                Field::new("d", DataType::Date32, true),
                Field::new("t", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
                Field::new("n", DataType::Decimal128(10, 2), true),
                Field::new("s", DataType::Utf8, true),
                Field::new("x", DataType::Binary, true),
            ],
            1 << 20,
        );
        let row = rows.row().bool(true).unwrap().int(-5).unwrap().float(0.5).unwrap().int(19_000).unwrap();
        let row = row.int(1_000_000).unwrap().text("-12.3").unwrap().text("ä").unwrap();
        row.bytes(&[0, 255]).unwrap().end().unwrap();
        rows.json(&json!({"i": 7, "f": 3, "n": "0.01", "s": {"a": [1]}})).unwrap();
        let batch = rows.take().unwrap();
        assert_eq!(batch.num_rows(), 2);
        assert!(batch.column(0).as_boolean().value(0) && batch.column(0).is_null(1));
        assert_eq!(batch.column(1).as_primitive::<Int32Type>().values(), &[-5, 7]);
        assert_eq!(batch.column(2).as_primitive::<Float64Type>().values(), &[0.5, 3.0]);
        assert_eq!(batch.column(3).as_primitive::<Date32Type>().value(0), 19_000);
        assert_eq!(batch.column(4).as_primitive::<TimestampMicrosecondType>().value(0), 1_000_000);
        assert_eq!(batch.column(5).as_primitive::<Decimal128Type>().values(), &[-1230, 1]);
        assert_eq!(batch.column(6).as_string::<i32>().iter().collect::<Vec<_>>(), [Some("ä"), Some("{\"a\":[1]}")]);
        assert_eq!(batch.column(7).as_binary::<i32>().value(0), &[0, 255]);
        assert!(rows.is_empty());
    }

    #[test]
    fn a_value_that_does_not_fit_names_its_column_and_leaves_its_row_out() {
        let mut rows =
            builder(vec![Field::new("a", DataType::Int32, false), Field::new("b", DataType::Utf8, true)], 1 << 20);
        rows.json(&json!({"a": 1, "b": "x"})).unwrap();
        for (row, part) in [
            (json!({"a": 3_000_000_000_i64}), "column \"a\""),
            (json!({"a": "1"}), "column \"a\""),
            (json!({"b": "no a"}), "may not be null"),
            (json!([1]), "JSON object"),
        ] {
            let error = rows.json(&row).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Protocol);
            assert!(error.message.contains(part), "{error}");
        }
        drop(rows.row().int(2).unwrap());
        assert!(rows.row().int(2).unwrap().end().unwrap_err().message.contains("1 of 2 values"));
        assert!(rows.row().int(2).unwrap().null().unwrap().int(3).is_err());
        let batch = rows.take().unwrap();
        assert_eq!((batch.num_rows(), batch.column(0).len(), batch.column(1).len()), (1, 1, 1));
    }

    #[test]
    fn a_batch_is_full_by_bytes() {
        let mut rows = builder(vec![Field::new("s", DataType::Utf8, true)], 100);
        rows.row().text(&"x".repeat(90)).unwrap().end().unwrap();
        assert!(!rows.is_full());
        rows.row().text("0123456789").unwrap().end().unwrap();
        assert!(rows.is_full());
        rows.take().unwrap();
        assert!(!rows.is_full());
    }

    #[test]
    fn a_type_that_cannot_be_built_row_by_row_is_refused() {
        let field = Field::new("l", DataType::new_list(DataType::Int32, true), true);
        let error = BatchBuilder::new(Arc::new(Schema::new(vec![field])), 1).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Unsupported);
    }
}
