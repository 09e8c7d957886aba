//! What a collector of OpenTelemetry was sent.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::env;

/// How long a span may take on its way.
const PATIENCE: Duration = Duration::from_secs(30);

/// The collector's address.
pub fn endpoint() -> String {
    env("SLUICE_TEST_OTLP_ENDPOINT")
}

/// The spans of a trace that have arrived, in the order in which they ended.
///
/// # Panics
/// If they cannot be read.
pub fn spans(trace: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(env("SLUICE_TEST_OTLP_SPANS")).expect("the file of spans");
    // A line that is being written has no end yet.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let parsed = whole.lines().map(|line| serde_json::from_str::<Value>(line).expect("a span"));
    let mut spans: Vec<Value> = parsed.filter(|span| span["trace"] == trace).collect();
    spans.sort_by_key(|span| span["ended_us"].as_u64());
    spans
}

/// The spans of a trace once so many of them have a name.
///
/// # Panics
/// If that takes too long.
pub fn once(trace: &str, name: &str, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let spans = spans(trace);
        if spans.iter().filter(|span| span["name"] == name).count() >= count {
            return spans;
        }
        assert!(begun.elapsed() < PATIENCE, "there are no {count} spans {name} of {trace}: {spans:#?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The one span of this name.
///
/// # Panics
/// If there are none or several.
pub fn one<'a>(spans: &'a [Value], name: &str) -> &'a Value {
    let mut named = spans.iter().filter(|span| span["name"] == name);
    match (named.next(), named.next()) {
        (Some(span), None) => span,
        _ => panic!("not one span {name}: {spans:#?}"),
    }
}
