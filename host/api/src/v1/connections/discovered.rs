//! The streams that connections were found to offer: remembered for a while, because asking a source takes seconds and a person who
//! chooses streams asks again and again. Kept in memory only, by the connection's revision, within bounds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sluice_core::worker::{Stream, StreamPage};

/// How long a page is good for, microseconds.
const AGE_US: i64 = 10 * 60 * 1_000_000;

/// Most memory that all pages take, bytes, as estimated.
const MOST_BYTES: usize = 32 << 20;

/// Which page of which streams of which connection as it was at which revision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Whose connection it is.
    pub tenant: String,
    /// The connection.
    pub connection: String,
    /// Its revision.
    pub revision: u64,
    /// Only streams whose ids contain this.
    pub contains: String,
    /// At most so many on a page.
    pub page_size: u32,
    /// Behind which page; none for the first one.
    pub after: Option<String>,
}

#[derive(Clone, Debug)]
struct Kept {
    at_us: i64,
    bytes: usize,
    page: Arc<StreamPage>,
}

/// The pages.
#[derive(Debug, Default)]
pub struct Discovered(Mutex<BTreeMap<Place, Kept>>);

/// What is known of a connection's streams.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// By their ids.
    pub streams: BTreeMap<String, Stream>,
    /// Whether these are all that there are.
    pub complete: bool,
}

impl Discovered {
    /// A page, and when it was asked for.
    pub fn get(&self, place: &Place, now_us: i64) -> Option<(Arc<StreamPage>, i64)> {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = pages.get(place).filter(|kept| fresh(kept, now_us))?;
        Some((kept.page.clone(), kept.at_us))
    }

    /// Keeps a page; what is old goes, and then the oldest until there is room.
    pub fn put(&self, place: Place, page: Arc<StreamPage>, now_us: i64) {
        let bytes = page.streams.iter().map(weight).sum::<usize>() + 500;
        if bytes > MOST_BYTES {
            return;
        }
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|_, kept| fresh(kept, now_us));
        pages.insert(place, Kept { at_us: now_us, bytes, page });
        while pages.values().map(|kept| kept.bytes).sum::<usize>() > MOST_BYTES {
            let oldest = pages.iter().min_by_key(|(_, kept)| kept.at_us).map(|(place, _)| place.clone());
            let Some(oldest) = oldest else { return };
            pages.remove(&oldest);
        }
    }

    /// Forgets every page of a connection.
    pub fn forget(&self, tenant: &str, connection: &str) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|place, _| place.tenant != tenant || place.connection != connection);
    }

    /// Forgets every page of a tenant: another version of a connector may list other streams.
    pub fn forget_all(&self, tenant: &str) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|place, _| place.tenant != tenant);
    }

    /// What is known of the streams of a connection at a revision. Complete if an unfiltered list was read to its end.
    pub fn known(&self, tenant: &str, connection: &str, revision: u64, now_us: i64) -> Known {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_it = pages.iter().filter(|(place, kept)| {
            (place.tenant.as_str(), place.connection.as_str(), place.revision) == (tenant, connection, revision)
                && fresh(kept, now_us)
        });
        let of_it: Vec<(&Place, &Kept)> = of_it.collect();
        let mut known = Known::default();
        for (_, kept) in &of_it {
            known.streams.extend(kept.page.streams.iter().map(|stream| (stream.id.clone(), stream.clone())));
        }
        let begins = of_it.iter().filter(|(place, _)| place.contains.is_empty() && place.after.is_none());
        known.complete = begins.clone().any(|(place, first)| {
            let mut next = first.page.next.clone();
            // Each step is another page, so there are no more steps than pages.
            for _ in &of_it {
                if next.is_none() {
                    return true;
                }
                let behind = Place { after: next, ..(*place).clone() };
                let Some(kept) = pages.get(&behind).filter(|kept| fresh(kept, now_us)) else { return false };
                next = kept.page.next.clone();
            }
            next.is_none()
        });
        known
    }
}

fn fresh(kept: &Kept, now_us: i64) -> bool {
    now_us.saturating_sub(kept.at_us) < AGE_US
}

/// About how much memory a stream takes.
fn weight(stream: &Stream) -> usize {
    let texts = stream.primary_key.iter().chain(&stream.cursor_candidates).map(|text| text.len() + 24).sum::<usize>();
    let columns = stream.columns.iter().map(|column| column.name.len() + column.r#type.len() + 56).sum::<usize>();
    200 + stream.id.len() + texts + columns + stream.description.as_ref().map_or(0, String::len)
}

#[cfg(test)]
mod tests {
    use sluice_core::plan::StreamKind;

    use super::*;

    fn place(contains: &str, after: Option<&str>) -> Place {
        Place {
            tenant: "t".into(),
            connection: "c".into(),
            revision: 1,
            contains: contains.into(),
            page_size: 50,
            after: after.map(str::to_owned),
        }
    }

    fn page(id: &str, next: Option<&str>, description: usize) -> Arc<StreamPage> {
        let stream = Stream {
            id: id.into(),
            kind: StreamKind::Table,
            columns: Vec::new(),
            primary_key: Vec::new(),
            cursor_candidates: Vec::new(),
            rows: None,
            bytes: None,
            description: Some("d".repeat(description)),
        };
        Arc::new(StreamPage { streams: vec![stream], next: next.map(str::to_owned) })
    }

    #[test]
    fn a_list_is_complete_when_each_of_its_pages_is_there() {
        let all = Discovered::default();
        all.put(place("", None), page("a", Some("2"), 1), 0);
        all.put(place("x", None), page("x", None, 1), 0);
        let known = all.known("t", "c", 1, 1);
        assert_eq!((known.streams.len(), known.complete), (2, false));
        all.put(place("", Some("2")), page("b", None, 1), 0);
        assert!(all.known("t", "c", 1, 1).complete);
        assert!(all.known("t", "c", 2, 1).streams.is_empty() && all.known("u", "c", 1, 1).streams.is_empty());
        all.forget("t", "c");
        assert!(all.known("t", "c", 1, 1).streams.is_empty());
    }

    #[test]
    fn what_is_old_or_too_much_goes() {
        let all = Discovered::default();
        all.put(place("a", None), page("a", None, MOST_BYTES / 2), 0);
        all.put(place("b", None), page("b", None, MOST_BYTES / 2), 1);
        assert!(all.get(&place("a", None), 1).is_none());
        assert!(all.get(&place("b", None), AGE_US).is_some());
        assert!(all.get(&place("b", None), AGE_US + 1).is_none());
    }
}
