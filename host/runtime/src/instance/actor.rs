//! The task that owns an instance's store.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use sluice_core::RunError;
use sluice_core::limits::InstanceLimits;
use sluice_core::plan::{CheckStep, Cursor, DiscoverFilter, DiscoverPage, PlanHints, ReadPlan, Selection, Split};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use wasmtime::{Store, Trap, UpdateDeadline};

use super::complete;
use super::meter::Meter;
use super::store::StoreData;
use crate::contract::{Called, Guest};
use crate::fault::Fault;
use crate::http::LastFailure;
use crate::imports::items::{Planning, Remembered};
use crate::imports::log::Log;
use crate::imports::output::{ActiveRead, ReadEnd};
use crate::tape::Tape;
use crate::tape::calls::Told;

/// A plan, and what it says of streams beside their splits.
pub(crate) type Planned = (ReadPlan, BTreeMap<String, Remembered>);

type Reply<T> = oneshot::Sender<Result<T, RunError>>;

/// What an instance is asked to do.
pub(crate) enum Command {
    Check { reply: Reply<Vec<CheckStep>> },
    Discover { filter: DiscoverFilter, page: Option<String>, reply: Reply<DiscoverPage> },
    Plan { selections: Vec<Selection>, hints: PlanHints, planning: Planning, reply: Reply<Planned> },
    Read { split: Split, start: Option<Cursor>, active: ActiveRead, reply: Reply<ReadEnd> },
    Acknowledge { stream: String, cursor: Cursor, reply: Reply<()> },
    Close { reply: Reply<()> },
}

/// An instance's store, and everything that bounds a call.
pub(crate) struct Actor {
    pub(crate) store: Store<StoreData>,
    pub(crate) guest: Box<dyn Guest>,
    pub(crate) config: String,
    pub(crate) bounds: Bounds,
}

/// What bounds a call.
#[derive(Clone)]
pub(crate) struct Bounds {
    pub(crate) limits: InstanceLimits,
    pub(crate) stack_bytes: usize,
    pub(crate) meter: Meter,
    pub(crate) cancel: CancellationToken,
    pub(crate) log: Log,
    pub(crate) http: LastFailure,
    pub(crate) tape: Option<Tape>,
}

impl Actor {
    /// Serves calls until the handle is gone or a call ends the instance.
    pub(crate) async fn serve(mut self, mut commands: mpsc::Receiver<Command>) {
        while let Some(command) = commands.recv().await {
            if self.one(command).await.is_err() {
                return;
            }
        }
    }

    async fn one(&mut self, command: Command) -> Result<(), Ended> {
        let Self { store, guest, config, bounds } = self;
        let tape = bounds.tape.clone();
        if let Some(tape) = &tape {
            tape.called(&command);
        }
        match command {
            Command::Check { reply } => {
                let mut checked = bounded(bounds, guest.check(store, config)).await;
                if let (Ok(Ok(steps)), Some(told)) = (&mut checked, bounds.http.take()) {
                    complete::steps(steps, &told);
                }
                answer(tape, reply, checked)
            }
            Command::Discover { filter, page, reply } => {
                let page = bounded(bounds, guest.discover(store, config, &filter, page.as_deref())).await;
                answer(tape, reply, page)
            }
            Command::Plan { selections, hints, planning, reply } => {
                store.data_mut().items.begin(planning);
                let planned = bounded(bounds, guest.plan(store, config, &selections, hints)).await;
                let remembered = store.data_mut().items.end();
                answer(tape, reply, planned.map(|planned| planned.map(|plan| (plan, remembered))))
            }
            Command::Read { split, start, active, reply } => {
                store.data_mut().output.begin(active);
                let read = bounded(bounds, guest.read(store, config, &split, start.as_ref())).await;
                let end = store.data_mut().output.end();
                answer(tape, reply, read.map(|read| read.map(|()| end)))
            }
            Command::Acknowledge { stream, cursor, reply } => {
                let done = bounded(bounds, guest.acknowledge(store, config, &stream, &cursor)).await;
                answer(tape, reply, done)
            }
            Command::Close { reply } => answer(tape, reply, bounded(bounds, guest.close(store)).await),
        }
    }
}

/// The instance cannot be used any more.
pub(crate) struct Ended;

fn answer<T: Told>(
    tape: Option<Tape>,
    reply: Reply<T>,
    outcome: Result<Result<T, RunError>, Fault>,
) -> Result<(), Ended> {
    let (result, ended) = match outcome {
        Ok(result) => (result, Ok(())),
        Err(fault) => (Err(fault.into()), Err(Ended)),
    };
    if let Some(tape) = tape {
        tape.returned(&result);
    }
    // Whoever asked may have gone; the instance is fine all the same.
    let _ = reply.send(result);
    ended
}

/// Runs a call within its limits. A fault means that the store must not be used again.
pub(crate) async fn bounded<T>(
    bounds: &Bounds,
    call: impl Future<Output = Called<T>>,
) -> Result<Result<T, RunError>, Fault> {
    bounds.meter.reset();
    // What an earlier call ran into is not what this one fails of.
    drop(bounds.http.take());
    let limit_ms = bounds.limits.wall_ms;
    let called = tokio::select! {
        called = bounds.meter.measure(call) => called,
        () = bounds.cancel.cancelled() => return Err(Fault::Cancelled),
        () = tokio::time::sleep(Duration::from_millis(limit_ms)) => return Err(Fault::Wall { limit_ms }),
    };
    match called {
        Ok(result) => Ok(result.map_err(|error| {
            let mut error = match bounds.http.take() {
                Some(told) => complete::error(error, &told),
                None => error,
            };
            // A typed error of the guest's may quote a secret.
            error.message = bounds.log.clean(&error.message).replace("\\n", "\n");
            error
        })),
        Err(error) => Err(fault(&error, bounds)),
    }
}

/// Interrupts a computing guest at every tick: it yields, and past its deadline it ends.
pub(crate) fn interrupt(store: &mut Store<StoreData>, bounds: &Bounds) {
    let limit_ms = bounds.limits.cpu_ms;
    let meter = bounds.meter.clone();
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        if meter.spent() > Duration::from_millis(limit_ms) {
            return Err(Fault::Cpu { limit_ms }.into());
        }
        Ok(UpdateDeadline::Yield(1))
    });
}

/// What ended a guest, from wasmtime's error.
pub(crate) fn fault(error: &wasmtime::Error, bounds: &Bounds) -> Fault {
    if let Some(fault) = error.downcast_ref::<Fault>() {
        return fault.clone();
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => return Fault::Stack { limit: bounds.stack_bytes },
        // What the limiter says of it is not passed on.
        Some(Trap::AllocationTooLarge) => return Fault::Objects { limit: bounds.limits.memory_bytes },
        _ => {}
    }
    let root = error.root_cause().to_string();
    // wasmtime has no type for it; the text is checked by a hostile guest's test.
    if root.contains("fuel allocated for hostcalls") {
        return Fault::HostcallBytes { limit: bounds.limits.hostcall_bytes };
    }
    let last_words = bounds.log.last_words();
    let reason = if last_words.is_empty() { root } else { format!("{root}; its last words: {last_words}") };
    Fault::Trap { reason: complete::reason(reason, bounds.http.take()) }
}
