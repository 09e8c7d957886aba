//! BigQuery as a source, from the binary: across projects, every type, views and queries, increments, splits, and what is
//! left when something breaks.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use arrow_cast::display::{ArrayFormatter, FormatOptions};
use sluice_tests::bigquery::{dataset_of, query, sink, source};
use sluice_tests::binary::{Ran, Workspace, finish};
use sluice_tests::proxy::Proxy;
use sluice_tests::{env, sandbox, warehouse};

/// A project that is not the billed one, and a dataset in it that no other test has.
struct Data {
    project: String,
    dataset: String,
}

impl Data {
    fn new() -> Self {
        let (project, dataset) = ("public-data".to_owned(), sandbox::unique("src"));
        dataset_of(&project, &dataset);
        Self { project, dataset }
    }

    /// Runs SQL in which `{d}` stands for the dataset.
    fn sql(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        query(&sql.replace("{d}", &format!("{}.{}", self.project, self.dataset)))
    }

    fn source(&self, more: &[(&str, &str)]) -> String {
        source(&self.project, more)
    }

    /// A pipeline into a local warehouse.
    fn local(&self, more: &[(&str, &str)], streams: &str) -> String {
        let streams = streams.replace("{d}", &self.dataset);
        format!("name: bq\n{}streams:\n{streams}sink: {{type: local, path: warehouse}}\n", self.source(more))
    }
}

fn run(workspace: &Workspace, pipeline: &str) -> Ran {
    workspace.pipeline(pipeline);
    workspace.run(&[])
}

fn good(ran: Ran) -> Ran {
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    ran
}

fn table(workspace: &Workspace, name: &str) -> std::path::PathBuf {
    workspace.path().join("warehouse/main").join(name)
}

/// Every value as text, row by row, in the order of the first column, an integer. Times are numbers, so that their spelling
/// does not matter.
fn rows(workspace: &Workspace, name: &str, raw_times: bool) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    for batch in &warehouse::batches(&table(workspace, name)) {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| match column.data_type() {
                arrow_schema::DataType::Timestamp(..) if raw_times => {
                    arrow_cast::cast(column, &arrow_schema::DataType::Int64).unwrap()
                }
                _ => warehouse::with_offset_zone(column),
            })
            .collect();
        let formatters: Vec<_> =
            columns.iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            rows.push(formatters.iter().map(|formatter| formatter.value(row).to_string()).collect::<Vec<_>>());
        }
    }
    rows.sort_by_key(|row| row[0].parse::<i64>().unwrap());
    rows
}

/// The columns of `bigquery-public-data.stackoverflow.posts_questions`, and how a row is made from its number.
const QUESTIONS: [(&str, &str, &str); 20] = [
    ("id", "INT64", "n"),
    ("title", "STRING", "CONCAT('How do I ', CAST(n AS STRING), ' ärgerlich & \"quoted\"?')"),
    ("body", "STRING", "REPEAT(CONCAT('<p>', CAST(n AS STRING), '</p>\\n'), MOD(n, 7))"),
    ("accepted_answer_id", "INT64", "IF(MOD(n, 3) = 0, n * 10, NULL)"),
    ("answer_count", "INT64", "MOD(n, 5)"),
    ("comment_count", "INT64", "MOD(n, 11)"),
    ("community_owned_date", "TIMESTAMP", "IF(MOD(n, 50) = 0, TIMESTAMP_SECONDS(1300000000 + n), NULL)"),
    ("creation_date", "TIMESTAMP", "TIMESTAMP_MICROS(1217540572667000 + n * 1000001)"),
    ("favorite_count", "INT64", "IF(MOD(n, 2) = 0, MOD(n, 13), NULL)"),
    ("last_activity_date", "TIMESTAMP", "TIMESTAMP_MICROS(1617540572667000 + n * 999999)"),
    ("last_edit_date", "TIMESTAMP", "IF(MOD(n, 4) = 0, TIMESTAMP_MICROS(1417540572667123 + n), NULL)"),
    ("last_editor_display_name", "STRING", "IF(MOD(n, 9) = 0, 'user', NULL)"),
    ("last_editor_user_id", "INT64", "IF(MOD(n, 4) = 0, n + 1, NULL)"),
    ("owner_display_name", "STRING", "IF(MOD(n, 8) = 0, '', NULL)"),
    ("owner_user_id", "INT64", "n + 7"),
    ("parent_id", "INT64", "NULL"),
    ("post_type_id", "INT64", "1"),
    ("score", "INT64", "MOD(n, 100) - 20"),
    ("tags", "STRING", "'rust|wasm|arrow'"),
    ("view_count", "INT64", "n * n"),
];

