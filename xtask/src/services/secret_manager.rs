//! A double of Secret Manager's API, for which nothing real exists: a program of its own that keeps secrets in memory.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::group::Group;
use super::net::{free_ports, get};
use crate::process::Interrupt;
use crate::python;

/// Starts the double and waits until it answers.
pub(crate) fn start(group: &mut Group, interrupt: &Interrupt) -> Result<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("services/secret-manager.py");
    let [port] = free_ports()?;
    let mut server = Command::new(python::interpreter(10)?);
    server.arg(script).args(["--port", &port.to_string()]);
    group.spawn("secret-manager", false, server)?;
    group.until_ready("secret-manager", interrupt, || get(port, "/calls"))?;
    group.facts.add("SLUICE_TEST_SECRET_MANAGER_ENDPOINT", format!("http://127.0.0.1:{port}"));
    Ok(())
}
