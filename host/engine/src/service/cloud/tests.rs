//! How jobs follow schedules, with a Cloud Scheduler that does what a test says.

use std::sync::atomic::{AtomicI64, Ordering};

use sluice_core::error::{Actor, Kind};
use sluice_core::schedule::Schedule;
use sluice_store::{NewSchedule, Scope};

use super::*;

/// Jobs in memory, and what is refused.
#[derive(Default)]
struct Memory {
    jobs: Mutex<BTreeMap<String, (CloudJob, bool)>>,
    calls: Mutex<Vec<String>>,
    refuse: Mutex<Option<RunError>>,
}

impl Memory {
    fn called(&self, what: String) -> Result<(), RunError> {
        self.calls.lock().unwrap().push(what);
        self.refuse.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

#[async_trait]
impl Jobs for Memory {
    async fn list(&self) -> Result<Vec<FoundJob>, RunError> {
        self.called("list".into())?;
        let jobs = self.jobs.lock().unwrap();
        Ok(jobs.values().map(|(job, sound)| FoundJob { job: job.clone(), sound: *sound }).collect())
    }

    async fn put(&self, job: &CloudJob) -> Result<(), RunError> {
        self.called(format!("put {}", job.cron))?;
        self.jobs.lock().unwrap().insert(job.id.clone(), (job.clone(), true));
        Ok(())
    }

    async fn remove(&self, id: &str) -> Result<(), RunError> {
        self.called("remove".into())?;
        self.jobs.lock().unwrap().remove(id);
        Ok(())
    }
}

struct Case {
    keeper: Keeper,
    memory: Arc<Memory>,
    time: Arc<AtomicI64>,
    known: Known,
    _folder: tempfile::TempDir,
}

impl Case {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (memory, time) = (Arc::new(Memory::default()), Arc::new(AtomicI64::new(1_000_000)));
        let clock = time.clone();
        let keeper = Keeper {
            store: Store::open(&folder.path().join("state.db")).await.unwrap(),
            jobs: memory.clone(),
            common: CloudJobs {
                prefix: "sluice-t".into(),
                origin: "https://sluice.example".into(),
                service_account: "knocks@p.iam.gserviceaccount.com".into(),
                audience: "https://sluice.example".into(),
            },
            clock: Arc::new(move || clock.load(Ordering::Relaxed)),
            check_every: Duration::from_secs(300),
            states: JobStates::default(),
        };
        Self { keeper, memory, time, known: Known::default(), _folder: folder }
    }

    async fn schedule(&self, pipeline: &str, schedule: Schedule) {
        let new =
            NewSchedule { pipeline: pipeline.into(), revision: 1, connection: "c".into(), schedule, next_due_us: None };
        self.keeper.store.set_schedule(Scope { tenant: "acme" }, &new, 1).await.unwrap();
    }

    async fn pass(&mut self) -> Result<Vec<String>, RunError> {
        self.keeper.pass(&mut self.known).await?;
        Ok(self.memory.taken())
    }

    fn id(&self, pipeline: &str) -> String {
        self.keeper.common.id("acme", pipeline)
    }
}

fn cron(cron: &str) -> Schedule {
    Schedule::new(cron, "UTC")
}

#[tokio::test]
async fn a_job_is_made_changed_and_removed_with_its_schedule_and_not_asked_about_otherwise() {
    let mut case = Case::new().await;
    case.schedule("orders", cron("0 3 * * *")).await;
    assert_eq!(case.pass().await.unwrap(), ["list", "put 0 3 * * *"]);
    assert!(case.pass().await.unwrap().is_empty());
    case.schedule("orders", cron("0 4 * * *")).await;
    assert_eq!(case.pass().await.unwrap(), ["put 0 4 * * *"]);
    // A schedule that is not followed has no job.
    case.schedule("orders", Schedule { enabled: false, ..cron("0 4 * * *") }).await;
    assert_eq!(case.pass().await.unwrap(), ["remove"]);
    case.schedule("orders", cron("0 4 * * *")).await;
    assert_eq!(case.pass().await.unwrap(), ["put 0 4 * * *"]);
    assert_eq!(case.keeper.states.of(&case.id("orders")).unwrap().error, None);
    case.keeper.store.drop_schedule(Scope { tenant: "acme" }, "orders").await.unwrap();
    assert_eq!(case.pass().await.unwrap(), ["remove"]);
    assert_eq!(case.keeper.states.of(&case.id("orders")), None);
}

#[tokio::test]
async fn what_somebody_changed_is_put_right_and_what_is_not_ours_is_left_alone() {
    let mut case = Case::new().await;
    case.schedule("orders", cron("0 3 * * *")).await;
    case.pass().await.unwrap();
    let (ours, orphan) = (case.id("orders"), case.id("long-gone"));
    let job = case.memory.jobs.lock().unwrap()[&ours].0.clone();
    {
        let mut jobs = case.memory.jobs.lock().unwrap();
        jobs.get_mut(&ours).unwrap().1 = false;
        for id in [orphan.as_str(), "backup", "sluice-other-0123456789abcdef0123456789abcdef"] {
            jobs.insert(id.into(), (CloudJob { id: id.into(), ..job.clone() }, true));
        }
    }
    assert!(case.pass().await.unwrap().is_empty(), "it is looked for from time to time");
    case.time.fetch_add(300_000_000, Ordering::Relaxed);
    assert_eq!(case.pass().await.unwrap(), ["list", "put 0 3 * * *", "remove"]);
    let left: Vec<String> = case.memory.jobs.lock().unwrap().keys().cloned().collect();
    assert_eq!(left, ["backup", "sluice-other-0123456789abcdef0123456789abcdef", ours.as_str()]);
}

#[tokio::test]
async fn what_is_refused_for_good_is_shown_and_does_not_hold_up_others() {
    let mut case = Case::new().await;
    case.pass().await.unwrap();
    *case.memory.refuse.lock().unwrap() = Some(RunError::new(Kind::Config, Actor::Host, "no such zone"));
    case.schedule("a", cron("0 1 * * *")).await;
    case.schedule("b", cron("0 2 * * *")).await;
    assert_eq!(case.pass().await.unwrap().len(), 2);
    let shown = case.keeper.states.of(&case.id("b")).unwrap();
    assert_eq!(shown.error.unwrap().message, "no such zone");
    assert!(case.pass().await.unwrap().is_empty(), "it is not asked again and again");
    *case.memory.refuse.lock().unwrap() = None;
    case.schedule("a", cron("5 1 * * *")).await;
    assert_eq!(case.pass().await.unwrap(), ["put 5 1 * * *"]);
    case.time.fetch_add(300_000_000, Ordering::Relaxed);
    assert_eq!(case.pass().await.unwrap(), ["list", "put 0 2 * * *"]);
}

#[tokio::test]
async fn a_limit_that_passes_is_waited_for_longer_each_time() {
    let mut case = Case::new().await;
    case.schedule("orders", cron("0 3 * * *")).await;
    let busy = RunError::new(Kind::RateLimited, Actor::Host, "quota");
    *case.memory.refuse.lock().unwrap() = Some(busy.clone());
    assert_eq!(case.pass().await.unwrap_err(), busy);
    let waits: Vec<u64> = [1, 2, 3, 40].map(|failures| wait_after(&busy, failures).as_secs()).to_vec();
    assert_eq!(waits, [2, 4, 8, 120]);
    let asked = RunError { retry: Retry::After(Duration::from_secs(30)), ..busy };
    assert_eq!(wait_after(&asked, 1).as_secs(), 30);
    *case.memory.refuse.lock().unwrap() = None;
    assert!(case.pass().await.unwrap().contains(&"put 0 3 * * *".to_owned()));
}
