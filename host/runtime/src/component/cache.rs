//! Compiled components on disk. A file's name is the component's digest and the engine's configuration, its content begins
//! with a digest of the rest; a file that does not match is compiled anew, so a torn or altered one is never executed.

use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use sluice_core::error::{Actor, Kind};
use sluice_core::{RunError, hex};
use wasmtime::component::Component;

use super::limits;
use crate::engine::Sandbox;
use crate::settings::Settings;

/// Bytes of the digest at a file's beginning.
pub(super) const HEAD: usize = 32;

pub(super) fn compile(
    bytes: &[u8],
    digest: &str,
    sandbox: &Sandbox,
    settings: &Settings,
) -> Result<Component, RunError> {
    let Some(folder) = &settings.cache else {
        limits::instructions(bytes)?;
        return Component::new(&sandbox.engine, bytes).map_err(|e| not_compiled(&e));
    };
    let path = file(folder, digest, sandbox);
    if let Some(component) = take(&path, sandbox) {
        return Ok(component);
    }
    limits::instructions(bytes)?;
    let compiled = sandbox.engine.precompile_component(bytes).map_err(|e| not_compiled(&e))?;
    if let Err(error) = keep(folder, &path, &compiled) {
        // A cache that cannot be written costs time, nothing else.
        tracing::warn!(target: "runtime.cache", path = %path.display(), %error, "the compiled connector is not cached");
    }
    deserialize(&compiled, sandbox).map_err(|e| not_compiled(&e))
}

/// Only what this process has just compiled, or a file whose digest was written together with it, gets here.
fn deserialize(compiled: &[u8], sandbox: &Sandbox) -> wasmtime::Result<Component> {
    // SAFETY: the bytes come from `precompile_component`, either just now or through a file of the cache folder, which only
    // the operator can write and whose digest was verified; uploads never get here, they are always compiled.
    unsafe { Component::deserialize(&sandbox.engine, compiled) }
}

fn take(path: &Path, sandbox: &Sandbox) -> Option<Component> {
    let bytes = std::fs::read(path).ok()?;
    let (head, compiled) = bytes.split_at_checked(HEAD)?;
    if AsRef::<[u8]>::as_ref(&Sha256::digest(compiled)) != head {
        return None;
    }
    deserialize(compiled, sandbox).ok()
}

/// Written beside its place and renamed, so that two processes never see half a file.
fn keep(folder: &Path, path: &Path, compiled: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(name);
    let mut file = std::fs::File::create(&part)?;
    let written = file
        .write_all(&Sha256::digest(compiled))
        .and_then(|()| file.write_all(compiled))
        .and_then(|()| std::fs::rename(&part, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    written
}

fn file(folder: &Path, digest: &str, sandbox: &Sandbox) -> PathBuf {
    let mut hasher = Sha256Hasher(Sha256::new());
    sandbox.engine.precompile_compatibility_hash().hash(&mut hasher);
    let engine = hex(&hasher.0.finalize());
    folder.join(format!("{digest}-{}.cwasm", engine.get(..16).unwrap_or(&engine)))
}

/// `Hasher` over SHA-256: the standard hasher is seeded differently in every process.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

fn not_compiled(error: &wasmtime::Error) -> RunError {
    RunError::new(Kind::Protocol, Actor::Source, format!("the connector does not compile: {error:#}"))
}
