//! How long an instance takes to be there, and what many connectors and instances take of memory.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::guest::{connect, sandbox};
use crate::process::memory;

/// How often an instance is made for the times.
const MADE: usize = 1_000;

/// Installs connectors that differ in a custom section only, so that each is compiled, kept and loaded by itself, and keeps
/// instances alive, each of another connector as far as there are enough.
pub(crate) async fn measure(folder: &Path, connectors: u64, instances: u64) -> Result<Value> {
    let scratch = tempfile::tempdir_in(folder)?;
    let component = std::fs::read(folder.join("fetch.wasm")).context("the component fetch.wasm")?;
    let config = json!({"host": "a.example", "port": 443, "requests": []});
    let runtime = sandbox(&scratch.path().join("compiled"), u32::try_from(instances)? + 8)?;
    let empty = memory()?;

    let begun = Instant::now();
    let mut installed = Vec::new();
    for number in 0..connectors {
        let file = scratch.path().join("one.wasm");
        std::fs::write(&file, with_section(&component, &number.to_le_bytes()))?;
        installed.push(connect(&runtime, &file, &config).await?);
    }
    let compiling = begun.elapsed().as_secs_f64();
    drop(installed);
    let mut installed = Vec::new();
    let begun = Instant::now();
    for number in 0..connectors {
        let file = scratch.path().join("one.wasm");
        std::fs::write(&file, with_section(&component, &number.to_le_bytes()))?;
        installed.push(connect(&runtime, &file, &config).await?);
    }
    let loading = begun.elapsed().as_secs_f64();
    let loaded = memory()?;

    let first = installed.first().context("a connector")?;
    let mut times = Vec::with_capacity(MADE);
    for _ in 0..MADE {
        let begun = Instant::now();
        let instance = first.instance().await?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        drop(instance);
        // The task that owned it frees it.
        tokio::task::yield_now().await;
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((MADE as f64 * share) as usize).copied().unwrap_or(f64::NAN);

    let mut alive = Vec::new();
    for number in 0..usize::try_from(instances)? {
        let connection = installed.get(number % installed.len()).context("a connector")?;
        let instance = connection.instance().await?;
        // It has run: its memory is there, not only promised.
        instance.check().await?;
        alive.push(instance);
    }
    let live = memory()?;
    Ok(json!({
        "connectors": connectors, "instances": alive.len(), "compile_seconds": compiling, "load_seconds": loading,
        "instantiate_p50_ms": at(0.5), "instantiate_p99_ms": at(0.99),
        "empty_rss": empty.resident, "loaded_rss": loaded.resident, "live_rss": live.resident, "live_pss": live.proportional,
    }))
}

/// The component with one more custom section at its end.
fn with_section(component: &[u8], content: &[u8]) -> Vec<u8> {
    let name = b"bench";
    let length = u8::try_from(1 + name.len() + content.len()).unwrap_or(u8::MAX);
    let head = [0, length, name.len() as u8];
    [component, &head, name, content].concat()
}
