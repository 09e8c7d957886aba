//! Dates and times as JSON APIs write them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::calendar::{civil, days, digits};

/// Microseconds of a second.
const SECOND: i64 = 1_000_000;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Microseconds since 1970, by the host's clock.
pub(super) fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the sandbox's clock is an import of the contract")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Days since 1970-01-01 of `YYYY-MM-DD`.
pub(super) fn date(text: &str) -> Option<i32> {
    let mut parts = text.split('-');
    let (year, month, day) = (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    if parts.next().is_some() || year == 0 {
        return None;
    }
    days(year, month, day)
}

/// Microseconds since 1970 of a date, `T` or a blank, `HH:MM[:SS[.fraction]]` and a zone (`Z`, `+HH:MM`, `+HHMM`); the flag says
/// whether there was a zone. A date alone is its midnight. Digits beyond microseconds must be zeros: they would be lost.
pub(super) fn timestamp(text: &str) -> Option<(i64, bool)> {
    let day = i64::from(date(text.get(..10)?)?) * DAY;
    let Some(rest) = text.get(11..) else { return (text.len() == 10).then_some((day * SECOND, false)) };
    if !matches!(text.as_bytes().get(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let split = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(split);
    let (seconds, micros) = time_of_day(clock)?;
    let offset = offset(zone)?;
    let whole = day + seconds - offset.unwrap_or(0);
    Some((whole * SECOND + micros, offset.is_some()))
}

/// Seconds and microseconds of `HH:MM[:SS[.fraction]]`.
fn time_of_day(clock: &str) -> Option<(i64, i64)> {
    let mut parts = clock.split(':');
    let two = |text: &str| digits(text, 2).map(i64::from);
    let (hour, minute) = (two(parts.next()?)?, two(parts.next()?)?);
    let (second, micros) = match parts.next() {
        None => (0, 0),
        Some(text) => {
            let (second, fraction) = text.split_once('.').unwrap_or((text, ""));
            (two(second)?, fraction_micros(fraction)?)
        }
    };
    (parts.next().is_none() && hour < 24 && minute < 60 && second < 60)
        .then_some((hour * 3600 + minute * 60 + second, micros))
}

fn fraction_micros(fraction: &str) -> Option<i64> {
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (kept, lost) = fraction.split_at(fraction.len().min(6));
    if lost.bytes().any(|byte| byte != b'0') {
        return None;
    }
    format!("{kept:0<6}").parse().ok()
}

/// Seconds east of Greenwich; none without a zone.
fn offset(zone: &str) -> Option<Option<i64>> {
    let rest = match zone {
        "" => return Some(None),
        "Z" | "z" => return Some(Some(0)),
        _ => zone.get(1..)?,
    };
    let plain = rest.replacen(':', "", 1);
    let two = |text: &str| digits(text, 2).map(i64::from);
    let (hour, minute) = match plain.len() {
        2 => (two(&plain)?, 0),
        4 => (two(plain.get(..2)?)?, two(plain.get(2..)?)?),
        _ => return None,
    };
    let seconds = hour * 3600 + minute * 60;
    (hour < 24 && minute < 60).then_some(Some(if zone.starts_with('-') { -seconds } else { seconds }))
}

/// `YYYY-MM-DD` of days since 1970-01-01.
pub(super) fn show_date(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A timestamp in UTC, with a fraction only where it has one; `zone` is written after it.
pub(super) fn show_timestamp(micros: i64, zone: &str) -> String {
    let (seconds, fraction) = (micros.div_euclid(SECOND), micros.rem_euclid(SECOND));
    let (day, of_day) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
    format!("{}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}", show_date(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_since_1970_and_back() {
        for (text, expected) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2024-02-29", 19_782),
            ("0001-01-01", -719_162),
            ("9999-12-31", 2_932_896),
        ] {
            assert_eq!(date(text), Some(expected), "{text}");
            assert_eq!(show_date(i64::from(expected)), text);
        }
        for wrong in ["2023-02-29", "2024-13-01", "2024-00-01", "24-01-01", "2024-1-1", "2024-01-01x", "", "0000-01-01"]
        {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn timestamps_take_their_zone_into_account() {
        assert_eq!(timestamp("1970-01-01T00:00:01Z"), Some((1_000_000, true)));
        assert_eq!(timestamp("2024-02-29T23:59:59.123456+05:30"), Some((1_709_231_399_123_456, true)));
        assert_eq!(timestamp("1970-01-01 00:00:00.5"), Some((500_000, false)));
        assert_eq!(timestamp("1970-01-01T00:00:00.000001000-0100"), Some((3_600_000_001, true)));
        assert_eq!(timestamp("1970-01-02"), Some((86_400_000_000, false)));
        for wrong in [
            "1970-01-01T00:00:00.0000001Z",
            "1970-01-01T24:00:00Z",
            "1970-01-01T00:00:60Z",
            "now",
            "1970-01-01X00:00",
            "1970-01-01T00:00:00+1",
        ] {
            assert_eq!(timestamp(wrong), None, "{wrong}");
        }
        assert_eq!(show_timestamp(1_709_231_399_123_456, "Z"), "2024-02-29T18:29:59.123456Z");
        assert_eq!(show_timestamp(-1_000_000, ""), "1969-12-31T23:59:59");
    }
}
