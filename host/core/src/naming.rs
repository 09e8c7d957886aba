//! The names that columns and tables have in a sink: safe for BigQuery, and the same in every run.
//!
//! A BigQuery column name has 1 to 300 letters, digits and `_`, does not start with a digit, is unique ignoring case on
//! its level, and avoids a few prefixes. Names at a source keep to none of that, so:
//!
//! 1. Every character outside `A–Z a–z 0–9 _` becomes one `_`. There is no transliteration: `größe` is `gr__e`.
//! 2. A name in which no letter or digit is left becomes `column_` and a hash; one that would start with a digit or with a
//!    forbidden prefix gets a `_` in front; what is longer than 300 characters is cut.
//! 3. Where the result is taken, it gets `_` and eight hex digits of the SHA-256 of the name at the source. Among columns
//!    that are new at the same time the one whose name needed no change keeps it, then the first in byte order.
//! 4. A name once given is remembered and never given to another column, also when its column is gone for a while. So a
//!    column keeps its name whatever appears or vanishes beside it.
//! 5. A name that the user chose comes first, but must be valid and free.
//!
//! Remembered names are keyed by path, see [`path_key`], because struct fields are columns of their own level.

use std::collections::{BTreeMap, BTreeSet};

use arrow_schema::{DataType, Field, Fields};
use sha2::{Digest, Sha256};

use crate::error::{Actor, Kind, RunError};

/// Names in the sink by path at the source ([`path_key`]): what one run hands to the next.
pub type Names = BTreeMap<String, String>;

/// Most characters of a column's name.
pub const MAX_NAME: usize = 300;

/// Prefixes that BigQuery keeps for itself, in upper case; compared ignoring case.
const FORBIDDEN_PREFIXES: [&str; 9] = [
    "_TABLE_",
    "_FILE_",
    "_PARTITION",
    "_ROW_TIMESTAMP",
    "__ROOT__",
    "_COLIDENTIFIER",
    "_CHANGE_SEQUENCE_NUMBER",
    "_CHANGE_TYPE",
    "_CHANGE_TIMESTAMP",
];

/// The key of a column or nested field in [`Names`]: names at the source from the outside in, joined with `/`. In each,
/// `~` is written `~0` and `/` is written `~1`, as in a JSON pointer. Lists add no step of their own.
pub fn path_key(parent: Option<&str>, name: &str) -> String {
    let escaped = name.replace('~', "~0").replace('/', "~1");
    match parent {
        Some(parent) => format!("{parent}/{escaped}"),
        None => escaped,
    }
}

/// The name as it would be if nothing else had one: rules 1 and 2 of the module.
pub fn safe_name(source: &str) -> String {
    let mut name: String =
        source.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).take(MAX_NAME).collect();
    if name != source && !name.contains(|c: char| c.is_ascii_alphanumeric()) || name.is_empty() {
        return format!("column_{}", hash(source, 8));
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) || has_forbidden_prefix(&name) {
        name.insert(0, '_');
        name.truncate(MAX_NAME);
    }
    name
}

/// The table that a stream goes to unless the pipeline names one: the stream's id made safe by the same rules as a
/// column, so that `public.orders` goes to `public_orders`.
pub fn table_name(stream_id: &str) -> String {
    let name = safe_name(stream_id);
    match name.strip_prefix("column_") {
        // Only a name that was nothing but strange characters starts like this without the stream's id doing so.
        Some(hash) if !stream_id.starts_with("column_") => format!("table_{hash}"),
        _ => name,
    }
}

/// Checks a name that a person wrote, for a column or a table.
///
/// # Errors
/// The rule that it breaks, as a clause that follows "the name".
pub fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(format!("must have 1 to {MAX_NAME} characters"));
    }
    if let Some(c) = name.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '_') {
        return Err(format!("may hold letters a to z, digits and `_` only, not {c:?}"));
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("may not start with a digit".into());
    }
    if has_forbidden_prefix(name) {
        return Err(format!("may not start with one of BigQuery's own prefixes: {}", FORBIDDEN_PREFIXES.join(" ")));
    }
    Ok(())
}

