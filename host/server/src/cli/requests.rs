//! Whose requests are answered, and how many.

use clap::Args;

/// Whose requests are answered, and how many.
#[derive(Debug, Args)]
#[command(next_help_heading = "Requests")]
pub(crate) struct RequestArgs {
    /// A proxy before the service, whose X-Forwarded-For says where a request comes from: an address or a network such as
    /// 10.0.0.0/8 (repeat for several). Nobody else's is believed
    #[arg(long, env = "SLUICE_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    pub(crate) trusted_proxy: Vec<String>,
    /// Requests of one session or token: so many per second in the long run, and so many at once
    #[arg(long, env = "SLUICE_RATE_LIMIT", value_name = "PER_SECOND[:AT_ONCE]", default_value = "50:200")]
    pub(crate) rate_limit: String,
    /// Requests of one address that show no good session or token
    #[arg(long, env = "SLUICE_RATE_LIMIT_ADDRESS", value_name = "PER_SECOND[:AT_ONCE]", default_value = "10:100")]
    pub(crate) rate_limit_address: String,
}
