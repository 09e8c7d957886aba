//! s3s-fs: S3 on top of a folder, which checks Signature Version 4 and refuses what is not signed.
//!
//! Path style at its address; a name below `s3.localhost` is a bucket of its own (virtual-hosted style), for clients that
//! bring their own resolver.

use std::process::Command;

use anyhow::Result;

use super::group::Group;
use super::net::{answers, free_ports};
use crate::process::Interrupt;
use crate::tools;

const VERSION: &str = "0.14.1";
const ACCESS_KEY: &str = "SLUICETESTACCESSKEY";
const SECRET_KEY: &str = "sluice/test+secret=key";

/// Starts the server and waits until it answers, which it does with a refusal.
pub(crate) fn start(group: &mut Group, interrupt: &Interrupt) -> Result<()> {
    let program = tools::cargo_program("s3s-fs", VERSION, &["--features", "binary"])?;
    let root = group.folder.join("s3");
    std::fs::create_dir_all(&root)?;
    let [port] = free_ports()?;
    let domain = format!("s3.localhost:{port}");
    let mut server = Command::new(program);
    server.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--domain", &domain]);
    server.args(["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY]).arg(&root);
    group.spawn("s3s-fs", false, server)?;
    group.until_ready("s3s-fs", interrupt, || answers(port, "/", 403))?;
    group.facts.add("SLUICE_TEST_S3_ENDPOINT", format!("http://127.0.0.1:{port}"));
    group.facts.add("SLUICE_TEST_S3_DOMAIN", domain);
    group.facts.add("SLUICE_TEST_S3_ACCESS_KEY", ACCESS_KEY);
    group.facts.add("SLUICE_TEST_S3_SECRET_KEY", SECRET_KEY);
    group.facts.add("SLUICE_TEST_S3_ROOT", root.display());
    Ok(())
}
