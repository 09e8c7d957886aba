//! Runs that were asked for, the schedules that ask for them, and what was said while they ran.
//!
//! The service's own loops act for all tenants, so what they ask has no [`Scope`](crate::Scope); what they get names the tenant of each row.
//! Whatever a person asks has one.

mod claims;
mod logs;
mod requests;
pub(crate) mod schedules;

pub use claims::{Claim, Claimable, QueueCounts, QueueState, Tried};
pub use logs::LogLine;
pub use requests::{NewRequest, RequestFilter, RunRequest};
pub use schedules::{Due, Moments, NewSchedule, Recorded, SkippedMoment};
