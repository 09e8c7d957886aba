//! Doubles of Google's APIs for which nothing real exists: programs of their own beside `xtask/services/google_api.py`, which keep what
//! they are given in memory.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::group::Group;
use super::net::{free_ports, get};
use crate::process::Interrupt;
use crate::python;

/// Starts the double of Cloud Scheduler, which calls the targets of its jobs when told to, with tokens of the issuer.
pub(crate) fn cloud_scheduler(group: &mut Group, interrupt: &Interrupt) -> Result<()> {
    let issuer = group.facts.get("SLUICE_TEST_OIDC_ISSUER")?.to_owned();
    start(group, interrupt, "cloud-scheduler", &["--issuer", &issuer], "SLUICE_TEST_SCHEDULER_ENDPOINT")
}

/// Starts the double of Secret Manager.
pub(crate) fn secret_manager(group: &mut Group, interrupt: &Interrupt) -> Result<()> {
    start(group, interrupt, "secret-manager", &[], "SLUICE_TEST_SECRET_MANAGER_ENDPOINT")
}

/// Starts one, waits until it answers, and adds its address to the facts.
fn start(group: &mut Group, interrupt: &Interrupt, name: &str, arguments: &[&str], fact: &str) -> Result<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("services").join(format!("{name}.py"));
    let [port] = free_ports()?;
    let mut server = Command::new(python::interpreter(10)?);
    // -B: what it imports lies in the checkout, which stays as it is.
    server.arg("-B").arg(script).args(["--port", &port.to_string()]).args(arguments);
    group.spawn(name, false, server)?;
    group.until_ready(name, interrupt, || get(port, "/calls"))?;
    group.facts.add(fact, format!("http://127.0.0.1:{port}"));
    Ok(())
}
