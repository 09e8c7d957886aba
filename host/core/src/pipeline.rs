//! A pipeline as a person writes it: the YAML that `sluice run` takes.

mod definition;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Actor, Kind, RunError};
use crate::limits::RunLimits;
use crate::load::{Evolution, FILE_COLUMN, Partitioning, SNAPSHOT_DATE_COLUMN};
use crate::manifest::Manifest;
use crate::naming;
use crate::notify::NotifyRule;
use crate::plan::{ChangedFiles, Cursor, ReadMode, Selection};
use crate::quality::{self, Check};
use crate::retry::RetryPolicy;
use crate::schedule::{Schedule, Timetable};

pub use definition::Definition;

/// A connection, the streams chosen from it, how they are mapped and where they go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// Names the pipeline; its state is kept under this name.
    pub name: String,
    /// Where rows come from.
    pub source: SourceSpec,
    /// What is read.
    pub streams: Vec<StreamSpec>,
    /// Where rows go.
    pub sink: SinkSpec,
    /// Bounds of a run.
    #[serde(default)]
    pub limits: RunLimits,
    /// When the service runs it; without, only when somebody asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// How often the service tries a run that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// Whom the service tells of what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<NotifyRule>,
    /// Where runs are carried out.
    #[serde(default, skip_serializing_if = "ExecutionMode::is_default")]
    pub run: ExecutionMode,
}

/// Where runs are carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutionMode {
    /// By the host itself.
    #[default]
    Local,
    /// As a job of Cloud Run.
    CloudRun,
    /// Spread over the workers of a Dataflow job.
    Dataflow,
    /// Where the plan's estimates say that it belongs.
    Auto,
}

impl ExecutionMode {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    fn validate(self) -> Result<(), RunError> {
        let name = match self {
            Self::Local => return Ok(()),
            Self::CloudRun => "cloud-run",
            Self::Dataflow => "dataflow",
            Self::Auto => "auto",
        };
        let message = format!("`run: {name}` is not offered by this version; use `run: local`, or leave it out");
        Err(RunError::new(Kind::Unsupported, Actor::User, message).with_field("run"))
    }
}

/// A connection: a connector and its configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// A connector's name, looked up in the connectors folder, or the path of a `.wasm` file.
    pub connector: String,
    /// The connector's configuration. A value `{env: NAME}` or `{file: PATH}` stands for a secret kept outside.
    #[serde(default)]
    pub config: serde_json::Value,
    /// What the operator grants beyond the defaults.
    #[serde(default)]
    pub grants: Grants,
    /// SHA-256 of the component, hexadecimal, where no other may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// What an operator allows a connection beyond the sandbox's defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grants {
    /// Lets the connection's own configured hosts be loopback, private or link-local addresses.
    #[serde(default)]
    pub private_network: bool,
    /// Folders that the connector may read, by the name under which it sees them (`/data`).
    #[serde(default)]
    pub folders: BTreeMap<String, PathBuf>,
    /// Lets the connection authenticate as the host itself does to Google: its application default credentials, among
    /// them the metadata server of the machine.
    #[serde(default)]
    pub google_identity: bool,
    /// Where service accounts' keys are exchanged for tokens instead of Google's own endpoint; may be in a private
    /// network. What a key file says of it is never followed.
    #[serde(default)]
    pub google_token_endpoint: Option<String>,
}

/// A stream of the pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamSpec {
    /// The stream's id, as `discover` lists it.
    pub id: String,
    /// The table's name in the sink; by default the id made safe.
    #[serde(default)]
    pub table: Option<String>,
    /// What is read each time.
    #[serde(default)]
    pub read: ReadSpec,
    /// What an incremental read does with a file that was read before and has changed; for connectors that read files.
    #[serde(default)]
    pub changed_files: Option<ChangedFiles>,
    /// How rows get into the table.
    #[serde(default)]
    pub load: LoadSpec,
    /// Columns to read, in this order; empty means all.
    #[serde(default)]
    pub columns: Vec<String>,
    /// A row restriction in the source's own language, if the connector takes one.
    #[serde(default)]
    pub filter: Option<String>,
    /// New names, by the name at the source.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// Casts, by the name at the source.
    #[serde(default)]
    pub cast: BTreeMap<String, CastSpec>,
    /// What happens to a value that does not fit its type in the sink, where no cast says otherwise.
    #[serde(default)]
    pub on_misfit: Misfit,
    /// Partitioning of the table when it is created (transactional loads).
    #[serde(default)]
    pub partition: Option<Partitioning>,
    /// Clustering columns of the table when it is created.
    #[serde(default)]
    pub cluster: Vec<String>,
    /// What may happen to the table when the stream's schema changes.
    #[serde(default)]
    pub evolution: Evolution,
    /// What must hold of the rows before they are committed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
}

