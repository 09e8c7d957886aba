//! OpenTelemetry's own variables: those that its crates leave to the program. Headers, queue and batch sizes they read themselves.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::Sampler;
use sluice_core::RunError;

use super::args::TelemetryArgs;

/// Where traces go; none if nobody follows them.
pub(super) fn endpoint(args: &TelemetryArgs) -> Result<Option<String>, RunError> {
    let off = set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || set("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
    if off {
        return Ok(None);
    }
    let (name, said, suffix) = match &args.otlp_endpoint {
        Some(base) => ("--otlp-endpoint", Some(base.clone()), "/v1/traces"),
        None => match set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
            Some(whole) => ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", Some(whole), ""),
            None => ("OTEL_EXPORTER_OTLP_ENDPOINT", set("OTEL_EXPORTER_OTLP_ENDPOINT"), "/v1/traces"),
        },
    };
    let Some(said) = said else { return Ok(None) };
    let fine = reqwest::Url::parse(&said).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !fine {
        return Err(RunError::config(name, "it reads http://HOST:PORT or https://HOST:PORT"));
    }
    let whole = if suffix.is_empty() { said } else { format!("{}{suffix}", said.trim_end_matches('/')) };
    Ok(Some(whole))
}

/// How long the collector may take for an answer.
pub(super) fn patience() -> Duration {
    let millis = set("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT").or_else(|| set("OTEL_EXPORTER_OTLP_TIMEOUT"));
    Duration::from_millis(millis.and_then(|text| text.parse().ok()).unwrap_or(10_000))
}

/// Which traces are told.
pub(super) fn sampler() -> Result<Sampler, RunError> {
    let Some(name) = set("OTEL_TRACES_SAMPLER") else { return Ok(Sampler::ParentBased(Box::new(Sampler::AlwaysOn))) };
    let ratio = || match set("OTEL_TRACES_SAMPLER_ARG") {
        None => Ok(1.0),
        Some(text) => text.parse::<f64>().ok().filter(|ratio| (0.0..=1.0).contains(ratio)).ok_or_else(|| {
            RunError::config("OTEL_TRACES_SAMPLER_ARG", format!("{text:?} is no number between 0 and 1"))
        }),
    };
    let simple = |name: &str| match name {
        "always_on" => Ok(Some(Sampler::AlwaysOn)),
        "always_off" => Ok(Some(Sampler::AlwaysOff)),
        "traceidratio" => ratio().map(|ratio| Some(Sampler::TraceIdRatioBased(ratio))),
        _ => Ok(None),
    };
    let sampler = match name.strip_prefix("parentbased_") {
        Some(root) => simple(root)?.map(|root| Sampler::ParentBased(Box::new(root))),
        None => simple(&name)?,
    };
    sampler.ok_or_else(|| {
        let message = format!("{name:?} is none of always_on, always_off, traceidratio, also with parentbased_ before");
        RunError::config("OTEL_TRACES_SAMPLER", message)
    })
}

/// What the service says of itself. OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES go before.
pub(super) fn resource(host: &str) -> Resource {
    let said = Resource::builder().build();
    let known = |name: &'static str| said.iter().any(|(key, _)| key.as_str() == name);
    let named = said
        .iter()
        .any(|(key, value)| key.as_str() == "service.name" && !value.as_str().starts_with("unknown_service"));
    let mut resource = Resource::builder();
    if !named {
        resource = resource.with_service_name("sluice");
    }
    for (name, value) in [("service.version", env!("CARGO_PKG_VERSION")), ("service.instance.id", host)] {
        if !known(name) {
            resource = resource.with_attribute(KeyValue::new(name, value.to_owned()));
        }
    }
    resource.build()
}

/// A variable that says something: an empty one does not.
fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_of_http_below_which_traces_are_taken() {
        let of = |text: &str| endpoint(&TelemetryArgs { otlp_endpoint: Some(text.into()) });
        assert_eq!(of("http://127.0.0.1:4318/").unwrap().as_deref(), Some("http://127.0.0.1:4318/v1/traces"));
        assert_eq!(of("https://c.example/otlp").unwrap().as_deref(), Some("https://c.example/otlp/v1/traces"));
        for wrong in ["127.0.0.1:4318", "grpc://127.0.0.1:4317", "http://"] {
            let error = of(wrong).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("--otlp-endpoint"), "{wrong}: {error}");
        }
    }

    #[test]
    fn the_service_has_a_name_and_a_version() {
        let resource = resource("host-1");
        let of = |name: &str| resource.iter().find(|(key, _)| key.as_str() == name).map(|(_, value)| value.to_string());
        assert_eq!(of("service.name").as_deref(), Some("sluice"));
        assert_eq!(of("service.instance.id").as_deref(), Some("host-1"));
        assert_eq!(of("service.version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
    }
}
