//! The service: `sluice serve` with real workers on a state file and on PostgreSQL.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

mod api;
mod cloud_scheduler;
mod connectors;
mod crash;
mod kept;
mod master_key;
mod metrics;
mod notifications;
mod proxies;
mod runs;
mod schedules;
mod schemathesis;
mod secret_manager;
mod sign_in;
mod traces;
mod upgrades;
