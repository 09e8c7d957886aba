//! Which columns of a stream are wanted.

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use sluice_core::load::FILE_COLUMN;
use sluice_core::pipeline::StreamSpec;
use sluice_core::{Actor, RunError, error::Kind};

/// The columns that a pipeline chose, in its order; all of them if it chose none. What the names of a stream are
/// assigned over. Where files are replaced, the column that tells a row's file is always among them.
///
/// # Errors
/// Names the field `columns[i]` of a column that is chosen twice or that the stream does not have (any more).
pub fn select(spec: &StreamSpec, source: &SchemaRef) -> Result<SchemaRef, RunError> {
    if spec.columns.is_empty() {
        return Ok(Arc::clone(source));
    }
    let schema = source.project(&indices(spec, source)?).map_err(|error| RunError::internal(error.to_string()))?;
    Ok(Arc::new(Schema::new_with_metadata(schema.fields, source.metadata().clone())))
}

/// Where the chosen columns are in the source's batches.
pub(super) fn indices(spec: &StreamSpec, source: &SchemaRef) -> Result<Vec<usize>, RunError> {
    if spec.columns.is_empty() {
        return Ok((0..source.fields().len()).collect());
    }
    let mut indices = Vec::with_capacity(spec.columns.len());
    for (position, column) in spec.columns.iter().enumerate() {
        let field = format!("columns[{position}]");
        let Some((index, _)) = source.fields().iter().enumerate().find(|(_, field)| field.name() == column) else {
            let message =
                format!("{}; remove it from the pipeline or bring it back at the source", missing(column, source));
            return Err(RunError::new(Kind::NotFound, Actor::User, message).with_field(field).with_stream(&spec.id));
        };
        if indices.contains(&index) {
            let message = format!("the column {column:?} is chosen twice; choose it once");
            return Err(RunError::config(field, message).with_stream(&spec.id));
        }
        indices.push(index);
    }
    let file = source.fields().iter().position(|field| field.name() == FILE_COLUMN).filter(|_| spec.replaces_files());
    indices.extend(file.filter(|file| !indices.contains(file)));
    Ok(indices)
}

/// Says that a column does not exist, and which do.
pub(super) fn missing(column: &str, source: &SchemaRef) -> String {
    const SHOWN: usize = 20;
    let names: Vec<&str> = source.fields().iter().take(SHOWN).map(|field| field.name().as_str()).collect();
    let more = if source.fields().len() > SHOWN { ", …" } else { "" };
    format!("the stream has no column {column:?}; it has {}{more}", names.join(", "))
}
