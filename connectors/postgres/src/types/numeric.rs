//! `numeric` in its binary form: base-10000 digits, the weight of the first, a sign, and the scale to print.

use arrow_buffer::i256;

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const MINUS_INFINITY: u16 = 0xF000;

/// Why a value has no decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// NaN or infinity.
    Special,
    /// It does not fit the declared precision and scale.
    Range,
    /// The bytes are no numeric.
    Malformed,
}

/// A numeric that was received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numeric<'a> {
    weight: i32,
    sign: u16,
    scale: u16,
    /// Two bytes each, the most significant first.
    digits: &'a [[u8; 2]],
}

impl<'a> Numeric<'a> {
    /// Takes the bytes apart.
    #[inline]
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (&[n0, n1, w0, w1, s0, s1, d0, d1], rest) = bytes.split_first_chunk::<8>()?;
        let (digits, rest) = rest.as_chunks::<2>();
        if !rest.is_empty() || digits.len() != usize::from(u16::from_be_bytes([n0, n1])) {
            return None;
        }
        Some(Self {
            weight: i32::from(i16::from_be_bytes([w0, w1])),
            sign: u16::from_be_bytes([s0, s1]),
            scale: u16::from_be_bytes([d0, d1]),
            digits,
        })
    }

    /// The value times 10 to the power of `scale`.
    #[inline]
    pub(crate) fn to_i128(self, scale: u8) -> Result<i128, Misfit> {
        let scaled = self.scaled(scale)?;
        if scaled.groups <= 4 {
            // Up to sixteen digits: plain 64-bit arithmetic, which is most of the numbers in the world.
            let value = scaled.accumulate(0_u64, |acc, by, digit| Some(acc * u64::from(by) + u64::from(digit)))?;
            let value = i128::from(value);
            return Ok(if self.sign == NEGATIVE { -value } else { value });
        }
        let step = |acc: u128, by: u16, digit: u16| acc.checked_mul(u128::from(by))?.checked_add(u128::from(digit));
        let value = i128::try_from(scaled.accumulate(0_u128, step)?).map_err(|_| Misfit::Range)?;
        Ok(if self.sign == NEGATIVE { -value } else { value })
    }

    /// The same for wider decimals.
    pub(crate) fn to_i256(self, scale: u8) -> Result<i256, Misfit> {
        let scaled = self.scaled(scale)?;
        let wide = |n: u16| i256::from_i128(i128::from(n));
        let value =
            scaled.accumulate(i256::ZERO, |acc, by, digit| acc.checked_mul(wide(by))?.checked_add(wide(digit)))?;
        Ok(if self.sign == NEGATIVE { value.wrapping_neg() } else { value })
    }

    #[inline]
    fn scaled(self, scale: u8) -> Result<Scaled<'a>, Misfit> {
        match self.sign {
            POSITIVE | NEGATIVE => {}
            NAN | INFINITY | MINUS_INFINITY => return Err(Misfit::Special),
            _ => return Err(Misfit::Malformed),
        }
        // Groups up to the one that holds the last digit of the scale, and how much of that one counts.
        let after_point = i32::from(scale.div_ceil(4));
        let groups = usize::try_from(self.weight + 1 + after_point).unwrap_or(0);
        let (last_by, last_over) = match scale % 4 {
            0 => (10_000, 1),
            1 => (10, 1000),
            2 => (100, 100),
            _ => (1000, 10),
        };
        Ok(Scaled { digits: self.digits, groups, last_by, last_over })
    }

    /// Prints it as the server does.
    pub(crate) fn print(self, out: &mut Vec<u8>) -> Result<(), Misfit> {
        match self.sign {
            POSITIVE => {}
            NEGATIVE => out.push(b'-'),
            NAN | INFINITY | MINUS_INFINITY => {
                out.extend_from_slice(match self.sign {
                    INFINITY => b"Infinity".as_slice(),
                    MINUS_INFINITY => b"-Infinity",
                    _ => b"NaN",
                });
                return Ok(());
            }
            _ => return Err(Misfit::Malformed),
        }
        let digit = |position: i32| -> u16 {
            let index = usize::try_from(self.weight - position).ok();
            index.and_then(|index| self.digits.get(index)).map_or(0, |d| u16::from_be_bytes(*d))
        };
        let start = out.len();
        for position in (0..=self.weight.max(0)).rev() {
            for n in four(digit(position)) {
                // No zeros in front, except the one before the point.
                if n != b'0' || out.len() > start {
                    out.push(n);
                }
            }
        }
        if out.len() == start {
            out.push(b'0');
        }
        if self.scale > 0 {
            out.push(b'.');
            let mut left = usize::from(self.scale);
            let mut position = -1;
            while left > 0 {
                let group = four(digit(position));
                let taken = left.min(4);
                out.extend_from_slice(group.get(..taken).unwrap_or(&group));
                left -= taken;
                position -= 1;
            }
        }
        Ok(())
    }
}

/// Digits on their way to an integer.
struct Scaled<'a> {
    digits: &'a [[u8; 2]],
    /// How many groups count.
    groups: usize,
    /// What the last of them is multiplied by, and what part of it is beyond the scale.
    last_by: u16,
    last_over: u16,
}

