//! What a replay did otherwise than its recording, in words for the connector's author.

mod asked;
mod delivered;
mod returned;

use serde::{Deserialize, Serialize};

use super::Instance;
use super::call::{Call, Ended, Returned};
use super::event::Event;
use asked::Asked;
use delivered::delivered;
use returned::returned;

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

/// Where two texts differ first; at the shorter one's end if it begins the other.
fn first_difference(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
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

#[cfg(test)]
mod tests;
