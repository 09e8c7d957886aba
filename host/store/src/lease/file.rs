//! A lock of the operating system on a file beside the state file, so a killed process leaves no stale lease. The file itself
//! stays: deleting it would let two processes hold locks on two files of the same name.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use sluice_core::RunError;

use super::held_by;
use crate::Scope;
use crate::error::from_io;

/// Locks the file of a pipeline, whose name is safe for a file's.
pub(super) fn lock(state: &Path, scope: Scope<'_>, pipeline: &str) -> Result<File, RunError> {
    let path = lock_path(state, scope, pipeline);
    let doing = format!("taking the lease of pipeline {pipeline}");
    let open = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = open.map_err(|e| from_io(&path, &doing, &e))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(held_by(pipeline, &holder(&mut file), "state file")),
        Err(TryLockError::Error(e)) => return Err(from_io(&path, &doing, &e)),
    }
    write_holder(&mut file).map_err(|e| from_io(&path, &doing, &e))?;
    Ok(file)
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    // Whatever is there, a process id is short.
    let read = file.take(20).read_to_string(&mut text);
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => format!("process {pid}"),
        _ => "another process".to_owned(),
    }
}

fn write_holder(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn lock_path(state: &Path, scope: Scope<'_>, pipeline: &str) -> PathBuf {
    let mut name = state.as_os_str().to_owned();
    if scope == Scope::LOCAL {
        name.push(format!(".{pipeline}.lock"));
    } else {
        // '@' is in no name, so tenant and pipeline cannot run into each other.
        name.push(format!(".{}@{pipeline}.lock", scope.tenant));
    }
    PathBuf::from(name)
}
