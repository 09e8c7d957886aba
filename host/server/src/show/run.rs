//! A run as it goes: a bar for each stream on a terminal, a JSON line every second otherwise; and its summary.

use std::sync::Arc;
use std::time::{Duration, Instant};

use console::style;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::json;
use sluice_core::run::RunState;
use sluice_engine::{Progress, RunReport, StreamProgress, StreamReport};
use sluice_store::LoadState;
use tokio_util::sync::CancellationToken;

use super::{advice, bytes, error_json, human};

/// Watches a run until it is told how it ended.
pub(crate) struct Watcher {
    json: bool,
    begun: Instant,
    ended: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Watcher {
    pub(crate) fn start(json: bool, progress: Arc<Progress>, begun: Instant) -> Self {
        let ended = CancellationToken::new();
        let over = ended.clone();
        let task = tokio::spawn(async move {
            let every = Duration::from_millis(if json { 1000 } else { 100 });
            let mut bars = (!json).then(Bars::default);
            loop {
                tokio::select! {
                    () = over.cancelled() => break,
                    () = tokio::time::sleep(every) => {}
                }
                match &mut bars {
                    Some(bars) => bars.draw(&progress, begun),
                    None => print_progress(&progress, begun),
                }
            }
            if let Some(bars) = bars {
                bars.clear();
            }
        });
        Self { json, begun, ended, task }
    }

    /// Stops watching without a summary.
    pub(crate) async fn abort(self) {
        self.ended.cancel();
        let _ = self.task.await;
    }

    /// Stops watching and prints the summary.
    pub(crate) async fn finish(self, report: &RunReport) {
        self.ended.cancel();
        let _ = self.task.await;
        let seconds = self.begun.elapsed().as_secs_f64();
        if self.json {
            println!("{}", summary_json(report, seconds));
        } else {
            print_summary(report, seconds);
        }
    }
}

/// One bar for each stream under way.
#[derive(Default)]
struct Bars {
    all: MultiProgress,
    bars: Vec<ProgressBar>,
}

impl Bars {
    fn draw(&mut self, progress: &Progress, begun: Instant) {
        let streams = progress.streams();
        while self.bars.len() < streams.len() {
            self.bars.push(self.all.add(ProgressBar::no_length()));
        }
        let seconds = begun.elapsed().as_secs_f64().max(0.001);
        for (stream, bar) in streams.iter().zip(&self.bars) {
            if stream.ended() {
                bar.finish_and_clear();
                continue;
            }
            let counts = stream.counts();
            let known = stream.estimate().filter(|rows| *rows > 0);
            let template = match known {
                Some(_) => "{spinner} {prefix:30!} {bar:24.cyan/dim} {percent:>3}%  {msg}",
                None => "{spinner} {prefix:30!} {msg}",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            if let Some(rows) = known {
                // An estimate is one: the bar never claims to be done before it is.
                bar.set_length(rows.max(counts.read + counts.read / 50 + 1));
                bar.set_position(counts.read);
            }
            bar.set_prefix(stream.stream.clone());
            bar.set_message(line(stream, counts.read, counts.bytes, seconds));
            bar.tick();
        }
    }

    fn clear(self) {
        self.bars.iter().for_each(ProgressBar::finish_and_clear);
        let _ = self.all.clear();
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shown rounded"
)]
fn rate(count: u64, seconds: f64) -> u64 {
    (count as f64 / seconds.max(0.001)) as u64
}

fn line(stream: &StreamProgress, rows: u64, size: u64, seconds: f64) -> String {
    let (done, all) = stream.splits();
    let splits = if all > 1 { format!(", {done}/{all} splits") } else { String::new() };
    format!(
        "{} rows, {} rows/s, {}/s, {} of memory{splits}",
        human(rows),
        human(rate(rows, seconds)),
        bytes(rate(size, seconds)),
        bytes(memory().0)
    )
}

fn print_progress(progress: &Progress, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    for stream in progress.streams().iter().filter(|stream| !stream.ended()) {
        let counts = stream.counts();
        let (done, all) = stream.splits();
        println!(
            "{}",
            json!({"event": "progress", "stream": stream.stream, "rows_read": counts.read, "bytes": counts.bytes,
                   "rows_sent": counts.sent, "rows_per_second": rate(counts.read, seconds),
                   "bytes_per_second": rate(counts.bytes, seconds), "rows_estimated": stream.estimate(),
                   "splits_done": done, "splits": all, "seconds": seconds, "memory_bytes": memory().0})
        );
    }
}

fn summary_json(report: &RunReport, seconds: f64) -> serde_json::Value {
    let streams: Vec<_> = report.streams.iter().map(stream_json).collect();
    let total: u64 = report.streams.iter().map(|stream| stream.counts.bytes).sum();
    json!({"event": "summary", "run": report.run_id, "state": report.state, "streams": streams, "bytes": total,
           "seconds": seconds, "peak_memory_bytes": memory().1, "recovered_commits": report.recovered,
           "error": report.error.as_ref().map(error_json)})
}

fn stream_json(stream: &StreamReport) -> serde_json::Value {
    let counts = &stream.counts;
    json!({"stream": stream.stream, "dataset": stream.table.dataset, "table": stream.table.table,
           "state": stream.state.as_str(), "rows_read": counts.read, "rows_quarantined": counts.quarantined,
           "values_nulled": counts.nulled, "rows_sent": counts.sent, "rows_finalized": counts.finalized,
           "rows_committed": counts.committed, "bytes": counts.bytes, "warnings": stream.warnings,
           "checks": stream.findings,
           "error": stream.error.as_ref().map(error_json)})
}

fn print_summary(report: &RunReport, seconds: f64) {
    for stream in &report.streams {
        print_stream(stream);
    }
    if report.recovered > 0 {
        println!("settled {} commits of an earlier run", report.recovered);
    }
    let rows: u64 = report.streams.iter().map(|stream| stream.counts.read).sum();
    let size: u64 = report.streams.iter().map(|stream| stream.counts.bytes).sum();
    let state = match report.state {
        RunState::Succeeded => style("succeeded").green().bold(),
        RunState::Stopped => style("stopped").yellow().bold(),
        RunState::Failed | RunState::Running => style("failed").red().bold(),
    };
    println!(
        "{state} in {seconds:.2} s: {} rows, {} rows/s, {}, peak memory {}  {}",
        human(rows),
        human(rate(rows, seconds)),
        bytes(size),
        bytes(memory().1),
        style(format!("run {}", report.run_id)).dim()
    );
}

fn print_stream(stream: &StreamReport) {
    let counts = &stream.counts;
    let mark = match stream.state {
        LoadState::Committed => style("ok  ").green(),
        LoadState::Stopped => style("stop").yellow(),
        LoadState::Failed | LoadState::Running => style("FAIL").red().bold(),
    };
    println!(
        "{mark}  {} -> {}: read {}, sent {}, finalized {}, committed {}",
        style(&stream.stream).bold(),
        stream.table,
        human(counts.read),
        human(counts.sent),
        human(counts.finalized),
        human(counts.committed)
    );
    if counts.quarantined > 0 {
        println!(
            "      {} rows are in {}__quarantine, with the reason of each",
            human(counts.quarantined),
            stream.table
        );
    }
    if counts.nulled > 0 {
        println!("      {} values did not fit their type and are NULL", human(counts.nulled));
    }
    for warning in &stream.warnings {
        println!("      {} {warning}", style("warn").yellow());
    }
    if let Some(error) = &stream.error {
        println!("      {error}");
        println!("      {}", style(advice(error)).dim());
    }
}

/// Resident memory of this process now, and at its highest.
pub(crate) fn memory() -> (u64, u64) {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return (0, 0) };
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok().map(|kib| kib.saturating_mul(1024))
    };
    (field("VmRSS:").unwrap_or(0), field("VmHWM:").unwrap_or(0))
}
