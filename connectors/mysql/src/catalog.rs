//! Questions to `information_schema`: which tables there are, their columns, keys and sizes.

use std::collections::HashMap;

use sluice_sdk::{Result, StreamKind};
use sluice_sql::candidates::{Candidate, Nature};
use sluice_sql::id;

use crate::session::Session;
use crate::sql;
use crate::types::catalog::CatalogColumn;
use crate::wire::error::Failure;
use crate::wire::query::Row;

/// A table or view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) id: String,
    /// `TABLE_TYPE`.
    pub(crate) class: String,
    /// None for a view.
    pub(crate) engine: Option<String>,
    pub(crate) partitioned: bool,
    pub(crate) comment: Option<String>,
    pub(crate) rows: Option<u64>,
    pub(crate) bytes: Option<u64>,
}

impl Relation {
    pub(crate) fn kind(&self) -> StreamKind {
        match self.class.as_str() {
            _ if self.is_view() => StreamKind::View,
            _ if self.partitioned => StreamKind::PartitionedTable,
            _ => StreamKind::Table,
        }
    }

    pub(crate) fn is_view(&self) -> bool {
        self.class.ends_with("VIEW")
    }

    /// True if reads of it see one moment.
    pub(crate) fn has_snapshots(&self) -> bool {
        self.is_view()
            || self
                .engine
                .as_deref()
                .is_some_and(|engine| matches!(engine, "InnoDB" | "MyRocks" | "ROCKSDB" | "TokuDB"))
    }

    /// For a FROM clause.
    pub(crate) fn quoted(&self) -> String {
        format!("{}.{}", sql::name(&self.schema), sql::name(&self.name))
    }
}

/// A column with all that the catalog says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) column: CatalogColumn,
    pub(crate) readable: bool,
    /// Starts an index over whole values.
    pub(crate) indexed: bool,
    /// Alone makes up such a unique index.
    pub(crate) unique: bool,
    /// Counted up by the database.
    pub(crate) counter: bool,
    /// Place in the primary key, from 1.
    pub(crate) key_position: Option<u32>,
}

/// Which tables to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing<'a> {
    /// Only those of this database.
    pub(crate) schema: Option<&'a str>,
    /// Only ids behind this one.
    pub(crate) after: Option<&'a str>,
    /// Only these.
    pub(crate) tables: Option<Vec<(String, String)>>,
    /// Only ids that contain this, ignoring case.
    pub(crate) contains: Option<&'a str>,
    pub(crate) limit: u32,
}

/// A name as it stands in an id, exactly as `sluice_sql::id` makes it.
fn part_sql(name: &str) -> String {
    let name = format!("CONVERT({name} USING utf8mb4)");
    format!("IF({name} LIKE '%.%' OR {name} LIKE '%\"%', CONCAT('\"', REPLACE({name}, '\"', '\"\"'), '\"'), {name})")
}

/// Bytes of a text, which is how ids are ordered; collations have other ideas.
fn bytes(value: &str) -> String {
    format!("CAST(CONVERT({value} USING utf8mb4) AS BINARY)")
}

