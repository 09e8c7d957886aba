//! Puts the service together.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sluice_api::auth::password::Passwords;
use sluice_api::{App, Parts};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::queue::Limits;
use sluice_core::worker::StoreAddress;
use sluice_engine::service::catalogue::{Catalogue, Installed};
use sluice_engine::service::cloud::Keeper;
use sluice_engine::service::components::Components;
use sluice_engine::service::deliver::Delivery;
use sluice_engine::service::live::Live;
use sluice_engine::service::metrics::Metrics;
use sluice_engine::service::queue::Dispatch;
use sluice_engine::service::resolve::Resolver;
use sluice_engine::service::trace::Traces;
use sluice_engine::service::worker::Workers;
use sluice_store::{Settings, Store, Vault};
use tokio::sync::Notify;

use super::{cloud, keys, limits, oidc, outward, requests, secret_manager};
use crate::cli::{Options, ServeArgs};
use crate::wire;

/// What a worker is told of this process's environment: how to reach Google and whom to trust, and nothing else.
const PASSED_ON: [&str; 7] =
    ["GOOGLE_APPLICATION_CREDENTIALS", "HOME", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "SLUICE_LOG", "SLUICE_KILL_AT"];

/// Everything that runs in the process.
pub(super) struct Built {
    pub(super) app: App,
    /// What keeps the jobs of Cloud Scheduler, if that keeps the time.
    pub(super) keeper: Option<Keeper>,
    pub(super) dispatch: Dispatch,
    pub(super) delivery: Delivery,
    /// The file of the master keys, and who has them.
    pub(super) master_keys: (PathBuf, Vault),
}

/// Opens the database, reads keys and connectors.
pub(super) async fn build(
    options: &Options,
    args: &ServeArgs,
    address: SocketAddr,
    (host, traces): (String, Arc<dyn Traces>),
) -> Result<Built, RunError> {
    let data = folder(args)?;
    let (store, place) = open(args, &data, &host).await?;
    let key_file = args.master_key.clone().unwrap_or_else(|| data.join("master.key"));
    let keys = keys::read(&key_file, args.master_key.is_none() && args.database.is_none())?;
    let vault = Vault::new(keys, Arc::new(bytes));
    let metrics = Metrics::default();
    let delivery = Delivery {
        store: store.clone(),
        clock: Arc::new(wire::now_us),
        chance: Arc::new(chance),
        mail: outward::mail(args)?,
        webhooks: outward::webhooks(options, args, vault.clone())?,
        metrics: metrics.clone(),
    };
    let master_keys = (key_file, vault.clone());
    let clock = Arc::new(wire::now_us);
    let offers = limits::offers(&args.offers, &args.elsewhere, &data)?;
    let elsewhere = secret_manager::keeper(&args.elsewhere, &offers.secrets, clock.clone()).await?;
    let uploads = data.join("connectors");
    let workers = Arc::new(workers(options, args.short_jobs, &uploads)?);
    let components = Components::new(store.clone(), uploads);
    let catalogue = catalogue(options)?.with_uploads(store.clone());
    let resolver = Resolver { store: store.clone(), vault, offers, elsewhere, catalogue, components };
    let (live, queued) = (Live::default(), Arc::new(Notify::new()));
    let origin = args.origin.clone().unwrap_or_else(|| format!("http://localhost:{}", address.port()));
    let origin = origin.trim_end_matches('/').to_owned();
    let (cloud, keeper) = match cloud::Cloud::of(args, &origin)? {
        Some(cloud) => (Some(cloud.hook()?), Some(cloud.keeper(store.clone(), clock.clone()).await?)),
        None => (None, None),
    };
    let parts = Parts {
        store: store.clone(),
        address: place.clone(),
        resolver: resolver.clone(),
        workers: workers.clone(),
        live: live.clone(),
        metrics: metrics.clone(),
        traces: traces.clone(),
        queued: queued.clone(),
        clock: clock.clone(),
        random: Arc::new(random),
        ids: Arc::new(wire::run_id),
        passwords: Passwords::default(),
        providers: oidc::providers(args)?,
        origin,
        cloud,
    };
    let app = App::limited(parts, requests::limits(&args.requests)?);
    let dispatch = Dispatch {
        store,
        address: place,
        resolver,
        workers,
        clock,
        ids: Arc::new(wire::run_id),
        chance: Arc::new(chance),
        live,
        queued,
        host,
        limits: Limits {
            slots: args.slots,
            global: u32::MAX,
            tenant: args.slots_per_tenant,
            connection: args.slots_per_connection,
        },
        metrics,
        traces,
    };
    Ok(Built { app, keeper, dispatch, delivery, master_keys })
}

