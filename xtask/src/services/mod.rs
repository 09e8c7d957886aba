//! `cargo xtask services`: the real servers that tests run against, one file per server.
//!
//! Every server listens on free loopback ports and keeps its data in one temporary folder. How to reach them is handed
//! over as environment variables only. To add a server: write its file with a `start` that spawns through
//! [`Group::spawn`], proves readiness by really connecting and adds its [`Facts`]; call it in [`Group::start`]; describe its
//! variables in [`VARIABLES`].

mod azurite;
mod compressors;
mod fake_gcs;
mod google_api;
mod google_token;
mod group;
mod local_bigquery;
mod mariadb;
mod mysql;
mod mysql_client;
pub(crate) mod net;
mod oidc;
mod otlp;
mod postgres;
mod s3;
mod s3rver;
mod schemathesis;
mod smtp;
mod tls;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Subcommand;

pub(crate) use self::group::{Facts, Group, Lifetime, sweep};
pub(crate) use self::local_bigquery::bigquery_python;
use crate::process::{Interrupt, exit_code};
use crate::workspace::Workspace;

/// The help text's list of what a test may rely on.
const VARIABLES: &str = "\
Environment variables handed to the command, and written by `up` to .sluice/services.env:
  SLUICE_TEST_POSTGRES_HOST, _PORT, _USER, _PASSWORD, _DATABASE
                                      a superuser of PostgreSQL 15; wal_level=logical; TLS on, plaintext allowed
  SLUICE_TEST_POSTGRES_TLS_USER       as above with the same password, but only over TLS
  SLUICE_TEST_POSTGRES_MD5_USER       is asked for an MD5 password (same password)
  SLUICE_TEST_POSTGRES_PLAIN_USER     is asked for a plaintext password (same password)
  SLUICE_TEST_POSTGRES_TRUST_USER     is asked for no password
  SLUICE_TEST_POSTGRES_CA             PEM file of the CA that signed the server's certificate (localhost, 127.0.0.1)
  SLUICE_TEST_POSTGRES_WRONG_CA       PEM file of a CA that signed nothing
  SLUICE_TEST_POSTGRES_WRONG_NAME     an address of the server that its certificate does not name
  SLUICE_TEST_POSTGRES_NO_TLS_PORT    a second server with the same users, TLS off
  SLUICE_TEST_POSTGRES_LOG            the server's log file
  SLUICE_TEST_PGDATA                  the server's data folder
  SLUICE_TEST_MARIADB_HOST, _PORT, _USER, _PASSWORD, _DATABASE
                                      a user with all rights on MariaDB 10.11; binlog_format=ROW; TLS on, plaintext allowed
  SLUICE_TEST_MARIADB_TLS_USER        as above with the same password, but only over TLS
  SLUICE_TEST_MARIADB_READER_USER     the same password and no rights at all
  SLUICE_TEST_MARIADB_TRUST_USER      no password and no rights
  SLUICE_TEST_MARIADB_ED25519_USER    logs in with MariaDB's ed25519 plugin
  SLUICE_TEST_MARIADB_SOCKET          the socket through which root comes in without a password
  SLUICE_TEST_MARIADB_CA, _WRONG_CA, _WRONG_NAME, _LOG
                                      as for PostgreSQL
  SLUICE_TEST_MARIADB_NO_TLS_PORT     a second server with the same users, TLS off
  SLUICE_TEST_MYSQL_…                 the same for Oracle's MySQL 9, whose users log in with caching_sha2_password; no
                                      ED25519_USER and NO_TLS_PORT
  SLUICE_TEST_MYSQL_SHA256_USER       logs in with sha256_password
  SLUICE_TEST_MYSQL_PUBLIC_KEY        PEM file of the key that passwords are encrypted with where there is no TLS
  SLUICE_TEST_BIGQUERY_REST           http://127.0.0.1:PORT, BigQuery's REST API
  SLUICE_TEST_BIGQUERY_GRPC           http://127.0.0.1:PORT, the Storage Read and Write APIs
  SLUICE_TEST_BIGQUERY_PROJECT        the project that exists there
  SLUICE_TEST_DUCKDB_PYTHON           a Python interpreter that has DuckDB, to read Parquet files with
  SLUICE_TEST_S3_ENDPOINT             http://127.0.0.1:PORT, S3 in path style; checks signatures of any region
  SLUICE_TEST_S3_ACCESS_KEY, _SECRET_KEY
                                      its one pair of keys
  SLUICE_TEST_S3_DOMAIN               s3.localhost:PORT; BUCKET.s3.localhost:PORT is virtual-hosted style at the same address
  SLUICE_TEST_S3_ROOT                 its folder; a folder in it is a bucket
  SLUICE_TEST_AZURE_ENDPOINT          http://127.0.0.1:PORT, Azure Blob; the path begins with the account
  SLUICE_TEST_AZURE_ACCOUNT, _KEY     its one account and its key, in base64
  SLUICE_TEST_GCS_ENDPOINT            http://127.0.0.1:PORT, Google Cloud Storage; checks no credentials
  SLUICE_TEST_GOOGLE_ENDPOINT         http://127.0.0.1:PORT, a token endpoint at /token that checks assertions, an API at
                                      /api that wants its tokens
  SLUICE_TEST_GOOGLE_KEY              the file of the service account's key that it knows
  SLUICE_TEST_OIDC_ISSUER             http://127.0.0.1:PORT, an issuer of OpenID Connect: discovery, keys, RS256
  SLUICE_TEST_OIDC_TOKEN              its token endpoint; a token says what the form field `claims` of the request says
  SLUICE_TEST_SCHEDULER_ENDPOINT      http://127.0.0.1:PORT, a double of Cloud Scheduler's API whose jobs carry tokens of
                                      that issuer; see xtask/services/cloud-scheduler.py
  SLUICE_TEST_SECRET_MANAGER_ENDPOINT http://127.0.0.1:PORT, a double of Secret Manager's API; see
                                      xtask/services/secret-manager.py
  SLUICE_TEST_OTLP_ENDPOINT           http://127.0.0.1:PORT, a collector of OpenTelemetry that takes OTLP over HTTP
  SLUICE_TEST_OTLP_SPANS              the file of the spans that it took, each a line of JSON; see xtask/services/otlp-sink.py
  SLUICE_TEST_SCHEMATHESIS            the program that tries an API by its OpenAPI document
  SLUICE_TEST_SMTP_ADDRESS            127.0.0.1:PORT, takes every mail; STARTTLS offered, plaintext allowed
  SLUICE_TEST_SMTP_MAILBOX            the Maildir of what it has taken
  SLUICE_TEST_SMTP_CA                 PEM file of the CA that signed its certificate (localhost, 127.0.0.1)
  SLUICE_TEST_SNAPPY_PYTHON           a Python interpreter that has python-snappy; the `lz4` command is on the path
  SLUICE_TEST_CONNECTORS              folder of the built connectors (cargo xtask guests)
  SLUICE_TEST_GUESTS                  folder of the built guests that misbehave (cargo xtask guests)
  SLUICE_TEST_BIN                     the sluice binary built with failpoints
                                      (cargo build -p sluice --features failpoints)";

