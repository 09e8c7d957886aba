//! local-bigquery from PyPI: BigQuery's REST and Storage APIs on top of DuckDB.
//!
//! Its versions are frozen in `xtask/services/local-bigquery.lock.txt`. DuckDB wants to fetch its extensions from a server
//! of its own; the same files exist as Python packages, so they are put where DuckDB looks first, under a home folder
//! inside the cache. The user's own `~/.duckdb` is left alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::group::Group;
use super::net::{connect, free_ports, get};
use crate::process::Interrupt;
use crate::tools;

const PROJECT: &str = "test-project";

/// Starts the server and waits until both of its ports answer.
pub(crate) fn start(group: &mut Group, interrupt: &Interrupt) -> Result<()> {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("services/local-bigquery.lock.txt");
    let venv = tools::venv("local-bigquery", &lock, &tools::python(13)?)?;
    let home = extensions_home(&venv)?;
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
    Ok(())
}

/// A home folder whose `.duckdb` holds the extensions that came as packages.
fn extensions_home(venv: &Path) -> Result<PathBuf> {
    let home = venv.join("home");
    let platform = if cfg!(target_arch = "aarch64") { "linux_arm64" } else { "linux_amd64" };
    let mut found = 0;
    for file in extensions(venv)? {
        let version = file.parent().map(tools::file_name).context("an extension lies in a folder named by version")?;
        let folder = home.join(".duckdb/extensions").join(version).join(platform);
        std::fs::create_dir_all(&folder)?;
        let to = folder.join(tools::file_name(&file));
        if !to.exists() {
            std::fs::copy(&file, &to).with_context(|| format!("copying {}", file.display()))?;
        }
        found += 1;
    }
    if found == 0 {
        bail!("the Python environment {} holds no DuckDB extensions; delete it to have it made anew", venv.display());
    }
    Ok(home)
}

/// `lib/python3.*/site-packages/duckdb_extension_*/extensions/v*/*.duckdb_extension`
fn extensions(venv: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for python in folders(&venv.join("lib"))? {
        for package in folders(&python.join("site-packages"))? {
            if !tools::file_name(&package).starts_with("duckdb_extension_") || !package.join("extensions").is_dir() {
                continue;
            }
            for version in folders(&package.join("extensions"))? {
                found.extend(
                    entries(&version)?.into_iter().filter(|f| f.extension().is_some_and(|e| e == "duckdb_extension")),
                );
            }
        }
    }
    Ok(found)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))?;
    Ok(entries.collect::<Result<Vec<_>, _>>()?.into_iter().map(|entry| entry.path()).collect())
}