fn make_questions(data: &Data, rows: i64) {
    let columns: Vec<String> =
        QUESTIONS.iter().map(|(name, kind, value)| format!("CAST({value} AS {kind}) AS {name}")).collect();
    data.sql(&format!(
        "CREATE TABLE `{{d}}.posts_questions` AS SELECT {} FROM UNNEST(GENERATE_ARRAY(1, {rows})) AS n",
        columns.join(", ")
    ));
}

/// The values of every row as text, in the order of the id; times as microseconds.
fn questions(table: &str) -> Vec<Vec<String>> {
    let list: Vec<String> = QUESTIONS
        .iter()
        .map(|(name, kind, _)| match *kind {
            "TIMESTAMP" => format!("CAST(UNIX_MICROS({name}) AS STRING)"),
            _ => format!("CAST({name} AS STRING)"),
        })
        .collect();
    let rows = query(&format!("SELECT {} FROM `{table}` ORDER BY id", list.join(", ")));
    rows.into_iter()
        .map(|row| row.into_iter().map(|value| value.unwrap_or_else(|| "NULL".to_owned())).collect())
        .collect()
}

#[test]
fn a_public_table_is_copied_into_bigquery_and_parquet_row_for_row() {
    const ROWS: i64 = 2_000;
    let data = Data::new();
    make_questions(&data, ROWS);
    let expected = questions(&format!("{}.{}.posts_questions", data.project, data.dataset));
    assert_eq!(expected.len(), 2_000);
    let workspace = Workspace::new();
    let ran = good(run(&workspace, &data.local(&[], "  - {id: {d}.posts_questions, table: questions}\n")));
    assert_eq!(ran.summary()["streams"][0]["rows_committed"], ROWS);
    assert!(rows(&workspace, "questions", true) == expected, "every value is the source's");
    let names: Vec<String> = warehouse::batches(&table(&workspace, "questions"))[0]
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    assert_eq!(names, QUESTIONS.map(|(name, ..)| name));
    let target = sandbox::unique("copy");
    let workspace = Workspace::new();
    let streams = format!("streams:\n  - {{id: {}.posts_questions, table: questions}}\n", data.dataset);
    good(run(&workspace, &format!("name: copy\n{}{streams}{}", data.source(&[]), sink(&target))));
    let copied = questions(&format!("{}.{target}.questions", env("SLUICE_TEST_BIGQUERY_PROJECT")));
    assert!(copied == expected, "every row is in the other project, once");
}

