//! A CSV or JSON file read batch by batch.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sluice_sdk::{Error, Result};

use crate::csv::{Dialect, scan as csv, sniff};
use crate::json::scan as json;
use crate::objects::{Object, Objects};
use crate::options::{Format, OnMismatch, Options};
use crate::spec::{PartRange, Spec};
use crate::text::{Text, line_of, open};
use crate::values::cell::{Malformed, Records};
use crate::values::column::{Misfit, Syntax, Wanted};
use crate::values::kind::Kind;

/// Bytes of Arrow that a cell is reckoned to take.
const CELL_BYTES: usize = 8;

/// What one file is read with: the same for all files of a split.
pub(crate) struct Reading<'a> {
    pub(crate) objects: &'a dyn Objects,
    pub(crate) options: &'a Options,
    pub(crate) spec: &'a Spec,
    /// All columns of the stream.
    pub(crate) full: SchemaRef,
    /// Those that are wanted.
    pub(crate) schema: SchemaRef,
}

/// How many values were changed to make the file fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repairs {
    pub(crate) misfits: u64,
    pub(crate) filled: u64,
    pub(crate) skipped: u64,
    pub(crate) unknown: u64,
}

enum Parser {
    Csv { dialect: Dialect, columns: Vec<Option<usize>> },
    Json { names: json::Names, array: bool, first: Option<u8>, last: Option<u8> },
}

/// An open file.
pub(crate) struct Lines<'a> {
    reading: &'a Reading<'a>,
    object: &'a Object,
    text: Text,
    parser: Parser,
    syntax: Syntax,
    records: Records,
    range: Option<PartRange>,
    most: usize,
    misfits: u64,
    done: bool,
}

impl<'a> Lines<'a> {
    /// Opens a part of a file; `at` is where an earlier read of the part stopped.
    pub(crate) fn open(
        reading: &'a Reading<'a>,
        object: &'a Object,
        range: Option<PartRange>,
        at: Option<u64>,
    ) -> Result<Self> {
        let target = usize::try_from(reading.spec.batch_bytes).unwrap_or(usize::MAX);
        let mut text = open(reading.objects, object, reading.options, target)?;
        let lenient = reading.options.on_mismatch == OnMismatch::Null;
        let (parser, syntax, width, done) = match reading.spec.dialect {
            Some(dialect) => {
                let names = text.header(&dialect, reading.options, &object.key)?;
                let done = names.is_none();
                let names = names.unwrap_or_default();
                if let Some(name) = names.iter().find(|name| reading.full.index_of(name).is_err())
                    && !lenient
                {
                    return Err(unknown_column(&object.key, name));
                }
                let place = |field: &arrow_schema::FieldRef| names.iter().position(|name| name == field.name());
                let columns = reading.schema.fields().iter().map(place).collect();
                let syntax = sniff::values(&dialect, &reading.options.csv);
                (Parser::Csv { dialect, columns }, syntax, names.len(), done)
            }
            None => {
                let wanted: Vec<String> = reading.schema.fields().iter().map(|f| f.name().clone()).collect();
                let others = reading.full.fields().iter().map(|f| f.name().clone());
                let array = reading.spec.format == Format::Json;
                let mut first = None;
                if array {
                    text.blocks.fill()?;
                    first = text.blocks.bytes().trim_ascii_start().first().copied();
                }
                let names = json::Names::new(&wanted, others);
                (Parser::Json { names, array, first, last: None }, Syntax::Json, wanted.len(), false)
            }
        };
        let most = (target / CELL_BYTES / width.max(1)).max(1);
        let records = Records::new(width);
        let mut lines = Self { reading, object, text, parser, syntax, records, range, most, misfits: 0, done };
        lines.enter(at, target)?;
        Ok(lines)
    }

    /// Goes to the first record of the part.
    fn enter(&mut self, at: Option<u64>, target: usize) -> Result<()> {
        let (objects, options) = (self.reading.objects, self.reading.options);
        let first = self.text.blocks.offset();
        let begin = match (at, self.range) {
            (Some(at), _) => at,
            (None, Some(range)) if range.exact || range.from <= first => range.from,
            (None, Some(range)) => {
                // The first record of the part is the one after the first line's end at or after its border, less one:
                // a record that starts exactly at the border is this part's.
                self.text.seek(objects, self.object, options, target, range.from - 1)?;
                if !self.text.skip_line(self.terminator())? {
                    self.done = true;
                }
                return Ok(());
            }
            (None, None) => return Ok(()),
        };
        if begin > first {
            self.text.seek(objects, self.object, options, target, begin)?;
        }
        Ok(())
    }

    fn terminator(&self) -> u8 {
        match &self.parser {
            Parser::Csv { dialect, .. } => dialect.terminator,
            Parser::Json { .. } => b'\n',
        }
    }

    /// Where the next record starts.
    pub(crate) fn position(&self) -> u64 {
        self.text.blocks.offset()
    }

    /// What was changed so far to make the file fit.
    pub(crate) fn repairs(&self) -> Repairs {
        Repairs {
            misfits: self.misfits,
            filled: self.records.filled,
            skipped: self.records.skipped,
            unknown: self.records.unknown,
        }
    }

