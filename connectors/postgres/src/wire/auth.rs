//! Logging in: whatever method the server asks for, as far as the configuration lets the password go.

use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256};
use postgres_protocol::message::frontend;
use sluice_sdk::{Error, Result};

use super::error::Failure;
use super::{Wire, tag};
use crate::config::{ChannelBindingMode, PostgresConfig};

/// Numbers of the server's authentication requests.
mod request {
    pub(super) const OK: u32 = 0;
    pub(super) const CLEARTEXT: u32 = 3;
    pub(super) const MD5: u32 = 5;
    pub(super) const SASL: u32 = 10;
    pub(super) const SASL_CONTINUE: u32 = 11;
    pub(super) const SASL_FINAL: u32 = 12;
}

/// How the login went, for the report of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Trust,
    Cleartext,
    Md5,
    Scram,
    ScramPlus,
}

impl Method {
    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Trust => "without a password",
            Self::Cleartext => "with a clear-text password",
            Self::Md5 => "with an MD5 password",
            Self::Scram => "with SCRAM-SHA-256",
            Self::ScramPlus => "with SCRAM-SHA-256-PLUS (bound to the TLS channel)",
        }
    }
}

/// Answers the server's requests until it is content.
pub(crate) fn log_in(wire: &mut Wire, config: &PostgresConfig, encrypted: bool) -> Result<Method, Failure> {
    let mut method = Method::Trust;
    let mut scram: Option<ScramSha256> = None;
    let mut verified = true;
    loop {
        let (kind, data) = request(wire)?;
        match kind {
            request::OK => {
                if !verified {
                    return Err(Error::auth(
                        "the server ended the SCRAM login without proving that it knows the password",
                    )
                    .into());
                }
                if config.channel_binding == ChannelBindingMode::Require && method != Method::ScramPlus {
                    return Err(unbound().into());
                }
                return Ok(method);
            }
            request::CLEARTEXT => {
                if !encrypted && !config.allow_cleartext_password {
                    let message = "the server asks for the password in clear text over an unencrypted connection, which would show it \
                        to everybody on the way. Turn TLS on, or set `allow_cleartext_password`";
                    return Err(Error::auth(message).field("/allow_cleartext_password").into());
                }
                method = Method::Cleartext;
                answer(wire, password(config)?.as_bytes())?;
            }
            request::MD5 => {
                let salt = data.first_chunk::<4>().ok_or_else(malformed)?;
                method = Method::Md5;
                answer(wire, md5_hash(config.user.as_bytes(), password(config)?.as_bytes(), *salt).as_bytes())?;
            }
            request::SASL => {
                let (mechanism, exchange) = choose(wire, config, &data)?;
                method = if mechanism == SCRAM_SHA_256_PLUS { Method::ScramPlus } else { Method::Scram };
                wire.send(|out| frontend::sasl_initial_response(mechanism, exchange.message(), out))?;
                verified = false;
                scram = Some(exchange);
            }
            request::SASL_CONTINUE => {
                let exchange = scram.as_mut().ok_or_else(malformed)?;
                exchange.update(&data).map_err(|e| Error::auth(format!("the SCRAM login failed: {e}")))?;
                wire.send(|out| frontend::sasl_response(exchange.message(), out))?;
            }
            request::SASL_FINAL => {
                let mut exchange = scram.take().ok_or_else(malformed)?;
                let wrong = |e| {
                    Error::auth(format!(
                        "the server could not prove that it knows the password ({e}); is it the right server?"
                    ))
                };
                exchange.finish(&data).map_err(wrong)?;
                verified = true;
            }
            other => {
                let message = format!(
                    "the server asks for authentication method {other} (GSSAPI, SSPI or something newer), which is not supported. \
                     An administrator can allow scram-sha-256 for this user in pg_hba.conf",
                );
                return Err(Error::unsupported(message).field("/user").into());
            }
        }
    }
}

fn request(wire: &mut Wire) -> Result<(u32, Vec<u8>), Failure> {
    let message = wire.reply()?;
    let (kind, data) = message.body.split_first_chunk::<4>().ok_or_else(malformed)?;
    if message.tag != tag::AUTHENTICATION {
        return Err(malformed().into());
    }
    Ok((u32::from_be_bytes(*kind), data.to_vec()))
}

fn answer(wire: &mut Wire, password: &[u8]) -> Result<()> {
    wire.send(|out| frontend::password_message(password, out))
}

/// The best mechanism that both sides have.
fn choose(wire: &mut Wire, config: &PostgresConfig, offered: &[u8]) -> Result<(&'static str, ScramSha256)> {
    let offers = |name: &str| offered.split(|b| *b == 0).any(|offer| offer == name.as_bytes());
    let end_point = match config.channel_binding {
        ChannelBindingMode::Disable => None,
        ChannelBindingMode::Prefer | ChannelBindingMode::Require => wire.link.tls_server_end_point(),
    };
    let (mechanism, binding) = match end_point {
        Some(data) if offers(SCRAM_SHA_256_PLUS) => (SCRAM_SHA_256_PLUS, ChannelBinding::tls_server_end_point(data)),
        _ if config.channel_binding == ChannelBindingMode::Require => return Err(unbound()),
        // Saying "I could have, you did not offer it" lets the server notice that somebody removed its offer.
        Some(_) => (SCRAM_SHA_256, ChannelBinding::unrequested()),
        None => (SCRAM_SHA_256, ChannelBinding::unsupported()),
    };
    if !offers(mechanism) {
        return Err(Error::unsupported(
            "the server offers no SASL mechanism that is known here; it must offer SCRAM-SHA-256",
        ));
    }
    Ok((mechanism, ScramSha256::new(password(config)?.as_bytes(), binding)))
}

fn password(config: &PostgresConfig) -> Result<&str> {
    config
        .password
        .as_deref()
        .filter(|password| !password.is_empty())
        .ok_or_else(|| Error::auth("the server asks for a password, and none is configured").field("/password"))
}

fn unbound() -> Error {
    let message = "channel binding is required, but the login would not be bound to the TLS channel: it needs TLS and a server \
        that offers SCRAM-SHA-256-PLUS";
    Error::auth(message).field("/channel_binding")
}

fn malformed() -> Error {
    Error::protocol("the server broke the protocol while logging in; is this a PostgreSQL server?")
}
