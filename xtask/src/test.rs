//! `cargo xtask test`: everything a change must pass, with nothing prepared by hand.
//!
//! Checks and builds the web console, builds the guests and a `sluice` with failpoints, starts real servers of its own, runs the tests
//! with cargo-nextest, then those in a browser, stops the servers, and runs doc tests if there are any. There is no way to leave a server out: a test that needs one
//! fails without it.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Result;

use crate::guests;
use crate::process::{self, Interrupt};
use crate::services;
use crate::tools;
use crate::web;
use crate::workspace::{Workspace, cargo};

const NEXTEST: &str = "0.9.151";

/// What failpoints need. The same for the binary and for the tests, or each build would replace the other's.
const FEATURES: &str = "sluice/failpoints";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The nextest profile of .config/nextest.toml
    #[arg(long, default_value = "default")]
    profile: String,
    /// Passed on to `cargo nextest run`: names of tests, -p PACKAGE, -E FILTER, --no-capture
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    filter: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: Arguments) -> Result<ExitCode> {
    let nextest = tools::cargo_tool("nextest", NEXTEST, &["--no-default-features", "--features", "default-no-update"])?;
    step("guests", || guests::run(workspace).map(|_| ()))?;
    // Before the binary, which takes the pages in.
    step("the web console", || web::check(workspace))?;
    step("the sluice binary with failpoints", || binary(workspace))?;
    step("the tests' build", || {
        let mut build = nextest_run(workspace, &nextest, &arguments);
        process::run(build.arg("--no-run"))
    })?;

    // Only now is there something to clean up; before, Ctrl-C and SIGTERM end us as they end anything.
    let interrupt = Interrupt::listen()?;
    let mut tests = nextest_run(workspace, &nextest, &arguments);
    // Somebody who names tests means those.
    let mut browser = if arguments.filter.is_empty() { Some(web::browser_tests(workspace)?) } else { None };
    let mut commands: Vec<&mut Command> = vec![&mut tests];
    commands.extend(browser.as_mut());
    let outcome = services::with_servers(workspace, &interrupt, &mut commands)?;
    if outcome != ExitCode::SUCCESS || !has_doc_tests(workspace)? || !arguments.filter.is_empty() {
        return Ok(outcome);
    }
    let mut doc_tests = cargo();
    doc_tests.args(["test", "--workspace", "--locked", "--doc", "--features", FEATURES]).current_dir(&workspace.root);
    Ok(process::exit_code(interrupt.wait_for(&mut doc_tests)?))
}

fn nextest_run(workspace: &Workspace, nextest: &Path, arguments: &Arguments) -> Command {
    let mut command = Command::new(nextest);
    command.args(["nextest", "run", "--locked", "--features", FEATURES, "--profile", &arguments.profile]);
    if !arguments.filter.iter().any(|word| word == "-p" || word == "--package") {
        command.arg("--workspace");
    }
    command.args(&arguments.filter).current_dir(&workspace.root);
    command
}

/// Chosen from the whole workspace, so that dependencies get the features that the tests' build gives them.
fn binary(workspace: &Workspace) -> Result<()> {
    let mut command = cargo();
    command.args(["build", "--workspace", "--locked", "--bin", "sluice", "--features", FEATURES]);
    process::run(command.current_dir(&workspace.root))
}

fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let started = Instant::now();
    work()?;
    eprintln!("xtask: {name} took {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Whether any library's documentation holds a code block that rustdoc would run. Building doc tests takes long, so they
/// are looked for first.
fn has_doc_tests(workspace: &Workspace) -> Result<bool> {
    for package in &workspace.packages {
        let library = package.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "lib"));
        let Some(folder) = package.manifest_path.parent().filter(|_| library) else { continue };
        if any_file(&folder.join("src"), &holds_doc_test)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn any_file(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let found = if path.is_dir() {
            any_file(&path, wanted)?
        } else {
            path.extension().is_some_and(|extension| extension == "rs") && wanted(&std::fs::read_to_string(&path)?)
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether any block of code in the documentation is one that rustdoc compiles: Rust is what a block is by default, and
/// `text`, another language or `ignore` is what keeps it from being run.
fn holds_doc_test(text: &str) -> bool {
    let mut inside = false;
    for line in text.lines().map(str::trim_start) {
        let Some(comment) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            inside = false;
            continue;
        };
        let Some(language) = comment.trim_start().strip_prefix("```") else { continue };
        inside = !inside;
        let words = || language.split(',').map(str::trim);
        let rust = |word| matches!(word, "" | "rust" | "no_run" | "should_panic" | "compile_fail" | "edition2024");
        if inside && words().all(rust) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::holds_doc_test;

    #[test]
    fn a_block_of_rust_is_a_doc_test_with_or_without_saying_so() {
        assert!(holds_doc_test("/// ```\n/// let a = 1;\n/// ```\nfn f() {}"));
        assert!(holds_doc_test("//! ```rust\n//! ```"));
        assert!(holds_doc_test("    /// ```no_run\n    /// ```"));
    }

    #[test]
    fn other_languages_and_ends_of_blocks_are_not() {
        assert!(!holds_doc_test("/// ```text\n/// a\n/// ```\n/// words"));
        assert!(!holds_doc_test("/// ```ignore\n/// ```"));
        assert!(!holds_doc_test("/// ```rust,ignore\n/// ```"));
        assert!(!holds_doc_test("let fence = \"```\";"));
    }
}
