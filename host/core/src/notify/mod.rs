//! Who hears of what, and when: a message for what is new, a digest for what goes on, silence for what was said.
//!
//! [`sort`] decides for one target (an address or a webhook of one rule) what becomes of each new event:
//!
//! * The first failure of a pipeline is told at once, those that follow go into the digest, and its recovery is told at once.
//! * A schema change, a quality warning, an anomaly, a quota at risk or a connector that went back is told at once, and not again within a day if it
//!   is the same one: a warning goes into the digest, the others are left out.
//! * Whatever would be more than [`BURST`] messages within the digest's interval goes into the digest.
//! * A success is a trigger for what comes after a load, and always told.
//!
//! To add an event: add its kind to [`EventKind`], say in `sort` what is new about it, and test it there.

pub mod anomaly;
pub mod schema;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::RunError;
use crate::validate;

/// Most messages at once to one target within its digest's interval.
pub const BURST: usize = 5;

/// Time within which the same is not told again.
const SAME: SignedDuration = SignedDuration::from_hours(24);

/// A rule of a pipeline: whom to tell what. Exactly one of `email` and `webhook` is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifyRule {
    /// Addresses that get an e-mail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub email: Vec<String>,
    /// An address that gets a signed request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// What they are told.
    #[serde(default = "usual")]
    pub on: Vec<EventKind>,
    /// Minutes between digests.
    #[serde(default = "hour")]
    pub digest_minutes: u32,
}

/// What can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A run failed and is not tried again.
    Failure,
    /// A run succeeded after one that failed.
    Recovery,
    /// The schema of a stream changed.
    SchemaChange,
    /// A data-quality check that only warns found something.
    QualityWarning,
    /// A stream had no rows where it always has some.
    ZeroRows,
    /// A quota is nearly used up.
    QuotaRisk,
    /// A new version of a connector failed, and the one before it is used again.
    ConnectorRollback,
    /// A run succeeded: for what follows a load.
    Success,
}

fn usual() -> Vec<EventKind> {
    use EventKind::{ConnectorRollback, Failure, QualityWarning, QuotaRisk, Recovery, SchemaChange, ZeroRows};
    vec![Failure, Recovery, SchemaChange, QualityWarning, ZeroRows, QuotaRisk, ConnectorRollback]
}

fn hour() -> u32 {
    60
}

impl EventKind {
    /// The word for it, as rules, messages and the store have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Recovery => "recovery",
            Self::SchemaChange => "schema-change",
            Self::QualityWarning => "quality-warning",
            Self::ZeroRows => "zero-rows",
            Self::QuotaRisk => "quota-risk",
            Self::ConnectorRollback => "connector-rollback",
            Self::Success => "success",
        }
    }
}

impl NotifyRule {
    /// Checks the rule; the error's field is below the rule's own.
    ///
    /// # Errors
    /// Names the first field that is wrong.
    pub fn validate(&self) -> Result<(), RunError> {
        match (&self.webhook, self.email.is_empty()) {
            (Some(_), false) => {
                return Err(RunError::config("webhook", "a rule has `email` or `webhook`; make two of it"));
            }
            (None, true) => return Err(RunError::config("email", "a rule says whom to tell: `email` or `webhook`")),
            (Some(address), true) => validate::web_address("webhook", address).map(drop)?,
            (None, false) => {
                for (index, address) in self.email.iter().enumerate() {
                    validate::email(&format!("email[{index}]"), address)?;
                }
            }
        }
        if self.email.len() > 20 {
            return Err(RunError::config("email", "a rule has at most 20 addresses; use a mailing list"));
        }
        if self.on.is_empty() {
            return Err(RunError::config("on", "a rule says what to tell; leave `on` out for the usual events"));
        }
        if self.digest_minutes == 0 || self.digest_minutes > 7 * 24 * 60 {
            return Err(RunError::config("digest_minutes", "a digest is sent every 1 to 10,080 minutes"));
        }
        Ok(())
    }

    fn interval(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.digest_minutes))
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The event's id.
    pub id: String,
    /// What happened.
    pub kind: EventKind,
    /// The pipeline that it happened to, by id; empty for what concerns the tenant.
    pub pipeline: String,
    /// What tells this event from another of its kind: the stream and the check, the stream and the new schema's fingerprint, the
    /// quota. Two with the same subject are the same news.
    pub subject: String,
    /// When it happened.
    pub at: Timestamp,
}

/// An event that a target was told of, or that waits in its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The event.
    pub event: Event,
    /// When it was decided about.
    pub at: Timestamp,
    /// How it was told.
    pub how: How,
}

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// In a message of its own, now.
    Now,
    /// In the next digest.
    Digest,
    /// Not at all: the rule does not ask for it.
    NotAsked,
    /// Not at all: it was told already.
    Known,
}

