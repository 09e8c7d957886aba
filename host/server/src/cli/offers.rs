//! What tenants may ask for.

use std::path::PathBuf;

use clap::Args;

/// What tenants may ask for.
#[derive(Debug, Args)]
pub(crate) struct OfferArgs {
    /// Most splits that a pipeline may read at once
    #[arg(long, env = "SLUICE_MAX_PARALLEL", value_name = "N", default_value_t = 8)]
    pub(crate) max_parallel: u32,
    /// Most memory that a pipeline may give each instance of its connector, MiB
    #[arg(long, env = "SLUICE_MAX_INSTANCE_MIB", value_name = "MIB", default_value_t = 512)]
    pub(crate) max_instance_mib: u64,
    /// Let connections reach private addresses when they ask for it
    #[arg(long, env = "SLUICE_ALLOW_PRIVATE_NETWORK")]
    pub(crate) allow_private_network: bool,
    /// Let connections use the service's own Google identity when they ask for it
    #[arg(long, env = "SLUICE_ALLOW_GOOGLE_IDENTITY")]
    pub(crate) allow_google_identity: bool,
    /// Let sinks and token exchanges have endpoints of the tenants' choice (emulators)
    #[arg(long, env = "SLUICE_ALLOW_ENDPOINTS")]
    pub(crate) allow_endpoints: bool,
    /// A folder that connections may read, under a name (repeat for several)
    #[arg(long, value_name = "NAME=DIR")]
    pub(crate) folder: Vec<String>,
    /// Folder for local warehouses, one below it for each tenant [default: warehouse in the data folder]
    #[arg(long, env = "SLUICE_WAREHOUSE", value_name = "DIR")]
    pub(crate) warehouse: Option<PathBuf>,
    /// Where sinks may write with the service's Google identity, for a tenant or for all (repeat for several)
    #[arg(long, env = "SLUICE_BIGQUERY", value_name = "[TENANT=]PROJECT[.DATASET]", value_delimiter = ',')]
    pub(crate) bigquery: Vec<String>,
}
