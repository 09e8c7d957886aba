//! `sluice doctor`: is this machine ready, and a pipeline's source and sink?

use std::path::Path;

use sluice_core::RunError;
use sluice_core::plan::{CheckStep, Outcome};
use sluice_runtime::Runtime;

use crate::cli::{DoctorArgs, Options};
use crate::{exit, file, show, wire};

pub(crate) async fn run(options: &Options, args: &DoctorArgs) -> u8 {
    let mut steps = Vec::new();
    let runtime = match wire::runtime(options) {
        Ok(runtime) => {
            steps.push(passed("sandbox", "WebAssembly components can be compiled and run here"));
            Some(runtime)
        }
        Err(error) => {
            steps.push(failed("sandbox", &error));
            None
        }
    };
    steps.push(cache(options));
    steps.extend(connectors(options));
    if let Some(path) = &args.file {
        steps.extend(pipeline(options, runtime.as_ref(), path).await);
    }
    steps.iter().for_each(|step| show::step(options, step));
    if steps.iter().any(|step| step.outcome == Outcome::Failed) { exit::USER } else { 0 }
}

fn cache(options: &Options) -> CheckStep {
    let folder = wire::cache(options);
    let probe = folder.join(format!(".probe-{}", std::process::id()));
    let tried = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&probe, b"sluice"))
        .and_then(|()| std::fs::remove_file(&probe));
    match tried {
        Ok(()) => passed("cache", &format!("{} can be written", folder.display())),
        Err(error) => CheckStep {
            name: "cache".into(),
            outcome: Outcome::Warned,
            detail: format!("{} cannot be written: {error}", folder.display()),
            remedy: "connectors are compiled anew in every run; set --cache to a folder that can be written".into(),
        },
    }
}

fn connectors(options: &Options) -> Vec<CheckStep> {
    let mut steps = Vec::new();
    for folder in wire::connector_folders(options) {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
        files.sort();
        for path in files {
            let name = format!("connector {}", path.file_stem().unwrap_or_default().to_string_lossy());
            let inspected = std::fs::read(&path)
                .map_err(|e| RunError::config(path.display().to_string(), format!("cannot be read: {e}")))
                .and_then(|bytes| sluice_runtime::inspect(&bytes));
            steps.push(match inspected {
                Ok(found) => {
                    let manifest = found.manifest;
                    let detail = format!("{} {}, contract {}", manifest.title, manifest.version, manifest.contract);
                    passed(&name, &detail)
                }
                Err(error) => failed(&name, &error),
            });
        }
    }
    if steps.is_empty() {
        let folders: Vec<_> = wire::connector_folders(options).iter().map(|f| f.display().to_string()).collect();
        steps.push(CheckStep {
            name: "connectors".into(),
            outcome: Outcome::Warned,
            detail: format!("no connector in {}", folders.join(", ")),
            remedy: "set --connectors to the folder that has them, or name .wasm files in pipelines".into(),
        });
    }
    steps
}

async fn pipeline(options: &Options, runtime: Option<&Runtime>, path: &Path) -> Vec<CheckStep> {
    let pipeline = match file::pipeline(path) {
        Ok(pipeline) => pipeline,
        Err(error) => return vec![failed("pipeline", &error)],
    };
    let mut steps = vec![passed("pipeline", &format!("{} is valid", path.display()))];
    let store = wire::store(options, &file::folder(path)).await;
    steps.push(match store {
        Ok(store) => passed("state", &format!("{store} can be opened")),
        Err(error) => failed("state", &error),
    });
    let sink = match wire::sink(&pipeline.sink).await {
        Ok(sink) => sink.check().await,
        Err(error) => Err(error),
    };
    steps.push(match sink {
        Ok(()) => passed("sink", "can be reached and written to"),
        Err(error) => failed("sink", &error),
    });
    let Some(runtime) = runtime else { return steps };
    let source = async {
        let connection = wire::connection(options, runtime, &pipeline.source, &pipeline.limits).await?;
        connection.instance().await?.check().await
    };
    match source.await {
        Ok(checked) => {
            steps.extend(checked.into_iter().map(|step| CheckStep { name: format!("source: {}", step.name), ..step }))
        }
        Err(error) => steps.push(failed("source", &error)),
    }
    steps
}

fn passed(name: &str, detail: &str) -> CheckStep {
    CheckStep { name: name.into(), outcome: Outcome::Passed, detail: detail.into(), remedy: String::new() }
}

fn failed(name: &str, error: &RunError) -> CheckStep {
    CheckStep { name: name.into(), outcome: Outcome::Failed, detail: error.to_string(), remedy: String::new() }
}
