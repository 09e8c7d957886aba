//! Answers in the place of a source: what was answered when it was recorded, to the same question.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::event::{Event, Exchange, Request, Response, Told};
use super::{Instance, scram};

/// What the code of a refusal is that the recording makes, not the source.
pub(super) const NOT_RECORDED: &str = "not-recorded";

/// How far a clock goes on with each look at it once the recording has no more of it.
const TICK: u64 = 1_000_000;

/// What a login is found in: the first pieces of a conversation, if they are short.
const LOGIN_PIECES: usize = 16;
const LOGIN_BYTES: usize = 4 << 10;

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A response, and the number of the event that it was recorded in.
    Response(Response, usize),
    /// A failure, and the number of the event.
    Failed(Told, usize),
    /// It was sent, and nobody waited for its answer.
    Never(usize),
    /// It was not recorded.
    Unknown(Told),
}

/// The answers that one instance was given.
pub struct Player {
    recorded: Arc<Instance>,
    /// Exchanges and connections that were used.
    used: BTreeSet<usize>,
    conversations: BTreeMap<u32, Conversation>,
    wall: VecDeque<u64>,
    monotonic: VecDeque<u64>,
    last: (u64, u64),
    /// For the first replay, which finds out what is sent with stand-ins: these, and nothing that is sent is compared.
    stand_ins: Option<Vec<String>>,
}

/// A connection.
#[derive(Default)]
struct Conversation {
    /// The number of its connection in the recording.
    number: u32,
    /// Where in the recording it is.
    at: usize,
    sent: Vec<u8>,
    /// What should have been sent by now, and how much of it was compared.
    expected: Vec<u8>,
    compared: usize,
    /// Of a piece that the guest took a part of.
    rest: VecDeque<u8>,
    /// The first pieces in both directions; true for those that were sent.
    login: Vec<(bool, Vec<u8>)>,
}

impl Player {
    /// Answers as the recording of an instance does, if the same is asked.
    pub fn new(recorded: Arc<Instance>) -> Self {
        let clock = |wanted: fn(&Event) -> Option<u64>| recorded.events.iter().filter_map(wanted).collect();
        let wall: VecDeque<u64> = clock(|event| if let Event::WallClock(at) = event { Some(*at) } else { None });
        let monotonic: VecDeque<u64> =
            clock(|event| if let Event::MonotonicClock(at) = event { Some(*at) } else { None });
        let last = (wall.front().copied().unwrap_or_default(), monotonic.front().copied().unwrap_or_default());
        Self { recorded, used: BTreeSet::new(), conversations: BTreeMap::new(), wall, monotonic, last, stand_ins: None }
    }

    /// Answers as it was recorded though something else is sent, where a secret had its part in it: the first replay, in which the
    /// guest has these stand-ins for secrets.
    #[must_use]
    pub fn with_stand_ins(mut self, stand_ins: Vec<String>) -> Self {
        self.stand_ins = Some(stand_ins);
        self
    }

    /// What its random numbers are made of.
    pub fn random(&self) -> &str {
        &self.recorded.random
    }

    /// The time, nanoseconds since 1970.
    pub fn wall_clock(&mut self) -> u64 {
        self.last.0 = self.wall.pop_front().unwrap_or_else(|| self.last.0.saturating_add(TICK));
        self.last.0
    }

    /// The monotonic clock, nanoseconds.
    pub fn monotonic_clock(&mut self) -> u64 {
        self.last.1 = self.monotonic.pop_front().unwrap_or_else(|| self.last.1.saturating_add(TICK));
        self.last.1
    }

