//! The connector for files in a folder that an operator granted: CSV, NDJSON, JSON and Parquet, also compressed.
//!
//! Everything that is not the folder is in `connectors/lib/files`, which the object stores share.

use std::sync::Arc;

use serde::Deserialize;
use sluice_files::{Files, Folder, Options, StreamConfig};
use sluice_sdk::{
    CheckStep, Config, Cursor, DiscoverFilter, DiscoverPage, Error, Hints, Manifest, Output, Plan, Result, Selection,
    Source, Split,
};

/// Where the files are and how they are read.
#[derive(Clone, Debug, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub struct FilesConfig {
    /// The folder, under the name by which it is granted to the pipeline, or a folder in it.
    #[serde(default = "default_path")]
    #[config(title = "Folder", default = "/data", example = "/data/exports")]
    pub path: String,
    /// The streams. Left out, every folder and every file at the top is one.
    #[serde(default)]
    #[config(title = "Streams")]
    pub streams: Vec<StreamConfig>,
    /// How files are read, unless a stream has options of its own.
    #[serde(default)]
    #[config(title = "Options")]
    pub options: Options,
}

fn default_path() -> String {
    "/data".to_owned()
}

/// The source.
#[derive(Manifest)]
#[manifest(
    name = "files",
    title = "Files",
    description = "CSV, NDJSON, JSON and Parquet files, also compressed (gzip, zstd, snappy, lz4), from a folder that an operator grants.",
    publisher = "Sluice",
    config = FilesConfig,
    folders("/data"),
    capabilities(incremental, splits, estimate, changed_files)
)]
pub struct FilesSource {
    files: Files,
}

impl Source for FilesSource {
    type Config = FilesConfig;

    fn open(config: FilesConfig) -> Result<Self> {
        let outside = config.path.split('/').any(|part| part == "..");
        if !config.path.starts_with('/') || outside {
            return Err(Error::config("path must be absolute, such as /data, and without ..").field("/path"));
        }
        let folder = Arc::new(Folder::new(config.path));
        Ok(Self { files: Files::new(folder, config.streams, config.options)? })
    }

    fn check(&mut self) -> Result<Vec<CheckStep>> {
        self.files.check()
    }

    fn discover(&mut self, filter: &DiscoverFilter, page: Option<&str>) -> Result<DiscoverPage> {
        self.files.discover(filter, page)
    }

    fn plan(&mut self, selections: &[Selection], hints: &Hints) -> Result<Plan> {
        self.files.plan(selections, hints)
    }

    fn read(&mut self, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
        self.files.read(split, start, output)
    }
}

sluice_sdk::export!(FilesSource);
