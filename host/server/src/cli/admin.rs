//! What an operator does with a service's database.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{MigrateArgs, OfferArgs, SecretManagerArgs};

/// Arguments of `admin`. The password comes from standard input.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct AdminArgs {
    /// What else an operator does with the database
    #[command(subcommand)]
    pub(crate) task: Option<AdminTask>,
    /// E-mail address to sign in with
    #[arg(long, required = true)]
    pub(crate) email: Option<String>,
    /// What others see [default: the address]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Name of the first tenant
    #[arg(long, default_value = "Main")]
    pub(crate) tenant: String,
    /// The database
    #[command(flatten)]
    pub(crate) database: MigrateArgs,
}

/// What an operator does with a service's database.
#[derive(Debug, Subcommand)]
pub(crate) enum AdminTask {
    /// Wrap the keys of all tenants anew with the master key that comes first in its file; the service may run meanwhile
    Rewrap(RewrapArgs),
    /// Connectors that are installed for all tenants
    Connector {
        #[command(subcommand)]
        command: AdminConnectorCommand,
    },
}

/// What an operator does with connectors.
#[derive(Debug, Subcommand)]
pub(crate) enum AdminConnectorCommand {
    /// Look at a component, try it on what uses the version before, and install it for all tenants in that one's place
    Add(Box<AddArgs>),
    /// List the versions that were installed for all tenants
    List(MigrateArgs),
    /// Withdraw a version: no run may use it any more
    Yank(YankArgs),
}

/// Arguments of `admin connector add`.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The component
    pub(crate) component: PathBuf,
    /// Its detached signature, as `sluice connector sign` writes it
    #[arg(long, value_name = "FILE")]
    pub(crate) signature: Option<PathBuf>,
    /// The fingerprint of the key that it is signed with, if its publisher was known by another one
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) pin: Option<String>,
    /// Install it without trying it on the tenants' connections and recordings first
    #[arg(long)]
    pub(crate) without_trial: bool,
    /// File with the keys that seal the tenants' secrets, for the trial [default: master.key in the data folder]
    #[arg(long, env = "SLUICE_MASTER_KEY", value_name = "FILE")]
    pub(crate) master_key: Option<PathBuf>,
    /// What tenants may ask for: the same as `sluice serve` is started with, for the trial
    #[command(flatten)]
    pub(crate) offers: OfferArgs,
    /// Secrets that Google Secret Manager keeps
    #[command(flatten)]
    pub(crate) elsewhere: SecretManagerArgs,
    /// The database
    #[command(flatten)]
    pub(crate) database: MigrateArgs,
}

/// Arguments of `admin connector yank`.
#[derive(Debug, Args)]
pub(crate) struct YankArgs {
    /// SHA-256 of the version
    pub(crate) sha256: String,
    /// Why, in words for those whose runs fail
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Let runs use the version before, if this one is installed
    #[arg(long)]
    pub(crate) go_back: bool,
    /// The database
    #[command(flatten)]
    pub(crate) database: MigrateArgs,
}

/// Arguments of `admin rewrap`.
#[derive(Debug, Args)]
pub(crate) struct RewrapArgs {
    /// Only count which master key wraps how many keys, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// File with the master keys, the one to wrap with first [default: master.key in the data folder]
    #[arg(long, env = "SLUICE_MASTER_KEY", value_name = "FILE")]
    pub(crate) master_key: Option<PathBuf>,
    /// The database
    #[command(flatten)]
    pub(crate) database: MigrateArgs,
}
