//! Listing streams: the tables, views and their like of the datasets, and the queries of the configuration.

use sluice_sdk::{DiscoverFilter, DiscoverPage, Error, ErrorKind, Result, StreamInfo, StreamKind, log};
use sluice_sql::candidates::{self, Candidate, Nature};

use crate::config::BigQueryConfig;
use crate::id::{QUERY, StreamId, TableRef, parse};
use crate::rest::Rest;
use crate::rest::jobs::Estimate;
use crate::rest::model::{Field, Table};
use crate::types;

/// Most streams on a page, whatever is asked for: each table is looked at by itself.
const MAX_PAGE: usize = 200;

/// Tables that are looked at at once; the sandbox allows eight requests.
const AT_ONCE: usize = 6;

/// One page of streams, ordered by id.
pub(crate) fn discover(config: &BigQueryConfig, filter: &DiscoverFilter, page: Option<&str>) -> Result<DiscoverPage> {
    let rest = Rest::new(config);
    let size = usize::try_from(filter.page_size).unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE);
    let mut ids = if filter.ids.is_empty() { list(&rest, filter, page, size + 1)? } else { named(filter, page) };
    let more = ids.len() > size;
    ids.truncate(size);
    let next = if more { ids.last().cloned() } else { None };
    let is_named = !filter.ids.is_empty();
    Ok(DiscoverPage { streams: describe(&rest, &ids, is_named)?, next })
}

/// The ids that are asked for, behind the page's.
fn named(filter: &DiscoverFilter, page: Option<&str>) -> Vec<String> {
    let mut ids: Vec<String> = filter.ids.iter().filter(|id| fits(filter, page, id)).cloned().collect();
    ids.sort();
    ids.dedup();
    ids
}

fn fits(filter: &DiscoverFilter, page: Option<&str>, id: &str) -> bool {
    let contained = filter.contains.is_empty() || id.to_lowercase().contains(&filter.contains.to_lowercase());
    contained && page.is_none_or(|page| id > page)
}

/// The first ids behind the page's, at most this many. Datasets are looked at in the order of their tables' ids, so that not
/// all of them must be.
fn list(rest: &Rest<'_>, filter: &DiscoverFilter, page: Option<&str>, most: usize) -> Result<Vec<String>> {
    let config = rest.config;
    let mut sources: Vec<(String, Option<String>)> = datasets(rest)?
        .into_iter()
        .map(|dataset| (format!("{dataset}."), Some(dataset)))
        .chain((!config.queries.is_empty()).then(|| (QUERY.to_owned(), None)))
        .collect();
    sources.sort();
    let mut ids: Vec<String> = Vec::new();
    for (prefix, dataset) in sources {
        // All ids of this source come before the page's.
        if page.is_some_and(|page| !page.starts_with(&prefix) && page > prefix.as_str()) {
            continue;
        }
        let mut found: Vec<String> = match &dataset {
            Some(dataset) => tables(rest, dataset)?,
            None => config.queries.keys().map(|name| format!("{QUERY}{name}")).collect(),
        };
        found.retain(|id| fits(filter, page, id));
        found.sort();
        ids.append(&mut found);
        if ids.len() >= most {
            ids.truncate(most);
            break;
        }
    }
    Ok(ids)
}

fn datasets(rest: &Rest<'_>) -> Result<Vec<String>> {
    let config = rest.config;
    if !config.datasets.is_empty() {
        return Ok(config.datasets.clone());
    }
    rest.datasets(config.home())
}

fn tables(rest: &Rest<'_>, dataset: &str) -> Result<Vec<String>> {
    let home = rest.config.home();
    let mut ids = Vec::new();
    let mut page: Option<String> = None;
    loop {
        let list = rest.tables(home, dataset, page.as_deref())?;
        let entries = list.tables.unwrap_or_default();
        ids.extend(entries.into_iter().filter(|entry| entry.r#type != "MODEL").map(|entry| {
            let table = entry.table_reference.table;
            TableRef { project: home.to_owned(), dataset: dataset.to_owned(), table }.id(home)
        }));
        page = list.next_page_token.filter(|token| !token.is_empty());
        if page.is_none() {
            return Ok(ids);
        }
    }
}

