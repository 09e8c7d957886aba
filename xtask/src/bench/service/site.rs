//! A service of the release build on a state file, set up over its own API.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::process::signal;
use crate::services::net;

/// How long a service may take to become ready, or a request to be answered.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder that services work on.
pub(super) struct Site {
    folder: PathBuf,
    binary: PathBuf,
    connectors: PathBuf,
    port: u16,
}

/// A running service; it ends with the value.
pub(super) struct Service {
    child: Child,
    /// From the start of the process until it said that it is ready.
    pub(super) ready: Duration,
}

/// Somebody who may do everything in one tenant.
pub(super) struct Client {
    pub(super) port: u16,
    pub(super) tenant: String,
    pub(super) token: String,
}

impl Site {
    pub(super) fn new(bench: &Bench, name: &str) -> Result<Site> {
        let folder = bench.folder.join(name);
        std::fs::create_dir_all(&folder)?;
        let [port] = net::free_ports()?;
        let binary = bench.workspace.target.join("release/sluice");
        Ok(Site { folder, binary, connectors: bench.workspace.connectors(), port })
    }

    /// Starts a service whose connections may read a folder as `lake`.
    pub(super) fn start(&self, lake: &Path, options: &[&str]) -> Result<Service> {
        let mut command = Command::new(&self.binary);
        command.args(["serve", "--json", "--listen", &format!("127.0.0.1:{}", self.port)]);
        command.arg("--data").arg(self.folder.join("data")).arg("--folder").arg(format!("lake={}", lake.display()));
        // One client asks as much as many do.
        command.args(["--rate-limit", "1000000"]).args(options).env("SLUICE_CONNECTORS", &self.connectors);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(std::fs::File::create(self.log())?);
        let begun = Instant::now();
        let child = command.spawn().context("starting the service")?;
        let mut service = Service { child, ready: Duration::ZERO };
        while net::get(self.port, "/ready").is_err() {
            if begun.elapsed() > PATIENCE || service.child.try_wait()?.is_some() {
                bail!("the service is not ready: {}", std::fs::read_to_string(self.log())?);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        service.ready = begun.elapsed();
        Ok(service)
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// The first person of a new service, with a token for programs.
    pub(super) fn set_up(&self) -> Result<Client> {
        let first = json!({
            "name": "Bench", "email": "bench@example.com", "password": "four words nobody says", "tenant": "Bench",
        });
        let origin = format!("Origin: http://127.0.0.1:{}", self.port);
        let (answer, me) = ask(self.port, "POST", "/v1/setup", &[&origin], Some(&first))?;
        let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        let cookie = format!("Cookie: {}", cookie.context("a session")?);
        let tenant = text(&me, "/tenants/0/id")?;
        let token = json!({"name": "bench", "role": "owner"});
        let path = format!("/v1/tenants/{tenant}/tokens");
        let (_, made) = ask(self.port, "POST", &path, &[&origin, &cookie], Some(&token))?;
        Ok(Client { port: self.port, tenant, token: text(&made, "/secret")? })
    }
}

impl Service {
    /// Resident memory, bytes.
    pub(super) fn resident(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("resident memory")?;
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024.0)
    }

    /// Ends it at once, with whatever it runs.
    pub(super) fn kill(self) {
        drop(self);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        signal(self.child.id(), Signal::KILL);
        let _gone = self.child.wait();
    }
}

impl Client {
    /// Asks below the tenant.
    pub(super) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let token = format!("Authorization: Bearer {}", self.token);
        Ok(ask(self.port, method, &format!("/v1/tenants/{}{path}", self.tenant), &[&token], body)?.1)
    }

    /// Makes something; its id.
    pub(super) fn make(&self, path: &str, body: &Value) -> Result<String> {
        text(&self.ask("POST", path, Some(body))?, "/id")
    }

    /// A connection to files of the folder that is offered.
    pub(super) fn lake(&self, glob: &str) -> Result<String> {
        self.make(
            "/connections",
            &json!({
                "name": "Lake", "connector": "files", "config": {"streams": [{"name": "t", "glob": glob}]},
                "grants": {"folders": {"/data": "lake"}},
            }),
        )
    }

    /// A pipeline into a local warehouse that reads what is new.
    pub(super) fn pipeline(&self, connection: &str, number: usize, schedule: Option<Value>) -> Result<String> {
        let mut definition = json!({
            "streams": [{"id": "t", "read": {"incremental": ""}}], "sink": {"type": "local", "path": format!("p{number}")},
        });
        if let (Some(schedule), Some(fields)) = (schedule, definition.as_object_mut()) {
            fields.insert("schedule".to_owned(), schedule);
        }
        let body = json!({"name": format!("p{number}"), "connection": connection, "definition": definition});
        self.make("/pipelines", &body)
    }
}

fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    Ok(found.with_context(|| format!("{pointer} of {value}"))?.to_owned())
}

/// One request; the answer, and its body. Anything but success is an error.
fn ask(port: u16, method: &str, path: &str, headers: &[&str], body: Option<&Value>) -> Result<(net::Answer, Value)> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let headers: Vec<&str> = headers.iter().copied().chain(["Content-Type: application/json"]).collect();
    let answer = net::ask(port, method, path, &headers, &body, PATIENCE)?;
    if !(200..300).contains(&answer.status) {
        bail!("{method} {path} answered {}: {}", answer.status, answer.body);
    }
    let value = if answer.body.is_empty() { Value::Null } else { serde_json::from_str(&answer.body)? };
    Ok((answer, value))
}
