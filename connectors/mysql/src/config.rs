//! What a user configures.

use serde::Deserialize;
use sluice_sdk::{Config, Error, Result};
use sluice_sql::config::{check_client_certificate, check_names};

/// Configuration of a MySQL or MariaDB connection.
#[derive(Clone, Debug, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub struct MysqlConfig {
    /// Host name or address of the server.
    #[config(title = "Host", example = "db.example.com")]
    pub host: String,
    /// Port of the server.
    #[serde(default = "default_port")]
    #[config(title = "Port", default = 3306, minimum = 1, maximum = 65535)]
    pub port: u16,
    /// The database whose tables are listed; without it, all that the user may read.
    #[config(title = "Database", example = "shop")]
    pub database: Option<String>,
    /// The user to log in as.
    #[config(title = "User", example = "sluice")]
    pub user: String,
    /// Its password; leave it out where the server wants none.
    #[config(title = "Password", secret)]
    pub password: Option<String>,

    /// Whether the connection is encrypted, and how far the server's certificate is checked.
    #[serde(default)]
    #[config(title = "TLS mode", default = "prefer", group = "TLS")]
    pub tls: TlsMode,
    /// Certificates of the authorities to trust, PEM; without it those of the host's system are trusted.
    #[config(title = "Authorities", multiline, group = "TLS")]
    pub tls_ca: Option<String>,
    /// The name that the server's certificate must have, where it differs from the host.
    #[config(title = "Server name", group = "TLS")]
    pub tls_server_name: Option<String>,
    /// The client's certificate chain, PEM, where the server asks for one.
    #[config(title = "Client certificate", multiline, group = "TLS")]
    pub client_certificate: Option<String>,
    /// The client certificate's key, PEM.
    #[config(title = "Client key", multiline, secret, group = "TLS")]
    pub client_key: Option<String>,
    /// The server's RSA key (public_key.pem), with which the password is encrypted where there is no TLS.
    #[config(title = "Server's public key", multiline, group = "TLS")]
    pub server_public_key: Option<String>,
    /// Lets the server send its RSA key over an unencrypted connection. Somebody in between could send another one and read
    /// the password.
    #[serde(default)]
    #[config(title = "Allow public key retrieval", default = false, group = "TLS")]
    pub allow_public_key_retrieval: bool,
    /// Sends the password in clear text inside TLS if the server asks for that (PAM, LDAP, tokens).
    #[serde(default)]
    #[config(title = "Allow clear-text password", default = false, group = "TLS")]
    pub allow_cleartext_password: bool,

    /// Name under which the sessions show in `performance_schema.session_connect_attrs`.
    #[serde(default = "default_application_name")]
    #[config(title = "Application name", default = "sluice", group = "Session")]
    pub application_name: String,
    /// Seconds after which the server ends a statement; 0 leaves the server's own setting.
    #[serde(default)]
    #[config(title = "Statement timeout (seconds)", default = 0, maximum = 2000000, group = "Session")]
    pub statement_timeout_seconds: u32,
    /// Seconds to wait for a table that another session has locked.
    #[serde(default = "default_lock_timeout")]
    #[config(title = "Lock timeout (seconds)", default = 30, minimum = 1, maximum = 2000000, group = "Session")]
    pub lock_timeout_seconds: u32,

    /// How a large table that is read in full may be cut into splits. MySQL has no snapshot that several sessions can share.
    #[serde(default)]
    #[config(title = "Splits of full reads", default = "none", group = "Full reads")]
    pub splits: Splits,

    /// How `tinyint(1)` arrives.
    #[serde(default)]
    #[config(title = "tinyint(1)", default = "integer", group = "Values")]
    pub tinyint1: Tinyint1,
    /// What becomes of dates that are none: 0000-00-00, 2024-00-00, 2024-02-30.
    #[serde(default)]
    #[config(title = "Zero dates", default = "null", group = "Values")]
    pub zero_dates: ZeroDates,
    /// How `time` arrives, which can be negative and longer than a day.
    #[serde(default)]
    #[config(title = "Times", default = "text", group = "Values")]
    pub times: Times,
    /// How geometries arrive.
    #[serde(default)]
    #[config(title = "Geometries", default = "wkb", group = "Values")]
    pub geometries: Geometries,

    /// Seconds that an incremental read stays behind the server's clock, for rows whose timestamp was taken some time
    /// before they were written. Only for cursor columns with a time.
    #[serde(default = "default_cursor_lag")]
    #[config(title = "Cursor lag (seconds)", default = 5, maximum = 31536000, group = "Incremental reads")]
    pub cursor_lag_seconds: u32,
    /// What happens to the rows with the newest cursor value where that value may come again.
    #[serde(default)]
    #[config(title = "Ties", default = "hold-back", group = "Incremental reads")]
    pub ties: Ties,
    /// Seconds to wait for transactions that are writing when an incremental read is planned, so that none of their rows
    /// appears below the cursor later; 0 does not wait. Seeing them needs the privilege PROCESS.
    #[serde(default = "default_writer_wait")]
    #[config(title = "Wait for writers (seconds)", default = 60, maximum = 86400, group = "Incremental reads")]
    pub writer_wait_seconds: u32,
}

