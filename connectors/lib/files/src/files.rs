//! Everything that a connector of files does, over any store.

use std::sync::Arc;

use sluice_sdk::{
    CheckStep, Cursor, DiscoverFilter, DiscoverPage, Error, Hints, Output, Plan, Result, Selection, Split, StreamInfo,
    StreamKind, log,
};

use crate::objects::Objects;
use crate::options::{Options, StreamConfig};
use crate::spec::Spec;
use crate::streams::{self, Stream};
use crate::survey::Survey;
use crate::{plan, read, schema};

/// Streams whose files a check opens.
const CHECKED: usize = 20;

/// A store of files and what the user said about them.
pub struct Files {
    objects: Arc<dyn Objects>,
    streams: Vec<StreamConfig>,
    options: Options,
}

impl Files {
    /// Puts them together. Without `streams`, folders and files at the top are the streams.
    ///
    /// # Errors
    /// `config` for what the schema of the configuration could not catch.
    pub fn new(objects: Arc<dyn Objects>, streams: Vec<StreamConfig>, options: Options) -> Result<Self> {
        streams::validate(&streams, &options)?;
        Ok(Self { objects, streams, options })
    }

    /// Tries to list files, and to find the schemas of the first streams.
    ///
    /// # Errors
    /// None as yet; a store that cannot be used is a report with a failed step.
    pub fn check(&self) -> Result<Vec<CheckStep>> {
        let mut steps = Vec::new();
        let streams = match streams::all(&*self.objects, &self.streams, &self.options) {
            Ok(streams) => streams,
            Err(error) => {
                steps.push(CheckStep::failed("list", error.message, self.objects.remedy()));
                steps.push(CheckStep::skipped("read"));
                return Ok(steps);
            }
        };
        let files: u64 = streams.iter().map(|(_, survey)| survey.files).sum();
        let place = self.objects.place();
        if files == 0 {
            let remedy = format!("put files into it, or {}", self.objects.remedy());
            steps.push(CheckStep::warned("list", format!("{place} has no files that a stream reads"), remedy));
            steps.push(CheckStep::skipped("read"));
            return Ok(steps);
        }
        steps.push(CheckStep::passed("list", format!("{place} has {files} files in {} streams", streams.len())));
        for (stream, survey) in streams.iter().take(CHECKED) {
            let name = format!("read {}", stream.id);
            match schema::find(&self.objects, survey, &stream.options, &stream.id) {
                Ok(found) => {
                    let columns = found.schema.fields().len();
                    let detail = format!("{}: {columns} columns", plan::describe(stream, survey, &found));
                    steps.push(CheckStep::passed(name, detail));
                }
                Err(error) => {
                    let remedy = "correct the file, or tell in the stream's options how it is written";
                    steps.push(CheckStep::failed(name, error.message, remedy));
                }
            }
        }
        if let Some(rest) = streams.len().checked_sub(CHECKED).filter(|rest| *rest > 0) {
            steps.push(CheckStep::passed("read others", format!("{rest} more streams were listed and not opened")));
        }
        Ok(steps)
    }

    /// Lists streams.
    ///
    /// # Errors
    /// Where files cannot be listed. A stream whose schema cannot be found is logged and left out, unless it was asked for
    /// by name.
    pub fn discover(&self, filter: &DiscoverFilter, page: Option<&str>) -> Result<DiscoverPage> {
        let contains = filter.contains.to_lowercase();
        let wanted = |(stream, _): &(Stream, Survey)| {
            (contains.is_empty() || stream.id.to_lowercase().contains(&contains))
                && (filter.ids.is_empty() || filter.ids.contains(&stream.id))
                && page.is_none_or(|after| stream.id.as_str() > after)
        };
        let mut streams = streams::all(&*self.objects, &self.streams, &self.options)?;
        streams.retain(wanted);
        let size = usize::try_from(filter.page_size.max(1)).unwrap_or(usize::MAX);
        let more = streams.len() > size;
        streams.truncate(size);
        let next = streams.last().filter(|_| more).map(|(stream, _)| stream.id.clone());
        let mut infos = Vec::with_capacity(streams.len());
        for (stream, survey) in &streams {
            match self.info(stream, survey) {
                Ok(info) => infos.push(info),
                Err(error) if filter.ids.is_empty() => {
                    log::warn(format!("the stream {} is left out: {error}", stream.id));
                }
                Err(error) => return Err(error.stream(&stream.id)),
            }
        }
        Ok(DiscoverPage { streams: infos, next })
    }

    fn info(&self, stream: &Stream, survey: &Survey) -> Result<StreamInfo> {
        let found = schema::find(&self.objects, survey, &stream.options, &stream.id)?;
        let bytes = survey.bytes;
        let rows = (found.rows_per_byte > 0.0).then_some((bytes as f64 * found.rows_per_byte) as u64);
        Ok(StreamInfo {
            id: stream.id.clone(),
            kind: StreamKind::Files,
            description: Some(plan::describe(stream, survey, &found)),
            schema: found.schema,
            primary_key: Vec::new(),
            cursor_candidates: Vec::new(),
            rows,
            bytes: Some(bytes),
        })
    }

    /// Decides which files, and which parts of them, are read.
    ///
    /// # Errors
    /// `not-found` for a stream or a column that does not exist; otherwise as files say.
    pub fn plan(&self, selections: &[Selection], hints: &Hints) -> Result<Plan> {
        let mut planned = Plan::default();
        for (nth, selection) in selections.iter().enumerate() {
            streams::one(&*self.objects, &self.streams, &self.options, &selection.id)
                .and_then(|stream| plan::plan(&self.objects, &stream, selection, hints, nth, &mut planned))
                .map_err(|error| error.stream(&selection.id))?;
        }
        Ok(planned)
    }

    /// Reads one split.
    ///
    /// # Errors
    /// `protocol` for a file that does not fit, `transient` for one that changed since it was planned.
    pub fn read(&self, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
        let spec = Spec::decode(&split.descriptor)?;
        if split.streams != [spec.stream.as_str()] {
            return Err(Error::internal("the split's streams are not those that were planned"));
        }
        let options = streams::options_of(&self.streams, &self.options, &spec.stream);
        read::read(&self.objects, &spec, &options, start, output)
    }
}
