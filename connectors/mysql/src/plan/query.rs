//! The SELECT of a stream.

use crate::catalog::Relation;
use crate::types::ColumnSpec;

/// A SELECT to which conditions can be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    list: String,
    table: String,
    filter: Option<String>,
}

impl Query {
    pub(super) fn new(relation: &Relation, columns: &[ColumnSpec], filter: Option<&str>) -> Self {
        let list: Vec<_> = columns.iter().map(|column| column.projection.expression(&column.name)).collect();
        Self {
            list: list.join(", "),
            table: relation.quoted(),
            filter: filter.map(str::trim).filter(|filter| !filter.is_empty()).map(str::to_owned),
        }
    }

    /// The query with the filter and these conditions.
    pub(super) fn sql(&self, conditions: &[&str]) -> String {
        self.select(&self.list, conditions)
    }

    /// The same rows, but other columns.
    pub(super) fn select(&self, list: &str, conditions: &[&str]) -> String {
        // The filter is the user's SQL, run with the user's rights in a read-only transaction. The line break keeps a comment
        // at its end from swallowing the parenthesis.
        let filter = self.filter.as_ref().map(|filter| format!("({filter}\n)"));
        let all: Vec<_> = filter.iter().map(String::as_str).chain(conditions.iter().copied()).collect();
        let restriction = if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) };
        format!("SELECT {list} FROM {}{restriction}", self.table)
    }
}
