//! `cargo xtask bench`: paired measurements against what else reads the same data, printed as a table.
//!
//! Nothing here passes or fails: a busy machine makes every number worse, so each of our runs is paired with one of its
//! peer, in turns (A B A B …), and what counts is the median of the pairs' ratios. To add a case: a function beside its
//! source's others and a line in [`cases::ALL`]; to add a peer: its packages in `xtask/bench/bench.lock.txt`, its script
//! beside it, its command where it is compared.

mod bigquery;
mod cases;
mod columns;
mod files;
mod lineitem;
mod measure;
mod mysql;
mod ours;
mod pairs;
mod peers;
mod postgres;
mod s3;
mod sandbox;
mod service;
mod table;

use std::cell::OnceCell;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::process::{self, Interrupt};
use crate::services::sweep;
use crate::tools;
use crate::workspace::{Workspace, cargo};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only cases whose name contains one of these
    filters: Vec<String>,
    /// Pairs of runs per case
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// TPC-H scale factor; 1 is six million rows of lineitem
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Show the names of the cases and what each asks for
    #[arg(long)]
    list: bool,
}

/// What every case needs.
struct Bench<'a> {
    workspace: &'a Workspace,
    rounds: u32,
    scale: f64,
    sluice: ours::Sluice,
    peers: peers::Peers,
    /// Started by the first case that wants it.
    postgres: OnceCell<postgres::Postgres>,
    /// Where cases may write; on a disk, not in memory.
    folder: PathBuf,
    interrupt: &'a Interrupt,
}

impl Bench<'_> {
    /// Connectors compiled natively, built for the first case that compares with them.
    fn native(&self) -> Result<PathBuf> {
        release(self.workspace, "bench-native")?;
        Ok(self.workspace.target.join("release/bench-native"))
    }

    /// The PostgreSQL server with its tables.
    fn postgres(&self) -> Result<&postgres::Postgres> {
        if self.postgres.get().is_none() {
            let started = postgres::Postgres::start(self)?;
            return Ok(self.postgres.get_or_init(|| started));
        }
        self.postgres.get().context("it was there a moment ago")
    }
}

pub(crate) fn run(workspace: &Workspace, arguments: Arguments) -> Result<ExitCode> {
    let filters = &arguments.filters;
    let wanted = |case: &&cases::Case| filters.is_empty() || filters.iter().any(|filter| case.name.contains(filter));
    let chosen: Vec<&cases::Case> = cases::ALL.iter().filter(wanted).collect();
    if chosen.is_empty() {
        bail!("no case is named like {}; see --list", filters.join(" or "));
    }
    if arguments.list {
        for case in chosen {
            println!("{:<16} {}", case.name, case.asks);
        }
        return Ok(ExitCode::SUCCESS);
    }
    build(workspace)?;
    let interrupt = Interrupt::listen()?;
    sweep(workspace)?;
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&workspace.target)?;
    let bench = Bench {
        workspace,
        rounds: arguments.rounds,
        scale: arguments.scale,
        sluice: ours::Sluice::new(workspace, folder.path().to_owned()),
        peers: peers::Peers::prepare()?,
        postgres: OnceCell::new(),
        folder: folder.path().to_owned(),
        interrupt: &interrupt,
    };

    let mut rows = Vec::new();
    for case in chosen {
        interrupt.check()?;
        eprintln!("bench: {}", case.name);
        let found = (case.run)(&bench).with_context(|| format!("measuring {}", case.name))?;
        for row in &found {
            eprintln!("  {row}");
        }
        rows.extend(found);
    }
    println!("{}", table::render(&rows));
    Ok(ExitCode::SUCCESS)
}

/// What is measured, as a user would build it.
fn build(workspace: &Workspace) -> Result<()> {
    tools::debian(&["time", "curl"])?;
    crate::guests::run(workspace)?;
    release(workspace, "sluice")
}

/// Builds one package alone: together they would unify features, and the binary would be built anew after every demo.
fn release(workspace: &Workspace, package: &str) -> Result<()> {
    let mut build = cargo();
    build.args(["build", "--release", "--locked", "--package", package]);
    process::run(build.current_dir(&workspace.root))
}
