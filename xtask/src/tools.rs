//! Installing what is missing, always saying so: Debian packages, Python venvs, cargo tools.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::process::{output, run, succeeds, which};
use crate::workspace::{cache, cargo};

/// Installs those of the Debian packages that are missing.
pub(crate) fn debian(packages: &[&str]) -> Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !debian_has(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if which("apt-get").is_none() || !rustix::process::geteuid().is_root() {
        bail!(
            "these Debian packages are missing: {0}; install them with `sudo apt-get install {0}`",
            missing.join(" ")
        );
    }
    eprintln!("xtask: installing Debian packages: {}", missing.join(" "));
    let install = || {
        let mut command = Command::new("apt-get");
        command.args(["install", "--yes", "--quiet=2", "--no-install-recommends"]).args(&missing);
        command.env("DEBIAN_FRONTEND", "noninteractive").stdout(std::io::stderr());
        command
    };
    // A fresh machine has no package lists yet; an old one has stale ones.
    if !succeeds(&mut install()) {
        run(Command::new("apt-get").args(["update", "--quiet=2"]).stdout(std::io::stderr()))?;
        run(&mut install())?;
    }
    Ok(())
}

fn debian_has(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Status}", package]);
    output(&mut query).is_ok_and(|status| status == "installed")
}

/// The tool `cargo-NAME`: the one on the path, or else this version built into the cache.
pub(crate) fn cargo_tool(name: &str, version: &str, flags: &[&str]) -> Result<PathBuf> {
    let binary = format!("cargo-{name}");
    if let Some(found) = which(&binary) {
        return Ok(found);
    }
    let root = cache()?.join("tools").join(format!("{binary}-{version}"));
    let built = root.join("bin").join(&binary);
    if built.is_file() {
        return Ok(built);
    }
    let mut command = cargo_install(&root, &binary, version, flags)?;
    // Without optimisation: that takes a third of the time, and it only starts other processes or reads a lock file.
    command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    build(&mut command, &binary, version, &root)?;
    Ok(built)
}

/// A program of this version, built into the cache with optimisation, because it serves tests and benchmarks.
pub(crate) fn cargo_program(name: &str, version: &str, flags: &[&str]) -> Result<PathBuf> {
    let root = cache()?.join("tools").join(format!("{name}-{version}"));
    let built = root.join("bin").join(name);
    if !built.is_file() {
        build(&mut cargo_install(&root, name, version, flags)?, name, version, &root)?;
    }
    Ok(built)
}

/// Built in a target folder of its own, whatever the caller chose for the project.
fn cargo_install(root: &Path, package: &str, version: &str, flags: &[&str]) -> Result<Command> {
    let mut command = cargo();
    command.args(["install", "--locked", "--quiet", "--root"]).arg(root);
    command.args([package, "--version", version]).args(flags);
    command.env_remove("CARGO_TARGET_DIR").env("CARGO_PROFILE_RELEASE_STRIP", "debuginfo").current_dir(cache()?);
    Ok(command)
}

fn build(command: &mut Command, what: &str, version: &str, root: &Path) -> Result<()> {
    eprintln!("xtask: building {what} {version} into {} (once; takes minutes)", root.display());
    let started = Instant::now();
    run(command)?;
    eprintln!("xtask: built {what} in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Adds the wasm32-wasip2 target to the pinned toolchain when it is missing.
pub(crate) fn wasm_target(root: &Path) -> Result<()> {
    let mut command = Command::new("rustc");
    command.args(["--print", "target-libdir", "--target", "wasm32-wasip2"]).current_dir(root);
    let libraries = output(&mut command)?;
    if Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    eprintln!("xtask: adding the Rust target wasm32-wasip2");
    run(Command::new("rustup").args(["target", "add", "wasm32-wasip2"]).current_dir(root))
        .context("the guests need the Rust target wasm32-wasip2")
}

/// Deletes a folder that may be gone already.
pub(crate) fn remove_folder(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("deleting {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// A short name for a file in messages.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
