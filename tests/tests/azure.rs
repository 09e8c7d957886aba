//! The Blob Storage connector against azurite, which checks shared keys and shared access signatures.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a failed assertion is how a test fails, and signatures carry the time"
)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use sluice_objects::encode;
use sluice_sdk::http::{Method, Request};
use sluice_tests::objects::{self, Bucket, with};
use sluice_tests::{env, sandbox};

const VERSION: &str = "2021-12-02";

struct Azure {
    container: String,
}

fn account() -> String {
    env("SLUICE_TEST_AZURE_ACCOUNT")
}

fn sign(text: &str) -> String {
    let key = STANDARD.decode(env("SLUICE_TEST_AZURE_KEY")).unwrap();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
    STANDARD.encode(ring::hmac::sign(&key, text.as_bytes()))
}

/// Sends a request signed with the account's key; `query` has sorted names.
fn send(method: Method, path: &str, query: &[(&str, &str)], content: Option<&[u8]>) {
    let path = format!("/{}{path}", account());
    let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let length = content.map_or(0, <[u8]>::len);
    let shown = if length == 0 { String::new() } else { length.to_string() };
    let kind = if content.is_some() { "x-ms-blob-type:BlockBlob\n" } else { "" };
    let resource: String = query.iter().map(|(name, value)| format!("\n{name}:{value}")).collect();
    let text = format!(
        "{method}\n\n\n{shown}\n\n\n\n\n\n\n\n\n{kind}x-ms-date:{date}\nx-ms-version:{VERSION}\n/{}{path}{resource}",
        account()
    );
    let url = format!("{}{path}?{}", env("SLUICE_TEST_AZURE_ENDPOINT"), encode::query(query));
    let mut request = Request::new(method, url)
        .header("x-ms-date", date)
        .header("x-ms-version", VERSION)
        .header("authorization", format!("SharedKey {}:{}", account(), sign(&text)));
    if content.is_some() {
        request = request.header("x-ms-blob-type", "BlockBlob");
    }
    request = match content {
        Some(content) if !content.is_empty() => request.body(content),
        _ => request.header("content-length", "0"),
    };
    let mut response = request.send().unwrap();
    let body = response.read_whole(1 << 20).unwrap();
    assert!(response.is_success(), "{}: {}", response.doing(), String::from_utf8_lossy(&body));
}

impl Azure {
    fn new() -> Self {
        let container = sandbox::unique("objects").replace('_', "-");
        send(Method::Put, &format!("/{container}"), &[("restype", "container")], None);
        Self { container }
    }

    /// A shared access signature of the container with these permissions.
    fn sas(&self, permissions: &str) -> String {
        let expiry =
            (Timestamp::now() + jiff::SignedDuration::from_hours(1)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let resource = format!("/blob/{}/{}", account(), self.container);
        let text = format!("{permissions}\n\n{expiry}\n{resource}\n\n\n\n{VERSION}\nc\n\n\n\n\n\n\n");
        encode::query(&[("sv", VERSION), ("sr", "c"), ("sp", permissions), ("se", &expiry), ("sig", &sign(&text))])
    }

    fn without_key(&self) -> Value {
        let mut config = self.config();
        config.as_object_mut().unwrap().remove("account_key");
        config
    }
}

impl Bucket for Azure {
    fn connector(&self) -> &'static str {
        "azure"
    }

    fn config(&self) -> Value {
        json!({
            "account": account(),
            "container": self.container,
            "endpoint": env("SLUICE_TEST_AZURE_ENDPOINT"),
            "account_key": {"env": "SLUICE_TEST_AZURE_KEY"},
            "path_style": true,
        })
    }

    fn put(&self, key: &str, content: &[u8]) {
        send(Method::Put, &format!("/{}/{}", self.container, encode::path(key)), &[], Some(content));
    }

