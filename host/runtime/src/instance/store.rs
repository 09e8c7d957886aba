//! What the host keeps for one instance, and how much of the machine it may have.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sluice_core::limits::InstanceLimits;
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::engine::TABLE_ELEMENTS;
use crate::fault::Fault;
use crate::http::Hooks;
use crate::imports::folder::Room;
use crate::imports::items::PlanItems;
use crate::imports::log::Log;
use crate::imports::output::Output;
use crate::net::Network;
use crate::tape::Tape;

/// The data of one store.
pub(crate) struct StoreData {
    pub(crate) table: ResourceTable,
    pub(crate) wasi: WasiCtx,
    pub(crate) http: WasiHttpCtx,
    pub(crate) hooks: Hooks,
    pub(crate) limiter: Limiter,
    pub(crate) output: Output,
    pub(crate) items: PlanItems,
    pub(crate) log: Log,
    pub(crate) network: Network,
    /// Files of granted folders that are read ahead.
    pub(crate) room: Room,
    /// Where what passes is taken down.
    pub(crate) tape: Option<Tape>,
}

impl WasiView for StoreData {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for StoreData {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

/// Ends a guest that asks for more than it may have, with an error that names the limit, instead of letting the allocation
/// fail inside the guest, where it would look like a crash.
pub(crate) struct Limiter {
    memory: usize,
    used: usize,
    /// The same, for whoever holds the instance.
    told: Arc<AtomicU64>,
}

impl Limiter {
    pub(crate) fn new(limits: &InstanceLimits) -> Self {
        Self { memory: usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX), used: 0, told: Arc::default() }
    }

    /// Bytes of memory in use, as they grow.
    pub(crate) fn used(&self) -> Arc<AtomicU64> {
        self.told.clone()
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        // A component may have several memories; the limit is on their sum.
        let asked = self.used.saturating_sub(current).saturating_add(desired);
        if asked > self.memory {
            return Err(Fault::Memory { asked, limit: self.memory }.into());
        }
        self.used = asked;
        self.told.store(asked as u64, Ordering::Relaxed);
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS {
            return Err(Fault::Table { asked: desired, limit: TABLE_ELEMENTS }.into());
        }
        Ok(true)
    }
}
