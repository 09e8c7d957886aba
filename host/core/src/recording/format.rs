//! The file: JSON, one object a line, each with one name that says what it is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::{Event, FORMAT, File, Header, Instance, Recording};
use crate::error::{Actor, Kind, RunError};

/// Largest file. A recording is a fixture: what is larger belongs to a source.
pub const MAX_BYTES: usize = 64 << 20;

/// Most events of a recording.
pub const MAX_EVENTS: usize = 500_000;

/// Most instances of a recording.
const MAX_INSTANCES: usize = 5_000;

/// Most folders that were granted.
const MAX_FOLDERS: usize = 64;

/// Most files of granted folders.
const MAX_FILES: usize = 10_000;

/// The first line of an instance.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    random: String,
}

/// The last line of a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    lines: usize,
}

impl Recording {
    /// The file's text.
    ///
    /// # Errors
    /// If it is larger than a recording may be.
    pub fn to_text(&self) -> Result<String, RunError> {
        let mut text = String::new();
        let mut lines = 1;
        line(&mut text, "recording", &self.header)?;
        for file in &self.files {
            line(&mut text, "file", file)?;
            lines += 1;
        }
        for instance in &self.instances {
            line(&mut text, "instance", &Begin { random: instance.random.clone() })?;
            lines += 1 + instance.events.len();
            for event in &instance.events {
                push(&mut text, event)?;
            }
        }
        line(&mut text, "end", &End { lines: lines + 1 })?;
        if text.len() > MAX_BYTES {
            let message = format!(
                "the recording has {} bytes; at most {MAX_BYTES} are kept: record fewer streams or rows (--stream, --limit)",
                text.len()
            );
            return Err(RunError::new(Kind::Unsupported, Actor::User, message));
        }
        Ok(text)
    }

    /// Reads a file. `name` is what it is called, for errors. The file may be anybody's.
    ///
    /// # Errors
    /// Names the file, the line and what is wrong with it.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, RunError> {
        let wrong = |at: usize, why: String| {
            let place = if at == 0 { name.to_owned() } else { format!("{name}, line {at}") };
            RunError::new(Kind::Config, Actor::User, format!("{place}: {why}"))
        };
        if bytes.len() > MAX_BYTES {
            return Err(wrong(0, format!("it has {} bytes; a recording has at most {MAX_BYTES}", bytes.len())));
        }
        let text =
            std::str::from_utf8(bytes).map_err(|_| wrong(0, "it is not text in UTF-8: it is no recording".into()))?;
        let mut reading = Reading::default();
        let mut at = 0;
        for line in text.lines() {
            at += 1;
            reading.line(at, line).map_err(|why| wrong(at, why))?;
        }
        match reading {
            Reading { header: Some(header), files, instances, ended: true, .. } => {
                Ok(Self { header, files, instances })
            }
            Reading { header: None, .. } => Err(wrong(0, "it is empty: it is no recording".into())),
            _ => Err(wrong(0, format!("it is cut off after line {at}: its last line, \"end\", is missing"))),
        }
    }
}

fn line<T: Serialize>(text: &mut String, name: &str, value: &T) -> Result<(), RunError> {
    push(text, &BTreeMap::from([(name, value)]))
}

fn push<T: Serialize>(text: &mut String, value: &T) -> Result<(), RunError> {
    let json = serde_json::to_string(value)
        .map_err(|error| RunError::internal(format!("a recording cannot be written down: {error}")))?;
    // Writing to a text cannot fail.
    let _ = writeln!(text, "{json}");
    Ok(())
}

/// A file that is being read.
#[derive(Default)]
struct Reading {
    header: Option<Header>,
    files: Vec<File>,
    instances: Vec<Instance>,
    events: usize,
    ended: bool,
}

impl Reading {
    fn line(&mut self, at: usize, text: &str) -> Result<(), String> {
        if self.ended {
            return Err("there is something after its end".into());
        }
        let names: BTreeMap<String, IgnoredAny> =
            serde_json::from_str(text).map_err(|error| format!("it is not an object of JSON: {error}"))?;
        let name = match names.keys().next() {
            Some(name) if names.len() == 1 => name.as_str(),
            _ => return Err("a line is an object with one name that says what it is".into()),
        };
        if self.header.is_none() && name != "recording" {
            return Err("a recording begins with a line \"recording\": it is none".into());
        }
        match name {
            "recording" if self.header.is_none() => self.header(text),
            "recording" => Err("a recording has one line \"recording\"".into()),
            "file" => self.file(value(text, name)?),
            "instance" => {
                let Begin { random } = value(text, name)?;
                full(self.instances.len(), MAX_INSTANCES, "instances")?;
                if random.len() != 64 || !random.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Err("instance.random has 64 hexadecimal digits".into());
                }
                self.instances.push(Instance { random, events: Vec::new() });
                Ok(())
            }
            "end" => {
                let End { lines } = value(text, name)?;
                if lines != at {
                    return Err(format!("it should be line {lines}: lines are missing or were added"));
                }
                self.ended = true;
                Ok(())
            }
            _ => {
                full(self.events, MAX_EVENTS, "events")?;
                let event: Event =
                    serde_json::from_str(text).map_err(|error| format!("\"{}\": {error}", name.escape_debug()))?;
                let instance = self.instances.last_mut().ok_or("an event stands before the first \"instance\"")?;
                instance.events.push(event);
                self.events += 1;
                Ok(())
            }
        }
    }

    fn header(&mut self, text: &str) -> Result<(), String> {
        // The version first: a later format may have other fields.
        let head: serde_json::Value = value(text, "recording")?;
        let format = head.get("format").and_then(serde_json::Value::as_u64);
        if format != Some(u64::from(FORMAT)) {
            let found = format.map_or("none".to_owned(), |format| format.to_string());
            return Err(format!("it is of format {found}, and this version of Sluice reads format {FORMAT}"));
        }
        let header: Header = value(text, "recording")?;
        full(header.folders.len().saturating_sub(1), MAX_FOLDERS, "folders")?;
        self.header = Some(header);
        Ok(())
    }

    fn file(&mut self, file: File) -> Result<(), String> {
        full(self.files.len(), MAX_FILES, "files")?;
        if !self.instances.is_empty() {
            return Err("files stand before the first \"instance\"".into());
        }
        let known = self.header.iter().any(|header| header.folders.contains(&file.folder));
        if !known {
            return Err(format!("folder \"{}\" is not among the recording's folders", file.folder.escape_debug()));
        }
        if !file.is_below_its_folder() {
            return Err(format!("path \"{}\" leaves its folder, or is too long", file.path.escape_debug()));
        }
        self.files.push(file);
        Ok(())
    }
}

fn full(count: usize, most: usize, what: &str) -> Result<(), String> {
    if count < most { Ok(()) } else { Err(format!("there are too many {what}: a recording has at most {most}")) }
}

fn value<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, String> {
    let mut parsed: BTreeMap<String, T> = serde_json::from_str(text).map_err(|error| format!("\"{name}\": {error}"))?;
    parsed.remove(name).ok_or_else(|| format!("\"{name}\" is missing"))
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