/// Lists tables and views by id. Names come first and details only for the page, because details of a table mean opening it.
pub(crate) fn relations(session: &mut Session, listing: &Listing<'_>) -> Result<Vec<Relation>, Failure> {
    let id = format!("CONCAT({}, '.', {})", part_sql("TABLE_SCHEMA"), part_sql("TABLE_NAME"));
    let mut conditions = vec![
        "TABLE_TYPE IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED')".to_owned(),
        "TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')".to_owned(),
    ];
    if let Some(tables) = &listing.tables {
        if tables.is_empty() {
            return Ok(Vec::new());
        }
        conditions.push(these(tables));
    } else if let Some(schema) = listing.schema {
        conditions.push(format!("TABLE_SCHEMA = {}", sql::text(schema)));
    }
    if let Some(after) = listing.after {
        conditions.push(format!("{} > {}", bytes(&id), bytes(&sql::text(after))));
    }
    if let Some(contains) = listing.contains {
        conditions.push(format!("LOCATE(LOWER(CONVERT({} USING utf8mb4)), LOWER({id})) > 0", sql::text(contains)));
    }
    // A name that is compared by a collation can match more than was meant: what is listed is looked at again below.
    let names = session.query(&format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE {} ORDER BY {} LIMIT {}",
        conditions.join(" AND "),
        bytes(&id),
        u64::from(listing.limit) + listing.tables.as_ref().map_or(0, |tables| tables.len() as u64)
    ))?;
    let mut page: Vec<_> = names.rows.iter().map(|row| (row.string(0), row.string(1))).collect();
    if let Some(tables) = &listing.tables {
        page.retain(|name| tables.contains(name));
    }
    page.truncate(listing.limit as usize);
    if page.is_empty() {
        return Ok(Vec::new());
    }
    let details = session.query(&format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, CREATE_OPTIONS, TABLE_COMMENT, TABLE_ROWS, DATA_LENGTH \
         FROM information_schema.TABLES WHERE {}",
        these(&page)
    ))?;
    let mut by_name: HashMap<_, _> = details.rows.iter().map(|row| ((row.string(0), row.string(1)), row)).collect();
    Ok(page.into_iter().filter_map(|name| by_name.remove(&name).map(relation)).collect())
}

/// A condition on schema and table that servers use before they open any table.
fn these(tables: &[(String, String)]) -> String {
    let mut by_schema: Vec<(&str, Vec<&str>)> = Vec::new();
    for (schema, table) in tables {
        match by_schema.iter_mut().find(|(other, _)| other == schema) {
            Some((_, tables)) => tables.push(table),
            None => by_schema.push((schema, vec![table])),
        }
    }
    let one = |(schema, tables): &(&str, Vec<&str>)| {
        format!("(TABLE_SCHEMA = {} AND TABLE_NAME IN ({}))", sql::text(schema), sql::texts(tables.iter().copied()))
    };
    format!("({})", by_schema.iter().map(one).collect::<Vec<_>>().join(" OR "))
}

fn relation(row: &Row) -> Relation {
    let (schema, name, class) = (row.string(0), row.string(1), row.string(2));
    let is_view = class.ends_with("VIEW");
    Relation {
        id: id::join(&schema, &name),
        schema,
        name,
        engine: row.text(3).map(str::to_owned),
        partitioned: row.text(4).is_some_and(|options| options.contains("partitioned")),
        // Of a view it is the word VIEW.
        comment: row.text(5).filter(|text| !text.is_empty() && !is_view).map(str::to_owned),
        rows: row.number(6).filter(|_| !is_view),
        bytes: row.number(7).filter(|_| !is_view),
        class,
    }
}

/// The columns of these tables, in each table's order.
pub(crate) fn attributes(
    session: &mut Session,
    relations: &[&Relation],
) -> Result<HashMap<String, Vec<Attribute>>, Failure> {
    let mut attributes: HashMap<String, Vec<Attribute>> = HashMap::new();
    if relations.is_empty() {
        return Ok(attributes);
    }
    let tables: Vec<_> = relations.iter().map(|relation| (relation.schema.clone(), relation.name.clone())).collect();
    let these = these(&tables);
    let columns = session.query(&format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, NUMERIC_PRECISION, NUMERIC_SCALE, \
         DATETIME_PRECISION, PRIVILEGES, EXTRA FROM information_schema.COLUMNS WHERE {these} \
         ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
    ))?;
    for row in &columns.rows {
        attributes.entry(id::join(&row.string(0), &row.string(1))).or_default().push(attribute(row));
    }
    indexes(session, &these, &mut attributes)?;
    if session.server.mariadb {
        json_columns(session, &these, &mut attributes)?;
    }
    Ok(attributes)
}

