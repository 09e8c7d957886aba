//! npm packages, each in a folder of its own in the cache.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{run, which};
use crate::tools;
use crate::workspace::cache;

/// A package of one version. Its dependencies are the newest that fit and were published before a day, so that they do
/// not change either.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) before: &'static str,
}

/// Installs the package once and returns its `node_modules`. Scripts of packages are not run.
pub(crate) fn install(package: &Package) -> Result<PathBuf> {
    let wanted = format!("{}@{}", package.name, package.version);
    let folder = cache()?.join("npm").join(format!("{wanted}-before-{}", package.before));
    let modules = folder.join("node_modules");
    if modules.is_dir() {
        return Ok(modules);
    }
    if which("npm").is_none() {
        tools::debian(&["nodejs", "npm"])?;
    }
    eprintln!("xtask: installing {wanted} into {} (once)", folder.display());
    let parent = folder.parent().context("the folder lies in the cache")?;
    std::fs::create_dir_all(parent)?;
    // Half an installation must not be taken for a whole one, by us or by another xtask at the same time.
    let half = tempfile::Builder::new().prefix(".installing-").tempdir_in(parent)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=dev", "--before"]);
    npm.arg(package.before).arg("--prefix").arg(half.path()).arg(&wanted).stdout(std::io::stderr());
    run(npm.current_dir(half.path()))?;
    match std::fs::rename(half.path(), &folder) {
        Err(error) if !modules.is_dir() => Err(error).with_context(|| format!("renaming to {}", folder.display())),
        _ => Ok(modules),
    }
}
