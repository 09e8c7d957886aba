//! Every format gives the rows that are in it.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, StringArray};
use serde_json::json;

use crate::support::*;

#[test]
fn every_format_and_compression_gives_the_same_rows() {
    let array = format!("[{}]", ndjson(3000).trim_end().replace('\n', ","));
    let utf16: Vec<u8> = csv(3000).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("plain.csv", csv(3000).into_bytes()),
        ("semicolons.csv", csv(3000).replace("name, ", "name; ").replace(',', ";").into_bytes()),
        ("windows.csv", csv(3000).replace('\n', "\r\n").into_bytes()),
        ("zipped.csv.gz", gzip(csv(3000).as_bytes())),
        (
            "two_members.csv.gz",
            [gzip(csv(2000).as_bytes()), gzip(csv(3000).get(csv(2000).len()..).unwrap().as_bytes())].concat(),
        ),
        ("zstd.csv.zst", zstd(csv(3000).as_bytes())),
        ("utf16.csv", [&[0xff, 0xfe], utf16.as_slice()].concat()),
        ("bom.csv", [b"\xef\xbb\xbf", csv(3000).as_bytes()].concat()),
        ("lines.ndjson", ndjson(3000).into_bytes()),
        ("lines_gz.jsonl.gz", gzip(ndjson(3000).as_bytes())),
        ("array.json", array.into_bytes()),
        ("spread.json", ndjson(3000).replace(',', ",\n").into_bytes()),
        ("columns.parquet", parquet(3000, 1000)),
    ];
    let fixture = Fixture::new();
    for (name, content) in &files {
        fixture.write(name, content);
    }
    for (name, _) in &files {
        let id = name.split('.').next().unwrap();
        let rows: Vec<String> = fixture
            .rows(id)
            .unwrap()
            .iter()
            .map(|row| row.replace("name; ", "name, ").replace("name,\n", "name,"))
            .collect();
        assert_eq!(rows.len(), 3000, "{name}");
        assert_eq!(rows, expected(3000), "{name}");
        assert_eq!(fixture.columns(id), ["id: Int64", "name: Utf8", "price: Float64"], "{name}");
    }
}

#[test]
fn column_types_are_the_narrowest_that_lose_nothing() {
    let fixture = Fixture::new();
    fixture.write(
        "t.csv",
        "b,i,f,d,ts,tz,zip,big,empty,mixed\n\
         true,1,1,2024-02-29,2024-02-29 10:00:00,2024-02-29T10:00:00+02:00,01234,99999999999999999999,,1\n\
         FALSE,-2,2.5,2024-03-01,2024-03-01T00:00,2024-03-01T00:00:00.5Z,99999,1,,x\n",
    );
    assert_eq!(
        fixture.columns("t"),
        [
            "b: Boolean",
            "i: Int64",
            "f: Float64",
            "d: Date32",
            "ts: Timestamp(µs)",
            "tz: Timestamp(µs, \"UTC\")",
            "zip: Utf8",
            "big: Utf8",
            "empty: Utf8",
            "mixed: Utf8",
        ]
    );
    assert_eq!(
        fixture.rows("t").unwrap(),
        [
            "true|1|1.0|2024-02-29|2024-02-29T10:00:00|2024-02-29T08:00:00Z|01234|99999999999999999999|∅|1",
            "false|-2|2.5|2024-03-01|2024-03-01T00:00:00|2024-03-01T00:00:00.500Z|99999|1|∅|x",
        ]
    );
}

#[test]
fn an_empty_field_is_null_and_an_empty_quoted_one_is_empty_text() {
    let fixture = Fixture::new();
    fixture.write("t.csv", "a,b,n\n,\"\",1\n\"x \"\"y\"\"\",NULL,\n");
    assert_eq!(fixture.rows("t").unwrap(), ["∅||1", "x \"y\"|NULL|∅"]);
    let fixture = Fixture::with(json!({"csv": {"null_values": ["", "NULL"]}}));
    fixture.write("t.csv", "a,b\nx,NULL\ny,\"NULL\"\n");
    assert_eq!(fixture.rows("t").unwrap(), ["x|∅", "y|NULL"]);
}

