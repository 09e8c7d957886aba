//! A connector that is healthy unless its configuration names an attack.

#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this guest is built to misbehave, and is only ever run inside the sandbox"
)]

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde::Deserialize;
use sluice_sdk::net::Connection;
use sluice_sdk::{
    CheckStep, Config, Cursor, Directive, DiscoverFilter, DiscoverPage, Error, Hints, Manifest, Output, Plan, ReadMode,
    Result, Selection, Source, Split, StreamInfo, StreamKind, StreamPlan,
};

#[derive(Clone, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub struct HostileConfig {
    /// What to do while a split is read; `none` reads it properly.
    #[serde(default)]
    pub attack: String,
    /// Rows in the stream.
    #[serde(default)]
    pub rows: i64,
    /// Rows in a batch.
    #[serde(default)]
    pub batch: i64,
    /// Splits of the stream.
    #[serde(default)]
    pub splits: i64,
    /// Milliseconds to wait after each batch.
    #[serde(default)]
    pub pause_ms: u64,
    /// The session that splits are planned in: the plan expires, and splits of another session than this one have expired. Empty:
    /// the plan does not expire.
    #[serde(default)]
    pub session: String,
    /// Where to connect to, for attacks on the network.
    #[serde(default)]
    pub host: String,
    /// The port of it.
    #[serde(default)]
    pub port: u16,
    /// A secret that enters the sandbox.
    #[config(secret)]
    pub password: Option<String>,
    /// A secret that must not.
    #[config(secret)]
    pub token: Option<String>,
}

#[derive(Manifest)]
#[manifest(
    name = "hostile",
    title = "Hostile",
    description = "Misbehaves on request.",
    publisher = "Sluice",
    config = HostileConfig,
    hosts("{host}:{port}"),
    secrets_inside("password"),
    folders("/data"),
    capabilities(incremental, splits, estimate)
)]
pub struct Hostile {
    config: HostileConfig,
}

sluice_sdk::export!(Hostile);

const STREAM: &str = "numbers";

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false), Field::new("name", DataType::Utf8, true)]))
}

/// Rows `from..to`.
fn batch(from: i64, to: i64) -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(from..to));
    let names: ArrayRef =
        Arc::new(StringArray::from_iter((from..to).map(|id| (id % 7 != 0).then(|| format!("name {id}")))));
    RecordBatch::try_new(schema(), vec![ids, names]).unwrap_or_else(|e| panic!("{e}"))
}

impl Source for Hostile {
    type Config = HostileConfig;

    fn open(config: HostileConfig) -> Result<Self> {
        Ok(Self { config })
    }

    fn check(&mut self) -> Result<Vec<CheckStep>> {
        let inside = self.config.token.as_deref().unwrap_or("nothing");
        Ok(vec![
            CheckStep::passed("token", format!("the sandbox holds {inside}")),
            CheckStep::failed("terminal\u{1b}[2J", "\u{202e}reversed", "none"),
        ])
    }

    fn discover(&mut self, _filter: &DiscoverFilter, _page: Option<&str>) -> Result<DiscoverPage> {
        let stream = StreamInfo {
            id: STREAM.into(),
            kind: StreamKind::Other,
            schema: schema(),
            primary_key: vec!["id".into()],
            cursor_candidates: vec!["id".into()],
            rows: Some(self.config.rows.unsigned_abs()),
            bytes: None,
            description: None,
        };
        Ok(DiscoverPage { streams: vec![stream], next: None })
    }

    fn plan(&mut self, selections: &[Selection], _hints: &Hints) -> Result<Plan> {
        let [selection] = selections else { return Err(Error::unsupported("one stream at a time")) };
        self.remember()?;
        let state = selection.state.as_deref().and_then(number).unwrap_or(0);
        let first = if matches!(selection.mode, ReadMode::Incremental(_)) { state } else { 0 };
        let (rows, parts) = (self.config.rows, self.config.splits.max(1));
        let part = |index: i64| first + (rows - first).max(0) * index / parts;
        let splits = (0..parts).filter(|index| part(*index) < part(index + 1)).map(|index| Split {
            id: format!("part-{index}"),
            streams: vec![STREAM.into()],
            descriptor: format!("{} {} {}", part(index), part(index + 1), self.config.session).into_bytes(),
            rows: Some((part(index + 1) - part(index)).unsigned_abs()),
            bytes: None,
            resumable: true,
        });
        let stream = StreamPlan {
            id: STREAM.into(),
            schema: schema(),
            rows: Some((rows - first).max(0).unsigned_abs()),
            bytes: None,
            state_after: Some(rows.max(first).to_string().into_bytes()),
        };
        Ok(Plan { streams: vec![stream], splits: splits.collect(), expires: !self.config.session.is_empty() })
    }

