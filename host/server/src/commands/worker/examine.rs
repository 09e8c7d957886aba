//! Looks at a component that somebody has uploaded. It is hostile until shown otherwise: nothing of it is run, and the process has little
//! of anything, so that what would take for ever, or all memory, ends this process and nothing else.

use std::path::Path;

use sluice_conformance::manifest;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::plan::{CheckStep, Outcome};
use sluice_core::worker::{Event, Examined};
use sluice_runtime::{Inspected, Settings};

use super::confine::confine;
use crate::cli::Options;
use crate::events::tell;
use crate::{show, wire};

/// What is found wrong ends the job; the job itself has succeeded then.
pub(super) async fn run(options: &Options, component: &Path) -> Result<(), RunError> {
    confine()?;
    let Some(bytes) = file(component)? else { return Ok(()) };
    let Some(inspected) = contract(&bytes) else { return Ok(()) };
    let imports = inspected.imports.clone();
    let manifest = String::from_utf8_lossy(&inspected.manifest_bytes).into_owned();
    tell(&Event::Examined(Box::new(Examined { manifest, imports })));
    about(&inspected);
    compile(options, component).await
}

/// The bytes, if they are WebAssembly of a size that is compiled.
fn file(component: &Path) -> Result<Option<Vec<u8>>, RunError> {
    let unreadable = |e: std::io::Error| {
        let message = format!("the component's file {} cannot be read: {e}", component.display());
        RunError::new(Kind::Resources, Actor::Host, message)
    };
    let most = Settings::default().component_bytes;
    let size = std::fs::metadata(component).map_err(unreadable)?.len();
    if size > most {
        let detail = format!("it has {}, and at most {} are taken", show::bytes(size), show::bytes(most));
        failed("file", detail, "leave debug information out (`sluice connector build` does)");
        return Ok(None);
    }
    let bytes = std::fs::read(component).map_err(unreadable)?;
    match sluice_runtime::examine(&bytes) {
        Ok(()) => {
            passed("file", format!("{} of WebAssembly, valid, and no more than this host compiles", show::bytes(size)));
            Ok(Some(bytes))
        }
        Err(error) => {
            failed("file", error.message, "send the .wasm file that `sluice connector build` makes");
            Ok(None)
        }
    }
}

fn contract(bytes: &[u8]) -> Option<Inspected> {
    match sluice_runtime::inspect(bytes) {
        Ok(inspected) => {
            let imports = inspected.imports.len();
            let spoken = &inspected.manifest.contract;
            let detail = format!("it speaks the contract {spoken}, and imports {imports} interfaces, all allowed");
            passed("contract", detail);
            Some(inspected)
        }
        Err(error) => {
            failed(
                "contract",
                error.message,
                "build it with the SDK; `sluice connector inspect` says the same on your machine",
            );
            None
        }
    }
}

/// What it says of itself: whether it holds together, and with what it imports.
fn about(inspected: &Inspected) {
    let found = &inspected.manifest;
    match manifest::problems(found).as_slice() {
        [] => passed("manifest", format!("{} {}, {:?}", found.name, found.version, found.title)),
        problems => {
            failed("manifest", problems.join("; "), "correct the manifest; `sluice connector test` asks for the same")
        }
    }
    let unmarked = manifest::unmarked_secrets(found, &std::collections::BTreeMap::new());
    if unmarked.is_empty() {
        passed("secrets", "every field that looks like a secret is marked as one".to_owned());
    } else {
        let detail = format!(
            "{} may be secrets, and are not marked: they would be stored and shown in the clear",
            unmarked.join(", ")
        );
        step("secrets", Outcome::Warned, detail, "mark them with #[config(secret)], unless they are none");
    }
    match manifest::permissions(inspected).as_slice() {
        [] => passed("permissions", "it can use what it asks for, and asks for nothing that it need not".to_owned()),
        notes => failed("permissions", notes.join("; "), "declare what it uses, and nothing else"),
    }
}

/// Into the cache, where runs find it.
async fn compile(options: &Options, component: &Path) -> Result<(), RunError> {
    let runtime = wire::runtime(options)?;
    match runtime.load(component).await {
        Ok(_) => passed("compile", "it compiles, and fits the contract's world".to_owned()),
        Err(error) if error.actor == Actor::Host => return Err(error),
        Err(error) => failed("compile", error.message, "build it with the SDK of this contract's version"),
    }
    Ok(())
}

fn passed(name: &str, detail: String) {
    step(name, Outcome::Passed, detail, "");
}

fn failed(name: &str, detail: String, remedy: &str) {
    step(name, Outcome::Failed, detail, remedy);
}

fn step(name: &str, outcome: Outcome, detail: String, remedy: &str) {
    let (name, remedy) = (name.to_owned(), remedy.to_owned());
    tell(&Event::Step(CheckStep { name, outcome, detail, remedy }));
}
