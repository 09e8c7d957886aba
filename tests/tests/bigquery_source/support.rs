//! Data to read, runs that read it, and what they left.

use arrow_cast::display::{ArrayFormatter, FormatOptions};
use sluice_tests::bigquery::{dataset_of, query, source};
use sluice_tests::binary::{Ran, Workspace};
use sluice_tests::{sandbox, warehouse};

/// A project that is not the billed one, and a dataset in it that no other test has.
pub(crate) struct Data {
    pub(crate) project: String,
    pub(crate) dataset: String,
}

impl Data {
    pub(crate) fn new() -> Self {
        let (project, dataset) = ("public-data".to_owned(), sandbox::unique("src"));
        dataset_of(&project, &dataset);
        Self { project, dataset }
    }

    /// Runs SQL in which `{d}` stands for the dataset.
    pub(crate) fn sql(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        query(&sql.replace("{d}", &format!("{}.{}", self.project, self.dataset)))
    }

    pub(crate) fn source(&self, more: &[(&str, &str)]) -> String {
        source(&self.project, more)
    }

    /// A pipeline into a local warehouse.
    pub(crate) fn local(&self, more: &[(&str, &str)], streams: &str) -> String {
        let streams = streams.replace("{d}", &self.dataset);
        format!("name: bq\n{}streams:\n{streams}sink: {{type: local, path: warehouse}}\n", self.source(more))
    }
}

pub(crate) fn run(workspace: &Workspace, pipeline: &str) -> Ran {
    workspace.pipeline(pipeline);
    workspace.run(&[])
}

pub(crate) fn good(ran: Ran) -> Ran {
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    ran
}

pub(crate) fn table(workspace: &Workspace, name: &str) -> std::path::PathBuf {
    workspace.path().join("warehouse/main").join(name)
}

/// Every value as text, row by row, in the order of the first column, an integer. Times are numbers, so that their spelling
/// does not matter.
pub(crate) fn rows(workspace: &Workspace, name: &str, raw_times: bool) -> Vec<Vec<String>> {
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
pub(crate) const QUESTIONS: [(&str, &str, &str); 20] = [
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

pub(crate) fn make_questions(data: &Data, rows: i64) {
    let columns: Vec<String> =
        QUESTIONS.iter().map(|(name, kind, value)| format!("CAST({value} AS {kind}) AS {name}")).collect();
    data.sql(&format!(
        "CREATE TABLE `{{d}}.posts_questions` AS SELECT {} FROM UNNEST(GENERATE_ARRAY(1, {rows})) AS n",
        columns.join(", ")
    ));
}

/// The values of every row as text, in the order of the id; times as microseconds.
pub(crate) fn questions(table: &str) -> Vec<Vec<String>> {
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
