//! What is in files: every format row for row, odd keys, and content that is broken or out of proportion.

use std::io::Write;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::json;

use super::{Bucket, workspace};
use crate::warehouse;

pub(super) type Row = (i64, Option<String>, f64);

pub(super) fn rows(count: i64) -> Vec<Row> {
    let name = |n: i64| (n % 11 != 3).then(|| format!("na\"me, {n} ü"));
    (0..count).map(|n| (n, name(n), n as f64 * 3.0 + 0.25)).collect()
}

pub(super) fn csv(rows: &[Row]) -> Vec<u8> {
    let mut text = "id,name,price\n".to_owned();
    for (id, name, price) in rows {
        let name = name.as_ref().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).unwrap_or_default();
        text.push_str(&format!("{id},{name},{price}\n"));
    }
    text.into_bytes()
}

pub(super) fn ndjson(rows: &[Row]) -> Vec<u8> {
    let line = |(id, name, price): &Row| format!("{}\n", json!({"id": id, "name": name, "price": price}));
    rows.iter().map(line).collect::<String>().into_bytes()
}

pub(super) fn array(rows: &[Row]) -> Vec<u8> {
    let rows: Vec<_> = rows.iter().map(|(id, name, price)| json!({"id": id, "name": name, "price": price})).collect();
    serde_json::to_vec_pretty(&rows).expect("JSON")
}

fn parquet(rows: &[Row], group: usize) -> Vec<u8> {
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))), true),
        ("name", Arc::new(StringArray::from_iter(rows.iter().map(|row| row.1.as_deref()))), true),
        ("price", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.2))), true),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("a batch");
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group))
        .set_compression(parquet::basic::Compression::SNAPPY)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("rows");
    writer.into_inner().expect("a file")
}

pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).expect("gzip");
    encoder.finish().expect("gzip")
}

pub(super) fn loaded(table: &std::path::Path) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in warehouse::batches(table) {
        let column = |name: &str| batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}")).clone();
        let (ids, names, prices) = (column("id"), column("name"), column("price"));
        let names = names.as_string::<i32>();
        for at in 0..batch.num_rows() {
            let name = names.is_valid(at).then(|| names.value(at).to_owned());
            rows.push((
                ids.as_primitive::<Int64Type>().value(at),
                name,
                prices.as_primitive::<Float64Type>().value(at),
            ));
        }
    }
    rows.sort_by_key(|row| row.0);
    rows
}

/// CSV, NDJSON, JSON and Parquet, plain and compressed, arrive with every value as it was.
///
/// # Panics
/// If they do not.
pub fn every_format_arrives_row_for_row(bucket: &dyn Bucket) {
    let rows = rows(30_000);
    bucket.put("plain.csv", &csv(&rows));
    bucket.put("gzip.csv.gz", &gzip(&csv(&rows)));
    bucket.put("zstd.csv.zst", &zstd::stream::encode_all(csv(&rows).as_slice(), 3).expect("zstd"));
    bucket.put("lines.ndjson", &ndjson(&rows));
    bucket.put("array.json", &array(&rows));
    bucket.put("groups.parquet", &parquet(&rows, 7_000));
    let streams = ["array", "groups", "gzip", "lines", "plain", "zstd"];
    let workspace = workspace(bucket, &json!({}), &streams, "full");
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    for stream in streams {
        let loaded = loaded(&workspace.path().join("warehouse/main").join(stream));
        assert!(loaded == rows, "{stream}: {} rows, the first {:?}", loaded.len(), loaded.first());
    }
}

/// Keys that need encoding, and folders that some tools write as objects.
///
/// # Panics
/// If a file is missed or something else is read.
pub fn keys_of_every_kind_are_read(bucket: &dyn Bucket, more: &[&str]) {
    let keys = ["odd/a b.csv", "odd/a+b.csv", "odd/ü&%41=;@.csv", "odd/deep/er/x'(1)!*~.csv"];
    for (id, key) in keys.iter().chain(more).enumerate() {
        bucket.put(key, format!("id\n{id}\n").as_bytes());
    }
    bucket.put("oddly.csv", b"id\n100\n");
    let config = json!({"prefix": "odd", "streams": [{"name": "t", "glob": "**/*.csv"}]});
    let workspace = workspace(bucket, &config, &["t"], "full");
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    let all: Vec<i64> = (0..).take(keys.len() + more.len()).collect();
    assert_eq!(warehouse::integers(&workspace.path().join("warehouse/main/t"), "id"), all);
}

/// A cut gzip file, a Parquet file whose footer lies, and a bomb: each names itself, and a good stream beside it is loaded.
///
/// # Panics
/// If not.
pub fn broken_files_are_named_and_others_unharmed(bucket: &dyn Bucket) {
    let good = rows(2_000);
    let mut cut = gzip(&csv(&rows(60_000)));
    cut.truncate(cut.len() - 100);
    let whole = parquet(&good, 500);
    let end = whole.len();
    let footer = u32::from_le_bytes(whole[end - 8..end - 4].try_into().expect("four bytes")) as usize;
    // The footer stays, the pages that it speaks of are gone.
    let lying = [b"PAR1", &whole[end - 8 - footer..]].concat();
    let bomb = format!("id\n{}", format!("{}\n", "7".repeat(4 << 20)).repeat(17));
    let bomb = zstd::stream::encode_all(bomb.as_bytes(), 3).expect("zstd");
    bucket.put("good.csv", &csv(&good));
    for (key, content, words) in [
        ("cut.csv.gz", cut, "cut off"),
        ("lying.parquet", lying, "footer is wrong"),
        ("bomb.csv.zst", bomb, "max_ratio"),
    ] {
        bucket.put(key, &content);
        let stream = key.split('.').next().expect("a stem");
        let workspace = workspace(bucket, &json!({}), &["good", stream], "{incremental: \"\"}");
        let ran = workspace.run(&[]);
        assert_eq!(ran.code(), Some(3), "{key}: {ran:?}");
        assert!(ran.error().contains(key) && ran.error().contains(words), "{key}: {}", ran.error());
        assert!(loaded(&workspace.path().join("warehouse/main/good")) == good, "{key}: the good file is loaded");
        let broken = workspace.path().join("warehouse/main").join(stream);
        assert!(warehouse::files(&broken).is_empty(), "{key}: nothing of the broken file is visible");
    }
}

/// A quoted cell of ten megabytes, with line breaks.
///
/// # Panics
/// If it does not arrive as it was.
pub fn a_cell_of_ten_megabytes_arrives(bucket: &dyn Bucket) {
    let cell = "0123456789abcde\n".repeat(640 << 10);
    bucket.put("cell.csv", format!("id,name,price\n1,small,1.5\n2,\"{cell}\",2.5\n3,small,3.5\n").as_bytes());
    let workspace = workspace(bucket, &json!({}), &["cell"], "full");
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    let rows = loaded(&workspace.path().join("warehouse/main/cell"));
    assert_eq!(rows.iter().map(|row| row.0).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(rows[1].1.as_deref() == Some(&cell), "the cell has {} bytes", rows[1].1.as_ref().map_or(0, String::len));
}
