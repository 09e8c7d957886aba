//! Access tokens of OAuth 2.0 that the host fetches and renews.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

use super::*;
use crate::net::NetErrorKind;

/// What a token endpoint was sent: the form, and the header.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

/// A token endpoint that wants the client's credentials in a header or in the form, and issues one token after the other.
async fn issuer(in_form: bool, rotates: bool) -> (SocketAddr, Asked) {
    let asked: Asked = shared();
    let kept = asked.clone();
    let address = http1(move |request: Request<Incoming>| {
        let kept = kept.clone();
        async move {
            let header = request.headers().get("authorization").map_or("-", |value| value.to_str().unwrap()).to_owned();
            let form = request.into_body().collect().await.unwrap().to_bytes();
            let form = String::from_utf8(form.to_vec()).unwrap();
            let mut kept = kept.lock().unwrap();
            kept.push((form.clone(), header.clone()));
            let known =
                if in_form { form.contains("client_secret=s%26cret") } else { header == "Basic aWQ6cyUyNmNyZXQ=" };
            let (status, body) = match () {
                () if !known => (401, json!({"error": "invalid_client"})),
                () if form.contains("revoked") => {
                    (400, json!({"error": "invalid_grant", "error_description": "consent was withdrawn"}))
                }
                () => {
                    let mut body = json!({"access_token": format!("token-{}", kept.len()), "expires_in": 3600});
                    if rotates {
                        body["refresh_token"] = json!(format!("next-{}", kept.len()));
                    }
                    (200, body)
                }
            };
            Response::builder().status(status).body(full(body.to_string())).unwrap()
        }
    })
    .await;
    (address, asked)
}

/// An API that tells which credential it was sent.
async fn api() -> SocketAddr {
    http1(|request| async move {
        let sent = request.headers().get("authorization").map_or("-", |value| value.to_str().unwrap()).to_owned();
        Response::new(full(sent))
    })
    .await
}

fn scheme() -> AuthScheme {
    AuthScheme::Oauth2 {
        token_url: "{token_url}".into(),
        client_id: "client".into(),
        client_secret: "secret".into(),
        refresh_token: Some("refresh".into()),
        scopes: vec!["orders.read".into(), "b".into()],
    }
}

struct World {
    client: HttpClient,
    api: SocketAddr,
    seconds: Arc<AtomicI64>,
}

impl World {
    async fn new(issuer: SocketAddr, refresh: Option<&str>) -> Self {
        let api = api().await;
        let seconds = Arc::new(AtomicI64::new(1_800_000_000));
        let read = seconds.clone();
        let now = move || Timestamp::from_second(read.load(Ordering::Relaxed)).unwrap();
        let environment = Environment::new(Answers::local(), Arc::new(now));
        let config = json!({"token_url": format!("http://{issuer}/token"), "client": "id", "secret": "s&cret", "refresh": refresh});
        let grants = Grants { private_network: true, ..Grants::default() };
        let policy = policy(HOST, api.port(), true);
        let client = HttpClient::new(policy, &environment, &[scheme()], &config, &grants).unwrap();
        Self { client, api, seconds }
    }

    async fn sent(&self) -> Result<String, (NetErrorKind, String)> {
        let mut hooks = Hooks::new(self.client.clone(), 1);
        match send(&mut hooks, get(&url(self.api, "/o"))).await {
            Ok(response) => Ok(text(response).await),
            Err(_) => {
                let told = hooks.last_failure().take().unwrap();
                Err((told.kind, told.message))
            }
        }
    }
}

#[tokio::test]
async fn a_refresh_token_brings_access_tokens_that_are_used_until_shortly_before_their_end() {
    let (issuer, asked) = issuer(false, false).await;
    let world = World::new(issuer, Some("r-1")).await;
    assert_eq!(world.sent().await.unwrap(), "Bearer token-1");
    assert_eq!(world.sent().await.unwrap(), "Bearer token-1");
    world.seconds.fetch_add(3600 - 240, Ordering::Relaxed);
    assert_eq!(world.sent().await.unwrap(), "Bearer token-2");
    let form = "grant_type=refresh_token&refresh_token=r-1&scope=orders.read%20b";
    let header = "Basic aWQ6cyUyNmNyZXQ=";
    assert_eq!(*asked.lock().unwrap(), [(form.to_owned(), header.to_owned()), (form.to_owned(), header.to_owned())]);
}

#[tokio::test]
async fn without_a_refresh_token_the_client_asks_in_its_own_name() {
    let (issuer, asked) = issuer(false, false).await;
    assert_eq!(World::new(issuer, None).await.sent().await.unwrap(), "Bearer token-1");
    assert!(asked.lock().unwrap()[0].0.starts_with("grant_type=client_credentials&scope="));
}

#[tokio::test]
async fn an_endpoint_that_wants_the_clients_credentials_in_the_form_gets_them_there_from_then_on() {
    let (issuer, asked) = issuer(true, false).await;
    let world = World::new(issuer, Some("r-1")).await;
    assert_eq!(world.sent().await.unwrap(), "Bearer token-2");
    world.seconds.fetch_add(4000, Ordering::Relaxed);
    assert_eq!(world.sent().await.unwrap(), "Bearer token-3");
    let headers: Vec<String> = asked.lock().unwrap().iter().map(|(_, header)| header.clone()).collect();
    assert_eq!(headers, ["Basic aWQ6cyUyNmNyZXQ=", "-", "-"]);
}

#[tokio::test]
async fn a_refresh_token_that_is_replaced_is_used_no_more() {
    let (issuer, asked) = issuer(false, true).await;
    let world = World::new(issuer, Some("r-1")).await;
    world.sent().await.unwrap();
    world.seconds.fetch_add(4000, Ordering::Relaxed);
    world.sent().await.unwrap();
    assert!(asked.lock().unwrap()[1].0.contains("refresh_token=next-1&"));
}

#[tokio::test]
async fn a_consent_that_was_withdrawn_is_an_auth_error_that_names_the_field_and_no_secret() {
    let (issuer, _) = issuer(false, false).await;
    let (kind, message) = World::new(issuer, Some("revoked-r")).await.sent().await.unwrap_err();
    assert_eq!(kind, NetErrorKind::Auth, "{message}");
    assert!(
        message.contains("invalid_grant (consent was withdrawn)") && message.contains("field /refresh"),
        "{message}"
    );
    assert!(!message.contains("revoked-r") && !message.contains("s&cret"), "{message}");
}

#[tokio::test]
async fn an_endpoint_that_a_manifest_names_is_reached_at_public_addresses_only() {
    let api = api().await;
    let scheme = AuthScheme::Oauth2 {
        token_url: "https://login.example.com/token".into(),
        client_id: "client".into(),
        client_secret: "secret".into(),
        refresh_token: None,
        scopes: vec![],
    };
    let grants = Grants { private_network: true, ..Grants::default() };
    let config = json!({"client": "id", "secret": "s"});
    // Every name is this machine.
    let client = HttpClient::new(policy(HOST, api.port(), true), &local(), &[scheme], &config, &grants).unwrap();
    let mut hooks = Hooks::new(client, 1);
    send(&mut hooks, get(&url(api, "/o"))).await.unwrap_err();
    let told = hooks.last_failure().take().unwrap();
    assert!(told.kind == NetErrorKind::Permission && told.message.contains("login.example.com:443"), "{told}");
}
