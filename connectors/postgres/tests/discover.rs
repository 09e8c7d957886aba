//! Listing streams.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "a failed assertion is how a test fails"
)]

mod common;

use common::{Schema, env, full, integers, rows, source};
use serde_json::json;
use sluice_sdk::{DiscoverFilter, Source, StreamInfo, StreamKind};

/// All streams of a schema, page by page.
fn list(schema: &Schema, changes: serde_json::Value, page_size: u32) -> Vec<StreamInfo> {
    let filter = DiscoverFilter { contains: format!("{}.", schema.0), page_size, ..Default::default() };
    let mut source = source(changes);
    let mut streams = Vec::new();
    let mut page = None;
    loop {
        let found = source.discover(&filter, page.as_deref()).unwrap();
        assert!(found.streams.len() <= page_size as usize);
        streams.extend(found.streams);
        page = found.next;
        if page.is_none() {
            return streams;
        }
    }
}

fn find<'a>(streams: &'a [StreamInfo], schema: &Schema, name: &str) -> &'a StreamInfo {
    streams.iter().find(|s| s.id == schema.id(name)).unwrap_or_else(|| panic!("no {name} in {streams:?}"))
}

#[test]
fn every_kind_of_relation_is_listed_and_partitions_are_not() {
    let schema = Schema::new("kinds");
    schema.sql(
        "CREATE TABLE $S.t (id int); COMMENT ON TABLE $S.t IS 'Orders'; CREATE VIEW $S.v AS SELECT * FROM $S.t;
         CREATE MATERIALIZED VIEW $S.m AS SELECT * FROM $S.t; CREATE INDEX ON $S.t (id); CREATE SEQUENCE $S.s; CREATE TYPE $S.c AS (a int);
         CREATE TABLE $S.p (id int) PARTITION BY HASH (id); CREATE TABLE $S.p0 PARTITION OF $S.p FOR VALUES WITH (MODULUS 1, REMAINDER 0);
         CREATE EXTENSION IF NOT EXISTS file_fdw; DROP SERVER IF EXISTS $S CASCADE; CREATE SERVER $S FOREIGN DATA WRAPPER file_fdw;
         CREATE FOREIGN TABLE $S.f (line text) SERVER $S OPTIONS (filename '/etc/hostname')",
    );
    let streams = list(&schema, json!({}), 100);
    let kinds: Vec<_> = streams.iter().map(|s| (s.id.rsplit('.').next().unwrap(), s.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("f", StreamKind::Other),
            ("m", StreamKind::MaterializedView),
            ("p", StreamKind::PartitionedTable),
            ("t", StreamKind::Table),
            ("v", StreamKind::View)
        ]
    );
    assert_eq!(find(&streams, &schema, "t").description.as_deref(), Some("Orders"));
    assert_eq!(rows(full(&schema.id("f"))).unwrap().len(), 1, "a foreign table can be read");
    schema.sql("DROP SERVER $S CASCADE");
}

#[test]
fn keys_cursors_and_sizes_are_found() {
    let schema = Schema::new("facts");
    schema.sql(
        "CREATE TABLE $S.t (b int, a int, id bigserial UNIQUE, updated_at timestamptz NOT NULL, created_at timestamp, name text, PRIMARY KEY (a, b));
         CREATE INDEX ON $S.t (updated_at); INSERT INTO $S.t SELECT i, i, i, now(), now(), repeat('x', 1000) FROM generate_series(1, 1000) i;
         CREATE TABLE $S.p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
         CREATE TABLE $S.p1 PARTITION OF $S.p FOR VALUES FROM (0) TO (500); CREATE TABLE $S.p2 PARTITION OF $S.p FOR VALUES FROM (500) TO (5000);
         INSERT INTO $S.p SELECT i, repeat('y', 100) FROM generate_series(1, 1000) i; CREATE VIEW $S.v AS SELECT * FROM $S.t;
         ANALYZE $S.t; ANALYZE $S.p",
    );
    let streams = list(&schema, json!({}), 100);
    let t = find(&streams, &schema, "t");
    assert_eq!(t.primary_key, ["a", "b"]);
    assert_eq!(t.cursor_candidates, ["updated_at", "id", "a", "created_at"]);
    assert_eq!(t.rows, Some(1000));
    assert!(t.bytes.unwrap() > 1_000_000, "{:?}", t.bytes);
    let p = find(&streams, &schema, "p");
    assert_eq!((p.rows, p.primary_key.as_slice()), (Some(1000), &["id".to_owned()][..]));
    assert!(p.bytes.unwrap() > 100_000);
    assert_eq!(find(&streams, &schema, "v").rows, None);
}

