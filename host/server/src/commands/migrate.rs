//! `sluice migrate`: brings a service's database up to date, so that hosts that start later find it so.

use std::path::Path;

use sluice_core::RunError;
use sluice_store::{Settings, Store};

use super::failed;
use crate::cli::{MigrateArgs, Options};

pub(crate) async fn run(options: &Options, args: &MigrateArgs) -> u8 {
    match open(args).await {
        Ok(store) => {
            println!("{store} is up to date");
            store.close().await;
            0
        }
        Err(error) => failed(options, &error),
    }
}

/// Opens the database, which brings it up to date.
pub(crate) async fn open(args: &MigrateArgs) -> Result<Store, RunError> {
    if let Some(url) = &args.database {
        return Store::connect(url, Settings::default()).await;
    }
    let path: &Path = &args.data;
    if !path.is_dir() {
        let message = format!("there is no folder {}; set --data to the service's", path.display());
        return Err(RunError::config("--data", message));
    }
    Store::open(&path.join("state.db")).await
}
