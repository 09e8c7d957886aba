//! The store on real databases: every behaviour on SQLite and on PostgreSQL, from the same test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a failed assertion is how a test fails; the environment says where the server is"
)]

mod commits;
mod connectors;
mod drafts;
mod items;
mod leases;
mod marks;
mod notices;
mod opening;
mod people;
mod queue;
mod record;
mod retention;
mod service;
mod state;
mod support;
mod upgrade;
