//! Logging in: whatever method the server asks for, as far as the configuration lets the password go.
//!
//! | method | what is sent |
//! |---|---|
//! | `mysql_native_password` | a hash that depends on the server's random bytes |
//! | `caching_sha2_password` | the same; where the server has it no more in its cache, the password itself: inside TLS, or encrypted for the server's RSA key |
//! | `sha256_password` | the password itself, in the same two ways |
//! | `mysql_clear_password` | the password itself, inside TLS and only if that is allowed |
//!
//! To add a method: a name, an arm in [`first_answer`], and in [`exchange`] what it does with the server's further questions.

use sha1::{Digest as _, Sha1};
use sha2::{Digest as _, Sha256};
use sluice_sdk::{Error, Result};

use super::error::Failure;
use super::read::Bytes;
use super::rsa::PublicKey;
use super::{Wire, header};
use crate::config::MysqlConfig;

pub(crate) const NATIVE: &str = "mysql_native_password";
pub(crate) const CACHING_SHA2: &str = "caching_sha2_password";
const SHA256: &str = "sha256_password";
const CLEAR: &str = "mysql_clear_password";

/// Length of the random bytes that hashes depend on.
const NONCE: usize = 20;

/// How the login went, for the report of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    NoPassword,
    Native,
    CachedSha2,
    Sha2InTls,
    Sha2WithKey,
    ClearInTls,
}

impl Method {
    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NoPassword => "without a password",
            Self::Native => "with mysql_native_password",
            Self::CachedSha2 => "with caching_sha2_password (fast: the server still knew the password)",
            Self::Sha2InTls => "with a SHA-256 password, sent inside TLS",
            Self::Sha2WithKey => "with a SHA-256 password, encrypted for the server's RSA key",
            Self::ClearInTls => "with mysql_clear_password, sent inside TLS",
        }
    }
}

/// What the answers depend on.
pub(crate) struct Login<'a> {
    pub(crate) config: &'a MysqlConfig,
    pub(crate) encrypted: bool,
    pub(crate) plugin: String,
    pub(crate) nonce: Vec<u8>,
}

impl Login<'_> {
    fn password(&self) -> &str {
        self.config.password.as_deref().unwrap_or_default()
    }

    /// The answer to the server's first question. A method that is not known is answered as the usual one, because the server
    /// proposes its default before it knows who asks, and proposes another one then.
    pub(crate) fn first_answer(&self) -> Result<(&str, Vec<u8>)> {
        match self.plugin.as_str() {
            NATIVE | CACHING_SHA2 => Ok((&self.plugin, self.proof()?)),
            _ => Ok((NATIVE, native(self.password().as_bytes(), &self.nonce))),
        }
    }

    fn proof(&self) -> Result<Vec<u8>> {
        let password = self.password().as_bytes();
        match self.plugin.as_str() {
            NATIVE => Ok(native(password, &self.nonce)),
            CACHING_SHA2 => Ok(caching_sha2(password, &self.nonce)),
            // A zero byte is "no password"; a password is asked for, or sent inside TLS at once.
            SHA256 if password.is_empty() => Ok(vec![0]),
            SHA256 if self.encrypted => Ok(zero_terminated(password)),
            SHA256 => Ok(vec![1]),
            CLEAR => self.clear(),
            other => Err(unknown(other)),
        }
    }

    fn clear(&self) -> Result<Vec<u8>> {
        if !self.encrypted {
            let message = "the server asks for the password in clear text over an unencrypted connection, which would show it to everybody on the \
                way. Set `tls` to verify-full";
            return Err(Error::auth(message).field("/tls"));
        }
        if !self.config.allow_cleartext_password {
            let message = "the server asks for the password in clear text (inside TLS), as it does for PAM, LDAP or tokens. \
                Set `allow_cleartext_password` if that is meant";
            return Err(Error::auth(message).field("/allow_cleartext_password"));
        }
        Ok(zero_terminated(self.password().as_bytes()))
    }

    /// The password encrypted for a key of the server's.
    fn for_key(&self, pem: &str) -> Result<Vec<u8>> {
        let key = PublicKey::from_pem(pem)?;
        let mut seed = [0; 20];
        getrandom::fill(&mut seed).map_err(|e| Error::internal(format!("no random bytes: {e}")))?;
        let mut message = zero_terminated(self.password().as_bytes());
        for (byte, nonce) in message.iter_mut().zip(self.nonce.iter().cycle()) {
            *byte ^= nonce;
        }
        key.encrypt(&message, seed)
    }
}

