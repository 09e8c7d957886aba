//! Where things lie: the checkout, cargo's target folder, and the cache outside the checkout.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process;

/// The checkout and what `cargo metadata` says about it.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Cargo's target folder, wherever `CARGO_TARGET_DIR` or a configuration puts it.
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// A workspace member.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) targets: Vec<Target>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// Something that a package builds.
#[derive(Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
    pub(crate) crate_types: Vec<String>,
}

/// A dependency as the manifest declares it.
#[derive(Clone, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for an ordinary one, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

impl Workspace {
    /// Asks cargo about the checkout that this xtask was built from.
    pub(crate) fn find() -> Result<Workspace> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask/ has a parent folder")?.to_owned();
        let mut command = cargo();
        command.args(["metadata", "--format-version=1", "--no-deps"]).current_dir(&root);
        let metadata: Metadata =
            serde_json::from_str(&process::output(&mut command)?).context("reading `cargo metadata`")?;
        Ok(Workspace { root, target: metadata.target_directory, packages: metadata.packages })
    }

    /// Where `cargo xtask guests` puts the connectors.
    pub(crate) fn connectors(&self) -> PathBuf {
        self.target.join("connectors")
    }

    /// Where `cargo xtask guests` puts the guests that misbehave.
    pub(crate) fn guests(&self) -> PathBuf {
        self.target.join("guests")
    }

    /// The `sluice` that end-to-end tests start, built with failpoints.
    pub(crate) fn test_binary(&self) -> PathBuf {
        self.target.join("debug/sluice")
    }

    /// Git-ignored notes about what runs in the background for this checkout.
    pub(crate) fn notes(&self) -> Result<PathBuf> {
        let folder = self.root.join(".sluice");
        std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(folder)
    }
}

impl Package {
    /// Whether one of its targets of this kind is a C dynamic library, which is how a guest is built.
    pub(crate) fn guests<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Target> {
        self.targets.iter().filter(move |target| {
            let kind_fits =
                target.kind.iter().any(|k| k == kind) || (kind == "lib" && target.kind.iter().any(|k| k == "cdylib"));
            kind_fits && target.crate_types.iter().any(|t| t == "cdylib")
        })
    }
}

/// The cargo that runs this xtask, or the one on the path.
///
/// What cargo told us of our own package is taken away: build scripts (ring's) look at these variables, and their crates would be
/// built anew whenever a build by us follows one from the command line.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let ours = |name: &str| {
        ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.starts_with(prefix))
            || ["CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name)
    };
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(ours) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// The cache outside the checkout, for tools and venvs that take minutes to make.
pub(crate) fn cache() -> Result<PathBuf> {
    let folder = match std::env::var_os("SLUICE_XTASK_CACHE") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME").context("HOME is not set; set it or SLUICE_XTASK_CACHE")?)
            .join(".cache/sluice"),
    };
    std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    Ok(folder)
}
