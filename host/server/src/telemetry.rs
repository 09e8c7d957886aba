//! Logs, to standard error.

use tracing_subscriber::EnvFilter;

use crate::cli::Options;

/// Starts logging. `SLUICE_LOG` overrides what `--verbose` asks for.
pub(crate) fn start(options: &Options) {
    let default = match options.verbose {
        0 => "error",
        1 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("SLUICE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if options.json() {
        builder.json().init();
    } else {
        builder.with_target(false).init();
    }
}
