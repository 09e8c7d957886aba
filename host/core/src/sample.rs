//! What becomes of the first rows of a stream, before anybody relies on it: the rows as the sink would have them, and what the casts
//! would lose of them.

use serde::{Deserialize, Serialize};

/// Examples that are kept of a column.
pub const MOST_EXAMPLES: usize = 3;

/// A column of a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampledColumn {
    /// Its name at the source.
    pub source: String,
    /// Its name in the table.
    pub name: String,
    /// Its type at the source, in the connector's words or in Arrow's.
    pub source_type: String,
    /// Its type in the table, in BigQuery's words.
    pub r#type: String,
    /// Whether it may be NULL in the table.
    pub nullable: bool,
    /// Values of the sample that do not fit the type.
    pub misfits: u64,
    /// Values of the sample that fit, but are not what they were: rounded, cut, or written differently.
    pub changed: u64,
    /// The first of both.
    pub examples: Vec<Example>,
}

/// A value that a cast does not leave as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The row's number in the sample, from 1.
    pub row: u64,
    /// What it is at the source, as text.
    pub before: String,
    /// What it would be in the table, as text; none if it does not fit.
    pub after: Option<String>,
}

/// Whether a value is the same after a cast, judged by how both are written: numbers by their value, times without the letters between
/// their parts, and everything else letter by letter. Zeros in front of a number that was text are part of it, as in a postal code.
pub fn is_same(before: &str, after: &str) -> bool {
    if before == after {
        return true;
    }
    if let (Some(before), Some(after)) = (number(before), number(after)) {
        return before == after;
    }
    let truth = |text: &str| match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    };
    if ["true", "false"].contains(&after) && truth(before) == truth(after) {
        return true;
    }
    matches!((time(before), time(after)), (Some(before), Some(after)) if before == after)
}

/// A number as its sign, its digits before the point and those behind it, without what says nothing. None for what is none, for one in
/// another notation, and for one that begins with zeros that a number does not need.
fn number(text: &str) -> Option<(bool, &str, &str)> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    Some((negative && !(whole == "0" && fraction.is_empty()), whole, fraction))
}

/// A date, perhaps with a time, as one way of writing it. A day is not the same as its midnight: the table has less to say then.
fn time(text: &str) -> Option<String> {
    let text = text.trim();
    let shape = |at: usize, byte: u8| text.as_bytes().get(at) == Some(&byte);
    if text.len() < 10 || !shape(4, b'-') || !shape(7, b'-') {
        return None;
    }
    let mut plain = text.replacen(['T', 't'], " ", 1);
    for zone in ["Z", "z", "+00:00", "+00", " UTC"] {
        if let Some(rest) = plain.strip_suffix(zone) {
            plain.truncate(rest.len());
            break;
        }
    }
    if plain.contains('.') {
        let kept = plain.trim_end_matches('0').trim_end_matches('.').len();
        plain.truncate(kept);
    }
    // Seconds may be left out.
    if plain.len() == 16 {
        plain.push_str(":00");
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_written_otherwise_is_the_same() {
        let same = [
            ("1.50", "1.5"),
            ("-0.0", "0"),
            ("12", "12.000"),
            ("2026-01-31T02:30:00Z", "2026-01-31 02:30:00"),
            ("2026-01-31 02:30:00.120000+00", "2026-01-31T02:30:00.12Z"),
            ("2026-01-31 02:30", "2026-01-31T02:30:00Z"),
            ("yes", "true"),
            ("0", "false"),
            ("Größe", "Größe"),
        ];
        for (before, after) in same {
            assert!(is_same(before, after), "{before} {after}");
        }
    }

    #[test]
    fn what_is_rounded_cut_or_read_otherwise_is_not() {
        let other = [
            ("1.6", "2"),
            ("007", "7"),
            ("+49", "49"),
            ("2026-01-31T02:30:00Z", "2026-01-31"),
            ("2026-01-31 02:30:00.1234567", "2026-01-31 02:30:00.123456"),
            ("yes", "false"),
            ("12345678901234567890", "12345678901234567000"),
            (" a", "a"),
        ];
        for (before, after) in other {
            assert!(!is_same(before, after), "{before} {after}");
        }
    }
}
