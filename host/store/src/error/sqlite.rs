//! SQLite's result codes that a person can act on (<https://sqlite.org/rescode.html>).

use sluice_core::error::Kind;

use super::Advice;

/// Primary codes.
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

/// What to do about an error; none for one that is nobody's fault but ours.
pub(super) fn advice(error: &sqlx::Error) -> Option<Advice> {
    let (kind, advice) = match primary_code(error)? {
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
        _ => return None,
    };
    Some((kind, advice.to_owned()))
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code = error.as_database_error()?.code()?;
    // Extended codes keep the primary one in their low byte.
    code.parse::<i32>().ok().map(|code| code & 0xff)
}
