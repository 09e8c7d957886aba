//! Who hears of a run that ended. The statement that ends a run makes it news in the same breath; a [`Herald`] of any host then works out
//! from what is recorded what happened ([`events`]), decides for each target ([`sluice_core::notify::sort`]), and puts what is to be sent
//! into the outbox, in one transaction that also ends the news. So a host may die anywhere in between: nothing is forgotten, nothing is told
//! twice, and the path of a run knows nothing of whom it may concern.
//!
//! What is sent says names, counts and errors, never rows or secrets: errors were redacted before they were recorded. It is sent by
//! [`deliver`](super::deliver).

pub mod events;
pub mod message;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use sluice_core::RunError;
use sluice_core::notify::anomaly::LOOK_BACK;
use sluice_core::notify::{Event, EventKind, How, NotifyRule, Told, sort};
use sluice_store::{NewNotification, News, Notice, PipelineRecord, RunRequest, Scope, Store, Target};
use tokio_util::sync::CancellationToken;

use self::events::{Facts, Happened, happened, without_rows};
use self::message::{Detail, Line, Message, Named};
use super::Ids;
use super::schedule::instant;
use crate::clock::Clock;

/// Runs and digests that are looked at before others get their turn.
const AT_ONCE: u32 = 100;

/// How often to look for news. Runs end on any host.
const LOOK: Duration = Duration::from_millis(500);

/// How long to wait after something went wrong.
const AGAIN: Duration = Duration::from_secs(5);

/// How often to forget what is old.
const SWEEP: Duration = Duration::from_secs(3600);

/// How long what was told, and what was sent, is kept.
const KEPT_US: i64 = 60 * 24 * 3600 * 1_000_000;

/// Tells of runs that ended.
pub struct Herald {
    /// Where runs and the outbox are.
    pub store: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Names notifications.
    pub ids: Arc<dyn Ids>,
}

impl Herald {
    /// Looks until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut swept = tokio::time::Instant::now();
        loop {
            let wait = match self.pass().await {
                Ok(()) => LOOK,
                Err(error) => {
                    tracing::error!(%error, "it cannot be told how runs ended; trying again");
                    AGAIN
                }
            };
            if swept.elapsed() > SWEEP {
                swept = tokio::time::Instant::now();
                self.sweep().await;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Decides about every run that is news, and makes the digests that are due.
    ///
    /// # Errors
    /// The first thing that went wrong; one run that cannot be told of does not keep others from it.
    pub async fn pass(&self) -> Result<(), RunError> {
        let mut first = Ok(());
        loop {
            let news = self.store.untold_runs(AT_ONCE).await?;
            for (tenant, run) in &news {
                let told = self.tell(Scope { tenant }, run).await;
                first = first.and(told);
            }
            if news.len() < AT_ONCE as usize || first.is_err() {
                break;
            }
        }
        for (tenant, target) in self.store.due_digests(self.clock.now_us(), AT_ONCE).await? {
            let made = self.digest(Scope { tenant: &tenant }, &target).await;
            first = first.and(made);
        }
        first
    }

    async fn tell(&self, scope: Scope<'_>, run: &str) -> Result<(), RunError> {
        let Some(run) = self.store.run_request(scope, run).await? else { return Ok(()) };
        let pipeline = self.store.pipeline(scope, &run.asked.pipeline).await?;
        // Whoever is to be told now, not whoever was when the run was asked for.
        let audience = pipeline.as_ref().map(audience).unwrap_or_default();
        let name = pipeline.map(|pipeline| pipeline.current.name).unwrap_or_default();
        let facts = if audience.is_empty() { Facts::of(&run) } else { self.facts(scope, &run).await? };
        let happened = if audience.is_empty() { Vec::new() } else { happened(&facts) };
        let now_us = self.clock.now_us();
        let decision = Decision { name: &name, facts: &facts, happened: &happened, now: instant(now_us) };
        let targets: Vec<Target> = audience.iter().map(|one| one.target(now_us)).collect();
        let subject = (run.asked.id.as_str(), run.asked.pipeline.as_str());
        let ids = self.ids.as_ref();
        let decide = |known: &BTreeMap<String, Vec<Notice>>| decision.for_all(&audience, known, ids);
        self.store.tell(scope, subject, &targets, now_us, decide).await.map(drop)
    }

    async fn facts<'a>(&self, scope: Scope<'_>, run: &'a RunRequest) -> Result<Facts<'a>, RunError> {
        let (id, pipeline) = (&run.asked.id, &run.asked.pipeline);
        let ended_us = run.ended_us.unwrap_or(run.queued_us);
        let mut facts = Facts::of(run);
        facts.failed_before = self.store.failed_before(scope, pipeline, id, ended_us).await?;
        facts.attempts = self.store.attempts_of(scope, id).await?;
        for stream in without_rows(&facts) {
            let before = self.store.rows_before(scope, (pipeline, &stream), ended_us, LOOK_BACK as u32).await?;
            facts.rows_before.insert(stream, before);
        }
        Ok(facts)
    }

    async fn digest(&self, scope: Scope<'_>, target: &str) -> Result<(), RunError> {
        let now_us = self.clock.now_us();
        let make = |waiting: &[Notice], more: u64| {
            let events = waiting.iter().filter_map(|notice| serde_json::from_value::<Line>(notice.body.clone()).ok());
            let digest = Message::digest(scope.tenant, instant(now_us), events.collect(), more);
            notification(self.ids.next(), "digest", &digest, address(target), now_us)
        };
        self.store.digest(scope, target, now_us, make).await.map(drop)
    }

    async fn sweep(&self) {
        let before = self.clock.now_us().saturating_sub(KEPT_US);
        for gone in [self.store.forget_notices(before).await, self.store.forget_notifications(before).await] {
            if let Err(error) = gone {
                tracing::warn!(%error, "old notifications are not forgotten yet");
            }
        }
    }
}

/// Somebody who is to be told of a pipeline, by all of its rules together.
#[derive(Clone, Debug, PartialEq)]
struct Audience {
    name: String,
    rule: NotifyRule,
}

impl Audience {
    fn interval_us(&self) -> i64 {
        i64::from(self.rule.digest_minutes).saturating_mul(60_000_000)
    }

    fn target(&self, now_us: i64) -> Target {
        Target { name: self.name.clone(), since_us: now_us.saturating_sub(self.interval_us()) }
    }
}

/// Whom the rules of a pipeline name. Somebody whom two of them name is one target: told of what either asks for, in the shorter of the
/// intervals.
fn audience(pipeline: &PipelineRecord) -> Vec<Audience> {
    let rules = pipeline.current.definition.get("notify").cloned().unwrap_or_default();
    let rules: Vec<NotifyRule> = serde_json::from_value(rules).unwrap_or_default();
    let mut all: BTreeMap<String, NotifyRule> = BTreeMap::new();
    for rule in rules {
        let emails = rule.email.iter().map(|address| format!("email:{address}"));
        let webhooks = rule.webhook.iter().map(|address| format!("webhook:{address}"));
        for name in emails.chain(webhooks).collect::<Vec<_>>() {
            let known = all.entry(name).or_insert_with(|| rule.clone());
            let on: BTreeSet<EventKind> = known.on.iter().chain(&rule.on).copied().collect();
            known.on = on.into_iter().collect();
            known.digest_minutes = known.digest_minutes.min(rule.digest_minutes);
        }
    }
    all.into_iter().map(|(name, rule)| Audience { name, rule }).collect()
}

/// A target as the outbox has it.
fn address(name: &str) -> Value {
    match name.split_once(':') {
        Some((how, address)) => json!({how: address}),
        None => Value::Null,
    }
}

fn notification(
    id: String,
    kind: &str,
    message: &Message,
    target: Value,
    now_us: i64,
) -> Result<NewNotification, RunError> {
    let payload =
        serde_json::to_value(message).map_err(|e| RunError::internal(format!("a notification is no JSON: {e}")))?;
    Ok(NewNotification { id, kind: kind.to_owned(), payload, target, not_before_us: now_us })
}

/// What a decision about a run is made from, but for what each target was told.
struct Decision<'a> {
    name: &'a str,
    facts: &'a Facts<'a>,
    happened: &'a [Happened],
    now: Timestamp,
}

impl Decision<'_> {
    fn for_all(
        &self,
        audience: &[Audience],
        known: &BTreeMap<String, Vec<Notice>>,
        ids: &dyn Ids,
    ) -> Result<News, RunError> {
        let mut news = News::default();
        for one in audience {
            let told: Vec<Told> = known.get(&one.name).into_iter().flatten().filter_map(told).collect();
            self.for_one(one, &told, ids, &mut news)?;
        }
        Ok(news)
    }