    /// The next batch; none at the end of the part.
    pub(crate) fn next(&mut self) -> Result<Option<RecordBatch>> {
        while !self.done {
            let offset = self.text.blocks.offset();
            let stop = match self.range {
                Some(range) if offset >= range.to => {
                    self.done = true;
                    break;
                }
                Some(range) => usize::try_from(range.to - offset).unwrap_or(usize::MAX),
                None => usize::MAX,
            };
            self.records.clear();
            let consumed = match self.scan(stop) {
                Ok(consumed) => consumed,
                Err(malformed) => return Err(self.malformed(&malformed)),
            };
            if self.records.len() > 0 {
                if consumed >= stop {
                    self.verify_border(stop, consumed)?;
                }
                let batch = self.batch()?;
                self.consume(consumed);
                return Ok(Some(batch));
            }
            self.consume(consumed);
            if self.text.blocks.eof() {
                self.done = true;
                self.closed()?;
            } else {
                self.text.blocks.fill()?;
            }
        }
        Ok(None)
    }

    fn scan(&mut self, stop: usize) -> Result<usize, Malformed> {
        let options = self.reading.options;
        let (block, eof) = (self.text.blocks.bytes(), self.text.blocks.eof());
        match &mut self.parser {
            Parser::Csv { dialect, .. } => {
                let scan = csv::Scan { dialect, ragged: options.csv.ragged, eof, stop, most: self.most };
                csv::scan(block, 0, &scan, &mut self.records)
            }
            Parser::Json { names, array, .. } => {
                let lenient = options.on_mismatch == OnMismatch::Null;
                let scan = json::Scan { eof, stop, most: self.most, array: *array, lenient };
                json::scan(block, &scan, names, &mut self.records)
            }
        }
    }

    fn consume(&mut self, bytes: usize) {
        if let Parser::Json { array: true, last, .. } = &mut self.parser {
            let consumed = self.text.blocks.bytes().get(..bytes).unwrap_or_default();
            *last = consumed.trim_ascii_end().last().copied().or(*last);
        }
        self.text.blocks.consume(bytes);
    }

    /// An array must have been closed when its file ends.
    fn closed(&self) -> Result<()> {
        match &self.parser {
            Parser::Json { array: true, first: Some(b'['), last, .. } if *last != Some(b']') => Err(Error::protocol(
                format!("{} ends within its array; it was cut off, write it again", self.object.key),
            )),
            _ => Ok(()),
        }
    }

    /// The next part starts after the first line's end behind the border. If a record of this part goes on beyond that,
    /// its line break stands in quotes, and the next part would start in the middle of a record.
    fn verify_border(&self, stop: usize, next: usize) -> Result<()> {
        let Some(range) = self.range.filter(|range| !range.exact) else { return Ok(()) };
        let across = self.text.blocks.bytes().get(stop.saturating_sub(1)..next.saturating_sub(1)).unwrap_or_default();
        if range.to >= self.object.size || !across.contains(&self.terminator()) {
            return Ok(());
        }
        if matches!(self.parser, Parser::Json { .. }) {
            return Err(Error::config(format!(
                "{} has an object that is spread over several lines at byte {}; set format to json",
                self.object.key, range.to
            ))
            .field("/options/format"));
        }
        Err(Error::config(format!(
            "{} has a line break within quotes at byte {}, so it cannot be read in parts; set csv.newlines_in_values to true",
            self.object.key, range.to
        ))
        .field("/options/csv/newlines_in_values"))
    }

    fn batch(&mut self) -> Result<RecordBatch> {
        let schema = &self.reading.schema;
        let lenient = self.reading.options.on_mismatch == OnMismatch::Null;
        let mut arrays = Vec::with_capacity(schema.fields().len());
        for (at, field) in schema.fields().iter().enumerate() {
            let column = match &self.parser {
                Parser::Csv { columns, .. } => columns.get(at).copied().flatten(),
                Parser::Json { .. } => Some(at),
            };
            let given = self.reading.options.types.contains_key(field.name());
            let wanted = Wanted { kind: Kind::of_field(field), given, syntax: &self.syntax, lenient };
            match wanted.build(self.text.blocks.bytes(), &self.records, column) {
                Ok((array, misfits)) => {
                    arrays.push(array);
                    self.misfits += misfits;
                }
                Err(misfit) => return Err(self.misfit(&misfit, field.name())),
            }
        }
        if arrays.is_empty() {
            return Err(Error::config("at least one column must be selected"));
        }
        Ok(RecordBatch::try_new(Arc::clone(schema), arrays)?)
    }

    /// Names the line of a byte of the block.
    fn place(&self, at: usize) -> String {
        let offset = self.text.blocks.offset() + at as u64;
        let Reading { objects, options, .. } = self.reading;
        match line_of(*objects, self.object, options, self.terminator(), offset) {
            Some(line) => format!("{} line {line}", self.object.key),
            None => format!("{} byte {offset}", self.object.key),
        }
    }

    fn malformed(&self, malformed: &Malformed) -> Error {
        Error::protocol(format!("{}: {}", self.place(malformed.at), malformed.reason))
    }

    fn misfit(&self, misfit: &Misfit, column: &str) -> Error {
        let at = self.records.starts.get(misfit.row).copied().unwrap_or_default() as usize;
        Error::protocol(format!(
            "{}, column {column:?}: {}; name the column's type under types, or set on_mismatch",
            self.place(at),
            misfit.reason
        ))
    }
}

/// The error of a column that the stream's schema lacks.
pub(crate) fn unknown_column(key: &str, name: &str) -> Error {
    Error::protocol(format!(
        "{key} has the column {name:?}, which the sampled files lack; raise sample_files so that it is found, or set \
         on_mismatch to null to leave it out"
    ))
}
