//! A project in Rust, which cargo builds.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use sluice_core::RunError;

use super::wrong;

/// The sandbox's target, and the profile that components are built with.
const TARGET: &str = "wasm32-wasip2";
const PROFILE: &str = "guest";

/// Flags of the target, where the author sets none: every engine that the contract names has vectors.
const FLAGS: (&str, &str) = ("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", "-C target-feature=+simd128");

/// A project.
pub(super) struct CargoProject {
    /// The package's name.
    pub(super) package: String,
    /// Its folder.
    folder: PathBuf,
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
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

impl CargoProject {
    /// The project in a folder.
    pub(super) fn find(folder: &Path) -> Result<Self, RunError> {
        let manifest = folder.join("Cargo.toml");
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
        Ok(Self { package: package.name, folder: folder.to_path_buf(), component })
    }

    /// Builds it, with the target and profile of components.
    pub(super) fn build(&self, offline: bool) -> Result<(), RunError> {
        let mut command = cargo();
        command.args(["build", "--target", TARGET, "--profile", PROFILE, "--lib", "--package", &self.package]);
        if offline {
            command.arg("--offline");
        }
        if std::env::var_os(FLAGS.0).is_none() {
            command.env(FLAGS.0, FLAGS.1);
        }
        // What cargo says is for people; standard output is for what this command says.
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null());
        let status =
            command.status().map_err(|e| wrong(format!("cargo cannot be started: {e}; install Rust with rustup")))?;
        if status.success() {
            return Ok(());
        }
        let hint = format!(
            "if the target is missing: rustup target add {TARGET}; if the profile is: see sdk/template/rust/Cargo.toml"
        );
        Err(wrong(format!("{} does not build; cargo says why above ({hint})", self.package)))
    }
}
