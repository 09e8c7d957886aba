//! The transform as the engine uses it: policies, counts, names, and what is not copied.

mod casts;
mod native;
mod policies;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema, SchemaRef};
use sluice_core::RunError;
use sluice_core::load::LOGICAL_TYPE_KEY;
use sluice_core::naming;
use sluice_core::pipeline::{CastSpec, Misfit, StreamSpec};

use super::{Transform, Transformed, select};

/// A stream with everything at its default.
fn spec() -> StreamSpec {
    serde_json::from_str(r#"{"id": "public.t"}"#).unwrap()
}

fn spec_with(policy: Misfit) -> StreamSpec {
    StreamSpec { on_misfit: policy, ..spec() }
}

/// A stream whose column `c` is cast.
fn casting(to: &str, policy: Misfit) -> StreamSpec {
    let mut spec = spec_with(policy);
    spec.cast.insert("c".into(), CastSpec { to: to.into(), on_misfit: None });
    spec
}

/// A batch of these columns, all nullable.
fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.iter().map(|(_, array)| Arc::clone(array)).collect())
        .unwrap()
}

fn json(name: &str) -> Field {
    let meaning = HashMap::from([(LOGICAL_TYPE_KEY.to_owned(), "json".to_owned())]);
    Field::new(name, arrow_schema::DataType::Utf8, true).with_metadata(meaning)
}

/// A sink that takes everything as it is.
#[allow(clippy::unnecessary_wraps, reason = "has the form of a sink's answer")]
fn as_is(schema: &SchemaRef) -> Result<SchemaRef, RunError> {
    Ok(Arc::clone(schema))
}

/// A sink that wants the first column like this.
fn wants(field: Field) -> impl Fn(&SchemaRef) -> Result<SchemaRef, RunError> {
    move |schema| {
        let mut fields = schema.fields().to_vec();
        fields[0] = Arc::new(field.clone());
        Ok(Arc::new(Schema::new(fields)))
    }
}

fn transform(
    spec: &StreamSpec,
    schema: &SchemaRef,
    native: impl Fn(&SchemaRef) -> Result<SchemaRef, RunError>,
) -> Result<Transform, RunError> {
    let names = naming::assign_fields(&naming::Names::new(), select(spec, schema)?.fields(), &spec.rename, &[])?;
    Transform::new(spec, schema, &names, native)
}

fn run(spec: &StreamSpec, batch: &RecordBatch) -> Result<Transformed, RunError> {
    run_into(spec, batch, as_is)
}

fn run_into(
    spec: &StreamSpec,
    batch: &RecordBatch,
    native: impl Fn(&SchemaRef) -> Result<SchemaRef, RunError>,
) -> Result<Transformed, RunError> {
    transform(spec, batch.schema_ref(), native)?.apply(batch.clone())
}

/// The first column, every value as text, `∅` for NULL.
fn shown(batch: &RecordBatch) -> Vec<String> {
    let column = batch.column(0);
    let show = |row| match column.as_string_opt::<i32>() {
        _ if column.is_null(row) => "∅".to_owned(),
        Some(texts) => texts.value(row).to_owned(),
        None => {
            let mut text = String::new();
            super::json_row::write_value(&mut text, column, row).unwrap();
            text.trim_matches('"').to_owned()
        }
    };
    (0..column.len()).map(show).collect()
}
