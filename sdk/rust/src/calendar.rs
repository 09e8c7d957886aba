//! The Gregorian calendar as wire formats, files and headers need it, without a calendar's crate: a guest should stay small.

use std::ops::RangeInclusive;

/// Years that have days here: four digits, as ISO 8601 and every source write them.
const YEARS: RangeInclusive<i32> = 0..=9999;

/// Days of 400 years, after which the calendar repeats itself.
const ERA: i64 = 146_097;

/// Days from 1 March of year 0 to 1970-01-01. Years are counted from March on here, so that the leap day is the last of its year.
const TO_1970: i64 = 719_468;

/// Days since 1970-01-01 of a date, years 0 to 9999; none for a day that does not exist.
#[inline]
pub fn days(year: i32, month: i32, day: i32) -> Option<i32> {
    const LENGTHS: [i32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = LENGTHS.get(usize::try_from(month.checked_sub(1)?).ok()?)? + i32::from(leap && month == 2);
    if day < 1 || day > last || !YEARS.contains(&year) {
        return None;
    }
    // An era more, so that no number is negative and a division is a shift.
    let (year, month) = if month <= 2 { (year + 399, month + 9) } else { (year + 400, month - 3) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + of_year;
    Some(days - (ERA + TO_1970) as i32)
}

/// Year, month and day of a day counted from 1970-01-01.
pub fn civil(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(TO_1970);
    let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + carry, month, day)
}

/// Seconds since 1970 of an HTTP date in the form that servers must send: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
/// The name of the weekday is not looked at. A leap second is the one after it.
pub fn http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.trim().split_once(", ")?.1.split(' ');
    let (day, month, year) = (digits(words.next()?, 2)?, words.next()?, digits(words.next()?, 4)?);
    let month = i32::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let mut clock = words.next()?.split(':').map(|part| digits(part, 2).map(i64::from));
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if words.next() != Some("GMT") || words.next().is_some() || clock.next().is_some() {
        return None;
    }
    let days = i64::from(days(year, month, day)?);
    (hour < 24 && minute < 60 && second <= 60).then_some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// A number of exactly so many digits.
pub(crate) fn digits(text: &str, length: usize) -> Option<i32> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_ten_thousand_years_comes_back() {
        let (first, last) = (days(0, 1, 1).unwrap(), days(9999, 12, 31).unwrap());
        assert_eq!((first, last), (-719_528, 2_932_896));
        for day in first..=last {
            let (year, month, of_month) = civil(i64::from(day));
            let [year, month, of_month] = [year, month, of_month].map(|part| i32::try_from(part).unwrap());
            assert_eq!(days(year, month, of_month), Some(day));
        }
    }

    #[test]
    fn days_are_counted_from_1970() {
        for (date, expected) in [
            ((1970, 1, 1), 0),
            ((1969, 12, 31), -1),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((1, 1, 1), -719_162),
        ] {
            assert_eq!(days(date.0, date.1, date.2), Some(expected), "{date:?}");
        }
    }

    #[test]
    fn a_day_that_does_not_exist_is_none() {
        for (year, month, day) in [
            (0, 0, 0),
            (2024, 0, 1),
            (2024, 13, 1),
            (2024, 1, 0),
            (2024, 1, 32),
            (2024, 4, 31),
            (2023, 2, 29),
            (1900, 2, 29),
            (-1, 1, 1),
            (10_000, 1, 1),
            (2024, i32::MIN, 1),
        ] {
            assert_eq!(days(year, month, day), None, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn a_date_of_http_is_read_to_the_second() {
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199),
            ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
        ] {
            assert_eq!(http_date(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_forms_of_a_date_are_not_guessed() {
        for text in [
            "",
            "now",
            "120",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Foo 1994 01:02:03 GMT",
            "Sun, 06 Nov 1994 1:2:3 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }
}
