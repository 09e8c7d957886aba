//! What `plan` tells `read`: everything that was found out about a stream, and which parts of which files to read.

use std::sync::Arc;

use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions, write_message};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use sluice_sdk::items::FILE_COLUMN;
use sluice_sdk::{Error, Result};

use crate::csv::Dialect;
use crate::objects::Object;
use crate::options::Format;
use crate::packed;

/// The version of descriptors and cursors.
pub(crate) const VERSION: u32 = 2;

/// How to read one split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spec {
    pub(crate) v: u32,
    pub(crate) stream: String,
    pub(crate) format: Format,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dialect: Option<Dialect>,
    /// The stream's whole schema, an IPC message in base64.
    pub(crate) schema: String,
    /// The columns that are wanted; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) columns: Vec<String>,
    /// About how many bytes of Arrow a batch should hold.
    pub(crate) batch_bytes: u64,
    /// Rows say which file they are of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) file_column: bool,
    /// Behind the rest, packed.
    #[serde(skip)]
    pub(crate) parts: Vec<Part>,
}

/// A file, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) object: Object,
    /// Bytes of a text, or row groups of a Parquet file.
    pub(crate) range: Option<PartRange>,
}

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PartRange {
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// `from` and `to` are where records start, not just anywhere.
    pub(crate) exact: bool,
}

impl Spec {
    /// A descriptor of these parts, as a [`Packer`](crate::packed::Packer) made them.
    pub(crate) fn encode(&self, parts: &[u8]) -> Result<Vec<u8>> {
        let head = serde_json::to_vec(self)?;
        let mut descriptor = Vec::with_capacity(4 + head.len() + parts.len());
        descriptor.extend_from_slice(&u32::try_from(head.len()).unwrap_or(u32::MAX).to_le_bytes());
        descriptor.extend_from_slice(&head);
        descriptor.extend_from_slice(parts);
        Ok(descriptor)
    }

    /// Reads a descriptor.
    pub(crate) fn decode(descriptor: &[u8]) -> Result<Self> {
        let foreign = || Error::internal("the split was not planned by this connector");
        let (length, rest) = descriptor.split_first_chunk::<4>().ok_or_else(foreign)?;
        let (head, parts) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(foreign)?;
        let mut spec: Self = serde_json::from_slice(head)
            .map_err(|error| Error::internal(format!("the split was not planned by this connector: {error}")))?;
        if spec.v != VERSION {
            return Err(Error::transient("the split was planned by another version of the connector; plan again"));
        }
        spec.parts = packed::unpack(parts)?;
        Ok(spec)
    }

    /// The stream's whole schema.
    pub(crate) fn full_schema(&self) -> Result<SchemaRef> {
        decode_schema(&self.schema)
    }
}

/// The columns of a schema that are wanted, in the order that was asked for, and the file's name behind them where rows tell it.
pub(crate) fn project(schema: &SchemaRef, columns: &[String], file_column: bool, stream: &str) -> Result<SchemaRef> {
    if columns.is_empty() && !file_column {
        return Ok(Arc::clone(schema));
    }
    let mut fields: Vec<FieldRef> = if columns.is_empty() { schema.fields().to_vec() } else { Vec::new() };
    for column in columns {
        let found = schema.fields().iter().find(|field| field.name() == column).ok_or_else(|| {
            Error::not_found(format!("the files of {stream} have no column {column:?}")).stream(stream)
        })?;
        fields.push(Arc::clone(found));
    }
    if file_column {
        if fields.iter().any(|field| field.name().eq_ignore_ascii_case(FILE_COLUMN)) {
            return Err(Error::unsupported(format!(
                "the files of {stream} have a column {FILE_COLUMN} of their own, so that changed_files cannot be replace; choose \
                 columns without it, or another policy"
            ))
            .stream(stream));
        }
        fields.push(Arc::new(Field::new(FILE_COLUMN, DataType::Utf8, false)));
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// A schema as text.
pub(crate) fn encode_schema(schema: &Schema) -> Result<String> {
    let options = IpcWriteOptions::default();
    let mut tracker = DictionaryTracker::new(false);
    let encoded = IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(schema, &mut tracker, &options);
    let mut message = Vec::new();
    write_message(&mut message, encoded, &options)?;
    Ok(STANDARD_NO_PAD.encode(message))
}

fn decode_schema(text: &str) -> Result<SchemaRef> {
    let broken = |what: String| Error::internal(format!("the split's schema cannot be read: {what}"));
    let message = STANDARD_NO_PAD.decode(text).map_err(|error| broken(error.to_string()))?;
    let reader = arrow_ipc::reader::StreamReader::try_new(message.as_slice(), None)
        .map_err(|error| broken(error.to_string()))?;
    Ok(reader.schema())
}

/// Where a split's read stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) v: u32,
    /// Parts that are complete.
    pub(crate) part: usize,
    /// Byte of the text, or row of the row groups, at which the next part goes on; none for its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<u64>,
}

impl Position {
    /// Reads a cursor.
    pub(crate) fn decode(cursor: &[u8]) -> Result<Self> {
        let position: Self = serde_json::from_slice(cursor)
            .map_err(|error| Error::internal(format!("the cursor is not one of this connector: {error}")))?;
        if position.v != VERSION {
            return Err(Error::transient("the cursor is of another version of the connector; plan again"));
        }
        Ok(position)
    }

    /// The cursor.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::kind::Kind;

    #[test]
    fn a_schema_survives_the_descriptor() {
        let schema = Schema::new(vec![Kind::Json.field("a"), Kind::TimestampTz.field("b")]);
        let text = encode_schema(&schema).unwrap();
        assert_eq!(*decode_schema(&text).unwrap(), schema);
    }

    #[test]
    fn a_position_survives_the_cursor() {
        let position = Position { v: VERSION, part: 3, at: Some(77) };
        assert_eq!(Position::decode(&position.encode().unwrap()).unwrap(), position);
        assert!(Position::decode(br#"{"v":9,"part":0}"#).is_err());
    }
}
