//! No server: programs with which tests compress files as others do.

use std::path::Path;

use anyhow::Result;

use super::group::Group;
use crate::{python, tools};

/// Makes them ready.
pub(crate) fn install(group: &mut Group) -> Result<()> {
    tools::debian(&["lz4"])?;
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("services/compressors.lock.txt");
    let venv = python::venv("compressors", &lock, &python::interpreter(10)?)?;
    group.facts.add("SLUICE_TEST_SNAPPY_PYTHON", venv.join("bin/python").display());
    Ok(())
}
