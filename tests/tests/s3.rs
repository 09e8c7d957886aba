//! The S3 connector against s3s-fs, which checks signatures.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use std::path::PathBuf;

use serde_json::{Value, json};
use sluice_tests::binary::Workspace;
use sluice_tests::objects::{self, Bucket, Dated, with};
use sluice_tests::{env, sandbox};

/// A folder of the server's.
struct S3 {
    name: String,
    folder: PathBuf,
}

impl S3 {
    fn new() -> Self {
        let name = sandbox::unique("objects").replace('_', "-");
        let folder = PathBuf::from(env("SLUICE_TEST_S3_ROOT")).join(&name);
        std::fs::create_dir_all(&folder).unwrap();
        Self { name, folder }
    }
}

impl Bucket for S3 {
    fn connector(&self) -> &'static str {
        "s3"
    }

    fn config(&self) -> Value {
        json!({
            "bucket": self.name,
            "endpoint": env("SLUICE_TEST_S3_ENDPOINT"),
            "access_key_id": env("SLUICE_TEST_S3_ACCESS_KEY"),
            "secret_access_key": {"env": "SLUICE_TEST_S3_SECRET_KEY"},
        })
    }

    fn put(&self, key: &str, content: &[u8]) {
        let path = self.folder.join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Written beside and renamed, as an object store replaces: readers have the old one or the new one.
        let beside = self.folder.with_extension("new");
        std::fs::write(&beside, content).unwrap();
        std::fs::rename(beside, path).unwrap();
    }

    fn delete(&self, key: &str) {
        std::fs::remove_file(self.folder.join(key)).unwrap();
    }

    fn place(&self) -> String {
        format!("s3://{}", self.name)
    }
}

impl Dated for S3 {
    fn date(&self, key: &str, seconds: u64) {
        objects::set_modified(&self.folder.join(key), seconds);
    }
}

#[test]
fn append_adds_changed_files_as_wholes() {
    objects::append_adds_changed_files_as_wholes(&S3::new());
}

#[test]
fn tail_adds_what_was_added() {
    objects::tail_adds_what_was_added(&S3::new());
}

#[test]
fn replace_puts_new_rows_in_the_place_of_a_files_old_ones() {
    objects::replace_puts_new_rows_in_the_place_of_a_files_old_ones(&S3::new());
}

#[test]
fn ignore_leaves_changed_files_as_they_were_read() {
    objects::ignore_leaves_changed_files_as_they_were_read(&S3::new());
}

#[test]
fn fail_names_a_changed_file_and_reads_nothing() {
    objects::fail_names_a_changed_file_and_reads_nothing(&S3::new());
}

#[test]
fn every_format_arrives_row_for_row() {
    objects::every_format_arrives_row_for_row(&S3::new());
}

#[test]
fn files_that_others_compressed_arrive_row_for_row() {
    objects::files_that_others_compressed_arrive_row_for_row(&S3::new());
}

#[test]
fn keys_of_every_kind_are_read() {
    objects::keys_of_every_kind_are_read(&S3::new(), &[]);
}

#[test]
fn ten_thousand_objects_are_listed_and_read() {
    objects::many_objects_are_listed_and_read(&S3::new(), 10_000);
}

#[test]
fn only_what_is_new_or_changed_is_read() {
    objects::only_what_is_new_or_changed_is_read(&S3::new());
}

#[test]
fn killed_at_any_point_every_row_is_there_once() {
    objects::killed_at_any_point_every_row_is_there_once(&S3::new());
}

#[test]
fn broken_files_are_named_and_others_unharmed() {
    objects::broken_files_are_named_and_others_unharmed(&S3::new());
}

#[test]
fn a_cell_of_ten_megabytes_arrives() {
    objects::a_cell_of_ten_megabytes_arrives(&S3::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_is_named() {
    objects::a_file_that_changes_is_named(&S3::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_during_the_read_is_named() {
    objects::a_file_that_changes_during_the_read_is_named(&S3::new()).await;
}

/// Name, outcome and a part of the detail or remedy of each step.
fn outcomes(steps: &[(String, String, String, String)]) -> Vec<(&str, &str)> {
    steps.iter().map(|(name, outcome, ..)| (name.as_str(), outcome.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_goes_step_by_step_and_says_what_to_do() {
    let bucket = S3::new();
    bucket.put("a.csv", b"id\n1\n");
    let good = objects::check("s3", bucket.config()).await;
    assert_eq!(
        outcomes(&good),
        [("connect", "passed"), ("sign in", "passed"), ("list", "passed"), ("read a", "passed")]
    );

    let failed = [("connect", "passed"), ("sign in", "failed"), ("list", "skipped"), ("read", "skipped")];
    let secret = objects::check("s3", with(bucket.config(), &json!({"secret_access_key": "wrong"}))).await;
    assert_eq!(outcomes(&secret), failed, "{secret:?}");
    assert!(secret[1].2.contains("SignatureDoesNotMatch") && secret[1].3.contains("secret_access_key"), "{secret:?}");

    let nowhere = objects::check("s3", with(bucket.config(), &json!({"bucket": "no-such-bucket"}))).await;
    assert_eq!(outcomes(&nowhere)[2], ("list", "failed"), "{nowhere:?}");
    assert!(nowhere[2].2.contains("NoSuchBucket") && nowhere[2].3.contains("bucket"), "{nowhere:?}");

    let refused = objects::check("s3", with(bucket.config(), &json!({"endpoint": "http://127.0.0.1:9"}))).await;
    assert_eq!(outcomes(&refused)[0], ("connect", "failed"), "{refused:?}");
}

#[test]
fn wrong_credentials_end_a_run_with_what_to_correct() {
    let bucket = S3::new();
    bucket.put("a.csv", b"id\n1\n");
    for (field, value, words) in
        [("secret_access_key", "wrong", "SignatureDoesNotMatch"), ("access_key_id", "WRONGKEY", "NotSignedUp")]
    {
        let workspace = Workspace::new();
        std::fs::write(workspace.path().join("value"), value).unwrap();
        let given = if field == "access_key_id" { json!(value) } else { json!({"file": "value"}) };
        let config = with(bucket.config(), &json!({field: given}));
        workspace.pipeline(&objects::pipeline("s3", &bucket.grants(), &config, &["a"], "full"));
        let ran = workspace.run(&[]);
        assert_eq!(ran.code(), Some(2), "{field}: {ran:?}");
        assert!(ran.error().contains(words), "{field}: {}", ran.error());
        assert_eq!(ran.lines.last().unwrap()["error"]["field"], format!("/{field}"), "{ran:?}");
        assert!(!format!("{ran:?}").contains(&env("SLUICE_TEST_S3_SECRET_KEY")));
    }
}

#[test]
fn the_connector_conforms() {
    let refused = json!({"a secret key that is not known": {"secret_access_key": "not-the-secret"}, "a bucket that is not there": {"bucket": "no-such-bucket-here"}});
    objects::conforms(&S3::new(), &refused);
}
