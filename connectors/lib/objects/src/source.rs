//! An object store as a source.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use sluice_files::Files;
use sluice_sdk::{
    CheckStep, ConfigSchema, ConnectorManifest, Cursor, DiscoverFilter, DiscoverPage, Hints, Output, Plan, Result,
    Selection, Source, Split,
};

use crate::check::check;
use crate::config::ObjectsConfig;
use crate::provider::Provider;
use crate::store::Store;

/// What an object store has of its own: a manifest, and what its configuration means.
pub trait ObjectStore: ConnectorManifest + 'static {
    /// The configuration; [`ObjectsConfig`] is flattened into it.
    type Config: ConfigSchema + DeserializeOwned;

    /// Takes the configuration. Nothing is sent.
    ///
    /// # Errors
    /// `config` for what the schema cannot say.
    fn open(config: Self::Config) -> Result<Opened>;
}

/// A store that is configured.
pub struct Opened {
    store: Store,
    config: ObjectsConfig,
    signing: String,
}

impl Opened {
    /// A store that is asked in this way. `signing` says how requests are signed, for a check.
    pub fn new(provider: impl Provider, config: ObjectsConfig, signing: impl Into<String>) -> Self {
        Self { store: Store::new(provider, &config.prefix), config, signing: signing.into() }
    }
}

/// The source that reads files of a store.
pub struct ObjectSource<S> {
    store: Store,
    files: Files,
    signing: String,
    kind: std::marker::PhantomData<S>,
}

impl<S: ObjectStore> ConnectorManifest for ObjectSource<S> {
    const MANIFEST: &'static str = S::MANIFEST;
}

impl<S: ObjectStore> Source for ObjectSource<S> {
    type Config = S::Config;

    fn open(config: S::Config) -> Result<Self> {
        let Opened { store, config, signing } = S::open(config)?;
        let files = Files::new(Arc::new(store.clone()), config.streams, config.options)?;
        Ok(Self { store, files, signing, kind: std::marker::PhantomData })
    }

    fn check(&mut self) -> Result<Vec<CheckStep>> {
        check(&self.store, &self.files, &self.signing)
    }

    fn discover(&mut self, filter: &DiscoverFilter, page: Option<&str>) -> Result<DiscoverPage> {
        self.files.discover(filter, page)
    }

    fn plan(&mut self, selections: &[Selection], hints: &Hints) -> Result<Plan> {
        self.files.plan(selections, hints)
    }

    fn read(&mut self, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
        self.files.read(split, start, output)
    }
}
