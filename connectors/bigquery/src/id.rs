//! Stream ids: `dataset.table` in the data project, `project.dataset.table` in another one, `query:name` for a query.

use std::fmt;

use serde::{Deserialize, Serialize};
use sluice_sdk::{Error, Result};

use crate::config::{is_dataset, is_project};
use crate::sql::quote;

/// What the id of a query begins with. No project's id can be `query:…`, because before the colon stands a domain.
pub(crate) const QUERY: &str = "query:";

/// A table, or something else that has the name of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TableRef {
    #[serde(rename = "projectId")]
    pub(crate) project: String,
    #[serde(rename = "datasetId")]
    pub(crate) dataset: String,
    #[serde(rename = "tableId")]
    pub(crate) table: String,
}

/// What a stream's id names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StreamId {
    Table(TableRef),
    Query(String),
}

impl TableRef {
    /// The stream's id, given the project that holds the data.
    pub(crate) fn id(&self, home: &str) -> String {
        let Self { project, dataset, table } = self;
        if project == home { format!("{dataset}.{table}") } else { format!("{project}.{dataset}.{table}") }
    }

    /// As the Storage Read API names it.
    pub(crate) fn path(&self) -> String {
        format!("projects/{}/datasets/{}/tables/{}", self.project, self.dataset, self.table)
    }

    /// As SQL names it.
    pub(crate) fn sql(&self) -> String {
        quote(&self.to_string())
    }
}

impl fmt::Display for TableRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.project, self.dataset, self.table)
    }
}

/// Takes an id apart.
pub(crate) fn parse(id: &str, home: &str) -> Result<StreamId> {
    if let Some(name) = id.strip_prefix(QUERY) {
        return Ok(StreamId::Query(name.to_owned()));
    }
    let mut parts = id.rsplitn(3, '.');
    let (table, dataset, project) = (parts.next(), parts.next(), parts.next().unwrap_or(home));
    let wrong = || {
        Error::not_found(format!(
            "{id} is not the id of a stream; ids look like dataset.table, project.dataset.table or {QUERY}name"
        ))
    };
    let (Some(table), Some(dataset)) = (table, dataset) else { return Err(wrong()) };
    if table.is_empty() || !is_dataset(dataset) || !is_project(project) || table.contains(['/', '`']) {
        return Err(wrong());
    }
    if table.contains(['*', '$', '@']) {
        return Err(Error::unsupported(format!(
            "{id}: wildcards and decorators are not read as a table; offer a query as a stream instead, e.g. \
             `queries: {{name: \"SELECT * FROM …\"}}`"
        )));
    }
    let (project, dataset, table) = (project.to_owned(), dataset.to_owned(), table.to_owned());
    Ok(StreamId::Table(TableRef { project, dataset, table }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(project: &str, dataset: &str, table: &str) -> TableRef {
        TableRef { project: project.into(), dataset: dataset.into(), table: table.into() }
    }

    #[test]
    fn an_id_leads_back_to_its_table() {
        for it in [
            table("home", "shop", "orders"),
            table("bigquery-public-data", "stackoverflow", "posts_questions"),
            table("example.com:old", "d", "t"),
            table("home", "d", "Grüße und mehr"),
        ] {
            assert_eq!(parse(&it.id("home"), "home").unwrap(), StreamId::Table(it.clone()), "{it}");
        }
        assert_eq!(parse("query:top", "home").unwrap(), StreamId::Query("top".into()));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for id in ["", "orders", ".t", "d.", "a b.t", "../x.d.t", "d.t`"] {
            assert!(parse(id, "home").unwrap_err().message.contains("not the id"), "{id}");
        }
        assert!(parse("ga.events_*", "home").unwrap_err().message.contains("queries"));
    }

    #[test]
    fn a_table_has_a_name_for_each_api() {
        let it = table("p-1", "d", "t");
        assert_eq!(it.path(), "projects/p-1/datasets/d/tables/t");
        assert_eq!(it.sql(), "`p-1.d.t`");
    }
}
