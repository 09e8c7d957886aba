//! `sluice connector recording`: recordings that a service keeps of a tenant's connector.

use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};
use sluice_core::RunError;
use sluice_core::recording::is_name;

use super::service::Service;
use super::{replay, say, write};
use crate::cli::{
    Options, RecordingAddArgs, RecordingCommand, RecordingGetArgs, RecordingListArgs, RecordingNamedArgs, ServiceArgs,
};
use crate::show;

/// Recordings that are asked for at once; a connector has fewer.
const PAGE: &str = "200";

pub(super) async fn run(options: &Options, command: &RecordingCommand) -> Result<(), RunError> {
    match command {
        RecordingCommand::Add(args) => add(options, args).await,
        RecordingCommand::List(args) => list(options, args).await,
        RecordingCommand::Get(args) => get(options, args).await,
        RecordingCommand::Delete(args) => delete(options, args).await,
    }
}

async fn add(options: &Options, args: &RecordingAddArgs) -> Result<(), RunError> {
    let (service, file) = (service(&args.service)?, &args.file);
    // What is no recording is said here, with its line.
    let connector = replay::open(file)?.header.connector;
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = args.name.clone().or(stem).filter(|name| is_name(name)).ok_or_else(|| {
        RunError::config("--name", "name it with letters, digits, `.`, `_` and `-`, the first a letter or a digit")
    })?;
    let bytes = super::bytes(file, sluice_core::recording::MAX_BYTES as u64)?;
    let request = service.request(Method::PUT, &["connectors", &connector, "recordings", &name])?;
    let request = request.header("Content-Type", "application/x-ndjson").body(bytes);
    let kept = service.json(options, request).await?;
    let sentence = format!("{name} is kept: a new version of {connector} has to do the same ({})", counts(&kept));
    say(options, &sentence, &json!({"event": "recording-kept", "connector": connector, "recording": kept}));
    Ok(())
}

async fn list(options: &Options, args: &RecordingListArgs) -> Result<(), RunError> {
    let service = service(&args.service)?;
    let request = service.request(Method::GET, &["connectors", &args.connector, "recordings"])?;
    let page = service.json(options, request.query(&[("limit", PAGE)])).await?;
    for one in page.get("items").and_then(Value::as_array).into_iter().flatten() {
        let text = |field: &str| one.get(field).and_then(Value::as_str).unwrap_or_default();
        let sentence = format!("{:<24} {:<10} {}", text("name"), text("version"), counts(one));
        say(options, &sentence, &json!({"event": "recording", "recording": one}));
    }
    Ok(())
}

async fn get(options: &Options, args: &RecordingGetArgs) -> Result<(), RunError> {
    let RecordingNamedArgs { recording, .. } = &args.named;
    let (service, path) = (service(&args.named.service)?, named(&args.named));
    let bytes = service.bytes(options, service.request(Method::GET, &path)?).await?;
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{recording}.jsonl")));
    write(&output, &bytes)?;
    let sentence = format!("{} is written ({})", output.display(), show::bytes(bytes.len() as u64));
    say(options, &sentence, &json!({"event": "recording-fetched", "path": output, "bytes": bytes.len()}));
    Ok(())
}

async fn delete(options: &Options, args: &RecordingNamedArgs) -> Result<(), RunError> {
    let service = service(&args.service)?;
    service.bytes(options, service.request(Method::DELETE, &named(args))?).await?;
    let sentence = format!("{} is deleted", args.recording);
    say(options, &sentence, &json!({"event": "recording-deleted", "name": args.recording}));
    Ok(())
}

fn service(args: &ServiceArgs) -> Result<Service, RunError> {
    Service::new(&args.to, &args.tenant, &args.token_env)
}

fn named(args: &RecordingNamedArgs) -> [&str; 4] {
    ["connectors", &args.connector, "recordings", &args.recording]
}

/// What is in a recording, in a few words.
fn counts(recording: &Value) -> String {
    let count = |field: &str| recording.get(field).and_then(Value::as_u64).unwrap_or_default();
    format!("{} calls, {} rows, {}", count("calls"), count("rows"), show::bytes(count("size")))
}
