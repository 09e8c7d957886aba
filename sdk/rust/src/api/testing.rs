//! A server on this machine that answers as a test says.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// Answers requests one after the other, and keeps what it was asked.
pub(super) struct Server {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// `answers` is told the path with its query, and how many requests came before.
    pub(super) fn start(answers: impl Fn(&str, usize) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let (mut line, mut first) = (String::new(), String::new());
                while reader.read_line(&mut line).unwrap() > 2 {
                    if first.is_empty() {
                        first = line.clone();
                    }
                    line.clear();
                }
                let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                let nth = kept.lock().unwrap().len();
                let answer = answers(&path, nth);
                kept.lock().unwrap().push(path);
                // Whoever asked may not read to the end.
                let _ = reader.get_mut().write_all(answer.as_bytes());
            }
        });
        Self { url, asked }
    }

    /// An answer; headers end with a line break each.
    pub(super) fn answer(status: u16, headers: &str, body: &str) -> String {
        format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
    }

    /// Paths and queries, in the order in which they were asked.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
