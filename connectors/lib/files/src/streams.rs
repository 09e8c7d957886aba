//! Which streams there are: those that were configured, or what the folders suggest.

use std::collections::BTreeMap;

use sluice_sdk::{Error, Result};

use crate::format;
use crate::glob::Glob;
use crate::objects::{Object, Objects, list_all};
use crate::options::{Format, Options, StreamConfig};

/// Most files of a stream, and of a connection that is searched for streams.
pub(crate) const MAX_FILES: usize = 200_000;

/// A stream and its files.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) id: String,
    /// What it was made of, for people.
    pub(crate) origin: String,
    pub(crate) options: Options,
    pub(crate) files: Vec<Object>,
}

/// All streams, ordered by id.
///
/// Without configured streams every file at the top is a stream of its own, named like the file without its endings, and
/// every folder at the top is one, with all files below it. A folder whose files have several formats is a stream for each
/// (`events/csv`, `events/json`); files whose names tell no format are left out.
pub(crate) fn all(objects: &dyn Objects, configured: &[StreamConfig], options: &Options) -> Result<Vec<Stream>> {
    if configured.is_empty() {
        return suggested(objects, options);
    }
    let mut streams = Vec::with_capacity(configured.len());
    for config in configured {
        streams.push(named(objects, config, options)?);
    }
    streams.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(streams)
}

/// One stream.
pub(crate) fn one(objects: &dyn Objects, configured: &[StreamConfig], options: &Options, id: &str) -> Result<Stream> {
    let missing = || Error::not_found(format!("there is no stream {id:?} in {}", objects.place())).stream(id);
    if configured.is_empty() {
        return suggested(objects, options)?.into_iter().find(|stream| stream.id == id).ok_or_else(missing);
    }
    let config = configured.iter().find(|config| config.name == id).ok_or_else(missing)?;
    named(objects, config, options)
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

fn named(objects: &dyn Objects, config: &StreamConfig, options: &Options) -> Result<Stream> {
    let glob = Glob::new(&config.glob)?;
    let files = list_all(objects, glob.prefix(), MAX_FILES, |object| glob.matches(&object.key))
        .map_err(|error| error.stream(&config.name))?;
    Ok(Stream {
        id: config.name.clone(),
        origin: config.glob.clone(),
        options: config.options.as_ref().unwrap_or(options).clone(),
        files,
    })
}

fn suggested(objects: &dyn Objects, options: &Options) -> Result<Vec<Stream>> {
    let visible = Glob::new("**")?;
    let files = list_all(objects, "", MAX_FILES, |object| visible.matches(&object.key))?;
    let mut folders: BTreeMap<String, BTreeMap<Format, Vec<Object>>> = BTreeMap::new();
    let mut tops: Vec<(Format, Object)> = Vec::new();
    for file in files {
        let Some(format) = Some(options.format).filter(|f| *f != Format::Auto).or_else(|| format::of_name(&file.key))
        else {
            continue;
        };
        match file.key.split_once('/') {
            Some((folder, _)) => {
                folders.entry(folder.to_owned()).or_default().entry(format).or_default().push(file);
            }
            None => tops.push((format, file)),
        }
    }
    let mut streams: BTreeMap<String, Stream> = BTreeMap::new();
    for (folder, formats) in folders {
        let single = formats.len() == 1;
        for (format, files) in formats {
            let id = if single { folder.clone() } else { format!("{folder}/{}", format::name(format)) };
            let origin = format!("{folder}/** ({})", format::name(format));
            streams.insert(id.clone(), Stream { id, origin, options: options.clone(), files });
        }
    }
    for (_, file) in tops {
        // A name that is taken, by a folder or by a file with other endings, is told apart by the whole name.
        let stem = format::stem(&file.key).to_owned();
        let id = if streams.contains_key(&stem) { file.key.clone() } else { stem };
        let origin = file.key.clone();
        streams.insert(id.clone(), Stream { id, origin, options: options.clone(), files: vec![file] });
    }
    Ok(streams.into_values().collect())
}
