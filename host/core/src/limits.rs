//! Every bound of a run and of an instance, with its default.

use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize};

use crate::error::RunError;

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
    #[serde(skip_serializing_if = "is_unlimited", deserialize_with = "unlimited_or")]
    pub output_rows: u64,
    /// Arrow bytes that one read may push.
    #[serde(skip_serializing_if = "is_unlimited", deserialize_with = "unlimited_or")]
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
            output_rows: u64::MAX,
            output_bytes: u64::MAX,
            batch_bytes: 64 << 20,
            log_bytes: 1 << 20,
            connections: 8,
            hostcall_bytes: 96 << 20,
        }
    }
}

/// A bound that holds nothing back is left out: its number is beyond what programs in JavaScript can hand back.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_unlimited(bound: &u64) -> bool {
    *bound == u64::MAX
}

/// The number that stands for no bound, also as such a program hands it back: as the nearest one of its own.
fn unlimited_or<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    struct Bound;

    impl Visitor<'_> for Bound {
        type Value = u64;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a whole number")
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
            Ok(number)
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
            u64::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<u64, E> {
            #[allow(clippy::cast_precision_loss, clippy::float_cmp, reason = "exactly that number is meant")]
            if number == u64::MAX as f64 {
                return Ok(u64::MAX);
            }
            Err(E::invalid_type(Unexpected::Float(number), &self))
        }
    }

    from.deserialize_u64(Bound)
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
    fn no_bound_is_left_out_and_taken_as_javascript_hands_it_back() {
        let unbounded = serde_json::to_string(&InstanceLimits::default()).unwrap();
        assert!(!unbounded.contains("output_"), "{unbounded}");
        let read = |text: &str| serde_json::from_str::<InstanceLimits>(text).map(|limits| limits.output_rows);
        assert_eq!(read(&unbounded).unwrap(), u64::MAX);
        assert_eq!(read(r#"{"output_rows": 18446744073709551615}"#).unwrap(), u64::MAX);
        assert_eq!(read(r#"{"output_rows": 18446744073709552000}"#).unwrap(), u64::MAX);
        assert_eq!(read(r#"{"output_rows": 7}"#).unwrap(), 7);
        assert!(read(r#"{"output_rows": 7.5}"#).is_err() && read(r#"{"output_rows": -1}"#).is_err());
    }
}
