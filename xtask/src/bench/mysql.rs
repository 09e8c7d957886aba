//! The MySQL connector against other readers of MariaDB, on a server of its own that is started when the case begins.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use super::Bench;
use super::lineitem::{self, Format, Table};
use super::ours::{NULL, Read};
use super::pairs::{effort, pairs, server_effort, speed};
use super::table::Row;
use crate::process::{output, run};
use crate::services::{Group, Lifetime};

const LINEITEM: &str = "CREATE DATABASE bench; USE bench; CREATE TABLE lineitem (
    l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL, l_linenumber integer NOT NULL,
    l_quantity decimal(15,2) NOT NULL, l_extendedprice decimal(15,2) NOT NULL,
    l_discount decimal(15,2) NOT NULL, l_tax decimal(15,2) NOT NULL,
    l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL,
    l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
    l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL,
    PRIMARY KEY (l_orderkey, l_linenumber))";

/// MariaDB with the table in it.
struct Server {
    group: Group,
}

impl Server {
    fn start(bench: &Bench) -> Result<Server> {
        let name = format!("bench-mysql-{}", std::process::id());
        let mut group = Group::new(bench.workspace, &name, Lifetime::OfThisProcess)?;
        group.start_mariadb(bench.interrupt)?;
        Ok(Server { group })
    }

    fn fact(&self, name: &str) -> Result<&str> {
        self.group.facts.get(&format!("SLUICE_TEST_MARIADB_{name}"))
    }

    /// The server's own client over the same kind of connection that everybody measured uses: TCP without TLS.
    fn arguments(&self) -> Result<Vec<String>> {
        Ok(vec![
            "--no-defaults".to_owned(),
            "--local-infile=1".to_owned(),
            format!("--host={}", self.fact("HOST")?),
            format!("--port={}", self.fact("PORT")?),
            format!("--user={}", self.fact("USER")?),
            format!("--password={}", self.fact("PASSWORD")?),
        ])
    }

    fn execute(&self, sql: &str) -> Result<String> {
        output(Command::new("mariadb").args(self.arguments()?).args(["--batch", "--skip-column-names", "-e", sql]))
    }

    fn load(&self, bench: &Bench) -> Result<Table> {
        let file = lineitem::file(&bench.peers, bench.scale, Format::Csv)?;
        eprintln!("bench: loading {} into MariaDB", file.display());
        self.execute(LINEITEM)?;
        let load = format!(
            "SET sql_log_bin = 0, unique_checks = 0; LOAD DATA LOCAL INFILE '{}' INTO TABLE bench.lineitem \
             FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' IGNORE 1 LINES",
            file.display()
        );
        run(Command::new("mariadb").args(self.arguments()?).args(["-e", &load]))?;
        self.execute("ANALYZE TABLE bench.lineitem")?;
        let rows = self.execute("SELECT count(*) FROM bench.lineitem")?;
        let bytes = self.execute("SELECT DATA_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'bench'")?;
        Ok(Table {
            name: "lineitem",
            rows: rows.trim().parse().context("a number of rows")?,
            bytes: bytes.trim().parse()?,
        })
    }

    fn ours(&self, bench: &Bench, table: &Table, splits: u32) -> Result<Command> {
        bench.sluice.run(&Read {
            name: &format!("mysql-{splits}"),
            connector: "mysql",
            config: self.config(splits)?,
            grants: "{private_network: true}",
            stream: "bench.lineitem",
            bytes: table.bytes,
            splits,
            sink: NULL,
        })
    }

    /// The connector's configuration: JSON, which is YAML too.
    fn config(&self, splits: u32) -> Result<String> {
        let how = if splits == 1 { "none" } else { "drifting" };
        let (host, port): (_, u16) = (self.fact("HOST")?, self.fact("PORT")?.parse()?);
        let (user, password) = (self.fact("USER")?, self.fact("PASSWORD")?);
        let config = json!({
            "host": host, "port": port, "user": user, "password": password, "tls": "disable", "splits": how,
        });
        Ok(config.to_string())
    }

    /// The same code outside the sandbox.
    fn native(&self, bench: &Bench) -> Result<Command> {
        let mut native = Command::new(bench.native()?);
        native.args(["mysql", "bench.lineitem"]).env("SLUICE_CONFIG", self.config(1)?);
        Ok(native)
    }

    /// Rows as text, thrown away as they come.
    fn client(&self) -> Result<Command> {
        let mut client = Command::new("sh");
        client.args(["-c", "exec mariadb \"$@\" > /dev/null", "mariadb"]).args(self.arguments()?);
        client.args(["--quick", "--batch", "-e", "SELECT * FROM bench.lineitem"]);
        Ok(client)
    }

    fn connectorx(&self, bench: &Bench, table: &Table, splits: u32) -> Command {
        let arguments = [table.name, &splits.to_string()];
        bench.peers.script("read_connectorx_mysql.py", self.group.facts.iter(), &arguments)
    }
}

/// One and two splits against connectorx, one against itself outside the sandbox and the server's own client.
pub(super) fn mysql(bench: &Bench) -> Result<Vec<Row>> {
    let server = Server::start(bench)?;
    let table = server.load(bench)?;
    let ours = server.ours(bench, &table, 1)?;
    let mut rows = Vec::new();
    let client = pairs(bench, &table, &ours, &server.client()?, || Ok(()))?;
    rows.push(speed("mysql-1", "mariadb -q -B", &table, &client, 1.0));
    // Ours has the server send binary values, its client texts: what each costs the server.
    rows.push(server_effort("mysql-1", &server.group, "mariadb", &ours, &server.client()?)?);
    let native = pairs(bench, &table, &ours, &server.native(bench)?, || Ok(()))?;
    rows.push(effort("mysql-cpu", "the same code, native", &native, 1.4));
    for splits in [1, 2] {
        let ours = server.ours(bench, &table, splits)?;
        let measured = pairs(bench, &table, &ours, &server.connectorx(bench, &table, splits), || Ok(()))?;
        rows.push(speed(&format!("mysql-{splits}"), "connectorx", &table, &measured, 1.3));
    }
    Ok(rows)
}
