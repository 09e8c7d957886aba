//! The cargo project that a command is run in, and the component that was built of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use sluice_core::RunError;

use super::wrong;
use crate::cli::ComponentArgs;

/// The sandbox's target, and the profile that components are built with.
pub(super) const TARGET: &str = "wasm32-wasip2";
pub(super) const PROFILE: &str = "guest";

/// A project.
pub(super) struct Project {
    /// The package's name.
    pub(super) package: String,
    /// Where its component is once it was built.
    pub(super) component: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

/// The cargo of the author's.
pub(super) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

impl Project {
    /// The project in a folder.
    pub(super) fn find(folder: &Path) -> Result<Self, RunError> {
        let manifest = folder.join("Cargo.toml");
        if !manifest.is_file() {
            return Err(wrong(format!("there is no project in {}: it has no Cargo.toml", folder.display())));
        }
        let mut command = cargo();
        command.args(["metadata", "--format-version=1", "--no-deps", "--offline"]).current_dir(folder);
        let output =
            command.output().map_err(|e| wrong(format!("cargo cannot be started: {e}; install Rust with rustup")))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(wrong(format!("cargo does not understand {}: {said}", manifest.display())));
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .map_err(|e| RunError::internal(format!("`cargo metadata` is not understood: {e}")))?;
        let manifest = std::fs::canonicalize(&manifest).unwrap_or(manifest);
        let package = metadata.packages.into_iter().find(|package| package.manifest_path == manifest);
        let package =
            package.ok_or_else(|| wrong("this is a workspace, not a package; go to the connector's own folder"))?;
        let library = package.targets.iter().find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"));
        let library = library.ok_or_else(|| {
            wrong(format!("{} builds no component: its [lib] needs crate-type = [\"cdylib\", \"rlib\"]", package.name))
        })?;
        let file = format!("{}.wasm", library.name.replace('-', "_"));
        let component = metadata.target_directory.join(TARGET).join(PROFILE).join(file);
        Ok(Self { package: package.name, component })
    }
}

/// The component that was named, or that of the project in the working folder.
pub(super) fn component(args: &ComponentArgs) -> Result<PathBuf, RunError> {
    if let Some(named) = &args.component {
        return Ok(named.clone());
    }
    let project = Project::find(Path::new(".")).map_err(|error| {
        wrong(format!("name a component with --component, or go to the folder of a connector: {}", error.message))
    })?;
    if !project.component.is_file() {
        let message = format!("{} was not built yet; run `sluice connector build`", project.package);
        return Err(wrong(message));
    }
    Ok(project.component)
}
