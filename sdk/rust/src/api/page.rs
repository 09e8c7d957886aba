//! Following an API's pages to their end.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use serde_json::Value;

use super::client::{Answer, Api};
use crate::{Error, Result};

/// How an API leads from one page to the next. Pointers are JSON pointers into an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paging {
    /// Everything comes at once.
    None,
    /// The answer holds the next page's URL, absolute or relative; missing, null or empty at the end.
    NextLink {
        /// Where it is, e.g. `/links/next`.
        at: String,
    },
    /// The header `Link: <…>; rel="next"`.
    LinkHeader,
    /// The answer holds a cursor that the next request has to send back; missing, null or empty at the end.
    Cursor {
        /// Where it is, e.g. `/next_cursor`.
        at: String,
        /// The request's parameter.
        param: String,
    },
    /// Pages have numbers. Ends with a page that has fewer records than `size`, or none.
    Number {
        /// The request's parameter.
        param: String,
        /// The number of the first page: 0 or 1.
        first: u64,
        /// Records of a full page.
        size: u64,
    },
    /// Pages begin at the number of records before them. Ends with a page that has fewer records than `size`, or none.
    Offset {
        /// The request's parameter.
        param: String,
        /// Records of a full page.
        size: u64,
    },
}

impl Paging {
    /// [`Paging::NextLink`].
    pub fn next_link(at: impl Into<String>) -> Self {
        Self::NextLink { at: at.into() }
    }

    /// [`Paging::Cursor`].
    pub fn cursor(at: impl Into<String>, param: impl Into<String>) -> Self {
        Self::Cursor { at: at.into(), param: param.into() }
    }

    /// [`Paging::Number`], beginning with 1.
    pub fn number(param: impl Into<String>, size: u64) -> Self {
        Self::Number { param: param.into(), first: 1, size }
    }

    /// [`Paging::Offset`].
    pub fn offset(param: impl Into<String>, size: u64) -> Self {
        Self::Offset { param: param.into(), size }
    }
}

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its records.
    pub records: Vec<Value>,
    /// Which page it is, the first being 1.
    pub number: u64,
    /// What was asked, without the query.
    pub source: String,
}

impl Page {
    /// Puts the record's place before an error.
    pub fn context(&self, record: usize, error: Error) -> Error {
        error.context(format!("record {} of page {} of {}", record + 1, self.number, self.source))
    }
}

/// The pages of one request, fetched one after the other as they are asked for.
pub struct Pages<'a> {
    api: &'a Api,
    path: String,
    query: Vec<(String, String)>,
    records: String,
    paging: Paging,
    next: Option<String>,
    fetched: u64,
    seen: u64,
    /// Hashes of what has been asked for, so that an API that leads in a circle is noticed.
    asked: HashSet<u64>,
    hasher: RandomState,
}

impl<'a> Pages<'a> {
    /// The pages below a path. `records` is a pointer to the list of records in an answer; empty where the answer is the list.
    pub fn new(api: &'a Api, path: &str, query: Vec<(String, String)>, records: &str, paging: Paging) -> Self {
        let mut pages = Self {
            api,
            path: path.to_owned(),
            query,
            records: records.to_owned(),
            paging,
            next: None,
            fetched: 0,
            seen: 0,
            asked: HashSet::new(),
            hasher: RandomState::new(),
        };
        pages.next = Some(match pages.paging.clone() {
            Paging::Number { param, first, .. } => pages.with(&param, first.to_string()),
            Paging::Offset { param, .. } => pages.with(&param, "0".to_owned()),
            _ => pages.api.url(&pages.path, &pages.query),
        });
        pages
    }

    /// The next page; none after the last.
    ///
    /// # Errors
    /// What the API says; `protocol` where an answer has no records, or pages lead in a circle.
    #[expect(clippy::should_implement_trait, reason = "an iterator of results is awkward with `?` in a loop")]
    pub fn next(&mut self) -> Result<Option<Page>> {
        let Some(url) = self.next.take() else { return Ok(None) };
        if !self.asked.insert(self.hasher.hash_one(&url)) {
            let message = format!("page {} of {} leads to a page that was read before", self.fetched, self.path);
            return Err(Error::protocol(message));
        }
        let answer = self.api.send(&crate::http::Request::get(url.as_str()))?;
        self.fetched += 1;
        let source = format!("GET {}", url.split('?').next().unwrap_or_default());
        let mut answer = answer;
        let records = match answer.body.pointer_mut(&self.records).map(Value::take) {
            Some(Value::Array(records)) => records,
            _ => {
                let place = if self.records.is_empty() { "the answer" } else { &self.records };
                return Err(Error::protocol(format!(
                    "{source}: {place} is not a list of records (page {})",
                    self.fetched
                )));
            }
        };
        self.seen += records.len() as u64;
        self.next = self.after(&answer, records.len() as u64)?;
        Ok(Some(Page { records, number: self.fetched, source }))
    }

