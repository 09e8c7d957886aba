//! A wire that fails on command: bytes pass between the connector's host and a server until a test says otherwise. It knows
//! nothing of HTTP, so it treats gRPC and REST alike.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

/// What a test has armed, and what has happened.
#[derive(Debug, Default)]
struct State {
    /// The next connections that are closed before anything passes.
    refuse: usize,
    /// The next connection dies once the server has sent this much over it.
    cut_after: Option<usize>,
    /// The next connection stands still once the server has sent this much over it.
    hold_after: Option<usize>,
    is_holding: bool,
    connections: usize,
    sent: usize,
    asked: Vec<u8>,
}

type Shared = Arc<(Mutex<State>, Condvar)>;

/// Bytes of requests that are remembered.
const REMEMBERED: usize = 1 << 20;

/// A proxy before one server. Its threads end with the test's process.
pub struct Proxy {
    url: String,
    shared: Shared,
}

impl Proxy {
    /// Before the server at an `http://host:port` address.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn before(server: &str) -> Self {
        let server = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Shared::default();
        let state = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                accept(client, &server, &state);
            }
        });
        Self { url, shared }
    }

    /// Where to connect instead.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The next `count` connections are closed at once.
    pub fn refuse(&self, count: usize) {
        self.shared.0.lock().expect("a proxy").refuse = count;
    }

    /// The next connection dies once the server has sent `bytes` over it.
    pub fn cut_after(&self, bytes: usize) {
        self.shared.0.lock().expect("a proxy").cut_after = Some(bytes);
    }

    /// The next connection stands still once the server has sent `bytes` over it.
    pub fn hold_after(&self, bytes: usize) {
        self.shared.0.lock().expect("a proxy").hold_after = Some(bytes);
    }

    /// Waits until a connection stands still.
    pub fn wait_until_held(&self) {
        let mut state = self.shared.0.lock().expect("a proxy");
        while !state.is_holding {
            state = self.shared.1.wait(state).expect("a proxy");
        }
    }

    /// Lets it go on.
    pub fn release(&self) {
        self.shared.0.lock().expect("a proxy").is_holding = false;
        self.shared.1.notify_all();
    }

    /// Connections so far, refused ones among them.
    pub fn connections(&self) -> usize {
        self.shared.0.lock().expect("a proxy").connections
    }

    /// Bytes that the server has sent so far.
    pub fn sent(&self) -> usize {
        self.shared.0.lock().expect("a proxy").sent
    }

    /// How often a text was in the requests so far, of which the first megabyte is remembered; HTTP/2 hides its headers.
    pub fn heard(&self, text: &str) -> usize {
        let state = self.shared.0.lock().expect("a proxy");
        state.asked.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
    }
}

fn accept(client: TcpStream, server: &str, shared: &Shared) {
    let (cut, hold) = {
        let mut state = shared.0.lock().expect("a proxy");
        state.connections += 1;
        if state.refuse > 0 {
            state.refuse -= 1;
            return;
        }
        (state.cut_after.take(), state.hold_after.take())
    };
    let Ok(server) = TcpStream::connect(server) else { return };
    let (mut from_client, mut to_server) =
        (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
    let asked = shared.clone();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = from_client.read(&mut buffer) {
            remember(&asked, &buffer[..read]);
            if to_server.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let shared = shared.clone();
    std::thread::spawn(move || answers(server, client, &shared, cut, hold));
}

fn answers(mut server: TcpStream, mut client: TcpStream, shared: &Shared, cut: Option<usize>, mut hold: Option<usize>) {
    let mut buffer = vec![0; 64 << 10];
    let mut passed = 0;
    while let Ok(read @ 1..) = server.read(&mut buffer) {
        let passing = cut.map_or(read, |cut| read.min(cut - passed));
        if client.write_all(&buffer[..passing]).is_err() {
            break;
        }
        passed += passing;
        shared.0.lock().expect("a proxy").sent += passing;
        if cut == Some(passed) {
            break;
        }
        if hold.is_some_and(|hold| passed >= hold) {
            hold = None;
            let mut state = shared.0.lock().expect("a proxy");
            state.is_holding = true;
            shared.1.notify_all();
            while state.is_holding {
                state = shared.1.wait(state).expect("a proxy");
            }
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}

fn remember(shared: &Shared, bytes: &[u8]) {
    let asked = &mut shared.0.lock().expect("a proxy").asked;
    asked.extend_from_slice(&bytes[..bytes.len().min(REMEMBERED.saturating_sub(asked.len()))]);
}
