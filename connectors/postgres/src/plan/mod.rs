//! Deciding how to read: which query, which bounds, which splits.
//!
//! All streams of a plan are read in one snapshot. The planning session exports it and stays open, idle in its transaction,
//! until the host has read every split; its locks keep the tables from being rewritten meanwhile, so that block numbers
//! ([`full`]) go on to mean the same rows.

mod full;
mod incremental;
mod query;
mod writers;

use sluice_sdk::{Error, Hints, Plan, ReadMode, Result, Selection, Split, StreamPlan, log};

use crate::catalog::{self, Attribute, Listing, Relation};
use crate::config::PostgresConfig;
use crate::read::Descriptor;
use crate::session::{Purpose, Session};
use crate::types::catalog::column;
use crate::types::{self, ColumnSpec};
use crate::wire::query::text_array;
use query::Query;

/// A stream of the plan, looked up.
struct Stream<'a> {
    selection: &'a Selection,
    relation: Relation,
    columns: Vec<ColumnSpec>,
    query: Query,
}

/// Plans, and returns the session that must stay open until every split has been read.
pub(crate) fn plan(config: &PostgresConfig, selections: &[Selection], hints: &Hints) -> Result<(Plan, Session)> {
    let mut session = Session::begin_new(config, Purpose::Catalog)?;
    let bounds = incremental::bounds(config, &mut session, selections)?;
    // A new transaction: its snapshot must be younger than the bounds.
    if bounds.iter().any(Option::is_some) {
        session.renew(config, Purpose::Catalog)?;
    }
    let snapshot = export(config, &mut session)?;
    let mut plan = Plan::default();
    for (index, (selection, bound)) in selections.iter().zip(bounds).enumerate() {
        let (stream, splits) = plan_stream(config, &mut session, selection, bound, hints, snapshot.is_some())
            .map_err(|error| error.stream(&selection.id))?;
        plan.streams.push(stream);
        plan.splits.extend(
            splits
                .into_iter()
                .enumerate()
                .map(|(part, mut split)| {
                    split.descriptor.snapshot.clone_from(&snapshot);
                    (index, part, split)
                })
                .map(|(index, part, split)| finish(&selection.id, index, part, split))
                .collect::<Result<Vec<_>>>()?,
        );
    }
    Ok((plan, session))
}

/// A split that has no id yet.
struct Part {
    descriptor: Descriptor,
    rows: Option<u64>,
    bytes: Option<u64>,
}

fn finish(stream: &str, index: usize, part: usize, split: Part) -> Result<Split> {
    Ok(Split {
        id: format!("{index}-{part}"),
        streams: vec![stream.to_owned()],
        rows: split.rows,
        bytes: split.bytes,
        resumable: split.descriptor.bounded,
        descriptor: serde_json::to_vec(&split.descriptor)?,
    })
}

fn plan_stream(
    config: &PostgresConfig,
    session: &mut Session,
    selection: &Selection,
    bound: Option<incremental::Bound>,
    hints: &Hints,
    shared: bool,
) -> Result<(StreamPlan, Vec<Part>)> {
    let stream = look_up(config, session, selection)?;
    lock(session, &stream)?;
    match bound {
        None => full::plan(session, &stream, hints, shared),
        Some(bound) => incremental::plan(session, &stream, bound, hints, shared),
    }
}

/// Makes the snapshot usable for other sessions; none where the server cannot.
fn export(config: &PostgresConfig, session: &mut Session) -> Result<Option<String>> {
    match session.one("SELECT pg_catalog.pg_export_snapshot()") {
        Ok(row) => Ok(row.text(0).map(str::to_owned)),
        Err(failure) if failure.code().is_some() => {
            let error: Error = failure.into();
            log::info(format!("each stream is read as one split, because the snapshot cannot be shared: {error}"));
            session.renew(config, Purpose::Catalog)?;
            Ok(None)
        }
        Err(failure) => Err(failure.into()),
    }
}

/// Finds a stream and the columns that are wanted of it.
fn look_up<'a>(config: &PostgresConfig, session: &mut Session, selection: &'a Selection) -> Result<Stream<'a>> {
    let (relation, attributes) = find(session, &selection.id)?;
    let columns = choose(config, selection, &attributes)?;
    let query = Query::new(&relation, &columns, selection.filter.as_deref());
    Ok(Stream { selection, relation, columns, query })
}

