//! The web app: files that were built before the binary was, and are part of it. Whatever address is none of the API's and none of a file
//! is the app's own, which decides in the browser what it shows there.
//!
//! The files know nothing of tenants or people; everything that they show comes from the API.

mod choose;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::http::problem::Problem;
use choose::Coding;

/// A file of the app.
#[derive(Clone, Copy, Debug)]
struct File {
    /// Below the app's folder, without a slash in front.
    path: &'static str,
    bytes: &'static [u8],
    /// The same, compressed.
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
    /// Says which content it is.
    tag: &'static str,
}

static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/web_files.rs"));

/// What a binary shows that was built without the app.
const WITHOUT: File =
    File { path: "without.html", bytes: include_bytes!("without.html"), brotli: None, gzip: None, tag: "without" };

/// Only files of this service are loaded, only this service is asked, and nothing may frame the app. `data:` is for connectors' icons,
/// which are shown as images: nothing in them runs.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
     manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

/// What the app needs of a browser's devices: nothing.
const DEVICES: HeaderValue =
    HeaderValue::from_static("camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()");

/// First steps of addresses that are the API's or its operator's, and never the app's.
const RESERVED: [&str; 6] = ["v1", "health", "ready", "metrics", "openapi.json", "docs"];

/// What is at an address that no operation has.
pub(crate) async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    answer(FILES, &method, uri.path(), &headers)
}

fn answer(files: &[File], method: &Method, path: &str, headers: &HeaderMap) -> Response {
    let path = path.trim_start_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    if ![Method::GET, Method::HEAD].contains(method) || RESERVED.contains(&first) {
        return Problem::not_found("address").into_response();
    }
    let named = |path: &str| files.iter().find(|file| file.path == path);
    if let Some(file) = named(path).filter(|file| file.path != "index.html") {
        return sent(file, headers);
    }
    // Only who asks for a page gets one: a program that mistypes an address is told so, and so is a page of an older version that
    // asks for a file of its own.
    let page = headers.get(header::ACCEPT).and_then(|kinds| kinds.to_str().ok());
    if first == "assets" || !page.is_some_and(|kinds| kinds.contains("text/html")) {
        return Problem::not_found("address").into_response();
    }
    sent(named("index.html").unwrap_or(&WITHOUT), headers)
}

/// A file, or that the browser has it already.
fn sent(file: &File, asked: &HeaderMap) -> Response {
    let coding = choose::coding(asked, file.brotli.is_some(), file.gzip.is_some());
    let (bytes, suffix) = match coding {
        Coding::Brotli => (file.brotli.unwrap_or(file.bytes), "-br"),
        Coding::Gzip => (file.gzip.unwrap_or(file.bytes), "-gz"),
        Coding::Identity => (file.bytes, ""),
    };
    let tag = format!("\"{}{suffix}\"", file.tag);
    let cache = match file.path.starts_with("assets/") {
        // Their names change with their content.
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let mut response = if choose::is_known(asked, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = bytes.into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(file.path)));
        if let Some(name) = coding.name() {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(HeaderName::from_static("permissions-policy"), DEVICES);
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// The media type of a file, by its name.
fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