/// Type, a value in SQL, and what arrives in Parquet.
const VALUES: &[(&str, &str, &str)] = &[
    ("INT64", "-9223372036854775808", "-9223372036854775808"),
    ("FLOAT64", "CAST('-0.1' AS FLOAT64)", "-0.1"),
    ("FLOAT64", "CAST('inf' AS FLOAT64)", "inf"),
    ("BOOL", "true", "true"),
    ("STRING", "'grüße 🚰'", "grüße 🚰"),
    ("STRING(5)", "''", ""),
    ("BYTES", "b'\\x00\\xff\\x10'", "00ff10"),
    ("NUMERIC", "NUMERIC '-99999999999999999999999999999.999999999'", "-99999999999999999999999999999.999999999"),
    ("NUMERIC(10,2)", "NUMERIC '12345678.91'", "12345678.91"),
    ("BIGNUMERIC", "BIGNUMERIC '12345678901234567890.123456789012345678'", "12345678901234567890.123456789012345678"),
    ("DATE", "DATE '0001-01-01'", "0001-01-01"),
    ("DATE", "DATE '9999-12-31'", "9999-12-31"),
    ("TIME", "TIME '23:59:59.999999'", "23:59:59.999999"),
    ("DATETIME", "DATETIME '1600-02-29 23:59:59.123456'", "1600-02-29T23:59:59.123456"),
    ("TIMESTAMP", "TIMESTAMP '2024-02-29 23:59:59.123456+05:30'", "2024-02-29T18:29:59.123456Z"),
    ("JSON", "JSON '{\"b\":[1,null]}'", "{\"b\":[1,null]}"),
    ("GEOGRAPHY", "ST_GEOGPOINT(1, 2)", "POINT(1 2)"),
    ("INTERVAL", "MAKE_INTERVAL(1, 2, 3, 4, 5, 6)", "1-2 3 4:5:6"),
    (
        "RANGE<DATE>",
        "RANGE(DATE '2024-01-01', DATE '2024-02-01')",
        "{__range_start: 2024-01-01, __range_end: 2024-02-01}",
    ),
    ("ARRAY<STRING>", "['a', '', 'c d']", "[a, , c d]"),
    ("ARRAY<INT64>", "[]", "[]"),
    ("ARRAY<TIMESTAMP>", "[TIMESTAMP '2024-01-01 00:00:00+00']", "[2024-01-01T00:00:00Z]"),
    (
        "STRUCT<x INT64, y STRUCT<z STRING, w ARRAY<DATE>>>",
        "STRUCT(1 AS x, STRUCT('z' AS z, [DATE '2024-01-01'] AS w) AS y)",
        "{x: 1, y: {z: z, w: [2024-01-01]}}",
    ),
    (
        "ARRAY<STRUCT<k STRING, v NUMERIC>>",
        "[STRUCT('a' AS k, NUMERIC '1.5' AS v), STRUCT('b' AS k, NULL AS v)]",
        "[{k: a, v: 1.500000000}, {k: b, v: NULL}]",
    ),
];

fn make_types(data: &Data) {
    let columns: Vec<String> = VALUES.iter().enumerate().map(|(i, (kind, ..))| format!("c{i} {kind}")).collect();
    let values: Vec<&str> = VALUES.iter().map(|(_, value, _)| *value).collect();
    data.sql(&format!("CREATE TABLE `{{d}}.t` (id INT64 NOT NULL, {})", columns.join(", ")));
    data.sql(&format!("INSERT INTO `{{d}}.t` VALUES (1, {})", values.join(", ")));
    data.sql("INSERT INTO `{d}.t` (id) VALUES (2)");
}

#[test]
fn every_type_arrives_as_the_source_has_it_and_null_as_null() {
    let data = Data::new();
    make_types(&data);
    let workspace = Workspace::new();
    good(run(&workspace, &data.local(&[], "  - {id: {d}.t, table: t}\n")));
    let rows = rows(&workspace, "t", false);
    assert_eq!(rows.len(), 2);
    for (index, (kind, value, expected)) in VALUES.iter().enumerate() {
        assert_eq!(rows[0][index + 1], *expected, "{kind} {value}");
        // An array is never NULL in BigQuery, only empty.
        let nothing = if kind.starts_with("ARRAY") { "[]" } else { "NULL" };
        assert_eq!(rows[1][index + 1], nothing, "{kind}");
    }
}

