use axum::http::{Method, Request};

use super::*;
use crate::testing::Service;

const APP: [File; 2] = [
    File { path: "assets/index-1a2b.js", bytes: b"let a = 1;", brotli: Some(b"br"), gzip: Some(b"gz"), tag: "1a2b" },
    File { path: "index.html", bytes: b"<!doctype html>", brotli: None, gzip: None, tag: "77" },
];

fn ask(path: &str, headers: &[(&'static str, &str)]) -> (Response, String) {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    let response = answer(&APP, &Method::GET, path, &map);
    let kind = response.headers().get(header::CONTENT_TYPE);
    let kind = kind.map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
    (response, kind)
}

const PAGE: (&str, &str) = ("accept", "text/html,*/*;q=0.8");

#[tokio::test]
async fn addresses_of_the_app_are_its_page_and_those_of_the_api_never_are() {
    for path in ["/", "/index.html", "/t/acme/pipelines", "/t/acme/runs/1?x", "/invitation/abc", "/a.b"] {
        let (response, kind) = ask(path, &[PAGE]);
        assert_eq!((response.status().as_u16(), kind.as_str()), (200, "text/html; charset=utf-8"), "{path}");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache", "{path}");
    }
    for path in ["/v1", "/v1/nothing", "/health/x", "/docs/x", "/metrics/", "/openapi.json/", "/assets/old-9.js"] {
        let (response, kind) = ask(path, &[PAGE]);
        assert_eq!((response.status().as_u16(), kind.as_str()), (404, "application/problem+json"), "{path}");
    }
    let (program, _) = ask("/t/acme/pipelines", &[("accept", "application/json")]);
    assert_eq!(program.status().as_u16(), 404);
    let posted =
        answer(&APP, &Method::POST, "/", &HeaderMap::from_iter([(header::ACCEPT, "text/html".parse().unwrap())]));
    assert_eq!(posted.status().as_u16(), 404);
}

#[tokio::test]
async fn files_are_sent_as_small_as_the_browser_takes_them_and_once() {
    let path = "/assets/index-1a2b.js";
    let sent = async |accepted: &str| {
        let (response, kind) = ask(path, &[("accept-encoding", accepted)]);
        assert_eq!(kind, "text/javascript; charset=utf-8");
        let (parts, body) = response.into_parts();
        let coding = parts.headers.get(header::CONTENT_ENCODING).map(|one| one.to_str().unwrap().to_owned());
        let body = axum::body::to_bytes(body, 99).await.unwrap();
        (coding.unwrap_or_default(), String::from_utf8(body.to_vec()).unwrap())
    };
    assert_eq!(sent("gzip, deflate, br, zstd").await, ("br".into(), "br".into()));
    assert_eq!(sent("br;q=0, GZIP").await, ("gzip".into(), "gz".into()));
    assert_eq!(sent("identity").await, (String::new(), "let a = 1;".into()));
    let (first, _) = ask(path, &[("accept-encoding", "br")]);
    assert_eq!(first.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
    let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
    assert_eq!(tag, "\"1a2b-br\"");
    let known = format!("\"other\", W/{tag}");
    let (again, _) = ask(path, &[("accept-encoding", "br"), ("if-none-match", &known)]);
    assert_eq!((again.status().as_u16(), &again.headers()[header::ETAG]), (304, &tag.parse().unwrap()));
    let (other, _) = ask(path, &[("if-none-match", &known)]);
    assert_eq!(other.status().as_u16(), 200, "not compressed, it is something else");
}

#[tokio::test]
async fn pages_load_nothing_of_others_and_run_nothing_inline() {
    let (page, _) = ask("/", &[PAGE]);
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert!(!String::from_utf8_lossy(WITHOUT.bytes).contains("<script"));
}

#[tokio::test]
async fn the_service_has_the_page_where_nothing_else_is_with_every_header() {
    let service = Service::new().await;
    let request = Request::get("/t/acme").header("accept", "text/html").body(axum::body::Body::empty()).unwrap();
    let page = service.send(request).await;
    assert_eq!(page.status.as_u16(), 200);
    assert!(page.body.as_str().unwrap().contains("Sluice"), "{page:?}");
    for header in ["x-content-type-options", "x-frame-options", "referrer-policy", "strict-transport-security"] {
        assert!(page.headers.contains_key(header), "{header}");
    }
    assert_eq!(page.headers["cache-control"], "no-cache");
}
