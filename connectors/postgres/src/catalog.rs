//! Questions to PostgreSQL's catalog: which relations there are, their columns, keys and sizes.

use std::collections::HashMap;

use sluice_sdk::{Result, StreamKind};
use sluice_sql::candidates::{Candidate, Nature};

use crate::session::Session;
use crate::types::catalog::{CatalogColumn, CatalogType};
use crate::wire::error::Failure;
use crate::wire::query::Row;

/// A table, view or the like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    pub(crate) oid: u32,
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) id: String,
    /// `relkind`.
    pub(crate) class: String,
    pub(crate) comment: Option<String>,
    /// True if row security shows this user only some rows.
    pub(crate) row_security: bool,
    /// Over all partitions and children.
    pub(crate) rows: Option<u64>,
    pub(crate) bytes: Option<u64>,
}

impl Relation {
    pub(crate) fn kind(&self) -> StreamKind {
        match self.class.as_str() {
            "r" => StreamKind::Table,
            "v" => StreamKind::View,
            "m" => StreamKind::MaterializedView,
            "p" => StreamKind::PartitionedTable,
            _ => StreamKind::Other,
        }
    }
}

/// A column with all that the catalog says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) column: CatalogColumn,
    /// The base type's name, without modifier.
    pub(crate) type_name: String,
    pub(crate) readable: bool,
    /// Starts a valid index over all rows.
    pub(crate) indexed: bool,
    /// Alone makes up such a unique index.
    pub(crate) unique: bool,
    /// Counted up by the database.
    pub(crate) counter: bool,
    /// Place in the primary key, from 1.
    pub(crate) key_position: Option<u32>,
}

/// Objects that a user has made are numbered from here.
const FIRST_USER_OID: u32 = 16_384;

/// Ids in SQL exactly as `sluice_sql::id` makes them.
macro_rules! id_sql {
    () => {
        "((CASE WHEN n.nspname ~ '[.\"]' THEN '\"' || replace(n.nspname::text, '\"', '\"\"') || '\"' ELSE n.nspname::text END)
        || '.' ||
        (CASE WHEN c.relname ~ '[.\"]' THEN '\"' || replace(c.relname::text, '\"', '\"\"') || '\"' ELSE c.relname::text END))
        COLLATE \"C\""
    };
}

/// A page of relations by id. Sizes are not asked of a relation that somebody has locked against readers (a running
/// `ALTER TABLE` must not hold up a listing); for those, the catalog's last known size stands in.
const RELATIONS: &str = concat!(
    "WITH listed AS (
  SELECT c.oid, n.nspname, c.relname, c.relkind, ",
    id_sql!(),
    " AS id, c.relrowsecurity
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f')
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND (NOT c.relispartition OR $2::text[] IS NOT NULL)
    AND has_schema_privilege(n.oid, 'USAGE')
    AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'))
), page AS (
  SELECT * FROM listed
  WHERE ($1::text IS NULL OR id > $1) AND ($2::text[] IS NULL OR id = ANY ($2))
    AND ($3::text IS NULL OR position(lower($3) IN lower(id)) > 0)
  ORDER BY id LIMIT $4::int
), locked AS MATERIALIZED (
  SELECT relation FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation IS NOT NULL
)
SELECT page.oid, page.nspname, page.relname, page.id, page.relkind, obj_description(page.oid, 'pg_class'),
  page.relrowsecurity AND row_security_active(page.oid), sizes.rows, sizes.bytes
FROM page LEFT JOIN LATERAL (
  WITH RECURSIVE tree(oid) AS (
    SELECT page.oid UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid
  ), leaf AS (
    SELECT c.relkind, c.reltuples, c.relpages,
      CASE WHEN c.relkind NOT IN ('r', 'm') THEN 0
        WHEN c.oid IN (SELECT relation FROM locked) THEN c.relpages * current_setting('block_size')::bigint
        ELSE pg_relation_size(c.oid) END AS main,
      CASE WHEN c.relkind NOT IN ('r', 'm') THEN 0
        WHEN c.oid IN (SELECT relation FROM locked) THEN c.relpages * current_setting('block_size')::bigint
        ELSE pg_table_size(c.oid) END AS total
    FROM tree JOIN pg_class c ON c.oid = tree.oid WHERE c.relkind IN ('r', 'm', 'f')
  )
  SELECT CASE WHEN count(*) FILTER (WHERE reltuples < 0 OR (relpages = 0 AND reltuples = 0 AND main > 0)) = 0
      AND count(*) FILTER (WHERE relkind = 'f' AND reltuples <= 0) = 0
    THEN round(sum(CASE WHEN relpages > 0 AND relkind <> 'f'
      THEN reltuples::float8 / relpages * (main / current_setting('block_size')::bigint) ELSE greatest(reltuples, 0) END))::bigint END AS rows,
    CASE WHEN count(*) FILTER (WHERE relkind = 'f') = 0 THEN sum(total)::bigint END AS bytes
  FROM leaf HAVING count(*) > 0
) sizes ON page.relkind IN ('r', 'm', 'p', 'f')
ORDER BY page.id"
);

