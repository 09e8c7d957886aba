//! What happens between an instance and its host, taken down, and played back in place of the world.
//!
//! A [`Taping`] in the [`crate::Environment`] makes every instance of a connection keep a [`Tape`]; production has none, and pays a
//! look at an empty option for it. What is taken down are [`sluice_core::recording::Event`]s: calls of the host, requests before they are
//! signed, bytes before they are encrypted, both clocks, what was pushed. Where a taping plays back, nothing leaves the process: requests,
//! connections, clocks and what is remembered are answered by a [`Player`], and what the guest does is taken down as well, to be compared.
//!
//! Each instance has a tape of its own. Random numbers are made of a seed that is drawn for each instance and stands on its tape.
//!
//! To take something more down: an event in `sluice_core::recording`, and where it happens `tape.push(…)`, if there is a tape.

pub(crate) mod calls;
mod clock;
mod rows;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ring::rand::{SecureRandom, SystemRandom};
use sluice_core::error::{Actor, Kind};
use sluice_core::recording::{Answer, Event, Exchange, Instance, MAX_BYTES, MAX_EVENTS, Player, Request};
use sluice_core::{RunError, hex};

pub(crate) use clock::surroundings;

/// Bytes that an event takes beside its content.
const OVERHEAD: usize = 100;

/// Rows without a limit.
const ALL: u64 = u64::MAX;

/// Makes the instances of a connection keep tapes. Clones are the same.
#[derive(Clone)]
pub struct Taping {
    shared: Arc<Shared>,
    replay: Option<Arc<Replay>>,
}

struct Replay {
    recorded: Arc<Instance>,
    stand_ins: Option<Vec<String>>,
}

struct Shared {
    tapes: Mutex<Vec<Tape>>,
    /// Bytes and events that may still be kept.
    bytes: AtomicUsize,
    events: AtomicUsize,
    full: AtomicBool,
    /// After how many rows the next read is cut.
    rows: AtomicU64,
}

impl Taping {
    /// Takes down what happens.
    pub fn record() -> Self {
        let shared = Shared {
            tapes: Mutex::default(),
            bytes: AtomicUsize::new(MAX_BYTES),
            events: AtomicUsize::new(MAX_EVENTS),
            full: AtomicBool::new(false),
            rows: AtomicU64::new(ALL),
        };
        Self { shared: Arc::new(shared), replay: None }
    }

    /// Plays back what an instance was answered, and takes down what it does. With `stand_ins` for its secrets, what it sends may differ
    /// from what was recorded.
    pub fn replay(recorded: Arc<Instance>, stand_ins: Option<Vec<String>>) -> Self {
        Self { replay: Some(Arc::new(Replay { recorded, stand_ins })), ..Self::record() }
    }

    /// Ends the reads that begin from now on once they have so many rows: after the next checkpoint, or before the next batch. None of
    /// them, if there is no number.
    pub fn cut_reads(&self, rows: Option<u64>) {
        self.shared.rows.store(rows.unwrap_or(ALL), Ordering::Relaxed);
    }

    /// What was taken down so far, instance by instance, in the order in which they were started.
    ///
    /// # Errors
    /// If it is more than a recording may have.
    pub fn take(&self) -> Result<Vec<Instance>, RunError> {
        if self.shared.full.load(Ordering::Relaxed) {
            let message = format!(
                "more passed between the connector and its source than a recording may have ({} MiB, {MAX_EVENTS} events): record \
                 fewer streams or rows (--stream, --limit), or of a smaller source",
                MAX_BYTES >> 20
            );
            return Err(RunError::new(Kind::Unsupported, Actor::User, message));
        }
        let mut tapes = self.shared.tapes.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(tapes.drain(..).map(|tape| std::mem::take(&mut tape.lock().log)).collect())
    }

    pub(crate) fn plays(&self) -> bool {
        self.replay.is_some()
    }

