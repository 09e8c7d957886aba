//! A folder of the machine as a store of files. In the sandbox it is one that an operator granted, read-only.

use std::cmp::Ordering;
use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
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
}

impl Folder {
    /// The files below this folder.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), page: PAGE }
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
        Ok(Object { key: key.to_owned(), size: metadata.len(), modified_ms: modified_ms(&metadata), etag: None })
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

    /// Adds files below `folder` (a key, empty for the root) in order of their keys. Returns true when the page is full.
    fn walk(&self, folder: &str, search: &Search<'_>, depth: usize, found: &mut Vec<Object>) -> Result<bool> {
        let path = if folder.is_empty() { self.root.clone() } else { self.path(folder)? };
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(|e| self.failed(&e, folder))? {
            let entry = entry.map_err(|e| self.failed(&e, folder))?;
            let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else { continue };
            let key = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            // A folder sorts as its keys do: with the slash.
            if kind.is_dir() && depth < MAX_DEPTH && search.may_hold(&key) {
                entries.push((format!("{key}/"), true));
            } else if kind.is_file() && search.wants(&key) {
                entries.push((key, false));
            }
        }
        entries.sort_unstable();
        for (key, is_folder) in entries {
            if is_folder {
                if self.walk(key.trim_end_matches('/'), search, depth + 1, found)? {
                    return Ok(true);
                }
                continue;
            }
            if found.len() == self.page {
                return Ok(true);
            }
            match self.head(&key) {
                Ok(object) => found.push(object),
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

/// What a listing looks for.
struct Search<'a> {
    prefix: &'a str,
    after: Option<&'a str>,
}

impl Search<'_> {
    fn wants(&self, key: &str) -> bool {
        key.starts_with(self.prefix) && self.after.is_none_or(|after| key > after)
    }

    fn may_hold(&self, folder: &str) -> bool {
        let below = format!("{folder}/");
        let prefix = below.starts_with(self.prefix) || self.prefix.starts_with(&below);
        // All keys of a folder are smaller than the last one only if its name is, unless the last one is inside.
        let later =
            self.after.is_none_or(|after| after.starts_with(&below) || below.as_str().cmp(after) == Ordering::Greater);
        prefix && later
    }
}

impl Objects for Folder {
    fn place(&self) -> String {
        self.root.display().to_string()
    }

    fn list(&self, prefix: &str, page: Option<&str>) -> Result<ObjectPage> {
        let mut objects = Vec::new();
        let more = self.walk("", &Search { prefix, after: page }, 0, &mut objects)?;
        let next = objects.last().filter(|_| more).map(|last: &Object| last.key.clone());
        Ok(ObjectPage { objects, next })
    }

    fn verify(&self, object: &Object) -> Result<()> {
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

    fn open(&self, object: &Object, range: Range<u64>) -> Result<Box<dyn Read + Send>> {
        let path = self.path(&object.key)?;
        self.verify(object)?;
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
        let folder = Folder { root: dir.path().to_owned(), page: 2 };
        (dir, folder)
    }

    fn keys(folder: &Folder, prefix: &str) -> Vec<String> {
        crate::list_all(folder, prefix, 100, |_| true).unwrap().into_iter().map(|o| o.key).collect()
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
