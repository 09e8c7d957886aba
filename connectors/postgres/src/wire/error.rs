//! What the server says went wrong, and what that means for whoever has to act.

use sluice_sdk::{Error, ErrorKind};

/// Either the server refused something, and the connection goes on, or the connection itself failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Server(Box<ServerError>),
    Other(Error),
}

/// An `ErrorResponse` or `NoticeResponse`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerError {
    /// SQLSTATE.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) detail: String,
    pub(crate) hint: String,
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        Self::Server(Box::new(error))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Server(error) => error.explain(),
            Failure::Other(error) => error,
        }
    }
}

impl Failure {
    /// SQLSTATE, if it was the server that refused.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Server(error) => Some(&error.code),
            Self::Other(_) => None,
        }
    }
}

impl ServerError {
    /// Reads the fields; what is malformed is left out, because an error must be shown whatever it looks like.
    pub(crate) fn parse(body: &[u8]) -> Self {
        let mut error = Self::default();
        for field in body.split(|b| *b == 0) {
            let Some((kind, text)) = field.split_first() else { continue };
            let text = || String::from_utf8_lossy(text.get(..2048).unwrap_or(text)).into_owned();
            match kind {
                b'C' => error.code = text(),
                b'M' => error.message = text(),
                b'D' => error.detail = text(),
                b'H' => error.hint = text(),
                _ => {}
            }
        }
        error
    }

    /// The server's own words.
    pub(crate) fn words(&self) -> String {
        let mut words = format!("{} (SQLSTATE {})", self.message, self.code);
        for more in [&self.detail, &self.hint] {
            if !more.is_empty() {
                words.push_str(". ");
                words.push_str(more.trim_end_matches('.'));
            }
        }
        words
    }

    /// The error as Sluice knows it: who must act, and what they can do.
    pub(crate) fn explain(&self) -> Error {
        let (kind, remedy, field) = meaning(&self.code, &self.message);
        let message = if remedy.is_empty() { self.words() } else { format!("{}. {remedy}", self.words()) };
        let error = Error::new(kind, message);
        match field {
            Some(field) => error.field(field),
            None => error,
        }
    }
}

/// What a SQLSTATE means: the kind of error, what to do, and the field of the configuration to blame.
fn meaning(code: &str, message: &str) -> (ErrorKind, &'static str, Option<&'static str>) {
    use ErrorKind::{Auth, Config, Internal, NotFound, Permission, Protocol, Transient, Unsupported};
    let class = code.get(..2).unwrap_or_default();
    match (class, code) {
        (_, "28P01") => (Auth, "Check user and password", Some("/password")),
        (_, "28000") if message.contains("no encryption") || message.contains("SSL off") => {
            (Auth, "The server wants TLS for this user: set `tls` to require or more", Some("/tls"))
        }
        (_, "28000") if message.contains("pg_hba.conf") => {
            (Auth, "An administrator must add a line for this user, database and address to pg_hba.conf", Some("/user"))
        }
        ("28", _) => (Auth, "Check user and password, and that the role may log in", Some("/user")),
        (_, "3D000") => (Config, "Check the name of the database", Some("/database")),
        (_, "42501") if message.contains("database") => {
            (Permission, "An administrator can run: GRANT CONNECT ON DATABASE … TO this user", Some("/database"))
        }
        (_, "42501") if message.contains("schema") => {
            (Permission, "The owner can run: GRANT USAGE ON SCHEMA … TO this user", None)
        }
        (_, "42501") => (Permission, "The owner can run: GRANT SELECT ON … TO this user", None),
        (_, "42P01" | "3F000") => {
            (NotFound, "The table is gone or renamed; discover again and choose it anew, or remove it", None)
        }
        (_, "42703") => {
            (NotFound, "The column is gone or renamed; discover again, or take it out of the selection or filter", None)
        }
        (_, "53300") => (Transient, "Raise max_connections, close idle sessions, or read fewer splits at once", None),
        (_, "57014") if message.contains("statement timeout") => (
            Unsupported,
            "Raise `statement_timeout_seconds`, or the role's statement_timeout",
            Some("/statement_timeout_seconds"),
        ),
        (_, "55P03") => (Transient, "Another session holds a lock that excludes readers; it must end first", None),
        (_, "25P03" | "25P04" | "57P05") => {
            (Transient, "The server ended an idle session; raise its idle timeouts for this role", None)
        }
        (_, "58P01" | "58P02" | "58030") => {
            (Transient, "The server has trouble with its files; its log says more", None)
        }
        (_, "22023" | "22P02" | "22007" | "42601" | "42883" | "42804" | "42846") => (
            Config,
            "If the stream has a filter, check it: it must be a boolean SQL expression over the stream's columns",
            None,
        ),
        ("40" | "53" | "57" | "08", _) => (Transient, "", None),
        ("0A", _) => (Unsupported, "", None),
        ("XX", _) => (Internal, "This is a fault of the server; its log says more", None),
        ("22" | "42", _) => (Config, "", None),
        _ => (Protocol, "", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str, message: &str) -> Error {
        let body = format!("SFATAL\0C{code}\0M{message}\0\0");
        ServerError::parse(body.as_bytes()).explain()
    }

    #[test]
    fn a_wrong_password_blames_the_field() {
        let error = error("28P01", "password authentication failed for user \"u\"");
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Auth, Some("/password")));
        assert!(error.message.contains("Check user and password"), "{error}");
    }

    #[test]
    fn a_missing_right_names_the_grant() {
        let error = error("42501", "permission denied for schema private");
        assert_eq!(error.kind, ErrorKind::Permission);
        assert!(error.message.contains("GRANT USAGE ON SCHEMA"), "{error}");
    }

    #[test]
    fn only_what_passes_is_tried_again() {
        for code in ["53300", "40001", "40P01", "57P01", "57P03", "08006", "55P03"] {
            assert_eq!(error(code, "").kind, ErrorKind::Transient, "{code}");
        }
        for (code, kind) in
            [("3D000", ErrorKind::Config), ("42P01", ErrorKind::NotFound), ("42703", ErrorKind::NotFound)]
        {
            assert_eq!(error(code, "").kind, kind, "{code}");
        }
        assert_eq!(error("57014", "canceling statement due to statement timeout").kind, ErrorKind::Unsupported);
    }

    #[test]
    fn a_malformed_error_is_still_an_error() {
        assert_eq!(ServerError::parse(b"").message, "");
        assert_eq!(ServerError::parse(b"M\xff\xfe").message, "\u{fffd}\u{fffd}");
    }
}
