//! What people and programs see: tables and colours on a terminal, JSON lines otherwise.

pub(crate) mod discover;
pub(crate) mod run;

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_cast::display::FormatOptions;
use arrow_cast::pretty::pretty_format_batches_with_options;
use arrow_schema::{DataType, Field, Schema};
use console::style;
use serde_json::json;
use sluice_core::plan::{CheckStep, Outcome};
use sluice_core::{Actor, Retry, RunError};
use sluice_sinks::local::TableInfo;

use crate::cli::Options;

/// Shows a failure: what is wrong, where, and who has to act.
pub(crate) fn error(options: &Options, error: &RunError) {
    if options.json() {
        println!("{}", json!({"event": "error", "error": error_json(error)}));
        return;
    }
    eprintln!("{} {error}", style("error:").red().bold().for_stderr());
    eprintln!("       {}", style(advice(error)).dim().for_stderr());
}

/// An error as programs get it.
pub(crate) fn error_json(error: &RunError) -> serde_json::Value {
    let retry = match error.retry {
        Retry::Never => json!("never"),
        Retry::Later => json!("later"),
        Retry::After(wait) => json!({"after_seconds": wait.as_secs_f64()}),
    };
    json!({
        "kind": error.kind, "actor": error.actor, "retry": retry, "message": error.message,
        "field": error.field, "stream": error.stream,
    })
}

/// Who has to act, and whether trying again can help.
pub(crate) fn advice(error: &RunError) -> String {
    let who = match error.actor {
        Actor::User => "what you configured has to change",
        Actor::Source => "the source or its connector is to blame",
        Actor::Sink => "the sink is to blame",
        Actor::Host => "this host is to blame",
    };
    let again = match error.retry {
        Retry::Never => "running it again will not help".to_owned(),
        Retry::Later => "running it again may help".to_owned(),
        Retry::After(wait) => format!("running it again may help after {} s", wait.as_secs()),
    };
    format!("{}: {who}; {again}", error.kind)
}

/// Shows one step of a check.
pub(crate) fn step(options: &Options, step: &CheckStep) {
    if options.json() {
        println!(
            "{}",
            json!({"event": "step", "name": step.name, "outcome": step.outcome, "detail": step.detail, "remedy": step.remedy})
        );
        return;
    }
    let mark = match step.outcome {
        Outcome::Passed => style("ok  ").green(),
        Outcome::Warned => style("warn").yellow(),
        Outcome::Failed => style("FAIL").red().bold(),
        Outcome::Skipped => style("skip").dim(),
    };
    println!("{mark}  {}: {}", step.name, step.detail);
    if !step.remedy.is_empty() {
        println!("      {} {}", style("->").cyan(), step.remedy);
    }
}

/// Shows rows as a table, or one JSON object a row.
pub(crate) fn rows(options: &Options, rows: &[RecordBatch]) -> Result<(), RunError> {
    let rows = &rows.iter().map(printable).collect::<Result<Vec<_>, _>>()?;
    if options.json() {
        for batch in rows {
            print_json_rows(batch)?;
        }
        return Ok(());
    }
    let format = FormatOptions::default().with_null("NULL").with_display_error(true);
    let table = pretty_format_batches_with_options(rows, &format)
        .map_err(|e| RunError::internal(format!("the rows cannot be shown: {e}")))?;
    println!("{table}");
    Ok(())
}

/// The batch with its zones as offsets: Arrow prints names of zones only with a table of all zones, and sinks hold UTC only.
pub(crate) fn printable(batch: &RecordBatch) -> Result<RecordBatch, RunError> {
    let wrong = |e: arrow_schema::ArrowError| RunError::internal(format!("the rows cannot be shown: {e}"));
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let shown = offset_zones(field.data_type());
        columns.push(arrow_cast::cast(column, &shown).map_err(wrong)?);
        fields.push(Field::new(field.name(), shown, true));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options).map_err(wrong)
}

/// The type with its zones as offsets, within lists and records too.
fn offset_zones(data_type: &DataType) -> DataType {
    let inside = |field: &Field| field.clone().with_data_type(offset_zones(field.data_type()));
    match data_type {
        DataType::Timestamp(unit, Some(zone)) if zone.eq_ignore_ascii_case("utc") => {
            DataType::Timestamp(*unit, Some("+00:00".into()))
        }
        DataType::List(item) => DataType::List(Arc::new(inside(item))),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| inside(field)).collect()),
        other => other.clone(),
    }
}

fn print_json_rows(batch: &RecordBatch) -> Result<(), RunError> {
    use arrow_cast::display::ArrayFormatter;
    let wrong = |e: arrow_schema::ArrowError| RunError::internal(format!("the rows cannot be shown: {e}"));
    let options = FormatOptions::default().with_display_error(true);
    let schema = batch.schema();
    let columns: Vec<_> = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| Ok((field, column, ArrayFormatter::try_new(column, &options).map_err(wrong)?)))
        .collect::<Result<_, RunError>>()?;
    for row in 0..batch.num_rows() {
        let mut object = serde_json::Map::new();
        for (field, column, formatter) in &columns {
            let value =
                if column.is_null(row) { serde_json::Value::Null } else { json!(formatter.value(row).to_string()) };
            object.insert(field.name().clone(), value);
        }
        println!("{}", serde_json::Value::Object(object));
    }
    Ok(())
}

/// Shows a table of a local warehouse.
pub(crate) fn table(options: &Options, table: &TableInfo) -> Result<(), RunError> {
    if options.json() {
        println!(
            "{}",
            json!({"event": "table", "dataset": table.name.dataset, "table": table.name.table, "rows": table.rows,
                   "bytes": table.bytes, "loads": table.partitions.len()})
        );
        return Ok(());
    }
    println!("{:<40} {:>14} rows {:>10}", table.name.to_string(), human(table.rows), bytes(table.bytes));
    for partition in &table.partitions {
        println!("    {:<36} {:>14} rows {:>10}", partition.folder, human(partition.rows), bytes(partition.bytes));
    }
    Ok(())
}

/// A number with thousands separated.
pub(crate) fn human(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in the unit that reads best.
#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
pub(crate) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    let mut unit = "B";
    for next in ["kB", "MB", "GB", "TB"] {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if unit == "B" { format!("{count} B") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_bytes_scaled() {
        assert_eq!(human(1_234_567), "1,234,567");
        assert_eq!(human(12), "12");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_500_000), "1.5 MB");
    }
}
