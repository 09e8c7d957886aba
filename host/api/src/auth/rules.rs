//! What a route asks of whoever calls it, and what it declares besides: whether its answer holds a secret, how long it may take, how
//! large a body it reads.

use std::time::Duration;

use sluice_core::access::Operation;

/// Largest body that an operation takes, bytes, where it does not say otherwise.
pub const MAX_BODY: usize = 1 << 20;

/// How long an operation may take where it does not say otherwise.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);

/// What an operation asks of whoever calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: how one signs in, and how the service is.
    Nobody,
    /// Somebody who is signed in, or a token.
    Somebody,
    /// A person who is signed in; no token, because it is about the account itself.
    Person,
    /// A member of the tenant in the address whose role allows this.
    Member(Operation),
    /// The same, and signed in: what would let a token make something that outlives or outranks it.
    PersonWho(Operation),
}

impl Needs {
    /// The word in the document: `nobody`, `somebody`, `person`, or the operation's.
    pub fn word(self) -> serde_json::Value {
        match self {
            Self::Nobody => "nobody".into(),
            Self::Somebody => "somebody".into(),
            Self::Person => "person".into(),
            Self::Member(operation) | Self::PersonWho(operation) => serde_json::to_value(operation).unwrap_or_default(),
        }
    }

    /// Whether a token is refused, whatever its role.
    pub fn in_person(self) -> bool {
        matches!(self, Self::Person | Self::PersonWho(_))
    }

    /// What the member's role must allow.
    pub fn operation(self) -> Option<Operation> {
        match self {
            Self::Member(operation) | Self::PersonWho(operation) => Some(operation),
            Self::Nobody | Self::Somebody | Self::Person => None,
        }
    }
}

/// What a route declares. Made of what it needs; the rest has defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What whoever calls it must be.
    pub needs: Needs,
    /// Whether the answer holds a secret, which must never be stored: such an operation knows no `Idempotency-Key`.
    pub answers_secret: bool,
    /// How long it may take; none for streams of events.
    pub within: Option<Duration>,
    /// Largest body, bytes.
    pub body: usize,
    /// Whether requests of nobody are counted against their address.
    pub limited: bool,
}

impl From<Needs> for Rules {
    fn from(needs: Needs) -> Self {
        Self { needs, answers_secret: false, within: Some(TIME_LIMIT), body: MAX_BODY, limited: true }
    }
}

impl Rules {
    /// The defaults of an operation that needs this.
    pub fn of(needs: Needs) -> Self {
        needs.into()
    }

    /// Its answer holds a secret.
    #[must_use]
    pub fn answers_secret(self) -> Self {
        Self { answers_secret: true, ..self }
    }

    /// It may take so long.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self { within: Some(time), ..self }
    }

    /// It may take as long as the client stays.
    #[must_use]
    pub fn without_end(self) -> Self {
        Self { within: None, ..self }
    }

    /// It reads a body of so many bytes.
    #[must_use]
    pub fn body(self, bytes: usize) -> Self {
        Self { body: bytes, ..self }
    }

    /// It is asked often, by what watches the service.
    #[must_use]
    pub fn unlimited(self) -> Self {
        Self { limited: false, ..self }
    }
}
