//! Keeps one job of Cloud Scheduler for each schedule, where the service does not keep the time itself.
//!
//! Several hosts may do this at once: every step can be done twice, and a job is only removed after the schedules were read and none was
//! for it. Jobs are read again from time to time, so that what somebody changed by hand is put right.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::error::Retry;
use sluice_core::schedule::{CloudJob, CloudJobs, Timetable};
use sluice_store::Store;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// How often schedules are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Schedules that are read at once.
const PAGE: u32 = 500;

/// The longest wait after Cloud Scheduler did not answer, or asked to slow down.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// A job as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundJob {
    /// What it does.
    pub job: CloudJob,
    /// Whether it calls, calls as often and as patiently as it was told to: false if it was paused, or other settings were changed.
    pub sound: bool,
}

/// The jobs of Cloud Scheduler in one project and location.
#[async_trait]
pub trait Jobs: Send + Sync {
    /// All jobs, also those of others.
    async fn list(&self) -> Result<Vec<FoundJob>, RunError>;
    /// Makes a job, or makes the one that there is like this and lets it call.
    async fn put(&self, job: &CloudJob) -> Result<(), RunError>;
    /// Removes a job; one that is gone already is fine.
    async fn remove(&self, id: &str) -> Result<(), RunError>;
}

/// What came of the job of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// When it was last put right or found to be right, microseconds.
    pub at_us: i64,
    /// Why it is not as it should be.
    pub error: Option<RunError>,
}

/// What came of the jobs, by id; shared with whoever shows it.
#[derive(Clone, Default)]
pub struct JobStates(Arc<Mutex<HashMap<String, Kept>>>);

impl JobStates {
    /// What came of a job; none if this host has not looked yet.
    pub fn of(&self, id: &str) -> Option<Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn set(&self, id: &str, at_us: i64, error: Option<RunError>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), Kept { at_us, error });
    }

    fn keep(&self, wanted: &BTreeMap<String, CloudJob>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| wanted.contains_key(id));
    }
}

/// Makes jobs out of schedules.
pub struct Keeper {
    /// Where schedules are.
    pub store: Store,
    /// Where jobs are.
    pub jobs: Arc<dyn Jobs>,
    /// What they have in common.
    pub common: CloudJobs,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How often jobs are read again.
    pub check_every: Duration,
    /// What came of them.
    pub states: JobStates,
}

/// What this host knows of the jobs that there are.
#[derive(Default)]
struct Known {
    /// The jobs as they were when they were read or written. One that is not sound is not here, so that it is put right.
    jobs: HashMap<String, CloudJob>,
    /// Those that were there and are not sound.
    unsound: Vec<String>,
    /// When they were read; never yet, or since something was refused.
    read_us: Option<i64>,
    /// What was refused, and is not tried again before the jobs are read again.
    refused: HashMap<String, CloudJob>,
}

/// What schedules ask for.
#[derive(Default)]
struct Wanted {
    jobs: BTreeMap<String, CloudJob>,
    unreadable: Vec<(String, RunError)>,
}

impl Keeper {
    /// Looks until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let (mut known, mut failures) = (Known::default(), 0_u32);
        loop {
            let wait = match self.pass(&mut known).await {
                Ok(()) => {
                    failures = 0;
                    LOOK
                }
                Err(error) => {
                    failures = failures.saturating_add(1);
                    let wait = wait_after(&error, failures);
                    tracing::warn!(%error, wait.s = wait.as_secs(), "jobs of Cloud Scheduler cannot be kept; trying again");
                    wait
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Makes every job like its schedule.
    ///
    /// # Errors
    /// If the store or Cloud Scheduler does not answer, or asks to slow down. What it refuses for good is logged and shown at the job.
    async fn pass(&self, known: &mut Known) -> Result<(), RunError> {
        let now_us = self.clock.now_us();
        let every_us = i64::try_from(self.check_every.as_micros()).unwrap_or(i64::MAX);
        if known.read_us.is_none_or(|read| now_us.saturating_sub(read) >= every_us) {
            // Jobs first: what is not among the schedules that are read after them is gone.
            *known = self.read(now_us).await?;
        }
        let Wanted { jobs: wanted, unreadable } = self.wanted().await?;
        for (id, job) in &wanted {
            if known.jobs.get(id) == Some(job) || known.refused.get(id) == Some(job) {
                continue;
            }
            let put = self.jobs.put(job).await;
            self.states.set(id, now_us, put.as_ref().err().cloned());
            match put {
                Ok(()) => {
                    tracing::info!(
                        job = id,
                        cron = job.cron,
                        zone = job.time_zone,
                        "a job of Cloud Scheduler is in place"
                    );
                    known.refused.remove(id);
                    known.unsound.retain(|other| other != id);
                    known.jobs.insert(id.clone(), job.clone());
                }
                Err(error) if error.retry == Retry::Never => {
                    tracing::error!(job = id, about = job.description, %error, "Cloud Scheduler refuses a job");
                    known.refused.insert(id.clone(), job.clone());
                }
                Err(error) => return Err(error),
            }
        }
        let gone: Vec<String> =
            known.jobs.keys().chain(&known.unsound).filter(|id| !wanted.contains_key(*id)).cloned().collect();
        for id in gone {
            self.jobs.remove(&id).await?;
            tracing::info!(job = id, "a job of Cloud Scheduler is removed");
            known.jobs.remove(&id);
            known.unsound.retain(|other| *other != id);
        }
        self.states.keep(&wanted);
        unreadable.into_iter().for_each(|(id, error)| self.states.set(&id, now_us, Some(error)));
        Ok(())
    }

    async fn read(&self, now_us: i64) -> Result<Known, RunError> {
        let mut known = Known { read_us: Some(now_us), ..Known::default() };
        for found in self.jobs.list().await?.into_iter().filter(|found| self.common.owns(&found.job.id)) {
            let id = found.job.id.clone();
            if found.sound {
                self.states.set(&id, now_us, None);
                known.jobs.insert(id, found.job);
            } else {
                known.unsound.push(id);
            }
        }
        Ok(known)
    }

    /// The jobs that there should be, by id.
    async fn wanted(&self) -> Result<Wanted, RunError> {
        let mut wanted = Wanted::default();
        let mut after: Option<(String, String)> = None;
        loop {
            let from = after.as_ref().map(|(tenant, pipeline)| (tenant.as_str(), pipeline.as_str()));
            let page = self.store.schedules(from, PAGE).await?;
            let last = page.len() < PAGE as usize;
            for (tenant, scheduled) in page {
                match Timetable::new(&scheduled.schedule) {
                    Ok(timetable) if scheduled.schedule.enabled => {
                        let job = self.common.job(&tenant, &scheduled.pipeline, &timetable);
                        wanted.jobs.insert(job.id.clone(), job);
                    }
                    Ok(_) => {}
                    // It was valid when it was saved; a newer release may have been stricter.
                    Err(error) => {
                        wanted.unreadable.push((self.common.id(&tenant, &scheduled.pipeline), error));
                    }
                }
                after = Some((tenant, scheduled.pipeline));
            }
            if last {
                return Ok(wanted);
            }
        }
    }
}

/// How long to wait after a failure: as long as was asked for, else twice as long each time.
fn wait_after(error: &RunError, failures: u32) -> Duration {
    let wait = match error.retry {
        Retry::After(wait) => wait,
        Retry::Later | Retry::Never => Duration::from_secs(1 << failures.min(7)),
    };
    wait.clamp(LOOK, LONGEST_WAIT)
}

#[cfg(test)]
mod tests;
