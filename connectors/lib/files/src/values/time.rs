//! Dates and timestamps as ISO 8601 writes them.

use sluice_sdk::calendar::days;

/// Days since 1970-01-01 of `YYYY-MM-DD`.
#[inline]
pub(crate) fn date(bytes: &[u8]) -> Option<i32> {
    let (head, day) = bytes.split_first_chunk::<8>()?;
    let [d1, d2] = day else { return None };
    // The word of "0000-00-": what is left of `YYYY-MM-` are the digits' values, nothing of the hyphens.
    let value = u64::from_le_bytes(*head) ^ 0x2d30_302d_3030_3030;
    if (value | value.wrapping_add(0x0006_0600_0606_0606)) & 0xfff0_f0ff_f0f0_f0f0 != 0 {
        return None;
    }
    let pairs = value.wrapping_mul(10).wrapping_add(value >> 8);
    let pair = |at: u64| (pairs >> (at * 8) & 0xff) as i32;
    days(pair(0) * 100 + pair(2), pair(5), two(*d1, *d2)?)
}

/// Microseconds since 1970 of a date, a separator (`T` or a blank), `HH:MM[:SS[.fraction]]`, and whether a zone followed
/// (`Z`, `+HH`, `+HH:MM`, `+HHMM`), which has been taken into account. More than microseconds are none: they would be lost.
#[inline]
pub(crate) fn timestamp(bytes: &[u8]) -> Option<(i64, bool)> {
    let (day, rest) = bytes.split_at_checked(10)?;
    let day = i64::from(date(day)?);
    let [b'T' | b' ' | b't', h1, h2, b':', m1, m2, rest @ ..] = rest else { return None };
    let (hour, minute) = (two(*h1, *h2)?, two(*m1, *m2)?);
    let (second, rest) = match rest {
        [b':', s1, s2, rest @ ..] => (two(*s1, *s2)?, rest),
        rest => (0, rest),
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (micros, rest) = match rest {
        [b'.' | b',', rest @ ..] => fraction(rest)?,
        rest => (0, rest),
    };
    let (offset, zoned) = zone(rest)?;
    let seconds = day * 86_400 + i64::from(hour * 3600 + minute * 60 + second) - offset;
    Some((seconds * 1_000_000 + micros, zoned))
}

fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    let (fraction, rest) = bytes.split_at_checked(digits)?;
    if digits == 0 || digits > 9 {
        return None;
    }
    let mut nanos = 0_i64;
    for digit in fraction.iter().copied().chain(std::iter::repeat(b'0')).take(9) {
        nanos = nanos * 10 + i64::from(digit - b'0');
    }
    (nanos % 1000 == 0).then_some((nanos / 1000, rest))
}

/// Seconds east of Greenwich, and whether a zone was given.
fn zone(bytes: &[u8]) -> Option<(i64, bool)> {
    let (sign, hour, minute) = match bytes {
        [] => return Some((0, false)),
        b"Z" | b"z" | b" UTC" => return Some((0, true)),
        [sign @ (b'+' | b'-'), h1, h2] => (sign, two(*h1, *h2)?, 0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] | [sign @ (b'+' | b'-'), h1, h2, m1, m2] => {
            (sign, two(*h1, *h2)?, two(*m1, *m2)?)
        }
        _ => return None,
    };
    if hour > 18 || minute > 59 {
        return None;
    }
    let seconds = i64::from(hour * 3600 + minute * 60);
    Some((if *sign == b'-' { -seconds } else { seconds }, true))
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<i32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| i32::from(tens) * 10 + i32::from(ones))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_exist_are_counted_and_others_refused() {
        assert_eq!(date(b"1970-01-01"), Some(0));
        assert_eq!(date(b"2000-02-29"), Some(11_016));
        assert_eq!(date(b"1969-12-31"), Some(-1));
        assert_eq!(date(b"0001-01-01"), Some(-719_162));
        assert_eq!(date(b"9999-12-31"), Some(2_932_896));
        for not in ["1900-02-29", "2024-13-01", "2024-00-10", "2024-04-31", "2024-1-1", "2024/01/01", "20240101"] {
            assert_eq!(date(not.as_bytes()), None, "{not}");
        }
    }

    #[test]
    fn timestamps_are_read_with_fraction_and_zone() {
        assert_eq!(timestamp(b"1970-01-01T00:00:01"), Some((1_000_000, false)));
        assert_eq!(timestamp(b"1970-01-01 00:00"), Some((0, false)));
        assert_eq!(timestamp(b"1970-01-01 00:00:00.000001"), Some((1, false)));
        assert_eq!(timestamp(b"1970-01-01T02:00:00.5+02:00"), Some((500_000, true)));
        assert_eq!(timestamp(b"1970-01-01T00:00:00Z"), Some((0, true)));
        assert_eq!(timestamp(b"1969-12-31T23:59:59.999999-0000"), Some((-1, true)));
        assert_eq!(timestamp(b"1970-01-01T00:00:00.000000001"), None);
        for not in
            ["1970-01-01", "1970-01-01T24:00:00", "1970-01-01T00:60", "1970-01-01T00:00:00X", "1970-01-01T00:00:00."]
        {
            assert_eq!(timestamp(not.as_bytes()), None, "{not}");
        }
    }
}
