//! Which queued runs start now: a fair share for every tenant, within the limits.
//!
//! 1. A tenant with fewer runs running goes first; among equals the one whose turn is longest ago; then the one whose run waits
//!    longest. So a tenant with a thousand runs queued delays another by one run, not by a thousand.
//! 2. Within a tenant the priority decides, then the time of waiting. A run that waits gains a level of priority every
//!    [`AGES`], so that nothing waits for ever behind what is more urgent. Priority never crosses tenants.
//! 3. A run whose pipeline runs already, or whose connection or tenant is at its limit, is passed over, not waited for.
//!
//! To add a limit: add it to [`Limits`] and its count to [`Running`], and refuse in `Board::free`.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Time of waiting after which a run counts as one level more urgent.
pub const AGES: SignedDuration = SignedDuration::from_mins(15);

/// How urgent a run is among those of its tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// A backfill.
    Low,
    /// A scheduled run, or another attempt.
    #[default]
    Normal,
    /// A run that a person waits for.
    High,
}

impl Priority {
    /// The priority as a number, as it is stored: higher is more urgent.
    pub fn level(self) -> i64 {
        match self {
            Self::Low => -1,
            Self::Normal => 0,
            Self::High => 1,
        }
    }

    /// The priority of a number.
    pub fn of_level(level: i64) -> Self {
        match level {
            ..0 => Self::Low,
            0 => Self::Normal,
            1.. => Self::High,
        }
    }
}

/// A run that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The run's id; decides between runs that were queued at the same time.
    pub run: String,
    /// Whose it is.
    pub tenant: String,
    /// The connection that it reads from.
    pub connection: String,
    /// The pipeline, of which one run runs at a time.
    pub pipeline: String,
    /// How urgent it is.
    pub priority: Priority,
    /// Since when it waits.
    pub queued_at: Timestamp,
    /// Not before this: a retry's wait.
    pub not_before: Option<Timestamp>,
}

/// What runs now, on all hosts.
#[derive(Clone, Debug, Default)]
pub struct Running {
    /// Runs by tenant.
    pub tenants: BTreeMap<String, u32>,
    /// Runs by tenant and connection.
    pub connections: BTreeMap<(String, String), u32>,
    /// Pipelines that run.
    pub pipelines: BTreeSet<String>,
    /// When a run of the tenant was started last; left out if that is long ago or never happened.
    pub last_started: BTreeMap<String, Timestamp>,
}

/// How much may run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Runs that this host can start now: its own limit less what it runs.
    pub slots: u32,
    /// Runs of all hosts together.
    pub global: u32,
    /// Runs of one tenant, where [`Limits::tenant`] is not asked for another number.
    pub tenant: u32,
    /// Runs of one connection.
    pub connection: u32,
}

/// What starts now, and when to decide again if nothing else happens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Starts {
    /// Runs to start, by id, in this order.
    pub runs: Vec<String>,
    /// When the first run that must not start yet may.
    pub look_again: Option<Timestamp>,
}

/// Decides which of the queued runs start now. `tenant_limits` are those of tenants that have a limit of their own.
pub fn choose(
    queued: &[Queued],
    running: &Running,
    limits: &Limits,
    tenant_limits: &BTreeMap<String, u32>,
    now: Timestamp,
) -> Starts {
    let look_again = queued.iter().filter_map(|run| run.not_before).filter(|at| *at > now).min();
    let mut waiting = by_tenant(queued, now);
    let mut board = Board::new(running, limits, tenant_limits);
    let mut runs = Vec::new();
    while board.has_room() {
        let turn = waiting
            .iter()
            .filter_map(|(tenant, runs)| {
                let (place, first) = runs.iter().enumerate().find(|(_, run)| board.free(run))?;
                Some((board.turn(tenant, first), *tenant, place))
            })
            .min();
        let Some((_, tenant, place)) = turn else { break };
        if let Some(run) = waiting.get_mut(tenant).and_then(|runs| runs.remove(place)) {
            board.start(run, now);
            runs.push(run.run.clone());
        }
    }
    Starts { runs, look_again }
}

