//! The right to run a pipeline: one process at a time.
//!
//! On a state file it is a lock of the operating system on a file beside it, which ends with its process. On PostgreSQL it is a
//! row with a number that grows each time another process takes it; every write of a run names the number it was given, in its
//! own transaction, so a process that was thought dead cannot write any more once another has gone on in its place.

mod file;
mod row;

use std::fs::File;

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};

use crate::db::Tx;
use crate::error::Place;
use crate::{Scope, Store};

/// The right to run one pipeline.
///
/// On a state file it is held until it is dropped, or until its process ends in any way. On PostgreSQL it is held while it is
/// renewed ([`Store::renew`]); hand it back with [`Store::release`], or the next process waits until it expires.
#[derive(Debug)]
pub struct Lease {
    tenant: String,
    pipeline: String,
    held: Held,
}

#[derive(Debug)]
enum Held {
    File { _locked: File },
    Row { fence: i64 },
}

impl Lease {
    /// The pipeline that may be run.
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// Whether it has to be renewed to be kept.
    pub fn expires(&self) -> bool {
        matches!(self.held, Held::Row { .. })
    }
}

impl Store {
    /// Takes the right to run `pipeline`. Does not wait.
    ///
    /// # Errors
    /// If another process has it (it is named), or it cannot be recorded.
    pub async fn lease(&self, scope: Scope<'_>, pipeline: &str, now_us: i64) -> Result<Lease, RunError> {
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if pipeline.is_empty() || pipeline.len() > 100 || !pipeline.chars().all(safe) || !scope.tenant.chars().all(safe)
        {
            let message = "a pipeline's name has 1 to 100 letters, digits, '-', '_' or '.'";
            return Err(RunError::config("name", message));
        }
        let held = match self.db.place() {
            Place::File(state) => Held::File { _locked: file::lock(state, scope, pipeline)? },
            Place::Server { .. } => Held::Row { fence: self.take_row(scope, pipeline, now_us).await? },
        };
        Ok(Lease { tenant: scope.tenant.into(), pipeline: pipeline.into(), held })
    }

    /// How often a lease should be renewed: several times before it expires.
    pub fn renew_every(&self) -> std::time::Duration {
        std::time::Duration::from_micros((self.lease_us / 4).max(1).unsigned_abs())
    }

    /// How long the lease of a process that died keeps others waiting. A lock on a file goes with its process.
    pub fn lease_outlives(&self) -> std::time::Duration {
        match self.db.place() {
            Place::File(_) => std::time::Duration::ZERO,
            Place::Server { .. } => std::time::Duration::from_micros(self.lease_us.max(0).unsigned_abs()),
        }
    }

    /// Keeps a lease for as long again, counted from now. False if another process has taken it: whoever held it must stop, and
    /// can record nothing any more. Does nothing for a lease that does not expire.
    ///
    /// # Errors
    /// If the database does not answer; the lease holds until it expires.
    pub async fn renew(&self, lease: &Lease, now_us: i64) -> Result<bool, RunError> {
        match lease.held {
            Held::File { .. } => Ok(true),
            Held::Row { fence } => self.renew_row(lease, fence, now_us).await,
        }
    }

    /// Hands a lease back, so that the next process need not wait until it expires.
    ///
    /// # Errors
    /// If the database does not answer; the lease expires by itself then.
    pub async fn release(&self, lease: Lease) -> Result<(), RunError> {
        match lease.held {
            Held::File { .. } => Ok(()),
            Held::Row { fence } => self.release_row(&lease, fence).await,
        }
    }

    /// Begins a transaction that only the holder of the lease may commit.
    pub(crate) async fn begin_held(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        doing: impl Into<String>,
    ) -> Result<Tx, RunError> {
        let mut tx = self.db.begin(doing).await?;
        self.still_held(&mut tx, scope, lease).await?;
        Ok(tx)
    }

    /// Fails if another process has taken the lease, and keeps others from taking it until the transaction ends.
    pub(crate) async fn still_held(&self, tx: &mut Tx, scope: Scope<'_>, lease: &Lease) -> Result<(), RunError> {
        if scope.tenant != lease.tenant {
            return Err(RunError::internal(format!("the lease of pipeline {} is another tenant's", lease.pipeline)));
        }
        match lease.held {
            Held::File { .. } => Ok(()),
            Held::Row { fence } => row::check(tx, lease, fence).await,
        }
    }
}

/// Another process runs the pipeline.
fn held_by(pipeline: &str, holder: &str, where_: &str) -> RunError {
    let message = format!(
        "pipeline {pipeline} is being run by {holder} on the same {where_}; wait until it ends, or stop it and run again"
    );
    RunError::new(Kind::Transient, Actor::User, message)
}
