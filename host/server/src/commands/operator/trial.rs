//! Trying a version on what all tenants have, before it takes the installed one's place for all of them.

use std::path::PathBuf;
use std::sync::Arc;

use sluice_core::RunError;
use sluice_core::plan::{CheckStep, Outcome};
use sluice_core::worker::StoreAddress;
use sluice_engine::service::catalogue::Origin;
use sluice_engine::service::components::Components;
use sluice_engine::service::resolve::Resolver;
use sluice_engine::service::trial::{Candidate, Trial};
use sluice_engine::service::worker::Workers;
use sluice_store::{Scope, Store, Vault};

use super::{OPERATOR, PAGE};
use crate::cli::{AddArgs, Options};
use crate::commands::connector::wrong;
use crate::commands::serve::{keys, limits, parts, secret_manager};
use crate::{show, wire};

/// Workers that the trial has at once.
const WORKERS: usize = 1;

/// What the service has, as far as a trial needs it.
struct Setting {
    resolver: Resolver,
    workers: Workers,
    address: StoreAddress,
}

/// The service's folder. Workers, and what they read, must not depend on where this was started.
pub(super) fn data(args: &AddArgs) -> Result<PathBuf, RunError> {
    let data = &args.database.data;
    std::path::absolute(data).map_err(|e| RunError::config("--data", format!("{}: {e}", data.display())))
}

/// Tries a version on the connections and recordings of every tenant that would use it, and shows what was found. None of it is kept: a
/// version of the operator's is seen by all tenants, and what one of them has is nobody else's business.
///
/// # Errors
/// If something fails that does not fail with the installed version, or it cannot be tried.
pub(super) async fn passed(
    options: &Options,
    args: &AddArgs,
    store: &Store,
    candidate: Candidate<'_>,
) -> Result<(), RunError> {
    let setting = setting(options, args, store).await?;
    setting.resolver.components.provide(Scope::OPERATOR, candidate.sha256).await?;
    let mut failed = 0;
    let mut after: Option<String> = None;
    loop {
        let page = store.tenants(after.as_deref(), PAGE).await?;
        for tenant in &page {
            for step in setting.tried(store, Scope { tenant: &tenant.id }, candidate).await? {
                failed += usize::from(step.outcome == Outcome::Failed);
                let name = format!("{}: {}", tenant.name, step.name);
                show::step(options, &CheckStep { name, ..step });
            }
        }
        after = page.last().map(|tenant| tenant.id.clone());
        if page.len() < PAGE as usize {
            break;
        }
    }
    match failed {
        0 => Ok(()),
        failed => Err(wrong(format!(
            "the installed version stays: {failed} things that work with it do not with this one, see above; --without-trial installs it \
             all the same"
        ))),
    }
}

impl Setting {
    async fn tried(
        &self,
        store: &Store,
        scope: Scope<'_>,
        candidate: Candidate<'_>,
    ) -> Result<Vec<CheckStep>, RunError> {
        let found = self.resolver.catalogue.find(scope, &candidate.manifest.name).await?;
        if found.is_some_and(|found| found.origin == Origin::Tenant) {
            // The tenant has one of its own of this name, and keeps it.
            return Ok(Vec::new());
        }
        let trial = Trial {
            store,
            resolver: &self.resolver,
            workers: &self.workers,
            address: &self.address,
            now_us: wire::now_us(),
            by: OPERATOR,
        };
        trial.run(scope, candidate).await
    }
}

async fn setting(options: &Options, args: &AddArgs, store: &Store) -> Result<Setting, RunError> {
    let data = data(args)?;
    let keys = keys::of_service(args.master_key.as_deref(), &args.database)?;
    let offers = limits::offers(&args.offers, &args.elsewhere, &data)?;
    let elsewhere = secret_manager::keeper(&args.elsewhere, &offers.secrets, Arc::new(wire::now_us)).await?;
    let uploads = data.join("connectors");
    let resolver = Resolver {
        store: store.clone(),
        vault: Vault::new(keys, Arc::new(parts::bytes)),
        offers,
        elsewhere,
        catalogue: parts::catalogue(options)?.with_uploads(store.clone()),
        components: Components::new(store.clone(), uploads.clone()),
    };
    let address = match &args.database.database {
        Some(url) => StoreAddress::Postgres(url.clone()),
        None => StoreAddress::File(data.join("state.db")),
    };
    Ok(Setting { resolver, workers: parts::workers(options, WORKERS, &uploads)?, address })
}
