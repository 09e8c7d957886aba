//! Exit codes: they say who has to act. Documented in the command's help.

use sluice_core::error::Kind;
use sluice_core::{Actor, RunError};

/// A defect or a shortage of this host.
pub(crate) const HOST: u8 = 1;
/// The pipeline, its configuration or the command line is wrong.
pub(crate) const USER: u8 = 2;
/// The source or its connector failed.
pub(crate) const SOURCE: u8 = 3;
/// The sink failed.
pub(crate) const SINK: u8 = 4;
/// Stopped on request.
pub(crate) const STOPPED: u8 = 5;

/// The exit code of a failure.
pub(crate) fn code(error: &RunError) -> u8 {
    match (error.kind, error.actor) {
        (Kind::Cancelled, _) => STOPPED,
        (_, Actor::User) => USER,
        (_, Actor::Source) => SOURCE,
        (_, Actor::Sink) => SINK,
        (_, Actor::Host) => HOST,
    }
}
