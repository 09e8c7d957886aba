//! The columns of a table, kept beside its files, and how they may change.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::forecast::TableForecast;
use sluice_core::load::{Evolution, LoadStrategy, SNAPSHOT_DATE_COLUMN, TableName, TableSpec};

use super::durable::{create_dirs, io_error, write_atomically};
use super::layout::Layout;
use super::types::{Column, same, wider};

/// How the table's folders are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayoutKind {
    /// A folder for each load.
    Transactional,
    /// A folder for each snapshot date.
    Catalog,
    /// One folder, whose content changes as a whole.
    Files,
}

impl LayoutKind {
    /// The layout that a strategy needs.
    pub(super) fn of(strategy: LoadStrategy) -> Self {
        match strategy {
            LoadStrategy::Transactional => Self::Transactional,
            LoadStrategy::Catalog { .. } => Self::Catalog,
            LoadStrategy::Files => Self::Files,
        }
    }
}

/// The content of `_schema.json`.
#[derive(Serialize, Deserialize)]
struct SchemaFile {
    format: u32,
    layout: LayoutKind,
    columns: Vec<Column>,
}

/// What is known of a table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) layout: LayoutKind,
    pub(super) schema: SchemaRef,
}

impl Table {
    /// Reads the table's schema; `None` if there is no such table.
    pub(super) fn read(layout: &Layout) -> Result<Option<Self>, RunError> {
        let path = layout.schema();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(io_error("reading", &path, &e)),
        };
        let unreadable = |why: String| {
            let message =
                format!("{} cannot be read ({why}); it was changed by hand or by a newer Sluice", path.display());
            RunError::new(Kind::Protocol, Actor::Sink, message)
        };
        let file: SchemaFile = serde_json::from_slice(&text).map_err(|e| unreadable(e.to_string()))?;
        if file.format != 1 {
            return Err(unreadable(format!("its format is {}, this Sluice knows 1", file.format)));
        }
        let fields = file.columns.iter().map(Column::field).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        Ok(Some(Self { layout: file.layout, schema: Arc::new(Schema::new(fields)) }))
    }

    fn write(&self, layout: &Layout) -> Result<(), RunError> {
        let columns = self.schema.fields().iter().map(|field| Column::of(field)).collect();
        let file = SchemaFile { format: 1, layout: self.layout, columns };
        let text =
            serde_json::to_vec_pretty(&file).map_err(|e| RunError::internal(format!("a schema is no JSON: {e}")))?;
        write_atomically(&layout.schema(), &text)
    }
}

/// A short text that changes when the columns do.
pub(super) fn fingerprint(schema: &Schema) -> String {
    let mut digest = Sha256::new();
    for field in schema.fields() {
        digest.update(format!("{:?} {} {}\n", field.name(), field.data_type(), field.is_nullable()));
    }
    sluice_core::hex(digest.finalize().get(..8).unwrap_or_default())
}

/// What [`prepare`] would do.
pub(super) fn foresee(layout: &Layout, spec: &TableSpec) -> Result<TableForecast, RunError> {
    let wanted = wanted(spec)?;
    let Some(table) = Table::read(layout)? else { return Ok(TableForecast::default()) };
    if table.layout != wanted {
        return Err(other_layout(&layout.name, table.layout, wanted));
    }
    match evolve(&table.schema, &spec.schema, spec.evolution) {
        Ok(evolved) => {
            let changes = evolved.map(|evolved| changes(&table.schema, &evolved)).unwrap_or_default();
            Ok(TableForecast { exists: true, changes })
        }
        Err(differences) => Err(refused(&layout.name, spec.evolution, &differences)),
    }
}

