//! A request that is tried again where that can help, and an answer that proves that it is of the file that was planned.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Range;
use std::sync::OnceLock;
use std::time::Duration;

use sluice_files::{Object, changed};
use sluice_sdk::http::{self, Request, Response, Timeouts};
use sluice_sdk::{Error, ErrorKind, Result, log};

use crate::provider::{Provider, Refused};
use crate::time::http_date;

/// How often a request is made altogether.
const TRIES: u32 = 6;

/// The first wait between two tries; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// The longest wait that a store may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Bytes of an error's body that are read.
const MAX_REASON: usize = 64 << 10;

const TIMEOUTS: Timeouts = Timeouts {
    connect: Some(Duration::from_secs(20)),
    first_byte: Some(Duration::from_secs(60)),
    between_bytes: Some(Duration::from_secs(60)),
};

/// A request that did not succeed.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: Error,
    /// The store's status; none if it did not answer.
    pub(crate) status: Option<u16>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, status: None }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

/// A failed try.
pub(crate) enum Failure {
    /// Another one may succeed.
    Again(Refusal),
    /// None will.
    Final(Refusal),
}

/// Counts tries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoff {
    failed: u32,
}

impl Backoff {
    /// How long to wait before the next try; the error if there is none.
    pub(crate) fn wait(&mut self, failure: Failure) -> Result<Duration, Refusal> {
        let mut refusal = match failure {
            Failure::Final(refusal) => return Err(refusal),
            Failure::Again(refusal) => refusal,
        };
        self.failed += 1;
        if self.failed >= TRIES {
            refusal.error.message.push_str(&format!(" (tried {TRIES} times)"));
            return Err(refusal);
        }
        let error = refusal.error;
        let doubled = FIRST_WAIT * 2_u32.pow(self.failed - 1);
        // Between half and the whole of it, so that splits that failed together do not come back together.
        let dice = RandomState::new().build_hasher().finish() % 512;
        let wait = doubled.mul_f64(0.5 + dice as f64 / 1024.0);
        let wait = error.retry_after.map_or(wait, |asked| asked.min(LONGEST_WAIT).max(wait));
        log::debug(format!("trying again in {} ms: {error}", wait.as_millis()));
        Ok(wait)
    }

    /// Something was achieved since the last failure.
    pub(crate) fn reset(&mut self) {
        self.failed = 0;
    }
}

/// Sends a request until it succeeds, or until trying again cannot help.
pub(crate) async fn send(provider: &dyn Provider, request: &Request) -> Result<Response, Refusal> {
    let mut backoff = Backoff::default();
    loop {
        match once(provider, request.clone()).await {
            Ok(response) => return Ok(response),
            Err(failure) => http::sleep(backoff.wait(failure)?).await,
        }
    }
}

/// Sends a request once. Any answer that is no success is an error.
async fn once(provider: &dyn Provider, request: Request) -> Result<Response, Failure> {
    let answered = async { request.timeouts(TIMEOUTS).start()?.await }.await;
    let mut response = answered.map_err(|error| match error.kind {
        ErrorKind::Transient => Failure::Again(error.into()),
        _ => Failure::Final(error.into()),
    })?;
    if response.is_success() {
        return Ok(response);
    }
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.next_chunk().await {
        body.extend_from_slice(chunk.get(..(MAX_REASON - body.len()).min(chunk.len())).unwrap_or_default());
        if body.len() >= MAX_REASON {
            break;
        }
    }
    let (status, headers) = (response.status(), response.headers());
    let mut error = provider.refused(&Refused { doing: response.doing(), status, headers, body: &body });
    if error.retry_after.is_none() && matches!(error.kind, ErrorKind::Transient | ErrorKind::RateLimited) {
        error.retry_after = response.retry_after();
    }
    let refusal = Refusal { error, status: Some(status) };
    Err(match status {
        408 | 429 | 500 | 502 | 503 | 504 => Failure::Again(refusal),
        _ => Failure::Final(refusal),
    })
}

/// A file that is being read, and the version of it that counts.
#[derive(Debug)]
pub(crate) struct Target {
    /// The complete key.
    pub(crate) key: String,
    /// The file as it was planned, whose key is the one that users see.
    pub(crate) object: Object,
    /// The mark of the first answer, where the listing had none.
    pub(crate) seen: OnceLock<String>,
}

