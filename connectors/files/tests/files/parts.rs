//! Splits are disjoint and complete, wherever their borders fall and wherever a read is stopped.

use sluice_sdk::{ErrorKind, Hints};

use crate::support::*;

#[test]
fn big_files_are_read_in_parts_without_losing_or_repeating_a_row() {
    let fixture = Fixture::new();
    fixture.write("c.csv", csv(20_000)).write("n.ndjson", ndjson(20_000)).write("p.parquet", parquet(20_000, 700));
    fixture.write("crlf.csv", csv(20_000).replace('\n', "\r\n"));
    for id in ["c", "n", "p", "crlf"] {
        for split_bytes in [10_007, 65_536, 200_003].into_iter().filter(|bytes| id != "p" || *bytes < 20_000) {
            let plan = fixture.plan(full(id), &small(split_bytes)).unwrap();
            assert!(plan.splits.len() > 1, "{id} has {} splits", plan.splits.len());
            assert!(plan.splits.iter().all(|split| split.resumable));
            let rows = fixture.rows_of(full(id), &small(split_bytes)).unwrap();
            assert!(rows == expected(20_000), "{id} at {split_bytes}: {} rows", rows.len());
        }
    }
}

#[test]
fn every_border_of_a_small_file_is_right() {
    let fixture = Fixture::new();
    let text = "a,b\n1,x\n\n22,yy\r\n333,\n4444,\"q,q\"\n5,no end";
    fixture.write("t.csv", text);
    let whole = fixture.rows("t").unwrap();
    assert_eq!(whole, ["1|x", "22|yy", "333|∅", "4444|q,q", "5|no end"]);
    for split_bytes in 1..text.len() as u64 {
        assert_eq!(fixture.rows_of(full("t"), &small(split_bytes)).unwrap(), whole, "{split_bytes}");
    }
}

#[test]
fn small_files_share_splits() {
    let fixture = Fixture::new();
    for n in 0..50 {
        fixture.write(&format!("s/{n:02}.csv"), format!("id\n{n}\n"));
    }
    let plan = fixture.plan(full("s"), &small(100)).unwrap();
    assert_eq!(plan.splits.len(), 3);
    let rows = fixture.rows_of(full("s"), &small(100)).unwrap();
    assert_eq!(rows, (0..50).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_line_break_in_quotes_at_a_border_is_an_error_and_never_a_wrong_row() {
    let fixture = Fixture::new();
    let mut text = csv(60_000);
    assert!(text.len() > 1 << 20);
    let plain = text.len();
    while text.len() < plain * 2 {
        text.push_str("1,\"a\n2,b,3\nc\",4\n");
    }
    fixture.write("t.csv", &text);
    let whole = fixture.rows("t").unwrap();
    let mut refused = 0;
    for split_bytes in [100_003, 99_999, 77_773, 55_551] {
        match fixture.rows_of(full("t"), &small(split_bytes)) {
            // Every border happened to lie where a record ends.
            Ok(rows) => assert!(rows == whole, "{split_bytes}"),
            Err(error) => {
                assert!(error.kind == ErrorKind::Config && error.message.contains("csv.newlines_in_values"), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
    let told = Fixture::with(serde_json::json!({"csv": {"newlines_in_values": true}}));
    told.write("t.csv", &text);
    let plan = told.plan(full("t"), &small(100_003)).unwrap();
    assert_eq!(plan.splits.len(), 1);
    assert!(told.rows("t").unwrap().contains(&"1|a\n2,b,3\nc|4.0".to_owned()));
}

#[test]
fn a_read_that_was_stopped_goes_on_where_it_stopped() {
    let fixture = Fixture::new();
    fixture.write("c.csv", csv(20_000)).write("n.ndjson", ndjson(20_000)).write("p.parquet", parquet(20_000, 7000));
    fixture.write("g.csv.gz", gzip(csv(20_000).as_bytes()));
    let utf16: Vec<u8> = csv(20_000).encode_utf16().flat_map(u16::to_be_bytes).collect();
    fixture.write("u.csv", [&[0xfe, 0xff], utf16.as_slice()].concat());
    fixture.write("a.json", format!("[{}]", ndjson(20_000).trim_end().replace('\n', ",")));
    for id in ["c", "n", "p", "g", "u", "a"] {
        let hints = Hints { max_parallel: 1, ..small(1 << 30) };
        let plan = fixture.plan(full(id), &hints).unwrap();
        assert_eq!(plan.splits.len(), 1, "{id}");
        let (mut rows, mut cursor, mut reads) = (Vec::new(), None, 0);
        loop {
            let read = fixture.read(&plan.splits[0], cursor.as_ref(), 2).unwrap();
            rows.extend(read.rows);
            cursor = read.cursor.or(cursor);
            reads += 1;
            if read.checkpoints < 2 {
                break;
            }
        }
        assert!(reads > 3, "{id} was read in {reads} goes");
        assert!(rows == expected(20_000), "{id}: {} rows", rows.len());
    }
}

#[test]
fn part_of_a_stopped_range_goes_on_too() {
    let fixture = Fixture::new();
    fixture.write("c.csv", csv(20_000));
    let plan = fixture.plan(full("c"), &small(200_003)).unwrap();
    let mut rows = Vec::new();
    for split in &plan.splits {
        let first = fixture.read(split, None, 1).unwrap();
        rows.extend(first.rows);
        rows.extend(fixture.read(split, first.cursor.as_ref(), usize::MAX).unwrap().rows);
    }
    assert!(rows == expected(20_000), "{} rows", rows.len());
}

#[test]
fn small_files_share_batches_and_checkpoints_and_are_taken_up_between_them() {
    let fixture = Fixture::new();
    let row = |n: usize| format!("{n}|name {n}");
    for n in 0..200 {
        fixture.write(&format!("s/{n:03}.csv"), format!("id,name\n{n},name {n}\n"));
    }
    let plan = fixture.plan(full("s"), &Hints { batch_bytes: 1 << 20, ..HINTS }).unwrap();
    let split = &plan.splits[0];
    let whole = fixture.read(split, None, usize::MAX).unwrap();
    assert_eq!(whole.rows, (0..200).map(row).collect::<Vec<_>>());
    assert_eq!((whole.batches, whole.checkpoints), (4, 4));
    let begun = fixture.read(split, None, 2).unwrap();
    let rest = fixture.read(split, begun.cursor.as_ref(), usize::MAX).unwrap();
    assert_eq!([begun.rows, rest.rows].concat(), whole.rows);
}
