//! The three ways of checking a server's certificate. Each of them checks the handshake's signature, so that the peer
//! holds the key of the certificate it shows.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, RootCertStore, SignatureScheme};

use super::Verification;
use super::certificate::Certificate;
use super::roots;
use crate::net::error::{NetError, NetErrorKind};

/// Checks certificates as one of the modes asks.
#[derive(Debug)]
pub(super) struct Verifier {
    mode: Verification,
    roots: Arc<RootCertStore>,
    /// Certificates given as authorities: a server that shows one of them itself (self-signed) is trusted as well.
    pinned: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(super) fn new(
        mode: Verification,
        authorities: Option<Vec<CertificateDer<'static>>>,
        provider: &CryptoProvider,
    ) -> Result<Self, NetError> {
        let algorithms = provider.signature_verification_algorithms;
        let (roots, pinned) = match (mode, authorities) {
            (Verification::None, _) => (Arc::new(RootCertStore::empty()), Vec::new()),
            (_, None) => (roots::system(), Vec::new()),
            (_, Some(own)) => {
                let mut store = RootCertStore::empty();
                let (added, _) = store.add_parsable_certificates(own.iter().cloned());
                if added == 0 {
                    let message = "none of the certificates in authorities can be read as X.509";
                    return Err(NetError::new(NetErrorKind::Config, message));
                }
                (Arc::new(store), own)
            }
        };
        Ok(Self { mode, roots, pinned, algorithms })
    }

    /// The chain leads to a trusted authority, or the certificate itself was given as trusted.
    fn check_chain(
        &self,
        parsed: &ParsedCertificate<'_>,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        if self.pinned.iter().any(|pinned| pinned.as_ref() == end_entity.as_ref()) {
            let certificate = Certificate::parse(end_entity).ok_or(CertificateError::BadEncoding)?;
            return certificate.check_dates(now);
        }
        let chain =
            verify_server_cert_signed_by_trust_anchor(parsed, &self.roots, intermediates, now, self.algorithms.all);
        // An authority of the right name but with another key: one that was created anew.
        chain.map_err(|error| match error {
            Error::InvalidCertificate(CertificateError::BadSignature) => CertificateError::UnknownIssuer.into(),
            other => other,
        })
    }

    /// Verifies with the certificate's public key alone: `none` has to work with certificates that the stricter
    /// parser refuses (X.509 v1, as many self-made server certificates are), and still the peer must hold the key.
    fn check_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
        first_only: bool,
    ) -> Result<HandshakeSignatureValid, Error> {
        let certificate = Certificate::parse(cert).ok_or(CertificateError::BadEncoding)?;
        let candidates = self.algorithms.mapping.iter().find(|(scheme, _)| *scheme == dss.scheme).map(|(_, all)| *all);
        let candidates = candidates.ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        let limit = if first_only { 1 } else { candidates.len() };
        let fitting =
            candidates.iter().take(limit).filter(|a| a.public_key_alg_id().as_ref() == certificate.key_algorithm);
        for algorithm in fitting {
            if algorithm.verify_signature(certificate.key, message, dss.signature()).is_ok() {
                return Ok(HandshakeSignatureValid::assertion());
            }
        }
        Err(CertificateError::BadSignature.into())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.mode == Verification::None {
            return Ok(ServerCertVerified::assertion());
        }
        let parsed = ParsedCertificate::try_from(end_entity)?;
        self.check_chain(&parsed, end_entity, intermediates, now)?;
        if self.mode == Verification::Full {
            verify_server_name(&parsed, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(message, cert, dss, false)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // TLS 1.3 binds one algorithm to a scheme and knows neither PKCS#1 signatures nor SHA-1.
        if !is_tls13(dss.scheme) {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        self.check_signature(message, cert, dss, true)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn is_tls13(scheme: SignatureScheme) -> bool {
    matches!(
        scheme,
        SignatureScheme::ECDSA_NISTP256_SHA256
            | SignatureScheme::ECDSA_NISTP384_SHA384
            | SignatureScheme::ECDSA_NISTP521_SHA512
            | SignatureScheme::RSA_PSS_SHA256
            | SignatureScheme::RSA_PSS_SHA384
            | SignatureScheme::RSA_PSS_SHA512
            | SignatureScheme::ED25519
            | SignatureScheme::ED448
    )
}
