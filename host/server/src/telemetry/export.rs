//! The host's side: chooses which traces are told, and exports spans in batches from a thread of its own. Its queue is bounded; what does
//! not fit is lost, so that a collector that is slow or gone keeps nobody waiting.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, IdGenerator, RandomIdGenerator, Sampler, SamplingDecision, ShouldSample, SpanData, SpanEvents,
    SpanLinks, SpanProcessor,
};
use sluice_core::RunError;
use sluice_core::metrics::Text;
use sluice_core::trace::{Context, Span, Value};
use sluice_engine::service::trace::{Traces, Untraced};

use super::args::TelemetryArgs;
use super::client::Web;
use super::counted::{Counted, Spans};
use super::settings;

/// How long the last spans may take when the service stops.
const GOODBYE: Duration = Duration::from_secs(3);

/// Where the service's spans go.
pub(crate) struct Tracing {
    exported: Option<Arc<Exported>>,
}

impl Tracing {
    /// What the operator said; `host` names this process.
    pub(crate) fn start(args: &TelemetryArgs, host: &str) -> Result<Self, RunError> {
        let exported = settings::endpoint(args)?.map(|endpoint| Exported::new(&endpoint, host)).transpose()?;
        if exported.is_some() {
            tracing::info!("traces are exported");
        }
        Ok(Self { exported: exported.map(Arc::new) })
    }

    /// What spans are handed to.
    pub(crate) fn traces(&self) -> Arc<dyn Traces> {
        match &self.exported {
            Some(exported) => exported.clone(),
            None => Arc::new(Untraced),
        }
    }

    /// Exports what there is, if that does not take long.
    pub(crate) async fn stop(self) {
        let Some(exported) = self.exported else { return };
        let stopped = tokio::task::spawn_blocking(move || exported.processor.shutdown_with_timeout(GOODBYE));
        if !tokio::time::timeout(GOODBYE, stopped).await.is_ok_and(|done| done.is_ok_and(|done| done.is_ok())) {
            tracing::warn!("the last spans could not be exported");
        }
    }
}

struct Exported {
    processor: BatchSpanProcessor,
    sampler: Sampler,
    ids: RandomIdGenerator,
    scope: InstrumentationScope,
    spans: Arc<Spans>,
}

impl Exported {
    fn new(endpoint: &str, host: &str) -> Result<Self, RunError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Web::new()?)
            .with_endpoint(endpoint)
            .build()
            .map_err(|e| RunError::config("--otlp-endpoint", format!("spans cannot be exported: {e}")))?;
        let spans = Arc::new(Spans::default());
        let mut processor = BatchSpanProcessor::builder(Counted { exporter, spans: spans.clone() }).build();
        processor.set_resource(&settings::resource(host));
        let scope = InstrumentationScope::builder("sluice").with_version(env!("CARGO_PKG_VERSION")).build();
        Ok(Self { processor, sampler: settings::sampler()?, ids: RandomIdGenerator::default(), scope, spans })
    }
}

impl Traces for Exported {
    fn begin(&self, parent: Option<&Context>) -> Option<Context> {
        let trace = parent.map_or_else(|| self.ids.new_trace_id(), |parent| TraceId::from(parent.trace));
        let above = parent.map(|parent| opentelemetry::Context::new().with_remote_span_context(place(parent, true)));
        let sampled = self.sampler.should_sample(above.as_ref(), trace, "", &SpanKind::Internal, &[], &[]);
        Some(Context {
            trace: u128::from_be_bytes(trace.to_bytes()),
            span: u64::from_be_bytes(self.ids.new_span_id().to_bytes()),
            sampled: sampled.decision == SamplingDecision::RecordAndSample,
        })
    }

    fn end(&self, span: Span) {
        self.spans.counts.add(["ended"], 1);
        self.processor.on_end(data(span, &self.scope));
    }

    fn write_metrics(&self, text: &mut Text) {
        text.counters("sluice_spans_total", "Spans of traces.", &self.spans.counts);
    }
}

/// A span as the exporter takes it.
fn data(span: Span, scope: &InstrumentationScope) -> SpanData {
    let attributes = span.attributes.into_iter().map(|(name, value)| match value {
        Value::Flag(flag) => KeyValue::new(name, flag),
        Value::Number(number) => KeyValue::new(name, number),
        Value::Text(text) => KeyValue::new(name, text),
    });
    SpanData {
        span_context: place(&span.context, false),
        parent_span_id: span.parent.map_or(SpanId::INVALID, |parent| SpanId::from(parent.span)),
        parent_span_is_remote: false,
        span_kind: match span.kind {
            sluice_core::trace::SpanKind::Internal => SpanKind::Internal,
            sluice_core::trace::SpanKind::Server => SpanKind::Server,
            sluice_core::trace::SpanKind::Producer => SpanKind::Producer,
            sluice_core::trace::SpanKind::Consumer => SpanKind::Consumer,
        },
        name: span.name.into(),
        start_time: time(span.begun_us),
        end_time: time(span.ended_us),
        attributes: attributes.collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: span.error.map_or(Status::Unset, Status::error),
        instrumentation_scope: scope.clone(),
    }
}

fn place(context: &Context, remote: bool) -> SpanContext {
    let flags = if context.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let (trace, span) = (TraceId::from(context.trace), SpanId::from(context.span));
    SpanContext::new(trace, span, flags, remote, TraceState::NONE)
}

fn time(us: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(us.max(0).unsigned_abs())
}
