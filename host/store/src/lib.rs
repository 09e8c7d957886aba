//! What Sluice remembers: runs and their counts, the state of streams, the ledger of what sinks have begun, and commits
//! whose outcome is not recorded yet.
//!
//! SQLite today, a file and no server; SQL keeps to the subset that PostgreSQL speaks too. This is the only crate that
//! names sqlx. It must not know of sinks, connectors or clocks: artifacts and intents are `sluice-core`'s words, and every
//! time is an argument, in microseconds since 1970-01-01T00:00:00Z.
//!
//! The order of a load, each step durable when its function returns:
//!
//! 1. [`Store::lease`], then [`Store::open_intents`] and [`Store::unfinished_artifacts`]: finish or forget what a killed
//!    process left behind ([`Store::apply_commits`], [`Store::drop_intent`], [`Store::mark_abandoned`], [`Store::drop_stale_items`]).
//! 2. [`Store::begin_run`], [`Store::begin_stream`] for each load, [`Store::plan_items`] for what it wants remembered.
//! 3. [`Store::artifact_opened`], [`Store::artifact_progressed`], [`Store::artifact_finalized`] as the sink tells.
//! 4. [`Store::record_intents`], before the sink is asked to commit.
//! 5. [`Store::apply_commits`] with the sink's receipts: state, counts, ledger and intents change in one transaction.
//! 6. [`Store::end_stream`] for loads that were not committed, and [`Store::end_run`].
//!
//! To add a query: one function in the file of its subject, [`Scope`] first, SQL as a literal with a comment where it is
//! not obvious; to add a column: a new file in `migrations/`, never a change of an old one.

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

mod commits;
mod error;
mod items;
mod lease;
mod ledger;
mod names;
mod open;
mod runs;
mod state;
mod value;

pub use commits::{NewIntent, OpenIntent};
pub use lease::Lease;
pub use open::Store;
pub use runs::{LoadState, NewRun, NewStream, RunRecord, StreamRecord};
pub use state::CommittedState;

/// Whose rows a query may see. The first argument of every query, so that none can forget it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The tenant.
    pub tenant: &'a str,
}

impl Scope<'static> {
    /// The only tenant of a host without users: what `sluice run` works as.
    pub const LOCAL: Self = Self { tenant: "local" };
}

impl Default for Scope<'static> {
    fn default() -> Self {
        Self::LOCAL
    }
}
