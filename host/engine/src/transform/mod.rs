//! From the source's batches to the sink's: columns chosen, renamed and cast, and values that do not fit dealt with.
//!
//! Everything that can be decided is decided once, in [`Transform::new`]; [`Transform::apply`] runs over whole columns. An
//! array that needs no change is handed on, not copied. This module knows neither connectors nor sinks: the source's
//! schema, the names and the sink's wishes come in as values.
//!
//! # Who converts, and how exactly
//!
//! There are two conversions, one after the other. A cast that a **person** wrote rounds as BigQuery's CAST does. What the
//! **sink** needs because it has no such type never changes a value: whatever it would change is a misfit.
//!
//! | to | from, if a person asks | from, if the sink needs it |
//! |---|---|---|
//! | BOOL | integers (0 is false), text (`true t yes y on 1`, `false f no n off 0`) | integers |
//! | INT64 | booleans, integers, floats and decimals (rounded half away from zero), text | integers, durations (in their unit), whole floats and decimals |
//! | FLOAT64 | integers, floats, decimals (nearest), text (also `NaN`, `inf`) | floats, integers of up to 32 bits |
//! | NUMERIC, BIGNUMERIC | integers, floats, decimals, text (rounded half away from zero) | the same, nothing rounded |
//! | DATE | dates, timestamps (the day in UTC), text `YYYY-MM-DD` | dates |
//! | DATETIME | dates, timestamps (the clock in UTC), text without a zone | timestamps without a zone |
//! | TIMESTAMP | dates, timestamps (UTC if without a zone), text (UTC if without a zone) | timestamps with a zone |
//! | TIME | times, timestamps, text `HH:MM[:SS[.ffffff]]` | times |
//! | STRING | everything; bytes as UTF-8, lists, structs and maps as JSON, the rest as ISO 8601 or plain digits | the same, but bytes |
//! | BYTES | bytes, text (its UTF-8) | bytes |
//! | JSON | text (must be valid JSON), everything else as a JSON value | the same |
//! | ARRAY | – | lists of any kind, maps (of `key` and `value`), item by item |
//! | STRUCT | – | structs, field by field |
//!
//! Digits after the microsecond are cut off towards the past in a cast, and a misfit otherwise. Texts may have blanks
//! around them; an empty text is not a number. Dictionaries and run-end encoding are unpacked. JSON nested deeper than
//! 127 levels counts as invalid.
//!
//! In every column, cast or not, dates outside 0001-01-01 to 9999-12-31, times outside the day, decimals beyond their
//! precision and JSON columns with text that is not JSON are misfits, so that every sink gets the same rows. A NULL
//! list becomes an empty one where the sink's list cannot be NULL; a NULL in a list or column that takes none is a misfit.
//!
//! # A value that does not fit
//!
//! *fail*: the run ends with the column, the row's number and the reason. *null*: the value becomes NULL and is counted
//! (a part of a struct or list if that part may be NULL, else the whole around it; a list that cannot be NULL becomes
//! empty). *quarantine*: the row leaves the batch and goes to the quarantine batch, once, with its first misfit.

mod cast_type;
mod clock;
mod column;
mod convert;
mod decimal_text;
mod json_row;
mod misfit;
mod nested;
mod number;
mod quarantine;
mod select;
mod temporal;
mod text;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use arrow_select::filter::filter_record_batch;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::naming::Names;
use sluice_core::pipeline::{Misfit, StreamSpec};

use column::{Column, Draft};
use convert::is_json;
use misfit::{Found, IS_NULL, Misfits};

pub use quarantine::quarantine_schema;
pub use select::select;

/// Checks the words of a cast, as a pipeline has them.
///
/// # Errors
/// Says what is wrong with them.
pub fn check_cast(column: &str, words: &str) -> Result<(), RunError> {
    cast_type::parse(column, words).map(drop)
}

/// The type of a table's column, in BigQuery's words.
pub fn type_words(field: &Field) -> String {
    cast_type::words(field.data_type(), is_json(field))
}

/// A value as a cast to STRING would write it.
pub(crate) fn as_text(array: &dyn Array, row: usize) -> Result<String, ArrowError> {
    let mut json = String::new();
    json_row::write_value(&mut json, array, row)?;
    Ok(match serde_json::from_str(&json) {
        Ok(serde_json::Value::String(text)) => text,
        _ => json,
    })
}

/// What turns a stream's batches into the table's. A clone made before the first batch serves another split.
#[derive(Clone)]
pub struct Transform {
    stream: String,
    source: SchemaRef,
    selected: SchemaRef,
    output: SchemaRef,
    columns: Vec<Column>,
    rows_seen: u64,
}

