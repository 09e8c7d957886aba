//! Cloud Scheduler's jobs in one project and location, through Google's own client.
//!
//! It is no sink; it is here because this is the crate that names Google's clients. What jobs there should be is not known here.

use std::time::Duration;

use google_cloud_auth::credentials::{Builder, Credentials, anonymous};
use google_cloud_gax::error::rpc::Code;
use google_cloud_gax::paginator::ItemPaginator;
use google_cloud_gax::retry_policy::NeverRetry;
use google_cloud_scheduler_v1::client::CloudScheduler as Client;
use google_cloud_scheduler_v1::model::job::State;
use google_cloud_scheduler_v1::model::{HttpMethod, HttpTarget, Job, OidcToken, RetryConfig};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::schedule::CloudJob;

use crate::bigquery::errors::Failure;
use crate::bigquery::retry::repeatedly;

/// How long a call may take.
const ANSWER: Duration = Duration::from_secs(30);

/// Jobs that are read at once; the most that the API gives.
const PAGE: i32 = 500;

/// More jobs than a project can have.
const MOST_JOBS: usize = 100_000;

/// How long Cloud Scheduler waits for the service's answer.
const DEADLINE: i64 = 60;

/// How often at least it calls again, and for how long, if the service is away: through a restart or an hour's outage.
const RETRIES: i32 = 5;
const RETRY_FOR: i64 = 3_600;
const BACK_OFF: (i64, i64) = (5, 300);
const DOUBLINGS: i32 = 5;

/// What a change may touch: all that a job is made of here.
const CHANGED: [&str; 6] = ["description", "schedule", "time_zone", "http_target", "retry_config", "attempt_deadline"];

/// The jobs of one project and location.
#[derive(Clone, Debug)]
pub struct CloudScheduler {
    client: Client,
    parent: String,
}

impl CloudScheduler {
    /// Of the project and location, as the identity of this process; at an endpoint of somebody's choice (a double) as nobody.
    ///
    /// # Errors
    /// If there is no identity, or the endpoint is none.
    pub async fn connect(project: &str, location: &str, endpoint: Option<&str>) -> Result<Self, RunError> {
        // Fails only if there is a provider already, and any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder().with_credentials(credentials(endpoint.is_some())?);
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        // Repeating is decided here and not in the client, which does not know what is safe to do twice.
        let client = builder.with_retry_policy(NeverRetry).with_attempt_timeout(ANSWER).build().await;
        let client = client.map_err(|e| {
            RunError::config("--scheduler-endpoint", format!("Cloud Scheduler's client cannot be made: {e}"))
        })?;
        Ok(Self { client, parent: format!("projects/{project}/locations/{location}") })
    }

    /// All jobs with an HTTP target: each, and whether it calls as it was told to.
    ///
    /// # Errors
    /// If Cloud Scheduler does not answer, or refuses.
    pub async fn list(&self) -> Result<Vec<(CloudJob, bool)>, RunError> {
        let call = || async {
            let mut items = self.client.list_jobs().set_parent(&self.parent).set_page_size(PAGE).by_item();
            let mut jobs = Vec::new();
            while let Some(job) = items.next().await {
                let job = job?;
                if jobs.len() < MOST_JOBS {
                    jobs.extend(self.read(&job));
                }
            }
            Ok(jobs)
        };
        repeatedly(call).await.map_err(|failure| told(failure, "listing the jobs of Cloud Scheduler"))
    }

    /// Makes a job, or makes the one that there is like this, and lets it call.
    ///
    /// # Errors
    /// If Cloud Scheduler does not answer, or refuses.
    pub async fn put(&self, job: &CloudJob) -> Result<(), RunError> {
        let doing = format!("setting the job {} of Cloud Scheduler", job.id);
        let written = self.write(job);
        let create = || async {
            let create = self.client.create_job().set_parent(&self.parent).set_job(written.clone());
            create.send().await.map(|_| ()).map_err(Failure::from)
        };
        match repeatedly(create).await {
            Err(failure) if failure.is(Code::AlreadyExists) => {}
            other => return other.map_err(|failure| told(failure, &doing)),
        }
        let update = || async {
            let mask = google_cloud_wkt::FieldMask::default().set_paths(CHANGED);
            let update = self.client.update_job().set_job(written.clone()).set_update_mask(mask);
            update.send().await.map_err(Failure::from)
        };
        let updated = repeatedly(update).await.map_err(|failure| told(failure, &doing))?;
        if updated.state == State::Enabled {
            return Ok(());
        }
        let resume = || async {
            let resume = self.client.resume_job().set_name(&written.name);
            resume.send().await.map(|_| ()).map_err(Failure::from)
        };
        repeatedly(resume).await.map_err(|failure| told(failure, &doing))
    }

