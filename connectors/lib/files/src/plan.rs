//! From streams to splits: small files together, big ones in parts.

use std::sync::Arc;

use sluice_sdk::{ChangedFiles, Error, Hints, Plan, ReadMode, Result, Selection, Split, StreamPlan, items};

use crate::columnar::file::Footer;
use crate::csv::sniff;
use crate::format;
use crate::news::{self, Files, Policy};
use crate::objects::{Object, Objects};
use crate::options::{Format, OnMismatch, Options};
use crate::packed::Packer;
use crate::schema::{self, Found};
use crate::spec::{Part, PartRange, Spec, VERSION, encode_schema, project};
use crate::state::{Seen, State};
use crate::streams::Stream;
use crate::survey::Survey;
use crate::text::open;

/// A split is not made smaller than this to occupy more workers, bytes.
const SMALLEST: u64 = 8 << 20;

/// Bytes of a descriptor that parts may take, of the 1 MiB that the contract allows.
const MAX_PARTS: usize = 900 << 10;

/// Bytes of text that are looked at before a file is divided.
const LOOK: usize = 1 << 20;

/// Plans one selection, which is the `nth`.
///
/// Of the files only those that are to be read are kept, packed; the others go by, page by page.
pub(crate) fn plan(
    objects: &Arc<dyn Objects>,
    stream: &Stream,
    selection: &Selection,
    hints: &Hints,
    nth: usize,
    plan: &mut Plan,
) -> Result<()> {
    if selection.filter.as_ref().is_some_and(|filter| !filter.is_empty()) {
        return Err(Error::unsupported("files cannot be filtered; remove the stream's filter").stream(&stream.id));
    }
    let policy = policy(selection, stream)?;
    let Files { survey, kept } = news::of(&**objects, stream, policy)?;
    let found = schema::find(objects, &survey, &stream.options, &stream.id)?;
    let replace = policy.is_some_and(|policy| policy.changed == ChangedFiles::Replace);
    let wanted = project(&found.schema, &selection.columns, replace, &stream.id)?;
    let total = kept.bytes();
    // Rounded up: a byte too many for so many splits would be one more split, read alone when the others have ended.
    let share = total.div_ceil(u64::from(hints.max_parallel.max(1)));
    let target = share.clamp(SMALLEST.min(hints.split_bytes), hints.split_bytes);
    let spec = Spec {
        v: VERSION,
        stream: stream.id.clone(),
        format: found.format,
        dialect: found.dialect,
        schema: encode_schema(&found.schema)?,
        columns: selection.columns.clone(),
        batch_bytes: hints.batch_bytes.clamp(4 << 10, 16 << 20),
        file_column: replace,
        parts: Vec::new(),
    };
    let tail = policy.is_some_and(|policy| policy.changed == ChangedFiles::Tail);
    let mut splits = Splits { spec: &spec, found: &found, target, nth, open: Packer::default(), bytes: 0, plan };
    for page in kept.drain() {
        let mut remembered = Vec::new();
        for part in page? {
            let part = if tail { up_to_last_line(objects, part, &found, &stream.options)? } else { part };
            let read_to = part.range.map_or(part.object.size, |range| range.to);
            remembered.push((part.object.key.clone(), Seen::new(&part.object, read_to).encode()));
            if part.range.is_none_or(|range| range.from < range.to) {
                divide(objects, part, &found, &stream.options, target, &mut splits)?;
            }
        }
        for entries in remembered.chunks(items::MAX_PER_CALL) {
            items::remember(&stream.id, entries)?;
        }
    }
    splits.close()?;
    plan.streams.push(StreamPlan {
        id: stream.id.clone(),
        schema: wanted,
        rows: rows(&found, total),
        bytes: Some(total),
        state_after: Some(State::new(replace).encode()?),
    });
    Ok(())
}

/// What changed files come to; none if every file is read, changed or not.
fn policy(selection: &Selection, stream: &Stream) -> Result<Option<Policy>> {
    match &selection.mode {
        ReadMode::Full => Ok(None),
        ReadMode::Incremental(column) if column.is_empty() => {
            let state = selection.state.as_deref().map(State::decode).transpose();
            let state = state.map_err(|error| error.stream(&stream.id))?;
            let changed = selection.changed_files.unwrap_or_default();
            if changed == ChangedFiles::Replace && state.is_some_and(|state| !state.rows_tell_files) {
                let message = "the rows that were loaded so far do not say which file they are of, so that changed_files: replace \
                               cannot replace them; choose another `table` and run once with --from-beginning";
                return Err(Error::config(message).stream(&stream.id));
            }
            Ok(Some(Policy { changed, first: selection.state.is_none() }))
        }
        ReadMode::Incremental(_) => {
            let message =
                "files are read incrementally by what is new among them, not by a column; leave the column out";
            Err(Error::unsupported(message).stream(&stream.id))
        }
    }
}

fn rows(found: &Found, bytes: u64) -> Option<u64> {
    (found.rows_per_byte > 0.0).then_some((bytes as f64 * found.rows_per_byte) as u64)
}

