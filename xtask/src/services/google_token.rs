//! Google's token endpoint for service accounts. No package offers one, so `xtask/services/google-token.py` stands in: a
//! small program around Authlib's RFC 7523 server, which really checks assertions.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::group::Group;
use super::net::{answers, free_ports};
use crate::process::Interrupt;
use crate::python;

/// Starts the server and waits until it answers.
pub(crate) fn start(group: &mut Group, interrupt: &Interrupt) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("services");
    let venv = python::venv("google-token", &folder.join("google-token.lock.txt"), &python::interpreter(10)?)?;
    let key = group.folder.join("google-key.json");
    let [port] = free_ports()?;
    let mut server = Command::new(venv.join("bin/python"));
    server.arg(folder.join("google-token.py")).args(["--port", &port.to_string(), "--key-file"]).arg(&key);
    // Authlib refuses to work without TLS otherwise.
    server.env("AUTHLIB_INSECURE_TRANSPORT", "1");
    group.spawn("google-token", false, server)?;
    group.until_ready("google-token", interrupt, || answers(port, "/seen", 200))?;
    group.facts.add("SLUICE_TEST_GOOGLE_ENDPOINT", format!("http://127.0.0.1:{port}"));
    group.facts.add("SLUICE_TEST_GOOGLE_KEY", key.display());
    Ok(())
}
