//! Puts the parts together: the runtime, a connection, a sink, the store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::limits::RunLimits;
use sluice_core::pipeline::{SinkSpec, SourceSpec};
use sluice_runtime::http::GoogleIdentity;
use sluice_runtime::net::{DenyList, SystemResolver};
use sluice_runtime::{Connection, Connector, Environment, Runtime, Settings};
use sluice_sinks::Sink;
use sluice_sinks::bigquery::{BigQueryConfig, BigQuerySink};
use sluice_sinks::google::ApplicationDefault;
use sluice_sinks::local::LocalSink;
use sluice_sinks::null::NullSink;
use sluice_store::Store;

use crate::cli::Options;

/// The sandbox of this process.
pub(crate) fn runtime(options: &Options) -> Result<Runtime, RunError> {
    Runtime::new(Settings { cache: Some(cache(options)), perf_map: options.perf_map, ..Settings::default() })
}

/// The folder for compiled connectors.
pub(crate) fn cache(options: &Options) -> PathBuf {
    options.cache.clone().unwrap_or_else(|| user_cache().join("compiled"))
}

/// Sluice's folder in the user's cache.
pub(crate) fn user_cache() -> PathBuf {
    let home = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
    home.unwrap_or_else(std::env::temp_dir).join("sluice")
}

/// A connection to a pipeline's source.
pub(crate) async fn connection(
    options: &Options,
    runtime: &Runtime,
    source: &SourceSpec,
    limits: &RunLimits,
) -> Result<Connection, RunError> {
    connection_in(options, runtime, source, limits, &environment(options)?).await
}

/// The same in surroundings of the caller's.
pub(crate) async fn connection_in(
    options: &Options,
    runtime: &Runtime,
    source: &SourceSpec,
    limits: &RunLimits,
    environment: &Environment,
) -> Result<Connection, RunError> {
    let (connector, _) = connector(options, runtime, &source.connector, source.digest.as_deref()).await?;
    Connection::new(connector, &source.config, source.grants.clone(), limits.instance.clone(), environment)
}

/// A connector by its name or, if it was uploaded, by its digest; and the file that it is in.
pub(crate) async fn connector(
    options: &Options,
    runtime: &Runtime,
    name: &str,
    digest: Option<&str>,
) -> Result<(Connector, PathBuf), RunError> {
    let Some(digest) = digest else {
        let path = component(options, name)?;
        return Ok((runtime.load(&path).await?, path));
    };
    let uploaded = options.components.as_ref().map(|folder| folder.join(format!("{digest}.wasm")));
    let path = uploaded.map_or_else(|| component(options, name), Ok)?;
    Ok((runtime.load_exactly(&path, digest).await?, path))
}

/// What this process lends to every connection.
pub(crate) fn environment(options: &Options) -> Result<Environment, RunError> {
    Ok(Environment {
        deny: deny(options)?,
        google: Some(Arc::new(Lent(ApplicationDefault::default()))),
        ..Environment::new(Arc::new(SystemResolver), Arc::new(jiff::Timestamp::now))
    })
}

/// What the operator forbids whoever asks.
pub(crate) fn deny(options: &Options) -> Result<DenyList, RunError> {
    // A variable that is set to nothing, or has spaces after its commas, means what it says.
    let denied = options.deny_host.iter().map(|entry| entry.trim().to_owned()).filter(|entry| !entry.is_empty());
    DenyList::parse(&denied.collect::<Vec<_>>())
}

/// This process's own Google identity, in the runtime's words.
struct Lent(ApplicationDefault);

#[async_trait]
impl GoogleIdentity for Lent {
    async fn token(&self, scopes: &[String]) -> Result<String, String> {
        self.0.token(scopes).await
    }
}

/// The file of a connector.
fn component(options: &Options, name: &str) -> Result<PathBuf, RunError> {
    if name.ends_with(".wasm") {
        return Ok(PathBuf::from(name));
    }
    let folders = connector_folders(options);
    let file = format!("{name}.wasm");
    // A name is a name: what looks like a path is not looked up.
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let found = folders.iter().map(|folder| folder.join(&file)).find(|path| plain && path.is_file());
    found.ok_or_else(|| {
        let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        let message = format!(
            "there is no connector named {name}; looked for {file} in {}. Name a .wasm file, or set --connectors",
            looked.join(", ")
        );
        RunError::new(Kind::NotFound, Actor::User, message).with_field("source.connector")
    })
}

/// Folders in which connectors are looked up.
pub(crate) fn connector_folders(options: &Options) -> Vec<PathBuf> {
    if let Some(folder) = &options.connectors {
        return vec![folder.clone()];
    }
    let program = std::env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent);
    let above = beside.and_then(Path::parent);
    [beside, above].into_iter().flatten().map(|folder| folder.join("connectors")).collect()
}

/// The sink of a pipeline.
pub(crate) async fn sink(spec: &SinkSpec) -> Result<Arc<dyn Sink>, RunError> {
    Ok(match spec.clone() {
        SinkSpec::Local { path, .. } => Arc::new(LocalSink::new(path)),
        SinkSpec::Null => Arc::new(NullSink),
        SinkSpec::Bigquery { project, dataset, location, rest_endpoint, grpc_endpoint, anonymous, request_bytes } => {
            let config = BigQueryConfig {
                dataset: Some(dataset),
                location,
                rest_endpoint,
                grpc_endpoint,
                anonymous,
                request_bytes,
                ..BigQueryConfig::new(project, now_us, run_id)
            };
            Arc::new(BigQuerySink::connect(config).await?)
        }
    })
}

/// The state file of a pipeline.
pub(crate) async fn store(options: &Options, folder: &Path) -> Result<Store, RunError> {
    let path = options.state.clone().unwrap_or_else(|| folder.join(".sluice").join("state.db"));
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|e| {
            let message = format!("the folder {} of the state file cannot be made: {e}; set --state", parent.display());
            RunError::new(Kind::Config, Actor::User, message)
        })?;
    }
    Store::open(&path).await
}

/// Microseconds since 1970.
pub(crate) fn now_us() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

/// Today in UTC.
pub(crate) fn today() -> jiff::civil::Date {
    let now = jiff::Timestamp::from_microsecond(now_us()).unwrap_or_default();
    now.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// An id for a run: ordered by time, unique.
pub(crate) fn run_id() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}
