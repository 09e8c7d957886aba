//! What a person is told of a request that the host did not send, and how an operator forbids one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use sluice_tests::binary::{Ran, Workspace, finish};
use sluice_tests::guest;

/// A server that has nothing to say.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        }
    });
    port
}

fn workspace(grants: &str) -> Workspace {
    let (workspace, connector, port) = (Workspace::new(), guest("fetch"), server());
    workspace.pipeline(&format!(
        "name: egress\nsource:\n  connector: {}\n  config: {{host: 127.0.0.1, port: {port}, requests: [GET /x]}}\n  \
         grants: {{{grants}}}\nstreams:\n  - id: answers\nsink: {{type: local, path: warehouse}}\n",
        connector.display()
    ));
    workspace
}

/// Runs a command that only looks at the source.
fn run(workspace: &Workspace, arguments: &[&str], deny: Option<&str>) -> Ran {
    let mut command = workspace.command(arguments);
    match deny {
        Some(deny) => command.env("SLUICE_DENY", deny),
        None => command.env_remove("SLUICE_DENY"),
    };
    finish(&mut command)
}

#[test]
fn what_the_operator_forbids_is_not_reached_whatever_the_pipeline_grants() {
    let workspace = workspace("private_network: true");
    let check = ["check", "pipeline.yaml"];
    let allowed = run(&workspace, &check, None);
    assert_eq!(allowed.lines[0]["outcome"], "passed", "{allowed:?}");

    let by_option = run(&workspace, &["check", "pipeline.yaml", "--deny-host", "127.0.0.0/8"], None);
    assert_eq!(by_option.code(), Some(2));
    assert_eq!(by_option.lines[0]["outcome"], "failed");
    let detail = by_option.lines[0]["detail"].as_str().unwrap();
    assert!(detail.contains("127.0.0.1 is on the operator's deny list (`--deny-host`)"), "{detail}");

    let by_environment = run(&workspace, &check, Some("evil.example,127.0.0.1"));
    assert_eq!(by_environment.lines[0]["outcome"], "failed", "{by_environment:?}");
    let elsewhere = run(&workspace, &check, Some(" *.example.com, 10.0.0.0/8,"));
    assert_eq!(elsewhere.lines[0]["outcome"], "passed", "{elsewhere:?}");

    let wrong = run(&workspace, &["check", "pipeline.yaml", "--deny-host", "not a host"], None);
    assert_eq!(wrong.code(), Some(2));
    assert!(wrong.error().contains("\"not a host\" is not a host, a wildcard or a network"), "{wrong:?}");
    assert_eq!(wrong.lines[0]["error"]["field"], "--deny-host");
}

#[test]
fn a_refusal_of_the_hosts_is_told_with_its_reason_and_is_the_users_to_settle() {
    let workspace = workspace("private_network: false");
    let checked = run(&workspace, &["check", "pipeline.yaml"], None);
    let detail = checked.lines[0]["detail"].as_str().unwrap();
    assert!(detail.contains("127.0.0.1 is a loopback address") && detail.contains("private_network"), "{detail}");

    let discovered = run(&workspace, &["discover", "pipeline.yaml"], None);
    assert_eq!(discovered.code(), Some(2), "{discovered:?}");
    let error = &discovered.lines.last().unwrap()["error"];
    assert_eq!((&error["kind"], &error["retry"]), (&"permission".into(), &"never".into()), "{error}");
    assert!(discovered.error().contains("127.0.0.1 is a loopback address"), "{error}");
}
