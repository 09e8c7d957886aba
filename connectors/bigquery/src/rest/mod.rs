//! BigQuery's REST API: what there is, and query jobs. Rows never come this way, but for the one of a bound.
//!
//! To use another method: its answer in [`model`], a function here or in [`jobs`], what it takes in [`crate::denied`].

mod error;
pub(crate) mod jobs;
pub(crate) mod model;

use std::time::Duration;

use serde::de::DeserializeOwned;
use sluice_sdk::calendar::http_date;
use sluice_sdk::http::{Method, Pending, Request, Response, Timeouts, block_on};
use sluice_sdk::{Error, Result};

use crate::config::BigQueryConfig;
use crate::denied::Doing;
use crate::id::TableRef;
use crate::retry::repeat;
use model::{DatasetList, Table, TableList};

/// Most bytes of an answer: the schema of the widest table has some megabytes.
const MOST: usize = 32 << 20;

/// Entries on a page of a listing; BigQuery returns at most 1000.
const PAGE: &str = "1000";

/// Longest wait for an answer; a query's result is waited for in several requests.
const PATIENCE: Duration = Duration::from_secs(120);

/// An answer, and the server's clock.
pub(crate) struct Answer<T> {
    pub(crate) body: T,
    /// Milliseconds since 1970, rounded down to a second; none if the server did not say.
    pub(crate) date: Option<i64>,
}

/// The API, as one connection uses it.
#[derive(Clone, Copy)]
pub(crate) struct Rest<'a> {
    pub(crate) config: &'a BigQueryConfig,
}

impl<'a> Rest<'a> {
    pub(crate) fn new(config: &'a BigQueryConfig) -> Self {
        Self { config }
    }

    /// Whether anybody answers at all, whatever the answer is.
    pub(crate) fn reach(&self) -> Result<()> {
        let path = format!("projects/{}/datasets", segment(self.config.home()));
        repeat(|| self.request(Method::Get, &path, &[("maxResults", Some("1"))], None).send().map(drop))
    }

    /// Datasets of a project that the account can see.
    pub(crate) fn datasets(&self, project: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let mut page: Option<String> = None;
        loop {
            let query = [("maxResults", Some(PAGE)), ("pageToken", page.as_deref())];
            let path = format!("projects/{}/datasets", segment(project));
            let list: DatasetList = self.get(&path, &query, &Doing::ListDatasets(project))?.body;
            let found = list.datasets.unwrap_or_default();
            names.extend(found.into_iter().map(|dataset| dataset.dataset_reference.dataset_id));
            page = list.next_page_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(names);
            }
        }
    }

    /// One page of a dataset's tables, and the token of the next.
    pub(crate) fn tables(&self, project: &str, dataset: &str, page: Option<&str>) -> Result<TableList> {
        let path = format!("projects/{}/datasets/{}/tables", segment(project), segment(dataset));
        let query = [("maxResults", Some(PAGE)), ("pageToken", page)];
        Ok(self.get(&path, &query, &Doing::ListTables(project, dataset))?.body)
    }

    /// A table's schema and size.
    pub(crate) fn table(&self, table: &TableRef) -> Result<Answer<Table>> {
        self.get(&table_path(table), &[], &Doing::Describe(table))
    }

    /// The same for several tables, asked for at once; for each its answer or error.
    pub(crate) fn describe(&self, tables: &[TableRef]) -> Vec<Result<Table>> {
        let started: Vec<Result<Pending>> =
            tables.iter().map(|table| self.request(Method::Get, &table_path(table), &[], None).start()).collect();
        let first = started.into_iter().zip(tables).map(|(pending, table)| {
            let response = block_on(pending?)?;
            self.answer(response, &Doing::Describe(table)).map(|answer| answer.body)
        });
        let first: Vec<Result<Table>> = first.collect();
        // What did not work at once is tried one by one, with pauses.
        let again = |(result, table): (Result<Table>, &TableRef)| match result {
            Err(error) if passes(&error) => self.table(table).map(|answer| answer.body),
            result => result,
        };
        first.into_iter().zip(tables).map(again).collect()
    }

    /// Sets when a table is dropped, milliseconds since 1970.
    pub(crate) fn expire(&self, table: &TableRef, at: i64, stream: &str) -> Result<()> {
        let body = serde_json::json!({"expirationTime": at.to_string()});
        let doing = Doing::Query(stream);
        let _: Answer<serde_json::Value> = self.call(Method::Patch, &table_path(table), &[], Some(&body), &doing)?;
        Ok(())
    }

    fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, Option<&str>)],
        doing: &Doing<'_>,
    ) -> Result<Answer<T>> {
        self.call(Method::Get, path, query, None, doing)
    }

    /// Every request here can be repeated: those that create something name it.
    fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, Option<&str>)],
        body: Option<&serde_json::Value>,
        doing: &Doing<'_>,
    ) -> Result<Answer<T>> {
        repeat(|| self.answer(self.request(method, path, query, body).send()?, doing))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, Option<&str>)],
        body: Option<&serde_json::Value>,
    ) -> Request {
        let mut url = format!("{}/bigquery/v2/{path}", self.config.rest());
        let given = query.iter().filter_map(|(name, value)| Some((name, (*value)?)));
        for (index, (name, value)) in given.enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(&format!("{name}={}", segment(value)));
        }
        let patience = Timeouts { first_byte: Some(PATIENCE), ..Timeouts::default() };
        let request = Request::new(method, url).header("accept", "application/json").timeouts(patience);
        match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        }
    }

    fn answer<T: DeserializeOwned>(&self, mut response: Response, doing: &Doing<'_>) -> Result<Answer<T>> {
        let date = response.headers().get("date").and_then(http_date).map(|seconds| seconds * 1000);
        let body = response.read_whole(MOST)?;
        if !response.is_success() {
            return Err(error::refused(self.config, doing, response.status(), response.retry_after(), &body));
        }
        let body = serde_json::from_slice(&body)
            .map_err(|e| Error::protocol(format!("{}: BigQuery's answer is not understood ({e})", doing.words())))?;
        Ok(Answer { body, date })
    }
}

fn passes(error: &Error) -> bool {
    matches!(error.kind, sluice_sdk::ErrorKind::Transient | sluice_sdk::ErrorKind::RateLimited)
}

fn table_path(table: &TableRef) -> String {
    format!(
        "projects/{}/datasets/{}/tables/{}",
        segment(&table.project),
        segment(&table.dataset),
        segment(&table.table)
    )
}

/// A text as a part of a URL: everything but RFC 3986's unreserved characters is percent-encoded.
pub(crate) fn segment(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place_in_a_url() {
        assert_eq!(segment("a b/../c?d=ü"), "a%20b%2F..%2Fc%3Fd%3D%C3%BC");
        let table = TableRef { project: "example.com:p".into(), dataset: "d".into(), table: "t 1".into() };
        assert_eq!(table_path(&table), "projects/example.com%3Ap/datasets/d/tables/t%201");
    }
}
