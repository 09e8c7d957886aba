//! A connector that is healthy unless its configuration names an attack.

#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "this guest is built to misbehave, and is only ever run inside the sandbox"
)]

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use hostile_guests::Attack;
use serde::Deserialize;
use sluice_sdk::http::Request;
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
        if self.attack_named() == Some(Attack::check_flood) {
            return Ok(vec![CheckStep::passed("again", "and again"); 100_000]);
        }
        Ok(vec![
            CheckStep::passed("token", format!("the sandbox holds {inside}")),
            CheckStep::failed("terminal\u{1b}[2J", "\u{202e}reversed", "none"),
        ])
    }

    fn discover(&mut self, _filter: &DiscoverFilter, page: Option<&str>) -> Result<DiscoverPage> {
        let nothing = |next: String| Ok(DiscoverPage { streams: Vec::new(), next: Some(next) });
        match self.attack_named() {
            Some(Attack::endless_pages) => return nothing(format!("{}x", page.unwrap_or_default())),
            Some(Attack::circling_pages) => return nothing("again".into()),
            _ => {}
        }
        let id = match self.attack_named() {
            Some(Attack::nameless_stream) => String::new(),
            Some(Attack::long_stream) => "s".repeat(5_000),
            Some(Attack::escaping_stream) => "numbers\u{1b}[2J".into(),
            Some(Attack::reversed_stream) => "numbers\u{202e}vsc.exe".into(),
            _ => STREAM.into(),
        };
        let stream = StreamInfo {
            id,
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
        let plan = Plan { streams: vec![stream], splits: splits.collect(), expires: !self.config.session.is_empty() };
        self.planned(plan)
    }

    fn read(&mut self, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
        match self.attack_named() {
            None => self.rows(split, start, output),
            Some(attack) => self.attack(attack, output),
        }
    }
}

impl Drop for Hostile {
    /// What a planning instance does when it is closed.
    fn drop(&mut self) {
        if self.config.attack == "say-goodbye" {
            sluice_sdk::log::info("goodbye");
        }
        if self.attack_named() == Some(Attack::never_leave) {
            spin();
        }
    }
}

/// Far more than a plan may remember.
const MANY: usize = 3_000_000;

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn spin() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

impl Hostile {
    /// The attack that the configuration names; none for the other ways to behave.
    fn attack_named(&self) -> Option<Attack> {
        Attack::named(&self.config.attack.replace('-', "_"))
    }

    /// What a plan remembers, properly or not.
    fn remember(&self) -> Result<()> {
        use sluice_sdk::items::{recall, remember, replace};
        let one = |key: &str, value: &[u8]| vec![(key.to_owned(), value.to_vec())];
        match self.config.attack.as_str() {
            "items" => {
                let known = recall(STREAM, &["visits".to_owned(), "never".to_owned()])?;
                let visits = known.first().cloned().flatten().map_or(0, |value| value.len());
                sluice_sdk::log::warn(format!("{visits} visits, {:?}", known.get(1)));
                return remember(STREAM, &one("visits", &vec![1; visits + 1]));
            }
            "items-fail" => {
                remember(STREAM, &one("visits", &[1; 100]))?;
                return Err(Error::transient("after it was remembered"));
            }
            _ => {}
        }
        let many = |entries: Vec<(String, Vec<u8>)>| (0..MANY / 10_000).try_for_each(|_| remember(STREAM, &entries));
        match self.attack_named() {
            Some(Attack::items_replace) => replace(STREAM, &["a".to_owned()]),
            Some(Attack::items_stranger) => remember("another", &one("a", b"")),
            Some(Attack::items_recall_stranger) => recall("another", &["a".to_owned()]).map(drop),
            Some(Attack::items_long_key) => remember(STREAM, &one(&"k".repeat(5_000), b"")),
            Some(Attack::items_recall_long_key) => recall(STREAM, &["k".repeat(5_000)]).map(drop),
            Some(Attack::items_long_value) => remember(STREAM, &one("a", &[0; 300])),
            Some(Attack::items_many_at_once) => remember(STREAM, &vec![("a".to_owned(), Vec::new()); 10_001]),
            Some(Attack::items_recall_many_at_once) => recall(STREAM, &vec!["a".to_owned(); 10_001]).map(drop),
            Some(Attack::items_many) => many(vec![("a".to_owned(), Vec::new()); 10_000]),
            Some(Attack::items_bytes) => many(vec![("a".to_owned(), vec![0; 200]); 10_000]),
            _ => Ok(()),
        }
    }

