//! What a notification says: one form for programs, which a webhook gets as it is, and the text that is made of it for people.
//! Names, counts and errors; never rows or secrets. Everything is bounded, and without characters that could end a line of a mail's head.

use std::fmt::Write;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sluice_core::RunError;
use sluice_core::notify::EventKind;
use sluice_core::run::StreamCounts;

use super::events::{Facts, Happened, counts};
use crate::service::schedule::instant;

/// Most streams and details that are listed.
const MOST_LISTED: usize = 100;

/// Most characters of a text.
const MOST_TEXT: usize = 1_000;

/// Most characters of a name.
const MOST_NAME: usize = 200;

/// A notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// What happened: the words of a rule's `on`, or `digest`.
    pub event: String,
    /// The tenant's id.
    pub tenant: String,
    /// When it happened, RFC 3339.
    pub at: String,
    /// The pipeline; none in a digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<Named>,
    /// The run; none in a digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// What became of its rows; none in a digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// What exactly happened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
    /// The events of a digest, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Line>,
    /// How many more events there were than a digest lists.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

/// Something with an id and a name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// `succeeded` or `failed`.
    pub state: String,
    /// Attempts that were begun.
    pub attempts: u32,
    /// Why there was a run.
    pub cause: String,
    /// The day that catalog loads stand for, where the run was asked for with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_date: Option<String>,
    /// When its first attempt began, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
}

/// What became of the rows of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows that are visible now, of all streams.
    pub rows_committed: u64,
    /// Rows that went to quarantine.
    pub rows_quarantined: u64,
    /// Of each stream of which something was committed.
    pub streams: Vec<StreamRows>,
}

/// What became of the rows of a stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamRows {
    /// The stream.
    pub stream: String,
    /// Its table.
    pub table: String,
    /// Rows that are visible now.
    pub rows_committed: u64,
    /// Rows that went to quarantine.
    pub rows_quarantined: u64,
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The class of the error.
    pub kind: String,
    /// Who has to act.
    pub actor: String,
    /// What is wrong and what to do.
    pub message: String,
    /// The field concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The stream concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
}

/// What exactly happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// In which stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// What.
    pub text: String,
}

/// An event in a digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What happened.
    pub event: String,
    /// When, RFC 3339.
    pub at: String,
    /// To which pipeline.
    pub pipeline: Named,
    /// In which run.
    pub run: String,
    /// What exactly.
    pub text: String,
}

impl Detail {
    /// With its text bounded.
    pub fn new(stream: Option<&str>, text: &str) -> Self {
        Self { stream: stream.map(|stream| short(stream, MOST_NAME)), text: short(text, MOST_TEXT) }
    }
}

impl Line {
    /// Of an event of a run.
    pub fn of(facts: &Facts<'_>, pipeline: Named, happened: &Happened) -> Self {
        let kind = happened.event.kind;
        let details = happened.details.iter().map(|detail| match &detail.stream {
            Some(stream) => format!("{stream}: {}", detail.text),
            None => detail.text.clone(),
        });
        let text = match (kind, &facts.run.error) {
            (EventKind::Failure, Some(error)) => error.message.clone(),
            _ => details.collect::<Vec<_>>().join("; "),
        };
        Self {
            event: kind.as_str().to_owned(),
            at: happened.event.at.to_string(),
            pipeline,
            run: facts.run.asked.id.clone(),
            text: short(&text, 300),
        }
    }
}

impl Message {
    /// Of events of one kind in a run.
    pub fn of_run(name: &str, facts: &Facts<'_>, kind: EventKind, details: Vec<Detail>) -> Self {
        let (run, asked) = (facts.run, &facts.run.asked);
        let at = |us: i64| instant(us).to_string();
        let run_view = Run {
            id: asked.id.clone(),
            state: run.state.as_str().to_owned(),
            attempts: run.attempts,
            cause: asked.cause.as_str().to_owned(),
            snapshot_date: asked.snapshot_date.clone(),
            started_at: run.started_us.map(at),
            ended_at: run.ended_us.map(at),
        };
        Self {
            event: kind.as_str().to_owned(),
            tenant: run.tenant.clone(),
            at: at(run.ended_us.unwrap_or(run.queued_us)),
            pipeline: Some(Named { id: asked.pipeline.clone(), name: short(name, MOST_NAME) }),
            run: Some(run_view),
            counts: Some(Counts::of(&counts(facts))),
            error: run.error.as_ref().filter(|_| kind == EventKind::Failure).map(Failure::of),
            details: details.into_iter().take(MOST_LISTED).collect(),
            events: Vec::new(),
            more: 0,
        }
    }