    /// What was remembered under a key.
    pub fn recall(&self, stream: &str, key: &str) -> Option<Vec<u8>> {
        self.recorded.events.iter().find_map(|event| match event {
            Event::Recall { stream: of, found } if of == stream => {
                found.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_ref().map(|bytes| bytes.0.clone()))
            }
            _ => None,
        })?
    }

    /// The answer to a request: that of the first one with the same method, URL and body that was not used yet.
    pub fn http(&mut self, request: &Request) -> Answer {
        let open = || {
            self.recorded.events.iter().enumerate().filter_map(|(at, event)| match event {
                Event::Http(exchange) if !self.used.contains(&at) => Some((at, exchange)),
                _ => None,
            })
        };
        let path = |url: &str| url.split('?').next().unwrap_or_default().to_owned();
        let exact = open().find(|(_, exchange)| is_same(&exchange.request, request));
        // A signature that the guest made is in a header or the query; else the order has to do.
        let near = || {
            self.stand_ins.as_ref()?;
            let alike = |(_, other): &(usize, &Exchange)| {
                other.request.method == request.method && path(&other.request.url) == path(&request.url)
            };
            open().find(alike).or_else(|| open().next())
        };
        let Some((at, exchange)) = exact.or_else(near) else {
            return Answer::Unknown(unknown(format!("{} {}", request.method, request.url)));
        };
        let answer = match (&exchange.response, &exchange.failed) {
            (Some(response), _) => Answer::Response(response.clone(), at),
            (None, Some(told)) => Answer::Failed(told.clone(), at),
            (None, None) => Answer::Never(at),
        };
        self.used.insert(at);
        answer
    }

    /// Opens connection number `connection` of the replay.
    ///
    /// # Errors
    /// That of the recording, or that there is none.
    pub fn connect(&mut self, connection: u32, host: &str, port: u16) -> Result<(), Told> {
        let found = self.recorded.events.iter().enumerate().find_map(|(at, event)| match event {
            Event::Connect { connection, host: to, port: at_port, failed, .. }
                if to == host && *at_port == port && !self.used.contains(&at) =>
            {
                Some((at, *connection, failed.clone()))
            }
            _ => None,
        });
        let (at, number, failed) = found.ok_or_else(|| unknown(format!("a connection to {host}:{port}")))?;
        self.used.insert(at);
        self.conversations.insert(connection, Conversation { number, at, ..Conversation::default() });
        failed.map_or(Ok(()), Err)
    }

    /// Takes what is sent.
    pub fn sent(&mut self, connection: u32, bytes: &[u8]) {
        if let Some(conversation) = self.conversations.get_mut(&connection) {
            if self.stand_ins.is_none() {
                conversation.sent.extend_from_slice(bytes);
            }
            conversation.overhear(true, bytes);
        }
    }

    /// Hands out what came next, at most `max` bytes; nothing at the end.
    ///
    /// # Errors
    /// That of the recording; or that it has no answer to what was sent.
    pub fn received(&mut self, connection: u32, max: usize) -> Result<Vec<u8>, Told> {
        let Some(conversation) = self.conversations.get_mut(&connection) else {
            return Err(unknown("a connection that was not opened".to_owned()));
        };
        if conversation.rest.is_empty() {
            let (piece, failed) = conversation.next_piece(&self.recorded.events)?;
            if let Some(told) = failed {
                return Err(told);
            }
            if conversation.compared < conversation.expected.len() && self.stand_ins.is_none() {
                conversation.compare()?;
            }
            let piece = match &self.stand_ins {
                Some(stand_ins) => scram::answer(&conversation.login, piece, stand_ins),
                None => piece,
            };
            conversation.overhear(false, &piece);
            conversation.rest.extend(piece);
        }
        let take = conversation.rest.len().min(max);
        Ok(conversation.rest.drain(..take).collect())
    }

    /// Turns TLS on, or fails as it was recorded.
    ///
    /// # Errors
    /// That of the recording, or that it was not recorded.
    pub fn start_tls(&mut self, connection: u32) -> Result<(), Told> {
        let number = self.conversations.get(&connection).map(|conversation| conversation.number);
        let found = self.recorded.events.iter().find_map(|event| match event {
            Event::StartTls { connection, failed, .. } if Some(*connection) == number => Some(failed.clone()),
            _ => None,
        });
        found.ok_or_else(|| unknown("TLS on this connection".to_owned()))?.map_or(Ok(()), Err)
    }

    /// The channel binding of a connection.
    pub fn server_end_point(&self, connection: u32) -> Option<Vec<u8>> {
        let number = self.conversations.get(&connection)?.number;
        self.recorded.events.iter().find_map(|event| match event {
            Event::ServerEndPoint { connection, bytes } if *connection == number => {
                Some(bytes.as_ref().map(|bytes| bytes.0.clone()))
            }
            _ => None,
        })?
    }
}

impl Conversation {
    /// The next piece of the recording, having noted what should be sent before it.
    fn next_piece(&mut self, events: &[Event]) -> Result<(Vec<u8>, Option<Told>), Told> {
        while let Some(event) = events.get(self.at) {
            self.at += 1;
            match event {
                Event::Sent { connection, bytes, .. } if *connection == self.number => {
                    self.expected.extend_from_slice(&bytes.0);
                }
                Event::Received { connection, bytes, failed } if *connection == self.number => {
                    return Ok((bytes.0.clone(), failed.clone()));
                }
                _ => {}
            }
        }
        Err(unknown("an answer beyond the end of the conversation".to_owned()))
    }

    /// Whether what was sent is what was recorded. Only what has not been compared yet is.
    fn compare(&mut self) -> Result<(), Told> {
        let expected = self.expected.get(self.compared..).unwrap_or_default();
        let sent = self.sent.get(self.compared..).unwrap_or_default();
        if !sent.starts_with(expected) {
            return Err(unknown("an answer to what was sent".to_owned()));
        }
        self.compared = self.expected.len();
        Ok(())
    }

    fn overhear(&mut self, sent: bool, bytes: &[u8]) {
        if self.login.len() < LOGIN_PIECES && bytes.len() <= LOGIN_BYTES {
            self.login.push((sent, bytes.to_vec()));
        }
    }
}

pub(super) fn is_same(one: &Request, other: &Request) -> bool {
    one.method == other.method && one.url == other.url && one.body == other.body
}

fn unknown(what: String) -> Told {
    let message = format!("the recording does not have {what}");
    Told { code: Some(NOT_RECORDED.to_owned()), kind: "protocol".to_owned(), message }
}

#[cfg(test)]
#[path = "player_tests.rs"]
mod tests;