fn attribute(row: &Row) -> Attribute {
    let extra = row.string(10).to_lowercase();
    Attribute {
        column: CatalogColumn {
            name: row.string(2),
            data_type: row.string(3).to_lowercase(),
            source_type: row.string(4),
            not_null: row.text(5) == Some("NO"),
            precision: row.number(6),
            scale: row.number(7),
            digits: row.number(8).unwrap_or(0),
            checked_json: false,
        },
        readable: row.string(9).to_lowercase().split(',').any(|privilege| privilege == "select"),
        counter: extra.contains("auto_increment"),
        ..Attribute::default()
    }
}

/// Marks columns that start an index. One over the beginnings of values, or one that is none but for the name (full text,
/// spatial, hidden from the optimizer), does not count.
fn indexes(
    session: &mut Session,
    these: &str,
    attributes: &mut HashMap<String, Vec<Attribute>>,
) -> Result<(), Failure> {
    let usable = match &session.server {
        server if server.mariadb && server.number >= 100_600 => "IGNORED = 'NO'",
        server if !server.mariadb && server.number >= 80_000 => "IS_VISIBLE = 'YES'",
        _ => "TRUE",
    };
    let parts = session.query(&format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, NON_UNIQUE FROM information_schema.STATISTICS \
         WHERE {these} AND INDEX_TYPE = 'BTREE' AND SUB_PART IS NULL AND COLUMN_NAME IS NOT NULL AND (INDEX_NAME = 'PRIMARY' OR {usable})"
    ))?;
    let key = |row: &Row| (id::join(&row.string(0), &row.string(1)), row.string(2));
    let mut lengths: HashMap<_, u32> = HashMap::new();
    for row in &parts.rows {
        let length = lengths.entry(key(row)).or_default();
        *length = (*length).max(row.number(3).unwrap_or(0));
    }
    for row in &parts.rows {
        let (table, index) = key(row);
        let Some(attribute) = attributes
            .get_mut(&table)
            .and_then(|attributes| attributes.iter_mut().find(|a| Some(a.column.name.as_str()) == row.text(4)))
        else {
            continue;
        };
        let position = row.number::<u32>(3).unwrap_or(0);
        if index == "PRIMARY" {
            attribute.key_position = Some(position);
        }
        if position == 1 {
            attribute.indexed = true;
            attribute.unique |= row.text(5) == Some("0") && lengths.get(&(table, index)) == Some(&1);
        }
    }
    Ok(())
}

/// MariaDB's JSON is a text with a check.
fn json_columns(
    session: &mut Session,
    these: &str,
    attributes: &mut HashMap<String, Vec<Attribute>>,
) -> Result<(), Failure> {
    if session.server.number < 100_500 {
        return Ok(());
    }
    let these = these.replace("TABLE_SCHEMA", "CONSTRAINT_SCHEMA");
    let checks = session.query(&format!(
        "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS \
         WHERE {these} AND CHECK_CLAUSE LIKE 'json\\_valid(%)'"
    ))?;
    for row in &checks.rows {
        let clause = row.string(2);
        let table = attributes.get_mut(&id::join(&row.string(0), &row.string(1)));
        for attribute in table.into_iter().flatten() {
            attribute.column.checked_json |= clause == format!("json_valid({})", sql::name(&attribute.column.name));
        }
    }
    Ok(())
}

impl Attribute {
    /// The column as a cursor; none if its type has no order that can be relied on.
    pub(crate) fn candidate(&self) -> Option<Candidate> {
        if !self.readable {
            return None;
        }
        let nature = match self.column.data_type.as_str() {
            "timestamp" | "datetime" => Nature::Moment,
            "date" => Nature::Day,
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" if self.counter => Nature::Counter,
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "char" | "varchar" => Nature::Ordered,
            _ => return None,
        };
        let name = self.column.name.clone();
        Some(Candidate { name, nature, indexed: self.indexed, unique: self.unique, nullable: !self.column.not_null })
    }
}

/// The primary key's columns in their order.
pub(crate) fn primary_key(attributes: &[Attribute]) -> Vec<String> {
    let mut key: Vec<_> = attributes.iter().filter(|a| a.key_position.is_some()).collect();
    key.sort_by_key(|a| a.key_position);
    key.into_iter().map(|a| a.column.name.clone()).collect()
}
