//! One column of the output: where it comes from, its steps, and what happens to a value that does not fit.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::load::{LOGICAL_TYPE_KEY, SOURCE_NAME_KEY};
use sluice_core::naming::{self, Names};
use sluice_core::pipeline::{Misfit, StreamSpec};

use super::cast_type::{self, CastType};
use super::convert::{Kernel, Manner, is_json, plan_field};
use super::nested::Part;

/// A column on its way from the source's batch to the sink's.
#[derive(Clone)]
pub(super) struct Column {
    /// Where it is in the source's batch.
    pub(super) index: usize,
    /// Its name at the source.
    pub(super) source: String,
    /// The steps of a cast that the user wrote.
    pub(super) asked: Vec<Kernel>,
    /// The steps to the sink's type, and whether it may be NULL there.
    pub(super) native: Part,
    /// What happens to a value that does not fit.
    pub(super) policy: Misfit,
    /// The type it has to fit, for messages.
    pub(super) words: String,
    /// The field to change if it does not fit: `cast.<column>` or `on_misfit`.
    pub(super) setting: String,
}

/// A column whose name and cast are known, but not yet the sink's type.
pub(super) struct Draft {
    pub(super) index: usize,
    pub(super) source: FieldRef,
    pub(super) cast: Option<CastType>,
    pub(super) asked: Vec<Kernel>,
    pub(super) policy: Misfit,
    /// The field after select, rename and cast: what the sink is asked about.
    pub(super) field: FieldRef,
}

impl Draft {
    pub(super) fn new(spec: &StreamSpec, index: usize, source: &FieldRef, names: &Names) -> Result<Self, RunError> {
        let wanted = spec.cast.get(source.name());
        let cast = wanted.map(|cast| cast_type::parse(source.name(), &cast.to)).transpose()?;
        let policy = wanted.and_then(|cast| cast.on_misfit).unwrap_or(spec.on_misfit);
        let field = renamed(source, names, None)?;
        let (field, asked) = match &cast {
            None => (field, Vec::new()),
            Some(cast) => {
                let field = retyped(&field, cast);
                let asked = plan_field(source, &field, Manner::Asked, 0)
                    .map_err(|why| RunError::config(format!("cast.{}.to", source.name()), why))?;
                (field, asked)
            }
        };
        // A cast may find a value that does not fit in a column that has no NULL at its source.
        let nullable = field.is_nullable() || policy == Misfit::Null && !asked.is_empty();
        let field = Arc::new(field.with_nullable(nullable));
        Ok(Self { index, source: Arc::clone(source), cast, asked, policy, field })
    }

    /// The column, now that the sink has said what it takes, and its field in the output.
    pub(super) fn finish(self, native: &Field) -> Result<(Column, FieldRef), RunError> {
        let source = self.source.name().clone();
        let to = self.native_field(native);
        let from = self.before_native();
        let failed = |why: String| {
            let message =
                format!("the column {source:?} cannot be brought into the sink's type: {why}; cast or leave it out");
            RunError::new(Kind::Unsupported, Actor::User, message).with_field(format!("cast.{source}"))
        };
        let mut part = Part::new(&from, &to, Manner::Native, 0).map_err(failed)?;
        let mut to = to;
        let takes_no_null = !to.is_nullable() && !matches!(to.data_type(), DataType::List(_));
        let may_misfit = !part.is_empty() || !self.asked.is_empty();
        if self.policy == Misfit::Null && takes_no_null && may_misfit {
            to = Arc::new(to.as_ref().clone().with_nullable(true));
            part = Part::new(&from, &to, Manner::Native, 0).map_err(failed)?;
        }
        let words = cast_type::words(to.data_type(), is_json(&to));
        let setting = if self.cast.is_some() { format!("cast.{source}.on_misfit") } else { "on_misfit".into() };
        let column =
            Column { index: self.index, source, asked: self.asked, native: part, policy: self.policy, words, setting };
        Ok((column, to))
    }

    /// The field as the source's array has it when the native steps begin: nested names are still the source's.
    fn before_native(&self) -> Field {
        match self.cast {
            Some(_) => self.field.as_ref().clone(),
            None => self.source.as_ref().clone().with_nullable(self.field.is_nullable()),
        }
    }

    /// The sink's type under our name, with what our field's metadata says kept.
    fn native_field(&self, native: &Field) -> FieldRef {
        let mut metadata = self.field.metadata().clone();
        metadata.extend(native.metadata().clone());
        Arc::new(native.clone().with_name(self.field.name()).with_metadata(metadata))
    }
}

/// The field under its name in the sink, all levels down; the name at the source is kept where it differs.
fn renamed(field: &Field, names: &Names, parent: Option<&str>) -> Result<Field, RunError> {
    let path = naming::path_key(parent, field.name());
    let name = names
        .get(&path)
        .ok_or_else(|| RunError::internal(format!("the column {path:?} was given no name before the transform")))?;
    let mut metadata = field.metadata().clone();
    metadata.remove(SOURCE_NAME_KEY);
    if name != field.name() {
        metadata.insert(SOURCE_NAME_KEY, field.name().clone());
    }
    let data_type = renamed_type(field.data_type(), names, &path)?;
    Ok(Field::new(name, data_type, field.is_nullable()).with_metadata(metadata))
}

fn renamed_type(data_type: &DataType, names: &Names, path: &str) -> Result<DataType, RunError> {
    let item = |item: &FieldRef| -> Result<FieldRef, RunError> {
        let inner = renamed_type(item.data_type(), names, path)?;
        Ok(Arc::new(item.as_ref().clone().with_data_type(inner)))
    };
    Ok(match data_type {
        DataType::Struct(fields) => {
            let fields: Result<Fields, RunError> =
                fields.iter().map(|field| renamed(field, names, Some(path)).map(Arc::new)).collect();
            DataType::Struct(fields?)
        }
        DataType::List(field) => DataType::List(item(field)?),
        DataType::LargeList(field) => DataType::LargeList(item(field)?),
        DataType::ListView(field) => DataType::ListView(item(field)?),
        DataType::LargeListView(field) => DataType::LargeListView(item(field)?),
        DataType::FixedSizeList(field, size) => DataType::FixedSizeList(item(field)?, *size),
        DataType::Map(field, sorted) => DataType::Map(item(field)?, *sorted),
        other => other.clone(),
    })
}

/// The field with a cast's type; what text meant before the cast is forgotten.
fn retyped(field: &Field, cast: &CastType) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.remove(LOGICAL_TYPE_KEY);
    if cast.json {
        metadata.insert(LOGICAL_TYPE_KEY, "json");
    }
    field.clone().with_data_type(cast.data_type.clone()).with_metadata(metadata)
}

/// Every cast must concern a column that is read.
pub(super) fn check_casts(spec: &StreamSpec, columns: &BTreeMap<&str, usize>) -> Result<(), RunError> {
    match spec.cast.keys().find(|column| !columns.contains_key(column.as_str())) {
        Some(column) => {
            let message =
                format!("there is no column {column:?} among those that are read; remove the cast or correct it");
            Err(RunError::config(format!("cast.{column}"), message))
        }
        None => Ok(()),
    }
}
