//! A double of Cloud Scheduler's API, for which nothing real exists: a program of its own that calls the targets of its jobs when told to.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::group::Group;
use super::net::{free_ports, get};
use crate::process::Interrupt;
use crate::python;

/// Starts the double, which wants the issuer, and waits until it answers.
pub(crate) fn start(group: &mut Group, interrupt: &Interrupt) -> Result<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("services/cloud-scheduler.py");
    let [port] = free_ports()?;
    let mut server = Command::new(python::interpreter(10)?);
    server.arg(script).args(["--port", &port.to_string(), "--issuer", group.facts.get("SLUICE_TEST_OIDC_ISSUER")?]);
    group.spawn("cloud-scheduler", false, server)?;
    group.until_ready("cloud-scheduler", interrupt, || get(port, "/calls"))?;
    group.facts.add("SLUICE_TEST_SCHEDULER_ENDPOINT", format!("http://127.0.0.1:{port}"));
    Ok(())
}
