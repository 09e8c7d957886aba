//! PostgreSQL with lineitem in it, started by the first case that wants it.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use crate::bench::Bench;
use crate::bench::lineitem::{self, Format, Table};
use crate::bench::ours::Read;
use crate::process::{output, run};
use crate::services::{Group, Lifetime};

const LINEITEM: &str = "CREATE TABLE lineitem (
    l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL, l_linenumber integer NOT NULL,
    l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL,
    l_discount numeric(15,2) NOT NULL, l_tax numeric(15,2) NOT NULL,
    l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL,
    l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
    l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL)";

/// A server with the table in it, and how to reach it.
pub(crate) struct Postgres {
    pub(crate) tables: Tables,
    server: Server,
    /// Ends the server when it is dropped.
    _servers: Group,
}

/// How to reach the server, as the peers' scripts get it as well.
pub(crate) struct Server {
    environment: Vec<(String, String)>,
    pub(crate) host: String,
    pub(crate) port: String,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) database: String,
}

pub(crate) struct Tables {
    pub(crate) all: Table,
    /// Half a million, two million and all rows (fewer at smaller scales).
    pub(crate) sizes: Vec<Table>,
    /// A hundred rows.
    pub(crate) tiny: Table,
}

impl Postgres {
    /// Starts the server and loads the table.
    pub(crate) fn start(bench: &Bench) -> Result<Postgres> {
        let mut servers =
            Group::new(bench.workspace, &format!("bench-{}", std::process::id()), Lifetime::OfThisProcess)?;
        servers.start_postgres(bench.interrupt)?;
        let server = Server::of(&servers)?;
        let tables = server.load(bench)?;
        Ok(Postgres { tables, server, _servers: servers })
    }
}

impl std::ops::Deref for Postgres {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Server {
    fn of(servers: &Group) -> Result<Server> {
        let fact = |name: &str| servers.facts.get(&format!("SLUICE_TEST_POSTGRES_{name}")).map(str::to_owned);
        Ok(Server {
            environment: servers.facts.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            host: fact("HOST")?,
            port: fact("PORT")?,
            user: fact("USER")?,
            password: fact("PASSWORD")?,
            database: fact("DATABASE")?,
        })
    }

    /// Our run that reads a table and sends it to `sink`.
    pub(crate) fn ours(&self, bench: &Bench, table: &Table, splits: u32, sink: &str) -> Result<Command> {
        bench.sluice.run(&Read {
            name: &format!("postgres-{}-{splits}", table.name),
            connector: "postgres",
            config: self.config()?,
            grants: "{private_network: true}",
            stream: &format!("public.{}", table.name),
            bytes: table.bytes,
            splits,
            sink,
        })
    }

    /// The connector's configuration: JSON, which is YAML too.
    pub(crate) fn config(&self) -> Result<String> {
        let Server { host, port, user, password, database, .. } = self;
        let port: u16 = port.parse()?;
        let config = json!({
            "host": host, "port": port, "user": user, "password": password, "database": database, "tls": "disable",
        });
        Ok(config.to_string())
    }

    /// What the peers' scripts read from their environment.
    pub(crate) fn facts(&self) -> impl Iterator<Item = (&String, &String)> {
        self.environment.iter().map(|(name, value)| (name, value))
    }

    /// psql over the same kind of connection that everybody measured uses: TCP without TLS.
    pub(crate) fn psql(&self) -> Command {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        psql.env("PGHOST", &self.host).env("PGPORT", &self.port).env("PGUSER", &self.user);
        psql.env("PGPASSWORD", &self.password).env("PGDATABASE", &self.database).env("PGSSLMODE", "disable");
        psql
    }

    fn execute(&self, sql: &str) -> Result<()> {
        output(self.psql().args(["-c", sql])).map(|_nothing| ())
    }

    fn table(&self, name: &'static str) -> Result<Table> {
        let sql = format!("SELECT count(*), pg_table_size('{name}') FROM {name}");
        let answer = output(self.psql().args(["-c", &sql]))?;
        let (rows, bytes) = answer.trim().split_once('|').context("psql answered without two columns")?;
        Ok(Table { name, rows: rows.parse()?, bytes: bytes.parse()? })
    }

    /// Makes the rows if the cache does not have them, and loads them.
    fn load(&self, bench: &Bench) -> Result<Tables> {
        let file = lineitem::file(&bench.peers, bench.scale, Format::Csv)?;
        eprintln!("bench: loading {}", file.display());
        self.execute(LINEITEM)?;
        let copy = format!("\\copy lineitem FROM '{}' (FORMAT csv, HEADER)", file.display());
        run(self.psql().args(["-c", &copy]))?;
        for (name, rows) in [("lineitem_100", 100), ("lineitem_500k", 500_000), ("lineitem_2m", 2_000_000)] {
            self.execute(&format!("CREATE TABLE {name} (LIKE lineitem)"))?;
            self.execute(&format!("INSERT INTO {name} SELECT * FROM lineitem LIMIT {rows}"))?;
        }
        // Frozen and with known statistics, so that no vacuum runs in the middle of a measurement.
        self.execute("VACUUM (FREEZE, ANALYZE)")?;
        self.execute("CHECKPOINT")?;
        let all = self.table("lineitem")?;
        let mut sizes = vec![self.table("lineitem_500k")?, self.table("lineitem_2m")?, all.clone()];
        sizes.dedup_by_key(|table| table.rows);
        Ok(Tables { all, sizes, tiny: self.table("lineitem_100")? })
    }
}
