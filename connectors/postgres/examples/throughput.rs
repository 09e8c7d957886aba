//! Reads a stream natively and says how fast: what profilers run.
//!
//! ```text
//! SLUICE_CONFIG='{"host": …}' cargo run --release -p connector-postgres --example throughput -- public.lineitem
//! ```

use std::process::ExitCode;

use connector_postgres::Postgres;

fn main() -> ExitCode {
    sluice_sdk::native::throughput::<Postgres>(std::env::args().skip(1))
}
