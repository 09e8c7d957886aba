//! A session: one connection with settings that make every answer mean the same everywhere.

use sluice_sdk::{Error, Result};
use sluice_sql::check::Stage;

use crate::config::MysqlConfig;
use crate::sql;
use crate::wire::Wire;
use crate::wire::auth::Method;
use crate::wire::error::Failure;
use crate::wire::query::{Answer, Row};
use crate::wire::startup::{self, LoggedIn};

/// Longest that a question to the catalog may take, in seconds.
const CATALOG_TIMEOUT: u32 = 120;

/// Seconds for which the server waits for us: while a sink is slow, and while the planning session holds its locks.
const PATIENCE: u32 = 604_800;

/// A session that has logged in.
pub(crate) struct Session {
    pub(crate) wire: Wire,
    pub(crate) encrypted: bool,
    pub(crate) method: Method,
    pub(crate) server: Server,
}

/// Which server it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) mariadb: bool,
    /// e.g. 100119 for 10.1.19, 80036 for 8.0.36.
    pub(crate) number: u32,
}

impl Server {
    /// `9.7.4`, `5.5.5-10.11.19-MariaDB-log` (with a prefix for the sake of old replicas), `11.4.2-MariaDB`.
    fn parse(version: &str) -> Self {
        let mariadb = version.contains("MariaDB");
        let text = if mariadb { version.strip_prefix("5.5.5-").unwrap_or(version) } else { version };
        let mut parts = text.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0).min(99));
        let mut next = || parts.next().unwrap_or(0);
        Self { mariadb, number: next() * 10_000 + next() * 100 + next() }
    }

    /// For people.
    pub(crate) fn name(&self) -> String {
        let product = if self.mariadb { "MariaDB" } else { "MySQL" };
        format!("{product} {}.{}.{}", self.number / 10_000, self.number / 100 % 100, self.number % 100)
    }

    /// True if `ST_AsText` takes an option for the order of axes, and needs it.
    pub(crate) fn has_axis_option(&self) -> bool {
        !self.mariadb && self.number >= 80_000
    }
}

impl Session {
    /// Connects, logs in and makes the settings.
    pub(crate) fn open(config: &MysqlConfig) -> Result<Self> {
        Self::open_in_stages(config).map_err(|(_, error)| error)
    }

    /// The same; an error says how far it got.
    pub(crate) fn open_in_stages(config: &MysqlConfig) -> Result<Self, (Stage, Error)> {
        let LoggedIn { wire, encrypted, method, version } = startup::connect(config)?;
        let mut session = Self { wire, encrypted, method, server: Server::parse(&version) };
        session.set_up(config).map_err(|failure| (Stage::LogIn, failure.into()))?;
        Ok(session)
    }

    fn set_up(&mut self, config: &MysqlConfig) -> Result<(), Failure> {
        let lock = config.lock_timeout_seconds;
        // An empty mode: a text's backslash escapes, double quotes are texts, zero dates can be compared with.
        self.execute(&format!(
            "SET NAMES utf8mb4, SESSION time_zone = '+00:00', SESSION sql_mode = '', SESSION net_write_timeout = {PATIENCE}, \
             SESSION wait_timeout = {PATIENCE}, SESSION lock_wait_timeout = {lock}, SESSION autocommit = 1"
        ))?;
        self.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")?;
        if !self.server.mariadb && self.server.number >= 80_000 {
            // Sizes as they are, not as they were yesterday.
            self.execute("SET SESSION information_schema_stats_expiry = 0")?;
        }
        self.limit_statements(CATALOG_TIMEOUT)
    }

    /// Seconds after which the server ends a SELECT; 0 for none.
    fn limit_statements(&mut self, seconds: u32) -> Result<(), Failure> {
        let sql = match self.server {
            Server { mariadb: true, .. } => format!("SET SESSION max_statement_time = {seconds}"),
            Server { number: ..50_708, .. } => return Ok(()),
            _ => format!("SET SESSION max_execution_time = {}", u64::from(seconds) * 1000),
        };
        self.execute(&sql)
    }

    /// Gives what follows the user's timeout instead of the catalog's.
    pub(crate) fn allow_reading(&mut self, config: &MysqlConfig) -> Result<(), Failure> {
        match (config.statement_timeout_seconds, self.server.mariadb) {
            (0, true) => self.execute("SET SESSION max_statement_time = DEFAULT"),
            (0, false) if self.server.number >= 50_708 => self.execute("SET SESSION max_execution_time = DEFAULT"),
            (seconds, _) => self.limit_statements(seconds),
        }
    }

    /// Begins a read-only transaction that sees everything as it is now.
    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        self.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    }

    /// Runs a statement without an answer.
    pub(crate) fn execute(&mut self, sql: &str) -> Result<(), Failure> {
        self.query(sql).map(drop)
    }

    /// Asks.
    pub(crate) fn query(&mut self, sql: &str) -> Result<Answer, Failure> {
        self.wire.query(sql)
    }

    /// Asks for one row.
    pub(crate) fn one(&mut self, sql: &str) -> Result<Row, Failure> {
        Ok(self.query(sql)?.rows.into_iter().next().unwrap_or_default())
    }

    /// How many rows the server expects of a SELECT: the product over the tables that it names, mostly one.
    pub(crate) fn expected_rows(&mut self, select: &str) -> Result<Option<u64>, Failure> {
        // The short form is what versions agree about. Newer ones have another default.
        let prefix = if self.server.mariadb { "EXPLAIN" } else { "EXPLAIN FORMAT=TRADITIONAL" };
        let answer = self.query(&format!("{prefix} {select}"))?;
        let Some(rows) = answer.column("rows") else { return Ok(None) };
        let expected = answer.rows.iter().filter_map(|row| row.number::<u64>(rows)).reduce(u64::saturating_mul);
        Ok(expected)
    }
}

/// The user that the server has found for us, as a GRANT names it.
pub(crate) fn current_user(session: &mut Session) -> Result<String, Failure> {
    let user = session.one("SELECT CURRENT_USER()")?.string(0);
    Ok(match user.rsplit_once('@') {
        Some((name, host)) => format!("{}@{}", sql::text(name), sql::text(host)),
        None => sql::text(&user),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_apart() {
        let parse = |text| {
            let server = Server::parse(text);
            (server.mariadb, server.number, server.name())
        };
        assert_eq!(parse("9.7.4-2"), (false, 90_704, "MySQL 9.7.4".into()));
        assert_eq!(parse("5.5.5-10.11.19-MariaDB-0+deb12u1-log"), (true, 101_119, "MariaDB 10.11.19".into()));
        assert_eq!(parse("11.4.2-MariaDB"), (true, 110_402, "MariaDB 11.4.2".into()));
        assert_eq!(parse("8.0.36"), (false, 80_036, "MySQL 8.0.36".into()));
        assert_eq!(parse("nonsense").1, 0);
    }
}
