//! `sluice connector`: what the author of a connector does with it, one file a command.

mod build;
mod connection;
mod discover;
mod inspect;
mod keygen;
mod languages;
mod new;
mod oci;
mod project;
mod publish;
mod read;
mod record;
mod recording;
mod replay;
mod rust;
mod served;
mod service;
mod sign;
mod test;
mod upload;
mod verify;

use std::path::{Path, PathBuf};

use serde_json::Value;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};

use super::failed;
use crate::cli::{ConnectorCommand, Options};

pub(crate) async fn run(options: &Options, command: &ConnectorCommand) -> u8 {
    use ConnectorCommand as C;
    let done = match command {
        C::Check(args) => return super::check::shown(options, connection::check(options, args).await),
        C::New(args) => new::run(options, args).map(|()| 0),
        C::Build(args) => build::run(options, args).map(|()| 0),
        C::Discover(args) => discover::run(options, args).await.map(|()| 0),
        C::Read(args) => read::run(options, args).await.map(|()| 0),
        C::Test(args) => test::run(options, args).await,
        C::Record(args) => record::run(options, args).await,
        C::Recording { command } => recording::run(options, command).await.map(|()| 0),
        C::Replay(args) => replay::run(options, args).await,
        C::Inspect(args) => inspect::run(options, args).map(|()| 0),
        C::Keygen(args) => keygen::run(options, args).map(|()| 0),
        C::Sign(args) => sign::run(options, args).map(|()| 0),
        C::Verify(args) => verify::run(options, args).map(|()| 0),
        C::Publish(args) => publish::run(options, args).await.map(|()| 0),
    };
    done.unwrap_or_else(|error| failed(options, &error))
}

/// Something that a person has to mend.
pub(in crate::commands) fn wrong(message: impl Into<String>) -> RunError {
    RunError::new(Kind::Config, Actor::User, message)
}

/// Reads a file of at most so many bytes.
pub(in crate::commands) fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, RunError> {
    let shown = path.display();
    let size = std::fs::metadata(path).map_err(|e| wrong(format!("{shown} cannot be read: {e}")))?.len();
    if size > most {
        return Err(wrong(format!("{shown} has {size} bytes; at most {most} are read")));
    }
    std::fs::read(path).map_err(|e| wrong(format!("{shown} cannot be read: {e}")))
}

/// A component's bytes, and what can be known of it without running it.
fn component(path: &Path) -> Result<(Vec<u8>, sluice_runtime::Inspected), RunError> {
    let most = sluice_runtime::Settings::default().component_bytes;
    let bytes = bytes(path, most)?;
    let inspected = sluice_runtime::inspect(&bytes)?;
    Ok((bytes, inspected))
}

/// Writes a file whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    let failed = |e: std::io::Error| wrong(format!("{} cannot be written: {e}", path.display()));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let beside = with_end(path, ".new");
    std::fs::write(&beside, bytes).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(failed)
}

/// A path with something at its end.
fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Says what was done: a sentence for people, a line of JSON for programs.
pub(in crate::commands) fn say(options: &Options, sentence: &str, event: &Value) {
    if options.json() {
        println!("{event}");
    } else {
        println!("{sentence}");
    }
}
