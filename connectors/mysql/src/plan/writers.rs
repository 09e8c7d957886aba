//! Waiting for transactions that are writing.

use std::collections::HashSet;

use sluice_sdk::{Error, Result, log};

use crate::config::MysqlConfig;
use crate::session::{self, Session};
use crate::wire::error::Failure;

/// Transactions that have written something. Only those have a number of their own: others have none, or one beyond 48 bits.
/// Prepared XA transactions are among them. The server does not say which tables they have written to.
const WRITERS: &str = "SELECT trx_id FROM information_schema.INNODB_TRX \
    WHERE CAST(trx_id AS UNSIGNED) BETWEEN 1 AND 281474976710655 AND trx_mysql_thread_id <> CONNECTION_ID()";

/// The server keeps its answer while somebody asks more often than every tenth of a second.
const SETTLING_SECONDS: f64 = 0.12;

/// Seconds between two looks.
const PAUSE: f64 = 0.2;

/// Waits until every transaction that has written something by now has ended.
///
/// # Errors
/// `permission` if they cannot be seen, `transient` if one of them takes longer than the configuration allows.
pub(super) fn wait(config: &MysqlConfig, session: &mut Session) -> Result<()> {
    if config.writer_wait_seconds == 0 {
        return Ok(());
    }
    pause(session, SETTLING_SECONDS)?;
    let mut at_work = writers(session)?;
    if at_work.is_empty() {
        return Ok(());
    }
    log::info(format!("waiting for {} transactions that are writing", at_work.len()));
    let mut left = f64::from(config.writer_wait_seconds);
    while !at_work.is_empty() {
        if left <= 0.0 {
            return Err(Error::transient(format!(
                "a transaction on the server has been writing for longer than {} s; rows it commits later could lie below the cursor and would be \
                 missed. Try again when it has ended, or change `writer_wait_seconds` (0 does not wait)",
                config.writer_wait_seconds
            ))
            .field("/writer_wait_seconds"));
        }
        pause(session, PAUSE)?;
        left -= PAUSE;
        let now = writers(session)?;
        at_work.retain(|writer| now.contains(writer));
    }
    Ok(())
}

fn pause(session: &mut Session, seconds: f64) -> Result<(), Failure> {
    session.execute(&format!("DO SLEEP({seconds})"))
}

fn writers(session: &mut Session) -> Result<HashSet<String>> {
    match session.query(WRITERS) {
        Ok(answer) => Ok(answer.rows.iter().map(|row| row.string(0)).collect()),
        Err(failure) if failure.code() == Some(1227) => {
            let user = session::current_user(session)?;
            let message = format!(
                "an incremental read waits for transactions that are writing, so that no row of theirs is missed, and this user may not see them. \
                 An administrator can run: GRANT PROCESS ON *.* TO {user} (or set `writer_wait_seconds` to 0 and accept that rows which commit \
                 late can be missed)"
            );
            Err(Error::permission(message).field("/writer_wait_seconds"))
        }
        Err(failure) => Err(failure.into()),
    }
}
