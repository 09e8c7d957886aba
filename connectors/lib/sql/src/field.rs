//! Fields as the contract wants them: with the type's name at the source, and what a text means.

use std::collections::HashMap;

use arrow_schema::{DataType, Field};

/// Field metadata: the type's name at the source.
const SOURCE_TYPE: &str = "sluice:source-type";
/// Field metadata: what a text column means.
const LOGICAL_TYPE: &str = "sluice:logical-type";

/// A field with the name of its type at the source.
pub fn field(name: &str, data_type: DataType, nullable: bool, source_type: &str) -> Field {
    let metadata = HashMap::from([(SOURCE_TYPE.to_owned(), source_type.to_owned())]);
    Field::new(name, data_type, nullable).with_metadata(metadata)
}

/// The same field, its text marked as JSON.
#[must_use]
pub fn json(field: Field) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.insert(LOGICAL_TYPE.to_owned(), "json".to_owned());
    field.with_metadata(metadata)
}
