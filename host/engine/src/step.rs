//! The steps of a run as spans, for whoever follows its trace. They have a target of their own, so that logs do not show them, and cost
//! nothing where nobody follows.

use std::future::Future;

use sluice_core::RunError;
use tracing::{Instrument, Span};

/// What spans of a run have as their target.
pub const TARGET: &str = "sluice::trace";

/// A step: its name, and what is told of it. What is known only later is left empty.
macro_rules! step {
    ($name:literal $(, $($fields:tt)+)?) => {
        tracing::info_span!(
            target: "sluice::trace",
            $name,
            otel.status_code = tracing::field::Empty,
            otel.status_description = tracing::field::Empty,
            "error.type" = tracing::field::Empty,
            $($($fields)+)?
        )
    };
}
pub(crate) use step;

/// Takes a step, and says of it why it failed.
///
/// # Errors
/// What the step fails with.
pub async fn take<T>(span: Span, work: impl Future<Output = Result<T, RunError>>) -> Result<T, RunError> {
    let done = work.instrument(span.clone()).await;
    if let Err(error) = &done {
        failed(&span, error);
    }
    done
}

/// A number as it is told of a step.
pub(crate) fn number(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Says of a step that it failed.
pub fn failed(span: &Span, error: &RunError) {
    if span.is_disabled() {
        return;
    }
    span.record("error.type", error.kind.as_str());
    span.record("otel.status_code", "ERROR");
    span.record("otel.status_description", error.to_string());
}
