//! What Sluice remembers: runs and their counts, the state of streams, the ledger of what sinks have begun, commits whose outcome
//! is not recorded yet; and for the service its people, connections, pipelines, queue, schedules and records.
//!
//! In a SQLite file ([`Store::open`]: no server) or a PostgreSQL database ([`Store::connect`]: several hosts), with the same
//! queries: SQL keeps to the subset that both speak. This is the only crate that names sqlx. It must not know of sinks,
//! connectors or clocks: artifacts and intents are `sluice-core`'s words, every id and every random byte is an argument, and
//! so is every time, in microseconds since 1970-01-01T00:00:00Z.
//!
//! | folder | what is in it |
//! |---|---|
//! | `db` | connections, transactions, statements and rows of either database; the few texts that differ |
//! | `lease` | the right to run a pipeline, one process at a time |
//! | `run` | an attempt of a run as the engine carries it out |
//! | `queue` | runs that were asked for, schedules, claims of hosts |
//! | `people` | tenants, users, members, sessions, tokens |
//! | `service` | connections and their secrets, pipelines and their revisions |
//! | `connector` | versions of uploaded connectors, which one runs use, publishers' keys, recordings |
//! | `record` | audit log, answers to repeated requests, changes of states by hand, notifications on their way |
//!
//! The order of a load, each step durable when its function returns:
//!
//! 1. [`Store::lease`], then [`Store::open_intents`] and [`Store::unfinished_artifacts`]: finish or forget what a killed
//!    process left behind ([`Store::apply_commits`], [`Store::drop_intent`], [`Store::mark_abandoned`], [`Store::drop_stale_items`]).
//!    From then on [`Store::renew`] the lease, where it [expires](Lease::expires); whoever has lost it can record nothing more.
//! 2. [`Store::begin_run`], [`Store::marks_of`] the tables, [`Store::begin_stream`] for each load, [`Store::plan_items`] for what it wants remembered.
//! 3. [`Store::artifact_opened`], [`Store::artifact_progressed`], [`Store::artifact_finalized`] as the sink tells.
//! 4. [`Store::record_intents`], before the sink is asked to commit.
//! 5. [`Store::apply_commits`] with the sink's receipts: state, counts, ledger and intents change in one transaction.
//! 6. [`Store::end_stream`] for loads that were not committed, [`Store::end_run`], and [`Store::release`].
//!
//! What a person changes has a revision: an update names the one that it saw, and fails with [`ChangeError::Stale`] if there is another.
//! Lists are pages: those behind an id, so many at most.
//!
//! To add a query: one function in the file of its subject, [`Scope`] first, SQL as a literal with a comment where it is
//! not obvious, and a test in `tests/store` under its subject, which runs on both databases. What is read and then written is in
//! one transaction, and nothing else is asked of the store while it is open. Where the databases need different words, they stand
//! side by side in `db/dialect.rs`. To add a column: a new file in `migrations/`, one step, never a change of an old one; what the databases
//! have no common words for (triggers), as a file of the same number in `migrations/sqlite` and in `migrations/postgres`.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a failed assertion is how a test fails"
    )
)]

mod change;
mod connector;
mod db;
mod error;
mod lease;
mod meter;
mod people;
mod queue;
mod record;
mod run;
mod secrets;
mod service;
mod store;
mod value;

pub use change::ChangeError;
pub use connector::{
    Approval, ConnectorVersion, Hold, Install, KeptRecording, NewRecording, NewVersion, Publisher, VersionsBehind,
};
pub use lease::Lease;
pub use people::{
    ApiToken, Bearer, Failures, Identity, Invitation, Member, Membership, NewInvitation, NewSession, NewTenant,
    NewToken, NewUser, PasswordHash, Session, Tenant, User, Whose,
};
pub use queue::{
    Claim, Claimable, Due, LogLine, Moments, NewRequest, NewSchedule, QueueCounts, QueueState, Recorded, RequestFilter,
    RunRequest, SkippedMoment, Tried,
};
pub use record::{
    Answer, AuditEntry, AuditFilter, AuditRecord, DAY_US, Daily, LastRun, LogsBefore, NewNotification, NewState, News,
    Notice, Notification, Repeated, Standing, StateChange, Target,
};
pub use run::{
    CommittedState, LoadState, NewIntent, NewRun, NewStream, OpenIntent, RunRecord, StreamMark, StreamRecord,
};
pub use secrets::{Dice, MasterKey, MasterKeys, Plain};
pub use service::{
    Connection, ConnectionChange, Draft, DraftChange, Finished, NewConnection, NewPipeline, OpenSecret, Owner,
    PipelineChange, PipelineRecord, PipelineRevision, Rewrapped, SecretChange, SecretField, SecretValue,
    SigningSecrets, Timing, Vault,
};
pub use store::{Settings, Store};

/// Whose rows a query may see. The first argument of every query, so that none can forget it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The tenant.
    pub tenant: &'a str,
}

impl Scope<'static> {
    /// The only tenant of a host without users: what `sluice run` works as.
    pub const LOCAL: Self = Self { tenant: "local" };

    /// What whoever operates the service has installed for all tenants. No tenant has an empty id.
    pub const OPERATOR: Self = Self { tenant: "" };
}

impl Default for Scope<'static> {
    fn default() -> Self {
        Self::LOCAL
    }
}
