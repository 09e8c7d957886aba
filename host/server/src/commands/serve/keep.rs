//! How long things are kept, from the command line.

use sluice_api::App;
use sluice_engine::service::retention::{Keep, Retention};

use crate::cli::KeepArgs;

/// What forgets them.
pub(super) fn retention(args: &KeepArgs, app: &App) -> Retention {
    let days = |days: u32| Some(days).filter(|days| *days > 0);
    let keep = Keep { runs: days(args.keep_runs), logs: days(args.keep_logs), audit: days(args.keep_audit) };
    Retention { store: app.store.clone(), clock: app.clock.clone(), keep }
}
