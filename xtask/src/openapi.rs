//! `cargo xtask openapi`: writes `tests/golden/openapi.json` as the handlers describe themselves now. The test that compares the two
//! does it, so that there is one way to make the document.

use std::process::ExitCode;

use anyhow::Result;

use crate::process;
use crate::workspace::{Workspace, cargo};

pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let mut test = cargo();
    test.args(["test", "--quiet", "--locked", "--workspace", "--lib", "golden::"]);
    process::run(test.env("SLUICE_WRITE_GOLDEN", "1").current_dir(&workspace.root))?;
    println!("tests/golden/openapi.json is up to date");
    Ok(ExitCode::SUCCESS)
}
