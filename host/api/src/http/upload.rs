//! Bodies that are files: their bytes as they are, of one type.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};

use super::problem::{Problem, Slug};

/// A file that is sent.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'a> {
    /// Its media type.
    pub kind: &'a str,
    /// What is to be sent, in words: `the component's bytes`.
    pub what: &'a str,
    /// What is said of one that is too large.
    pub too_large: &'a str,
}

impl Upload<'_> {
    /// The file.
    ///
    /// # Errors
    /// If it is said to be of another type, too large, empty, or breaks off.
    pub fn read(&self, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Bytes, Problem> {
        let Self { kind, what, too_large } = self;
        let sent = headers.get(header::CONTENT_TYPE).and_then(|sent| sent.to_str().ok()).unwrap_or_default();
        if sent.split(';').next().unwrap_or_default().trim() != *kind {
            return Err(Problem::new(Slug::UnsupportedMediaType, format!("send {what}, with Content-Type: {kind}")));
        }
        let bytes = body.map_err(|rejected| match rejected.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Slug::TooLarge, (*too_large).to_owned()),
            _ => Problem::field("body", "it cannot be read to its end"),
        })?;
        if bytes.is_empty() {
            return Err(Problem::field("body", format!("it is empty; send {what}")));
        }
        Ok(bytes)
    }
}
