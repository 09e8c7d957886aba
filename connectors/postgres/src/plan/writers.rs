//! Waiting for transactions that are writing to a table.

use std::collections::HashSet;

use sluice_sdk::{Error, Result, log};

use crate::catalog::Relation;
use crate::config::PostgresConfig;
use crate::session::{Purpose, Session};

/// Transactions that hold a writer's lock on one of the tables or their partitions. The answer is of this moment, not of the
/// transaction's snapshot. Prepared transactions have no process and count too.
const WRITERS: &str = "
WITH RECURSIVE tree(oid) AS (
  SELECT unnest($1::oid[]) UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid
)
SELECT DISTINCT l.virtualtransaction FROM pg_locks l
WHERE l.locktype = 'relation' AND l.granted AND l.relation IN (SELECT oid FROM tree)
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  AND l.pid IS DISTINCT FROM pg_backend_pid()";

/// Seconds between two looks.
const PAUSE: f64 = 0.1;

/// Waits until every transaction that writes to one of these now has ended.
///
/// # Errors
/// `transient` if one of them takes longer than the configuration allows.
pub(super) fn wait(config: &PostgresConfig, session: &mut Session, relations: &[Relation]) -> Result<()> {
    if relations.is_empty() || config.writer_wait_seconds == 0 {
        return Ok(());
    }
    if session.one("SELECT pg_catalog.pg_is_in_recovery()")?.flag(0) {
        return wait_on_standby(config, session);
    }
    let oids = format!("{{{}}}", relations.iter().map(|r| r.oid.to_string()).collect::<Vec<_>>().join(","));
    let mut at_work = writers(session, &oids)?;
    if at_work.is_empty() {
        return Ok(());
    }
    log::info(format!("waiting for {} transactions that are writing to the streams' tables", at_work.len()));
    let mut patience = Patience::new(config);
    while !at_work.is_empty() {
        patience.pause(session)?;
        let now = writers(session, &oids)?;
        at_work.retain(|writer| now.contains(writer));
    }
    Ok(())
}

fn writers(session: &mut Session, oids: &str) -> Result<HashSet<String>> {
    let rows = session.query(WRITERS, &[Some(oids)])?;
    Ok(rows.iter().map(|row| row.string(0)).collect())
}

/// A standby does not see the primary's locks, but which transactions were running: all of them must have ended.
fn wait_on_standby(config: &PostgresConfig, session: &mut Session) -> Result<()> {
    let sql = "SELECT txid_snapshot_xmin(s), txid_snapshot_xmax(s) FROM pg_catalog.txid_current_snapshot() s";
    let end = session.one(sql)?.number::<u64>(1).unwrap_or(0);
    let mut patience = Patience::new(config);
    loop {
        session.renew(config, Purpose::Catalog)?;
        if session.one(sql)?.number::<u64>(0).unwrap_or(u64::MAX) >= end {
            return Ok(());
        }
        patience.pause(session)?;
    }
}

/// How often may still be looked.
struct Patience {
    seconds: u32,
    left: f64,
}

impl Patience {
    fn new(config: &PostgresConfig) -> Self {
        Self { seconds: config.writer_wait_seconds, left: f64::from(config.writer_wait_seconds) }
    }

    fn pause(&mut self, session: &mut Session) -> Result<()> {
        if self.left <= 0.0 {
            return Err(Error::transient(format!(
                "a transaction has been writing to the stream's table for longer than {} s; rows it commits later could lie below the \
                 cursor and would be missed. Try again when it has ended, or change `writer_wait_seconds` (0 does not wait)",
                self.seconds
            ))
            .field("/writer_wait_seconds"));
        }
        session.one(&format!("SELECT pg_catalog.pg_sleep({PAUSE})"))?;
        self.left -= PAUSE;
        Ok(())
    }
}
