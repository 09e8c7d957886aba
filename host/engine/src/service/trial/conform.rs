//! The conformance kit's checks that read no rows, of a connection and two versions.

use std::collections::BTreeSet;

use sluice_core::RunError;
use sluice_core::limits::RunLimits;
use sluice_core::pipeline::SourceSpec;
use sluice_core::plan::{CheckStep, Outcome};
use sluice_core::worker::{Event, Job};
use sluice_store::{Connection, PipelineRecord};

use super::{ASKING, Both, Trial, failure, step, used};

impl Trial<'_> {
    /// What each check comes to with the new version. The installed one is asked only about what fails.
    pub(super) async fn conforms(
        &self,
        connection: &Connection,
        both: &Both,
        pipelines: &[PipelineRecord],
    ) -> Vec<CheckStep> {
        let streams: Vec<String> = used(pipelines).into_keys().collect();
        let new = match self.conformed(&both.new, &streams).await {
            Ok(steps) => steps,
            Err(error) => {
                let fails_too = match &both.old {
                    Some(old) => self.conformed(old, &streams).await.is_err(),
                    None => false,
                };
                return vec![self.failed((connection, "conformance"), both, &error, fails_too)];
            }
        };
        let mut known = BTreeSet::new();
        if let (true, Some(old)) = (new.iter().any(failed), &both.old) {
            match self.conformed(old, &streams).await {
                Ok(steps) => known.extend(steps.into_iter().filter(failed).map(|step| step.name)),
                Err(_) => known.extend(new.iter().map(|step| step.name.clone())),
            }
        }
        let told = new.into_iter().map(|one| {
            let what = format!("conformance {}", one.name);
            let detail = both.redactor.redact(&one.detail).to_string();
            match one.outcome {
                Outcome::Failed => failure((&connection.name, &what), detail, known.contains(&one.name)),
                other => step(&connection.name, &what, other, detail, ""),
            }
        });
        told.collect()
    }

    async fn conformed(&self, source: &SourceSpec, streams: &[String]) -> Result<Vec<CheckStep>, RunError> {
        let job = Job::Conform { source: source.clone(), limits: RunLimits::default(), streams: streams.to_vec() };
        let told = self.workers.ask(&job, ASKING).await?.into_iter();
        Ok(told.filter_map(|event| if let Event::Step(step) = event { Some(step) } else { None }).collect())
    }
}

fn failed(step: &CheckStep) -> bool {
    step.outcome == Outcome::Failed
}
