//! `cargo xtask demo`: the sample pipeline, from CSV, NDJSON and Parquet files to a local warehouse, with the result shown.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::tools::remove_folder;
use crate::workspace::{Workspace, cargo};
use crate::{guests, process};

const PIPELINE: &str = "examples/demo/pipeline.yaml";

pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    println!("1. The connectors, built for the sandbox");
    guests::run(workspace)?;
    println!("\n2. The host (a release build; minutes the first time)");
    let mut build = cargo();
    build.args(["build", "--release", "--locked", "--package", "sluice"]).current_dir(&workspace.root);
    process::run(&mut build)?;

    // From the beginning each time: without its state the pipeline would find that there is nothing new.
    remove_folder(&workspace.root.join("target/demo"))?;
    remove_folder(&workspace.root.join("examples/demo/.sluice"))?;
    println!("\n3. The pipeline: {PIPELINE}");
    sluice(workspace, &["run", PIPELINE])?;
    println!("\n4. What is in the warehouse now");
    sluice(workspace, &["preview", PIPELINE, "--sink"])?;
    for table in ["trips", "stations", "weather"] {
        println!("\n   {table}");
        sluice(workspace, &["preview", PIPELINE, "--sink", table, "--limit", "5"])?;
    }

    let binary = workspace.target.join("release/sluice");
    let binary = binary.strip_prefix(&workspace.root).map(Path::to_owned).unwrap_or(binary);
    println!("{}", farewell(&binary));
    Ok(ExitCode::SUCCESS)
}

fn sluice(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(workspace.target.join("release/sluice"));
    command.args(arguments).args(["--format", "human"]).current_dir(&workspace.root);
    // Whatever the caller's environment says, the demo is about this checkout.
    command.env_remove("SLUICE_STATE").env("SLUICE_CONNECTORS", workspace.connectors());
    process::run(&mut command)
}

fn farewell(binary: &Path) -> String {
    let binary = binary.display();
    format!(
        "
That was a whole run: a connector in a sandbox, its rows validated, mapped and written, the state committed.
Next:
  {binary} run {PIPELINE}              again: the trips are known, the snapshots are replaced
  {binary} discover {PIPELINE} --columns
  {binary} preview {PIPELINE} trips    rows as the sink would get them
  {binary} doctor {PIPELINE}
The warehouse is plain Parquet, in target/demo/warehouse: any tool that reads Parquet reads it."
    )
}
