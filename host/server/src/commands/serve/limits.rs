//! What the operator lends tenants, from the command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sluice_core::RunError;
use sluice_core::limits::{InstanceLimits, RunLimits};
use sluice_core::offers::{DatasetOffer, Offers};

use super::secret_manager;
use crate::cli::{OfferArgs, SecretManagerArgs};

/// The offers; `data` is where warehouses are if the operator names no other place.
pub(in crate::commands) fn offers(
    args: &OfferArgs,
    elsewhere: &SecretManagerArgs,
    data: &Path,
) -> Result<Offers, RunError> {
    let mut folders = BTreeMap::new();
    for text in &args.folder {
        let wrong = || RunError::config("--folder", format!("{text:?} does not read NAME=FOLDER"));
        let (name, folder) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(wrong)?;
        let folder = std::path::absolute(folder).map_err(|_| wrong())?;
        if !folder.is_dir() {
            return Err(RunError::config("--folder", format!("there is no folder {}", folder.display())));
        }
        folders.insert(name.to_owned(), folder);
    }
    let bigquery = args.bigquery.iter().map(|text| DatasetOffer::parse(text));
    let bigquery = bigquery.collect::<Result<_, _>>().map_err(|why| RunError::config("--bigquery", why))?;
    let warehouse: PathBuf = args.warehouse.clone().unwrap_or_else(|| data.join("warehouse"));
    let warehouse = std::path::absolute(&warehouse)
        .map_err(|e| RunError::config("--warehouse", format!("{}: {e}", warehouse.display())))?;
    Ok(Offers {
        private_network: args.allow_private_network,
        google_identity: args.allow_google_identity,
        endpoints: args.allow_endpoints,
        folders,
        warehouse: Some(warehouse),
        bigquery,
        secrets: secret_manager::offers(elsewhere)?,
        limits: Some(most(args)),
    })
}

/// The most that a pipeline may set: what it gets by default, but for what an operator can weigh against the machine.
fn most(args: &OfferArgs) -> RunLimits {
    let defaults = RunLimits::default();
    let instance =
        InstanceLimits { memory_bytes: args.max_instance_mib << 20, connections: 32, ..defaults.instance.clone() };
    RunLimits { parallel: args.max_parallel, bytes_in_flight: 256 << 20, instance, ..defaults }
}
