//! Google Secret Manager as a place where secrets are kept.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::secret::{SecretOffer, SecretRef};
use sluice_engine::clock::Clock;
use sluice_engine::service::elsewhere::{Elsewhere, Keeper};
use sluice_sinks::secret_manager::SecretManager;
use sluice_store::Plain;

use crate::cli::SecretManagerArgs;

/// Which secrets tenants may refer to.
pub(super) fn offers(args: &SecretManagerArgs) -> Result<Vec<SecretOffer>, RunError> {
    let texts = args.secret_manager.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
    let mut offers = Vec::new();
    for text in texts {
        let offer = SecretOffer::parse(text).map_err(|why| RunError::config("--secret-manager", why))?;
        if offer.is_shared() {
            tracing::warn!(
                offer = text,
                "every tenant may use these secrets; {{tenant}} in the name gives each its own"
            );
        }
        offers.push(offer);
    }
    Ok(offers)
}

/// What reads them. Without an offer nothing does, and no identity is needed.
pub(in crate::commands) async fn keeper(
    args: &SecretManagerArgs,
    offers: &[SecretOffer],
    clock: Arc<dyn Clock>,
) -> Result<Elsewhere, RunError> {
    if offers.is_empty() {
        return Ok(Elsewhere::default());
    }
    let google = SecretManager::connect(args.secret_manager_endpoint.as_deref()).await?;
    Ok(Elsewhere::new(Box::new(Google(google)), clock, Duration::from_secs(args.secret_manager_keep)))
}

/// Google's, as the engine wants it.
struct Google(SecretManager);

#[async_trait]
impl Keeper for Google {
    async fn read(&self, reference: &SecretRef) -> Result<Plain, RunError> {
        self.0.access(reference).await.map(Plain::new)
    }
}
