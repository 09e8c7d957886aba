//! The two ways in which stores write instants, as milliseconds since 1970.

use sluice_sdk::calendar;

/// `2026-01-31T12:30:00.123Z`, as listings have it.
pub fn rfc3339(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once('T')?;
    let time = rest.strip_suffix('Z').or_else(|| rest.strip_suffix("+00:00"))?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i32>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    instant(year, month, day, whole).map(|seconds| seconds * 1000 + digits.parse::<i64>().unwrap_or_default())
}

/// `Sat, 31 Jan 2026 12:30:00 GMT`, as headers have it.
pub fn http_date(text: &str) -> Option<i64> {
    calendar::http_date(text).map(|seconds| seconds * 1000)
}

fn instant(year: i32, month: i32, day: i32, time: &str) -> Option<i64> {
    let mut time = time.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let days = i64::from(calendar::days(year, month, day)?);
    let fits = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    fits.then_some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_are_read() {
        assert_eq!(rfc3339("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(rfc3339("2024-02-29T12:34:56.789Z"), Some(1_709_210_096_789));
        assert_eq!(rfc3339("2024-02-29T12:34:56.7894321Z"), Some(1_709_210_096_789));
        assert_eq!(http_date("Thu, 29 Feb 2024 12:34:56 GMT"), Some(1_709_210_096_000));
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        for wrong in ["", "2024-02-29", "2024-13-01T00:00:00Z", "2024-02-29T25:00:00Z", "a-b-cTd:e:fZ"] {
            assert_eq!(rfc3339(wrong), None, "{wrong}");
        }
        assert_eq!(http_date("yesterday"), None);
    }
}