/// The runs that may start, by tenant, the most urgent first.
fn by_tenant(queued: &[Queued], now: Timestamp) -> BTreeMap<&str, VecDeque<&Queued>> {
    let mut ready: Vec<&Queued> = queued.iter().filter(|run| run.not_before.is_none_or(|at| at <= now)).collect();
    ready.sort_by_cached_key(|run| (Reverse(urgency(run, now)), run.queued_at, run.run.as_str()));
    let mut tenants: BTreeMap<&str, VecDeque<&Queued>> = BTreeMap::new();
    for run in ready {
        tenants.entry(run.tenant.as_str()).or_default().push_back(run);
    }
    tenants
}

fn urgency(run: &Queued, now: Timestamp) -> i64 {
    let waited = now.duration_since(run.queued_at).max(SignedDuration::ZERO);
    run.priority.level().saturating_add(waited.as_secs() / AGES.as_secs())
}

/// The counts, as they are with what was chosen so far.
struct Board<'a> {
    limits: &'a Limits,
    tenant_limits: &'a BTreeMap<String, u32>,
    slots: u32,
    all: u32,
    tenants: BTreeMap<&'a str, u32>,
    connections: BTreeMap<(&'a str, &'a str), u32>,
    pipelines: BTreeSet<&'a str>,
    /// When each tenant had its last turn, and after which number of turns in this decision.
    turns: BTreeMap<&'a str, (Timestamp, usize)>,
    taken: usize,
}

impl<'a> Board<'a> {
    fn new(running: &'a Running, limits: &'a Limits, tenant_limits: &'a BTreeMap<String, u32>) -> Self {
        Self {
            limits,
            tenant_limits,
            slots: limits.slots,
            all: running.tenants.values().fold(0, |sum, count| sum.saturating_add(*count)),
            tenants: running.tenants.iter().map(|(tenant, count)| (tenant.as_str(), *count)).collect(),
            connections: running
                .connections
                .iter()
                .map(|((tenant, connection), count)| ((tenant.as_str(), connection.as_str()), *count))
                .collect(),
            pipelines: running.pipelines.iter().map(String::as_str).collect(),
            turns: running.last_started.iter().map(|(tenant, at)| (tenant.as_str(), (*at, 0))).collect(),
            taken: 0,
        }
    }

    fn has_room(&self) -> bool {
        self.slots > 0 && self.all < self.limits.global
    }

    fn free(&self, run: &Queued) -> bool {
        let most = self.tenant_limits.get(&run.tenant).copied().unwrap_or(self.limits.tenant);
        let connection = (run.tenant.as_str(), run.connection.as_str());
        self.of(&run.tenant) < most
            && self.connections.get(&connection).copied().unwrap_or_default() < self.limits.connection
            && !self.pipelines.contains(run.pipeline.as_str())
    }

    fn of(&self, tenant: &str) -> u32 {
        self.tenants.get(tenant).copied().unwrap_or_default()
    }

    /// What decides whose turn it is: the least goes first.
    fn turn(&self, tenant: &str, first: &Queued) -> (u32, Option<(Timestamp, usize)>, Timestamp) {
        (self.of(tenant), self.turns.get(tenant).copied(), first.queued_at)
    }

    fn start(&mut self, run: &'a Queued, now: Timestamp) {
        self.slots = self.slots.saturating_sub(1);
        self.all = self.all.saturating_add(1);
        self.taken += 1;
        *self.tenants.entry(&run.tenant).or_default() += 1;
        *self.connections.entry((&run.tenant, &run.connection)).or_default() += 1;
        self.pipelines.insert(&run.pipeline);
        self.turns.insert(&run.tenant, (now, self.taken));
    }
}
