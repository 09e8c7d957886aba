//! What a replay did otherwise than its recording, in words for the connector's author.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::event::{Call, Ended, Event, Exchange, Headers, Request, Returned};
use super::{Bytes, Instance};

/// Headers that may differ: they say who asks, not what is asked.
const FREE: [&str; 1] = ["user-agent"];

/// What is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// What it asks of its source.
    Asks,
    /// Rows, schemas and positions that it delivers, and what it remembers.
    Delivers,
    /// What its call comes to.
    Returns,
}

/// The first thing of its kind that a call does otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The call.
    pub call: String,
    /// What is different.
    pub aspect: Aspect,
    /// In words.
    pub message: String,
}

/// Compares an instance of a replay with the recorded one that answered it: of each call the first difference of each aspect.
pub fn compare(recorded: &Instance, replayed: &Instance) -> Vec<Difference> {
    let before = calls(recorded);
    let now = calls(replayed);
    let mut found = Vec::new();
    let asked = Asked::new(recorded, replayed);
    for (at, old) in before.iter().enumerate() {
        let call = old.call.to_string();
        let mut say = |aspect, message: Option<String>| {
            found.extend(message.map(|message| Difference { call: call.clone(), aspect, message }));
        };
        let Some(new) = now.get(at) else {
            say(Aspect::Returns, Some("it was not called: a call before it ended the instance".to_owned()));
            continue;
        };
        let delivers = delivered(old, new);
        let returns = returned(old.returned(), new.returned());
        // A read that was cut had requests on their way whose answers nobody waited for; how many is chance.
        let cut = old.returned() == Some(&Returned::Read(Ended::Cut));
        if !cut || delivers.is_some() || returns.is_some() {
            say(Aspect::Asks, asked.http(old, new, cut).or_else(|| asked.tcp(old, new, cut)));
        }
        say(Aspect::Delivers, delivers);
        say(Aspect::Returns, returns);
    }
    found
}

/// A call with the events below it.
struct Called<'a> {
    call: &'a Call,
    /// Numbers of its events.
    range: std::ops::Range<usize>,
    events: &'a [Event],
}

impl Called<'_> {
    fn returned(&self) -> Option<&Returned> {
        self.events
            .iter()
            .rev()
            .find_map(|event| if let Event::Returned(returned) = event { Some(returned) } else { None })
    }
}

fn calls(instance: &Instance) -> Vec<Called<'_>> {
    let begins: Vec<usize> =
        (0..instance.events.len()).filter(|at| matches!(instance.events.get(*at), Some(Event::Call(_)))).collect();
    let ends = begins.iter().skip(1).copied().chain([instance.events.len()]);
    let called = begins.iter().zip(ends).filter_map(|(begin, end)| {
        let events = instance.events.get(*begin..end)?;
        let Some(Event::Call(call)) = events.first() else { return None };
        Some(Called { call, range: *begin..end, events })
    });
    called.collect()
}

/// What was asked of the network, all of an instance: answers are found by what is asked, not by when.
struct Asked<'a> {
    recorded: &'a Instance,
    /// Exchanges of the recording that answered something.
    answered: BTreeSet<usize>,
    /// Connections of the replay with what was sent over each, by those of the recording that answered them.
    pairs: Vec<(u32, u32, String)>,
    before: BTreeMap<u32, Bytes>,
    now: BTreeMap<u32, Bytes>,
}

impl<'a> Asked<'a> {
    fn new(recorded: &'a Instance, replayed: &Instance) -> Self {
        let answered = replayed.events.iter().filter_map(|event| match event {
            Event::Http(exchange) => exchange.answered_by,
            _ => None,
        });
        let mut free: Vec<(u32, String)> = connects(recorded).collect();
        let pairs = connects(replayed).filter_map(|(number, to)| {
            let at = free.iter().position(|(_, other)| *other == to)?;
            Some((free.remove(at).0, number, to))
        });
        Self {
            recorded,
            answered: answered.collect(),
            pairs: pairs.collect(),
            before: sent(recorded),
            now: sent(replayed),
        }
    }

