//! Dates and times: read from text, written as text, on the proleptic Gregorian calendar.

use std::fmt::{Result as FmtResult, Write};

use super::misfit::{DATE_RANGE, NOT_A_DATE, NOT_A_TIME, NOT_A_TIMESTAMP, Reason};

/// 0001-01-01 as days since 1970-01-01.
pub(super) const MIN_DAY: i64 = -719_162;
/// 9999-12-31.
pub(super) const MAX_DAY: i64 = 2_932_896;
/// Seconds of a day.
pub(super) const DAY_SECONDS: i64 = 86_400;
/// Microseconds of a day.
pub(super) const DAY_MICROS: i64 = DAY_SECONDS * 1_000_000;

/// Days since 1970-01-01. Every date from 0001 to 9999 has its number; `None` for what is no date.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March end with the leap day, so that months before a month have a closed formula.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    Some(year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468)
}

/// Year, month and day of a day within the range of dates.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year_of_era + carry, month, day)
}

/// Reads what is left of a text.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn eat(&mut self, wanted: impl Fn(u8) -> bool) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        wanted(*first).then(|| {
            self.0 = rest;
            *first
        })
    }

    /// A number of `least` to `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let (mut value, mut count) = (0, 0);
        while count < most {
            let Some(digit) = self.eat(|byte| byte.is_ascii_digit()) else { break };
            value = value * 10 + i64::from(digit - b'0');
            count += 1;
        }
        (count >= least).then_some(value)
    }

    /// Days since 1970; the outer `None` is no date, the error a date outside 0001 to 9999.
    fn date(&mut self) -> Option<Result<i64, Reason>> {
        let negative = self.eat(|byte| byte == b'-').is_some();
        let before = self.0.len();
        let year = self.number(4, 9)?;
        let digits = before - self.0.len();
        self.eat(|byte| byte == b'-')?;
        let month = self.number(1, 2)?;
        self.eat(|byte| byte == b'-')?;
        let day = self.number(1, 2)?;
        if negative || digits > 4 || year == 0 {
            return Some(Err(DATE_RANGE));
        }
        days(year, month, day).map(Ok)
    }

    /// Microseconds of the day. Further digits are read and dropped.
    fn time(&mut self) -> Option<i64> {
        let hour = self.number(1, 2)?;
        self.eat(|byte| byte == b':')?;
        let minute = self.number(2, 2)?;
        let mut micros = 0;
        let mut second = 0;
        if self.eat(|byte| byte == b':').is_some() {
            second = self.number(2, 2)?;
            if self.eat(|byte| byte == b'.').is_some() {
                let mut weight = 100_000;
                let first = self.eat(|byte| byte.is_ascii_digit())?;
                micros = i64::from(first - b'0') * weight;
                while let Some(digit) = self.eat(|byte| byte.is_ascii_digit()) {
                    weight /= 10;
                    micros += i64::from(digit - b'0') * weight;
                }
            }
        }
        (hour < 24 && minute < 60 && second < 60).then_some(((hour * 60 + minute) * 60 + second) * 1_000_000 + micros)
    }

    /// Seconds east of UTC: `Z`, `UTC`, `±HH`, `±HHMM`, `±HH:MM` or `±HH:MM:SS`.
    fn zone(&mut self) -> Option<i64> {
        if self.0.eq_ignore_ascii_case(b"z") || self.0.eq_ignore_ascii_case(b"utc") {
            self.0 = &[];
            return Some(0);
        }
        let sign = if self.eat(|byte| byte == b'+' || byte == b'-')? == b'-' { -1 } else { 1 };
        let hour = self.number(1, 2)?;
        let mut rest = [0_i64; 2];
        for part in &mut rest {
            let colon = self.eat(|byte| byte == b':').is_some();
            if colon || !self.0.is_empty() {
                *part = self.number(2, 2)?;
            }
        }
        let [minute, second] = rest;
        (hour < 24 && minute < 60 && second < 60).then_some(sign * ((hour * 60 + minute) * 60 + second))
    }
}

/// Days since 1970-01-01 of `YYYY-MM-DD`.
pub(super) fn parse_date(text: &str) -> Result<i32, Reason> {
    let mut reader = Reader(text.trim_ascii().as_bytes());
    let date = reader.date().ok_or(NOT_A_DATE)?;
    if !reader.0.is_empty() {
        return Err(NOT_A_DATE);
    }
    i32::try_from(date?).map_err(|_| DATE_RANGE)
}