    fn read(&mut self, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
        match self.config.attack.as_str() {
            "" | "none" | "items" => self.rows(split, start, output),
            attack => self.attack(attack, output),
        }
    }
}

impl Drop for Hostile {
    /// What a planning instance does when it is closed.
    fn drop(&mut self) {
        match self.config.attack.as_str() {
            "say-goodbye" => sluice_sdk::log::info("goodbye"),
            "never-leave" => loop {
                std::hint::spin_loop();
            },
            _ => {}
        }
    }
}

/// Far more than a plan may remember.
const MANY: usize = 3_000_000;

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

impl Hostile {
    /// What a plan remembers, properly or not.
    fn remember(&self) -> Result<()> {
        use sluice_sdk::items::{recall, remember, replace};
        let one = |key: &str, value: &[u8]| vec![(key.to_owned(), value.to_vec())];
        match self.config.attack.as_str() {
            "items" => {
                let known = recall(STREAM, &["visits".to_owned(), "never".to_owned()])?;
                let visits = known.first().cloned().flatten().map_or(0, |value| value.len());
                sluice_sdk::log::warn(format!("{visits} visits, {:?}", known.get(1)));
                remember(STREAM, &one("visits", &vec![1; visits + 1]))
            }
            "items-fail" => {
                remember(STREAM, &one("visits", &[1; 100]))?;
                Err(Error::transient("after it was remembered"))
            }
            "items-replace" => replace(STREAM, &["a".to_owned()]),
            "items-stranger" => remember("another", &one("a", b"")),
            "items-recall-stranger" => recall("another", &["a".to_owned()]).map(drop),
            "items-long-key" => remember(STREAM, &one(&"k".repeat(5_000), b"")),
            "items-recall-long-key" => recall(STREAM, &["k".repeat(5_000)]).map(drop),
            "items-long-value" => remember(STREAM, &one("a", &[0; 300])),
            "items-many-at-once" => remember(STREAM, &vec![("a".to_owned(), Vec::new()); 10_001]),
            "items-recall-many-at-once" => recall(STREAM, &vec!["a".to_owned(); 10_001]).map(drop),
            "items-many" => {
                (0..MANY / 10_000).try_for_each(|_| remember(STREAM, &vec![("a".to_owned(), Vec::new()); 10_000]))
            }
            "items-bytes" => {
                (0..MANY / 10_000).try_for_each(|_| remember(STREAM, &vec![("a".to_owned(), vec![0; 200]); 10_000]))
            }
            _ => Ok(()),
        }
    }