/// Answers the server's questions until it is content.
pub(crate) fn exchange(wire: &mut Wire, mut login: Login<'_>) -> Result<Method, Failure> {
    let mut sent: Option<Method> = None;
    loop {
        let packet = wire.reply()?.to_vec();
        match packet.split_first() {
            Some((&header::OK, _)) => return Ok(sent.unwrap_or_else(|| login.usual())),
            Some((&header::EOF, request)) => {
                login.switch(request)?;
                let proof = login.proof()?;
                wire.send(&proof)?;
                sent = (login.plugin == CLEAR).then_some(Method::ClearInTls).or(sent);
                if login.plugin == SHA256 && !login.password().is_empty() {
                    sent = Some(if login.encrypted { Method::Sha2InTls } else { Method::Sha2WithKey });
                }
            }
            Some((&header::MORE_AUTH, [FAST_ENOUGH])) => sent = Some(Method::CachedSha2),
            Some((&header::MORE_AUTH, [FULL_NEEDED])) => sent = Some(full(wire, &login)?),
            Some((&header::MORE_AUTH, key)) => {
                let answer = login.for_offered(key)?;
                wire.send(&answer)?;
            }
            _ => return Err(malformed().into()),
        }
    }
}

/// What `caching_sha2_password` says after our first answer.
const FAST_ENOUGH: u8 = 3;
const FULL_NEEDED: u8 = 4;
/// How its key is asked for.
const KEY_PLEASE: u8 = 2;

/// The server does not have the password's hash at hand, so it wants the password.
fn full(wire: &mut Wire, login: &Login<'_>) -> Result<Method> {
    if login.encrypted {
        wire.send(&zero_terminated(login.password().as_bytes()))?;
        return Ok(Method::Sha2InTls);
    }
    if let Some(pem) = &login.config.server_public_key {
        let answer = login.for_key(pem).map_err(|e| e.field("/server_public_key"))?;
        wire.send(&answer)?;
        return Ok(Method::Sha2WithKey);
    }
    login.may_ask_for_key()?;
    wire.send(&[KEY_PLEASE])?;
    Ok(Method::Sha2WithKey)
}

impl Login<'_> {
    fn usual(&self) -> Method {
        match self.plugin.as_str() {
            _ if self.password().is_empty() => Method::NoPassword,
            CACHING_SHA2 => Method::CachedSha2,
            _ => Method::Native,
        }
    }

    /// The server asks for another method.
    fn switch(&mut self, request: &[u8]) -> Result<()> {
        if request.is_empty() {
            return Err(Error::unsupported(
                "the server asks for the password in the form of MySQL 4.0. An administrator must set the user's password again",
            )
            .field("/user"));
        }
        let mut bytes = Bytes(request);
        let plugin = bytes.until_zero().ok_or_else(malformed)?;
        self.plugin = String::from_utf8_lossy(plugin).into_owned();
        self.nonce = bytes.0.strip_suffix(&[0]).unwrap_or(bytes.0).to_vec();
        if self.nonce.len() != NONCE && matches!(self.plugin.as_str(), NATIVE | CACHING_SHA2 | SHA256) {
            return Err(malformed());
        }
        Ok(())
    }

    /// Whoever sits in between could offer a key of their own and read the password.
    fn may_ask_for_key(&self) -> Result<()> {
        if self.config.allow_public_key_retrieval {
            return Ok(());
        }
        let message = format!(
            "the login ({}) needs TLS, or the server's public key. Set `tls` to verify-full; or put the key (public_key.pem in the server's \
             data folder) into `server_public_key`; or set `allow_public_key_retrieval` where nobody can be in between",
            self.plugin
        );
        Err(Error::auth(message).field("/allow_public_key_retrieval"))
    }

    /// The answer to a key that the server sent.
    fn for_offered(&self, key: &[u8]) -> Result<Vec<u8>> {
        if self.encrypted || !matches!(self.plugin.as_str(), CACHING_SHA2 | SHA256) {
            return Err(malformed());
        }
        match &self.config.server_public_key {
            Some(pem) => self.for_key(pem).map_err(|e| e.field("/server_public_key")),
            None => {
                self.may_ask_for_key()?;
                self.for_key(&String::from_utf8_lossy(key))
            }
        }
    }
}

