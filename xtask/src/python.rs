//! Python: an interpreter that is new enough, venvs with frozen packages, and what lies in them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{run, succeeds, which};
use crate::tools::file_name;
use crate::workspace::cache;

/// A venv in the cache with exactly the packages of a lock file, made anew when the lock file changes.
pub(crate) fn venv(name: &str, lock: &Path, python: &Path) -> Result<PathBuf> {
    let text = std::fs::read_to_string(lock).with_context(|| format!("reading {}", lock.display()))?;
    let mut hasher = DefaultHasher::new();
    (text.as_str(), python).hash(&mut hasher);
    let folder = cache()?.join("venv").join(format!("{name}-{:016x}", hasher.finish()));
    let complete = folder.join("complete");
    if complete.is_file() {
        return Ok(folder);
    }
    eprintln!("xtask: making the Python environment {} (once)", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    run(Command::new(python).args(["-m", "venv"]).arg(&folder).stdout(std::io::stderr()))?;
    let mut install = Command::new(folder.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--no-deps", "--requirement"]).arg(lock);
    run(install.stdout(std::io::stderr()))?;
    std::fs::write(&complete, "")?;
    Ok(folder)
}

/// A Python of at least this version: `$SLUICE_PYTHON`, one on the path, or one of pyenv's.
pub(crate) fn interpreter(minor: u32) -> Result<PathBuf> {
    let mut candidates: Vec<PathBuf> = std::env::var_os("SLUICE_PYTHON").map(PathBuf::from).into_iter().collect();
    let names = (minor..minor + 3).map(|minor| format!("python3.{minor}")).chain(["python3".to_owned()]);
    candidates.extend(names.filter_map(|name| which(&name)));
    if let Some(home) = std::env::var_os("HOME") {
        let versions = Path::new(&home).join(".pyenv/versions");
        let mut installed: Vec<PathBuf> = std::fs::read_dir(versions)
            .map(|entries| entries.flatten().map(|entry| entry.path().join("bin/python3")).collect())
            .unwrap_or_default();
        installed.sort();
        candidates.extend(installed);
    }
    let question = format!("import sys, venv; sys.exit(sys.version_info < (3, {minor}))");
    candidates
        .into_iter()
        // A shim of pyenv exists for versions that are not selected and then fails: so each one is asked.
        .find(|python| succeeds(Command::new(python).args(["-c", &question])))
        .with_context(|| {
            format!(
                "no Python 3.{minor} or newer was found on the path or under ~/.pyenv/versions; \
                 install one (for example `pyenv install 3.{minor}`) or name it in SLUICE_PYTHON"
            )
        })
}

/// The file at this path below the venv's `site-packages`.
pub(crate) fn find_in_venv(venv: &Path, path: &str) -> Result<PathBuf> {
    let places = folders(&venv.join("lib"))?.into_iter().map(|python| python.join("site-packages").join(path));
    places.into_iter().find(|file| file.is_file()).with_context(|| format!("{} holds no {path}", venv.display()))
}

/// A home folder whose `.duckdb` holds the extensions that came as packages, where DuckDB looks before it asks its own server.
pub(crate) fn duckdb_home(venv: &Path) -> Result<PathBuf> {
    let home = venv.join("home");
    let platform = if cfg!(target_arch = "aarch64") { "linux_arm64" } else { "linux_amd64" };
    let mut found = 0;
    for file in extensions(venv)? {
        let version = file.parent().map(file_name).context("an extension lies in a folder named by version")?;
        let folder = home.join(".duckdb/extensions").join(version).join(platform);
        std::fs::create_dir_all(&folder)?;
        let to = folder.join(file_name(&file));
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
            if !file_name(&package).starts_with("duckdb_extension_") || !package.join("extensions").is_dir() {
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
