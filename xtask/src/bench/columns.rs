//! The ways in which a connector can hand its rows over, in each language: batches of Arrow that are there, rows that the SDK builds
//! into batches, and the contract's functions for guests without Arrow.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::measure::median;
use super::table::Row;
use super::{Bench, sandbox};
use crate::process;

/// Seconds of processor time that a read takes, about.
const SECONDS: u32 = 2;

/// Rows per second of processor time that the way without Arrow should reach in a compiled language.
const ASKED: f64 = 1e6;

/// What rows are handed over as, and what that is called in the table.
const WAYS: [(&str, &str); 4] = [
    ("arrow", "batches that are there"),
    ("builder", "row by row into a batch"),
    ("columns", "push-columns"),
    ("rows", "push-rows"),
];

/// A language of the SDKs beside Rust: its name, its name in `connector new`, the project's code and the bench's.
const LANGUAGES: [(&str, &str, &str, &str); 2] =
    [("Python", "python", "connector.py", "rows.py"), ("TypeScript", "js", "connector.ts", "rows.ts")];

pub(super) fn columns(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = compared(bench, "Rust", &bench.workspace.guests().join("rows.wasm"), &WAYS)?;
    for (name, language, entry, code) in LANGUAGES {
        let component = build(bench, language, entry, code)?;
        // The contract's rows are the slowest way and no SDK's.
        rows.extend(compared(bench, name, &component, &WAYS[..3])?);
    }
    Ok(rows)
}

/// Each way against batches that are there.
fn compared(bench: &Bench, language: &str, component: &Path, ways: &[(&str, &str)]) -> Result<Vec<Row>> {
    let component = component.to_str().context("the component's path")?;
    let mut arguments = vec!["columns".to_owned(), component.to_owned(), SECONDS.to_string(), bench.rounds.to_string()];
    arguments.extend(ways.iter().map(|(way, _)| (*way).to_owned()));
    let figures = sandbox::figures(bench, &arguments)?;
    let rates = |way: &str| -> Result<Vec<f64>> {
        let rates = figures.get(way).and_then(Value::as_array).with_context(|| format!("the figures of {way}"))?;
        Ok(rates.iter().filter_map(Value::as_f64).collect())
    };
    let arrow = rates("arrow")?;
    let shown = |rates: &[f64]| format!("{:.2} M rows/CPU-s", median(rates.iter().copied()) / 1e6);
    let row = |way: &str, words: &str| -> Result<Row> {
        let ours = rates(way)?;
        let asked = language == "Rust" && way == "columns";
        Ok(Row {
            case: "columns".to_owned(),
            against: format!("{language}: {words}"),
            ours: shown(&ours),
            theirs: format!("{} as batches", shown(&arrow)),
            ratio: Some(median(ours.iter().zip(&arrow).map(|(ours, arrow)| ours / arrow))),
            asked: if asked { "at least 1 M rows/CPU-s".to_owned() } else { String::new() },
            met: !asked || median(ours.iter().copied()) >= ASKED,
            megabytes: None,
        })
    };
    ways.iter().map(|(way, words)| row(way, words)).collect()
}

/// A component of the bench's connector in another language.
fn build(bench: &Bench, language: &str, entry: &str, code: &str) -> Result<PathBuf> {
    let project = bench.folder.join(language);
    let sluice = || Command::new(bench.workspace.target.join("release/sluice"));
    let sdk = bench.workspace.root.join("sdk").join(language);
    let mut new = sluice();
    new.args(["connector", "new", "rows", "--language", language, "--sdk"]).arg(sdk).arg("--path").arg(&project);
    process::run(&mut new)?;
    let code = bench.workspace.root.join("xtask/bench/languages").join(code);
    std::fs::copy(&code, project.join(entry)).with_context(|| format!("copying {}", code.display()))?;
    process::run(sluice().args(["connector", "build"]).current_dir(&project))?;
    let component = project.join(".sluice/connector.wasm");
    ensure!(component.is_file(), "{} was not built", component.display());
    Ok(component)
}
