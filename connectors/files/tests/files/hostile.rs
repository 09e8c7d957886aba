//! Files that are broken, lie, or change while they are read: each is an error that names it, and others are unharmed.

use serde_json::json;
use sluice_sdk::{Error, ErrorKind};

use crate::support::*;

/// Reads `bad` beside a good file, each as a stream, and returns the error of the bad one.
fn error_of(fixture: &Fixture, name: &str, content: impl AsRef<[u8]>) -> Error {
    fixture.write(name, content).write("good.csv", csv(10));
    let error = fixture.rows(name.split('.').next().unwrap()).err().unwrap();
    assert!(error.message.contains(name), "the error must name the file: {error}");
    assert_eq!(fixture.rows("good").unwrap(), expected(10));
    error
}

#[test]
fn a_compressed_file_that_was_cut_off_is_an_error() {
    let fixture = Fixture::new();
    for (name, mut whole) in [("g.csv.gz", gzip(csv(50_000).as_bytes())), ("z.csv.zst", zstd(csv(50_000).as_bytes()))] {
        whole.truncate(whole.len() - 9);
        let error = error_of(&fixture, name, &whole);
        assert_eq!(error.kind, ErrorKind::Protocol);
        assert!(error.message.contains("broken or cut off"), "{error}");
    }
}

#[test]
fn a_compressed_file_with_a_flipped_byte_is_an_error() {
    let mut bytes = gzip(csv(50_000).as_bytes());
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    assert_eq!(error_of(&Fixture::new(), "g.csv.gz", &bytes).kind, ErrorKind::Protocol);
}

#[test]
fn a_decompression_bomb_is_defused() {
    let fixture = Fixture::new();
    let bomb = format!("a\n{}", format!("{}\n", "x".repeat(4 << 20)).repeat(17));
    let error = error_of(&fixture, "bomb.csv.zst", zstd(bomb.as_bytes()));
    assert!(error.message.contains("max_ratio"), "{error}");
}

#[test]
fn a_record_beyond_the_limit_is_an_error() {
    let fixture = Fixture::with(json!({"max_record_bytes": 1 << 20}));
    let error = error_of(&fixture, "t.csv", format!("a,b\n1,x\n2,\"{}\"\n", "x".repeat(3 << 20)));
    assert!(error.message.contains("max_record_bytes"), "{error}");
}

#[test]
fn ragged_records_follow_the_policy() {
    let text = "a,b\n1,2\n3\n4,5,6\n";
    let error = error_of(&Fixture::new(), "t.csv", text);
    assert!(error.message.contains("t.csv line 3") && error.message.contains("1 fields"), "{error}");
    for (policy, rows) in [("fill", vec!["1|2", "3|∅", "4|5"]), ("skip", vec!["1|2"])] {
        let fixture = Fixture::with(json!({"csv": {"ragged": policy}}));
        fixture.write("t.csv", text);
        assert_eq!(fixture.rows("t").unwrap(), rows, "{policy}");
    }
}

/// A number column whose last value, far behind the sample, is none.
fn late_misfit() -> String {
    format!("{}x,y,z\n", csv(60_000))
}

#[test]
fn a_value_that_does_not_fit_names_file_line_and_column() {
    let error = error_of(&Fixture::new(), "t.csv", late_misfit());
    assert_eq!((error.kind, error.stream.as_deref()), (ErrorKind::Protocol, Some("t")));
    assert!(error.message.contains("t.csv line 60002, column \"id\": \"x\" is no int64"), "{error}");
    let text = format!("{}{{\"id\":\"1\",\"name\":\"x\",\"price\":1.5}}\n", ndjson(60_000));
    let error = error_of(&Fixture::new(), "n.ndjson", text);
    assert!(error.message.contains("n.ndjson line 60001, column \"id\""), "{error}");
}

#[test]
fn a_value_that_does_not_fit_becomes_null_or_its_file_is_skipped() {
    let fixture = Fixture::with(json!({"on_mismatch": "null"}));
    fixture.write("t.csv", late_misfit());
    assert_eq!(fixture.rows("t").unwrap().last().unwrap(), "∅|y|∅");
    let fixture = Fixture::with(json!({"on_mismatch": "skip-file"}));
    let mut cut = gzip(csv(60_000).as_bytes());
    cut.truncate(cut.len() - 20);
    fixture.write("s/1.csv", csv(3)).write("s/2.csv", late_misfit()).write("s/3.csv.gz", cut).write("s/4.csv", csv(2));
    assert_eq!(fixture.rows("s").unwrap(), [expected(3), expected(2)].concat());
}

