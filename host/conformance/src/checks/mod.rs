//! The checks, in the order in which they are made.

mod describe;
mod limits;
mod reads;
mod replays;
mod resume;
mod splits;
mod state;

use std::pin::Pin;

use sluice_core::RunError;

use crate::kit::Kit;
use crate::report::Verdict;

/// What a check comes to.
pub(crate) type Outcome = Result<Verdict, RunError>;

type Running<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A check.
pub(crate) struct Check {
    /// Its name, by which it is skipped.
    pub(crate) name: &'static str,
    /// What it asks.
    pub(crate) asks: &'static str,
    pub(crate) run: fn(&Kit) -> Running<'_>,
}

macro_rules! checks {
    ($($name:literal $asks:literal => $function:path),* $(,)?) => {
        /// All checks.
        pub(crate) const ALL: &[Check] = &[$(Check { name: $name, asks: $asks, run: |kit| Box::pin($function(kit)) }),*];
    };
}

checks! {
    "manifest" "is the manifest complete, and its configuration's schema valid?" => describe::manifest,
    "secrets" "are secrets marked, and is none told to anybody?" => describe::secrets,
    "check-succeeds" "does a check of a good connection pass?" => describe::check_succeeds,
    "check-fails" "does a check report what is wrong, and what to do?" => describe::check_fails,
    "check-errs" "is a configuration that cannot be refused by its field?" => describe::check_errs,
    "discover" "does discover list the same streams each time, whatever the page's size?" => describe::discover,
    "schema" "do batches have the schema that was declared?" => reads::schema,
    "columns" "do chosen columns come in the order that was asked for, with the same values?" => reads::columns,
    "keys" "do primary keys identify rows, and have no nulls?" => reads::keys,
    "empty" "is a stream without rows read as such?" => reads::empty,
    "extremes" "do nulls and extremes of every type arrive as they are?" => reads::extremes,
    "cursor" "do cursors move forward, and is nothing read twice?" => state::cursor,
    "resume" "does a read that goes on from any checkpoint miss and repeat nothing?" => resume::resume,
    "splits" "are splits disjoint and together complete?" => splits::splits,
    "future-state" "does a state beyond all rows read nothing?" => state::future,
    "past-state" "are states of earlier versions accepted?" => state::past,
    "replay" "does a plan that is read twice read the same?" => splits::replay,
    "deterministic" "does it do the same again where its source, clock and chance are replayed?" => replays::deterministic,
    "recordings" "does it do what was recorded of it?" => replays::recordings,
    "cancel" "does a cancelled read end within a second?" => limits::cancel,
    "memory" "is memory the same for ten times the data?" => limits::memory,
    "hosts" "does it ask for no host that it does not declare?" => limits::hosts,
}

pub(crate) fn passed(detail: impl Into<String>) -> Outcome {
    Ok(Verdict::Passed(detail.into()))
}

pub(crate) fn failed(detail: impl Into<String>) -> Outcome {
    Ok(Verdict::Failed(detail.into()))
}

/// Failed, because the specification neither says what to try nor why not.
pub(crate) fn undeclared(what: &str) -> Outcome {
    failed(format!("the specification has no {what}; add it, or say under `skip` why there is none"))
}

pub(crate) fn skipped(detail: impl Into<String>) -> Outcome {
    Ok(Verdict::Skipped(detail.into()))
}

/// `3 streams`, `1 stream`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
