//! `sluice connector read`: rows as the connector pushes them, and the state that a run would keep.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use sluice_core::RunError;
use sluice_core::limits::RunLimits;
use sluice_core::plan::{Cursor, PlanHints, ReadMode, Selection};
use sluice_runtime::NothingRecalled;

use super::{bytes, connection, say, write};
use crate::cli::{Options, ReadArgs};
use crate::rows::{self, Read};
use crate::show;

pub(super) async fn run(options: &Options, args: &ReadArgs) -> Result<(), RunError> {
    let connection = connection::open(options, &args.connection).await?;
    let state = match &args.from {
        Some(path) if path.exists() => Some(Cursor(bytes(path, Cursor::MAX_BYTES as u64)?)),
        _ => None,
    };
    let selection = Selection {
        id: args.stream.clone(),
        columns: args.columns.clone(),
        mode: args.incremental.clone().map_or(ReadMode::Full, ReadMode::Incremental),
        filter: None,
        changed_files: None,
        state,
    };
    let limits = RunLimits::default();
    let hints = PlanHints { max_parallel: 1, split_bytes: limits.split_bytes, batch_bytes: limits.batch_bytes };
    let planner = connection.instance().await?;
    let (plan, _) = planner.plan(vec![selection], hints, Arc::new(NothingRecalled)).await?;
    let read = rows::first(&connection, &plan, limits.bytes_in_flight, args.limit).await;
    planner.close().await;
    let Read { batches, state, cut } = read?;
    show::rows(options, &batches)?;
    if cut {
        say(options, "There may be more: raise --limit.", &json!({"event": "more"}));
        return Ok(());
    }
    let planned = plan.streams.first().and_then(|stream| stream.state_after.clone());
    if let Some(state) = planned.or(state).filter(|_| args.incremental.is_some()) {
        finished(options, &state, args.from.as_deref())?;
    }
    Ok(())
}

fn finished(options: &Options, state: &Cursor, path: Option<&Path>) -> Result<(), RunError> {
    let text = String::from_utf8_lossy(&state.0);
    if let Some(path) = path {
        write(path, &state.0)?;
    }
    say(options, &format!("State: {text}"), &json!({"event": "state", "state": text}));
    Ok(())
}
