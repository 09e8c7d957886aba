//! What a token has to be to prove anything.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::testing::{ISSUER, Published, TestKey, unsigned};
use super::{Identity, Issuer, Refusal};

const NOW: i64 = 1_790_000_000;
const AUDIENCE: &str = "https://sluice.example";

fn claims(change: &Value) -> Value {
    let mut claims = json!({"iss": ISSUER, "aud": AUDIENCE, "iat": NOW - 5, "exp": NOW + 3_595, "sub": "100", "azp": "100",
        "email": "knocks@p.iam.gserviceaccount.com", "email_verified": true});
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

fn header() -> Value {
    json!({"alg": "RS256", "kid": "one", "typ": "JWT"})
}

fn issuer() -> (Issuer, Arc<Published>) {
    let published = Published::of(vec![TestKey::one().published("one")]);
    (Issuer::new(ISSUER, published.clone()).unwrap(), published)
}

async fn verified(token: &str) -> Result<Identity, Refusal> {
    issuer().0.verify(token, AUDIENCE, NOW * 1_000_000).await
}

/// Why a token with these claims is refused.
async fn refused(change: Value) -> String {
    match verified(&TestKey::one().sign(&header(), &claims(&change))).await {
        Err(Refusal::Wrong(why)) => why,
        other => panic!("{change}: {other:?}"),
    }
}

#[tokio::test]
async fn a_token_of_the_issuer_proves_who_somebody_is() {
    let identity = verified(&TestKey::one().sign(&header(), &claims(&json!({})))).await.unwrap();
    let email = Some("knocks@p.iam.gserviceaccount.com".to_owned());
    assert_eq!(identity, Identity { email, email_verified: true });
    // Whose it is and whether that is so is told, not judged.
    let other =
        verified(&TestKey::one().sign(&header(), &claims(&json!({"email": null, "email_verified": null})))).await;
    assert_eq!(other.unwrap(), Identity { email: None, email_verified: false });
}

#[tokio::test]
async fn clocks_may_differ_by_half_a_minute() {
    for change in [json!({"exp": NOW - 29}), json!({"iat": NOW + 29})] {
        assert!(verified(&TestKey::one().sign(&header(), &claims(&change))).await.is_ok(), "{change}");
    }
    assert!(refused(json!({"exp": NOW - 31})).await.contains("expired"));
    assert!(refused(json!({"iat": NOW + 31})).await.contains("future"));
}

#[tokio::test]
async fn what_is_meant_for_others_or_comes_from_others_proves_nothing() {
    for change in [
        json!({"aud": "https://other.example"}),
        json!({"aud": "https://sluice.example/"}),
        json!({"aud": [AUDIENCE, "https://other.example"]}),
        json!({"aud": null}),
        json!({"aud": []}),
        json!({"iss": "https://other.example"}),
        json!({"iss": format!("{ISSUER}/")}),
        json!({"iss": null}),
        json!({"exp": null}),
        json!({"iat": null}),
        json!({"email_verified": "true"}),
    ] {
        refused(change).await;
    }
}

#[tokio::test]
async fn only_rs256_with_a_published_key_is_a_signature() {
    let (key, other, claims) = (TestKey::one(), TestKey::two(), claims(&json!({})));
    let mut wrong: Vec<(&str, String)> = Vec::new();
    for alg in ["none", "None", "HS256", "RS384", "PS256", "ES256"] {
        let header = json!({"alg": alg, "kid": "one"});
        wrong.push((alg, key.sign(&header, &claims)));
        wrong.push((alg, format!("{}.", unsigned(&header, &claims))));
    }
    // The public key, which everybody has, as a shared secret.
    let text = unsigned(&json!({"alg": "HS256", "kid": "one"}), &claims);
    for secret in [key.published("one").to_string(), key.published("one")["n"].as_str().unwrap().to_owned()] {
        let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
        let signature = ring::hmac::sign(&secret, text.as_bytes());
        wrong.push(("a shared secret", format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))));
    }
    wrong.push(("another's key under the right name", other.sign(&header(), &claims)));
    wrong.push(("a key that is not published", other.sign(&json!({"alg": "RS256", "kid": "two"}), &claims)));
    wrong.push(("no name of a key", key.sign(&json!({"alg": "RS256"}), &claims)));
    let brought = json!({"alg": "RS256", "kid": "one", "jwk": other.published("one")});
    wrong.push(("a key that the token brings along", other.sign(&brought, &claims)));
    wrong.push(("what must be understood", key.sign(&json!({"alg": "RS256", "kid": "one", "crit": ["b64"]}), &claims)));
    let good = key.sign(&header(), &claims);
    let (head, rest) = good.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let others = URL_SAFE_NO_PAD.encode(self::claims(&json!({"email": "evil@example.com"})).to_string());
    wrong.push(("other claims under a good signature", format!("{head}.{others}.{signature}")));
    wrong.push(("no signature", format!("{head}.{others}.")));
    wrong.push(("half a token", head.to_owned()));
    wrong.push(("nothing", String::new()));
    wrong.push(("too much", format!("{good}{}", "A".repeat(9_000))));
    for (what, token) in wrong {
        assert!(matches!(verified(&token).await, Err(Refusal::Wrong(_))), "{what}");
    }
    assert!(verified(&good).await.is_ok());
}

#[tokio::test]
async fn new_keys_are_found_and_unknown_ones_do_not_flood_the_issuer() {
    let (issuer, published) = issuer();
    let (one, two) = (TestKey::one(), TestKey::two());
    let old = one.sign(&header(), &claims(&json!({})));
    let later = json!({"exp": NOW + 9_000});
    let new = two.sign(&json!({"alg": "RS256", "kid": "two"}), &claims(&later));
    let at = |seconds: i64| (NOW + seconds) * 1_000_000;
    assert!(issuer.verify(&old, AUDIENCE, at(0)).await.is_ok());
    published.set(vec![one.published("one"), two.published("two")]);
    // Within the minute it is not looked for.
    for _ in 0..10 {
        assert!(matches!(issuer.verify(&new, AUDIENCE, at(1)).await, Err(Refusal::Wrong(_))));
    }
    assert_eq!(published.reads.load(Ordering::Relaxed), 1);
    assert!(issuer.verify(&new, AUDIENCE, at(61)).await.is_ok());
    assert!(issuer.verify(&old, AUDIENCE, at(62)).await.is_ok());
    assert_eq!(published.reads.load(Ordering::Relaxed), 2);
    // A key that is withdrawn is forgotten within the hour.
    published.set(vec![two.published("two")]);
    let old = one.sign(&header(), &claims(&later));
    assert!(issuer.verify(&old, AUDIENCE, at(3_700)).await.is_err());
    // The issuer is away: what is known is good for a day, and nobody is let in with an unknown key.
    published.away.store(true, Ordering::Relaxed);
    assert!(issuer.verify(&new, AUDIENCE, at(8_000)).await.is_ok());
    assert!(matches!(issuer.verify(&old, AUDIENCE, at(8_100)).await, Err(Refusal::NoKeys(_))));
}

#[tokio::test]
async fn without_keys_nobody_is_let_in() {
    let (issuer, published) = issuer();
    published.away.store(true, Ordering::Relaxed);
    let token = TestKey::one().sign(&header(), &claims(&json!({})));
    assert!(matches!(issuer.verify(&token, AUDIENCE, NOW * 1_000_000).await, Err(Refusal::NoKeys(_))));
    published.away.store(false, Ordering::Relaxed);
    assert!(issuer.verify(&token, AUDIENCE, (NOW + 61) * 1_000_000).await.is_ok());
}
