//! A header that is the same for every request.

use http::{HeaderName, HeaderValue};
use sluice_core::RunError;

use super::super::request::is_hop_by_hop;
use super::{Outgoing, field};

/// A header, made once.
pub(super) struct Fixed {
    name: HeaderName,
    value: HeaderValue,
}

impl Fixed {
    pub(super) fn new(name: HeaderName, value: HeaderValue) -> Self {
        Self { name, value }
    }

    pub(super) fn name(&self) -> &HeaderName {
        &self.name
    }

    pub(super) fn apply(&self, request: &mut Outgoing<'_>) {
        request.parts.headers.insert(self.name.clone(), self.value.clone());
    }
}

/// A header of the API's own, whose value is configured.
pub(super) fn make(config: &serde_json::Value, name: &str, value: &str) -> Result<Option<Fixed>, RunError> {
    let parsed = HeaderName::from_bytes(name.as_bytes()).ok().filter(|name| !is_hop_by_hop(name));
    let parsed = parsed.ok_or_else(|| {
        RunError::config("auth", format!("the manifest names {name:?}, which is no header it can set"))
    })?;
    let Some(text) = field::text(config, value)? else { return Ok(None) };
    Ok(Some(Fixed::new(parsed, field::header(value, text)?)))
}
