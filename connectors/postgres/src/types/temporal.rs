//! Dates and times: PostgreSQL counts from 2000-01-01, Arrow from 1970-01-01.

use crate::config::InfinityPolicy;

/// Days from 1970-01-01 to 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
/// Microseconds from 1970-01-01 to 2000-01-01.
const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

/// 0001-01-01 and 9999-12-31, the first and last day that every sink can store.
const FIRST_DAY: i32 = -719_162;
const LAST_DAY: i32 = 2_932_896;
/// 0001-01-01 00:00:00 and 9999-12-31 23:59:59.999999.
const FIRST_MICRO: i64 = FIRST_DAY as i64 * 86_400_000_000;
const LAST_MICRO: i64 = (LAST_DAY as i64 + 1) * 86_400_000_000 - 1;
/// The last time of a day.
const LAST_TIME: i64 = 86_399_999_999;

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment<T> {
    Value(T),
    /// Infinite, and the policy makes it NULL.
    Lost,
    /// Infinite, and the policy forbids it.
    Forbidden,
}

/// A date.
#[inline]
pub(crate) fn date(days: i32, policy: InfinityPolicy) -> Moment<i32> {
    match days.checked_add(EPOCH_DAYS) {
        Some(day) if days != i32::MIN => Moment::Value(day),
        _ => infinite(if days < 0 { FIRST_DAY } else { LAST_DAY }, policy),
    }
}

/// A timestamp, with or without a zone. The last 53 years that PostgreSQL knows (from 294247 on) are beyond Arrow's range and
/// count as infinite.
#[inline]
pub(crate) fn timestamp(micros: i64, policy: InfinityPolicy) -> Moment<i64> {
    match micros.checked_add(EPOCH_MICROS) {
        Some(micro) if micros != i64::MIN => Moment::Value(micro),
        _ => infinite(if micros < 0 { FIRST_MICRO } else { LAST_MICRO }, policy),
    }
}

/// A time of day; 24:00:00, which Arrow has not, becomes the last microsecond of the day.
#[inline]
pub(crate) fn time(micros: i64) -> i64 {
    micros.clamp(0, LAST_TIME)
}

#[cold]
fn infinite<T>(clamped: T, policy: InfinityPolicy) -> Moment<T> {
    match policy {
        InfinityPolicy::Clamp => Moment::Value(clamped),
        InfinityPolicy::Null => Moment::Lost,
        InfinityPolicy::Fail => Moment::Forbidden,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_microseconds_are_counted_from_1970() {
        assert_eq!(date(0, InfinityPolicy::Fail), Moment::Value(10_957));
        assert_eq!(timestamp(-EPOCH_MICROS, InfinityPolicy::Fail), Moment::Value(0));
    }

    #[test]
    fn infinity_becomes_what_the_policy_says() {
        assert_eq!(date(i32::MAX, InfinityPolicy::Clamp), Moment::Value(LAST_DAY));
        assert_eq!(date(i32::MIN, InfinityPolicy::Clamp), Moment::Value(FIRST_DAY));
        assert_eq!(timestamp(i64::MAX, InfinityPolicy::Clamp), Moment::Value(253_402_300_799_999_999));
        assert_eq!(timestamp(i64::MIN, InfinityPolicy::Clamp), Moment::Value(-62_135_596_800_000_000));
        assert_eq!(timestamp(i64::MAX, InfinityPolicy::Null), Moment::Lost);
        assert_eq!(date(i32::MAX, InfinityPolicy::Fail), Moment::Forbidden);
    }

    #[test]
    fn a_time_stays_within_its_day() {
        assert_eq!(time(86_400_000_000), LAST_TIME);
        assert_eq!(time(1), 1);
    }
}
