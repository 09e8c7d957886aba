//! What a trace is made of: where a span stands, as W3C's `traceparent` says it, and a span that is over.
//!
//! A run's spans come from several processes: the host that queued it, the one that carries it out, and its workers, which hand theirs
//! over in their own protocol ([`crate::worker`]). Nothing that a worker tells goes on as it is: [`Span::of_worker`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::secret::Redactor;

/// Longest text in a span, bytes.
const MOST_TEXT: usize = 1 << 10;

/// Most attributes of a span.
const MOST_ATTRIBUTES: usize = 32;

/// Where a span stands: its trace, itself, and whether anybody wants to see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Context {
    /// The trace; not zero.
    pub trace: u128,
    /// The span; not zero.
    pub span: u64,
    /// Whether it is told.
    pub sampled: bool,
}

impl Context {
    /// What a `traceparent` says; none if it is not one. Later versions of it may say more, which is left out.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(4, '-');
        let mut hex = |digits: usize| {
            let part = parts.next()?;
            let lower = part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            (part.len() == digits && lower).then(|| u128::from_str_radix(part, 16).ok()).flatten()
        };
        let (version, trace, span) = (hex(2)?, hex(32)?, u64::try_from(hex(16)?).ok()?);
        let rest = parts.next()?;
        let (flags, more) = (rest.get(..2)?, rest.get(2..)?);
        let whole = if version == 0 { more.is_empty() } else { more.is_empty() || more.starts_with('-') };
        if version == 0xff || !whole || trace == 0 || span == 0 || !flags.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
        Some(Self { trace, span, sampled })
    }

    /// The trace's id, as logs and people write it.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }
}

/// As W3C's `traceparent`.
impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

impl TryFrom<String> for Context {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("this is no traceparent")
    }
}

impl From<Context> for String {
    fn from(context: Context) -> Self {
        context.to_string()
    }
}

/// What a span stands for between others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpanKind {
    /// A step within a process.
    #[default]
    Internal,
    /// The answer to a request from outside.
    Server,
    /// The making of work that somebody does later.
    Producer,
    /// The doing of work that somebody made before.
    Consumer,
}

/// What is told of a span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

/// A span that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// Where it stands.
    pub context: Context,
    /// The span that it is a part of; none for the first of a trace.
    pub parent: Option<Context>,
    /// What was done: a word of the program.
    pub name: String,
    /// What it stands for.
    #[serde(default)]
    pub kind: SpanKind,
    /// When it began, microseconds.
    pub begun_us: i64,
    /// When it ended.
    pub ended_us: i64,
    /// What is told of it, without secrets and without rows.
    pub attributes: Vec<(String, Value)>,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

impl Span {
    /// A span that a worker told of, as it may go on: of the trace of its attempt only, without the secrets that its job was given,
    /// bounded. None if it is of another trace.
    pub fn of_worker(mut self, attempt: &Context, redactor: &Redactor) -> Option<Self> {
        let parent = self.parent.filter(|parent| parent.trace == attempt.trace)?;
        if self.context.trace != attempt.trace || self.context.span == attempt.span {
            return None;
        }
        self.parent = Some(parent);
        self.kind = SpanKind::Internal;
        self.name = short(&self.name, redactor);
        self.error = self.error.map(|error| short(&error, redactor));
        self.attributes.truncate(MOST_ATTRIBUTES);
        for (name, value) in &mut self.attributes {
            *name = short(name, redactor);
            if let Value::Text(text) = value {
                *text = short(text, redactor);
            }
        }
        Some(self)
    }
}

/// A secret that is cut in two is not found any more: it is taken out first.
fn short(text: &str, redactor: &Redactor) -> String {
    let mut text = redactor.redact(text).into_owned();
    if text.len() > MOST_TEXT {
        text.truncate(text.floor_char_boundary(MOST_TEXT));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const TEXT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_is_read_as_it_is_written() {
        let context = Context::parse(TEXT).unwrap();
        assert_eq!((context.to_string().as_str(), context.sampled), (TEXT, true));
        assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert!(!Context::parse(&TEXT.replace("-01", "-00")).unwrap().sampled);
        let later = format!("{}-more", TEXT.replacen("00", "01", 1));
        assert_eq!(Context::parse(&later), Some(context), "a version that says more");
        assert_eq!(serde_json::from_value::<Context>(serde_json::to_value(context).unwrap()).unwrap(), context);
    }

    #[test]
    fn what_is_no_traceparent_is_none() {
        let zeros = ("0".repeat(32), "0".repeat(16));
        for wrong in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-é",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            &format!("00-{}-b7ad6b7169203331-01", zeros.0),
            &format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", zeros.1),
        ] {
            assert_eq!(Context::parse(wrong), None, "{wrong}");
        }
    }

    fn span() -> Span {
        let attempt = Context::parse(TEXT).unwrap();
        Span {
            context: Context { span: 7, ..attempt },
            parent: Some(attempt),
            name: "commit".into(),
            kind: SpanKind::Server,
            begun_us: 1,
            ended_us: 2,
            attributes: vec![("at".into(), "db hunter2-word".into()), ("rows".into(), 3_u64.into())],
            error: Some("hunter2-word was refused".into()),
        }
    }

    #[test]
    fn what_a_worker_tells_has_no_secrets_and_stays_in_its_trace() {
        let attempt = Context::parse(TEXT).unwrap();
        let redactor = Redactor::new(&BTreeMap::from([("/password".to_owned(), "hunter2-word".into())]));
        let told = span().of_worker(&attempt, &redactor).unwrap();
        assert_eq!(told.error.as_deref(), Some("[secret] was refused"));
        assert_eq!(told.attributes, [("at".into(), "db [secret]".into()), ("rows".into(), 3_u64.into())]);
        assert_eq!(told.kind, SpanKind::Internal);
        let line = serde_json::to_string(&told).unwrap();
        assert_eq!(serde_json::from_str::<Span>(&line).unwrap(), told);

        let other = Context { trace: 9, ..attempt };
        assert_eq!(span().of_worker(&other, &redactor), None);
        assert_eq!(Span { parent: None, ..span() }.of_worker(&attempt, &redactor), None);
        assert_eq!(Span { context: attempt, ..span() }.of_worker(&attempt, &redactor), None, "it is the host's own");
        let long = Span { name: "x".repeat(5_000), attributes: vec![("a".into(), 1_u64.into()); 99], ..span() };
        let long = long.of_worker(&attempt, &redactor).unwrap();
        assert_eq!((long.name.len(), long.attributes.len()), (MOST_TEXT + '…'.len_utf8(), MOST_ATTRIBUTES));
    }
}
