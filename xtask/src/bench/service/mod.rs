//! The service on one host: how soon it is there, how it answers while runs are under way, how punctual it is, and what a
//! pipeline costs that only waits.

mod load;
mod site;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde_json::{Value, json};

use self::load::{Load, load};
use self::site::{Client, Service, Site};
use super::Bench;
use super::lineitem::{self, Format};
use super::measure::median;
use super::table::Row;
use crate::tools;

/// Pipelines of the cases in which there are many.
const MANY: usize = 1_000;

/// Runs under way while the API is measured.
const RUNS: usize = 50;

/// A schedule of every minute.
fn every_minute() -> Value {
    json!({"cron": "* * * * *", "time_zone": "UTC"})
}

/// A schedule that does not come due while something is measured.
fn once_a_year() -> Value {
    json!({"cron": "0 0 29 2 *", "time_zone": "UTC"})
}

/// A folder with one small file.
fn small_lake(bench: &Bench) -> Result<std::path::PathBuf> {
    let lake = bench.folder.join("small-lake");
    std::fs::create_dir_all(&lake)?;
    std::fs::write(lake.join("a.csv"), "id\n1\n2\n3\n")?;
    Ok(lake)
}

/// From the start of the process to ready, on a new state file and on one with many pipelines; and what those cost in memory.
pub(super) fn ready(bench: &Bench) -> Result<Vec<Row>> {
    let lake = small_lake(bench)?;
    let fresh: Result<Vec<f64>> = (0..bench.rounds.max(5))
        .map(|round| {
            let service = Site::new(bench, &format!("ready-{round}"))?.start(&lake, &[])?;
            Ok(service.ready.as_secs_f64() * 1e3)
        })
        .collect();
    let mut rows = vec![Row::figure("service-ready", "a new state file", median(fresh?), "ms", 1_000.0)];

    let site = Site::new(bench, "ready-many")?;
    let service = site.start(&lake, &[])?;
    let client = site.set_up()?;
    let connection = client.lake("a.csv")?;
    client.ask("GET", "/pipelines?limit=1", None)?;
    service.kill();
    let before = settled(&site, &lake)?.1;
    let service = site.start(&lake, &[])?;
    for number in 0..MANY {
        bench.interrupt.check()?;
        client.pipeline(&connection, number, Some(once_a_year()))?;
    }
    service.kill();
    let mut starts = Vec::new();
    let mut after = Vec::new();
    for _ in 0..bench.rounds.max(5) {
        let (ready, resident) = settled(&site, &lake)?;
        starts.push(ready.as_secs_f64() * 1e3);
        after.push(resident);
    }
    rows.push(Row::figure("service-ready", "a state file with 1,000 schedules", median(starts), "ms", 1_000.0));
    // What is not due is not in memory: what remains is noise, to both sides.
    let each = ((median(after) - before) / MANY as f64 / 1024.0).max(0.0);
    rows.push(Row::figure("service-idle", "resident memory for each of 1,000 idle pipelines", each, "KiB", 16.0));
    rows.push(Row::figure("service-idle", "resident memory without any", before / 1e6, "MB", 100.0));
    Ok(rows)
}

/// Starts a service, and lets it look at its schedules for a while: when it was ready, and its resident memory after that.
fn settled(site: &Site, lake: &Path) -> Result<(Duration, f64)> {
    let service = site.start(lake, &[])?;
    std::thread::sleep(Duration::from_secs(5));
    Ok((service.ready, service.resident()?))
}

/// The API beside fifty runs, which want more than the machine has.
pub(super) fn api(bench: &Bench) -> Result<Vec<Row>> {
    tools::debian(&["wrk"])?;
    let file = lineitem::file(&bench.peers, bench.scale.min(0.4), Format::Csv)?;
    let (folder, name) = (file.parent().context("a folder")?, file.file_name().context("a name")?);
    let site = Site::new(bench, "api")?;
    let all = RUNS.to_string();
    let slots = ["--slots", &all, "--slots-per-tenant", &all, "--slots-per-connection", &all];
    let service = site.start(folder, &slots)?;
    let client = site.set_up()?;
    let connection = client.lake(&name.to_string_lossy())?;
    let pipelines: Vec<String> =
        (0..RUNS).map(|number| client.pipeline(&connection, number, None)).collect::<Result<_>>()?;
    let first = pipelines.first().context("a pipeline")?;
    let paths = [
        ("list of 50 pipelines", "/pipelines?limit=50".to_owned()),
        ("one pipeline", format!("/pipelines/{first}")),
        ("list of 50 runs", "/runs?limit=50".to_owned()),
    ];
    let alone = measured(bench, &client, &paths)?;
    for pipeline in &pipelines {
        client.make(&format!("/pipelines/{pipeline}/runs"), &json!({}))?;
    }
    until_all_run(&client)?;
    let beside = measured(bench, &client, &paths)?;
    let running = running(&client)?;
    if running < RUNS / 2 {
        bail!("only {running} of {RUNS} runs were still under way when the last request was answered");
    }
    service.kill();
    let rows = paths.iter().zip(alone.iter().zip(&beside));
    Ok(rows.map(|((what, _), (alone, beside))| answers(what, alone, beside)).collect())
}