#[derive(clap::Args)]
#[command(after_help = VARIABLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Services,
}

#[derive(Subcommand)]
enum Services {
    /// Start the servers and leave them running; prints `export` lines and writes them to .sluice/services.env
    #[command(after_help = VARIABLES)]
    Up,
    /// Stop what `up` started and delete its data
    Down,
    /// Show what `up` started
    Status,
    /// Start servers, run one command with their addresses in its environment, stop them again
    #[command(after_help = VARIABLES)]
    Run {
        /// The command and its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
}

pub(crate) fn run(workspace: &Workspace, arguments: Arguments) -> Result<ExitCode> {
    match arguments.command {
        Services::Up => up(workspace),
        Services::Down => down(workspace),
        Services::Status => status(workspace),
        Services::Run { command } => {
            let (program, rest) = command.split_first().context("no command was given")?;
            let mut child = Command::new(program);
            child.args(rest);
            with_servers(workspace, &Interrupt::listen()?, &mut [&mut child])
        }
    }
}

/// Starts servers for some commands, one after the other until one fails, and stops them whatever happens. The exit code is the last
/// command's.
pub(crate) fn with_servers(
    workspace: &Workspace,
    interrupt: &Interrupt,
    commands: &mut [&mut Command],
) -> Result<ExitCode> {
    sweep(workspace)?;
    let mut servers = Group::new(workspace, &format!("run-{}", std::process::id()), Lifetime::OfThisProcess)?;
    servers.start(interrupt)?;
    let mut outcome = ExitCode::SUCCESS;
    for command in commands {
        command.envs(servers.facts.iter()).envs(artifacts(workspace).iter());
        let status = interrupt.wait_for(command)?;
        outcome = exit_code(status);
        if !status.success() {
            break;
        }
    }
    drop(servers);
    interrupt.check()?;
    Ok(outcome)
}

/// What `cargo xtask guests` and the build of the test binary leave where tests look for it.
pub(crate) fn artifacts(workspace: &Workspace) -> Facts {
    let mut facts = Facts::default();
    facts.add("SLUICE_TEST_CONNECTORS", workspace.connectors().display());
    facts.add("SLUICE_TEST_GUESTS", workspace.guests().display());
    facts.add("SLUICE_TEST_BIN", workspace.test_binary().display());
    facts
}

fn up(workspace: &Workspace) -> Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    sweep(workspace)?;
    let facts = match Group::running(workspace)? {
        Some(facts) => {
            eprintln!("xtask: the servers are already up");
            facts
        }
        None => {
            let mut servers = Group::new(workspace, group::BACKGROUND, Lifetime::UntilDown)?;
            servers.start(&interrupt)?;
            servers.leave_running()
        }
    };
    let exports = facts.exports() + &artifacts(workspace).exports();
    let file = env_file(workspace)?;
    std::fs::write(&file, &exports).with_context(|| format!("writing {}", file.display()))?;
    print!("{exports}");
    eprintln!("xtask: written to {0}; use it with `source {0}`; stop with `cargo xtask services down`", file.display());
    Ok(ExitCode::SUCCESS)
}

fn down(workspace: &Workspace) -> Result<ExitCode> {
    let stopped = group::stop_recorded(workspace, group::BACKGROUND)?;
    let _never_written = std::fs::remove_file(env_file(workspace)?);
    eprintln!("xtask: {}", if stopped { "the servers are stopped" } else { "no servers were up" });
    Ok(ExitCode::SUCCESS)
}

fn status(workspace: &Workspace) -> Result<ExitCode> {
    let rows = group::describe(workspace, group::BACKGROUND)?;
    if rows.is_empty() {
        println!("no servers are up");
        return Ok(ExitCode::FAILURE);
    }
    for row in rows {
        println!("{row}");
    }
    Ok(ExitCode::SUCCESS)
}

fn env_file(workspace: &Workspace) -> Result<PathBuf> {
    Ok(workspace.notes()?.join("services.env"))
}
