//! From streams to splits: small files together, big ones in parts.

use std::sync::Arc;

use sluice_sdk::{Error, Hints, Plan, ReadMode, Result, Selection, Split, StreamPlan};

use crate::columnar::file::Footer;
use crate::csv::sniff;
use crate::format;
use crate::objects::{Object, Objects};
use crate::options::{Format, OnChange, OnMismatch, Options};
use crate::schema::{self, Found};
use crate::spec::{Part, PartRange, Spec, VERSION, encode_schema, project};
use crate::state::{News, State};
use crate::streams::Stream;
use crate::text::open;

/// A split is not made smaller than this to occupy more workers, bytes.
const SMALLEST: u64 = 8 << 20;

/// Bytes of a descriptor that parts may take, of the 1 MiB that the contract allows.
const MAX_PARTS: usize = 900 << 10;

/// Bytes of text that are looked at before a file is divided.
const LOOK: usize = 1 << 20;

/// Plans one selection, which is the `nth`.
pub(crate) fn plan(
    objects: &Arc<dyn Objects>,
    stream: &Stream,
    selection: &Selection,
    hints: &Hints,
    nth: usize,
    plan: &mut Plan,
) -> Result<()> {
    let options = &stream.options;
    let found = schema::find(objects, &stream.files, options, &stream.id)?;
    let wanted = project(&found.schema, &selection.columns, &stream.id)?;
    if selection.filter.as_ref().is_some_and(|filter| !filter.is_empty()) {
        return Err(Error::unsupported("files cannot be filtered; remove the stream's filter").stream(&stream.id));
    }
    let (parts, state_after) = chosen(objects, stream, selection, &found)?;
    let total: u64 = parts.iter().map(bytes_of).sum();
    let target =
        (total / u64::from(hints.max_parallel.max(1))).clamp(SMALLEST.min(hints.split_bytes), hints.split_bytes);
    let mut parts = divide(objects, parts, &found, options, target)?;
    let spec = Spec {
        v: VERSION,
        stream: stream.id.clone(),
        format: found.format,
        dialect: found.dialect,
        schema: encode_schema(&found.schema)?,
        columns: selection.columns.clone(),
        batch_bytes: hints.batch_bytes.clamp(4 << 10, 16 << 20),
        parts: Vec::new(),
    };
    let rows = |bytes: u64| (found.rows_per_byte > 0.0).then_some((bytes as f64 * found.rows_per_byte) as u64);
    for (number, parts) in group(&mut parts, target)?.into_iter().enumerate() {
        let bytes = parts.iter().map(|(_, bytes)| bytes).sum();
        let parts: Vec<Part> = parts.into_iter().map(|(part, _)| part).collect();
        plan.splits.push(Split {
            id: format!("{nth}-{number}"),
            streams: vec![stream.id.clone()],
            descriptor: serde_json::to_vec(&Spec { parts, ..spec.clone() })?,
            rows: rows(bytes),
            bytes: Some(bytes),
            resumable: true,
        });
    }
    plan.streams.push(StreamPlan {
        id: stream.id.clone(),
        schema: wanted,
        rows: rows(total),
        bytes: Some(total),
        state_after,
    });
    Ok(())
}

/// The files to read, each as one part, and the state once they are read.
fn chosen(
    objects: &Arc<dyn Objects>,
    stream: &Stream,
    selection: &Selection,
    found: &Found,
) -> Result<(Vec<Part>, Option<Vec<u8>>)> {
    let whole = |object: &Object| Part { object: object.clone(), range: None };
    let mut state = match &selection.mode {
        // A full read knows nothing of earlier ones, but an incremental one may follow it.
        ReadMode::Full => State::default(),
        ReadMode::Incremental(column) if column.is_empty() => {
            selection.state.as_deref().map(State::decode).transpose()?.unwrap_or_default()
        }
        ReadMode::Incremental(_) => {
            let message =
                "files are read incrementally by what is new among them, not by a column; leave the column out";
            return Err(Error::unsupported(message).stream(&stream.id));
        }
    };
    let on_change = stream.options.on_change;
    let mut parts = Vec::new();
    for file in &stream.files {
        let news = state.news(file);
        let from = match (news, on_change) {
            (News::Same, _) => continue,
            (News::Changed(_), OnChange::Fail) => {
                return Err(Error::unsupported(format!(
                    "{} has changed since it was read; set on_change to reread or append, or put new rows into new files",
                    file.key
                ))
                .stream(&stream.id));
            }
            (News::Changed(size), OnChange::Append) if size <= file.size => size,
            _ => 0,
        };
        if on_change == OnChange::Append {
            let to = complete(objects, file, found, &stream.options)?;
            state.remember(file, to);
            if from < to {
                parts.push(Part { object: file.clone(), range: Some(PartRange { from, to, exact: true }) });
            }
            continue;
        }
        state.remember(file, file.size);
        parts.push(whole(file));
    }
    state.shrink(&stream.files);
    Ok((parts, Some(state.encode()?)))
}

