//! A BigQuery of one's own for each test: a dataset that no other test uses, on the server of the environment.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use serde_json::{Value, json};
use sluice_core::RunError;
use sluice_core::commit::{CommitPermit, Evidence, ExpectedSplit, permit};
use sluice_core::load::{Artifact, Evolution, LoadId, LoadStrategy, SplitReceipt, TableName, TableSpec};
use sluice_sinks::bigquery::{BigQueryConfig, BigQuerySink};
use sluice_sinks::{Ledger, Load, Sink};

/// A setting that `cargo xtask test` makes.
pub fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run these tests with `cargo xtask test`, or start the servers with `cargo xtask services up`")
    })
}

/// A dataset on the test server, and a sink that writes to it.
pub struct World {
    pub sink: BigQuerySink,
    pub dataset: String,
    pub ledger: Arc<Book>,
    config: BigQueryConfig,
    runs: std::sync::atomic::AtomicUsize,
}

/// A ledger in memory that keeps every entry.
#[derive(Default)]
pub struct Book {
    pub opened: Mutex<Vec<Artifact>>,
    pub finalized: Mutex<Vec<Artifact>>,
}

#[async_trait]
impl Ledger for Book {
    async fn opened(&self, artifact: &Artifact) -> Result<(), RunError> {
        self.opened.lock().unwrap().push(artifact.clone());
        Ok(())
    }

    async fn progressed(&self, _: &Artifact) -> Result<(), RunError> {
        Ok(())
    }

    async fn finalized(&self, artifact: &Artifact) -> Result<(), RunError> {
        self.finalized.lock().unwrap().push(artifact.clone());
        Ok(())
    }
}

/// The test server's settings.
pub fn config() -> BigQueryConfig {
    let mut config = BigQueryConfig::new(
        setting("SLUICE_TEST_BIGQUERY_PROJECT"),
        || jiff::Timestamp::now().as_microsecond(),
        || uuid::Uuid::now_v7().simple().to_string(),
    );
    config.rest_endpoint = Some(setting("SLUICE_TEST_BIGQUERY_REST"));
    config.grpc_endpoint = Some(setting("SLUICE_TEST_BIGQUERY_GRPC"));
    config.anonymous = true;
    // The server takes messages of 4 MiB.
    config.request_bytes = 1_000_000;
    config.answer_timeout = Duration::from_secs(20);
    config.schema_timeout = Duration::from_secs(5);
    config
}

impl World {
    pub async fn new(test: &str) -> Self {
        Self::with(test, config()).await
    }

    pub async fn with(test: &str, config: BigQueryConfig) -> Self {
        let dataset = format!("{test}_{}", uuid::Uuid::now_v7().simple());
        let sink = BigQuerySink::connect(config.clone()).await.unwrap();
        Self { sink, dataset, ledger: Arc::default(), config, runs: Default::default() }
    }

    pub fn table(&self, table: &str) -> TableName {
        TableName { dataset: self.dataset.clone(), table: table.into() }
    }

    /// A transactional table `t`, its schema as the sink wants it.
    pub fn spec(&self, schema: &SchemaRef) -> TableSpec {
        TableSpec {
            name: self.table("t"),
            schema: self.sink.native_schema(schema).unwrap(),
            strategy: LoadStrategy::Transactional,
            partitioning: None,
            clustering: Vec::new(),
            evolution: Evolution::Evolve,
        }
    }

    /// A load under a name of its own.
    pub fn load(&self, spec: &TableSpec) -> Load {
        let run = self.runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let id = LoadId::new(&format!("{}-{run}", &self.dataset[self.dataset.len() - 32..]), 0);
        Load { id, spec: spec.clone(), ledger: self.ledger.clone() }
    }

    /// Writes one split, in the sink's types.
    pub async fn write(&self, load: &Load, split: &str, batches: &[RecordBatch]) -> Result<SplitReceipt, RunError> {
        let mut writer = self.sink.open(load, split).await?;
        for batch in batches {
            writer.write(self.native(load, batch)).await?;
        }
        writer.finish().await
    }

