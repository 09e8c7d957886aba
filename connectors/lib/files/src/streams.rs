//! Which streams there are: those that were configured, or what the folders suggest.

use std::collections::BTreeMap;

use sluice_sdk::{Error, Result};

use crate::format;
use crate::glob::Glob;
use crate::objects::{Object, Objects};
use crate::options::{Format, Options, StreamConfig};
use crate::survey::Survey;

/// Most files of a stream, and of a connection that is searched for streams.
pub(crate) const MAX_FILES: u64 = 1_000_000;

/// Most streams that the folders suggest.
const MAX_STREAMS: usize = 20_000;

/// A stream.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) id: String,
    /// What it is made of, for people.
    pub(crate) origin: String,
    pub(crate) options: Options,
    files: Which,
}

/// Which files a stream is made of.
#[derive(Clone, Debug)]
enum Which {
    Matching(Glob),
    /// Those of a format below a folder at the top.
    Below(String, Format),
    /// One at the top.
    One(String),
}

impl Stream {
    fn prefix(&self) -> &str {
        match &self.files {
            Which::Matching(glob) => glob.prefix(),
            Which::Below(prefix, _) => prefix,
            Which::One(key) => key,
        }
    }

    fn has(&self, key: &str) -> bool {
        match &self.files {
            Which::Matching(glob) => glob.matches(key),
            Which::Below(prefix, format) => {
                key.starts_with(prefix) && visible(key) && suggested_format(key, &self.options) == Some(*format)
            }
            Which::One(one) => key == one,
        }
    }

    fn configured(config: &StreamConfig, options: &Options) -> Result<Self> {
        Ok(Self {
            id: config.name.clone(),
            origin: config.glob.clone(),
            options: config.options.as_ref().unwrap_or(options).clone(),
            files: Which::Matching(Glob::new(&config.glob)?),
        })
    }

    fn folder(id: String, folder: &str, format: Format, options: &Options) -> Self {
        let origin = format!("{folder}/** ({})", format::name(format));
        Self { id, origin, options: options.clone(), files: Which::Below(format!("{folder}/"), format) }
    }

    fn file(id: String, key: String, options: &Options) -> Self {
        Self { id, origin: key.clone(), options: options.clone(), files: Which::One(key) }
    }
}

/// Lists a stream's files, page by page in the order of their keys; never all of them at once.
///
/// # Errors
/// As the store and `each` say; `unsupported` past [`MAX_FILES`].
pub(crate) fn walk(
    objects: &dyn Objects,
    stream: &Stream,
    mut each: impl FnMut(Vec<Object>) -> Result<()>,
) -> Result<()> {
    let mut files = 0;
    pages(objects, stream.prefix(), |mut page| {
        page.retain(|object| stream.has(&object.key));
        files += page.len() as u64;
        if files > MAX_FILES {
            return Err(Error::unsupported(format!(
                "more than {MAX_FILES} files match below {}/{}; narrow the stream's glob",
                objects.place(),
                stream.prefix()
            )));
        }
        each(page)
    })
}

/// All pages below a prefix.
pub(crate) fn pages(
    objects: &dyn Objects,
    prefix: &str,
    mut each: impl FnMut(Vec<Object>) -> Result<()>,
) -> Result<()> {
    let mut page = None;
    loop {
        let listed = objects.list(prefix, page.as_deref())?;
        each(listed.objects)?;
        match listed.next {
            Some(next) if page.as_ref() != Some(&next) => page = Some(next),
            _ => return Ok(()),
        }
    }
}

/// All streams and what their files are, ordered by id.
///
/// Without configured streams every file at the top is a stream of its own, named like the file without its endings, and
/// every folder at the top is one, with all files below it. A folder whose files have several formats is a stream for each
/// (`events/csv`, `events/json`); files whose names tell no format are left out.
pub(crate) fn all(
    objects: &dyn Objects,
    configured: &[StreamConfig],
    options: &Options,
) -> Result<Vec<(Stream, Survey)>> {
    if configured.is_empty() {
        return suggested(objects, "", options);
    }
    let mut streams = Vec::with_capacity(configured.len());
    for config in configured {
        let stream = Stream::configured(config, options)?;
        let survey = survey(objects, &stream).map_err(|error| error.stream(&stream.id))?;
        streams.push((stream, survey));
    }
    streams.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
    Ok(streams)
}

/// What a stream's files are.
fn survey(objects: &dyn Objects, stream: &Stream) -> Result<Survey> {
    let mut survey = Survey::new(&stream.options);
    walk(objects, stream, |page| survey.see(&page, &stream.options))?;
    Ok(survey)
}

