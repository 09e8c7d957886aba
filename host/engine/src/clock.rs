//! Time, as an argument.

/// What time it is. The binary hands in the system's clock, tests their own.
pub trait Clock: Send + Sync {
    /// Microseconds since 1970-01-01T00:00:00Z.
    fn now_us(&self) -> i64;
}

impl<F: Fn() -> i64 + Send + Sync> Clock for F {
    fn now_us(&self) -> i64 {
        self()
    }
}