    /// Casts as the transform does.
    pub fn native(&self, load: &Load, batch: &RecordBatch) -> RecordBatch {
        let columns = batch.columns().iter().zip(load.spec.schema.fields());
        let columns = columns.map(|(column, field)| arrow_cast::cast(column, field.data_type()).unwrap()).collect();
        RecordBatch::try_new(load.spec.schema.clone(), columns).unwrap()
    }

    /// Prepares, writes every split and commits. Returns the rows committed.
    pub async fn run(&self, spec: &TableSpec, splits: &[(&str, &[RecordBatch])]) -> u64 {
        self.sink.prepare(spec).await.unwrap();
        let load = self.load(spec);
        let mut receipts = Vec::new();
        for (split, batches) in splits {
            receipts.push(self.write(&load, split, batches).await.unwrap());
        }
        let permit = permit_for(&load, receipts);
        self.sink.commit(&permit).await.unwrap().rows_committed
    }

    /// The rows of a query, each value as the REST API spells it.
    pub async fn query(&self, sql: &str) -> Vec<Vec<Value>> {
        let sql = sql.replace("{t}", &format!("`{}`.`t`", self.dataset));
        let url =
            format!("{}/bigquery/v2/projects/{}/queries", setting("SLUICE_TEST_BIGQUERY_REST"), self.config.project);
        let body = json!({ "query": sql, "useLegacySql": false }).to_string();
        let request = reqwest::Client::new().post(url).header("content-type", "application/json").body(body);
        let answer: Value = serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
        assert!(answer.get("error").is_none(), "{sql}: {answer}");
        let rows = answer["rows"].as_array().cloned().unwrap_or_default();
        let cells = |row: &Value| row["f"].as_array().unwrap().iter().map(|cell| cell["v"].clone()).collect();
        rows.iter().map(cells).collect()
    }

    /// The single number that a query returns.
    pub async fn number(&self, sql: &str) -> i64 {
        self.query(sql).await[0][0].as_str().unwrap().parse().unwrap()
    }

    /// The table as the REST API describes it.
    pub async fn describe(&self, table: &str) -> Value {
        let url = format!(
            "{}/bigquery/v2/projects/{}/datasets/{}/tables/{table}",
            setting("SLUICE_TEST_BIGQUERY_REST"),
            self.config.project,
            self.dataset
        );
        serde_json::from_slice(&reqwest::get(url).await.unwrap().bytes().await.unwrap()).unwrap()
    }

    /// Names of the dataset's tables.
    pub async fn tables(&self) -> Vec<String> {
        let url = format!(
            "{}/bigquery/v2/projects/{}/datasets/{}/tables",
            setting("SLUICE_TEST_BIGQUERY_REST"),
            self.config.project,
            self.dataset
        );
        let answer: Value = serde_json::from_slice(&reqwest::get(url).await.unwrap().bytes().await.unwrap()).unwrap();
        let tables = answer["tables"].as_array().cloned().unwrap_or_default();
        tables.iter().map(|t| t["tableReference"]["tableId"].as_str().unwrap().to_owned()).collect()
    }
}

/// Permission to commit, from receipts that are complete.
pub fn permit_for(load: &Load, receipts: Vec<SplitReceipt>) -> CommitPermit {
    let expected = receipts.iter().map(|r| ExpectedSplit { split: r.split.clone(), rows: r.rows_sent }).collect();
    let evidence = Evidence {
        load: load.id.clone(),
        table: load.spec.name.clone(),
        strategy: load.spec.strategy,
        expected,
        receipts,
        replaced: Vec::new(),
    };
    permit(evidence).unwrap()
}

/// Rows `from..to` of a table with an integer and a text.
pub fn numbered(from: i64, to: i64) -> RecordBatch {
    use arrow_array::{ArrayRef, Int64Array, StringArray};
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(from..to));
    let names: ArrayRef = Arc::new(StringArray::from_iter_values((from..to).map(|i| format!("row {i}"))));
    RecordBatch::try_from_iter_with_nullable([("id", ids, false), ("name", names, true)]).unwrap()
}
