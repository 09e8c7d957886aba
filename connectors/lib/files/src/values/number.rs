//! Numbers and truth values from bytes, without going through text.

use super::cell::Cell;
use crate::vector::eight;

/// Digits that always fit an `i64`.
const SAFE_DIGITS: usize = 18;

/// Most digits that a word holds.
const WORD: usize = 8;

/// The digits of up to eight characters, in a word whose highest byte is the last of them; `None` if one is no digit.
#[inline(always)]
fn digits(word: u64) -> Option<u64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let value = word ^ ZEROS;
    // Every byte is below ten: no upper half before, and none after six has been added.
    if (value | value.wrapping_add(0x0606_0606_0606_0606)) & 0xf0f0_f0f0_f0f0_f0f0 != 0 {
        return None;
    }
    let pairs = value.wrapping_mul(10).wrapping_add(value >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff)
}

/// The first `length` characters at the end of a word, zeros in front; at most eight.
#[inline(always)]
fn right(word: u64, length: usize) -> u64 {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let free = (WORD - length) * 8;
    if free == 64 {
        return ZEROS;
    }
    (word << free) | (ZEROS & !(u64::MAX << free))
}

/// A whole number in a block, without needless zeros in front, which would be lost.
#[inline(always)]
pub(crate) fn strict_int_in(block: &[u8], cell: Cell) -> Option<i64> {
    let length = cell.end().saturating_sub(cell.start());
    if (1..=WORD).contains(&length)
        && let Some(word) = eight(block, cell.start())
        && (length == 1 || word & 0xff != u64::from(b'0'))
        && let Some(value) = digits(right(word, length))
    {
        return Some(value as i64);
    }
    strict_int(cell.bytes(block))
}

/// A decimal number in a block; see [`float`].
#[inline(always)]
pub(crate) fn float_in(block: &[u8], cell: Cell) -> Option<f64> {
    let length = cell.end().saturating_sub(cell.start());
    if (1..=WORD).contains(&length)
        && let Some(word) = eight(block, cell.start())
    {
        const ONES: u64 = 0x0101_0101_0101_0101;
        let x = word ^ (u64::from(b'.') * ONES);
        // The lowest zero byte is found exactly; what borrows make of higher ones does not matter.
        let point = (x.wrapping_sub(ONES) & !x & (0x80 * ONES)).trailing_zeros() as usize / 8;
        if point >= length
            && let Some(value) = digits(right(word, length))
        {
            return Some(value as f64);
        }
        if point < length && length > 1 {
            // The characters before the point move up into its place.
            let before = word & !(u64::MAX << (point * 8));
            let after = if point == 7 { 0 } else { (word >> ((point + 1) * 8)) << (point * 8) };
            if let Some(value) = digits(right(before | after, length - 1))
                && let Some(power) = POWERS.get(length - 1 - point)
            {
                return Some(value as f64 / power);
            }
        }
    }
    float(cell.bytes(block))
}

/// A whole number without needless zeros in front, which would be lost.
#[inline]
pub(crate) fn strict_int(bytes: &[u8]) -> Option<i64> {
    let digits = match bytes {
        [b'-' | b'+', rest @ ..] => rest,
        all => all,
    };
    if matches!(digits, [b'0', _, ..]) {
        return None;
    }
    int(bytes)
}

