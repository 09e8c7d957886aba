//! Removing known secrets from a text.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::Secrets;
use crate::error::RunError;

/// What stands in place of a secret.
const MARK: &str = "[secret]";

/// What bytes of a secret are overwritten with.
const OVER: u8 = b'x';

/// Shortest secret that is looked for: shorter ones would turn every text into marks, and would tell themselves by it.
const SHORTEST: usize = 4;

/// Shortest line of a secret of several lines (a key) that is looked for by itself.
const SHORTEST_LINE: usize = 16;

/// Shortest part of a secret in Base64 that is looked for amid other characters.
const SHORTEST_INSIDE: usize = 8;

/// Finds secrets in texts: as they are, and as JSON, URLs and Base64 write them, the latter also where a secret is a part of what was
/// encoded.
#[derive(Clone, Default)]
pub struct Redactor {
    /// The longest first, so that no secret that begins another leaves its rest behind.
    patterns: Vec<String>,
}

impl Redactor {
    /// Looks for these secrets, of lists and objects for every text in them.
    pub fn new(secrets: &Secrets) -> Self {
        let mut texts = BTreeSet::new();
        secrets.values().for_each(|value| collect(value, &mut texts));
        let mut patterns: Vec<String> = texts.iter().flat_map(|text| spellings(text)).collect();
        patterns.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        patterns.dedup();
        Self { patterns }
    }

    /// The text with a mark in place of each secret.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for pattern in &self.patterns {
            if text.contains(pattern.as_str()) {
                text = Cow::Owned(text.replace(pattern.as_str(), MARK));
            }
        }
        text
    }

    /// Overwrites each secret in these bytes, and says whether there was one. Their length stays.
    pub fn overwrite(&self, bytes: &mut [u8]) -> bool {
        let mut found = false;
        for pattern in self.patterns.iter().map(String::as_bytes) {
            let mut at = 0;
            while let Some(place) = bytes.get(at..).and_then(|rest| find(rest, pattern)).map(|offset| at + offset) {
                if let Some(secret) = bytes.get_mut(place..place + pattern.len()) {
                    secret.fill(OVER);
                }
                at = place + pattern.len();
                found = true;
            }
        }
        found
    }

    /// An error whose message has a mark in place of each secret.
    #[must_use]
    pub fn redact_error(&self, error: RunError) -> RunError {
        let message = self.redact(&error.message).into_owned();
        RunError { message, ..error }
    }
}

/// Never shows what it looks for.
impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} patterns)", self.patterns.len())
    }
}

fn collect(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            add(text, SHORTEST, texts);
            // The lines of a key, which an error may quote one by one.
            text.lines().filter(|_| text.contains('\n')).filter(|line| !line.starts_with("-----")).for_each(|line| {
                add(line, SHORTEST_LINE, texts);
            });
            // A key file: what is secret in it is long (a private key) or has a telling name.
            if let Ok(Value::Object(members)) = serde_json::from_str(text) {
                let telling =
                    |name: &str| ["key", "secret", "token", "password"].iter().any(|word| name.contains(word));
                members.iter().filter(|(name, _)| telling(&name.to_lowercase())).for_each(|(_, value)| {
                    collect(value, texts);
                });
            }
        }
        Value::Number(number) => add(&number.to_string(), SHORTEST, texts),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => members.values().for_each(|member| collect(member, texts)),
        Value::Bool(_) | Value::Null => {}
    }
}

fn add(text: &str, shortest: usize, texts: &mut BTreeSet<String>) {
    let trimmed = text.trim();
    if trimmed.chars().count() >= shortest {
        texts.insert(trimmed.to_owned());
    }
}

/// The ways in which a text is written down.
fn spellings(text: &str) -> Vec<String> {
    let json = serde_json::to_string(text).unwrap_or_default();
    let json = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(text);
    let mut all = vec![
        text.to_owned(),
        json.to_owned(),
        percent(text),
        percent(text).replace("%20", "+"),
        format!("{text:?}").trim_matches('"').to_owned(),
    ];
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        all.push(engine.encode(text));
        all.extend((0..3).filter_map(|before| inside_base64(engine, text, before)));
    }
    all
}

/// The characters of Base64 that are the text's alone, where it stands after so many bytes (modulo three) of something else, as a
/// password does after its user. None where too few are left to be told from an ordinary word.
fn inside_base64(engine: &GeneralPurpose, text: &str, before: usize) -> Option<String> {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(text.as_bytes());
    let encoded = engine.encode(&bytes);
    let first = [0, 2, 3].get(before).copied()?;
    // The last character has bits of what follows, unless the text ends with three whole bytes.
    let last = encoded.len() - usize::from(!bytes.len().is_multiple_of(3));
    encoded.get(first..last).filter(|inside| inside.len() >= SHORTEST_INSIDE).map(str::to_owned)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}
