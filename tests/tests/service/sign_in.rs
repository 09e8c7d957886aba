//! People sign in through an identity provider: a real issuer of OpenID Connect, a browser that follows redirects and keeps cookies.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use sluice_core::access::Role;
use sluice_store::{NewInvitation, NewUser, Scope};
use sluice_tests::env;
use sluice_tests::service::{Service, Site, now_us};

/// What a browser keeps of the service.
#[derive(Default)]
struct Browser(BTreeMap<String, String>);

/// An answer: its status, where it redirects to, its body.
type Answer = (u16, String, Value);

impl Browser {
    /// Asks `http://HOST:PORT/path`.
    fn get(&mut self, host: &str, path: &str) -> Answer {
        let cookies: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut stream = TcpStream::connect(host).unwrap();
        let cookies = cookies.join("; ");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let mut location = String::new();
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            match name.to_ascii_lowercase().as_str() {
                "location" => value.clone_into(&mut location),
                "set-cookie" => {
                    let (name, rest) = value.split_once('=').unwrap();
                    self.0.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
                }
                _ => {}
            }
        }
        (status, location, serde_json::from_str(body).unwrap_or_default())
    }

    /// Signs in as the issuer's person with these claims; the last answer.
    fn sign_in(&mut self, service: &Service, query: &str, claims: &Value) -> Answer {
        let (status, to, body) = self.get(&service.address, &format!("/v1/providers/mock/begin{query}"));
        assert_eq!(status, 303, "{body}");
        let issuer = env("SLUICE_TEST_OIDC_ISSUER");
        let path = to.strip_prefix(&issuer).unwrap_or_else(|| panic!("{to} is not at {issuer}"));
        assert!(path.contains("code_challenge_method=S256") && path.contains("nonce="), "{path}");
        let claims: String = claims.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
        let (status, back, body) =
            self.get(issuer.strip_prefix("http://").unwrap(), &format!("{path}&claims={claims}"));
        assert_eq!(status, 302, "{body}");
        self.get(&service.address, &back[back.find("/v1/").unwrap()..])
    }

    fn me(&mut self, service: &Service) -> Answer {
        self.get(&service.address, "/v1/session")
    }
}

/// A service that knows the issuer, with the tenant `acme`, whose member Ann has an account.
async fn service(vouches: bool) -> (Site, Service) {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    let ann = NewUser { id: "ann".into(), email: "ann@example.com".into(), name: "Ann".into(), password: None };
    site.store().create_user(&ann, now_us()).await.unwrap();
    site.store().add_member(Scope { tenant: "acme" }, "ann", Role::Admin, now_us()).await.unwrap();
    let issuer = env("SLUICE_TEST_OIDC_ISSUER");
    let file =
        format!("name: mock\ntitle: The issuer\nissuer: {issuer}\nclient_id: sluice\nvouches_for_email: {vouches}\n");
    std::fs::write(site.path().join("mock.yaml"), file).unwrap();
    let service = site.start(&["--oidc", "mock.yaml"]);
    (site, service)
}

fn ann() -> Value {
    json!({"sub": "ann-at-issuer", "aud": "sluice", "email": "ann@example.com", "email_verified": true})
}

#[tokio::test]
async fn a_provider_that_vouches_for_addresses_signs_in_who_has_the_address() {
    let (_site, service) = service(true).await;
    let mut browser = Browser::default();
    let (_, _, providers) = browser.get(&service.address, "/v1/providers");
    assert_eq!(providers, json!([{"name": "mock", "title": "The issuer", "begin": "/v1/providers/mock/begin"}]));
    let (status, to, body) = browser.sign_in(&service, "", &ann());
    assert_eq!((status, to.as_str()), (303, "/"), "{body}");
    let (status, _, me) = browser.me(&service);
    assert_eq!(
        (status, &me["user"]["email"], &me["tenants"][0]["role"]),
        (200, &"ann@example.com".into(), &"admin".into())
    );
    // Known by the identity from now on, whatever the address is.
    let mut moved = ann();
    moved["email"] = "ann@elsewhere.example".into();
    let mut other = Browser::default();
    assert_eq!(other.sign_in(&service, "", &moved).0, 303);
    assert_eq!(other.me(&service).2["user"]["id"], "ann");
    service.kill();
}

