//! What a user configures.

use serde::Deserialize;
use sluice_sdk::{Config, Error, Result};
use sluice_sql::config::{check_client_certificate, check_names};

/// Configuration of a PostgreSQL connection.
#[derive(Clone, Debug, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub struct PostgresConfig {
    /// Host name or address of the server.
    #[config(title = "Host", example = "db.example.com")]
    pub host: String,
    /// Port of the server.
    #[serde(default = "default_port")]
    #[config(title = "Port", default = 5432, minimum = 1, maximum = 65535)]
    pub port: u16,
    /// The database to read from.
    #[config(title = "Database", example = "shop")]
    pub database: String,
    /// The role to log in as.
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
    /// Whether the login must be bound to the TLS channel, so that nobody can sit in between.
    #[serde(default)]
    #[config(title = "Channel binding", default = "prefer", group = "TLS")]
    pub channel_binding: ChannelBindingMode,
    /// Sends the password in clear text over an unencrypted connection if the server asks for that.
    #[serde(default)]
    #[config(title = "Allow clear-text password", default = false, group = "TLS")]
    pub allow_cleartext_password: bool,

    /// Name under which the sessions show in `pg_stat_activity`.
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

    /// What becomes of `NaN` and infinity in a column of type `numeric(p,s)`, whose Arrow type has no such values.
    #[serde(default)]
    #[config(title = "NaN in decimals", default = "fail", group = "Values")]
    pub numeric_special: NumericSpecial,
    /// What becomes of `infinity` and `-infinity` in dates and timestamps.
    #[serde(default)]
    #[config(title = "Infinite dates", default = "clamp", group = "Values")]
    pub infinity: InfinityPolicy,
    /// How arrays arrive.
    #[serde(default)]
    #[config(title = "Arrays", default = "list", group = "Values")]
    pub arrays: ArrayPolicy,

    /// Seconds that an incremental read stays behind the server's clock, for rows whose timestamp was taken some time
    /// before they were written. Only for cursor columns with a time.
    #[serde(default = "default_cursor_lag")]
    #[config(title = "Cursor lag (seconds)", default = 5, maximum = 31536000, group = "Incremental reads")]
    pub cursor_lag_seconds: u32,
    /// What happens to the rows with the newest cursor value where that value may come again.
    #[serde(default)]
    #[config(title = "Ties", default = "hold-back", group = "Incremental reads")]
    pub ties: Ties,
    /// Seconds to wait for transactions that are writing to the table when an incremental read is planned, so that none of
    /// their rows appears below the cursor later; 0 does not wait.
    #[serde(default = "default_writer_wait")]
    #[config(title = "Wait for writers (seconds)", default = 60, maximum = 86400, group = "Incremental reads")]
    pub writer_wait_seconds: u32,
}

/// Whether the connection is encrypted, and how far the certificate is checked: libpq's `sslmode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Config)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// Never.
    Disable,
    /// Only if the server refuses an unencrypted connection.
    Allow,
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

/// Whether the login must be bound to the TLS channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Config)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelBindingMode {
    /// Never.
    Disable,
    /// If the server offers it.
    #[default]
    Prefer,
    /// Always; a login without it fails.
    Require,
}

/// What becomes of NaN and infinity in a decimal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Config)]
#[serde(rename_all = "kebab-case")]
pub enum NumericSpecial {
    /// The read fails and names the column.
    #[default]
    Fail,
    /// The value becomes NULL; the log counts how many.
    Null,
}

/// What becomes of infinite dates and timestamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Config)]
#[serde(rename_all = "kebab-case")]
pub enum InfinityPolicy {
    /// The last or first moment that every sink can store: 9999-12-31 23:59:59.999999 or 0001-01-01 00:00:00. Comparisons
    /// go on to mean what they meant.
    #[default]
    Clamp,
    /// The value becomes NULL; the log counts how many.
    Null,
    /// The read fails and names the column.
    Fail,
}

/// How arrays arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Config)]
#[serde(rename_all = "kebab-case")]
pub enum ArrayPolicy {
    /// As Arrow lists, except columns declared with more than one dimension, which arrive as JSON.
    #[default]
    List,
    /// All as JSON text, of any number of dimensions.
    Json,
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
    5432
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

impl PostgresConfig {
    /// Checks what the schema cannot say.
    pub(crate) fn validate(&self) -> Result<()> {
        check_names(&[("host", Some(&self.host)), ("database", Some(&self.database)), ("user", Some(&self.user))])?;
        check_client_certificate(self.client_certificate.as_deref(), self.client_key.as_deref())?;
        if self.channel_binding == ChannelBindingMode::Require
            && matches!(self.tls, TlsMode::Disable | TlsMode::Allow | TlsMode::Prefer)
        {
            let message = "channel binding can only be required of a connection that is always encrypted: set `tls` to require or more";
            return Err(Error::config(message).field("/channel_binding"));
        }
        Ok(())
    }
}
