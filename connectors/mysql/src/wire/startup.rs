//! From nothing to a session that takes statements: connect, agree on TLS, log in.

use sluice_sdk::net::{Connection, TlsOptions, Verification};
use sluice_sdk::{Error, ErrorKind, Result};
use sluice_sql::check::Stage;

use super::Wire;
use super::auth::{self, Login, Method};
use super::error::Failure;
use super::handshake::{self, Greeting, Response, capability};
use crate::config::{MysqlConfig, TlsMode};

/// A session, and how it came to be.
pub(crate) struct LoggedIn {
    pub(crate) wire: Wire,
    pub(crate) encrypted: bool,
    pub(crate) method: Method,
    /// As the server greets.
    pub(crate) version: String,
}

/// Connects and logs in. `prefer` tries without TLS where TLS does not come about.
pub(crate) fn connect(config: &MysqlConfig) -> Result<LoggedIn, (Stage, Error)> {
    let first = config.tls != TlsMode::Disable;
    match attempt(config, first) {
        Err((Stage::Tls, failure)) if config.tls == TlsMode::Prefer && !is_cancelled(&failure) => {
            // The first answer is the one to report: it says what is wrong with the way that was meant.
            attempt(config, false).map_err(|_| (Stage::Tls, failure.into()))
        }
        other => other.map_err(|(stage, failure)| (stage, failure.into())),
    }
}

fn is_cancelled(failure: &Failure) -> bool {
    matches!(failure, Failure::Other(error) if error.kind == ErrorKind::Cancelled)
}

fn attempt(config: &MysqlConfig, tls: bool) -> Result<LoggedIn, (Stage, Failure)> {
    let link = Connection::open(&config.host, config.port, None)
        .map_err(|e| (Stage::Connect, Failure::from(with_field(e, "/host"))))?;
    let mut wire = Wire::new(link);
    let greeting = greet(&mut wire).map_err(|failure| (Stage::Connect, failure))?;
    let encrypted = tls && negotiate(&mut wire, &greeting, config).map_err(|e| (Stage::Tls, Failure::from(e)))?;
    wire.capabilities = greeting.common(config.database.as_deref(), encrypted);
    let version = greeting.version.clone();
    let method = log_in(&mut wire, config, greeting, encrypted).map_err(|failure| (Stage::LogIn, failure))?;
    Ok(LoggedIn { wire, encrypted, method, version })
}

fn greet(wire: &mut Wire) -> Result<Greeting, Failure> {
    Ok(Greeting::parse(wire.reply()?)?)
}

/// Asks for TLS and turns it on. False if the server has none and the mode can do without.
fn negotiate(wire: &mut Wire, greeting: &Greeting, config: &MysqlConfig) -> Result<bool> {
    if greeting.capabilities & capability::TLS == 0 {
        if config.tls == TlsMode::Prefer {
            return Ok(false);
        }
        let message =
            "the server does not speak TLS. Turn it on there (ssl_cert, ssl_key), or set `tls` to prefer or disable";
        return Err(Error::config(message).field("/tls"));
    }
    // What somebody puts behind the greeting must not be taken for something that came through TLS; the host refuses what
    // lies with it, and this what was already handed over.
    if !wire.is_drained() {
        return Err(Error::protocol("the server went on after its greeting, before TLS was turned on"));
    }
    wire.send(&handshake::head(greeting.common(config.database.as_deref(), true)))?;
    wire.link.start_tls(&options(config)).map_err(|e| with_field(e, "/tls").context("TLS"))?;
    Ok(true)
}

fn options(config: &MysqlConfig) -> TlsOptions {
    let verification = match config.tls {
        TlsMode::VerifyFull => Verification::Full,
        TlsMode::VerifyCa => Verification::Authority,
        // Whoever names an authority wants it checked.
        TlsMode::Require if config.tls_ca.is_some() => Verification::Authority,
        TlsMode::Disable | TlsMode::Prefer | TlsMode::Require => Verification::None,
    };
    TlsOptions {
        server_name: config.tls_server_name.clone(),
        authorities: config.tls_ca.clone(),
        client_certificate: config.client_certificate.clone(),
        client_key: config.client_key.clone(),
        ..TlsOptions::new(verification)
    }
}

fn log_in(wire: &mut Wire, config: &MysqlConfig, greeting: Greeting, encrypted: bool) -> Result<Method, Failure> {
    let login = Login { config, encrypted, plugin: greeting.plugin, nonce: greeting.nonce };
    let (plugin, proof) = login.first_answer()?;
    let response = Response {
        capabilities: wire.capabilities,
        user: &config.user,
        proof: &proof,
        database: config.database.as_deref(),
        plugin,
        program: &config.application_name,
    };
    wire.send(&response.encode()?)?;
    auth::exchange(wire, login).map_err(|failure| hint(failure, encrypted))
}

/// The server does not say that a user may only come through TLS; it says that the password is wrong.
fn hint(failure: Failure, encrypted: bool) -> Failure {
    match failure {
        Failure::Server(mut error) if error.code == 1045 && !encrypted => {
            error.hint = "If the user may only log in over TLS, set `tls`";
            Failure::Server(error)
        }
        other => other,
    }
}

fn with_field(error: Error, field: &str) -> Error {
    if error.field.is_none() { error.field(field) } else { error }
}
