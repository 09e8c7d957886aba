//! How long a stream of many files takes in the store, and how much room: `cargo run --release -p sluice-store --example items
//! [COUNT]`. Puts that many items aside, commits them, looks all of them up, and commits a change of one in a hundred.

#![allow(clippy::print_stdout, reason = "it prints what it measured")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use sluice_core::commit::CommitIntent;
use sluice_core::items::{ItemKey, Items};
use sluice_core::load::{CommitReceipt, LoadId, LoadStrategy, TableName};
use sluice_core::run::{ItemsAfter, StreamCounts};
use sluice_store::{NewIntent, NewRun, NewStream, Scope, Store};

const PIPELINE: &str = "p";
const STREAM: &str = "files";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let count: u64 = std::env::args().nth(1).map_or(Ok(1_000_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("state.db");
    let store = Store::open(&path).await?;
    commit(&store, "first", count, (0..count).collect()).await?;
    let begun = Instant::now();
    let mut found = 0;
    for from in (0..count).step_by(1000) {
        let keys: Vec<ItemKey> = (from..(from + 1000).min(count)).map(key).collect();
        let values = store.recall_items(Scope::LOCAL, PIPELINE, STREAM, &keys).await?;
        found += values.iter().flatten().count();
    }
    println!("recalled {found} of {count}, 1,000 at a time: {:.1} s", begun.elapsed().as_secs_f64());
    commit(&store, "second", count / 100, (0..count).step_by(100).collect()).await?;
    store.close().await;
    let bytes = size(&path)?;
    println!("{} bytes, {} for each item; peak memory {} MB", bytes, bytes / count.max(1), peak_mb());
    Ok(())
}

fn key(number: u64) -> ItemKey {
    ItemKey::of(&format!("events/year=2026/part-{number:08}.csv"))
}

async fn commit(store: &Store, run: &str, count: u64, numbers: Vec<u64>) -> Result<(), Box<dyn Error>> {
    let lease = store.lease(Scope::LOCAL, PIPELINE, 0).await?;
    let new = NewRun {
        id: run.into(),
        connector: "files".into(),
        connector_digest: String::new(),
        contract: "0.1".into(),
        pipeline_fingerprint: String::new(),
        request: None,
    };
    store.begin_run(Scope::LOCAL, &lease, &new, 0).await?;
    let table = TableName { dataset: "d".into(), table: "t".into() };
    let load = LoadId::new(run, 0);
    let stream =
        NewStream { run: run.into(), load: load.clone(), stream: STREAM.into(), table: table.clone(), columns: None };
    store.begin_stream(Scope::LOCAL, &lease, &stream, 0).await?;
    // Size, time and mark of a file: 20 bytes.
    let mut items = Items::default();
    for number in numbers {
        if !items.push(key(number), &[number as u8; 20]) {
            return Err("there is no room for so many items".into());
        }
    }
    let begun = Instant::now();
    store.plan_items(Scope::LOCAL, &lease, &load, items).await?;
    let aside = begun.elapsed().as_secs_f64();
    let intent = CommitIntent {
        load: load.clone(),
        table,
        strategy: LoadStrategy::Transactional,
        artifacts: vec![],
        rows: 0,
        replaced: vec![],
    };
    let items_after = Some(ItemsAfter { plan: load.clone(), anew: false });
    let new = NewIntent { intent, state_after: None, items_after, marks: false, counts: StreamCounts::default() };
    store.record_intents(Scope::LOCAL, &lease, &[new], 0).await?;
    let begun = Instant::now();
    store
        .apply_commits(Scope::LOCAL, &lease, &[CommitReceipt { load, rows_committed: 0, reference: String::new() }], 0)
        .await?;
    store.release(lease).await?;
    println!("{count} items: put aside {aside:.1} s, committed {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn size(path: &Path) -> Result<u64, std::io::Error> {
    Ok(std::fs::metadata(path)?.len())
}

/// The most memory that this process had.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}
