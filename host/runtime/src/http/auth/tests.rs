//! What holds for every scheme.

use http::{HeaderMap, HeaderValue, Request};
use serde_json::{Value, json};

use super::*;
use crate::net::HostName;
use crate::net::testing::Answers;

const NOW: &str = "2026-01-02T03:04:05Z";

fn resolve(schemes: &[AuthScheme], config: &Value) -> Result<Credentials, RunError> {
    resolve_granted(schemes, config, &Grants::default())
}

fn resolve_granted(schemes: &[AuthScheme], config: &Value, grants: &Grants) -> Result<Credentials, RunError> {
    let environment = Environment::new(Answers::local(), std::sync::Arc::new(|| NOW.parse().unwrap()));
    Credentials::resolve(schemes, Configured { config, grants, environment: &environment })
}

fn rule(host: &str, own: bool) -> HostRule {
    HostRule { pattern: HostPattern::Exact(HostName::parse(host).unwrap()), port: None, own }
}

fn bearer() -> Credentials {
    resolve(&[AuthScheme::Bearer { token: "token".into() }], &json!({"token": "s3cret"})).unwrap()
}

/// Every scheme, with fields named after it.
fn every_scheme() -> Vec<AuthScheme> {
    vec![
        AuthScheme::Bearer { token: "bearer".into() },
        AuthScheme::Basic { username: "user".into(), password: "password".into() },
        AuthScheme::Header { name: "X-Api-Key".into(), value: "header".into() },
        AuthScheme::AwsSigv4 {
            access_key: "aws_id".into(),
            secret_key: "aws_secret".into(),
            session_token: Some("aws_token".into()),
            region: "aws_region".into(),
            service: "s3".into(),
        },
        AuthScheme::AzureSharedKey { account: "account".into(), key: "azure_key".into() },
        AuthScheme::AzureSas { token: "sas".into() },
        AuthScheme::GoogleOauth {
            key: "google_key".into(),
            application_default: Some("google_default".into()),
            scopes: vec!["scope".into()],
        },
        AuthScheme::Oauth2 {
            token_url: "https://login.example.com/token".into(),
            client_id: "client".into(),
            client_secret: "client_secret".into(),
            refresh_token: Some("refresh_token".into()),
            scopes: vec![],
        },
    ]
}

/// The headers that a request leaves with.
async fn headers(credentials: &Credentials, url: &str, rule: &HostRule, guests: HeaderMap) -> HeaderMap {
    let (mut parts, ()) = Request::get(url).body(()).unwrap().into_parts();
    parts.headers = guests;
    let origin = Origin::of(&parts.uri).unwrap();
    let mut outgoing = Outgoing { parts: &mut parts, origin: &origin, length: Some(0) };
    credentials.apply(&mut outgoing, rule, None, NOW.parse().unwrap()).await.unwrap();
    parts.headers
}

#[tokio::test]
async fn each_fixed_scheme_makes_its_header() {
    let config = json!({"user": "ada", "password": "lovelace", "header": "v1"});
    let credentials = resolve(&every_scheme(), &config).unwrap();
    let headers = headers(&credentials, "https://a.example", &rule("a.example", false), HeaderMap::new()).await;
    assert_eq!(headers[AUTHORIZATION], "Basic YWRhOmxvdmVsYWNl");
    assert_eq!(headers["x-api-key"], "v1");
    assert_eq!(headers.len(), 2);
    assert!(!format!("{credentials:?} {headers:?}").contains("lovelace"));
}

#[tokio::test]
async fn a_guests_own_authorization_is_replaced_for_the_connections_origin() {
    let mut guests = HeaderMap::new();
    guests.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
    guests.append(AUTHORIZATION, HeaderValue::from_static("Bearer b"));
    let headers = headers(&bearer(), "https://a.example", &rule("a.example", false), guests).await;
    assert_eq!(headers.get_all(AUTHORIZATION).iter().collect::<Vec<_>>(), ["Bearer s3cret"]);
}

#[tokio::test]
async fn an_origin_that_only_a_wildcard_covers_gets_no_credentials_of_any_scheme() {
    let wildcard = HostRule { pattern: HostPattern::Below("example.com".into()), port: None, own: false };
    let configs = [
        json!({"bearer": "s3cret"}),
        json!({"aws_id": "AK", "aws_secret": "s3cret", "aws_region": "r"}),
        json!({"account": "a", "azure_key": "aGk="}),
        json!({"sas": "sv=1&sig=s3cret"}),
    ];
    for config in configs {
        let credentials = resolve(&every_scheme(), &config).unwrap();
        let (mut parts, ()) = Request::get("https://a.example.com/k?x=1").body(()).unwrap().into_parts();
        let origin = Origin::of(&parts.uri).unwrap();
        let mut outgoing = Outgoing { parts: &mut parts, origin: &origin, length: Some(0) };
        credentials.apply(&mut outgoing, &wildcard, None, NOW.parse().unwrap()).await.unwrap();
        assert!(parts.headers.is_empty(), "{config}");
        assert_eq!(parts.uri, "https://a.example.com/k?x=1");
    }
}