/// Looks at each. What has gone since it was listed, or may not be looked at, is left out unless it was asked for by name.
fn describe(rest: &Rest<'_>, ids: &[String], is_named: bool) -> Result<Vec<StreamInfo>> {
    let home = rest.config.home();
    let mut streams = Vec::with_capacity(ids.len());
    for group in ids.chunks(AT_ONCE) {
        let parsed = group.iter().map(|id| parse(id, home)).collect::<Result<Vec<_>>>()?;
        let tables: Vec<TableRef> = parsed
            .iter()
            .filter_map(|id| match id {
                StreamId::Table(table) => Some(table.clone()),
                StreamId::Query(_) => None,
            })
            .collect();
        let mut described = rest.describe(&tables).into_iter();
        for (id, parsed) in group.iter().zip(&parsed) {
            let info = match parsed {
                StreamId::Table(_) => described
                    .next()
                    .unwrap_or_else(|| Err(Error::internal("a table was not looked at")))
                    .map(|table| table_info(id, &table)),
                StreamId::Query(name) => query_info(rest, id, name),
            };
            match info {
                Ok(info) => streams.push(info),
                Err(error) if is_named || !is_passable(&error) => return Err(error.stream(id)),
                Err(error) => log::warn(format!("{id} is left out: {error}")),
            }
        }
    }
    Ok(streams)
}

fn is_passable(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::NotFound | ErrorKind::Permission | ErrorKind::Config)
}

fn table_info(id: &str, table: &Table) -> StreamInfo {
    let is_table = is_stored(table);
    StreamInfo {
        id: id.to_owned(),
        kind: kind(table),
        schema: types::schema(table.columns()),
        primary_key: table.primary_key().to_vec(),
        cursor_candidates: candidates::rank(&cursor_candidates(table)),
        // What BigQuery says of a view is zero, and means nothing.
        rows: table.rows().filter(|_| is_table),
        bytes: table.bytes().filter(|_| is_table),
        description: table.description.clone().filter(|text| !text.is_empty()),
    }
}

fn query_info(rest: &Rest<'_>, id: &str, name: &str) -> Result<StreamInfo> {
    let (_, estimate) = estimate(rest, id, name)?;
    let table = Table { schema: Some(estimate.schema), ..Table::default() };
    Ok(StreamInfo {
        id: id.to_owned(),
        kind: StreamKind::Query,
        schema: types::schema(table.columns()),
        primary_key: Vec::new(),
        cursor_candidates: candidates::rank(&cursor_candidates(&table)),
        rows: None,
        bytes: None,
        description: estimate.bytes.map(|bytes| format!("Each run's query processes about {bytes} bytes.")),
    })
}

/// The SQL of a query stream, and what BigQuery says of it without running it.
pub(crate) fn estimate<'a>(rest: &Rest<'a>, id: &str, name: &str) -> Result<(&'a str, Estimate)> {
    let sql = query(rest.config, name)?;
    let blame = |error: Error| match error.kind {
        ErrorKind::Config if error.field.is_none() => error.field(format!("/queries/{name}")),
        _ => error,
    };
    Ok((sql, rest.estimate(sql, id).map_err(blame)?))
}

/// The SQL of a query stream.
fn query<'a>(config: &'a BigQueryConfig, name: &str) -> Result<&'a str> {
    config.queries.get(name).map(String::as_str).ok_or_else(|| {
        let known: Vec<&str> = config.queries.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Error::not_found(format!("the configuration has no query {name}; it has {known}")).field("/queries")
    })
}