    fn for_one(&self, one: &Audience, told: &[Told], ids: &dyn Ids, news: &mut News) -> Result<(), RunError> {
        let new: Vec<Event> = self.happened.iter().map(|happened| happened.event.clone()).collect();
        let sorted = sort(&one.rule, told, &[], &new, self.now);
        // Several events of a kind are one message.
        let mut at_once: BTreeMap<EventKind, Vec<Detail>> = BTreeMap::new();
        for (happened, (event, how)) in self.happened.iter().zip(&sorted.verdicts) {
            match how {
                How::Now => at_once.entry(event.kind).or_default().extend(happened.details.iter().cloned()),
                How::Digest => {}
                How::NotAsked | How::Known => continue,
            }
            // Nothing is decided by which triggers were sent.
            if event.kind != EventKind::Success {
                news.notices.push(self.notice(one, happened, *how));
            }
        }
        for (kind, details) in at_once {
            let message = Message::of_run(self.name, self.facts, kind, details);
            let now_us = self.now.as_microsecond();
            news.outbox.push(notification(ids.next(), kind.as_str(), &message, address(&one.name), now_us)?);
        }
        Ok(())
    }

    fn notice(&self, one: &Audience, happened: &Happened, how: How) -> Notice {
        let event = &happened.event;
        let waits = how == How::Digest;
        let pipeline = Named { id: event.pipeline.clone(), name: self.name.to_owned() };
        let line = Line::of(self.facts, pipeline, happened);
        Notice {
            target: one.name.clone(),
            id: event.id.clone(),
            kind: event.kind.as_str().to_owned(),
            pipeline: event.pipeline.clone(),
            subject: event.subject.clone(),
            at_us: event.at.as_microsecond(),
            told_us: self.now.as_microsecond(),
            how: if waits { "digest" } else { "now" }.to_owned(),
            due_us: waits.then(|| event.at.as_microsecond().saturating_add(one.interval_us())),
            body: serde_json::to_value(line).unwrap_or_default(),
        }
    }
}

/// What a target was told, in the words of the decision. What a newer version has told says nothing to this one.
fn told(notice: &Notice) -> Option<Told> {
    let kind = serde_json::from_value(Value::String(notice.kind.clone())).ok()?;
    let event = Event {
        id: notice.id.clone(),
        kind,
        pipeline: notice.pipeline.clone(),
        subject: notice.subject.clone(),
        at: instant(notice.at_us),
    };
    let how = if notice.how == "now" { How::Now } else { How::Digest };
    Some(Told { event, at: instant(notice.told_us), how })
}
