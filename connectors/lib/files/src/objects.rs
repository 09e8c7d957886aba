//! Where files are: a folder here, object stores in `connectors/lib/objects`. Everything else in this crate goes through
//! [`Objects`].

use std::io::Read;
use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sluice_sdk::{Error, Result};

/// A file as its store describes it. Two descriptions that are equal mean the same content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Path below the root, with `/` between its parts.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was last changed, milliseconds since 1970, where the store says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_ms: Option<i64>,
    /// The store's own mark of its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

/// A part of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectPage {
    /// Ordered by key.
    pub objects: Vec<Object>,
    /// Hand this to the next call; none on the last page.
    pub next: Option<String>,
}

/// A store of files. Implementations never leave the root that the user named.
pub trait Objects: Send + Sync + 'static {
    /// Where the files are, for messages: `/data`, `s3://bucket/prefix`.
    fn place(&self) -> String;

    /// Lists files whose key starts with `prefix`, ordered by key, page by page.
    ///
    /// # Errors
    /// `not-found` or `permission` where the root cannot be listed.
    fn list(&self, prefix: &str, page: Option<&str>) -> Result<ObjectPage>;

    /// Makes sure, before a file is read, that it is still the one that was described. A store whose reads tell that
    /// themselves has nothing to do.
    ///
    /// # Errors
    /// [`changed`], which says how.
    fn verify(&self, object: &Object) -> Result<()>;

    /// Reads a range of bytes of exactly this version of the file. The range lies within the file.
    ///
    /// # Errors
    /// `transient` if the file is not the one that was described any more.
    fn open(&self, object: &Object, range: Range<u64>) -> Result<Box<dyn Read + Send>>;

    /// Reads several ranges, each into memory as a whole; a store that is far away reads them at once.
    ///
    /// # Errors
    /// As [`Objects::open`].
    fn fetch(&self, object: &Object, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        ranges.iter().map(|range| whole(self.open(object, range.clone())?, object, range)).collect()
    }

    /// Says which files will be opened next, as wholes, the first one at once; a store that is far away may begin to fetch
    /// them.
    fn expect(&self, next: &[&Object]) {
        let _ = next;
    }

    /// Where a user changes what can be read, for remedies.
    fn remedy(&self) -> String {
        format!("check that {} exists and may be read", self.place())
    }
}

/// Everything that a reader of a range yields.
fn whole(mut reader: Box<dyn Read + Send>, object: &Object, range: &Range<u64>) -> Result<Bytes> {
    let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(length.min(64 << 20));
    reader.read_to_end(&mut bytes).map_err(|error| from_io(error, &object.key))?;
    if bytes.len() < length {
        return Err(changed(&object.key, "became shorter"));
    }
    Ok(Bytes::from(bytes))
}

/// The error of a file that is not what it was when the read was planned. Planning again finds its new content.
pub fn changed(key: &str, how: &str) -> Error {
    Error::transient(format!("{key} {how} after the read was planned; run again to read it as it is now"))
}

/// Turns an error of a reader into ours, keeping one of ours that travelled inside it.
pub(crate) fn from_io(error: std::io::Error, key: &str) -> Error {
    let kind = error.kind();
    let text = error.to_string();
    match error.into_inner().map(|inner| inner.downcast::<Error>()) {
        Some(Ok(ours)) => *ours,
        _ if kind == std::io::ErrorKind::NotFound => Error::not_found(format!("{key}: {text}")),
        _ if kind == std::io::ErrorKind::PermissionDenied => Error::permission(format!("{key}: {text}")),
        _ => Error::transient(format!("{key} could not be read: {text}")),
    }
}

/// Lets one of our errors travel through a reader.
pub(crate) fn to_io(error: Error) -> std::io::Error {
    std::io::Error::other(error)
}

/// A reader that must yield exactly as many bytes as were asked for: an early end is a file that shrank.
pub(crate) struct Exact {
    inner: Box<dyn Read + Send>,
    left: u64,
    key: String,
}

impl Exact {
    /// Reads a range of a file.
    pub(crate) fn open(objects: &dyn Objects, object: &Object, range: Range<u64>) -> Result<Self> {
        let left = range.end.saturating_sub(range.start);
        let inner = if left == 0 { Box::new(std::io::empty()) } else { objects.open(object, range)? };
        Ok(Self { inner, left, key: object.key.clone() })
    }
}

impl Read for Exact {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(room) = buffer.get_mut(..most).filter(|room| !room.is_empty()) else { return Ok(0) };
        let read = self.inner.read(room)?;
        if read == 0 {
            return Err(to_io(changed(&self.key, "became shorter")));
        }
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}