/// What is read of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ReadSpec {
    /// Every row, every time.
    #[default]
    Full,
    /// What is beyond the committed state; the text names the cursor column, or is empty where the source needs none.
    Incremental(String),
}

/// How rows get into the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadSpec {
    /// Added to what is there.
    #[default]
    Transactional,
    /// The content of the partition of the run's snapshot date, replaced as a whole.
    Catalog,
}

/// A cast of one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CastSpec {
    /// The type, in BigQuery's words: `STRING`, `INT64`, `FLOAT64`, `BOOL`, `NUMERIC`, `NUMERIC(p,s)`, `BIGNUMERIC`, `DATE`,
    /// `DATETIME`, `TIMESTAMP`, `TIME`, `BYTES`, `JSON`.
    pub to: String,
    /// What happens to a value that does not fit; by default what the stream says.
    #[serde(default)]
    pub on_misfit: Option<Misfit>,
}

/// What happens to a value that does not fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Misfit {
    /// The run fails before anything is committed; the error names column, row and reason, never the value.
    #[default]
    Fail,
    /// The value becomes NULL and is counted. Not spelled `null`, which YAML reads as nothing at all.
    #[serde(rename = "set-null")]
    Null,
    /// The whole row goes to the quarantine table beside the table, and is counted.
    Quarantine,
}

/// Where rows go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SinkSpec {
    /// A warehouse of Parquet files in a folder.
    Local {
        /// The warehouse's folder.
        path: PathBuf,
        /// First folder below it.
        #[serde(default = "default_dataset")]
        dataset: String,
    },
    /// BigQuery.
    Bigquery {
        /// The project that holds the tables and is billed.
        project: String,
        /// The dataset; created if it does not exist.
        dataset: String,
        /// Location of a dataset that is created.
        #[serde(default = "default_location")]
        location: String,
        /// REST endpoint, for emulators and private access.
        #[serde(default)]
        rest_endpoint: Option<String>,
        /// gRPC endpoint of the Storage API, for emulators and private access.
        #[serde(default)]
        grpc_endpoint: Option<String>,
        /// True to send no credentials (emulators); otherwise application default credentials are used.
        #[serde(default)]
        anonymous: bool,
        /// Largest append request in bytes; BigQuery takes 20 MB, some emulators 4 MiB.
        #[serde(default = "default_request_bytes")]
        request_bytes: usize,
    },
    /// Counts rows and drops them; for measuring a source.
    Null,
}

fn default_dataset() -> String {
    "main".into()
}

fn default_location() -> String {
    "US".into()
}

fn default_request_bytes() -> usize {
    // The limit is 20 MB (facts of the Storage Write API); older texts say 10, so stay below both.
    9_000_000
}

impl Pipeline {
    /// Checks what can be checked without asking anybody.
    ///
    /// # Errors
    /// Names the first field that is wrong.
    pub fn validate(&self) -> Result<(), RunError> {
        let safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
        if self.name.is_empty() || self.name.len() > 100 || !self.name.chars().all(safe) {
            let message = "a pipeline's name has 1 to 100 letters, digits, '-', '_' or '.'";
            return Err(RunError::config("name", message));
        }
        if self.streams.is_empty() {
            return Err(RunError::config("streams", "no stream is chosen; `sluice discover` lists what there is"));
        }
        for (index, stream) in self.streams.iter().enumerate() {
            stream.validate().map_err(|e| {
                let field = format!("streams[{index}].{}", e.field.clone().unwrap_or_default());
                e.with_field(field).with_stream(&stream.id)
            })?;
            if self.streams.iter().take(index).any(|other| other.id == stream.id) {
                let message = format!(
                    "stream {} is listed twice, but a pipeline keeps one state for each stream; use a second pipeline",
                    stream.id
                );
                return Err(RunError::config(format!("streams[{index}]"), message));
            }
        }
        self.tables_differ()?;
        self.limits.validate()?;
        self.schedule.as_ref().map(Timetable::new).transpose()?;
        self.retry.as_ref().map(RetryPolicy::validate).transpose()?;
        if self.notify.len() > MOST_RULES {
            return Err(RunError::config("notify", format!("a pipeline has at most {MOST_RULES} rules")));
        }
        for (index, rule) in self.notify.iter().enumerate() {
            rule.validate().map_err(|e| {
                let field = format!("notify[{index}].{}", e.field.clone().unwrap_or_default());
                e.with_field(field)
            })?;
        }
        self.run.validate()
    }

