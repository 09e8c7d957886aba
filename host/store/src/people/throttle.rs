//! How often logging in failed lately.

use sluice_core::RunError;

use crate::Store;
use crate::db::{Row, sql};

/// The failures of a key in its window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many there are.
    pub count: u64,
    /// When the first of them was: the window's beginning. Zero where there are none.
    pub since_us: i64,
}

impl Store {
    /// Counts a failure under a key (an address, an account). What there is in its window; a window begins with its first
    /// failure and is forgotten when it is over.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn count_failure(&self, key: &str, window_us: i64, now_us: i64) -> Result<Failures, RunError> {
        let mut tx = self.db.begin("counting a failed login").await?;
        let row = sql("INSERT INTO login_failures (throttle_key, window_start_us, failures) VALUES ($1, $2, 1) \
                       ON CONFLICT (throttle_key) DO UPDATE SET \
                       failures = CASE WHEN login_failures.window_start_us > $3 THEN login_failures.failures + 1 ELSE 1 END, \
                       window_start_us = CASE WHEN login_failures.window_start_us > $3 \
                       THEN login_failures.window_start_us ELSE $2 END RETURNING failures, window_start_us")
        .bind(key)
        .bind(now_us)
        .bind(now_us.saturating_sub(window_us))
        .one_in(&mut tx)
        .await?;
        tx.commit().await?;
        row.as_ref().map_or(Ok(Failures { count: 1, since_us: now_us }), failures)
    }

    /// The failures in the window of a key.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn failures(&self, key: &str, window_us: i64, now_us: i64) -> Result<Failures, RunError> {
        let row = sql(
            "SELECT failures, window_start_us FROM login_failures WHERE throttle_key = $1 AND window_start_us > $2",
        );
        let row = row.bind(key).bind(now_us.saturating_sub(window_us));
        row.one_on(&self.db, "reading failed logins").await?.as_ref().map_or(Ok(Failures::default()), failures)
    }

    /// Forgets the failures of a key: who logged in is not throttled.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn clear_failures(&self, key: &str) -> Result<(), RunError> {
        let gone = sql("DELETE FROM login_failures WHERE throttle_key = $1").bind(key);
        gone.run_on(&self.db, "forgetting failed logins").await.map(drop)
    }

    /// Forgets windows that began before this moment. How many.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn forget_failures(&self, before_us: i64) -> Result<u64, RunError> {
        let gone = sql("DELETE FROM login_failures WHERE window_start_us < $1").bind(before_us);
        gone.run_on(&self.db, "forgetting failed logins").await
    }
}

fn failures(row: &Row) -> Result<Failures, RunError> {
    Ok(Failures { count: row.count("failures")?, since_us: row.number("window_start_us")? })
}