impl Target {
    fn mark(&self) -> Option<&str> {
        self.object.etag.as_deref().or_else(|| self.seen.get().map(String::as_str))
    }
}

/// Asks for a range of a file, and makes sure that the answer is that range of that version.
pub(crate) async fn open(provider: &dyn Provider, target: &Target, range: Range<u64>) -> Result<Response> {
    let mut answer = ask(provider, target, &range, target.mark()).await;
    if matches!(&answer, Err(refusal) if refusal.status == Some(412)) {
        // Another version: asked for without condition, it tells how it differs.
        answer = ask(provider, target, &range, None).await;
    }
    let key = &target.object.key;
    match answer {
        Ok(response) => verified(provider, target, &range, response),
        Err(refusal) => Err(match refusal.status {
            Some(404) => changed(key, "was deleted"),
            Some(412) => changed(key, "was written again"),
            Some(416) => changed(key, "became shorter"),
            _ => refusal.error,
        }),
    }
}

async fn ask(
    provider: &dyn Provider,
    target: &Target,
    range: &Range<u64>,
    mark: Option<&str>,
) -> Result<Response, Refusal> {
    let mut request = provider.get(&target.key, mark);
    if target.object.size > 0 {
        request = request.header("range", format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
    }
    send(provider, &request).await
}

/// The answer, if it is this range of the planned version.
fn verified(provider: &dyn Provider, target: &Target, range: &Range<u64>, response: Response) -> Result<Response> {
    let (headers, key) = (response.headers(), &target.object.key);
    if target.object.size > 0 {
        match headers.get("content-range").and_then(content_range) {
            Some((_, _, size)) if size > target.object.size => return Err(changed(key, "grew")),
            Some((_, _, size)) if size < target.object.size => return Err(changed(key, "became shorter")),
            Some((from, to, _)) if response.status() == 206 && from == range.start && to == range.end - 1 => {}
            _ => {
                let message = format!("{key}: the store does not answer with the range that was asked for");
                return Err(Error::protocol(message));
            }
        }
    } else if headers.number("content-length").is_some_and(|length| length > 0) {
        return Err(changed(key, "grew"));
    }
    let same = match (target.mark(), provider.mark(headers)) {
        (Some(planned), Some(now)) => planned == now,
        (_, now) => {
            if let Some(now) = now {
                let _ = target.seen.set(now);
            }
            let modified = headers.get("last-modified").and_then(http_date);
            // Headers have whole seconds only.
            let seconds = |ms: i64| ms.div_euclid(1000);
            target.object.modified_ms.zip(modified).is_none_or(|(planned, now)| seconds(planned) == seconds(now))
        }
    };
    if same { Ok(response) } else { Err(changed(key, "was written again")) }
}

/// `bytes 0-99/1000`.
fn content_range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (from, to) = range.split_once('-')?;
    Some((from.parse().ok()?, to.parse().ok()?, size.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_counted_and_waits_grow() {
        let mut backoff = Backoff::default();
        let again = || Failure::Again(Error::transient("busy").into());
        let waits: Vec<Duration> = (1..TRIES).map(|_| backoff.wait(again()).unwrap()).collect();
        assert!(waits[0] >= FIRST_WAIT / 2 && waits[0] <= FIRST_WAIT, "{waits:?}");
        assert!(waits[4] >= FIRST_WAIT * 8 && waits[4] <= FIRST_WAIT * 16, "{waits:?}");
        assert!(backoff.wait(again()).unwrap_err().error.message.contains("tried 6 times"));
        backoff.reset();
        assert!(backoff.wait(again()).is_ok());
        assert!(backoff.wait(Failure::Final(Error::auth("no").into())).is_err());
    }

    #[test]
    fn a_store_that_asks_for_patience_gets_it_within_reason() {
        let asked = |seconds| {
            let error = Error::rate_limited("slow down").retry_after(Duration::from_secs(seconds));
            Backoff::default().wait(Failure::Again(error.into())).unwrap()
        };
        assert_eq!(asked(7), Duration::from_secs(7));
        assert_eq!(asked(86_400), LONGEST_WAIT);
    }

    #[test]
    fn a_content_range_is_read() {
        assert_eq!(content_range("bytes 0-99/1000"), Some((0, 99, 1000)));
        assert_eq!(content_range("bytes */1000"), None);
    }
}
