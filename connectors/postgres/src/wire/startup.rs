//! From nothing to a session that takes statements: connect, agree on TLS, log in.

use postgres_protocol::message::frontend;
use sluice_sdk::net::{Connection, TlsOptions, Verification};
use sluice_sdk::{Error, ErrorKind, Result};
use sluice_sql::check::Stage;

use super::auth::{self, Method};
use super::error::Failure;
use super::{Wire, tag};
use crate::config::{PostgresConfig, TlsMode};

/// A session, and how it came to be.
pub(crate) struct LoggedIn {
    pub(crate) wire: Wire,
    pub(crate) encrypted: bool,
    pub(crate) method: Method,
}

/// Connects and logs in. `allow` and `prefer` try the other way when the server refuses the first one.
pub(crate) fn connect(config: &PostgresConfig) -> Result<LoggedIn, (Stage, Error)> {
    let first = config.tls != TlsMode::Disable && config.tls != TlsMode::Allow;
    match attempt(config, first) {
        Err((stage, failure)) if second_chance(config.tls, stage, &failure) => {
            // The first answer is the one to report: it says what is wrong with the way that was meant.
            attempt(config, !first).map_err(|_| (stage, failure.into()))
        }
        other => other.map_err(|(stage, failure)| (stage, failure.into())),
    }
}

/// True where libpq would try again with TLS, or without: the server has no rule for this way, or TLS did not come about.
fn second_chance(mode: TlsMode, stage: Stage, failure: &Failure) -> bool {
    match mode {
        TlsMode::Allow => stage == Stage::LogIn && failure.code() == Some("28000"),
        TlsMode::Prefer => match failure {
            Failure::Server(error) => stage == Stage::LogIn && error.code == "28000",
            Failure::Other(error) => stage == Stage::Tls && error.kind != ErrorKind::Cancelled,
        },
        _ => false,
    }
}

fn attempt(config: &PostgresConfig, tls: bool) -> Result<LoggedIn, (Stage, Failure)> {
    let mut link = Connection::open(&config.host, config.port, None)
        .map_err(|e| (Stage::Connect, with_field(e, "/host").into()))?;
    let encrypted = tls && negotiate(&mut link, config).map_err(|e| (Stage::Tls, e.into()))?;
    let mut wire = Wire::new(link);
    let method = log_in(&mut wire, config, encrypted).map_err(|failure| (Stage::LogIn, failure))?;
    Ok(LoggedIn { wire, encrypted, method })
}

/// Asks for TLS and turns it on. False if the server has none and the mode can do without.
fn negotiate(link: &mut Connection, config: &PostgresConfig) -> Result<bool> {
    let mut request = bytes::BytesMut::new();
    frontend::ssl_request(&mut request);
    link.write(&request)?;
    // The host refuses to start TLS over bytes that arrived early, and one byte is all that is read here: what somebody
    // puts behind the answer can never be taken for something that came through TLS (CVE-2021-23222).
    match link.read(1)?.as_slice() {
        b"S" => {
            link.start_tls(&options(config)).map_err(|e| with_field(e, "/tls").context("TLS"))?;
            Ok(true)
        }
        b"N" if matches!(config.tls, TlsMode::Prefer | TlsMode::Allow) => Ok(false),
        b"N" => {
            let message =
                "the server does not speak TLS. Turn it on there (ssl = on), or set `tls` to prefer or disable";
            Err(Error::config(message).field("/tls"))
        }
        [] => Err(Error::transient("the server closed the connection when asked for TLS")),
        _ => Err(Error::protocol("the server did not understand the question for TLS; is this a PostgreSQL server?")),
    }
}

fn options(config: &PostgresConfig) -> TlsOptions {
    let verification = match config.tls {
        TlsMode::VerifyFull => Verification::Full,
        TlsMode::VerifyCa => Verification::Authority,
        // As libpq does: whoever names an authority wants it checked.
        TlsMode::Require if config.tls_ca.is_some() => Verification::Authority,
        TlsMode::Disable | TlsMode::Allow | TlsMode::Prefer | TlsMode::Require => Verification::None,
    };
    TlsOptions {
        server_name: config.tls_server_name.clone(),
        authorities: config.tls_ca.clone(),
        client_certificate: config.client_certificate.clone(),
        client_key: config.client_key.clone(),
        ..TlsOptions::new(verification)
    }
}

fn log_in(wire: &mut Wire, config: &PostgresConfig, encrypted: bool) -> Result<Method, Failure> {
    let parameters = [
        ("user", config.user.as_str()),
        ("database", config.database.as_str()),
        ("client_encoding", "UTF8"),
        ("application_name", config.application_name.as_str()),
    ];
    wire.send(|out| frontend::startup_message(parameters, out))?;
    let method = auth::log_in(wire, config, encrypted)?;
    loop {
        if wire.reply()?.tag == tag::READY {
            return Ok(method);
        }
    }
}

fn with_field(error: Error, field: &str) -> Error {
    if error.field.is_none() { error.field(field) } else { error }
}
