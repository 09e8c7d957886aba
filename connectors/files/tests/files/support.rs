//! A folder to put files into, and the calls of a host.

use std::cell::RefCell;
use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_cast::display::array_value_to_string;
use arrow_schema::DataType;
use connector_files::FilesSource;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};
use sluice_sdk::native::{self, Event};
use sluice_sdk::{
    Cursor, Directive, DiscoverFilter, Hints, Plan, ReadMode, Result, Selection, Source, Split, StreamInfo,
};

pub(crate) const HINTS: Hints = Hints { max_parallel: 2, split_bytes: 64 << 20, batch_bytes: 64 << 10 };

/// Hints for small splits and small batches.
pub(crate) fn small(split_bytes: u64) -> Hints {
    Hints { max_parallel: 4, split_bytes, batch_bytes: 4 << 10 }
}

/// A folder with files, and how they are configured.
pub(crate) struct Fixture {
    pub(crate) dir: tempfile::TempDir,
    config: Value,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(json!({}))
    }

    /// With options for all streams.
    pub(crate) fn with(options: Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = json!({"path": dir.path(), "options": options});
        Self { dir, config }
    }

    /// With streams.
    pub(crate) fn streams(mut self, streams: Value) -> Self {
        self.config["streams"] = streams;
        self
    }

    pub(crate) fn path(&self, key: &str) -> PathBuf {
        self.dir.path().join(key)
    }

    pub(crate) fn write(&self, key: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn append(&self, key: &str, content: &str) {
        let mut file = std::fs::OpenOptions::new().append(true).open(self.path(key)).unwrap();
        file.write_all(content.as_bytes()).unwrap();
    }

    pub(crate) fn open(&self) -> FilesSource {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<FilesSource> {
        FilesSource::open(serde_json::from_value(self.config.clone()).unwrap())
    }

    pub(crate) fn discover(&self) -> Vec<StreamInfo> {
        let filter = DiscoverFilter { page_size: 100, ..DiscoverFilter::default() };
        self.open().discover(&filter, None).unwrap().streams
    }

    /// The columns of a stream, as `name: type`.
    pub(crate) fn columns(&self, id: &str) -> Vec<String> {
        let found = self.discover().into_iter().find(|info| info.id == id).unwrap();
        found.schema.fields().iter().map(|f| format!("{}: {}", f.name(), f.data_type())).collect()
    }

    pub(crate) fn plan(&self, selection: Selection, hints: &Hints) -> Result<Plan> {
        self.open().plan(&[selection], hints)
    }

    /// Everything that a stream has, row by row.
    pub(crate) fn rows(&self, id: &str) -> Result<Vec<String>> {
        self.rows_of(full(id), &HINTS)
    }

    pub(crate) fn rows_of(&self, selection: Selection, hints: &Hints) -> Result<Vec<String>> {
        let plan = self.plan(selection, hints)?;
        let mut rows = Vec::new();
        for split in &plan.splits {
            rows.extend(self.read(split, None, usize::MAX)?.rows);
        }
        Ok(rows)
    }

    /// Reads a split, and stops it at its `stop_at`-th checkpoint.
    pub(crate) fn read(&self, split: &Split, start: Option<&Cursor>, stop_at: usize) -> Result<Read> {
        let seen = Rc::new(RefCell::new(Seen::default()));
        let into = Rc::clone(&seen);
        let result = native::read(&mut self.open(), split, start, move |event| {
            let mut seen = into.borrow_mut();
            Ok(seen.take(event, stop_at))
        });
        let seen = Rc::try_unwrap(seen).ok().unwrap().into_inner();
        result?;
        Ok(Read { rows: seen.rows, cursor: seen.cursor, checkpoints: seen.checkpoints, batches: seen.batches })
    }
}

/// What a read gave.
pub(crate) struct Read {
    pub(crate) rows: Vec<String>,
    pub(crate) cursor: Option<Cursor>,
    pub(crate) checkpoints: usize,
    pub(crate) batches: usize,
}

#[derive(Default)]
struct Seen {
    schema: Vec<u8>,
    rows: Vec<String>,
    cursor: Option<Cursor>,
    checkpoints: usize,
    batches: usize,
}

impl Seen {
    fn take(&mut self, event: Event, stop_at: usize) -> Directive {
        match event {
            Event::Declared { schema, .. } => self.schema = schema,
            Event::Pushed { message, .. } => {
                let batch = native::decode(&self.schema, &message).unwrap();
                self.rows.extend(rows_in(&batch));
                self.batches += 1;
            }
            Event::Checkpoint { cursor, rows, .. } => {
                assert_eq!(rows, self.rows.len() as u64, "a checkpoint states how many rows came before it");
                self.cursor = Some(cursor);
                self.checkpoints += 1;
                if self.checkpoints >= stop_at {
                    return Directive::Stop;
                }
            }
        }
        Directive::Continue
    }
}

/// Rows as text: values with `|` between them, nulls as `∅`.
pub(crate) fn rows_in(batch: &RecordBatch) -> Vec<String> {
    let value = |column: &ArrayRef, row: usize| {
        if column.is_null(row) {
            return "∅".to_owned();
        }
        if let DataType::Timestamp(_, Some(zone)) = column.data_type() {
            assert_eq!(&**zone, "UTC");
            let shown = column.as_primitive::<TimestampMicrosecondType>().clone().with_timezone("+00:00");
            return array_value_to_string(&shown, row).unwrap();
        }
        array_value_to_string(column, row).unwrap()
    };
    let row = |row: usize| batch.columns().iter().map(|c| value(c, row)).collect::<Vec<_>>().join("|");
    (0..batch.num_rows()).map(row).collect()
}

pub(crate) fn full(id: &str) -> Selection {
    Selection {
        id: id.into(),
        columns: Vec::new(),
        mode: ReadMode::Full,
        filter: None,
        changed_files: None,
        state: None,
    }
}

pub(crate) fn incremental(id: &str, state: Option<Cursor>) -> Selection {
    Selection { mode: ReadMode::Incremental(String::new()), state, ..full(id) }
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(content, 3).unwrap()
}

/// `id,name,price` of many records.
pub(crate) fn csv(count: usize) -> String {
    let mut text = "id,name,price\n".to_owned();
    for n in 0..count {
        text.push_str(&format!("{n},\"name, {n}\",{}.25\n", n * 3));
    }
    text
}

pub(crate) fn ndjson(count: usize) -> String {
    (0..count).map(|n| format!("{{\"id\":{n},\"name\":\"name, {n}\",\"price\":{}.25}}\n", n * 3)).collect()
}

pub(crate) fn expected(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{n}|name, {n}|{}.25", n * 3)).collect()
}

pub(crate) fn parquet(count: usize, group_rows: usize) -> Vec<u8> {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values(0..count as i64))),
        ("name", Arc::new(StringArray::from_iter_values((0..count).map(|n| format!("name, {n}"))))),
        ("price", Arc::new(Float64Array::from_iter_values((0..count).map(|n| (n * 3) as f64 + 0.25)))),
    ];
    parquet_of(columns, group_rows)
}

pub(crate) fn parquet_of(columns: Vec<(&str, ArrayRef)>, group_rows: usize) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group_rows))
        .set_compression(parquet::basic::Compression::ZSTD(Default::default()))
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}
