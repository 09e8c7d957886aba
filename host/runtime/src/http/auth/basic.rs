//! HTTP basic authentication.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use sluice_core::RunError;

use super::field;
use super::header::Fixed;

pub(super) fn make(config: &serde_json::Value, username: &str, password: &str) -> Result<Option<Fixed>, RunError> {
    let Some(name) = field::text(config, username)? else { return Ok(None) };
    if name.contains(':') {
        return Err(RunError::config(format!("/{username}"), "a user name for HTTP cannot hold a colon"));
    }
    let secret = field::text(config, password)?.unwrap_or_default();
    let encoded = STANDARD.encode(format!("{name}:{secret}"));
    let value = field::header(password, &format!("Basic {encoded}"))?;
    Ok(Some(Fixed::new(AUTHORIZATION, value)))
}
