//! oauth2-mock-server from npm: an issuer of OpenID Connect with real discovery, keys and signatures, whose tokens say what a test asks for.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::group::Group;
use super::net::{free_ports, get};
use crate::npm;
use crate::process::Interrupt;

/// The newest that Debian's Node runs.
const PACKAGE: npm::Package = npm::Package { name: "oauth2-mock-server", version: "7.2.1", before: "2026-11-20" };

/// Starts the issuer and waits until it answers.
pub(crate) fn start(group: &mut Group, interrupt: &Interrupt) -> Result<()> {
    let packages = npm::install(&PACKAGE)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("services/oidc-issuer.cjs");
    let [port] = free_ports()?;
    let mut server = Command::new("node");
    server.arg(script).arg(&packages).arg(port.to_string());
    group.spawn("oidc-issuer", false, server)?;
    group.until_ready("oidc-issuer", interrupt, || get(port, "/.well-known/openid-configuration"))?;
    group.facts.add("SLUICE_TEST_OIDC_ISSUER", format!("http://127.0.0.1:{port}"));
    group.facts.add("SLUICE_TEST_OIDC_TOKEN", format!("http://127.0.0.1:{port}/token"));
    Ok(())
}
