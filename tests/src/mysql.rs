//! The real MariaDB and MySQL servers: SQL through MariaDB's client, and pipelines that read from them.

use std::process::{Command, Stdio};

use crate::env;

/// One of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// MariaDB 10.11.
    Mariadb,
    /// Oracle's MySQL 9.
    Mysql,
}

/// Both of them.
pub const SERVERS: [Server; 2] = [Server::Mariadb, Server::Mysql];

impl Server {
    /// The name of a variable of its.
    pub fn variable(self, name: &str) -> String {
        let server = if self == Self::Mariadb { "MARIADB" } else { "MYSQL" };
        format!("SLUICE_TEST_{server}_{name}")
    }

    /// A variable of its.
    ///
    /// # Panics
    /// If it is not set.
    pub fn env(self, name: &str) -> String {
        env(&self.variable(name))
    }

    /// Runs SQL as the administrator and returns what the client prints.
    ///
    /// # Panics
    /// If the client is missing or the statement fails.
    pub fn sql(self, statement: &str) -> String {
        let output = Command::new("mariadb")
            .args(["--no-defaults", "--user=root", "--default-character-set=utf8mb4"])
            .args(["--batch", "--skip-column-names", "--raw", "--socket", &self.env("SOCKET"), "-e", statement])
            .stdin(Stdio::null())
            .output()
            .expect("mariadb starts");
        assert!(output.status.success(), "{self:?}: {statement}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// The `source` of a pipeline that reads from it; `more` are further lines of its configuration.
    pub fn source(self, more: &[(&str, &str)]) -> String {
        let mut fields = vec![
            ("host", self.env("HOST")),
            ("port", self.env("PORT")),
            ("user", self.env("USER")),
            ("password", format!("{{env: {}}}", self.variable("PASSWORD"))),
            // Tests that run at the same time write as well.
            ("writer_wait_seconds", "0".to_owned()),
            ("cursor_lag_seconds", "0".to_owned()),
        ];
        for (name, value) in more {
            fields.retain(|(field, _)| field != name);
            fields.push((name, (*value).to_owned()));
        }
        let lines: Vec<String> = fields.iter().map(|(name, value)| format!("    {name}: {value}\n")).collect();
        format!("source:\n  connector: mysql\n  grants: {{private_network: true}}\n  config:\n{}", lines.concat())
    }
}
