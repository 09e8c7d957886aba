//! What MariaDB and MySQL have in common: where a server's files are, MariaDB's client, the facts that tests get.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::group::Group;
use super::tls::Certificates;
use crate::process::output;

/// The password of every user that has one.
pub(crate) const PASSWORD: &str = "sluice-test-password";

/// The certificate names 127.0.0.1 only, so connecting to this address shows a name that does not match.
const WRONG_NAME: &str = "127.0.0.2";

/// Both servers refuse to run as root unless they are told to.
pub(crate) fn server_user() -> Option<&'static str> {
    rustix::process::geteuid().is_root().then_some("--user=root")
}

/// Where a server keeps its files, listens, and has its certificate.
pub(crate) fn places(server: &mut Command, data: &Path, port: u16, tls: Option<&Certificates>) {
    let file = |option: &str, path: &Path| format!("--{option}={}", path.display());
    server
        .arg(file("datadir", data))
        .arg(file("socket", &data.join("socket")))
        .arg(file("pid-file", &data.join("pid")));
    server.arg(format!("--port={port}")).current_dir(data);
    if let Some(tls) = tls {
        server.arg(file("ssl-ca", &tls.ca)).arg(file("ssl-cert", &tls.server)).arg(file("ssl-key", &tls.server_key));
    }
}

/// Runs statements as the administrator, who has no password and comes through the socket.
pub(crate) fn execute(socket: &Path, sql: &str) -> Result<()> {
    let mut client = Command::new("mariadb");
    client.args(["--no-defaults", "--user=root", "--socket"]).arg(socket);
    output(client.args(["-e", sql])).map(|_rows| ())
}

/// How somebody logs in over TCP.
pub(crate) struct Login<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
}

impl Login<'_> {
    /// The client, over TLS and only if the server's certificate is right.
    pub(crate) fn verified(&self, ca: &Path) -> Command {
        let mut client = Command::new("mariadb");
        client.args(["--no-defaults", "--protocol=tcp", "--ssl-verify-server-cert", "--host", self.host]);
        client.arg(format!("--port={}", self.port)).arg(format!("--user={}", self.user));
        client.arg(format!("--ssl-ca={}", ca.display())).env("MYSQL_PWD", self.password);
        client
    }
}

/// How tests reach a server.
pub(crate) fn facts(group: &mut Group, name: &str, port: u16, socket: &Path, certificates: &Certificates) {
    let log = group.log(&name.to_lowercase());
    let mut add =
        |fact: &str, value: &dyn std::fmt::Display| group.facts.add(&format!("SLUICE_TEST_{name}_{fact}"), value);
    add("HOST", &"127.0.0.1");
    add("PORT", &port);
    add("USER", &"sluice");
    add("PASSWORD", &PASSWORD);
    add("DATABASE", &"sluice");
    add("TLS_USER", &"sluice_tls");
    add("READER_USER", &"sluice_reader");
    add("TRUST_USER", &"sluice_trust");
    add("SOCKET", &socket.display());
    add("CA", &certificates.ca.display());
    add("WRONG_CA", &certificates.wrong_ca.display());
    add("WRONG_NAME", &WRONG_NAME);
    add("LOG", &log.display());
}
