//! Values of a column as whole numbers, so that a range of them can be halved.

use sluice_sdk::calendar::civil;

use crate::types::temporal::Stamp;

/// What the numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    /// The integers themselves.
    Integer,
    /// Days since 1970-01-01.
    Day,
    /// Microseconds since 1970-01-01 00:00:00.
    Micro,
}

impl Axis {
    /// For a type of the catalog; none if its values are no such numbers.
    pub(super) fn of(data_type: &str) -> Option<Self> {
        match data_type {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" => Some(Self::Integer),
            "date" => Some(Self::Day),
            "datetime" | "timestamp" => Some(Self::Micro),
            _ => None,
        }
    }

    /// A value as the server prints it; none for what has no place, such as 0000-00-00.
    pub(super) fn parse(self, text: &str) -> Option<i128> {
        match self {
            Self::Integer => text.parse().ok(),
            Self::Day => date(text)?.days().map(i128::from),
            Self::Micro => {
                let (day, clock) = text.split_once(' ')?;
                let mut stamp = date(day)?;
                let (seconds, fraction) = clock.split_once('.').unwrap_or((clock, ""));
                let mut parts = seconds.splitn(3, ':').map(|part| part.parse::<i64>().ok());
                let seconds = (parts.next()?? * 60 + parts.next()??) * 60 + parts.next()??;
                let micros = format!("{fraction:0<6}").parse::<i64>().ok()?;
                stamp.micros = seconds * 1_000_000 + micros;
                stamp.micros().map(i128::from)
            }
        }
    }

    /// The number as the server would print its value.
    pub(super) fn print(self, number: i128) -> String {
        match self {
            Self::Integer => number.to_string(),
            Self::Day => day(i64::try_from(number).unwrap_or_default()),
            Self::Micro => {
                let micros = i64::try_from(number).unwrap_or_default();
                let (days, rest) = (micros.div_euclid(DAY_MICROS), micros.rem_euclid(DAY_MICROS));
                let seconds = rest / 1_000_000;
                let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
                format!("{} {hour:02}:{minute:02}:{second:02}.{:06}", day(days), rest % 1_000_000)
            }
        }
    }
}

const DAY_MICROS: i64 = 86_400_000_000;

fn date(text: &str) -> Option<Stamp> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    Some(Stamp { year, month: parts.next()?.parse().ok()?, day: parts.next()?.parse().ok()?, micros: 0 })
}

/// A day that was counted from 1970-01-01.
fn day(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_what_was_parsed() {
        for text in [
            "0001-01-01",
            "1582-10-15",
            "1969-12-31",
            "1970-01-01",
            "2000-02-29",
            "2024-02-29",
            "2024-03-01",
            "9999-12-31",
        ] {
            assert_eq!(Axis::Day.print(Axis::Day.parse(text).unwrap()), text);
            let moment = format!("{text} 23:59:59.000001");
            assert_eq!(Axis::Micro.print(Axis::Micro.parse(&moment).unwrap()), moment);
        }
        assert_eq!(Axis::Micro.parse("1970-01-01 00:00:01.5"), Some(1_500_000));
        assert_eq!(Axis::Micro.parse("1970-01-01 00:00:01"), Some(1_000_000));
        assert_eq!(Axis::Integer.parse("18446744073709551615"), Some(i128::from(u64::MAX)));
    }

    #[test]
    fn what_has_no_place_is_none() {
        assert_eq!(Axis::Day.parse("0000-00-00"), None);
        assert_eq!(Axis::Micro.parse("0000-00-00 00:00:00"), None);
        assert_eq!(Axis::Integer.parse("1.5"), None);
    }
}
