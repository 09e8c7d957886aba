//! Our side of every pair: `sluice run` on a pipeline written for the case.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// A sink that drops rows.
pub(crate) const NULL: &str = "{type: 'null'}";

/// A sink that writes Parquet files.
pub(crate) fn local(folder: &Path) -> String {
    format!("{{type: local, path: '{}'}}", folder.display())
}

/// A run that reads one stream to its end.
pub(crate) struct Read<'a> {
    pub(crate) name: &'a str,
    pub(crate) connector: &'a str,
    /// YAML, on one line.
    pub(crate) config: String,
    /// YAML, on one line.
    pub(crate) grants: &'a str,
    pub(crate) stream: &'a str,
    /// Of the stream, as the connector estimates it.
    pub(crate) bytes: u64,
    pub(crate) splits: u32,
    /// YAML, on one line.
    pub(crate) sink: &'a str,
}

pub(crate) struct Sluice {
    binary: PathBuf,
    connectors: PathBuf,
    folder: PathBuf,
}

impl Sluice {
    pub(crate) fn new(workspace: &Workspace, folder: PathBuf) -> Sluice {
        Sluice { binary: workspace.target.join("release/sluice"), connectors: workspace.connectors(), folder }
    }

    /// The command of a run.
    pub(crate) fn run(&self, read: &Read<'_>) -> Result<Command> {
        let Read { name, connector, config, grants, stream, bytes, splits, sink } = read;
        // Splits are sized by bytes: a little more than an even share, so that rounding does not make one more.
        let split_bytes = if *splits == 1 { bytes * 2 } else { bytes / u64::from(*splits) } + (1 << 20);
        let pipeline = format!(
            "name: {name}
source:
  connector: {connector}
  config: {config}
  grants: {grants}
streams: [{{id: {stream}}}]
sink: {sink}
limits: {{parallel: {splits}, split_bytes: {split_bytes}}}
"
        );
        let file = self.folder.join(format!("{name}.yaml"));
        std::fs::write(&file, pipeline).with_context(|| format!("writing {}", file.display()))?;
        let mut command = Command::new(&self.binary);
        command.arg("run").arg(&file).arg("--json").current_dir(&self.folder);
        command.env("SLUICE_CONNECTORS", &self.connectors).env("SLUICE_STATE", self.folder.join("state.db"));
        Ok(command)
    }
}
