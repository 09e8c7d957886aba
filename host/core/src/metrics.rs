//! Counting for whoever operates the service: counters and histograms in memory, and the text in which Prometheus reads them.
//!
//! What tells one series of a metric from another is a word of the program (`&'static str`), never a text from outside: so no tenant's
//! names or ids get into the metrics, and there are as many series as the program has words, however many tenants there are.
//!
//! To add a metric: a field of one of these types where the thing happens, and a line that writes it out with its name, unit and
//! meaning; then a row of the table in `docs/observability.md`.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Numbers that only grow, one for each combination of words. `N` is how many labels tell them apart.
#[derive(Debug)]
pub struct Counters<const N: usize> {
    labels: [&'static str; N],
    values: Mutex<BTreeMap<[&'static str; N], u64>>,
}

/// How often something took how long, one histogram for each combination of words.
#[derive(Debug)]
pub struct Histograms<const N: usize> {
    labels: [&'static str; N],
    /// Upper bounds of the buckets, seconds.
    bounds: &'static [f64],
    values: Mutex<BTreeMap<[&'static str; N], Series>>,
}

#[derive(Clone, Debug, Default)]
struct Series {
    /// How many were at most as long as each bound, and longer than the bound before.
    buckets: Vec<u64>,
    sum: f64,
    count: u64,
}

impl<const N: usize> Counters<N> {
    /// Told apart by these labels. A rate is only seen of a series that was there before it grew, so combinations that are to be
    /// watched are named here and begin at zero.
    pub fn new(labels: [&'static str; N], known: impl IntoIterator<Item = [&'static str; N]>) -> Self {
        let values = known.into_iter().map(|words| (words, 0)).collect();
        Self { labels, values: Mutex::new(values) }
    }

    /// Counts.
    pub fn add(&self, words: [&'static str; N], by: u64) {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let value = values.entry(words).or_default();
        *value = value.saturating_add(by);
    }

    /// How many there were.
    pub fn get(&self, words: [&'static str; N]) -> u64 {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).get(&words).copied().unwrap_or_default()
    }
}

impl Counters<0> {
    /// A single number.
    pub fn single() -> Self {
        Self::new([], [[]])
    }
}

impl<const N: usize> Histograms<N> {
    /// Told apart by these labels; `bounds` are ascending, in seconds.
    pub fn new(labels: [&'static str; N], bounds: &'static [f64]) -> Self {
        Self { labels, bounds, values: Mutex::default() }
    }

    /// Counts something that took this long.
    pub fn observe(&self, words: [&'static str; N], took: Duration) {
        let seconds = took.as_secs_f64();
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let series = values.entry(words).or_default();
        series.buckets.resize(self.bounds.len(), 0);
        let bucket = self.bounds.partition_point(|bound| *bound < seconds);
        if let Some(count) = series.buckets.get_mut(bucket) {
            *count += 1;
        }
        series.sum += seconds;
        series.count += 1;
    }
}

/// Prometheus's text format 0.0.4, as it is put together.
#[derive(Debug, Default)]
pub struct Text(String);

impl Text {
    /// A number that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, "gauge", help);
        self.line(format_args!("{name} {value}"));
    }

    /// A number that only grows and is counted elsewhere.
    pub fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, "counter", help);
        self.line(format_args!("{name} {value}"));
    }

    /// Numbers that go up and down, told apart by the words of one label.
    pub fn gauges<V: Display>(&mut self, name: &str, help: &str, label: &str, values: &[(&'static str, V)]) {
        self.head(name, "gauge", help);
        for (word, value) in values {
            self.line(format_args!("{name}{{{label}=\"{word}\"}} {value}"));
        }
    }

    /// Counters; `name` ends in `_total`.
    pub fn counters<const N: usize>(&mut self, name: &str, help: &str, counters: &Counters<N>) {
        self.head(name, "counter", help);
        for (words, value) in counters.values.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let labels = labels(&counters.labels, words, None);
            self.line(format_args!("{name}{labels} {value}"));
        }
    }

    /// Histograms; `name` ends in its unit.
    pub fn histograms<const N: usize>(&mut self, name: &str, help: &str, histograms: &Histograms<N>) {
        self.head(name, "histogram", help);
        for (words, series) in histograms.values.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let labels = |bound: Option<&str>| labels(&histograms.labels, words, bound);
            let mut up_to = 0;
            for (bound, count) in histograms.bounds.iter().zip(&series.buckets) {
                up_to += count;
                self.line(format_args!("{name}_bucket{} {up_to}", labels(Some(&bound.to_string()))));
            }
            self.line(format_args!("{name}_bucket{} {}", labels(Some("+Inf")), series.count));
            self.line(format_args!("{name}_sum{} {}", labels(None), series.sum));
            self.line(format_args!("{name}_count{} {}", labels(None), series.count));
        }
    }

    /// The whole text.
    pub fn finish(self) -> String {
        self.0
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing into a string cannot fail.
        let _ = self.0.write_fmt(line);
        self.0.push('\n');
    }
}

/// `{a="x",b="y"}`; nothing where there is no label.
fn labels(names: &[&'static str], words: &[&'static str], bound: Option<&str>) -> String {
    let named = names.iter().zip(words).map(|(name, word)| format!("{name}=\"{word}\""));
    let all: Vec<String> = named.chain(bound.map(|bound| format!("le=\"{bound}\""))).collect();
    if all.is_empty() { String::new() } else { format!("{{{}}}", all.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_histograms_are_written_as_prometheus_reads_them() {
        let ended = Counters::new(["state", "cause"], [["failed", "manual"]]);
        ended.add(["succeeded", "manual"], 2);
        let waits = Histograms::new([], &[0.5, 1.0]);
        for millis in [100, 500, 700, 3_000] {
            waits.observe([], Duration::from_millis(millis));
        }
        let mut text = Text::default();
        text.counters("runs_total", "Runs.", &ended);
        text.histograms("wait_seconds", "Waits.", &waits);
        text.gauges("runs", "Now.", "state", &[("waiting", 3)]);
        text.gauge("up", "Whether.", 1);
        assert_eq!(
            text.finish(),
            "# HELP runs_total Runs.\n# TYPE runs_total counter\n\
             runs_total{state=\"failed\",cause=\"manual\"} 0\nruns_total{state=\"succeeded\",cause=\"manual\"} 2\n\
             # HELP wait_seconds Waits.\n# TYPE wait_seconds histogram\n\
             wait_seconds_bucket{le=\"0.5\"} 2\nwait_seconds_bucket{le=\"1\"} 3\nwait_seconds_bucket{le=\"+Inf\"} 4\n\
             wait_seconds_sum 4.3\nwait_seconds_count 4\n\
             # HELP runs Now.\n# TYPE runs gauge\nruns{state=\"waiting\"} 3\n\
             # HELP up Whether.\n# TYPE up gauge\nup 1\n"
        );
        assert_eq!((ended.get(["succeeded", "manual"]), ended.get(["stopped", "manual"])), (2, 0));
    }

    #[test]
    fn a_single_counter_is_there_before_it_counts() {
        let single = Counters::single();
        let mut text = Text::default();
        text.counters("x_total", "X.", &single);
        assert!(text.finish().ends_with("x_total 0\n"));
    }
}
