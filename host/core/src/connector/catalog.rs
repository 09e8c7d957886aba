//! How the streams differ that two versions of a connector list for the same connection.

use std::collections::{BTreeMap, BTreeSet};

use super::difference::{Change, Effect};
use super::shown;
use crate::worker::{Column, Stream};

/// A change of the catalog, and the stream that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogChange {
    /// The stream.
    pub stream: String,
    /// What changes.
    pub change: Change,
}

/// Which columns of a stream pipelines read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Used {
    /// All that there are.
    All,
    /// These.
    Columns(BTreeSet<String>),
}

/// What changes from the streams that the old version lists to those of the new one. What pipelines read and is gone breaks them; what
/// nobody reads may go.
pub fn catalog_changes(old: &[Stream], new: &[Stream], used: &BTreeMap<String, Used>) -> Vec<CatalogChange> {
    let by_id = |all: &[Stream]| -> BTreeMap<String, Stream> {
        all.iter().map(|stream| (stream.id.clone(), stream.clone())).collect()
    };
    let (old, new) = (by_id(old), by_id(new));
    let mut changes = Vec::new();
    let mut add = |stream: &str, effect, text| {
        changes.push(CatalogChange { stream: stream.to_owned(), change: Change { effect, text } });
    };
    for (id, before) in &old {
        let reads = used.get(id);
        let Some(after) = new.get(id) else {
            match reads {
                Some(_) => add(id, Effect::Breaks, "the stream is gone, and a pipeline reads it".to_owned()),
                None => add(id, Effect::Neutral, "the stream is gone; no pipeline reads it".to_owned()),
            }
            continue;
        };
        for (effect, text) in columns(before, after, reads) {
            add(id, effect, text);
        }
    }
    for id in new.keys().filter(|id| !old.contains_key(*id)) {
        add(id, Effect::Neutral, "the stream is new".to_owned());
    }
    changes
}

fn columns(before: &Stream, after: &Stream, reads: Option<&Used>) -> Vec<(Effect, String)> {
    let by_name = |all: &[Column]| -> BTreeMap<String, Column> {
        all.iter().map(|column| (column.name.clone(), column.clone())).collect()
    };
    let (old, new) = (by_name(&before.columns), by_name(&after.columns));
    let is_read = |name: &str| match reads {
        None => false,
        Some(Used::All) => true,
        Some(Used::Columns(names)) => names.contains(name),
    };
    let mut changes = Vec::new();
    for (name, was) in &old {
        let shown_name = shown(name);
        match new.get(name) {
            None if is_read(name) => {
                changes.push((Effect::Breaks, format!("column {shown_name} is gone, and a pipeline reads it")));
            }
            None => changes.push((Effect::Neutral, format!("column {shown_name} is gone; no pipeline reads it"))),
            Some(now) if now.r#type != was.r#type => {
                let effect = if is_read(name) { Effect::Breaks } else { Effect::Neutral };
                let (now, was) = (shown(&now.r#type), shown(&was.r#type));
                changes.push((effect, format!("column {shown_name} is {now}, and was {was}")));
            }
            Some(now) if now.nullable && !was.nullable => {
                changes.push((Effect::Neutral, format!("column {shown_name} may be NULL now")));
            }
            Some(_) => {}
        }
    }
    for name in new.keys().filter(|name| !old.contains_key(*name)) {
        changes.push((Effect::Neutral, format!("column {} is new", shown(name))));
    }
    if before.primary_key != after.primary_key {
        let key = |stream: &Stream| match stream.primary_key.as_slice() {
            [] => "none".to_owned(),
            names => shown(&names.join(", ")),
        };
        changes.push((Effect::Neutral, format!("the primary key is {}, and was {}", key(after), key(before))));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::StreamKind;

    fn stream(id: &str, columns: &[(&str, &str)]) -> Stream {
        let column =
            |(name, kind): &(&str, &str)| Column { name: (*name).into(), r#type: (*kind).into(), nullable: false };
        Stream {
            id: id.into(),
            kind: StreamKind::Table,
            columns: columns.iter().map(column).collect(),
            primary_key: vec![],
            cursor_candidates: vec![],
            rows: None,
            bytes: None,
            description: None,
        }
    }

    #[test]
    fn only_what_a_pipeline_reads_breaks_it() {
        let old = [stream("a", &[("id", "Int64"), ("x", "Utf8"), ("y", "Utf8")]), stream("b", &[]), stream("c", &[])];
        let new = [stream("a", &[("id", "Utf8"), ("z", "Utf8")]), stream("d", &[])];
        let some = BTreeSet::from(["id".to_owned(), "x".to_owned()]);
        let used = BTreeMap::from([("a".to_owned(), Used::Columns(some)), ("b".to_owned(), Used::All)]);
        let found = catalog_changes(&old, &new, &used);
        let told: Vec<_> =
            found.iter().map(|one| (one.stream.as_str(), one.change.effect, one.change.text.as_str())).collect();
        assert_eq!(
            told,
            [
                ("a", Effect::Breaks, "column id is Utf8, and was Int64"),
                ("a", Effect::Breaks, "column x is gone, and a pipeline reads it"),
                ("a", Effect::Neutral, "column y is gone; no pipeline reads it"),
                ("a", Effect::Neutral, "column z is new"),
                ("b", Effect::Breaks, "the stream is gone, and a pipeline reads it"),
                ("c", Effect::Neutral, "the stream is gone; no pipeline reads it"),
                ("d", Effect::Neutral, "the stream is new"),
            ]
        );
        assert_eq!(catalog_changes(&old, &old, &used), []);
    }
}
