//! The whole service as one router, and the document that describes it.

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;

use crate::auth::guard::Guarded;
use crate::describe;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::http::{client, fence, metrics, security, trace};
use crate::ops;
use crate::state::App;
use crate::v1;
use crate::web;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sluice",
        description = "Loads data from sandboxed connectors. Errors are problem details (RFC 9457); lists are pages; what a person edits \
                       has an ETag, and a change names it in If-Match."
    ),
    components(schemas(ProblemBody))
)]
struct Base;

/// The service.
pub fn router(app: &App) -> Router {
    served(app, parts(app).0)
}

/// Routes with what every request goes through.
fn served(app: &App, routes: Router<App>) -> Router {
    routes
        .fallback(web::page)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(app.clone(), fence::panics))
        .layer(from_fn(fence::problems))
        .layer(from_fn(security::headers))
        .layer(from_fn_with_state(app.clone(), client::identify))
        .layer(from_fn_with_state(app.clone(), trace::follow))
        .layer(from_fn_with_state(app.clone(), metrics::count))
        .with_state(app.clone())
}

/// The OpenAPI document of the service.
pub fn document(app: &App) -> Document {
    let mut document = parts(app).1;
    describe::whole(&mut document);
    document
}

fn parts(app: &App) -> (Router<App>, Document) {
    let routes = Guarded::new(app).and(v1::routes).and(ops::routes).finish();
    OpenApiRouter::with_openapi(Base::openapi()).merge(routes).split_for_parts()
}

