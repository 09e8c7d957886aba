//! The first packets: what the server says of itself, and what we say of us.

use sluice_sdk::{Error, Result};

use super::read::{Bytes, write_string};

/// What each side can do.
pub(crate) mod capability {
    pub(crate) const LONG_PASSWORD: u32 = 1;
    pub(crate) const LONG_FLAG: u32 = 1 << 2;
    pub(crate) const CONNECT_WITH_DB: u32 = 1 << 3;
    pub(crate) const PROTOCOL_41: u32 = 1 << 9;
    pub(crate) const TLS: u32 = 1 << 11;
    pub(crate) const TRANSACTIONS: u32 = 1 << 13;
    pub(crate) const SECURE_CONNECTION: u32 = 1 << 15;
    pub(crate) const PLUGIN_AUTH: u32 = 1 << 19;
    pub(crate) const CONNECT_ATTRIBUTES: u32 = 1 << 20;
    pub(crate) const DEPRECATE_EOF: u32 = 1 << 24;
}

/// What no server can do without.
const NEEDED: u32 = capability::PROTOCOL_41 | capability::SECURE_CONNECTION;

/// What is used if the server has it.
const WANTED: u32 = NEEDED
    | capability::LONG_PASSWORD
    | capability::LONG_FLAG
    | capability::TRANSACTIONS
    | capability::PLUGIN_AUTH
    | capability::CONNECT_ATTRIBUTES
    | capability::DEPRECATE_EOF;

/// `utf8mb4_general_ci`, which every server knows.
const CHARACTER_SET: u8 = 45;

/// Longest packet that we take.
const MAX_PACKET: u32 = 1 << 30;

/// What the server says first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// As it prints it.
    pub(crate) version: String,
    pub(crate) capabilities: u32,
    /// Random bytes that the answer to the password question depends on.
    pub(crate) nonce: Vec<u8>,
    pub(crate) plugin: String,
}

impl Greeting {
    /// Takes the packet apart.
    pub(crate) fn parse(body: &[u8]) -> Result<Self> {
        match body.first() {
            Some(10) => {}
            Some(version @ 0..=30) => {
                let message = format!(
                    "the server greets with protocol {version}, known is 10; is this a MySQL server (not its X protocol)?"
                );
                return Err(Error::protocol(message));
            }
            _ => return Err(malformed()),
        }
        let greeting = Self::parse_10(body).ok_or_else(malformed)?;
        if greeting.capabilities & NEEDED != NEEDED {
            return Err(Error::unsupported(format!(
                "MySQL {} is too old; 5.6 is the first that is understood",
                greeting.version
            )));
        }
        Ok(greeting)
    }

    fn parse_10(body: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(body.get(1..)?);
        let version = String::from_utf8_lossy(bytes.until_zero()?).into_owned();
        bytes.u32()?;
        let mut nonce = bytes.take(8)?.to_vec();
        bytes.u8()?;
        let low = bytes.u16()?;
        bytes.u8()?;
        bytes.u16()?;
        let high = bytes.u16()?;
        let length = usize::from(bytes.u8()?);
        bytes.take(10)?;
        let capabilities = u32::from(low) | u32::from(high) << 16;
        // At least 13 bytes, of which the last is a zero that belongs to nothing.
        let rest = bytes.take(length.saturating_sub(8).max(13))?;
        nonce.extend_from_slice(rest.strip_suffix(&[0]).unwrap_or(rest));
        let plugin = if capabilities & capability::PLUGIN_AUTH != 0 {
            // Some servers forget the zero at the end.
            let name = bytes.until_zero().unwrap_or(bytes.0);
            String::from_utf8_lossy(name).into_owned()
        } else {
            super::auth::NATIVE.to_owned()
        };
        Some(Self { version, capabilities, nonce, plugin })
    }

    /// What both sides can do.
    pub(crate) fn common(&self, database: Option<&str>, tls: bool) -> u32 {
        let database = if database.is_some() { capability::CONNECT_WITH_DB } else { 0 };
        let tls = if tls { capability::TLS } else { 0 };
        (WANTED & self.capabilities) | database | tls
    }
}