/// Where the last complete line of a file ends that is still being written.
fn complete(objects: &Arc<dyn Objects>, file: &Object, found: &Found, options: &Options) -> Result<u64> {
    let lines = matches!(found.format, Format::Csv | Format::Ndjson);
    if !lines || (file.size > 0 && !open(&**objects, file, options, LOOK)?.direct) {
        return Err(Error::config(format!(
            "{}: on_change: append needs uncompressed CSV or NDJSON files in UTF-8",
            file.key
        ))
        .field("/options/on_change"));
    }
    let terminator = found.dialect.map_or(b'\n', |dialect| dialect.terminator);
    let mut end = file.size;
    while end > 0 {
        let start = end.saturating_sub(64 << 10);
        let mut tail = Vec::new();
        let mut reader = crate::objects::Exact::open(&**objects, file, start..end)?;
        std::io::Read::read_to_end(&mut reader, &mut tail).map_err(|e| crate::objects::from_io(e, &file.key))?;
        if let Some(at) = memchr::memrchr(terminator, &tail) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

fn bytes_of(part: &Part) -> u64 {
    part.range.map_or(part.object.size, |range| range.to.saturating_sub(range.from))
}

/// Divides files that are larger than a split, where that is safe, and says how many bytes each part has.
///
/// Safe are: row groups of Parquet files; NDJSON and CSV that is not compressed and in UTF-8. CSV whose first MiB has line
/// breaks within quotes is not divided; where it has none, `read` verifies at every border that the part before it really
/// ends where the next one starts, and fails otherwise: a record is never cut, lost or read twice.
fn divide(
    objects: &Arc<dyn Objects>,
    parts: Vec<Part>,
    found: &Found,
    options: &Options,
    target: u64,
) -> Result<Vec<(Part, u64)>> {
    let mut divided = Vec::with_capacity(parts.len());
    for part in parts {
        let size = bytes_of(&part);
        let whole = options.on_mismatch == OnMismatch::SkipFile || part.range.is_some();
        if whole || size < target + target / 2 {
            divided.push((part, size));
        } else if found.format == Format::Parquet {
            row_groups(objects, &part.object, target, &mut divided)?;
        } else if can_enter(objects, &part.object, found, options)? {
            byte_ranges(&part.object, target, &mut divided);
        } else {
            divided.push((part, size));
        }
    }
    Ok(divided)
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

fn byte_ranges(file: &Object, target: u64, divided: &mut Vec<(Part, u64)>) {
    let count = file.size.div_ceil(target.max(1)).max(1);
    let border = |at: u64| (u128::from(file.size) * u128::from(at) / u128::from(count)) as u64;
    for at in 0..count {
        let (from, to) = (border(at), border(at + 1));
        let part = Part { object: file.clone(), range: Some(PartRange { from, to, exact: false }) };
        divided.push((part, to - from));
    }
}

fn row_groups(objects: &Arc<dyn Objects>, file: &Object, target: u64, divided: &mut Vec<(Part, u64)>) -> Result<()> {
    let groups = Footer::read(objects, file)?.groups();
    let total: u64 = groups.iter().map(|group| group.bytes).fold(0, u64::saturating_add).max(1);
    let (mut from, mut bytes) = (0, 0);
    for (at, group) in groups.iter().enumerate() {
        // The footer counts bytes before compression; the file's own size is what splits are measured in.
        bytes += (u128::from(group.bytes) * u128::from(file.size) / u128::from(total)) as u64;
        let to = at as u64 + 1;
        if bytes >= target || to == groups.len() as u64 {
            let part = Part { object: file.clone(), range: Some(PartRange { from, to, exact: true }) };
            divided.push((part, bytes));
            (from, bytes) = (to, 0);
        }
    }
    Ok(())
}

/// Puts parts together, in order, until a split is full.
fn group(parts: &mut Vec<(Part, u64)>, target: u64) -> Result<Vec<Vec<(Part, u64)>>> {
    let mut groups: Vec<Vec<(Part, u64)>> = Vec::new();
    let (mut bytes, mut described) = (0, 0);
    for (part, size) in parts.drain(..) {
        let description = serde_json::to_vec(&part)?.len() + 1;
        let full = bytes + size > target || described + description > MAX_PARTS;
        match groups.last_mut().filter(|_| !full) {
            Some(last) => last.push((part, size)),
            None => {
                groups.push(vec![(part, size)]);
                (bytes, described) = (0, 0);
            }
        }
        bytes += size;
        described += description;
    }
    Ok(groups)
}

/// What a stream's format is called.
pub(crate) fn describe(stream: &Stream, found: &Found) -> String {
    let files = if stream.files.len() == 1 { "1 file".to_owned() } else { format!("{} files", stream.files.len()) };
    format!("{} ({}, {files})", stream.origin, format::name(found.format))
}
