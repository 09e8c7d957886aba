//! A service that runs: what it is asked, and how it ends.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus};

use serde_json::Value;

use super::PATIENCE;

/// A running service.
pub struct Service {
    child: Child,
    /// Where it answers: `127.0.0.1:PORT`.
    pub address: String,
    log: Option<std::thread::JoinHandle<String>>,
}

/// A failed test leaves no service behind.
impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    /// Starts a service and waits until it is ready.
    pub(super) fn begun(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("the binary starts");
        let stderr = child.stderr.take().expect("its standard error");
        let (tell, told) = std::sync::mpsc::channel();
        let log = std::thread::spawn(move || {
            let mut all = String::new();
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let parsed: Value = serde_json::from_str(&line).unwrap_or_default();
                if parsed["fields"]["message"] == "the service is ready" {
                    let _ = tell.send(parsed["fields"]["address"].as_str().unwrap_or_default().to_owned());
                }
                all.push_str(&line);
                all.push('\n');
            }
            all
        });
        match told.recv_timeout(PATIENCE) {
            Ok(address) => Self { child, address, log: Some(log) },
            Err(_) => {
                let _ = child.kill();
                panic!("the service is not ready: {}", log.join().unwrap_or_default())
            }
        }
    }

    /// Asks the API, below `/v1`; status and body, which is JSON or else a text.
    ///
    /// # Panics
    /// If there is no answer.
    pub fn ask(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> (u16, Value) {
        self.ask_with(method, path, &[("Authorization", &format!("Bearer {token}"))], body)
    }

    /// As [`Service::ask`], with these headers and no others.
    ///
    /// # Panics
    /// If there is no answer.
    pub fn ask_with(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> (u16, Value) {
        self.send(method, &format!("/v1{path}"), headers, body)
    }

    /// What `/metrics` says: each series with its value.
    ///
    /// # Panics
    /// If it does not say it as Prometheus reads it.
    pub fn metrics(&self) -> BTreeMap<String, f64> {
        let (status, text) = self.send("GET", "/metrics", &[], None);
        assert_eq!(status, 200, "{text}");
        let lines = text.as_str().expect("a text").lines().filter(|line| !line.starts_with('#'));
        let parse = |line: &str| {
            let (series, value) = line.rsplit_once(' ').expect("a series and its value");
            (series.to_owned(), value.parse().expect("a number"))
        };
        lines.map(parse).collect()
    }

    /// Sends a request to any path with these headers; status and body, which is JSON or else a text.
    ///
    /// # Panics
    /// If there is no answer.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> (u16, Value) {
        let body = body.map(Value::to_string).unwrap_or_default();
        self.send_bytes(method, path, headers, ("application/json", body.as_bytes()))
    }

    /// As [`Service::send`], a body of this type.
    ///
    /// # Panics
    /// If there is no answer.
    pub fn send_bytes(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        (kind, body): (&str, &[u8]),
    ) -> (u16, Value) {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let mut socket = TcpStream::connect(&self.address).expect("the service listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        write!(
            socket,
            "{method} {path} HTTP/1.0\r\nHost: {}\r\n{headers}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        )
        .expect("a request");
        // What is refused early may not be read to its end.
        let _ = socket.write_all(body);
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer of HTTP");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, serde_json::from_str(body).unwrap_or_else(|_| body.into()))
    }

    /// Ends it as the machine's power going out does; what it had logged.
    ///
    /// # Panics
    /// If it cannot be waited for.
    pub fn kill(mut self) -> String {
        self.child.kill().expect("a signal");
        self.child.wait().expect("its end");
        self.log()
    }

    /// Asks it to stop, and waits for it; how it ended and what it logged.
    ///
    /// # Panics
    /// If it does not end.
    pub fn stop(mut self) -> (ExitStatus, String) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()));
        let status = self.child.wait().expect("its end");
        (status, self.log())
    }

    fn log(&mut self) -> String {
        self.log.take().map(|log| log.join().expect("its log")).unwrap_or_default()
    }

    /// Tells it to read its keys again.
    ///
    /// # Panics
    /// If it cannot be told.
    pub fn hang_up(&self) {
        let told = Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status();
        assert!(told.is_ok_and(|status| status.success()));
    }

    /// How far behind other processes each worker is, as `nice` counts.
    pub fn workers(&self) -> Vec<i32> {
        let processes = std::fs::read_dir("/proc").expect("processes").flatten();
        let stats = processes.filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok());
        // The fields behind the name, which may hold anything: the state, the parent, …; `nice` is the 19th (proc(5)).
        let fields = stats.filter_map(|stat| Some(stat.rsplit_once(") ")?.1.to_owned()));
        let field = |stat: &str, number: usize| stat.split(' ').nth(number - 3).and_then(|text| text.parse().ok());
        let parent = i32::try_from(self.process()).ok();
        fields.filter(|stat| field(stat, 4) == parent).filter_map(|stat| field(&stat, 19)).collect()
    }

    /// The service's process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}
