//! Where requests come from: counted by the address behind the operator's proxies, and by nobody's say-so.

use std::process::Stdio;

use serde_json::json;
use sluice_store::Scope;
use sluice_tests::service::{Service, Site};

/// The status of a request of nobody that comes with this `X-Forwarded-For`.
fn forwarded(service: &Service, addresses: &str) -> u16 {
    service.ask_with("GET", "/session", &[("X-Forwarded-For", addresses)], None).0
}

const ONE_A_SECOND: [&str; 2] = ["--rate-limit-address", "1:2"];

#[tokio::test]
async fn behind_a_trusted_proxy_each_forwarded_address_is_counted_by_itself() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    let token = site.token("acme").await;
    let service = site.start(&[&ONE_A_SECOND[..], &["--trusted-proxy", "127.0.0.1,192.0.2.0/24"]].concat());
    for address in ["198.51.100.1", "198.51.100.2", "2001:db8::1", "2001:db8:0:1::1"] {
        // One comes back each second; more than that in one moment are refused.
        let answers: Vec<u16> = (0..6).map(|_| forwarded(&service, address)).collect();
        assert_eq!(answers[..2], [401, 401], "{address}");
        assert!(answers.contains(&429), "{address}: {answers:?}");
    }
    // What stands before the last address that is no proxy, anybody may have written.
    let made_up = |n: u32| format!("203.0.113.{n}, 198.51.100.9, 192.0.2.77");
    let answers: Vec<u16> = (0..6).map(|n| forwarded(&service, &made_up(n))).collect();
    assert!(answers.contains(&429), "{answers:?}");
    let headers = [
        ("Authorization", &*format!("Bearer {token}")),
        ("X-Forwarded-For", "203.0.113.1, 198.51.100.7"),
        ("If-Match", "\"1\""),
    ];
    let (status, answer) = service.ask_with("PATCH", "/tenants/acme", &headers, Some(&json!({"name": "Acme"})));
    assert_eq!(status, 200, "{answer}");
    let log = site.store().audit_after(Scope { tenant: "acme" }, 0, 9).await.unwrap();
    assert_eq!(log.last().unwrap().entry.address.as_deref(), Some("198.51.100.7"));
    service.kill();
}

#[tokio::test]
async fn a_forwarded_address_that_no_trusted_proxy_tells_is_ignored() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    let token = site.token("acme").await;
    for proxies in [&[][..], &["--trusted-proxy", "192.0.2.0/24"]] {
        let service = site.start(&[&ONE_A_SECOND[..], proxies].concat());
        let answers: Vec<u16> = (0..6).map(|n| forwarded(&service, &format!("198.51.100.{n}"))).collect();
        assert!(answers.contains(&429), "{answers:?}");
        service.kill();
    }
    let service = site.start(&["--rate-limit", "1:2"]);
    let answers: Vec<u16> = (0..6).map(|_| service.ask("GET", "/session", &token, None).0).collect();
    assert_eq!(answers[..2], [200, 200]);
    assert!(answers.contains(&429), "who shows a token is counted by it: {answers:?}");
    service.kill();
}

#[tokio::test]
async fn it_does_not_start_with_limits_that_make_no_sense() {
    let site = Site::on_sqlite().await;
    for (option, value, says) in [
        ("--trusted-proxy", "0.0.0.0/0", "everybody"),
        ("--trusted-proxy", "10.0.0.1/8", "10.0.0.0/8"),
        ("--trusted-proxy", "10.0.0.0/8,proxy", "proxy"),
        ("--rate-limit", "0", "50:200"),
        ("--rate-limit-address", "many", "50:200"),
    ] {
        let output = site.command(&[option, value]).stdout(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(option) && said.contains(says), "{said}");
    }
}
