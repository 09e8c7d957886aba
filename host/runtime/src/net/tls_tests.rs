use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use rustls::version::{TLS12, TLS13};
use sha2::{Digest, Sha256, Sha384};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::{TlsOptions, Verification};
use crate::net::testing::{Answers, Authority, Identity, acceptor, listen, params, policy};
use crate::net::{Connection, NetError, NetErrorKind, Network};

const BOTH: &[&rustls::SupportedProtocolVersion] = &[&TLS12, &TLS13];

/// A TLS server that answers `ping` with `pong`.
async fn server(acceptor: TlsAcceptor) -> SocketAddr {
    listen(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut ping = [0; 4];
            if stream.read_exact(&mut ping).await.is_ok() {
                stream.write_all(b"pong").await.unwrap();
                stream.shutdown().await.unwrap();
            }
        }
    })
    .await
}

async fn connect(address: SocketAddr, options: &TlsOptions) -> Result<Connection, NetError> {
    let network = Network::new(policy("db.example.com", address.port(), true), 4, Answers::local());
    network.connect("db.example.com", address.port(), Some(options)).await
}

async fn talk(connection: &mut Connection) {
    connection.write(b"ping").await.unwrap();
    assert_eq!(connection.read(100).await.unwrap(), b"pong");
    assert_eq!(connection.read(100).await.unwrap(), b"");
}

fn trusting(verification: Verification, authority: &Identity) -> TlsOptions {
    TlsOptions { verification, authorities: Some(authority.pem()), ..TlsOptions::default() }
}

#[tokio::test]
async fn full_verification_takes_a_known_authority_and_the_right_name() {
    let authority = Authority::new();
    for versions in [&[&TLS12][..], &[&TLS13][..]] {
        let address = server(acceptor(&authority.sign_for(&["db.example.com"]), None, &[], versions)).await;
        let mut connection = connect(address, &trusting(Verification::Full, &authority.identity)).await.unwrap();
        talk(&mut connection).await;
    }
}

#[tokio::test]
async fn a_wrong_name_is_refused_with_the_names_the_certificate_has() {
    let authority = Authority::new();
    let identity = authority.sign_for(&["other.example.com", "10.1.2.3"]);
    let address = server(acceptor(&identity, None, &[], BOTH)).await;
    let refused = connect(address, &trusting(Verification::Full, &authority.identity)).await.unwrap_err();
    assert_eq!(refused.kind, NetErrorKind::Config);
    assert!(refused.message.contains("(verification full)"), "{refused}");
    assert!(refused.message.contains("not valid for db.example.com"), "{refused}");
    assert!(refused.message.contains("other.example.com") && refused.message.contains("10.1.2.3"), "{refused}");
    let mut by_authority = connect(address, &trusting(Verification::Authority, &authority.identity)).await.unwrap();
    talk(&mut by_authority).await;
}

#[tokio::test]
async fn a_name_can_be_given_that_differs_from_the_host() {
    let authority = Authority::new();
    let address = server(acceptor(&authority.sign_for(&["internal.example.com", "10.9.8.7"]), None, &[], BOTH)).await;
    for name in ["internal.example.com", "10.9.8.7"] {
        let options =
            TlsOptions { server_name: Some(name.to_owned()), ..trusting(Verification::Full, &authority.identity) };
        talk(&mut connect(address, &options).await.unwrap()).await;
    }
    let options = TlsOptions { server_name: Some("a b".to_owned()), ..TlsOptions::default() };
    assert_eq!(connect(address, &options).await.unwrap_err().kind, NetErrorKind::Config);
}

#[tokio::test]
async fn an_unknown_authority_is_refused_with_what_to_configure() {
    let address = server(acceptor(&Authority::new().sign_for(&["db.example.com"]), None, &[], BOTH)).await;
    let stranger = Authority::new();
    for mode in [Verification::Authority, Verification::Full] {
        let refused = connect(address, &trusting(mode, &stranger.identity)).await.unwrap_err();
        assert!(refused.message.contains("does not come from the configured authorities"), "{refused}");
        let by_system =
            connect(address, &TlsOptions { verification: mode, ..TlsOptions::default() }).await.unwrap_err();
        assert!(by_system.message.contains("authority that the host's system trusts; configure"), "{by_system}");
    }
}

