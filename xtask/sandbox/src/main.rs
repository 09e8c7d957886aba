//! What `cargo xtask bench density`, `bench neighbours` and `bench columns` measure: the sandbox alone, without the rest of the host.
//!
//! `bench-sandbox density FOLDER CONNECTORS INSTANCES`, `bench-sandbox neighbours FOLDER SECONDS` and `bench-sandbox columns COMPONENT
//! SECONDS ROUNDS WAY…` print one line of JSON. FOLDER holds the misbehaving guests' components. It may use nothing of the host but the
//! sandbox.
#![allow(clippy::print_stdout, reason = "the figures are what it prints")]
#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock itself")]

mod columns;
mod density;
mod guest;
mod neighbours;
mod process;

use std::path::Path;

use anyhow::{Context, Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| -> Result<u64> {
        arguments.get(index).with_context(|| format!("argument {index} is missing"))?.parse().context("a number")
    };
    let folder = Path::new(arguments.get(1).map_or("", String::as_str));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let figures = match arguments.first().map(String::as_str) {
        Some("density") => runtime.block_on(density::measure(folder, number(2)?, number(3)?))?,
        Some("neighbours") => runtime.block_on(neighbours::measure(folder, number(2)?))?,
        Some("columns") => {
            let ways = arguments.get(4..).unwrap_or_default();
            runtime.block_on(columns::measure(folder, number(2)?, number(3)?, ways))?
        }
        // What `neighbours` starts, each as a process of its own, as the service's workers are.
        Some("guest") => runtime.block_on(guest::live(folder, arguments.get(2).context("a kind")?, number(3)?))?,
        _ => bail!("density, neighbours, columns or guest?"),
    };
    println!("{figures}");
    runtime.shutdown_background();
    Ok(())
}
