//! The project's own commands: `cargo xtask <command>`.
//!
//! One file per command. It may use anything it needs, and nothing depends on it. What a command must install first
//! (Debian packages, a Python venv, cargo tools) it installs by itself and says so; tools and venvs lie in a cache
//! folder outside the checkout (`~/.cache/sluice`, or `$SLUICE_XTASK_CACHE`).
//!
//! To add a command: write its file with a `pub(crate) fn run(…) -> anyhow::Result<ExitCode>`, add a variant to
//! [`Command`] whose doc comment is its help text, and name it in the README if users need it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "these commands talk to the person who runs them")]
#![allow(clippy::disallowed_methods, reason = "a developer's tool reads the clock and the environment itself")]

mod bench;
mod demo;
mod deny;
mod guests;
mod layers;
mod npm;
mod openapi;
mod process;
mod python;
mod services;
mod test;
mod tools;
mod web;
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
    /// Run the sample pipeline: files to a local warehouse, with the result shown
    Demo,
    /// Measure against other readers of PostgreSQL, in pairs, and print a table
    Bench(bench::Arguments),
    /// Run cargo-deny, building it first where it is missing
    Deny(deny::Arguments),
    /// Check which crates may depend on which, and which one crate may name each heavy dependency
    Layers,
    /// Write tests/golden/openapi.json as the API describes itself now
    Openapi,
    /// Build the guests, start real servers, run every test, stop the servers
    Test(test::Arguments),
    /// Start, stop and show the real servers that tests run against
    Services(services::Arguments),
    /// Build the web console into web/dist, which the binary takes in; --check: also types, style, unit tests, size
    Web(web::Arguments),
}

fn main() -> ExitCode {
    dispatch(Arguments::parse().command).unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}

fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    let workspace = workspace::Workspace::find()?;
    match command {
        Command::Guests => guests::run(&workspace).map(|_| ExitCode::SUCCESS),
        Command::Demo => demo::run(&workspace),
        Command::Bench(arguments) => bench::run(&workspace, arguments),
        Command::Deny(arguments) => deny::run(&workspace, arguments),
        Command::Layers => layers::run(&workspace),
        Command::Openapi => openapi::run(&workspace),
        Command::Test(arguments) => test::run(&workspace, arguments),
        Command::Services(arguments) => services::run(&workspace, arguments),
        Command::Web(arguments) => web::run(&workspace, &arguments),
    }
}