fn find(session: &mut Session, id: &str) -> Result<(Relation, Vec<Attribute>)> {
    let listing = Listing { ids: Some(text_array([id])), limit: 1, ..Listing::default() };
    let Some(relation) = catalog::relations(session, &listing)?.pop() else {
        return Err(missing(session, id)?);
    };
    let attributes = catalog::attributes(session, [relation.oid])?.remove(&relation.oid).unwrap_or_default();
    Ok((relation, attributes))
}

/// Why a stream is not listed: it is gone, or hidden from this user.
fn missing(session: &mut Session, id: &str) -> Result<Error> {
    let Some((schema, table)) = sluice_sql::id::split(id) else {
        return Ok(Error::not_found(format!("{id} is not the id of a table; ids look like schema.table")));
    };
    let sql = "SELECT quote_ident(n.nspname), quote_ident(c.relname), has_schema_privilege(n.oid, 'USAGE'), quote_ident(current_user)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2";
    let Some(row) = session.query(sql, &[Some(&schema), Some(&table)])?.pop() else {
        let message = format!("{id} does not exist (any more); discover again and choose another stream, or remove it");
        return Ok(Error::not_found(message));
    };
    let (schema, table, user) = (row.string(0), row.string(1), row.string(3));
    let usage = if row.flag(2) { String::new() } else { format!("GRANT USAGE ON SCHEMA {schema} TO {user}; ") };
    let message =
        format!("this user may not read {id}. Its owner can run: {usage}GRANT SELECT ON {schema}.{table} TO {user}");
    Ok(Error::permission(message))
}

fn choose(config: &PostgresConfig, selection: &Selection, attributes: &[Attribute]) -> Result<Vec<ColumnSpec>> {
    if selection.columns.is_empty() {
        let columns: Vec<_> = attributes.iter().filter(|a| a.readable).map(|a| column(&a.column, config)).collect();
        if columns.is_empty() {
            return Err(Error::unsupported(format!("{} has no columns", selection.id)));
        }
        return Ok(columns);
    }
    let wanted = |name: &String| {
        let attribute = attributes.iter().find(|a| a.column.name == *name).ok_or_else(|| {
            let names: Vec<_> = attributes.iter().map(|a| a.column.name.as_str()).collect();
            Error::not_found(format!(
                "column {name} does not exist (any more) in {}; it has {}. Take it out of the selection, or discover again",
                selection.id,
                names.join(", ")
            ))
        })?;
        if !attribute.readable {
            return Err(Error::permission(format!(
                "this user may not read column {name} of {}; its owner can run: GRANT SELECT (…) ON … TO this user",
                selection.id
            )));
        }
        Ok(column(&attribute.column, config))
    };
    selection.columns.iter().map(wanted).collect()
}

/// Reads nothing, which takes the lock that every reader takes, keeps it to the end of the planning session, and finds out
/// whether the server accepts the columns and the filter.
fn lock(session: &mut Session, stream: &Stream<'_>) -> Result<()> {
    session.wire.execute(&format!("{} LIMIT 0", stream.query.sql(&[]))).map(drop).map_err(|failure| {
        let error = Error::from(failure);
        if stream.selection.filter.is_some() {
            error.context("the stream cannot be read with its filter")
        } else {
            error
        }
    })
}

impl Stream<'_> {
    fn part(&self, query: String, hints: &Hints) -> Part {
        let descriptor = Descriptor::new(&self.selection.id, self.columns.clone(), query, hints.batch_bytes);
        Part { descriptor, rows: None, bytes: None }
    }

    fn planned(&self) -> StreamPlan {
        StreamPlan {
            id: self.selection.id.clone(),
            schema: types::schema(&self.columns),
            rows: self.relation.rows,
            bytes: self.relation.bytes,
            state_after: None,
        }
    }
}

/// The cursor column, if the selection is read incrementally.
fn cursor_column(selection: &Selection) -> Option<&str> {
    match &selection.mode {
        ReadMode::Full => None,
        ReadMode::Incremental(column) => Some(column),
    }
}