/// One stream. Of those that the folders suggest, what the id stands for is looked up first.
pub(crate) fn one(objects: &dyn Objects, configured: &[StreamConfig], options: &Options, id: &str) -> Result<Stream> {
    let missing = || Error::not_found(format!("there is no stream {id:?} in {}", objects.place())).stream(id);
    if let Some(config) = configured.iter().find(|config| config.name == id) {
        return Stream::configured(config, options);
    }
    if !configured.is_empty() || id.is_empty() {
        return Err(missing());
    }
    // All that can have this id, or take it from another, starts like this.
    let prefix = match id.split_once('/') {
        Some((folder, _)) => format!("{folder}/"),
        None => format::stem(id).to_owned(),
    };
    let streams = suggested(objects, &prefix, options)?;
    streams.into_iter().map(|(stream, _)| stream).find(|stream| stream.id == id).ok_or_else(missing)
}

/// Checks what was configured before anything is listed.
pub(crate) fn validate(configured: &[StreamConfig], options: &Options) -> Result<()> {
    options.validate().map_err(|error| error.field("/options"))?;
    let mut names = std::collections::HashSet::new();
    for (at, config) in configured.iter().enumerate() {
        let field = |name: &str| format!("/streams/{at}/{name}");
        if config.name.is_empty() || config.name.len() > 200 {
            return Err(Error::config("a stream's name has 1 to 200 characters").field(field("name")));
        }
        if !names.insert(&config.name) {
            let message = format!("two streams have the name {:?}", config.name);
            return Err(Error::config(message).field(field("name")));
        }
        Glob::new(&config.glob).map_err(|error| error.field(field("glob")))?;
        if let Some(own) = &config.options {
            own.validate().map_err(|error| error.field(field("options")))?;
        }
    }
    Ok(())
}

/// The options that a stream is read with.
pub(crate) fn options_of(configured: &[StreamConfig], options: &Options, id: &str) -> Options {
    let own = configured.iter().find(|config| config.name == id).and_then(|config| config.options.as_ref());
    own.unwrap_or(options).clone()
}

/// Names that start with `.` or `_` are hidden.
fn visible(key: &str) -> bool {
    !key.split('/').any(|part| part.starts_with(['.', '_']))
}

fn suggested_format(key: &str, options: &Options) -> Option<Format> {
    Some(options.format).filter(|format| *format != Format::Auto).or_else(|| format::of_name(key))
}

/// What lies at the top: folders, with what is below them by format, and files.
struct Top<'a> {
    options: &'a Options,
    folders: BTreeMap<String, BTreeMap<Format, Survey>>,
    files: Vec<(String, Survey)>,
    seen: u64,
}

impl Top<'_> {
    fn see(&mut self, object: &Object, format: Format) -> Result<()> {
        let options = self.options;
        let one = std::slice::from_ref(object);
        self.seen += 1;
        match object.key.split_once('/') {
            Some((folder, _)) => {
                if !self.folders.contains_key(folder) {
                    self.folders.insert(folder.to_owned(), BTreeMap::new());
                }
                if let Some(formats) = self.folders.get_mut(folder) {
                    formats.entry(format).or_insert_with(|| Survey::new(options)).see(one, options)?;
                }
            }
            None => {
                let mut survey = Survey::new(options);
                survey.see(one, options)?;
                self.files.push((object.key.clone(), survey));
            }
        }
        if self.folders.len() + self.files.len() > MAX_STREAMS {
            return Err(Error::unsupported(format!(
                "there are more than {MAX_STREAMS} folders and files at the top, each of which would be a stream; say under \
                 streams which of them belong together"
            ))
            .field("/streams"));
        }
        Ok(())
    }

    /// The streams that this suggests, ordered by id.
    fn streams(self) -> Vec<(Stream, Survey)> {
        let options = self.options;
        let mut streams: BTreeMap<String, (Stream, Survey)> = BTreeMap::new();
        for (folder, formats) in self.folders {
            let single = formats.len() == 1;
            for (format, survey) in formats {
                let id = if single { folder.clone() } else { format!("{folder}/{}", format::name(format)) };
                streams.insert(id.clone(), (Stream::folder(id, &folder, format, options), survey));
            }
        }
        for (key, survey) in self.files {
            // A name that is taken, by a folder or by a file with other endings, is told apart by the whole name.
            let stem = format::stem(&key).to_owned();
            let id = if streams.contains_key(&stem) { key.clone() } else { stem };
            streams.insert(id.clone(), (Stream::file(id, key, options), survey));
        }
        streams.into_values().collect()
    }
}

/// The streams that files suggest whose keys start with a prefix.
fn suggested(objects: &dyn Objects, prefix: &str, options: &Options) -> Result<Vec<(Stream, Survey)>> {
    let mut top = Top { options, folders: BTreeMap::new(), files: Vec::new(), seen: 0 };
    pages(objects, prefix, |page| {
        for object in page.iter().filter(|object| visible(&object.key)) {
            if let Some(format) = suggested_format(&object.key, options) {
                top.see(object, format)?;
            }
        }
        if top.seen > MAX_FILES {
            return Err(Error::unsupported(format!("there are more than {MAX_FILES} files in {}", objects.place())));
        }
        Ok(())
    })?;
    Ok(top.streams())
}
