//! A run, file by file in the order of the data: [`run`] takes a pipeline, `plan` has the connector plan all its
//! streams as of one moment, `stream` prepares one after the other, `split` reads a part of it in a sandboxed instance, [`transform`] shapes the batches, `quality` counts what the checks ask for, the sink's writers take them, `commit`
//! makes them visible and records the state.
//!
//! Decisions are `sluice-core`'s; this crate carries them out. The order is always: sink durable, state durable, source told.
//! `failpoint` names every step between which a process may die. The crate must not know of HTTP, users, schedules or a
//! particular sink or connector.
//!
//! To add a step to the path of the data: put it where it belongs in that order, add a point to [`POINTS`], and a case to the
//! kill tests.

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

mod books;
pub mod clock;
mod commit;
mod failpoint;
mod forecast;
mod items;
mod ledger;
mod mark;
mod plan;
mod progress;
mod quality;
mod run;
mod sample;
pub mod service;
mod split;
pub mod step;
mod stream;
pub mod transform;

pub use clock::Clock;
pub use failpoint::POINTS;
pub use forecast::{ForecastSetup, forecast};
pub use progress::{Progress, StreamProgress};
pub use run::{RunReport, RunSetup, StreamReport, run, table_of};
pub use sample::Sample;
