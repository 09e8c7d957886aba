//! The one place where `wasi:http` meets the host's client.

use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderName, Request, Response};
use tokio::sync::Semaphore;
use wasmtime_wasi_http::{Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks};

use super::client::HttpClient;
use super::failure::Failure;
use super::request::is_hop_by_hop;
use super::taped;
use crate::net::{NetError, NetErrorKind};
use crate::tape::Tape;

/// Why an instance's last request failed, for whoever completes its errors with that. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct LastFailure(Arc<Mutex<Option<NetError>>>);

impl LastFailure {
    /// In words; none if it did not fail and was not refused, or if this was asked before.
    pub fn take(&self) -> Option<NetError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, failure: Option<NetError>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

/// `wasi:http` for one instance: counts its requests and remembers why the last one failed.
pub struct Hooks {
    client: HttpClient,
    permits: Arc<Semaphore>,
    max_requests: u32,
    failure: LastFailure,
    tape: Option<Tape>,
}

type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl Hooks {
    /// Hooks for one instance, which may have `max_requests` under way at once, a response that it still holds among
    /// them.
    pub fn new(client: HttpClient, max_requests: u32) -> Self {
        let permits = usize::try_from(max_requests).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(permits));
        Self { client, permits, max_requests, failure: LastFailure::default(), tape: None }
    }

    /// The same, whose requests are taken down, or answered from a recording.
    pub(crate) fn with_tape(self, tape: Option<Tape>) -> Self {
        Self { tape, ..self }
    }

    /// Why the last request failed or was refused. `wasi:http` tells a guest a code only, so this is what its error has
    /// to be completed with.
    pub fn last_failure(&self) -> LastFailure {
        self.failure.clone()
    }

    fn limit(&self) -> Failure {
        let message = format!(
            "the connector has {} HTTP requests under way, as many as limits.instance.connections allows",
            self.max_requests
        );
        Failure::new(Error::ConnectionLimitReached, NetErrorKind::Limit, message)
    }
}

impl WasiHttpHooks for Hooks {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|name: &HeaderName| is_hop_by_hop(name))
    }

    /// The client writes the host itself, as the protocol wants it.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().map_err(|_| self.limit());
        let (client, failure, tape) = (self.client.clone(), self.failure.clone(), self.tape.clone());
        Box::new(async move {
            let outcome = match permit {
                Ok(permit) => match &tape {
                    None => client.send(request, options, permit).await,
                    Some(tape) => taped::send(tape, &client, request, options, permit).await,
                },
                Err(limit) => Err(limit),
            };
            let last = match &outcome {
                Ok(response) => response.extensions().get::<NetError>().cloned(),
                Err(failed) => Some(failed.detail.clone()),
            };
            failure.set(last);
            match outcome {
                Ok(response) => {
                    let io: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(std::future::ready(Ok(())));
                    Ok((response, io))
                }
                Err(failed) => {
                    tracing::debug!(error = %failed.detail, "an HTTP request of a connector failed");
                    Err(failed.code)
                }
            }
        })
    }
}
