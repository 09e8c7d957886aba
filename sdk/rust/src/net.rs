//! TCP and TLS, spoken by the host to the hosts that the manifest declares.

use crate::Result;
use crate::host::{Link, host};

/// How far the server's certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Not at all.
    None,
    /// It must come from a trusted authority.
    Authority,
    /// It must also be valid for the server's name.
    Full,
}

/// How to speak TLS.
#[derive(Clone, Debug)]
pub struct TlsOptions {
    /// How far the certificate is checked.
    pub verification: Verification,
    /// The name to ask for and check; none means the host connected to.
    pub server_name: Option<String>,
    /// Authorities to trust, PEM; none means the system's.
    pub authorities: Option<String>,
    /// The client's certificate chain, PEM.
    pub client_certificate: Option<String>,
    /// The client's key, PEM.
    pub client_key: Option<String>,
    /// Application protocols to offer.
    pub alpn: Vec<String>,
}

impl TlsOptions {
    /// TLS with this much checking and nothing special.
    pub fn new(verification: Verification) -> Self {
        Self {
            verification,
            server_name: None,
            authorities: None,
            client_certificate: None,
            client_key: None,
            alpn: Vec::new(),
        }
    }
}

/// A TCP connection, closed when dropped.
pub struct Connection {
    link: Box<dyn Link>,
}

impl Connection {
    /// Connects; with `tls`, speaks TLS from the first byte.
    ///
    /// # Errors
    /// `permission` where the host does not allow the address, `not-found` where the name does not resolve, `transient` where
    /// nobody answers.
    pub fn open(address: &str, port: u16, tls: Option<&TlsOptions>) -> Result<Self> {
        Ok(Self { link: host().connect(address, port, tls)? })
    }

    /// Waits for bytes and returns at most `max`; empty at the end.
    ///
    /// # Errors
    /// `transient` if the connection broke.
    pub fn read(&mut self, max: u32) -> Result<Vec<u8>> {
        self.link.read(max)
    }

    /// Sends all bytes.
    ///
    /// # Errors
    /// `transient` if the connection broke.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.link.write(bytes)
    }

    /// Turns TLS on in a connection that started in the clear.
    ///
    /// # Errors
    /// If the handshake fails, or bytes arrived before it.
    pub fn start_tls(&mut self, options: &TlsOptions) -> Result<()> {
        self.link.start_tls(options)
    }

    /// Channel binding data `tls-server-end-point` (RFC 5929); none without TLS.
    pub fn tls_server_end_point(&mut self) -> Option<Vec<u8>> {
        self.link.tls_server_end_point()
    }
}
