//! Arguments of `sluice connector`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Arguments of `connector`.
#[derive(Debug, Args)]
pub(crate) struct ConnectorArgs {
    #[command(subcommand)]
    pub(crate) command: ConnectorCommand,
}

/// What to do with a connector.
#[derive(Debug, Subcommand)]
pub(crate) enum ConnectorCommand {
    /// Write a new connector: an HTTP JSON API with pages, increments and an API key
    New(NewArgs),
    /// Build the project in this folder to a component, and look at its manifest
    Build(BuildArgs),
    /// Try a connection to a real source, step by step, with production's limits
    Check(ConnectionArgs),
    /// List the streams that a connection offers
    Discover(DiscoverConnectorArgs),
    /// Show rows of a stream as the connector pushes them, with production's limits
    Read(ReadArgs),
    /// Try whether a connector does what it must, against the source that its conformance.yaml describes
    Test(TestArgs),
    /// Record what a connector asks of its source and what it is answered, without its secrets
    Record(RecordArgs),
    /// Run a connector against a recording, offline, and say what it does otherwise
    Replay(ReplayArgs),
    /// Keep recordings in a service: a new version has to do the same before it takes the installed one's place
    Recording {
        #[command(subcommand)]
        command: RecordingCommand,
    },
    /// Show what a component is, what it says of itself and what it asks for
    Inspect(ComponentArgs),
    /// Make a key to sign connectors with
    Keygen(KeygenArgs),
    /// Sign a component: a file beside it, over its digest and its manifest
    Sign(SignArgs),
    /// Verify a component's signature
    Verify(VerifyArgs),
    /// Put a component and its signature into a registry
    Publish(PublishArgs),
}

/// Arguments of `new`.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// Its name: lower-case letters, digits and `-`
    pub(crate) name: String,
    /// Where the project goes [default: a folder of that name]
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
    /// What it is written in
    #[arg(long, value_enum, default_value_t = Written::Rust)]
    pub(crate) language: Written,
    /// The language's SDK: e.g. the folder sdk/rust of a checkout of Sluice [default: that of the checkout that this program was built in]
    #[arg(long, env = "SLUICE_SDK", value_name = "DIR")]
    pub(crate) sdk: Option<PathBuf>,
}

/// A language that there is an SDK for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Written {
    /// Small and fast components
    Rust,
    /// For what there is a library in C
    C,
    /// CPython, by componentize-py
    Python,
    /// JavaScript or TypeScript, by componentize-js
    #[value(alias = "javascript", alias = "ts", alias = "typescript")]
    Js,
}

/// Arguments of `build`.
#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// Folder of the project
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) path: PathBuf,
    /// Take nothing from the network
    #[arg(long)]
    pub(crate) offline: bool,
    /// Where to copy the component
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// A component.
#[derive(Debug, Args)]
pub(crate) struct ComponentArgs {
    /// The .wasm file [default: what was built of the project in this folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) component: Option<PathBuf>,
}

/// A component and a connection.
#[derive(Debug, Args)]
pub(crate) struct ConnectionArgs {
    #[command(flatten)]
    pub(crate) component: ComponentArgs,
    /// File with the connection: `config`, and `grants` and `limits` where it needs some
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// Arguments of `discover`.
#[derive(Debug, Args)]
pub(crate) struct DiscoverConnectorArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    /// Only streams whose id contains this, ignoring case
    #[arg(long, default_value = "")]
    pub(crate) contains: String,
    /// At most this many streams
    #[arg(long, default_value_t = 1000)]
    pub(crate) limit: usize,
}

/// Arguments of `read`.
#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// The stream
    pub(crate) stream: String,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    /// At most this many rows
    #[arg(long, default_value_t = 10)]
    pub(crate) limit: usize,
    /// Read what is new by this column; without a value by none, for sources that need none [default: all rows]
    #[arg(long, value_name = "COLUMN", num_args = 0..=1, default_missing_value = "")]
    pub(crate) incremental: Option<String>,
    /// File with the state to go on from; where a read has ended, the state after it is written there
    #[arg(long = "from", value_name = "FILE", requires = "incremental")]
    pub(crate) from: Option<PathBuf>,
    /// Only these columns (repeat for several)
    #[arg(long = "column", value_name = "NAME")]
    pub(crate) columns: Vec<String>,
}

/// Arguments of `test`.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    #[command(flatten)]
    pub(crate) component: ComponentArgs,
    /// What the connector is tried against
    #[arg(long, value_name = "FILE", default_value = "conformance.yaml")]
    pub(crate) spec: PathBuf,
    /// Make only this check (repeat for several)
    #[arg(long, value_name = "CHECK")]
    pub(crate) only: Vec<String>,
    /// Write the report there too, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// List the checks and make none
    #[arg(long)]
    pub(crate) list: bool,
}