#[test]
fn pages_hold_every_stream_once_in_the_order_of_their_ids() {
    let schema = Schema::new("pages");
    for name in ["a", "B", "\"c.d\"", "\"with \"\"quotes\"\"\"", "\"ä\"", "_x", "\"UPPER lower\"", "zz"] {
        schema.sql(&format!("CREATE TABLE $S.{name} (id int); INSERT INTO $S.{name} VALUES (1)"));
    }
    let all = list(&schema, json!({}), 100);
    for page_size in [1, 2, 3, 8] {
        assert_eq!(list(&schema, json!({}), page_size), all, "{page_size} a page");
    }
    let ids: Vec<_> = all.iter().map(|s| s.id.strip_prefix(&format!("{}.", schema.0)).unwrap()).collect();
    assert_eq!(ids, ["\"c.d\"", "\"with \"\"quotes\"\"\"", "UPPER lower", "_x", "a", "b", "zz", "ä"]);
    for stream in &all {
        assert_eq!(integers(&rows(full(&stream.id)).unwrap(), "id"), [1], "{} can be read by its id", stream.id);
    }
}

#[test]
fn only_what_was_asked_for_is_listed() {
    let schema = Schema::new("asked");
    schema.sql("CREATE TABLE $S.one (id int); CREATE TABLE $S.two (id int) PARTITION BY HASH (id); CREATE TABLE $S.part PARTITION OF $S.two FOR VALUES WITH (MODULUS 1, REMAINDER 0)");
    let mut source = source(json!({}));
    let by_ids = DiscoverFilter {
        ids: vec![schema.id("one"), schema.id("part"), "no.such".into()],
        page_size: 10,
        ..Default::default()
    };
    let ids: Vec<_> = source.discover(&by_ids, None).unwrap().streams.into_iter().map(|s| s.id).collect();
    assert_eq!(ids, [schema.id("one"), schema.id("part")], "a partition that is named is a stream");
    let contains =
        DiscoverFilter { contains: format!("{}.TW", schema.0.to_uppercase()), page_size: 10, ..Default::default() };
    let ids: Vec<_> = source.discover(&contains, None).unwrap().streams.into_iter().map(|s| s.id).collect();
    assert_eq!(ids, [schema.id("two")]);
}

#[test]
fn what_a_user_may_not_see_is_left_out_and_said() {
    let schema = Schema::new("hidden");
    let user = env("SLUICE_TEST_POSTGRES_PLAIN_USER");
    schema.sql(&format!(
        "CREATE TABLE $S.none (id int); CREATE TABLE $S.some (id int, secret text); CREATE TABLE $S.secured (id int);
         GRANT USAGE ON SCHEMA $S TO {user}; GRANT SELECT (id) ON $S.some TO {user}; GRANT SELECT ON $S.secured TO {user};
         ALTER TABLE $S.secured ENABLE ROW LEVEL SECURITY"
    ));
    let streams = list(&schema, json!({ "user": user, "allow_cleartext_password": true }), 100);
    assert_eq!(streams.len(), 2, "{streams:?}");
    let some = find(&streams, &schema, "some");
    assert_eq!(some.schema.fields().len(), 1);
    assert!(some.description.as_deref().unwrap().contains("may not read them: secret"));
    assert!(find(&streams, &schema, "secured").description.as_deref().unwrap().contains("Row security is active"));
}

#[test]
fn a_dropped_column_is_not_there() {
    let schema = Schema::new("dropped");
    schema.sql(
        "CREATE TABLE $S.t (a int, b int, c int); INSERT INTO $S.t VALUES (1, 2, 3); ALTER TABLE $S.t DROP COLUMN b",
    );
    let streams = list(&schema, json!({}), 10);
    let names: Vec<_> = streams[0].schema.fields().iter().map(|f| f.name().as_str()).collect();
    assert_eq!(names, ["a", "c"]);
    assert_eq!(integers(&rows(full(&schema.id("t"))).unwrap(), "c"), [3]);
}
