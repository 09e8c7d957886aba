//! Looking around over the REST API, outside the sandbox: against the real server, and against one that says what Google says
//! when it refuses.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a failed assertion is how a test fails"
)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use connector_bigquery::{BigQuery, BigQueryConfig};
use serde_json::{Value, json};
use sluice_sdk::http::Request;
use sluice_sdk::{DiscoverFilter, DiscoverPage, Error, ErrorKind, Outcome, Source};

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run the tests with `cargo xtask test`"))
}

fn open(endpoint: &str, more: Value) -> BigQuery {
    let mut config = json!({"project": "billing", "endpoint": endpoint});
    for (key, value) in more.as_object().unwrap() {
        config[key] = value.clone();
    }
    BigQuery::open(serde_json::from_value::<BigQueryConfig>(config).unwrap()).unwrap()
}

fn post(path: &str, body: &Value) -> Value {
    let url = format!("{}/bigquery/v2/{path}", env("SLUICE_TEST_BIGQUERY_REST"));
    let mut response = Request::post(url, body.to_string()).header("content-type", "application/json").send().unwrap();
    let answer: Value = serde_json::from_slice(&response.read_whole(1 << 20).unwrap()).unwrap();
    assert!(answer["error"].is_null(), "{answer}");
    answer
}

/// A project of this process's own, with two datasets of tables `t00`, `t01`, ….
fn project(name: &str, tables: usize) -> String {
    let project = format!("{name}-{}", std::process::id());
    for dataset in ["a", "a_b"] {
        post(
            &format!("projects/{project}/datasets"),
            &json!({"datasetReference": {"projectId": project, "datasetId": dataset}}),
        );
        for table in 0..tables {
            let body = json!({
                "tableReference": {"projectId": project, "datasetId": dataset, "tableId": format!("t{table:02}")},
                "schema": {"fields": [{"name": "id", "type": "INTEGER"}]}, "description": "A table.",
            });
            post(&format!("projects/{project}/datasets/{dataset}/tables"), &body);
        }
    }
    project
}

fn pages(source: &mut BigQuery, filter: &DiscoverFilter) -> Vec<DiscoverPage> {
    let mut pages: Vec<DiscoverPage> = Vec::new();
    loop {
        let next = pages.last().and_then(|page| page.next.clone());
        if next.is_none() && !pages.is_empty() {
            return pages;
        }
        pages.push(source.discover(filter, next.as_deref()).unwrap());
    }
}

fn ids(pages: &[DiscoverPage]) -> Vec<&str> {
    pages.iter().flat_map(|page| page.streams.iter().map(|stream| stream.id.as_str())).collect()
}

#[test]
fn every_stream_is_on_one_page_and_in_order() {
    let project = project("pages", 8);
    let queries = json!({"one": "SELECT 1 AS x", "two": "SELECT 'a' AS y"});
    let mut source = open(&env("SLUICE_TEST_BIGQUERY_REST"), json!({"data_project": project, "queries": queries}));
    for size in [1, 3, 8, 100] {
        let filter = DiscoverFilter { page_size: size, ..DiscoverFilter::default() };
        let pages = pages(&mut source, &filter);
        let found = ids(&pages);
        assert_eq!(found.len(), 18, "pages of {size}");
        assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{found:?}");
        assert_eq!((found[0], found[8], found[17]), ("a.t00", "a_b.t00", "query:two"));
    }
    let filter = DiscoverFilter { contains: "B.T0".into(), page_size: 3, ..DiscoverFilter::default() };
    assert_eq!(ids(&pages(&mut source, &filter)).len(), 8);
}

#[test]
fn streams_that_are_asked_for_by_name_are_shown_or_their_absence_is_an_error() {
    let project = project("named", 2);
    let mut source = open(&env("SLUICE_TEST_BIGQUERY_REST"), json!({}));
    let id = format!("{project}.a.t01");
    let filter = DiscoverFilter { ids: vec![id.clone()], page_size: 10, ..DiscoverFilter::default() };
    let pages = pages(&mut source, &filter);
    assert_eq!(ids(&pages), [id.as_str()], "a table of another project needs no listing");
    let stream = &pages[0].streams[0];
    assert_eq!((stream.rows, stream.description.as_deref()), (Some(0), Some("A table.")));
    let gone = DiscoverFilter { ids: vec![format!("{project}.a.gone")], page_size: 10, ..DiscoverFilter::default() };
    assert_eq!(source.discover(&gone, None).unwrap_err().kind, ErrorKind::NotFound);
}

