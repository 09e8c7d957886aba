//! What becomes of spans, for the metrics and the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use sluice_core::metrics::Counters;

/// How many spans there were.
#[derive(Debug)]
pub(super) struct Spans {
    pub(super) counts: Counters<1>,
    failing: AtomicBool,
}

impl Default for Spans {
    fn default() -> Self {
        let counts = Counters::new(["outcome"], [["ended"], ["exported"], ["failed"]]);
        Self { counts, failing: AtomicBool::new(false) }
    }
}

/// An exporter whose spans are counted, and whose failures are logged when they begin and when they are over.
#[derive(Debug)]
pub(super) struct Counted<E> {
    pub(super) exporter: E,
    pub(super) spans: Arc<Spans>,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len() as u64;
        let done = self.exporter.export(batch).await;
        match &done {
            Ok(()) => {
                self.spans.counts.add(["exported"], count);
                if self.spans.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("the collector takes spans again");
                }
            }
            Err(error) => {
                self.spans.counts.add(["failed"], count);
                if !self.spans.failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "the collector takes no spans; they are lost until it does, and runs go on");
                }
            }
        }
        done
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
