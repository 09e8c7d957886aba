//! From what the REST API says to what a user can do about it.

use std::time::Duration;

use serde::Deserialize;
use sluice_sdk::Error;

use super::model::ErrorProto;
use crate::config::BigQueryConfig;
use crate::denied::{Doing, denied};

/// Longest part of an answer that is repeated in a message where it is not the API's own JSON.
const SHOWN: usize = 300;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Envelope {
    error: Body,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    message: String,
    errors: Vec<ErrorProto>,
}

/// The error of an answer with this status.
pub(super) fn refused(
    config: &BigQueryConfig,
    doing: &Doing<'_>,
    status: u16,
    retry_after: Option<Duration>,
    body: &[u8],
) -> Error {
    let envelope: Envelope = serde_json::from_slice(body).unwrap_or_default();
    let reason = envelope.error.errors.first().and_then(|error| error.reason.as_deref()).unwrap_or_default();
    let mut message = envelope.error.message.clone();
    if message.is_empty() {
        // A proxy or load balancer speaks for itself.
        message = format!("HTTP status {status}: {}", shown(body));
    }
    let error = explain(config, doing, status, reason, &message);
    match retry_after {
        Some(wait) if passes(&error) => error.retry_after(wait),
        _ => error,
    }
}

/// The error of a job that failed.
pub(super) fn job_failed(config: &BigQueryConfig, doing: &Doing<'_>, result: &ErrorProto) -> Error {
    let reason = result.reason.as_deref().unwrap_or_default();
    explain(config, doing, 0, reason, result.message.as_deref().unwrap_or("the job failed without a reason"))
}

/// BigQuery's reasons are finer than HTTP's statuses: 403 is a missing role as well as a used-up quota.
fn explain(config: &BigQueryConfig, doing: &Doing<'_>, status: u16, reason: &str, message: &str) -> Error {
    let said = message.trim().trim_end_matches('.');
    let words = doing.words();
    match (reason, status) {
        ("rateLimitExceeded" | "jobRateLimitExceeded", _) | (_, 429) => {
            Error::rate_limited(format!("{words}: BigQuery asks to slow down ({said})"))
        }
        ("quotaExceeded", _) => Error::rate_limited(format!(
            "{words}: a quota is used up ({said}). See the quotas of project {} in the Cloud console",
            config.project
        )),
        ("responseTooLarge", _) => Error::unsupported(format!(
            "{words}: the result is larger than an anonymous table may be. Set `results_dataset` to a dataset of project {}",
            config.project
        ))
        .field("/results_dataset"),
        ("bytesBilledLimitExceeded", _) => {
            Error::config(format!("{words}: {said}. Raise `maximum_bytes_billed`, or narrow the query"))
                .field("/maximum_bytes_billed")
        }
        ("billingNotEnabled" | "billingTierLimitExceeded", _) => {
            Error::permission(format!("{words}: {said}. Enable billing for project {}", config.project))
        }
        ("accessDenied" | "accessNotConfigured" | "forbidden", _) | (_, 403) => denied(config, doing, said),
        ("authError" | "required", _) | (_, 401) => Error::auth(format!(
            "Google refused the credentials ({said}). Check `credentials`: the key may have been deleted, or the account disabled"
        )),
        ("notFound", _) | (_, 404) => Error::not_found(format!(
            "{words}: {said}. Check the ids, and that the account may see it; discover lists what there is"
        )),
        ("invalidQuery", _) => {
            Error::config(format!("{words}: BigQuery refuses the query ({said}). Check the query, the filter and the columns"))
        }
        ("resourcesExceeded", _) => Error::unsupported(format!("{words}: the query needs more than BigQuery gives it ({said})")),
        ("stopped", _) => Error::transient(format!("{words}: the job was cancelled ({said})")),
        ("backendError" | "internalError" | "jobBackendError" | "jobInternalError" | "tableUnavailable", _) => {
            Error::transient(format!("{words}: {said}"))
        }
        (_, 408 | 500..) => Error::transient(format!("{words}: {said}")),
        ("invalid", _) | (_, 400) => Error::config(format!("{words}: BigQuery refuses the request ({said})")),
        _ => Error::protocol(format!("{words}: an unexpected answer ({said})")),
    }
}

fn passes(error: &Error) -> bool {
    super::passes(error)
}

fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sluice_sdk::ErrorKind;

    use super::*;
    use crate::config::tests::config;
    use crate::id::TableRef;

    fn error(status: u16, body: &str, retry_after: Option<u64>) -> Error {
        let table = TableRef { project: "p".into(), dataset: "d".into(), table: "t".into() };
        let wait = retry_after.map(Duration::from_secs);
        refused(&config(json!({})), &Doing::Describe(&table), status, wait, body.as_bytes())
    }

    fn said(reason: &str, message: &str) -> String {
        json!({"error": {"code": 0, "message": message, "errors": [{"reason": reason, "message": message}]}})
            .to_string()
    }

    #[test]
    fn a_403_is_a_role_or_a_quota_as_its_reason_says() {
        let missing = error(403, &said("accessDenied", "Permission bigquery.tables.get denied on table p:d.t"), None);
        assert_eq!(missing.kind, ErrorKind::Permission);
        assert!(missing.message.contains("roles/bigquery.metadataViewer on table p.d.t"), "{missing}");
        let quota = error(403, &said("quotaExceeded", "Quota exceeded"), None);
        assert_eq!(quota.kind, ErrorKind::RateLimited);
        let slow = error(403, &said("rateLimitExceeded", "Exceeded rate limits"), Some(30));
        assert_eq!((slow.kind, slow.retry_after), (ErrorKind::RateLimited, Some(Duration::from_secs(30))));
    }

    #[test]
    fn every_other_answer_has_a_kind_that_says_who_must_act() {
        let cases = [
            (401, said("authError", "Invalid Credentials"), ErrorKind::Auth),
            (404, said("notFound", "Not found: Table p:d.t"), ErrorKind::NotFound),
            (400, said("invalidQuery", "Unrecognized name: x"), ErrorKind::Config),
            (400, said("invalid", "Invalid project ID"), ErrorKind::Config),
            (403, said("responseTooLarge", "Response too large to return"), ErrorKind::Unsupported),
            (400, said("bytesBilledLimitExceeded", "Query exceeded limit for bytes billed"), ErrorKind::Config),
            (503, said("backendError", "Try again"), ErrorKind::Transient),
            (502, "<html>Bad Gateway</html>".to_owned(), ErrorKind::Transient),
            (429, String::new(), ErrorKind::RateLimited),
            (302, String::new(), ErrorKind::Protocol),
        ];
        for (status, body, kind) in cases {
            let error = error(status, &body, None);
            assert_eq!(error.kind, kind, "{error}");
            assert!(error.message.len() > 20, "{error}");
        }
    }

    #[test]
    fn a_retry_after_is_not_put_on_what_does_not_pass() {
        assert_eq!(error(404, "", Some(5)).retry_after, None);
        assert_eq!(error(503, "", Some(5)).retry_after, Some(Duration::from_secs(5)));
    }
}
