//! Secret Manager's double, as somebody with rights on the project sees it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::env;

/// A project of its own.
pub struct Vault {
    /// Its id.
    pub project: String,
}

impl Vault {
    /// An empty one.
    pub fn new(name: &str) -> Self {
        Self { project: format!("{name}-{}-{}", std::process::id(), jiff::Timestamp::now().as_microsecond()) }
    }

    /// Where it is, for `--secret-manager-endpoint`.
    pub fn endpoint() -> String {
        env("SLUICE_TEST_SECRET_MANAGER_ENDPOINT")
    }

    /// Makes a secret with a first version.
    ///
    /// # Panics
    /// If there is one already.
    pub fn make(&self, secret: &str, value: &[u8]) {
        let (status, answer) = call("POST", &format!("/v1/projects/{}/secrets?secretId={secret}", self.project), None);
        assert_eq!(status, 200, "{answer}");
        self.add(secret, value);
    }

    /// Adds a version, which `latest` is then.
    ///
    /// # Panics
    /// If there is no such secret.
    pub fn add(&self, secret: &str, value: &[u8]) {
        let body = json!({"payload": {"data": STANDARD.encode(value)}});
        let path = format!("/v1/projects/{}/secrets/{secret}:addVersion", self.project);
        let (status, answer) = call("POST", &path, Some(&body));
        assert_eq!(status, 200, "{answer}");
    }

    /// Enables, disables or destroys a version.
    ///
    /// # Panics
    /// If there is none.
    pub fn turn(&self, secret: &str, version: &str, verb: &str) {
        let path = format!("/v1/projects/{}/secrets/{secret}/versions/{version}:{verb}", self.project);
        let (status, answer) = call("POST", &path, Some(&json!({})));
        assert_eq!(status, 200, "{answer}");
    }

    /// Has the next so many reads fail in a way: `denied`, `checksum`, `no-checksum`, `unavailable`.
    ///
    /// # Panics
    /// If the double does not answer.
    pub fn trouble(&self, kind: &str, calls: u32) {
        let body = json!({"project": self.project, "access": kind, "calls": calls});
        assert_eq!(call("POST", "/trouble", Some(&body)).0, 200);
    }

    /// How a connection refers to a version.
    pub fn reference(&self, secret: &str, version: &str) -> Value {
        json!({"reference": format!("projects/{}/secrets/{secret}/versions/{version}", self.project)})
    }
}

/// How often a secret was read.
pub fn reads(secret: &str) -> u64 {
    call("GET", "/calls", None).1[secret].as_u64().unwrap_or_default()
}

fn call(method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let endpoint = Vault::endpoint();
    let host = endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("a server");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
    let body = body.map(Value::to_string).unwrap_or_default();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or_default())
}
