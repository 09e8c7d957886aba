//! The data: TPC-H's lineitem, made by tpchgen-cli and kept in the cache, in every format that is measured.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::peers::Peers;
use crate::process::output;
use crate::workspace::cache;

/// A table, in a server or in a file, and how large it is.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

/// A format that tpchgen-cli writes, or that is made from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Ndjson,
    Parquet,
}

impl Format {
    /// The files' ending, which is also the format's name.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
            Format::Parquet => "parquet",
        }
    }
}

/// Lineitem in a file, made if the cache does not have it. Scale 1 is six million rows.
pub(crate) fn file(peers: &Peers, scale: f64, format: Format) -> Result<PathBuf> {
    let folder = cache()?.join(format!("tpch-{scale}"));
    let file = folder.join(format!("lineitem.{}", format.ending()));
    if file.is_file() {
        return Ok(file);
    }
    std::fs::create_dir_all(&folder)?;
    eprintln!("bench: making {} (once)", file.display());
    let beside = folder.join("new");
    std::fs::create_dir_all(&beside)?;
    let made = beside.join(format!("lineitem.{}", format.ending()));
    match format {
        Format::Csv | Format::Parquet => {
            let mut make = Command::new(peers.program("tpchgen-cli"));
            make.args([format.ending(), "--tables=lineitem", "-s", &scale.to_string(), "--output-dir"]).arg(&beside);
            output(&mut make)?;
        }
        Format::Ndjson => {
            let csv = self::file(peers, scale, Format::Csv)?;
            let sql =
                format!("COPY (SELECT * FROM read_csv('{}')) TO '{}' (FORMAT json)", csv.display(), made.display());
            output(&mut peers.script("duckdb_execute.py", [("", ""); 0], &[&sql]))?;
        }
    }
    std::fs::rename(&made, &file)?;
    std::fs::remove_dir_all(&beside)?;
    Ok(file)
}

/// The first lines of a text file that have about so many bytes, or the file over and over until it has: another file.
pub(crate) fn text_of_size(from: &Path, format: Format, bytes: u64, to: &Path) -> Result<()> {
    let text = std::fs::File::open(from).with_context(|| format!("opening {}", from.display()))?;
    // Whole lines only, and the header once.
    let mut lines = std::io::BufReader::with_capacity(1 << 20, text);
    let mut out = std::io::BufWriter::with_capacity(1 << 20, std::fs::File::create(to)?);
    let (mut written, mut line, mut first) = (0_u64, Vec::new(), true);
    while written < bytes {
        line.clear();
        if std::io::BufRead::read_until(&mut lines, b'\n', &mut line)? == 0 {
            if written == 0 {
                bail!("{} is empty", from.display());
            }
            std::io::Seek::rewind(&mut lines)?;
            first = true;
            continue;
        }
        let header = first && format == Format::Csv;
        first = false;
        if header && written > 0 {
            continue;
        }
        std::io::Write::write_all(&mut out, &line)?;
        written += line.len() as u64;
    }
    std::io::Write::flush(&mut out)?;
    Ok(())
}
