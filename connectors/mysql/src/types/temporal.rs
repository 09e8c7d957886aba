//! Dates and times in their binary form: a length, and as many parts as are not zero.

use sluice_sdk::calendar::days;

use crate::wire::read::Bytes;

const DAY_MICROS: i64 = 86_400_000_000;

/// A date, perhaps with a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) year: u16,
    pub(crate) month: u8,
    pub(crate) day: u8,
    /// Since midnight.
    pub(crate) micros: i64,
}

impl Stamp {
    /// Takes a date's parts; none if the bytes are not one.
    #[inline]
    pub(crate) fn read(bytes: &mut Bytes<'_>) -> Option<Self> {
        let length = bytes.u8()?;
        let mut stamp = Self::default();
        if length == 0 {
            return Some(stamp);
        }
        let [y0, y1, month, day] = bytes.array()?;
        (stamp.year, stamp.month, stamp.day) = (u16::from_le_bytes([y0, y1]), month, day);
        match length {
            4 => {}
            7 => stamp.micros = clock(bytes.array()?, 0)?,
            11 => {
                let [hour, minute, second, a, b, c, d] = bytes.array()?;
                stamp.micros = clock([hour, minute, second], u32::from_le_bytes([a, b, c, d]))?;
            }
            _ => return None,
        }
        Some(stamp)
    }

    /// Days since 1970-01-01; none if there is no such day.
    #[inline]
    pub(crate) fn days(self) -> Option<i32> {
        days(i32::from(self.year), i32::from(self.month), i32::from(self.day))
    }

    /// Microseconds since 1970-01-01 00:00:00; none if there is no such day.
    #[inline]
    pub(crate) fn micros(self) -> Option<i64> {
        Some(i64::from(self.days()?) * DAY_MICROS + self.micros)
    }
}

#[inline]
fn clock([hour, minute, second]: [u8; 3], micros: u32) -> Option<i64> {
    if hour > 23 || minute > 59 || second > 59 || micros > 999_999 {
        return None;
    }
    Some(((i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second)) * 1_000_000 + i64::from(micros))
}

/// Longest span that is taken: MySQL's own limit is 838:59:59, far less.
const MAX_DAYS: u32 = 1_000_000;

/// Takes a span of time, in microseconds; none if the bytes are not one.
#[inline]
pub(crate) fn span(bytes: &mut Bytes<'_>) -> Option<i64> {
    let length = bytes.u8()?;
    if length == 0 {
        return Some(0);
    }
    let negative = bytes.u8()? != 0;
    let days = bytes.u32().filter(|days| *days <= MAX_DAYS)?;
    let micros = match length {
        8 => clock(bytes.array()?, 0)?,
        12 => {
            let [hour, minute, second, a, b, c, d] = bytes.array()?;
            clock([hour, minute, second], u32::from_le_bytes([a, b, c, d]))?
        }
        _ => return None,
    };
    let span = i64::from(days) * DAY_MICROS + micros;
    Some(if negative { -span } else { span })
}

/// A span as a time of day; none if it is negative or a day or longer.
#[inline]
pub(crate) fn time_of_day(span: i64) -> Option<i64> {
    (0..DAY_MICROS).contains(&span).then_some(span)
}

/// Prints a span as the server does, with that many fractional digits.
pub(crate) fn print(span: i64, digits: u8, out: &mut Vec<u8>) {
    if span < 0 {
        out.push(b'-');
    }
    let span = span.unsigned_abs();
    let (seconds, micros) = (span / 1_000_000, span % 1_000_000);
    let hours = seconds / 3600;
    let text = format!("{hours:02}:{:02}:{:02}.{micros:06}", seconds / 60 % 60, seconds % 60);
    let cut = if digits == 0 { 7 } else { 6 - usize::from(digits.min(6)) };
    out.extend_from_slice(text.as_bytes().get(..text.len() - cut).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_are_zero_are_not_sent() {
        let read = |bytes: &[u8]| Stamp::read(&mut Bytes(bytes));
        assert_eq!(read(&[0]), Some(Stamp::default()));
        assert_eq!(read(&[4, 0xe8, 7, 2, 29]).unwrap().days(), Some(19_782));
        assert_eq!(read(&[7, 0xb2, 7, 1, 1, 0, 0, 1]).unwrap().micros(), Some(1_000_000));
        assert_eq!(read(&[11, 0xb2, 7, 1, 1, 23, 59, 59, 0x3f, 0x42, 0x0f, 0]).unwrap().micros(), Some(DAY_MICROS - 1));
        for bytes in [
            &[][..],
            &[4, 1],
            &[5, 1, 1, 1, 1, 1],
            &[7, 0xb2, 7, 1, 1, 24, 0, 0],
            &[11, 0xb2, 7, 1, 1, 0, 0, 0, 0x40, 0x42, 0x0f, 0],
        ] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn spans_longer_than_a_day_are_printed_as_the_server_prints_them() {
        let printed = |bytes: &[u8], digits| {
            let mut out = Vec::new();
            print(span(&mut Bytes(bytes)).unwrap(), digits, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(printed(&[0], 0), "00:00:00");
        assert_eq!(printed(&[0], 3), "00:00:00.000");
        assert_eq!(printed(&[8, 1, 34, 0, 0, 0, 22, 59, 59], 0), "-838:59:59");
        assert_eq!(printed(&[12, 0, 34, 0, 0, 0, 22, 59, 58, 0x3f, 0x42, 0x0f, 0], 6), "838:59:58.999999");
        assert_eq!(time_of_day(DAY_MICROS), None);
        assert_eq!(time_of_day(-1), None);
        assert_eq!(span(&mut Bytes(&[8, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0])), None);
    }
}
