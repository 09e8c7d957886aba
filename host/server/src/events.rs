//! What a worker tells its host: events, a line of JSON each, on standard output. What is logged is told as well.

use std::fmt::Write as _;
use std::io::Write;

use sluice_core::worker::{Event, LogLevel};
use tracing::field::{Field, Visit};
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Tells an event. Lines of several tasks do not mix.
pub(crate) fn tell(event: &Event) {
    let Ok(mut line) = serde_json::to_vec(event) else { return };
    line.push(b'\n');
    let mut output = std::io::stdout().lock();
    // A host that does not listen any more is gone; the end of the input says so too.
    let _ = output.write_all(&line).and_then(|()| output.flush());
}

/// Tells the host what is logged.
pub(crate) struct ToHost;

impl<S: Subscriber> Layer<S> for ToHost {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let level = match *event.metadata().level() {
            Level::ERROR => LogLevel::Error,
            Level::WARN => LogLevel::Warn,
            Level::INFO => LogLevel::Info,
            Level::DEBUG | Level::TRACE => LogLevel::Debug,
        };
        let mut text = Text::default();
        event.record(&mut text);
        tell(&Event::Log { level, message: format!("{}{}", text.message, text.fields) });
    }
}

/// An event as a line: its message, then its fields.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let written = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
        // Writing to a text does not fail; a value that says so is left out.
        let _ = written;
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message.push_str(value),
            name => {
                let _ = write!(self.fields, " {name}={value}");
            }
        }
    }
}
