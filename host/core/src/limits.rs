//! Every bound of a run and of an instance, with its default.

use serde::{Deserialize, Deserializer, Serialize};

use crate::error::RunError;

/// No bound: more than there can be, and a number that every reader of JSON still knows exactly, so that a definition that went
/// through a browser is the same definition.
pub const UNBOUNDED: u64 = (1 << 53) - 1;

/// Bounds of one run that a pipeline may set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunLimits {
    /// Splits of a stream that are read at once.
    pub parallel: u32,
    /// Arrow bytes between the connectors and the sink, over all splits.
    pub bytes_in_flight: u64,
    /// Arrow bytes that a batch should have.
    pub batch_bytes: u64,
    /// Bytes of source data that a split should have.
    pub split_bytes: u64,
    /// Seconds after which a run is cancelled; 0 means never.
    pub wall_seconds: u64,
    /// Most rows that quarantine may take before the run fails.
    pub quarantine_rows: u64,
    /// Bounds of each connector instance.
    pub instance: InstanceLimits,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            parallel: 2,
            bytes_in_flight: 32 << 20,
            batch_bytes: 1 << 20,
            split_bytes: 256 << 20,
            wall_seconds: 0,
            quarantine_rows: 100_000,
            instance: InstanceLimits::default(),
        }
    }
}

/// Bounds of one connector instance. Each has an error of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstanceLimits {
    /// Linear memory, bytes.
    pub memory_bytes: u64,
    /// Time that the guest may compute in one call, milliseconds; waiting for the host does not count.
    pub cpu_ms: u64,
    /// Time that one call may take altogether, milliseconds.
    pub wall_ms: u64,
    /// Rows that one read may push.
    #[serde(deserialize_with = "amount")]
    pub output_rows: u64,
    /// Arrow bytes that one read may push.
    #[serde(deserialize_with = "amount")]
    pub output_bytes: u64,
    /// Bytes of one batch.
    pub batch_bytes: u64,
    /// Log bytes kept of one instance.
    pub log_bytes: u64,
    /// Connections open at once.
    pub connections: u32,
    /// Bytes that one host call may hand over.
    pub hostcall_bytes: u64,
}

impl Default for InstanceLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            cpu_ms: 6 * 3600 * 1000,
            wall_ms: 24 * 3600 * 1000,
            output_rows: UNBOUNDED,
            output_bytes: UNBOUNDED,
            batch_bytes: 64 << 20,
            log_bytes: 1 << 20,
            connections: 8,
            hostcall_bytes: 96 << 20,
        }
    }
}

/// A whole number, however a program writes it that reads JSON into floating point; what is too large for those is no bound.
fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a whole number")]
    enum Written {
        Whole(u64),
        Float(f64),
    }
    match Written::deserialize(deserializer)? {
        Written::Whole(number) => Ok(number.min(UNBOUNDED)),
        Written::Float(number) if number >= UNBOUNDED as f64 => Ok(UNBOUNDED),
        Written::Float(number) => Err(serde::de::Error::custom(format!("{number} is no whole number"))),
    }
}

impl RunLimits {
    /// Checks that the bounds can work together.
    ///
    /// # Errors
    /// Names the first field that cannot.
    pub fn validate(&self) -> Result<(), RunError> {
        if self.parallel == 0 || self.parallel > 256 {
            return Err(RunError::config("limits.parallel", "between 1 and 256 splits can be read at once"));
        }
        if self.batch_bytes < 1024 || self.batch_bytes > self.instance.batch_bytes {
            let message = format!("a batch has between 1,024 and {} bytes", self.instance.batch_bytes);
            return Err(RunError::config("limits.batch_bytes", message));
        }
        if self.bytes_in_flight < self.batch_bytes {
            return Err(RunError::config("limits.bytes_in_flight", "at least one batch must fit (limits.batch_bytes)"));
        }
        if self.instance.memory_bytes < 1 << 20 || self.instance.memory_bytes > 4 << 30 {
            let message = "an instance has between 1 MiB and 4 GiB of memory";
            return Err(RunError::config("limits.instance.memory_bytes", message));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_went_through_a_browser_are_the_same_limits() {
        let limits = InstanceLimits::default();
        let text = serde_json::to_string(&limits).unwrap();
        assert!(text.contains("\"output_rows\":9007199254740991"), "{text}");
        assert_eq!(serde_json::from_str::<InstanceLimits>(&text).unwrap(), limits);
        // What was stored earlier, and what a browser makes of it.
        for rows in ["18446744073709551615", "18446744073709552000"] {
            let read: InstanceLimits = serde_json::from_str(&format!("{{\"output_rows\": {rows}}}")).unwrap();
            assert_eq!(read, limits, "{rows}");
        }
    }

    #[test]
    fn a_bound_is_a_whole_number() {
        let wrong =
            |rows: &str| serde_json::from_str::<InstanceLimits>(&format!("{{\"output_rows\": {rows}}}")).unwrap_err();
        assert!(wrong("1.5").to_string().contains("1.5 is no whole number"));
        assert!(wrong("\"many\"").to_string().contains("a whole number"));
    }
}
