//! Answers in the place of a source: what was answered when it was recorded, to the same question.

use std::collections::{BTreeMap, HashMap, VecDeque};
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
    /// Numbers of the exchanges that were not used yet, by method and URL.
    exchanges: HashMap<(String, String), VecDeque<usize>>,
    /// Those of connections, by host and port.
    connects: HashMap<(String, u16), VecDeque<usize>>,
    recalled: HashMap<(String, String), Option<Vec<u8>>>,
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
        let mut exchanges: HashMap<_, VecDeque<usize>> = HashMap::new();
        let mut connects: HashMap<_, VecDeque<usize>> = HashMap::new();
        let mut recalled = HashMap::new();
        for (at, event) in recorded.events.iter().enumerate() {
            match event {
                Event::Http(Exchange { request, .. }) => {
                    exchanges.entry((request.method.clone(), request.url.clone())).or_default().push_back(at);
                }
                Event::Connect { host, port, .. } => connects.entry((host.clone(), *port)).or_default().push_back(at),
                Event::Recall { stream, found } => {
                    let found = found.iter().map(|(key, value)| {
                        ((stream.clone(), key.clone()), value.as_ref().map(|bytes| bytes.0.clone()))
                    });
                    recalled.extend(found);
                }
                _ => {}
            }
        }
        let conversations = BTreeMap::new();
        Self { recorded, exchanges, connects, recalled, conversations, wall, monotonic, last, stand_ins: None }
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
        self.recalled.get(&(stream.to_owned(), key.to_owned())).cloned().flatten()
    }

    /// The answer to a request: that of the first one with the same method, URL and body that was not used yet; of several the one with
    /// the same headers, which may ask for another range.
    pub fn http(&mut self, request: &Request) -> Answer {
        let exchange = |at: usize| match self.recorded.events.get(at) {
            Some(Event::Http(exchange)) => Some(exchange),
            _ => None,
        };
        let key = (request.method.clone(), request.url.clone());
        let is_same = |at: &usize| exchange(*at).is_some_and(|exchange| exchange.request.body == request.body);
        let same = || self.exchanges.get(&key).into_iter().flatten().copied().filter(is_same);
        let headers = |at: &usize| exchange(*at).is_some_and(|exchange| exchange.request.headers == request.headers);
        let exact = same().find(headers).or_else(|| same().next());
        let Some((at, found)) = exact.or_else(|| self.near(request)).and_then(|at| Some((at, exchange(at)?))) else {
            return Answer::Unknown(unknown(format!("{} {}", request.method, request.url)));
        };
        let answer = match (&found.response, &found.failed) {
            (Some(response), _) => Answer::Response(response.clone(), at),
            (None, Some(told)) => Answer::Failed(told.clone(), at),
            (None, None) => Answer::Never(at),
        };
        let key = (found.request.method.clone(), found.request.url.clone());
        if let Some(open) = self.exchanges.get_mut(&key) {
            open.retain(|other| *other != at);
        }
        answer
    }

    /// A request that may be the same, where a signature that the guest made of a secret is in its query or body: one to the same path,
    /// or the next one.
    fn near(&self, request: &Request) -> Option<usize> {
        self.stand_ins.as_ref()?;
        let path = |url: &str| url.split('?').next().unwrap_or_default().to_owned();
        let wanted = (request.method.as_str(), path(&request.url));
        let open = || self.exchanges.iter().filter_map(|(key, open)| Some((key, *open.front()?)));
        let alike = open().filter(|((method, url), _)| (method.as_str(), path(url)) == wanted).map(|(_, at)| at).min();
        alike.or_else(|| open().map(|(_, at)| at).min())
    }

    /// Opens connection number `connection` of the replay.
    ///
    /// # Errors
    /// That of the recording, or that there is none.
    pub fn connect(&mut self, connection: u32, host: &str, port: u16) -> Result<(), Told> {
        let open = self.connects.get_mut(&(host.to_owned(), port)).and_then(VecDeque::pop_front);
        let found = open.and_then(|at| Some((at, self.recorded.events.get(at)?)));
        let Some((at, Event::Connect { connection: number, failed, .. })) = found else {
            return Err(unknown(format!("a connection to {host}:{port}")));
        };
        self.conversations.insert(connection, Conversation { number: *number, at, ..Conversation::default() });
        failed.clone().map_or(Ok(()), Err)
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

fn unknown(what: String) -> Told {
    let message = format!("the recording does not have {what}");
    Told { code: Some(NOT_RECORDED.to_owned()), kind: "protocol".to_owned(), message }
}

#[cfg(test)]
#[path = "player_tests.rs"]
mod tests;
