//! What a worker says while it runs: without secrets, bounded, kept with the run.

use std::sync::Arc;

use sluice_core::secret::Redactor;
use sluice_core::worker::LogLevel;
use sluice_store::{Claim, LogLine, Scope, Store};

use super::worker::level_word;
use crate::clock::Clock;

/// Most lines that are kept of an attempt.
const MOST_LINES: u32 = 10_000;

/// Most bytes that are kept of a line.
const MOST_BYTES: usize = 4 << 10;

/// The log of an attempt.
pub(super) struct Log {
    store: Store,
    clock: Arc<dyn Clock>,
    redactor: Redactor,
    tenant: String,
    request: String,
    attempt: u32,
    line: u32,
    waiting: Vec<LogLine>,
}

impl Log {
    pub(super) fn new(store: Store, clock: Arc<dyn Clock>, claim: &Claim, redactor: Redactor) -> Self {
        let (tenant, request) = (claim.request.tenant.clone(), claim.request.asked.id.clone());
        Self { store, clock, redactor, tenant, request, attempt: claim.request.attempts, line: 0, waiting: Vec::new() }
    }

    /// Takes a line. Beyond the bound nothing is kept but a line that says so.
    pub(super) fn add(&mut self, level: LogLevel, message: &str) {
        self.line = self.line.saturating_add(1);
        let message = match self.line {
            ..MOST_LINES => self.short(message),
            MOST_LINES => format!("more was said, but only {MOST_LINES} lines are kept of an attempt"),
            _ => return,
        };
        let level = level_word(level).to_owned();
        let at_us = self.clock.now_us();
        self.waiting.push(LogLine { attempt: self.attempt, line: self.line, at_us, level, message });
    }

    /// Records what was taken. What cannot be recorded now is tried again with what follows.
    pub(super) async fn flush(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        match self.store.add_log(Scope { tenant: &self.tenant }, &self.request, &self.waiting).await {
            Ok(()) => self.waiting.clear(),
            Err(error) => tracing::warn!(run = self.request, %error, "the log of a run is not recorded yet"),
        }
    }

    fn short(&self, message: &str) -> String {
        // A secret that is cut in two is not found any more: it is taken out first.
        let mut text = self.redactor.redact(message).into_owned();
        if text.len() > MOST_BYTES {
            text.truncate(text.floor_char_boundary(MOST_BYTES));
            text.push('…');
        }
        // PostgreSQL's texts hold no NUL.
        text.replace('\0', "\u{fffd}")
    }
}
