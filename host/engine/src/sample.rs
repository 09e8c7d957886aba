//! The first rows of a stream as the sink would have them, and what the casts lose of them: every value that does not fit becomes NULL
//! and is counted, whatever the pipeline would do with it, so that a person sees all of it at once.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, SchemaRef};
use sluice_core::RunError;
use sluice_core::load::SOURCE_TYPE_KEY;
use sluice_core::naming::{Names, assign_fields};
use sluice_core::pipeline::{Misfit, StreamSpec};
use sluice_core::sample::{Example, MOST_EXAMPLES, SampledColumn, is_same};

use crate::transform::{Transform, as_text, select, type_words};

/// Most of a value that is shown as an example, bytes.
const LONGEST_EXAMPLE: usize = 200;

/// A sample that is being taken.
pub struct Sample {
    spec: StreamSpec,
    selected: SchemaRef,
    transform: Transform,
    columns: Vec<SampledColumn>,
    rows: u64,
}

impl Sample {
    /// Of a stream whose columns are these at the source; `native` is what the sink makes of them.
    ///
    /// # Errors
    /// Names the field of the stream that asks for what is not there, or the column that the sink has no place for.
    pub fn new(
        spec: &StreamSpec,
        source: &SchemaRef,
        native: impl Fn(&SchemaRef) -> Result<SchemaRef, RunError>,
    ) -> Result<Self, RunError> {
        let mut lenient = spec.clone();
        lenient.on_misfit = Misfit::Null;
        lenient.cast.values_mut().for_each(|cast| cast.on_misfit = None);
        let selected = select(&lenient, source)?;
        let names = assign_fields(&Names::default(), selected.fields(), &spec.rename, spec.reserved_columns())?;
        let transform = Transform::new(&lenient, source, &names, native)?;
        let output = transform.output_schema();
        let columns = selected.fields().iter().zip(output.fields()).map(|(from, to)| column(from, to)).collect();
        Ok(Self { spec: lenient, selected, transform, columns, rows: 0 })
    }

    /// Takes a batch of the source; the same rows as the sink would have them.
    ///
    /// # Errors
    /// If the batch is not in the source's schema.
    pub fn take(&mut self, batch: RecordBatch) -> Result<RecordBatch, RunError> {
        let before = select_columns(&batch, &self.selected)?;
        let after = self.transform.apply(batch)?.batch;
        for ((column, before), after) in self.columns.iter_mut().zip(before).zip(after.columns()) {
            compare(column, &before, after, self.rows, self.spec.cast.contains_key(&column.source))?;
        }
        self.rows += after.num_rows() as u64;
        Ok(after)
    }

    /// What was found.
    pub fn finish(self) -> Vec<SampledColumn> {
        self.columns
    }
}

fn column(from: &Field, to: &Field) -> SampledColumn {
    let own = from.metadata().get(SOURCE_TYPE_KEY).cloned();
    SampledColumn {
        source: from.name().clone(),
        name: to.name().clone(),
        source_type: own.unwrap_or_else(|| from.data_type().to_string()),
        r#type: type_words(to),
        nullable: to.is_nullable(),
        misfits: 0,
        changed: 0,
        examples: Vec::new(),
    }
}

/// The chosen columns of a batch, in their order.
fn select_columns(batch: &RecordBatch, selected: &SchemaRef) -> Result<Vec<ArrayRef>, RunError> {
    let of = |field: &Arc<Field>| batch.column_by_name(field.name()).cloned();
    let missing = || RunError::internal("a column of the sample is missing");
    selected.fields().iter().map(|field| of(field).ok_or_else(missing)).collect()
}