#[test]
fn every_type_of_a_bigquery_sink_is_copied_from_project_to_project() {
    let data = Data::new();
    make_types(&data);
    let target = sandbox::unique("types");
    let workspace = Workspace::new();
    // A range arrives as a record, whose fields this server takes for those of a range.
    let columns: Vec<(String, &str)> = VALUES
        .iter()
        .enumerate()
        .filter(|(_, (kind, ..))| !kind.starts_with("RANGE"))
        .map(|(index, (kind, ..))| (format!("c{index}"), *kind))
        .collect();
    let list: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let streams = format!("streams:\n  - {{id: {}.t, table: t, columns: [id, {}]}}\n", data.dataset, list.join(", "));
    good(run(&workspace, &format!("name: types\n{}{streams}{}", data.source(&[]), sink(&target))));
    let texts = |table: &str| {
        let value = |(name, kind): &(String, &str)| match *kind {
            // The scale is a matter of printing.
            kind if kind.starts_with("NUMERIC") => format!("TO_JSON_STRING(CAST({name} AS NUMERIC))"),
            // It becomes a text, which this server prints in another form than an interval.
            "INTERVAL" => format!("TO_JSON_STRING({name} IS NULL)"),
            _ => format!("TO_JSON_STRING({name})"),
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        query(&format!("SELECT {} FROM `{table}` ORDER BY id", values.join(", ")))
    };
    let copied = texts(&format!("{}.{target}.t", env("SLUICE_TEST_BIGQUERY_PROJECT")));
    let mut expected = texts(&format!("{}.{}.t", data.project, data.dataset));
    for (value, (_, kind)) in expected[1].iter_mut().zip(&columns) {
        if kind.starts_with("ARRAY") {
            *value = Some("[]".to_owned());
        }
    }
    assert_eq!(copied, expected);
    let interval = columns.iter().find(|(_, kind)| *kind == "INTERVAL").unwrap();
    let told = query(&format!("SELECT {} FROM `{target}.t` WHERE id = 1", interval.0));
    assert_eq!(told[0][0].as_deref(), Some("1-2 3 4:5:6"));
}

#[test]
fn only_the_chosen_columns_and_rows_are_asked_for() {
    let data = Data::new();
    make_questions(&data, 1_000);
    let workspace = Workspace::new();
    let streams = "  - {id: {d}.posts_questions, table: q, columns: [score, id], filter: \"id > 990 -- the newest\"}\n";
    let ran = good(run(&workspace, &data.local(&[], streams)));
    assert_eq!(ran.summary()["streams"][0]["rows_read"], 10, "the restriction is BigQuery's work");
    let batch = &warehouse::batches(&table(&workspace, "q"))[0];
    let names: Vec<&str> = batch.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["score", "id"], "in the order that was asked for");
    assert_eq!(warehouse::integers(&table(&workspace, "q"), "id"), (991..=1_000).collect::<Vec<_>>());
}

#[test]
fn views_and_queries_are_read_through_a_temporary_table() {
    let data = Data::new();
    make_questions(&data, 300);
    data.sql("CREATE VIEW `{d}.best` AS SELECT id, title, score FROM `{d}.posts_questions` WHERE score > 0");
    let expected = data.sql("SELECT COUNT(*), SUM(id) FROM `{d}.best` WHERE id > 100");
    let results = sandbox::unique("results");
    dataset_of(&env("SLUICE_TEST_BIGQUERY_PROJECT"), &results);
    let top = format!(
        "{{top: \"SELECT id, ARRAY_LENGTH(SPLIT(tags, '|')) AS tags FROM `{}.{}.posts_questions` WHERE id <= 5 -- five\"}}",
        data.project, data.dataset
    );
    for more in [vec![], vec![("results_dataset", results.as_str())]] {
        let workspace = Workspace::new();
        let more: Vec<_> = more.into_iter().chain([("queries", top.as_str())]).collect();
        let streams =
            "  - {id: {d}.best, table: best, columns: [id], filter: id > 100}\n  - {id: \"query:top\", table: top}\n";
        good(run(&workspace, &data.local(&more, streams)));
        let ids = warehouse::integers(&table(&workspace, "best"), "id");
        let got = [ids.len().to_string(), ids.iter().sum::<i64>().to_string()].map(Some).to_vec();
        assert_eq!(got, expected[0]);
        assert_eq!(
            rows(&workspace, "top", false),
            (1..=5).map(|id| vec![id.to_string(), "3".into()]).collect::<Vec<_>>()
        );
    }
    let left = query(&format!("SELECT COUNT(*) FROM {results}.INFORMATION_SCHEMA.TABLES"));
    assert_eq!(left[0][0].as_deref(), Some("2"), "the results were put where it was said, and expire by themselves");
}

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

