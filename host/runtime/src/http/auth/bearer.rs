//! `Authorization: Bearer …`.

use http::header::AUTHORIZATION;
use sluice_core::RunError;

use super::field;
use super::header::Fixed;

pub(super) fn make(config: &serde_json::Value, token: &str) -> Result<Option<Fixed>, RunError> {
    let Some(secret) = field::text(config, token)? else { return Ok(None) };
    let value = field::header(token, &format!("Bearer {secret}"))?;
    Ok(Some(Fixed::new(AUTHORIZATION, value)))
}
