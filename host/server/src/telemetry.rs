//! Logs: to standard error, or for a worker to its host.

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::cli::{Cli, Command};
use crate::events::ToHost;

/// Starts logging. `SLUICE_LOG` overrides what `--verbose` asks for.
pub(crate) fn start(cli: &Cli) {
    // Whoever operates a service reads its log; whoever runs a command reads what it prints.
    let quiet = if matches!(cli.command, Command::Serve(_) | Command::Worker) { "info" } else { "error" };
    let default = match cli.options.verbose {
        0 => quiet,
        1 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("SLUICE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    if matches!(cli.command, Command::Worker) {
        return tracing_subscriber::registry().with(ToHost.with_filter(filter)).init();
    }
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if cli.options.json() {
        builder.json().init();
    } else {
        builder.with_target(false).init();
    }
}
