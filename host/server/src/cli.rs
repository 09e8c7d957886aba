//! The command line.

mod admin;
mod connector;
mod keep;
mod offers;
mod requests;
mod secret_manager;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;

pub(crate) use admin::*;
pub(crate) use connector::*;
pub(crate) use keep::KeepArgs;
pub(crate) use offers::OfferArgs;
pub(crate) use requests::RequestArgs;
pub(crate) use secret_manager::SecretManagerArgs;

use crate::telemetry::args::TelemetryArgs;

const EXIT_CODES: &str = "\
Exit codes:
  0  all went well
  1  a defect or a shortage of this host
  2  the pipeline, its configuration or the command line is wrong: you have to act
  3  the source or its connector failed
  4  the sink failed
  5  stopped on request; the next run goes on from there

The last line of `sluice run --json` is the run's summary; its error's `retry` says whether trying again can help.";

/// Loads data from sandboxed connectors into BigQuery or a local warehouse.
#[derive(Debug, Parser)]
#[command(name = "sluice", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Folder with the connectors' .wasm files [default: `connectors` beside the program or above it]
    #[arg(long, env = "SLUICE_CONNECTORS", global = true, value_name = "DIR")]
    pub(crate) connectors: Option<PathBuf>,
    /// File that keeps cursors, ledger and runs [default: .sluice/state.db beside the pipeline's file]
    #[arg(long, env = "SLUICE_STATE", global = true, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Folder for compiled connectors [default: the user's cache folder]
    #[arg(long, env = "SLUICE_CACHE", global = true, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// Folder with the components of uploaded connectors, each named by its digest
    #[arg(long, global = true, value_name = "DIR", hide = true)]
    pub(crate) components: Option<PathBuf>,
    /// What no connector may reach, whatever its manifest asks for: a host, host:port, *.suffix, an address or a network
    /// such as 10.0.0.0/8 (repeat for several; SLUICE_DENY takes a list with commas)
    #[arg(long, env = "SLUICE_DENY", global = true, value_name = "HOST", value_delimiter = ',')]
    pub(crate) deny_host: Vec<String>,
    /// What to print: for people on a terminal, JSON lines otherwise
    #[arg(long, global = true, value_enum, default_value_t = Format::Auto)]
    pub(crate) format: Format,
    /// Print JSON lines; the same as --format json
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Tell `perf` the names of connectors' functions, in /tmp/perf-PID.map
    #[arg(long, env = "SLUICE_PERF_MAP", global = true, hide = true)]
    pub(crate) perf_map: bool,
    /// Log more to standard error (twice: everything)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people on a terminal, JSON lines otherwise.
    Auto,
    /// For people.
    Human,
    /// JSON lines.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a pipeline once
    Run(RunArgs),
    /// Try the connection of a pipeline's source, step by step
    Check(FileArgs),
    /// List the streams that a source offers
    Discover(DiscoverArgs),
    /// Show rows: of a stream as the sink would get them, or of a table of a local warehouse
    Preview(PreviewArgs),
    /// Write, build, test, sign and publish connectors of your own
    Connector(Box<ConnectorArgs>),
    /// Run the service: API, scheduler and the runs themselves
    Serve(Box<ServeArgs>),
    /// Bring a service's database up to date without serving
    Migrate(MigrateArgs),
    /// Make the first person of a service, who owns its first tenant; or look after its keys (`sluice admin rewrap`)
    Admin(AdminArgs),
    /// Find out whether this machine, a pipeline's source and its sink are ready
    Doctor(DoctorArgs),
    /// Do one job for `sluice serve`, which starts it
    #[command(hide = true)]
    Worker(WorkerArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The pipeline's file
    pub(crate) file: PathBuf,
    /// The day that catalog loads stand for [default: today, UTC]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) snapshot_date: Option<Date>,
    /// Run only these streams (repeat for several)
    #[arg(long = "stream", value_name = "ID")]
    pub(crate) streams: Vec<String>,
    /// Forget the state of the streams that are run, and read them from the beginning
    #[arg(long)]
    pub(crate) from_beginning: bool,
    /// Go on although a table is not as the state expects it, after a backup was restored: take the tables of the streams that
    /// are run as they are (--from-beginning does so too)
    #[arg(long)]
    pub(crate) accept_table_state: bool,
}