#[tokio::test]
async fn an_address_alone_opens_no_account() {
    let (_site, service) = service(false).await;
    let mut browser = Browser::default();
    let (status, _, problem) = browser.sign_in(&service, "", &ann());
    assert_eq!((status, &problem["type"]), (403, &"urn:sluice:problem:forbidden".into()));
    assert_eq!(browser.me(&service).0, 401);
    service.kill();
    let (_site, service) = self::service(true).await;
    let mut unverified = ann();
    unverified["email_verified"] = false.into();
    assert_eq!(browser.sign_in(&service, "", &unverified).0, 403);
    service.kill();
}

#[tokio::test]
async fn a_token_for_another_service_signs_nobody_in() {
    let (_site, service) = service(true).await;
    for (claim, value) in
        [("aud", json!("another")), ("iss", json!("https://evil.example")), ("nonce", json!("x")), ("exp", json!(1))]
    {
        let mut claims = ann();
        claims[claim] = value;
        let mut browser = Browser::default();
        let (status, _, problem) = browser.sign_in(&service, "", &claims);
        assert_eq!(status, 502, "{claim}: {problem}");
        assert_eq!(browser.me(&service).0, 401, "{claim}");
    }
    service.kill();
}

#[tokio::test]
async fn a_code_is_good_only_in_the_browser_that_asked_for_it() {
    let (_site, service) = service(true).await;
    let mut browser = Browser::default();
    let (_, to, _) = browser.get(&service.address, "/v1/providers/mock/begin");
    let state = to.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let path = format!("/v1/providers/mock/finish?code=x&state={state}");
    let (status, _, problem) = Browser::default().get(&service.address, &path);
    assert_eq!((status, &problem["type"]), (403, &"urn:sluice:problem:cross-site".into()));
    let (status, ..) = browser.get(&service.address, "/v1/providers/mock/finish?code=x&state=other");
    assert_eq!(status, 403);
    assert_eq!(browser.get(&service.address, "/v1/providers/none/begin").0, 404);
    service.kill();
}

#[tokio::test]
async fn an_invitation_makes_a_person_known_by_the_identity_that_has_its_address() {
    let (site, service) = service(false).await;
    let secret = format!("slui_{}", "a".repeat(43));
    let hash = ring::digest::digest(&ring::digest::SHA256, secret.as_bytes());
    let invitation = NewInvitation {
        id: "i1".into(),
        token_hash: hash.as_ref().to_vec(),
        email: "cleo@example.com".into(),
        role: Role::Editor,
        invited_by: "ann".into(),
        expires_us: now_us() + 3_600_000_000,
    };
    site.store().invite(Scope { tenant: "acme" }, &invitation, now_us()).await.unwrap();
    let query = format!("?invitation={secret}");
    let mut claims =
        json!({"sub": "cleo", "aud": "sluice", "email": "other@example.com", "email_verified": true, "name": "Cleo"});
    assert_eq!(Browser::default().sign_in(&service, &query, &claims).0, 403, "the address is another's");
    claims["email"] = "Cleo@Example.com".into();
    let mut browser = Browser::default();
    let (status, _, body) = browser.sign_in(&service, &query, &claims);
    assert_eq!(status, 303, "{body}");
    let me = browser.me(&service).2;
    assert_eq!((&me["user"]["name"], &me["tenants"][0]["role"]), (&"Cleo".into(), &"editor".into()));
    assert_eq!(Browser::default().sign_in(&service, &query, &claims).0, 404, "an invitation is good once");
    assert_eq!(Browser::default().sign_in(&service, "", &claims).0, 303, "and the identity is known now");
    service.kill();
}
