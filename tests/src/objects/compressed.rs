//! Files that other programs have compressed: the `lz4` command, and python-snappy.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::content::{array, csv, loaded, ndjson, rows};
use super::{Bucket, workspace};
use crate::{env, warehouse};

fn run(command: &mut Command) {
    let ran = command.output().unwrap_or_else(|error| panic!("{command:?} (installed by cargo xtask): {error}"));
    assert!(ran.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// What a program that is told an input and an output makes of this.
fn through(content: &[u8], program: impl Fn(&Path, &Path) -> Command) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    std::fs::write(&from, content).expect("a file");
    run(&mut program(&from, &to));
    std::fs::read(&to).expect("what the program wrote")
}

fn lz4(content: &[u8], arguments: &[&str]) -> Vec<u8> {
    through(content, |from, to| {
        let mut lz4 = Command::new("lz4");
        lz4.arg("-q").args(arguments).arg(from).arg(to);
        lz4
    })
}

/// What python-snappy makes of this, in Snappy's own framing or in Hadoop's blocks.
fn snappy(content: &[u8], compress: &str) -> Vec<u8> {
    through(content, |from, to| {
        let mut python = Command::new(env("SLUICE_TEST_SNAPPY_PYTHON"));
        let program = format!(
            "import sys; from snappy.snappy import {compress} as compress; \
             compress(open(sys.argv[1], 'rb'), open(sys.argv[2], 'wb'))"
        );
        python.args(["-c", &program]).arg(from).arg(to);
        python
    })
}

fn framed(content: &[u8]) -> Vec<u8> {
    snappy(content, "stream_compress")
}

fn hadoop(content: &[u8]) -> Vec<u8> {
    snappy(content, "hadoop_stream_compress")
}

/// CSV, NDJSON and JSON in every way in which Snappy and LZ4 are read arrive with every value as it was.
///
/// # Panics
/// If they do not.
pub fn files_that_others_compressed_arrive_row_for_row(bucket: &dyn Bucket) {
    let rows = rows(30_000);
    let text = csv(&rows);
    let (start, end) = text.split_at(text.len() / 3);
    bucket.put("frames.csv.lz4", &lz4(&text, &["-9"]));
    bucket.put("linked.ndjson.lz4", &lz4(&ndjson(&rows), &["-B4", "-BD", "-BX", "--content-size"]));
    bucket.put("several.csv.lz4", &[lz4(start, &["--no-frame-crc"]), lz4(end, &["-B5"])].concat());
    bucket.put("array.json.lz4", &lz4(&array(&rows), &[]));
    bucket.put("framing.csv.sz", &framed(&text));
    bucket.put("framings.json.snappy", &framed(&array(&rows)));
    bucket.put("blocks.ndjson.snappy", &hadoop(&ndjson(&rows)));
    bucket.put("twice.csv.snappy", &[hadoop(start), hadoop(end)].concat());
    let streams = ["array", "blocks", "frames", "framing", "framings", "linked", "several", "twice"];
    let workspace = workspace(bucket, &json!({}), &streams, "full");
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    for stream in streams {
        let loaded = loaded(&workspace.path().join("warehouse/main").join(stream));
        assert!(loaded == rows, "{stream}: {} rows, the first {:?}", loaded.len(), loaded.first());
    }
}

/// A cut, a damaged and a legacy file, and one in a format of its own: each names itself, and nothing of it is visible.
///
/// # Panics
/// If not.
pub fn files_that_others_compressed_and_broke_are_named(bucket: &dyn Bucket) {
    let good = rows(2_000);
    let text = csv(&rows(60_000));
    let cut = |mut file: Vec<u8>| {
        file.truncate(file.len() - 100);
        file
    };
    let flipped = |mut file: Vec<u8>, from_end: usize| {
        let at = file.len() - from_end;
        file[at] ^= 1;
        file
    };
    bucket.put("good.csv.lz4", &lz4(&csv(&good), &[]));
    for (key, content, words) in [
        ("cut.csv.lz4", cut(lz4(&text, &["-B4"])), "cut off"),
        ("content.csv.lz4", flipped(lz4(&text, &[]), 2), "checksum of an LZ4 frame's content"),
        ("legacy.csv.lz4", lz4(&text, &["-l"]), "legacy format"),
        ("framing.csv.sz", flipped(framed(&text), 2_000), "broken"),
        ("blocks.csv.snappy", cut(hadoop(&text)), "cut off"),
        ("other.csv.snappy", b"\x0c\x2cid,name\n1,x\n".to_vec(), "named like a compressed file"),
    ] {
        bucket.put(key, &content);
        let stream = key.split('.').next().expect("a stem");
        let workspace = workspace(bucket, &json!({}), &["good", stream], "full");
        let ran = workspace.run(&[]);
        assert!(ran.code() != Some(0), "{key}: {ran:?}");
        assert!(ran.error().contains(key) && ran.error().contains(words), "{key}: {}", ran.error());
        let broken = workspace.path().join("warehouse/main").join(stream);
        assert!(warehouse::files(&broken).is_empty(), "{key}: nothing of the broken file is visible");
    }
}
