//! Cloud Scheduler's double, as somebody with rights on the project sees it, and the issuer whose tokens its jobs carry.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::env;

/// Whose identity the jobs show.
pub const SERVICE_ACCOUNT: &str = "knocks@test-project.iam.gserviceaccount.com";

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A project of its own.
pub struct Project {
    name: String,
}

impl Project {
    /// An empty one.
    pub fn new(name: &str) -> Self {
        Self { name: format!("{name}-{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond()) }
    }

    /// What a service that keeps its jobs here is started with.
    pub fn arguments(&self) -> Vec<String> {
        let pairs = [
            ("--scheduler", "cloud"),
            ("--scheduler-project", &self.name),
            ("--scheduler-location", "europe-west1"),
            ("--scheduler-service-account", SERVICE_ACCOUNT),
            ("--scheduler-issuer", &env("SLUICE_TEST_OIDC_ISSUER")),
            ("--scheduler-endpoint", &env("SLUICE_TEST_SCHEDULER_ENDPOINT")),
            ("--scheduler-check-every", "1"),
        ];
        pairs.into_iter().flat_map(|(name, value)| [name.to_owned(), value.to_owned()]).collect()
    }

    /// All jobs.
    pub fn jobs(&self) -> Vec<Value> {
        let (status, answer) = call("GET", &format!("/v1/{}/jobs", self.parent()), None);
        assert_eq!(status, 200, "{answer}");
        answer["jobs"].as_array().cloned().unwrap_or_default()
    }

    /// The job that calls for a pipeline, once it is as wanted.
    ///
    /// # Panics
    /// If that takes too long.
    pub async fn job(&self, pipeline: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let jobs = self.jobs();
            let mut of_it = jobs.iter().filter(|job| {
                job["httpTarget"]["uri"].as_str().is_some_and(|uri| uri.ends_with(&format!("/{pipeline}")))
            });
            if let Some(job) = of_it.next().filter(|job| wanted(job)) {
                assert!(of_it.next().is_none(), "{jobs:?}");
                return job.clone();
            }
            assert!(begun.elapsed() < PATIENCE, "{jobs:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until there are no more jobs than these.
    ///
    /// # Panics
    /// If that takes too long.
    pub async fn only(&self, names: &[&str]) {
        let begun = Instant::now();
        loop {
            let jobs: Vec<String> = self.jobs().iter().map(|job| text(&job["name"])).collect();
            if jobs.iter().map(|name| name.rsplit('/').next().unwrap_or_default()).eq(names.iter().copied()) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{jobs:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Makes a job by hand.
    pub fn make(&self, id: &str) {
        let job = json!({"name": format!("{}/jobs/{id}", self.parent()), "schedule": "0 0 * * *",
            "httpTarget": {"uri": "https://other.example/"}});
        let (status, answer) = call("POST", &format!("/v1/{}/jobs", self.parent()), Some(&job));
        assert_eq!(status, 200, "{answer}");
    }

    /// Has the next so many changes refused, as over a quota.
    ///
    /// # Panics
    /// If the double does not answer.
    pub fn exhaust(&self, calls: u32) {
        let (status, _) = call("POST", "/trouble", Some(&json!({"parent": self.parent(), "calls": calls})));
        assert_eq!(status, 200);
    }

    fn parent(&self) -> String {
        format!("projects/{}/locations/europe-west1", self.name)
    }
}

/// Asks the double; the status and the answer.
pub fn call(method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let body = body.map(Value::to_string).unwrap_or_default();
    let (status, answer) = http(method, &env("SLUICE_TEST_SCHEDULER_ENDPOINT"), path, "application/json", &body);
    (status, serde_json::from_str(&answer).unwrap_or_default())
}

/// Has a job call for a time; the service's status and answer. `more` may change the token's claims and the headers.
pub fn fire(job: &Value, time: &str, more: &Value) -> (u64, Value) {
    let mut asked = json!({"name": job["name"], "time": time});
    for (name, value) in more.as_object().into_iter().flatten() {
        asked[name] = value.clone();
    }
    let (status, answer) = call("POST", "/fire", Some(&asked));
    assert_eq!(status, 200, "{answer}");
    let body = serde_json::from_str(answer["body"].as_str().unwrap_or_default()).unwrap_or_default();
    (answer["status"].as_u64().unwrap_or_default(), body)
}

/// A token of the issuer with these claims.
pub fn token(audience: &str, claims: &Value) -> String {
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let form = format!("grant_type=client_credentials&aud={}&claims={}", encode(audience), encode(&claims.to_string()));
    let issuer = env("SLUICE_TEST_OIDC_ISSUER");
    let (status, answer) = http("POST", &issuer, "/token", "application/x-www-form-urlencoded", &form);
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    text(&answer["access_token"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn http(method: &str, server: &str, path: &str, kind: &str, body: &str) -> (u16, String) {
    let host = server.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("a server");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, body.to_owned())
}
