//! Why a change that a person asked for was not made.

use sluice_core::RunError;

use crate::Scope;
use crate::db::{Tx, built};

/// Why a change was not made. Nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// What was to be changed does not exist, or not in this tenant.
    #[error("there is no such {what}")]
    Missing {
        /// What it is, in a word.
        what: &'static str,
    },
    /// Somebody else has changed it since it was read.
    #[error(
        "the {what} was changed by somebody else: it is at revision {now}, this change was made to revision {seen}; read it again"
    )]
    Stale {
        /// What it is, in a word.
        what: &'static str,
        /// The revision that the change was made to.
        seen: u64,
        /// The revision that it has.
        now: u64,
    },
    /// Something that must be unique is used already.
    #[error("there is a {what} with this {field} already")]
    Taken {
        /// What it is, in a word.
        what: &'static str,
        /// What must be unique.
        field: &'static str,
    },
    /// A rule forbids it; the text says which, and what to do.
    #[error("{0}")]
    Refused(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] RunError),
}

/// `Ok` if one row was inserted, otherwise the error that something unique is used already.
pub(crate) fn inserted(rows: u64, what: &'static str, field: &'static str) -> Result<(), ChangeError> {
    if rows == 0 { Err(ChangeError::Taken { what, field }) } else { Ok(()) }
}

/// `Ok` if a row was changed, otherwise the error that there is none.
pub(crate) fn found(rows: u64, what: &'static str) -> Result<(), ChangeError> {
    if rows == 0 { Err(ChangeError::Missing { what }) } else { Ok(()) }
}

/// `Ok` if what is there has the revision that the change was made to.
pub(crate) fn unchanged(what: &'static str, now: Option<u64>, seen: u64) -> Result<(), ChangeError> {
    match now {
        None => Err(ChangeError::Missing { what }),
        Some(now) if now != seen => Err(ChangeError::Stale { what, seen, now }),
        Some(_) => Ok(()),
    }
}

/// Keeps names in the tenant from being given by others until the transaction ends, so that a name that was free when it was looked for
/// still is when it is given. Whoever inserts a row waits too, through its reference to the tenant.
pub(crate) async fn lock_names(tx: &mut Tx, scope: Scope<'_>) -> Result<(), RunError> {
    let lock = tx.dialect().for_update();
    built(format!("SELECT id FROM tenants WHERE id = $1{lock}")).bind(scope.tenant).one_in(tx).await.map(drop)
}
