//! Trying a version of a connector on everything that uses the installed one, before it takes its place.
//!
//! For each connection: whether its configuration is still valid, whether a check passes, which streams and columns come and go, and for
//! each of its pipelines whether the states that the installed version has committed are taken, then the checks of the conformance kit that
//! read no rows. For each recording that the tenant keeps of the connector: whether the version does the same. All of it in workers, as
//! runs are; no rows are read of a source and nothing is written. What fails with the installed version as well is no reason to keep
//! that one.

mod compare;
mod conform;
mod recordings;

use std::collections::BTreeMap;
use std::time::Duration;

use sluice_core::RunError;
use sluice_core::config;
use sluice_core::limits::RunLimits;
use sluice_core::manifest::Manifest;
use sluice_core::pipeline::{Pipeline, SourceSpec};
use sluice_core::plan::{CheckStep, DiscoverFilter, Outcome, Pages};
use sluice_core::secret::Redactor;
use sluice_core::worker::{Event, Job, PlanJob, StoreAddress, Stream};
use sluice_store::{Connection, PipelineRecord, Scope, Store};
use tokio::time::Instant;

use self::compare::{streams, used};
use super::resolve::{Purpose, Resolver};
use super::schedule::instant;
use super::worker::Workers;

/// How long all of it may take.
const WITHIN: Duration = Duration::from_secs(300);

/// How long one question to a worker may take.
const ASKING: Duration = Duration::from_secs(60);

/// What is said of what was not reached.
const NO_TIME: &str = "there was no time left to try it";
const NO_TIME_REMEDY: &str = "approve it without a trial, or try again when sources answer faster";

/// Connections and pipelines that are asked for at once.
const PAGE: u32 = 200;

/// Most pages of streams that are compared: each takes a worker.
const STREAM_PAGES: usize = 100;

/// The version that is tried.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its component, which is in the folder of components.
    pub sha256: &'a str,
    /// What it says of itself.
    pub manifest: &'a Manifest,
}

/// What a trial works with.
#[derive(Clone, Copy)]
pub struct Trial<'a> {
    /// Where connections and pipelines are.
    pub store: &'a Store,
    /// Opens them.
    pub resolver: &'a Resolver,
    /// Where the versions are tried.
    pub workers: &'a Workers,
    /// Where workers find the states.
    pub address: &'a StoreAddress,
    /// Now.
    pub now_us: i64,
    /// Who asks for it.
    pub by: &'a str,
}

/// A connection with both versions.
struct Both {
    old: Option<SourceSpec>,
    new: SourceSpec,
    redactor: Redactor,
}