impl Scaled<'_> {
    #[inline]
    fn accumulate<T: Copy>(&self, zero: T, step: impl Fn(T, u16, u16) -> Option<T>) -> Result<T, Misfit> {
        let mut acc = zero;
        let mut groups = 0;
        for (index, digit) in self.digits.iter().enumerate() {
            let digit = u16::from_be_bytes(*digit);
            if digit > 9999 {
                return Err(Misfit::Malformed);
            }
            if index + 1 < self.groups {
                acc = step(acc, 10_000, digit).ok_or(Misfit::Range)?;
            } else if index + 1 == self.groups {
                if !digit.is_multiple_of(self.last_over) {
                    return Err(Misfit::Range);
                }
                acc = step(acc, self.last_by, digit / self.last_over).ok_or(Misfit::Range)?;
            } else if digit != 0 {
                return Err(Misfit::Range);
            } else {
                continue;
            }
            groups = index + 1;
        }
        // Zeros at the end are not sent.
        if !self.digits.is_empty() {
            for group in groups + 1..=self.groups {
                let by = if group == self.groups { self.last_by } else { 10_000 };
                acc = step(acc, by, 0).ok_or(Misfit::Range)?;
            }
        }
        Ok(acc)
    }
}

fn four(digit: u16) -> [u8; 4] {
    let ascii = |n: u16| b'0' + u8::try_from(n % 10).unwrap_or(0);
    [ascii(digit / 1000), ascii(digit / 100), ascii(digit / 10), ascii(digit)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `numeric_send` would send.
    fn sent(digits: &[u16], weight: i16, sign: u16, scale: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&u16::try_from(digits.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(&weight.to_be_bytes());
        bytes.extend_from_slice(&sign.to_be_bytes());
        bytes.extend_from_slice(&scale.to_be_bytes());
        for digit in digits {
            bytes.extend_from_slice(&digit.to_be_bytes());
        }
        bytes
    }

    fn decimal(digits: &[u16], weight: i16, sign: u16, scale: u8) -> Result<i128, Misfit> {
        let bytes = sent(digits, weight, sign, 0);
        let numeric = Numeric::parse(&bytes).unwrap();
        let narrow = numeric.to_i128(scale);
        // Whatever the narrow one makes of it, the wide one must too.
        assert_eq!(numeric.to_i256(scale).map(|n| n.to_i128().unwrap()), narrow);
        narrow
    }

    #[test]
    fn digits_are_scaled_to_the_declared_scale() {
        assert_eq!(decimal(&[1, 2345, 6700], 1, POSITIVE, 2), Ok(1_234_567));
        assert_eq!(decimal(&[1], 0, NEGATIVE, 5), Ok(-100_000));
        assert_eq!(decimal(&[5], 2, POSITIVE, 0), Ok(500_000_000));
        assert_eq!(decimal(&[10], -1, POSITIVE, 3), Ok(1));
        assert_eq!(decimal(&[10], -2, POSITIVE, 8), Ok(10));
        assert_eq!(decimal(&[], 0, POSITIVE, 10), Ok(0));
        assert_eq!(decimal(&[9999, 9999, 9999, 9999, 9999, 9900], 4, POSITIVE, 2), Ok(9_999_999_999_999_999_999_999));
    }

    #[test]
    fn the_largest_decimal_of_38_digits_fits() {
        let digits = [99, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999];
        assert_eq!(decimal(&digits, 9, POSITIVE, 0), Ok(10_i128.pow(38) - 1));
        let digits = [9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9900];
        assert_eq!(decimal(&digits, -1, NEGATIVE, 38), Ok(1 - 10_i128.pow(38)));
    }

    #[test]
    fn what_a_decimal_cannot_hold_is_said() {
        assert_eq!(decimal(&[], 0, NAN, 2), Err(Misfit::Special));
        assert_eq!(decimal(&[], 0, MINUS_INFINITY, 2), Err(Misfit::Special));
        assert_eq!(decimal(&[1234], -1, POSITIVE, 2), Err(Misfit::Range));
        assert_eq!(decimal(&[1, 1], -1, POSITIVE, 4), Err(Misfit::Range));
        assert_eq!(decimal(&[10_000], 0, POSITIVE, 0), Err(Misfit::Malformed));
        assert!(Numeric::parse(&[0, 2, 0, 0, 0, 0, 0, 0, 0, 1]).is_none());
        assert_eq!(Numeric::parse(&sent(&[1], i16::MAX, POSITIVE, 0)).unwrap().to_i128(2), Err(Misfit::Range));
        assert_eq!(Numeric::parse(&sent(&[1], i16::MIN, POSITIVE, 0)).unwrap().to_i128(2), Err(Misfit::Range));
    }

    fn printed(digits: &[u16], weight: i16, sign: u16, scale: u16) -> String {
        let mut out = Vec::new();
        Numeric::parse(&sent(digits, weight, sign, scale)).unwrap().print(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_printed_as_the_server_prints_them() {
        assert_eq!(printed(&[1, 2345, 6700], 1, POSITIVE, 2), "12345.67");
        assert_eq!(printed(&[10], -1, NEGATIVE, 3), "-0.001");
        assert_eq!(printed(&[], 0, POSITIVE, 0), "0");
        assert_eq!(printed(&[], 0, POSITIVE, 3), "0.000");
        assert_eq!(printed(&[5], 2, POSITIVE, 1), "500000000.0");
        assert_eq!(printed(&[1], -3, POSITIVE, 12), "0.000000000001");
        assert_eq!(printed(&[], 0, NAN, 0), "NaN");
        assert_eq!(printed(&[], 0, MINUS_INFINITY, 0), "-Infinity");
    }
}
