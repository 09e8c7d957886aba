//! azurite from npm: Azure's Blob service, which checks shared keys and shared access signatures.

use std::process::Command;

use anyhow::Result;

use super::group::Group;
use super::net::{answers, free_ports};
use crate::npm;
use crate::process::Interrupt;

const PACKAGE: npm::Package = npm::Package { name: "azurite", version: "3.37.0", before: "2026-11-20" };
const ACCOUNT: &str = "sluicetest";
const KEY: &str = "c2x1aWNlLXRlc3Qta2V5LXNsdWljZS10ZXN0LWtleS1zbHVpY2UtdGVzdC1rZXktc2x1aWNlLXRlc3Q=";

/// Starts the server and waits until it answers, which it does with a refusal.
pub(crate) fn start(group: &mut Group, interrupt: &Interrupt) -> Result<()> {
    let packages = npm::install(&PACKAGE)?;
    let data = group.folder.join("azurite");
    std::fs::create_dir_all(&data)?;
    let [port] = free_ports()?;
    let mut server = Command::new(packages.join(".bin/azurite-blob"));
    server.args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string(), "--silent", "--disableTelemetry"]);
    // Clients may speak a newer version of the API than this one knows.
    server.args(["--skipApiVersionCheck", "--location"]).arg(&data).current_dir(&data);
    server.env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{KEY}"));
    group.spawn("azurite", false, server)?;
    group.until_ready("azurite", interrupt, || answers(port, &format!("/{ACCOUNT}?comp=list"), 403))?;
    group.facts.add("SLUICE_TEST_AZURE_ENDPOINT", format!("http://127.0.0.1:{port}"));
    group.facts.add("SLUICE_TEST_AZURE_ACCOUNT", ACCOUNT);
    group.facts.add("SLUICE_TEST_AZURE_KEY", KEY);
    Ok(())
}
