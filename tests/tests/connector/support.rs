//! Runs of `sluice connector`.

use std::path::Path;

use sluice_tests::binary::{Ran, Workspace, finish};

/// Runs `sluice connector …` in a folder.
pub(crate) fn connector(folder: &Path, arguments: &[&str]) -> Ran {
    let workspace = Workspace::new();
    let all: Vec<&str> = ["connector"].iter().chain(arguments).copied().collect();
    finish(workspace.command(&all).current_dir(folder))
}
