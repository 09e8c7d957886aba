//! What `cargo xtask bench` compares sandboxed connectors with: the same connectors compiled natively, reading one stream and
//! dropping the batches over the SDK's native host, so that the difference is the sandbox and the host; and arrow-rs alone.
//!
//! ```text
//! SLUICE_CONFIG='{"path": "/exports"}' bench-native files orders 2
//! bench-native parquet /exports/orders.parquet 2
//! ```
//!
//! The native host speaks neither TLS nor any scheme of signing: `s3` needs a server that takes anonymous requests.
#![allow(clippy::print_stdout, reason = "the last line is the measurement's report")]

mod parquet;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use sluice_sdk::native::throughput;

fn main() -> Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    Ok(match arguments.next().as_deref() {
        Some("files") => throughput::<connector_files::FilesSource>(arguments),
        Some("mysql") => throughput::<connector_mysql::Mysql>(arguments),
        Some("postgres") => throughput::<connector_postgres::Postgres>(arguments),
        Some("s3") => throughput::<connector_s3::S3Source>(arguments),
        Some("parquet") => arrow(&arguments.collect::<Vec<_>>())?,
        _ => bail!("usage: bench-native files|mysql|postgres|s3 STREAM [SPLITS], or bench-native parquet FILE THREADS"),
    })
}

fn arrow(arguments: &[String]) -> Result<ExitCode> {
    let [file, threads] = arguments else { bail!("usage: bench-native parquet FILE THREADS") };
    let started = Instant::now();
    let rows = parquet::read(file.as_ref(), threads.parse()?)?;
    println!("{}", serde_json::json!({"rows": rows, "seconds": started.elapsed().as_secs_f64()}));
    Ok(ExitCode::SUCCESS)
}
