//! What a user configures.

use std::collections::BTreeMap;

use serde::Deserialize;
use sluice_sdk::{Config, Error, Result};

/// Where BigQuery is unless a connection says otherwise.
const REST: &str = "https://bigquery.googleapis.com";
const STORAGE: &str = "https://bigquerystorage.googleapis.com";

/// Longest name of a query stream.
const MAX_NAME: usize = 100;

/// Configuration of a BigQuery connection.
#[derive(Clone, Debug, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub struct BigQueryConfig {
    /// The project that is billed: read sessions and query jobs run in it.
    #[config(title = "Billing project", example = "my-project")]
    pub project: String,
    /// The project that holds the data, where it is another one, such as bigquery-public-data.
    #[config(title = "Data project", example = "bigquery-public-data")]
    pub data_project: Option<String>,
    /// Datasets of the data project to list; empty means all that the account can see.
    #[serde(default)]
    #[config(title = "Datasets", example = ["stackoverflow"])]
    pub datasets: Vec<String>,
    /// Queries to offer as streams: a name, and its SQL. The stream's id is `query:` and the name.
    #[serde(default)]
    #[config(title = "Queries")]
    pub queries: BTreeMap<String, String>,
    /// Where query jobs run, e.g. `EU`; without it BigQuery finds out from the tables that they read.
    #[config(title = "Location", example = "EU")]
    pub location: Option<String>,

    /// The key of a service account, the JSON file as it is downloaded.
    #[config(title = "Service account key", secret, multiline, group = "Credentials")]
    pub credentials: Option<String>,
    /// Uses the identity of the host that Sluice runs on (application default credentials) instead of a key. An operator has
    /// to grant that.
    #[serde(default)]
    #[config(title = "Use the host's identity", default = false, group = "Credentials")]
    pub application_default: bool,

    /// Dataset of the billing project for the results of views and queries, which otherwise go to an anonymous one with a limit
    /// of 10 GB. Its tables expire after a day.
    #[config(title = "Results dataset", group = "Queries")]
    pub results_dataset: Option<String>,
    /// Most bytes that a single query job may bill; a job that would need more fails before it costs anything.
    #[config(title = "Most bytes billed", minimum = 1, group = "Queries")]
    pub maximum_bytes_billed: Option<u64>,

    /// Seconds that an incremental read stays behind BigQuery's clock, for rows whose timestamp was taken some time before
    /// they were written. Only for cursor columns with a time.
    #[serde(default = "default_cursor_lag")]
    #[config(title = "Cursor lag (seconds)", default = 5, maximum = 31536000, group = "Incremental reads")]
    pub cursor_lag_seconds: u32,
    /// What happens to the rows with the newest cursor value where that value may come again.
    #[serde(default)]
    #[config(title = "Ties", default = "hold-back", group = "Incremental reads")]
    pub ties: Ties,
    /// The zone that DATE and DATETIME cursor columns are in, a name of the IANA database.
    #[serde(default = "default_time_zone")]
    #[config(title = "Time zone", default = "UTC", example = "Europe/Berlin", group = "Incremental reads")]
    pub time_zone: String,

    /// Address of the REST API, where it is not Google's public one: a private endpoint or an emulator.
    #[config(title = "REST endpoint", example = "https://bigquery-myendpoint.p.googleapis.com", group = "Endpoints")]
    pub endpoint: Option<String>,
    /// Address of the Storage Read API (gRPC), where it is not Google's public one.
    #[config(
        title = "Storage endpoint",
        example = "https://bigquerystorage-myendpoint.p.googleapis.com",
        group = "Endpoints"
    )]
    pub storage_endpoint: Option<String>,
}

/// What happens to the rows with the newest cursor value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Config)]
#[serde(rename_all = "kebab-case")]
pub enum Ties {
    /// They wait for a later run unless the column is the primary key or its period of time is over.
    #[default]
    HoldBack,
    /// They are read; rows that get the same value later are never read.
    Include,
}

fn default_cursor_lag() -> u32 {
    5
}

fn default_time_zone() -> String {
    "UTC".to_owned()
}