/// Whether its rows are BigQuery's own, so that the Storage Read API can read them; all else takes a query.
pub(crate) fn is_stored(table: &Table) -> bool {
    matches!(table.r#type.as_str(), "TABLE" | "SNAPSHOT")
}

fn kind(table: &Table) -> StreamKind {
    match table.r#type.as_str() {
        "TABLE" | "SNAPSHOT" if table.is_partitioned() => StreamKind::PartitionedTable,
        "TABLE" | "SNAPSHOT" => StreamKind::Table,
        "VIEW" => StreamKind::View,
        "MATERIALIZED_VIEW" => StreamKind::MaterializedView,
        _ => StreamKind::Other,
    }
}

fn cursor_candidates(table: &Table) -> Vec<Candidate> {
    table.columns().iter().filter_map(|column| candidate(table, column)).collect()
}

/// What a column is as a cursor; none if its values have no order that new rows follow.
pub(crate) fn candidate(table: &Table, column: &Field) -> Option<Candidate> {
    if types::is_array(column) {
        return None;
    }
    let unique = table.primary_key() == [column.name.clone()];
    let nature = match types::standard(column) {
        "TIMESTAMP" | "DATETIME" => Nature::Moment,
        "DATE" => Nature::Day,
        // BigQuery has no counters; a key that is a number most often is one.
        "INT64" if unique => Nature::Counter,
        "INT64" | "NUMERIC" | "BIGNUMERIC" | "STRING" => Nature::Ordered,
        _ => return None,
    };
    Some(Candidate {
        name: column.name.clone(),
        nature,
        indexed: table.is_pruned_by(&column.name),
        unique,
        nullable: !types::is_required(column),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::tests::config;

    fn table(value: serde_json::Value) -> Table {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_partitioned_table_is_one_and_its_partition_column_is_the_best_cursor() {
        let table = table(json!({
            "type": "TABLE", "numRows": "5", "numBytes": "80", "timePartitioning": {"type": "DAY", "field": "created"},
            "tableConstraints": {"primaryKey": {"columns": ["id"]}}, "description": "Orders.",
            "schema": {"fields": [
                {"name": "id", "type": "INTEGER", "mode": "REQUIRED"}, {"name": "name", "type": "STRING"},
                {"name": "tags", "type": "STRING", "mode": "REPEATED"}, {"name": "day", "type": "DATE"},
                {"name": "created", "type": "TIMESTAMP"}, {"name": "updated_at", "type": "DATETIME"},
            ]},
        }));
        let info = table_info("d.t", &table);
        assert_eq!((info.kind, info.rows, info.bytes), (StreamKind::PartitionedTable, Some(5), Some(80)));
        assert_eq!(info.cursor_candidates, ["created", "updated_at", "id", "day"]);
        assert_eq!((info.primary_key, info.description.as_deref()), (vec!["id".to_owned()], Some("Orders.")));
    }

    #[test]
    fn the_size_that_is_said_of_a_view_means_nothing() {
        let info = table_info("d.v", &table(json!({"type": "VIEW", "numRows": "0", "numBytes": "0"})));
        assert_eq!((info.kind, info.rows, info.bytes), (StreamKind::View, None, None));
    }

    #[test]
    fn a_page_goes_on_behind_the_last_id() {
        let filter = DiscoverFilter { contains: "OR".into(), ids: vec![], page_size: 2 };
        assert!(fits(&filter, None, "shop.orders") && !fits(&filter, None, "shop.people"));
        assert!(
            !fits(&filter, Some("shop.orders"), "shop.orders") && fits(&filter, Some("shop.orders"), "shop.orders_2")
        );
    }

    #[test]
    fn a_query_that_is_not_configured_is_told_with_those_that_are() {
        let config = config(json!({"queries": {"a": "SELECT 1", "b": "SELECT 2"}}));
        assert!(query(&config, "c").unwrap_err().message.contains("it has a, b"));
        assert_eq!(query(&config, "a").unwrap(), "SELECT 1");
    }
}
