//! `cargo xtask guests`: build every guest for the sandbox and put the components where host and tests look for them.
//!
//! Connectors are the packages named `connector-*`; they land in `target/connectors/<name>.wasm`. The guests that
//! misbehave are the examples of packages under `tests/guests`; they land in `target/guests`. Tests never build guests by
//! themselves, and no build script does: this command runs before them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{self, which};
use crate::tools;
use crate::workspace::{Package, Workspace, cargo};

const TARGET: &str = "wasm32-wasip2";

/// Builds all guests and returns the components.
pub(crate) fn run(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    tools::wasm_target(&workspace.root)?;
    tools::debian(&["clang-19", "wasi-libc", "libclang-rt-19-dev-wasm32"])?;

    let connectors: Vec<&Package> = workspace.packages.iter().filter(|p| is_connector(p)).collect();
    let hostile: Vec<&Package> = workspace.packages.iter().filter(|p| is_hostile(workspace, p)).collect();
    build(workspace, &connectors, "--lib")?;
    build(workspace, &hostile, "--examples")?;

    let built = workspace.target.join(TARGET).join("guest");
    let mut components = Vec::new();
    for package in connectors {
        let name = package.name.trim_start_matches("connector-");
        for target in package.guests("lib") {
            let file = built.join(format!("{}.wasm", target.name.replace('-', "_")));
            components.push(copy(&file, &workspace.connectors().join(format!("{name}.wasm")))?);
        }
    }
    for package in hostile {
        for target in package.guests("example") {
            let file = built.join("examples").join(format!("{}.wasm", target.name.replace('-', "_")));
            components.push(copy(&file, &workspace.guests().join(format!("{}.wasm", target.name)))?);
        }
    }
    for component in &components {
        let size = std::fs::metadata(component)?.len();
        println!("{:>9.1} KB  {}", size as f64 / 1024.0, component.display());
    }
    Ok(components)
}

fn is_connector(package: &Package) -> bool {
    package.name.starts_with("connector-") && package.guests("lib").next().is_some()
}

fn is_hostile(workspace: &Workspace, package: &Package) -> bool {
    package.manifest_path.starts_with(workspace.root.join("tests/guests")) && package.guests("example").next().is_some()
}

fn build(workspace: &Workspace, packages: &[&Package], what: &str) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let mut command = cargo();
    command.current_dir(&workspace.root);
    command.args(["build", "--locked", "--quiet", "--target", TARGET, "--profile", "guest", what]);
    for package in packages {
        command.args(["--package", &package.name]);
    }
    // Every engine that the contract names has the 128-bit vectors of WebAssembly 2.0; text and pages are decoded with them.
    command.env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", "-C target-feature=+simd128");
    for_c_code(&mut command);
    process::run(&mut command)
}

/// zstd is C: a compiler and a C library for the sandbox, named for this target only so that nothing else sees them.
fn for_c_code(command: &mut Command) {
    command.env("CC_wasm32_wasip2", "clang-19");
    command.env("CFLAGS_wasm32_wasip2", "--sysroot=/usr -isystem /usr/include/wasm32-wasi -msimd128");
    if which("llvm-ar-19").is_some() {
        command.env("AR_wasm32_wasip2", "llvm-ar-19");
    }
}

/// Copies only what changed, so that compiled-component caches and file watchers are not disturbed.
fn copy(from: &Path, to: &Path) -> Result<PathBuf> {
    let new = std::fs::read(from).with_context(|| format!("reading the component {}", from.display()))?;
    if std::fs::read(to).ok().as_ref() != Some(&new) {
        let folder = to.parent().context("a component lies in a folder")?;
        std::fs::create_dir_all(folder)?;
        // Written beside and renamed, so that nobody loads half a component.
        let beside = to.with_extension("wasm.new");
        std::fs::write(&beside, &new).with_context(|| format!("writing {}", beside.display()))?;
        std::fs::rename(&beside, to)?;
    }
    Ok(to.to_owned())
}
