//! Checks of a configuration that its schema cannot say.

use sluice_sdk::{Error, Result};

/// Refuses names (of a host, a user, a database) that are empty or hold a NUL, which ends a text on the wire. What is left out
/// is none.
///
/// # Errors
/// Names the field.
pub fn check_names(names: &[(&str, Option<&str>)]) -> Result<()> {
    for (field, name) in names {
        let what = match name {
            Some("") => "must not be empty",
            Some(name) if name.contains('\0') => "cannot hold a NUL",
            _ => continue,
        };
        return Err(Error::config(format!("`{field}` {what}")).field(format!("/{field}")));
    }
    Ok(())
}

/// Refuses half of a client certificate.
///
/// # Errors
/// Names the field.
pub fn check_client_certificate(certificate: Option<&str>, key: Option<&str>) -> Result<()> {
    if certificate.is_some() == key.is_some() {
        return Ok(());
    }
    let message = "a client certificate needs its key, and the key its certificate";
    Err(Error::config(message).field("/client_certificate"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_empty_or_cannot_be_sent_is_refused_by_its_field() {
        check_names(&[("host", Some("db")), ("database", None)]).unwrap();
        for (name, what) in [("", "empty"), ("a\0b", "NUL")] {
            let error = check_names(&[("host", Some("db")), ("user", Some(name))]).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("/user"));
            assert!(error.message.contains(what), "{error}");
        }
    }

    #[test]
    fn a_client_certificate_comes_with_its_key() {
        check_client_certificate(None, None).unwrap();
        check_client_certificate(Some("c"), Some("k")).unwrap();
        assert!(
            check_client_certificate(Some("c"), None).is_err() && check_client_certificate(None, Some("k")).is_err()
        );
    }
}
