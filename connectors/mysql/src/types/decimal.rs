//! Decimals: the protocol sends them as text, with as many digits after the point as the column declares.

use arrow_buffer::i256;

/// Why a text is no decimal of the column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// It is no number.
    Malformed,
    /// It has more digits than declared.
    Range,
}

/// Digits that fit into 64 bits whatever they are.
const FAST: usize = 18;

/// The value times 10 to the power of `scale`.
#[inline]
pub(crate) fn to_i128(text: &[u8], scale: u8) -> Result<i128, Misfit> {
    let parts = Parts::of(text, scale)?;
    if parts.whole.len() + usize::from(scale) <= FAST {
        let mut value = 0_u64;
        for digit in parts.whole.iter().chain(parts.fraction) {
            value = value * 10 + u64::from(self::digit(*digit)?);
        }
        for _ in parts.fraction.len()..usize::from(scale) {
            value *= 10;
        }
        let value = i128::from(value);
        return Ok(if parts.negative { -value } else { value });
    }
    let value = parts.accumulate(0_u128, |acc, digit| acc.checked_mul(10)?.checked_add(u128::from(digit)))?;
    let value = i128::try_from(value).map_err(|_| Misfit::Range)?;
    Ok(if parts.negative { -value } else { value })
}

/// The same for wider decimals.
pub(crate) fn to_i256(text: &[u8], scale: u8) -> Result<i256, Misfit> {
    let parts = Parts::of(text, scale)?;
    // Most numbers do not need the width.
    if parts.whole.len() + usize::from(scale) <= 38 {
        return to_i128(text, scale).map(i256::from_i128);
    }
    let ten = i256::from_i128(10);
    let step = |acc: i256, digit: u8| acc.checked_mul(ten)?.checked_add(i256::from_i128(i128::from(digit)));
    let value = parts.accumulate(i256::ZERO, step)?;
    Ok(if parts.negative { value.wrapping_neg() } else { value })
}

struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    scale: usize,
}

impl<'a> Parts<'a> {
    #[inline]
    fn of(text: &'a [u8], scale: u8) -> Result<Self, Misfit> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let scale = usize::from(scale);
        // The point stands where the declared scale says; looked for only where it does not.
        let point = match digits.len().checked_sub(scale + 1) {
            Some(at) if digits.get(at) == Some(&b'.') => Some(at),
            _ => digits.iter().position(|byte| *byte == b'.'),
        };
        let (whole, fraction) = match point {
            Some(at) => (digits.get(..at).unwrap_or_default(), digits.get(at + 1..).unwrap_or_default()),
            None => (digits, &[][..]),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(Misfit::Malformed);
        }
        if fraction.len() > scale {
            return Err(Misfit::Range);
        }
        Ok(Self { negative, whole, fraction, scale })
    }

    fn accumulate<T: Copy>(&self, zero: T, step: impl Fn(T, u8) -> Option<T>) -> Result<T, Misfit> {
        let mut acc = zero;
        for byte in self.whole.iter().chain(self.fraction) {
            acc = step(acc, digit(*byte)?).ok_or(Misfit::Range)?;
        }
        for _ in self.fraction.len()..self.scale {
            acc = step(acc, 0).ok_or(Misfit::Range)?;
        }
        Ok(acc)
    }
}

#[inline]
fn digit(byte: u8) -> Result<u8, Misfit> {
    let digit = byte.wrapping_sub(b'0');
    if digit < 10 { Ok(digit) } else { Err(Misfit::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str, scale: u8) -> Result<i128, Misfit> {
        let narrow = to_i128(text.as_bytes(), scale);
        // Whatever the narrow one makes of it, the wide one must too.
        let wide = to_i256(text.as_bytes(), scale);
        match narrow {
            Ok(value) => assert_eq!(wide, Ok(i256::from_i128(value)), "{text}"),
            Err(Misfit::Malformed) => assert_eq!(wide, Err(Misfit::Malformed), "{text}"),
            Err(Misfit::Range) => {}
        }
        narrow
    }

    #[test]
    fn digits_are_scaled_to_the_declared_scale() {
        assert_eq!(decimal("12345.67", 2), Ok(1_234_567));
        assert_eq!(decimal("-0.01", 2), Ok(-1));
        assert_eq!(decimal("5", 3), Ok(5000));
        assert_eq!(decimal("5.1", 3), Ok(5100));
        assert_eq!(decimal("00012.50", 2), Ok(1250));
        assert_eq!(decimal("0", 0), Ok(0));
        assert_eq!(decimal(".5", 1), Ok(5));
    }

    #[test]
    fn the_largest_decimals_fit() {
        let nines = "9".repeat(38);
        assert_eq!(decimal(&nines, 0), Ok(10_i128.pow(38) - 1));
        assert_eq!(decimal(&format!("-0.{nines}"), 38), Ok(1 - 10_i128.pow(38)));
        let widest = format!("{}.{}", "9".repeat(35), "9".repeat(30));
        let value = to_i256(widest.as_bytes(), 30).unwrap();
        assert_eq!(value.to_string(), "9".repeat(65));
        assert_eq!(to_i256(format!("-{widest}").as_bytes(), 30).unwrap().to_string(), format!("-{}", "9".repeat(65)));
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in ["", "-", ".", "1e5", "NaN", "1,5", "--1", "1.2.3"] {
            assert_eq!(decimal(text, 4), Err(Misfit::Malformed), "{text}");
        }
        assert_eq!(decimal("1.234", 2), Err(Misfit::Range));
        assert_eq!(decimal(&"9".repeat(40), 0), Err(Misfit::Range));
        assert_eq!(to_i256("9".repeat(78).as_bytes(), 0), Err(Misfit::Range));
    }
}