    /// What an honest connector does: batches, each followed by a checkpoint.
    fn rows(&self, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
        let descriptor = String::from_utf8_lossy(&split.descriptor).into_owned();
        let mut parts = descriptor.splitn(3, ' ');
        let (Some(from), Some(to), Some(session)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Error::internal("descriptor"));
        };
        if session != self.config.session {
            return Err(Error::expired(format!("session {session} is over")));
        }
        let (from, to) = (from.parse::<i64>().unwrap_or(0), to.parse::<i64>().unwrap_or(0));
        let mut next = start.and_then(|cursor| number(cursor)).unwrap_or(from);
        let mut channel = output.stream(STREAM, schema())?;
        let size = self.config.batch.max(1);
        while next < to {
            let end = (next + size).min(to);
            channel.push(&batch(next, end))?;
            next = end;
            if channel.checkpoint(&next.to_string().into_bytes())? == Directive::Stop {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(self.config.pause_ms));
        }
        Ok(())
    }

    fn attack(&self, attack: &str, output: &mut Output) -> Result<()> {
        match attack {
            "trap" => panic!("boom, my password is {}", self.config.password.as_deref().unwrap_or("none")),
            "spin" => loop {
                std::hint::spin_loop();
            },
            "sleep" => loop {
                std::thread::sleep(std::time::Duration::from_secs(3600));
            },
            "memory" => {
                let mut hoard: Vec<Vec<u8>> = Vec::new();
                loop {
                    hoard.push(vec![1; 8 << 20]);
                }
            }
            "stack" => {
                std::hint::black_box(deeper(0));
                Ok(())
            }
            "log-flood" => {
                for line in 0..200_000 {
                    sluice_sdk::log::info(format!("line {line} with nothing to say, at some length"));
                }
                Ok(())
            }
            "log-forgery" => {
                let secret = self.config.password.clone().unwrap_or_default();
                sluice_sdk::log::warn(format!("\u{1b}[2Jfirst\n2026-01-01 ERROR forged {secret}"));
                Ok(())
            }
            "files" => match std::fs::read_to_string("/etc/passwd") {
                Ok(_) => Err(Error::internal("the guest read /etc/passwd")),
                Err(error) => Err(Error::not_found(format!("no file: {error}"))),
            },
            "escape-folder" => match std::fs::read_to_string("/data/../../etc/passwd") {
                Ok(_) => Err(Error::internal("the guest left its folder")),
                Err(error) => Err(Error::not_found(format!("no file: {error}"))),
            },
            "write-folder" => match std::fs::write("/data/written", "x") {
                Ok(()) => Err(Error::internal("the guest wrote to a read-only folder")),
                Err(error) => Err(Error::not_found(format!("not written: {error}"))),
            },
            "items-while-reading" => sluice_sdk::items::remember(STREAM, &[("a".to_owned(), Vec::new())]),
            "items-recall-while-reading" => sluice_sdk::items::recall(STREAM, &["a".to_owned()]).map(drop),
            "environment" => {
                let seen = std::env::vars().count() + std::env::args().count();
                Err(Error::not_found(format!("{seen} variables and arguments")))
            }
            "connect" => {
                Connection::open(&self.config.host, self.config.port, None)?;
                Err(Error::internal("the guest was let through"))
            }
            "connect-undeclared" => {
                Connection::open("undeclared.example.com", 443, None)?;
                Err(Error::internal("the guest was let through"))
            }
            "connection-flood" => {
                let mut open = Vec::new();
                loop {
                    open.push(Connection::open(&self.config.host, self.config.port, None)?);
                }
            }
            "flood" => {
                let mut channel = output.stream(STREAM, schema())?;
                let rows = batch(0, 10_000);
                loop {
                    channel.push(&rows)?;
                }
            }
            "another-schema" => {
                let other = Arc::new(Schema::new(vec![Field::new("id", DataType::Utf8, true)]));
                output.stream(STREAM, other).map(drop)
            }
            "another-stream" => output.stream("somebody-elses", schema()).map(drop),
            _ => raw::attack(attack, output),
        }
    }
}

#[inline(never)]
#[expect(unconditional_recursion, reason = "it is the attack")]
fn deeper(depth: u64) -> u64 {
    deeper(std::hint::black_box(depth) + 1) ^ depth
}

