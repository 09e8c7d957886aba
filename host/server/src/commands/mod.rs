//! The commands, one file each: read the arguments, wire, do, show, return an exit code.

pub(crate) mod admin;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod connector;
pub(crate) mod discover;
pub(crate) mod doctor;
pub(crate) mod migrate;
mod operator;
pub(crate) mod preview;
mod rewrap;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod worker;

use sluice_core::RunError;

use crate::cli::Options;
use crate::{exit, show};

/// Shows a failure and returns its exit code.
fn failed(options: &Options, error: &RunError) -> u8 {
    show::error(options, error);
    exit::code(error)
}
