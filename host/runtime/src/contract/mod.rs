//! The versions of the contract that this host speaks, each behind one trait, so that nothing above knows which it is.
//!
//! To add a breaking version: a folder beside `v0_1` with its bindings, its imports and an implementation of [`Guest`], and a
//! line in [`Version::of_export`], [`add_to_linker`], [`fits`] and [`instantiate`].

use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::plan::{CheckStep, Cursor, DiscoverFilter, DiscoverPage, PlanHints, ReadPlan, Selection, Split};
use wasmtime::Store;
use wasmtime::component::{InstancePre, Linker};

use crate::instance::store::StoreData;

mod v0_1;

/// A version of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `sluice:source@0.1.x`.
    V0_1,
}

/// The versions that this host speaks, for messages.
pub(crate) const SPOKEN: &str = "0.1";

impl Version {
    /// The version that an export's name states (`sluice:source/source@0.1.0`), if this host speaks it.
    pub(crate) fn of_export(version: &str) -> Option<Self> {
        let mut parts = version.split('.');
        matches!((parts.next(), parts.next()), (Some("0"), Some("1"))).then_some(Self::V0_1)
    }
}

/// What a call of a guest comes to: its own typed error, or the error of the sandbox that ended it.
pub(crate) type Called<T> = wasmtime::Result<Result<T, RunError>>;

/// An instantiated connector, whatever its version.
#[async_trait]
pub(crate) trait Guest: Send {
    async fn check(&self, store: &mut Store<StoreData>, config: &str) -> Called<Vec<CheckStep>>;
    async fn discover(
        &self,
        store: &mut Store<StoreData>,
        config: &str,
        filter: &DiscoverFilter,
        page: Option<&str>,
    ) -> Called<DiscoverPage>;
    async fn plan(
        &self,
        store: &mut Store<StoreData>,
        config: &str,
        selections: &[Selection],
        hints: PlanHints,
    ) -> Called<ReadPlan>;
    async fn read(
        &self,
        store: &mut Store<StoreData>,
        config: &str,
        split: &Split,
        start: Option<&Cursor>,
    ) -> Called<()>;
    async fn acknowledge(
        &self,
        store: &mut Store<StoreData>,
        config: &str,
        stream: &str,
        cursor: &Cursor,
    ) -> Called<()>;
    async fn close(&self, store: &mut Store<StoreData>) -> Called<()>;
}

/// Adds the imports of every version.
pub(crate) fn add_to_linker(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
    v0_1::add_to_linker(linker)
}

/// Whether a linked component exports what its version says, with the types that it says.
pub(crate) fn fits(version: Version, pre: &InstancePre<StoreData>) -> wasmtime::Result<()> {
    match version {
        Version::V0_1 => v0_1::fits(pre),
    }
}

/// Instantiates a component of a version.
pub(crate) async fn instantiate(
    version: Version,
    pre: &InstancePre<StoreData>,
    store: &mut Store<StoreData>,
) -> wasmtime::Result<Box<dyn Guest>> {
    match version {
        Version::V0_1 => v0_1::instantiate(pre, store).await,
    }
}
