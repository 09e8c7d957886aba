//! Reading a resource: pages into batches, and a checkpoint wherever what was read is complete up to a value.

use serde::{Deserialize, Serialize};

use super::client::Api;
use super::columns::{Columns, Key, Ordered};
use super::increment::{self, Increment, Range};
use super::page::{Page, Pages};
use super::resource::Resource;
use crate::batch::BatchBuilder;
use crate::{Channel, Cursor, Directive, Error, Output, Result};

/// Form of the descriptor; a newer connector may read what an older one planned.
const VERSION: u32 = 1;

/// The cursor of a full read that has ended.
const DONE: &[u8] = b"{\"version\":1,\"done\":true}";

/// All that reading a split takes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Descriptor {
    version: u32,
    pub(super) stream: String,
    columns: Vec<String>,
    batch_bytes: u64,
    /// None for a full read.
    pub(super) increment: Option<Bounds>,
}

/// From where and up to where, as states spell it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Bounds {
    pub(super) from: Option<String>,
    pub(super) until: Option<String>,
}

impl Descriptor {
    pub(super) fn new(stream: &str, columns: &[String], batch_bytes: u64) -> Self {
        Self { version: VERSION, stream: stream.to_owned(), columns: columns.to_vec(), batch_bytes, increment: None }
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        let descriptor: Self = serde_json::from_slice(bytes)?;
        if descriptor.version != VERSION {
            let message =
                format!("the split was planned in form {}, known is {VERSION}; plan the run again", descriptor.version);
            return Err(Error::unsupported(message));
        }
        Ok(descriptor)
    }
}

pub(super) fn read(
    api: &Api,
    resource: &Resource,
    descriptor: &Descriptor,
    start: Option<&Cursor>,
    output: &mut Output,
) -> Result<()> {
    let columns = resource.columns.select(&descriptor.columns)?;
    let channel = output.stream(&resource.id, columns.schema())?;
    let target = usize::try_from(descriptor.batch_bytes).unwrap_or(usize::MAX);
    let batch = BatchBuilder::new(columns.schema(), target)?;
    let mut rows = Rows { columns, channel, batch };
    match (&descriptor.increment, &resource.increment) {
        (None, _) => full(api, resource, start, &mut rows),
        (Some(bounds), Some(increment)) => {
            let ordered = resource.columns.ordered(&increment.column)?;
            let parse = |text: &String| ordered.parse(text);
            let from = match start {
                Some(start) => increment::decode(&ordered, start)?,
                None => bounds.from.as_ref().map(parse).transpose()?,
            };
            let until = bounds.until.as_ref().map(parse).transpose()?;
            Incremental { api, resource, increment, ordered, reached: from }.read(until, &mut rows)
        }
        (Some(_), None) => {
            Err(Error::unsupported("the split was planned for increments, which this version does not read"))
        }
    }
}

fn full(api: &Api, resource: &Resource, start: Option<&Cursor>, rows: &mut Rows) -> Result<()> {
    if start.is_some_and(|cursor| cursor == DONE) {
        return Ok(());
    }
    let mut pages = pages(api, resource, Vec::new());
    while let Some(page) = pages.next()? {
        for (at, record) in page.records.iter().enumerate() {
            rows.append(&page, at, record)?;
            if rows.batch.is_full() {
                rows.push()?;
            }
        }
    }
    rows.push()?;
    rows.channel.checkpoint(&DONE.to_vec()).map(drop)
}

fn pages<'a>(api: &'a Api, resource: &Resource, more: Vec<(String, String)>) -> Pages<'a> {
    let query = resource.query.iter().cloned().chain(more).collect();
    Pages::new(api, &resource.path, query, &resource.records, resource.paging.clone())
}

/// The rows on their way out.
struct Rows {
    columns: Columns,
    channel: Channel,
    batch: BatchBuilder,
}

impl Rows {
    fn append(&mut self, page: &Page, at: usize, record: &serde_json::Value) -> Result<()> {
        self.columns.append(&mut self.batch, record).map_err(|error| page.context(at, error))
    }

    fn push(&mut self) -> Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = self.batch.take()?;
        self.channel.push(&batch)
    }
}

