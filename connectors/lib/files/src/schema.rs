//! A stream's schema, from samples of its files: every column that one of them has, with the narrowest type that holds the
//! values of all.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use sluice_sdk::{Error, Result};

use crate::columnar::file::Footer;
use crate::columnar::widen;
use crate::csv::{Dialect, scan, sniff};
use crate::format;
use crate::json::object::{Members, Stop, object};
use crate::json::scan::next_object;
use crate::json::unescape;
use crate::objects::{Object, Objects};
use crate::options::{Format, Options, Ragged};
use crate::survey::Survey;
use crate::text::{Text, open};
use crate::values::cell::Cell;
use crate::values::cell::{Malformed, Records};
use crate::values::column::Syntax;
use crate::values::kind::Kind;

/// Most columns of a stream.
const MAX_COLUMNS: usize = 10_000;

/// Records of a sample that are looked at.
const MAX_RECORDS: usize = 20_000;

/// What was found out about a stream's files.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) format: Format,
    pub(crate) dialect: Option<Dialect>,
    pub(crate) schema: SchemaRef,
    /// Rows for each byte of the files, as far as the samples tell.
    pub(crate) rows_per_byte: f64,
}

/// Columns in the order in which they were first seen.
#[derive(Default)]
struct Columns {
    names: Vec<String>,
    kinds: Vec<Kind>,
    at: HashMap<Vec<u8>, usize>,
    rows: u64,
    /// Bytes of the files that the rows come from.
    bytes: f64,
}

impl Columns {
    fn add(&mut self, name: &[u8]) -> Result<usize> {
        if let Some(at) = self.at.get(name) {
            return Ok(*at);
        }
        if self.names.len() >= MAX_COLUMNS {
            return Err(Error::unsupported(format!("the files have more than {MAX_COLUMNS} columns")));
        }
        self.at.insert(name.to_vec(), self.names.len());
        self.names.push(String::from_utf8_lossy(name).into_owned());
        self.kinds.push(Kind::Null);
        Ok(self.names.len() - 1)
    }

    fn see(&mut self, at: usize, kind: Kind) {
        if let Some(known) = self.kinds.get_mut(at) {
            *known = known.join(kind);
        }
    }

    fn schema(self, options: &Options) -> Schema {
        let kind = |name: &String, kind: Kind| options.types.get(name).map_or(kind, |ty| Kind::from(*ty));
        let fields = self.names.iter().zip(self.kinds).map(|(name, seen)| kind(name, seen).field(name));
        Schema::new(fields.collect::<Vec<_>>())
    }
}

/// The format of a file.
pub(crate) fn format_of(object: &Object, options: &Options) -> Result<Format> {
    if options.format != Format::Auto {
        return Ok(options.format);
    }
    format::of_name(&object.key).ok_or_else(|| {
        Error::config(format!("{}: its name does not tell its format; set options.format", object.key))
            .field("/options/format")
    })
}

/// Looks at samples of the files.
pub(crate) fn find(objects: &Arc<dyn Objects>, survey: &Survey, options: &Options, stream: &str) -> Result<Found> {
    let Some(format) = survey.format() else {
        return Err(Error::not_found(format!("the stream {stream} has no files in {}", objects.place())).stream(stream));
    };
    let samples = survey.samples();
    if format == Format::Parquet {
        return parquet(objects, &samples);
    }
    let mut columns = Columns::default();
    let mut dialect = None;
    for file in samples {
        let sampled = match format {
            Format::Csv => csv(&**objects, file, options, &mut dialect, &mut columns),
            _ => json(&**objects, file, options, format, &mut columns),
        };
        match sampled {
            Err(error) if skippable(options, &error) => {}
            other => other?,
        }
    }
    if columns.names.is_empty() {
        return Err(
            Error::protocol(format!("the sampled files of {stream} have no columns; are they empty?")).stream(stream)
        );
    }
    let rows_per_byte = if columns.bytes > 0.0 { columns.rows as f64 / columns.bytes } else { 0.0 };
    Ok(Found { format, dialect, schema: Arc::new(columns.schema(options)), rows_per_byte })
}

fn skippable(options: &Options, error: &Error) -> bool {
    options.on_mismatch == crate::options::OnMismatch::SkipFile && error.kind == sluice_sdk::ErrorKind::Protocol
}

/// How many bytes of the file the sampled bytes of text stand for.
fn share(text: &Text, file: &Object, sampled: usize) -> f64 {
    if text.direct || !text.blocks.eof() { sampled as f64 } else { file.size as f64 }
}

