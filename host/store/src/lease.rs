//! The right to run a pipeline: one process at a time.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};

use crate::error::from_io;
use crate::{Scope, Store};

/// The right to run one pipeline on one state file. Held until it is dropped, or until its process ends in any way.
///
/// It is a lock of the operating system on a file beside the state file, so a killed process leaves no stale lease. The
/// file itself stays: deleting it would let two processes hold locks on two files of the same name.
#[derive(Debug)]
pub struct Lease {
    pipeline: String,
    _locked: File,
}

impl Lease {
    /// The pipeline that may be run.
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }
}

impl Store {
    /// Takes the right to run `pipeline`. Does not wait.
    ///
    /// # Errors
    /// If another process has it (its id is named), or the lock file cannot be written.
    pub fn lease(&self, scope: Scope<'_>, pipeline: &str) -> Result<Lease, RunError> {
        let path = lock_path(&self.path, scope, pipeline)?;
        let doing = format!("taking the lease of pipeline {pipeline}");
        let open = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(|e| from_io(&path, &doing, &e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(pipeline, &mut file)),
            Err(TryLockError::Error(e)) => return Err(from_io(&path, &doing, &e)),
        }
        write_holder(&mut file).map_err(|e| from_io(&path, &doing, &e))?;
        Ok(Lease { pipeline: pipeline.into(), _locked: file })
    }
}

fn held(pipeline: &str, file: &mut File) -> RunError {
    let mut text = String::new();
    // Whatever is there, a process id is short.
    let read = file.take(20).read_to_string(&mut text);
    let holder = match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => format!("process {pid}"),
        _ => "another process".to_owned(),
    };
    let message = format!(
        "pipeline {pipeline} is being run by {holder} on the same state file; wait until it ends, or stop it and run again"
    );
    RunError::new(Kind::Transient, Actor::User, message)
}

fn write_holder(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn lock_path(state: &Path, scope: Scope<'_>, pipeline: &str) -> Result<PathBuf, RunError> {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if pipeline.is_empty() || pipeline.len() > 100 || !pipeline.chars().all(safe) || !scope.tenant.chars().all(safe) {
        let message = "a pipeline's name has 1 to 100 letters, digits, '-', '_' or '.'";
        return Err(RunError::config("name", message));
    }
    let mut name = state.as_os_str().to_owned();
    if scope == Scope::LOCAL {
        name.push(format!(".{pipeline}.lock"));
    } else {
        // '@' is in no name, so tenant and pipeline cannot run into each other.
        name.push(format!(".{}@{pipeline}.lock", scope.tenant));
    }
    Ok(PathBuf::from(name))
}