/// Gives every column of one level its name, in the order of `columns`.
///
/// `remembered` holds the names of earlier runs by name at the source, also of columns that are gone; `renames` the
/// names that the user chose; `reserved` names that no column may have (a catalog load adds `snapshot_date` itself).
///
/// A user may give a column the name of one that is gone, so that a column renamed at the source goes on in the same
/// column of the table.
///
/// # Errors
/// Names the field `rename.<column>` of a choice that is invalid, taken, reserved or of no column; and the column whose
/// remembered name has become reserved.
pub fn assign(
    remembered: &BTreeMap<String, String>,
    columns: &[&str],
    renames: &BTreeMap<String, String>,
    reserved: &[&str],
) -> Result<Vec<(String, String)>, RunError> {
    let present: BTreeSet<&str> = columns.iter().copied().collect();
    if present.len() != columns.len() {
        return Err(twice(columns));
    }
    let mut given: BTreeMap<&str, String> = BTreeMap::new();
    let mut taken: BTreeMap<String, String> =
        reserved.iter().map(|name| (name.to_ascii_lowercase(), String::from("the load itself"))).collect();
    for (column, name) in renames {
        let field = format!("rename.{column}");
        let Some(column) = present.get(column.as_str()) else {
            let message =
                format!("there is no column {column:?} among those that are read; remove the rename or correct it");
            return Err(RunError::config(field, message));
        };
        check_name(name).map_err(|why| RunError::config(&field, format!("the name {name:?} {why}")))?;
        claim(&mut taken, name, column).map_err(|owner| conflict(&field, name, &owner))?;
        given.insert(column, name.clone());
    }
    for (column, name) in remembered {
        let Some(column) = present.get(column.as_str()) else { continue };
        if given.contains_key(column) {
            continue;
        }
        claim(&mut taken, name, column).map_err(|owner| {
            let field = renames.iter().find(|(_, chosen)| chosen.eq_ignore_ascii_case(name)).map(|(source, _)| source);
            conflict(
                &format!("rename.{}", field.map_or(*column, String::as_str)),
                name,
                &format!("{owner} and {column:?}"),
            )
        })?;
        given.insert(column, name.clone());
    }
    for (column, name) in remembered.iter().filter(|(column, _)| !present.contains(column.as_str())) {
        taken.entry(name.to_ascii_lowercase()).or_insert_with(|| format!("{column:?}, which is gone"));
    }
    for column in newcomers(&present, &given) {
        let name = free_name(&taken, column);
        taken.insert(name.to_ascii_lowercase(), column.into());
        given.insert(column, name);
    }
    Ok(columns.iter().filter_map(|column| Some(((*column).to_owned(), given.get(column)?.clone()))).collect())
}

/// Why a column is called what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// As at the source.
    Kept,
    /// A person chose it.
    Chosen,
    /// The name at the source has what BigQuery does not take.
    MadeSafe,
    /// Another column, or the load, has the name that it would have had.
    Taken,
}

impl Reason {
    /// Why the column `source` is called `name` by [`assign`].
    pub fn of(source: &str, name: &str, renames: &BTreeMap<String, String>) -> Self {
        if renames.contains_key(source) {
            Self::Chosen
        } else if source == name {
            Self::Kept
        } else if safe_name(source) == name {
            Self::MadeSafe
        } else {
            Self::Taken
        }
    }

    /// The word for it, in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Chosen => "chosen",
            Self::MadeSafe => "made-safe",
            Self::Taken => "taken",
        }
    }
}

/// Gives every column and every nested field of a schema its name, level by level, and returns `remembered` with what
/// is new: the map to store for the next run and to look names up in. Renames and reserved names concern the top level.
///
/// # Errors
/// As [`assign`].
pub fn assign_fields(
    remembered: &Names,
    fields: &Fields,
    renames: &BTreeMap<String, String>,
    reserved: &[&str],
) -> Result<Names, RunError> {
    let mut names = remembered.clone();
    assign_level(remembered, fields, None, renames, reserved, &mut names)?;
    Ok(names)
}

