//! The cookie that the browser keeps while the person is at the provider.

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sluice_core::RunError;

use super::Errand;
use crate::auth::cookie::ERRAND;

/// How long a person may take, seconds.
const LASTS: i64 = 600;

/// Longest cookie that is read, bytes.
const LONGEST: usize = 2_048;

/// Sets it.
pub(super) fn keep(errand: &Errand) -> Result<HeaderValue, RunError> {
    let text = serde_json::to_vec(errand).map_err(|e| RunError::internal(e.to_string()))?;
    let cookie = ERRAND.set(&URL_SAFE_NO_PAD.encode(text), LASTS);
    cookie.ok_or_else(|| RunError::internal("an errand does not fit into a cookie"))
}

/// What the browser has kept.
pub(super) fn kept(headers: &HeaderMap) -> Option<Errand> {
    let text = ERRAND.read(headers).filter(|text| text.len() <= LONGEST)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}
