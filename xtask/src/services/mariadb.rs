//! MariaDB 10.11 from Debian: one server with TLS, and a second one without.
//!
//! Durability is off and every setting is made for tests. Configuration files of the machine are not read.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::group::Group;
use super::mysql_client::{self, Login, PASSWORD};
use super::net::free_ports;
use super::tls::Certificates;
use crate::process::{Interrupt, output, run};
use crate::tools;

const SETTINGS: &[&str] = &[
    "--bind-address=127.0.0.1,127.0.0.2",
    "--skip-name-resolve",
    "--max-connections=300",
    "--max-allowed-packet=1G",
    "--local-infile=ON",
    "--innodb-buffer-pool-size=2G",
    "--innodb-log-file-size=256M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=OFF",
    "--innodb-flush-method=nosync",
    "--server-id=1",
    "--log-bin=binlog",
    "--binlog-format=ROW",
    "--sync-binlog=0",
    "--character-set-server=utf8mb4",
    "--default-time-zone=+00:00",
    "--skip-slave-start",
];

const USERS: &str = "
CREATE DATABASE sluice;
CREATE USER sluice IDENTIFIED BY 'sluice-test-password';
GRANT ALL ON *.* TO sluice WITH GRANT OPTION;
CREATE USER sluice_tls IDENTIFIED BY 'sluice-test-password' REQUIRE SSL;
GRANT ALL ON *.* TO sluice_tls;
CREATE USER sluice_reader IDENTIFIED BY 'sluice-test-password';
CREATE USER sluice_trust;
CREATE USER sluice_ed25519 IDENTIFIED VIA ed25519 USING PASSWORD('sluice-test-password');
";

/// Starts both servers and waits until they answer queries.
pub(crate) fn start(group: &mut Group, interrupt: &Interrupt, certificates: &Certificates) -> Result<()> {
    tools::debian(&["mariadb-server"])?;
    let home = group.folder.join("mariadb");
    std::fs::create_dir_all(&home)?;
    let data = home.join("data");
    let mut install = Command::new("mariadb-install-db");
    install.args([
        "--no-defaults",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        "--innodb-log-file-size=4M",
    ]);
    output(install.args(mysql_client::server_user()).arg(format!("--datadir={}", data.display())))?;
    // The second server is a copy made before the first one ran; it only ever refuses TLS.
    let no_tls = home.join("no-tls");
    run(Command::new("cp").arg("-a").arg(&data).arg(&no_tls))?;

    let [port, no_tls_port] = free_ports()?;
    spawn(group, "mariadb", &data, port, Some(certificates))?;
    spawn(group, "mariadb-no-tls", &no_tls, no_tls_port, None)?;
    for (name, folder) in [("mariadb", &data), ("mariadb-no-tls", &no_tls)] {
        let socket = folder.join("socket");
        group.until_ready(name, interrupt, || mysql_client::execute(&socket, "SELECT 1"))?;
        mysql_client::execute(&socket, USERS)?;
    }
    // Its file on Debian is part of the server's package, but the plugin is loaded only on demand.
    let login = Login { host: "127.0.0.1", port, user: "sluice_tls", password: PASSWORD };
    output(login.verified(&certificates.ca).args(["-e", "SELECT 1"])).context("connecting to MariaDB over TLS")?;

    mysql_client::facts(group, "MARIADB", port, &data.join("socket"), certificates);
    group.facts.add("SLUICE_TEST_MARIADB_NO_TLS_PORT", no_tls_port);
    group.facts.add("SLUICE_TEST_MARIADB_ED25519_USER", "sluice_ed25519");
    Ok(())
}

fn spawn(group: &mut Group, name: &str, data: &Path, port: u16, tls: Option<&Certificates>) -> Result<()> {
    let mut server = Command::new("/usr/sbin/mariadbd");
    server.arg("--no-defaults").args(mysql_client::server_user()).args(SETTINGS);
    server.arg("--plugin-load-add=auth_ed25519");
    mysql_client::places(&mut server, data, port, tls);
    if tls.is_none() {
        server.arg("--skip-ssl");
    }
    group.spawn(name, false, server)
}
