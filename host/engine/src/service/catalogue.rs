//! The connectors that a service offers, as their manifests describe them.

use std::collections::BTreeMap;
use std::sync::Arc;

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::manifest::Manifest;

/// A connector that is installed.
#[derive(Clone, Debug, PartialEq)]
pub struct Installed {
    /// What it says of itself.
    pub manifest: Manifest,
    /// SHA-256 of its component, in hexadecimal digits.
    pub sha256: String,
}

/// The connectors, by name. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Catalogue(Arc<BTreeMap<String, Installed>>);

impl Catalogue {
    /// Of these; of two with one name the later.
    pub fn new(connectors: impl IntoIterator<Item = Installed>) -> Self {
        let named = connectors.into_iter().map(|connector| (connector.manifest.name.clone(), connector));
        Self(Arc::new(named.collect()))
    }

    /// All of them, by name.
    pub fn all(&self) -> impl Iterator<Item = &Installed> {
        self.0.values()
    }

    /// One of them.
    ///
    /// # Errors
    /// If there is none of this name; the error says which there are.
    pub fn get(&self, name: &str) -> Result<&Installed, RunError> {
        self.0.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.0.keys().map(String::as_str).collect();
            let message = format!("there is no connector {name:?}; installed are {}", names.join(", "));
            RunError::new(Kind::Config, Actor::User, message).with_field("connector")
        })
    }
}
