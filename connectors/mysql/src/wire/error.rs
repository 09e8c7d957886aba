//! What the server says went wrong, and what that means for whoever has to act.

use sluice_sdk::{Error, ErrorKind};

use super::read::Bytes;

/// Either the server refused something, and the connection goes on, or the connection itself failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Server(Box<ServerError>),
    Other(Error),
}

/// An error packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerError {
    /// The server's own number, which says more than the SQLSTATE.
    pub(crate) code: u16,
    pub(crate) message: String,
    /// What else may be the reason.
    pub(crate) hint: &'static str,
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
    /// The server's number, if it was the server that refused.
    pub(crate) fn code(&self) -> Option<u16> {
        match self {
            Self::Server(error) => Some(error.code),
            Self::Other(_) => None,
        }
    }
}

impl ServerError {
    /// Takes the packet apart; what is malformed is left out, because an error must be shown whatever it looks like.
    pub(crate) fn parse(body: &[u8]) -> Self {
        let mut bytes = Bytes(body.get(1..).unwrap_or_default());
        let code = bytes.u16().unwrap_or_default();
        // The SQLSTATE, which is not there before the handshake is complete.
        if bytes.0.first() == Some(&b'#') {
            bytes.take(6);
        }
        let text = bytes.0.get(..2048).unwrap_or(bytes.0);
        Self { code, message: String::from_utf8_lossy(text).trim_end_matches('\0').to_owned(), hint: "" }
    }

    /// The server's own words.
    pub(crate) fn words(&self) -> String {
        format!("{} (error {})", self.message.trim_end_matches('.'), self.code)
    }

    /// The error as Sluice knows it: who must act, and what they can do.
    pub(crate) fn explain(&self) -> Error {
        let (kind, remedy, field) = meaning(self.code);
        let mut message = self.words();
        for more in [remedy, self.hint] {
            if !more.is_empty() {
                message.push_str(". ");
                message.push_str(more);
            }
        }
        let error = Error::new(kind, message);
        match field {
            Some(field) => error.field(field),
            None => error,
        }
    }
}

/// What a number means: the kind of error, what to do, and the field of the configuration to blame. MySQL's and MariaDB's numbers
/// agree below 1900; beyond that each has its own, and no two of those listed here collide.
fn meaning(code: u16) -> (ErrorKind, &'static str, Option<&'static str>) {
    use ErrorKind::{Auth, Config, NotFound, Permission, Protocol, RateLimited, Transient, Unsupported};
    match code {
        1045 | 1698 => (
            Auth,
            "Check user and password, and that the user may come from this address (CREATE USER … @'%')",
            Some("/password"),
        ),
        1130 => (Auth, "An administrator must let the user come from this address: CREATE USER … @'%'", Some("/user")),
        1820 | 1862 => (
            Auth,
            "The password has expired; an administrator can run: ALTER USER … IDENTIFIED BY …",
            Some("/password"),
        ),
        3118 | 4151 => (Auth, "An administrator can run: ALTER USER … ACCOUNT UNLOCK", Some("/user")),
        1251 | 1275 | 1524 => {
            (Auth, "An administrator must give the user a login method that this server has", Some("/user"))
        }
        3159 => (Auth, "The server wants TLS: set `tls` to require or more", Some("/tls")),
        1129 => (
            Permission,
            "After too many failed connections the server blocks this address; an administrator can run: FLUSH HOSTS",
            None,
        ),
        1044 => (Permission, "An administrator can run: GRANT SELECT ON database.* TO the user", Some("/database")),
        1142 | 1143 | 1370 => (Permission, "An administrator can run: GRANT SELECT ON … TO the user", None),
        1227 => (Permission, "An administrator must grant the privilege that is named", None),
        1356 => {
            (Permission, "The view's definer may not read its tables any more, or they are gone; repair the view", None)
        }
        1049 => (Config, "Check the name of the database", Some("/database")),
        1146 | 1051 | 1109 => {
            (NotFound, "The table is gone or renamed; discover again and choose it anew, or remove it", None)
        }
        1054 => {
            (NotFound, "The column is gone or renamed; discover again, or take it out of the selection or filter", None)
        }
        1040 => (Transient, "Raise max_connections, close idle sessions, or read fewer splits at once", None),
        1203 | 1226 => (
            RateLimited,
            "The user has a limit of connections or queries; raise it, or read fewer splits at once",
            None,
        ),
        1969 | 3024 => (
            Unsupported,
            "Raise `statement_timeout_seconds`, or the server's own limit",
            Some("/statement_timeout_seconds"),
        ),
        1205 => (
            Transient,
            "Another session holds a lock on the table; it must end first, or raise `lock_timeout_seconds`",
            Some("/lock_timeout_seconds"),
        ),
        1412 => (Transient, "The table was changed after the read began; the next run sees it as it is then", None),
        1053 | 1077 | 1152 | 1158..=1161 | 1184 | 1213 | 1317 | 1615 | 1927 | 3168 | 4031 => (Transient, "", None),
        1021 | 1037 | 1038 | 1041 | 1114 | 1135 => {
            (Transient, "The server is short of memory, disk or threads; its log says more", None)
        }
        1046 | 1064 | 1111 | 1221 | 1241 | 1267 | 1271 | 1305 | 1582 | 1630 | 1690 | 1792 | 3548 => (
            Config,
            "If the stream has a filter, check it: it must be a boolean SQL expression over the stream's columns",
            None,
        ),
        1153 => (Unsupported, "Raise the server's max_allowed_packet", None),
        1194 | 1195 | 1034 | 1035 => (Unsupported, "The table is damaged: REPAIR TABLE, or restore it", None),
        1235 | 1286 | 1289 => (Unsupported, "", None),
        _ => (Protocol, "", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: u16, message: &str) -> Error {
        let mut body = vec![0xff];
        body.extend_from_slice(&code.to_le_bytes());
        body.extend_from_slice(b"#HY000");
        body.extend_from_slice(message.as_bytes());
        ServerError::parse(&body).explain()
    }

    #[test]
    fn a_wrong_password_blames_the_field() {
        let error = error(1045, "Access denied for user 'u'@'h' (using password: YES)");
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Auth, Some("/password")));
        assert!(
            error.message.starts_with("Access denied for user 'u'@'h' (using password: YES) (error 1045). Check user"),
            "{error}"
        );
    }

    #[test]
    fn only_what_passes_is_tried_again() {
        for code in [1040, 1205, 1213, 1317, 1053, 1927, 4031, 1412] {
            assert_eq!(error(code, "").kind, ErrorKind::Transient, "{code}");
        }
        for (code, kind) in [
            (1049, ErrorKind::Config),
            (1146, ErrorKind::NotFound),
            (1054, ErrorKind::NotFound),
            (1142, ErrorKind::Permission),
            (3024, ErrorKind::Unsupported),
            (1969, ErrorKind::Unsupported),
        ] {
            assert_eq!(error(code, "").kind, kind, "{code}");
        }
    }

    #[test]
    fn a_malformed_error_is_still_an_error() {
        assert_eq!(ServerError::parse(b"").message, "");
        assert_eq!(ServerError::parse(b"\xff\x10").code, 0);
        // Before the handshake there is no SQLSTATE.
        let early = ServerError::parse(b"\xff\x10\x04Too many connections");
        assert_eq!((early.code, early.message.as_str()), (1040, "Too many connections"));
    }
}
