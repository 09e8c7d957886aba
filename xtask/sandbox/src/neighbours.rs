//! What is left to a healthy guest beside twenty that misbehave.
//!
//! Its *share* of the machine is what a fair scheduler would give it: everybody who wants more than an equal part gets an equal
//! part of what the others leave (max-min fairness over the processor time that was there to be had). Who wants how much is
//! measured: the healthy guest by its run alone, the others by what they got beside it. Throughput on its share is rows per second
//! alone, times the share, over what it used alone; the figure is rows per second beside the others over that.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::guest::{KINDS, live_in, sandbox};
use crate::process::processor;

/// How many misbehave.
const HOSTILE: usize = 20;

/// As processes, which is how the service runs connectors, and as instances of one process.
pub(crate) async fn measure(folder: &Path, seconds: u64) -> Result<Value> {
    let processes = as_processes(folder, seconds)?;
    let instances = as_instances(folder, seconds).await?;
    Ok(json!({"processes": processes, "instances": instances}))
}

fn as_processes(folder: &Path, seconds: u64) -> Result<Value> {
    let (alone, alone_cpu) = lived(start(folder, "healthy", seconds)?, seconds)?;
    let mut neighbours = Vec::new();
    for number in 0..HOSTILE {
        let (kind, hungry) = KINDS.get(number % KINDS.len()).context("a kind")?;
        // They begin before, and end after the healthy one.
        neighbours.push((start(folder, kind, seconds * 3 + 10)?, *hungry));
    }
    std::thread::sleep(Duration::from_secs(5));
    let before = times(&neighbours)?;
    let (beside, beside_cpu) = lived(start(folder, "healthy", seconds)?, seconds)?;
    let after = times(&neighbours)?;
    for (mut neighbour, _) in neighbours {
        neighbour.kill().and_then(|()| neighbour.wait())?;
    }
    let others: Vec<f64> = before.iter().zip(&after).map(|(before, after)| after - before).collect();
    let cores = std::thread::available_parallelism()?.get() as f64;
    let used: f64 = others.iter().sum::<f64>() + beside_cpu;
    let there = used.min(cores * seconds as f64);
    let share = fair(alone_cpu, &others, there);
    Ok(json!({
        "alone_rows_per_second": alone, "beside_rows_per_second": beside, "alone_cpu": alone_cpu, "beside_cpu": beside_cpu,
        "others_cpu": others, "share_cpu": share, "cores": cores,
        "of_its_share": beside / (alone * share / alone_cpu),
        "rows_per_cpu_second": (beside / beside_cpu) / (alone / alone_cpu),
    }))
}

/// The same in one process, by rows alone: a process does not tell what its instances used.
async fn as_instances(folder: &Path, seconds: u64) -> Result<Value> {
    let runtime = sandbox(&folder.join("bench-compiled"), 128)?;
    let (rows, took) = live_in(&runtime, folder, "healthy", seconds).await?;
    let alone = rows as f64 / took;
    let mut neighbours = Vec::new();
    for number in 0..HOSTILE {
        let (kind, _) = *KINDS.get(number % KINDS.len()).context("a kind")?;
        let (runtime, folder) = (runtime.clone(), folder.to_owned());
        neighbours
            .push(tokio::spawn(async move { live_in(&runtime, &folder, kind, seconds * 3 + 10).await.map(drop) }));
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (rows, took) = live_in(&runtime, folder, "healthy", seconds).await?;
    let beside = rows as f64 / took;
    neighbours.iter().for_each(tokio::task::JoinHandle::abort);
    let hungry =
        (0..HOSTILE).filter(|number| KINDS.get(number % KINDS.len()).is_some_and(|(_, hungry)| *hungry)).count();
    let cores = std::thread::available_parallelism()?.get() as f64;
    let share = (cores / (hungry as f64 + 1.0)).min(1.0);
    Ok(json!({
        "alone_rows_per_second": alone, "beside_rows_per_second": beside, "share_of_a_core": share,
        "of_its_share": beside / (alone * share),
    }))
}

fn start(folder: &Path, kind: &str, seconds: u64) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("guest").arg(folder).arg(kind).arg(seconds.to_string());
    Ok(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?)
}

/// Waits for the healthy guest: its rows per second, and the processor time that it used.
fn lived(mut child: Child, seconds: u64) -> Result<(f64, f64)> {
    let mut cpu = 0.0;
    let deadline = std::time::Instant::now() + Duration::from_secs(seconds * 4 + 60);
    while child.try_wait()?.is_none() && std::time::Instant::now() < deadline {
        // A process that has ended tells no more.
        cpu = processor(child.id()).unwrap_or(cpu).max(cpu);
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output()?;
    let figures: Value = serde_json::from_slice(&output.stdout).context("what the healthy guest says")?;
    let field = |name: &str| figures.get(name).and_then(Value::as_f64).with_context(|| format!("no {name}"));
    Ok((field("rows")? / field("seconds")?, cpu))
}

fn times(neighbours: &[(Child, bool)]) -> Result<Vec<f64>> {
    neighbours.iter().map(|(child, _)| processor(child.id())).collect()
}

/// What somebody who wants `wanted` gets of `there`, beside others of whom each wants at least what it got, if all are served
/// alike: the level at which everybody below it has what it wants, and everybody else the level.
fn fair(wanted: f64, others: &[f64], there: f64) -> f64 {
    let mut asked: Vec<f64> = others.to_vec();
    asked.push(wanted);
    asked.sort_by(f64::total_cmp);
    let (mut left, mut open) = (there, asked.len() as f64);
    for one in asked {
        let level = left / open;
        if one >= level {
            return level.min(wanted);
        }
        if one >= wanted {
            return wanted;
        }
        left -= one;
        open -= 1.0;
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_modest_leave_is_shared_by_the_others() {
        assert_eq!(fair(10.0, &[10.0, 10.0, 0.0], 10.0), 10.0 / 3.0);
        assert_eq!(fair(10.0, &[1.0], 10.0), 9.0);
        assert_eq!(fair(1.0, &[10.0, 10.0], 10.0), 1.0);
    }
}
