//! Reads a stream natively and says how fast: what the sandboxed connector is compared with, and what profilers run.
//!
//! ```text
//! cargo run --release -p connector-postgres --example throughput -- '{"host": …}' public.lineitem
//! ```

use std::error::Error;
use std::time::Instant;

use connector_postgres::Postgres;
use sluice_sdk::native::{self, Event};
use sluice_sdk::{Directive, Hints, ReadMode, Selection, Source};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let config = arguments.next().ok_or("the first argument is the configuration, as JSON")?;
    let id = arguments.next().ok_or("the second argument is the stream")?;
    let mut planner = Postgres::open(serde_json::from_str(&config)?)?;
    let selection =
        Selection { id, columns: Vec::new(), mode: ReadMode::Full, filter: None, changed_files: None, state: None };
    let hints = Hints { max_parallel: 1, split_bytes: u64::MAX, batch_bytes: 1 << 20 };
    let plan = planner.plan(&[selection], &hints)?;
    for split in &plan.splits {
        let begun = Instant::now();
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let mut bytes = 0;
        let mut source = Postgres::open(serde_json::from_str(&config)?)?;
        native::read(&mut source, split, None, move |event| {
            match event {
                Event::Pushed { message, .. } => bytes += message.len(),
                Event::Checkpoint { rows, .. } => sender.send((rows, bytes)).unwrap_or_default(),
                Event::Declared { .. } => {}
            }
            Ok(Directive::Continue)
        })?;
        let seconds = begun.elapsed().as_secs_f64();
        let (rows, bytes) = receiver.recv()?;
        #[expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "this is what the program is for")]
        {
            println!(
                "{}: {rows} rows, {} MB of Arrow in {seconds:.3} s: {:.0} rows/s",
                split.id,
                bytes >> 20,
                rows as f64 / seconds
            );
        }
    }
    Ok(())
}
