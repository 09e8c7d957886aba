//! Recordings of connectors: making them against a source, and replaying them without one.
//!
//! [`record`] goes a connector's whole way (check, discover, plan, read) and takes down what passes. Then it goes it again, offline, with
//! stand-ins for all secrets, and what the connector asks *then* is what is kept: neither a secret nor anything made of one is in it. A
//! third time shows that what was kept replays as it is, so that a recording that cannot be replayed is never written.
//!
//! [`replay`] makes the calls of a recording once more, of the same component or of another version, and says what is different.

mod folders;
mod live;
mod play;

use std::sync::Arc;

use serde::Serialize;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::limits::InstanceLimits;
use sluice_core::recording::{Aspect, Call, Difference, FORMAT, Header, Hidden, Instance, Recording, compare};
use sluice_runtime::{Connector, Environment};

pub use live::Wanted;
pub(crate) use live::{Lived, live};
pub(crate) use play::{Place, play};

use crate::spec::Connected;

/// A recording that was made.
pub struct Recorded {
    /// It.
    pub recording: Recording,
    /// How the connector's way ended, if it ended early.
    pub ended: Option<RunError>,
}

/// Goes a connector's way against its source, and takes down what passes.
///
/// # Errors
/// If the connection cannot be configured, more passes than a recording may have, or what was taken down does not replay: then it
/// says where.
pub async fn record(
    connector: &Connector,
    connected: &Connected,
    environment: &Environment,
    wanted: &Wanted,
) -> Result<Recorded, RunError> {
    let granted = connected.grants.folders.clone();
    let folders: Vec<String> = granted.keys().cloned().collect();
    let mut files = folders::taken(granted).await?;
    let Lived { mut instances, ended } = live(connector, connected, environment, wanted).await?;
    let hidden = Hidden::new(&connector.manifest().config, &connected.config);
    instances.iter_mut().for_each(|instance| hidden.hide(instance));
    files.iter_mut().for_each(|file| hidden.hide_in_file(file));
    let lived: Vec<Arc<Instance>> = instances.into_iter().map(Arc::new).collect();

    let place = folders::laid_out(&folders, &files).await?;
    let limits = &connected.limits;
    let first = Place { config: hidden.config(), folders: place.folders(), limits };
    let kept = play(connector, &first, &lived, Some(hidden.stand_ins().to_vec())).await?;
    let kept: Vec<Arc<Instance>> = kept.into_iter().map(Arc::new).collect();
    // Rows may have lost a secret that the source told; that there are as many is what can be asked here.
    let other = lived.iter().zip(&kept).find_map(|(before, now)| {
        let returns = compare(before, now).into_iter().find(|one| one.aspect == Aspect::Returns);
        let rows = || Difference {
            call: named(before),
            aspect: Aspect::Delivers,
            message: format!("it pushes {} rows instead of {}", now.rows(), before.rows()),
        };
        returns.or_else(|| (before.rows() != now.rows()).then(rows))
    });
    if let Some(Difference { call, message, .. }) = other {
        let reason = "its secrets have stand-ins in a recording, and what the source answers must be possible with those; or it does \
                      not do the same twice (`sluice connector test --only deterministic` tells)";
        return Err(unplayable(&call, &message, reason));
    }
    let again = play(connector, &first, &kept, None).await?;
    if let Some((call, message)) = kept.iter().zip(&again).find_map(|(before, now)| first_of(before, now)) {
        return Err(unplayable(&call, &message, "it does not do the same twice"));
    }
    let manifest = connector.manifest();
    let header = Header {
        format: FORMAT,
        connector: manifest.name.clone(),
        version: manifest.version.clone(),
        digest: connector.digest().to_owned(),
        config: hidden.config().clone(),
        folders,
    };
    let instances = kept.into_iter().map(|instance| Arc::try_unwrap(instance).unwrap_or_else(|one| (*one).clone()));
    Ok(Recorded { recording: Recording { header, files, instances: instances.collect() }, ended })
}

fn first_of(before: &Instance, now: &Instance) -> Option<(String, String)> {
    compare(before, now).into_iter().next().map(|one| (one.call, one.message))
}

fn unplayable(call: &str, message: &str, reason: &str) -> RunError {
    let message = format!("what was recorded does not replay: {call}: {message}; {reason}");
    RunError::new(Kind::Unsupported, Actor::Source, message)
}

fn named(instance: &Instance) -> String {
    instance.calls().next().map(Call::to_string).unwrap_or_default()
}

/// What a replay came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// The connector's name.
    pub connector: String,
    /// The version that was replayed.
    pub version: String,
    /// SHA-256 of its component.
    pub digest: String,
    /// The version that was recorded.
    pub recorded_version: String,
    /// SHA-256 of its component.
    pub recorded_digest: String,
    /// True if it asks, delivers and returns what was recorded.
    pub same: bool,
    /// Calls that were made.
    pub calls: usize,
    /// Rows that were delivered.
    pub rows: u64,
    /// What is different: of each call the first thing of its kind.
    pub differences: Vec<Difference>,
}

impl Replayed {
    /// In a line, for people.
    pub fn summary(&self) -> String {
        let Self { connector, version, calls, rows, differences, .. } = self;
        if self.same {
            return format!(
                "{connector} {version} does what was recorded of {}: {calls} calls, {rows} rows",
                self.recorded_version
            );
        }
        let count = differences.len();
        format!(
            "{connector} {version} differs from what was recorded of {} in {count} of its answers and questions",
            self.recorded_version
        )
    }
}

/// Makes the calls of a recording of a component, offline: no name is resolved and nothing is sent. The recording may be anybody's;
/// `limits` bound each call, and nothing that the recording says changes them; how many calls there are, it says. Dropped before its end, a
/// replay stops at once and leaves nothing behind.
///
/// # Errors
/// If the recording is of another connector, or its configuration is not one of this version's.
pub async fn replay(
    connector: &Connector,
    recording: &Recording,
    limits: &InstanceLimits,
) -> Result<Replayed, RunError> {
    let manifest = connector.manifest();
    let header = &recording.header;
    if header.connector != manifest.name {
        let message = format!("the recording is of connector {}, and this is {}", header.connector, manifest.name);
        return Err(RunError::new(Kind::Config, Actor::User, message));
    }
    let place = folders::laid_out(&header.folders, &recording.files).await?;
    let recorded: Vec<Arc<Instance>> = recording.instances.iter().cloned().map(Arc::new).collect();
    let at = Place { config: &header.config, folders: place.folders(), limits };
    let played = play(connector, &at, &recorded, None).await?;
    let differences: Vec<Difference> =
        recorded.iter().zip(&played).flat_map(|(before, now)| compare(before, now)).collect();
    Ok(Replayed {
        connector: manifest.name.clone(),
        version: manifest.version.clone(),
        digest: connector.digest().to_owned(),
        recorded_version: header.version.clone(),
        recorded_digest: header.digest.clone(),
        same: differences.is_empty(),
        calls: played.iter().map(|instance| instance.calls().count()).sum(),
        rows: played.iter().map(Instance::rows).fold(0, u64::saturating_add),
        differences,
    })
}
