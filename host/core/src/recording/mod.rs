//! What a connector asked of its host and what it was answered, kept so that it can be asked again without a source.
//!
//! A [`Recording`] is of a connector's whole way: each of its instances with the calls that were made of it, and below each call, in the
//! order in which they happened, what it asked ([`Event::Http`], [`Event::Connect`], …) and what it delivered ([`Event::Batch`], …). A
//! replay makes the same calls; a [`Player`] answers for the network, the clock and the store, and [`compare`] says what is different.
//!
//! No secret is in a recording: [`Hidden`] puts stand-ins in their places. `docs/recordings.md` describes the file; it is written and
//! read in `format`, with every bound checked before anything is allocated for it.
//!
//! To record something more: a variant of [`Event`], where it is answered from in [`Player`], and a line of [`compare`].

mod bytes;
mod call;
mod compare;
mod event;
mod format;
mod hide;
mod player;
mod scram;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use bytes::Bytes;
pub use call::{Call, Chosen, Ended, Hints, Listed, PlannedSplit, PlannedStream, Returned};
pub use compare::{Aspect, Difference, compare};
pub use event::{Event, Exchange, Headers, Request, Response, Tls, Told};
pub use format::{MAX_BYTES, MAX_EVENTS};
pub use hide::Hidden;
pub use player::{Answer, Player};

/// The version of the format.
pub const FORMAT: u32 = 1;

/// Whether a recording can have this name: one to a hundred ASCII letters, digits, `.`, `_` and `-`, the first a letter or a digit. It
/// stands in addresses, and becomes the name of a file where somebody takes the recording home.
pub fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    text.len() <= 100
        && text.bytes().all(plain)
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
}

/// All that was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Of what, and with which configuration.
    pub header: Header,
    /// What was in the folders that were granted.
    pub files: Vec<File>,
    /// Instances, in the order in which they were started.
    pub instances: Vec<Instance>,
}

/// What was recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// The connector's name.
    pub connector: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the component, hexadecimal.
    pub digest: String,
    /// The configuration, with stand-ins for secrets.
    pub config: Value,
    /// Names of the folders that were granted, as the connector sees them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<String>,
}

/// A file of a granted folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The folder, as the connector sees it.
    pub folder: String,
    /// The path below it.
    pub path: String,
    /// When it was changed, microseconds since 1970.
    pub modified_us: u64,
    /// What is in it.
    pub content: Bytes,
}

impl File {
    /// Whether the path stays below its folder: names only, none of them going up.
    pub fn is_below_its_folder(&self) -> bool {
        let mut names = self.path.split('/');
        self.path.len() <= 4096
            && !self.path.contains(['\\', '\0'])
            && names.clone().count() <= 64
            && names.all(|name| !name.is_empty() && name != "." && name != ".." && name.len() <= 255)
    }
}

/// An instance, and all that happened to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Instance {
    /// What its random numbers were made of, hexadecimal.
    pub random: String,
    /// What happened, in this order.
    pub events: Vec<Event>,
}

impl Instance {
    /// Its calls.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.events.iter().filter_map(|event| match event {
            Event::Call(call) => Some(call),
            _ => None,
        })
    }

    /// Rows that it pushed.
    pub fn rows(&self) -> u64 {
        let rows = self.events.iter().map(|event| if let Event::Batch { rows, .. } = event { *rows } else { 0 });
        rows.fold(0, u64::saturating_add)
    }
}
