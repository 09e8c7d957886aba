//! local-bigquery from PyPI: BigQuery's REST and Storage APIs on top of DuckDB.
//!
//! Its versions are frozen in `xtask/services/local-bigquery.lock.txt`. DuckDB wants to fetch its extensions from a server
//! of its own; the same files exist as Python packages, so they are put where DuckDB looks first, under a home folder
//! inside the cache. The user's own `~/.duckdb` is left alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::group::Group;
use super::net::{connect, free_ports, get};
use crate::process::Interrupt;
use crate::python;

const PROJECT: &str = "test-project";

/// The Python environment that the server runs in.
fn venv() -> Result<PathBuf> {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("services/local-bigquery.lock.txt");
    python::venv("local-bigquery", &lock, &python::interpreter(13)?)
}

/// The interpreter of that environment, where Google's own clients are, too.
pub(crate) fn bigquery_python() -> Result<PathBuf> {
    Ok(venv()?.join("bin/python"))
}

/// Starts the server and waits until both of its ports answer.
pub(crate) fn start(group: &mut Group, interrupt: &Interrupt) -> Result<()> {
    let venv = venv()?;
    let home = python::duckdb_home(&venv)?;
    let data = group.folder.join("bigquery");
    std::fs::create_dir_all(&data)?;
    let [rest, grpc] = free_ports()?;

    let mut server = Command::new(venv.join("bin/local-bigquery"));
    server.args(["--host", "127.0.0.1", "--port", &rest.to_string(), "--grpc-port", &grpc.to_string()]);
    server.args(["--project", PROJECT, "--data-dir"]).arg(&data).arg("serve").env("HOME", home).current_dir(&data);
    group.spawn("local-bigquery", false, server)?;
    group.until_ready("local-bigquery", interrupt, || {
        get(rest, &format!("/bigquery/v2/projects/{PROJECT}/datasets"))?;
        connect(grpc).map(|_stream| ())
    })?;

    group.facts.add("SLUICE_TEST_BIGQUERY_REST", format!("http://127.0.0.1:{rest}"));
    group.facts.add("SLUICE_TEST_BIGQUERY_GRPC", format!("http://127.0.0.1:{grpc}"));
    group.facts.add("SLUICE_TEST_BIGQUERY_PROJECT", PROJECT);
    group.facts.add("SLUICE_TEST_DUCKDB_PYTHON", bigquery_python()?.display());
    Ok(())
}
