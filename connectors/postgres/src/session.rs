//! A session: one connection, in one read-only transaction with settings that make every answer mean the same everywhere.

use postgres_protocol::escape::escape_literal;
use sluice_sdk::{Error, Result};
use sluice_sql::check::Stage;

use crate::config::PostgresConfig;
use crate::wire::Wire;
use crate::wire::auth::Method;
use crate::wire::error::Failure;
use crate::wire::query::Row;
use crate::wire::startup::{self, LoggedIn};

/// Longest that a question to the catalog may take.
const CATALOG_TIMEOUT: &str = "120s";

/// A session that has logged in.
pub(crate) struct Session {
    pub(crate) wire: Wire,
    pub(crate) encrypted: bool,
    pub(crate) method: Method,
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose<'a> {
    /// Questions to the catalog.
    Catalog,
    /// Reading rows, with the user's timeout.
    Read,
    /// Reading rows as another transaction sees them.
    Snapshot(&'a str),
}

impl Session {
    /// Connects and logs in.
    pub(crate) fn open(config: &PostgresConfig) -> Result<Self> {
        Self::open_in_stages(config).map_err(|(_, error)| error)
    }

    /// Connects and logs in; an error says how far it got.
    pub(crate) fn open_in_stages(config: &PostgresConfig) -> Result<Self, (Stage, Error)> {
        let LoggedIn { wire, encrypted, method } = startup::connect(config)?;
        Ok(Self { wire, encrypted, method })
    }

    /// Connects, logs in and begins a transaction.
    pub(crate) fn begin_new(config: &PostgresConfig, purpose: Purpose<'_>) -> Result<Self, Failure> {
        let mut session = Self::open(config)?;
        session.begin(config, purpose)?;
        Ok(session)
    }

    /// Begins the transaction. Everything is `SET LOCAL`, so that the session is left as it was behind a pooler that hands it
    /// to somebody else afterwards.
    pub(crate) fn begin(&mut self, config: &PostgresConfig, purpose: Purpose<'_>) -> Result<(), Failure> {
        // Must come first: a snapshot can only be taken over before any query.
        let mut sql = String::from("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;");
        if let Purpose::Snapshot(snapshot) = purpose {
            sql.push_str(&format!("SET TRANSACTION SNAPSHOT {};", escape_literal(snapshot)));
        }
        // The planning session is silent for hours: keep-alives stop what lies in between from forgetting it.
        // The user's names and operators are always qualified or built in; `search_path` keeps others from slipping in theirs.
        sql.push_str(
            "SET LOCAL search_path = pg_catalog; \
             SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'iso_8601'; \
             SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 3; \
             SET LOCAL standard_conforming_strings = on; SET LOCAL tcp_keepalives_idle = 60; \
             SET LOCAL idle_in_transaction_session_timeout = 0;",
        );
        sql.push_str(&format!("SET LOCAL lock_timeout = '{}s';", config.lock_timeout_seconds));
        if self.wire.version() >= 170_000 {
            sql.push_str("SET LOCAL transaction_timeout = 0;");
        }
        match purpose {
            Purpose::Catalog => {
                sql.push_str(&format!("SET LOCAL statement_timeout = '{CATALOG_TIMEOUT}';"));
                if self.wire.version() >= 110_000 {
                    sql.push_str("SET LOCAL jit = off;");
                }
            }
            Purpose::Read | Purpose::Snapshot(_) => sql.push_str(&read_timeout(config)),
        }
        self.wire.execute(&sql).map(drop)
    }

    /// Gives what follows in this transaction the user's timeout instead of the catalog's.
    pub(crate) fn allow_reading(&mut self, config: &PostgresConfig) -> Result<(), Failure> {
        let sql = match config.statement_timeout_seconds {
            0 => "SET LOCAL statement_timeout TO DEFAULT".to_owned(),
            _ => read_timeout(config),
        };
        self.wire.execute(&sql).map(drop)
    }

    /// Ends the transaction and begins another one.
    pub(crate) fn renew(&mut self, config: &PostgresConfig, purpose: Purpose<'_>) -> Result<(), Failure> {
        self.wire.execute("ROLLBACK")?;
        self.begin(config, purpose)
    }

    /// Asks with parameters.
    pub(crate) fn query(&mut self, sql: &str, parameters: &[Option<&str>]) -> Result<Vec<Row>, Failure> {
        self.wire.query(sql, parameters)
    }

    /// Asks for one row.
    pub(crate) fn one(&mut self, sql: &str) -> Result<Row, Failure> {
        Ok(self.wire.execute(sql)?.into_iter().next().unwrap_or_default())
    }
}

fn read_timeout(config: &PostgresConfig) -> String {
    match config.statement_timeout_seconds {
        0 => String::new(),
        seconds => format!("SET LOCAL statement_timeout = '{seconds}s';"),
    }
}
