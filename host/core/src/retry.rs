//! Whether a failed attempt is followed by another, and when.
//!
//! The error says whether trying again can help ([`Retry`]); the pipeline's policy says how often and how patiently. The wait grows
//! from attempt to attempt and is spread by a random number that comes in as an argument, so that what failed together does not
//! return together.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{Kind, Retry, RunError};

/// Longest wait that a source may ask for. Whoever asks for more is tried at the schedule's next moment, not by this run.
const LONGEST_HINT: SignedDuration = SignedDuration::from_hours(24);

/// How often and how patiently a run is tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryPolicy {
    /// Attempts altogether; 1 means that nothing is tried again.
    pub max_attempts: u32,
    /// Seconds between the first attempt's end and the second.
    pub base_seconds: u32,
    /// By what the wait grows from attempt to attempt.
    pub factor: f64,
    /// Longest wait, seconds; a source that asks for more is given more.
    pub cap_seconds: u32,
    /// Which part of the wait is random, 0 to 1: with 0.5 a wait of 60 seconds is between 30 and 60.
    pub jitter: f64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_attempts: 3, base_seconds: 30, factor: 2.0, cap_seconds: 1_800, jitter: 0.5 }
    }
}

/// What follows a failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another attempt, not before this.
    At(Timestamp),
    /// None; the run has failed.
    GiveUp(GiveUp),
}

/// Why a run is not tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GiveUp {
    /// The same would happen again; somebody has to act.
    CannotHelp,
    /// It was tried as often as the policy allows.
    Exhausted,
    /// The source asks to wait longer than a run does.
    TooLong,
}

impl GiveUp {
    /// The reason for a person.
    pub fn text(self) -> &'static str {
        match self {
            Self::CannotHelp => "trying again would not help",
            Self::Exhausted => "it was tried as often as the pipeline's `retry` allows",
            Self::TooLong => "the source asks to wait for more than a day; the next scheduled run tries again",
        }
    }
}

impl RetryPolicy {
    /// Checks the policy.
    ///
    /// # Errors
    /// Names the first field that is wrong, from `retry` on.
    pub fn validate(&self) -> Result<(), RunError> {
        if self.max_attempts == 0 || self.max_attempts > 20 {
            return Err(RunError::config("retry.max_attempts", "a run has between 1 and 20 attempts"));
        }
        if self.base_seconds == 0 || self.base_seconds > 86_400 {
            return Err(RunError::config("retry.base_seconds", "the first wait is between 1 and 86,400 seconds"));
        }
        if !(1.0..=10.0).contains(&self.factor) {
            return Err(RunError::config("retry.factor", "the wait grows by a factor between 1 and 10"));
        }
        if self.cap_seconds < self.base_seconds || self.cap_seconds > 86_400 {
            let message = "the longest wait is between `base_seconds` and 86,400 seconds";
            return Err(RunError::config("retry.cap_seconds", message));
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(RunError::config("retry.jitter", "jitter is a part of the wait, between 0 and 1"));
        }
        Ok(())
    }