    fn http(&self, old: &Called<'_>, new: &Called<'_>, cut: bool) -> Option<String> {
        let asked = new.events.iter().filter_map(|event| if let Event::Http(one) = event { Some(one) } else { None });
        for (nth, exchange) in asked.enumerate() {
            let request = &exchange.request;
            let found = match exchange.answered_by.and_then(|at| self.recorded.events.get(at)) {
                Some(Event::Http(before)) => headers(&before.request.headers, &request.headers)
                    .map(|difference| format!("{} {}: {difference}", request.method, request.url)),
                _ => Some(self.stranger(nth, request)),
            };
            if found.is_some() {
                return found;
            }
        }
        let unasked = |(at, event): (usize, &'a Event)| match event {
            Event::Http(Exchange { request, response, failed, .. })
                if !self.answered.contains(&at) && (response.is_some() || failed.is_some()) && !cut =>
            {
                Some(format!("it does not ask {} {} any more", request.method, request.url))
            }
            _ => None,
        };
        let range = old.range.clone();
        range.clone().zip(self.recorded.events.get(range)?).find_map(unasked)
    }

    /// A request that was not recorded, beside the recorded one that is most like it.
    fn stranger(&self, nth: usize, request: &Request) -> String {
        let path = |url: &str| url.split('?').next().unwrap_or_default().to_owned();
        let open: Vec<&Request> = (0..)
            .zip(&self.recorded.events)
            .filter_map(|(at, event)| match event {
                Event::Http(exchange) if !self.answered.contains(&at) => Some(&exchange.request),
                _ => None,
            })
            .collect();
        let likeness = |other: &Request| {
            (other.url == request.url, path(&other.url) == path(&request.url), other.method == request.method)
        };
        let asks = format!("request {} is {} {}", nth + 1, request.method, request.url);
        let Some(nearest) = open.iter().rev().max_by_key(|other| likeness(other)) else {
            return format!("{asks}, and all requests of the recording were answered before");
        };
        if nearest.url != request.url {
            let at = first_difference(nearest.url.as_bytes(), request.url.as_bytes());
            return format!(
                "{asks}; recorded was {} {} (the URL differs at character {at})",
                nearest.method, nearest.url
            );
        }
        if nearest.method != request.method {
            return format!("{asks}; recorded was the method {}", nearest.method);
        }
        let at = first_difference(&nearest.body.0, &request.body.0);
        format!(
            "{asks}: its body differs at byte {at}: recorded was {}, now it is {}",
            nearest.body.around(at),
            request.body.around(at)
        )
    }

    fn tcp(&self, old: &Called<'_>, new: &Called<'_>, cut: bool) -> Option<String> {
        for event in new.events {
            let Event::Connect { connection, host, port, .. } = event else { continue };
            let Some((before, _, to)) = self.pairs.iter().find(|(_, now, _)| now == connection) else {
                return Some(format!("it connects to {host}:{port} once more than was recorded"));
            };
            let nothing = Bytes::default();
            let one = self.before.get(before).unwrap_or(&nothing);
            let other = self.now.get(connection).unwrap_or(&nothing);
            if one != other && !(cut && (one.0.starts_with(&other.0) || other.0.starts_with(&one.0))) {
                let at = first_difference(&one.0, &other.0);
                return Some(format!(
                    "what it sends to {to} differs at byte {at}: recorded was {}, now it is {}",
                    one.around(at),
                    other.around(at)
                ));
            }
        }
        let missing = |event: &Event| match event {
            Event::Connect { connection, host, port, .. } if self.pairs.iter().all(|(one, ..)| one != connection) => {
                Some(format!("it does not connect to {host}:{port} any more"))
            }
            _ => None,
        };
        old.events.iter().filter(|_| !cut).find_map(missing)
    }
}

fn connects(instance: &Instance) -> impl Iterator<Item = (u32, String)> {
    instance.events.iter().filter_map(|event| match event {
        Event::Connect { connection, host, port, .. } => Some((*connection, format!("{host}:{port}"))),
        _ => None,
    })
}

fn sent(instance: &Instance) -> BTreeMap<u32, Bytes> {
    let mut all: BTreeMap<u32, Bytes> = BTreeMap::new();
    for event in &instance.events {
        if let Event::Sent { connection, bytes, .. } = event {
            all.entry(*connection).or_default().0.extend_from_slice(&bytes.0);
        }
    }
    all
}

fn headers(before: &Headers, now: &Headers) -> Option<String> {
    let counted = |headers: &'_ Headers| -> BTreeMap<String, Vec<Bytes>> {
        let mut all: BTreeMap<String, Vec<Bytes>> = BTreeMap::new();
        for (name, value) in headers.iter().filter(|(name, _)| !FREE.contains(&name.as_str())) {
            all.entry(name.clone()).or_default().push(value.clone());
        }
        all
    };
    let (before, now) = (counted(before), counted(now));
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    names.into_iter().find_map(|name| match (before.get(name), now.get(name)) {
        (Some(one), Some(other)) if one == other => None,
        (Some(one), Some(other)) => {
            let shown = |values: &[Bytes]| values.iter().map(|value| value.around(0)).collect::<Vec<_>>().join(", ");
            Some(format!("header {name} was {}, now it is {}", shown(one), shown(other)))
        }
        (Some(_), None) => Some(format!("header {name} is not sent any more")),
        (None, _) => Some(format!("header {name} was not sent before")),
    })
}

