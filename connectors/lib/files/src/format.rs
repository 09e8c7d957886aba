//! What a file is, by its name.

use crate::options::Format;

/// Endings of compressed files.
const COMPRESSED: [&str; 7] = [".gz", ".gzip", ".zst", ".zstd", ".sz", ".snappy", ".lz4"];

/// The format that a name stands for; none if it says nothing. A compression's ending is not looked at.
pub(crate) fn of_name(key: &str) -> Option<Format> {
    let name = key.rsplit('/').next().unwrap_or(key).to_ascii_lowercase();
    let name = COMPRESSED.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let (_, ending) = name.rsplit_once('.')?;
    match ending {
        "csv" | "tsv" | "tab" | "psv" => Some(Format::Csv),
        "ndjson" | "jsonl" | "ldjson" => Some(Format::Ndjson),
        "json" => Some(Format::Json),
        "parquet" | "pq" | "parq" => Some(Format::Parquet),
        _ => None,
    }
}

/// The name without the folder and the endings that say what it is.
pub(crate) fn stem(key: &str) -> &str {
    let name = key.rsplit('/').next().unwrap_or(key);
    match name.find('.') {
        Some(at) if at > 0 => name.get(..at).unwrap_or(name),
        _ => name,
    }
}

/// A format's name in ids and messages.
pub(crate) fn name(format: Format) -> &'static str {
    match format {
        Format::Auto => "auto",
        Format::Csv => "csv",
        Format::Ndjson => "ndjson",
        Format::Json => "json",
        Format::Parquet => "parquet",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_a_file_is() {
        assert_eq!(of_name("a/b.CSV.gz"), Some(Format::Csv));
        assert_eq!(of_name("x.jsonl.zst"), Some(Format::Ndjson));
        assert_eq!(of_name("part-0.csv.snappy"), Some(Format::Csv));
        assert_eq!(of_name("part-0.snappy.parquet"), Some(Format::Parquet));
        assert_eq!(of_name("x.json.sz"), Some(Format::Json));
        assert_eq!(of_name("x.tsv.lz4"), Some(Format::Csv));
        assert_eq!(of_name("x.parquet"), Some(Format::Parquet));
        assert_eq!(of_name("csv"), None);
        assert_eq!(stem("a/orders.2024.csv.gz"), "orders");
        assert_eq!(stem(".hidden"), ".hidden");
    }
}