/// How a table's columns become others, in words.
fn changes(from: &Schema, to: &Schema) -> Vec<String> {
    let mut changes = Vec::new();
    for field in to.fields() {
        let (name, becomes) = (field.name(), field.data_type());
        match from.field_with_name(name) {
            Err(_) => changes.push(format!("column {name} is added as {becomes}")),
            Ok(old) => {
                if old.data_type() != becomes {
                    changes.push(format!("column {name} is widened from {} to {becomes}", old.data_type()));
                }
                if field.is_nullable() && !old.is_nullable() {
                    changes.push(format!("column {name} may be NULL from then on"));
                }
            }
        }
    }
    changes
}

/// The layout that a load needs, if its columns allow it.
fn wanted(spec: &TableSpec) -> Result<LayoutKind, RunError> {
    let wanted = LayoutKind::of(spec.strategy);
    if wanted == LayoutKind::Catalog && spec.schema.field_with_name(SNAPSHOT_DATE_COLUMN).is_ok() {
        let message = format!(
            "a catalog table gets a column {SNAPSHOT_DATE_COLUMN} of its own, so the stream cannot have one of this name; \
             rename it (`rename: {{{SNAPSHOT_DATE_COLUMN}: …}}`)"
        );
        return Err(RunError::config("rename", message));
    }
    Ok(wanted)
}

/// Creates the table, or brings it up to the spec's columns as its policy allows.
pub(super) fn prepare(layout: &Layout, spec: &TableSpec) -> Result<(), RunError> {
    let wanted = wanted(spec)?;
    create_dirs(&layout.dir)?;
    // Two processes may prepare one table at once, and must not lose each other's columns. The lock ends with the process.
    let folder = File::open(&layout.dir).map_err(|e| io_error("opening", &layout.dir, &e))?;
    folder.lock().map_err(|e| io_error("locking", &layout.dir, &e))?;
    let Some(table) = Table::read(layout)? else {
        return Table { layout: wanted, schema: Arc::clone(&spec.schema) }.write(layout);
    };
    if table.layout != wanted {
        return Err(other_layout(&layout.name, table.layout, wanted));
    }
    match evolve(&table.schema, &spec.schema, spec.evolution) {
        Ok(None) => Ok(()),
        Ok(Some(schema)) => Table { layout: wanted, schema: Arc::new(schema) }.write(layout),
        Err(differences) => Err(refused(&layout.name, spec.evolution, &differences)),
    }
}

fn other_layout(name: &TableName, has: LayoutKind, wants: LayoutKind) -> RunError {
    let called = |layout| match layout {
        LayoutKind::Transactional => "transactional loads",
        LayoutKind::Catalog => "catalog loads",
        LayoutKind::Files => "loads that replace files",
    };
    let message = format!("table {name} was made for {}; {} need a table of their own", called(has), called(wants));
    RunError::config(if wants == LayoutKind::Files { "changed_files" } else { "load" }, message)
}

fn refused(name: &TableName, policy: Evolution, differences: &[String]) -> RunError {
    let advice = match policy {
        Evolution::Evolve => "choose the columns, cast them, or load into a new table",
        Evolution::Freeze => "set `evolution: evolve`, choose the columns, or load into a new table",
    };
    let message = format!("the columns of table {name} do not fit: {}; {advice}", differences.join("; "));
    RunError::new(Kind::SchemaChanged, Actor::User, message)
}

