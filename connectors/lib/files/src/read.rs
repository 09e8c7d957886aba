//! Reading one split: file after file, with a checkpoint after each and every so often within. Small files share batches, and a
//! checkpoint.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::SchemaRef;
use sluice_sdk::{Channel, Cursor, Directive, Error, ErrorKind, Output, Result, log};

use crate::columnar::file::Columnar;
use crate::gather::Gather;
use crate::lines::{Lines, Reading, Repairs};
use crate::objects::Objects;
use crate::options::{Format, OnMismatch, Options};
use crate::spec::{Part, Position, Spec, VERSION, project};

/// How many batches' worth of Arrow lies between two checkpoints within a file.
const CHECKPOINT_BATCHES: u64 = 16;

/// How many files may be read without a checkpoint.
const UNSEEN: u32 = 64;

/// How many files, from the one that is read now, a store is told about.
const EXPECTED: usize = 6;

/// Reads a split to its end, or to the checkpoint at which the host says stop.
pub(crate) fn read(
    objects: &Arc<dyn Objects>,
    spec: &Spec,
    options: &Options,
    start: Option<&Cursor>,
    output: &mut Output,
) -> Result<()> {
    let full = spec.full_schema()?;
    let schema = project(&full, &spec.columns, false, &spec.stream)?;
    let sent = project(&full, &spec.columns, spec.file_column, &spec.stream)?;
    let mut position = start.map(|cursor| Position::decode(cursor)).transpose()?.unwrap_or_default();
    let mut channel = output.stream(&spec.stream, sent)?;
    let mut gather = Gather::new(spec.batch_bytes);
    let mut passed = 0;
    let reading = Reading { objects: &**objects, options, spec, full, schema };
    while let Some(part) = spec.parts.get(position.part) {
        expect_next(&**objects, spec, position.part);
        objects.verify(&part.object)?;
        let wanted =
            options.on_mismatch != OnMismatch::SkipFile || position.at.is_some() || fits(objects, &reading, part)?;
        if wanted
            && read_part(objects, &reading, part, position, (&mut gather, &mut channel))
                .map_err(|error| error.stream(&spec.stream))?
                == Directive::Stop
        {
            return Ok(());
        }
        position = Position { v: VERSION, part: position.part + 1, at: None };
        passed += 1;
        if passed >= UNSEEN || gather.is_empty() || position.part == spec.parts.len() {
            passed = 0;
            gather.flush(&mut channel)?;
            if channel.checkpoint(&position.encode()?)? == Directive::Stop {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Tells the store about the text that is read now and those behind it.
fn expect_next(objects: &dyn Objects, spec: &Spec, part: usize) {
    if spec.format != Format::Parquet {
        let next = spec.parts.iter().skip(part).take(EXPECTED).filter(|part| part.range.is_none());
        objects.expect(&next.map(|part| &part.object).collect::<Vec<_>>());
    }
}

/// Reads a file without sending anything, to see whether it fits; says why not.
fn fits(objects: &Arc<dyn Objects>, reading: &Reading<'_>, part: &Part) -> Result<bool> {
    let look = || -> Result<()> {
        let mut reader = Reader::open(objects, reading, part, None)?;
        while reader.next()?.is_some() {}
        Ok(())
    };
    match look() {
        Ok(()) => Ok(true),
        Err(error) if error.kind == ErrorKind::Protocol => {
            log::warn(format!("{} is left out (on_mismatch is skip-file): {error}", part.object.key));
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn read_part(
    objects: &Arc<dyn Objects>,
    reading: &Reading<'_>,
    part: &Part,
    position: Position,
    (gather, channel): (&mut Gather, &mut Channel),
) -> Result<Directive> {
    let mut reader = Reader::open(objects, reading, part, position.at)?;
    let enough = reading.spec.batch_bytes * CHECKPOINT_BATCHES;
    let mut pending = 0;
    while let Some(batch) = reader.next()? {
        pending += batch.get_array_memory_size() as u64;
        if reading.spec.file_column {
            gather.push(of_file(batch, &part.object.key, channel.schema())?, channel)?;
        } else {
            gather.push(batch, channel)?;
        }
        if pending >= enough {
            pending = 0;
            gather.flush(channel)?;
            let reached = Position { v: VERSION, part: position.part, at: Some(reader.position()) };
            if channel.checkpoint(&reached.encode()?)? == Directive::Stop {
                return Ok(Directive::Stop);
            }
        }
    }
    report(&part.object.key, reader.repairs());
    Ok(Directive::Continue)
}

/// Rows that say which file they are of.
fn of_file(batch: RecordBatch, key: &str, schema: &SchemaRef) -> Result<RecordBatch> {
    let file: ArrayRef = Arc::new(StringArray::from_iter_values(std::iter::repeat_n(key, batch.num_rows())));
    let columns = batch.columns().iter().cloned().chain([file]).collect();
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

fn report(key: &str, repairs: Repairs) {
    let counts = [
        (repairs.misfits, "values that do not fit their column became null"),
        (repairs.filled, "records with too few or too many fields were filled or cut"),
        (repairs.skipped, "records were left out"),
        (repairs.unknown, "objects have members that the schema lacks"),
    ];
    for (count, what) in counts {
        if count > 0 {
            log::warn(format!("{key}: {count} {what}"));
        }
    }
}

/// An open file of any format.
enum Reader<'a> {
    Lines(Box<Lines<'a>>),
    Columnar(Box<Columnar<'a>>),
}

impl<'a> Reader<'a> {
    fn open(objects: &Arc<dyn Objects>, reading: &'a Reading<'a>, part: &'a Part, at: Option<u64>) -> Result<Self> {
        Ok(match reading.spec.format {
            Format::Parquet => {
                Self::Columnar(Box::new(Columnar::open(objects, reading, &part.object, part.range, at)?))
            }
            Format::Auto => return Err(Error::internal("the split does not name a format")),
            _ => Self::Lines(Box::new(Lines::open(reading, &part.object, part.range, at)?)),
        })
    }

    fn next(&mut self) -> Result<Option<RecordBatch>> {
        match self {
            Self::Lines(lines) => lines.next(),
            Self::Columnar(columnar) => columnar.next(),
        }
    }

    fn position(&self) -> u64 {
        match self {
            Self::Lines(lines) => lines.position(),
            Self::Columnar(columnar) => columnar.position(),
        }
    }

    fn repairs(&self) -> Repairs {
        match self {
            Self::Lines(lines) => lines.repairs(),
            Self::Columnar(_) => Repairs::default(),
        }
    }
}
