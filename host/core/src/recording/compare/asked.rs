//! What is asked of the network.

use std::collections::{BTreeMap, BTreeSet};

use super::{Called, first_difference};
use crate::recording::event::{Event, Exchange, Headers, Request};
use crate::recording::{Bytes, Instance};

/// Headers that may differ: they say who asks, not what is asked.
const FREE: [&str; 1] = ["user-agent"];

/// What was asked of the network, all of an instance: answers are found by what is asked, not by when.
pub(super) struct Asked<'a> {
    recorded: &'a Instance,
    /// Exchanges of the recording that answered something.
    answered: BTreeSet<usize>,
    /// Connections of the replay with what was sent over each, by those of the recording that answered them.
    pairs: Vec<(u32, u32, String)>,
    before: BTreeMap<u32, Bytes>,
    now: BTreeMap<u32, Bytes>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(recorded: &'a Instance, replayed: &Instance) -> Self {
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

    pub(super) fn http(&self, old: &Called<'_>, new: &Called<'_>, cut: bool) -> Option<String> {
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

    pub(super) fn tcp(&self, old: &Called<'_>, new: &Called<'_>, cut: bool) -> Option<String> {
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
