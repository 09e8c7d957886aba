//! Trying again what passes.

use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use sluice_sdk::{Error, ErrorKind, Result, http, log};

/// How often a request may fail in a row.
const ATTEMPTS: u32 = 6;

/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(250);

/// The longest pause that is spent here; where BigQuery asks for more, the host decides.
const LONGEST: Duration = Duration::from_secs(30);

/// Counts failures in a row.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    failures: u32,
}

impl Patience {
    /// Something worked: the next failure is the first again.
    pub(crate) fn renew(&mut self) {
        self.failures = 0;
    }

    /// Waits, if trying again may help.
    ///
    /// # Errors
    /// The error itself, if it does not pass or has come too often.
    pub(crate) fn wait(&mut self, error: Error) -> Result<()> {
        let Some(pause) = self.pause(&error) else { return Err(error) };
        log::info(format!("trying again in {} ms: {error}", pause.as_millis()));
        http::block_on(http::sleep(pause));
        Ok(())
    }

    fn pause(&mut self, error: &Error) -> Option<Duration> {
        self.failures += 1;
        let passes = matches!(error.kind, ErrorKind::Transient | ErrorKind::RateLimited);
        if !passes || self.failures >= ATTEMPTS {
            return None;
        }
        let asked = error.retry_after.unwrap_or_default();
        if asked > LONGEST {
            return None;
        }
        let own = FIRST * 2_u32.pow(self.failures - 1);
        // Between half and all of it, so that splits that failed together do not come back together.
        let own = own / 2 + own.mul_f64(f64::from(u8::try_from(random() & 0xff).unwrap_or(0)) / 512.0);
        Some(own.max(asked).min(LONGEST))
    }
}

/// Repeats a request as long as that may help.
pub(crate) fn repeat<T>(mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let mut patience = Patience::default();
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(error) => patience.wait(error)?,
        }
    }
}

/// A number that another process or instance would not draw: std seeds its hashers from the system's randomness.
pub(crate) fn random() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let mut patience = Patience::default();
        let error = Error::transient("lost");
        let pauses: Vec<_> = std::iter::from_fn(|| patience.pause(&error)).collect();
        assert_eq!(pauses.len(), 5);
        for (index, pause) in pauses.iter().enumerate() {
            let full = FIRST * 2_u32.pow(u32::try_from(index).unwrap());
            assert!(*pause >= full / 2 && *pause <= full, "{index}: {pause:?}");
        }
        patience.renew();
        assert!(patience.pause(&error).is_some());
    }

    #[test]
    fn what_does_not_pass_is_not_tried_again() {
        assert_eq!(Patience::default().pause(&Error::permission("no")), None);
    }

    #[test]
    fn a_short_pause_that_is_asked_for_is_kept_and_a_long_one_is_the_hosts() {
        let limited = |seconds| Error::rate_limited("slow").retry_after(Duration::from_secs(seconds));
        assert_eq!(Patience::default().pause(&limited(7)), Some(Duration::from_secs(7)));
        assert_eq!(Patience::default().pause(&limited(600)), None);
    }
}
