//! Dates and times as JSON APIs write them, without a calendar's crate: a guest should stay small.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    if parts.next().is_some() || year == 0 || !(1..=12).contains(&month) || day == 0 || day > month_length(year, month)
    {
        return None;
    }
    i32::try_from(days(year, month, day)).ok()
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
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let (second, micros) = match parts.next() {
        None => (0, 0),
        Some(text) => {
            let (second, fraction) = text.split_once('.').unwrap_or((text, ""));
            (digits(second, 2)?, fraction_micros(fraction)?)
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
    let (hour, minute) = match plain.len() {
        2 => (digits(&plain, 2)?, 0),
        4 => (digits(plain.get(..2)?, 2)?, digits(plain.get(2..)?, 2)?),
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

/// Seconds since 1970 of an HTTP date (`Sun, 06 Nov 1994 08:49:37 GMT`).
pub(crate) fn http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(", ")?.1.split(' ');
    let (day, month, year) = (digits(words.next()?, 2)?, words.next()?, digits(words.next()?, 4)?);
    let month = i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let (seconds, _) = time_of_day(words.next()?)?;
    (words.next() == Some("GMT")).then(|| days(year, month, day) * DAY + seconds)
}

fn digits(text: &str, length: usize) -> Option<i64> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn month_length(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar, counted in years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
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

    #[test]
    fn a_date_of_http_is_read() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date("120"), None);
    }
}