/// The part of a file that is still being written which ends with its last complete line.
fn up_to_last_line(objects: &Arc<dyn Objects>, part: Part, found: &Found, options: &Options) -> Result<Part> {
    let file = &part.object;
    let lines = matches!(found.format, Format::Csv | Format::Ndjson);
    if !lines || (file.size > 0 && !open(&**objects, file, options, LOOK)?.direct) {
        let message = "changed_files: tail needs uncompressed CSV or NDJSON files in UTF-8; choose another policy";
        return Err(Error::unsupported(format!("{}: {message}", file.key)));
    }
    let terminator = found.dialect.map_or(b'\n', |dialect| dialect.terminator);
    let from = part.range.map_or(0, |range| range.from);
    if from > 0 && from < file.size && bytes_of(objects, file, from - 1..from)? != [terminator] {
        return Err(Error::unsupported(format!(
            "{} was read up to byte {from}, which is within a line, so that what was added to it cannot be read alone; run once \
             with changed_files: append, or with ignore",
            file.key
        )));
    }
    let mut to = file.size;
    while to > from {
        let start = to.saturating_sub(64 << 10).max(from);
        if let Some(at) = memchr::memrchr(terminator, &bytes_of(objects, file, start..to)?) {
            to = start + at as u64 + 1;
            break;
        }
        to = start;
    }
    Ok(Part { range: Some(PartRange { from, to, exact: true }), object: part.object })
}

fn bytes_of(objects: &Arc<dyn Objects>, file: &Object, range: std::ops::Range<u64>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut reader = crate::objects::Exact::open(&**objects, file, range)?;
    std::io::Read::read_to_end(&mut reader, &mut bytes).map_err(|e| crate::objects::from_io(e, &file.key))?;
    Ok(bytes)
}

/// Puts parts together, in order, until a split is full.
struct Splits<'a> {
    spec: &'a Spec,
    found: &'a Found,
    target: u64,
    nth: usize,
    open: Packer,
    bytes: u64,
    plan: &'a mut Plan,
}

impl Splits<'_> {
    fn add(&mut self, part: &Part, bytes: u64) -> Result<()> {
        // A part takes at most its key and mark and a few numbers.
        let described = part.object.key.len() + part.object.etag.as_ref().map_or(0, String::len) + 64;
        if self.open.len() > 0 && (self.bytes + bytes > self.target || self.open.len() + described > MAX_PARTS) {
            self.close()?;
        }
        self.open.push(part);
        self.bytes += bytes;
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        if self.open.len() == 0 {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.bytes);
        self.plan.splits.push(Split {
            id: format!("{}-{}", self.nth, self.plan.splits.len()),
            streams: vec![self.spec.stream.clone()],
            descriptor: self.spec.encode(&self.open.take())?,
            rows: rows(self.found, bytes),
            bytes: Some(bytes),
            resumable: true,
        });
        Ok(())
    }
}

/// Divides a file that is larger than a split, where that is safe.
///
/// Safe are: row groups of Parquet files; NDJSON and CSV that is not compressed and in UTF-8. CSV whose first MiB has line
/// breaks within quotes is not divided; where it has none, `read` verifies at every border that the part before it really
/// ends where the next one starts, and fails otherwise: a record is never cut, lost or read twice.
fn divide(
    objects: &Arc<dyn Objects>,
    part: Part,
    found: &Found,
    options: &Options,
    target: u64,
    splits: &mut Splits<'_>,
) -> Result<()> {
    let size = part.range.map_or(part.object.size, |range| range.to.saturating_sub(range.from));
    let whole = options.on_mismatch == OnMismatch::SkipFile || part.range.is_some();
    if whole || size < target + target / 2 {
        return splits.add(&part, size);
    }
    if found.format == Format::Parquet {
        return row_groups(objects, &part.object, target, splits);
    }
    if can_enter(objects, &part.object, found, options)? {
        return byte_ranges(&part.object, target, splits);
    }
    splits.add(&part, size)
}

fn can_enter(objects: &Arc<dyn Objects>, file: &Object, found: &Found, options: &Options) -> Result<bool> {
    match found.format {
        Format::Ndjson => Ok(open(&**objects, file, options, LOOK)?.direct),
        Format::Csv => {
            let mut text = open(&**objects, file, options, LOOK)?;
            text.blocks.fill()?;
            let own = sniff::dialect(text.blocks.bytes(), text.blocks.eof(), &options.csv)?;
            Ok(text.direct && !own.multiline && found.dialect.is_some_and(|dialect| !dialect.multiline))
        }
        _ => Ok(false),
    }
}

fn byte_ranges(file: &Object, target: u64, splits: &mut Splits<'_>) -> Result<()> {
    let count = file.size.div_ceil(target.max(1)).max(1);
    let border = |at: u64| (u128::from(file.size) * u128::from(at) / u128::from(count)) as u64;
    for at in 0..count {
        let (from, to) = (border(at), border(at + 1));
        let range = Some(PartRange { from, to, exact: false });
        splits.add(&Part { object: file.clone(), range }, to - from)?;
    }
    Ok(())
}

fn row_groups(objects: &Arc<dyn Objects>, file: &Object, target: u64, splits: &mut Splits<'_>) -> Result<()> {
    let groups = Footer::read(objects, file)?.groups();
    let total: u64 = groups.iter().map(|group| group.bytes).fold(0, u64::saturating_add).max(1);
    let (mut from, mut bytes) = (0, 0);
    for (at, group) in groups.iter().enumerate() {
        // The footer counts bytes before compression; the file's own size is what splits are measured in.
        bytes += (u128::from(group.bytes) * u128::from(file.size) / u128::from(total)) as u64;
        let to = at as u64 + 1;
        if bytes >= target || to == groups.len() as u64 {
            let range = Some(PartRange { from, to, exact: true });
            splits.add(&Part { object: file.clone(), range }, bytes)?;
            (from, bytes) = (to, 0);
        }
    }
    Ok(())
}

/// What a stream's format is called.
pub(crate) fn describe(stream: &Stream, survey: &Survey, found: &Found) -> String {
    let files = if survey.files == 1 { "1 file".to_owned() } else { format!("{} files", survey.files) };
    format!("{} ({}, {files})", stream.origin, format::name(found.format))
}
