//! Decimal numbers in text, exactly: sign, digits, point and exponent, without a detour over floats.

use arrow_buffer::i256;

use super::misfit::{LOSES_FRACTION, NOT_A_NUMBER, NOT_FINITE, Reason, TOO_MANY_DIGITS};

/// Digits kept: BIGNUMERIC's 76 and a few to round by.
const KEPT: usize = 80;

/// 10^38, the weight of the upper part of an [`i256`].
const E38: i128 = 10_i128.pow(38);

/// A number as its significant digits: `0.d₁d₂d₃… × 10^point`, where `d₁` is not 0.
struct Digits {
    negative: bool,
    kept: [u8; KEPT],
    len: usize,
    /// True if a digit that was not kept is not 0.
    more: bool,
    point: i64,
}

/// Reads a number into a decimal's unscaled value. `exact` refuses what would be rounded; otherwise digits beyond the
/// scale are rounded half away from zero, as BigQuery's CAST does. Blanks around the number are ignored.
pub(super) fn parse(text: &str, precision: u8, scale: i8, exact: bool) -> Result<i256, Reason> {
    let digits = read(text.trim_ascii().as_bytes())?;
    let whole = digits.point + i64::from(scale);
    if digits.len == 0 {
        return Ok(i256::ZERO);
    }
    if whole > i64::from(precision) {
        return Err(TOO_MANY_DIGITS);
    }
    // Digits that make up the unscaled value; at most 76 by the line above.
    let take = usize::try_from(whole).unwrap_or(0);
    let beyond = digits.kept.get(take.min(digits.len)..digits.len).unwrap_or_default();
    if exact && (digits.more || beyond.iter().any(|digit| *digit != 0)) {
        return Err(LOSES_FRACTION);
    }
    let round_up = whole >= 0 && beyond.first().is_some_and(|digit| *digit >= 5);
    let digit = |index: usize| if index < digits.len { digits.kept.get(index).copied().unwrap_or(0) } else { 0 };
    let part = |range: std::ops::Range<usize>| range.fold(0_i128, |sum, index| sum * 10 + i128::from(digit(index)));
    let split = take.saturating_sub(38);
    let upper = part(0..split);
    let mut value = i256::from_i128(part(split..take));
    if upper != 0 {
        value = value.wrapping_add(i256::from_i128(upper).wrapping_mul(i256::from_i128(E38)));
    }
    if round_up {
        value = value.wrapping_add(i256::ONE);
        if value >= power_of_ten(precision) {
            return Err(TOO_MANY_DIGITS);
        }
    }
    Ok(if digits.negative { value.wrapping_neg() } else { value })
}

/// 10^`exponent`, for exponents up to 76.
pub(super) fn power_of_ten(exponent: u8) -> i256 {
    i256::from_i128(10).wrapping_pow(u32::from(exponent))
}

fn read(text: &[u8]) -> Result<Digits, Reason> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let mut digits = Digits { negative, kept: [0; KEPT], len: 0, more: false, point: 0 };
    let (mut any, mut after_point) = (false, false);
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'0'..=b'9' => {
                any = true;
                digits.add(byte - b'0', after_point);
            }
            b'.' if !after_point => after_point = true,
            b'e' | b'E' if any => {
                digits.point = digits.point.saturating_add(exponent(rest.as_slice())?);
                return Ok(digits);
            }
            _ => return Err(not_a_number(text)),
        }
    }
    if any { Ok(digits) } else { Err(not_a_number(text)) }
}

impl Digits {
    fn add(&mut self, digit: u8, after_point: bool) {
        if self.len == 0 && digit == 0 {
            // A leading zero weighs nothing, but behind the point it moves the first digit.
            self.point -= i64::from(after_point);
            return;
        }
        match self.kept.get_mut(self.len) {
            Some(place) => {
                *place = digit;
                self.len += 1;
            }
            None => self.more |= digit != 0,
        }
        self.point += i64::from(!after_point);
    }
}

