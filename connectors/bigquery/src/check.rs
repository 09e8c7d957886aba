//! Trying the configuration, step by step, with a cause and a remedy for each that fails. Nothing here is billed.

use sluice_sdk::{CheckStep, Error, ErrorKind, Result};
use sluice_sql::check::parts;

use crate::config::BigQueryConfig;
use crate::discover::estimate;
use crate::id::TableRef;
use crate::rest::Rest;
use crate::storage::{self, Wanted};

const CONNECT: &str = "connect";
const LOG_IN: &str = "log in";
const LIST: &str = "list";
const READ: &str = "read";
const QUERY: &str = "query";

/// Datasets that are looked through for a table to try.
const LOOKED_AT: usize = 20;

/// Tries each step; what follows a failed one is skipped, but queries can be tried without tables.
pub(crate) fn check(config: &BigQueryConfig) -> Vec<CheckStep> {
    let rest = Rest::new(config);
    let mut steps = Vec::new();
    // What the host refuses (egress, a key that gives no token) ends here as well: nothing was sent.
    if let Err(error) = rest.reach() {
        steps.push(failure(CONNECT, &error));
        steps.extend([LOG_IN, LIST, READ, QUERY].map(CheckStep::skipped));
        return steps;
    }
    match datasets(&rest) {
        Err(error) if error.kind == ErrorKind::Auth => {
            steps.push(reached(config));
            steps.push(failure(LOG_IN, &error));
            steps.extend([LIST, READ, QUERY].map(CheckStep::skipped));
            return steps;
        }
        Err(error) => {
            steps.push(reached(config));
            steps.push(logged_in(config));
            steps.push(failure(LIST, &error));
            steps.push(CheckStep::skipped(READ));
        }
        Ok(found) => {
            steps.push(reached(config));
            steps.push(logged_in(config));
            steps.push(listed(config, &found));
            steps.push(read(config, found.table.as_ref()));
        }
    }
    steps.push(run_query(&rest));
    steps
}

struct Found {
    datasets: usize,
    /// The first table that was met.
    table: Option<TableRef>,
}

fn datasets(rest: &Rest<'_>) -> Result<Found> {
    let config = rest.config;
    let listed = config.datasets.is_empty();
    let names = if listed { rest.datasets(config.home())? } else { config.datasets.clone() };
    let mut found = Found { datasets: names.len(), table: None };
    for (index, name) in names.iter().enumerate() {
        // Those that are configured must all be there; of others the first with a table is enough.
        if listed && (found.table.is_some() || index >= LOOKED_AT) {
            break;
        }
        let tables = rest.tables(config.home(), name, None)?.tables.unwrap_or_default();
        let table = tables.into_iter().find(|entry| entry.r#type == "TABLE").map(|entry| entry.table_reference.table);
        if let (None, Some(table)) = (&found.table, table) {
            found.table = Some(TableRef { project: config.home().to_owned(), dataset: name.clone(), table });
        }
    }
    Ok(found)
}

fn reached(config: &BigQueryConfig) -> CheckStep {
    CheckStep::passed(CONNECT, format!("{} answers", config.rest()))
}

fn logged_in(config: &BigQueryConfig) -> CheckStep {
    // The host keeps keys to itself: a connector does not see whether there is one.
    let detail = match (&config.endpoint, config.application_default) {
        (Some(_), _) => "the endpoint takes the connection's credentials, or wants none",
        (None, true) => "Google accepts the host's identity",
        (None, false) => "Google accepts the connection's key",
    };
    CheckStep::passed(LOG_IN, detail)
}

fn listed(config: &BigQueryConfig, found: &Found) -> CheckStep {
    let home = config.home();
    if found.datasets == 0 {
        let remedy = "Check the data project, and grant roles/bigquery.metadataViewer and roles/bigquery.dataViewer on its datasets";
        return CheckStep::warned(LIST, format!("project {home} has no datasets that this account can see"), remedy);
    }
    CheckStep::passed(LIST, format!("{} datasets of project {home}", found.datasets))
}

/// Opens a session, which is free, and reads nothing.
fn read(config: &BigQueryConfig, table: Option<&TableRef>) -> CheckStep {
    let Some(table) = table else {
        let remedy = "Streams can be read once there are tables; views and queries need the query step only";
        return CheckStep::warned(READ, "there is no table to try", remedy);
    };
    let wanted = Wanted { table, columns: &[], restriction: "", snapshot: None, streams: 1 };
    match storage::create_session(config, &wanted) {
        Ok(_) => CheckStep::passed(READ, format!("a read session on {table} can be opened")),
        Err(error) => failure(READ, &error),
    }
}

/// Tables in full need no queries, so a refusal is a warning; but what is configured must work.
fn run_query(rest: &Rest<'_>) -> CheckStep {
    let config = rest.config;
    for name in config.queries.keys() {
        let stream = format!("{}{name}", crate::id::QUERY);
        if let Err(error) = estimate(rest, &stream, name) {
            return failure(QUERY, &error);
        }
    }
    match rest.estimate("SELECT 1", "a query") {
        Ok(_) if config.queries.is_empty() => CheckStep::passed(QUERY, "queries can be run"),
        Ok(_) => CheckStep::passed(QUERY, format!("all {} queries can be run", config.queries.len())),
        Err(error) => {
            let (detail, remedy) = parts(&error, remedy(QUERY));
            let remedy = format!("Needed for views, queries and incremental reads only: {remedy}");
            CheckStep::warned(QUERY, detail, remedy)
        }
    }
}

fn failure(name: &str, error: &Error) -> CheckStep {
    let (detail, remedy) = parts(error, remedy(name));
    CheckStep::failed(name, detail, remedy)
}

fn remedy(name: &str) -> &'static str {
    match name {
        CONNECT => "Check `endpoint`, and that the host can reach Google's APIs",
        READ => "Check `storage_endpoint`, and that the host can reach bigquerystorage.googleapis.com over HTTP/2",
        _ => "The message is BigQuery's own; its documentation says more",
    }
}

#[cfg(test)]
mod tests {
    use sluice_sdk::Outcome;

    use super::*;

    #[test]
    fn a_refusal_is_told_with_its_remedy_apart() {
        let error =
            Error::permission("opening a session is refused: no. Grant roles/bigquery.readSessionUser on project p");
        let step = failure(READ, &error);
        assert_eq!(step.outcome, Outcome::Failed);
        assert_eq!(step.remedy, "Grant roles/bigquery.readSessionUser on project p");
    }
}
