//! Worker processes: what a guest does happens in one of them, so that nothing it does can take the service down.
//!
//! The protocol is `sluice_core::worker`'s. A worker ends with its host: its input closes, and dropping a [`Worker`] kills it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::metrics::Text;
use sluice_core::worker::{Event, Job, LogLevel, MAX_LINE, Order};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// How long a worker may take to leave once it has said that it is done.
const LEAVING: Duration = Duration::from_secs(10);

/// How long a worker that broke off may still be on its way out.
const BREAKING: Duration = Duration::from_secs(1);

/// Most of a worker's standard error that is kept, bytes: the end of it, which tells why it crashed.
const KEPT_ERRORS: usize = 4 << 10;

/// How workers are started.
#[derive(Debug)]
pub struct Workers {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    /// Short jobs that people wait for.
    short: Semaphore,
    /// Components and recordings that are looked at, which takes a processor for a while.
    examining: Semaphore,
    counted: Arc<Counted>,
}

/// How many workers there were.
#[derive(Debug, Default)]
struct Counted {
    started: AtomicU64,
    crashed: AtomicU64,
}

/// A worker at its job.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    errors: Option<tokio::task::JoinHandle<String>>,
    last_words: String,
    line: Vec<u8>,
    /// How it ended, and until when it may take to leave.
    end: Option<(End, Instant)>,
    counted: Arc<Counted>,
}

/// What a worker said last, or did instead.
#[derive(Clone, Debug)]
enum End {
    Done,
    Failed(RunError),
    /// It broke off, in these words.
    Broken(String),
}

impl Workers {
    /// Workers are `program` with these arguments, with nothing in their environment but what is given here. At most
    /// `short_at_once` jobs that somebody waits for run at once, and one that looks at an upload.
    pub fn new(
        program: PathBuf,
        arguments: Vec<OsString>,
        environment: Vec<(OsString, OsString)>,
        short_at_once: usize,
    ) -> Self {
        Self {
            program,
            arguments,
            environment,
            short: Semaphore::new(short_at_once),
            examining: Semaphore::new(1),
            counted: Arc::default(),
        }
    }

    /// Writes down what is counted of workers.
    pub fn write_metrics(&self, text: &mut Text) {
        let (started, crashed) = (&self.counted.started, &self.counted.crashed);
        let help = "Worker processes that were started.";
        text.counter("sluice_workers_started_total", help, started.load(Ordering::Relaxed));
        let help = "Worker processes that ended before their job.";
        text.counter("sluice_worker_crashes_total", help, crashed.load(Ordering::Relaxed));
    }

