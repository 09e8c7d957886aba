//! Objects over S3 on loopback against curl, which throws the bytes away, and polars, which makes Arrow of them.
//!
//! Texts come from s3rver, one thread of Node. It answers a question for an object's last bytes with its first ones, which is how polars
//! begins a Parquet file, so Parquet comes from s3s-fs. That one hashes the whole object for each request: the object is kept small.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::Bench;
use super::files::{SPLITS, table};
use super::lineitem::{self, Format, Table};
use super::ours::{NULL, Read};
use super::pairs::{pairs, speed};
use super::table::Row;
use crate::process::output;
use crate::services::{Group, Lifetime};

const BUCKET: &str = "bench";
/// Of the table, what a Parquet object holds.
const PARQUET_SHARE: f64 = 0.1;

/// Reads a format from a server that was started for it.
pub(super) fn read(bench: &Bench, format: Format) -> Result<Vec<Row>> {
    let scale = if format == Format::Parquet { bench.scale * PARQUET_SHARE } else { bench.scale };
    let file = lineitem::file(&bench.peers, scale, format)?;
    let table = table(bench, &file)?;
    let mut group = Group::new(bench.workspace, &format!("bench-s3-{}", std::process::id()), Lifetime::OfThisProcess)?;
    match format {
        Format::Parquet => group.start_s3(bench.interrupt)?,
        _ => group.start_s3rver(bench.interrupt)?,
    }
    let server = Server { group, key: format!("lineitem.{}", format.ending()) };
    server.put(&file)?;
    let ours = server.ours(bench, &table)?;
    let case = format!("s3-{}", format.ending());
    let mut rows = Vec::new();
    if format != Format::Parquet {
        let measured = pairs(bench, &table, &ours, &server.download()?, || Ok(()))?;
        rows.push(speed(&case, "curl to /dev/null", &table, &measured, 0.7));
    }
    let measured = pairs(bench, &table, &ours, &server.polars(bench)?, || Ok(()))?;
    rows.push(speed(&case, "polars, streaming", &table, &measured, 1.0));
    Ok(rows)
}

struct Server {
    group: Group,
    key: String,
}

impl Server {
    fn fact(&self, name: &str) -> Result<&str> {
        self.group.facts.get(&format!("SLUICE_TEST_S3_{name}"))
    }

    fn put(&self, file: &Path) -> Result<()> {
        let bucket = format!("{}/{BUCKET}", self.fact("ENDPOINT")?);
        output(self.curl()?.args(["--request", "PUT", &bucket]))?;
        output(self.curl()?.arg("--upload-file").arg(file).arg(self.url()?)).map(drop)
    }

    fn ours(&self, bench: &Bench, table: &Table) -> Result<Command> {
        let endpoint = self.fact("ENDPOINT")?;
        let (key, secret) = (self.fact("ACCESS_KEY")?, self.fact("SECRET_KEY")?);
        bench.sluice.run(&Read {
            name: &format!("s3-{}", self.key),
            connector: "s3",
            config: format!(
                "{{bucket: {BUCKET}, endpoint: '{endpoint}', access_key_id: '{key}', \
                 secret_access_key: '{secret}', streams: [{{name: lineitem, glob: '{}'}}]}}",
                self.key
            ),
            grants: "{private_network: true}",
            stream: "lineitem",
            bytes: table.bytes,
            splits: SPLITS,
            sink: NULL,
        })
    }

    /// Without what to do.
    fn curl(&self) -> Result<Command> {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--aws-sigv4", "aws:amz:us-east-1:s3"]);
        // Left to itself, curl before 8 leaves out what S3 wants signed.
        curl.args(["--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "--user"]);
        curl.arg(format!("{}:{}", self.fact("ACCESS_KEY")?, self.fact("SECRET_KEY")?));
        Ok(curl)
    }

    fn download(&self) -> Result<Command> {
        let mut curl = self.curl()?;
        curl.args(["--output", "/dev/null", &self.url()?]);
        Ok(curl)
    }

    fn url(&self) -> Result<String> {
        Ok(format!("{}/{BUCKET}/{}", self.fact("ENDPOINT")?, self.key))
    }

    fn polars(&self, bench: &Bench) -> Result<Command> {
        let threads = SPLITS.to_string();
        let environment = [
            ("POLARS_MAX_THREADS", threads.as_str()),
            ("AWS_ENDPOINT_URL", self.fact("ENDPOINT")?),
            ("AWS_ACCESS_KEY_ID", self.fact("ACCESS_KEY")?),
            ("AWS_SECRET_ACCESS_KEY", self.fact("SECRET_KEY")?),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ALLOW_HTTP", "true"),
        ];
        Ok(bench.peers.script("read_polars.py", environment, &[&format!("s3://{BUCKET}/{}", self.key)]))
    }
}
