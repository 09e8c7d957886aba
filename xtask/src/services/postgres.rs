//! PostgreSQL 15 from Debian: one server with TLS, and a second one without.
//!
//! Durability is off and every setting is made for tests. The server refuses to run as root, so as root it runs as the
//! system user `postgres`, which the Debian package makes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::group::{Group, as_user};
use super::net::free_ports;
use super::tls::Certificates;
use crate::process::{Interrupt, output, run};
use crate::tools;

const BIN: &str = "/usr/lib/postgresql/15/bin";
const USER: &str = "sluice";
const PASSWORD: &str = "sluice-test-password";
const DATABASE: &str = "sluice";

/// The certificate names 127.0.0.1 only, so connecting to this address shows a name that does not match.
const WRONG_NAME: &str = "127.0.0.2";

const SETTINGS: &str = "
listen_addresses = '127.0.0.1,127.0.0.2'
max_connections = 200
wal_level = logical
max_wal_senders = 10
max_replication_slots = 10
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 256MB
max_wal_size = 4GB
checkpoint_timeout = 1h
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
logging_collector = off
log_connections = off
log_line_prefix = '%m [%p] %q%u@%d '
";

/// Who may come in how. The order matters: the first line that fits decides.
const ACCESS: &str = "
local     all          all            trust
hostnossl all          sluice_tls     all            reject
hostssl   all          sluice_tls     127.0.0.0/8    scram-sha-256
host      all          sluice_md5     127.0.0.0/8    md5
host      all          sluice_plain   127.0.0.0/8    password
host      all          sluice_trust   127.0.0.0/8    trust
host      all          all            127.0.0.0/8    scram-sha-256
host      replication  all            127.0.0.0/8    scram-sha-256
";

const USERS: &str = "
CREATE ROLE sluice SUPERUSER LOGIN PASSWORD 'sluice-test-password';
CREATE ROLE sluice_tls SUPERUSER LOGIN PASSWORD 'sluice-test-password';
CREATE ROLE sluice_plain LOGIN PASSWORD 'sluice-test-password';
CREATE ROLE sluice_trust LOGIN;
SET password_encryption = 'md5';
CREATE ROLE sluice_md5 LOGIN PASSWORD 'sluice-test-password';
CREATE DATABASE sluice OWNER sluice;
";

/// Starts both servers and waits until they answer queries.
pub(crate) fn start(group: &mut Group, interrupt: &Interrupt, certificates: &Certificates) -> Result<()> {
    tools::debian(&["postgresql-15"])?;
    let [port, no_tls_port] = free_ports()?;
    let home = group.folder.join("postgres");
    std::fs::create_dir_all(&home)?;
    give_away(&home)?;
    let data = home.join("data");
    let mut initdb = as_server_user(&format!("{BIN}/initdb"));
    initdb.args(["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--username=postgres", "--auth=trust", "-D"]);
    output(initdb.arg(&data).current_dir(&home))?;
    append(&data.join("postgresql.conf"), SETTINGS)?;
    std::fs::write(data.join("pg_hba.conf"), ACCESS)?;
    give_away(&data)?;

    // The second server is a copy made before the first one ran; it only ever refuses TLS.
    let no_tls = home.join("no-tls");
    run(Command::new("cp").arg("-a").arg(&data).arg(&no_tls))?;
    append(&data.join("postgresql.conf"), &tls_settings(&home, certificates)?)?;

    for (name, folder, port) in [("postgres", &data, port), ("postgres-no-tls", &no_tls, no_tls_port)] {
        let mut server = as_server_user(&format!("{BIN}/postgres"));
        server.arg("-D").arg(folder).args(["-p", &port.to_string(), "-k"]).arg(&home).current_dir(&home);
        group.spawn(name, true, server)?;
    }
    for (name, port) in [("postgres", port), ("postgres-no-tls", no_tls_port)] {
        group.until_ready(name, interrupt, || query(&home, port, "SELECT 1"))?;
        query(&home, port, USERS)?;
    }
    let verified = format!(
        "host=127.0.0.1 port={port} user={USER} password={PASSWORD} dbname={DATABASE} sslmode=verify-full sslrootcert={}",
        certificates.ca.display()
    );
    output(Command::new("psql").args(["-X", "-c", "SELECT 1"]).arg(verified))
        .context("connecting to the test server over TLS")?;

    let log = group.log("postgres");
    let facts = &mut group.facts;
    facts.add("SLUICE_TEST_POSTGRES_HOST", "127.0.0.1");
    facts.add("SLUICE_TEST_POSTGRES_PORT", port);
    facts.add("SLUICE_TEST_POSTGRES_USER", USER);
    facts.add("SLUICE_TEST_POSTGRES_PASSWORD", PASSWORD);
    facts.add("SLUICE_TEST_POSTGRES_DATABASE", DATABASE);
    facts.add("SLUICE_TEST_POSTGRES_TLS_USER", "sluice_tls");
    facts.add("SLUICE_TEST_POSTGRES_MD5_USER", "sluice_md5");
    facts.add("SLUICE_TEST_POSTGRES_PLAIN_USER", "sluice_plain");
    facts.add("SLUICE_TEST_POSTGRES_TRUST_USER", "sluice_trust");
    facts.add("SLUICE_TEST_POSTGRES_CA", certificates.ca.display());
    facts.add("SLUICE_TEST_POSTGRES_WRONG_CA", certificates.wrong_ca.display());
    facts.add("SLUICE_TEST_POSTGRES_WRONG_NAME", WRONG_NAME);
    facts.add("SLUICE_TEST_POSTGRES_NO_TLS_PORT", no_tls_port);
    facts.add("SLUICE_TEST_POSTGRES_LOG", log.display());
    facts.add("SLUICE_TEST_PGDATA", data.display());
    Ok(())
}

fn query(socket: &Path, port: u16, sql: &str) -> Result<()> {
    let mut psql = Command::new("psql");
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres", "-p", &port.to_string()]);
    // One -c per statement: CREATE DATABASE refuses to be part of an implicit transaction.
    for statement in sql.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        psql.args(["-c", statement]);
    }
    output(psql.arg("-h").arg(socket)).map(|_rows| ())
}

/// The server's user must own the key, and nobody else may read it.
fn tls_settings(home: &Path, certificates: &Certificates) -> Result<String> {
    use std::os::unix::fs::PermissionsExt;
    let key = home.join("server.key");
    std::fs::copy(&certificates.server_key, &key)?;
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600))?;
    give_away(&key)?;
    Ok(format!("\nssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\n", certificates.server.display(), key.display()))
}

fn append(file: &PathBuf, text: &str) -> Result<()> {
    let old = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    std::fs::write(file, old + text).with_context(|| format!("writing {}", file.display()))
}

/// As root: `setpriv` to the user that the Debian package made. Otherwise we run the server ourselves.
fn as_server_user(program: &str) -> Command {
    if rustix::process::geteuid().is_root() { as_user("postgres", program) } else { Command::new(program) }
}

fn give_away(path: &Path) -> Result<()> {
    if rustix::process::geteuid().is_root() {
        run(Command::new("chown").args(["-R", "postgres:postgres"]).arg(path))?;
    }
    Ok(())
}