    /// Of what waited.
    pub fn digest(tenant: &str, now: Timestamp, events: Vec<Line>, more: u64) -> Self {
        Self {
            event: "digest".to_owned(),
            tenant: tenant.to_owned(),
            at: now.to_string(),
            pipeline: None,
            run: None,
            counts: None,
            error: None,
            details: Vec::new(),
            events,
            more,
        }
    }

    /// One line for a person.
    pub fn subject(&self) -> String {
        let name = self.pipeline.as_ref().map(|pipeline| pipeline.name.as_str()).unwrap_or_default();
        let text = match self.event.as_str() {
            "failure" => format!("{name} failed"),
            "recovery" => format!("{name} has recovered"),
            "schema-change" => format!("{name}: the schema changed"),
            "quality-warning" => format!("{name}: a data-quality check warns"),
            "zero-rows" => format!("{name}: no rows where there always are some"),
            "quota-risk" => format!("{name}: a quota is nearly used up"),
            "connector-rollback" => format!("{name}: its connector went back to the version before"),
            "success" => format!("{name} succeeded"),
            _ => match (self.events.len() as u64).saturating_add(self.more) {
                1 => "1 event".to_owned(),
                count => format!("{count} events"),
            },
        };
        format!("[Sluice] {}", short(&text, MOST_NAME + 50))
    }

    /// The text for a person.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut say = |line: std::fmt::Arguments<'_>| {
            // Writing to a text does not fail.
            let _ = writeln!(text, "{line}");
        };
        if let Some(pipeline) = &self.pipeline {
            say(format_args!("Pipeline: {} ({})", pipeline.name, pipeline.id));
        }
        if let Some(run) = &self.run {
            say(format_args!("Run:      {} {} after {} attempt(s), {}", run.id, run.state, run.attempts, run.cause));
        }
        say(format_args!("Time:     {}", self.at));
        if let Some(error) = &self.error {
            say(format_args!("\nError ({}, {} has to act): {}", error.kind, error.actor, error.message));
            for (what, value) in [("Stream", &error.stream), ("Field", &error.field)] {
                if let Some(value) = value {
                    say(format_args!("{what}: {value}"));
                }
            }
        }
        if !self.details.is_empty() {
            say(format_args!(""));
        }
        for Detail { stream, text } in &self.details {
            match stream {
                Some(stream) => say(format_args!("- {stream}: {text}")),
                None => say(format_args!("- {text}")),
            }
        }
        if let Some(counts) = self.counts.as_ref().filter(|counts| !counts.streams.is_empty()) {
            say(format_args!("\nRows: {} loaded, {} in quarantine", counts.rows_committed, counts.rows_quarantined));
            for rows in &counts.streams {
                say(format_args!("- {} into {}: {}", rows.stream, rows.table, rows.rows_committed));
            }
        }
        for line in &self.events {
            let Line { event, at, pipeline, run, text } = line;
            say(format_args!(
                "- {at} {}: {event} (run {run}){}{text}",
                pipeline.name,
                if text.is_empty() { "" } else { ": " }
            ));
        }
        if self.more > 0 {
            say(format_args!("- and {} more", self.more));
        }
        say(format_args!("\nSluice sends this because a pipeline's `notify` names this address."));
        text
    }
}

impl Counts {
    fn of(streams: &[(String, String, StreamCounts)]) -> Self {
        let sum = |of: fn(&StreamCounts) -> u64| streams.iter().fold(0_u64, |sum, (_, _, c)| sum.saturating_add(of(c)));
        let listed = streams.iter().take(MOST_LISTED).map(|(stream, table, counts)| StreamRows {
            stream: short(stream, MOST_NAME),
            table: short(table, MOST_NAME),
            rows_committed: counts.committed,
            rows_quarantined: counts.quarantined,
        });
        let (committed, quarantined) = (sum(|counts| counts.committed), sum(|counts| counts.quarantined));
        Self { rows_committed: committed, rows_quarantined: quarantined, streams: listed.collect() }
    }
}

impl Failure {
    fn of(error: &RunError) -> Self {
        let actor = serde_json::to_value(error.actor).ok();
        Self {
            kind: error.kind.to_string(),
            actor: actor.and_then(|actor| actor.as_str().map(str::to_owned)).unwrap_or_default(),
            message: short(&error.message, 2 * MOST_TEXT),
            field: error.field.as_deref().map(|field| short(field, MOST_NAME)),
            stream: error.stream.as_deref().map(|stream| short(stream, MOST_NAME)),
        }
    }
}

/// At most so many characters on one line.
fn short(text: &str, most: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect();
    if text.chars().nth(most).is_some() { line + "…" } else { line }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
