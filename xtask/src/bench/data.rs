//! The data: TPC-H's lineitem, made by tpchgen-cli, loaded once per bench into a server of its own.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::peers::Peers;
use crate::process::{output, run};
use crate::services::Group;
use crate::workspace::cache;

/// How to reach the server, as the peers' scripts get it as well.
pub(crate) struct Server {
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) host: String,
    pub(crate) port: String,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) database: String,
}

/// A table and how many rows it has.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

pub(crate) struct Tables {
    pub(crate) all: Table,
    /// Half a million, two million and all rows (fewer at smaller scales).
    pub(crate) sizes: Vec<Table>,
    /// A hundred rows.
    pub(crate) tiny: Table,
}

impl Server {
    pub(crate) fn of(servers: &Group) -> Result<Server> {
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
}

const LINEITEM: &str = "CREATE TABLE lineitem (
    l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL, l_linenumber integer NOT NULL,
    l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL,
    l_discount numeric(15,2) NOT NULL, l_tax numeric(15,2) NOT NULL,
    l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL,
    l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
    l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL)";

/// Makes the rows if the cache does not have them, and loads them.
pub(crate) fn load(server: &Server, peers: &Peers, scale: f64) -> Result<Tables> {
    let file = lineitem(peers, scale)?;
    eprintln!("bench: loading {}", file.display());
    server.execute(LINEITEM)?;
    let copy = format!("\\copy lineitem FROM '{}' (FORMAT csv, HEADER)", file.display());
    run(server.psql().args(["-c", &copy]))?;
    for (name, rows) in [("lineitem_100", 100), ("lineitem_500k", 500_000), ("lineitem_2m", 2_000_000)] {
        server.execute(&format!("CREATE TABLE {name} (LIKE lineitem)"))?;
        server.execute(&format!("INSERT INTO {name} SELECT * FROM lineitem LIMIT {rows}"))?;
    }
    // Frozen and with known statistics, so that no vacuum runs in the middle of a measurement.
    server.execute("VACUUM (FREEZE, ANALYZE)")?;
    server.execute("CHECKPOINT")?;
    let all = server.table("lineitem")?;
    let mut sizes = vec![server.table("lineitem_500k")?, server.table("lineitem_2m")?, all.clone()];
    sizes.dedup_by_key(|table| table.rows);
    Ok(Tables { all, sizes, tiny: server.table("lineitem_100")? })
}

pub(super) fn lineitem(peers: &Peers, scale: f64) -> Result<PathBuf> {
    let folder = cache()?.join(format!("tpch-{scale}"));
    let file = folder.join("lineitem.csv");
    if !file.is_file() {
        let beside = folder.with_extension("new");
        eprintln!("bench: making TPC-H lineitem at scale {scale} in {}", folder.display());
        let mut make = Command::new(peers.program("tpchgen-cli"));
        make.args(["csv", "--tables=lineitem", "-s", &scale.to_string(), "--output-dir"]).arg(&beside);
        output(&mut make)?;
        std::fs::create_dir_all(&folder)?;
        std::fs::rename(beside.join("lineitem.csv"), &file)?;
        std::fs::remove_dir_all(&beside)?;
    }
    Ok(file)
}
