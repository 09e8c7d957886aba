//! `aws-sigv4` against s3s-fs.

use super::*;

fn scheme() -> AuthScheme {
    AuthScheme::AwsSigv4 {
        access_key: "access_key".to_owned(),
        secret_key: "secret_key".to_owned(),
        session_token: Some("session_token".to_owned()),
        region: "region".to_owned(),
        service: "s3".to_owned(),
    }
}

fn config() -> Value {
    json!({
        "access_key": env("SLUICE_TEST_S3_ACCESS_KEY"),
        "secret_key": env("SLUICE_TEST_S3_SECRET_KEY"),
        "region": "eu-central-1",
    })
}

fn with(more: Value) -> Guest {
    let mut config = config();
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Guest::connect(&env("SLUICE_TEST_S3_ENDPOINT"), scheme(), config, &Grants::default(), 0)
}

/// A guest and a new bucket.
async fn bucket() -> (Guest, String) {
    let (mut guest, bucket) = (with(json!({})), unique("signing"));
    guest.put(&format!("/{bucket}"), &[], b"").await.is(200);
    (guest, bucket)
}

#[tokio::test]
async fn the_right_key_reads_and_writes() {
    let (mut guest, bucket) = bucket().await;
    let object = format!("/{bucket}/folder/data.csv");
    guest.put(&object, &[("content-type", "text/csv")], b"id,name\n1,a\n").await.is(200);
    assert_eq!(guest.get(&object).await.is(200).text(), "id,name\n1,a\n");
    let head = guest.send("HEAD", &object, &[], b"").await;
    assert_eq!(head.is(200).headers["content-length"], "12");
    assert_eq!(guest.send("DELETE", &object, &[], b"").await.status, 204);
    guest.get(&object).await.is(404);
}

#[tokio::test]
async fn a_range_is_read() {
    let (mut guest, bucket) = bucket().await;
    let object = format!("/{bucket}/data");
    guest.put(&object, &[], b"0123456789").await.is(200);
    let part = guest.send("GET", &object, &[("range", "bytes=2-5")], b"").await;
    assert_eq!(part.is(206).text(), "2345");
    assert_eq!(part.headers["content-range"], "bytes 2-5/10");
}

#[tokio::test]
async fn every_key_is_signed_as_the_server_reads_it() {
    let (mut guest, bucket) = bucket().await;
    for (key, spelled) in ODD_KEYS {
        let object = format!("/{bucket}/odd/{spelled}");
        guest.put(&object, &[], key.as_bytes()).await.is(200);
        assert_eq!(guest.get(&object).await.is(200).text(), key);
    }
    let listed = guest.get(&format!("/{bucket}?list-type=2&prefix=odd/&max-keys=1000")).await.is(200).text();
    for (key, _) in ODD_KEYS {
        let escaped = key.replace('&', "&amp;").replace('\'', "&apos;");
        assert!(listed.contains(&format!("<Key>odd/{escaped}</Key>")), "{key} is not in {listed}");
    }
    // Nothing is wrong with the signature of a key that the server's file system has no place for.
    assert_ne!(guest.get(&format!("/{bucket}/odd//two//slashes")).await.status, 403);
}

#[tokio::test]
async fn a_listing_is_signed_in_whatever_order_and_spelling_its_parameters_come() {
    let (mut guest, bucket) = bucket().await;
    for key in ["a%20b/1", "a%20b/2", "c/3"] {
        guest.put(&format!("/{bucket}/{key}"), &[], b"x").await.is(200);
    }
    for query in [
        "prefix=a+b/&list-type=2&delimiter=%2f&max-keys=10",
        "max-keys=10&delimiter=/&list-type=2&prefix=a%20b%2F",
        "delimiter=/&encoding-type=url&list-type=2&prefix=a%20b/",
    ] {
        let listed = guest.get(&format!("/{bucket}?{query}")).await.is(200).text();
        assert_eq!(listed.matches("<Contents>").count(), 2, "{query}: {listed}");
    }
}

