//! Reading a split: rows of a binary copy, cut into Arrow batches.

use arrow_array::ArrayRef;
use serde::{Deserialize, Serialize};
use sluice_sdk::{Cursor, Error, Output, Result, Split, log};
use sluice_sql::batcher::{Batcher, Columns};

use crate::config::PostgresConfig;
use crate::session::{Purpose, Session};
use crate::types::column::{Column, Fault, Policies};
use crate::types::{self, ColumnSpec};
use crate::wire::error::Failure;

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
    /// The snapshot that the planning session has exported.
    pub(crate) snapshot: Option<String>,
    /// True if the rows are still the same without the snapshot, because the query bounds them.
    pub(crate) bounded: bool,
    pub(crate) batch_bytes: u64,
}

impl Descriptor {
    pub(crate) fn new(stream: &str, columns: Vec<ColumnSpec>, query: String, batch_bytes: u64) -> Self {
        let stream = stream.to_owned();
        Self { version: VERSION, stream, columns, query, snapshot: None, bounded: false, batch_bytes }
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
pub(crate) fn read(config: &PostgresConfig, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
    let descriptor = Descriptor::decode(&split.descriptor)?;
    let stream = descriptor.stream.clone();
    read_rows(config, &descriptor, start, output).map_err(|error| error.stream(stream))
}

fn read_rows(
    config: &PostgresConfig,
    descriptor: &Descriptor,
    start: Option<&Cursor>,
    output: &mut Output,
) -> Result<()> {
    let channel = output.stream(&descriptor.stream, types::schema(&descriptor.columns))?;
    if start.is_some_and(|cursor| cursor == DONE) {
        return Ok(());
    }
    let mut session = open(config, descriptor)?;
    let mut copy = session.wire.copy_out(&descriptor.query, descriptor.columns.len())?;
    let mut batcher = Batcher::new(Filling::new(config, &descriptor.columns), channel, descriptor.batch_bytes);
    while let Some(fields) = copy.next()? {
        batcher.columns.row(fields)?;
        batcher.row(fields.len())?;
    }
    batcher.end(&DONE.to_vec())?.report();
    Ok(())
}

/// A session that sees what the plan saw.
fn open(config: &PostgresConfig, descriptor: &Descriptor) -> Result<Session> {
    let Some(snapshot) = &descriptor.snapshot else {
        return Ok(Session::begin_new(config, Purpose::Read)?);
    };
    let mut session = Session::open(config)?;
    match session.begin(config, Purpose::Snapshot(snapshot)) {
        Ok(()) => Ok(session),
        // The planning session is gone. What the query itself bounds can still be read.
        Err(failure) if gone(&failure) && descriptor.bounded => {
            session.renew(config, Purpose::Read)?;
            Ok(session)
        }
        Err(failure) if gone(&failure) => Err(Error::transient(
            "the snapshot of the plan is gone, because the session that planned has ended; the run must be planned again",
        )),
        Err(failure) => Err(failure.into()),
    }
}

/// `SET TRANSACTION SNAPSHOT` says "invalid snapshot identifier", "does not exist" or "the source process is not running".
fn gone(failure: &Failure) -> bool {
    matches!(failure.code(), Some("22023" | "42704" | "55000"))
}

/// Columns of a copy.
struct Filling<'a> {
    specs: &'a [ColumnSpec],
    columns: Vec<Column>,
    /// Values that became NULL, by column.
    lost: Vec<u64>,
}

impl<'a> Filling<'a> {
    fn new(config: &PostgresConfig, specs: &'a [ColumnSpec]) -> Self {
        let policies = Policies { numeric: config.numeric_special, infinity: config.infinity };
        let column = |spec: &ColumnSpec| Column::new(&spec.kind, spec.nullable, policies);
        Self { specs, columns: specs.iter().map(column).collect(), lost: vec![0; specs.len()] }
    }

    /// Takes a row: for each column a length, or -1 for NULL, and that many bytes.
    #[inline]
    fn row(&mut self, fields: &[u8]) -> Result<()> {
        let mut rest = fields;
        for (index, column) in self.columns.iter_mut().enumerate() {
            let fault = match take(rest) {
                Some((Some(value), after)) => {
                    rest = after;
                    column.push(value)
                }
                Some((None, after)) => {
                    rest = after;
                    column.push_null()
                }
                None => Err(Fault::Malformed),
            };
            if let Err(fault) = fault {
                return Err(self.explain(index, fault));
            }
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
            log::warn(format!("column {}: {lost} NaN or infinite values became NULL, as configured", spec.name));
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

/// A field and what follows it; none if there is less than it claims.
#[inline]
fn take(bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    match usize::try_from(i32::from_be_bytes(*length)) {
        Ok(length) => rest.split_at_checked(length).map(|(value, rest)| (Some(value), rest)),
        Err(_) => Some((None, rest)),
    }
}
