//! Parquet files.

pub(crate) mod chunks;
pub(crate) mod file;
mod text;
pub(crate) mod widen;
