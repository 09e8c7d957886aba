//! `sluice connector test`: the conformance kit, and its report.

use console::style;
use serde_json::json;
use sluice_conformance::{Checked, Kit, Report, Verdict};
use sluice_core::RunError;

use super::{component, project, replay, served, write};
use crate::cli::{Options, TestArgs};
use crate::{exit, wire};

pub(super) async fn run(options: &Options, args: &TestArgs) -> Result<u8, RunError> {
    if args.list {
        list(options);
        return Ok(0);
    }
    let path = project::component(&args.component)?;
    let (_, inspected) = component(&path)?;
    let (spec, _running) = served::specification(&args.spec).await?;
    let runtime = wire::runtime(options)?;
    let recordings = spec.recordings.iter().map(|file| Ok((file.display().to_string(), replay::open(file)?)));
    let recordings = recordings.collect::<Result<Vec<_>, RunError>>()?;
    let kit =
        Kit::new(&runtime, &path, inspected, spec, wire::environment(options)?).await?.with_recordings(recordings);
    let report = kit.run(&args.only, |checked| one(options, checked)).await?;
    if let Some(path) = &args.report {
        let text = serde_json::to_vec_pretty(&report).map_err(|e| RunError::internal(e.to_string()))?;
        write(path, &text)?;
    }
    end(options, &report);
    Ok(if report.conforms { 0 } else { exit::SOURCE })
}

fn list(options: &Options) {
    for (name, asks) in sluice_conformance::checks() {
        if options.json() {
            println!("{}", json!({"event": "check", "name": name, "asks": asks}));
        } else {
            println!("{name:<16} {asks}");
        }
    }
}

fn one(options: &Options, checked: &Checked) {
    if options.json() {
        println!("{}", json!({"event": "checked", "check": checked}));
        return;
    }
    let (mark, detail) = match &checked.verdict {
        Verdict::Passed(detail) => (style("ok  ").green(), detail),
        Verdict::Failed(detail) => (style("FAIL").red().bold(), detail),
        Verdict::Skipped(detail) => (style("skip").dim(), detail),
    };
    println!("{mark}  {:<15} {}", checked.name, checked.asks);
    println!("{:<21} {}", "", style(detail).dim());
}

fn end(options: &Options, report: &Report) {
    if options.json() {
        println!("{}", json!({"event": "report", "report": report}));
        return;
    }
    if !report.hosts.is_empty() {
        println!("Hosts that were asked for: {}", report.hosts.join(", "));
    }
    println!("{}", report.summary());
}