#[test]
fn a_column_that_only_an_unsampled_file_has_is_named() {
    let fixture = Fixture::with(json!({"sample_files": 2}));
    fixture.write("s/1.csv", "a\n1\n").write("s/2.csv", "a,surprise\n1,2\n").write("s/3.csv", "a\n3\n");
    let error = fixture.rows("s").unwrap_err();
    assert!(error.message.contains("s/2.csv has the column \"surprise\""), "{error}");
    let fixture = Fixture::with(json!({"sample_files": 2, "on_mismatch": "null"}));
    fixture.write("s/1.csv", "a\n1\n").write("s/2.csv", "a,surprise\n1,2\n").write("s/3.csv", "a\n3\n");
    assert_eq!(fixture.rows("s").unwrap(), ["1", "1", "3"]);
}

#[test]
fn text_that_is_not_utf8_names_the_option() {
    let fixture = Fixture::with(json!({"csv": {"encoding": "utf-8"}}));
    let error = error_of(&fixture, "t.csv", b"a,b\n1,caf\xe9\n");
    assert!(error.message.contains("t.csv line 2, column \"b\"") && error.message.contains("csv.encoding"), "{error}");
    let fixture = Fixture::new();
    fixture.write("t.csv", b"a,b\n1,caf\xe9\n");
    assert_eq!(fixture.rows("t").unwrap(), ["1|café"]);
}

#[test]
fn malformed_text_names_its_line() {
    let error = error_of(&Fixture::new(), "q.csv", "a,b\n1,2\n3,\"never closed\n4,5\n");
    assert!(error.message.contains("q.csv line 3"), "{error}");
    let error = error_of(&Fixture::new(), "j.ndjson", format!("{}{{\"id\":}}\n", ndjson(60_000)));
    assert!(error.message.contains("j.ndjson line 60001"), "{error}");
    let error = error_of(&Fixture::new(), "cut.json", "[{\"a\":1},{\"a\":2}");
    assert!(error.message.contains("cut off") || error.message.contains("ends within"), "{error}");
}

#[test]
fn a_parquet_file_that_lies_is_an_error() {
    let good = parquet(5000, 1000);
    let fixture = Fixture::new();
    let mut long_footer = good.clone();
    let end = long_footer.len();
    long_footer[end - 8..end - 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let error = error_of(&fixture, "long.parquet", &long_footer);
    assert!(error.message.contains("its footer is said to have"), "{error}");
    error_of(&fixture, "short.parquet", b"PAR1PAR1");
    error_of(&fixture, "cut.parquet", &good[..good.len() / 2]);
    // The footer stays, the pages that it speaks of are gone.
    let footer = u32::from_le_bytes(good[end - 8..end - 4].try_into().unwrap()) as usize;
    error_of(&fixture, "pages.parquet", [b"PAR1", &good[end - 8 - footer..]].concat());
}

#[test]
fn mutated_parquet_files_never_panic() {
    let good = parquet(300, 100);
    let fixture = Fixture::new();
    let mut state = 99_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    for round in 0..400 {
        let mut bytes = good.clone();
        for _ in 0..1 + next() % 4 {
            let at = if round % 2 == 0 { bytes.len() - 9 - next() % (bytes.len() / 2) } else { next() % bytes.len() };
            bytes[at] = next() as u8;
        }
        fixture.write("m.parquet", &bytes);
        let _ = fixture.rows("m");
    }
}

#[test]
fn a_file_that_changes_between_plan_and_read_is_a_passing_error() {
    let fixture = Fixture::new();
    for (key, how) in [("grown", "grew"), ("cut", "became shorter"), ("gone", "was deleted")] {
        let name = format!("{key}.csv");
        fixture.write(&name, csv(100));
        let plan = fixture.plan(full(key), &HINTS).unwrap();
        match key {
            "grown" => fixture.append(&name, "100,x,1.5\n"),
            "cut" => drop(fixture.write(&name, csv(10))),
            _ => std::fs::remove_file(fixture.path(&name)).unwrap(),
        }
        let error = fixture.read(&plan.splits[0], None, usize::MAX).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Transient, "{error}");
        assert!(error.message.contains(&name) && error.message.contains(how), "{error}");
    }
}

#[test]
fn a_million_columns_are_refused() {
    let header: Vec<String> = (0..20_000).map(|n| format!("c{n}")).collect();
    let fixture = Fixture::new();
    fixture.write("wide.csv", header.join(","));
    assert!(fixture.rows("wide").unwrap_err().message.contains("columns"));
}
