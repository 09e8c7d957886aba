//! s3rver from npm: S3 on top of a folder. It serves a range without reading the whole object, which s3s-fs does to hash it, so it is
//! what can be measured against. Tests use s3s-fs, which checks more.

use std::process::Command;

use anyhow::Result;

use super::group::Group;
use super::net::{answers, free_ports};
use crate::npm;
use crate::process::Interrupt;

const PACKAGE: npm::Package = npm::Package { name: "s3rver", version: "3.7.1", before: "2026-11-20" };
/// The only pair of keys that it knows.
const KEY: &str = "S3RVER";

/// Starts the server and waits until it answers: it refuses wrong signatures, not their absence.
pub(crate) fn start(group: &mut Group, interrupt: &Interrupt) -> Result<()> {
    let packages = npm::install(&PACKAGE)?;
    let data = group.folder.join("s3rver");
    std::fs::create_dir_all(&data)?;
    let [port] = free_ports()?;
    let mut server = Command::new(packages.join(".bin/s3rver"));
    server.args(["--address", "127.0.0.1", "--port", &port.to_string(), "--silent"]);
    server.arg("--directory").arg(&data).current_dir(&data);
    group.spawn("s3rver", false, server)?;
    group.until_ready("s3rver", interrupt, || answers(port, "/", 200))?;
    group.facts.add("SLUICE_TEST_S3_ENDPOINT", format!("http://127.0.0.1:{port}"));
    group.facts.add("SLUICE_TEST_S3_ACCESS_KEY", KEY);
    group.facts.add("SLUICE_TEST_S3_SECRET_KEY", KEY);
    Ok(())
}
