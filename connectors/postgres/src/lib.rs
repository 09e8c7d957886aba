//! The PostgreSQL connector: tables, views and their like, in full or by a cursor column.
//!
//! It speaks PostgreSQL's protocol over the host's connections ([`wire`]), asks the catalog what there is ([`catalog`],
//! [`discover`]), plans splits that share one snapshot ([`plan`]) and decodes binary copies straight into Arrow buffers
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
mod types;
mod wire;

pub use config::{ArrayPolicy, ChannelBindingMode, InfinityPolicy, NumericSpecial, PostgresConfig, Ties, TlsMode};

use sluice_sdk::{
    CheckStep, Cursor, DiscoverFilter, DiscoverPage, Hints, Manifest, Output, Plan, Result, Selection, Source, Split,
};

/// A PostgreSQL database as a source.
#[derive(Manifest)]
#[manifest(
    name = "postgres",
    title = "PostgreSQL",
    description = "Tables, views, materialized views, partitioned and foreign tables of a PostgreSQL database (12 and later), in full or by a cursor column.",
    publisher = "Sluice",
    config = PostgresConfig,
    hosts("{host}:{port}"),
    secrets_inside("password", "client_key"),
    capabilities(incremental, splits, estimate, filter)
)]
pub struct Postgres {
    config: PostgresConfig,
    /// The session that planned. Its transaction holds the snapshot and the locks that the splits rely on, so it stays open
    /// as long as this value.
    planning: Option<session::Session>,
}

sluice_sdk::export!(Postgres);

impl Source for Postgres {
    type Config = PostgresConfig;

    fn open(config: PostgresConfig) -> Result<Self> {
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
        self.planning = Some(session);
        Ok(plan)
    }

    fn read(&mut self, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
        read::read(&self.config, split, start, output)
    }
}
