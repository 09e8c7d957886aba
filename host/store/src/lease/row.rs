//! A lease as a row: who holds it until when, and a number that no two holders share.

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};

use super::{Lease, held_by};
use crate::db::{Tx, built, sql};
use crate::{Scope, Store};

impl Store {
    /// Takes the lease if nobody has it, or if whoever had it let it expire. Its number.
    pub(super) async fn take_row(&self, scope: Scope<'_>, pipeline: &str, now_us: i64) -> Result<i64, RunError> {
        let mut tx = self.db.begin(format!("taking the lease of pipeline {pipeline}")).await?;
        // One statement, so that of two hosts at the same moment one waits and then finds it taken.
        let taken = sql("INSERT INTO leases (tenant, pipeline, holder, fence, expires_us) VALUES ($1, $2, $3, 1, $4) \
             ON CONFLICT (tenant, pipeline) DO UPDATE SET holder = excluded.holder, fence = leases.fence + 1, \
             expires_us = excluded.expires_us WHERE leases.expires_us <= $5 RETURNING fence");
        let taken = taken.bind(scope.tenant).bind(pipeline).bind(&self.holder);
        let row = tx.one(taken.bind(now_us.saturating_add(self.lease_us)).bind(now_us)).await?;
        if let Some(row) = row {
            tx.commit().await?;
            return row.number("fence");
        }
        let holder = sql("SELECT holder FROM leases WHERE tenant = $1 AND pipeline = $2");
        let holder = match tx.one(holder.bind(scope.tenant).bind(pipeline)).await? {
            Some(row) => row.text("holder")?,
            None => "another process".to_owned(),
        };
        Err(held_by(pipeline, &holder, "database"))
    }

    pub(super) async fn renew_row(&self, lease: &Lease, fence: i64, now_us: i64) -> Result<bool, RunError> {
        let renewed = sql("UPDATE leases SET expires_us = $4 WHERE tenant = $1 AND pipeline = $2 AND fence = $3")
            .bind(&lease.tenant)
            .bind(&lease.pipeline)
            .bind(fence)
            .bind(now_us.saturating_add(self.lease_us));
        Ok(self.db.run("renewing a lease", renewed).await? == 1)
    }

    /// The row stays, and its number goes on growing.
    pub(super) async fn release_row(&self, lease: &Lease, fence: i64) -> Result<(), RunError> {
        let released = sql("UPDATE leases SET expires_us = 0 WHERE tenant = $1 AND pipeline = $2 AND fence = $3");
        let released = released.bind(&lease.tenant).bind(&lease.pipeline).bind(fence);
        self.db.run("handing a lease back", released).await.map(drop)
    }
}

/// An expired lease that nobody has taken still counts: nobody else has written anything.
pub(super) async fn check(tx: &mut Tx, lease: &Lease, fence: i64) -> Result<(), RunError> {
    let text = "SELECT holder, fence FROM leases WHERE tenant = $1 AND pipeline = $2";
    let now = built(format!("{text}{}", tx.dialect().for_share())).bind(&lease.tenant).bind(&lease.pipeline);
    let holder = match tx.one(now).await? {
        Some(row) if row.number("fence")? == fence => return Ok(()),
        Some(row) => row.text("holder")?,
        None => "nobody".to_owned(),
    };
    let message = format!(
        "pipeline {} is now being run by {holder}, because the lease of this run was not renewed in time; nothing was recorded, \
         the other run goes on from what was committed",
        lease.pipeline
    );
    Err(RunError::new(Kind::Transient, Actor::Host, message))
}