/// A pipeline's file.
#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// The pipeline's file; only its `source` is needed
    pub(crate) file: PathBuf,
}

/// Arguments of `discover`.
#[derive(Debug, Args)]
pub(crate) struct DiscoverArgs {
    /// The pipeline's file; only its `source` is needed
    pub(crate) file: PathBuf,
    /// Only streams whose id contains this, ignoring case
    #[arg(long, default_value = "")]
    pub(crate) contains: String,
    /// Show the columns of each stream
    #[arg(long)]
    pub(crate) columns: bool,
    /// At most this many streams
    #[arg(long, default_value_t = 1000)]
    pub(crate) limit: usize,
}

/// Arguments of `preview`.
#[derive(Debug, Args)]
pub(crate) struct PreviewArgs {
    /// The pipeline's file
    pub(crate) file: PathBuf,
    /// The stream, or with --sink the table; with --sink and no table, all tables are listed
    pub(crate) name: Option<String>,
    /// Show what is in the sink (a local warehouse) instead of the source
    #[arg(long)]
    pub(crate) sink: bool,
    /// Rows to show
    #[arg(long, default_value_t = 10)]
    pub(crate) limit: usize,
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Folder for the state file, the master key and local warehouses
    #[arg(long, env = "SLUICE_DATA", value_name = "DIR", default_value = "sluice-data")]
    pub(crate) data: PathBuf,
    /// PostgreSQL database instead of the state file, for several hosts: postgres://USER:PASSWORD@HOST/DATABASE. Needs --master-key
    #[arg(long, env = "SLUICE_DATABASE", value_name = "URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "SLUICE_LISTEN", value_name = "HOST:PORT", default_value = "127.0.0.1:8470")]
    pub(crate) listen: String,
    /// Where browsers find the service [default: http://localhost:PORT]
    #[arg(long, env = "SLUICE_ORIGIN", value_name = "URL")]
    pub(crate) origin: Option<String>,
    /// File that describes an identity provider that people may sign in with (repeat for several)
    #[arg(long, env = "SLUICE_OIDC", value_name = "FILE", value_delimiter = ',')]
    pub(crate) oidc: Vec<PathBuf>,
    /// File with the keys that seal secrets [default: master.key in the data folder, made when there is none]
    #[arg(long, env = "SLUICE_MASTER_KEY", value_name = "FILE")]
    pub(crate) master_key: Option<PathBuf>,
    /// Runs at once on this host
    #[arg(long, env = "SLUICE_SLOTS", value_name = "N", default_value_t = 4)]
    pub(crate) slots: u32,
    /// Runs at once of one tenant, on all hosts
    #[arg(long, env = "SLUICE_SLOTS_PER_TENANT", value_name = "N", default_value_t = 4)]
    pub(crate) slots_per_tenant: u32,
    /// Runs at once of one connection, on all hosts
    #[arg(long, env = "SLUICE_SLOTS_PER_CONNECTION", value_name = "N", default_value_t = 2)]
    pub(crate) slots_per_connection: u32,
    /// Checks, discoveries and previews at once
    #[arg(long, env = "SLUICE_SHORT_JOBS", value_name = "N", default_value_t = 2)]
    pub(crate) short_jobs: usize,
    /// What tenants may ask for
    #[command(flatten)]
    pub(crate) offers: OfferArgs,
    /// Let webhooks call private addresses
    #[arg(long, env = "SLUICE_ALLOW_PRIVATE_WEBHOOKS")]
    pub(crate) allow_private_webhooks: bool,
    /// Mail server: smtp://USER:PASSWORD@HOST:PORT (STARTTLS; ?tls=none for none) or smtps://…; without it no mail is sent
    #[arg(long, env = "SLUICE_SMTP_URL", value_name = "URL", hide_env_values = true, requires = "mail_from")]
    pub(crate) smtp_url: Option<String>,
    /// Whom mails are from: name@example.com or "Name <name@example.com>"
    #[arg(long, env = "SLUICE_MAIL_FROM", value_name = "ADDRESS", requires = "smtp_url")]
    pub(crate) mail_from: Option<String>,
    /// Whose requests are answered, and how many
    #[command(flatten)]
    pub(crate) requests: RequestArgs,
    /// How long things are kept
    #[command(flatten)]
    pub(crate) keep: KeepArgs,
    /// Secrets that Google Secret Manager keeps
    #[command(flatten)]
    pub(crate) elsewhere: SecretManagerArgs,
    /// Who keeps the time of schedules
    #[command(flatten)]
    pub(crate) scheduler: SchedulerArgs,
    /// Who follows traces
    #[command(flatten)]
    pub(crate) telemetry: TelemetryArgs,
}

