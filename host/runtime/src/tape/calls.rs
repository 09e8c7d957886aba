//! What the host asks of an instance, what it looks up for it, and what that comes to.

use std::sync::atomic::Ordering;

use sluice_core::RunError;
use sluice_core::plan::{CheckStep, DiscoverPage};
use sluice_core::recording::{Bytes, Call, Ended, Event, Returned};

use super::{ALL, Tape};
use crate::imports::output::ReadEnd;
use crate::instance::actor::{Command, Planned};

/// What a call comes to, as it is taken down.
pub(crate) trait Told {
    fn told(&self) -> Returned;
}

impl Told for Vec<CheckStep> {
    fn told(&self) -> Returned {
        Returned::Steps(self.clone())
    }
}

impl Told for DiscoverPage {
    fn told(&self) -> Returned {
        self.into()
    }
}

impl Told for Planned {
    fn told(&self) -> Returned {
        (&self.0).into()
    }
}

impl Told for ReadEnd {
    fn told(&self) -> Returned {
        Returned::Read(match self {
            Self::Finished => Ended::Finished,
            Self::Stopped => Ended::Stopped,
        })
    }
}

impl Told for () {
    fn told(&self) -> Returned {
        Returned::Done
    }
}

impl Tape {
    /// A call begins.
    pub(crate) fn called(&self, command: &Command) {
        let mut inner = self.lock();
        inner.rows_left = inner.shared.rows.load(Ordering::Relaxed);
        let rows = Some(inner.rows_left).filter(|rows| *rows != ALL);
        let call = match command {
            Command::Check { .. } => Call::Check,
            Command::Discover { filter, page, .. } => Call::Discover { filter: filter.clone(), page: page.clone() },
            Command::Plan { selections, hints, .. } => {
                Call::Plan { selections: selections.iter().map(Into::into).collect(), hints: (*hints).into() }
            }
            Command::Read { split, start, .. } => Call::Read {
                split: split.id.clone(),
                start: start.as_ref().map(|cursor| Bytes(cursor.0.clone())),
                rows,
            },
            Command::Acknowledge { stream, cursor, .. } => {
                Call::Acknowledge { stream: stream.clone(), cursor: Bytes(cursor.0.clone()) }
            }
            Command::Close { .. } => Call::Close,
        };
        inner.push(Event::Call(call), 0);
    }

    /// A call has ended.
    pub(crate) fn returned<T: Told>(&self, outcome: &Result<T, RunError>) {
        let mut inner = self.lock();
        let returned = match outcome {
            _ if inner.cut => Returned::Read(Ended::Cut),
            Ok(value) => value.told(),
            Err(error) => error.into(),
        };
        // A cut ends what is taken down, and this is its end.
        inner.cut = false;
        inner.push(Event::Returned(returned), 0);
    }

    /// What was found under keys: as it was recorded, if it plays back.
    pub(crate) fn recalled(&self, stream: &str, keys: &[String], found: Vec<Option<Vec<u8>>>) -> Vec<Option<Vec<u8>>> {
        let recorded = self.played(|player| keys.iter().map(|key| player.recall(stream, key)).collect());
        let found: Vec<Option<Vec<u8>>> = recorded.unwrap_or(found);
        let pairs = keys.iter().cloned().zip(found.iter().map(|value| value.clone().map(Bytes))).collect::<Vec<_>>();
        let bytes =
            pairs.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, |value| value.0.len()) + 8).sum();
        self.push(Event::Recall { stream: stream.to_owned(), found: pairs }, bytes);
        found
    }

    /// What is to be remembered.
    pub(crate) fn remembered(&self, stream: &str, entries: &[(String, Vec<u8>)]) {
        let entries: Vec<(String, Bytes)> =
            entries.iter().map(|(key, value)| (key.clone(), Bytes(value.clone()))).collect();
        let bytes = entries.iter().map(|(key, value)| key.len() + value.0.len() + 8).sum();
        self.push(Event::Remember { stream: stream.to_owned(), entries }, bytes);
    }

    /// Files whose rows are to be replaced.
    pub(crate) fn replaced(&self, stream: &str, files: &[String]) {
        let bytes = files.iter().map(|file| file.len() + 8).sum();
        self.push(Event::Replace { stream: stream.to_owned(), files: files.to_vec() }, bytes);
    }
}
