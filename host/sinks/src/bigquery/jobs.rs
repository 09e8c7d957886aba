//! Jobs: started under an id that follows from what they do, so that starting one twice runs it once.

use std::time::Duration;

use google_cloud_bigquery_v2::model::{Job, JobConfiguration, JobConfigurationQuery};
use google_cloud_gax::error::rpc::Code;

use super::errors::Failure;
use super::rest::Rest;
use super::retry::pause;

/// How long a job may run before its outcome is asked for another time.
const LONGEST_WAIT: Duration = Duration::from_secs(6 * 3600);

/// A job that has ended.
pub(crate) struct Ended {
    pub(crate) job: Job,
    /// Why it did nothing, if so. A job does all or nothing.
    pub(crate) failure: Option<Failure>,
}

/// The outcome of a job, once it has one. `None` if there is no such job.
pub(crate) async fn outcome(rest: &Rest, id: &str, location: &str) -> Result<Option<Ended>, Failure> {
    let begin = tokio::time::Instant::now();
    let mut asked = 0;
    loop {
        let Some(job) = rest.job(id, location).await? else { return Ok(None) };
        let status = job.status.clone().unwrap_or_default();
        if status.state == "DONE" {
            let failure =
                status.error_result.map(|e| Failure::new(code(&e.reason), format!("job {id}: {}", e.message)));
            return Ok(Some(Ended { job, failure }));
        }
        if begin.elapsed() > LONGEST_WAIT {
            return Err(Failure::unanswered(format!("job {id} is still {} after {LONGEST_WAIT:?}", status.state)));
        }
        asked += 1;
        tokio::time::sleep(pause(asked).min(Duration::from_secs(3))).await;
    }
}

/// Starts a job, unless it has been started before, and waits for its end.
pub(crate) async fn run(
    rest: &Rest,
    id: &str,
    location: &str,
    configuration: JobConfiguration,
) -> Result<Ended, Failure> {
    rest.start_job(id, location, configuration).await?;
    outcome(rest, id, location)
        .await?
        .ok_or_else(|| Failure::unanswered(format!("job {id} was started and is not there")))
}

/// A query in GoogleSQL, or a script.
pub(crate) fn query(sql: impl Into<String>) -> JobConfiguration {
    JobConfiguration::new().set_query(JobConfigurationQuery::new().set_query(sql).set_use_legacy_sql(false))
}

/// What a job's reason means, in the words of the other failures.
fn code(reason: &str) -> Code {
    match reason {
        "backendError" | "internalError" | "jobBackendError" | "jobInternalError" | "tableUnavailable" => {
            Code::Unavailable
        }
        "rateLimitExceeded" | "quotaExceeded" | "jobRateLimitExceeded" | "resourcesExceeded" => Code::ResourceExhausted,
        "accessDenied" | "billingNotEnabled" | "blocked" => Code::PermissionDenied,
        "notFound" => Code::NotFound,
        "duplicate" => Code::AlreadyExists,
        "stopped" | "timeout" => Code::Aborted,
        _ => Code::InvalidArgument,
    }
}