/// Microseconds of the day of `HH:MM[:SS[.f…]]`.
pub(super) fn parse_time(text: &str) -> Result<i64, Reason> {
    let mut reader = Reader(text.trim_ascii().as_bytes());
    reader.time().filter(|_| reader.0.is_empty()).ok_or(NOT_A_TIME)
}

/// Microseconds since 1970 (in UTC, if a zone is written) of `YYYY-MM-DD[(T| )time][zone]`, and whether it has a zone.
pub(super) fn parse_timestamp(text: &str) -> Result<(i64, bool), Reason> {
    let mut reader = Reader(text.trim_ascii().as_bytes());
    let date = reader.date().ok_or(NOT_A_TIMESTAMP)?;
    let mut time = 0;
    let mut offset = None;
    if !reader.0.is_empty() {
        reader.eat(|byte| matches!(byte, b'T' | b't' | b' ')).ok_or(NOT_A_TIMESTAMP)?;
        time = reader.time().ok_or(NOT_A_TIMESTAMP)?;
        let _ = reader.eat(|byte| byte == b' ');
        if !reader.0.is_empty() {
            offset = Some(reader.zone().filter(|_| reader.0.is_empty()).ok_or(NOT_A_TIMESTAMP)?);
        }
    }
    let micros = date? * DAY_MICROS + time - offset.unwrap_or(0) * 1_000_000;
    if !(MIN_DAY * DAY_MICROS..(MAX_DAY + 1) * DAY_MICROS).contains(&micros) {
        return Err(DATE_RANGE);
    }
    Ok((micros, offset.is_some()))
}

/// Writes `YYYY-MM-DD`. A day outside the range of dates is written as its number.
pub(super) fn write_date(out: &mut impl Write, day: i64) -> FmtResult {
    if !(MIN_DAY..=MAX_DAY).contains(&day) {
        return write!(out, "day {day}");
    }
    let (year, month, day) = civil(day);
    write!(out, "{year:04}-{month:02}-{day:02}")
}