    /// Removes a job; one that is gone already is fine.
    ///
    /// # Errors
    /// If Cloud Scheduler does not answer, or refuses.
    pub async fn remove(&self, id: &str) -> Result<(), RunError> {
        let name = self.name(id);
        let call =
            || async { self.client.delete_job().set_name(&name).send().await.map(|_| ()).map_err(Failure::from) };
        match repeatedly(call).await {
            Err(failure) if failure.is(Code::NotFound) => Ok(()),
            other => other.map_err(|failure| told(failure, &format!("removing the job {id} of Cloud Scheduler"))),
        }
    }

    fn name(&self, id: &str) -> String {
        format!("{}/jobs/{id}", self.parent)
    }

    fn write(&self, job: &CloudJob) -> Job {
        let token = OidcToken::new().set_service_account_email(&job.service_account).set_audience(&job.audience);
        let target = HttpTarget::new().set_uri(&job.uri).set_http_method(HttpMethod::Post).set_oidc_token(token);
        Job::new()
            .set_name(self.name(&job.id))
            .set_description(&job.description)
            .set_schedule(&job.cron)
            .set_time_zone(&job.time_zone)
            .set_attempt_deadline(seconds(DEADLINE))
            .set_retry_config(retries())
            .set_http_target(target)
    }

    fn read(&self, job: &Job) -> Option<(CloudJob, bool)> {
        let target = job.http_target()?;
        let token = target.oidc_token().map(|token| token.as_ref().clone()).unwrap_or_default();
        let found = CloudJob {
            id: job.name.rsplit('/').next().unwrap_or_default().to_owned(),
            description: job.description.clone(),
            cron: job.schedule.clone(),
            time_zone: job.time_zone.clone(),
            uri: target.uri.clone(),
            service_account: token.service_account_email,
            audience: token.audience,
        };
        let sound = job.state == State::Enabled
            && target.http_method == HttpMethod::Post
            && job.attempt_deadline == Some(seconds(DEADLINE))
            && job.retry_config.as_ref().is_some_and(same_retries);
        Some((found, sound))
    }
}

fn credentials(nobody: bool) -> Result<Credentials, RunError> {
    if nobody {
        return Ok(anonymous::Builder::new().build());
    }
    Builder::default().build().map_err(|error| {
        let message = format!(
            "Cloud Scheduler needs an identity: {error}; run `gcloud auth application-default login` or set GOOGLE_APPLICATION_CREDENTIALS"
        );
        RunError::new(Kind::Auth, Actor::Host, message)
    })
}

fn retries() -> RetryConfig {
    RetryConfig::new()
        .set_retry_count(RETRIES)
        .set_max_retry_duration(seconds(RETRY_FOR))
        .set_min_backoff_duration(seconds(BACK_OFF.0))
        .set_max_backoff_duration(seconds(BACK_OFF.1))
        .set_max_doublings(DOUBLINGS)
}

/// Whether these are ours, whatever else the service may say about them.
fn same_retries(found: &RetryConfig) -> bool {
    let ours = retries();
    found.retry_count == ours.retry_count
        && found.max_retry_duration == ours.max_retry_duration
        && found.min_backoff_duration == ours.min_backoff_duration
        && found.max_backoff_duration == ours.max_backoff_duration
        && found.max_doublings == ours.max_doublings
}

fn seconds(seconds: i64) -> google_cloud_wkt::Duration {
    google_cloud_wkt::Duration::clamp(seconds, 0)
}

/// What the operator is told, who alone can act.
fn told(failure: Failure, doing: &str) -> RunError {
    let (kind, hint) = match failure.code {
        None => (Kind::Transient, "; it did not answer, check the endpoint and the network"),
        Some(Code::ResourceExhausted) => (Kind::RateLimited, ""),
        Some(Code::Unauthenticated) => {
            (Kind::Auth, "; run `gcloud auth application-default login` or set GOOGLE_APPLICATION_CREDENTIALS")
        }
        Some(Code::PermissionDenied) => (
            Kind::Permission,
            "; grant roles/cloudscheduler.admin, and roles/iam.serviceAccountUser on the jobs' service account",
        ),
        Some(Code::NotFound) => {
            (Kind::NotFound, "; is the project's Cloud Scheduler API enabled, and the location right?")
        }
        Some(_) if failure.is_transient() => (Kind::Transient, ""),
        Some(_) => (Kind::Config, ""),
    };
    RunError::new(kind, Actor::Host, format!("{doing}: {}{hint}", failure.message))
}
