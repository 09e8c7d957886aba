//! BigQuery's REST calls, each repeated as far as repeating is safe.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use google_cloud_auth::credentials::{CacheableResource, Credentials};
use google_cloud_bigquery_v2::client::{DatasetService, JobService, TableService};
use google_cloud_bigquery_v2::model::{
    Dataset, DatasetReference, Job, JobConfiguration, JobReference, Table, TableReference,
};
use google_cloud_gax::error::rpc::Code;
use google_cloud_gax::options::RequestOptionsBuilder;
use google_cloud_gax::retry_policy::NeverRetry;
use sluice_core::RunError;
use sluice_core::load::TableName;

use super::config::BigQueryConfig;
use super::errors::Failure;
use super::retry::repeatedly;

/// The REST clients of one project.
pub(crate) struct Rest {
    pub(crate) project: String,
    pub(crate) endpoint: String,
    pub(crate) credentials: Credentials,
    pub(crate) http: reqwest::Client,
    datasets: DatasetService,
    tables: TableService,
    jobs: JobService,
    default_location: String,
    /// Where each dataset lives, asked once.
    locations: Mutex<HashMap<String, String>>,
}

impl Rest {
    pub(crate) async fn connect(config: &BigQueryConfig, credentials: Credentials) -> Result<Self, RunError> {
        let endpoint = config.rest();
        let timeout = config.answer_timeout;
        let refused = |e: &dyn std::fmt::Display| {
            RunError::config("sink.rest_endpoint", format!("BigQuery's REST endpoint {endpoint} cannot be used: {e}"))
        };
        // Repeating is decided here and not in the client, which does not know what is safe to do twice.
        macro_rules! client {
            ($service:ty) => {
                <$service>::builder()
                    .with_endpoint(endpoint.clone())
                    .with_credentials(credentials.clone())
                    .with_retry_policy(NeverRetry)
                    .with_attempt_timeout(timeout)
                    .build()
                    .await
                    .map_err(|e| refused(&e))?
            };
        }
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout)
            // 308 means "go on" in an upload, not "look elsewhere".
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|e| refused(&e))?;
        Ok(Self {
            project: config.project.clone(),
            datasets: client!(DatasetService),
            tables: client!(TableService),
            jobs: client!(JobService),
            endpoint: endpoint.clone(),
            credentials,
            http,
            default_location: config.location.clone(),
            locations: Mutex::default(),
        })
    }

    pub(crate) async fn dataset(&self, dataset: &str) -> Result<Option<Dataset>, Failure> {
        let call = || async {
            Ok(self.datasets.get_dataset().set_project_id(&self.project).set_dataset_id(dataset).send().await?)
        };
        found(repeatedly(call).await)
    }

    /// Creates a dataset, unless somebody was faster.
    pub(crate) async fn create_dataset(&self, dataset: &str) -> Result<(), Failure> {
        let reference = DatasetReference::new().set_project_id(&self.project).set_dataset_id(dataset);
        let body = Dataset::new().set_dataset_reference(reference).set_location(&self.default_location);
        let call = || async {
            let insert = self.datasets.insert_dataset().set_project_id(&self.project).set_dataset(body.clone());
            insert.send().await.map(|_| ()).map_err(Failure::from)
        };
        exists_is_fine(repeatedly(call).await)
    }

    /// Where a dataset lives: jobs run there.
    pub(crate) async fn location(&self, dataset: &str) -> Result<String, Failure> {
        let known = self.locations.lock().unwrap_or_else(PoisonError::into_inner).get(dataset).cloned();
        if let Some(location) = known {
            return Ok(location);
        }
        let location = match self.dataset(dataset).await? {
            Some(dataset) if !dataset.location.is_empty() => dataset.location,
            Some(_) => self.default_location.clone(),
            None => {
                return Err(Failure::new(Code::NotFound, format!("dataset {}.{dataset} does not exist", self.project)));
            }
        };
        let mut locations = self.locations.lock().unwrap_or_else(PoisonError::into_inner);
        locations.insert(dataset.to_owned(), location.clone());
        Ok(location)
    }

    pub(crate) fn reference(&self, table: &TableName) -> TableReference {
        TableReference::new().set_project_id(&self.project).set_dataset_id(&table.dataset).set_table_id(&table.table)
    }

    pub(crate) async fn table(&self, table: &TableName) -> Result<Option<Table>, Failure> {
        let call = || async {
            let get = self.tables.get_table().set_project_id(&self.project);
            Ok(get.set_dataset_id(&table.dataset).set_table_id(&table.table).send().await?)
        };
        found(repeatedly(call).await)
    }

    /// Creates a table, unless somebody was faster.
    pub(crate) async fn create_table(&self, name: &TableName, body: Table) -> Result<(), Failure> {
        let body = body.set_table_reference(self.reference(name));
        let call = || async {
            let insert = self.tables.insert_table().set_project_id(&self.project).set_dataset_id(&name.dataset);
            insert.set_table(body.clone()).send().await.map(|_| ()).map_err(Failure::from)
        };
        exists_is_fine(repeatedly(call).await)
    }

    /// Changes a table, if it is still the one with this etag; `FailedPrecondition` otherwise.
    pub(crate) async fn patch_table(&self, name: &TableName, body: Table, etag: &str) -> Result<(), Failure> {
        let patch = self.tables.patch_table().set_project_id(&self.project).set_dataset_id(&name.dataset);
        let mut patch = patch.set_table_id(&name.table).set_table(body);
        if let Ok(value) = http::HeaderValue::from_str(etag)
            && !etag.is_empty()
        {
            patch = patch.with_custom_header(http::header::IF_MATCH, value);
        }
        patch.send().await.map(|_| ()).map_err(Failure::from)
    }

    /// Deletes a table; that it is gone already is fine.
    pub(crate) async fn delete_table(&self, name: &TableName) -> Result<(), Failure> {
        let call = || async {
            let delete = self.tables.delete_table().set_project_id(&self.project);
            Ok(delete.set_dataset_id(&name.dataset).set_table_id(&name.table).send().await?)
        };
        found(repeatedly(call).await).map(|_| ())
    }

    pub(crate) async fn job(&self, id: &str, location: &str) -> Result<Option<Job>, Failure> {
        let call = || async {
            let get = self.jobs.get_job().set_project_id(&self.project).set_job_id(id).set_location(location);
            Ok(get.send().await?)
        };
        found(repeatedly(call).await)
    }

    /// Starts a job once: asked again under the same id, BigQuery refuses, and that is fine here.
    pub(crate) async fn start_job(
        &self,
        id: &str,
        location: &str,
        configuration: JobConfiguration,
    ) -> Result<(), Failure> {
        let job = Job::new().set_job_reference(self.job_reference(id, location)).set_configuration(configuration);
        let call = || async {
            let insert = self.jobs.insert_job().set_project_id(&self.project).set_job(job.clone());
            insert.send().await.map(|_| ()).map_err(Failure::from)
        };
        exists_is_fine(repeatedly(call).await)
    }

    pub(crate) fn job_reference(&self, id: &str, location: &str) -> JobReference {
        JobReference::new().set_project_id(&self.project).set_job_id(id).set_location(location)
    }

    /// The headers that authorise a request which the clients do not offer.
    pub(crate) async fn headers(&self) -> Result<http::HeaderMap, Failure> {
        match self.credentials.headers(http::Extensions::new()).await {
            Ok(CacheableResource::New { data, .. }) => Ok(data),
            Ok(CacheableResource::NotModified) => Ok(http::HeaderMap::new()),
            Err(error) if error.is_transient() => Err(Failure::unanswered(error.to_string())),
            Err(error) => Err(Failure::new(Code::Unauthenticated, error.to_string())),
        }
    }
}

fn found<T>(result: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.is(Code::NotFound) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn exists_is_fine(result: Result<(), Failure>) -> Result<(), Failure> {
    match result {
        Err(failure) if failure.is(Code::AlreadyExists) => Ok(()),
        other => other,
    }
}
