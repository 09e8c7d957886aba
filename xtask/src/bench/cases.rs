//! What is measured, and what each figure is asked to be.

use anyhow::Result;

use super::lineitem::Format;
use super::table::Row;
use super::{Bench, bigquery, columns, files, mysql, postgres, s3, sandbox, service};

pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What the figure should be, in words.
    pub(crate) asks: &'static str,
    pub(crate) run: fn(&Bench) -> Result<Vec<Row>>,
}

pub(crate) const ALL: &[Case] = &[
    Case {
        name: "copy",
        asks: "PostgreSQL to a null sink: at least 0.95 of psql COPY BINARY, one split",
        run: postgres::copy,
    },
    Case {
        name: "arrow-1",
        asks: "one split: at least 1.2 times the best Arrow reader",
        run: |bench| postgres::arrow(bench, 1),
    },
    Case {
        name: "arrow-2",
        asks: "two splits: at least 1.2 times the best Arrow reader",
        run: |bench| postgres::arrow(bench, 2),
    },
    Case {
        name: "to-parquet",
        asks: "PostgreSQL to local Parquet: at least 10 times sling and dlt",
        run: postgres::parquet,
    },
    Case { name: "memory", asks: "peak memory of a run: under 100 MB at every size", run: postgres::memory },
    Case { name: "tiny", asks: "a run of 100 rows, whole process: under 150 ms", run: postgres::tiny },
    Case {
        name: "cpu",
        asks: "CPU in the sandbox: under 1.4 times the same code compiled natively",
        run: postgres::cpu,
    },
    Case {
        name: "mysql",
        asks: "MariaDB to a null sink: at least `mariadb -q -B`, and 1.3 times connectorx with one and two splits",
        run: mysql::mysql,
    },
    Case {
        name: "bigquery",
        asks: "Storage Read API of the stand-in to a null sink: at least Google's reader for Python, one and two streams",
        run: bigquery::bigquery,
    },
    Case {
        name: "files-csv",
        asks: "CSV from a folder: at least polars on as many cores",
        run: |bench| files::read(bench, Format::Csv),
    },
    Case {
        name: "files-ndjson",
        asks: "NDJSON from a folder: at least polars on as many cores",
        run: |bench| files::read(bench, Format::Ndjson),
    },
    Case {
        name: "files-parquet",
        asks: "Parquet from a folder: at least polars, and 0.75 of arrow-rs without a sandbox",
        run: |bench| files::read(bench, Format::Parquet),
    },
    Case {
        name: "files-cpu",
        asks: "CPU in the sandbox: under 1.4 times the same code compiled natively, for each format",
        run: files::cpu,
    },
    Case {
        name: "files-memory",
        asks: "peak memory of a run over a file of 100 MB and of 2 GB: under 100 MB beyond the bytes in flight",
        run: files::memory,
    },
    Case {
        name: "s3-csv",
        asks: "CSV from S3 on loopback: at least 0.7 of the bytes per second of curl",
        run: |bench| s3::read(bench, Format::Csv),
    },
    Case {
        name: "s3-ndjson",
        asks: "NDJSON from S3 on loopback: at least 0.7 of the bytes per second of curl",
        run: |bench| s3::read(bench, Format::Ndjson),
    },
    Case {
        name: "s3-parquet",
        asks: "Parquet from S3 on loopback: at least polars",
        run: |bench| s3::read(bench, Format::Parquet),
    },
    Case {
        name: "service-ready",
        asks: "from `serve` to ready: under a second, with 1,000 schedules too; memory of an idle pipeline: under 16 KiB",
        run: service::ready,
    },
    Case {
        name: "service-api",
        asks: "list and get while 50 runs want both cores: p99 under 250 ms",
        run: service::api,
    },
    Case {
        name: "service-cron",
        asks: "1,000 pipelines on a cron of one minute: every run starts before the next one is due",
        run: service::punctual,
    },
    Case {
        name: "density",
        asks: "an instance starts in under 1 ms; 500 connectors and 200 instances take under 1 GB",
        run: sandbox::density,
    },
    Case {
        name: "neighbours",
        asks: "a connector beside 20 that misbehave: at least 0.8 of alone, on its share",
        run: sandbox::neighbours,
    },
    Case {
        name: "columns",
        asks: "rows of guests without Arrow: push-columns at least 1 M rows per CPU-second, in Rust; each way in each language",
        run: columns::columns,
    },
];
