//! What workers said while they ran.

use sluice_core::RunError;

use crate::db::sql;
use crate::{Scope, Store};

/// A line of a run's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Which attempt said it.
    pub attempt: u32,
    /// Counts from one in each attempt.
    pub line: u32,
    /// When it was said.
    pub at_us: i64,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// What was said.
    pub message: String,
}

impl Store {
    /// Keeps lines of a run's log.
    ///
    /// # Errors
    /// If they cannot be stored.
    pub async fn add_log(&self, scope: Scope<'_>, request: &str, lines: &[LogLine]) -> Result<(), RunError> {
        let mut tx = self.db.begin("keeping the log of a run").await?;
        for line in lines {
            sql("INSERT INTO run_logs (tenant, request, attempt, line, at_us, level, message) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING")
            .bind(scope.tenant)
            .bind(request)
            .bind(line.attempt)
            .bind(line.line)
            .bind(line.at_us)
            .bind(&line.level)
            .bind(&line.message)
            .run_in(&mut tx)
            .await?;
        }
        tx.commit().await
    }

    /// Lines of a run's log behind a line of an attempt, in their order.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn run_log(
        &self,
        scope: Scope<'_>,
        request: &str,
        (attempt, line): (u32, u32),
        limit: u32,
    ) -> Result<Vec<LogLine>, RunError> {
        let rows = sql("SELECT attempt, line, at_us, level, message FROM run_logs WHERE tenant = $1 AND request = $2 \
             AND (attempt, line) > ($3, $4) ORDER BY attempt, line LIMIT $5")
        .bind(scope.tenant)
        .bind(request)
        .bind(attempt)
        .bind(line)
        .bind(limit)
        .all_on(&self.db, "reading the log of a run")
        .await?;
        rows.iter()
            .map(|row| {
                Ok(LogLine {
                    attempt: row.small("attempt")?,
                    line: row.small("line")?,
                    at_us: row.number("at_us")?,
                    level: row.text("level")?,
                    message: row.text("message")?,
                })
            })
            .collect()
    }
}