fn csv(
    objects: &dyn Objects,
    file: &Object,
    options: &Options,
    found: &mut Option<Dialect>,
    columns: &mut Columns,
) -> Result<()> {
    let mut text = open(objects, file, options, options.sample_bytes as usize)?;
    text.blocks.fill()?;
    for _ in 0..options.csv.skip_lines {
        text.skip_line(b'\n')?;
    }
    if text.blocks.bytes().is_empty() {
        return Ok(());
    }
    let dialect = match found {
        Some(known) => {
            known.multiline |= sniff::dialect(text.blocks.bytes(), text.blocks.eof(), &options.csv)?.multiline;
            *known
        }
        None => *found.insert(sniff::dialect(text.blocks.bytes(), text.blocks.eof(), &options.csv)?),
    };
    let plain = Options { csv: crate::options::CsvOptions { skip_lines: 0, ..options.csv.clone() }, ..options.clone() };
    let Some(names) = text.header(&dialect, &plain, &file.key)? else { return Ok(()) };
    let places: Vec<usize> = names.iter().map(|name| columns.add(name.as_bytes())).collect::<Result<_>>()?;
    let mut records = Records::new(names.len());
    let block = text.blocks.bytes();
    let ragged = if options.csv.ragged == Ragged::Fail { Ragged::Skip } else { options.csv.ragged };
    let scan = scan::Scan { dialect: &dialect, ragged, eof: text.blocks.eof(), stop: usize::MAX, most: MAX_RECORDS };
    let end = scan::scan(block, 0, &scan, &mut records).unwrap_or(block.len());
    let syntax = sniff::values(&dialect, &options.csv);
    for (column, place) in places.into_iter().enumerate() {
        let seen = records.column(column).map(|cell| Kind::of(cell, block, &syntax)).fold(Kind::Null, Kind::join);
        columns.see(place, seen);
    }
    columns.rows += records.len() as u64;
    columns.bytes += share(&text, file, end);
    Ok(())
}

/// The members of one object: name, whether it has escapes, kind of the value.
struct Seen<'b> {
    block: &'b [u8],
    members: Vec<(&'b [u8], bool, Kind)>,
}

impl<'b> Members<'b> for Seen<'b> {
    fn member(&mut self, name: &'b [u8], escaped: bool, cell: Cell) {
        self.members.push((name, escaped, Kind::of(cell, self.block, &Syntax::Json)));
    }
}

fn json(objects: &dyn Objects, file: &Object, options: &Options, format: Format, columns: &mut Columns) -> Result<()> {
    let mut text = open(objects, file, options, options.sample_bytes as usize)?;
    let array = format == Format::Json;
    let malformed = |found: &Malformed| Error::protocol(format!("{} byte {}: {}", file.key, found.at, found.reason));
    let mut at = 0;
    let mut count = 0;
    loop {
        let block = text.blocks.bytes();
        let start = next_object(block, at, array).map_err(|found| malformed(&found))?;
        let mut seen = Seen { block, members: Vec::new() };
        let read = if start < block.len() { object(block, start, &mut seen) } else { Err(Stop::Incomplete) };
        match read {
            Ok(next) => {
                for (name, escaped, kind) in seen.members {
                    let mut plain = Vec::new();
                    if escaped {
                        let _ = unescape(name, &mut plain);
                    }
                    let place = columns.add(if escaped { &plain } else { name })?;
                    columns.see(place, kind);
                }
                at = next;
                count += 1;
            }
            // One object at least is looked at, however long it is.
            Err(Stop::Incomplete) if count == 0 && !text.blocks.eof() => {
                text.blocks.fill()?;
                continue;
            }
            Err(Stop::Incomplete) => break,
            Err(Stop::Malformed(found)) => return Err(malformed(&found)),
        }
        if count >= MAX_RECORDS {
            break;
        }
    }
    columns.rows += count as u64;
    columns.bytes += share(&text, file, at);
    Ok(())
}

fn parquet(objects: &Arc<dyn Objects>, samples: &[&Object]) -> Result<Found> {
    let mut fields: Vec<Field> = Vec::new();
    let (mut rows, mut bytes) = (0.0, 0.0);
    for file in samples {
        let footer = Footer::read(objects, file)?;
        rows += footer.groups().iter().map(|group| group.rows as f64).sum::<f64>();
        bytes += file.size as f64;
        for field in footer.schema().fields() {
            match fields.iter_mut().find(|known| known.name() == field.name()) {
                None => fields.push(field.as_ref().clone()),
                Some(known) => {
                    let joined = join(known, field, &file.key)?;
                    *known = known.clone().with_data_type(joined);
                }
            }
        }
    }
    let rows_per_byte = if bytes > 0.0 { rows / bytes } else { 0.0 };
    Ok(Found { format: Format::Parquet, dialect: None, schema: Arc::new(Schema::new(fields)), rows_per_byte })
}

fn join(known: &Field, other: &Field, key: &str) -> Result<DataType> {
    widen::join(known.data_type(), other.data_type()).ok_or_else(|| {
        Error::protocol(format!(
            "{key}, column {:?}: it is {} here and {} in other files; read such files as a stream of their own",
            known.name(),
            other.data_type(),
            known.data_type()
        ))
    })
}
