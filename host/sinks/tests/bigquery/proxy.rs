//! A wire that fails on command: bytes pass between the sink and the server until a test says otherwise.
//!
//! It knows nothing of HTTP, so it treats gRPC and REST alike. What a test arms is used up by the connections that meet it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// How long a connection whose answers are lost goes on: the server gets the request and does what it says.
const LOSING: Duration = Duration::from_millis(700);

#[derive(Default)]
struct Faults {
    lose: AtomicUsize,
    lose_new: AtomicUsize,
    refuse: AtomicUsize,
    cut: Mutex<Option<(usize, usize)>>,
    delay_millis: AtomicU64,
    connections: AtomicUsize,
}

/// A proxy before one server. It ends with the test's runtime.
pub struct Proxy {
    address: SocketAddr,
    faults: Arc<Faults>,
}

impl Proxy {
    /// Before the server at an `http://host:port` address.
    pub async fn before(server: &str) -> Self {
        let server = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let faults = Arc::new(Faults::default());
        let shared = faults.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                if take(&shared.refuse) {
                    continue;
                }
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(pass(client, server, shared.clone()));
            }
        });
        Self { address, faults }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next `count` connections on which the server answers lose that answer, and die.
    pub fn lose_answers(&self, count: usize) {
        self.faults.lose.store(count, Ordering::SeqCst);
    }

    /// The next `count` connections that are opened lose every answer, and die.
    pub fn lose_answers_of_new_connections(&self, count: usize) {
        self.faults.lose_new.store(count, Ordering::SeqCst);
    }

    /// The next `count` connections are closed before anything passes.
    pub fn refuse(&self, count: usize) {
        self.faults.refuse.store(count, Ordering::SeqCst);
    }

    /// The next `count` connections die once the server has sent `bytes` over them.
    pub fn cut_after(&self, bytes: usize, count: usize) {
        *self.faults.cut.lock().unwrap() = Some((bytes, count));
    }

    /// Every answer is late by this much from now on.
    pub fn delay(&self, by: Duration) {
        self.faults.delay_millis.store(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.faults.connections.load(Ordering::SeqCst)
    }

    /// Whether everything that was armed has happened.
    pub fn is_used_up(&self) -> bool {
        let left = [&self.faults.lose, &self.faults.lose_new, &self.faults.refuse];
        left.iter().all(|left| left.load(Ordering::SeqCst) == 0) && self.faults.cut.lock().unwrap().is_none()
    }
}

fn take(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

fn take_cut(faults: &Faults) -> Option<usize> {
    let mut cut = faults.cut.lock().unwrap();
    let (bytes, count) = (*cut)?;
    *cut = (count > 1).then_some((bytes, count - 1));
    Some(bytes)
}

async fn pass(client: TcpStream, server: TcpStream, faults: Arc<Faults>) {
    let is_losing = take(&faults.lose_new);
    let cut = take_cut(&faults);
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // Whichever direction ends, both halves are dropped and the connection is reset.
    tokio::select! {
        () = requests(from_client, to_server) => {}
        () = answers(from_server, to_client, &faults, is_losing, cut) => {}
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

async fn answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    faults: &Faults,
    is_losing: bool,
    mut cut: Option<usize>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if is_losing || take(&faults.lose) {
            let drain = async { while let Ok(1..) = from.read(&mut buffer).await {} };
            let _ = tokio::time::timeout(LOSING, drain).await;
            return;
        }
        let delay = faults.delay_millis.load(Ordering::SeqCst);
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        let passing = cut.map_or(count, |left| count.min(left));
        if to.write_all(&buffer[..passing]).await.is_err() {
            return;
        }
        if let Some(left) = &mut cut {
            *left -= passing;
            if *left == 0 {
                return;
            }
        }
    }
}
