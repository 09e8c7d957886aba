//! The peers: other ways to read the same data, all from PyPI in one frozen venv.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::lineitem::Table;
use super::postgres::Server;
use crate::python;

pub(crate) struct Peers {
    venv: PathBuf,
    scripts: PathBuf,
}

impl Peers {
    pub(crate) fn prepare() -> Result<Peers> {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench");
        let venv = python::venv("bench", &scripts.join("bench.lock.txt"), &python::interpreter(13)?)?;
        Ok(Peers { venv, scripts })
    }

    /// A program that a package put into the venv.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.venv.join("bin").join(name)
    }

    /// The server's own bulk format, read by its own client and thrown away: nobody can be much faster.
    pub(crate) fn psql(&self, server: &Server, table: &Table) -> Command {
        let mut psql = server.psql();
        psql.args(["-o", "/dev/null", "-c", &format!("COPY {} TO STDOUT (FORMAT binary)", table.name)]);
        psql
    }

    /// A peer that makes Arrow in memory: `connectorx`, `adbc` or `duckdb`.
    pub(crate) fn arrow(&self, peer: &str, server: &Server, table: &Table, splits: u32) -> Command {
        self.script(&format!("read_{peer}.py"), server.facts(), &[table.name, &splits.to_string()])
    }

    /// dlt to local Parquet. `sqlalchemy` is its default backend, `connectorx` its fastest.
    pub(crate) fn dlt(&self, backend: &str, server: &Server, table: &Table, folder: &Path) -> Command {
        let folder = folder.to_string_lossy();
        self.script("parquet_dlt.py", server.facts(), &[table.name, "2", &folder, backend])
    }

    /// sling to local Parquet. Its DuckDB comes from the venv, or it would fetch one from elsewhere.
    pub(crate) fn sling(&self, server: &Server, table: &Table, folder: &Path) -> Result<Command> {
        let home = python::duckdb_home(&self.venv)?;
        let duckdb = self.program("duckdb");
        make_executable(&duckdb)?;
        let binary = python::find_in_venv(&self.venv, "sling_linux_amd64/bin/sling-linux-amd64")?;
        make_executable(&binary)?;
        let Server { host, port, user, password, database, .. } = server;
        let mut sling = Command::new(binary);
        sling.args(["run", "--src-conn", "SOURCE", "--src-stream", &format!("public.{}", table.name), "--tgt-object"]);
        sling.arg(format!("file://{}", folder.join("lineitem.parquet").display()));
        sling.env("SOURCE", format!("postgresql://{user}:{password}@{host}:{port}/{database}?sslmode=disable"));
        sling.env("DUCKDB_PATH", duckdb).env("HOME", &home).env("SLING_HOME_DIR", home.join("sling"));
        sling.env("SLING_DISABLE_TELEMETRY", "true");
        Ok(sling)
    }

    /// A script of `xtask/bench`, with what it must know of servers in its environment.
    pub(super) fn script<N: AsRef<OsStr>, V: AsRef<OsStr>>(
        &self,
        file: &str,
        environment: impl IntoIterator<Item = (N, V)>,
        arguments: &[&str],
    ) -> Command {
        self.script_with(&self.program("python"), file, environment, arguments)
    }

    /// A script of `xtask/bench` for an interpreter that has packages of its own.
    pub(super) fn script_with<N: AsRef<OsStr>, V: AsRef<OsStr>>(
        &self,
        python: &Path,
        file: &str,
        environment: impl IntoIterator<Item = (N, V)>,
        arguments: &[&str],
    ) -> Command {
        let mut command = Command::new(python);
        command.arg(self.scripts.join(file)).args(arguments).env("PYTHONDONTWRITEBYTECODE", "1").envs(environment);
        command
    }
}

/// Some packages ship a program without saying that it is one.
fn make_executable(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))
        .with_context(|| format!("making {} executable", file.display()))
}
