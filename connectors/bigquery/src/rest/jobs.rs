//! Query jobs: run to their end, their result left in a table or looked at.

use serde::Serialize;
use serde_json::{Value, json};
use sluice_sdk::http::Method;
use sluice_sdk::{Error, ErrorKind, Result, log};

use super::model::{Job, QueryResults, Schema};
use super::{Answer, Rest, error, segment};
use crate::denied::Doing;
use crate::id::TableRef;
use crate::retry::random;

/// Milliseconds that one request waits for a job.
const WAIT: &str = "30000";

/// Milliseconds for which a result is kept in a dataset of the user's: as long as in an anonymous one.
const KEPT: i64 = 24 * 3600 * 1000;

/// What a job is to do.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Query<'a> {
    query: &'a str,
    use_legacy_sql: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    use_query_cache: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum_bytes_billed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_table: Option<TableRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    write_disposition: Option<&'static str>,
}

/// Which job it is, and where it runs.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference<'a> {
    project_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'a str>,
}

/// A job that has ended well.
pub(crate) struct Done {
    /// Where its result is.
    pub(crate) table: TableRef,
    /// When it ended, milliseconds since 1970: after the moment whose data it saw.
    pub(crate) ended: Option<i64>,
    id: String,
    location: Option<String>,
}

/// What BigQuery knows of a query without running it.
pub(crate) struct Estimate {
    pub(crate) schema: Schema,
    pub(crate) bytes: Option<u64>,
}

