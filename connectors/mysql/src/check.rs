//! Trying the configuration, step by step, with a cause and a remedy for each that fails.

use sluice_sdk::CheckStep;
use sluice_sql::check::{Encryption, Server};

use crate::config::{MysqlConfig, TlsMode};
use crate::session::{self, Session};
use crate::sql;
use crate::wire::error::Failure;

const VERSION: &str = "version";
const READ: &str = "read";
const WRITERS: &str = "writers";
const REPLICA: &str = "replica";

/// Tries each step; what follows a failed one is skipped.
pub(crate) fn check(config: &MysqlConfig) -> Vec<CheckStep> {
    let server = server(config);
    match Session::open_in_stages(config) {
        Err((stage, error)) => server.not_opened(stage, &error, &[VERSION, READ, WRITERS, REPLICA]),
        Ok(mut session) => {
            let mut steps = server.opened(session.encrypted, &config.user, session.method.name());
            steps.push(version(&session));
            steps.push(access(config, &mut session).unwrap_or_else(|f| server.failure(READ, &f.into())));
            steps.push(writers(config, &mut session).unwrap_or_else(|f| server.failure(WRITERS, &f.into())));
            steps.push(replica(&mut session).unwrap_or_else(|f| server.failure(REPLICA, &f.into())));
            steps
        }
    }
}

fn server(config: &MysqlConfig) -> Server<'_> {
    Server {
        host: &config.host,
        port: config.port,
        encryption: match config.tls {
            TlsMode::Disable => Encryption::Disabled,
            TlsMode::Prefer | TlsMode::Require => Encryption::Unchecked,
            TlsMode::VerifyCa => Encryption::Authority,
            TlsMode::VerifyFull => Encryption::Name,
        },
        listens_by: "bind_address",
        tls_by: "ssl_cert, ssl_key",
        login: "Check user and password",
    }
}

fn version(session: &Session) -> CheckStep {
    let server = &session.server;
    let oldest = if server.mariadb { 100_600 } else { 80_000 };
    if server.number < oldest {
        let remedy =
            "MySQL before 8.0 and MariaDB before 10.6 are not maintained any more and not tested; upgrade the server";
        return CheckStep::warned(VERSION, server.name(), remedy);
    }
    CheckStep::passed(VERSION, server.name())
}

/// What this user may read of what it sees; the server shows nobody what they have no right to at all.
fn access(config: &MysqlConfig, session: &mut Session) -> Result<CheckStep, Failure> {
    let database = match &config.database {
        Some(database) => format!("TABLE_SCHEMA = {}", sql::text(database)),
        None => "TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')".to_owned(),
    };
    let row = session.one(&format!(
        "SELECT COUNT(DISTINCT TABLE_SCHEMA, TABLE_NAME), \
           COUNT(DISTINCT IF(FIND_IN_SET('select', LOWER(PRIVILEGES)), TABLE_SCHEMA, NULL), TABLE_NAME) \
         FROM information_schema.COLUMNS WHERE {database}"
    ))?;
    let count = |column| row.number::<u64>(column).unwrap_or(0);
    let (all, readable) = (count(0), count(1));
    let user = session::current_user(session)?;
    let place = config.database.as_deref().map_or("…".to_owned(), sql::name);
    let remedy = format!("An administrator can run: GRANT SELECT, SHOW VIEW ON {place}.* TO {user}");
    Ok(if readable == 0 {
        let place = config.database.as_deref().map_or("any database".to_owned(), |name| format!("database {name}"));
        CheckStep::failed(READ, format!("{user} sees no table in {place} that it may read"), remedy)
    } else if readable < all {
        let detail = format!("{user} may read {readable} of the {all} tables and views that it sees");
        CheckStep::warned(READ, detail, format!("If more are wanted: {remedy}"))
    } else {
        CheckStep::passed(READ, format!("{user} may read all {readable} tables and views that it sees"))
    })
}

/// Whether incremental reads can wait for transactions that are writing.
fn writers(config: &MysqlConfig, session: &mut Session) -> Result<CheckStep, Failure> {
    if config.writer_wait_seconds == 0 {
        let remedy = "Set `writer_wait_seconds` unless the cursor columns are only read long after they were written";
        let detail = "incremental reads do not wait for transactions that are writing, as configured";
        return Ok(CheckStep::warned(WRITERS, detail, remedy));
    }
    match session.one("SELECT COUNT(*) FROM information_schema.INNODB_TRX") {
        Ok(_) => Ok(CheckStep::passed(WRITERS, "incremental reads can wait for transactions that are writing")),
        Err(Failure::Server(error)) => {
            let user = session::current_user(session)?;
            let remedy = format!("For incremental reads an administrator can run: GRANT PROCESS ON *.* TO {user}");
            Ok(CheckStep::warned(
                WRITERS,
                format!("transactions that are writing cannot be seen: {}", error.words()),
                remedy,
            ))
        }
        Err(failure) => Err(failure),
    }
}

/// Seconds of delay from which on a replica is worth a warning.
const STALE_SECONDS: u64 = 60;

/// A replica lags behind, and transactions that are open at its source are not seen.
fn replica(session: &mut Session) -> Result<CheckStep, Failure> {
    let read_only = session.one("SELECT @@global.read_only")?.flag(0);
    let newer = !session.server.mariadb && session.server.number >= 80_022;
    // Needs a privilege of its own; who does not have it hears less.
    let (sql, column) = if newer {
        ("SHOW REPLICA STATUS", "Seconds_Behind_Source")
    } else {
        ("SHOW SLAVE STATUS", "Seconds_Behind_Master")
    };
    let status = match session.query(sql) {
        Ok(status) => Some(status),
        Err(Failure::Server(_)) => None,
        Err(failure) => return Err(failure),
    };
    let row = status.as_ref().and_then(|status| status.rows.first());
    let remedy = "Read incrementally by a timestamp with a `cursor_lag_seconds` longer than the delay: transactions that are open at \
        the source cannot be seen here";
    let Some(row) = row else {
        return Ok(match read_only {
            true => CheckStep::warned(REPLICA, "the server is read-only, so it is probably a replica", remedy),
            false => CheckStep::passed(REPLICA, "the server takes writes"),
        });
    };
    let behind = status.as_ref().and_then(|status| status.column(column)).and_then(|column| row.number::<u64>(column));
    Ok(match behind {
        Some(seconds @ ..STALE_SECONDS) => {
            CheckStep::warned(REPLICA, format!("the server is a replica, {seconds} s behind its source"), remedy)
        }
        Some(seconds) => {
            let detail = format!("the server is a replica, {seconds} s behind its source");
            CheckStep::warned(
                REPLICA,
                detail,
                "Rows of that time are missing until it has caught up; see its replication status",
            )
        }
        None => {
            let detail = "the server is a replica whose replication does not run";
            CheckStep::warned(
                REPLICA,
                detail,
                "Start its replication, or read from its source; rows written there since then are missing",
            )
        }
    })
}
