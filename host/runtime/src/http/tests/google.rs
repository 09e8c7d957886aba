//! Access tokens that the host fetches for a service account's key, or borrows from its own identity.

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, OnceLock};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;

use super::*;
use crate::http::GoogleIdentity;
use crate::net::{DenyList, NetErrorKind};

/// A token endpoint that keeps the assertions it was sent and issues one token after the other.
struct Issuer {
    assertions: Mutex<Vec<String>>,
    lifetime_seconds: u32,
    down: AtomicBool,
    says: Option<(u16, &'static str)>,
}

impl Issuer {
    fn new(lifetime_seconds: u32) -> Self {
        Self { assertions: Mutex::default(), lifetime_seconds, down: AtomicBool::new(false), says: None }
    }

    fn answer(&self, form: &str) -> (u16, String) {
        let start = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
        let mut assertions = self.assertions.lock().unwrap();
        assertions.push(form.strip_prefix(start).unwrap().to_owned());
        let token = format!("token-{}", assertions.len());
        match self.says {
            _ if self.down.load(Ordering::Relaxed) => (503, "later".to_owned()),
            Some((status, text)) => (status, text.to_owned()),
            None => (200, json!({"access_token": token, "expires_in": self.lifetime_seconds}).to_string()),
        }
    }

    fn asked(&self) -> usize {
        self.assertions.lock().unwrap().len()
    }

    /// Listens, and returns what an operator grants for it.
    async fn start(self: &Arc<Self>) -> Grants {
        let issuer = self.clone();
        let address = http1(move |request: Request<Incoming>| {
            let issuer = issuer.clone();
            async move {
                assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let (status, text) = issuer.answer(std::str::from_utf8(&body).unwrap());
                Response::builder().status(status).body(full(text)).unwrap()
            }
        })
        .await;
        let endpoint = format!("http://{address}/token");
        Grants { google_token_endpoint: Some(endpoint), ..Grants::default() }
    }
}

/// A key, made once by openssl: rcgen makes no RSA keys with ring.
fn private_key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        let arguments = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
        let made = Command::new("openssl").args(arguments).output().expect("openssl is installed");
        String::from_utf8(made.stdout).unwrap()
    })
}

/// The key file, with an endpoint that nobody may be led to.
fn key_file() -> String {
    json!({
        "type": "service_account",
        "client_email": "loader@p.iam.gserviceaccount.com",
        "private_key_id": "k1",
        "private_key": private_key(),
        "token_uri": "http://169.254.169.254/steal",
    })
    .to_string()
}

fn scheme() -> AuthScheme {
    AuthScheme::GoogleOauth {
        key: "key".to_owned(),
        application_default: Some("default".to_owned()),
        scopes: vec!["https://www.googleapis.com/auth/devstorage.read_only".to_owned(), "b".to_owned()],
    }
}

/// An API that tells which credential it was sent; it refuses the token that was revoked.
async fn api(revoked: &'static str) -> SocketAddr {
    http1(move |request| async move {
        let sent = request.headers().get("authorization").map_or("-", |value| value.to_str().unwrap()).to_owned();
        let status = if sent == format!("Bearer {revoked}") { 401 } else { 200 };
        Response::builder().status(status).body(full(sent)).unwrap()
    })
    .await
}

/// Surroundings whose clock a test can move.
fn clock() -> (Environment, Arc<AtomicI64>) {
    let seconds = Arc::new(AtomicI64::new(1_800_000_000));
    let read = seconds.clone();
    let now = move || Timestamp::from_second(read.load(Ordering::Relaxed)).unwrap();
    (Environment::new(Answers::local(), Arc::new(now)), seconds)
}

fn client(api: SocketAddr, environment: &Environment, grants: &Grants) -> HttpClient {
    let policy = policy(HOST, api.port(), true);
    HttpClient::new(policy, environment, &[scheme()], &json!({"key": key_file()}), grants).unwrap()
}

async fn sent(client: &HttpClient, api: SocketAddr) -> Result<String, String> {
    let mut hooks = Hooks::new(client.clone(), 1);
    match send(&mut hooks, get(&url(api, "/o"))).await {
        Ok(response) => Ok(text(response).await),
        Err(_) => Err(hooks.last_failure().take().unwrap().message),
    }
}

#[tokio::test]
async fn the_assertion_says_who_asks_whom_for_what_and_is_signed() {
    let issuer = Arc::new(Issuer::new(3600));
    let (grants, api, (environment, _)) = (issuer.start().await, api("").await, clock());
    assert_eq!(sent(&client(api, &environment, &grants), api).await.unwrap(), "Bearer token-1");

    let assertion = issuer.assertions.lock().unwrap()[0].clone();
    let (text, signature) = assertion.rsplit_once('.').unwrap();
    let parts: Vec<Value> =
        text.split('.').map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()).collect();
    assert_eq!(parts[0], json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}));
    let expected = json!({
        "iss": "loader@p.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/devstorage.read_only b",
        "aud": grants.google_token_endpoint,
        "iat": 1_800_000_000,
        "exp": 1_800_003_600,
    });
    assert_eq!(parts[1], expected);
    let der = PrivatePkcs8KeyDer::from_pem_slice(private_key().as_bytes()).unwrap();
    let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key())
        .verify(text.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .unwrap();
}

