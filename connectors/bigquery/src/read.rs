//! Reading a split: a stream of a read session, whose record batches go to the host as they came.
//!
//! A stream's rows have a fixed order, so a row's number is a position: after every batch that is the checkpoint, and where
//! reading goes on when a connection breaks or another instance takes over.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{FieldRef, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use sluice_sdk::{Channel, Cursor, Directive, Error, ErrorKind, Output, Result, Split};

use crate::config::BigQueryConfig;
use crate::denied::Doing;
use crate::grpc::{Call, Failure, code};
use crate::id::TableRef;
use crate::pieces::pieces;
use crate::retry::Patience;
use crate::storage;

/// Form of the descriptor and the cursor; a newer connector may read what an older one planned.
const VERSION: u32 = 1;

/// Largest descriptor that the contract takes.
const MAX_DESCRIPTOR: usize = 1 << 20;

/// Larger messages are cut before the host gets them, bytes. A host may take as little as 64 MiB at once; a message has at most
/// 100 MB, as a row may.
const LARGEST_AS_IT_IS: usize = 32 << 20;

/// All that reading a split takes, but for the schema, which stands behind it as an Arrow message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Descriptor {
    pub(crate) version: u32,
    /// The stream's id.
    pub(crate) id: String,
    /// The table that is read: the stream's own, or the one that a query's result is in.
    pub(crate) table: TableRef,
    /// The stream of the read session; none where there is nothing to read.
    pub(crate) stream: Option<String>,
    #[serde(skip, default = "nothing")]
    pub(crate) schema: SchemaRef,
}

fn nothing() -> SchemaRef {
    Arc::new(Schema::empty())
}

/// How far a stream has been read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    version: u32,
    stream: Option<String>,
    /// Rows from the beginning of the stream.
    offset: u64,
    /// True if there are no more.
    done: bool,
}

impl Descriptor {
    pub(crate) fn new(id: &str, table: TableRef, stream: Option<String>, schema: SchemaRef) -> Self {
        Self { version: VERSION, id: id.to_owned(), table, stream, schema }
    }

    /// A line of JSON, and the schema message.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        bytes.extend_from_slice(&sluice_sdk::schema_message(&plain(&self.schema))?);
        if bytes.len() > MAX_DESCRIPTOR {
            return Err(Error::unsupported(format!(
                "the table has {} columns, more than can be planned at once; choose columns",
                self.schema.fields().len()
            )));
        }
        Ok(bytes)
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let broken = || Error::internal("the split's descriptor is not one of this connector's");
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(broken)?;
        let (json, schema) = bytes.split_at(end);
        let mut descriptor: Self = serde_json::from_slice(json)?;
        if descriptor.version != VERSION {
            return Err(Error::expired(format!(
                "the split was planned by another version of this connector (form {}, known is {VERSION})",
                descriptor.version
            )));
        }
        let schema = arrow_ipc::convert::try_schema_from_ipc_buffer(schema.get(1..).unwrap_or_default())?;
        descriptor.schema = Arc::new(schema);
        Ok(descriptor)
    }
}

/// The schema without its columns' metadata, which would make the descriptor of a wide table too large; the plan has it. Below
/// the columns metadata is a part of the type.
fn plain(schema: &Schema) -> Schema {
    let bare = |field: &FieldRef| field.as_ref().clone().with_metadata(HashMap::new());
    Schema::new(schema.fields().iter().map(bare).collect::<Vec<_>>())
}

/// Reads a split to its end.
pub(crate) fn read(config: &BigQueryConfig, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
    let descriptor = Descriptor::decode(&split.descriptor)?;
    let channel = output.stream(&descriptor.id, Arc::clone(&descriptor.schema))?;
    let mut position = Position::start(&descriptor, start)?;
    if position.done {
        return Ok(());
    }
    rows(config, &descriptor, &mut position, channel).map_err(|error| error.stream(&descriptor.id))
}

fn rows(config: &BigQueryConfig, descriptor: &Descriptor, position: &mut Position, mut channel: Channel) -> Result<()> {
    if let Some(stream) = &descriptor.stream {
        let doing = Doing::ReadRows(&descriptor.table);
        let call = storage::rows(config, &doing, stream);
        let mut patience = Patience::default();
        let mut anew = false;
        loop {
            match run(&call, stream, position, anew, &mut channel, &mut patience) {
                Ok(Directive::Continue) => break,
                Ok(Directive::Stop) => return Ok(()),
                // A server that makes a stream's rows as they are read does not know a row that it has not come to.
                Err(failure) if is_not_come_to(&failure) && position.offset > 0 && !anew => anew = true,
                // Reading goes on behind the last row that was pushed.
                Err(failure) => patience.wait(failure.error)?,
            }
        }
    }
    position.done = true;
    channel.checkpoint(&position.encode()?).map(drop)
}

/// Whether the server knows the stream, but not yet the row to begin at.
fn is_not_come_to(failure: &Failure) -> bool {
    matches!(failure.code, Some(code::FAILED_PRECONDITION | code::OUT_OF_RANGE))
        && failure.error.kind != ErrorKind::Expired
}