/// The request for TLS, which is also the beginning of [`response`].
pub(crate) fn head(capabilities: u32) -> Vec<u8> {
    let mut out = capabilities.to_le_bytes().to_vec();
    out.extend_from_slice(&MAX_PACKET.to_le_bytes());
    out.push(CHARACTER_SET);
    out.extend_from_slice(&[0; 23]);
    out
}

/// What we answer.
pub(crate) struct Response<'a> {
    pub(crate) capabilities: u32,
    pub(crate) user: &'a str,
    pub(crate) proof: &'a [u8],
    pub(crate) database: Option<&'a str>,
    pub(crate) plugin: &'a str,
    /// Shown in `performance_schema.session_connect_attrs`.
    pub(crate) program: &'a str,
}

impl Response<'_> {
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let mut out = head(self.capabilities);
        let mut zero_terminated = |text: &str| {
            out.extend_from_slice(text.as_bytes());
            out.push(0);
        };
        zero_terminated(self.user);
        let length = u8::try_from(self.proof.len())
            .map_err(|_| Error::internal("an answer to a password question is too long"))?;
        out.push(length);
        out.extend_from_slice(self.proof);
        if let Some(database) = self.database {
            out.extend_from_slice(database.as_bytes());
            out.push(0);
        }
        if self.capabilities & capability::PLUGIN_AUTH != 0 {
            out.extend_from_slice(self.plugin.as_bytes());
            out.push(0);
        }
        if self.capabilities & capability::CONNECT_ATTRIBUTES != 0 {
            let mut attributes = Vec::new();
            for (name, value) in [("_client_name", "sluice"), ("program_name", self.program)] {
                write_string(&mut attributes, name.as_bytes());
                write_string(&mut attributes, value.as_bytes());
            }
            write_string(&mut out, &attributes);
        }
        Ok(out)
    }
}

fn malformed() -> Error {
    Error::protocol("the server did not greet as a MySQL server does; is it one?")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting(version: &str, low: u16, high: u16) -> Vec<u8> {
        let mut body = vec![10];
        body.extend_from_slice(version.as_bytes());
        body.extend_from_slice(b"\0\x01\0\0\0abcdefgh\0");
        body.extend_from_slice(&low.to_le_bytes());
        body.extend_from_slice(b"\x2d\x02\0");
        body.extend_from_slice(&high.to_le_bytes());
        body.push(21);
        body.extend_from_slice(&[0; 10]);
        body.extend_from_slice(b"ijklmnopqrst\0caching_sha2_password\0");
        body
    }

    #[test]
    fn a_greeting_holds_version_nonce_and_method() {
        let greeting = Greeting::parse(&greeting("9.7.4", 0xffff, 0xffff)).unwrap();
        assert_eq!(greeting.version, "9.7.4");
        assert_eq!(greeting.nonce, b"abcdefghijklmnopqrst");
        assert_eq!(greeting.plugin, "caching_sha2_password");
    }

    #[test]
    fn what_is_no_greeting_is_refused() {
        for body in [&b""[..], b"HTTP/1.1 400 Bad Request\r\n", b"\x0a5.7", b"\x09old\0"] {
            assert_eq!(Greeting::parse(body).unwrap_err().kind, sluice_sdk::ErrorKind::Protocol, "{body:?}");
        }
        assert!(Greeting::parse(&greeting("4.0", 0, 0)).unwrap_err().message.contains("too old"));
    }

    #[test]
    fn no_capability_is_claimed_that_the_server_does_not_have() {
        let greeting = Greeting::parse(&greeting("5.6", 0xffff, 0)).unwrap();
        assert_eq!(greeting.plugin, "mysql_native_password");
        let common = greeting.common(Some("shop"), false);
        assert_eq!(common & capability::DEPRECATE_EOF, 0);
        assert_ne!(common & capability::CONNECT_WITH_DB, 0);
    }
}
