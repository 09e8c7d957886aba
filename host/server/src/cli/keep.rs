//! How long things are kept.

use clap::{Args, value_parser};

/// How long things are kept.
#[derive(Debug, Args)]
#[command(next_help_heading = "How long things are kept")]
pub(crate) struct KeepArgs {
    /// Days that runs are kept, with their attempts and counts; 0 for ever. The last hundred of a pipeline always are
    #[arg(long, allow_negative_numbers = true, env = "SLUICE_KEEP_RUNS", value_name = "DAYS", default_value_t = 400, value_parser = days())]
    pub(crate) keep_runs: u32,
    /// Days that logs of runs are kept; 0 as long as the runs
    #[arg(long, allow_negative_numbers = true, env = "SLUICE_KEEP_LOGS", value_name = "DAYS", default_value_t = 30, value_parser = days())]
    pub(crate) keep_logs: u32,
    /// Days that entries of the audit log are kept; 0 for ever
    #[arg(long, allow_negative_numbers = true, env = "SLUICE_KEEP_AUDIT", value_name = "DAYS", default_value_t = 0, value_parser = days())]
    pub(crate) keep_audit: u32,
}

/// Up to a hundred years.
fn days() -> clap::builder::RangedI64ValueParser<u32> {
    value_parser!(u32).range(0..=36_500)
}