#[tokio::test]
async fn without_verification_anything_goes_but_a_peer_without_the_key() {
    let identity = Identity::self_signed(&["whatever"], &PKCS_ECDSA_P256_SHA256);
    let none = TlsOptions { verification: Verification::None, ..TlsOptions::default() };
    for versions in [&[&TLS12][..], &[&TLS13][..]] {
        let address = server(acceptor(&identity, None, &[], versions)).await;
        talk(&mut connect(address, &none).await.unwrap()).await;
    }
}

/// A server that shows somebody else's certificate and signs with a key of its own.
#[derive(Debug)]
struct Impostor(Arc<rustls::sign::CertifiedKey>);

impl rustls::server::ResolvesServerCert for Impostor {
    fn resolve(&self, _hello: rustls::server::ClientHello<'_>) -> Option<Arc<rustls::sign::CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

#[tokio::test]
async fn a_server_without_the_certificates_key_is_refused_in_every_mode() {
    let authority = Authority::new();
    let (shown, own) = (authority.sign_for(&["db.example.com"]), authority.sign_for(&["evil.net"]));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(own.key.serialize_der().into());
    let key = provider.key_provider.load_private_key(key).unwrap();
    let stolen = Arc::new(rustls::sign::CertifiedKey::new(vec![shown.certificate.clone()], key));
    for version in [&TLS12, &TLS13] {
        let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Impostor(Arc::clone(&stolen))));
        let address = server(TlsAcceptor::from(Arc::new(config))).await;
        for mode in [Verification::None, Verification::Authority, Verification::Full] {
            let refused = connect(address, &trusting(mode, &authority.identity)).await.unwrap_err();
            assert!(refused.message.contains("signature"), "{mode:?}: {refused}");
        }
    }
}

#[tokio::test]
async fn a_self_signed_certificate_that_is_configured_itself_is_trusted() {
    let identity = Identity::self_signed(&["db.example.com"], &PKCS_ECDSA_P256_SHA256);
    let address = server(acceptor(&identity, None, &[], BOTH)).await;
    talk(&mut connect(address, &trusting(Verification::Full, &identity)).await.unwrap()).await;
    // As `openssl req -x509` makes them: an authority's certificate, used by the server itself.
    let authority = Authority::new();
    let address = server(acceptor(&authority.identity, None, &[], BOTH)).await;
    talk(&mut connect(address, &trusting(Verification::Authority, &authority.identity)).await.unwrap()).await;
    let nameless = connect(address, &trusting(Verification::Full, &authority.identity)).await.unwrap_err();
    assert!(nameless.message.contains("names no host in subjectAltName"), "{nameless}");
}

