//! A stream described by what it is asked for, and a connector's four verbs made of such descriptions.

use super::client::Api;
use super::columns::Columns;
use super::increment::Increment;
use super::page::Paging;
use super::read::{self, Descriptor};
use super::time;
use crate::{
    CheckStep, Cursor, DiscoverFilter, DiscoverPage, Error, Hints, Output, Plan, ReadMode, Result, Selection, Split,
    StreamInfo, StreamKind, StreamPlan,
};

/// One resource of an API, as a stream.
#[derive(Clone, Debug)]
pub struct Resource {
    pub(super) id: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) records: String,
    pub(super) paging: Paging,
    pub(super) columns: Columns,
    pub(super) increment: Option<Increment>,
    key: Vec<String>,
    description: Option<String>,
}

impl Resource {
    /// A resource below a path of the API. Its answer is a list of records, all of them at once, unless said otherwise.
    pub fn new(id: impl Into<String>, path: impl Into<String>, columns: Columns) -> Self {
        Self {
            id: id.into(),
            path: path.into(),
            query: Vec::new(),
            records: String::new(),
            paging: Paging::None,
            columns,
            increment: None,
            key: Vec::new(),
            description: None,
        }
    }

    /// Where in an answer the list of records is: a JSON pointer such as `/data`.
    #[must_use]
    pub fn records(mut self, pointer: impl Into<String>) -> Self {
        self.records = pointer.into();
        self
    }

    /// How one page leads to the next.
    #[must_use]
    pub fn paging(mut self, paging: Paging) -> Self {
        self.paging = paging;
        self
    }

    /// Adds a parameter to every request.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Columns that identify a record.
    #[must_use]
    pub fn key<T: Into<String>>(mut self, columns: impl IntoIterator<Item = T>) -> Self {
        self.key = columns.into_iter().map(Into::into).collect();
        self
    }

    /// How only what is new is read. The manifest must have the capability `incremental`.
    #[must_use]
    pub fn increment(mut self, increment: Increment) -> Self {
        self.increment = Some(increment);
        self
    }

    /// What people should know of it.
    #[must_use]
    pub fn described(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    fn info(&self) -> StreamInfo {
        StreamInfo {
            id: self.id.clone(),
            kind: StreamKind::Other,
            schema: self.columns.schema(),
            primary_key: self.key.clone(),
            cursor_candidates: self.increment.iter().map(|increment| increment.column.clone()).collect(),
            rows: None,
            bytes: None,
            description: self.description.clone(),
        }
    }

    /// The plan of a selection, made at a moment.
    fn plan(&self, selection: &Selection, hints: &Hints, now: i64) -> Result<(StreamPlan, Split)> {
        if selection.filter.is_some() {
            return Err(Error::unsupported("this connector takes no row restriction"));
        }
        let columns = self.columns.select(&selection.columns)?;
        let mut descriptor = Descriptor::new(&self.id, &selection.columns, hints.batch_bytes);
        if let ReadMode::Incremental(column) = &selection.mode {
            descriptor.increment = Some(self.bounds(column, selection.state.as_ref(), now)?);
        }
        let stream =
            StreamPlan { id: self.id.clone(), schema: columns.schema(), rows: None, bytes: None, state_after: None };
        let split = Split {
            id: self.id.clone(),
            streams: vec![self.id.clone()],
            descriptor: descriptor.encode()?,
            rows: None,
            bytes: None,
            resumable: descriptor.increment.is_some(),
        };
        Ok((stream, split))
    }

    fn bounds(&self, column: &str, state: Option<&Cursor>, now: i64) -> Result<read::Bounds> {
        let increment = self.increment.as_ref().filter(|known| column.is_empty() || known.column == column);
        let Some(increment) = increment else {
            let known =
                self.increment.as_ref().map_or("no column".to_owned(), |known| format!("column {}", known.column));
            return Err(Error::config(format!("increments of this stream are read by {known}, not by {column:?}")));
        };
        let ordered = self.columns.ordered(&increment.column)?;
        let from = match state {
            Some(state) => super::increment::decode(&ordered, state)?,
            None => None,
        };
        let show = |key| ordered.show(&key);
        Ok(read::Bounds { from: from.map(show), until: increment.bound(&ordered, now).map(show) })
    }
}

/// All resources of a connector, and its verbs.
#[derive(Clone, Debug, Default)]
pub struct Resources(Vec<Resource>);

impl Resources {
    /// These resources.
    pub fn new(resources: impl IntoIterator<Item = Resource>) -> Self {
        let mut resources: Vec<Resource> = resources.into_iter().collect();
        resources.sort_by(|a, b| a.id.cmp(&b.id));
        Self(resources)
    }

    /// Asks for the first page of the first resource.
    pub fn check(&self, api: &Api) -> Vec<CheckStep> {
        self.0.first().map(|resource| api.check(&resource.path, &resource.query)).into_iter().collect()
    }

    /// Lists the resources.
    pub fn discover(&self, filter: &DiscoverFilter, page: Option<&str>) -> DiscoverPage {
        let contains = filter.contains.to_lowercase();
        let wanted = |resource: &&Resource| {
            resource.id.to_lowercase().contains(&contains)
                && (filter.ids.is_empty() || filter.ids.contains(&resource.id))
                && page.is_none_or(|after| resource.id.as_str() > after)
        };
        let size = usize::try_from(filter.page_size.max(1)).unwrap_or(usize::MAX);
        let mut found: Vec<&Resource> = self.0.iter().filter(wanted).collect();
        let more = found.len() > size;
        found.truncate(size);
        let next = found.last().filter(|_| more).map(|last| last.id.clone());
        DiscoverPage { streams: found.into_iter().map(Resource::info).collect(), next }
    }

    /// Plans one split for each selection.
    ///
    /// # Errors
    /// `not-found` for a stream or column that is not there, and what is wrong with a state.
    pub fn plan(&self, selections: &[Selection], hints: &Hints) -> Result<Plan> {
        let now = time::now();
        let mut plan = Plan::default();
        for selection in selections {
            let planned = self.find(&selection.id).and_then(|resource| resource.plan(selection, hints, now));
            let (stream, split) = planned.map_err(|error| error.stream(&selection.id))?;
            plan.streams.push(stream);
            plan.splits.push(split);
        }
        Ok(plan)
    }

    /// Reads a split that [`Resources::plan`] made.
    ///
    /// # Errors
    /// What the API or the host says; `protocol`, naming the record and its field, where a record is not as declared.
    pub fn read(&self, api: &Api, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
        let descriptor = Descriptor::decode(&split.descriptor)?;
        let resource = self.find(&descriptor.stream)?;
        read::read(api, resource, &descriptor, start, output).map_err(|error| error.stream(&descriptor.stream))
    }

    fn find(&self, id: &str) -> Result<&Resource> {
        self.0.iter().find(|resource| resource.id == id).ok_or_else(|| {
            let all: Vec<&str> = self.0.iter().map(|resource| resource.id.as_str()).collect();
            Error::not_found(format!("there is no stream {id}; there are {}", all.join(", ")))
        })
    }
}
