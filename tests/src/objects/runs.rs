//! Runs that follow each other: what is new, what was killed, and how much is too much.

use super::{Bucket, workspace};
use crate::warehouse;

fn rows(ids: std::ops::Range<i64>) -> Vec<u8> {
    let rows: String = ids.map(|id| format!("{id},name {id}\n")).collect();
    format!("id,name\n{rows}").into_bytes()
}

/// Far more objects than a page of the listing has.
///
/// # Panics
/// If one of them is missed or read twice.
pub fn many_objects_are_listed_and_read(bucket: &dyn Bucket, count: i64) {
    for id in 0..count {
        bucket.put(&format!("many/{:02}/{id:05}.csv", id % 37), format!("id\n{id}\n").as_bytes());
    }
    let workspace = workspace(bucket, &bucket.below("many"), &["t"], "{incremental: \"\"}");
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(0), "{:?}", ran.stderr);
    let table = workspace.path().join("warehouse/main/t");
    assert!(warehouse::integers(&table, "id") == (0..count).collect::<Vec<_>>(), "every object exactly once");
    bucket.put("many/00/late.csv", format!("id\n{count}\n").as_bytes());
    let again = workspace.run(&[]);
    assert_eq!(again.summary()["streams"][0]["rows_read"], 1, "only the new one: {:?}", again.summary());
}

/// An incremental run reads new files and changed ones, and no others.
///
/// # Panics
/// If not.
pub fn only_what_is_new_or_changed_is_read(bucket: &dyn Bucket) {
    bucket.put("inc/a.csv", &rows(0..3));
    bucket.put("inc/b.csv", &rows(3..5));
    let workspace = workspace(bucket, &bucket.below("inc"), &["t"], "{incremental: \"\"}");
    let read = |expected: i64, why: &str| {
        let ran = workspace.run(&[]);
        assert_eq!(ran.code(), Some(0), "{why}: {ran:?}");
        assert_eq!(ran.summary()["streams"][0]["rows_read"], expected, "{why}");
    };
    read(5, "all at first");
    read(0, "nothing is new");
    bucket.put("inc/0.csv", &rows(10..11));
    read(1, "a new file that sorts before the others");
    bucket.put("inc/b.csv", &rows(3..7));
    read(4, "a changed file, as a whole");
    bucket.delete("inc/a.csv");
    read(0, "a file that went away");
    let table = workspace.path().join("warehouse/main/t");
    assert_eq!(warehouse::integers(&table, "id"), [0, 1, 2, 3, 3, 4, 4, 5, 6, 10]);
}

/// Kills the process at points along the path of the data; the next run leaves every row there once.
///
/// # Panics
/// If a row is missing or doubled.
pub fn killed_at_any_point_every_row_is_there_once(bucket: &dyn Bucket) {
    /// Enough for a batch of its own for each file.
    const ROWS: i64 = 20_000;
    bucket.put("kill/0.csv", &rows(0..ROWS));
    for (nth, point) in [
        "stream.planned",
        "ledger.opened",
        "batch.read*2",
        "batch.written*3",
        "ledger.finalized",
        "commit.recorded",
        "commit.marked",
        "commit.visible",
    ]
    .into_iter()
    .enumerate()
    {
        let workspace = workspace(bucket, &bucket.below(&format!("kill/{nth}")), &["t"], "{incremental: \"\"}");
        bucket.put(&format!("kill/{nth}/0.csv"), &rows(0..ROWS));
        assert_eq!(workspace.run(&[]).code(), Some(0), "{point}");
        for file in 1..5 {
            bucket.put(&format!("kill/{nth}/{file}.csv"), &rows(file * ROWS..(file + 1) * ROWS));
        }
        workspace.run_killed_at(point, &[]);
        let ran = workspace.run(&[]);
        assert_eq!(ran.code(), Some(0), "{point}: {ran:?}");
        let loaded = warehouse::integers(&workspace.path().join("warehouse/main/t"), "id");
        assert!(loaded == (0..5 * ROWS).collect::<Vec<_>>(), "{point}: {} rows", loaded.len());
    }
}
