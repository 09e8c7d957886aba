//! The project's own commands: `cargo xtask <command>`.
//!
//! One file per command. It may use anything it needs, and nothing depends on it. What a command must install first
//! (Debian packages, a Python venv, cargo tools) it installs by itself and says so; tools and venvs lie in a cache
//! folder outside the checkout (`~/.cache/sluice`, or `$SLUICE_CACHE`).
//!
//! To add a command: write its file with a `pub(crate) fn run(…) -> anyhow::Result<ExitCode>`, add a variant to
//! [`Command`] whose doc comment is its help text, and name it in the README if users need it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "these commands talk to the person who runs them")]
#![allow(clippy::disallowed_methods, reason = "a developer's tool reads the clock and the environment itself")]

mod guests;
mod process;
mod services;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build every guest for wasm32-wasip2 and copy the components into target/connectors and target/guests
    Guests,
    /// Start, stop and show the real servers that tests run against
    Services(services::Arguments),
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let workspace = workspace::Workspace::find()?;
    match arguments.command {
        Command::Guests => guests::run(&workspace).map(|_| ExitCode::SUCCESS),
        Command::Services(arguments) => services::run(&workspace, arguments),
    }
}