#[tokio::test]
async fn a_bucket_is_reached_by_its_own_host_as_well() {
    let (mut path_style, bucket) = bucket().await;
    path_style.put(&format!("/{bucket}/a%20b"), &[], b"same").await.is(200);
    let virtual_hosted = format!("http://{bucket}.{}", env("SLUICE_TEST_S3_DOMAIN"));
    let mut guest = Guest::connect(&virtual_hosted, scheme(), config(), &Grants::default(), 0);
    assert_eq!(guest.get("/a%20b").await.is(200).text(), "same");
    let listed = guest.get("/?list-type=2").await.is(200).text();
    assert!(listed.contains("<Key>a b</Key>"), "{listed}");
}

#[tokio::test]
async fn a_session_token_is_part_of_what_is_signed() {
    let (_, bucket) = bucket().await;
    let mut temporary = with(json!({"session_token": "IQoJb3JpZ2luX2VjE/w+token=="}));
    temporary.put(&format!("/{bucket}/x"), &[], b"temporary").await.is(200);
    assert_eq!(temporary.get(&format!("/{bucket}/x")).await.is(200).text(), "temporary");
}

#[tokio::test]
async fn a_body_whose_hash_the_guest_states_is_checked() {
    let (mut guest, bucket) = bucket().await;
    let right = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    let body = b"Welcome to Amazon S3.";
    guest.put(&format!("/{bucket}/x"), &[("x-amz-content-sha256", right)], body).await.is(200);
    let other = guest.put(&format!("/{bucket}/x"), &[("x-amz-content-sha256", right)], b"something else").await;
    assert!(!other.status.is_success(), "{}", other.text());
    assert_eq!(guest.get(&format!("/{bucket}/x")).await.is(200).body, body.as_slice());
}

#[tokio::test]
async fn wrong_credentials_are_refused() {
    let (_, bucket) = bucket().await;
    let object = format!("/{bucket}/x");
    let secret = with(json!({"secret_key": "wrong"})).get(&object).await;
    assert!(secret.is(403).text().contains("<Code>SignatureDoesNotMatch</Code>"), "{}", secret.text());
    let key = with(json!({"access_key": "NOBODY"})).get(&object).await;
    assert!(key.is(403).text().contains("Code>"), "{}", key.text());
    let mut nobody = Guest::connect(
        &env("SLUICE_TEST_S3_ENDPOINT"),
        scheme(),
        json!({"region": "eu-central-1"}),
        &Grants::default(),
        0,
    );
    let anonymous = nobody.get(&object).await;
    assert!(anonymous.is(403).text().contains("<Code>AccessDenied</Code>"), "{}", anonymous.text());
}

#[tokio::test]
async fn a_guest_that_signs_itself_gains_nothing() {
    let (mut guest, bucket) = bucket().await;
    let headers = [
        ("authorization", "AWS4-HMAC-SHA256 Credential=x/20200101/r/s3/aws4_request, SignedHeaders=host, Signature=0"),
        ("x-amz-date", "20200101T000000Z"),
        ("x-amz-security-token", "mine"),
    ];
    guest.put(&format!("/{bucket}/x"), &headers, b"body").await.is(200);
}

#[tokio::test]
async fn a_clock_that_is_off_is_explained() {
    let endpoint = env("SLUICE_TEST_S3_ENDPOINT");
    for (minutes, expected) in [(60, "60 minutes ahead of"), (-60, "60 minutes behind")] {
        let mut guest = Guest::connect(&endpoint, scheme(), config(), &Grants::default(), minutes);
        let refused = guest.get("/bucket/key").await;
        let told = refused.is(403).told.clone().unwrap_or_else(|| panic!("{:?} {}", refused.headers, refused.text()));
        assert!(told.message.contains(expected), "{told}");
    }
}
