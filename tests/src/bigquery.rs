//! The stand-in for BigQuery: its REST interface, to look at what is there.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::env;

/// The `sink` of a pipeline that writes to the server.
pub fn sink(dataset: &str) -> String {
    format!(
        "sink:\n  type: bigquery\n  project: {}\n  dataset: {dataset}\n  rest_endpoint: {}\n  grpc_endpoint: {}\n  \
         anonymous: true\n  request_bytes: 1000000\n",
        env("SLUICE_TEST_BIGQUERY_PROJECT"),
        env("SLUICE_TEST_BIGQUERY_REST"),
        env("SLUICE_TEST_BIGQUERY_GRPC")
    )
}

/// The `source` of a pipeline that reads from the server, data of `project`; `more` are further lines of its configuration.
pub fn source(project: &str, more: &[(&str, &str)]) -> String {
    let mut fields = vec![
        ("project", env("SLUICE_TEST_BIGQUERY_PROJECT")),
        ("data_project", project.to_owned()),
        ("endpoint", env("SLUICE_TEST_BIGQUERY_REST")),
        ("storage_endpoint", env("SLUICE_TEST_BIGQUERY_GRPC")),
    ];
    for (name, value) in more {
        fields.retain(|(field, _)| field != name);
        fields.push((name, (*value).to_owned()));
    }
    let lines: Vec<String> = fields.iter().map(|(name, value)| format!("    {name}: {value}\n")).collect();
    format!("source:\n  connector: bigquery\n  grants: {{private_network: true}}\n  config:\n{}", lines.concat())
}

/// A dataset of its own in another project than the one that is billed.
///
/// # Panics
/// If it cannot be created.
pub fn dataset_of(project: &str, dataset: &str) {
    let reference = json!({"datasetReference": {"projectId": project, "datasetId": dataset}});
    let answer = post(&format!("/bigquery/v2/projects/{project}/datasets"), &reference);
    assert!(answer["error"].is_null(), "{answer}");
}

/// Runs a query and returns its rows, each value as text, an array as its JSON; NULL is none.
///
/// # Panics
/// If the server does not answer or refuses the query.
pub fn query(sql: &str) -> Vec<Vec<Option<String>>> {
    let path = format!("/bigquery/v2/projects/{}/queries", env("SLUICE_TEST_BIGQUERY_PROJECT"));
    let answer = post(&path, &json!({"query": sql, "useLegacySql": false, "maxResults": 100_000}));
    assert!(answer["error"].is_null(), "{sql}: {answer}");
    let rows = answer["rows"].as_array().cloned().unwrap_or_default();
    let cell = |cell: &Value| match &cell["v"] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        array => Some(array.to_string()),
    };
    rows.iter().map(|row| row["f"].as_array().expect("cells").iter().map(cell).collect()).collect()
}

/// The values of an INT64 column, sorted; empty if there is no such table.
///
/// # Panics
/// As [`query`].
pub fn integers(table: &str, column: &str) -> Vec<i64> {
    let rows = query(&format!("SELECT {column} FROM {table} ORDER BY {column}"));
    rows.iter().map(|row| row[0].as_deref().expect("a value").parse().expect("an integer")).collect()
}

/// HTTP/1.0, so that the answer ends with the connection and is never chunked.
fn post(path: &str, body: &Value) -> Value {
    let endpoint = env("SLUICE_TEST_BIGQUERY_REST");
    let address = endpoint.trim_start_matches("http://");
    let body = body.to_string();
    let mut stream = TcpStream::connect(address).expect("the BigQuery server listens");
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("the request is sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (_, json) = text.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(json).unwrap_or_else(|e| panic!("{e}: {text}"))
}
