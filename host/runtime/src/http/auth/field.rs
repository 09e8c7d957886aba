//! Reading credentials out of a configuration. No error repeats what it read.

use http::HeaderValue;
use sluice_core::RunError;

/// A configured text, if there is one.
pub(super) fn text<'a>(config: &'a serde_json::Value, name: &str) -> Result<Option<&'a str>, RunError> {
    match config.get(name) {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(serde_json::Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(RunError::config(format!("/{name}"), "a credential must be a text")),
    }
}

/// A configured text without white space, as ids and keys are; a copied one often ends with a line break.
pub(super) fn word<'a>(config: &'a serde_json::Value, name: &str) -> Result<Option<&'a str>, RunError> {
    let Some(text) = text(config, name)? else { return Ok(None) };
    if text.is_empty() {
        let message = "the credential is empty; leave the field out to connect without credentials";
        return Err(RunError::config(format!("/{name}"), message));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = "the credential holds white space, a line break or a character that is not ASCII";
        return Err(RunError::config(format!("/{name}"), message));
    }
    Ok(Some(text))
}

/// [`word`] that another field makes necessary.
pub(super) fn needed<'a>(config: &'a serde_json::Value, name: &str, other: &str) -> Result<&'a str, RunError> {
    word(config, name)?.ok_or_else(|| {
        RunError::config(format!("/{name}"), format!("{other} is configured and {name} is not; it needs both"))
    })
}

/// A header value that is never shown.
pub(super) fn header(name: &str, text: &str) -> Result<HeaderValue, RunError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        RunError::config(
            format!("/{name}"),
            "the credential holds a character that HTTP headers cannot carry, e.g. a line break",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}