    /// The tape of one more instance.
    pub(crate) fn instance(&self) -> Result<Tape, RunError> {
        let player = self.replay.as_ref().map(|replay| {
            let player = Player::new(replay.recorded.clone());
            match &replay.stand_ins {
                Some(stand_ins) => player.with_stand_ins(stand_ins.clone()),
                None => player,
            }
        });
        let random = match &player {
            Some(player) => player.random().to_owned(),
            None => {
                let mut seed = [0; 32];
                let drawn = SystemRandom::new().fill(&mut seed);
                drawn.map_err(|_| RunError::internal("this machine has no random numbers"))?;
                hex(&seed)
            }
        };
        let log = Instance { random, events: Vec::new() };
        let inner = Inner { log, player, connections: 0, rows_left: ALL, cut: false, shared: self.shared.clone() };
        let tape = Tape(Arc::new(Mutex::new(inner)));
        self.shared.tapes.lock().unwrap_or_else(PoisonError::into_inner).push(tape.clone());
        Ok(tape)
    }
}

/// The tape of one instance. Clones are the same.
#[derive(Clone)]
pub(crate) struct Tape(Arc<Mutex<Inner>>);

struct Inner {
    log: Instance,
    player: Option<Player>,
    connections: u32,
    /// Rows after which the read under way is cut.
    rows_left: u64,
    /// Whether it was; nothing is taken down after that.
    cut: bool,
    shared: Arc<Shared>,
}

impl Inner {
    /// Whether there is room for an event with so many bytes.
    fn admit(&mut self, bytes: usize) -> bool {
        let take = |room: &AtomicUsize, wanted: usize| {
            room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(wanted)).is_ok()
        };
        let fits = take(&self.shared.bytes, bytes.saturating_add(OVERHEAD)) && take(&self.shared.events, 1);
        if !fits {
            self.shared.full.store(true, Ordering::Relaxed);
        }
        fits && !self.cut
    }

    fn push(&mut self, event: Event, bytes: usize) -> Option<usize> {
        if !self.admit(bytes) {
            return None;
        }
        self.log.events.push(event);
        Some(self.log.events.len() - 1)
    }
}

impl Tape {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it plays back.
    pub(crate) fn plays(&self) -> bool {
        self.lock().player.is_some()
    }

    /// Takes an event down that has about so many bytes.
    pub(crate) fn push(&self, event: Event, bytes: usize) {
        self.lock().push(event, bytes);
    }

    /// Asks whoever answers, if it plays back.
    pub(crate) fn played<T>(&self, ask: impl FnOnce(&mut Player) -> T) -> Option<T> {
        self.lock().player.as_mut().map(ask)
    }

    /// The number of one more connection.
    pub(crate) fn connection(&self) -> u32 {
        let mut inner = self.lock();
        inner.connections += 1;
        inner.connections - 1
    }

    /// Takes a request down, whose body and answer follow. Its number, if there was room for it.
    pub(crate) fn request(&self, request: Request) -> Option<usize> {
        let bytes =
            request.url.len() + request.headers.iter().map(|(name, value)| name.len() + value.0.len()).sum::<usize>();
        self.lock().push(Event::Http(Exchange { request, ..Exchange::default() }), bytes)
    }

    /// Takes down what comes of a request, if there is room for so many bytes.
    pub(crate) fn exchange(&self, number: Option<usize>, bytes: usize, change: impl FnOnce(&mut Exchange)) {
        let mut inner = self.lock();
        if inner.admit(bytes)
            && let Some(Event::Http(exchange)) = number.and_then(|at| inner.log.events.get_mut(at))
        {
            change(exchange);
        }
    }

    /// The recorded answer to a request that was taken down whole.
    pub(crate) fn answer(&self, number: Option<usize>) -> Option<Answer> {
        let mut inner = self.lock();
        let Inner { log, player, .. } = &mut *inner;
        let Event::Http(exchange) = log.events.get_mut(number?)? else { return None };
        let answer = player.as_mut()?.http(&exchange.request);
        if let Answer::Response(_, at) | Answer::Failed(_, at) | Answer::Never(at) = &answer {
            exchange.answered_by = Some(*at);
        }
        Some(answer)
    }
}