    /// Starts a worker and hands it its job.
    ///
    /// # Errors
    /// If the process cannot be started: the host is short of something.
    pub async fn start(&self, job: &Job) -> Result<Worker, RunError> {
        let failed = |doing: &str, e: &dyn std::fmt::Display| {
            RunError::new(Kind::Resources, Actor::Host, format!("{doing} a worker process: {e}"))
                .with_retry(sluice_core::Retry::Later)
        };
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        if matches!(job, Job::Run(_) | Job::Examine { .. } | Job::Recording { .. } | Job::Replay { .. }) {
            // Somebody waits for whatever else the machine does.
            command.arg("--patient");
        }
        command.env_clear().envs(self.environment.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|e| failed("starting", &e))?;
        let (Some(mut input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(RunError::internal("a worker process was started without its pipes"));
        };
        let errors = Some(tokio::spawn(last_of(errors)));
        let mut line = serde_json::to_vec(job).map_err(|e| RunError::internal(format!("writing a job down: {e}")))?;
        line.push(b'\n');
        input.write_all(&line).await.map_err(|e| failed("handing its job to", &e))?;
        self.counted.started.fetch_add(1, Ordering::Relaxed);
        let (output, counted) = (BufReader::new(output), self.counted.clone());
        Ok(Worker {
            child,
            input: Some(input),
            output,
            errors,
            last_words: String::new(),
            line: Vec::new(),
            end: None,
            counted,
        })
    }

    /// Runs a job that somebody waits for, to its end, within a time; what it told.
    ///
    /// # Errors
    /// What the job failed with; that it took too long; that too many others wait.
    pub async fn ask(&self, job: &Job, within: Duration) -> Result<Vec<Event>, RunError> {
        let mut events = Vec::new();
        self.listen(job, within, |event| events.push(event)).await.map(|()| events)
    }

    /// As [`Workers::ask`]; `told` hears each event as it comes, also those of a job that fails afterwards.
    ///
    /// # Errors
    /// As [`Workers::ask`].
    pub async fn listen(
        &self,
        job: &Job,
        within: Duration,
        mut told: impl FnMut(Event) + Send,
    ) -> Result<(), RunError> {
        let asked = async {
            let uploaded = matches!(job, Job::Examine { .. } | Job::Recording { .. });
            let turns = if uploaded { &self.examining } else { &self.short };
            let _permit = turns.acquire().await.map_err(|e| RunError::internal(e.to_string()))?;
            let mut worker = self.start(job).await?;
            while let Some(event) = worker.next().await? {
                told(event);
            }
            Ok(())
        };
        tokio::time::timeout(within, asked).await.unwrap_or_else(|_| {
            let message = format!("there was no answer within {} seconds", within.as_secs());
            Err(RunError::new(Kind::Transient, Actor::Source, message))
        })
    }
}

impl Worker {
    /// What the worker tells next; none when it has done its job and left. Safe to drop while it waits.
    ///
    /// # Errors
    /// What the job failed with, or that the worker crashed.
    pub async fn next(&mut self) -> Result<Option<Event>, RunError> {
        // Whoever drops this while the worker leaves asks again: how it ended was heard before and holds.
        let (end, leave_by) = match &self.end {
            Some(known) => known.clone(),
            None => match self.heard().await {
                Ok(event) => return Ok(Some(event)),
                Err(end) => {
                    let patience = if matches!(end, End::Broken(_)) { BREAKING } else { LEAVING };
                    self.end.insert((end, Instant::now() + patience)).clone()
                }
            },
        };
        let how = self.leave(leave_by).await;
        match end {
            End::Done => Ok(None),
            End::Failed(error) => Err(error),
            End::Broken(what) => Err(self.crashed(&what, &how).await),
        }
    }

    /// The next event, or how the worker ended.
    async fn heard(&mut self) -> Result<Event, End> {
        // Bytes that were read before this was dropped the last time are still in `line`.
        let room = (MAX_LINE - self.line.len().min(MAX_LINE)) as u64;
        let read = (&mut self.output).take(room).read_until(b'\n', &mut self.line).await;
        match read {
            Ok(_) if self.line.last() == Some(&b'\n') => {}
            Ok(_) if self.line.len() >= MAX_LINE => return Err(End::Broken("wrote a line that is too long".into())),
            Ok(_) => return Err(End::Broken("ended before its job".into())),
            Err(e) => return Err(End::Broken(format!("cannot be heard: {e}"))),
        }
        let parsed = serde_json::from_slice(&self.line);
        self.line.clear();
        match parsed {
            Ok(Event::Done) => Err(End::Done),
            Ok(Event::Failed(error)) => Err(End::Failed(error)),
            Ok(event) => Ok(event),
            Err(_) => Err(End::Broken("wrote what is no event".into())),
        }
    }

    /// Tells the worker to stop or to end. A worker that is gone hears nothing, which its next event will show.
    pub async fn order(&mut self, order: Order) {
        let (Some(input), Ok(mut line)) = (&mut self.input, serde_json::to_vec(&order)) else { return };
        line.push(b'\n');
        let _ = input.write_all(&line).await;
    }

    /// The end of what a worker that broke off wrote to its standard error. It may hold secrets of its job.
    pub fn last_words(&self) -> &str {
        &self.last_words
    }

    /// Whether it broke off: its process ended, or spoke nonsense, before the job was done.
    pub fn broke_off(&self) -> bool {
        matches!(self.end, Some((End::Broken(_), _)))
    }

    /// Ends the worker at once.
    pub async fn kill(&mut self) {
        let _ = self.child.kill().await;
    }

    /// Waits for the process to end, until a time; how it ended.
    async fn leave(&mut self, by: Instant) -> String {
        self.input = None;
        if tokio::time::timeout_at(by, self.child.wait()).await.is_err() {
            self.kill().await;
        }
        match self.child.wait().await {
            Ok(status) => status.to_string(),
            Err(e) => format!("how is not known: {e}"),
        }
    }