/// A batch after the transform, and what became of its rows: `rows_in = rows_out + quarantined`.
#[derive(Debug)]
pub struct Transformed {
    /// Rows for the table, in [`Transform::output_schema`].
    pub batch: RecordBatch,
    /// Rows put aside, in [`quarantine_schema`].
    pub quarantine: Option<RecordBatch>,
    /// Rows that came in.
    pub rows_in: u64,
    /// Rows of `batch`.
    pub rows_out: u64,
    /// Rows of `quarantine`.
    pub quarantined: u64,
    /// Values in `batch` that became NULL because they did not fit; a column counts once per row.
    pub nulled: u64,
}

impl Transform {
    /// Plans the way of a stream's columns.
    ///
    /// `names` holds the name of every selected column and nested field ([`sluice_core::naming::assign_fields`] over [`select`]'s
    /// schema). `sink_native` is asked once for the types that the sink takes.
    ///
    /// # Errors
    /// Names the field of the pipeline that asks for a column or a cast that is not there, or the column that the sink
    /// has no place for.
    pub fn new(
        spec: &StreamSpec,
        source: &SchemaRef,
        names: &Names,
        sink_native: impl Fn(&SchemaRef) -> Result<SchemaRef, RunError>,
    ) -> Result<Self, RunError> {
        Self::plan(spec, source, names, sink_native).map_err(|error| error.with_stream(&spec.id))
    }

    fn plan(
        spec: &StreamSpec,
        source: &SchemaRef,
        names: &Names,
        sink_native: impl Fn(&SchemaRef) -> Result<SchemaRef, RunError>,
    ) -> Result<Self, RunError> {
        let selected = select(spec, source)?;
        let indices = select::indices(spec, source)?;
        let present =
            selected.fields().iter().enumerate().map(|(index, field)| (field.name().as_str(), index)).collect();
        column::check_casts(spec, &present)?;
        let drafts = indices.iter().zip(selected.fields());
        let drafts: Result<Vec<Draft>, RunError> =
            drafts.map(|(index, field)| Draft::new(spec, *index, field, names)).collect();
        let drafts = drafts?;
        let fields: Vec<_> = drafts.iter().map(|draft| Arc::clone(&draft.field)).collect();
        let wanted: SchemaRef = Arc::new(Schema::new_with_metadata(fields, source.metadata().clone()));
        let native = sink_native(&wanted)?;
        if native.fields().len() != drafts.len() {
            return Err(RunError::internal("the sink's schema has another number of columns than the stream"));
        }
        let finished: Result<Vec<_>, RunError> =
            drafts.into_iter().zip(native.fields()).map(|(draft, native)| draft.finish(native)).collect();
        let (columns, fields): (Vec<_>, Vec<_>) = finished?.into_iter().unzip();
        let output = Arc::new(Schema::new_with_metadata(fields, source.metadata().clone()));
        Ok(Self { stream: spec.id.clone(), source: Arc::clone(source), selected, output, columns, rows_seen: 0 })
    }

    /// The schema of [`Transformed::batch`]: names as assigned, types as the sink takes them. Metadata keeps the name at
    /// the source where it differs, the type there, and what text means.
    pub fn output_schema(&self) -> SchemaRef {
        Arc::clone(&self.output)
    }

    /// Brings a batch into the output schema.
    ///
    /// # Errors
    /// `data` with column, row and reason, but never the value, where a value does not fit and the policy is to fail;
    /// rows are numbered from 1 in the order in which this transform got them. `protocol` if the batch is not in the
    /// source's schema. The transform must not be used again after an error.
    pub fn apply(&mut self, batch: RecordBatch) -> Result<Transformed, RunError> {
        self.check_schema(&batch)?;
        let first_row = self.rows_seen + 1;
        let rows_in = batch.num_rows() as u64;
        let mut arrays = Vec::with_capacity(self.columns.len());
        let mut aside: BTreeMap<usize, quarantine::Reason> = BTreeMap::new();
        let mut nulled: Vec<usize> = Vec::new();
        for column in &self.columns {
            let source = batch.columns().get(column.index).ok_or_else(|| self.defect("a column is missing"))?;
            let mut misfits = Misfits::default();
            let array = convert(column, source, &mut misfits).map_err(|error| self.broken(column, &error))?;
            arrays.push(array);
            if misfits.is_empty() {
                continue;
            }
            let found = misfits.into_sorted();
            match column.policy {
                Misfit::Fail => return Err(self.misfit(column, found.first(), first_row)),
                Misfit::Null => nulled.extend(found.iter().map(|found| found.row)),
                Misfit::Quarantine => {
                    for found in found {
                        aside.entry(found.row).or_insert_with(|| column.reason(&found));
                    }
                }
            }
        }
        self.rows_seen += rows_in;
        nulled.retain(|row| !aside.contains_key(row));
        self.assemble(&batch, arrays, &aside, first_row)
            .map(|(batch, quarantine)| Transformed {
                rows_in,
                rows_out: batch.num_rows() as u64,
                quarantined: aside.len() as u64,
                nulled: nulled.len() as u64,
                batch,
                quarantine,
            })
            .map_err(|error| self.defect(&error.to_string()))
    }