fn compare(
    column: &mut SampledColumn,
    before: &ArrayRef,
    after: &ArrayRef,
    rows_before: u64,
    cast: bool,
) -> Result<(), RunError> {
    let failed = |e: arrow_schema::ArrowError| RunError::internal(format!("showing a value: {e}"));
    for row in 0..after.len().min(before.len()) {
        if before.is_null(row) {
            continue;
        }
        let misfit = after.is_null(row);
        // Without a cast only what does not fit differs: what the sink needs never changes a value.
        if !misfit && !cast {
            continue;
        }
        let text = as_text(before.as_ref(), row).map_err(failed)?;
        let then = (!misfit).then(|| as_text(after.as_ref(), row)).transpose().map_err(failed)?;
        if then.as_ref().is_some_and(|then| is_same(&text, then)) {
            continue;
        }
        if misfit {
            column.misfits += 1;
        } else {
            column.changed += 1;
        }
        if column.examples.len() < MOST_EXAMPLES {
            let row = rows_before + row as u64 + 1;
            column.examples.push(Example { row, before: short(text), after: then.map(short) });
        }
    }
    Ok(())
}

fn short(mut text: String) -> String {
    if text.len() > LONGEST_EXAMPLE {
        text.truncate(text.floor_char_boundary(LONGEST_EXAMPLE));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use arrow_array::{Float64Array, Int64Array, StringArray};
    use arrow_schema::{DataType, Schema};
    use serde_json::json;

    use super::*;

    fn sampled(spec: serde_json::Value) -> (Vec<SampledColumn>, RecordBatch) {
        let schema: SchemaRef = Arc::new(Schema::new(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("order no", DataType::Utf8, true),
            Field::new("amount", DataType::Float64, true),
        ]));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![1, 2, 3])),
            Arc::new(StringArray::from(vec![Some("007"), Some("n/a"), None])),
            Arc::new(Float64Array::from(vec![1.5, 2.0, 2.25])),
        ];
        let batch = RecordBatch::try_new(schema.clone(), columns).unwrap();
        let spec = serde_json::from_value(spec).unwrap();
        let mut sample = Sample::new(&spec, &schema, |schema| Ok(schema.clone())).unwrap();
        let rows = sample.take(batch).unwrap();
        (sample.finish(), rows)
    }

    #[test]
    fn what_a_cast_loses_is_counted_and_shown_whatever_the_pipeline_would_do() {
        let cast = json!({"order no": {"to": "INT64", "on_misfit": "quarantine"}, "amount": {"to": "NUMERIC(10,1)"}});
        let (columns, rows) = sampled(json!({"id": "t", "cast": cast}));
        assert_eq!(rows.num_rows(), 3, "nothing is put aside, and nothing fails");
        let counts: Vec<_> = columns.iter().map(|one| (one.name.as_str(), one.misfits, one.changed)).collect();
        assert_eq!(counts, [("id", 0, 0), ("order_no", 1, 1), ("amount", 0, 1)]);
        let order = &columns[1];
        assert_eq!((order.source.as_str(), order.r#type.as_str()), ("order no", "INT64"));
        let example = |row, before: &str, after: Option<&str>| Example {
            row,
            before: before.into(),
            after: after.map(str::to_owned),
        };
        assert_eq!(order.examples, [example(1, "007", Some("7")), example(2, "n/a", None)]);
        assert_eq!(columns[2].examples, [example(3, "2.25", Some("2.3"))]);
    }

    #[test]
    fn times_with_a_zone_are_read_as_they_are_written() {
        let kind = DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, Some("UTC".into()));
        let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("at", kind, false)]));
        let times = arrow_array::TimestampMicrosecondArray::from(vec![0, 1_500_000]).with_timezone("UTC");
        let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(times)]).unwrap();
        let spec = serde_json::from_value(json!({"id": "t", "cast": {"at": {"to": "DATE"}}})).unwrap();
        let mut sample = Sample::new(&spec, &schema, |schema| Ok(schema.clone())).unwrap();
        sample.take(batch).unwrap();
        let column = sample.finish().remove(0);
        assert_eq!((column.r#type.as_str(), column.changed), ("DATE", 2), "the time of the day is lost");
        assert_eq!(column.examples[1].before, "1970-01-01T00:00:01.5Z");
    }

    #[test]
    fn columns_are_chosen_and_renamed_as_in_a_run() {
        let (columns, rows) = sampled(json!({"id": "t", "columns": ["amount", "id"], "rename": {"amount": "net"}}));
        assert_eq!(columns.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["net", "id"]);
        assert_eq!(rows.schema().field(0).name(), "net");
        assert!(columns.iter().all(|one| one.misfits + one.changed == 0));
    }
}
