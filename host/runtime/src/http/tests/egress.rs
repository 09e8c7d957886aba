//! Who may be reached.

use super::*;
use crate::net::NetErrorKind;

#[tokio::test]
async fn undeclared_origins_are_denied_without_a_packet() {
    let address = http1(|_| async { Response::new(full("never")) }).await;
    let mut hooks = hooks(address);
    let port = address.port();
    let denied = [
        format!("http://evil.net:{port}/"),
        format!("http://{HOST}/"),
        format!("http://127.0.0.1:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://[::ffff:7f00:1]:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://metadata.google.internal/".to_owned(),
    ];
    for url in denied {
        let code = send(&mut hooks, get(&url)).await.unwrap_err();
        assert!(matches!(code, Error::HttpRequestDenied), "{url}: {code:?}");
        let failure = hooks.last_failure().take().unwrap();
        assert_eq!(failure.kind, NetErrorKind::Permission);
        assert!(failure.message.contains("not among the hosts that the connector declares"), "{failure}");
        assert_eq!(hooks.last_failure().take(), None, "a failure is told once");
    }
}

#[tokio::test]
async fn odd_spellings_of_an_address_are_no_origin() {
    let address = http1(|_| async { Response::new(full("never")) }).await;
    let mut hooks = hooks(address);
    let port = address.port();
    let spellings = ["0177.0.0.1", "2130706433", "0x7f.0.0.1", "127.1"];
    for url in
        spellings.map(|host| format!("http://{host}:{port}/")).iter().chain([&format!("http://{HOST}@evil.net/")])
    {
        let code = send(&mut hooks, get(url)).await.unwrap_err();
        assert!(matches!(code, Error::HttpRequestUriInvalid), "{url}: {code:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_handed_over_and_its_target_is_checked_like_any_other() {
    let address = http1(|_| async {
        let response = Response::builder().status(302).header("location", "http://169.254.169.254/latest/meta-data/");
        response.body(full("")).unwrap()
    })
    .await;
    let mut hooks = hooks(address);
    let response = send(&mut hooks, get(&url(address, "/"))).await.unwrap();
    assert_eq!(response.status(), 302);
    let target = response.headers()["location"].to_str().unwrap().to_owned();
    assert!(matches!(send(&mut hooks, get(&target)).await, Err(Error::HttpRequestDenied)));
}

#[tokio::test]
async fn a_declared_name_that_resolves_to_a_private_or_metadata_address_is_refused() {
    for (answer, granted) in [("127.0.0.1", false), ("10.0.0.1", false), ("::1", false), ("169.254.169.254", true)] {
        let resolver = Answers::new(&[&[answer]]);
        let client =
            HttpClient::new(policy(HOST, 80, granted), &environment(resolver), &[], &json!({}), &Grants::default())
                .unwrap();
        let mut hooks = Hooks::new(client, 1);
        let code = send(&mut hooks, get(&format!("http://{HOST}/"))).await.unwrap_err();
        assert!(matches!(code, Error::HttpRequestDenied), "{answer}: {code:?}");
        assert!(hooks.last_failure().take().unwrap().message.contains(answer));
    }
}

#[tokio::test]
async fn a_name_server_that_changes_its_mind_gains_nothing() {
    let address = http1(|_| async { Response::new(full("fine")) }).await;
    let resolver = Answers::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let client = HttpClient::new(
        policy(HOST, address.port(), true),
        &environment(resolver.clone()),
        &[],
        &json!({}),
        &Grants::default(),
    )
    .unwrap();
    let mut hooks = Hooks::new(client, 2);
    for _ in 0..3 {
        assert_eq!(text(send(&mut hooks, get(&url(address, "/"))).await.unwrap()).await, "fine");
    }
    assert_eq!(resolver.asked().len(), 1, "pooled connections stay with the address that was checked");
    // A second connection asks again, and is refused.
    let first = send(&mut hooks, get(&url(address, "/"))).await.unwrap();
    let code = send(&mut hooks, get(&url(address, "/"))).await.unwrap_err();
    assert!(matches!(code, Error::HttpRequestDenied));
    drop(first);
}

#[tokio::test]
async fn https_checks_the_certificate() {
    let (address, _unknown) = https2(|_| async { Response::new(full("never")) }).await;
    let mut hooks = hooks(address);
    let code = send(&mut hooks, get(&secure_url(address, "/"))).await.unwrap_err();
    assert!(matches!(code, Error::TlsCertificateError), "{code:?}");
    assert!(hooks.last_failure().take().unwrap().message.contains("verification full"));
}

#[test]
fn a_line_break_cannot_be_put_into_a_request() {
    use http::{HeaderName, HeaderValue, Uri};
    for bad in ["a\r\nHost: evil", "a\nb", "a\rb", "a\0b"] {
        assert!(HeaderValue::from_bytes(bad.as_bytes()).is_err(), "{bad:?}");
        assert!(HeaderName::from_bytes(bad.as_bytes()).is_err(), "{bad:?}");
        assert!(Uri::try_from(format!("http://{HOST}/{bad}")).is_err(), "{bad:?}");
        assert!(http::Method::from_bytes(bad.as_bytes()).is_err(), "{bad:?}");
    }
}

#[test]
fn guests_cannot_set_headers_of_the_connection() {
    let client = client_with(policy(HOST, 80, true), &[], HttpSettings::default());
    let forbidden = Hooks::new(client, 1).forbidden_header_filter();
    for name in ["host", "connection", "transfer-encoding", "keep-alive", "upgrade", "proxy-authorization", "proxy-x"] {
        assert!(forbidden(&name.parse().unwrap()), "{name}");
    }
    for name in ["authorization", "accept", "content-length", "te", "range"] {
        assert!(!forbidden(&name.parse().unwrap()), "{name}");
    }
}
