//! Which load of a stream came last: a label of the table.

use google_cloud_bigquery_v2::model::Table;
use sluice_core::RunError;
use sluice_core::load::{LoadId, TableName};
use sluice_core::mark::{Author, Standing};

use super::rest::Rest;
use super::retry::repeatedly;

/// Longest value of a label.
const LONGEST: usize = 63;

/// Which load put the author's mark on the table.
pub(crate) async fn standing(rest: &Rest, name: &TableName, author: &Author) -> Result<Standing, RunError> {
    let doing = || format!("reading the labels of table {}.{name}", rest.project);
    let Some(table) = rest.table(name).await.map_err(|f| f.into_run_error(&doing()))? else {
        return Ok(Standing::NoTable);
    };
    Ok(match table.labels.get(author.as_str()) {
        Some(load) => Standing::Marked(LoadId::from(load.clone())),
        None => Standing::Unmarked,
    })
}

/// Puts the author's mark on the table. It names no etag: a patch of one label changes nothing else, and only one process at a time
/// runs a pipeline.
pub(crate) async fn write(rest: &Rest, name: &TableName, author: &Author, load: &LoadId) -> Result<(), RunError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if load.as_str().len() > LONGEST || !load.as_str().chars().all(fits) {
        return Err(RunError::internal(format!("load {load} cannot be the value of a label")));
    }
    let body = || Table::new().set_labels([(author.as_str(), load.as_str())]);
    let marked = repeatedly(|| rest.patch_table(name, body(), "")).await;
    marked.map_err(|f| {
        let doing = format!(
            "naming load {load} in label {} of table {}.{name} (a table has at most 64 labels)",
            author.as_str(),
            rest.project
        );
        f.into_run_error(&doing)
    })
}
