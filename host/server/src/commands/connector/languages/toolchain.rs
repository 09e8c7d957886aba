//! Toolchains of other languages, each of one version, in the user's cache: installed once for all projects, saying so.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sluice_core::RunError;

use super::super::wrong;
use crate::wire;

/// The folder that toolchains are installed into.
const VARIABLE: &str = "SLUICE_TOOLCHAINS";

/// A toolchain.
pub(super) struct Toolchain {
    /// Its name and version.
    pub(super) name: &'static str,
    /// What the author would type to install it.
    pub(super) by_hand: &'static str,
}

impl Toolchain {
    /// Its folder. It is installed first where it is not there yet.
    pub(super) fn folder(
        &self,
        offline: bool,
        install: impl FnOnce(&Path) -> Result<(), RunError>,
    ) -> Result<PathBuf, RunError> {
        let home = std::env::var_os(VARIABLE).map_or_else(|| wire::user_cache().join("toolchains"), PathBuf::from);
        let failed = |e: std::io::Error| wrong(format!("{} cannot be used: {e}", home.display()));
        std::fs::create_dir_all(&home).map_err(failed)?;
        // Two builds at once must not install into each other's folder.
        let turn = File::create(home.join(format!("{}.lock", self.name))).map_err(failed)?;
        turn.lock().map_err(failed)?;
        let folder = home.join(self.name);
        let complete = folder.join("complete");
        if complete.is_file() {
            return Ok(folder);
        }
        if offline {
            let Self { name, by_hand } = self;
            let message = format!(
                "{name} is not installed in {}; leave --offline out once, which does what `{by_hand}` does",
                home.display()
            );
            return Err(wrong(message));
        }
        eprintln!("sluice: installing {} into {} (once)", self.name, folder.display());
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => std::fs::create_dir_all(&folder).map_err(failed)?,
        }
        install(&folder)?;
        std::fs::write(&complete, "").map_err(failed)?;
        Ok(folder)
    }
}

/// Runs a program whose words are for people; an error says what it was for and what to do.
pub(super) fn run(command: &mut Command, what: &str, hint: &str) -> Result<(), RunError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .map_err(|e| wrong(format!("{what}: {program} cannot be started: {e}; {hint}")))?;
    if status.success() { Ok(()) } else { Err(wrong(format!("{what} failed; {program} says why above ({hint})"))) }
}

/// Runs a program and returns what it printed.
pub(super) fn output(command: &mut Command, what: &str, hint: &str) -> Result<String, RunError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .stderr(std::io::stderr())
        .output()
        .map_err(|e| wrong(format!("{what}: {program} cannot be started: {e}; {hint}")))?;
    if !output.status.success() {
        return Err(wrong(format!("{what} failed; {program} says why above ({hint})")));
    }
    String::from_utf8(output.stdout).map_err(|_| wrong(format!("{what}: what {program} printed is no text")))
}
