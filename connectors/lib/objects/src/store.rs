//! An object store as a store of files.

use std::io::Read;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use sluice_files::{Object, ObjectPage, Objects};
use sluice_sdk::{Result, http};

use crate::ahead::Ahead;
use crate::provider::Provider;
use crate::request::{self, Refusal, Target};

/// Longest page of a listing that is read, bytes.
const MAX_PAGE: usize = 64 << 20;

/// Ranges that are read at once.
const AT_ONCE: usize = 4;

/// Largest file that is fetched before it is opened, bytes: one part.
const SMALL: u64 = 1 << 20;

/// Files that are fetched before they are opened. A host allows an instance eight requests at once by default.
const EARLY: usize = 6;

/// Objects below a prefix.
#[derive(Clone)]
pub struct Store {
    provider: Arc<dyn Provider>,
    /// Empty, or ending with a slash.
    prefix: String,
    /// Small files whose requests are under way already.
    early: Arc<Mutex<Vec<(Object, Ahead)>>>,
}

impl Store {
    /// The objects whose keys start with `prefix` and a slash; all of them where it is empty.
    pub fn new(provider: impl Provider, prefix: &str) -> Self {
        let prefix = prefix.trim_start_matches('/');
        let slash = if prefix.is_empty() || prefix.ends_with('/') { "" } else { "/" };
        Self { provider: Arc::new(provider), prefix: format!("{prefix}{slash}"), early: Arc::default() }
    }

    /// What the store's API has of its own.
    pub(crate) fn provider(&self) -> &dyn Provider {
        &*self.provider
    }

    fn target(&self, object: &Object) -> Arc<Target> {
        let key = format!("{}{}", self.prefix, object.key);
        Arc::new(Target { key, object: object.clone(), seen: OnceLock::new() })
    }

    /// A page of the keys below the prefix, without it.
    pub(crate) async fn page(&self, prefix: &str, page: Option<&str>) -> Result<ObjectPage, Refusal> {
        let request = self.provider.list(&format!("{}{prefix}", self.prefix), page);
        let mut response = request::send(self.provider(), &request).await?;
        let body = response.whole(MAX_PAGE).await?;
        let mut listed = self.provider.listed(&body)?;
        listed.objects.retain_mut(|object| {
            let Some(key) = object.key.strip_prefix(&self.prefix) else { return false };
            object.key = key.to_owned();
            // Names that end with a slash are folders that some tools make.
            !key_is_folder(&object.key)
        });
        Ok(listed)
    }
}

fn key_is_folder(key: &str) -> bool {
    key.is_empty() || key.ends_with('/')
}

impl Objects for Store {
    fn place(&self) -> String {
        format!("{}/{}", self.provider.place(), self.prefix).trim_end_matches('/').to_owned()
    }

    fn list(&self, prefix: &str, page: Option<&str>) -> Result<ObjectPage> {
        Ok(http::block_on(self.page(prefix, page))?)
    }

    fn verify(&self, object: &Object) -> Result<()> {
        // Every read tells the version that it read; of an empty file nothing is read.
        if object.size > 0 {
            return Ok(());
        }
        http::block_on(request::open(self.provider(), &self.target(object), 0..0)).map(drop)
    }

    fn open(&self, object: &Object, range: Range<u64>) -> Result<Box<dyn Read + Send>> {
        let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        if range == (0..object.size)
            && let Some(at) = early.iter().position(|(expected, _)| expected == object)
        {
            return Ok(Box::new(early.swap_remove(at).1));
        }
        Ok(Box::new(Ahead::new(Arc::clone(&self.provider), self.target(object), range)))
    }

    fn fetch(&self, object: &Object, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        // Shared, so that all ranges are of the version that the first answer tells.
        let target = self.target(object);
        let one = |range: Range<u64>| {
            let reading = Ahead::whole(Arc::clone(&self.provider), Arc::clone(&target), range);
            async move { reading.await.map(Bytes::from) }
        };
        http::block_on(stream::iter(ranges.iter().cloned()).map(one).buffered(AT_ONCE).try_collect())
    }

    fn expect(&self, next: &[&Object]) {
        let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        early.retain(|(expected, _)| next.contains(&expected));
        for object in next.iter().filter(|object| (1..=SMALL).contains(&object.size)) {
            if early.len() < EARLY && !early.iter().any(|(expected, _)| expected == *object) {
                let mut reader = Ahead::new(Arc::clone(&self.provider), self.target(object), 0..object.size);
                reader.begin();
                early.push(((*object).clone(), reader));
            }
        }
    }

    fn remedy(&self) -> String {
        format!("check {} and what the credentials may read", self.place())
    }
}