/// Writes `HH:MM:SS`, with a fraction if there is one. `per_second` is the unit: 1, 1,000, 1,000,000 or 1,000,000,000.
pub(super) fn write_time(out: &mut impl Write, value: i64, per_second: i64) -> FmtResult {
    let (seconds, fraction) = (value.div_euclid(per_second), value.rem_euclid(per_second));
    write!(out, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
    write_fraction(out, fraction, per_second)
}

/// Writes `YYYY-MM-DDTHH:MM:SS`, with a fraction if there is one, and `Z` if it is in UTC.
pub(super) fn write_timestamp(out: &mut impl Write, value: i64, per_second: i64, utc: bool) -> FmtResult {
    let day = DAY_SECONDS * per_second;
    write_date(out, value.div_euclid(day))?;
    out.write_char('T')?;
    write_time(out, value.rem_euclid(day), per_second)?;
    if utc { out.write_char('Z') } else { Ok(()) }
}

/// Writes a length of time as ISO 8601 does: `PT1.5S`, `-PT90S`.
pub(super) fn write_duration(out: &mut impl Write, value: i64, per_second: i64) -> FmtResult {
    let sign = if value < 0 { "-" } else { "" };
    let (value, per_second) = (value.unsigned_abs(), per_second.unsigned_abs());
    write!(out, "{sign}PT{}", value / per_second)?;
    write_fraction(out, (value % per_second).cast_signed(), per_second.cast_signed())?;
    out.write_char('S')
}

/// Writes an interval as ISO 8601 does, its parts apart: `P14M3DT0.5S`.
pub(super) fn write_interval(out: &mut impl Write, months: i32, days: i32, nanos: i64) -> FmtResult {
    write!(out, "P{months}M{days}DT{}{}", if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs() / 1_000_000_000)?;
    write_fraction(out, (nanos.unsigned_abs() % 1_000_000_000).cast_signed(), 1_000_000_000)?;
    out.write_char('S')
}

fn write_fraction(out: &mut impl Write, fraction: i64, per_second: i64) -> FmtResult {
    if fraction == 0 {
        return Ok(());
    }
    let width = match per_second {
        1_000 => 3,
        1_000_000 => 6,
        _ => 9,
    };
    let (mut fraction, mut width) = (fraction, width);
    while fraction % 10 == 0 {
        (fraction, width) = (fraction / 10, width - 1);
    }
    write!(out, ".{fraction:0width$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(day: i64) -> String {
        let mut text = String::new();
        write_date(&mut text, day).unwrap();
        text
    }

    #[test]
    fn every_day_of_ten_thousand_years_is_written_and_read_back() {
        for day in MIN_DAY..=MAX_DAY {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), Some(day));
        }
        assert_eq!(
            (date(MIN_DAY), date(0), date(MAX_DAY)),
            ("0001-01-01".into(), "1970-01-01".into(), "9999-12-31".into())
        );
        assert_eq!(parse_date("2024-02-29"), Ok(19_782));
        assert_eq!(date(19_782), "2024-02-29");
    }

    #[test]
    fn what_is_no_date_is_told_from_one_outside_the_range() {
        for text in ["", "2023-02-29", "2024-13-01", "2024-1", "20240101", "2024-01-01x", "24-01-01", "today"] {
            assert_eq!(parse_date(text), Err(NOT_A_DATE), "{text}");
        }
        for text in ["0000-01-01", "10000-01-01", "-0044-03-15"] {
            assert_eq!(parse_date(text), Err(DATE_RANGE), "{text}");
        }
    }

    #[test]
    fn times_are_read_to_the_microsecond() {
        assert_eq!(parse_time("23:59:59.9999999"), Ok(DAY_MICROS - 1));
        assert_eq!(parse_time("1:02"), Ok(3_720_000_000));
        for text in ["24:00:00", "12", "12:60", "12:00:60", "12:00:00.", "-1:00", "12:00:00Z"] {
            assert_eq!(parse_time(text), Err(NOT_A_TIME), "{text}");
        }
    }

    #[test]
    fn timestamps_are_read_with_and_without_a_zone() {
        let noon = 19_782 * DAY_MICROS + DAY_MICROS / 2;
        for (text, expected) in [
            ("2024-02-29 12:00:00", (noon, false)),
            ("2024-02-29T12:00", (noon, false)),
            ("2024-02-29", (noon - DAY_MICROS / 2, false)),
            ("2024-02-29T12:00:00Z", (noon, true)),
            ("2024-02-29 12:00:00 UTC", (noon, true)),
            ("2024-02-29 14:00:00+02", (noon, true)),
            ("2024-02-29 14:30:00+0230", (noon, true)),
            ("2024-02-29 06:00:00-06:00", (noon, true)),
            ("2024-02-29 12:00:30+00:00:30", (noon, true)),
        ] {
            assert_eq!(parse_timestamp(text), Ok(expected), "{text}");
        }
        for text in ["", "2024-02-29x", "2024-02-29 ", "2024-02-29 12", "2024-02-29 12:00:00+", "2024-02-29 12:00 Mars"]
        {
            let expected =
                if text == "2024-02-29 " { Ok((noon - DAY_MICROS / 2, false)) } else { Err(NOT_A_TIMESTAMP) };
            assert_eq!(parse_timestamp(text), expected, "{text:?}");
        }
        assert_eq!(parse_timestamp("9999-12-31 23:00:00-02"), Err(DATE_RANGE));
    }

    #[test]
    fn times_and_lengths_are_written_as_iso_8601() {
        let text = |write: &dyn Fn(&mut String) -> FmtResult| {
            let mut text = String::new();
            write(&mut text).unwrap();
            text
        };
        assert_eq!(text(&|t| write_timestamp(t, -1, 1_000_000, true)), "1969-12-31T23:59:59.999999Z");
        assert_eq!(text(&|t| write_timestamp(t, 1_500, 1_000, false)), "1970-01-01T00:00:01.5");
        assert_eq!(text(&|t| write_duration(t, -1_500, 1_000)), "-PT1.5S");
        assert_eq!(text(&|t| write_duration(t, i64::MIN, 1)), "-PT9223372036854775808S");
        assert_eq!(text(&|t| write_interval(t, 14, -3, -500_000_000)), "P14M-3DT-0.5S");
        assert_eq!(text(&|t| write_date(t, i64::MAX)), "day 9223372036854775807");
    }
}
