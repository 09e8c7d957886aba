//! aiosmtpd from PyPI: an SMTP server that puts what it takes into a Maildir. It offers STARTTLS and does not insist on it.

use std::io::Read;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use super::group::Group;
use super::net::{connect, free_ports};
use super::tls::Certificates;
use crate::process::Interrupt;
use crate::python;

/// Starts the server and waits until it greets.
pub(crate) fn start(group: &mut Group, interrupt: &Interrupt, certificates: &Certificates) -> Result<()> {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("services/aiosmtpd.lock.txt");
    let venv = python::venv("aiosmtpd", &lock, &python::interpreter(10)?)?;
    let mailbox = group.folder.join("mailbox");
    let [port] = free_ports()?;
    let mut server = Command::new(venv.join("bin/python"));
    server.args(["-m", "aiosmtpd", "--nosetuid", "--listen", &format!("127.0.0.1:{port}")]);
    server.arg("--tlscert").arg(&certificates.server).arg("--tlskey").arg(&certificates.server_key);
    server.args(["--no-requiretls", "--class", "aiosmtpd.handlers.Mailbox"]).arg(&mailbox);
    group.spawn("smtp", false, server)?;
    group.until_ready("smtp", interrupt, || greets(port))?;
    group.facts.add("SLUICE_TEST_SMTP_ADDRESS", format!("127.0.0.1:{port}"));
    group.facts.add("SLUICE_TEST_SMTP_MAILBOX", mailbox.display());
    group.facts.add("SLUICE_TEST_SMTP_CA", certificates.ca.display());
    Ok(())
}

fn greets(port: u16) -> Result<()> {
    let mut greeting = [0; 3];
    connect(port)?.read_exact(&mut greeting)?;
    if &greeting != b"220" {
        bail!("it greets with {greeting:?}");
    }
    Ok(())
}
