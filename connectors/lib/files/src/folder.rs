//! A folder of the machine as a store of files. In the sandbox it is one that an operator granted, read-only.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use sluice_sdk::{Error, ErrorKind, Result};

use crate::objects::{Object, ObjectPage, Objects, changed};

/// Files on a page of a listing.
const PAGE: usize = 1000;

/// How deep folders are searched.
const MAX_DEPTH: usize = 32;

/// A folder. Symbolic links are neither listed nor followed, so nothing outside it is ever read.
pub struct Folder {
    root: PathBuf,
    page: usize,
    /// Where the last listing stopped. A folder of a million files is read once, not once for each page.
    walk: Mutex<Option<Walk>>,
}

impl Folder {
    /// The files below this folder.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), page: PAGE, walk: Mutex::default() }
    }

    /// The path of a key, if no part of it leads elsewhere.
    fn path(&self, key: &str) -> Result<PathBuf> {
        let mut path = self.root.clone();
        for part in key.split('/') {
            if part.is_empty() || part == "." || part == ".." || part.contains(['\\', '\0']) {
                return Err(Error::permission(format!("{key} is not a path below {}", self.place())));
            }
            path.push(part);
        }
        Ok(path)
    }

    /// The metadata of a key, none of whose parts is a symbolic link.
    fn metadata(&self, key: &str) -> Result<Metadata> {
        let path = self.path(key)?;
        let mut at = self.root.clone();
        for part in key.split('/') {
            at.push(part);
            let metadata = std::fs::symlink_metadata(&at).map_err(|e| self.failed(&e, key))?;
            if metadata.file_type().is_symlink() {
                return Err(Error::permission(format!("{key} is or passes a symbolic link, which is not followed")));
            }
            if at == path {
                return Ok(metadata);
            }
        }
        Err(Error::not_found(format!("{key} does not exist in {}", self.place())))
    }

    /// Describes one file as it is now.
    fn head(&self, key: &str) -> Result<Object> {
        let metadata = self.metadata(key)?;
        if !metadata.is_file() {
            return Err(Error::not_found(format!("{key} is not a file")));
        }
        Ok(object(key.to_owned(), &metadata))
    }

    /// Makes sure that a file is still the one that was described.
    fn unchanged(&self, object: &Object) -> Result<()> {
        let now = match self.head(&object.key) {
            Err(error) if error.kind == ErrorKind::NotFound => return Err(changed(&object.key, "was deleted")),
            other => other?,
        };
        match now {
            now if now == *object => Ok(()),
            now if now.size > object.size => Err(changed(&object.key, "grew")),
            now if now.size < object.size => Err(changed(&object.key, "became shorter")),
            _ => Err(changed(&object.key, "was written again")),
        }
    }

    fn failed(&self, error: &std::io::Error, key: &str) -> Error {
        let path = if key.is_empty() { self.place() } else { format!("{}/{key}", self.place()) };
        match error.kind() {
            std::io::ErrorKind::NotFound => Error::not_found(format!("{path} does not exist; {}", self.remedy())),
            std::io::ErrorKind::PermissionDenied => {
                Error::permission(format!("{path} may not be read; {}", self.remedy()))
            }
            _ => Error::transient(format!("{path} could not be read: {error}")),
        }
    }

    /// Reads a folder (its keys' start, empty for the root) and orders what is wanted of it.
    fn enter(&self, walk: &Walk, prefix: String) -> Result<Level> {
        let folder = prefix.trim_end_matches('/');
        let path = if folder.is_empty() { self.root.clone() } else { self.path(folder)? };
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(|e| self.failed(&e, folder))? {
            let entry = entry.map_err(|e| self.failed(&e, folder))?;
            let (Ok(mut name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else { continue };
            // A folder sorts as its keys do: with the slash.
            if kind.is_dir() && walk.open.len() < MAX_DEPTH {
                name.push('/');
                if walk.may_hold(&format!("{prefix}{name}")) {
                    entries.push(name.into_boxed_str());
                }
            } else if kind.is_file() && walk.wants(&format!("{prefix}{name}")) {
                entries.push(name.into_boxed_str());
            }
        }
        entries.sort_unstable();
        Ok(Level { prefix, path, entries: entries.into_iter() })
    }

    /// The next file of a walk, in the order of keys.
    fn next(&self, walk: &mut Walk) -> Result<Option<Object>> {
        while let Some(level) = walk.open.last_mut() {
            let Some(name) = level.entries.next() else {
                walk.open.pop();
                continue;
            };
            let key = format!("{}{name}", level.prefix);
            if name.ends_with('/') {
                let level = self.enter(walk, key)?;
                walk.open.push(level);
                continue;
            }
            match std::fs::symlink_metadata(level.path.join(&*name)) {
                Ok(metadata) if metadata.is_file() => return Ok(Some(object(key, &metadata))),
                // It became something else.
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(self.failed(&error, &key)),
            }
        }
        Ok(None)
    }
}

/// A listing under way.
struct Walk {
    prefix: String,
    /// The key behind which it begins.
    after: Option<String>,
    /// The folders that it is in, the outermost first.
    open: Vec<Level>,
    /// The last key that was listed.
    last: String,
}

/// A folder of a listing, and what is still to be listed of it.
struct Level {
    prefix: String,
    path: PathBuf,
    entries: std::vec::IntoIter<Box<str>>,
}

impl Walk {
    fn wants(&self, key: &str) -> bool {
        key.starts_with(&self.prefix) && self.after.as_deref().is_none_or(|after| key > after)
    }

    /// Whether a folder, with its slash, may hold keys that are wanted.
    fn may_hold(&self, below: &str) -> bool {
        let prefix = below.starts_with(&self.prefix) || self.prefix.starts_with(below);
        // All keys of a folder are smaller than the last one only if its name is, unless the last one is inside.
        let later = self.after.as_deref().is_none_or(|after| after.starts_with(below) || below > after);
        prefix && later
    }
}

fn object(key: String, metadata: &Metadata) -> Object {
    Object { key, size: metadata.len(), modified_ms: modified_ms(metadata), etag: None }
}

impl Objects for Folder {
    fn place(&self) -> String {
        self.root.display().to_string()
    }

    fn list(&self, prefix: &str, page: Option<&str>) -> Result<ObjectPage> {
        let mut kept = self.walk.lock().unwrap_or_else(PoisonError::into_inner);
        let mut walk = match kept.take() {
            Some(walk) if walk.prefix == prefix && page == Some(walk.last.as_str()) => walk,
            _ => {
                let (prefix, after) = (prefix.to_owned(), page.map(str::to_owned));
                let mut walk = Walk { prefix, after, open: Vec::new(), last: String::new() };
                let root = self.enter(&walk, String::new())?;
                walk.open.push(root);
                walk
            }
        };
        let mut objects: Vec<Object> = Vec::new();
        while objects.len() < self.page {
            match self.next(&mut walk)? {
                Some(object) => objects.push(object),
                None => return Ok(ObjectPage { objects, next: None }),
            }
        }
        walk.last = objects.last().map(|last| last.key.clone()).unwrap_or_default();
        let next = Some(walk.last.clone());
        *kept = Some(walk);
        Ok(ObjectPage { objects, next })
    }

    fn verify(&self, object: &Object) -> Result<()> {
        // Every opening does; an empty file is not opened.
        if object.size > 0 { Ok(()) } else { self.unchanged(object) }
    }

    fn open(&self, object: &Object, range: Range<u64>) -> Result<Box<dyn Read + Send>> {
        let path = self.path(&object.key)?;
        self.unchanged(object)?;
        let mut file = File::open(&path).map_err(|e| self.failed(&e, &object.key))?;
        if range.start > 0 {
            file.seek(SeekFrom::Start(range.start)).map_err(|e| self.failed(&e, &object.key))?;
        }
        Ok(Box::new(file.take(range.end.saturating_sub(range.start))))
    }

    fn remedy(&self) -> String {
        format!("grant the folder to the pipeline under `source.grants.folders` as {}", self.place())
    }
}

fn modified_ms(metadata: &Metadata) -> Option<i64> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(keys: &[&str]) -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().unwrap();
        for key in keys {
            let path = dir.path().join(key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, key).unwrap();
        }
        let folder = Folder { page: 2, ..Folder::new(dir.path()) };
        (dir, folder)
    }

    fn keys(folder: &Folder, prefix: &str) -> Vec<String> {
        let mut keys = Vec::new();
        crate::streams::pages(folder, prefix, |page| {
            keys.extend(page.into_iter().map(|object| object.key));
            Ok(())
        })
        .unwrap();
        keys
    }

    #[test]
    fn pages_follow_each_other_in_the_order_of_keys() {
        let (_dir, folder) = folder_with(&["b.csv", "a/2.csv", "a/1.csv", "a.csv", "a-x/3.csv", "c/d/e.csv"]);
        assert_eq!(keys(&folder, ""), ["a-x/3.csv", "a.csv", "a/1.csv", "a/2.csv", "b.csv", "c/d/e.csv"]);
        assert_eq!(keys(&folder, "a/"), ["a/1.csv", "a/2.csv"]);
        assert_eq!(keys(&folder, "c/d"), ["c/d/e.csv"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_is_neither_listed_nor_followed() {
        let (dir, folder) = folder_with(&["a.csv"]);
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("passwd.csv")).unwrap();
        std::os::unix::fs::symlink("/etc", dir.path().join("etc")).unwrap();
        assert_eq!(keys(&folder, ""), ["a.csv"]);
        assert!(folder.head("passwd.csv").unwrap_err().message.contains("symbolic link"));
        assert!(folder.head("etc/passwd").unwrap_err().message.contains("symbolic link"));
        assert!(folder.head("../x").unwrap_err().message.contains("not a path below"));
    }

    #[test]
    fn a_file_that_changed_is_not_opened() {
        let (dir, folder) = folder_with(&["a.csv"]);
        let object = folder.head("a.csv").unwrap();
        std::fs::write(dir.path().join("a.csv"), "longer than before").unwrap();
        let error = folder.open(&object, 0..1).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Transient);
        assert!(error.message.contains("grew"), "{error}");
    }
}
