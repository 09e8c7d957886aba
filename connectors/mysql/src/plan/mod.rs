//! Deciding how to read: which query, which bounds, which splits.
//!
//! No two sessions of MySQL can share a snapshot, and the sessions that read are not the one that plans. So a table that is read
//! in full is one split and one snapshot, unless the user has chosen otherwise ([`full`]); and ranges of a cursor column stay the
//! same rows whoever reads them ([`incremental`]).

mod axis;
mod full;
mod incremental;
mod literal;
mod query;
mod writers;

use sluice_sdk::{Error, Hints, Plan, ReadMode, Result, Selection, Split, StreamPlan, log};

use crate::catalog::{self, Attribute, Listing, Relation};
use crate::config::{MysqlConfig, Splits};
use crate::read::Descriptor;
use crate::session::{self, Session};
use crate::types::catalog::column;
use crate::types::{self, ColumnSpec};
use query::Query;

/// A stream of the plan, looked up.
struct Stream<'a> {
    selection: &'a Selection,
    relation: Relation,
    attributes: Vec<Attribute>,
    columns: Vec<ColumnSpec>,
    query: Query,
}

/// A split that has no id yet.
struct Part {
    descriptor: Descriptor,
    rows: Option<u64>,
    bytes: Option<u64>,
}

/// Plans, and returns the session if it holds locks that must last until every split has been read.
pub(crate) fn plan(config: &MysqlConfig, selections: &[Selection], hints: &Hints) -> Result<(Plan, Option<Session>)> {
    let mut session = Session::open(config)?;
    let mut streams = Vec::with_capacity(selections.len());
    for selection in selections {
        streams.push(look_up(config, &mut session, selection).map_err(|error| error.stream(&selection.id))?);
    }
    let bounds = incremental::bounds(config, &mut session, &streams)?;
    let mut plan = Plan::default();
    let mut locked = Vec::new();
    for (index, (stream, bound)) in streams.iter().zip(bounds).enumerate() {
        let id = &stream.selection.id;
        let (planned, parts) = match bound {
            None => full::plan(config, &mut session, stream, hints),
            Some(bound) => incremental::plan(&mut session, stream, bound, hints),
        }
        .map_err(|error| error.stream(id))?;
        // All of them, so that streams of one plan are of the same moment.
        if config.splits == Splits::Locked && stream.selection.mode == ReadMode::Full && !stream.relation.is_view() {
            locked.push(&stream.relation);
        }
        plan.streams.push(planned);
        for (part, split) in parts.into_iter().enumerate() {
            plan.splits.push(finish(id, index, part, split)?);
        }
    }
    if locked.is_empty() {
        return Ok((plan, None));
    }
    lock(&mut session, &locked)?;
    Ok((plan, Some(session)))
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

/// Keeps writers out until the session ends. Waits for those that are at work.
fn lock(session: &mut Session, relations: &[&Relation]) -> Result<()> {
    let tables: Vec<_> = relations.iter().map(|relation| format!("{} READ", relation.quoted())).collect();
    session.execute(&format!("LOCK TABLES {}", tables.join(", "))).map_err(|failure| match failure.code() {
        Some(1044 | 1142) => {
            let message = "splits of a locked table need the right to lock it. An administrator can run: GRANT LOCK TABLES ON database.* TO the user";
            Error::permission(message).field("/splits")
        }
        _ => Error::from(failure).context("locking for `splits: locked`"),
    })?;
    log::info(format!("{} tables are locked against writers until they have been read", relations.len()));
    Ok(())
}

/// Finds a stream and the columns that are wanted of it, and finds out whether the server accepts them and the filter.
fn look_up<'a>(config: &MysqlConfig, session: &mut Session, selection: &'a Selection) -> Result<Stream<'a>> {
    let (relation, attributes) = find(session, &selection.id)?;
    let columns = choose(config, session, selection, &relation, &attributes)?;
    let query = Query::new(&relation, &columns, selection.filter.as_deref());
    session.execute(&format!("{} LIMIT 0", query.sql(&[]))).map_err(|failure| {
        let error = Error::from(failure);
        if selection.filter.is_some() { error.context("the stream cannot be read with its filter") } else { error }
    })?;
    if !relation.has_snapshots() {
        let engine = relation.engine.as_deref().unwrap_or("without a name");
        log::warn(format!(
            "{}: the engine {engine} has no snapshots; what changes during the read may be read in part",
            relation.id
        ));
    }
    Ok(Stream { selection, relation, attributes, columns, query })
}