/// Whether the connection is encrypted, and how far the certificate is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Config)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// Never.
    Disable,
    /// If the server can; protects against nobody who is able to change what is sent.
    #[default]
    Prefer,
    /// Always; the certificate is checked only if authorities are given.
    Require,
    /// Always, and the certificate must come from a trusted authority.
    VerifyCa,
    /// Always, and the certificate must also be valid for the server's name.
    VerifyFull,
}

/// How a table that is read in full may be cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Config)]
#[serde(rename_all = "kebab-case")]
pub enum Splits {
    /// Not at all: one split, one consistent snapshot.
    #[default]
    None,
    /// By ranges of the primary key, while all tables that are read in full are locked against writers (`LOCK TABLES … READ`) until
    /// they have been read.
    Locked,
    /// By ranges of the primary key, each read in a snapshot of its own, seconds or hours apart.
    Drifting,
}

/// How `tinyint(1)` arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Config)]
#[serde(rename_all = "kebab-case")]
pub enum Tinyint1 {
    /// As the integer that it is.
    #[default]
    Integer,
    /// As a truth value; a value other than 0 and 1 fails the read and names the column.
    Boolean,
}

/// What becomes of dates that are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Config)]
#[serde(rename_all = "kebab-case")]
pub enum ZeroDates {
    /// The value becomes NULL; the log counts how many.
    #[default]
    Null,
    /// The read fails and names the column.
    Fail,
}

/// How `time` arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Config)]
#[serde(rename_all = "kebab-case")]
pub enum Times {
    /// As text, such as `-838:59:59.000000`.
    #[default]
    Text,
    /// As a time of day; a value that is none fails the read and names the column.
    TimeOfDay,
}

/// How geometries arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Config)]
#[serde(rename_all = "kebab-case")]
pub enum Geometries {
    /// As well-known binary, exactly as stored.
    #[default]
    Wkb,
    /// As well-known text.
    Wkt,
}

/// What happens to the rows with the newest cursor value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Config)]
#[serde(rename_all = "kebab-case")]
pub enum Ties {
    /// They wait for a later run unless the column is unique or its period of time is over.
    #[default]
    HoldBack,
    /// They are read; rows that get the same value later are never read.
    Include,
}

fn default_port() -> u16 {
    3306
}

fn default_application_name() -> String {
    "sluice".to_owned()
}

fn default_lock_timeout() -> u32 {
    30
}

fn default_cursor_lag() -> u32 {
    5
}

fn default_writer_wait() -> u32 {
    60
}

impl MysqlConfig {
    /// Checks what the schema cannot say.
    pub(crate) fn validate(&self) -> Result<()> {
        check_names(&[("host", Some(&self.host)), ("user", Some(&self.user)), ("database", self.database.as_deref())])?;
        if self.password.as_ref().is_some_and(|password| password.contains('\0')) {
            return Err(Error::config("a password cannot hold a NUL").field("/password"));
        }
        check_client_certificate(self.client_certificate.as_deref(), self.client_key.as_deref())
    }
}
