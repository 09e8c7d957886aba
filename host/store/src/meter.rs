//! How long the database takes, and how often it fails.

use std::time::Duration;

use sluice_core::metrics::{Counters, Histograms, Text};
use tokio::time::Instant;

const BOUNDS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

/// What a process asked of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A query that changes nothing.
    Read,
    /// A statement of its own that changes something.
    Write,
    /// Several statements, from the first one to the commit; waiting for others that write is in it.
    Transaction,
}

impl Asked {
    const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Transaction];

    fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Transaction => "transaction",
        }
    }
}

/// What is counted of a database's answers.
#[derive(Debug)]
pub(crate) struct Meter {
    took: Histograms<1>,
    errors: Counters<1>,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            took: Histograms::new(["operation"], &BOUNDS),
            errors: Counters::new(["operation"], Asked::ALL.map(|asked| [asked.word()])),
        }
    }
}

impl Meter {
    /// There was an answer, after this long.
    pub(crate) fn answered(&self, asked: Asked, took: Duration) {
        self.took.observe([asked.word()], took);
    }

    /// There was none.
    pub(crate) fn failed(&self, asked: Asked) {
        self.errors.add([asked.word()], 1);
    }

    /// Counts an answer to what was asked then.
    pub(crate) fn count<T, E>(&self, asked: Asked, since: Instant, answer: &Result<T, E>) {
        match answer {
            Ok(_) => self.answered(asked, since.elapsed()),
            Err(_) => self.failed(asked),
        }
    }

    pub(crate) fn write(&self, text: &mut Text) {
        text.histograms("sluice_store_operation_duration_seconds", "How long the database took.", &self.took);
        text.counters("sluice_store_errors_total", "What the database failed at.", &self.errors);
    }
}
