//! What `cargo xtask bench` compares sandboxed connectors with: the same connectors compiled natively, reading one stream and
//! dropping the batches over the SDK's native host, so that the difference is the sandbox and the host; and arrow-rs alone.
#![allow(clippy::print_stdout, reason = "the last line is the measurement's report")]
#![allow(clippy::disallowed_methods, reason = "a measurement reads the environment itself")]

mod parquet;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use connector_postgres::Postgres;
use sluice_sdk::native::{self, Event};
use sluice_sdk::{Directive, Hints, ReadMode, Selection, Source};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [format, file, threads] = arguments.as_slice()
        && format == "parquet"
    {
        let started = Instant::now();
        let rows = parquet::read(file.as_ref(), threads.parse()?)?;
        println!("{}", serde_json::json!({"rows": rows, "seconds": started.elapsed().as_secs_f64()}));
        return Ok(());
    }
    let mut arguments = arguments.into_iter();
    let (Some(schema), Some(table)) = (arguments.next(), arguments.next()) else {
        return Err(anyhow!("usage: bench-native SCHEMA TABLE"));
    };
    let config = serde_json::json!({
        "host": setting("HOST")?,
        "port": setting("PORT")?.parse::<u16>().context("SLUICE_TEST_POSTGRES_PORT is a port")?,
        "user": setting("USER")?,
        "password": setting("PASSWORD")?,
        "database": setting("DATABASE")?,
        "tls": "disable",
    });
    let mut source = Postgres::open(serde_json::from_value(config)?).map_err(failed)?;

    let started = Instant::now();
    let selection = Selection {
        id: format!("{schema}.{table}"),
        columns: Vec::new(),
        mode: ReadMode::Full,
        filter: None,
        changed_files: None,
        state: None,
    };
    // One split whatever the size, and batches as large as the host asks for by default.
    let hints = Hints { max_parallel: 1, split_bytes: u64::MAX >> 1, batch_bytes: 1 << 20 };
    let plan = source.plan(&[selection], &hints).map_err(failed)?;
    let rows = Rc::new(Cell::new(0));
    for split in &plan.splits {
        let counted = Rc::clone(&rows);
        let before = rows.get();
        let sink = move |event| {
            if let Event::Checkpoint { rows, .. } = event {
                counted.set(before + rows);
            }
            Ok(Directive::Continue)
        };
        native::read(&mut source, split, None, sink).map_err(failed)?;
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({"rows": rows.get(), "seconds": seconds}));
    Ok(())
}

fn setting(name: &str) -> Result<String> {
    let name = format!("SLUICE_TEST_POSTGRES_{name}");
    std::env::var(&name).with_context(|| format!("{name} is not set"))
}

fn failed(error: sluice_sdk::Error) -> anyhow::Error {
    anyhow!("{}", error.message)
}