    /// Decides after attempt number `attempt` (from 1) failed at `now`; `random` is between 0 and 1.
    pub fn after(&self, error: &RunError, attempt: u32, now: Timestamp, random: f64) -> Next {
        let hint = match error.retry {
            Retry::Never => return Next::GiveUp(GiveUp::CannotHelp),
            // Whoever cancelled a run does not want it back, whatever failed on the way.
            _ if error.kind == Kind::Cancelled => return Next::GiveUp(GiveUp::CannotHelp),
            Retry::Later => SignedDuration::ZERO,
            Retry::After(wait) => SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX),
        };
        if attempt >= self.max_attempts {
            return Next::GiveUp(GiveUp::Exhausted);
        }
        if hint > LONGEST_HINT {
            return Next::GiveUp(GiveUp::TooLong);
        }
        // Never earlier than asked; what is random comes on top, so that those who were asked together are spread too.
        let wait = self.backoff(attempt, random);
        let wait = if hint > wait { hint + self.backoff(1, random) } else { wait };
        Next::At(now.checked_add(wait).unwrap_or(now))
    }

    fn backoff(&self, attempt: u32, random: f64) -> SignedDuration {
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let most = (f64::from(self.base_seconds) * self.factor.powi(exponent)).min(f64::from(self.cap_seconds));
        let part = 1.0 - self.jitter * random.clamp(0.0, 1.0);
        SignedDuration::try_from_secs_f64(most * part).unwrap_or(SignedDuration::from_secs(i64::from(self.cap_seconds)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::Actor;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn error(retry: Retry) -> RunError {
        RunError::new(Kind::Transient, Actor::Source, "x").with_retry(retry)
    }

    fn seconds(next: &Next) -> i64 {
        match next {
            Next::At(at) => at.as_second(),
            Next::GiveUp(why) => panic!("{why:?}"),
        }
    }

    #[test]
    fn waits_grow_up_to_their_cap() {
        let policy = RetryPolicy { max_attempts: 20, jitter: 0.0, cap_seconds: 200, ..RetryPolicy::default() };
        let waits: Vec<i64> =
            (1..=5).map(|attempt| seconds(&policy.after(&error(Retry::Later), attempt, NOW, 0.3))).collect();
        assert_eq!(waits, [30, 60, 120, 200, 200]);
    }

    #[test]
    fn the_random_number_takes_its_part_of_the_wait_and_no_more() {
        let policy = RetryPolicy::default();
        for random in [0.0, 0.1, 0.5, 0.999, 1.0, 7.0, -1.0] {
            let wait = seconds(&policy.after(&error(Retry::Later), 1, NOW, random));
            assert!((15..=30).contains(&wait), "{random}: {wait}");
        }
    }

    #[test]
    fn a_source_that_asks_to_wait_is_never_asked_earlier() {
        let policy = RetryPolicy::default();
        let wait = seconds(&policy.after(&error(Retry::After(Duration::from_secs(3_600))), 1, NOW, 0.9));
        assert!((3_600..=3_630).contains(&wait), "{wait}");
        // A hint that is shorter than the policy's own patience changes nothing.
        assert_eq!(seconds(&policy.after(&error(Retry::After(Duration::from_secs(1))), 1, NOW, 0.0)), 30);
    }

    #[test]
    fn what_cannot_help_is_not_tried_again() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.after(&error(Retry::Never), 1, NOW, 0.0), Next::GiveUp(GiveUp::CannotHelp));
        let cancelled = RunError::new(Kind::Cancelled, Actor::User, "x").with_retry(Retry::Later);
        assert_eq!(policy.after(&cancelled, 1, NOW, 0.0), Next::GiveUp(GiveUp::CannotHelp));
        let days = error(Retry::After(Duration::from_secs(200_000)));
        assert_eq!(policy.after(&days, 1, NOW, 0.0), Next::GiveUp(GiveUp::TooLong));
        assert_eq!(policy.after(&error(Retry::After(Duration::MAX)), 1, NOW, 0.0), Next::GiveUp(GiveUp::TooLong));
    }

    #[test]
    fn attempts_come_to_an_end() {
        let policy = RetryPolicy::default();
        assert!(matches!(policy.after(&error(Retry::Later), 2, NOW, 0.0), Next::At(_)));
        assert_eq!(policy.after(&error(Retry::Later), 3, NOW, 0.0), Next::GiveUp(GiveUp::Exhausted));
        let once = RetryPolicy { max_attempts: 1, ..policy };
        assert_eq!(once.after(&error(Retry::Later), 1, NOW, 0.0), Next::GiveUp(GiveUp::Exhausted));
    }

    #[test]
    fn a_policy_that_cannot_be_followed_is_refused_by_field() {
        let field = |policy: RetryPolicy| policy.validate().unwrap_err().field.unwrap();
        let good = RetryPolicy::default();
        good.validate().unwrap();
        assert_eq!(field(RetryPolicy { max_attempts: 0, ..good.clone() }), "retry.max_attempts");
        assert_eq!(field(RetryPolicy { base_seconds: 0, ..good.clone() }), "retry.base_seconds");
        assert_eq!(field(RetryPolicy { factor: f64::NAN, ..good.clone() }), "retry.factor");
        assert_eq!(field(RetryPolicy { cap_seconds: 3, ..good.clone() }), "retry.cap_seconds");
        assert_eq!(field(RetryPolicy { jitter: 1.5, ..good }), "retry.jitter");
    }
}
