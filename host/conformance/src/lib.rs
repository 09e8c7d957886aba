//! What a connector must do, as a program that tries it.
//!
//! A [`Kit`] runs a component in the production runtime, with production limits, against a source that really is there, and judges what
//! it does by the rules of `wit/README.md`. Which source that is, and what is in it, stands in a [`Spec`]: `conformance.yaml` beside the
//! connector. A check that cannot be carried out is declared there with a reason, and shown; what is neither carried out nor declared
//! fails.
//!
//! The crate knows connectors only through the runtime. It must not know of sinks, pipelines, the state store or files of any format:
//! whoever calls it reads the specification and shows the [`Report`].
//!
//! [`recording`] makes recordings of connectors and replays them.
//!
//! To add a check: a function in `checks/` that returns a [`Verdict`], and its line in [`checks::ALL`].

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

mod checks;
mod kit;
pub mod manifest;
mod reading;
pub mod recording;
mod report;
mod rows;
mod spec;

pub use kit::Kit;
pub use report::{Checked, Report, Verdict};
pub use spec::{Broken, Connected, Extremes, Large, Server, Spec, StreamSpec, Variant};

/// The checks that can be made of a connection that is in use, without a specification and without reading rows, and that are not made
/// when a component is looked at already.
pub const WITHOUT_ROWS: [&str; 4] = ["secrets", "check-errs", "discover", "hosts"];

/// The names of all checks, in the order in which they are made, each with what it asks.
pub fn checks() -> impl Iterator<Item = (&'static str, &'static str)> {
    checks::ALL.iter().map(|check| (check.name, check.asks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_without_rows_are_checks() {
        assert!(WITHOUT_ROWS.iter().all(|name| checks().any(|(known, _)| known == *name)));
    }
}
