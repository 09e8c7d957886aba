//! Secrets in Google Secret Manager, through Google's own client.
//!
//! It is no sink; it is here because this is the crate that names Google's clients. Who may read which secret is not known here.

use std::time::Duration;

use crc::{CRC_32_ISCSI, Crc};
use google_cloud_auth::credentials::{Builder, Credentials, anonymous};
use google_cloud_gax::error::rpc::Code;
use google_cloud_gax::retry_policy::NeverRetry;
use google_cloud_secretmanager_v1::client::SecretManagerService as Client;
use google_cloud_secretmanager_v1::model::AccessSecretVersionResponse;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::secret::SecretRef;

use crate::bigquery::errors::Failure;
use crate::bigquery::retry::pause;

/// How long a call may take: somebody may be waiting for it, or a run.
const ANSWER: Duration = Duration::from_secs(5);

/// How often it is asked before that is the run's failure, which is tried again as a whole.
const ATTEMPTS: u32 = 4;

/// Longest secret that there is, bytes.
const LONGEST: usize = 64 << 10;

/// CRC-32C, which Secret Manager sends along.
const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// Reads secrets.
#[derive(Clone, Debug)]
pub struct SecretManager {
    client: Client,
}

impl SecretManager {
    /// As the identity of this process; at an endpoint of somebody's choice (a double) as nobody.
    ///
    /// # Errors
    /// If there is no identity, or the endpoint is none.
    pub async fn connect(endpoint: Option<&str>) -> Result<Self, RunError> {
        // Fails only if there is a provider already, and any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder().with_credentials(credentials(endpoint.is_some())?);
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        // Repeating is decided here: also an answer that was changed on the way is asked for again.
        let client = builder.with_retry_policy(NeverRetry).with_attempt_timeout(ANSWER).build().await;
        let client = client.map_err(|e| {
            RunError::config("--secret-manager-endpoint", format!("Secret Manager's client cannot be made: {e}"))
        })?;
        Ok(Self { client })
    }

    /// The bytes of a version of a secret, as they were stored: their checksum is verified.
    ///
    /// # Errors
    /// If there is no such version or it is not enabled, this process may not read it, or Secret Manager does not answer.
    pub async fn access(&self, reference: &SecretRef) -> Result<Vec<u8>, RunError> {
        let name = reference.to_string();
        let mut failed = 0;
        loop {
            let answer = self.client.access_secret_version().set_name(&name).send().await;
            let failure = match answer.map_err(Failure::from).and_then(whole) {
                Ok(bytes) => return Ok(bytes),
                Err(failure) => failure,
            };
            failed += 1;
            if !failure.is_transient() || failed >= ATTEMPTS {
                return Err(told(&failure, &name));
            }
            tracing::debug!(attempt = failed, secret = name, "secret_manager.call_repeated");
            tokio::time::sleep(pause(failed)).await;
        }
    }
}

/// What an answer holds, if it arrived as it was sent.
fn whole(answer: AccessSecretVersionResponse) -> Result<Vec<u8>, Failure> {
    let payload = answer.payload.ok_or_else(|| Failure::new(Code::DataLoss, "the answer holds no secret"))?;
    if payload.data.len() > LONGEST {
        return Err(Failure::new(Code::DataLoss, "the answer is longer than a secret can be"));
    }
    let expected = i64::from(CHECKSUM.checksum(&payload.data));
    match payload.data_crc32c {
        Some(found) if found == expected => Ok(payload.data.to_vec()),
        // Worth asking again.
        _ => Err(Failure::new(Code::Aborted, CHANGED)),
    }
}

/// What is said of an answer whose bytes are not those that were stored.
const CHANGED: &str = "the secret does not match its checksum (data_crc32c): it was changed on the way";

fn credentials(nobody: bool) -> Result<Credentials, RunError> {
    if nobody {
        return Ok(anonymous::Builder::new().build());
    }
    Builder::default().build().map_err(|error| {
        let message = format!(
            "Secret Manager needs an identity: {error}; run `gcloud auth application-default login` or set GOOGLE_APPLICATION_CREDENTIALS"
        );
        RunError::new(Kind::Auth, Actor::Host, message)
    })
}

/// What the tenant is told, or the operator where only that one can act.
fn told(failure: &Failure, name: &str) -> RunError {
    // A version that is disabled or destroyed is answered as a failed precondition, which over HTTP is 400 like other ones.
    let not_enabled = failure.is(Code::FailedPrecondition) || failure.message.contains(" state");
    let (kind, actor, hint) = match failure.code {
        None => (Kind::Transient, Actor::Source, "; Secret Manager did not answer"),
        Some(Code::Unauthenticated) => (
            Kind::Auth,
            Actor::Host,
            "; run `gcloud auth application-default login` or set GOOGLE_APPLICATION_CREDENTIALS",
        ),
        Some(Code::PermissionDenied) => (
            Kind::Permission,
            Actor::User,
            "; grant roles/secretmanager.secretAccessor on the secret to the identity that the service runs as, and enable the \
             project's Secret Manager API",
        ),
        Some(Code::NotFound) => (Kind::Config, Actor::User, "; there is no such secret or version (any more)"),
        Some(Code::FailedPrecondition | Code::InvalidArgument) if not_enabled => {
            (Kind::Config, Actor::User, "; enable the version again, or refer to another one")
        }
        Some(Code::ResourceExhausted) => (Kind::RateLimited, Actor::Source, ""),
        Some(_) if failure.is_transient() => (Kind::Transient, Actor::Source, ""),
        Some(Code::DataLoss) => (Kind::Protocol, Actor::Source, ""),
        Some(_) => (Kind::Config, Actor::User, ""),
    };
    RunError::new(kind, actor, format!("reading {name}: {}{hint}", failure.message))
}

#[cfg(test)]
mod tests {
    use google_cloud_secretmanager_v1::model::SecretPayload;

    use super::*;

    fn answer(data: &'static [u8], checksum: Option<i64>) -> AccessSecretVersionResponse {
        let payload = SecretPayload::new().set_data(data).set_or_clear_data_crc32c(checksum);
        AccessSecretVersionResponse::new().set_payload(payload)
    }

    #[test]
    fn a_secret_is_taken_with_its_own_checksum_only() {
        // The check value of CRC-32C in its catalogue.
        assert_eq!(whole(answer(b"123456789", Some(0xE306_9283))).unwrap(), b"123456789");
        for wrong in [None, Some(0), Some(0xE306_9284), Some(-1)] {
            assert!(whole(answer(b"123456789", wrong)).unwrap_err().is(Code::Aborted));
        }
        assert!(whole(AccessSecretVersionResponse::new()).unwrap_err().is(Code::DataLoss));
    }

    #[test]
    fn whoever_can_act_is_told_what_to_do() {
        let say = |code, message: &str| told(&Failure::new(code, message), "projects/p/secrets/s/versions/1");
        let denied = say(Code::PermissionDenied, "denied");
        assert!(
            denied.actor == Actor::User && denied.message.contains("roles/secretmanager.secretAccessor"),
            "{denied}"
        );
        let gone = say(Code::InvalidArgument, "Secret Version [x] is in DESTROYED state.");
        assert!(gone.kind == Kind::Config && gone.message.contains("refer to another"), "{gone}");
        assert_eq!(say(Code::Unauthenticated, "no").actor, Actor::Host);
        assert_eq!(say(Code::Unavailable, "later").kind, Kind::Transient);
        assert!(say(Code::NotFound, "x").message.contains("projects/p/secrets/s/versions/1"));
    }
}
