//! Our side of every pair: `sluice run` on a pipeline written for the case.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::data::{Server, Table};
use crate::workspace::Workspace;

pub(crate) struct Sluice {
    binary: PathBuf,
    connectors: PathBuf,
    folder: PathBuf,
}

impl Sluice {
    pub(crate) fn new(workspace: &Workspace, folder: PathBuf) -> Result<Sluice> {
        std::fs::create_dir_all(&folder)?;
        Ok(Sluice { binary: workspace.target.join("release/sluice"), connectors: workspace.connectors(), folder })
    }

    /// Reads a table to its end and drops the rows.
    pub(crate) fn to_null(&self, server: &Server, table: &Table, splits: u32) -> Result<Command> {
        self.run(server, table, splits, "{type: 'null'}", &format!("null-{}-{splits}", table.name))
    }

    /// Reads a table into Parquet files.
    pub(crate) fn to_parquet(&self, server: &Server, table: &Table, splits: u32, folder: &Path) -> Result<Command> {
        let sink = format!("{{type: local, path: '{}'}}", folder.display());
        self.run(server, table, splits, &sink, &format!("parquet-{}-{splits}", table.name))
    }

    fn run(&self, server: &Server, table: &Table, splits: u32, sink: &str, name: &str) -> Result<Command> {
        let Server { host, port, user, password, database, .. } = server;
        // Splits are sized by bytes: a little more than an even share, so that rounding does not make one more.
        let split_bytes = table.bytes / u64::from(splits) + (1 << 20);
        let pipeline = format!(
            "name: {name}
source:
  connector: postgres
  config: {{host: '{host}', port: {port}, user: '{user}', password: '{password}', database: '{database}', tls: disable}}
  grants: {{private_network: true}}
streams: [{{id: public.{table}}}]
sink: {sink}
limits: {{parallel: {splits}, split_bytes: {split_bytes}}}
",
            table = table.name
        );
        self.command(name, &pipeline)
    }

    /// A run of a pipeline.
    pub(crate) fn command(&self, name: &str, pipeline: &str) -> Result<Command> {
        let file = self.folder.join(format!("{name}.yaml"));
        std::fs::write(&file, pipeline).with_context(|| format!("writing {}", file.display()))?;
        let mut command = Command::new(&self.binary);
        command.arg("run").arg(&file).arg("--json").current_dir(&self.folder);
        command.env("SLUICE_CONNECTORS", &self.connectors).env("SLUICE_STATE", self.folder.join("state.db"));
        Ok(command)
    }
}