/// What is to be sent to a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    /// What becomes of each new event, in their order.
    pub verdicts: Vec<(Event, How)>,
    /// The events of the digest that is due now, oldest first; none if none is.
    pub digest: Vec<Event>,
    /// When the next digest is due, if something waits for it.
    pub look_again: Option<Timestamp>,
}

/// Decides what a target is told of new events. `told` is what the target was told in the last day, and of each pipeline at
/// least the last failure or recovery, however old; `waiting` is what waits in its digest.
pub fn sort(rule: &NotifyRule, told: &[Told], waiting: &[Event], new: &[Event], now: Timestamp) -> Outbox {
    let mut known: Vec<Told> = told.to_vec();
    known.extend(waiting.iter().map(|event| Told { event: event.clone(), at: event.at, how: How::Digest }));
    let mut outbox = Outbox::default();
    let mut digest: Vec<Event> = waiting.to_vec();
    for event in new {
        let how = verdict(rule, &known, event, now);
        if how == How::Digest {
            digest.push(event.clone());
        }
        known.push(Told { event: event.clone(), at: now, how });
        outbox.verdicts.push((event.clone(), how));
    }
    digest.sort_by_key(|event| event.at);
    let due = digest.first().and_then(|oldest| oldest.at.checked_add(rule.interval()).ok());
    match due {
        Some(due) if due <= now => outbox.digest = digest,
        due => outbox.look_again = due,
    }
    outbox
}

fn verdict(rule: &NotifyRule, known: &[Told], event: &Event, now: Timestamp) -> How {
    if !rule.on.contains(&event.kind) {
        return How::NotAsked;
    }
    let how = match event.kind {
        EventKind::Success => return How::Now,
        EventKind::Failure => match last_turn(known, event) {
            Some(last) if last.event.kind == EventKind::Failure => How::Digest,
            _ => How::Now,
        },
        // Whoever is told of failures hears of the end of those that they were told of, in the same way.
        EventKind::Recovery if rule.on.contains(&EventKind::Failure) => match last_turn(known, event) {
            Some(last) if last.event.kind == EventKind::Failure && first_failure(known, event) == How::Digest => {
                How::Digest
            }
            Some(last) if last.event.kind == EventKind::Failure => How::Now,
            _ => How::Known,
        },
        EventKind::Recovery => How::Now,
        EventKind::QualityWarning if is_known(known, event, now) => How::Digest,
        EventKind::SchemaChange | EventKind::ZeroRows | EventKind::QuotaRisk | EventKind::ConnectorRollback
            if is_known(known, event, now) =>
        {
            How::Known
        }
        EventKind::QualityWarning
        | EventKind::SchemaChange
        | EventKind::ZeroRows
        | EventKind::QuotaRisk
        | EventKind::ConnectorRollback => How::Now,
    };
    if how == How::Now && burst(rule, known, now) { How::Digest } else { how }
}

/// The last failure or recovery of the event's pipeline that the target knows of.
fn last_turn<'a>(known: &'a [Told], event: &Event) -> Option<&'a Told> {
    turns(known, event).max_by_key(|told| told.event.at)
}

/// How the target heard of the first failure after the pipeline's last recovery.
fn first_failure(known: &[Told], event: &Event) -> How {
    let recovered =
        turns(known, event).filter(|told| told.event.kind == EventKind::Recovery).map(|told| told.event.at).max();
    let failures = turns(known, event).filter(|told| told.event.kind == EventKind::Failure);
    failures
        .filter(|told| Some(told.event.at) > recovered)
        .min_by_key(|told| told.event.at)
        .map_or(How::Now, |told| told.how)
}

fn turns<'a>(known: &'a [Told], event: &Event) -> impl Iterator<Item = &'a Told> {
    known.iter().filter(|told| {
        matches!(told.event.kind, EventKind::Failure | EventKind::Recovery)
            && matches!(told.how, How::Now | How::Digest)
            && told.event.pipeline == event.pipeline
    })
}

fn is_known(known: &[Told], event: &Event, now: Timestamp) -> bool {
    known.iter().any(|told| {
        (told.event.kind, &told.event.pipeline, &told.event.subject) == (event.kind, &event.pipeline, &event.subject)
            && matches!(told.how, How::Now | How::Digest)
            && now.duration_since(told.at) < SAME
    })
}

/// Whether the target had as many messages of its own as it may have. Triggers are not messages.
fn burst(rule: &NotifyRule, known: &[Told], now: Timestamp) -> bool {
    let recent = known.iter().filter(|told| {
        told.how == How::Now && told.event.kind != EventKind::Success && now.duration_since(told.at) < rule.interval()
    });
    recent.count() >= BURST
}

/// What a finished run is to a pipeline, given how the one before ended: a failure, a recovery, a success.
pub fn events_of_run(succeeded: bool, failed_before: bool) -> &'static [EventKind] {
    match (succeeded, failed_before) {
        (false, _) => &[EventKind::Failure],
        (true, true) => &[EventKind::Recovery, EventKind::Success],
        (true, false) => &[EventKind::Success],
    }
}
