//! Logs and traces. Logs go to standard error, or from a worker to its host; so do a worker's spans, and the host exports them with its own.
//!
//! A worker exports nothing itself: it has neither the address nor the credentials of the collector in its environment, its end does not
//! wait for somebody who does not answer, and what it tells goes through the host's redactor.

pub(crate) mod args;
mod client;
mod counted;
mod export;
mod settings;
mod worker;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::cli::{Cli, Command};
use crate::events::ToHost;

pub(crate) use export::Tracing;
pub(crate) use worker::below;

/// What is never logged: the steps of runs, which are for traces, and what the exporter says, which is said once by us.
const UNLOGGED: [&str; 2] = ["sluice::trace=off", "opentelemetry=off"];

/// Starts logging. `SLUICE_LOG` overrides what `--verbose` asks for. A worker does so when it knows its job.
pub(crate) fn start(cli: &Cli) {
    // Whoever operates a service reads its log; whoever runs a command reads what it prints.
    let quiet = if matches!(cli.command, Command::Serve(_)) { "info" } else { "error" };
    let filter = filter(match cli.options.verbose {
        0 => quiet,
        1 => "info",
        _ => "debug",
    });
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if cli.options.json() {
        builder.json().with_span_list(false).init();
    } else {
        builder.with_target(false).init();
    }
}

/// Starts telling the host what is logged, and the steps of the job if it follows its trace.
pub(crate) fn start_worker(verbose: u8, traced: bool) {
    let default = if verbose > 1 { "debug" } else { "info" };
    let spans = traced.then(worker::layer);
    tracing_subscriber::registry().with(spans).with(ToHost.with_filter(filter(default))).init();
}

fn filter(default: &str) -> EnvFilter {
    let filter = EnvFilter::try_from_env("SLUICE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let unlogged = UNLOGGED.into_iter().filter_map(|directive| directive.parse().ok());
    unlogged.fold(filter, EnvFilter::add_directive)
}
