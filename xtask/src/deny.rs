//! `cargo xtask deny …`: cargo-deny with the same arguments, built into the cache where it is missing.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::process::{self, show};
use crate::tools;
use crate::workspace::Workspace;

const VERSION: &str = "0.20.2";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Passed on to `cargo deny`, for example: check bans licenses sources
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: Arguments) -> Result<ExitCode> {
    let mut command = Command::new(tools::cargo_tool("deny", VERSION, &[])?);
    command.arg("--locked").args(arguments.arguments).current_dir(&workspace.root);
    let status = command.status().with_context(|| format!("starting `{}`", show(&command)))?;
    Ok(process::exit_code(status))
}
