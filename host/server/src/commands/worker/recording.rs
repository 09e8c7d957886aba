//! Recordings that tenants have uploaded: read, and replayed. They may be anybody's, and so may the component.

use std::path::Path;

use sluice_conformance::recording::replay;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::limits::InstanceLimits;
use sluice_core::plain::is_unseen;
use sluice_core::plan::{CheckStep, Outcome};
use sluice_core::recording::{Instance, MAX_BYTES, Recording};
use sluice_core::worker::{Event, Recorded};

use super::confine::confine;
use crate::cli::Options;
use crate::commands::connector::bytes;
use crate::events::tell;
use crate::wire;

/// Most differences that are told, and most characters of them all.
const DIFFERENCES: usize = 5;
const CHARACTERS: usize = 2_000;

/// Longest version that a recording may name, bytes.
const LONGEST_VERSION: usize = 100;

/// Reads a recording, and tells what it says of itself.
pub(super) fn read(path: &Path) -> Result<(), RunError> {
    confine()?;
    let Recording { header, instances, .. } = open(path)?;
    let is_digest = header.digest.len() == 64 && header.digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_digest || header.version.len() > LONGEST_VERSION {
        let message = "the recording, line 1: it does not say of which version it is, and of which component";
        return Err(RunError::new(Kind::Config, Actor::User, message));
    }
    tell(&Event::Recorded(Recorded {
        connector: header.connector,
        version: header.version,
        digest: header.digest.to_ascii_lowercase(),
        calls: instances.iter().map(|instance| instance.calls().count() as u64).sum(),
        rows: instances.iter().map(Instance::rows).fold(0, u64::saturating_add),
    }));
    Ok(())
}

/// Replays a recording against a component, and tells whether that does what was recorded.
pub(super) async fn replayed(
    options: &Options,
    connector: &str,
    digest: Option<&str>,
    path: &Path,
) -> Result<(), RunError> {
    confine()?;
    let recording = open(path)?;
    let runtime = wire::runtime(options)?;
    let (connector, _) = wire::connector(options, &runtime, connector, digest).await?;
    let done = replay(&connector, &recording, &InstanceLimits::default()).await?;
    let (outcome, detail) = if done.same {
        (Outcome::Passed, done.summary())
    } else {
        let told = done.differences.iter().take(DIFFERENCES).map(|one| format!("{}: {}", one.call, one.message));
        let mut detail = told.collect::<Vec<_>>().join("; ");
        let more = done.differences.len().saturating_sub(DIFFERENCES);
        if more > 0 {
            detail.push_str(&format!("; and {more} more"));
        }
        // It has words of the guest's.
        let shown =
            detail.chars().map(|c| if c.is_control() || is_unseen(c) { char::REPLACEMENT_CHARACTER } else { c });
        (Outcome::Failed, shown.take(CHARACTERS).collect())
    };
    tell(&Event::Step(CheckStep { name: "replay".to_owned(), outcome, detail, remedy: String::new() }));
    Ok(())
}

fn open(path: &Path) -> Result<Recording, RunError> {
    Recording::parse("the recording", &bytes(path, MAX_BYTES as u64)?)
}
