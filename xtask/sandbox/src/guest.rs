//! One guest that lives for a while, healthy or not.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sluice_core::limits::InstanceLimits;
use sluice_core::pipeline::Grants;
use sluice_core::plan::{PlanHints, ReadMode, Selection};
use sluice_runtime::net::SystemResolver;
use sluice_runtime::{Budget, Connection, Environment, NothingRecalled, ReadEvent, Runtime, Settings};

/// Kinds of neighbours, and whether each wants a whole core as long as it lives.
pub(crate) const KINDS: [(&str, bool); 6] = [
    ("spin", true),
    ("flood", true),
    ("log_flood", true),
    ("memory", true),
    ("connection_flood", true),
    ("sleep", false),
];

/// A sandbox with a cache of its own.
pub(crate) fn sandbox(cache: &Path, instances: u32) -> Result<Runtime> {
    let settings = Settings { cache: Some(cache.to_owned()), instances, ..Settings::default() };
    Ok(Runtime::new(settings)?)
}

/// Configures a component.
pub(crate) async fn connect(runtime: &Runtime, component: &Path, config: &Value) -> Result<Connection> {
    let environment = Environment::new(Arc::new(SystemResolver), Arc::new(jiff::Timestamp::now));
    let grants = Grants { private_network: true, ..Grants::default() };
    let limits = InstanceLimits { memory_bytes: 64 << 20, ..InstanceLimits::default() };
    Ok(Connection::new(runtime.load(component).await?, config, grants, limits, &environment)?)
}

/// Lives for so many seconds; a misbehaving guest that is ended begins anew. Tells how many rows it got.
pub(crate) async fn live(folder: &Path, kind: &str, seconds: u64) -> Result<Value> {
    let runtime = sandbox(&folder.join("bench-compiled"), 64)?;
    let (rows, took) = live_in(&runtime, folder, kind, seconds).await?;
    Ok(json!({"rows": rows, "seconds": took}))
}

/// The same in a sandbox that is there.
pub(crate) async fn live_in(runtime: &Runtime, folder: &Path, kind: &str, seconds: u64) -> Result<(u64, f64)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let attack = if kind == "healthy" { "" } else { kind };
    let port = listener.local_addr()?.port();
    let config = json!({"attack": attack, "rows": i64::MAX / 2, "batch": 1000, "host": "127.0.0.1", "port": port});
    let connection = connect(runtime, &folder.join("hostile.wasm"), &config).await?;
    let begun = Instant::now();
    let end = begun + Duration::from_secs(seconds);
    let mut rows = 0;
    while Instant::now() < end {
        rows += until(&connection, end).await?;
        // What a flood of connections has left.
        listener.set_nonblocking(true)?;
        while listener.accept().is_ok() {}
    }
    Ok((rows, begun.elapsed().as_secs_f64()))
}

/// One read of the stream `numbers`, to its end or that of the time; the rows that came.
pub(crate) async fn until(connection: &Connection, end: Instant) -> Result<u64> {
    let selection = Selection {
        id: "numbers".into(),
        columns: vec![],
        mode: ReadMode::Full,
        filter: None,
        changed_files: None,
        state: None,
    };
    let hints = PlanHints { max_parallel: 1, split_bytes: 64 << 20, batch_bytes: 1 << 20 };
    let planner = connection.instance().await?;
    let (plan, _) = planner.plan(vec![selection], hints, Arc::new(NothingRecalled)).await?;
    let (split, stream) = (plan.splits.first().context("a split")?, plan.streams.first().context("a stream")?);
    let planned = vec![(Arc::from("numbers"), stream.schema.clone())];
    let instance = connection.instance().await?;
    let mut read = instance.read(split.clone(), None, planned, Budget::new(32 << 20)).await?;
    let mut rows = 0;
    let left = tokio::time::sleep_until(end.into());
    tokio::pin!(left);
    loop {
        tokio::select! {
            event = read.next() => match event {
                Some(ReadEvent::Batch { batch, .. }) => rows += batch.num_rows() as u64,
                Some(_) => {}
                None => return Ok(rows),
            },
            () = &mut left => {
                instance.cancel();
                return Ok(rows);
            }
        }
    }
}