    /// The URL of the page after this one.
    fn after(&self, answer: &Answer, records: u64) -> Result<Option<String>> {
        let at = |pointer: &str| match answer.body.pointer(pointer) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        match &self.paging {
            Paging::None => Ok(None),
            Paging::NextLink { at: pointer } => at(pointer).map(|link| self.api.follow(&link, &answer.url)).transpose(),
            Paging::LinkHeader => {
                let link = answer.link.as_deref().and_then(next_of_header);
                link.map(|link| self.api.follow(link, &answer.url)).transpose()
            }
            Paging::Cursor { at: pointer, param } => Ok(at(pointer).map(|cursor| self.with(param, cursor))),
            Paging::Number { size, .. } | Paging::Offset { size, .. } if records < (*size).max(1) => Ok(None),
            Paging::Number { param, first, .. } => Ok(Some(self.with(param, (first + self.fetched).to_string()))),
            Paging::Offset { param, .. } => Ok(Some(self.with(param, self.seen.to_string()))),
        }
    }

    /// The request's URL with one parameter more.
    fn with(&self, param: &str, value: String) -> String {
        let mut query: Vec<_> = self.query.iter().filter(|(name, _)| name != param).cloned().collect();
        query.push((param.to_owned(), value));
        self.api.url(&self.path, &query)
    }
}

/// The target of `rel="next"` (RFC 8288).
fn next_of_header(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        let parameters = after.split('<').next().unwrap_or_default();
        let is_next = parameters.split(';').map(|part| part.trim().trim_end_matches(',').trim()).any(|part| {
            let value = part.strip_prefix("rel=").map(|value| value.trim_matches('"'));
            value.is_some_and(|value| value.split(' ').any(|relation| relation.eq_ignore_ascii_case("next")))
        });
        if is_next {
            return Some(target);
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ErrorKind;
    use crate::api::testing::Server;

    /// A server of seven records, three a page, that leads on in every way.
    fn server() -> Server {
        Server::start(|path, _| {
            let query = path.split_once('?').map_or("", |(_, query)| query);
            let of = |name: &str| {
                let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
                found.and_then(|value| value.parse::<usize>().ok())
            };
            let start = of("offset").or(of("cursor")).or(of("page").map(|page| (page - 1) * 3)).unwrap_or(0);
            let ids: Vec<usize> = (start..7.min(start + 3)).collect();
            let next = (start + 3 < 7).then_some(start + 3);
            let body =
                json!({"data": ids, "next": next, "links": {"next": next.map(|next| format!("/items?offset={next}"))}});
            let header = next.map_or(String::new(), |next| {
                format!("Link: </first>; rel=\"first\", </items?offset={next}>; rel=\"next\"\r\n")
            });
            Server::answer(200, &header, &body.to_string())
        })
    }

    fn all(server: &Server, paging: Paging) -> Result<Vec<u64>> {
        let api = Api::new(&server.url).unwrap();
        let mut pages = Pages::new(&api, "/items", vec![("limit".into(), "3".into())], "/data", paging);
        let mut found = Vec::new();
        while let Some(page) = pages.next()? {
            found.extend(page.records.iter().map(|id| id.as_u64().unwrap()));
        }
        Ok(found)
    }

    #[test]
    fn every_way_of_paging_reaches_the_end_and_repeats_nothing() {
        let ways = [
            Paging::next_link("/links/next"),
            Paging::LinkHeader,
            Paging::cursor("/next", "cursor"),
            Paging::number("page", 3),
            Paging::offset("offset", 3),
        ];
        for way in ways {
            let server = server();
            assert_eq!(all(&server, way.clone()).unwrap(), (0..7).collect::<Vec<_>>(), "{way:?}");
            assert_eq!(server.asked().len(), 3, "{way:?}");
        }
        assert_eq!(all(&server(), Paging::None).unwrap(), [0, 1, 2]);
    }

    #[test]
    fn parameters_go_with_every_request() {
        let server = server();
        all(&server, Paging::cursor("/next", "cursor")).unwrap();
        assert_eq!(server.asked(), ["/items?limit=3", "/items?limit=3&cursor=3", "/items?limit=3&cursor=6"]);
    }

    #[test]
    fn a_circle_of_pages_is_noticed() {
        let server = Server::start(|_, _| Server::answer(200, "", r#"{"data": [1], "next": "again"}"#));
        let error = all(&server, Paging::cursor("/next", "cursor")).unwrap_err();
        assert!(error.kind == ErrorKind::Protocol && error.message.contains("was read before"), "{error}");
    }

    #[test]
    fn an_answer_without_records_names_where_they_should_be() {
        let server = Server::start(|_, _| Server::answer(200, "", r#"{"items": []}"#));
        let error = all(&server, Paging::None).unwrap_err();
        assert!(error.message.contains("/data is not a list of records (page 1)"), "{error}");
    }
}
