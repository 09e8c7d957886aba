//! An instance of a connector: an actor that owns the store and serves one call at a time.
//!
//! A trap, a cancel or a deadline ends the actor; the store is never used again. Dropping the handle cancels whatever runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arrow_schema::SchemaRef;
use sluice_core::RunError;
use sluice_core::plan::{
    CheckStep, Cursor, DiscoverFilter, DiscoverPage, Pages, PlanHints, ReadPlan, Selection, Split,
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) mod actor;
mod complete;
pub(crate) mod meter;
pub(crate) mod store;

use crate::fault::Fault;
use crate::imports::items::{Planning, Recall, Remembered};
use crate::imports::log::Log;
use crate::imports::output::{ActiveRead, Budget, ReadEnd, ReadEvent};
use actor::Command;

/// Events that may wait for the engine; the budget bounds their bytes. So many that a guest with small batches goes on while the engine
/// waits for its turn of a busy machine's processors: with two, each waited for the other, and neighbours took the rest of their share.
const EVENTS: usize = 64;

/// How long a connector may take to let go of what its plan opened.
pub const GOODBYE: Duration = Duration::from_secs(2);

/// A running instance.
pub struct Instance {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) log: Log,
    pub(crate) memory: Arc<AtomicU64>,
    pub(crate) cancel: CancellationToken,
    pub(crate) _ends_with_the_handle: DropGuard,
}

impl Instance {
    /// Tries the configuration.
    ///
    /// # Errors
    /// The connector's own error, or the sandbox's.
    pub async fn check(&self) -> Result<Vec<CheckStep>, RunError> {
        self.call(|reply| Command::Check { reply }).await
    }

    /// Lists a page of streams.
    ///
    /// # Errors
    /// The connector's own error, or the sandbox's.
    pub async fn discover(&self, filter: DiscoverFilter, page: Option<String>) -> Result<DiscoverPage, RunError> {
        self.call(|reply| Command::Discover { filter, page, reply }).await
    }

    /// Lists streams page by page, at most so many pages, until there are no more or `each` has seen enough and says false. True if
    /// there are more.
    ///
    /// # Errors
    /// As [`Instance::discover`], and if pages come without end.
    pub async fn discover_pages(
        &self,
        filter: &DiscoverFilter,
        mut pages: Pages,
        mut each: impl FnMut(DiscoverPage) -> bool,
    ) -> Result<bool, RunError> {
        loop {
            let mut page = self.discover(filter.clone(), pages.at()).await?;
            let next = page.next.take();
            if !each(page) {
                return Ok(next.is_some());
            }
            if !pages.follow(next)? {
                return Ok(false);
            }
        }
    }

    /// Plans a read. The instance must be kept until every split of the plan has been read. `recall` tells what the streams'
    /// states remember item by item; the answer has, by stream, what is to be remembered and replaced once the plan has been carried out.
    ///
    /// # Errors
    /// The connector's own error, the sandbox's, or that of `recall`.
    pub async fn plan(
        &self,
        selections: Vec<Selection>,
        hints: PlanHints,
        recall: Arc<dyn Recall>,
    ) -> Result<(ReadPlan, BTreeMap<String, Remembered>), RunError> {
        let planning = Planning::new(&selections, recall);
        self.call(|reply| Command::Plan { selections, hints, planning, reply }).await
    }

    /// Begins to read a split. `planned` has the schema of each of its streams.
    ///
    /// # Errors
    /// If the instance has ended.
    pub async fn read(
        &self,
        split: Split,
        start: Option<Cursor>,
        planned: Vec<(Arc<str>, SchemaRef)>,
        budget: Budget,
    ) -> Result<Read, RunError> {
        let (events, received) = mpsc::channel(EVENTS);
        let (reply, done) = oneshot::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let active = ActiveRead { planned, events, budget, stop: stop.clone() };
        self.commands.send(Command::Read { split, start, active, reply }).await.map_err(|_| Fault::Gone)?;
        Ok(Read { events: received, done, stop: StopHandle(stop) })
    }

    /// Tells the source that everything up to the cursor is durable.
    ///
    /// # Errors
    /// The connector's own error, or the sandbox's.
    pub async fn acknowledge(&self, stream: String, cursor: Cursor) -> Result<(), RunError> {
        self.call(|reply| Command::Acknowledge { stream, cursor, reply }).await
    }

    /// Lets a planning instance say goodbye, once every split has been read. Nothing depends on it: it is not waited for longer
    /// than [`GOODBYE`], and what goes wrong is only logged.
    pub async fn close(self) {
        let goodbye = self.call(|reply| Command::Close { reply });
        let failure = match tokio::time::timeout(GOODBYE, goodbye).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("it took longer than {GOODBYE:?}"),
        };
        tracing::debug!(failure, "instance.close_failed");
    }

    /// The connector's log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Linear memory that the instance has asked for so far, bytes. It only ever grows.
    pub fn memory_bytes(&self) -> u64 {
        self.memory.load(Ordering::Relaxed)
    }

    /// Ends whatever the instance does, now.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    async fn call<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, RunError>>) -> Command,
    ) -> Result<T, RunError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| Fault::Gone)?;
        answer.await.map_err(|_| Fault::Gone)?
    }
}

/// A read under way.
pub struct Read {
    events: mpsc::Receiver<ReadEvent>,
    done: oneshot::Receiver<Result<ReadEnd, RunError>>,
    stop: StopHandle,
}

impl Read {
    /// The next event; none once the read has ended, then [`Read::finish`] tells how.
    pub async fn next(&mut self) -> Option<ReadEvent> {
        self.events.recv().await
    }

    /// How the read ended.
    ///
    /// # Errors
    /// The connector's own error, or the sandbox's.
    pub async fn finish(mut self) -> Result<ReadEnd, RunError> {
        self.events.close();
        self.done.await.map_err(|_| Fault::Gone)?
    }

    /// A handle by which somebody else can ask the read to stop.
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }
}

/// Asks a read to stop at its next checkpoint.
#[derive(Clone)]
pub struct StopHandle(Arc<AtomicBool>);

impl StopHandle {
    /// The next checkpoint is answered with "stop".
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