fn folder(args: &ServeArgs) -> Result<PathBuf, RunError> {
    use std::os::unix::fs::DirBuilderExt;

    let wrong = |e: std::io::Error| {
        let message = format!("the folder {} cannot be made: {e}; set --data", args.data.display());
        RunError::new(Kind::Config, Actor::User, message)
    };
    // Nobody else on the machine has any business there.
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&args.data).map_err(wrong)?;
    std::path::absolute(&args.data).map_err(wrong)
}

/// Opens the database. A state file belongs to one service at a time.
async fn open(args: &ServeArgs, data: &Path, host: &str) -> Result<(Store, StoreAddress), RunError> {
    if let Some(url) = &args.database {
        let settings = Settings { holder: format!("host {host}"), ..Settings::default() };
        return Ok((Store::connect(url, settings).await?, StoreAddress::Postgres(url.clone())));
    }
    let path = data.join("state.db");
    alone(data)?;
    Ok((Store::open(&path).await?, StoreAddress::File(path)))
}

/// Two services on one state file would each take the other's runs for those of a dead process.
fn alone(data: &Path) -> Result<(), RunError> {
    let path = data.join("serve.lock");
    let wrong = |why: String| RunError::new(Kind::Config, Actor::User, why);
    let file = std::fs::File::options().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(|e| wrong(format!("{} cannot be opened: {e}", path.display())))?;
    file.try_lock().map_err(|_| {
        let data = data.display();
        wrong(format!("another `sluice serve` works on {data}; several need a PostgreSQL database (--database)"))
    })?;
    // Held until the process ends.
    std::mem::forget(file);
    Ok(())
}

/// Workers are this program, with the same connectors.
pub(in crate::commands) fn workers(options: &Options, short_jobs: usize, uploads: &Path) -> Result<Workers, RunError> {
    let program = std::env::current_exe().map_err(|e| RunError::internal(format!("this program is not found: {e}")))?;
    let mut arguments: Vec<OsString> = vec!["--json".into()];
    if let Some(folder) = &options.connectors {
        arguments.extend(["--connectors".into(), folder.into()]);
    }
    arguments.extend(["--cache".into(), wire::cache(options).into(), "--components".into(), uploads.into()]);
    for denied in &options.deny_host {
        arguments.extend(["--deny-host".into(), denied.into()]);
    }
    arguments.push("worker".into());
    let environment = PASSED_ON.into_iter().filter_map(|name| Some((name.into(), std::env::var_os(name)?)));
    Ok(Workers::new(program, arguments, environment.collect(), short_jobs))
}

/// The connectors in the folders, as their manifests describe them. None of their code is run.
pub(in crate::commands) fn catalogue(options: &Options) -> Result<Catalogue, RunError> {
    let mut found = Vec::new();
    // The first folder wins, as it does when a connector is loaded.
    for folder in wire::connector_folders(options).iter().rev() {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if path.extension().is_none_or(|extension| extension != "wasm") {
                continue;
            }
            match installed(&path, &name) {
                Ok(connector) => found.push(connector),
                Err(error) => tracing::error!(file = %path.display(), %error, "this connector is left out"),
            }
        }
    }
    if found.is_empty() {
        let folders: Vec<String> = wire::connector_folders(options).iter().map(|f| f.display().to_string()).collect();
        let message = format!("there are no connectors in {}; set --connectors", folders.join(", "));
        return Err(RunError::new(Kind::Config, Actor::User, message));
    }
    Ok(Catalogue::new(found))
}

fn installed(path: &Path, name: &str) -> Result<Installed, RunError> {
    use sha2::Digest;

    let bytes = std::fs::read(path).map_err(|e| RunError::internal(format!("cannot be read: {e}")))?;
    let manifest = sluice_runtime::inspect(&bytes)?.manifest;
    if manifest.name != name {
        let message = format!("its file is named {name}, but it calls itself {}", manifest.name);
        return Err(RunError::new(Kind::Config, Actor::User, message));
    }
    Ok(Installed::built_in(manifest, sluice_core::hex(&sha2::Sha256::digest(&bytes))))
}

/// Random bytes.
pub(in crate::commands) fn bytes(buffer: &mut [u8]) -> Result<(), RunError> {
    getrandom::fill(buffer).map_err(|e| RunError::internal(format!("the system has no random bytes: {e}")))
}

/// Random bytes for secrets. A system without any must not go on with bytes that somebody could guess.
fn random(buffer: &mut [u8]) {
    if let Err(error) = getrandom::fill(buffer) {
        tracing::error!(%error, "the system has no random bytes");
        std::process::abort();
    }
}

fn chance() -> f64 {
    let mut bytes = [0; 4];
    random(&mut bytes);
    f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
}
