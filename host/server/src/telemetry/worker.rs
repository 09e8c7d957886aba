//! A worker's side: the steps of its job become spans, which are told to the host when they are over.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider,
};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData, SpanProcessor};
use sluice_core::trace::{Context, Span, SpanKind, Value};
use sluice_core::worker::Event;
use sluice_engine::step;
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::events::tell;

/// Most spans that are told of a job: as many as the host takes.
const MOST: u32 = 2_000;

/// Turns the steps of a job into spans. Only they: what is logged stays in the log.
pub(super) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    // That the job has a trace means that it is told.
    let provider = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOn).with_span_processor(ToHost::default());
    tracing_opentelemetry::layer()
        .with_tracer(provider.build().tracer("sluice"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false)
        .with_filter(filter_fn(|metadata| metadata.is_span() && metadata.target() == step::TARGET))
}

/// Puts a step below a span of the host.
pub(crate) fn below(step: &tracing::Span, parent: &Context) {
    let (trace, span) = (TraceId::from(parent.trace), SpanId::from(parent.span));
    let parent = SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::NONE);
    // Nobody follows where it fails.
    let _ = step.set_parent(opentelemetry::Context::new().with_remote_span_context(parent));
}

/// Tells each span when it ends.
#[derive(Debug, Default)]
struct ToHost {
    told: AtomicU32,
}

impl SpanProcessor for ToHost {
    fn on_start(&self, _: &mut opentelemetry_sdk::trace::Span, _: &opentelemetry::Context) {}

    fn on_end(&self, span: SpanData) {
        if self.told.fetch_add(1, Ordering::Relaxed) < MOST {
            tell(&Event::Spans { spans: vec![told(span)] });
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn told(span: SpanData) -> Span {
    let trace = u128::from_be_bytes(span.span_context.trace_id().to_bytes());
    let at = |id: SpanId| Context { trace, span: u64::from_be_bytes(id.to_bytes()), sampled: true };
    let attributes = span.attributes.into_iter().map(|pair| {
        let value = match pair.value {
            opentelemetry::Value::Bool(flag) => Value::Flag(flag),
            opentelemetry::Value::I64(number) => Value::Number(number),
            other => Value::Text(other.to_string()),
        };
        (pair.key.to_string(), value)
    });
    Span {
        context: at(span.span_context.span_id()),
        parent: (span.parent_span_id != SpanId::INVALID).then(|| at(span.parent_span_id)),
        name: span.name.into_owned(),
        kind: SpanKind::Internal,
        begun_us: micros(span.start_time),
        ended_us: micros(span.end_time),
        attributes: attributes.collect(),
        error: match span.status {
            Status::Error { description } => Some(description.into_owned()),
            Status::Unset | Status::Ok => None,
        },
    }
}

fn micros(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
