//! What a failure of the database means, and who can do something about it.

mod postgres;
mod sqlite;

use std::fmt;
use std::path::{Path, PathBuf};

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind, Retry};
use sqlx::migrate::MigrateError;

/// Which database, in words for errors. Never with a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// SQLite.
    File(PathBuf),
    /// PostgreSQL.
    Server {
        /// Name or address, or the folder of its socket.
        host: String,
        port: u16,
        database: String,
        user: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the state file {}", path.display()),
            Self::Server { host, port, database, .. } => write!(f, "the database {database} on {host}:{port}"),
        }
    }
}

/// What a person can do about a failure.
type Advice = (Kind, String);

/// Says what went wrong while `doing`, in words that a person can act on.
pub(crate) fn explain(place: &Place, doing: &str, error: &sqlx::Error) -> RunError {
    let advice = match place {
        Place::File(_) => sqlite::advice(error),
        Place::Server { .. } => postgres::advice(place, error),
    };
    if let Some((kind, advice)) = advice {
        return RunError::new(kind, Actor::Host, format!("{doing}: {place}: {advice} ({error})"));
    }
    match (place, error) {
        (Place::File(path), sqlx::Error::Io(io)) => from_io(path, doing, io),
        (_, sqlx::Error::PoolTimedOut) => {
            let message = match place {
                Place::File(_) => format!("{doing}: {place} was busy for too long; try again"),
                Place::Server { .. } => format!(
                    "{doing}: {place} gave no connection in time: it does not answer, or all connections are in use; try again, \
                     and allow more connections if it happens often"
                ),
            };
            RunError::new(Kind::Transient, Actor::Host, message)
        }
        (_, other) => RunError::internal(format!("{doing} in {place}: {other}")),
    }
}

/// What a failed migration means.
pub(crate) fn explain_migration(place: &Place, error: &MigrateError) -> RunError {
    let message = match error {
        MigrateError::VersionMissing(version) => format!(
            "{place} was written by a newer Sluice (its schema has step {version}, which this one does not \
             know); use that version or a newer one, nothing was changed"
        ),
        MigrateError::VersionMismatch(version) => format!(
            "{place} was written by a build of Sluice whose schema differs in step {version}; \
             use a released version, nothing was changed"
        ),
        MigrateError::Execute(inner) | MigrateError::ExecuteMigration(inner, _) => {
            return explain(place, "bringing the schema up to date", inner);
        }
        other => return RunError::internal(format!("bringing {place} up to date: {other}")),
    };
    RunError::new(Kind::Unsupported, Actor::Host, message)
}

/// What an operating system's error on the state file, or a file beside it, means.
pub(crate) fn from_io(path: &Path, doing: &str, error: &std::io::Error) -> RunError {
    use std::io::ErrorKind;
    let kind = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Kind::Permission,
        ErrorKind::NotFound | ErrorKind::NotADirectory => Kind::NotFound,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Kind::Resources,
        _ => Kind::Internal,
    };
    RunError::new(kind, Actor::Host, format!("{doing}: {}: {error}", path.display()))
}

/// A row that the schema does not allow, or JSON that does not parse: somebody else wrote it.
pub(crate) fn unreadable(place: &Place, what: &str, detail: &dyn fmt::Display) -> RunError {
    let message = format!(
        "{place} holds {what} that cannot be read ({detail}); it was changed by hand or by a newer Sluice: \
         restore it from a backup or use that version"
    );
    RunError::new(Kind::Protocol, Actor::Host, message).with_retry(Retry::Never)
}
