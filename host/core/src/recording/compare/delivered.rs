//! What is delivered.

use std::collections::{BTreeMap, BTreeSet};

use super::{Called, first_difference, lists};
use crate::recording::event::Event;

/// What was delivered, in its order, stream by stream.
pub(super) fn delivered(old: &Called<'_>, new: &Called<'_>) -> Option<String> {
    let (before, now) = (by_stream(old.events), by_stream(new.events));
    let streams: BTreeSet<&str> = before.keys().chain(now.keys()).copied().collect();
    let none = Vec::new();
    streams.into_iter().find_map(|stream| {
        let (one, other) = (before.get(stream).unwrap_or(&none), now.get(stream).unwrap_or(&none));
        let longest = one.len().max(other.len());
        let at = (0..longest).find(|at| one.get(*at) != other.get(*at))?;
        let batch = one.iter().take(at).filter(|event| matches!(event, Event::Batch { .. })).count() + 1;
        let words = match (one.get(at), other.get(at)) {
            (Some(Event::Batch { rows, columns, .. }), Some(Event::Batch { rows: now, columns: others, .. })) => {
                if rows != now {
                    format!("batch {batch} had {rows} rows, now it has {now}")
                } else {
                    let column = columns.iter().find(|(name, digest)| others.get(*name) != Some(digest));
                    let name = column.map_or("a column that is new", |(name, _)| name.as_str());
                    format!("batch {batch} ({rows} rows) has other values in column {name}")
                }
            }
            (
                Some(Event::Checkpoint { rows, cursor, .. }),
                Some(Event::Checkpoint { rows: now, cursor: other, .. }),
            ) => {
                let place = first_difference(&cursor.0, &other.0);
                format!(
                    "the checkpoint after {rows} rows was {}, now it is {} after {now} rows",
                    cursor.around(place),
                    other.around(place)
                )
            }
            (Some(Event::Declare { schema, .. }), Some(Event::Declare { schema: other, .. })) => {
                format!("its schema is another one: {}", lists(schema, other))
            }
            (one, other) => {
                let what = |event: Option<&&Event>| event.map_or("nothing".to_owned(), |event| named(event));
                format!("recorded was {}, now comes {} (after {} of its batches)", what(one), what(other), batch - 1)
            }
        };
        Some(format!("stream {stream}: {words}"))
    })
}

fn by_stream(events: &[Event]) -> BTreeMap<&str, Vec<&Event>> {
    let mut all: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in events {
        let (Event::Declare { stream, .. }
        | Event::Batch { stream, .. }
        | Event::Checkpoint { stream, .. }
        | Event::Remember { stream, .. }
        | Event::Replace { stream, .. }) = event
        else {
            continue;
        };
        all.entry(stream).or_default().push(event);
    }
    all
}

fn named(event: &Event) -> String {
    match event {
        Event::Declare { .. } => "a schema".to_owned(),
        Event::Batch { rows, .. } => format!("a batch of {rows} rows"),
        Event::Checkpoint { rows, .. } => format!("a checkpoint after {rows} rows"),
        Event::Remember { entries, .. } => format!("{} entries to remember", entries.len()),
        Event::Replace { files, .. } => format!("{} files to replace", files.len()),
        _ => "something else".to_owned(),
    }
}
