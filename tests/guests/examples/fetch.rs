//! A connector that sends the requests that its configuration names, all at once, and yields what came back.

#![allow(missing_docs, reason = "nobody but the tests of the HTTP client uses it")]

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde::Deserialize;
use sluice_sdk::http::{self, Pending, Request, Timeouts};
use sluice_sdk::{
    CheckStep, Config, Cursor, DiscoverFilter, DiscoverPage, Hints, Manifest, Output, Plan, Result, Selection, Source,
    Split, StreamPlan,
};

#[derive(Clone, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub struct FetchConfig {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What to ask for: `GET /path`, or `POST /path 123` for a body of 123 bytes.
    pub requests: Vec<String>,
    /// Milliseconds to wait for a response.
    #[serde(default)]
    pub timeout_ms: u64,
    /// A service account's key, if the server wants Google's tokens.
    #[config(secret)]
    pub key: Option<String>,
    /// Send tokens of the host's own identity.
    #[serde(default)]
    pub lend: bool,
}

#[derive(Manifest)]
#[manifest(
    name = "fetch",
    title = "Fetch",
    description = "Sends requests.",
    publisher = "Sluice",
    config = FetchConfig,
    hosts("{host}:{port}"),
    auth(google_oauth(key = "key", application_default = "lend", scopes("https://www.googleapis.com/auth/bigquery.readonly")))
)]
pub struct Fetch {
    config: FetchConfig,
}

sluice_sdk::export!(Fetch);

fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    Arc::new(Schema::new(vec![text("request"), text("answer")]))
}

impl Fetch {
    fn start(&self, request: &str) -> Result<Pending> {
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let url = format!("http://{}:{}{path}", self.config.host, self.config.port);
        let request = match method {
            "POST" => {
                let length = words.next().and_then(|length| length.parse().ok()).unwrap_or_default();
                Request::post(url, vec![7; length])
            }
            _ => Request::get(url).header("x-asked", path),
        };
        let wait = Duration::from_millis(self.config.timeout_ms);
        let timeouts = if wait.is_zero() {
            Timeouts::default()
        } else {
            Timeouts { first_byte: Some(wait), between_bytes: Some(wait), ..Timeouts::default() }
        };
        request.timeouts(timeouts).start()
    }
}

/// Status, length and sum of the body, and what followed it.
async fn answer(pending: Result<Pending>) -> String {
    let told = async {
        let mut response = pending?.await?;
        let (mut length, mut sum) = (0, 0_u64);
        while let Some(chunk) = response.next_chunk().await? {
            length += chunk.len();
            sum += chunk.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        }
        let trailers = response.trailers().await?;
        let status = trailers.get("grpc-status").map(|status| format!(" grpc-status {status}")).unwrap_or_default();
        let etag = response.headers().get("etag").unwrap_or("none");
        Ok::<_, sluice_sdk::Error>(format!("{} etag {etag} length {length} sum {sum}{status}", response.status()))
    };
    told.await.unwrap_or_else(|error| format!("{:?}: {error}", error.kind))
}

impl Source for Fetch {
    type Config = FetchConfig;

    fn open(config: FetchConfig) -> Result<Self> {
        Ok(Self { config })
    }

    /// Every request is a step.
    fn check(&mut self) -> Result<Vec<CheckStep>> {
        let step = |request: &String| match self.start(request).and_then(http::block_on) {
            Ok(_) => CheckStep::passed(request, "answered"),
            Err(error) => CheckStep::failed(request, error.message, "act"),
        };
        Ok(self.config.requests.iter().map(step).collect())
    }

    /// Nothing, if every request is answered.
    fn discover(&mut self, _filter: &DiscoverFilter, _page: Option<&str>) -> Result<DiscoverPage> {
        for request in &self.config.requests {
            http::block_on(self.start(request)?)?;
        }
        Ok(DiscoverPage::default())
    }

    fn plan(&mut self, _selections: &[Selection], _hints: &Hints) -> Result<Plan> {
        let split = Split {
            id: "all".into(),
            streams: vec!["answers".into()],
            descriptor: Vec::new(),
            rows: None,
            bytes: None,
            resumable: false,
        };
        let stream =
            StreamPlan { id: "answers".into(), schema: schema(), rows: None, bytes: None, state_after: Some(vec![]) };
        Ok(Plan { streams: vec![stream], splits: vec![split], expires: false })
    }

    fn read(&mut self, _split: &Split, _start: Option<&Cursor>, output: &mut Output) -> Result<()> {
        let pending: Vec<_> = self.config.requests.iter().map(|request| self.start(request)).collect();
        // The last first: the earlier ones go on meanwhile.
        let mut answers: Vec<String> = http::block_on(async {
            let mut answers = Vec::new();
            for pending in pending.into_iter().rev() {
                answers.push(answer(pending).await);
            }
            answers
        });
        answers.reverse();
        http::block_on(http::sleep(Duration::from_millis(1)));
        let requests: ArrayRef = Arc::new(StringArray::from(self.config.requests.clone()));
        let answers: ArrayRef = Arc::new(StringArray::from(answers));
        output.stream("answers", schema())?.push(&RecordBatch::try_new(schema(), vec![requests, answers])?)
    }
}