impl Rest<'_> {
    /// Asks what a query would return and read. Costs nothing.
    pub(crate) fn estimate(&self, sql: &str, stream: &str) -> Result<Estimate> {
        let body = json!({
            "jobReference": self.reference(None),
            "configuration": {"dryRun": true, "query": self.query(sql)},
        });
        let job: Answer<Job> = self.call(Method::Post, &self.jobs(), &[], Some(&body), &Doing::Query(stream))?;
        let statistics = job.body.statistics;
        let bytes = statistics.total_bytes_processed.and_then(|bytes| bytes.parse().ok());
        Ok(Estimate { schema: statistics.query.and_then(|query| query.schema).unwrap_or_default(), bytes })
    }

    /// Runs a query and leaves its result in a temporary table: an anonymous one, or one of the results dataset.
    pub(crate) fn materialise(&self, sql: &str, stream: &str) -> Result<Done> {
        let id = job_id();
        let mut query = self.query(sql);
        // A cached result may expire while it is read.
        query.use_query_cache = Some(false);
        if let Some(dataset) = &self.config.results_dataset {
            let (project, dataset, table) = (self.config.project.clone(), dataset.clone(), id.clone());
            query.destination_table = Some(TableRef { project, dataset, table });
            query.write_disposition = Some("WRITE_TRUNCATE");
        }
        let done = self.run(&id, &query, stream)?;
        if self.config.results_dataset.is_some() {
            self.let_expire(&done, stream);
        }
        Ok(done)
    }

    /// Runs a query that yields one row; its values as text.
    pub(crate) fn one(&self, sql: &str, stream: &str) -> Result<(Vec<Option<String>>, Done)> {
        let done = self.run(&job_id(), &self.query(sql), stream)?;
        let path = format!("projects/{}/queries/{}", segment(&self.config.project), done.id);
        let query = [("location", done.location.as_deref()), ("maxResults", Some("1"))];
        let results: Answer<QueryResults> = self.get(&path, &query, &Doing::Query(stream))?;
        let row = results.body.rows.and_then(|rows| rows.into_iter().next()).unwrap_or_default();
        let text = |value: Value| value.as_str().map(str::to_owned);
        Ok((row.f.into_iter().map(|cell| text(cell.v)).collect(), done))
    }

    fn run(&self, id: &str, query: &Query<'_>, stream: &str) -> Result<Done> {
        let doing = Doing::Query(stream);
        let body = json!({
            "jobReference": self.reference(Some(id)),
            "configuration": {"labels": {"application": "sluice"}, "query": query},
        });
        let job = match self.call::<Job>(Method::Post, &self.jobs(), &[], Some(&body), &doing) {
            Ok(answer) => answer.body,
            // The request was repeated, and the first one had arrived.
            Err(error) if error.message.contains("Already Exists: Job") => self.job(id, None, &doing)?,
            Err(error) => return Err(error),
        };
        let location = job.job_reference.location.clone().or_else(|| self.config.location.clone());
        let job = if job.status.state == "DONE" { job } else { self.wait(id, location.as_deref(), &doing)? };
        if let Some(result) = &job.status.error_result {
            return Err(error::job_failed(self.config, &doing, result));
        }
        let table = job.configuration.query.and_then(|query| query.destination_table);
        let table = table.filter(|table| !table.table.is_empty()).ok_or_else(|| {
            Error::unsupported(format!("{stream}: the query leaves no result; it must be a single SELECT statement"))
        })?;
        let ended = job.statistics.end_time.and_then(|time| time.parse().ok());
        Ok(Done { table, ended, id: id.to_owned(), location })
    }

    fn wait(&self, id: &str, location: Option<&str>, doing: &Doing<'_>) -> Result<Job> {
        let path = format!("projects/{}/queries/{id}", segment(&self.config.project));
        loop {
            let query = [("location", location), ("maxResults", Some("0")), ("timeoutMs", Some(WAIT))];
            match self.get::<QueryResults>(&path, &query, doing) {
                Ok(results) if results.body.job_complete == Some(false) => {}
                Ok(_) => {
                    let job = self.job(id, location, doing)?;
                    if job.status.state == "DONE" {
                        return Ok(job);
                    }
                }
                // A job that failed answers with its own error, which the job itself tells better.
                Err(error) if matches!(error.kind, ErrorKind::Auth | ErrorKind::Cancelled) => return Err(error),
                Err(error) => {
                    let job = self.job(id, location, doing)?;
                    return if job.status.state == "DONE" { Ok(job) } else { Err(error) };
                }
            }
        }
    }

    fn job(&self, id: &str, location: Option<&str>, doing: &Doing<'_>) -> Result<Job> {
        let location = location.or(self.config.location.as_deref());
        Ok(self.get(&format!("{}/{id}", self.jobs()), &[("location", location)], doing)?.body)
    }

    /// The result is good without it, but would stay.
    fn let_expire(&self, done: &Done, stream: &str) {
        let Some(ended) = done.ended else { return };
        if let Err(error) = self.expire(&done.table, ended + KEPT, stream) {
            log::warn(format!("{} will not expire by itself: {error}", done.table));
        }
    }

    fn jobs(&self) -> String {
        format!("projects/{}/jobs", segment(&self.config.project))
    }

    fn reference<'a>(&'a self, id: Option<&'a str>) -> Reference<'a> {
        Reference { project_id: &self.config.project, job_id: id, location: self.config.location.as_deref() }
    }

    fn query<'a>(&self, sql: &'a str) -> Query<'a> {
        Query {
            query: sql,
            use_legacy_sql: false,
            use_query_cache: None,
            maximum_bytes_billed: self.config.maximum_bytes_billed.map(|most| most.to_string()),
            destination_table: None,
            write_disposition: None,
        }
    }
}

/// A name that makes the request repeatable: a second one with it is refused, not run.
fn job_id() -> String {
    format!("sluice_{:016x}{:016x}", random(), random())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::config;

    #[test]
    fn no_two_jobs_have_one_name() {
        let ids: std::collections::HashSet<_> = (0..100).map(|_| job_id()).collect();
        assert_eq!(ids.len(), 100);
        assert!(ids.iter().all(|id| id.len() == 39 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')));
    }

    #[test]
    fn a_job_is_capped_and_placed_as_configured() {
        let config = config(json!({"maximum_bytes_billed": 1000, "location": "EU"}));
        let rest = Rest::new(&config);
        let query = json!({"query": "SELECT 1", "useLegacySql": false, "maximumBytesBilled": "1000"});
        assert_eq!(json!(rest.query("SELECT 1")), query);
        let reference = json!({"projectId": "billing", "jobId": "j", "location": "EU"});
        assert_eq!(json!(rest.reference(Some("j"))), reference);
    }
}