    /// Checks that the connector can do what the streams ask of it.
    ///
    /// # Errors
    /// Names the first field that asks for what it cannot do.
    pub fn suits(&self, connector: &Manifest) -> Result<(), RunError> {
        for (index, stream) in self.streams.iter().enumerate() {
            if stream.changed_files.is_some() && !connector.capabilities.changed_files {
                let message = format!("the connector {} does not read files; remove `changed_files`", connector.name);
                let field = format!("streams[{index}].changed_files");
                return Err(RunError::config(field, message).with_stream(&stream.id));
            }
        }
        Ok(())
    }

    /// Two streams must not share a table, nor one's table be another's quarantine: names are equal ignoring case in a sink.
    fn tables_differ(&self) -> Result<(), RunError> {
        let mut taken = BTreeMap::new();
        for (index, stream) in self.streams.iter().enumerate() {
            let table = stream.table_name().to_lowercase();
            for name in [format!("{table}{QUARANTINE_SUFFIX}"), table] {
                if let Some(other) = taken.insert(name.clone(), &stream.id) {
                    let message =
                        format!("streams {other} and {} would share the table {name}; set `table`", stream.id);
                    return Err(RunError::config(format!("streams[{index}].table"), message));
                }
            }
        }
        Ok(())
    }
}

/// Most rules that say whom to tell.
const MOST_RULES: usize = 20;

/// What a quarantine table's name has behind the name of its table.
pub const QUARANTINE_SUFFIX: &str = "__quarantine";

impl StreamSpec {
    /// What is asked of the connector, given where the last committed run ended.
    pub fn selection(&self, state: Option<Cursor>) -> Selection {
        Selection {
            id: self.id.clone(),
            columns: self.columns.clone(),
            mode: match &self.read {
                ReadSpec::Full => ReadMode::Full,
                ReadSpec::Incremental(column) => ReadMode::Incremental(column.clone()),
            },
            filter: self.filter.clone(),
            changed_files: self.changed_files,
            state,
        }
    }

    /// Whether rows of changed files take the place of those that the table has of them.
    pub fn replaces_files(&self) -> bool {
        self.changed_files == Some(ChangedFiles::Replace)
    }

    /// Names that no column of the source may have in the table, because the load adds columns of these names.
    pub fn reserved_columns(&self) -> &'static [&'static str] {
        match self.load {
            LoadSpec::Catalog => &[SNAPSHOT_DATE_COLUMN],
            LoadSpec::Transactional => &[],
        }
    }

    /// The table that the stream goes to: the one that was set, or the stream's id made safe.
    pub fn table_name(&self) -> String {
        self.table.clone().unwrap_or_else(|| naming::table_name(&self.id))
    }

    fn validate(&self) -> Result<(), RunError> {
        if self.id.is_empty() {
            return Err(RunError::config("id", "a stream needs an id; `sluice discover` lists them"));
        }
        if let Some(Err(why)) = self.table.as_deref().map(naming::check_name) {
            return Err(RunError::config("table", format!("the name {why}")));
        }
        if self.cluster.len() > 4 {
            return Err(RunError::config("cluster", "BigQuery clusters by at most four columns"));
        }
        if self.load == LoadSpec::Catalog && self.partition.is_some() {
            let message = "a catalog table is partitioned by snapshot_date; remove `partition` or load transactionally";
            return Err(RunError::config("partition", message));
        }
        if self.load == LoadSpec::Catalog && self.read != ReadSpec::Full {
            let message = "a catalog load holds a whole snapshot, so it needs `read: full`";
            return Err(RunError::config("read", message));
        }
        if self.changed_files.is_some() && self.read == ReadSpec::Full {
            let message =
                "a full read reads every file every time; use `read: {incremental: \"\"}`, or remove `changed_files`";
            return Err(RunError::config("changed_files", message));
        }
        if self.replaces_files() {
            let touched =
                [("rename", self.rename.contains_key(FILE_COLUMN)), ("cast", self.cast.contains_key(FILE_COLUMN))];
            if let Some((field, _)) = touched.iter().find(|(_, touched)| *touched) {
                let message = format!("the column {FILE_COLUMN} tells which rows are replaced; leave it as it is");
                return Err(RunError::config(format!("{field}.{FILE_COLUMN}"), message));
            }
        }
        quality::validate(&self.checks)
    }
}
