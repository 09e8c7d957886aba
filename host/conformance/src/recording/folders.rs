//! Folders that were granted: taken down as a whole, and laid out again for a replay.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::recording::{Bytes, File};
use tempfile::TempDir;

/// Most bytes of all files together, and most files: a recording is a fixture.
const MOST_BYTES: u64 = 32 << 20;
const MOST_FILES: usize = 10_000;

/// Deepest folder.
const DEEPEST: usize = 32;

/// Folders of a replay, which go with this value.
pub(crate) struct LaidOut {
    _home: Option<TempDir>,
    folders: BTreeMap<String, PathBuf>,
}

impl LaidOut {
    /// Each folder by the name under which the connector sees it.
    pub(crate) fn folders(&self) -> &BTreeMap<String, PathBuf> {
        &self.folders
    }
}

/// Reads the files of granted folders.
pub(crate) async fn taken(granted: BTreeMap<String, PathBuf>) -> Result<Vec<File>, RunError> {
    let taken = tokio::task::spawn_blocking(move || {
        let mut taking = Taking::default();
        granted.iter().try_for_each(|(name, folder)| taking.folder(name, folder, "", 0))?;
        Ok(taking.files)
    });
    taken.await.map_err(|error| RunError::internal(format!("reading the granted folders was interrupted: {error}")))?
}

#[derive(Default)]
struct Taking {
    files: Vec<File>,
    bytes: u64,
}

impl Taking {
    fn folder(&mut self, name: &str, folder: &Path, below: &str, depth: usize) -> Result<(), RunError> {
        let wrong = |path: &Path, why: String| {
            RunError::config(format!("grants.folders.{name}"), format!("{} cannot be recorded: {why}", path.display()))
        };
        let unread = |path: &Path| {
            let path = path.to_path_buf();
            move |error: std::io::Error| wrong(&path, error.to_string())
        };
        let entries: Result<Vec<_>, _> = std::fs::read_dir(folder).map_err(unread(folder))?.collect();
        let mut entries = entries.map_err(unread(folder))?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let metadata = std::fs::metadata(&path).map_err(unread(&path))?;
            let file_name = entry.file_name();
            let Some(plain) = file_name.to_str() else {
                return Err(wrong(&path, "its name is not UTF-8".to_owned()));
            };
            let shown = if below.is_empty() { plain.to_owned() } else { format!("{below}/{plain}") };
            if metadata.is_dir() {
                if depth >= DEEPEST {
                    return Err(wrong(&path, format!("it is deeper than {DEEPEST} folders")));
                }
                self.folder(name, &path, &shown, depth + 1)?;
                continue;
            }
            self.bytes = self.bytes.saturating_add(metadata.len());
            if self.bytes > MOST_BYTES || self.files.len() >= MOST_FILES {
                let most = MOST_BYTES >> 20;
                let why = format!(
                    "a recording has granted folders as a whole, at most {most} MiB and {MOST_FILES} files; grant a smaller one"
                );
                return Err(wrong(folder, why));
            }
            let modified =
                metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
            let content = std::fs::read(&path).map_err(unread(&path))?;
            self.files.push(File {
                folder: name.to_owned(),
                path: shown,
                modified_us: u64::try_from(modified.as_micros()).unwrap_or(u64::MAX),
                content: Bytes(content),
            });
        }
        Ok(())
    }
}

/// Writes the files of a recording into folders of their own.
pub(crate) async fn laid_out(names: &[String], files: &[File]) -> Result<LaidOut, RunError> {
    if names.is_empty() {
        return Ok(LaidOut { _home: None, folders: BTreeMap::new() });
    }
    let (names, files) = (names.to_vec(), files.to_vec());
    let written = tokio::task::spawn_blocking(move || write(&names, &files));
    let written = written.await.map_err(|error| std::io::Error::other(error)).and_then(|written| written);
    written.map_err(|error| {
        let message = format!("the folders of the recording cannot be laid out on this machine: {error}");
        RunError::new(Kind::Resources, Actor::Host, message)
    })
}

fn write(names: &[String], files: &[File]) -> std::io::Result<LaidOut> {
    let home = TempDir::new()?;
    let mut folders = BTreeMap::new();
    for (at, name) in names.iter().enumerate() {
        // What a recording calls its folders never becomes a path here.
        let folder = home.path().join(at.to_string());
        std::fs::create_dir(&folder)?;
        folders.insert(name.clone(), folder);
    }
    for file in files {
        let Some(folder) = folders.get(&file.folder).filter(|_| file.is_below_its_folder()) else {
            return Err(std::io::Error::other(format!("{} is in no folder of it", file.path.escape_debug())));
        };
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, &file.content.0)?;
        let written = std::fs::File::options().write(true).open(&path)?;
        let modified = UNIX_EPOCH.checked_add(Duration::from_micros(file.modified_us)).unwrap_or(UNIX_EPOCH);
        // A time that no file system knows is none that was recorded.
        let _ = written.set_modified(modified);
    }
    Ok(LaidOut { _home: Some(home), folders })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_is_taken_and_laid_out_as_it_was() {
        let source = TempDir::new().unwrap();
        std::fs::create_dir_all(source.path().join("a/b")).unwrap();
        std::fs::write(source.path().join("a/b/c.csv"), "id\n1\n").unwrap();
        std::fs::write(source.path().join("z.bin"), [0xff]).unwrap();
        let granted = BTreeMap::from([("/data".to_owned(), source.path().to_path_buf())]);
        let files = taken(granted).await.unwrap();
        assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["a/b/c.csv", "z.bin"]);
        let laid = laid_out(&["/data".to_owned()], &files).await.unwrap();
        let folder = laid.folders()["/data"].clone();
        assert_eq!(std::fs::read(folder.join("a/b/c.csv")).unwrap(), b"id\n1\n");
        let again = taken(BTreeMap::from([("/data".to_owned(), folder.clone())])).await.unwrap();
        assert_eq!(again, files, "names, contents and times");
        drop(laid);
        assert!(!folder.exists());
    }

    #[tokio::test]
    async fn a_folder_that_is_too_large_is_named_with_what_to_do() {
        let source = TempDir::new().unwrap();
        let file = std::fs::File::create(source.path().join("large")).unwrap();
        file.set_len(MOST_BYTES + 1).unwrap();
        let error = taken(BTreeMap::from([("/data".to_owned(), source.path().to_path_buf())])).await.unwrap_err();
        assert_eq!(error.field.as_deref(), Some("grants.folders./data"));
        assert!(error.message.contains("at most 32 MiB") && error.message.contains("grant a smaller one"), "{error}");
    }

    #[tokio::test]
    async fn a_path_that_leaves_its_folder_is_not_written() {
        let file = File { folder: "/data".into(), path: "../x".into(), modified_us: 0, content: "x".into() };
        assert!(laid_out(&["/data".to_owned()], &[file]).await.is_err());
    }
}
