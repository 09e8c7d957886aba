//! Streams as `discover` lists them.

use console::style;
use serde_json::json;
use sluice_core::load::SOURCE_TYPE_KEY;
use sluice_core::plan::StreamInfo;

use super::human;

/// A listing that grows page by page.
pub(crate) struct Listing {
    json: bool,
    columns: bool,
    count: u64,
}

impl Listing {
    pub(crate) fn new(json: bool, columns: bool) -> Self {
        Self { json, columns, count: 0 }
    }

    pub(crate) fn add(&mut self, stream: &StreamInfo) {
        self.count += 1;
        if self.json {
            println!("{}", stream_json(stream));
            return;
        }
        let rows = stream.rows.map_or_else(|| "? rows".to_owned(), |rows| format!("~{} rows", human(rows)));
        let size = stream.bytes.map_or_else(|| "? B".to_owned(), super::bytes);
        let kind = serde_json::to_value(stream.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
        println!("{:<44} {:<18} {rows:>16} {size:>10}", style(&stream.id).bold(), kind.unwrap_or_default());
        if !self.columns {
            return;
        }
        for field in stream.schema.fields() {
            let key = if stream.primary_key.contains(field.name()) { " key" } else { "" };
            let cursor = if stream.cursor_candidates.contains(field.name()) { " cursor" } else { "" };
            let source = field.metadata().get(SOURCE_TYPE_KEY).map(|t| format!(" ({t})")).unwrap_or_default();
            println!(
                "    {:<40} {}{source}{}",
                field.name(),
                field.data_type(),
                style(format!("{key}{cursor}")).cyan()
            );
        }
    }

    pub(crate) fn finish(&self, more: bool) {
        if self.json {
            return;
        }
        let rest = if more { "; there are more, raise --limit or narrow with --contains" } else { "" };
        println!("{} streams{rest}", human(self.count));
    }
}

fn stream_json(stream: &StreamInfo) -> serde_json::Value {
    let columns: Vec<_> = stream
        .schema
        .fields()
        .iter()
        .map(|field| {
            json!({"name": field.name(), "type": field.data_type().to_string(), "nullable": field.is_nullable(),
                   "source_type": field.metadata().get(SOURCE_TYPE_KEY)})
        })
        .collect();
    json!({"event": "stream", "id": stream.id, "kind": stream.kind, "rows": stream.rows, "bytes": stream.bytes,
           "primary_key": stream.primary_key, "cursor_candidates": stream.cursor_candidates, "columns": columns,
           "description": stream.description})
}