    /// The plan, or what an attack makes of it.
    fn planned(&self, mut plan: Plan) -> Result<Plan> {
        let first = plan.splits.first().cloned();
        let split = || first.clone().ok_or_else(|| Error::internal("no rows were asked for"));
        match self.attack_named() {
            Some(Attack::spin_in_planning) => spin(),
            Some(Attack::push_in_planning) => raw::push_in_planning()?,
            Some(Attack::state_bomb) => plan.streams.iter_mut().for_each(|s| s.state_after = Some(vec![0; 1 << 20])),
            Some(Attack::split_flood) => {
                plan.splits =
                    (0..100_001).map(|n| Ok(Split { id: n.to_string(), ..split()? })).collect::<Result<_>>()?;
            }
            Some(Attack::twin_splits) => plan.splits = vec![Split { id: "twin\u{1b}[2J".into(), ..split()? }; 2],
            Some(Attack::nameless_split) => plan.splits = vec![Split { id: String::new(), ..split()? }],
            Some(Attack::descriptor_bomb) => plan.splits = vec![Split { descriptor: vec![0; 2 << 20], ..split()? }],
            _ => {}
        }
        Ok(plan)
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

    fn attack(&self, attack: Attack, output: &mut Output) -> Result<()> {
        use Attack as A;
        match attack {
            A::trap => panic!("boom, my password is {}", self.config.password.as_deref().unwrap_or("none")),
            A::spin => spin(),
            A::sleep => loop {
                std::thread::sleep(std::time::Duration::from_secs(3600));
            },
            A::memory => {
                let mut hoard: Vec<Vec<u8>> = Vec::new();
                loop {
                    hoard.push(vec![1; 8 << 20]);
                }
            }
            A::stack => {
                std::hint::black_box(deeper(0));
                Ok(())
            }
            A::log_flood | A::output_flood | A::log_forgery | A::error_flood | A::error_for_ever => self.talk(attack),
            A::files | A::escape_folder | A::follow_link | A::write_folder | A::environment => look_around(attack),
            A::items_while_reading => sluice_sdk::items::remember(STREAM, &[("a".to_owned(), Vec::new())]),
            A::items_recall_while_reading => sluice_sdk::items::recall(STREAM, &["a".to_owned()]).map(drop),
            A::connect => {
                Connection::open(&self.config.host, self.config.port, None)?;
                Err(Error::internal("the guest was let through"))
            }
            A::connect_undeclared => {
                Connection::open("undeclared.example.com", 443, None)?;
                Err(Error::internal("the guest was let through"))
            }
            A::connection_flood => {
                let mut open = Vec::new();
                loop {
                    open.push(Connection::open(&self.config.host, self.config.port, None)?);
                }
            }
            A::redirect
            | A::smuggled_host
            | A::smuggled_length
            | A::split_header
            | A::response_flood
            | A::header_flood
            | A::slowloris
            | A::request_flood => self.request(attack),
            A::leftovers => raw::leftovers(self.config.session == "plant"),
            A::forged_handle => raw::forged_handle(),
            A::clock_probe => Err(Error::not_found(format!("steps of {} ns", smallest_step()))),
            A::flood | A::flood_of_bytes => {
                let mut channel = output.stream(STREAM, schema())?;
                let rows = batch(0, 10_000);
                loop {
                    channel.push(&rows)?;
                }
            }
            A::another_schema => {
                let other = Arc::new(Schema::new(vec![Field::new("id", DataType::Utf8, true)]));
                output.stream(STREAM, other).map(drop)
            }
            A::another_stream => output.stream("somebody-elses", schema()).map(drop),
            A::garbage
            | A::huge_length
            | A::huge_batch
            | A::huge_call
            | A::compressed_batch
            | A::rows_of_nothing
            | A::negative_rows
            | A::column_of_nothing
            | A::more_nulls_than_values
            | A::missing_columns
            | A::buffer_beyond_body
            | A::wild_offsets
            | A::text_that_is_none
            | A::dictionary_batch
            | A::schema_for_batch
            | A::short_row
            | A::wrong_kind
            | A::odd_pieces
            | A::missing_piece
            | A::shifted_pieces
            | A::long_metadata
            | A::no_metadata
            | A::many_pieces
            | A::overlapping_pieces
            | A::piece_bomb
            | A::piece_beyond_memory
            | A::endless_piece
            | A::switched_schema
            | A::dictionary_column
            | A::nested_columns
            | A::column_bomb
            | A::twin_columns
            | A::long_column_name
            | A::channel_flood
            | A::undeclared_channel
            | A::lying_checkpoint
            | A::forged_checkpoint
            | A::cursor_bomb => raw::attack(attack, output),
            // Made while it checks itself, discovers, plans or says goodbye.
            A::spin_in_planning
            | A::never_leave
            | A::push_in_planning
            | A::state_bomb
            | A::split_flood
            | A::twin_splits
            | A::nameless_split
            | A::descriptor_bomb
            | A::items_replace
            | A::items_stranger
            | A::items_recall_stranger
            | A::items_long_key
            | A::items_recall_long_key
            | A::items_long_value
            | A::items_many_at_once
            | A::items_recall_many_at_once
            | A::items_many
            | A::items_bytes
            | A::nameless_stream
            | A::long_stream
            | A::escaping_stream
            | A::reversed_stream
            | A::endless_pages
            | A::circling_pages
            | A::shouting
            | A::check_flood
            | A::outside_secret => Err(Error::internal(format!("{attack:?} is not made while a split is read"))),
        }
    }

    /// Says more than anybody wants to hear.
    fn talk(&self, attack: Attack) -> Result<()> {
        match attack {
            Attack::log_flood => {
                for line in 0..200_000 {
                    sluice_sdk::log::info(format!("line {line} with nothing to say, at some length"));
                }
            }
            Attack::output_flood => {
                for line in 0..20_000 {
                    println!("line {line} with nothing to say, at some length");
                }
            }
            Attack::log_forgery => {
                let secret = self.config.password.clone().unwrap_or_default();
                sluice_sdk::log::warn(format!("\u{1b}[2Jfirst\n2026-01-01 ERROR forged {secret}"));
            }
            Attack::error_flood => return Err(Error::config("no ".repeat(350_000))),
            _ => {
                let ages = std::time::Duration::from_secs(1_000_000 * 365 * 86_400);
                return Err(Error::rate_limited("slow down").retry_after(ages));
            }
        }
        Ok(())
    }

    /// Asks a server for what it should not, or one that answers as it should not.
    fn request(&self, attack: Attack) -> Result<()> {
        let url = format!("http://{}:{}/", self.config.host, self.config.port);
        let mut asked = match attack {
            Attack::smuggled_host => Request::get(url.as_str()).header("host", "evil.example"),
            Attack::smuggled_length => {
                let second = "0\r\n\r\nGET /evil HTTP/1.1\r\nhost: evil.example\r\n\r\n";
                Request::post(url.as_str(), second).header("transfer-encoding", "chunked")
            }
            Attack::split_header => Request::get(url.as_str()).header("x-a", "a\r\nx-b: evil.example"),
            Attack::request_flood => {
                let pending: Vec<_> = (0..20).map(|_| Request::get(url.as_str()).start()).collect();
                for one in pending.into_iter().rev() {
                    sluice_sdk::http::block_on(one?)?;
                }
                return Ok(());
            }
            _ => Request::get(url.as_str()),
        }
        .send()?;
        match attack {
            Attack::redirect => {
                let to = asked.headers().get("location").unwrap_or_default().to_owned();
                Request::get(to).send()?;
                Err(Error::internal("the guest was let through"))
            }
            Attack::response_flood => {
                let mut kept = Vec::new();
                while let Some(chunk) = asked.chunk()? {
                    kept.push(chunk);
                }
                Ok(())
            }
            _ => {
                let heard = String::from_utf8_lossy(&asked.read_whole(1 << 20)?).into_owned();
                let outcome = if heard.contains("evil") { "smuggled" } else { "left out by the host" };
                Err(Error::not_found(outcome))
            }
        }
    }
}

/// Looks for files and variables.
fn look_around(attack: Attack) -> Result<()> {
    let read = |path: &str| match std::fs::read_to_string(path) {
        Ok(_) => Err(Error::internal(format!("the guest read {path}"))),
        Err(error) => Err(Error::not_found(format!("no file: {error}"))),
    };
    match attack {
        Attack::files => read("/etc/passwd"),
        Attack::escape_folder => read("/data/../../etc/passwd"),
        Attack::follow_link => read("/data/link"),
        Attack::write_folder => match std::fs::write("/data/written", "x") {
            Ok(()) => Err(Error::internal("the guest wrote to a read-only folder")),
            Err(error) => Err(Error::not_found(format!("not written: {error}"))),
        },
        _ => {
            let seen = std::env::vars().count() + std::env::args().count();
            Err(Error::not_found(format!("{seen} variables and arguments")))
        }
    }
}

/// The finest difference that the clock shows, nanoseconds.
fn smallest_step() -> u128 {
    let mut smallest = u128::MAX;
    for _ in 0..200 {
        let before = std::time::Instant::now();
        let mut after = before;
        while after == before {
            after = std::time::Instant::now();
        }
        smallest = smallest.min(after.duration_since(before).as_nanos());
    }
    smallest
}

#[inline(never)]
#[expect(unconditional_recursion, reason = "it is the attack")]
fn deeper(depth: u64) -> u64 {
    deeper(std::hint::black_box(depth) + 1) ^ depth
}

#[cfg(target_family = "wasm")]
#[path = "hostile/raw.rs"]
mod raw;

#[cfg(not(target_family = "wasm"))]
mod raw {
    use hostile_guests::Attack;
    use sluice_sdk::{Error, Output, Result};

    fn outside<T>() -> Result<T> {
        Err(Error::unsupported("this needs the sandbox"))
    }

    pub(super) fn attack(_: Attack, _: &mut Output) -> Result<()> {
        outside()
    }

    pub(super) fn push_in_planning() -> Result<()> {
        outside()
    }

    pub(super) fn leftovers(_: bool) -> Result<()> {
        outside()
    }

    pub(super) fn forged_handle() -> Result<()> {
        outside()
    }
}