/// A whole number.
#[inline]
pub(crate) fn int(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    if digits.is_empty() {
        return None;
    }
    if digits.len() > SAFE_DIGITS {
        return long_int(digits, negative);
    }
    let mut value = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

#[cold]
fn long_int(digits: &[u8], negative: bool) -> Option<i64> {
    let mut value = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        let digit = i64::from(digit);
        // Downwards, because the smallest number has no positive counterpart.
        value = value.checked_mul(10)?.checked_sub(digit)?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// A decimal number, correctly rounded; also `NaN`, `inf`, `Infinity` with a sign.
#[inline]
pub(crate) fn float(bytes: &[u8]) -> Option<f64> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let mut mantissa = 0_u64;
    let mut seen = 0_usize;
    let mut after_point = 0_usize;
    let mut point = false;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            seen += 1;
            after_point += usize::from(point);
        } else if *byte == b'.' && !point {
            point = true;
        } else {
            return general_float(bytes);
        }
    }
    // Exact if the digits fit the mantissa and the power of ten is exact: one rounding, as IEEE demands.
    match POWERS.get(after_point) {
        Some(power) if seen > 0 && seen <= SAFE_DIGITS && mantissa < 1 << 53 => {
            let value = mantissa as f64 / power;
            Some(if negative { -value } else { value })
        }
        _ => general_float(bytes),
    }
}

#[cold]
fn general_float(bytes: &[u8]) -> Option<f64> {
    let digits = match bytes {
        [b'-' | b'+', rest @ ..] => rest,
        all => all,
    };
    let named = matches!(digits, b"NaN" | b"nan" | b"inf" | b"Infinity" | b"infinity");
    if !named && !digits.iter().any(u8::is_ascii_digit) {
        return None;
    }
    if !named && !digits.iter().all(|b| b.is_ascii_digit() || b"+-.eE".contains(b)) {
        return None;
    }
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// `true` and `false`, in lower case, in upper case, or with a capital.
#[inline]
pub(crate) fn boolean(bytes: &[u8]) -> Option<bool> {
    match bytes {
        b"true" | b"True" | b"TRUE" => Some(true),
        b"false" | b"False" | b"FALSE" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_keep_every_digit_or_are_none() {
        assert_eq!(int(b"0"), Some(0));
        assert_eq!(int(b"-42"), Some(-42));
        assert_eq!(int(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(int(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(int(b"9223372036854775808"), None);
        for not in [&b""[..], b"-", b"1.0", b"1e3", b"12a", b" 1"] {
            assert_eq!(int(not), None);
        }
        assert_eq!(strict_int(b"007"), None);
        assert_eq!(strict_int(b"-0"), Some(0));
    }

    #[test]
    fn numbers_in_a_block_are_those_that_the_rules_give() {
        use crate::values::cell::CellKind;
        let alphabet = b"0123456789999.-+eE x/:";
        let mut state = 3_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        for _ in 0..200_000 {
            let few = if next() % 3 == 0 { alphabet.len() } else { 14 };
            let block: Vec<u8> = (0..24).map(|_| alphabet[next() % few]).collect();
            let start = next() % 20;
            let end = start + next() % (24 - start).min(12);
            let cell = Cell::new(start, end, CellKind::Plain);
            let text = String::from_utf8_lossy(&block[start..end]).into_owned();
            assert_eq!(strict_int_in(&block, cell), strict_int(&block[start..end]), "{text}");
            assert_eq!(float_in(&block, cell), float(&block[start..end]), "{text}");
        }
    }

    #[test]
    fn floats_are_rounded_as_the_standard_library_does() {
        for text in [
            "0.1",
            "-1.5",
            "123456.789",
            "1e300",
            "-2.5E-7",
            "9007199254740993",
            "0.30000000000000004",
            ".5",
            "5.",
            "1e400",
        ] {
            assert_eq!(float(text.as_bytes()), text.parse::<f64>().ok(), "{text}");
        }
        let mut state = 1_u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let text = format!("{}.{}", state >> 50, (state >> 20) & 0xff_ffff);
            assert_eq!(float(text.as_bytes()), text.parse::<f64>().ok(), "{text}");
        }
        assert!(float(b"NaN").unwrap().is_nan());
        assert_eq!(float(b"-inf"), Some(f64::NEG_INFINITY));
        for not in ["", "-", ".", "1.2.3", "1,5", "0x10", "e5", "1e"] {
            assert_eq!(float(not.as_bytes()), None, "{not}");
        }
    }
}
