//! A connection of a component under development: from its file, with the limits and the sandbox of production.

use std::path::Path;

use sluice_conformance::Connected;
use sluice_core::RunError;
use sluice_core::plan::CheckStep;
use sluice_runtime::{Connection, Runtime};

use super::project;
use crate::cli::{ConnectionArgs, Options};
use crate::{file, wire};

/// `sluice connector check`.
pub(super) async fn check(options: &Options, args: &ConnectionArgs) -> Result<Vec<CheckStep>, RunError> {
    open(options, args).await?.instance().await?.check().await
}

/// The connection that the arguments name.
pub(super) async fn open(options: &Options, args: &ConnectionArgs) -> Result<Connection, RunError> {
    let component = project::component(&args.component)?;
    let runtime = wire::runtime(options)?;
    let connected = read(&args.config)?;
    connect(options, &runtime, &component, connected).await
}

/// Reads a connection's file: secrets resolved, folders made absolute.
pub(super) fn read(path: &Path) -> Result<Connected, RunError> {
    let mut connected: Connected = file::parse(path)?;
    let folder = file::folder(path);
    for granted in connected.grants.folders.values_mut() {
        *granted = folder.join(&*granted);
    }
    file::resolve(&mut connected.config, "config", &folder)?;
    Ok(connected)
}

async fn connect(
    options: &Options,
    runtime: &Runtime,
    component: &Path,
    connected: Connected,
) -> Result<Connection, RunError> {
    let connector = runtime.load(component).await?;
    let environment = wire::environment(options)?;
    Connection::new(connector, &connected.config, connected.grants, connected.limits, &environment)
}
