//! The BigQuery connector against Google's own reader for Python, both on the Storage Read API of the tests' stand-in.
//!
//! The stand-in, Python on DuckDB, may be slower than either: the CPU that it spends meanwhile is shown beside.

use std::fs::File;
use std::io::Write;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Bench;
use super::lineitem::{self, Format, Table};
use super::ours::{NULL, Read};
use super::pairs::{effort, pairs, server_effort, speed};
use super::table::Row;
use crate::process::output;
use crate::services::{Group, Lifetime, bigquery_python};

const DATASET: &str = "bench";
const TABLE: &str = "bench.lineitem";
/// The stand-in puts up to a million rows into one message, where BigQuery's have at most 100 MB.
const MOST_SCALE: f64 = 0.1;
/// Between the parts of an upload; long enough not to be in a file.
const BOUNDARY: &str = "sluice-bench-7f3b1c5e9a2d4860";

/// One and two streams against Google's reader, and what the server spent on both.
pub(super) fn bigquery(bench: &Bench) -> Result<Vec<Row>> {
    let server = Server::start(bench)?;
    let table = server.load(bench)?;
    let mut rows = Vec::new();
    for splits in [1, 2] {
        let case = format!("bigquery-{splits}");
        let ours = server.ours(bench, &table, splits)?;
        let theirs = server.google(bench, splits)?;
        let measured = pairs(bench, &table, &ours, &theirs, || Ok(()))?;
        rows.push(speed(&case, "google-cloud-bigquery-storage", &table, &measured, 1.0));
        rows.push(effort(&case, "google-cloud-bigquery-storage", &measured, 1.0));
        rows.push(server_effort(&case, &server.group, "local-bigquery", &ours, &theirs)?);
    }
    Ok(rows)
}

/// The stand-in with the table in it.
struct Server {
    group: Group,
}

impl Server {
    fn start(bench: &Bench) -> Result<Server> {
        let name = format!("bench-bigquery-{}", std::process::id());
        let mut group = Group::new(bench.workspace, &name, Lifetime::OfThisProcess)?;
        group.start_local_bigquery(bench.interrupt)?;
        Ok(Server { group })
    }

    fn fact(&self, name: &str) -> Result<&str> {
        self.group.facts.get(&format!("SLUICE_TEST_BIGQUERY_{name}"))
    }

    /// Asks the REST API, and takes an error in the answer as one.
    fn ask(&self, path: &str, arguments: &[&str]) -> Result<Value> {
        let project = self.fact("PROJECT")?;
        let url = format!("{}/{path}", self.fact("REST")?).replace("{project}", project);
        let answer = output(Command::new("curl").args(["--silent", "--show-error"]).args(arguments).arg(url))?;
        let answer: Value = serde_json::from_str(&answer).with_context(|| format!("the answer {answer:?}"))?;
        match answer.pointer("/error").or_else(|| answer.pointer("/status/errorResult")) {
            Some(error) => bail!("{path}: {error}"),
            None => Ok(answer),
        }
    }

    fn load(&self, bench: &Bench) -> Result<Table> {
        let file = lineitem::file(&bench.peers, bench.scale.min(MOST_SCALE), Format::Parquet)?;
        eprintln!("bench: loading {} into the stand-in for BigQuery", file.display());
        let reference = json!({"projectId": self.fact("PROJECT")?, "datasetId": DATASET});
        let body = json!({ "datasetReference": reference }).to_string();
        let json_type = "Content-Type: application/json";
        self.ask("bigquery/v2/projects/{project}/datasets", &["--header", json_type, "--data", &body])?;

        let to = json!({"projectId": self.fact("PROJECT")?, "datasetId": DATASET, "tableId": "lineitem"});
        let job = json!({"configuration": {"load": {"destinationTable": to, "sourceFormat": "PARQUET"}}});
        let upload = bench.folder.join("upload");
        let mut parts = File::create(&upload)?;
        write!(parts, "--{BOUNDARY}\r\n{json_type}\r\n\r\n{job}\r\n--{BOUNDARY}\r\n")?;
        write!(parts, "Content-Type: application/octet-stream\r\n\r\n")?;
        std::io::copy(&mut File::open(&file)?, &mut parts)?;
        write!(parts, "\r\n--{BOUNDARY}--\r\n")?;
        let parts = upload.to_string_lossy();
        let content_type = format!("Content-Type: multipart/related; boundary={BOUNDARY}");
        let arguments = ["--request", "POST", "--header", &content_type, "--upload-file", &parts];
        self.ask("upload/bigquery/v2/projects/{project}/jobs?uploadType=multipart", &arguments)?;
        std::fs::remove_file(&upload)?;

        let table = self.ask(&format!("bigquery/v2/projects/{{project}}/datasets/{DATASET}/tables/lineitem"), &[])?;
        let number = |field: &str| table.get(field).and_then(Value::as_str).and_then(|text| text.parse().ok());
        match (number("numRows"), number("numBytes")) {
            (Some(rows), Some(bytes)) => Ok(Table { name: TABLE, rows, bytes }),
            _ => bail!("the stand-in does not say how large the table is: {table}"),
        }
    }

    fn ours(&self, bench: &Bench, table: &Table, splits: u32) -> Result<Command> {
        let config = json!({
            "project": self.fact("PROJECT")?, "endpoint": self.fact("REST")?, "storage_endpoint": self.fact("GRPC")?,
        });
        bench.sluice.run(&Read {
            name: &format!("bigquery-{splits}"),
            connector: "bigquery",
            config: config.to_string(),
            grants: "{private_network: true}",
            stream: TABLE,
            bytes: table.bytes,
            splits,
            sink: NULL,
        })
    }

    /// Google's reader lies in the Python environment of the stand-in, which is built on it.
    fn google(&self, bench: &Bench, streams: u32) -> Result<Command> {
        let arguments = [TABLE, &streams.to_string()];
        Ok(bench.peers.script_with(&bigquery_python()?, "read_bigquery.py", self.group.facts.iter(), &arguments))
    }
}
