//! A connector that hands the same rows over again and again, in each of the ways that there are: what `cargo xtask bench columns`
//! measures. The rows are there before the first is handed over, so that what is measured is the way.

// The contract's functions exist in a component only.
#![cfg(target_family = "wasm")]
#![allow(missing_docs, reason = "nobody but the bench uses it")]

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::Deserialize;
use sluice_sdk::__private::bindings::sluice::source::output as wit;
use sluice_sdk::batch::BatchBuilder;
use sluice_sdk::{
    Channel, CheckStep, Config, Cursor, DiscoverFilter, DiscoverPage, Error, Hints, Manifest, Output, Plan, Result,
    Selection, Source, Split, StreamPlan,
};

#[derive(Clone, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub struct RowsConfig {
    /// `arrow`: batches that are there; `builder`: row by row into a batch; `columns` and `rows`: the contract's functions for guests
    /// without Arrow.
    pub way: String,
    /// Rows altogether.
    pub rows: u64,
    /// Rows of a batch.
    pub batch: u32,
}

#[derive(Manifest)]
#[manifest(
    name = "rows",
    title = "Rows",
    description = "Hands the same rows over again and again.",
    publisher = "Sluice",
    config = RowsConfig
)]
pub struct Rows {
    config: RowsConfig,
}

sluice_sdk::export!(Rows);

const STREAM: &str = "numbers";

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("name", DataType::Utf8, true),
        Field::new("price", DataType::Float64, true),
        Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        Field::new("paid", DataType::Boolean, true),
    ]))
}

/// The rows as a source without Arrow has them.
struct Values {
    ids: Vec<i64>,
    names: Vec<Option<String>>,
    prices: Vec<f64>,
    moments: Vec<i64>,
    paid: Vec<bool>,
}

impl Values {
    fn new(count: u32) -> Self {
        let ids = || 0..i64::from(count);
        Self {
            ids: ids().collect(),
            names: ids().map(|id| (id % 7 != 0).then(|| format!("name {id}"))).collect(),
            prices: ids().map(|id| id as f64 / 7.0).collect(),
            moments: ids().map(|id| 1_700_000_000_000_000 + id).collect(),
            paid: ids().map(|id| id % 2 == 0).collect(),
        }
    }

    fn batch(&self) -> Result<RecordBatch> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(self.ids.clone())),
            Arc::new(StringArray::from(self.names.clone())),
            Arc::new(Float64Array::from(self.prices.clone())),
            Arc::new(TimestampMicrosecondArray::from(self.moments.clone()).with_timezone("UTC")),
            Arc::new(BooleanArray::from(self.paid.clone())),
        ];
        Ok(RecordBatch::try_new(schema(), columns)?)
    }

    fn columns(&self) -> Vec<wit::Column> {
        fn all<T: Copy>(values: &[T]) -> Vec<Option<T>> {
            values.iter().copied().map(Some).collect()
        }
        vec![
            wit::Column::Integers(all(&self.ids)),
            wit::Column::Texts(self.names.clone()),
            wit::Column::Numbers(all(&self.prices)),
            wit::Column::Integers(all(&self.moments)),
            wit::Column::Booleans(all(&self.paid)),
        ]
    }

    fn rows(&self) -> Vec<[wit::Value; 5]> {
        let rest = self.prices.iter().zip(&self.moments).zip(&self.paid);
        let rows = self.ids.iter().zip(&self.names).zip(rest);
        rows.map(|((id, name), ((price, at), paid))| {
            let name = name.clone().map_or(wit::Value::Null, wit::Value::Text);
            let (price, at) = (wit::Value::Number(*price), wit::Value::Timestamp(*at));
            [wit::Value::Integer(*id), name, price, at, wit::Value::Boolean(*paid)]
        })
        .collect()
    }
}

fn failed(error: wit::Error) -> Error {
    Error::internal(error.message)
}

/// Adds every row to a builder that is there.
fn build(rows: &[[wit::Value; 5]], into: &mut BatchBuilder) -> Result<RecordBatch> {
    for values in rows {
        let mut row = into.row();
        for value in values {
            row = match value {
                wit::Value::Null => row.null()?,
                wit::Value::Boolean(flag) => row.bool(*flag)?,
                wit::Value::Integer(number) | wit::Value::Timestamp(number) => row.int(*number)?,
                wit::Value::Number(number) => row.float(*number)?,
                wit::Value::Text(text) => row.text(text)?,
                wit::Value::Bytes(bytes) => row.bytes(bytes)?,
                wit::Value::Date(days) => row.int(i64::from(*days))?,
            };
        }
        row.end()?;
    }
    into.take()
}

impl Rows {
    fn hand_over(&self, channel: &mut Channel) -> Result<()> {
        let values = Values::new(self.config.batch.max(1));
        let times = self.config.rows / values.ids.len() as u64;
        match self.config.way.as_str() {
            "arrow" => {
                let batch = values.batch()?;
                (0..times).try_for_each(|_| channel.push(&batch))
            }
            "builder" => {
                let mut builder = BatchBuilder::new(schema(), usize::MAX)?;
                let rows = values.rows();
                (0..times).try_for_each(|_| channel.push(&build(&rows, &mut builder)?))
            }
            "columns" => {
                let columns = values.columns();
                (0..times).try_for_each(|_| wit::push_columns(0, &columns).map_err(failed))
            }
            "rows" => {
                let rows: Vec<Vec<wit::Value>> = values.rows().into_iter().map(Vec::from).collect();
                (0..times).try_for_each(|_| wit::push_rows(0, &rows).map_err(failed))
            }
            other => Err(Error::config(format!("{other} is no way")).field("/way")),
        }
    }
}

impl Source for Rows {
    type Config = RowsConfig;

    fn open(config: RowsConfig) -> Result<Self> {
        Ok(Self { config })
    }

    fn check(&mut self) -> Result<Vec<CheckStep>> {
        Ok(vec![CheckStep::passed("rows", "there are rows")])
    }

    fn discover(&mut self, _filter: &DiscoverFilter, _page: Option<&str>) -> Result<DiscoverPage> {
        Ok(DiscoverPage::default())
    }

    fn plan(&mut self, _selections: &[Selection], _hints: &Hints) -> Result<Plan> {
        let stream =
            StreamPlan { id: STREAM.into(), schema: schema(), rows: None, bytes: None, state_after: Some(vec![]) };
        let split = Split {
            id: "all".into(),
            streams: vec![STREAM.into()],
            descriptor: Vec::new(),
            rows: None,
            bytes: None,
            resumable: false,
        };
        Ok(Plan { streams: vec![stream], splits: vec![split], expires: false })
    }

    fn read(&mut self, _split: &Split, _start: Option<&Cursor>, output: &mut Output) -> Result<()> {
        self.hand_over(&mut output.stream(STREAM, schema())?)
    }
}
