//! Requests as spans: each joins its caller's trace, if it names one, and the runs that it asks for go on with it.

use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use sluice_core::trace::{Context, SpanKind};
use sluice_engine::service::trace::Open;
use tracing::Instrument;

use crate::state::App;

/// What whoever watches the service asks again and again.
const WATCHED: [&str; 3] = ["/health", "/ready", "/metrics"];

tokio::task_local! {
    /// Where the request that this task answers stands.
    static CURRENT: Context;
}

/// Where the request stands that is being answered; none if nobody follows traces.
pub(crate) fn current() -> Option<Context> {
    CURRENT.try_with(|context| *context).ok()
}

/// The same as a run keeps it.
pub(crate) fn traceparent() -> Option<String> {
    current().map(|context| context.to_string())
}

/// Tells of every request: by its route, never by what stands in its address. What is refused to somebody unknown is not told, or a
/// stranger could fill the queue of spans.
pub async fn follow(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    let Some(route) = route.filter(|route| !WATCHED.contains(&route.as_str())) else {
        return next.run(request).await;
    };
    let parent = request.headers().get("traceparent").and_then(|value| Context::parse(value.to_str().ok()?));
    let method = request.method().clone();
    let name = format!("{method} {route}");
    let Some(mut span) = Open::begin(&app.traces, parent, (name, SpanKind::Server), app.now_us()) else {
        return next.run(request).await;
    };
    // For the log's lines.
    let about = tracing::error_span!("request", route, trace_id = span.trace_id());
    let response = CURRENT.scope(span.context(), next.run(request)).instrument(about).await;
    let status = response.status();
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS) {
        return response;
    }
    span.set("http.request.method", method.as_str());
    span.set("http.route", route);
    span.set("http.response.status_code", u32::from(status.as_u16()));
    if status.is_server_error() {
        span.fail_as(status.as_u16().to_string());
    }
    span.end(app.now_us());
    response
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::body::Body;
    use axum::http::{Method, Request, header};
    use sluice_core::access::Role;
    use sluice_core::metrics::Text;
    use sluice_core::trace::{Context, Span, SpanKind};
    use sluice_engine::service::trace::Traces;
    use sluice_store::Scope;

    use crate::testing::Service;

    #[derive(Default)]
    struct Kept(Mutex<Vec<Span>>);

    impl Traces for Kept {
        fn begin(&self, parent: Option<&Context>) -> Option<Context> {
            Some(Context { trace: parent.map_or(1, |parent| parent.trace), span: 99, sampled: true })
        }

        fn end(&self, span: Span) {
            self.0.lock().unwrap().push(span);
        }

        fn write_metrics(&self, _: &mut Text) {}
    }

    #[tokio::test]
    async fn a_request_joins_its_callers_trace_and_a_run_that_it_asks_for_does_too() {
        let kept = Arc::new(Kept::default());
        let service = Service::with(|parts| parts.traces = kept.clone()).await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let pipeline = service.pipeline("acme", &editor).await;
        kept.0.lock().unwrap().clear();
        let caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let request = Request::post(format!("/v1/tenants/acme/pipelines/{pipeline}/runs"))
            .header(header::AUTHORIZATION, format!("Bearer {editor}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("traceparent", caller)
            .body(Body::from("{}"))
            .unwrap();
        let made = service.send(request).await;
        let run = made.body["id"].as_str().unwrap().to_owned();
        let run = service.app.store.run_request(Scope { tenant: "acme" }, &run).await.unwrap().unwrap();
        let own = "00-0af7651916cd43dd8448eb211c80319c-0000000000000063-01";
        assert_eq!(run.asked.traceparent.as_deref(), Some(own));
        for untold in ["/health", "/nothing", "/v1/session"] {
            service.call(Method::GET, untold, None, None).await;
        }
        let spans = kept.0.lock().unwrap();
        assert_eq!(spans.len(), 1, "{spans:?}");
        assert_eq!(spans[0].name, "POST /v1/tenants/{tenant}/pipelines/{pipeline}/runs");
        assert_eq!((spans[0].kind, spans[0].parent), (SpanKind::Server, Context::parse(caller)));
        assert!(spans[0].attributes.contains(&("http.response.status_code".into(), 201_u32.into())), "{spans:?}");
        let text = format!("{spans:?}");
        assert!(!text.contains("acme") && !text.contains(&editor), "{text}");
    }
}
