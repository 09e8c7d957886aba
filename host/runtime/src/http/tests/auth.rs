//! Credentials that the host adds.

use super::*;
use crate::net::expand_hosts;

async fn tell_authorization(request: Request<Incoming>) -> Response<ServerBody> {
    let all: Vec<_> =
        request.headers().get_all("authorization").iter().map(|v| v.to_str().unwrap().to_owned()).collect();
    Response::new(full(all.join(",")))
}

fn bearer() -> Vec<AuthScheme> {
    vec![AuthScheme::Bearer { token: "token".to_owned() }]
}

#[tokio::test]
async fn the_hosts_credential_replaces_the_guests() {
    let address = http1(tell_authorization).await;
    let client = client_with(policy(HOST, address.port(), true), &bearer(), HttpSettings::default());
    let mut hooks = Hooks::new(client, 1);
    assert_eq!(text(send(&mut hooks, get(&url(address, "/"))).await.unwrap()).await, "Bearer s3cret");
    let request = Request::get(url(address, "/")).header("authorization", "Bearer mine").body(body("")).unwrap();
    assert_eq!(text(send(&mut hooks, request).await.unwrap()).await, "Bearer s3cret");
}

#[tokio::test]
async fn basic_authentication_goes_over_http2_as_well() {
    let (address, authority) = https2(tell_authorization).await;
    let basic = [AuthScheme::Basic { username: "user".to_owned(), password: "password".to_owned() }];
    let mut hooks = Hooks::new(client_with(policy(HOST, address.port(), true), &basic, trusting(&authority)), 1);
    let told = text(send(&mut hooks, get(&secure_url(address, "/"))).await.unwrap()).await;
    assert_eq!(told, "Basic YWRhOmxvdmVsYWNl");
}

#[tokio::test]
async fn another_declared_origin_under_a_wildcard_never_sees_the_credential() {
    let (address, authority) = https2(tell_authorization).await;
    // The same server, reached by a wildcard's name; its certificate does not matter here.
    let port = address.port();
    let hosts = [format!("*.example.com:{port}"), "{host}:1".to_owned()];
    let rules = expand_hosts(&hosts, &json!({"host": "other.example.net"})).unwrap();
    let settings = trusting(&authority);
    let resolver = Answers::new(&[&["127.0.0.1"]]);
    let client = HttpClient::with_settings(
        EgressPolicy::new(rules, true),
        &environment(resolver),
        &bearer(),
        &json!({"token": "s3cret"}),
        &Grants::default(),
        settings,
    );
    // A wildcard is not the connection's own host, so not even the grant lets it into a private network.
    let mut hooks = Hooks::new(client.unwrap(), 1);
    let refused = send(&mut hooks, get(&secure_url(address, "/"))).await.unwrap_err();
    assert!(matches!(refused, Error::HttpRequestDenied));
}

#[tokio::test]
async fn a_refusal_comes_with_what_the_host_knows_about_it() {
    let address = http1(|request: Request<Incoming>| async move {
        assert!(request.headers()["authorization"].to_str().unwrap().starts_with("AWS4-HMAC-SHA256 Credential=token/"));
        let refusal = Response::builder().status(403).header("date", "Fri, 02 Jan 2026 02:00:00 GMT");
        refusal.body(full("<Code>RequestTimeTooSkewed</Code>")).unwrap()
    })
    .await;
    let sigv4 = [AuthScheme::AwsSigv4 {
        access_key: "token".to_owned(),
        secret_key: "password".to_owned(),
        session_token: None,
        region: "user".to_owned(),
        service: "s3".to_owned(),
    }];
    let config = json!({"token": "token", "password": "lovelace", "user": "eu-west-1"});
    let policy = policy(HOST, address.port(), true);
    let client = HttpClient::new(policy, &local(), &sigv4, &config, &Grants::default()).unwrap();
    let mut hooks = Hooks::new(client, 1);
    let response = send(&mut hooks, get(&url(address, "/bucket/key"))).await.unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(text(response).await, "<Code>RequestTimeTooSkewed</Code>");
    let told = hooks.last_failure().take().unwrap();
    assert!(told.message.contains("64 minutes ahead of that of http://api.example.com"), "{told}");
}