struct Incremental<'a> {
    api: &'a Api,
    resource: &'a Resource,
    increment: &'a Increment,
    ordered: Ordered,
    /// The greatest value that was read.
    reached: Option<Key>,
}

impl Incremental<'_> {
    fn read(mut self, until: Option<Key>, rows: &mut Rows) -> Result<()> {
        let ranges = self.increment.ranges(&self.ordered, self.reached.clone(), until)?;
        let Some(last) = ranges.len().checked_sub(1) else { return self.checkpoint(rows).map(drop) };
        for (at, range) in ranges.iter().enumerate() {
            if self.range(range, rows)? == Directive::Stop {
                return Ok(());
            }
            // Up to the end of a window all is read. Of the last one that is not said: what comes late may still be new.
            if at < last {
                self.reached = self.reached.take().max(range.until.clone());
            }
            rows.push()?;
            if self.checkpoint(rows)? == Directive::Stop {
                return Ok(());
            }
        }
        Ok(())
    }

    fn range(&mut self, range: &Range, rows: &mut Rows) -> Result<Directive> {
        let mut pages = pages(self.api, self.resource, self.increment.query(&self.ordered, range));
        while let Some(page) = pages.next()? {
            for (at, record) in page.records.iter().enumerate() {
                let key = self.ordered.of(record).map_err(|error| page.context(at, error))?;
                if range.holds(&key) && self.row(&page, at, record, key, rows)? == Directive::Stop {
                    return Ok(Directive::Stop);
                }
            }
        }
        Ok(Directive::Continue)
    }

    fn row(
        &mut self,
        page: &Page,
        at: usize,
        record: &serde_json::Value,
        key: Key,
        rows: &mut Rows,
    ) -> Result<Directive> {
        let grows = self.reached.as_ref().is_none_or(|reached| key > *reached);
        if self.increment.ascending && !grows && self.reached.as_ref() != Some(&key) {
            let message = format!(
                "its {} is smaller than that of the record before, and the API is said to sort by it",
                self.ordered.name
            );
            return Err(page.context(at, Error::protocol(message)));
        }
        if rows.batch.is_full() {
            rows.push()?;
            // Only between two values: records that share one must not be torn apart by a checkpoint.
            if self.increment.ascending && grows && self.checkpoint(rows)? == Directive::Stop {
                return Ok(Directive::Stop);
            }
        }
        rows.append(page, at, record)?;
        if grows {
            self.reached = Some(key);
        }
        Ok(Directive::Continue)
    }

    fn checkpoint(&self, rows: &mut Rows) -> Result<Directive> {
        rows.channel.checkpoint(&increment::encode(&self.ordered, self.reached.as_ref())?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use serde_json::json;

    use super::*;
    use crate::api::testing::Server;
    use crate::api::{Paging, Resources, Type};
    use crate::native::{self, Event};
    use crate::{
        CheckStep, ConfigMembers, ConfigSchema, ConnectorManifest, DiscoverFilter, DiscoverPage, ErrorKind, Hints,
        Plan, ReadMode, Selection, Source, Split,
    };

    /// Records with the stamps that a test wants, two a page, sorted, from `since` on.
    fn server(stamps: &'static [i64]) -> Server {
        Server::start(move |path, _| {
            let query = path.split_once('?').map_or("", |(_, query)| query);
            let of = |name: &str| {
                let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
                found.and_then(|value| value.parse::<i64>().ok())
            };
            let (since, offset) = (of("since").unwrap_or(i64::MIN), of("offset").unwrap_or(0));
            let until = of("until").unwrap_or(i64::MAX);
            let found = stamps.iter().enumerate().filter(|(_, stamp)| **stamp >= since && **stamp <= until);
            let page: Vec<_> = found
                .skip(usize::try_from(offset).unwrap())
                .take(2)
                .map(|(id, stamp)| json!({"id": id, "at": stamp}))
                .collect();
            Server::answer(200, "", &json!(page).to_string())
        })
    }

    fn resource(increment: Increment) -> Resource {
        let columns = Columns::new().required("id", Type::Int).required("at", Type::EpochSeconds);
        Resource::new("items", "/items", columns).paging(Paging::offset("offset", 2)).key(["id"]).increment(increment)
    }

    struct Items {
        api: Api,
        resources: Resources,
    }

    #[derive(serde::Deserialize)]
    struct Nothing {}

    impl ConfigSchema for Nothing {
        const SCHEMA: &'static str = "{}";
        const SECRETS: &'static str = "[]";
        const MEMBERS: ConfigMembers = ConfigMembers { properties: "", required: "", order: "", secrets: "" };
    }

    impl ConnectorManifest for Items {
        const MANIFEST: &'static str = "{}";
    }

    impl Source for Items {
        type Config = Nothing;

        fn open(_: Nothing) -> Result<Self> {
            Err(Error::internal("made by the test"))
        }

        fn check(&mut self) -> Result<Vec<CheckStep>> {
            Ok(self.resources.check(&self.api))
        }

        fn discover(&mut self, filter: &DiscoverFilter, page: Option<&str>) -> Result<DiscoverPage> {
            Ok(self.resources.discover(filter, page))
        }

        fn plan(&mut self, selections: &[Selection], hints: &Hints) -> Result<Plan> {
            self.resources.plan(selections, hints)
        }

        fn read(&mut self, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
            self.resources.read(&self.api, split, start, output)
        }
    }

    type Seen = Vec<(Vec<i64>, Option<Cursor>)>;

    /// Ids between checkpoints, and the checkpoint after them.
    fn read(
        server: &Server,
        increment: Increment,
        mode: ReadMode,
        state: Option<Cursor>,
        start: Option<&Cursor>,
    ) -> Result<Seen> {
        let api = Api::new(&server.url).unwrap();
        let mut source = Items { api, resources: Resources::new([resource(increment)]) };
        let selection = Selection {
            id: "items".into(),
            columns: vec!["id".into()],
            mode,
            filter: None,
            changed_files: None,
            state,
        };
        let plan = source.plan(&[selection], &Hints { max_parallel: 1, split_bytes: 1, batch_bytes: 1 })?;
        let seen = Arc::new(Mutex::new((Vec::new(), vec![(Vec::new(), None)])));
        let kept = seen.clone();
        native::read(&mut source, &plan.splits[0], start, move |event| {
            let mut kept = kept.lock().unwrap();
            match event {
                Event::Declared { schema, .. } => kept.0 = schema,
                Event::Pushed { message, .. } => {
                    let batch = native::decode(&kept.0, &message)?;
                    let ids = batch.column(0).as_primitive::<Int64Type>().values().to_vec();
                    kept.1.last_mut().unwrap().0.extend(ids);
                }
                Event::Checkpoint { cursor, .. } => {
                    kept.1.last_mut().unwrap().1 = Some(cursor);
                    kept.1.push((Vec::new(), None));
                }
            }
            Ok(Directive::Continue)
        })?;
        let mut seen = seen.lock().unwrap().1.clone();
        seen.pop();
        Ok(seen)
    }

    fn ids(seen: &Seen) -> Vec<i64> {
        seen.iter().flat_map(|(ids, _)| ids.clone()).collect()
    }

    fn by() -> Increment {
        Increment::by("at", "since").ascending()
    }

    fn incremental() -> ReadMode {
        ReadMode::Incremental("at".into())
    }

    #[test]
    fn a_read_that_goes_on_from_any_checkpoint_misses_and_repeats_nothing() {
        // Values that are shared lie across pages and batches.
        let server = server(&[10, 20, 20, 20, 30, 40, 40]);
        let seen = read(&server, by(), incremental(), None, None).unwrap();
        assert_eq!(ids(&seen), [0, 1, 2, 3, 4, 5, 6]);
        assert!(seen.len() > 3, "{seen:?}");
        let mut before = Vec::new();
        for (rows, cursor) in &seen {
            before.extend(rows.iter().copied());
            let rest = ids(&read(&server, by(), incremental(), None, cursor.as_ref()).unwrap());
            assert_eq!([before.clone(), rest].concat(), [0, 1, 2, 3, 4, 5, 6], "from {cursor:?}");
        }
    }

    #[test]
    fn a_run_after_another_reads_only_what_is_new() {
        let first = read(&server(&[10, 20]), by(), incremental(), None, None).unwrap();
        let state = first.last().unwrap().1.clone();
        assert_eq!(state.as_deref(), Some(br#"{"version":1,"column":"at","value":"20"}"#.as_slice()));
        let second = read(&server(&[10, 20, 25, 30]), by(), incremental(), state.clone(), None).unwrap();
        assert_eq!(ids(&second), [2, 3]);
        let nothing = read(&server(&[10, 20]), by(), incremental(), state.clone(), None).unwrap();
        assert_eq!((ids(&nothing), nothing.last().unwrap().1.clone()), (vec![], state));
    }

    #[test]
    fn what_is_not_sorted_is_refused_if_it_is_said_to_be_and_read_in_one_piece_if_not() {
        let error = read(&server(&[10, 30, 20]), by(), incremental(), None, None).unwrap_err();
        assert!(
            error.kind == ErrorKind::Protocol && error.message.starts_with("record 1 of page 2 of GET http"),
            "{error}"
        );
        assert_eq!(error.stream.as_deref(), Some("items"));
        let unsorted = Increment::by("at", "since");
        let seen = read(&server(&[10, 30, 20]), unsorted, incremental(), None, None).unwrap();
        assert_eq!((ids(&seen), seen.len()), (vec![0, 1, 2], 1));
        assert_eq!(seen[0].1.as_deref(), Some(br#"{"version":1,"column":"at","value":"30"}"#.as_slice()));
    }

    #[test]
    fn windows_are_read_one_after_the_other_and_each_ends_with_a_checkpoint() {
        static STAMPS: &[i64] = &[10, 90_000, 90_001, 200_000];
        let windowed = || Increment::by("at", "since").until("until").windows(10_000, "0");
        let seen = read(&server(STAMPS), windowed(), incremental(), None, None).unwrap();
        assert_eq!(ids(&seen), [0, 1, 2, 3]);
        assert!(seen.len() > 2, "{seen:?}");
        let rest = read(&server(STAMPS), windowed(), incremental(), None, seen[0].1.as_ref()).unwrap();
        assert_eq!([seen[0].0.clone(), ids(&rest)].concat(), [0, 1, 2, 3]);
    }

    #[test]
    fn records_of_the_last_moments_are_left_to_the_next_run() {
        let server = server(&[10, 4_000_000_000]);
        assert_eq!(ids(&read(&server, by(), incremental(), None, None).unwrap()), [0]);
        let seen = read(&server, by().settle(Duration::ZERO), incremental(), None, None).unwrap();
        assert_eq!(ids(&seen), [0], "what is in the future waits until it is not");
    }

    #[test]
    fn a_full_read_reads_everything_and_ends_with_a_checkpoint() {
        let server = server(&[30, 20, 10]);
        let seen = read(&server, by(), ReadMode::Full, None, None).unwrap();
        assert_eq!((ids(&seen), seen.len()), (vec![0, 1, 2], 1));
        assert_eq!(ids(&read(&server, by(), ReadMode::Full, None, seen[0].1.as_ref()).unwrap()), Vec::<i64>::new());
    }

    #[test]
    fn streams_are_listed_a_page_at_a_time() {
        let named = |id: &str| Resource::new(id, "/x", Columns::new().required("id", Type::Int));
        let resources = Resources::new([named("b"), named("a"), named("c")]);
        let all = |size, contains: &str| {
            let filter = DiscoverFilter { contains: contains.to_owned(), ids: Vec::new(), page_size: size };
            let (mut found, mut page) = (Vec::new(), None);
            loop {
                let listed = resources.discover(&filter, page.as_deref());
                found.extend(listed.streams.into_iter().map(|stream| stream.id));
                page = listed.next;
                if page.is_none() {
                    return found;
                }
            }
        };
        assert_eq!(
            (all(1, ""), all(10, ""), all(2, "B")),
            (vec!["a".into(), "b".into(), "c".into()], vec!["a".to_owned(), "b".into(), "c".into()], vec!["b".into()])
        );
    }
}