/// Arguments of `record`.
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    /// Record this stream (repeat for several) [default: the first 20 that are listed]
    #[arg(long = "stream", value_name = "ID")]
    pub(crate) streams: Vec<String>,
    /// End the read of a stream once it has so many rows, at its next checkpoint or batch
    #[arg(long, value_name = "ROWS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: u64,
    /// Read by this column, as a first incremental run does; without a value by none, for sources that need none [default: all rows]
    #[arg(long, value_name = "COLUMN", num_args = 0..=1, default_missing_value = "")]
    pub(crate) incremental: Option<String>,
    /// Where the recording goes
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The .wasm file, in place of --component
    #[arg(value_name = "COMPONENT", conflicts_with = "component")]
    pub(crate) named: Option<PathBuf>,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The recording
    #[arg(value_name = "FILE")]
    pub(crate) recording: PathBuf,
    /// The .wasm file, in place of --component
    #[arg(value_name = "COMPONENT", conflicts_with = "component")]
    pub(crate) named: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) component: ComponentArgs,
}

/// What is done with recordings that a service keeps.
#[derive(Debug, Subcommand)]
pub(crate) enum RecordingCommand {
    /// Keep a recording, in place of one of the same name
    Add(RecordingAddArgs),
    /// List the recordings of a connector
    List(RecordingListArgs),
    /// Fetch a recording: it has rows of the source
    Get(RecordingGetArgs),
    /// Delete a recording: no version has to do what it says any more
    Delete(RecordingNamedArgs),
}

/// A service, a tenant, and who asks.
#[derive(Debug, Args)]
pub(crate) struct ServiceArgs {
    /// The service: `https://HOST`
    #[arg(long, value_name = "SERVICE")]
    pub(crate) to: String,
    /// The tenant's id
    #[arg(long, value_name = "ID")]
    pub(crate) tenant: String,
    /// The environment variable that holds an API token of the service
    #[arg(long, value_name = "NAME")]
    pub(crate) token_env: String,
}

/// Arguments of `recording add`.
#[derive(Debug, Args)]
pub(crate) struct RecordingAddArgs {
    /// The recording, as `sluice connector record` writes it; it says which connector it is of
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What it is called: letters, digits, `.`, `_` and `-` [default: the file's name without its end]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) service: ServiceArgs,
}

/// Arguments of `recording list`.
#[derive(Debug, Args)]
pub(crate) struct RecordingListArgs {
    /// The connector's name
    pub(crate) connector: String,
    #[command(flatten)]
    pub(crate) service: ServiceArgs,
}

/// A recording that a service keeps.
#[derive(Debug, Args)]
pub(crate) struct RecordingNamedArgs {
    /// The connector's name
    pub(crate) connector: String,
    /// The recording's name
    #[arg(value_name = "NAME")]
    pub(crate) recording: String,
    #[command(flatten)]
    pub(crate) service: ServiceArgs,
}

/// Arguments of `recording get`.
#[derive(Debug, Args)]
pub(crate) struct RecordingGetArgs {
    #[command(flatten)]
    pub(crate) named: RecordingNamedArgs,
    /// Where the file goes [default: NAME.jsonl in this folder]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Arguments of `keygen`.
#[derive(Debug, Args)]
pub(crate) struct KeygenArgs {
    /// Where the secret key goes; the public one goes beside it, with `.pub` at its end
    #[arg(value_name = "FILE", default_value = "publisher.key")]
    pub(crate) file: PathBuf,
}

/// Arguments of `sign`.
#[derive(Debug, Args)]
pub(crate) struct SignArgs {
    #[command(flatten)]
    pub(crate) component: ComponentArgs,
    /// The secret key
    #[arg(long, value_name = "FILE", default_value = "publisher.key")]
    pub(crate) key: PathBuf,
    /// Where the signature goes [default: beside the component, with `.sig` at its end]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) component: ComponentArgs,
    /// The publisher's public key
    #[arg(long, value_name = "FILE", default_value = "publisher.key.pub")]
    pub(crate) key: PathBuf,
    /// The signature [default: beside the component, with `.sig` at its end]
    #[arg(long, value_name = "FILE")]
    pub(crate) signature: Option<PathBuf>,
}

/// Arguments of `publish`.
#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    #[command(flatten)]
    pub(crate) component: ComponentArgs,
    /// Where to: `https://HOST`, a Sluice service; or `oci:DIR`, an OCI image layout on disk, made where there is none
    #[arg(long, value_name = "SERVICE|REGISTRY")]
    pub(crate) to: String,
    /// The tenant's id, for a service
    #[arg(long, value_name = "ID")]
    pub(crate) tenant: Option<String>,
    /// The environment variable that holds an API token of the service
    #[arg(long, value_name = "NAME")]
    pub(crate) token_env: Option<String>,
    /// Approve what it asks for as well, for a service, if the token may
    #[arg(long)]
    pub(crate) approve: bool,
    /// The signature [default: beside the component, with `.sig` at its end, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) signature: Option<PathBuf>,
}
