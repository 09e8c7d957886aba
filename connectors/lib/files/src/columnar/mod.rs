//! Parquet files.

pub(crate) mod chunks;
pub(crate) mod file;
pub(crate) mod widen;