fn measured(bench: &Bench, client: &Client, paths: &[(&str, String)]) -> Result<Vec<Load>> {
    paths
        .iter()
        .map(|(_, path)| {
            bench.interrupt.check()?;
            load(client, path, 5)
        })
        .collect()
}

/// How the API answers beside runs, and without.
fn answers(what: &str, alone: &Load, beside: &Load) -> Row {
    let shown = |load: &Load| format!("{:.0} requests/s, p99 {:.0} ms", load.per_second, load.p99);
    Row {
        case: "service-api".to_owned(),
        against: format!("{what}: beside {RUNS} runs, and alone"),
        ours: shown(beside),
        theirs: shown(alone),
        ratio: Some(beside.per_second / alone.per_second),
        asked: "p99 under 250 ms".to_owned(),
        met: beside.p99 < 250.0,
        megabytes: None,
    }
}

fn running(client: &Client) -> Result<usize> {
    let runs = client.ask("GET", "/runs?state=running&limit=100", None)?;
    Ok(runs.pointer("/items").and_then(Value::as_array).context("runs")?.len())
}

fn until_all_run(client: &Client) -> Result<()> {
    let begun = Instant::now();
    while running(client)? < RUNS {
        if begun.elapsed() > Duration::from_secs(60) {
            bail!("only {} of {RUNS} runs have started", running(client)?);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// A thousand pipelines that all come due at each full minute: how late their runs start.
pub(super) fn punctual(bench: &Bench) -> Result<Vec<Row>> {
    let lake = small_lake(bench)?;
    let site = Site::new(bench, "punctual")?;
    let slots = ["--slots", "8", "--slots-per-tenant", "8", "--slots-per-connection", "8"];
    let service = site.start(&lake, &slots)?;
    let client = site.set_up()?;
    let connection = client.lake("a.csv")?;
    for number in 0..MANY {
        bench.interrupt.check()?;
        client.pipeline(&connection, number, Some(every_minute()))?;
    }
    let delays = delays(bench, &client, &service)?;
    service.kill();
    let percentile = |percent: usize| delays.get((delays.len() - 1) * percent / 100).copied().unwrap_or(f64::NAN);
    let what = |percent: usize| format!("start delay of {} runs in 2 minutes, p{percent}", delays.len());
    Ok(vec![
        Row::figure("service-cron", &what(50), percentile(50), "ms", 60_000.0),
        Row::figure("service-cron", &what(99), percentile(99), "ms", 60_000.0),
    ])
}

/// From the moment of a schedule to the start of its run, milliseconds in ascending order, of all runs of the second and third
/// full minute from now: in the first one every table is still to be made.
fn delays(bench: &Bench, client: &Client, service: &Service) -> Result<Vec<f64>> {
    let now = Timestamp::now().as_second();
    let first = (now / 60 + 2) * 60;
    let minutes = [first, first + 60];
    let until = first + 60 + 75;
    while Timestamp::now().as_second() < until {
        bench.interrupt.check()?;
        std::thread::sleep(Duration::from_secs(1));
    }
    eprintln!("bench: the service has {:.0} MB", service.resident()? / 1e6);
    let mut delays = Vec::new();
    let mut late: BTreeMap<String, usize> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let page = client.ask("GET", &format!("/runs?limit=200{after}"), None)?;
        let runs = page.pointer("/items").and_then(Value::as_array).context("runs")?;
        for run in runs {
            let instant = |field: &str| run.get(field)?.as_str()?.parse::<Timestamp>().ok();
            let Some(moment) = instant("scheduled_for").filter(|moment| minutes.contains(&moment.as_second())) else {
                continue;
            };
            match instant("started_at") {
                Some(started) => delays.push((started.as_millisecond() - moment.as_millisecond()) as f64),
                None => *late.entry(run.get("state").map(Value::to_string).unwrap_or_default()).or_default() += 1,
            }
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    if delays.len() < 2 * MANY {
        eprintln!(
            "bench: {} of {} moments had no start within 75 seconds: {late:?}",
            2 * MANY - delays.len(),
            2 * MANY
        );
    }
    // What did not start counts as late as it is by now.
    delays.resize(2 * MANY, 75_000.0);
    delays.sort_by(f64::total_cmp);
    Ok(delays)
}
