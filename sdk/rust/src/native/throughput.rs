//! Reading all of a stream natively, to say how fast: what the sandboxed connector is compared with, and what profilers run.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::{Raw, read_raw};
use crate::{Directive, Error, Hints, Plan, ReadMode, Result, Selection, Source};

/// The variable that holds the configuration: an argument could be seen by everybody on the machine.
const CONFIG: &str = "SLUICE_CONFIG";

/// What batches hold by default.
const BATCH_BYTES: u64 = 1 << 20;

/// What reading a stream took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Throughput {
    /// Rows of all splits.
    pub rows: u64,
    /// Bytes of the batches as they are pushed.
    pub bytes: u64,
    /// From the plan to the end of the last split.
    pub seconds: f64,
}

/// The `main` of a program that reads a stream and prints its rows, bytes and seconds as a line of JSON. Its arguments are
/// the stream's id and, if it is not 1, how many splits are read at once, each in a thread of its own; the configuration is
/// in the environment, `SLUICE_CONFIG`, as JSON.
pub fn throughput<S: Source>(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let measured = measured::<S>(arguments);
    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what the program is for")]
    match measured {
        Ok(Throughput { rows, bytes, seconds }) => {
            println!("{}", serde_json::json!({"rows": rows, "bytes": bytes, "seconds": seconds}));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measured<S: Source>(arguments: impl IntoIterator<Item = String>) -> Result<Throughput> {
    let mut arguments = arguments.into_iter();
    let stream = arguments.next().ok_or_else(|| Error::config("the first argument is the id of a stream"))?;
    let splits = match arguments.next() {
        Some(splits) => splits.parse().map_err(|_| Error::config("the second argument is a number of splits"))?,
        None => 1,
    };
    #[expect(clippy::disallowed_methods, reason = "a program's own environment")]
    let config = std::env::var(CONFIG).map_err(|_| Error::config(format!("{CONFIG} must hold the configuration")))?;
    read_all::<S>(&config, &stream, splits)
}

/// Reads a stream in full, in this many splits at once, and drops the rows.
///
/// # Errors
/// What the source returns, or a configuration that is none.
pub fn read_all<S: Source>(config: &str, stream: &str, splits: u32) -> Result<Throughput> {
    let open = || S::open(serde_json::from_str(config).map_err(|e| Error::config(format!("the configuration: {e}")))?);
    let split_bytes = match splits {
        0 | 1 => u64::MAX >> 1,
        // A little more than an even share, so that rounding does not make one more.
        _ => plan(&mut open()?, stream, 1, u64::MAX >> 1)?.0 / u64::from(splits) + (1 << 20),
    };
    let started = Instant::now();
    // Kept until every split is read: it may hold a snapshot open.
    let mut planner = open()?;
    let (_, plan) = plan(&mut planner, stream, splits.max(1), split_bytes)?;
    let totals = Arc::new(Totals::default());
    let waiting = Mutex::new(plan.splits.iter());
    let next = || waiting.lock().ok().and_then(|mut waiting| waiting.next());
    let read_some = || -> Result<()> {
        while let Some(split) = next() {
            let totals = Arc::clone(&totals);
            read_raw(&mut open()?, split, None, move |event| totals.count(&event).map(|()| Directive::Continue))?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..splits.max(1)).map(|_| scope.spawn(read_some)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| Error::internal("a split panicked"))?)
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let (rows, bytes) = (totals.rows.load(Ordering::Relaxed), totals.bytes.load(Ordering::Relaxed));
    Ok(Throughput { rows, bytes, seconds })
}

/// The plan of a stream, and how many bytes it has.
fn plan<S: Source>(source: &mut S, stream: &str, splits: u32, split_bytes: u64) -> Result<(u64, Plan)> {
    let id = stream.to_owned();
    let selection =
        Selection { id, columns: Vec::new(), mode: ReadMode::Full, filter: None, changed_files: None, state: None };
    let hints = Hints { max_parallel: splits, split_bytes, batch_bytes: BATCH_BYTES };
    let plan = source.plan(&[selection], &hints)?;
    let bytes = plan.streams.first().and_then(|stream| stream.bytes).unwrap_or_default();
    Ok((bytes, plan))
}

/// What all splits have pushed so far.
#[derive(Default)]
struct Totals {
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl Totals {
    fn count(&self, event: &Raw<'_>) -> Result<()> {
        let (metadata, bytes) = match event {
            Raw::Pushed { message, .. } => (*message, message.len()),
            Raw::Parts { metadata, body, .. } => {
                (*metadata, body.iter().fold(metadata.len(), |sum, piece| sum + piece.len()))
            }
            Raw::Declared { .. } | Raw::Checkpoint { .. } => return Ok(()),
        };
        self.rows.fetch_add(crate::ipc::rows(metadata)?, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Int64Array, RecordBatch};
    use arrow_schema::{DataType, Field, Schema, SchemaRef};

    use super::*;
    use crate::{
        CheckStep, ConfigSchema, ConnectorManifest, Cursor, DiscoverFilter, DiscoverPage, Output, Split, StreamPlan,
    };

    #[derive(serde::Deserialize)]
    struct Config {
        rows: i64,
    }

    impl ConfigSchema for Config {
        const SCHEMA: &'static str = "{}";
        const SECRETS: &'static str = "[]";
    }

    struct Numbers(Config);

    impl ConnectorManifest for Numbers {
        const MANIFEST: &'static str = "{}";
    }

    fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]))
    }

    impl Source for Numbers {
        type Config = Config;

        fn open(config: Config) -> Result<Self> {
            Ok(Self(config))
        }

        fn check(&mut self) -> Result<Vec<CheckStep>> {
            Ok(vec![])
        }

        fn discover(&mut self, _: &DiscoverFilter, _: Option<&str>) -> Result<DiscoverPage> {
            Ok(DiscoverPage::default())
        }

        fn plan(&mut self, selections: &[Selection], hints: &Hints) -> Result<Plan> {
            let stream = &selections[0].id;
            let bytes = self.0.rows.unsigned_abs() << 20;
            let split = |nth: u64| Split {
                id: nth.to_string(),
                streams: vec![stream.clone()],
                descriptor: vec![],
                rows: None,
                bytes: None,
                resumable: true,
            };
            let (rows, bytes, state_after) = (None, Some(bytes), None);
            let splits = (0..bytes.unwrap_or(0).div_ceil(hints.split_bytes)).map(split).collect();
            let stream = StreamPlan { id: stream.clone(), schema: schema(), rows, bytes, state_after };
            Ok(Plan { streams: vec![stream], splits, expires: false })
        }

        /// Two batches, and never a checkpoint.
        fn read(&mut self, split: &Split, _: Option<&Cursor>, output: &mut Output) -> Result<()> {
            let mut channel = output.stream(&split.streams[0], schema())?;
            for rows in [5, 2] {
                channel
                    .push(&RecordBatch::try_new(schema(), vec![Arc::new(Int64Array::from_iter_values(0..rows))])?)?;
            }
            Ok(())
        }
    }

    #[test]
    fn rows_of_all_splits_are_counted_whether_or_not_they_are_checkpointed() {
        let read = |splits| read_all::<Numbers>("{\"rows\": 100}", "numbers", splits).unwrap();
        assert_eq!(read(1).rows, 7);
        let three = read(3);
        assert_eq!(three.rows, 21, "a split of a third, three times");
        assert!(three.bytes > 3 * 7 * 8 && three.seconds > 0.0);
        assert!(read_all::<Numbers>("{}", "numbers", 1).unwrap_err().message.contains("rows"));
    }
}