impl BigQueryConfig {
    /// Checks what the schema cannot say.
    pub(crate) fn validate(&self) -> Result<()> {
        project(&self.project, "/project")?;
        if let Some(name) = &self.data_project {
            project(name, "/data_project")?;
        }
        for (index, name) in self.datasets.iter().enumerate() {
            dataset(name, &format!("/datasets/{index}"))?;
        }
        if let Some(name) = &self.results_dataset {
            dataset(name, "/results_dataset")?;
        }
        for (name, sql) in &self.queries {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(fits) {
                let message = format!("a query's name has 1 to {MAX_NAME} letters, digits, '_' or '-'");
                return Err(Error::config(message).field("/queries"));
            }
            if sql.trim().is_empty() {
                let message = format!("the query {name} is empty; write a SELECT statement");
                return Err(Error::config(message).field(format!("/queries/{name}")));
            }
        }
        let zone = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
        if self.time_zone.is_empty() || !self.time_zone.chars().all(zone) {
            let message = "the time zone is not a name like `UTC` or `Europe/Berlin`";
            return Err(Error::config(message).field("/time_zone"));
        }
        for (field, value) in [("/endpoint", &self.endpoint), ("/storage_endpoint", &self.storage_endpoint)] {
            if value.as_deref().is_some_and(|url| !is_origin(url)) {
                let message = "an endpoint is https:// (or http:// in a private network), a host and maybe a port";
                return Err(Error::config(message).field(field));
            }
        }
        Ok(())
    }

    /// The project that holds the data.
    pub(crate) fn home(&self) -> &str {
        self.data_project.as_deref().unwrap_or(&self.project)
    }

    /// Origin of the REST API.
    pub(crate) fn rest(&self) -> &str {
        self.endpoint.as_deref().map_or(REST, |url| url.trim_end_matches('/'))
    }

    /// Origin of the Storage Read API.
    pub(crate) fn storage(&self) -> &str {
        self.storage_endpoint.as_deref().map_or(STORAGE, |url| url.trim_end_matches('/'))
    }
}

/// Ids of projects have lower-case letters, digits and hyphens; those of old ones also a domain and a colon before.
pub(crate) fn is_project(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-.:".contains(c);
    !name.is_empty() && name.len() <= 100 && name.chars().all(fits)
}

/// Ids of datasets have letters, digits and underscores.
pub(crate) fn is_dataset(name: &str) -> bool {
    !name.is_empty() && name.len() <= 1024 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn project(name: &str, field: &str) -> Result<()> {
    if is_project(name) {
        return Ok(());
    }
    Err(Error::config("this is no id of a project: it has letters, digits and '-' (not the project's name)")
        .field(field))
}

fn dataset(name: &str, field: &str) -> Result<()> {
    if is_dataset(name) {
        return Ok(());
    }
    Err(Error::config("this is no id of a dataset: it has letters, digits and '_', without its project").field(field))
}

fn is_origin(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    rest.is_some_and(|rest| {
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        !rest.is_empty() && rest.chars().all(fits)
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn config(more: serde_json::Value) -> BigQueryConfig {
        let mut value = serde_json::json!({"project": "billing"});
        for (key, given) in more.as_object().unwrap() {
            value[key] = given.clone();
        }
        serde_json::from_value(value).unwrap()
    }

    fn field(more: serde_json::Value) -> Option<String> {
        config(more).validate().err().map(|error| error.field.unwrap())
    }

    #[test]
    fn the_data_may_be_in_another_project_than_the_one_that_pays() {
        assert_eq!(config(serde_json::json!({})).home(), "billing");
        let public = config(serde_json::json!({"data_project": "bigquery-public-data"}));
        assert_eq!((public.home(), public.project.as_str()), ("bigquery-public-data", "billing"));
    }

    #[test]
    fn what_cannot_be_right_is_refused_by_field() {
        assert_eq!(field(serde_json::json!({"datasets": ["stackoverflow"], "queries": {"top-10": "SELECT 1"}})), None);
        assert_eq!(field(serde_json::json!({"project": "My Project"})).unwrap(), "/project");
        assert_eq!(field(serde_json::json!({"data_project": ""})).unwrap(), "/data_project");
        assert_eq!(field(serde_json::json!({"datasets": ["ok", "a.b"]})).unwrap(), "/datasets/1");
        assert_eq!(field(serde_json::json!({"queries": {"a b": "SELECT 1"}})).unwrap(), "/queries");
        assert_eq!(field(serde_json::json!({"queries": {"a": " "}})).unwrap(), "/queries/a");
        assert_eq!(field(serde_json::json!({"time_zone": "UTC'"})).unwrap(), "/time_zone");
        assert_eq!(field(serde_json::json!({"endpoint": "localhost:9050"})).unwrap(), "/endpoint");
        assert_eq!(field(serde_json::json!({"storage_endpoint": "https://a@b"})).unwrap(), "/storage_endpoint");
    }

    #[test]
    fn endpoints_are_googles_unless_they_are_given() {
        let public = config(serde_json::json!({}));
        assert_eq!(public.rest(), "https://bigquery.googleapis.com");
        assert_eq!(public.storage(), "https://bigquerystorage.googleapis.com");
        let own =
            config(serde_json::json!({"endpoint": "http://127.0.0.1:9050/", "storage_endpoint": "http://[::1]:9060"}));
        assert_eq!((own.rest(), own.storage()), ("http://127.0.0.1:9050", "http://[::1]:9060"));
        own.validate().unwrap();
    }
}
