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

use common::{Database, SERVERS, Server, full, integers};
use serde_json::{Value, json};
use sluice_sdk::{DiscoverFilter, Source, StreamInfo, StreamKind};

/// All streams of a database, page by page.
fn list(server: Server, changes: &Value, page_size: u32) -> Vec<StreamInfo> {
    let filter = DiscoverFilter { page_size, ..Default::default() };
    let mut source = server.source(changes);
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

fn of(database: &Database) -> Value {
    json!({ "database": database.name })
}

fn find<'a>(streams: &'a [StreamInfo], database: &Database, name: &str) -> &'a StreamInfo {
    streams.iter().find(|s| s.id == database.id(name)).unwrap_or_else(|| panic!("no {name} in {streams:?}"))
}

#[test]
fn every_kind_of_relation_is_listed() {
    for server in SERVERS {
        let database = server.database("kinds");
        database.sql(
            "CREATE TABLE t (id int) COMMENT 'Orders'; CREATE VIEW v AS SELECT * FROM t;
             CREATE TABLE p (id int PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2; CREATE TEMPORARY TABLE gone (id int)",
        );
        if server == Server::Mariadb {
            database.sql("CREATE SEQUENCE s; CREATE TABLE h (id int) WITH SYSTEM VERSIONING; INSERT INTO h VALUES (1); UPDATE h SET id = 2");
            assert_eq!(integers(&server.rows(full(&database.id("h"))).unwrap(), "id"), [2], "history is not read");
        }
        let streams = list(server, &of(&database), 100);
        let mut kinds: Vec<_> = streams.iter().map(|s| (s.id.rsplit('.').next().unwrap(), s.kind)).collect();
        kinds.retain(|(name, _)| *name != "h");
        assert_eq!(kinds, [("p", StreamKind::PartitionedTable), ("t", StreamKind::Table), ("v", StreamKind::View)]);
        assert_eq!(streams.len(), if server == Server::Mariadb { 4 } else { 3 });
        assert_eq!(find(&streams, &database, "t").description.as_deref(), Some("Orders"));
        assert_eq!(find(&streams, &database, "v").description, None);
    }
}

#[test]
fn keys_cursors_and_sizes_are_found() {
    for server in SERVERS {
        let database = server.database("facts");
        database.sql(
            "CREATE TABLE n (n int); INSERT INTO n VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
             CREATE TABLE t (b int, a int, id bigint AUTO_INCREMENT UNIQUE, updated_at timestamp(3) NULL, created_at datetime, name varchar(2000),
               prefix varchar(100), PRIMARY KEY (a, b), INDEX (updated_at), INDEX (prefix(10)), FULLTEXT (name));
             INSERT INTO t (b, a, name, updated_at) SELECT x.n + 10 * y.n + 100 * z.n, 1, repeat('x', 1000), now() FROM n x, n y, n z;
             CREATE VIEW v AS SELECT * FROM t; ANALYZE TABLE t",
        );
        let streams = list(server, &of(&database), 100);
        let t = find(&streams, &database, "t");
        assert_eq!(t.primary_key, ["a", "b"]);
        assert_eq!(t.cursor_candidates, ["updated_at", "id", "a", "created_at"]);
        let rows = t.rows.unwrap();
        assert!((800..=1200).contains(&rows), "{rows}");
        assert!(t.bytes.unwrap() > 1_000_000, "{:?}", t.bytes);
        assert_eq!((find(&streams, &database, "v").rows, find(&streams, &database, "v").bytes), (None, None));
    }
}

#[test]
fn pages_hold_every_stream_once_in_the_order_of_their_ids() {
    for server in SERVERS {
        let database = server.database("pages");
        for name in [
            "a",
            "`B`",
            "`c.d`",
            "`with \"quotes\"`",
            "`back``tick`",
            "`ä`",
            "_x",
            "`UPPER lower`",
            "zz",
            "`quo'te`",
            "`日本`",
            "`1`",
        ] {
            database.sql(&format!("CREATE TABLE {name} (id int); INSERT INTO {name} VALUES (1)"));
        }
        let all = list(server, &of(&database), 100);
        for page_size in [1, 2, 3, 12] {
            assert_eq!(list(server, &of(&database), page_size), all, "{page_size} a page");
        }
        let ids: Vec<_> = all.iter().map(|s| s.id.strip_prefix(&format!("{}.", database.name)).unwrap()).collect();
        let expected = [
            "\"c.d\"",
            "\"with \"\"quotes\"\"\"",
            "1",
            "B",
            "UPPER lower",
            "_x",
            "a",
            "back`tick",
            "quo'te",
            "zz",
            "ä",
            "日本",
        ];
        assert_eq!(ids, expected, "{server:?}");
        for stream in &all {
            assert_eq!(
                integers(&server.rows(full(&stream.id)).unwrap(), "id"),
                [1],
                "{} can be read by its id",
                stream.id
            );
        }
    }
}

#[test]
fn a_database_with_an_odd_name_is_read() {
    for server in SERVERS {
        let name = format!("od.d \"n`ame\" {}", std::process::id());
        let quoted = format!("`{}`", name.replace('`', "``"));
        server.sql(&format!("DROP DATABASE IF EXISTS {quoted}; CREATE DATABASE {quoted}; CREATE TABLE {quoted}.`t.t` (id int); INSERT INTO {quoted}.`t.t` VALUES (3)"));
        let streams = list(server, &json!({ "database": name }), 10);
        assert_eq!(streams.len(), 1);
        assert_eq!(integers(&server.rows(full(&streams[0].id)).unwrap(), "id"), [3]);
        server.sql(&format!("DROP DATABASE {quoted}"));
    }
}

#[test]
fn only_what_was_asked_for_is_listed() {
    for server in SERVERS {
        let database = server.database("asked");
        database.sql("CREATE TABLE one (id int); CREATE TABLE two (id int); CREATE TABLE One (id int)");
        let mut source = server.source(&json!({}));
        let by_ids = DiscoverFilter {
            ids: vec![database.id("one"), "no.such".into(), "no id".into()],
            page_size: 10,
            ..Default::default()
        };
        let ids: Vec<_> = source.discover(&by_ids, None).unwrap().streams.into_iter().map(|s| s.id).collect();
        assert_eq!(ids, [database.id("one")], "names differ by case");
        let contains = DiscoverFilter {
            contains: format!("{}.TW", database.name.to_uppercase()),
            page_size: 10,
            ..Default::default()
        };
        let ids: Vec<_> = source.discover(&contains, None).unwrap().streams.into_iter().map(|s| s.id).collect();
        assert_eq!(ids, [database.id("two")]);
        let none = DiscoverFilter { ids: vec!["nothing".into()], page_size: 10, ..Default::default() };
        assert!(source.discover(&none, None).unwrap().streams.is_empty());
    }
}

#[test]
fn what_a_user_may_not_see_is_left_out_and_said() {
    for server in SERVERS {
        let database = server.database("hidden");
        let user = format!("hidden_{}", std::process::id());
        let name = &database.name;
        database.sql(&format!(
            "CREATE TABLE none (id int); CREATE TABLE some (id int, secret text); CREATE TABLE written (id int);
             CREATE USER {user} IDENTIFIED BY 'x'; GRANT SELECT (id) ON {name}.some TO {user}; GRANT INSERT ON {name}.written TO {user}"
        ));
        let streams = list(server, &json!({ "user": user, "password": "x", "database": name }), 100);
        let ids: Vec<_> = streams.iter().map(|stream| stream.id.as_str()).collect();
        assert_eq!(ids, [database.id("some")]);
        let names: Vec<_> = streams[0].schema.fields().iter().map(|field| field.name().as_str()).collect();
        if names == ["id"] {
            // MariaDB lists columns that may not be read, MySQL does not.
            let description = streams[0].description.as_deref();
            assert!(description.is_none_or(|text| text.contains("may not read them: secret")), "{description:?}");
        }
        assert_eq!(names, ["id"]);
        server.sql(&format!("DROP USER {user}"));
    }
}
