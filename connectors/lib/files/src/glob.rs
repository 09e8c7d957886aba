//! Patterns over keys: `*` and `?` within a part of the path, `**` over parts, `[a-z]`, `{csv,json}`.

use sluice_sdk::{Error, Result};

/// Longest pattern, characters.
const MAX_PATTERN: usize = 512;

/// Most alternatives that braces may spell out.
const MAX_ALTERNATIVES: usize = 64;

/// A pattern. Parts that start with `.` or `_` are hidden (`_SUCCESS`, `.tmp`): only a pattern part that starts with the
/// same character matches them.
#[derive(Clone, Debug)]
pub struct Glob {
    alternatives: Vec<Vec<Vec<char>>>,
    prefix: String,
}

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// `config` for one that cannot match.
    pub fn new(pattern: &str) -> Result<Self> {
        let wrong = |what: &str| Error::config(format!("the glob {pattern:?} {what}"));
        if pattern.is_empty() || pattern.chars().count() > MAX_PATTERN {
            return Err(wrong(&format!("must have 1 to {MAX_PATTERN} characters")));
        }
        if pattern.starts_with('/') || pattern.split('/').any(|part| part == ".." || part == ".") {
            return Err(wrong("must be relative to the folder, without . and .."));
        }
        let mut spelled = Vec::new();
        expand(pattern, &mut spelled).ok_or_else(|| wrong("has unbalanced braces or too many alternatives"))?;
        let prefix = literal_prefix(&spelled);
        let alternatives =
            spelled.iter().map(|text| text.split('/').map(|part| part.chars().collect()).collect()).collect();
        Ok(Self { alternatives, prefix })
    }

    /// What every matching key starts with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether a key matches.
    pub fn matches(&self, key: &str) -> bool {
        let parts: Vec<Vec<char>> = key.split('/').map(|part| part.chars().collect()).collect();
        self.alternatives.iter().any(|pattern| parts_match(pattern, &parts))
    }
}

/// Spells out braces; none if they are unbalanced or too many.
fn expand(pattern: &str, out: &mut Vec<String>) -> Option<()> {
    let Some((before, rest)) = pattern.split_once('{') else {
        if pattern.contains('}') || out.len() >= MAX_ALTERNATIVES {
            return None;
        }
        out.push(pattern.to_owned());
        return Some(());
    };
    let (inside, after) = rest.split_once('}')?;
    if inside.contains('{') || before.contains('}') {
        return None;
    }
    for choice in inside.split(',') {
        expand(&format!("{before}{choice}{after}"), out)?;
    }
    Some(())
}

fn literal_prefix(alternatives: &[String]) -> String {
    let literal = |text: &str| text.chars().take_while(|c| !"*?[".contains(*c)).collect::<String>();
    let mut prefixes = alternatives.iter().map(|text| literal(text));
    let first = prefixes.next().unwrap_or_default();
    prefixes.fold(first, |common, next| {
        common.chars().zip(next.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
    })
}

/// Matches parts from both ends of every `**`, by remembering which prefixes of the key each pattern part can reach.
fn parts_match(pattern: &[Vec<char>], key: &[Vec<char>]) -> bool {
    let mut reach = vec![false; key.len() + 1];
    if let Some(first) = reach.first_mut() {
        *first = true;
    }
    for part in pattern {
        let mut next = vec![false; key.len() + 1];
        let any = part.as_slice() == ['*', '*'];
        for (at, _) in reach.iter().enumerate().filter(|(_, reached)| **reached) {
            if any {
                let visible = key.iter().skip(at).take_while(|part| !hidden(part)).count();
                next.iter_mut().skip(at).take(visible + 1).for_each(|slot| *slot = true);
            } else if key.get(at).is_some_and(|text| part_matches(part, text))
                && let Some(slot) = next.get_mut(at + 1)
            {
                *slot = true;
            }
        }
        reach = next;
    }
    reach.last().copied().unwrap_or(false)
}

fn hidden(part: &[char]) -> bool {
    matches!(part.first(), Some('.' | '_'))
}

fn part_matches(pattern: &[char], text: &[char]) -> bool {
    if hidden(text) && pattern.first() != text.first() {
        return false;
    }
    let (mut pattern, mut text) = (pattern, text);
    let mut star: Option<(&[char], &[char])> = None;
    loop {
        let step = match (pattern, text) {
            ([], []) => return true,
            (['*', rest @ ..], _) => {
                star = Some((rest, text));
                pattern = rest;
                continue;
            }
            (['[', rest @ ..], [c, tail @ ..]) => class(rest, *c).map(|rest| (rest, tail)),
            (['?', rest @ ..], [_, tail @ ..]) => Some((rest, tail)),
            ([p, rest @ ..], [c, tail @ ..]) if p == c => Some((rest, tail)),
            _ => None,
        };
        match (step, star) {
            (Some((rest, tail)), _) => {
                pattern = rest;
                text = tail;
            }
            // The last star takes one character more.
            (None, Some((rest, [_, tail @ ..]))) => {
                star = Some((rest, tail));
                pattern = rest;
                text = tail;
            }
            (None, _) => return false,
        }
    }
}

/// What follows a class such as `a-z]` or `!0-9]`, if the character is in it.
fn class(pattern: &[char], c: char) -> Option<&[char]> {
    let end = pattern.iter().skip(1).position(|p| *p == ']')? + 1;
    let (inside, rest) = pattern.split_at_checked(end)?;
    let rest = rest.get(1..)?;
    let (negated, inside) = match inside {
        ['!' | '^', inside @ ..] => (true, inside),
        inside => (false, inside),
    };
    let mut found = false;
    let mut left = inside;
    loop {
        left = match left {
            [from, '-', to, more @ ..] => {
                found |= (*from..=*to).contains(&c);
                more
            }
            [one, more @ ..] => {
                found |= *one == c;
                more
            }
            [] => break,
        };
    }
    (found != negated).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, key: &str) -> bool {
        Glob::new(pattern).unwrap().matches(key)
    }

    #[test]
    fn stars_stay_within_a_part_and_double_stars_do_not() {
        assert!(matches("*.csv", "a.csv"));
        assert!(!matches("*.csv", "x/a.csv"));
        assert!(matches("**/*.csv", "a.csv"));
        assert!(matches("**/*.csv", "x/y/a.csv"));
        assert!(matches("x/**", "x/y/a.csv"));
        assert!(matches("*a*b*", "xxaxxbxx"));
        assert!(!matches("*a*b", "xxaxxbxx"));
    }

    #[test]
    fn classes_braces_and_question_marks() {
        assert!(matches("day-[0-9][0-9].{csv,ndjson}.gz", "day-07.ndjson.gz"));
        assert!(!matches("day-[!0-9].csv", "day-7.csv"));
        assert!(matches("a?.csv", "ab.csv"));
        assert_eq!(Glob::new("logs/2024-{01,02}/*.csv").unwrap().prefix(), "logs/2024-0");
    }

    #[test]
    fn hidden_files_need_a_pattern_that_says_so() {
        assert!(!matches("**", "_SUCCESS"));
        assert!(!matches("**/*.csv", ".tmp/a.csv"));
        assert!(matches("_*/a.csv", "_old/a.csv"));
    }

    #[test]
    fn a_pattern_that_leaves_the_folder_is_refused() {
        assert!(Glob::new("../*.csv").is_err());
        assert!(Glob::new("/etc/*").is_err());
        assert!(Glob::new("a{b").is_err());
        assert!(Glob::new(&"{a,b}".repeat(10)).is_err());
    }
}