/// Columns of these relations; domains are followed to their base type, whose modifier may be the domain's.
const COLUMNS: &str = "
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod),
  a.attnotnull AND c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT 1 FROM pg_constraint n WHERE n.conrelid = a.attrelid
    AND n.contype = 'n' AND a.attnum = ANY (n.conkey) AND NOT n.convalidated),
  a.attndims + base.array_depth, base.oid, base.typtype, base.typmod, base.typname,
  element.oid, element.typtype, element.typmod,
  has_column_privilege(a.attrelid, a.attnum, 'SELECT'),
  coalesce(index.indexed, false), coalesce(index.is_unique, false),
  a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) ~ '^nextval\\(', false),
  index.key_position,
  CASE WHEN 790 IN (base.oid, element.oid) THEN scale('1'::money::numeric) END
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
CROSS JOIN LATERAL (
  WITH RECURSIVE chain AS (
    SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod, t.typelem, t.typcategory, t.typname, t.typndims,
      a.atttypmod AS typmod, 0 AS depth
    FROM pg_type t WHERE t.oid = a.atttypid
    UNION ALL
    SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod, t.typelem, t.typcategory, t.typname, t.typndims,
      chain.typtypmod, chain.depth + 1
    FROM chain JOIN pg_type t ON t.oid = chain.typbasetype WHERE chain.typtype = 'd'
  )
  SELECT oid, typtype, typmod, typname, CASE WHEN typcategory = 'A' THEN typelem ELSE 0 END AS typelem,
    (SELECT coalesce(max(typndims), 0) FROM chain) AS array_depth
  FROM chain ORDER BY depth DESC LIMIT 1
) base
LEFT JOIN LATERAL (
  WITH RECURSIVE chain AS (
    SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod, t.typelem, base.typmod AS typmod, 0 AS depth
    FROM pg_type t WHERE t.oid = base.typelem AND base.typelem <> 0
    UNION ALL
    SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod, t.typelem, chain.typtypmod, chain.depth + 1
    FROM chain JOIN pg_type t ON t.oid = chain.typbasetype WHERE chain.typtype = 'd'
  )
  SELECT oid, typtype, typmod FROM chain ORDER BY depth DESC LIMIT 1
) element ON true
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN LATERAL (
  SELECT bool_or(i.indkey[0] = a.attnum) AS indexed,
    bool_or(i.indkey[0] = a.attnum AND i.indisunique AND i.indnkeyatts = 1) AS is_unique,
    max(CASE WHEN i.indisprimary THEN array_position(i.indkey::int2[], a.attnum) - array_lower(i.indkey::int2[], 1) + 1 END)
      AS key_position
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
  WHERE i.indrelid = a.attrelid AND a.attnum = ANY (i.indkey) AND i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree'
) index ON true
WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum";

/// Which relations to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing<'a> {
    /// Only ids behind this one.
    pub(crate) after: Option<&'a str>,
    /// Only these ids, as an array literal; partitions are listed only if they are named.
    pub(crate) ids: Option<String>,
    /// Only ids that contain this, ignoring case.
    pub(crate) contains: Option<&'a str>,
    pub(crate) limit: u32,
}

/// Lists relations by id.
pub(crate) fn relations(session: &mut Session, listing: &Listing<'_>) -> Result<Vec<Relation>, Failure> {
    let limit = listing.limit.to_string();
    let rows = session.query(RELATIONS, &[listing.after, listing.ids.as_deref(), listing.contains, Some(&limit)])?;
    Ok(rows.iter().map(relation).collect())
}

fn relation(row: &Row) -> Relation {
    Relation {
        oid: row.number(0).unwrap_or(0),
        schema: row.string(1),
        name: row.string(2),
        id: row.string(3),
        class: row.string(4),
        comment: row.text(5).map(str::to_owned),
        row_security: row.flag(6),
        rows: row.number(7),
        bytes: row.number(8),
    }
}

/// The columns of relations, by the relation's oid, in the table's order.
pub(crate) fn attributes(
    session: &mut Session,
    oids: impl IntoIterator<Item = u32>,
) -> Result<HashMap<u32, Vec<Attribute>>, Failure> {
    let oids: Vec<_> = oids.into_iter().map(|oid| oid.to_string()).collect();
    let rows = session.query(COLUMNS, &[Some(&format!("{{{}}}", oids.join(",")))])?;
    let mut attributes: HashMap<u32, Vec<Attribute>> = HashMap::new();
    for row in &rows {
        attributes.entry(row.number(0).unwrap_or(0)).or_default().push(attribute(row));
    }
    Ok(attributes)
}

fn attribute(row: &Row) -> Attribute {
    let money_scale = row.number(17).unwrap_or(2);
    let r#type = |oid: usize, class: usize, modifier: usize| CatalogType {
        oid: row.number(oid).unwrap_or(0),
        class: row.string(class),
        modifier: row.number(modifier).unwrap_or(-1),
        element: None,
        money_scale,
    };
    let element = row.text(9).map(|_| Box::new(r#type(9, 10, 11)));
    Attribute {
        column: CatalogColumn {
            name: row.string(1),
            source_type: row.string(2),
            not_null: row.flag(3),
            dimensions: row.number(4).unwrap_or(0),
            r#type: CatalogType { element, ..r#type(5, 6, 7) },
        },
        type_name: row.string(8),
        readable: row.flag(12),
        indexed: row.flag(13),
        unique: row.flag(14),
        counter: row.flag(15),
        key_position: row.number(16),
    }
}

impl Attribute {
    /// The column as a cursor; none if its type has no order that can be relied on.
    pub(crate) fn candidate(&self) -> Option<Candidate> {
        // Names of types can be taken again in other schemas; the built-in ones have small numbers.
        let built_in = self.column.r#type.oid < FIRST_USER_OID;
        if !self.readable || !built_in || self.column.r#type.element.is_some() {
            return None;
        }
        let nature = match self.type_name.as_str() {
            "timestamp" | "timestamptz" => Nature::Moment,
            "date" => Nature::Day,
            "int2" | "int4" | "int8" if self.counter => Nature::Counter,
            "int2" | "int4" | "int8" | "numeric" | "text" | "varchar" | "bpchar" | "uuid" | "oid" => Nature::Ordered,
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
