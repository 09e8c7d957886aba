//! Secrets that Google Secret Manager keeps.

use clap::Args;

/// Secrets that Google Secret Manager keeps.
#[derive(Debug, Args)]
#[command(next_help_heading = "Secrets kept elsewhere")]
pub(crate) struct SecretManagerArgs {
    /// Secrets of Google Secret Manager that a tenant's connections may refer to, read with the service's Google identity: the tenant's
    /// id or * for all; a secret, or PREFIX*, {tenant} in it being the tenant's id (repeat for several)
    #[arg(long, env = "SLUICE_SECRET_MANAGER", value_name = "TENANT=PROJECT[/SECRET]", value_delimiter = ',')]
    pub(crate) secret_manager: Vec<String>,
    /// How long a secret that was read is used before it is read again, seconds
    #[arg(long, env = "SLUICE_SECRET_MANAGER_KEEP", value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub(crate) secret_manager_keep: u64,
    /// Another address of Secret Manager's API, reached without credentials (a double)
    #[arg(long, env = "SLUICE_SECRET_MANAGER_ENDPOINT", value_name = "URL")]
    pub(crate) secret_manager_endpoint: Option<String>,
}