#[tokio::test]
async fn no_scheme_leaves_unencrypted_but_for_a_granted_private_network() {
    let configs = [
        json!({"bearer": "s3cret"}),
        json!({"aws_id": "AK", "aws_secret": "s3cret", "aws_region": "r"}),
        json!({"account": "a", "azure_key": "aGk="}),
        json!({"sas": "sv=1&sig=s3cret"}),
    ];
    for config in configs {
        let credentials = resolve(&every_scheme(), &config).unwrap();
        for (own, peer, fine) in [(true, "10.0.0.1", true), (true, "8.8.8.8", false), (false, "10.0.0.1", false)] {
            let (mut parts, ()) = Request::get("http://a.example/").body(()).unwrap().into_parts();
            let origin = Origin::of(&parts.uri).unwrap();
            let mut outgoing = Outgoing { parts: &mut parts, origin: &origin, length: Some(0) };
            let peer = Some(peer.parse().unwrap());
            let applied = credentials.apply(&mut outgoing, &rule("a.example", own), peer, NOW.parse().unwrap()).await;
            match applied {
                Ok(()) => assert!(fine, "{config} {peer:?}"),
                Err(refused) => {
                    assert!(!fine, "{config} {peer:?}");
                    assert!(refused.detail.message.contains("use https"), "{}", refused.detail);
                    assert!(parts.headers.is_empty() && parts.uri.query().is_none(), "nothing was added");
                }
            }
        }
    }
}

#[test]
fn a_credential_with_a_line_break_is_refused_without_being_shown() {
    let config = json!({"token": "abc\r\nHost: evil"});
    let error = resolve(&[AuthScheme::Bearer { token: "token".into() }], &config).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("/token"));
    assert!(!error.to_string().contains("abc"), "{error}");
    let forbidden = AuthScheme::Header { name: "Host".into(), value: "k".into() };
    assert!(resolve(&[forbidden], &json!({"k": "v"})).is_err());
}

#[test]
fn two_credentials_for_the_same_requests_are_one_too_many() {
    let refused = |config: Value| {
        let error = resolve(&every_scheme(), &config).unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
        assert!(error.message.contains("leave one out"), "{error}");
        (error.field.unwrap(), error.message)
    };
    let (field, message) = refused(json!({"account": "a", "azure_key": "aGk=", "sas": "sv=1&sig=s3cret"}));
    assert_eq!(field, "/sas");
    assert!(message.starts_with("sas and azure_key are two credentials"), "{message}");
    assert_eq!(refused(json!({"bearer": "s3cret", "user": "u"})).0, "/user");
    assert!(resolve(&every_scheme(), &json!({"account": "a", "aws_region": "r"})).is_ok(), "none is anonymous");
}

#[test]
fn the_hosts_own_google_identity_needs_the_operators_grant() {
    let wanted = json!({"google_default": true});
    let refused = resolve(&every_scheme(), &wanted).unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("/google_default"));
    assert!(refused.message.contains("google_identity: true"), "{refused}");
    let granted = Grants { google_identity: true, ..Grants::default() };
    let none = resolve_granted(&every_scheme(), &wanted, &granted).unwrap_err();
    assert!(none.message.contains("no Google identity to lend"), "{none}");
    assert!(resolve(&every_scheme(), &json!({"google_default": false})).is_ok());
    let both = json!({"google_default": true, "google_key": "{}"});
    assert_eq!(resolve_granted(&every_scheme(), &both, &granted).unwrap_err().field.as_deref(), Some("/google_key"));
    let endpoint = Grants { google_token_endpoint: Some("ftp://x".to_owned()), ..Grants::default() };
    assert!(resolve_granted(&every_scheme(), &json!({}), &endpoint).is_ok(), "only looked at where it is needed");
}

#[test]
fn what_is_shown_of_credentials_is_their_schemes() {
    let config = json!({"aws_id": "AK", "aws_secret": "s3cret", "aws_region": "r", "header": "s3cret"});
    assert_eq!(format!("{:?}", resolve(&every_scheme(), &config).unwrap()), r#"["x-api-key", "aws-sigv4"]"#);
}
