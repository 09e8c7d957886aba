//! Cloud Scheduler as the one that keeps the time of schedules.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sluice_api::auth::identity::Issuer;
use sluice_api::v1::hooks::CloudHook;
use sluice_core::RunError;
use sluice_core::schedule::{CloudJob, CloudJobs};
use sluice_engine::clock::Clock;
use sluice_engine::service::cloud::{FoundJob, JobStates, Jobs, Keeper};
use sluice_sinks::cloud_scheduler::CloudScheduler;
use sluice_store::Store;

use super::fetch::Web;
use crate::cli::{SchedulerMode, ServeArgs};

/// What the operator said about it, checked.
pub(super) struct Cloud {
    jobs: CloudJobs,
    project: String,
    location: String,
    issuer: String,
    endpoint: Option<String>,
    check_every: Duration,
    states: JobStates,
}

impl Cloud {
    /// None if the service keeps the time itself.
    pub(super) fn of(args: &ServeArgs, origin: &str) -> Result<Option<Self>, RunError> {
        let said = &args.scheduler;
        if said.scheduler == SchedulerMode::Internal {
            return Ok(None);
        }
        let needed = |value: &Option<String>, name: &str| {
            let value = value.clone().filter(|value| !value.is_empty());
            value.ok_or_else(|| RunError::config(name, format!("{name} is needed with --scheduler cloud")))
        };
        let name = |value: &Option<String>, name: &str| {
            let text = needed(value, name)?;
            let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte));
            if plain { Ok(text) } else { Err(RunError::config(name, format!("{text:?} is no name of one"))) }
        };
        if said.scheduler_endpoint.is_none() && !(args.origin.is_some() && origin.starts_with("https://")) {
            let message =
                "Cloud Scheduler has to reach the service: set --origin to its address, which begins with https://";
            return Err(RunError::config("--origin", message));
        }
        let prefix = said.scheduler_prefix.clone().unwrap_or_else(|| CloudJobs::prefix_of(origin));
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if prefix.is_empty() || prefix.len() > 100 || !prefix.bytes().all(fine) {
            let message = format!("{prefix:?} is none: up to 100 letters, digits, - and _");
            return Err(RunError::config("--scheduler-prefix", message));
        }
        let service_account = needed(&said.scheduler_service_account, "--scheduler-service-account")?;
        if !service_account.contains('@') {
            let message = format!("{service_account:?} is no e-mail address of a service account");
            return Err(RunError::config("--scheduler-service-account", message));
        }
        let audience = said.scheduler_audience.clone().unwrap_or_else(|| origin.to_owned());
        Ok(Some(Self {
            jobs: CloudJobs { prefix, origin: origin.to_owned(), service_account, audience },
            project: name(&said.scheduler_project, "--scheduler-project")?,
            location: name(&said.scheduler_location, "--scheduler-location")?,
            issuer: said.scheduler_issuer.clone(),
            endpoint: said.scheduler_endpoint.clone(),
            check_every: Duration::from_secs(said.scheduler_check_every.max(1)),
            states: JobStates::default(),
        }))
    }

    /// What calls are compared with.
    pub(super) fn hook(&self) -> Result<Arc<CloudHook>, RunError> {
        let wrong = |why: String| RunError::config("--scheduler-issuer", why);
        if self.endpoint.is_none() && !self.issuer.starts_with("https://") {
            return Err(wrong(format!("{:?} does not begin with https://", self.issuer)));
        }
        Ok(Arc::new(CloudHook {
            issuer: Issuer::new(&self.issuer, Arc::new(Web::new()?)).map_err(wrong)?,
            jobs: self.jobs.clone(),
            parent: format!("projects/{}/locations/{}", self.project, self.location),
            states: self.states.clone(),
        }))
    }

    /// What keeps the jobs.
    pub(super) async fn keeper(&self, store: Store, clock: Arc<dyn Clock>) -> Result<Keeper, RunError> {
        let jobs = CloudScheduler::connect(&self.project, &self.location, self.endpoint.as_deref()).await?;
        Ok(Keeper {
            store,
            jobs: Arc::new(Google(jobs)),
            common: self.jobs.clone(),
            clock,
            check_every: self.check_every,
            states: self.states.clone(),
        })
    }
}

/// Google's, as the engine wants them.
struct Google(CloudScheduler);

#[async_trait]
impl Jobs for Google {
    async fn list(&self) -> Result<Vec<FoundJob>, RunError> {
        let found = self.0.list().await?;
        Ok(found.into_iter().map(|(job, sound)| FoundJob { job, sound }).collect())
    }

    async fn put(&self, job: &CloudJob) -> Result<(), RunError> {
        self.0.put(job).await
    }

    async fn remove(&self, id: &str) -> Result<(), RunError> {
        self.0.remove(id).await
    }
}
