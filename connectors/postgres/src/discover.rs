//! Listing streams: tables, views, materialized views, partitioned and foreign tables that this user may read.

use sluice_sdk::{DiscoverFilter, DiscoverPage, Result, StreamInfo};
use sluice_sql::candidates;

use crate::catalog::{self, Attribute, Listing, Relation};
use crate::config::PostgresConfig;
use crate::session::{Purpose, Session};
use crate::types::{self, catalog::column};
use crate::wire::query::text_array;

/// Most streams on a page, whatever is asked for: their columns are held in memory.
const MAX_PAGE: u32 = 500;

/// One page of streams, ordered by id.
pub(crate) fn discover(config: &PostgresConfig, filter: &DiscoverFilter, page: Option<&str>) -> Result<DiscoverPage> {
    let mut session = Session::begin_new(config, Purpose::Catalog)?;
    let size = filter.page_size.clamp(1, MAX_PAGE);
    let listing = Listing {
        after: page,
        ids: (!filter.ids.is_empty()).then(|| text_array(filter.ids.iter().map(String::as_str))),
        contains: Some(filter.contains.as_str()).filter(|text| !text.is_empty()),
        // One more, to know whether another page follows.
        limit: size + 1,
    };
    let mut relations = catalog::relations(&mut session, &listing)?;
    let more = relations.len() > size as usize;
    relations.truncate(size as usize);
    let next = if more { relations.last().map(|relation| relation.id.clone()) } else { None };
    let mut attributes = catalog::attributes(&mut session, relations.iter().map(|relation| relation.oid))?;
    let streams = relations
        .into_iter()
        .map(|relation| {
            let attributes = attributes.remove(&relation.oid).unwrap_or_default();
            stream(config, relation, &attributes)
        })
        .collect();
    Ok(DiscoverPage { streams, next })
}

fn stream(config: &PostgresConfig, relation: Relation, attributes: &[Attribute]) -> StreamInfo {
    let columns: Vec<_> = attributes.iter().filter(|a| a.readable).map(|a| column(&a.column, config)).collect();
    let cursors: Vec<_> = attributes.iter().filter_map(Attribute::candidate).collect();
    StreamInfo {
        kind: relation.kind(),
        schema: types::schema(&columns),
        primary_key: catalog::primary_key(attributes),
        cursor_candidates: candidates::rank(&cursors),
        rows: relation.rows,
        bytes: relation.bytes,
        description: description(&relation, attributes),
        id: relation.id,
    }
}

/// The relation's comment, and what this user does not see of it.
fn description(relation: &Relation, attributes: &[Attribute]) -> Option<String> {
    let mut parts: Vec<String> = relation.comment.iter().cloned().collect();
    let hidden: Vec<_> = attributes.iter().filter(|a| !a.readable).map(|a| a.column.name.as_str()).collect();
    if !hidden.is_empty() {
        parts.push(format!("(Left out, because this user may not read them: {}.)", hidden.join(", ")));
    }
    if relation.row_security {
        parts.push("(Row security is active: only the rows that its policies show this user are read.)".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}
