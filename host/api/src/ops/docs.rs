//! `GET /docs`: a page that lists the operations and sends requests. One file of our own, which loads nothing but `/openapi.json`.

use axum::http::header;
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::http::problem::ProblemBody;

const PAGE: &str = include_str!("docs.html");

/// The operations, to read and to try
#[utoipa::path(
    get, path = "/docs", tag = "operation", operation_id = "docs",
    responses(
        (status = 200, description = "A page for people", body = String, content_type = "text/html"),
        (status = "4XX", body = ProblemBody)
    )
)]
pub(super) async fn docs() -> impl IntoResponse {
    let headers =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()), (header::CONTENT_SECURITY_POLICY, policy())];
    (headers, PAGE)
}

/// Only the page's own script and style run, and only this service is asked.
fn policy() -> String {
    let (script, style) = (digest("<script>", "</script>"), digest("<style>", "</style>"));
    format!(
        "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
}

fn digest(from: &str, to: &str) -> String {
    let part = PAGE.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map_or("", |(part, _)| part);
    STANDARD.encode(Sha256::digest(part.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_runs_its_own_script_and_loads_nothing_of_others() {
        assert_eq!((PAGE.matches("<script").count(), PAGE.matches("<style").count()), (1, 1));
        assert_ne!(digest("<script>", "</script>"), STANDARD.encode(Sha256::digest(b"")));
        for foreign in ["http:", "https:", "src=", "@import", "url(", " style=", "onclick", "innerHTML", "eval("] {
            assert!(!PAGE.contains(foreign), "{foreign}");
        }
        assert!(!policy().contains("unsafe"), "{}", policy());
    }
}