fn assign_level(
    remembered: &Names,
    fields: &Fields,
    parent: Option<&str>,
    renames: &BTreeMap<String, String>,
    reserved: &[&str],
    names: &mut Names,
) -> Result<(), RunError> {
    let columns: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    for (source, name) in assign(&level_of(remembered, parent), &columns, renames, reserved)? {
        names.insert(path_key(parent, &source), name);
    }
    for field in fields {
        if let Some(children) = children(field) {
            let path = path_key(parent, field.name());
            assign_level(remembered, children, Some(&path), &BTreeMap::new(), &[], names)?;
        }
    }
    Ok(())
}

/// The struct fields that a column brings along, through any number of lists. A map is a list of `key` and `value`.
pub fn children(field: &Field) -> Option<&Fields> {
    match field.data_type() {
        DataType::Struct(fields) => Some(fields),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => children(item),
        _ => None,
    }
}

/// What is remembered of one level, by plain name at the source.
fn level_of(remembered: &Names, parent: Option<&str>) -> BTreeMap<String, String> {
    let own = |path: &str| -> Option<String> {
        let name = match parent {
            Some(parent) => path.strip_prefix(parent)?.strip_prefix('/')?,
            None => path,
        };
        (!name.contains('/')).then(|| name.replace("~1", "/").replace("~0", "~"))
    };
    remembered.iter().filter_map(|(path, name)| Some((own(path)?, name.clone()))).collect()
}

/// Columns without a name yet, in the order in which they choose: see rule 3 of the module.
fn newcomers<'a>(present: &BTreeSet<&'a str>, given: &BTreeMap<&str, String>) -> Vec<&'a str> {
    let mut new: Vec<&str> = present.iter().copied().filter(|column| !given.contains_key(column)).collect();
    new.sort_by_key(|column| (safe_name(column) != **column, *column));
    new
}

fn free_name(taken: &BTreeMap<String, String>, source: &str) -> String {
    let base = safe_name(source);
    let is_free = |name: &str| !taken.contains_key(&name.to_ascii_lowercase());
    if is_free(&base) {
        return base;
    }
    let mut name = base.clone();
    // Eight digits practically always do; a longer piece of the hash keeps the rule total and the result stable.
    for digits in [8, 16, 32, 64] {
        let kept = base.get(..base.len().min(MAX_NAME - digits - 1)).unwrap_or_default();
        name = format!("{kept}_{}", hash(source, digits));
        if is_free(&name) {
            break;
        }
    }
    name
}

/// Takes a name, or says whose it is.
fn claim(taken: &mut BTreeMap<String, String>, name: &str, column: &str) -> Result<(), String> {
    match taken.insert(name.to_ascii_lowercase(), format!("{column:?}")) {
        Some(owner) => Err(owner),
        None => Ok(()),
    }
}

fn conflict(field: &str, name: &str, owner: &str) -> RunError {
    let message = format!(
        "the name {name:?} is taken by {owner} (names are compared ignoring case); choose another under `rename`"
    );
    RunError::config(field, message)
}

fn twice(columns: &[&str]) -> RunError {
    let mut seen = BTreeSet::new();
    let column = columns.iter().find(|column| !seen.insert(**column)).copied().unwrap_or_default();
    let message = format!("the source delivers two columns called {column:?}; give one of them another name there");
    RunError::new(Kind::Unsupported, Actor::Source, message)
}

fn has_forbidden_prefix(name: &str) -> bool {
    let starts = |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    FORBIDDEN_PREFIXES.iter().any(|prefix| starts(prefix))
}

fn hash(text: &str, digits: usize) -> String {
    let mut digest = crate::hex(&Sha256::digest(text.as_bytes()));
    digest.truncate(digits);
    digest
}

#[cfg(test)]
mod tests;
