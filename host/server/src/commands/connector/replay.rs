//! `sluice connector replay`: a connector against a recording, offline.

use console::style;
use serde_json::json;
use sluice_conformance::recording::replay;
use sluice_core::RunError;
use sluice_core::limits::InstanceLimits;
use sluice_core::recording::{Aspect, Recording};

use super::{bytes, project};
use crate::cli::{ComponentArgs, Options, ReplayArgs};
use crate::{exit, wire};

pub(super) async fn run(options: &Options, args: &ReplayArgs) -> Result<u8, RunError> {
    let named = args.named.clone().or_else(|| args.component.component.clone());
    let component = project::component(&ComponentArgs { component: named })?;
    let recording = open(&args.recording)?;
    let connector = wire::runtime(options)?.load(&component).await?;
    let replayed = replay(&connector, &recording, &InstanceLimits::default()).await?;
    if options.json() {
        println!("{}", json!({"event": "replayed", "replay": replayed}));
    } else {
        for difference in &replayed.differences {
            let aspect = match difference.aspect {
                Aspect::Asks => "asks",
                Aspect::Delivers => "delivers",
                Aspect::Returns => "returns",
            };
            println!("{}  {} {aspect}:", style("differs").red().bold(), difference.call);
            println!("{:<9}{}", "", difference.message);
        }
        println!("{}", replayed.summary());
    }
    Ok(if replayed.same { 0 } else { exit::SOURCE })
}

/// Reads a recording.
pub(super) fn open(path: &std::path::Path) -> Result<Recording, RunError> {
    let read = bytes(path, sluice_core::recording::MAX_BYTES as u64)?;
    Recording::parse(&path.display().to_string(), &read)
}
