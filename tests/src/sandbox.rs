//! Instances of guests, without the binary around them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::RecordBatch;
use serde_json::Value;
use sluice_core::RunError;
use sluice_core::limits::InstanceLimits;
use sluice_core::pipeline::Grants;
use sluice_core::plan::{PlanHints, ReadMode, ReadPlan, Selection};
use sluice_runtime::net::SystemResolver;
use sluice_runtime::{Budget, Connection, Environment, Instance, NothingRecalled, ReadEvent, Runtime, Settings};

/// A sandbox whose compiled components are kept between tests.
///
/// # Panics
/// If the sandbox cannot be set up.
pub fn runtime() -> Runtime {
    let cache = std::env::temp_dir().join("sluice-tests-compiled");
    Runtime::new(Settings { cache: Some(cache), ..Settings::default() }).expect("a sandbox")
}

/// A guest with a configuration, limits and grants.
///
/// # Errors
/// What the runtime says.
pub async fn connection(
    runtime: &Runtime,
    component: &Path,
    config: Value,
    limits: InstanceLimits,
    grants: Grants,
) -> Result<Connection, RunError> {
    let connector = runtime.load(component).await?;
    let environment = Environment::new(Arc::new(SystemResolver), Arc::new(jiff::Timestamp::now));
    Connection::new(connector, &config, grants, limits, &environment)
}

/// Plans a full read of a stream.
///
/// # Errors
/// What the connector says.
pub async fn plan(instance: &Instance, stream: &str) -> Result<ReadPlan, RunError> {
    let selection = Selection {
        id: stream.into(),
        columns: vec![],
        mode: ReadMode::Full,
        filter: None,
        changed_files: None,
        state: None,
    };
    let hints = PlanHints { max_parallel: 2, split_bytes: 64 << 20, batch_bytes: 1 << 20 };
    Ok(instance.plan(vec![selection], hints, Arc::new(NothingRecalled)).await?.0)
}

/// Reads every split of a stream, one after the other, each in an instance of its own.
///
/// # Errors
/// What the connector or the sandbox says.
pub async fn read(connection: &Connection, stream: &str) -> Result<Vec<RecordBatch>, RunError> {
    let planner = connection.instance().await?;
    let plan = plan(&planner, stream).await?;
    let schema = plan.streams.first().ok_or_else(|| RunError::internal("no plan"))?.schema.clone();
    let mut batches = Vec::new();
    for split in plan.splits {
        let instance = connection.instance().await?;
        let planned = vec![(Arc::from(stream), schema.clone())];
        let mut read = instance.read(split, None, planned, Budget::new(64 << 20)).await?;
        while let Some(event) = read.next().await {
            if let ReadEvent::Batch { batch, .. } = event {
                batches.push(batch);
            }
        }
        read.finish().await?;
    }
    Ok(batches)
}

/// A name that no other test of this process has.
pub fn unique(prefix: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{prefix}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