/// Who keeps the time of schedules.
#[derive(Debug, Args)]
#[command(next_help_heading = "Schedules")]
pub(crate) struct SchedulerArgs {
    /// Who keeps the time: the service itself, or Google's Cloud Scheduler, which calls it
    #[arg(long, env = "SLUICE_SCHEDULER", value_enum, default_value_t = SchedulerMode::Internal)]
    pub(crate) scheduler: SchedulerMode,
    /// Google Cloud project of the jobs
    #[arg(long, env = "SLUICE_SCHEDULER_PROJECT", value_name = "PROJECT")]
    pub(crate) scheduler_project: Option<String>,
    /// Location of the jobs, such as europe-west1
    #[arg(long, env = "SLUICE_SCHEDULER_LOCATION", value_name = "LOCATION")]
    pub(crate) scheduler_location: Option<String>,
    /// Service account whose identity the jobs show when they call
    #[arg(long, env = "SLUICE_SCHEDULER_SERVICE_ACCOUNT", value_name = "EMAIL")]
    pub(crate) scheduler_service_account: Option<String>,
    /// For whom the jobs' tokens are made [default: the origin]
    #[arg(long, env = "SLUICE_SCHEDULER_AUDIENCE", value_name = "TEXT")]
    pub(crate) scheduler_audience: Option<String>,
    /// Who issues the jobs' tokens
    #[arg(long, env = "SLUICE_SCHEDULER_ISSUER", value_name = "URL", default_value = "https://accounts.google.com")]
    pub(crate) scheduler_issuer: String,
    /// What the ids of the jobs begin with [default: made from the origin]
    #[arg(long, env = "SLUICE_SCHEDULER_PREFIX", value_name = "TEXT")]
    pub(crate) scheduler_prefix: Option<String>,
    /// How often to look whether somebody changed the jobs, seconds
    #[arg(long, env = "SLUICE_SCHEDULER_CHECK_EVERY", value_name = "SECONDS", default_value_t = 300)]
    pub(crate) scheduler_check_every: u64,
    /// Another address of Cloud Scheduler's API, reached without credentials (a double)
    #[arg(long, env = "SLUICE_SCHEDULER_ENDPOINT", value_name = "URL")]
    pub(crate) scheduler_endpoint: Option<String>,
}

/// Who keeps the time of schedules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SchedulerMode {
    /// The service.
    Internal,
    /// Google's Cloud Scheduler.
    Cloud,
}

/// Which database.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// Folder of the state file
    #[arg(long, env = "SLUICE_DATA", value_name = "DIR", default_value = "sluice-data")]
    pub(crate) data: PathBuf,
    /// PostgreSQL database instead of the state file
    #[arg(long, env = "SLUICE_DATABASE", value_name = "URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
}

/// Arguments of `worker`.
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// Let everything else on this machine go first
    #[arg(long)]
    pub(crate) patient: bool,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// A pipeline's file, to look at its source and sink too
    pub(crate) file: Option<PathBuf>,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

impl Options {
    /// Whether to print JSON lines.
    pub(crate) fn json(&self) -> bool {
        use std::io::IsTerminal;
        match (self.json, self.format) {
            (true, _) | (_, Format::Json) => true,
            (_, Format::Human) => false,
            (_, Format::Auto) => !std::io::stdout().is_terminal(),
        }
    }
}