fn find(session: &mut Session, id: &str) -> Result<(Relation, Vec<Attribute>)> {
    let Some(name) = sluice_sql::id::split(id) else {
        return Err(Error::not_found(format!("{id} is not the id of a table; ids look like database.table")));
    };
    let listing = Listing { tables: Some(vec![name.clone()]), limit: 1, ..Listing::default() };
    let Some(relation) = catalog::relations(session, &listing)?.pop() else {
        return Err(missing(session, id, &name)?);
    };
    let attributes = catalog::attributes(session, &[&relation])?.remove(&relation.id).unwrap_or_default();
    Ok((relation, attributes))
}

/// Why a table is not listed: it is gone, or hidden from this user. Who has no right to a database is not told which.
fn missing(session: &mut Session, id: &str, (schema, table): &(String, String)) -> Result<Error> {
    let quoted = format!("{}.{}", crate::sql::name(schema), crate::sql::name(table));
    match session.execute(&format!("SELECT 1 FROM {quoted} LIMIT 0")) {
        Err(failure) if matches!(failure.code(), Some(1044 | 1142)) => {
            let user = session::current_user(session)?;
            let message = format!(
                "this user may not read {id}, or it does not exist. An administrator can run: GRANT SELECT ON {quoted} TO {user}"
            );
            Ok(Error::permission(message))
        }
        Err(failure) if failure.code().is_none() => Err(failure.into()),
        _ => {
            let message =
                format!("{id} does not exist (any more); discover again and choose another stream, or remove it");
            Ok(Error::not_found(message))
        }
    }
}

fn choose(
    config: &MysqlConfig,
    session: &mut Session,
    selection: &Selection,
    relation: &Relation,
    attributes: &[Attribute],
) -> Result<Vec<ColumnSpec>> {
    let axis_option = session.server.has_axis_option();
    let spec = |attribute: &Attribute| column(&attribute.column, config, axis_option);
    if selection.columns.is_empty() {
        let columns: Vec<_> = attributes.iter().filter(|a| a.readable).map(spec).collect();
        if columns.is_empty() {
            return Err(denied(session, relation, None)?);
        }
        return Ok(columns);
    }
    let mut columns = Vec::with_capacity(selection.columns.len());
    for name in &selection.columns {
        let Some(attribute) = attributes.iter().find(|a| a.column.name == *name) else {
            let names: Vec<_> = attributes.iter().map(|a| a.column.name.as_str()).collect();
            return Err(Error::not_found(format!(
                "column {name} does not exist (any more) in {}; it has {}. Take it out of the selection, or discover again",
                selection.id,
                names.join(", ")
            )));
        };
        if !attribute.readable {
            return Err(denied(session, relation, Some(name))?);
        }
        columns.push(spec(attribute));
    }
    Ok(columns)
}

/// The table, or one of its columns, may not be read.
fn denied(session: &mut Session, relation: &Relation, column: Option<&str>) -> Result<Error> {
    let user = session::current_user(session)?;
    let table = relation.quoted();
    Ok(Error::permission(match column {
        None => format!(
            "this user may not read {}. An administrator can run: GRANT SELECT ON {table} TO {user}",
            relation.id
        ),
        Some(column) => format!(
            "this user may not read column {column} of {}. An administrator can run: GRANT SELECT ({}) ON {table} TO {user}",
            relation.id,
            crate::sql::name(column)
        ),
    }))
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

    /// The cursor column, if the stream is read incrementally.
    fn cursor_column(&self) -> Option<&str> {
        match &self.selection.mode {
            ReadMode::Full => None,
            ReadMode::Incremental(column) => Some(column),
        }
    }
}
