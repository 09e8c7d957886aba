//! Looking at an uploaded component or recording in a worker, and what is found there put into words, also if the worker does not live to tell.

use std::path::Path;
use std::time::Duration;

use sluice_core::RunError;
use sluice_core::manifest::Manifest;
use sluice_core::plan::{CheckStep, Outcome};
use sluice_core::signature::{PublicKey, Signature, Statement};
use sluice_core::worker::{Event, Examined, Job, Recorded};

use super::worker::Workers;

/// How long somebody waits for a component to be looked at and compiled.
pub const WITHIN: Duration = Duration::from_secs(150);

/// What was found.
#[derive(Clone, Debug)]
pub struct Examination {
    /// What was looked at, in that order.
    pub findings: Vec<CheckStep>,
    /// What the component says of itself, and the manifest's bytes; none if that cannot be read.
    pub manifest: Option<(Manifest, Vec<u8>)>,
}

impl Examination {
    /// Whether nothing failed.
    pub fn passed(&self) -> bool {
        self.manifest.is_some() && self.failure().is_none()
    }

    /// The first finding that failed.
    pub fn failure(&self) -> Option<&CheckStep> {
        self.findings.iter().find(|finding| finding.outcome == Outcome::Failed)
    }

    /// One more finding.
    pub fn add(&mut self, name: &str, outcome: Outcome, detail: impl Into<String>, remedy: &str) {
        let (name, detail, remedy) = (name.to_owned(), detail.into(), remedy.to_owned());
        self.findings.push(CheckStep { name, outcome, detail, remedy });
    }

    /// Checks a detached signature, as `sluice connector sign` writes it; the key that it is by. What is signed is compared with the
    /// bytes that arrived, not with what the worker says of them.
    pub fn verify(&mut self, component: &[u8], signature: Option<&[u8]>) -> Option<(Signature, PublicKey)> {
        let (manifest, manifest_bytes) = self.manifest.as_ref()?;
        let Some(signature) = signature else {
            let remedy = "sign it with `sluice connector sign`, so that who approves it knows whose it is";
            self.add("signature", Outcome::Warned, "it is not signed", remedy);
            return None;
        };
        let statement = Statement::new(&manifest.name, &manifest.version, component, manifest_bytes);
        let verified =
            Signature::parse(signature).and_then(|signature| signature.verify(&statement).map(|key| (signature, key)));
        match verified {
            Ok((signature, key)) => {
                let detail = format!("it is signed with {}", key.fingerprint());
                self.add("signature", Outcome::Passed, detail, "");
                Some((signature, key))
            }
            Err(error) => {
                let remedy = "sign this very file with `sluice connector sign`, and publish both";
                self.add("signature", Outcome::Failed, error.message, remedy);
                None
            }
        }
    }
}

/// Has a worker look at a component.
///
/// # Errors
/// If no worker can be started: whatever the component is, it was not looked at.
pub async fn examine(workers: &Workers, component: &Path) -> Result<Examination, RunError> {
    let mut events = Vec::new();
    let job = Job::Examine { component: component.to_path_buf() };
    let done = workers.listen(&job, WITHIN, |event| events.push(event)).await;
    let mut examination = Examination { findings: Vec::new(), manifest: None };
    for event in events {
        match event {
            Event::Step(step) => examination.findings.push(step),
            Event::Examined(examined) => {
                let Examined { manifest, imports: _ } = *examined;
                // What the worker says is parsed as strictly as if it were the component's own words, which it is.
                let bytes = manifest.into_bytes();
                examination.manifest = Some((Manifest::parse(&bytes)?, bytes));
            }
            _ => {}
        }
    }
    match done {
        Ok(()) => Ok(examination),
        // It was never begun.
        Err(error) if examination.findings.is_empty() => Err(error),
        Err(error) => {
            let detail =
                format!("compiling it took more time, processor time or memory than a component gets: {error}");
            examination.add("compile", Outcome::Failed, detail, "make it smaller, and its functions simpler");
            Ok(examination)
        }
    }
}

/// Has a worker read a recording; what it says of itself.
///
/// # Errors
/// If it is none, with the line and what is wrong with it; if no worker can be started.
pub async fn recorded(workers: &Workers, recording: &Path) -> Result<Recorded, RunError> {
    let job = Job::Recording { recording: recording.to_path_buf() };
    let told = workers.ask(&job, WITHIN).await?.into_iter();
    let mut told = told.filter_map(|event| if let Event::Recorded(recorded) = event { Some(recorded) } else { None });
    told.next().ok_or_else(|| RunError::internal("a worker has left without telling what a recording says of itself"))
}
