//! The binary `sluice`: parses, wires, starts. What it decides is only what an operator decides: paths, clocks, ids, who watches.
//!
//! To add a command: a variant in `cli.rs`, a file in `commands/`, a line in [`main`].

#![allow(clippy::disallowed_methods, reason = "the binary is where time, ids and configuration come from")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command's output is what it is for")]

mod cli;
mod commands;
mod events;
mod exit;
mod file;
mod kill;
mod rows;
mod show;
mod telemetry;
mod wire;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    kill::arm();
    match &cli.command {
        // What a worker says depends on its job.
        Command::Worker(args) => commands::worker::prepare(args),
        _ => telemetry::start(&cli),
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::from(exit::HOST);
        }
    };
    let Cli { options, command } = cli;
    let code = runtime.block_on(async {
        match command {
            Command::Run(args) => commands::run::run(&options, &args).await,
            Command::Check(args) => commands::check::run(&options, &args).await,
            Command::Discover(args) => commands::discover::run(&options, &args).await,
            Command::Preview(args) => commands::preview::run(&options, &args).await,
            Command::Connector(args) => commands::connector::run(&options, &args.command).await,
            Command::Doctor(args) => commands::doctor::run(&options, &args).await,
            Command::Serve(args) => commands::serve::run(&options, &args).await,
            Command::Migrate(args) => commands::migrate::run(&options, &args).await,
            Command::Admin(args) => commands::admin::run(&options, &args).await,
            Command::Worker(_) => commands::worker::run(&options).await,
            Command::Completions(args) => commands::completions::run(&args),
        }
    });
    // A guest or a peer that does not end must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    ExitCode::from(code)
}
