//! A load job fed by a resumable upload.
//!
//! The job's id follows from the staging table and the file's number in it. However often the upload is repeated,
//! BigQuery runs the job once: a second start is answered with 409, and the first one's outcome is what counts.

use google_cloud_bigquery_v2::model::{DecimalTargetType, Job, JobConfiguration, JobConfigurationLoad, ParquetOptions};
use google_cloud_gax::error::rpc::Code;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use sluice_core::RunError;
use sluice_core::load::TableName;

use super::errors::Failure;
use super::jobs;
use super::rest::Rest;
use super::retry::pause;
use super::spool::{Spooled, on_disk};

/// Bytes of one PUT; the protocol wants a multiple of 256 KiB.
const PART: usize = 8 << 20;
/// Uploads begun for one file before the split fails.
const ATTEMPTS: u32 = 7;
/// The service's messages are short; more is not read.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Loads a file into a table and returns how many rows the job says it added.
pub(crate) async fn load(rest: &Rest, job: &str, into: &TableName, file: &Spooled) -> Result<u64, RunError> {
    let doing = format!("loading rows into staging table {into}");
    let location = rest.location(&into.dataset).await.map_err(|f| f.into_run_error(&doing))?;
    let mut failed = 0;
    loop {
        // What an earlier attempt started may be running although its answer was lost.
        let known = jobs::outcome(rest, job, &location).await.map_err(|f| f.into_run_error(&doing))?;
        if let Some(ended) = known {
            return match ended.failure {
                Some(failure) => Err(failure.into_run_error(&doing)),
                None => Ok(output_rows(&ended.job)),
            };
        }
        match upload(rest, job, &location, into, file).await {
            Ok(()) => {}
            Err(Problem::Disk(error)) => return Err(on_disk(&error)),
            Err(Problem::Call(failure)) if failure.is(Code::AlreadyExists) => {}
            Err(Problem::Call(failure)) => {
                failed += 1;
                // An upload session that is gone is begun anew.
                let again = failure.is_transient() || failure.is(Code::NotFound);
                if !again || failed >= ATTEMPTS {
                    return Err(failure.into_run_error(&doing));
                }
                tracing::warn!(job, %failure, "bigquery.upload_repeated");
                tokio::time::sleep(pause(failed)).await;
            }
        }
    }
}

enum Problem {
    Disk(std::io::Error),
    Call(Failure),
}

impl<E: Into<Failure>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::Call(error.into())
    }
}

/// Sends the whole file. The job starts with the last byte.
async fn upload(rest: &Rest, job: &str, location: &str, into: &TableName, file: &Spooled) -> Result<(), Problem> {
    let session = begin(rest, job, location, into, file.bytes).await?;
    let mut offset = 0;
    let mut repeated = 0;
    loop {
        let part = file.part(offset, PART).map_err(Problem::Disk)?;
        let end = offset + part.len() as u64;
        let range = format!("bytes {offset}-{}/{}", end.saturating_sub(1), file.bytes);
        offset = match put(rest, &session, range, part).await {
            Ok(None) => return Ok(()),
            Ok(Some(next)) => next,
            Err(failure) if failure.is_transient() && repeated < 4 && end < file.bytes => {
                repeated += 1;
                tokio::time::sleep(pause(repeated)).await;
                match put(rest, &session, format!("bytes */{}", file.bytes), Vec::new()).await? {
                    Some(next) => next,
                    None => return Ok(()),
                }
            }
            Err(failure) => return Err(failure.into()),
        };
    }
}

/// Opens an upload session and returns its address.
async fn begin(rest: &Rest, job: &str, location: &str, into: &TableName, bytes: u64) -> Result<String, Failure> {
    let body =
        Job::new().set_job_reference(rest.job_reference(job, location)).set_configuration(configuration(rest, into));
    let body = serde_json::to_vec(&body).map_err(|e| Failure::new(Code::Internal, e.to_string()))?;
    let url = format!("{}/upload/bigquery/v2/projects/{}/jobs?uploadType=resumable", rest.endpoint, rest.project);
    let request = rest.http.post(url).headers(rest.headers().await?).header(CONTENT_TYPE, "application/json");
    let request = request
        .header("x-upload-content-type", "application/octet-stream")
        .header("x-upload-content-length", bytes.to_string());
    let response = request.body(body).send().await?;
    let status = response.status();
    let address = response.headers().get(LOCATION).and_then(|v| v.to_str().ok()).map(str::to_owned);
    if !status.is_success() {
        return Err(Failure::from_response(status.as_u16(), &answer(response).await?));
    }
    address.ok_or_else(|| Failure::new(Code::Internal, "the upload session has no address"))
}

/// Sends a part. `Some(offset)`: go on from there. `None`: that was all.
async fn put(rest: &Rest, session: &str, range: String, part: Vec<u8>) -> Result<Option<u64>, Failure> {
    let request = rest.http.put(session).headers(rest.headers().await?).header(CONTENT_RANGE, range);
    let response = request.header(CONTENT_LENGTH, part.len()).body(part).send().await?;
    let status = response.status().as_u16();
    if status == 308 {
        // `bytes=0-N`: the first N + 1 bytes are there. Without it, none is.
        let last = response.headers().get(RANGE).and_then(|v| v.to_str().ok()?.rsplit('-').next()?.parse::<u64>().ok());
        return Ok(Some(last.map_or(0, |last| last.saturating_add(1))));
    }
    if response.status().is_success() {
        return Ok(None);
    }
    Err(Failure::from_response(status, &answer(response).await?))
}

async fn answer(mut response: reqwest::Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST_ANSWER {
            break;
        }
    }
    Ok(body)
}

fn configuration(rest: &Rest, into: &TableName) -> JobConfiguration {
    let load = JobConfigurationLoad::new()
        .set_destination_table(rest.reference(into))
        .set_source_format("PARQUET")
        .set_create_disposition("CREATE_NEVER")
        .set_write_disposition("WRITE_APPEND")
        .set_decimal_target_types([DecimalTargetType::Numeric, DecimalTargetType::Bignumeric])
        .set_parquet_options(ParquetOptions::new().set_enable_list_inference(true));
    JobConfiguration::new().set_load(load)
}

fn output_rows(job: &Job) -> u64 {
    let load = job.statistics.as_ref().and_then(|s| s.load.as_ref());
    load.and_then(|l| l.output_rows).and_then(|rows| u64::try_from(rows).ok()).unwrap_or(0)
}
