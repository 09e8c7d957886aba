//! Runs that read what came since.

use sluice_tests::binary::Workspace;
use sluice_tests::warehouse;

use crate::support::{Data, good, run, table};

#[test]
fn a_second_increment_has_what_came_since_and_nothing_twice() {
    let data = Data::new();
    let insert = |from: i64, to: i64, day: &str| {
        data.sql(&format!(
            "INSERT INTO `{{d}}.e` SELECT n, TIMESTAMP_ADD(TIMESTAMP '{day} 00:00:00+00', INTERVAL n MICROSECOND), \
             DATE '{day}', DATETIME '{day} 01:00:00' FROM UNNEST(GENERATE_ARRAY({from}, {to})) AS n"
        ))
    };
    data.sql("CREATE TABLE `{d}.e` (id INT64, at TIMESTAMP, day DATE, local DATETIME)");
    insert(1, 100, "2024-01-01");
    data.sql("INSERT INTO `{d}.e` (id) VALUES (1000)");
    // Not over yet: it waits.
    data.sql("INSERT INTO `{d}.e` VALUES (2000, TIMESTAMP '2999-01-01 00:00:00+00', DATE '2999-01-01', DATETIME '2999-01-01 00:00:00')");
    data.sql("CREATE VIEW `{d}.v` AS SELECT * FROM `{d}.e`");
    let columns = ["at", "day", "local"];
    let streams: String = columns
        .iter()
        .map(|c| format!("  - {{id: {{d}}.e, table: {c}, read: {{incremental: {c}}}}}\n"))
        .collect::<Vec<_>>()[0]
        .clone()
        + "  - {id: {d}.v, table: by_view, read: {incremental: at}}\n";
    let workspace = Workspace::new();
    let pipeline = data.local(&[], &streams);
    good(run(&workspace, &pipeline));
    let first: Vec<i64> = (1..=100).chain([1000]).collect();
    assert_eq!(warehouse::integers(&table(&workspace, "at"), "id"), first, "NULL comes with the first run");
    assert_eq!(warehouse::integers(&table(&workspace, "by_view"), "id"), first);
    let again = good(run(&workspace, &pipeline));
    assert_eq!(again.summary()["streams"][0]["rows_read"], 0, "nothing is new");
    insert(101, 150, "2024-01-02");
    let ran = good(run(&workspace, &pipeline));
    assert_eq!(ran.summary()["streams"][0]["rows_read"], 50);
    let both: Vec<i64> = (1..=150).chain([1000]).collect();
    assert_eq!(warehouse::integers(&table(&workspace, "at"), "id"), both);
    assert_eq!(warehouse::integers(&table(&workspace, "by_view"), "id"), both);
    for column in ["day", "local"] {
        let workspace = Workspace::new();
        good(run(
            &workspace,
            &data.local(&[], &format!("  - {{id: {{d}}.e, table: t, read: {{incremental: {column}}}}}\n")),
        ));
        assert_eq!(warehouse::integers(&table(&workspace, "t"), "id"), both, "{column}");
    }
}

#[test]
fn the_newest_number_waits_unless_it_is_the_key() {
    let data = Data::new();
    data.sql("CREATE TABLE `{d}.n` AS SELECT n AS id FROM UNNEST(GENERATE_ARRAY(1, 10)) AS n");
    let workspace = Workspace::new();
    let streams = "  - {id: {d}.n, table: n, read: {incremental: id}}\n";
    good(run(&workspace, &data.local(&[], streams)));
    assert_eq!(warehouse::integers(&table(&workspace, "n"), "id"), (1..=9).collect::<Vec<_>>());
    data.sql("INSERT INTO `{d}.n` VALUES (10), (11)");
    good(run(&workspace, &data.local(&[], streams)));
    let expected: Vec<i64> = (1..=9).chain([10, 10]).collect();
    assert_eq!(warehouse::integers(&table(&workspace, "n"), "id"), expected, "the second 10 is not lost");
    good(run(&workspace, &data.local(&[("ties", "include")], streams)));
    assert_eq!(
        warehouse::integers(&table(&workspace, "n"), "id"),
        expected.into_iter().chain([11]).collect::<Vec<_>>()
    );
}
