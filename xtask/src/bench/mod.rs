//! `cargo xtask bench`: paired measurements against what else reads PostgreSQL, printed as a table.
//!
//! Nothing here passes or fails: a busy machine makes every number worse, so each of our runs is paired with one of its
//! peer, in turns (A B A B …), and what counts is the median of the pairs' ratios. To add a case: a function in
//! `cases.rs` and a line in [`cases::ALL`]; to add a peer: its packages in `xtask/bench/bench.lock.txt`, its script beside it,
//! its command in `peers.rs`.

mod cases;
mod data;
mod measure;
mod mysql;
mod ours;
mod peers;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::process::{self, Interrupt};
use crate::services::{Group, Lifetime, sweep};
use crate::tools;
use crate::workspace::{Workspace, cargo};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only cases whose name contains this
    filter: Option<String>,
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
    server: data::Server,
    tables: data::Tables,
    sluice: ours::Sluice,
    peers: peers::Peers,
    native: PathBuf,
    interrupt: &'a Interrupt,
}

pub(crate) fn run(workspace: &Workspace, arguments: Arguments) -> Result<ExitCode> {
    let wanted = |case: &&cases::Case| arguments.filter.as_deref().is_none_or(|filter| case.name.contains(filter));
    let chosen: Vec<&cases::Case> = cases::ALL.iter().filter(wanted).collect();
    if chosen.is_empty() {
        bail!("no case is named like {:?}; see --list", arguments.filter.unwrap_or_default());
    }
    if arguments.list {
        for case in chosen {
            println!("{:<24} {}", case.name, case.asks);
        }
        return Ok(ExitCode::SUCCESS);
    }

    tools::debian(&["time"])?;
    crate::guests::run(workspace)?;
    // One after the other: together they would unify features, and the binary would be built anew after every demo.
    for package in ["sluice", "bench-native"] {
        let mut build = cargo();
        build.args(["build", "--release", "--locked", "--package", package]);
        process::run(build.current_dir(&workspace.root))?;
    }
    let peers = peers::Peers::prepare()?;

    let interrupt = Interrupt::listen()?;
    sweep(workspace)?;
    let mut servers = Group::new(workspace, &format!("bench-{}", std::process::id()), Lifetime::OfThisProcess)?;
    servers.start_postgres(&interrupt)?;
    let server = data::Server::of(&servers)?;
    let tables = data::load(&server, &peers, arguments.scale)?;
    let sluice = ours::Sluice::new(workspace, servers.folder.join("sluice"))?;
    let native = workspace.target.join("release/bench-native");
    let bench = Bench {
        workspace,
        rounds: arguments.rounds,
        scale: arguments.scale,
        server,
        tables,
        sluice,
        peers,
        native,
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
