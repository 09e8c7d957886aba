//! The MySQL connector, for MariaDB as well: tables and views, in full or by a cursor column.
//!
//! It speaks the client/server protocol over the host's connections ([`wire`]), asks `information_schema` what there is
//! ([`catalog`], [`discover`]), plans splits ([`plan`]) and decodes the rows of prepared statements straight into Arrow buffers
//! ([`read`], [`types`]). It knows nothing of any sink. What users have to know stands in `README.md`.
//!
//! To support a type better: see [`types`]. To add a setting: a field in [`config`], and its line in `README.md`.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a failed assertion is how a test fails"
    )
)]

mod catalog;
mod check;
mod config;
mod discover;
mod plan;
mod read;
mod session;
mod sql;
mod types;
mod wire;

pub use config::{Geometries, MysqlConfig, Splits, Ties, Times, Tinyint1, TlsMode, ZeroDates};

use sluice_sdk::{
    CheckStep, Cursor, DiscoverFilter, DiscoverPage, Hints, Manifest, Output, Plan, Result, Selection, Source, Split,
};

/// A MySQL or MariaDB server as a source.
#[derive(Manifest)]
#[manifest(
    name = "mysql",
    title = "MySQL",
    description = "Tables and views of a MySQL (8.0 and later) or MariaDB (10.6 and later) server, in full or by a cursor column.",
    publisher = "Sluice",
    config = MysqlConfig,
    hosts("{host}:{port}"),
    secrets_inside("password", "client_key"),
    capabilities(incremental, splits, estimate, filter)
)]
pub struct Mysql {
    config: MysqlConfig,
    /// The session that planned, if it holds locks that the splits rely on; it stays open as long as this value.
    planning: Option<session::Session>,
}

sluice_sdk::export!(Mysql);

impl Source for Mysql {
    type Config = MysqlConfig;

    fn open(config: MysqlConfig) -> Result<Self> {
        config.validate()?;
        Ok(Self { config, planning: None })
    }

    fn check(&mut self) -> Result<Vec<CheckStep>> {
        Ok(check::check(&self.config))
    }

    fn discover(&mut self, filter: &DiscoverFilter, page: Option<&str>) -> Result<DiscoverPage> {
        discover::discover(&self.config, filter, page)
    }

    fn plan(&mut self, selections: &[Selection], hints: &Hints) -> Result<Plan> {
        let (plan, session) = plan::plan(&self.config, selections, hints)?;
        self.planning = session;
        Ok(plan)
    }

    fn read(&mut self, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
        read::read(&self.config, split, start, output)
    }
}
