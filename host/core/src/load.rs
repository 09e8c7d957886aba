//! What a load is: rows of one stream of one run on their way into one table.

use std::fmt;

use arrow_schema::SchemaRef;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Names a load for ever: one stream of one run. Lower-case letters, digits and `-`, at most 60 characters, so that
/// it can be part of a file name, a BigQuery job id or a table name (with `-` as `_`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LoadId(String);

impl LoadId {
    /// The load of the `index`-th stream of a run.
    pub fn new(run_id: &str, index: usize) -> Self {
        let run: String = run_id
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .take(50)
            .collect();
        Self(format!("{run}-{index}"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LoadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for LoadId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

/// How rows get into the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "strategy")]
pub enum LoadStrategy {
    /// Rows are added; what is there stays.
    Transactional,
    /// Rows are the whole content of the partition of this date; what it held is replaced at once.
    Catalog {
        /// The day that the snapshot stands for.
        snapshot_date: Date,
    },
    /// Rows are added, and in the same moment those go that the table has of files which the load replaces. Rows say in
    /// [`FILE_COLUMN`] which file they are of.
    Files,
}

/// The column that says which file a row is of, in tables whose files are replaced. A connector adds it to the stream.
pub const FILE_COLUMN: &str = "_sluice_file";

/// The column that a catalog load adds: the day of the snapshot, the table's partitioning column.
pub const SNAPSHOT_DATE_COLUMN: &str = "snapshot_date";

/// A table in a sink: a BigQuery dataset and table, or two folders of a local warehouse.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TableName {
    /// BigQuery dataset, or the first folder.
    pub dataset: String,
    /// Table within it. Already made safe by the naming rules.
    pub table: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.dataset, self.table)
    }
}

/// The unit of a time partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartitionUnit {
    /// By hour; needs a timestamp or datetime column.
    Hour,
    /// By day.
    Day,
    /// By month.
    Month,
    /// By year.
    Year,
}

/// How a transactional table is partitioned. A catalog table is always partitioned by day of
/// [`SNAPSHOT_DATE_COLUMN`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partitioning {
    /// The column, by its name in the sink.
    pub column: String,
    /// The unit.
    #[serde(default = "by_day")]
    pub unit: PartitionUnit,
}

fn by_day() -> PartitionUnit {
    PartitionUnit::Day
}

/// What may happen to a table when the stream's schema has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evolution {
    /// New nullable columns are added, required columns relaxed, types widened (INT64 → NUMERIC → BIGNUMERIC, INT64 →
    /// FLOAT64), and a column that the stream has no more stays, NULL in new rows; anything else fails the run before a row
    /// is sent.
    #[default]
    Evolve,
    /// Any difference fails the run before a row is sent.
    Freeze,
}

/// The table that a load writes to.
#[derive(Clone, Debug, PartialEq)]
pub struct TableSpec {
    /// Where.
    pub name: TableName,
    /// Columns after the transform, with names that are already safe. Field metadata [`SOURCE_NAME_KEY`] keeps the
    /// name that a column has at its source, where it differs. Does not hold [`SNAPSHOT_DATE_COLUMN`], which a catalog
    /// load adds itself.
    pub schema: SchemaRef,
    /// How rows get in.
    pub strategy: LoadStrategy,
    /// Partitioning of a new transactional table.
    pub partitioning: Option<Partitioning>,
    /// Clustering columns of a new table, at most four.
    pub clustering: Vec<String>,
    /// What may change.
    pub evolution: Evolution,
}

/// Arrow field metadata: the column's name at the source.
pub const SOURCE_NAME_KEY: &str = "sluice:source-name";

/// Arrow field metadata: the type's name at the source (`jsonb`, `timestamptz`, …). A connector sets it.
pub const SOURCE_TYPE_KEY: &str = "sluice:source-type";

/// Arrow field metadata: what a text column means to a sink that has a type for it. Values: `json`, `geography`.
/// A connector or a cast sets it; a sink without such a type stores text.
pub const LOGICAL_TYPE_KEY: &str = "sluice:logical-type";

/// Something a sink wrote to and has not committed: a BigQuery write stream, a load job's staging table, a staged
/// file. Recorded before the first row goes in, so that no process forgets what it has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// The load it belongs to.
    pub load: LoadId,
    /// The split whose rows it holds.
    pub split: String,
    /// The sink's name for it: a write stream's resource name, a table id, a path relative to the warehouse.
    pub name: String,
    /// Rows that the sink has acknowledged so far: the next offset.
    pub rows: u64,
    /// Bytes sent so far, as the sink counts them.
    pub bytes: u64,
    /// True once the sink has closed it and confirmed `rows`.
    pub finalized: bool,
}

/// What a sink says when all rows of a split are stored and its artifact is closed: not visible yet, but durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitReceipt {
    /// The split.
    pub split: String,
    /// Where its rows are; all of them finalized. Empty for a split without rows.
    pub artifacts: Vec<Artifact>,
    /// Rows that were handed to the writer.
    pub rows_sent: u64,
    /// Rows that the sink confirmed when it closed the artifacts.
    pub rows_finalized: u64,
    /// Bytes that went to the sink.
    pub bytes: u64,
}

/// What a sink returns once rows are visible and durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitReceipt {
    /// The load.
    pub load: LoadId,
    /// Rows that became visible by this commit.
    pub rows_committed: u64,
    /// The sink's own words for the commit: a commit time, a job id, a folder.
    pub reference: String,
}