#[test]
fn a_session_is_read_by_several_splits_and_a_kill_repeats_nothing() {
    let data = Data::new();
    data.sql("CREATE TABLE `{d}.n` AS SELECT n AS id FROM UNNEST(GENERATE_ARRAY(1, 350000)) AS n");
    let workspace = Workspace::new();
    let pipeline = data.local(&[], "  - {id: {d}.n, table: n}\n") + "limits: {split_bytes: 100000, parallel: 4}\n";
    workspace.pipeline(&pipeline);
    for point in ["stream.planned", "batch.read*2", "batch.written*3", "ledger.finalized*2", "commit.permitted"] {
        workspace.run_killed_at(point, &[]);
    }
    let ran = good(workspace.run(&[]));
    assert_eq!(ran.summary()["streams"][0]["rows_committed"], 350_000);
    assert!(warehouse::integers(&table(&workspace, "n"), "id") == (1..=350_000).collect::<Vec<_>>());
    let workspace = Workspace::new();
    workspace.pipeline(&pipeline);
    workspace.run_killed_at("commit.recorded", &[]);
    good(workspace.run(&[]));
    let ids = warehouse::integers(&table(&workspace, "n"), "id");
    // Read in full, so the second run adds a second copy to the one that was settled.
    assert_eq!(ids.len(), 700_000);
}

/// A table of three batches: what the server sends of a million rows at once.
fn make_long(data: &Data) {
    data.sql("CREATE TABLE `{d}.long` AS SELECT n AS id FROM UNNEST(GENERATE_ARRAY(1, 2500000)) AS n");
}

#[test]
fn a_stream_that_is_cut_goes_on_behind_the_last_row() {
    let data = Data::new();
    make_long(&data);
    let proxy = Proxy::before(&env("SLUICE_TEST_BIGQUERY_GRPC"));
    let workspace = Workspace::new();
    // Eight megabytes are a batch; this is in the middle of the second.
    proxy.cut_after(12_000_000);
    let ran =
        good(run(&workspace, &data.local(&[("storage_endpoint", proxy.url())], "  - {id: {d}.long, table: t}\n")));
    assert_eq!(ran.summary()["streams"][0]["rows_read"], 2_500_000);
    assert!(warehouse::integers(&table(&workspace, "t"), "id") == (1..=2_500_000).collect::<Vec<_>>());
    assert_eq!(proxy.connections(), 2);
    // The first batch came over once only: 12 MB until the cut, then the second batch and the half of a third.
    assert!(proxy.sent() < 12_000_000 + 13_000_000, "{} bytes", proxy.sent());
}

#[test]
fn a_server_that_is_away_for_a_moment_is_asked_again() {
    let data = Data::new();
    make_questions(&data, 10);
    let (rest, grpc) =
        (Proxy::before(&env("SLUICE_TEST_BIGQUERY_REST")), Proxy::before(&env("SLUICE_TEST_BIGQUERY_GRPC")));
    rest.refuse(2);
    grpc.refuse(2);
    let workspace = Workspace::new();
    let more = [("endpoint", rest.url()), ("storage_endpoint", grpc.url())];
    let ran = good(run(&workspace, &data.local(&more, "  - {id: {d}.posts_questions, table: t}\n")));
    assert_eq!(ran.summary()["streams"][0]["rows_read"], 10);
    assert!(rest.connections() > 2 && grpc.connections() > 2);
}

