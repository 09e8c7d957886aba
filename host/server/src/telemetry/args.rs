//! What an operator says about traces.

use clap::Args;

/// Who follows traces.
#[derive(Debug, Args)]
#[command(next_help_heading = "Traces")]
pub(crate) struct TelemetryArgs {
    /// Where traces go: a collector that speaks OTLP over HTTP, such as http://127.0.0.1:4318. /v1/traces is added. OpenTelemetry's
    /// own variables hold too (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER and others) [default: nowhere]
    #[arg(long, value_name = "URL")]
    pub(crate) otlp_endpoint: Option<String>,
}