    fn delete(&self, key: &str) {
        send(Method::Delete, &format!("/{}/{}", self.container, encode::path(key)), &[], None);
    }

    fn place(&self) -> String {
        format!("azure://{}/{}", account(), self.container)
    }
}

#[test]
fn every_format_arrives_row_for_row() {
    objects::every_format_arrives_row_for_row(&Azure::new());
}

#[test]
fn files_that_others_compressed_arrive_row_for_row() {
    objects::files_that_others_compressed_arrive_row_for_row(&Azure::new());
}

#[test]
fn keys_of_every_kind_are_read() {
    // Blobs need not have names that a file system could have.
    objects::keys_of_every_kind_are_read(&Azure::new(), &["odd/x//double.csv", "odd//y.csv"]);
}

#[test]
fn ten_thousand_objects_are_listed_and_read() {
    objects::many_objects_are_listed_and_read(&Azure::new(), 10_000);
}

#[test]
fn only_what_is_new_or_changed_is_read() {
    objects::only_what_is_new_or_changed_is_read(&Azure::new());
}

#[test]
fn killed_at_any_point_every_row_is_there_once() {
    objects::killed_at_any_point_every_row_is_there_once(&Azure::new());
}

#[test]
fn broken_files_are_named_and_others_unharmed() {
    objects::broken_files_are_named_and_others_unharmed(&Azure::new());
}

#[test]
fn a_cell_of_ten_megabytes_arrives() {
    objects::a_cell_of_ten_megabytes_arrives(&Azure::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_is_named() {
    objects::a_file_that_changes_is_named(&Azure::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_during_the_read_is_named() {
    objects::a_file_that_changes_during_the_read_is_named(&Azure::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_goes_step_by_step_and_says_what_to_do() {
    let bucket = Azure::new();
    bucket.put("a.csv", b"id\n1\n");
    let good = objects::check("azure", bucket.config()).await;
    assert!(good.iter().all(|(_, outcome, ..)| outcome == "passed") && good.len() == 4, "{good:?}");
    assert!(good[2].2.starts_with(&bucket.place()), "{good:?}");

    let other = STANDARD.encode([7; 64]);
    let wrong = objects::check("azure", with(bucket.config(), &json!({"account_key": other}))).await;
    assert_eq!((wrong[1].0.as_str(), wrong[1].1.as_str()), ("sign in", "failed"), "{wrong:?}");
    assert!(wrong[1].2.contains("AuthenticationFailed") || wrong[1].2.contains("AuthorizationFailure"), "{wrong:?}");
    assert!(wrong[1].3.contains("account_key"), "{wrong:?}");

    let nowhere = objects::check("azure", with(bucket.config(), &json!({"container": "no-such-container"}))).await;
    assert_eq!((nowhere[2].0.as_str(), nowhere[2].1.as_str()), ("list", "failed"), "{nowhere:?}");
    assert!(nowhere[2].2.contains("ContainerNotFound") && nowhere[2].3.contains("container"), "{nowhere:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_access_signature_stands_in_for_the_key() {
    let bucket = Azure::new();
    bucket.put("a.csv", b"id\n1\n");
    let good = objects::check("azure", with(bucket.without_key(), &json!({"sas_token": bucket.sas("rl")}))).await;
    assert!(good.iter().all(|(_, outcome, ..)| outcome == "passed") && good.len() == 4, "{good:?}");

    let no_list = objects::check("azure", with(bucket.without_key(), &json!({"sas_token": bucket.sas("r")}))).await;
    let failed = no_list.iter().find(|(_, outcome, ..)| outcome == "failed").unwrap();
    assert!(failed.3.contains("sp=rl"), "{no_list:?}");
}

#[test]
fn the_connector_conforms() {
    let refused = json!({"a key that is not known": {"account_key": "bm90IHRoZSBrZXk="}, "a container that is not there": {"container": "no-such-container"}});
    objects::conforms(&Azure::new(), &refused);
}
