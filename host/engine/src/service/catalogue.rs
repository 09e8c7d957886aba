//! The connectors that a tenant has: those in the operator's folder, those that the operator has installed for everybody, and its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use sluice_core::RunError;
use sluice_core::connector::VersionState;
use sluice_core::error::{Actor, Kind};
use sluice_core::manifest::Manifest;
use sluice_core::pipeline::Grants;
use sluice_store::{ConnectorVersion, Hold, Scope, Store};

/// Whose a connector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// It lies in the operator's folder.
    BuiltIn,
    /// The operator has installed it for all tenants.
    Operator,
    /// The tenant has uploaded and approved it.
    Tenant,
}

/// A connector that is installed.
#[derive(Clone, Debug, PartialEq)]
pub struct Installed {
    /// What it says of itself.
    pub manifest: Manifest,
    /// SHA-256 of its component, in hexadecimal digits.
    pub sha256: String,
    /// Whose it is.
    pub origin: Origin,
    /// Why it was withdrawn, if it was.
    pub yanked: Option<String>,
    /// Why the tenant stays with it, where all others have a later one of the operator's.
    pub held: Option<Hold>,
}

impl Installed {
    /// One of the operator's folder.
    pub fn built_in(manifest: Manifest, sha256: String) -> Self {
        Self { manifest, sha256, origin: Origin::BuiltIn, yanked: None, held: None }
    }

    /// The version's rows: the tenant's own or the operator's.
    pub fn scope<'a>(&self, tenant: Scope<'a>) -> Scope<'a> {
        match self.origin {
            Origin::Tenant => tenant,
            Origin::BuiltIn | Origin::Operator => Scope::OPERATOR,
        }
    }

    /// Whether runs may use it.
    ///
    /// # Errors
    /// If it was yanked; the error says what to do.
    pub fn usable(&self) -> Result<(), RunError> {
        let Some(reason) = &self.yanked else { return Ok(()) };
        let Manifest { name, version, .. } = &self.manifest;
        let message = format!(
            "version {version} of the connector {name} was yanked ({reason}); approve another version of it, or go back to the one before"
        );
        Err(RunError::new(Kind::Unsupported, Actor::User, message).with_field("connector"))
    }

    /// Whether it may be lent what a connection asks for. The service's own identity is for what the operator has chosen: whoever
    /// writes a connector says where its requests go.
    ///
    /// # Errors
    /// If it may not.
    pub fn may_have(&self, grants: &Grants) -> Result<(), RunError> {
        if self.origin != Origin::Tenant || !(grants.google_identity || grants.google_token_endpoint.is_some()) {
            return Ok(());
        }
        let message =
            "the service's own Google identity is lent to connectors of the operator only, not to uploaded ones";
        Err(RunError::new(Kind::Permission, Actor::User, message).with_field("grants.google_identity"))
    }
}

/// The connectors, by name. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    folder: Arc<BTreeMap<String, Installed>>,
    uploads: Option<Store>,
}

impl Catalogue {
    /// Of these, which lie in the operator's folder; of two with one name the later.
    pub fn new(connectors: impl IntoIterator<Item = Installed>) -> Self {
        let named = connectors.into_iter().map(|connector| (connector.manifest.name.clone(), connector));
        Self { folder: Arc::new(named.collect()), uploads: None }
    }

    /// And of what was uploaded.
    #[must_use]
    pub fn with_uploads(self, store: Store) -> Self {
        Self { uploads: Some(store), ..self }
    }

    /// All that a tenant has, by name.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn all(&self, scope: Scope<'_>) -> Result<Vec<Installed>, RunError> {
        let mut all = BTreeMap::new();
        for connector in self.uploaded(scope, None).await? {
            all.insert(connector.manifest.name.clone(), connector);
        }
        // No upload takes the place of what lies in the folder.
        all.extend(self.folder.iter().map(|(name, connector)| (name.clone(), connector.clone())));
        Ok(all.into_values().collect())
    }

    /// One of them.
    ///
    /// # Errors
    /// If there is none of this name, and the error says which there are; if the store cannot be read.
    pub async fn get(&self, scope: Scope<'_>, name: &str) -> Result<Installed, RunError> {
        if let Some(found) = self.find(scope, name).await? {
            return Ok(found);
        }
        let all = self.all(scope).await?;
        let names: Vec<&str> = all.iter().map(|connector| connector.manifest.name.as_str()).collect();
        let message = format!("there is no connector {name:?}; installed are {}", names.join(", "));
        Err(RunError::new(Kind::Config, Actor::User, message).with_field("connector"))
    }

    /// One of them, if there is one of this name.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn find(&self, scope: Scope<'_>, name: &str) -> Result<Option<Installed>, RunError> {
        if let Some(found) = self.folder.get(name) {
            return Ok(Some(found.clone()));
        }
        // The tenant's own is the later one.
        Ok(self.uploaded(scope, Some(name)).await?.pop())
    }

    /// Whose a name is already, so that a tenant's connector cannot have it.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn taken(&self, name: &str) -> Result<Option<Origin>, RunError> {
        Ok(self.find(Scope::OPERATOR, name).await?.map(|connector| connector.origin))
    }

    /// What was uploaded and is installed: the operator's, then the tenant's own.
    async fn uploaded(&self, scope: Scope<'_>, name: Option<&str>) -> Result<Vec<Installed>, RunError> {
        let Some(store) = &self.uploads else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        for version in store.installed_versions(Scope::OPERATOR, name).await? {
            all.push(installed(version, Origin::Operator)?);
        }
        if scope != Scope::OPERATOR {
            held(store, scope, name, &mut all).await?;
            for version in store.installed_versions(scope, name).await? {
                all.push(installed(version, Origin::Tenant)?);
            }
        }
        Ok(all)
    }
}

/// Puts versions that a tenant stays with in the places of those that the operator has installed since.
async fn held(store: &Store, scope: Scope<'_>, name: Option<&str>, all: &mut [Installed]) -> Result<(), RunError> {
    for hold in store.connector_holds(scope, name).await? {
        let Some(place) = all.iter_mut().find(|one| one.manifest.name == hold.name) else { continue };
        if let Some(version) = store.connector_version(Scope::OPERATOR, &hold.sha256).await? {
            *place = Installed { held: Some(hold), ..installed(version, Origin::Operator)? };
        }
    }
    Ok(())
}

fn installed(version: ConnectorVersion, origin: Origin) -> Result<Installed, RunError> {
    let yanked = (version.state == VersionState::Yanked).then(|| version.reason.unwrap_or_default());
    Ok(Installed {
        manifest: manifest_of(version.new.manifest)?,
        sha256: version.new.sha256,
        origin,
        yanked,
        held: None,
    })
}

/// A manifest as the store keeps it.
///
/// # Errors
/// If this version of Sluice does not read it.
pub fn manifest_of(stored: serde_json::Value) -> Result<Manifest, RunError> {
    serde_json::from_value(stored).map_err(|e| RunError::internal(format!("the manifest of a connector: {e}")))
}
