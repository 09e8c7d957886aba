//! What connectors of files share: listing and patterns, CSV, NDJSON, JSON and Parquet to Arrow, compression, schemas from
//! samples, splits, and the state of incremental reads.
//!
//! A connector implements [`Objects`] for its store and hands everything else to [`Files`]. The crate knows the SDK and
//! Arrow; it must not know where files are, nor who signs requests.
//!
//! To add a format: give it a name in `options.rs` and `format.rs`, find its schema in `schema.rs`, and add a reader beside
//! `lines.rs` and `columnar/` to the enum in `read.rs`.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a failed assertion is how a test fails"
    )
)]

mod blocks;
mod columnar;
mod compress;
mod csv;
mod encoding;
mod files;
mod folder;
mod format;
mod gather;
mod glob;
mod json;
mod lines;
mod news;
mod objects;
mod options;
mod packed;
mod plan;
mod read;
mod schema;
mod spec;
mod state;
mod streams;
mod survey;
mod text;
mod values;
mod vector;

pub use files::Files;
pub use folder::Folder;
pub use glob::Glob;
pub use objects::{Object, ObjectPage, Objects, changed};
pub use options::{ColumnType, Compression, CsvOptions, Encoding, Format, OnMismatch, Options, Ragged, StreamConfig};