#[test]
fn an_interrupt_keeps_whole_batches_and_the_next_run_goes_on_at_that_row() {
    let data = Data::new();
    make_long(&data);
    let proxy = Proxy::before(&env("SLUICE_TEST_BIGQUERY_GRPC"));
    let workspace = Workspace::new();
    workspace.pipeline(&data.local(&[("storage_endpoint", proxy.url())], "  - {id: {d}.long, table: t}\n"));
    proxy.hold_after(12_000_000);
    let child = workspace.command(&["run", "pipeline.yaml"]).spawn().unwrap();
    proxy.wait_until_held();
    // The first batch must have been handed over before the run is asked to stop.
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    std::thread::sleep(std::time::Duration::from_millis(500));
    proxy.release();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    let kept = warehouse::integers(&table(&workspace, "t"), "id");
    assert!(kept == (1..=2_000_000).collect::<Vec<_>>(), "{} rows were kept", kept.len());
    let ran = good(workspace.run(&[]));
    assert_eq!(ran.summary()["streams"][0]["rows_read"], 500_000, "only the rest was read");
    assert!(warehouse::integers(&table(&workspace, "t"), "id") == (1..=2_500_000).collect::<Vec<_>>());
}

#[test]
fn rows_that_a_policy_hides_are_not_read() {
    let data = Data::new();
    make_questions(&data, 20);
    data.sql(
        "CREATE ROW ACCESS POLICY mine ON `{d}.posts_questions` GRANT TO ('allAuthenticatedUsers') FILTER USING (id <= 5)",
    );
    let workspace = Workspace::new();
    let streams = "  - {id: {d}.posts_questions, table: t, columns: [id]}\n";
    good(run(&workspace, &data.local(&[], streams)));
    assert_eq!(warehouse::integers(&table(&workspace, "t"), "id"), (1..=5).collect::<Vec<_>>());
    data.sql("CREATE OR REPLACE ROW ACCESS POLICY mine ON `{d}.posts_questions` GRANT TO ('user:boss@example.com') FILTER USING (TRUE)");
    let workspace = Workspace::new();
    let ran = good(run(&workspace, &data.local(&[], streams)));
    assert_eq!(ran.summary()["streams"][0]["rows_read"], 0, "access was revoked");
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let data = Data::new();
    make_questions(&data, 3);
    data.sql("CREATE TABLE `{d}.docs` (doc JSON)");
    let fails = |more: &[(&str, &str)], streams: &str| {
        let ran = run(&Workspace::new(), &data.local(more, streams));
        assert_ne!(ran.code(), Some(0), "{ran:?}");
        let error = ran.summary()["error"].clone();
        (error["kind"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
    };
    let table = "  - {id: {d}.posts_questions, table: t}\n";
    let cases: &[(&[(&str, &str)], &str, &str, &str)] = &[
        (&[], "  - {id: {d}.nope}\n", "not-found", "nope"),
        (&[], "  - {id: nowhere.t}\n", "not-found", "nowhere"),
        (&[("data_project", "other-company")], table, "not-found", "other-company"),
        (&[], "  - {id: orders}\n", "not-found", "ids look like dataset.table"),
        (&[], "  - {id: {d}.posts_questions, columns: [id, colour]}\n", "not-found", "column colour does not exist"),
        (&[], "  - {id: {d}.posts_questions, filter: colour = 1}\n", "config", "colour"),
        (&[], "  - {id: {d}.docs, read: {incremental: doc}}\n", "unsupported", "JSON has no order"),
        (&[], "  - {id: {d}.docs, read: {incremental: at}}\n", "not-found", "cursor column at does not exist"),
        (&[], "  - {id: \"query:nope\"}\n", "not-found", "no query nope"),
        (&[("queries", "{a: SELECT oops}")], "  - {id: \"query:a\"}\n", "config", "oops"),
        // The server refuses tables of projects that it does not know as Google refuses those that one may not see.
        (
            &[("queries", "{a: \"SELECT * FROM `secret-project.d.t`\"}")],
            "  - {id: \"query:a\"}\n",
            "permission",
            "roles/bigquery.dataViewer",
        ),
        (&[("project", "Not A Project")], table, "config", "no id of a project"),
        (&[("storage_endpoint", "http://127.0.0.1:1")], table, "transient", "nobody answers"),
    ];
    for (more, streams, kind, words) in cases {
        let (told, message) = fails(more, streams);
        assert!(told == *kind && message.contains(words), "{streams}: {told}: {message}");
    }
}

#[test]
fn a_private_endpoint_needs_the_operators_grant() {
    let data = Data::new();
    let workspace = Workspace::new();
    let pipeline = data.local(&[], "  - {id: {d}.t}\n").replace("  grants: {private_network: true}\n", "");
    let ran = run(&workspace, &pipeline);
    assert_ne!(ran.code(), Some(0));
    assert_eq!(ran.summary()["error"]["kind"], "permission", "{ran:?}");
}

#[test]
fn check_and_discover_tell_what_there_is() {
    let data = Data::new();
    make_questions(&data, 42);
    data.sql("CREATE VIEW `{d}.v` AS SELECT id FROM `{d}.posts_questions`");
    data.sql("CREATE TABLE `{d}.orders` (id INT64 NOT NULL, day DATE, updated_at TIMESTAMP, PRIMARY KEY (id) NOT ENFORCED) PARTITION BY day");
    let workspace = Workspace::new();
    let datasets = format!("[{}]", data.dataset);
    let more = [("datasets", datasets.as_str()), ("queries", "{one: SELECT 1 AS x}")];
    workspace.pipeline(&data.local(&more, "  - {id: {d}.v}\n"));
    let checked = finish(&mut workspace.command(&["check", "pipeline.yaml"]));
    let steps: Vec<_> = checked.lines.iter().filter(|line| line["event"] == "step").collect();
    assert_eq!(steps.len(), 5, "{checked:?}");
    assert!(steps.iter().all(|step| step["outcome"] == "passed"), "{checked:?}");
    let found = finish(&mut workspace.command(&["discover", "pipeline.yaml", "--columns"]));
    let streams: Vec<_> = found.lines.iter().filter(|line| line["event"] == "stream").collect();
    let ids: Vec<String> = streams.iter().map(|stream| stream["id"].as_str().unwrap().to_owned()).collect();
    let d = &data.dataset;
    let mut expected =
        vec![format!("{d}.orders"), format!("{d}.posts_questions"), format!("{d}.v"), "query:one".into()];
    expected.sort();
    assert_eq!(ids, expected);
    let stream = |id: &str| streams.iter().find(|stream| stream["id"].as_str().unwrap().ends_with(id)).unwrap();
    assert_eq!(stream("posts_questions")["rows"], 42);
    assert_eq!(stream("posts_questions")["cursor_candidates"][0], "community_owned_date");
    assert_eq!(stream("orders")["kind"], "partitioned-table");
    assert_eq!(stream("orders")["cursor_candidates"][0], "day");
    assert_eq!((&stream(".v")["kind"], &stream("query:one")["kind"]), (&"view".into(), &"query".into()));
    let columns = stream("posts_questions")["columns"].as_array().unwrap();
    assert_eq!(columns.len(), QUESTIONS.len());
    assert_eq!((&columns[7]["name"], &columns[7]["source_type"]), (&"creation_date".into(), &"TIMESTAMP".into()));
    let wrong = workspace
        .pipeline(&data.local(&[("data_project", "other-company"), ("datasets", "[gone]")], "  - {id: a.b}\n"));
    let checked = finish(&mut workspace.command(&["check", &wrong.to_string_lossy()]));
    let list = checked.lines.iter().find(|line| line["name"] == "list").unwrap();
    assert_eq!((&list["outcome"], checked.code() == Some(0)), (&"failed".into(), false), "{checked:?}");
    assert!(list["detail"].as_str().unwrap().contains("gone"), "{list}");
}
