//! Files in a folder against polars, and against arrow-rs where it reads the format natively.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::Bench;
use super::lineitem::{self, Format, Table};
use super::measure::median;
use super::ours::{NULL, Read};
use super::pairs::{effort, pairs, repeated, speed};
use super::table::Row;
use crate::process::output;

/// As many as the cores that the machine of these figures has.
pub(super) const SPLITS: u32 = 2;

/// Arrow bytes that a run may have between connectors and sink, megabytes.
const IN_FLIGHT: f64 = 33.6;

/// Reads a format to its end and drops the rows, in turns with each peer.
pub(super) fn read(bench: &Bench, format: Format) -> Result<Vec<Row>> {
    let file = lineitem::file(&bench.peers, bench.scale, format)?;
    let table = table(bench, &file)?;
    let ours = ours(bench, &file, &table, SPLITS)?;
    let case = format!("files-{}", format.ending());
    let measured = pairs(bench, &table, &ours, &polars(bench, &file), || Ok(()))?;
    let mut rows = vec![speed(&case, "polars, streaming", &table, &measured, 1.0)];
    if format == Format::Parquet {
        let mut native = Command::new(bench.native()?);
        native.arg("parquet").arg(&file).arg(SPLITS.to_string());
        let measured = pairs(bench, &table, &ours, &native, || Ok(()))?;
        rows.push(speed(&case, "arrow-rs, no sandbox", &table, &measured, 0.75));
    }
    Ok(rows)
}

/// The sandboxed connector and the same one compiled natively, one split each.
pub(super) fn cpu(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for format in [Format::Csv, Format::Ndjson, Format::Parquet] {
        let file = lineitem::file(&bench.peers, bench.scale, format)?;
        let table = table(bench, &file)?;
        let ours = ours(bench, &file, &table, 1)?;
        let mut native = Command::new(bench.native()?);
        native.args(["files", "lineitem"]).env("SLUICE_CONFIG", config(&file)?.to_string());
        let measured = pairs(bench, &table, &ours, &native, || Ok(()))?;
        rows.push(effort(&format!("cpu-{}", format.ending()), "the same code, native", &measured, 1.4));
    }
    Ok(rows)
}

/// A file of 100 MB and one of 2 GB: the peak must be the same, and small.
pub(super) fn memory(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for format in [Format::Csv, Format::Ndjson, Format::Parquet] {
        for (size, bytes, scale) in [("100 MB", 100_000_000_u64, 0.4), ("2 GB", 2_000_000_000, 8.0)] {
            let file = match format {
                Format::Parquet => lineitem::file(&bench.peers, scale * bench.scale, format)?,
                _ => {
                    let to = bench.folder.join(format!("sized.{}", format.ending()));
                    let from = lineitem::file(&bench.peers, bench.scale, format)?;
                    lineitem::text_of_size(&from, format, (bytes as f64 * bench.scale) as u64, &to)?;
                    to
                }
            };
            let size_of_file = std::fs::metadata(&file)?.len();
            let table = Table { name: "lineitem", rows: 0, bytes: size_of_file };
            let ours = ours(bench, &file, &table, SPLITS)?;
            let peak = repeated(bench, &ours, || Ok(()), 1)?;
            let what = format!("{} of {size}", format.ending());
            let peak = median(peak.iter().map(|run| run.megabytes));
            rows.push(Row::figure("files-memory", &what, peak, "MB", 100.0 + IN_FLIGHT));
        }
    }
    Ok(rows)
}

/// How many rows a file has, as DuckDB counts them, and its size.
pub(super) fn table(bench: &Bench, file: &Path) -> Result<Table> {
    let sql = format!("SELECT count(*) FROM '{}'", file.display());
    let rows = output(&mut bench.peers.script("duckdb_execute.py", [("", ""); 0], &[&sql]))?;
    let rows = rows.trim().parse().with_context(|| format!("DuckDB counted {rows:?} rows"))?;
    Ok(Table { name: "lineitem", rows, bytes: std::fs::metadata(file)?.len() })
}

fn ours(bench: &Bench, file: &Path, table: &Table, splits: u32) -> Result<Command> {
    let folder = file.parent().context("a file lies in a folder")?;
    let name = file.file_name().context("a file has a name")?.display();
    bench.sluice.run(&Read {
        name: &format!("files-{name}-{splits}"),
        connector: "files",
        config: format!("{{streams: [{{name: lineitem, glob: '{name}'}}]}}"),
        grants: &format!("{{folders: {{/data: '{}'}}}}", folder.display()),
        stream: "lineitem",
        bytes: table.bytes,
        splits,
        sink: NULL,
    })
}

/// What the connector is configured with outside the sandbox, where folders have their own names.
fn config(file: &Path) -> Result<serde_json::Value> {
    let folder = file.parent().context("a file lies in a folder")?;
    let name = file.file_name().context("a file has a name")?.to_string_lossy();
    Ok(serde_json::json!({"path": folder, "streams": [{"name": "lineitem", "glob": name}]}))
}

fn polars(bench: &Bench, file: &Path) -> Command {
    let threads = SPLITS.to_string();
    bench.peers.script("read_polars.py", [("POLARS_MAX_THREADS", threads.as_str())], &[&file.to_string_lossy()])
}
