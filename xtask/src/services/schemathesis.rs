//! No server: a program that sends the API requests made up from its own document.

use std::path::Path;

use anyhow::Result;

use super::group::Group;
use crate::python;

/// Makes it ready.
pub(crate) fn install(group: &mut Group) -> Result<()> {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("services/schemathesis.lock.txt");
    let venv = python::venv("schemathesis", &lock, &python::interpreter(10)?)?;
    group.facts.add("SLUICE_TEST_SCHEMATHESIS", venv.join("bin/schemathesis").display());
    Ok(())
}
