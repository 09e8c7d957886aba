//! Google's access tokens from end to end: the manifest asks, the pipeline grants, the host fetches, the guest never sees.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, sync_channel};

use sluice_tests::binary::{Ran, Workspace, finish};
use sluice_tests::{env, guest};

/// A server that tells the test which credential each request brought.
fn server() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = sync_channel(16);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut line, mut authorization) = (String::new(), String::from("none"));
            while reader.read_line(&mut line).unwrap() > 2 {
                if let Some(value) = line.strip_prefix("authorization: ") {
                    authorization = value.trim().to_owned();
                }
                line.clear();
            }
            sender.send(authorization).unwrap();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        }
    });
    (port, receiver)
}

fn check(port: u16, config: &str, grants: &str) -> Ran {
    let (workspace, connector) = (Workspace::new(), guest("fetch"));
    workspace.pipeline(&format!(
        "name: google\nsource:\n  connector: {}\n  config: {{host: 127.0.0.1, port: {port}, requests: [GET /x], {config}}}\n  \
         grants: {{private_network: true, {grants}}}\nstreams:\n  - id: answers\nsink: {{type: local, path: warehouse}}\n",
        connector.display()
    ));
    let mut command = workspace.command(&["check", "pipeline.yaml"]);
    // Everything that any part of the host would ever say, and what the host's own identity is found by.
    finish(command.env("SLUICE_LOG", "trace").env("GOOGLE_APPLICATION_CREDENTIALS", env("SLUICE_TEST_GOOGLE_KEY")))
}

#[test]
fn a_key_is_exchanged_by_the_host_and_is_in_no_log() {
    let (port, sent) = server();
    let config = format!("key: {{file: {}}}", env("SLUICE_TEST_GOOGLE_KEY"));
    let endpoint = env("SLUICE_TEST_GOOGLE_ENDPOINT");
    let ran = check(port, &config, &format!("google_token_endpoint: \"{endpoint}/token\""));
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    let token = sent.recv().unwrap();
    assert!(token.starts_with("Bearer token-"), "{token}");
    for secret in [token.trim_start_matches("Bearer "), "PRIVATE KEY", "assertion=", "eyJ"] {
        assert!(!ran.stderr.contains(secret), "{secret} is in the log:\n{}", ran.stderr);
    }
}

#[test]
fn the_hosts_identity_is_lent_only_where_the_pipeline_grants_it() {
    let (port, sent) = server();
    let lent = check(port, "lend: true", "google_identity: true");
    assert_eq!(lent.code(), Some(0), "{lent:?}");
    // The host's key signs a token by itself, which Google takes as it is.
    assert!(sent.recv().unwrap().starts_with("Bearer eyJ"));
    let refused = check(port, "lend: true", "google_identity: false");
    assert_eq!(refused.code(), Some(2));
    assert!(refused.error().contains("`google_identity: true` under `grants`"), "{refused:?}");
    assert_eq!(refused.lines[0]["error"]["field"], "/lend");
    let anonymous = check(port, "lend: false", "google_identity: true");
    assert_eq!(anonymous.code(), Some(0));
    assert_eq!(sent.recv().unwrap(), "none");
}

#[test]
fn a_key_that_is_none_is_refused_by_its_field_without_being_shown() {
    let (port, _sent) = server();
    let refused = check(port, "key: hunter2", "google_identity: false");
    assert_eq!(refused.code(), Some(2));
    assert_eq!(refused.lines[0]["error"]["field"], "/key");
    assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
}