/// Where two texts differ first; at the shorter one's end if it begins the other.
fn first_difference(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

/// What was delivered, in its order, stream by stream.
fn delivered(old: &Called<'_>, new: &Called<'_>) -> Option<String> {
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

/// The first entry that two lists do not have in common.
fn lists(one: &[String], other: &[String]) -> String {
    let at = first_difference_of(one, other);
    let shown =
        |list: &[String]| list.get(at).map_or("nothing".to_owned(), |entry| format!("\"{}\"", entry.escape_debug()));
    format!("recorded was {}, now it is {}", shown(one), shown(other))
}

fn first_difference_of<T: PartialEq>(one: &[T], other: &[T]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

fn returned(old: Option<&Returned>, new: Option<&Returned>) -> Option<String> {
    match (old?, new) {
        (_, None) => Some("it does not return".to_owned()),
        (Returned::Failed { kind, message, .. }, Some(Returned::Failed { kind: other, message: said, .. })) => {
            (kind != other).then(|| format!("it failed as {kind} ({message}), now it fails as {other} ({said})"))
        }
        (_, Some(Returned::Failed { kind, message, .. })) => Some(format!("it fails as {kind}: {message}")),
        (Returned::Failed { kind, message, .. }, Some(_)) => {
            Some(format!("it failed as {kind} ({message}), now it does not"))
        }
        (Returned::Steps(steps), Some(Returned::Steps(others))) => {
            let words = |steps: &[crate::plan::CheckStep]| -> Vec<String> {
                steps.iter().map(|step| format!("{} {:?}", step.name, step.outcome).to_lowercase()).collect()
            };
            let (one, other) = (words(steps), words(others));
            (one != other).then(|| format!("its steps are others: {}", lists(&one, &other)))
        }
        (Returned::Page { streams, next }, Some(Returned::Page { streams: others, next: other })) => {
            let at = first_difference_of(streams, others);
            match (streams.get(at), others.get(at)) {
                (Some(one), Some(other)) if one.id == other.id && one.schema != other.schema => {
                    Some(format!("stream {} has another schema: {}", one.id, lists(&one.schema, &other.schema)))
                }
                (Some(one), Some(other)) if one.id == other.id => {
                    Some(format!("stream {} has another key, or other columns to read increments by", one.id))
                }
                (Some(one), _) => Some(format!("stream {} is not listed in its place any more", one.id)),
                (None, Some(other)) => Some(format!("stream {} is new", other.id)),
                (None, None) => (next.is_some() != other.is_some()).then(|| "its pages end elsewhere".to_owned()),
            }
        }
        (Returned::Plan { streams, splits, expires }, Some(Returned::Plan { streams: s, splits: p, expires: e })) => {
            let at = first_difference_of(streams, s);
            if let (Some(one), Some(other)) = (streams.get(at), s.get(at)) {
                return Some(if one.schema == other.schema {
                    format!("stream {} is planned with another state after it", one.id)
                } else {
                    format!("stream {} has another schema: {}", one.id, lists(&one.schema, &other.schema))
                });
            }
            // What a descriptor says is between a connector and itself.
            let told = |splits: &[super::PlannedSplit]| -> Vec<String> {
                let one = |split: &super::PlannedSplit| {
                    format!(
                        "{} of {}{}",
                        split.id,
                        split.streams.join(", "),
                        if split.resumable { "" } else { " (not resumable)" }
                    )
                };
                splits.iter().map(one).collect()
            };
            let (one, other) = (told(splits), told(p));
            if one != other {
                return Some(format!(
                    "its splits are others ({} and {}): {}",
                    one.len(),
                    other.len(),
                    lists(&one, &other)
                ));
            }
            (streams.len() != s.len() || expires != e)
                .then(|| "it plans other streams, or says otherwise whether it expires".to_owned())
        }
        (Returned::Read(one), Some(Returned::Read(other))) => {
            (one != other).then(|| format!("the read was {}, now it is {}", ended(*one), ended(*other)))
        }
        (Returned::Done, Some(Returned::Done)) => None,
        _ => Some("it returns something of another kind".to_owned()),
    }
}

fn ended(ended: Ended) -> &'static str {
    match ended {
        Ended::Finished => "finished",
        Ended::Stopped => "stopped",
        Ended::Cut => "cut where the recording ends",
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