#[tokio::test]
async fn dates_are_checked_and_told() {
    let authority = Authority::new();
    let mut expired = params(&["db.example.com"]);
    expired.not_before = rcgen::date_time_ymd(2000, 1, 1);
    expired.not_after = rcgen::date_time_ymd(2001, 2, 3);
    let mut early = params(&["db.example.com"]);
    early.not_before = rcgen::date_time_ymd(2090, 4, 5);
    for (params, expected) in [(expired, "it expired on 2001-02-03"), (early, "valid only from 2090-04-05")] {
        let identity = authority.sign(&params);
        let address = server(acceptor(&identity, None, &[], BOTH)).await;
        for trusted in [&authority.identity, &identity] {
            let refused = connect(address, &trusting(Verification::Full, trusted)).await.unwrap_err();
            assert!(refused.message.contains(expected), "{refused}");
        }
        let none = TlsOptions { verification: Verification::None, ..TlsOptions::default() };
        assert!(connect(address, &none).await.is_ok());
    }
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_it_is_asked_for() {
    let authority = Authority::new();
    let client = authority.sign_for(&["sluice"]);
    let acceptor = acceptor(&authority.sign_for(&["db.example.com"]), Some(&authority), &[], BOTH);
    let address = server(acceptor).await;
    let with = TlsOptions {
        client_certificate: Some(client.pem()),
        client_key: Some(client.key_pem()),
        ..trusting(Verification::Full, &authority.identity)
    };
    talk(&mut connect(address, &with).await.unwrap()).await;
    let mut without = connect(address, &trusting(Verification::Full, &authority.identity)).await.unwrap();
    // TLS 1.3 refuses only after the client believes the handshake is over.
    let refused = match without.write(b"ping").await {
        Ok(()) => without.read(100).await.unwrap_err(),
        Err(error) => error,
    };
    assert!(refused.message.contains("CertificateRequired"), "{refused}");
}

#[tokio::test]
async fn half_or_broken_client_credentials_are_named_and_never_shown() {
    let authority = Authority::new();
    let (one, two) = (authority.sign_for(&["a"]), authority.sign_for(&["b"]));
    let address = server(acceptor(&one, None, &[], BOTH)).await;
    let attempts = [
        (Some(one.pem()), None, "needs its private key"),
        (None, Some(one.key_pem()), "needs its certificate"),
        (Some("nonsense".to_owned()), Some(one.key_pem()), "client-certificate holds no certificate"),
        (Some(one.pem()), Some("c2VjcmV0".to_owned()), "client-key holds no usable private key"),
        (Some(one.pem()), Some(two.key_pem()), "do not fit together"),
    ];
    for (client_certificate, client_key, expected) in attempts {
        let options = TlsOptions { client_certificate, client_key, ..TlsOptions::default() };
        let refused = connect(address, &options).await.unwrap_err();
        assert_eq!(refused.kind, NetErrorKind::Config);
        assert!(refused.message.contains(expected), "{refused}");
        assert!(!refused.message.contains("c2VjcmV0") && !format!("{options:?}").contains("c2VjcmV0"));
    }
    let options = TlsOptions { authorities: Some("nonsense".to_owned()), ..TlsOptions::default() };
    assert!(connect(address, &options).await.unwrap_err().message.contains("authorities holds no certificate"));
}

#[tokio::test]
async fn alpn_is_offered_and_known_afterwards() {
    let authority = Authority::new();
    let address = server(acceptor(&authority.sign_for(&["db.example.com"]), None, &["postgresql"], BOTH)).await;
    let mut options = trusting(Verification::Full, &authority.identity);
    options.alpn = vec!["postgresql".to_owned()];
    let connection = connect(address, &options).await.unwrap();
    assert_eq!(connection.alpn_protocol().as_deref(), Some(&b"postgresql"[..]));
    options.alpn = vec!["other".to_owned()];
    assert!(connect(address, &options).await.unwrap_err().message.contains("ALPN"));
    options.alpn = vec![String::new()];
    assert_eq!(connect(address, &options).await.unwrap_err().kind, NetErrorKind::Config);
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_told_apart() {
    let options = TlsOptions::default();
    let talks = listen(|mut stream| async move {
        let _ = stream.write_all(b"220 mail.example.com ESMTP\r\n").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let refused = connect(talks.await, &options).await.unwrap_err();
    assert_eq!(refused.kind, NetErrorKind::Protocol);
    assert!(refused.message.contains("something else than TLS"), "{refused}");
    let hangs_up = listen(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
    });
    let refused = connect(hangs_up.await, &options).await.unwrap_err();
    assert!(refused.message.contains("during the TLS handshake"), "{refused}");
}

#[tokio::test]
async fn the_channel_binding_is_the_certificates_hash() {
    let none = TlsOptions { verification: Verification::None, ..TlsOptions::default() };
    let binding = |identity: &Identity| {
        let acceptor = acceptor(identity, None, &[], BOTH);
        let none = none.clone();
        async move { connect(server(acceptor).await, &none).await.unwrap().tls_server_end_point() }
    };
    let p256 = Identity::self_signed(&["a"], &PKCS_ECDSA_P256_SHA256);
    assert_eq!(binding(&p256).await, Some(Sha256::digest(&p256.certificate).to_vec()));
    let p384 = Identity::self_signed(&["a"], &PKCS_ECDSA_P384_SHA384);
    assert_eq!(binding(&p384).await, Some(Sha384::digest(&p384.certificate).to_vec()));
    let ed25519 = Identity::self_signed(&["a"], &PKCS_ED25519);
    assert_eq!(binding(&ed25519).await, None);
}

/// Says `S` in the clear, perhaps more, then speaks TLS: Postgres's way.
async fn starttls_server(acceptor: TlsAcceptor, greeting: &'static [u8]) -> SocketAddr {
    listen(move |mut stream| {
        let acceptor = acceptor.clone();
        async move {
            stream.read_exact(&mut [0; 8]).await.unwrap();
            stream.write_all(greeting).await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut ping = [0; 4];
            stream.read_exact(&mut ping).await.unwrap();
            stream.write_all(b"pong").await.unwrap();
            stream.shutdown().await.unwrap();
        }
    })
    .await
}

#[tokio::test]
async fn tls_can_begin_on_an_open_connection() {
    let authority = Authority::new();
    let address = starttls_server(acceptor(&authority.sign_for(&["db.example.com"]), None, &[], BOTH), b"S").await;
    let network = Network::new(policy("db.example.com", address.port(), true), 1, Answers::local());
    let mut connection = network.connect("db.example.com", address.port(), None).await.unwrap();
    connection.write(b"\0\0\0\x08\x04\xd2\x16\x2f").await.unwrap();
    assert_eq!(connection.read(1).await.unwrap(), b"S");
    let options = trusting(Verification::Full, &authority.identity);
    connection.start_tls(&options).await.unwrap();
    let again = connection.start_tls(&options).await.unwrap_err();
    assert_eq!(again.message, "TLS is on already for this connection");
    assert!(connection.tls_server_end_point().is_some());
    talk(&mut connection).await;
}

#[tokio::test]
async fn bytes_that_arrive_before_tls_are_an_error() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority.sign_for(&["db.example.com"]), None, &[], BOTH);
    let address = starttls_server(acceptor, b"SINJECTED").await;
    let network = Network::new(policy("db.example.com", address.port(), true), 1, Answers::local());
    let mut connection = network.connect("db.example.com", address.port(), None).await.unwrap();
    connection.write(b"\0\0\0\x08\x04\xd2\x16\x2f").await.unwrap();
    assert_eq!(connection.read(1).await.unwrap(), b"S");
    tokio::time::sleep(Duration::from_millis(20)).await;
    let refused = connection.start_tls(&trusting(Verification::Full, &authority.identity)).await.unwrap_err();
    assert_eq!(refused.kind, NetErrorKind::Protocol);
    assert!(refused.message.contains("sent bytes before TLS began"), "{refused}");
    assert!(connection.write(b"x").await.is_err(), "the connection is given up");
}

#[tokio::test]
async fn a_bulk_transfer_over_tls_arrives_whole() {
    const TOTAL: usize = 32 << 20;
    let authority = Authority::new();
    let acceptor = acceptor(&authority.sign_for(&["db.example.com"]), None, &[], BOTH);
    let address = listen(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = acceptor.accept(stream).await.unwrap();
            let block: Vec<u8> = (0..1 << 20).map(|i: u32| u8::try_from(i % 251).unwrap()).collect();
            for _ in 0..TOTAL >> 20 {
                stream.write_all(&block).await.unwrap();
            }
            stream.shutdown().await.unwrap();
        }
    })
    .await;
    let mut connection = connect(address, &trusting(Verification::Full, &authority.identity)).await.unwrap();
    let (mut total, mut largest) = (0, 0);
    loop {
        let bytes = connection.read(usize::MAX).await.unwrap();
        if bytes.is_empty() {
            break;
        }
        for (at, byte) in bytes.iter().enumerate().step_by(997) {
            assert_eq!(usize::from(*byte), (total + at) % (1 << 20) % 251);
        }
        largest = largest.max(bytes.len());
        total += bytes.len();
    }
    assert_eq!(total, TOTAL);
    assert!(largest > 32 << 10, "{largest}");
}