/// The table's columns once a stream's rows are to go into it; `None` if nothing changes.
///
/// # Errors
/// Every difference that the policy does not allow.
fn evolve(table: &Schema, stream: &Schema, policy: Evolution) -> Result<Option<Schema>, Vec<String>> {
    let mut refused = Vec::new();
    let mut fields: Vec<FieldRef> = Vec::new();
    for field in table.fields() {
        match stream.field_with_name(field.name()) {
            Ok(incoming) => match evolve_column(field, incoming, policy) {
                Ok(evolved) => fields.push(Arc::new(evolved)),
                Err(why) => refused.push(why),
            },
            // It keeps the values that it has; new rows have none.
            Err(_) if policy == Evolution::Evolve => fields.push(Arc::new(field.as_ref().clone().with_nullable(true))),
            Err(_) => refused.push(format!("column {} is in the table, but no longer in the stream", field.name())),
        }
    }
    for incoming in stream.fields() {
        if table.field_with_name(incoming.name()).is_ok() {
            continue;
        }
        match policy {
            // Rows that are there already have no value for it.
            Evolution::Evolve => fields.push(Arc::new(incoming.as_ref().clone().with_nullable(true))),
            Evolution::Freeze => refused.push(format!("column {} is new in the stream", incoming.name())),
        }
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    let evolved = Schema::new_with_metadata(fields, table.metadata().clone());
    Ok((evolved != *table).then_some(evolved))
}

fn evolve_column(field: &Field, incoming: &Field, policy: Evolution) -> Result<Field, String> {
    let (has, comes) = (field.data_type(), incoming.data_type());
    let mismatch = || format!("column {} is {has} in the table and {comes} in the stream", field.name());
    let data_type: DataType = match policy {
        Evolution::Evolve => wider(has, comes).ok_or_else(mismatch)?,
        Evolution::Freeze if same(has, comes) => has.clone(),
        Evolution::Freeze => return Err(mismatch()),
    };
    let relaxed = incoming.is_nullable() && !field.is_nullable();
    if relaxed && policy == Evolution::Freeze {
        return Err(format!("column {} is required in the table and may be null in the stream", field.name()));
    }
    Ok(field.clone().with_data_type(data_type).with_nullable(field.is_nullable() || relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_schema::{Fields, TimeUnit};

    fn schema(columns: &[(&str, DataType, bool)]) -> Schema {
        Schema::new(columns.iter().map(|(n, t, null)| Field::new(*n, t.clone(), *null)).collect::<Vec<_>>())
    }

    fn types(schema: &Schema) -> Vec<(String, DataType, bool)> {
        schema.fields().iter().map(|f| (f.name().clone(), f.data_type().clone(), f.is_nullable())).collect()
    }

    #[test]
    fn the_same_columns_change_nothing() {
        let table = schema(&[("a", DataType::Int64, false), ("b", DataType::Utf8, true)]);
        let stream = schema(&[("b", DataType::LargeUtf8, false), ("a", DataType::Int64, false)]);
        for policy in [Evolution::Evolve, Evolution::Freeze] {
            assert_eq!(evolve(&table, &stream, policy), Ok(None));
        }
    }

    #[test]
    fn new_columns_are_nullable_required_ones_relax_and_types_widen() {
        let table =
            schema(&[("a", DataType::Int32, false), ("b", DataType::Int64, true), ("c", DataType::Int64, true)]);
        let stream = schema(&[
            ("a", DataType::Int64, true),
            ("b", DataType::Decimal128(38, 9), true),
            ("c", DataType::Int32, true),
            ("d", DataType::Date32, false),
        ]);
        let evolved = evolve(&table, &stream, Evolution::Evolve).unwrap().unwrap();
        let expected = [
            ("a".into(), DataType::Int64, true),
            ("b".into(), DataType::Decimal128(38, 9), true),
            ("c".into(), DataType::Int64, true),
            ("d".into(), DataType::Date32, true),
        ];
        assert_eq!(types(&evolved), expected);
    }

    #[test]
    fn every_column_that_does_not_fit_is_named() {
        let table = schema(&[("a", DataType::Int64, true), ("b", DataType::Int64, true), ("c", DataType::Utf8, true)]);
        let stream = schema(&[("a", DataType::Utf8, true), ("b", DataType::Date32, true)]);
        let refused = evolve(&table, &stream, Evolution::Evolve).unwrap_err();
        let expected = [
            "column a is Int64 in the table and Utf8 in the stream",
            "column b is Int64 in the table and Date32 in the stream",
        ];
        assert_eq!(refused, expected);
    }

    #[test]
    fn a_column_that_the_stream_has_no_more_stays_and_may_be_null_unless_the_table_is_frozen() {
        let table = schema(&[("a", DataType::Int64, true), ("gone", DataType::Utf8, false)]);
        let stream = schema(&[("a", DataType::Int64, true)]);
        let evolved = evolve(&table, &stream, Evolution::Evolve).unwrap().unwrap();
        assert_eq!(types(&evolved)[1], ("gone".into(), DataType::Utf8, true));
        let refused = evolve(&table, &stream, Evolution::Freeze).unwrap_err();
        assert_eq!(refused, ["column gone is in the table, but no longer in the stream"]);
    }

    #[test]
    fn a_frozen_table_takes_no_difference() {
        let table = schema(&[("a", DataType::Int64, false), ("b", DataType::Int64, false)]);
        let stream =
            schema(&[("a", DataType::Int32, false), ("b", DataType::Int64, true), ("c", DataType::Utf8, true)]);
        let refused = evolve(&table, &stream, Evolution::Freeze).unwrap_err();
        assert_eq!(refused.len(), 3, "{refused:?}");
    }

    #[test]
    fn numbers_and_times_widen_only_where_every_value_fits() {
        let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
        let nanos = DataType::Timestamp(TimeUnit::Nanosecond, None);
        let cases = [
            (DataType::UInt32, DataType::Int32, Some(DataType::Int64)),
            (DataType::UInt64, DataType::Int64, None),
            (DataType::Int64, DataType::Float64, Some(DataType::Float64)),
            (DataType::Decimal128(10, 2), DataType::Decimal128(12, 6), Some(DataType::Decimal128(14, 6))),
            (DataType::Decimal128(38, 9), DataType::Decimal256(76, 38), Some(DataType::Decimal256(76, 38))),
            (DataType::Decimal128(38, 0), DataType::Decimal128(38, 38), Some(DataType::Decimal256(76, 38))),
            (DataType::Decimal128(10, 2), DataType::Float64, None),
            (DataType::Timestamp(TimeUnit::Millisecond, None), micros.clone(), Some(micros.clone())),
            (micros.clone(), nanos, None),
            (micros, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), None),
            (DataType::Utf8, DataType::Binary, None),
        ];
        for (one, other, expected) in cases {
            assert_eq!(wider(&one, &other), expected, "{one} {other}");
            assert_eq!(wider(&other, &one), expected, "{other} {one}");
        }
    }

    #[test]
    fn every_type_is_read_back_as_it_was_written_down() {
        let item = |t| Arc::new(Field::new_list_field(t, true));
        let entries = Field::new(
            "entries",
            DataType::Struct(Fields::from(vec![
                Field::new("k", DataType::Utf8, false),
                Field::new("v", DataType::Int8, true),
            ])),
            false,
        );
        let all = vec![
            DataType::Boolean,
            DataType::UInt64,
            DataType::Float32,
            DataType::Decimal128(38, 9),
            DataType::Decimal256(76, 38),
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            DataType::Timestamp(TimeUnit::Millisecond, Some("+02:00".into())),
            DataType::Timestamp(TimeUnit::Nanosecond, None),
            DataType::Time32(TimeUnit::Millisecond),
            DataType::Time64(TimeUnit::Microsecond),
            DataType::Duration(TimeUnit::Second),
            DataType::Interval(arrow_schema::IntervalUnit::DayTime),
            DataType::FixedSizeBinary(16),
            DataType::LargeBinary,
            DataType::List(item(DataType::List(item(DataType::Date32)))),
            DataType::FixedSizeList(item(DataType::Float32), 3),
            DataType::Map(Arc::new(entries), false),
        ];
        for data_type in all {
            let metadata = [("sluice:source-name".to_owned(), "Größe \"1\"".to_owned())];
            let field = Field::new("x", data_type, true)
                .with_metadata(metadata.into_iter().collect::<std::collections::HashMap<String, String>>());
            let text = serde_json::to_string(&Column::of(&field)).unwrap();
            let column: Column = serde_json::from_str(&text).unwrap();
            assert_eq!(column.field().unwrap(), field, "{text}");
        }
    }
}
