//! What a failure of the state file means, and who can do something about it.

use std::path::Path;

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind, Retry};
use sqlx::migrate::MigrateError;

/// SQLite's primary result codes that a person can act on (<https://sqlite.org/rescode.html>).
mod code {
    pub(super) const PERM: i32 = 3;
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const IOERR: i32 = 10;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const NOTADB: i32 = 26;
}

/// Says what went wrong while `doing`, in words that a person can act on.
pub(crate) fn explain(path: &Path, doing: &str, error: &sqlx::Error) -> RunError {
    let file = path.display();
    let Some(primary) = primary_code(error) else {
        return match error {
            sqlx::Error::Io(io) => from_io(path, doing, io),
            sqlx::Error::PoolTimedOut => {
                let message = format!("{doing}: the state file {file} was busy for too long; try again");
                RunError::new(Kind::Transient, Actor::Host, message)
            }
            other => RunError::internal(format!("{doing} in the state file {file}: {other}")),
        };
    };
    let (kind, advice) = match primary {
        code::FULL => (Kind::Resources, "the disk is full; free some space and run again, nothing is lost"),
        code::READONLY | code::PERM => {
            (Kind::Permission, "it cannot be written; make the file and its folder writable for this user")
        }
        code::CANTOPEN => {
            (Kind::Permission, "it cannot be opened or created; check that its folder exists and is writable")
        }
        code::CORRUPT | code::NOTADB => {
            let advice = "it is damaged or no state file of Sluice; restore it from a backup, or move it away to start anew \
                          (incremental streams are then read from the beginning)";
            (Kind::Protocol, advice)
        }
        code::BUSY | code::LOCKED => (Kind::Transient, "another process is writing to it; try again"),
        code::IOERR => (Kind::Resources, "the disk failed to read or write it; check the disk and its free space"),
        _ => return RunError::internal(format!("{doing} in the state file {file}: {error}")),
    };
    RunError::new(kind, Actor::Host, format!("{doing}: state file {file}: {advice} ({error})"))
}

/// What a failed migration means.
pub(crate) fn explain_migration(path: &Path, error: &MigrateError) -> RunError {
    let file = path.display();
    let message = match error {
        MigrateError::VersionMissing(version) => format!(
            "the state file {file} was written by a newer Sluice (its schema has step {version}, which this one does not \
             know); use that version or a newer one, the file was not changed"
        ),
        MigrateError::VersionMismatch(version) => format!(
            "the state file {file} was written by a build of Sluice whose schema differs in step {version}; \
             use a released version, the file was not changed"
        ),
        MigrateError::Execute(inner) | MigrateError::ExecuteMigration(inner, _) => {
            return explain(path, "bringing the schema up to date", inner);
        }
        other => return RunError::internal(format!("bringing the state file {file} up to date: {other}")),
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
pub(crate) fn unreadable(path: &Path, what: &str, detail: &dyn std::fmt::Display) -> RunError {
    let message = format!(
        "the state file {} holds {what} that cannot be read ({detail}); it was changed by hand or by a newer Sluice: \
         restore it from a backup or use that version",
        path.display()
    );
    RunError::new(Kind::Protocol, Actor::Host, message).with_retry(Retry::Never)
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code = error.as_database_error()?.code()?;
    // Extended codes keep the primary one in their low byte.
    code.parse::<i32>().ok().map(|code| code & 0xff)
}