fn exponent(text: &[u8]) -> Result<i64, Reason> {
    let text = std::str::from_utf8(text).map_err(|_| NOT_A_NUMBER)?;
    // Five digits are far beyond any decimal; more are not worth telling apart from nonsense.
    text.parse::<i64>().ok().filter(|exponent| (-99_999..=99_999).contains(exponent)).ok_or(NOT_A_NUMBER)
}

fn not_a_number(text: &[u8]) -> Reason {
    let infinite = [&b"nan"[..], b"inf", b"infinity"].iter().any(|word| text.eq_ignore_ascii_case(word));
    if infinite { NOT_FINITE } else { NOT_A_NUMBER }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str, precision: u8, scale: i8) -> Result<i128, Reason> {
        parse(text, precision, scale, false).map(|value| value.to_i128().unwrap())
    }

    #[test]
    fn plain_and_scientific_numbers_are_read() {
        for (text, expected) in [
            ("0", 0),
            ("-0.00", 0),
            ("1", 100),
            ("+1.5", 150),
            (" -12.34 ", -1234),
            (".5", 50),
            ("5.", 500),
            ("1e2", 10_000),
            ("1.25E-1", 13),
            ("000123.4500", 12_345),
            ("0.001e3", 100),
        ] {
            assert_eq!(number(text, 10, 2), Ok(expected), "{text}");
        }
    }

    #[test]
    fn digits_beyond_the_scale_are_rounded_half_away_from_zero_or_refused() {
        for (text, expected) in
            [("0.005", 1), ("0.0049999999", 0), ("-0.005", -1), ("1.994", 199), ("1.995", 200), ("0.0005", 0)]
        {
            assert_eq!(number(text, 10, 2), Ok(expected), "{text}");
            assert_eq!(parse(text, 10, 2, true), Err(LOSES_FRACTION), "{text}");
        }
        assert_eq!(parse("1.500", 10, 1, true), Ok(i256::from_i128(15)));
    }

    #[test]
    fn what_is_too_large_is_refused_also_when_rounding_makes_it_so() {
        assert_eq!(number("99999999.99", 10, 2), Ok(9_999_999_999));
        assert_eq!(number("99999999.994", 10, 2), Ok(9_999_999_999));
        assert_eq!(number("99999999.995", 10, 2), Err(TOO_MANY_DIGITS));
        assert_eq!(number("100000000", 10, 2), Err(TOO_MANY_DIGITS));
        assert_eq!(number("1e400", 10, 2), Err(TOO_MANY_DIGITS));
        assert_eq!(number("1e-400", 10, 2), Ok(0));
        assert_eq!(number("0e400", 10, 2), Ok(0));
    }

    #[test]
    fn the_widest_decimals_are_exact() {
        let text = format!("-{}.{}", "9".repeat(38), "8".repeat(38));
        let expected = format!("-{}{}", "9".repeat(38), "8".repeat(38));
        assert_eq!(parse(&text, 76, 38, true).unwrap().to_string(), expected);
        assert_eq!(parse(&"9".repeat(38), 38, 0, true).unwrap().to_string(), "9".repeat(38));
        let long = format!("1.{}1", "0".repeat(100));
        assert_eq!(parse(&long, 76, 38, true), Err(LOSES_FRACTION));
        assert_eq!(parse(&long, 76, 38, false), Ok(power_of_ten(38)));
    }

    #[test]
    fn what_is_no_number_is_told_from_what_is_not_finite() {
        for text in [
            "",
            " ",
            "-",
            ".",
            "1.2.3",
            "1e",
            "e1",
            "1,5",
            "0x10",
            "1 2",
            "1e5000000000",
            "1e-9223372036854775808",
            "١",
        ] {
            assert_eq!(number(text, 10, 2), Err(NOT_A_NUMBER), "{text:?}");
        }
        for text in ["NaN", "-Infinity", "inf"] {
            assert_eq!(number(text, 10, 2), Err(NOT_FINITE), "{text:?}");
        }
    }
}
