//! A schedule as a job of Cloud Scheduler, which knocks where `sluice_core::schedule` decides.
//!
//! Cloud Scheduler's cron knows `*`, numbers, ranges, lists and steps, not `L` or `mon#2`, and its documents do not say what holds where
//! both fields of days are restricted. So a job is written with plain lists, and where ours cannot be said, it knocks on more days than
//! the schedule names ([`Knocks::exact`] is false): a knock at a time that is no moment starts nothing.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Timetable;
use super::cron::{Cron, all_days, all_months, all_weekdays, members};

/// Sets of weekdays and of days of the month that hold all of them.
const EVERY_WEEKDAY: u64 = 0b111_1111;
const EVERY_DAY: u64 = 0xffff_fffe;

/// Where the last day of a month may be.
const LAST_DAYS: u64 = 0b1111 << 28;

/// When Cloud Scheduler is to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knocks {
    /// In its dialect of cron.
    pub cron: String,
    /// Whether it names the schedule's moments and no others.
    pub exact: bool,
}

/// A job as it is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudJob {
    /// The last part of its name.
    pub id: String,
    /// For people who look at the list of jobs.
    pub description: String,
    /// When it calls.
    pub cron: String,
    /// In which time zone.
    pub time_zone: String,
    /// What it calls, with POST.
    pub uri: String,
    /// Whose identity it shows.
    pub service_account: String,
    /// For whom that identity is meant.
    pub audience: String,
}

/// What all jobs of a service have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudJobs {
    /// What the ids of its jobs begin with; other jobs are not touched.
    pub prefix: String,
    /// Where the service is found: `https://sluice.example.com`.
    pub origin: String,
    /// Whose identity the jobs show.
    pub service_account: String,
    /// For whom that identity is meant.
    pub audience: String,
}

impl CloudJobs {
    /// A prefix for the jobs of the service at this address: two services in one project must not take each other's jobs for their own.
    pub fn prefix_of(origin: &str) -> String {
        format!("sluice-{}", digest(&[origin], 4))
    }

    /// The id of a pipeline's job: letters that every id may have, the same for ever.
    pub fn id(&self, tenant: &str, pipeline: &str) -> String {
        format!("{}-{}", self.prefix, digest(&[tenant, pipeline], 16))
    }

    /// Whether a job is one of this service.
    pub fn owns(&self, id: &str) -> bool {
        id.strip_prefix(&self.prefix).and_then(|rest| rest.strip_prefix('-')).is_some_and(|rest| rest.len() == 32)
    }

    /// The job of a pipeline's schedule.
    pub fn job(&self, tenant: &str, pipeline: &str, timetable: &Timetable) -> CloudJob {
        CloudJob {
            id: self.id(tenant, pipeline),
            description: format!("Sluice: schedule of pipeline {pipeline} of tenant {tenant}. Kept by the service."),
            cron: timetable.knocks().cron,
            time_zone: timetable.schedule().time_zone.clone(),
            uri: format!("{}/v1/hooks/cloud-scheduler/{}/{}", self.origin, segment(tenant), segment(pipeline)),
            service_account: self.service_account.clone(),
            audience: self.audience.clone(),
        }
    }
}

impl Timetable {
    /// When Cloud Scheduler has to call for this schedule.
    pub fn knocks(&self) -> Knocks {
        knocks(&self.cron)
    }
}

fn knocks(cron: &Cron) -> Knocks {
    let days = &cron.days;
    let of_month = days.of_month | if days.last_of_month { LAST_DAYS } else { 0 };
    let weekdays = days.nth.iter().fold(days.weekdays | days.last_weekdays, |all, nth| all | nth);
    let plain_month = !days.last_of_month || all_days(days.of_month);
    let plain_week = all_weekdays(days.weekdays) || days.last_weekdays == 0 && days.nth.iter().all(|nth| *nth == 0);
    let (any_day, any_weekday) = (all_days(days.of_month), all_weekdays(days.weekdays));
    let either = !(days.month_star || days.week_star);
    let (of_month, weekdays, exact) = match (either, any_day, any_weekday) {
        // Either names the day, and one names all.
        (true, true, _) | (true, _, true) | (false, true, true) => (EVERY_DAY, EVERY_WEEKDAY, true),
        (true, false, false) => (EVERY_DAY, EVERY_WEEKDAY, false),
        (false, true, false) => (EVERY_DAY, weekdays, plain_week),
        (false, false, true) => (of_month, EVERY_WEEKDAY, plain_month),
        (false, false, false) => (of_month, EVERY_WEEKDAY, false),
    };
    let fields = [
        field(cron.minutes, cron.minutes == (1 << 60) - 1),
        field(cron.hours, cron.every_hour()),
        field(of_month, all_days(of_month)),
        field(cron.months, all_months(cron.months)),
        field(weekdays, all_weekdays(weekdays)),
    ];
    Knocks { cron: fields.join(" "), exact }
}

/// `*`, or numbers and ranges.
fn field(set: u64, all: bool) -> String {
    if all {
        return "*".into();
    }
    let mut runs: Vec<(u8, u8)> = Vec::new();
    for number in members(set) {
        match runs.last_mut() {
            Some((_, last)) if last.saturating_add(1) == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let runs = runs.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    });
    runs.collect::<Vec<_>>().join(",")
}

/// So many bytes of a digest of texts, which are kept apart.
fn digest(texts: &[&str], bytes: usize) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update(text.len().to_be_bytes());
        hasher.update(text);
    }
    crate::hex(hasher.finalize().get(..bytes).unwrap_or_default())
}

/// A text as one segment of a path.
fn segment(text: &str) -> String {
    text.bytes().fold(String::new(), |mut path, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => path.push(byte.into()),
            _ => drop(write!(path, "%{byte:02X}")),
        }
        path
    })
}