/// A server that gives these answers, the last one again and again, and counts the questions.
fn scripted(answers: Vec<String>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(read @ 1..) => request.extend_from_slice(&buffer[..read]),
                    _ => break,
                }
            }
            let index = count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            let _ = stream.write_all(answers[index].as_bytes());
        }
    });
    (url, asked)
}

fn answer(status: &str, headers: &str, body: &Value) -> String {
    let body = body.to_string();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn refusal(code: u16, reason: &str, message: &str) -> Value {
    json!({"error": {"code": code, "message": message, "errors": [{"reason": reason, "message": message, "domain": "global"}]}})
}

fn listing(answers: Vec<String>) -> (Result<DiscoverPage, Error>, usize) {
    let (url, asked) = scripted(answers);
    let filter = DiscoverFilter { page_size: 10, ..DiscoverFilter::default() };
    let result = open(&url, json!({"data_project": "data"})).discover(&filter, None);
    (result, asked.load(Ordering::SeqCst))
}

#[test]
fn a_server_that_stumbles_is_asked_again() {
    let away = answer("503 Service Unavailable", "", &refusal(503, "backendError", "Visibility check was unavailable"));
    let (result, asked) = listing(vec![away.clone(), away, answer("200 OK", "", &json!({"datasets": []}))]);
    assert_eq!((result.unwrap().streams.len(), asked), (0, 3));
}

#[test]
fn a_long_wait_is_left_to_the_host() {
    let slow = answer(
        "429 Too Many Requests",
        "retry-after: 120\r\n",
        &refusal(429, "rateLimitExceeded", "Exceeded rate limits"),
    );
    let (result, asked) = listing(vec![slow]);
    let error = result.unwrap_err();
    assert_eq!((error.kind, error.retry_after, asked), (ErrorKind::RateLimited, Some(Duration::from_secs(120)), 1));
}

#[test]
fn a_missing_permission_is_told_as_a_role_and_credentials_as_credentials() {
    let said = "Access Denied: Project data: User does not have bigquery.datasets.get permission in project data.";
    let (result, asked) = listing(vec![answer("403 Forbidden", "", &refusal(403, "accessDenied", said))]);
    let error = result.unwrap_err();
    assert_eq!((error.kind, asked), (ErrorKind::Permission, 1));
    assert!(
        error.message.ends_with("Grant roles/bigquery.metadataViewer on project data to this connection's account"),
        "{error}"
    );
    let said = "Request had invalid authentication credentials.";
    let (result, _) = listing(vec![answer("401 Unauthorized", "", &refusal(401, "authError", said))]);
    assert_eq!(result.unwrap_err().kind, ErrorKind::Auth);
}

#[test]
fn a_check_says_which_step_failed_and_skips_what_needs_it() {
    let steps = |answers| {
        let (url, _) = scripted(answers);
        let steps = open(&url, json!({})).check().unwrap();
        steps.into_iter().map(|step| (step.name, step.outcome, step.remedy)).collect::<Vec<_>>()
    };
    let refused = steps(vec![answer("401 Unauthorized", "", &refusal(401, "authError", "Invalid Credentials"))]);
    let outcomes: Vec<_> = refused.iter().map(|(name, outcome, _)| (name.as_str(), *outcome)).collect();
    let (passed, failed, skipped) = (Outcome::Passed, Outcome::Failed, Outcome::Skipped);
    assert_eq!(
        outcomes,
        [("connect", passed), ("log in", failed), ("list", skipped), ("read", skipped), ("query", skipped)]
    );
    assert!(refused[1].2.contains("Check `credentials`"), "{refused:?}");
    let away = open("http://127.0.0.1:1", json!({})).check().unwrap();
    assert_eq!((away[0].name.as_str(), away[0].outcome, away[1].outcome), ("connect", failed, skipped));
    let denied = answer("403 Forbidden", "", &refusal(403, "accessDenied", "Permission bigquery.jobs.create denied"));
    let nothing = answer("200 OK", "", &json!({}));
    let partly = steps(vec![nothing.clone(), nothing, denied]);
    let query = partly.last().unwrap();
    assert_eq!((query.0.as_str(), query.1), ("query", Outcome::Warned));
    assert!(query.2.contains("roles/bigquery.jobUser on project billing"), "{query:?}");
}