/// Methods that an address does not have. `OPTIONS` is answered by what it has; nothing is said to other sites (no CORS).
async fn other_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    Problem::new(Slug::MethodNotAllowed, "the header Allow says which methods there are").into_response()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use axum::http::{Request, header};
    use tower::ServiceExt;
    use utoipa_axum::routes;

    use super::*;
    use crate::auth::guard::{Needs, Rules};
    use crate::testing::{Answer, Service};

    #[utoipa::path(get, path = "/test/panics", responses((status = 200)))]
    async fn panics() -> StatusCode {
        panic!("a secret of the service");
    }

    #[utoipa::path(get, path = "/test/slow", responses((status = 200)))]
    async fn slow() -> StatusCode {
        tokio::time::sleep(Duration::from_secs(5)).await;
        StatusCode::OK
    }

    #[utoipa::path(post, path = "/test/{number}", params(("number" = u8, Path)), responses((status = 200)))]
    async fn number(axum::extract::Path(_): axum::extract::Path<u8>, _: String) -> StatusCode {
        StatusCode::OK
    }

    async fn send(router: &Router, request: Request<Body>) -> Answer {
        let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body: serde_json::from_slice(&body).unwrap_or_default() }
    }

    #[tokio::test]
    async fn whatever_goes_wrong_is_a_problem() {
        let service = Service::new().await;
        let nobody = Rules::of(Needs::Nobody);
        let routes = Guarded::new(&service.app)
            .operation(nobody, routes!(panics))
            .operation(nobody.within(Duration::from_millis(20)), routes!(slow))
            .operation(nobody.body(10), routes!(number));
        let router = served(&service.app, routes.finish().split_for_parts().0);
        let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
        let post = |path: &str, body: &'static str| Request::post(path).body(Body::from(body)).unwrap();
        let panicked = send(&router, get("/test/panics")).await;
        assert_eq!((panicked.status.as_u16(), panicked.problem()), (500, "internal"));
        assert!(!panicked.body.to_string().contains("secret"));
        assert!(service.app.requests().render().contains("\nsluice_http_panics_total 1\n"));
        assert_eq!(send(&router, get("/test/slow")).await.problem(), "timeout");
        assert_eq!(send(&router, post("/test/9", "short")).await.status.as_u16(), 200);
        assert_eq!(send(&router, post("/test/9", "longer than that")).await.problem(), "too-large");
        assert_eq!(send(&router, post("/test/x", "short")).await.problem(), "invalid", "in axum's own words before");
        for lost in ["/nothing", "/test/%ff", "/test/a%00b", "/test/1/2", "//", "/v1/tenants/a%2Fb/c"] {
            assert_eq!(send(&router, post(lost, "x")).await.problem(), "not-found", "{lost}");
        }
    }

    #[tokio::test]
    async fn methods_and_headers_are_as_http_has_them() {
        let service = Service::new().await;
        let put = service.call(Method::PUT, "/v1/session", None, None).await;
        assert_eq!(put.problem(), "method-not-allowed");
        let options = service.call(Method::OPTIONS, "/v1/session", None, None).await;
        assert_eq!(options.status, StatusCode::NO_CONTENT);
        for answer in [put, options] {
            let allow = answer.headers[header::ALLOW].to_str().unwrap();
            for method in ["GET", "HEAD", "POST", "DELETE"] {
                assert!(allow.split(',').any(|one| one.trim() == method), "{method} is not in {allow}");
            }
            assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")));
        }
        let head = service.call(Method::HEAD, "/health", None, None).await;
        assert_eq!((head.status, &head.body), (StatusCode::OK, &"".into()));
        assert_eq!(head.headers[header::CONTENT_LENGTH], "18");
        let request = Request::post("/v1/setup").body(Body::from("{}")).unwrap();
        assert_eq!(service.send(request).await.problem(), "unsupported-media-type");
    }

    #[tokio::test]
    async fn the_service_tells_how_it_is_and_what_it_offers() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let get = async |path: &str| service.call(Method::GET, path, None, None).await;
        assert_eq!(
            (get("/health").await.body["status"].as_str(), get("/ready").await.body["status"].as_str()),
            (Some("alive"), Some("ready"))
        );
        assert_eq!(get("/openapi.json").await.body, serde_json::to_value(document(&service.app)).unwrap());
        let docs = get("/docs").await;
        assert!(docs.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("script-src 'sha256-"));
        get("/v1/tenants/acme").await;
        let metrics = get("/metrics").await.body.as_str().unwrap().to_owned();
        assert!(
            metrics
                .contains("sluice_http_requests_total{route=\"/v1/tenants/{tenant}\",method=\"GET\",status=\"401\"} 1")
        );
        assert!(metrics.contains("sluice_http_requests_in_flight 1\n"), "this one");
        assert!(!metrics.contains("acme"), "no tenant's id is in the metrics");
        service.app.store.clone().close().await;
        let ready = get("/ready").await;
        assert_eq!((ready.status.as_u16(), ready.problem()), (503, "unavailable"));
        assert_eq!(get("/health").await.status, StatusCode::OK);
    }

    #[tokio::test]
    async fn who_sends_too_much_is_told_when_to_come_back() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let (ann, bob) = (
            service.token("acme", sluice_core::access::Role::Viewer).await,
            service.token("acme", sluice_core::access::Role::Viewer).await,
        );
        let ask = async |credential: Option<&str>| service.call(Method::GET, "/v1/session", credential, None).await;
        for _ in 0..200 {
            assert_eq!(ask(Some(&ann)).await.status, StatusCode::OK);
        }
        let refused = ask(Some(&ann)).await;
        assert_eq!(
            (refused.problem(), &refused.headers[header::RETRY_AFTER]),
            ("too-many-requests", &"1".parse().unwrap())
        );
        assert_eq!(ask(Some(&bob)).await.status, StatusCode::OK, "others are answered");
        for _ in 0..100 {
            assert_eq!(ask(None).await.status, StatusCode::UNAUTHORIZED);
        }
        assert_eq!(ask(None).await.problem(), "too-many-requests");
        assert_eq!(service.call(Method::GET, "/health", None, None).await.status, StatusCode::OK);
        service.pass(1);
        assert_eq!((ask(Some(&ann)).await.status, ask(None).await.status), (StatusCode::OK, StatusCode::UNAUTHORIZED));
    }
}
