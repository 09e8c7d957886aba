//! What a tenant has recorded of a connector, replayed against two versions of it.

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::plan::{CheckStep, Outcome};
use sluice_core::worker::{Event, Job};
use sluice_store::{KeptRecording, Scope};
use tokio::time::Instant;

use super::{ASKING, Candidate, NO_TIME, NO_TIME_REMEDY, PAGE, Trial, failure, step};

impl Trial<'_> {
    /// Replays each of the tenant's recordings of the connector against the new version, one step for each.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(super) async fn recordings(
        &self,
        scope: Scope<'_>,
        candidate: Candidate<'_>,
        end: Instant,
        steps: &mut Vec<CheckStep>,
    ) -> Result<(), RunError> {
        let connector = &candidate.manifest.name;
        // A connector has fewer than a page of them.
        for recording in self.store.connector_recordings(scope, connector, None, PAGE).await? {
            let whose = format!("recording {}", recording.new.name);
            if Instant::now() >= end {
                steps.push(step(&whose, "replay", Outcome::Failed, NO_TIME.to_owned(), NO_TIME_REMEDY));
                continue;
            }
            steps.push(self.recording(scope, candidate, &recording, &whose).await?);
        }
        Ok(())
    }

    async fn recording(
        &self,
        scope: Scope<'_>,
        candidate: Candidate<'_>,
        recording: &KeptRecording,
        whose: &str,
    ) -> Result<CheckStep, RunError> {
        let name = &recording.new.connector;
        let bytes = self.store.connector_recording_bytes(scope, name, &recording.new.name).await?;
        // Somebody has deleted it meanwhile.
        let Some(bytes) = bytes else {
            return Ok(step(whose, "replay", Outcome::Skipped, "it was deleted".to_owned(), ""));
        };
        let staged = self.resolver.components.stage(&recording.new.sha256, bytes).await?;
        let replay = |digest: Option<String>| Job::Replay {
            connector: name.clone(),
            digest,
            recording: staged.path().to_path_buf(),
        };
        match self.replayed(&replay(Some(candidate.sha256.to_owned()))).await {
            Ok(summary) => Ok(step(whose, "replay", Outcome::Passed, summary, "")),
            Err(error) => {
                // The installed one may be yanked: then there is nothing to compare with.
                let fails_too = match self.resolver.component(scope, name).await {
                    Ok(digest) => self.replayed(&replay(digest)).await.is_err(),
                    Err(_) => false,
                };
                Ok(failure((whose, "replay"), error.message, fails_too))
            }
        }
    }

    /// What the replay came to; fails with what is different.
    async fn replayed(&self, job: &Job) -> Result<String, RunError> {
        for event in self.workers.ask(job, ASKING).await? {
            let Event::Step(CheckStep { outcome, detail, .. }) = event else { continue };
            if outcome == Outcome::Passed {
                return Ok(detail);
            }
            return Err(RunError::new(Kind::Unsupported, Actor::Source, detail));
        }
        Err(RunError::internal("a worker has left without telling what a replay came to"))
    }
}
