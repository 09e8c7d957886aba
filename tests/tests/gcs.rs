//! The Cloud Storage connector against fake-gcs-server, which checks no credentials.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use serde_json::{Value, json};
use sluice_objects::encode::segment;
use sluice_sdk::http::{Method, Request};
use sluice_tests::objects::{self, Bucket, with};
use sluice_tests::{env, sandbox};

struct Gcs {
    name: String,
}

fn send(request: Request) {
    let mut response = request.send().unwrap();
    let body = response.read_whole(1 << 20).unwrap();
    assert!(response.is_success(), "{}: {}", response.doing(), String::from_utf8_lossy(&body));
}

fn api(path: &str) -> String {
    format!("{}{path}", env("SLUICE_TEST_GCS_ENDPOINT"))
}

impl Gcs {
    fn new() -> Self {
        let name = sandbox::unique("objects").replace('_', "-");
        send(Request::post(api("/storage/v1/b?project=test-project"), json!({"name": name}).to_string()));
        Self { name }
    }
}

impl Bucket for Gcs {
    fn connector(&self) -> &'static str {
        "gcs"
    }

    fn config(&self) -> Value {
        json!({"bucket": self.name, "endpoint": env("SLUICE_TEST_GCS_ENDPOINT")})
    }

    fn put(&self, key: &str, content: &[u8]) {
        let url = api(&format!("/upload/storage/v1/b/{}/o?uploadType=media&name={}", self.name, segment(key)));
        send(Request::post(url, content).header("content-type", "application/octet-stream"));
    }

    fn delete(&self, key: &str) {
        send(Request::new(Method::Delete, api(&format!("/storage/v1/b/{}/o/{}", self.name, segment(key)))));
    }

    fn place(&self) -> String {
        format!("gs://{}", self.name)
    }
}

#[test]
fn every_format_arrives_row_for_row() {
    objects::every_format_arrives_row_for_row(&Gcs::new());
}

#[test]
fn files_that_others_compressed_arrive_row_for_row() {
    objects::files_that_others_compressed_arrive_row_for_row(&Gcs::new());
}

#[test]
fn keys_of_every_kind_are_read() {
    objects::keys_of_every_kind_are_read(&Gcs::new(), &[]);
}

#[test]
fn ten_thousand_objects_are_listed_and_read() {
    objects::many_objects_are_listed_and_read(&Gcs::new(), 10_000);
}

#[test]
fn only_what_is_new_or_changed_is_read() {
    objects::only_what_is_new_or_changed_is_read(&Gcs::new());
}

#[test]
fn killed_at_any_point_every_row_is_there_once() {
    objects::killed_at_any_point_every_row_is_there_once(&Gcs::new());
}

#[test]
fn broken_files_are_named_and_others_unharmed() {
    objects::broken_files_are_named_and_others_unharmed(&Gcs::new());
}

#[test]
fn a_cell_of_ten_megabytes_arrives() {
    objects::a_cell_of_ten_megabytes_arrives(&Gcs::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_is_named() {
    objects::a_file_that_changes_is_named(&Gcs::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_during_the_read_is_named() {
    objects::a_file_that_changes_during_the_read_is_named(&Gcs::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_goes_step_by_step_and_says_what_to_do() {
    let bucket = Gcs::new();
    bucket.put("a.csv", b"id\n1\n");
    let good = objects::check("gcs", bucket.config()).await;
    assert!(good.iter().all(|(_, outcome, ..)| outcome == "passed") && good.len() == 4, "{good:?}");
    assert!(good[2].2.starts_with(&bucket.place()), "{good:?}");

    let nowhere = objects::check("gcs", with(bucket.config(), &json!({"bucket": "no-such-bucket"}))).await;
    assert_eq!((nowhere[2].0.as_str(), nowhere[2].1.as_str()), ("list", "failed"), "{nowhere:?}");
    assert!(nowhere[2].3.contains("bucket"), "{nowhere:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_none_is_refused_by_its_field() {
    let more = json!({"service_account_key": "no key at all"});
    let refused = objects::connect(&sandbox::runtime(), &Gcs::new(), &more).await.err().unwrap();
    assert_eq!(refused.field.as_deref(), Some("/service_account_key"), "{refused}");
    assert!(!refused.to_string().contains("no key at all"), "{refused}");
}

#[test]
fn the_connector_conforms() {
    let refused = json!({"a bucket that is not there": {"bucket": "no-such-bucket-here"}, "a host where nobody is": {"endpoint": "http://127.0.0.1:9"}});
    objects::conforms(&Gcs::new(), &refused);
}
