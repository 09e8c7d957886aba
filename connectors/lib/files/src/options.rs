//! What a user can say about files. Connectors put these types into their own configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sluice_sdk::{Config, Error, Result};

/// Files that are read as one stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// The stream's name.
    #[config(title = "Name", example = "orders")]
    pub name: String,
    /// Which files: `*` and `?` within a folder, `**` over folders, `[0-9]`, `{csv,json}`; relative to the folder.
    #[config(title = "Files", example = "orders/**/*.csv.gz")]
    pub glob: String,
    /// How the files are read; replaces the connection's options as a whole.
    #[config(title = "Options")]
    pub options: Option<Options>,
}

/// How files are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Config)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The files' format.
    #[config(title = "Format", default = "auto")]
    pub format: Format,
    /// The files' compression.
    #[config(title = "Compression", default = "auto")]
    pub compression: Compression,
    /// How CSV files are written.
    #[config(title = "CSV")]
    pub csv: CsvOptions,
    /// Types of columns by name, where the type found in the samples is not the one wanted.
    #[config(title = "Column types")]
    pub types: BTreeMap<String, ColumnType>,
    /// What to do with a file that does not fit the stream's schema or its own format.
    #[config(title = "Files that do not fit", default = "fail")]
    pub on_mismatch: OnMismatch,
    /// Files that are looked at to find the schema.
    #[config(title = "Sampled files", default = 20, minimum = 1, maximum = 10000)]
    pub sample_files: u32,
    /// Bytes of each sampled file that are looked at.
    #[config(title = "Sampled bytes", default = 1048576, minimum = 1024, maximum = 67108864)]
    pub sample_bytes: u32,
    /// Longest record, bytes.
    #[config(title = "Longest record", default = 33554432, minimum = 1024, maximum = 67108864)]
    pub max_record_bytes: u32,
    /// How many times larger than the compressed file its content may be; a fence against decompression bombs.
    #[config(title = "Highest compression ratio", default = 250, minimum = 1)]
    pub max_ratio: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: Format::Auto,
            compression: Compression::Auto,
            csv: CsvOptions::default(),
            types: BTreeMap::new(),
            on_mismatch: OnMismatch::Fail,
            sample_files: 20,
            sample_bytes: 1 << 20,
            max_record_bytes: 32 << 20,
            max_ratio: 250,
        }
    }
}

/// A file format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Config)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// By the file's name.
    #[default]
    Auto,
    /// Delimited text.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// A JSON array of objects, or objects one after the other.
    Json,
    /// Apache Parquet.
    Parquet,
}

/// A compression of whole files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Config)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// By the file's first bytes.
    #[default]
    Auto,
    /// Not compressed.
    None,
    /// gzip, also of several members.
    Gzip,
    /// Zstandard.
    Zstd,
    /// Snappy, in its own frames or in Hadoop's blocks.
    Snappy,
    /// LZ4, in frames.
    Lz4,
}

/// How CSV files are written. What is left out is found by looking at the files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Config)]
#[serde(deny_unknown_fields, default)]
pub struct CsvOptions {
    /// The character between fields; `\t` stands for a tab.
    #[config(title = "Delimiter", example = ";")]
    pub delimiter: Option<String>,
    /// The character around fields that hold delimiters or line breaks; empty for none.
    #[config(title = "Quote", example = "\"")]
    pub quote: Option<String>,
    /// The character that makes a quote part of a field; left out, a doubled quote does.
    #[config(title = "Escape", example = "\\")]
    pub escape: Option<String>,
    /// Whether the first record has the columns' names.
    #[config(title = "Header")]
    pub header: Option<bool>,
    /// The text's encoding.
    #[config(title = "Encoding", default = "auto")]
    pub encoding: Encoding,
    /// Lines before the header that are no data.
    #[config(title = "Lines to skip", default = 0)]
    pub skip_lines: u32,
    /// Unquoted fields that mean null; left out, the empty one.
    #[config(title = "Null values")]
    pub null_values: Option<Vec<String>>,
    /// What to do with a record that has more or fewer fields than the header.
    #[config(title = "Ragged records", default = "fail")]
    pub ragged: Ragged,
    /// Whether quoted fields hold line breaks, so that a file cannot be read in parts.
    #[config(title = "Line breaks in fields")]
    pub newlines_in_values: Option<bool>,
}

/// A text encoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Config)]
pub enum Encoding {
    /// By the byte order mark; without one UTF-8, or Windows-1252 if the first bytes are not UTF-8.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, low byte first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, high byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// Windows-1252, which contains Latin-1's printable characters.
    #[serde(rename = "latin1", alias = "windows-1252")]
    Latin1,
}

/// What to do with ragged records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Config)]
#[serde(rename_all = "lowercase")]
pub enum Ragged {
    /// The file does not fit.
    #[default]
    Fail,
    /// Missing fields are null, surplus ones are dropped; the log says how many.
    Fill,
    /// The record is left out; the log says how many.
    Skip,
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Config)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// `true` or `false`.
    Bool,
    /// Whole numbers of 64 bits.
    Int64,
    /// Floating point numbers of 64 bits.
    Float64,
    /// Days.
    Date,
    /// Microseconds, without a zone.
    Timestamp,
    /// Microseconds in UTC.
    TimestampTz,
    /// Text.
    String,
    /// JSON text.
    Json,
}

/// What to do with a file that does not fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Config)]
#[serde(rename_all = "kebab-case")]
pub enum OnMismatch {
    /// The read fails and names file, line and column.
    #[default]
    Fail,
    /// A value that does not fit becomes null, a column that the schema lacks is left out; the log counts them.
    Null,
    /// The file is left out as a whole and the log says why. Each file is read twice: once to see whether it fits.
    SkipFile,
}

impl Options {
    /// Finds what the schema cannot: characters that are none, contradictions.
    ///
    /// # Errors
    /// `config`, naming the option.
    pub fn validate(&self) -> Result<()> {
        let delimiter = one_byte(self.csv.delimiter.as_deref(), "delimiter")?;
        let quote = one_byte(self.csv.quote.as_deref().filter(|text| !text.is_empty()), "quote")?;
        let escape = one_byte(self.csv.escape.as_deref(), "escape")?;
        if delimiter.is_some() && (delimiter == quote || delimiter == escape) {
            return Err(Error::config("csv.delimiter must differ from csv.quote and csv.escape"));
        }
        Ok(())
    }
}

/// A separator: one ASCII character other than a line break.
pub(crate) fn one_byte(text: Option<&str>, name: &str) -> Result<Option<u8>> {
    match text.map(str::as_bytes) {
        None => Ok(None),
        Some(b"\\t") => Ok(Some(b'\t')),
        Some([byte]) if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Ok(Some(*byte)),
        Some(_) => Err(Error::config(format!("csv.{name} must be one ASCII character other than a line break"))),
    }
}
