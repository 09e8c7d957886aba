//! Repeats a call that failed in a way that passes.

use std::future::Future;
use std::time::Duration;

use super::errors::Failure;

/// How often a call is made before its failure is the run's.
const ATTEMPTS: u32 = 7;

/// How long to wait before the attempt after the `failed`-th (1 for the first): doubling from 200 ms to 10 s.
pub(crate) fn pause(failed: u32) -> Duration {
    let millis = 200_u64.saturating_mul(1 << failed.saturating_sub(1).min(16));
    Duration::from_millis(millis.min(10_000))
}

/// Calls until it succeeds, fails for good, or has failed too often. Only for calls that may be made twice.
pub(crate) async fn repeatedly<T, F>(mut call: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut failed = 0;
    loop {
        match call().await {
            Ok(value) => return Ok(value),
            Err(failure) if failure.is_transient() && failed + 1 < ATTEMPTS => {
                failed += 1;
                tracing::debug!(attempt = failed, %failure, "bigquery.call_repeated");
                tokio::time::sleep(pause(failed)).await;
            }
            Err(failure) => return Err(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use google_cloud_gax::error::rpc::Code;

    use super::*;

    #[tokio::test]
    async fn a_failure_that_passes_is_repeated_and_a_refusal_is_not() {
        let calls = Cell::new(0);
        let call = || async {
            calls.set(calls.get() + 1);
            if calls.get() < 2 { Err(Failure::unanswered("gone")) } else { Ok(calls.get()) }
        };
        assert_eq!(repeatedly(call).await, Ok(2));
        let refused = Cell::new(0);
        let call = || async {
            refused.set(refused.get() + 1);
            Err::<(), _>(Failure::new(Code::PermissionDenied, "no"))
        };
        assert!(repeatedly(call).await.is_err());
        assert_eq!(refused.get(), 1);
    }

    #[test]
    fn pauses_double_and_end_at_ten_seconds() {
        assert_eq!(pause(1), Duration::from_millis(200));
        assert_eq!(pause(3), Duration::from_millis(800));
        assert_eq!(pause(60), Duration::from_secs(10));
    }
}