/// `SHA1(password) ^ SHA1(nonce + SHA1(SHA1(password)))`; empty for no password.
fn native(password: &[u8], nonce: &[u8]) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let once = Sha1::digest(password);
    let twice = Sha1::digest(once);
    let nonce = nonce.get(..NONCE).unwrap_or(nonce);
    let salted = Sha1::new().chain_update(nonce).chain_update(twice).finalize();
    once.iter().zip(salted).map(|(a, b)| a ^ b).collect()
}

/// `SHA256(password) ^ SHA256(SHA256(SHA256(password)) + nonce)`; empty for no password.
fn caching_sha2(password: &[u8], nonce: &[u8]) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let once = Sha256::digest(password);
    let twice = Sha256::digest(once);
    let salted = Sha256::new().chain_update(twice).chain_update(nonce).finalize();
    once.iter().zip(salted).map(|(a, b)| a ^ b).collect()
}

fn zero_terminated(password: &[u8]) -> Vec<u8> {
    let mut out = password.to_vec();
    out.push(0);
    out
}

fn unknown(plugin: &str) -> Error {
    let plugin: String = plugin.chars().take(64).filter(|c| !c.is_control()).collect();
    let message = format!(
        "the server asks for login method {plugin:?}, which is not supported. An administrator can give this user a password of \
         caching_sha2_password (MySQL) or mysql_native_password (MariaDB)"
    );
    Error::unsupported(message).field("/user")
}

fn malformed() -> Error {
    Error::protocol("the server broke the protocol while logging in; is this a MySQL server?")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn config() -> MysqlConfig {
        serde_json::from_value(serde_json::json!({"host": "h", "user": "u", "password": "secret"})).unwrap()
    }

    #[test]
    fn hashes_are_those_of_other_clients() {
        // Both computed by Python's hashlib from the formulas in the server's documentation.
        let nonce = b"abcdefghijklmnopqrst";
        assert_eq!(hex(&native(b"secret", nonce)), NATIVE_PROOF);
        assert_eq!(hex(&caching_sha2(b"secret", nonce)), SHA2_PROOF);
        assert!(native(b"", nonce).is_empty() && caching_sha2(b"", nonce).is_empty());
    }

    #[test]
    fn a_password_never_leaves_in_a_form_that_others_can_read() {
        let config = config();
        let login =
            |encrypted, plugin: &str| Login { config: &config, encrypted, plugin: plugin.into(), nonce: vec![1; 20] };
        assert_eq!(login(false, CLEAR).proof().unwrap_err().field.as_deref(), Some("/tls"));
        assert_eq!(login(true, CLEAR).proof().unwrap_err().field.as_deref(), Some("/allow_cleartext_password"));
        assert_eq!(login(false, SHA256).proof().unwrap(), [1]);
        let offered = login(false, CACHING_SHA2).for_offered(b"a key of somebody's").unwrap_err();
        assert_eq!(offered.field.as_deref(), Some("/allow_public_key_retrieval"));
        assert!(login(true, CACHING_SHA2).for_offered(b"a key inside TLS").is_err());
    }

    #[test]
    fn a_switch_that_is_cut_off_is_refused() {
        let config = config();
        for request in [&b""[..], b"mysql_native", b"mysql_native_password\0short\0"] {
            let mut login = Login { config: &config, encrypted: false, plugin: NATIVE.into(), nonce: vec![1; 20] };
            assert!(login.switch(request).is_err(), "{request:?}");
        }
    }

    #[test]
    fn an_unknown_method_is_named() {
        assert!(unknown("client_ed25519").message.contains("client_ed25519"));
    }

    const NATIVE_PROOF: &str = "8817c50fa779daef010ee7577825b0847df9842e";
    const SHA2_PROOF: &str = "c76e2898612a4cf042c77fa8c4702c4c64c0c2c557c53c4d75595aaa6abae809";
}
