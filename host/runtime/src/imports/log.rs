//! A guest's log: cut, escaped, redacted, bounded. Its standard output and error end up here too.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

use sluice_core::recording::Event;

use crate::tape::Tape;
use crate::text::printable;

/// Longest line, bytes.
const MAX_LINE: usize = 4 << 10;
/// Shortest secret that is looked for in a line: shorter ones would blank out ordinary words.
const MIN_SECRET: usize = 4;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever writes the connector.
    Debug,
    /// What happened.
    Info,
    /// What somebody should look at.
    Warn,
    /// What failed.
    Error,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// A line of a connector's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How much it matters.
    pub level: Level,
    /// The text, safe to print.
    pub text: String,
}

/// The log of one instance. Cheap to clone; all clones are the same log.
#[derive(Clone)]
pub struct Log {
    connector: Arc<str>,
    secrets: Arc<[String]>,
    inner: Arc<Mutex<Inner>>,
    tape: Option<Tape>,
}

struct Inner {
    lines: VecDeque<Line>,
    room: u64,
    dropped: u64,
    /// The last words on standard error: a panic message.
    last_words: String,
}

impl Log {
    pub(crate) fn new(connector: &str, secrets: Vec<String>, max_bytes: u64) -> Self {
        let secrets = secrets.into_iter().filter(|secret| secret.len() >= MIN_SECRET).collect();
        let inner = Inner { lines: VecDeque::new(), room: max_bytes, dropped: 0, last_words: String::new() };
        Self { connector: connector.into(), secrets, inner: Arc::new(Mutex::new(inner)), tape: None }
    }

    /// The same, whose lines are taken down.
    pub(crate) fn with_tape(self, tape: Option<Tape>) -> Self {
        Self { tape, ..self }
    }

    pub(crate) fn write(&self, level: Level, message: &str) {
        let text = self.clean(message);
        if let Some(tape) = &self.tape {
            tape.push(Event::Log { level: level.as_str().to_owned(), text: text.clone() }, text.len());
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let size = text.len() as u64 + 1;
        if size > inner.room {
            inner.dropped += 1;
            return;
        }
        inner.room -= size;
        match level {
            Level::Debug => tracing::debug!(target: "connector.log", connector = &*self.connector, "{text}"),
            Level::Info => tracing::info!(target: "connector.log", connector = &*self.connector, "{text}"),
            Level::Warn => tracing::warn!(target: "connector.log", connector = &*self.connector, "{text}"),
            Level::Error => tracing::error!(target: "connector.log", connector = &*self.connector, "{text}"),
        }
        inner.lines.push_back(Line { level, text });
    }

    /// Lines kept so far, the oldest first; they are handed over once.
    pub fn take(&self) -> Vec<Line> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.lines.drain(..).collect()
    }

    /// How many lines did not fit into `limits.instance.log_bytes`.
    pub fn dropped(&self) -> u64 {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).dropped
    }

    /// The end of what the guest wrote to standard error.
    pub(crate) fn last_words(&self) -> String {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.last_words.trim().to_owned()
    }

    /// Escapes, cuts and redacts a text of the guest's.
    pub(crate) fn clean(&self, message: &str) -> String {
        // Redacted before it is cut, so that no half of a secret is left at the end.
        let redacted = self.secrets.iter().fold(message.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), "[secret]") } else { text }
        });
        printable(&redacted, MAX_LINE).replace('\n', "\\n")
    }

    fn stderr(&self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        self.write(Level::Warn, text.trim_end());
        let clean = self.clean(&text).replace("\\n", " ");
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.last_words.push_str(&clean);
        let excess = inner.last_words.len().saturating_sub(1000);
        let cut = (excess..=inner.last_words.len()).find(|at| inner.last_words.is_char_boundary(*at));
        inner.last_words.drain(..cut.unwrap_or(0));
    }
}

/// The guest's standard output or error: taken without end, because a guest whose pipe is full panics, and kept within the
/// log's bounds.
#[derive(Clone)]
pub(crate) struct Stdio(pub(crate) Log);

impl IsTerminal for Stdio {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stdio {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Stdio {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.0.stderr(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_reaches_the_log() {
        let log = Log::new("demo", vec!["hunter22".into()], 1000);
        log.write(Level::Info, "logging in with hunter22\nforged line");
        assert_eq!(log.take()[0].text, "logging in with [secret]\\nforged line");
    }

    #[test]
    fn a_flood_is_counted_and_not_kept() {
        let log = Log::new("demo", vec![], 100);
        for _ in 0..1000 {
            log.write(Level::Info, "123456789");
        }
        assert_eq!(log.take().len(), 10);
        assert_eq!(log.dropped(), 990);
    }
}
