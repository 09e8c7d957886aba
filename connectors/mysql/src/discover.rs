//! Listing streams: tables and views that this user may read.

use sluice_sdk::{DiscoverFilter, DiscoverPage, Result, StreamInfo};
use sluice_sql::{candidates, id};

use crate::catalog::{self, Attribute, Listing, Relation};
use crate::config::MysqlConfig;
use crate::session::Session;
use crate::types::{self, catalog::column};

/// Most streams on a page, whatever is asked for: their columns are held in memory.
const MAX_PAGE: u32 = 500;

/// One page of streams, ordered by id. What this user may not read a column of is not listed.
pub(crate) fn discover(config: &MysqlConfig, filter: &DiscoverFilter, page: Option<&str>) -> Result<DiscoverPage> {
    let mut session = Session::open(config)?;
    let size = filter.page_size.clamp(1, MAX_PAGE);
    let listing = Listing {
        schema: config.database.as_deref(),
        after: page,
        tables: (!filter.ids.is_empty()).then(|| filter.ids.iter().filter_map(|text| id::split(text)).collect()),
        contains: Some(filter.contains.as_str()).filter(|text| !text.is_empty()),
        // One more, to know whether another page follows.
        limit: size + 1,
    };
    let mut relations = catalog::relations(&mut session, &listing)?;
    let more = relations.len() > size as usize;
    relations.truncate(size as usize);
    let next = if more { relations.last().map(|relation| relation.id.clone()) } else { None };
    let mut attributes = catalog::attributes(&mut session, &relations.iter().collect::<Vec<_>>())?;
    let axis_option = session.server.has_axis_option();
    let streams = relations
        .into_iter()
        .filter_map(|relation| {
            let attributes = attributes.remove(&relation.id).unwrap_or_default();
            attributes.iter().any(|a| a.readable).then(|| stream(config, axis_option, relation, &attributes))
        })
        .collect();
    Ok(DiscoverPage { streams, next })
}

fn stream(config: &MysqlConfig, axis_option: bool, relation: Relation, attributes: &[Attribute]) -> StreamInfo {
    let columns: Vec<_> =
        attributes.iter().filter(|a| a.readable).map(|a| column(&a.column, config, axis_option)).collect();
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

/// The table's comment, and what should be known of it.
fn description(relation: &Relation, attributes: &[Attribute]) -> Option<String> {
    let mut parts: Vec<String> = relation.comment.iter().cloned().collect();
    let hidden: Vec<_> = attributes.iter().filter(|a| !a.readable).map(|a| a.column.name.as_str()).collect();
    if !hidden.is_empty() {
        parts.push(format!("(Left out, because this user may not read them: {}.)", hidden.join(", ")));
    }
    if !relation.has_snapshots() {
        let engine = relation.engine.as_deref().unwrap_or("without a name");
        parts.push(format!("(The engine {engine} has no snapshots: what changes during a read may be read in part.)"));
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}
