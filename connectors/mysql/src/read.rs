//! Reading a split: rows of a prepared statement, cut into Arrow batches.

use arrow_array::ArrayRef;
use serde::{Deserialize, Serialize};
use sluice_sdk::{Cursor, Error, Output, Result, Split, log};
use sluice_sql::batcher::{Batcher, Columns};

use crate::config::{MysqlConfig, ZeroDates};
use crate::session::Session;
use crate::types::column::{Column, Fault};
use crate::types::{self, ColumnSpec, Form};
use crate::wire::query::Definition;
use crate::wire::rows::Row;

/// Form of the descriptor; a newer connector may read splits that an older one planned.
const VERSION: u32 = 1;

/// The cursor of a split that has been read to its end.
const DONE: &[u8] = b"{\"version\":1,\"done\":true}";

/// All that reading a split takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Descriptor {
    pub(crate) version: u32,
    pub(crate) stream: String,
    pub(crate) columns: Vec<ColumnSpec>,
    /// The query, complete.
    pub(crate) query: String,
    /// True if the rows are still the same when it is read later, because the query bounds them.
    pub(crate) bounded: bool,
    pub(crate) batch_bytes: u64,
}

impl Descriptor {
    pub(crate) fn new(stream: &str, columns: Vec<ColumnSpec>, query: String, batch_bytes: u64) -> Self {
        Self { version: VERSION, stream: stream.to_owned(), columns, query, bounded: false, batch_bytes }
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let descriptor: Self = serde_json::from_slice(bytes)?;
        if descriptor.version != VERSION {
            return Err(Error::unsupported(format!(
                "the split was planned by another version of this connector (form {}, known is {VERSION}); plan the run again",
                descriptor.version
            )));
        }
        Ok(descriptor)
    }
}

/// Reads a split to its end.
pub(crate) fn read(config: &MysqlConfig, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
    let descriptor = Descriptor::decode(&split.descriptor)?;
    let stream = descriptor.stream.clone();
    read_rows(config, &descriptor, start, output).map_err(|error| error.stream(stream))
}

fn read_rows(config: &MysqlConfig, descriptor: &Descriptor, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
    let channel = output.stream(&descriptor.stream, types::schema(&descriptor.columns))?;
    if start.is_some_and(|cursor| cursor == DONE) {
        return Ok(());
    }
    let mut session = Session::open(config)?;
    session.allow_reading(config)?;
    session.begin()?;
    let mut rows = session.wire.select(&descriptor.query)?;
    compare(&descriptor.columns, &rows.columns)?;
    let filling = Filling::new(config.zero_dates, &descriptor.columns);
    let mut batcher = Batcher::new(filling, channel, descriptor.batch_bytes);
    while let Some(row) = rows.next()? {
        batcher.columns.row(row)?;
        batcher.row(rows.received())?;
    }
    batcher.end(&DONE.to_vec())?.report();
    Ok(())
}

/// A value is taken as what it was planned to be, so it must still be sent as that.
fn compare(planned: &[ColumnSpec], sent: &[Definition]) -> Result<()> {
    if planned.len() != sent.len() {
        return Err(Error::protocol("the server sends another number of columns than was asked for"));
    }
    for (spec, definition) in planned.iter().zip(sent) {
        let form = Form::of(definition.r#type, definition.unsigned);
        // A column that is NULL in every row has no form.
        if form.is_some_and(|form| form != spec.kind.form()) {
            return Err(Error::transient(format!(
                "column {} is no {} any more: the table was changed after the run was planned, which it must be again",
                spec.name, spec.source_type
            )));
        }
    }
    Ok(())
}

/// Columns of a result.
struct Filling<'a> {
    specs: &'a [ColumnSpec],
    columns: Vec<Column>,
    /// Values that became NULL, by column.
    lost: Vec<u64>,
}

impl<'a> Filling<'a> {
    fn new(zero_dates: ZeroDates, specs: &'a [ColumnSpec]) -> Self {
        let column = |spec: &ColumnSpec| Column::new(&spec.kind, spec.nullable, zero_dates);
        Self { specs, columns: specs.iter().map(column).collect(), lost: vec![0; specs.len()] }
    }

    #[inline]
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        let mut values = row.values;
        let full = row.is_full();
        for (index, column) in self.columns.iter_mut().enumerate() {
            let taken = if !full && row.is_null(index) { column.push_null() } else { column.take(&mut values) };
            if let Err(fault) = taken {
                return Err(self.explain(index, fault));
            }
        }
        if !values.0.is_empty() {
            return Err(Error::protocol("the server sent a row that is longer than its columns"));
        }
        Ok(())
    }

    #[cold]
    fn explain(&self, index: usize, fault: Fault) -> Error {
        match self.specs.get(index) {
            Some(spec) => fault.explain(&spec.name, &spec.source_type),
            None => Error::internal("a column that the plan does not have"),
        }
    }

    fn report(&self) {
        for (spec, lost) in self.specs.iter().zip(&self.lost).filter(|(_, lost)| **lost > 0) {
            log::warn(format!("column {}: {lost} dates that are none became NULL, as configured", spec.name));
        }
    }
}

impl Columns for Filling<'_> {
    fn bytes(&self) -> usize {
        self.columns.iter().map(Column::bytes).sum()
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        let mut arrays = Vec::with_capacity(self.columns.len());
        for ((column, spec), lost) in self.columns.iter_mut().zip(self.specs).zip(&mut self.lost) {
            *lost += column.take_lost();
            arrays.push(column.finish().map_err(|fault| fault.explain(&spec.name, &spec.source_type))?);
        }
        Ok(arrays)
    }
}