#[tokio::test]
async fn a_token_is_used_until_shortly_before_its_end() {
    let issuer = Arc::new(Issuer::new(3600));
    let (grants, api, (environment, seconds)) = (issuer.start().await, api("").await, clock());
    let client = client(api, &environment, &grants);
    let at_once = futures::future::join_all((0..10).map(|_| sent(&client, api))).await;
    assert!(at_once.iter().all(|sent| sent.as_deref() == Ok("Bearer token-1")), "{at_once:?}");
    seconds.fetch_add(3600 - 241, Ordering::Relaxed);
    assert_eq!(sent(&client, api).await.unwrap(), "Bearer token-1");
    assert_eq!(issuer.asked(), 1);
    seconds.fetch_add(1, Ordering::Relaxed);
    assert_eq!(sent(&client, api).await.unwrap(), "Bearer token-2");
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_is_used_to_its_end() {
    let issuer = Arc::new(Issuer::new(3600));
    let (grants, api, (environment, seconds)) = (issuer.start().await, api("").await, clock());
    let client = client(api, &environment, &grants);
    sent(&client, api).await.unwrap();
    issuer.down.store(true, Ordering::Relaxed);
    seconds.fetch_add(3500, Ordering::Relaxed);
    assert_eq!(sent(&client, api).await.unwrap(), "Bearer token-1");
    seconds.fetch_add(75, Ordering::Relaxed);
    let told = sent(&client, api).await.unwrap_err();
    assert!(told.contains("no access token") && told.contains("503"), "{told}");
}

#[tokio::test]
async fn a_token_that_the_api_refuses_is_fetched_anew() {
    let issuer = Arc::new(Issuer::new(3600));
    let (grants, api, (environment, _)) = (issuer.start().await, api("token-1").await, clock());
    let client = client(api, &environment, &grants);
    assert_eq!(sent(&client, api).await.unwrap(), "Bearer token-1");
    assert_eq!(sent(&client, api).await.unwrap(), "Bearer token-2");
    assert_eq!(sent(&client, api).await.unwrap(), "Bearer token-2");
}

#[tokio::test]
async fn a_refusal_is_an_auth_error_in_the_endpoints_words() {
    let cases = [
        ((400, r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#), "Invalid JWT Signature"),
        ((200, r#"{"access_token":"a\r\nHost: evil"}"#), "is none"),
        ((200, "<html>"), "no access token"),
        ((302, "{}"), "302 Found and no access token"),
    ];
    for (says, expected) in cases {
        let issuer = Arc::new(Issuer { says: Some(says), ..Issuer::new(1) });
        let (grants, api, (environment, _)) = (issuer.start().await, api("").await, clock());
        let mut hooks = Hooks::new(client(api, &environment, &grants), 1);
        let code = send(&mut hooks, get(&url(api, "/o"))).await.unwrap_err();
        assert!(matches!(code, Error::HttpRequestDenied), "{code:?}");
        let told = hooks.last_failure().take().unwrap();
        assert!(told.message.contains(expected), "{told}");
        if says.0 == 400 {
            assert_eq!(told.kind, NetErrorKind::Auth);
            assert!(told.message.contains("field /key"), "{told}");
        }
    }
}

#[tokio::test]
async fn without_a_grant_only_googles_own_endpoint_is_asked_and_the_key_files_never() {
    let api = api("").await;
    let (mut environment, _) = clock();
    // Every name is this machine, so what the host resolves and then refuses is whom it wanted to ask.
    let resolver = Answers::local();
    environment.resolver = resolver.clone();
    let told = sent(&client(api, &environment, &Grants::default()), api).await.unwrap_err();
    assert!(told.contains("oauth2.googleapis.com:443"), "{told}");
    assert!(resolver.asked().iter().all(|name| name.starts_with("oauth2.googleapis.com") || name.starts_with(HOST)));
    // Nor does it go where the operator forbids.
    environment.deny = DenyList::parse(&["oauth2.googleapis.com".to_owned()]).unwrap();
    let told = sent(&client(api, &environment, &Grants::default()), api).await.unwrap_err();
    assert!(told.contains("deny list"), "{told}");
}

#[tokio::test]
async fn without_a_key_requests_are_anonymous() {
    let (api, (environment, _)) = (api("").await, clock());
    let policy = policy(HOST, api.port(), true);
    let client = HttpClient::new(policy, &environment, &[scheme()], &json!({}), &Grants::default()).unwrap();
    assert_eq!(sent(&client, api).await.unwrap(), "-");
}

/// The host's own identity.
struct Lent(Result<String, String>);

#[async_trait]
impl GoogleIdentity for Lent {
    async fn token(&self, scopes: &[String]) -> Result<String, String> {
        assert_eq!(scopes.len(), 2);
        self.0.clone()
    }
}

#[tokio::test]
async fn the_hosts_own_identity_is_lent_where_the_operator_grants_it() {
    let (api, (mut environment, _)) = (api("").await, clock());
    let grants = Grants { google_identity: true, ..Grants::default() };
    for (lent, expected) in [
        (Ok("lent".to_owned()), Ok("Bearer lent")),
        (Err("no metadata server".to_owned()), Err("no metadata server (field /default)")),
    ] {
        environment.google = Some(Arc::new(Lent(lent)));
        let config = json!({"default": true});
        let policy = policy(HOST, api.port(), true);
        let client = HttpClient::new(policy, &environment, &[scheme()], &config, &grants).unwrap();
        match (sent(&client, api).await, expected) {
            (Ok(sent), Ok(expected)) => assert_eq!(sent, expected),
            (Err(told), Err(expected)) => assert!(told.contains(expected), "{told}"),
            (got, expected) => panic!("{got:?} instead of {expected:?}"),
        }
    }
}