/// Attacks below the SDK: bytes that it would never send.
#[cfg(target_family = "wasm")]
mod raw {
    use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};
    use sluice_sdk::__private::bindings::sluice::source::output as wit;
    use sluice_sdk::__private::borrowing::sluice::source::output as parts;
    use sluice_sdk::{Error, Output, Result};

    use super::{STREAM, batch, schema};

    fn failed(error: impl std::fmt::Debug) -> Error {
        Error::internal(format!("{error:?}"))
    }

    pub(super) fn attack(attack: &str, output: &mut Output) -> Result<()> {
        let mut channel = output.stream(STREAM, schema())?;
        channel.push(&batch(0, 10))?;
        match attack {
            "garbage" => wit::push(0, &[0xab; 4096]).map_err(failed),
            "huge-length" => wit::push(0, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).map_err(failed),
            "huge-batch" => wit::push(0, &vec![0; 70 << 20]).map_err(failed),
            "huge-call" => wit::push(0, &vec![0; 120 << 20]).map_err(failed),
            "undeclared-channel" => wit::push(7, &[]).map_err(failed),
            "lying-checkpoint" => wit::checkpoint(0, b"cursor", 11).map(drop).map_err(failed),
            "cursor-bomb" => wit::checkpoint(0, &vec![0; 1 << 20], 10).map(drop).map_err(failed),
            "short-row" => wit::push_rows(0, &[vec![wit::Value::Integer(1)]]).map_err(failed),
            "wrong-kind" => {
                let row = vec![wit::Value::Text("one".into()), wit::Value::Null];
                wit::push_rows(0, &[row]).map_err(failed)
            }
            "odd-pieces" => {
                let (metadata, body) = message();
                let mut pieces = vec![&[][..]; 1000];
                pieces.extend(body.chunks(64));
                pieces.push(&[]);
                parts::push_parts(0, &metadata, &pieces).map_err(failed)
            }
            "missing-piece" => {
                let (metadata, body) = message();
                parts::push_parts(0, &metadata, &[&body[64..]]).map_err(failed)
            }
            "shifted-pieces" => {
                // The same bytes, but cut where the host fills up: the layout is no longer the flatbuffer's.
                let (metadata, body) = message();
                parts::push_parts(0, &metadata, &[&body[..1], &body[1..]]).map_err(failed)
            }
            "long-metadata" => {
                let (mut metadata, body) = message();
                metadata.extend_from_slice(&body);
                parts::push_parts(0, &metadata, &[&body]).map_err(failed)
            }
            "no-metadata" => parts::push_parts(0, &[], &[&[0; 64]]).map_err(failed),
            "many-pieces" => parts::push_parts(0, &message().0, &vec![&[][..]; 100_000]).map_err(failed),
            "overlapping-pieces" => {
                let memory = vec![0; 1 << 20];
                parts::push_parts(0, &message().0, &[&memory[..]; 70]).map_err(failed)
            }
            "piece-bomb" => {
                let memory = vec![0; 1 << 20];
                parts::push_parts(0, &message().0, &vec![&memory[..]; 30_000]).map_err(failed)
            }
            "piece-beyond-memory" => beyond([u32::MAX - 64, 1 << 20]),
            "endless-piece" => beyond([64, u32::MAX]),
            other => Err(Error::config(format!("there is no attack named {other}"))),
        }
    }

    /// The metadata and body of an honest batch.
    fn message() -> (Vec<u8>, Vec<u8>) {
        let options = IpcWriteOptions::default();
        let (mut tracker, mut context) = (DictionaryTracker::new(false), IpcWriteContext::default());
        let (_, encoded) = IpcDataGenerator::default()
            .encode(&batch(10, 20), &mut tracker, &options, &mut context)
            .unwrap_or_else(|e| panic!("{e}"));
        let length = encoded.ipc_message.len().next_multiple_of(8);
        let mut metadata = vec![0xff; 4];
        metadata.extend_from_slice(&u32::try_from(length).unwrap_or(0).to_le_bytes());
        metadata.extend_from_slice(&encoded.ipc_message);
        metadata.resize(8 + length, 0);
        (metadata, encoded.arrow_data)
    }

    #[link(wasm_import_module = "sluice:source/output@0.1.0")]
    unsafe extern "C" {
        #[link_name = "push-parts"]
        fn push_parts(channel: u32, metadata: *const u8, length: u32, body: *const [u32; 2], pieces: u32, ret: *mut u8);
    }

    /// Names memory that is not there; a slice of Rust's cannot.
    fn beyond(piece: [u32; 2]) -> Result<()> {
        let (metadata, mut ret) = (message().0, [0_u64; 16]);
        // SAFETY: what is passed is alive during the call, except for the piece itself, which is the host's to refuse.
        unsafe {
            push_parts(0, metadata.as_ptr(), metadata.len() as u32, &raw const piece, 1, ret.as_mut_ptr().cast());
        }
        Err(Error::internal("the piece was taken"))
    }
}

#[cfg(not(target_family = "wasm"))]
mod raw {
    use sluice_sdk::{Error, Output, Result};

    pub(super) fn attack(attack: &str, _: &mut Output) -> Result<()> {
        Err(Error::unsupported(format!("{attack} needs the sandbox")))
    }
}
