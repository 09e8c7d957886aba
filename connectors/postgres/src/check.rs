//! Trying the configuration, step by step, with a cause and a remedy for each that fails.

use sluice_sdk::CheckStep;
use sluice_sql::check::{Encryption, Server};

use crate::config::{PostgresConfig, TlsMode};
use crate::session::{Purpose, Session};
use crate::wire::error::Failure;

const VERSION: &str = "version";
const READ: &str = "read";
const REPLICA: &str = "replica";

/// The oldest version that is tested and still maintained by somebody.
const OLDEST: u32 = 120_000;

/// Seconds of delay from which on a standby is worth a warning.
const STALE_SECONDS: f64 = 60.0;

/// Tries each step; what follows a failed one is skipped.
pub(crate) fn check(config: &PostgresConfig) -> Vec<CheckStep> {
    let server = server(config);
    match Session::open_in_stages(config) {
        Err((stage, error)) => server.not_opened(stage, &error, &[VERSION, READ, REPLICA]),
        Ok(mut session) => {
            let mut steps = server.opened(session.encrypted, &config.user, session.method.name());
            steps.push(version(&session));
            match session.begin(config, Purpose::Catalog) {
                Ok(()) => {
                    steps.push(access(config, &mut session).unwrap_or_else(|f| server.failure(READ, &f.into())));
                    steps.push(replica(&mut session).unwrap_or_else(|f| server.failure(REPLICA, &f.into())));
                }
                Err(error) => {
                    steps.push(server.failure(READ, &error.into()));
                    steps.push(CheckStep::skipped(REPLICA));
                }
            }
            steps
        }
    }
}

fn server(config: &PostgresConfig) -> Server<'_> {
    Server {
        host: &config.host,
        port: config.port,
        encryption: match config.tls {
            TlsMode::Disable => Encryption::Disabled,
            TlsMode::Allow | TlsMode::Prefer | TlsMode::Require => Encryption::Unchecked,
            TlsMode::VerifyCa => Encryption::Authority,
            TlsMode::VerifyFull => Encryption::Name,
        },
        listens_by: "listen_addresses",
        tls_by: "ssl = on",
        login: "Check user, password and database",
    }
}

fn version(session: &Session) -> CheckStep {
    let version = session.wire.version();
    let name = format!("PostgreSQL {}.{}", version / 10_000, version % 10_000);
    match version {
        ..OLDEST => CheckStep::warned(VERSION, name, "Versions before 12 are not tested; upgrade the server"),
        OLDEST..140_000 => {
            let remedy = "Upgrade to 14 or later: before that, a table cannot be read by several splits";
            CheckStep::warned(VERSION, format!("{name}: every stream is read as one split"), remedy)
        }
        _ => CheckStep::passed(VERSION, name),
    }
}

/// What this user may read of what is there.
const ACCESS: &str = "
SELECT count(*), count(*) FILTER (WHERE usable AND (has_table_privilege(oid, 'SELECT') OR has_any_column_privilege(oid, 'SELECT'))),
  count(*) FILTER (WHERE secured AND row_security_active(oid)), quote_ident(current_user),
  (SELECT quote_ident(min(nspname::text)) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    AND NOT has_schema_privilege(oid, 'USAGE')),
  has_database_privilege(current_database(), 'CONNECT')
FROM (
  SELECT c.oid, has_schema_privilege(n.oid, 'USAGE') AS usable, c.relrowsecurity AS secured
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND NOT c.relispartition
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
) relations";

fn access(config: &PostgresConfig, session: &mut Session) -> Result<CheckStep, Failure> {
    let row = session.one(ACCESS)?;
    let count = |column| row.number::<u64>(column).unwrap_or(0);
    let (all, readable, secured, user) = (count(0), count(1), count(2), row.string(3));
    let grant = |schema: &str| {
        format!(
            "An owner can run: GRANT USAGE ON SCHEMA {schema} TO {user}; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {user}"
        )
    };
    let schema = row.text(4).unwrap_or("public");
    Ok(if all == 0 {
        let remedy = "Check that this is the right database; streams appear once tables exist";
        CheckStep::warned(READ, format!("database {} has no tables", config.database), remedy)
    } else if readable == 0 {
        CheckStep::failed(READ, format!("{user} may read none of the {all} tables and views"), grant(schema))
    } else if readable < all {
        let detail = format!("{user} may read {readable} of {all} tables and views");
        CheckStep::warned(READ, detail, format!("If more are wanted: {}", grant(schema)))
    } else if secured > 0 {
        let remedy = "If all rows are wanted: ALTER ROLE … BYPASSRLS, or a policy for this user";
        CheckStep::warned(
            READ,
            format!("{readable} tables and views; row security hides rows in {secured} of them"),
            remedy,
        )
    } else {
        CheckStep::passed(READ, format!("{user} may read all {readable} tables and views"))
    })
}

/// A standby lags behind and may cancel long reads.
const STANDBY: &str = "
SELECT pg_is_in_recovery(),
  CASE WHEN pg_is_in_recovery() AND pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
    THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) ELSE 0 END,
  current_setting('hot_standby_feedback'), current_setting('max_standby_streaming_delay')";

fn replica(session: &mut Session) -> Result<CheckStep, Failure> {
    let row = session.one(STANDBY)?;
    if !row.flag(0) {
        return Ok(CheckStep::passed(REPLICA, "the server is a primary"));
    }
    let delay = row.number::<f64>(1).unwrap_or(0.0);
    if delay > STALE_SECONDS {
        let detail = format!("the server is a standby, {delay:.0} s behind its primary");
        return Ok(CheckStep::warned(
            REPLICA,
            detail,
            "Rows of that time are missing until it has caught up; see pg_stat_replication on the primary",
        ));
    }
    if row.text(2) == Some("off") {
        let detail =
            format!("the server is a standby that cancels reads which hold up replication for {}", row.string(3));
        let remedy = "Set hot_standby_feedback = on there, or raise max_standby_streaming_delay";
        return Ok(CheckStep::warned(REPLICA, detail, remedy));
    }
    Ok(CheckStep::passed(REPLICA, "the server is a standby and keeps up"))
}