#[test]
fn what_options_say_is_not_guessed() {
    let fixture = Fixture::with(json!({
        "csv": {"delimiter": ":", "quote": "'", "escape": "\\", "header": false, "skip_lines": 1},
        "types": {"column_1": "string", "column_3": "float64"},
    }));
    fixture.write("t.csv", "# made by hand\n1:'it\\'s: fine':3\n2:plain:4\n");
    assert_eq!(fixture.rows("t").unwrap(), ["1|it's: fine|3.0", "2|plain|4.0"]);
}

#[test]
fn nested_json_arrives_as_json_text() {
    let fixture = Fixture::new();
    fixture.write("t.ndjson", "{\"a\":{\"b\":[1,2]},\"c\":\"ä\\n\\u00e9\"}\n{\"a\":\"x\",\"d\":true}\n{\"a\":null}\n");
    let info = fixture.discover().remove(0);
    assert_eq!(info.schema.field(0).metadata().get("sluice:source-type").unwrap(), "json");
    assert_eq!(fixture.rows("t").unwrap(), ["{\"b\":[1,2]}|ä\né|∅", "\"x\"|∅|true", "∅|∅|∅"]);
}

#[test]
fn the_schema_holds_what_any_file_has() {
    let fixture = Fixture::new();
    fixture.write("s/1.csv", "a,b\n1,2\n").write("s/2.csv", "c,a\nx,1.5\n");
    assert_eq!(fixture.columns("s"), ["a: Float64", "b: Int64", "c: Utf8"]);
    assert_eq!(fixture.rows("s").unwrap(), ["1.0|2|∅", "1.5|∅|x"]);
}

#[test]
fn parquet_files_with_narrower_and_missing_columns_fit() {
    let fixture = Fixture::new();
    let narrow: Vec<(&str, ArrayRef)> = vec![("id", Arc::new(Int32Array::from(vec![1, 2])))];
    let wide: Vec<(&str, ArrayRef)> =
        vec![("id", Arc::new(Int64Array::from(vec![3]))), ("name", Arc::new(StringArray::from(vec!["x"])))];
    fixture.write("p/1.parquet", parquet_of(narrow, 10)).write("p/2.parquet", parquet_of(wide, 10));
    assert_eq!(fixture.columns("p"), ["id: Int64", "name: Utf8"]);
    assert_eq!(fixture.rows("p").unwrap(), ["1|∅", "2|∅", "3|x"]);
}

#[test]
fn only_the_chosen_columns_come_and_in_the_chosen_order() {
    let fixture = Fixture::new();
    fixture.write("c.csv", csv(2)).write("n.ndjson", ndjson(2)).write("p.parquet", parquet(2, 10));
    for id in ["c", "n", "p"] {
        let selection = sluice_sdk::Selection { columns: vec!["price".into(), "id".into()], ..full(id) };
        assert_eq!(fixture.rows_of(selection, &HINTS).unwrap(), ["0.25|0", "3.25|1"], "{id}");
    }
    let selection = sluice_sdk::Selection { columns: vec!["gone".into()], ..full("c") };
    let error = fixture.rows_of(selection, &HINTS).unwrap_err();
    assert!(error.message.contains("\"gone\"") && error.stream.as_deref() == Some("c"), "{error:?}");
}

#[test]
fn records_with_ten_megabytes_are_read() {
    let fixture = Fixture::new();
    let long = "x".repeat(10 << 20);
    fixture.write("t.csv", format!("a,b\n1,\"{long}\n\"\n2,y\n"));
    fixture.write("n.ndjson", format!("{{\"a\":1,\"b\":\"{long}\"}}\n{{\"a\":2,\"b\":\"y\"}}\n"));
    for id in ["t", "n"] {
        let rows = fixture.rows(id).unwrap();
        assert_eq!(rows.len(), 2, "{id}");
        assert!(rows[0].len() >= 10 << 20, "{id}");
        assert_eq!(rows[1], "2|y", "{id}");
    }
}
