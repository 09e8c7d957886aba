//! Reads a stream natively and says how fast: what profilers run.
//!
//! ```text
//! SLUICE_CONFIG='{"host": …}' cargo run --release -p connector-mysql --example mysql_throughput -- sluice.lineitem
//! ```

use std::process::ExitCode;

use connector_mysql::Mysql;

fn main() -> ExitCode {
    sluice_sdk::native::throughput::<Mysql>(std::env::args().skip(1))
}