    /// The output batch without the rows put aside, and those.
    fn assemble(
        &self,
        source: &RecordBatch,
        arrays: Vec<ArrayRef>,
        aside: &BTreeMap<usize, quarantine::Reason>,
        first_row: u64,
    ) -> Result<(RecordBatch, Option<RecordBatch>), ArrowError> {
        let options = RecordBatchOptions::new().with_row_count(Some(source.num_rows()));
        if aside.is_empty() {
            return Ok((RecordBatch::try_new_with_options(Arc::clone(&self.output), arrays, &options)?, None));
        }
        // Rows that leave may hold NULL where the table takes none, so the schema is put on after they have left.
        let loose: Vec<_> =
            self.output.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
        let loose = RecordBatch::try_new_with_options(Arc::new(Schema::new(loose)), arrays, &options)?;
        let keep = BooleanArray::from_iter((0..source.num_rows()).map(|row| Some(!aside.contains_key(&row))));
        let kept = filter_record_batch(&loose, &keep)?;
        let options = RecordBatchOptions::new().with_row_count(Some(kept.num_rows()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.output), kept.columns().to_vec(), &options)?;
        let columns = self.columns.iter().filter_map(|column| source.columns().get(column.index).cloned()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(source.num_rows()));
        let record = RecordBatch::try_new_with_options(Arc::clone(&self.selected), columns, &options)?;
        Ok((batch, Some(quarantine::batch(&record, aside, first_row)?)))
    }

    fn check_schema(&self, batch: &RecordBatch) -> Result<(), RunError> {
        let schema = batch.schema_ref();
        let same = Arc::ptr_eq(schema, &self.source)
            || schema.fields().len() == self.source.fields().len()
                && schema.fields().iter().zip(self.source.fields()).all(|(a, b)| a.data_type() == b.data_type());
        if same {
            return Ok(());
        }
        let message = "a batch has other columns than the schema that was declared for it";
        Err(RunError::new(Kind::Protocol, Actor::Source, message).with_stream(&self.stream))
    }

    fn misfit(&self, column: &Column, found: Option<&Found>, first_row: u64) -> RunError {
        let Some(found) = found else { return self.defect("a misfit without a row") };
        let reason = column.reason(found);
        let message = format!(
            "row {}, column {:?}: the value {}. Correct it at the source, choose another type under `cast`, or set \
             `on_misfit` to `quarantine` or `set-null`",
            first_row.saturating_add(found.row as u64),
            reason.column,
            reason.reason,
        );
        RunError::new(Kind::Data, Actor::User, message).with_field(&column.setting).with_stream(&self.stream)
    }

    fn broken(&self, column: &Column, error: &ArrowError) -> RunError {
        let message = format!("the column {:?} could not be converted to {}: {error}", column.source, column.words);
        RunError::internal(message).with_stream(&self.stream)
    }

    fn defect(&self, what: &str) -> RunError {
        RunError::internal(format!("the transform failed: {what}")).with_stream(&self.stream)
    }
}

impl Column {
    fn reason(&self, found: &Found) -> quarantine::Reason {
        let column = match found.path.as_str() {
            "" => self.source.clone(),
            path => format!("{}.{path}", self.source),
        };
        quarantine::Reason { column, reason: format!("does not fit {}: {}", self.words, found.reason) }
    }
}

fn convert(column: &Column, source: &ArrayRef, misfits: &mut Misfits) -> Result<ArrayRef, ArrowError> {
    let mut array = Arc::clone(source);
    for step in &column.asked {
        array = step(&array, misfits)?;
    }
    let (array, without) = column.native.convert(&array, misfits)?;
    for row in without {
        misfits.push(row, IS_NULL);
    }
    Ok(array)
}
