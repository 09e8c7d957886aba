//! The clocks of a guest. They tick in steps: differences of nanoseconds tell what a neighbour does to the caches that it shares.

use std::time::{Duration, Instant, SystemTime};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// Length of a step.
const STEP: Duration = Duration::from_micros(100);

/// Both clocks, with the time since they were made.
pub(crate) struct Coarse(Instant);

impl Default for Coarse {
    fn default() -> Self {
        Self(Instant::now())
    }
}

/// The last step that was reached.
fn reached(time: Duration) -> Duration {
    let step = STEP.as_nanos();
    let nanos = time.as_nanos() / step * step;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

impl HostMonotonicClock for Coarse {
    fn resolution(&self) -> u64 {
        u64::try_from(STEP.as_nanos()).unwrap_or(u64::MAX)
    }

    fn now(&self) -> u64 {
        u64::try_from(reached(self.0.elapsed()).as_nanos()).unwrap_or(u64::MAX)
    }
}

impl HostWallClock for Coarse {
    fn resolution(&self) -> Duration {
        STEP
    }

    #[expect(clippy::disallowed_methods, reason = "a guest's own clock tells the time of day")]
    fn now(&self) -> Duration {
        reached(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_in_steps() {
        assert_eq!(reached(Duration::from_nanos(99_999)), Duration::ZERO);
        assert_eq!(reached(Duration::from_nanos(1_234_567)), Duration::from_micros(1_200));
    }
}