/// Reads until the stream ends, the host asks to stop, or something breaks; `anew` from the first row, passing over those that
/// were pushed.
fn run(
    call: &Call<'_>,
    stream: &str,
    position: &mut Position,
    anew: bool,
    channel: &mut Channel,
    patience: &mut Patience,
) -> Result<Directive, Failure> {
    let mut passed = if anew { 0 } else { position.offset };
    let mut answers = storage::read(call, stream, passed)?;
    while let Some(answer) = answers.next()? {
        let Some((batch, rows)) = answer.batch().filter(|(batch, _)| !batch.is_empty()) else { continue };
        let known = position.offset.saturating_sub(passed).min(rows);
        passed += rows;
        if known == rows && rows > 0 {
            continue;
        }
        patience.renew();
        if known == 0 && batch.len() <= LARGEST_AS_IT_IS {
            // Not decoded, not even looked at: the host validates it, and counts its rows against these.
            channel.push_message(batch, rows)?;
            if reached(position, rows, channel)? == Directive::Stop {
                return Ok(Directive::Stop);
            }
            continue;
        }
        for piece in pieces(batch.clone(), channel.schema(), known)? {
            channel.push(&piece)?;
            if reached(position, piece.num_rows() as u64, channel)? == Directive::Stop {
                return Ok(Directive::Stop);
            }
        }
    }
    Ok(Directive::Continue)
}

/// Some more rows were pushed.
fn reached(position: &mut Position, rows: u64, channel: &mut Channel) -> Result<Directive> {
    position.offset += rows;
    channel.checkpoint(&position.encode()?)
}

impl Position {
    fn start(descriptor: &Descriptor, cursor: Option<&Cursor>) -> Result<Self> {
        let stream = descriptor.stream.clone();
        let Some(cursor) = cursor else { return Ok(Self { version: VERSION, stream, offset: 0, done: false }) };
        let position: Self = serde_json::from_slice(cursor)
            .map_err(|e| Error::internal(format!("the checkpoint is not one of this connector's ({e})")))?;
        if position.version != VERSION || position.stream != stream {
            return Err(Error::internal(
                "the checkpoint belongs to another split or another version of this connector",
            ));
        }
        Ok(position)
    }

    fn encode(&self) -> Result<Cursor> {
        Ok(serde_json::to_vec(self)?)
    }
}

#[cfg(test)]
mod tests {
    use arrow_schema::{DataType, Field};

    use super::*;

    fn descriptor(stream: Option<&str>) -> Descriptor {
        let metadata = HashMap::from([("sluice:source-type".to_owned(), "ARRAY<JSON>".to_owned())]);
        let meaning = HashMap::from([("sluice:logical-type".to_owned(), "json".to_owned())]);
        let item = Field::new("item", DataType::Utf8, true).with_metadata(meaning);
        let fields = vec![
            Field::new("id", DataType::Int64, false),
            Field::new("tags", DataType::List(Arc::new(item)), true).with_metadata(metadata),
        ];
        let table = TableRef { project: "p".into(), dataset: "d".into(), table: "t".into() };
        Descriptor::new("d.t", table, stream.map(str::to_owned), Arc::new(Schema::new(fields)))
    }

    #[test]
    fn a_descriptor_comes_back_with_its_schema_but_without_its_columns_metadata() {
        let it = descriptor(Some("projects/p/locations/us/sessions/s/streams/0"));
        let back = Descriptor::decode(&it.encode().unwrap()).unwrap();
        assert_eq!((back.stream, back.table), (it.stream, it.table));
        assert_eq!(*back.schema, plain(&it.schema));
        assert!(back.schema.field(1).metadata().is_empty());
        assert_eq!(back.schema.field(1).data_type(), it.schema.field(1).data_type());
        assert_eq!(back.schema.field(0), it.schema.field(0));
    }

    #[test]
    fn the_widest_tables_fit() {
        let column = |index| Field::new(format!("a_column_with_a_longer_name_{index}"), DataType::Utf8, true);
        let mut wide = descriptor(None);
        wide.schema = Arc::new(Schema::new((0..5_000).map(column).collect::<Vec<_>>()));
        assert!(wide.encode().unwrap().len() < MAX_DESCRIPTOR);
    }

    #[test]
    fn only_a_status_about_the_offset_makes_a_stream_be_read_from_its_first_row() {
        let unsupported = Error::unsupported("there is no such method");
        let failed = |code, error: &Error| is_not_come_to(&Failure { code, error: error.clone() });
        assert!(failed(Some(code::FAILED_PRECONDITION), &unsupported));
        assert!(failed(Some(code::OUT_OF_RANGE), &Error::protocol("beyond the end")));
        assert!(!failed(Some(12), &unsupported), "the kind alone says nothing");
        assert!(!failed(None, &unsupported));
        assert!(!failed(Some(code::FAILED_PRECONDITION), &Error::expired("the session is over")));
    }

    #[test]
    fn a_checkpoint_is_a_stream_and_a_row_and_of_no_use_elsewhere() {
        let it = descriptor(Some("a"));
        let mut position = Position::start(&it, None).unwrap();
        position.offset = 7;
        let cursor = position.encode().unwrap();
        assert_eq!(Position::start(&it, Some(&cursor)).unwrap().offset, 7);
        assert!(Position::start(&descriptor(Some("b")), Some(&cursor)).is_err());
        assert!(Position::start(&it, Some(&b"junk".to_vec())).is_err());
    }
}
