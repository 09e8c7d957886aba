//! TLS as the host speaks it for a guest: how far certificates are checked, whom to trust, and errors that a person can
//! act on. The ring provider is passed explicitly; nothing here is installed process-wide.

mod binding;
mod certificate;
mod explain;
mod roots;
mod verify;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::{NetError, NetErrorKind};
pub(crate) use binding::server_end_point;

/// Largest PEM text that is read.
const MAX_PEM: usize = 1 << 20;

/// How far the server's certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verification {
    /// Not at all: protects against listening only.
    None,
    /// It must come from a trusted authority.
    Authority,
    /// It must also be valid for the server's name.
    Full,
}

/// How to speak TLS; mirrors the contract's `net.tls-options`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TlsOptions {
    /// How far the certificate is checked.
    pub verification: Verification,
    /// The name to ask for and to check; none means the host that was connected to.
    pub server_name: Option<String>,
    /// Authorities to trust, PEM; none means the system's.
    pub authorities: Option<String>,
    /// The client's certificate chain, PEM.
    pub client_certificate: Option<String>,
    /// The client's private key, PEM.
    pub client_key: Option<String>,
    /// Application protocols to offer, the preferred first.
    pub alpn: Vec<String>,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            verification: Verification::Full,
            server_name: None,
            authorities: None,
            client_certificate: None,
            client_key: None,
            alpn: Vec::new(),
        }
    }
}

impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("verification", &self.verification)
            .field("server_name", &self.server_name)
            .field("authorities", &self.authorities.is_some())
            .field("client_certificate", &self.client_certificate.is_some())
            .field("client_key", &self.client_key.is_some())
            .field("alpn", &self.alpn)
            .finish()
    }
}

/// Options turned into what a handshake needs.
#[derive(Clone)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    verification: Verification,
    own_authorities: bool,
}

impl Tls {
    /// Reads the options for a connection to `host`.
    pub(crate) fn prepare(options: &TlsOptions, host: &str) -> Result<Self, NetError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let name = options.server_name.as_deref().unwrap_or(host);
        let name = ServerName::try_from(name.trim_end_matches('.').to_owned())
            .map_err(|_| config(format!("{name:?} is not a name that TLS can ask for")))?;
        let authorities = match &options.authorities {
            Some(pem) => Some(certificates("authorities", pem)?),
            None => None,
        };
        let own_authorities = authorities.is_some();
        let verifier = verify::Verifier::new(options.verification, authorities, &provider)?;
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| config(format!("TLS cannot be set up: {error}")))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut tls = match client_identity(options, &provider)? {
            Some(resolver) => builder.with_client_cert_resolver(resolver),
            None => builder.with_no_client_auth(),
        };
        if options.alpn.iter().any(|protocol| protocol.is_empty() || protocol.len() > 255) || options.alpn.len() > 16 {
            return Err(config("an ALPN protocol has 1 to 255 bytes, and at most 16 can be offered".to_owned()));
        }
        tls.alpn_protocols = options.alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Ok(Self { config: Arc::new(tls), name, verification: options.verification, own_authorities })
    }

    /// Shakes hands over an open stream.
    pub(crate) async fn handshake<S>(&self, stream: S, timeout: Duration) -> Result<TlsStream<S>, NetError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let connector = TlsConnector::from(Arc::clone(&self.config));
        match tokio::time::timeout(timeout, connector.connect(self.name.clone(), stream)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(explain::handshake(&error, self.verification, self.own_authorities)),
            Err(_) => {
                let message = format!(
                    "the TLS handshake did not end within {} seconds; the server may not speak TLS on this port",
                    timeout.as_secs_f32()
                );
                Err(NetError::new(NetErrorKind::Transient, message))
            }
        }
    }
}

fn config(message: String) -> NetError {
    NetError::new(NetErrorKind::Config, message)
}

/// Reads PEM certificates; at least one.
fn certificates(field: &str, pem: &str) -> Result<Vec<CertificateDer<'static>>, NetError> {
    if pem.len() > MAX_PEM {
        return Err(config(format!("{field} has more than {MAX_PEM} bytes")));
    }
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match parsed {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(config(format!("{field} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"))),
    }
}

type ClientIdentity = Arc<dyn rustls::client::ResolvesClientCert>;

fn client_identity(options: &TlsOptions, provider: &CryptoProvider) -> Result<Option<ClientIdentity>, NetError> {
    let (certificate, key) = match (&options.client_certificate, &options.client_key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => return Err(config("a client certificate needs its private key (client-key)".to_owned())),
        (None, Some(_)) => return Err(config("a client key needs its certificate (client-certificate)".to_owned())),
    };
    let chain = certificates("client-certificate", certificate)?;
    if key.len() > MAX_PEM {
        return Err(config(format!("client-key has more than {MAX_PEM} bytes")));
    }
    // The parser's error is not repeated: it might quote the key.
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| {
        config(
            "client-key holds no usable private key; an unencrypted PKCS#8, PKCS#1 or SEC1 key in PEM form is needed"
                .to_owned(),
        )
    })?;
    let certified = rustls::sign::CertifiedKey::from_der(chain, key, provider)
        .map_err(|error| config(format!("client-certificate and client-key do not fit together: {error}")))?;
    Ok(Some(Arc::new(rustls::sign::SingleCertAndKey::from(certified))))
}

#[cfg(test)]
#[path = "../tls_tests.rs"]
mod tests;
