//! What every attack is made with: one sandbox for all, in which a healthy guest goes on.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use sluice_core::RunError;
use sluice_core::error::Kind;
use sluice_core::limits::InstanceLimits;
use sluice_core::pipeline::Grants;
use sluice_runtime::{Connection, Connector, Environment, Runtime};
use tokio::sync::OnceCell;

use crate::{guest, sandbox};

/// How an attack ended: with an error, or with what could be seen of it.
pub type Outcome = Result<String, RunError>;

/// The sandbox that all attacks of a process share, with the guest that makes most of them.
///
/// # Panics
/// If there is no sandbox or no guest.
pub async fn shared() -> &'static (Runtime, Connector) {
    static SHARED: OnceCell<(Runtime, Connector)> = OnceCell::const_new();
    let made = || async {
        let runtime = sandbox::runtime();
        let connector = runtime.load(&guest("hostile")).await.expect("the hostile guest");
        (runtime, connector)
    };
    SHARED.get_or_init(made).await
}

/// Bounds that end an attack soon, and leave a healthy guest in peace.
pub fn limits() -> InstanceLimits {
    InstanceLimits { cpu_ms: 10_000, wall_ms: 60_000, memory_bytes: 192 << 20, ..InstanceLimits::default() }
}

/// What the host lends.
pub fn surroundings() -> Environment {
    Environment::new(Arc::new(sluice_runtime::net::SystemResolver), Arc::new(jiff::Timestamp::now))
}

/// The configuration of an attack.
pub fn config(attack: &str) -> Value {
    json!({"attack": attack, "rows": 10, "host": "127.0.0.1", "port": 9, "password": "hunter2222"})
}

/// The hostile guest, configured.
///
/// # Errors
/// What the runtime says.
pub async fn connect(
    config: &Value,
    limits: InstanceLimits,
    grants: Grants,
    environment: &Environment,
) -> Result<Connection, RunError> {
    Connection::new(shared().await.1.clone(), config, grants, limits, environment)
}

/// Has the hostile guest read a stream, configured and bounded like this. It yields how many rows it got.
///
/// # Errors
/// How it ended.
pub async fn read(config: &Value, limits: InstanceLimits, grants: Grants, environment: &Environment) -> Outcome {
    let connection = connect(config, limits, grants, environment).await?;
    let batches = sandbox::read(&connection, "numbers").await?;
    Ok(format!("{} rows", batches.iter().map(arrow_array::RecordBatch::num_rows).sum::<usize>()))
}

/// Loads a component's bytes in the shared sandbox.
///
/// # Errors
/// Why it is not loaded.
///
/// # Panics
/// If there is no room for the file.
pub async fn load(bytes: &[u8]) -> Result<Connector, RunError> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("uploaded.wasm");
    std::fs::write(&file, bytes).expect("a file");
    load_file(&file).await
}

/// Loads a file in the shared sandbox.
///
/// # Errors
/// Why it is not loaded.
pub async fn load_file(file: &Path) -> Result<Connector, RunError> {
    shared().await.0.load(file).await
}

/// Asserts how an attack ended.
///
/// # Panics
/// If it ended in another way.
pub fn assert_ended(outcome: &Outcome, kind: Option<Kind>, words: &str) {
    match (outcome, kind) {
        (Err(error), Some(kind)) => {
            assert_eq!(error.kind, kind, "{error}");
            assert!(error.message.contains(words), "expected {words:?} in: {error}");
            assert!(!error.message.contains("hunter2222"), "a secret is told: {error}");
        }
        (Ok(seen), None) => assert!(seen.contains(words), "expected {words:?} in: {seen}"),
        (Err(error), None) => panic!("it should have been contained, but ended: {error}"),
        (Ok(seen), Some(kind)) => panic!("it should have ended with {kind:?}, but: {seen}"),
    }
}

/// Asserts that the sandbox serves a healthy guest.
///
/// # Panics
/// If it does not.
pub async fn assert_healthy() {
    let config = json!({"rows": 500, "batch": 64, "splits": 3});
    let read = read(&config, limits(), Grants::default(), &surroundings()).await;
    assert_eq!(read.expect("a healthy guest is served"), "500 rows");
}