    /// What a worker that broke off comes to. It is worth another attempt: a guest that brings its process down does so again and ends
    /// the retries, a machine that was short of memory may not be any more.
    async fn crashed(&mut self, what: &str, how: &str) -> RunError {
        if let Some(errors) = &mut self.errors {
            self.counted.crashed.fetch_add(1, Ordering::Relaxed);
            self.last_words = errors.await.unwrap_or_default();
            self.errors = None;
        }
        RunError::new(Kind::Transient, Actor::Host, format!("the worker process {what} ({how})"))
    }
}

/// The end of what a worker wrote to its standard error. It must be read to its end, or the worker would wait.
async fn last_of(mut errors: tokio::process::ChildStderr) -> String {
    let mut kept = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = errors.read(&mut chunk).await {
        kept.extend_from_slice(chunk.get(..read).unwrap_or_default());
        let beyond = kept.len().saturating_sub(KEPT_ERRORS);
        kept.drain(..beyond);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

/// The word for a level, as the store and the API have it.
pub fn level_word(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

#[cfg(test)]
mod tests {
    use sluice_core::limits::RunLimits;
    use sluice_core::pipeline::SourceSpec;

    use super::*;

    /// A worker that does what a script of the shell says once it has read its job.
    async fn worker(script: &str) -> Worker {
        let arguments = vec!["-c".into(), format!("read job; {script}").into()];
        let workers = Workers::new("/bin/sh".into(), arguments, vec![("PATH".into(), "/usr/bin:/bin".into())], 1);
        let source: SourceSpec = serde_json::from_str(r#"{"connector": "files"}"#).expect("a source");
        let job = Job::Check { source, limits: RunLimits::default() };
        workers.start(&job).await.expect("a worker")
    }

    /// Asks for the next event again and again, as one does who has other things to look at meanwhile: how often, and what came.
    async fn impatient(worker: &mut Worker) -> (u32, Result<(), RunError>) {
        for asked in 0..1_000 {
            if let Ok(next) = tokio::time::timeout(Duration::from_millis(20), worker.next()).await {
                return (asked, next.map(|event| assert!(event.is_none(), "{event:?}")));
            }
        }
        panic!("no answer")
    }

    #[tokio::test]
    async fn what_a_worker_said_last_holds_however_long_it_takes_to_leave() {
        let said = serde_json::to_string(&Event::Done).expect("a line");
        let mut done = worker(&format!("echo '{said}'; exec >&-; sleep 0.4")).await;
        let (asked, end) = impatient(&mut done).await;
        assert!(asked > 2, "it left at once, so nothing is shown");
        assert_eq!(end, Ok(()));
        assert_eq!(impatient(&mut done).await, (0, Ok(())));

        let error = RunError::config("glob", "no file matches");
        let failed = serde_json::to_string(&Event::Failed(error.clone())).expect("a line");
        let mut failed = worker(&format!("echo '{failed}'; exec >&-; sleep 0.4; exit 2")).await;
        let (asked, end) = impatient(&mut failed).await;
        assert!(asked > 2, "it left at once, so nothing is shown");
        assert_eq!(end, Err(error));
    }

    #[tokio::test]
    async fn the_last_words_of_a_worker_that_breaks_off_are_kept_for_who_may_see_them() {
        let mut worker = worker("echo the password is hunter2 >&2; exit 101").await;
        let (_, end) = impatient(&mut worker).await;
        assert!(end.is_err_and(|error| !error.message.contains("hunter2")));
        assert_eq!(worker.last_words(), "the password is hunter2");
    }

    #[tokio::test]
    async fn a_worker_that_breaks_off_is_told_apart_from_one_that_is_done() {
        for (script, how) in [
            ("exec >&-; sleep 0.2; exit 7", "the worker process ended before its job (exit status: 7)"),
            ("echo nonsense; exec >&-; sleep 0.2", "the worker process wrote what is no event (exit status: 0)"),
            ("exec >&-; exec sleep 60", "the worker process ended before its job (signal: 9 (SIGKILL))"),
        ] {
            let mut worker = worker(script).await;
            let (_, end) = impatient(&mut worker).await;
            let error = end.expect_err("it broke off");
            assert_eq!((error.kind, error.message.as_str()), (Kind::Transient, how), "{script}");
            assert_eq!(impatient(&mut worker).await, (0, Err(error)));
            assert_eq!(worker.last_words(), "");
        }
    }
}