impl Trial<'_> {
    /// Tries a version; what was found. It may take the installed one's place if nothing failed.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn run(&self, scope: Scope<'_>, candidate: Candidate<'_>) -> Result<Vec<CheckStep>, RunError> {
        let end = Instant::now() + WITHIN;
        let mut steps = Vec::new();
        for connection in self.connections(scope, &candidate.manifest.name).await? {
            if Instant::now() >= end {
                steps.push(step(&connection.name, "all", Outcome::Failed, NO_TIME.to_owned(), NO_TIME_REMEDY));
                continue;
            }
            self.connection(scope, candidate, &connection, &mut steps).await?;
        }
        self.recordings(scope, candidate, end, &mut steps).await?;
        Ok(steps)
    }

    async fn connections(&self, scope: Scope<'_>, connector: &str) -> Result<Vec<Connection>, RunError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.connections(scope, None, after.as_deref(), PAGE).await?;
            after = page.last().map(|connection| connection.id.clone());
            let ended = page.len() < PAGE as usize;
            all.extend(page.into_iter().filter(|connection| connection.connector == connector));
            if ended {
                return Ok(all);
            }
        }
    }

    async fn pipelines(&self, scope: Scope<'_>, connection: &str) -> Result<Vec<PipelineRecord>, RunError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.pipelines(scope, (Some(connection), None), after.as_deref(), PAGE).await?;
            after = page.last().map(|pipeline| pipeline.id.clone());
            let ended = page.len() < PAGE as usize;
            all.extend(page);
            if ended {
                return Ok(all);
            }
        }
    }

    async fn connection(
        &self,
        scope: Scope<'_>,
        candidate: Candidate<'_>,
        connection: &Connection,
        steps: &mut Vec<CheckStep>,
    ) -> Result<(), RunError> {
        let purpose = Purpose { actor: self.by, object: "trial", address: None, now_us: self.now_us };
        let both = match self.both(scope, candidate, connection, purpose).await {
            Ok(both) => both,
            // It cannot be used as it is, whichever version is installed.
            Err(error) => {
                let remedy = "look at the connection";
                steps.push(step(&connection.name, "open", Outcome::Warned, error.message, remedy));
                return Ok(());
            }
        };
        let valid = config::validate(&candidate.manifest.config, &both.new.config);
        if let Err(error) = valid {
            let detail = both.redactor.redact_error(error).to_string();
            let remedy = "change the connection to what both versions take, or stay with the installed version";
            steps.push(step(&connection.name, "configuration", Outcome::Failed, detail, remedy));
            return Ok(());
        }
        steps.push(step(&connection.name, "configuration", Outcome::Passed, "it is valid".to_owned(), ""));
        let pipelines = self.pipelines(scope, &connection.id).await?;
        steps.push(self.check(connection, &both).await);
        steps.extend(self.catalog(connection, &both, &pipelines).await);
        for pipeline in &pipelines {
            steps.push(self.plan(scope, connection, &both, pipeline).await);
        }
        steps.extend(self.conforms(connection, &both, &pipelines).await);
        Ok(())
    }

    async fn both(
        &self,
        scope: Scope<'_>,
        candidate: Candidate<'_>,
        connection: &Connection,
        purpose: Purpose<'_>,
    ) -> Result<Both, RunError> {
        let opened = self.resolver.opened(scope, &connection.id, purpose).await?;
        // The installed one may be yanked: then there is nothing to compare with.
        let old = self.resolver.component(scope, &connection.connector).await.ok();
        let with = |digest: Option<String>| SourceSpec { digest, ..opened.it.clone() };
        Ok(Both { old: old.map(with), new: with(Some(candidate.sha256.to_owned())), redactor: opened.redactor })
    }

    async fn check(&self, connection: &Connection, both: &Both) -> CheckStep {
        let Err(error) = self.checked(&both.new).await else {
            return step(&connection.name, "check", Outcome::Passed, "every step passed".to_owned(), "");
        };
        let fails_too = match &both.old {
            Some(old) => self.checked(old).await.is_err(),
            None => false,
        };
        self.failed((connection, "check"), both, &error, fails_too)
    }

    /// Fails with what the first step that failed says.
    async fn checked(&self, source: &SourceSpec) -> Result<(), RunError> {
        let job = Job::Check { source: source.clone(), limits: RunLimits::default() };
        for event in self.workers.ask(&job, ASKING).await? {
            if let Event::Step(CheckStep { name, outcome: Outcome::Failed, detail, .. }) = event {
                let message = format!("{name}: {detail}");
                return Err(RunError::new(
                    sluice_core::error::Kind::Config,
                    sluice_core::error::Actor::Source,
                    message,
                ));
            }
        }
        Ok(())
    }

    async fn catalog(&self, connection: &Connection, both: &Both, pipelines: &[PipelineRecord]) -> Vec<CheckStep> {
        let new = self.discovered(&both.new).await;
        let old = match &both.old {
            Some(old) => Some(self.discovered(old).await),
            None => None,
        };
        match (old, new) {
            (Some(Ok(old)), Ok(new)) => {
                let found = streams(&old, &new, &used(pipelines));
                found
                    .into_iter()
                    .map(|(outcome, detail, remedy)| step(&connection.name, "streams", outcome, detail, remedy))
                    .collect()
            }
            (_, Ok(new)) => {
                let detail = format!("it lists {} streams; there is nothing to compare them with", new.len());
                vec![step(
                    &connection.name,
                    "streams",
                    Outcome::Warned,
                    detail,
                    "look whether these are the ones that you expect",
                )]
            }
            (old, Err(error)) => {
                let fails_too = matches!(old, Some(Err(_)));
                vec![self.failed((connection, "streams"), both, &error, fails_too)]
            }
        }
    }

    async fn discovered(&self, source: &SourceSpec) -> Result<Vec<Stream>, RunError> {
        let (mut all, mut pages) = (Vec::new(), Pages::within(STREAM_PAGES));
        loop {
            let filter = DiscoverFilter { page_size: 500, ..DiscoverFilter::default() };
            let (source, limits) = (source.clone(), RunLimits::default());
            let job = Job::Discover { source, limits, filter, page: pages.at() };
            let mut next = None;
            for event in self.workers.ask(&job, ASKING).await? {
                if let Event::Streams(found) = event {
                    all.extend(found.streams);
                    next = found.next;
                }
            }
            if !pages.follow(next)? {
                return Ok(all);
            }
        }
    }

    async fn plan(&self, scope: Scope<'_>, connection: &Connection, both: &Both, record: &PipelineRecord) -> CheckStep {
        let what = format!("pipeline {}", record.current.name);
        let place = (connection, what.as_str());
        let pipeline = |source: &SourceSpec| {
            self.resolver.pipeline_of(scope, &record.id, record.current.definition.clone(), source.clone())
        };
        let new = match pipeline(&both.new) {
            Ok(pipeline) => pipeline,
            // It does not run with the installed version either.
            Err(error) => return self.failed(place, both, &error, true),
        };
        let Err(error) = self.planned(scope, new).await else {
            let detail = "it goes on from where it is".to_owned();
            return step(&connection.name, &what, Outcome::Passed, detail, "");
        };
        let fails_too = match both.old.as_ref().map(pipeline) {
            Some(Ok(old)) => self.planned(scope, old).await.is_err(),
            _ => false,
        };
        self.failed(place, both, &error, fails_too)
    }

    /// Fails with what the first stream that would fail says.
    async fn planned(&self, scope: Scope<'_>, pipeline: Pipeline) -> Result<(), RunError> {
        let now = instant(self.now_us).to_zoned(jiff::tz::TimeZone::UTC);
        let job = PlanJob {
            tenant: scope.tenant.to_owned(),
            pipeline,
            snapshot_date: now.date().to_string(),
            store: self.address.clone(),
        };
        for event in self.workers.ask(&Job::Plan(Box::new(job)), ASKING).await? {
            let Event::Planned { streams } = event else { continue };
            if let Some(error) = streams.into_iter().find_map(|stream| stream.error) {
                return Err(error);
            }
        }
        Ok(())
    }

    fn failed(&self, (connection, what): (&Connection, &str), both: &Both, error: &RunError, too: bool) -> CheckStep {
        let detail = both.redactor.redact_error(error.clone()).to_string();
        failure((&connection.name, what), detail, too)
    }
}

/// What failed with the new version; `too` if it does with the installed one.
fn failure((whose, what): (&str, &str), detail: String, too: bool) -> CheckStep {
    if too {
        let detail = format!("{detail} (with the installed version it fails as well)");
        return step(whose, what, Outcome::Warned, detail, "mend this apart from the upgrade");
    }
    let remedy = "ask who publishes the connector; the installed version goes on working";
    step(whose, what, Outcome::Failed, detail, remedy)
}

fn step(whose: &str, what: &str, outcome: Outcome, detail: String, remedy: &str) -> CheckStep {
    let remedy = if outcome == Outcome::Passed { String::new() } else { remedy.to_owned() };
    CheckStep { name: format!("{whose}: {what}"), outcome, detail, remedy }
}

/// What pipelines read, by stream.
type UsedStreams = BTreeMap<String, sluice_core::connector::Used>;
