//! Files that change between the plan and the read, and during the read.

use std::sync::Arc;

use serde_json::json;
use sluice_core::error::Kind;
use sluice_runtime::{Budget, ReadEvent};

use super::{Bucket, connect};
use crate::sandbox;

/// A CSV file of about this many bytes.
fn csv(bytes: usize) -> Vec<u8> {
    let mut text = "id,name\n".to_owned();
    let mut id = 0;
    while text.len() < bytes {
        text.push_str(&format!("{id},this is the name of number {id}\n"));
        id += 1;
    }
    text.into_bytes()
}

const CHANGES: [(&str, &str); 4] =
    [("grown", "grew"), ("cut", "became shorter"), ("gone", "was deleted"), ("replaced", "was written again")];

fn change(bucket: &dyn Bucket, how: &str, key: &str, size: usize) {
    let content = csv(size);
    match how {
        "grown" => bucket.put(key, &[content.as_slice(), b"1,one more\n"].concat()),
        "cut" => bucket.put(key, &csv(size / 2)),
        "gone" => bucket.delete(key),
        // As long as before.
        _ => bucket.put(key, &content.iter().map(|byte| if *byte == b'n' { b'm' } else { *byte }).collect::<Vec<_>>()),
    }
}

/// Stores whose listing has no mark tell versions apart by the second.
async fn a_second() {
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
}

/// A file that changes between plan and read is an error that names it and how it changed, and that a new run cures.
///
/// # Panics
/// If not.
pub async fn a_file_that_changes_is_named(bucket: &dyn Bucket) {
    let runtime = sandbox::runtime();
    let connection =
        connect(&runtime, bucket, &json!({"streams": [{"name": "t", "glob": "t.csv"}]})).await.expect("it");
    for (how, words) in CHANGES {
        bucket.put("t.csv", &csv(10_000));
        let planner = connection.instance().await.expect("an instance");
        let plan = sandbox::plan(&planner, "t").await.expect("a plan");
        a_second().await;
        change(bucket, how, "t.csv", 10_000);
        let error = read_all(&connection, &plan, |_| {}).await.expect_err("a changed file");
        assert_eq!(error.kind, Kind::Transient, "{how}: {error}");
        assert!(error.message.contains("t.csv") && error.message.contains(words), "{how}: {error}");
    }
}

/// The same while its first batch is already read.
///
/// # Panics
/// If a row of another version is delivered, or the error does not say what happened.
pub async fn a_file_that_changes_during_the_read_is_named(bucket: &dyn Bucket) {
    let runtime = sandbox::runtime();
    let connection =
        connect(&runtime, bucket, &json!({"streams": [{"name": "t", "glob": "t.csv"}]})).await.expect("it");
    // Large enough for several requests.
    let size = 48 << 20;
    for (how, words) in CHANGES {
        bucket.put("t.csv", &csv(size));
        let planner = connection.instance().await.expect("an instance");
        let plan = sandbox::plan(&planner, "t").await.expect("a plan");
        a_second().await;
        let error = read_all(&connection, &plan, |batches| {
            if batches == 1 {
                change(bucket, how, "t.csv", size);
            }
        })
        .await
        .expect_err("a changed file");
        assert_eq!(error.kind, Kind::Transient, "{how}: {error}");
        assert!(error.message.contains("t.csv") && error.message.contains(words), "{how}: {error}");
    }
}

/// Reads all splits, telling after each batch how many there were.
async fn read_all(
    connection: &sluice_runtime::Connection,
    plan: &sluice_core::plan::ReadPlan,
    mut after: impl FnMut(usize),
) -> Result<usize, sluice_core::RunError> {
    let schema = plan.streams[0].schema.clone();
    let mut batches = 0;
    for split in &plan.splits {
        let instance = connection.instance().await?;
        let planned = vec![(Arc::from("t"), schema.clone())];
        let mut read = instance.read(split.clone(), None, planned, Budget::new(2 << 20)).await?;
        while let Some(event) = read.next().await {
            if matches!(event, ReadEvent::Batch { .. }) {
                batches += 1;
                after(batches);
            }
        }
        read.finish().await?;
    }
    Ok(batches)
}
