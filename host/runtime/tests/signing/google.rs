//! `google-oauth` against a token endpoint that checks assertions and an API that wants its tokens.

use super::*;

fn guest(endpoint: &str, change: impl FnOnce(&mut Value)) -> Guest {
    let base = env("SLUICE_TEST_GOOGLE_ENDPOINT");
    let scheme = AuthScheme::GoogleOauth {
        key: "key".to_owned(),
        application_default: None,
        scopes: vec!["https://www.googleapis.com/auth/devstorage.read_only".to_owned()],
    };
    let mut key: Value = serde_json::from_slice(&std::fs::read(env("SLUICE_TEST_GOOGLE_KEY")).unwrap()).unwrap();
    change(&mut key);
    let grants = Grants { google_token_endpoint: Some(format!("{base}{endpoint}")), ..Grants::default() };
    Guest::connect(&base, scheme, json!({"key": key.to_string()}), &grants, 0)
}

/// Why no request went out.
async fn refused(mut guest: Guest) -> NetError {
    let request = Builder::new().uri(format!("{}/api", guest.base));
    let body: WasiBody = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let io = Box::new(std::future::ready(Ok(())));
    let sending = guest.hooks.send_request(request.body(body).unwrap(), None, io);
    assert!(Pin::from(sending).await.is_err());
    guest.hooks.last_failure().take().unwrap()
}

#[tokio::test]
async fn a_key_is_exchanged_for_a_token_that_the_api_takes() {
    let mut guest = guest("/token", |_| {});
    let first = guest.get("/api").await.is(200).text();
    assert_eq!(guest.get("/api").await.is(200).text(), first, "the token is kept");
    let seen: Value = serde_json::from_slice(&guest.get("/seen").await.is(200).body).unwrap();
    let claims = seen.as_array().unwrap().last().unwrap();
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/devstorage.read_only");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
}

#[tokio::test]
async fn a_token_that_ends_soon_is_renewed() {
    let mut guest = guest("/short-token", |_| {});
    let first = guest.get("/api").await.is(200).text();
    assert_ne!(guest.get("/api").await.is(200).text(), first);
}

#[tokio::test]
async fn another_key_and_another_account_are_refused_in_the_servers_words() {
    let openssl = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    let other = std::process::Command::new("openssl").args(openssl).output().expect("openssl is installed").stdout;
    let other = String::from_utf8(other).unwrap();
    let signature = refused(guest("/token", |key| key["private_key"] = json!(other))).await;
    assert!(signature.message.contains("invalid_grant"), "{signature}");
    assert!(signature.message.contains("field /key"), "{signature}");
    assert!(!signature.message.contains("PRIVATE"), "{signature}");
    let account = refused(guest("/token", |key| key["client_email"] = json!("nobody@p.iam.gserviceaccount.com"))).await;
    assert!(account.message.contains("The client does not exist"), "{account}");
}
