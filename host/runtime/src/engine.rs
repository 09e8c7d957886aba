//! The one engine of a process: how guests are compiled and interrupted, and what they can link against.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sluice_core::RunError;
use wasmtime::component::Linker;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, ProfilingStrategy};

use crate::contract;
use crate::imports::{folder, sockets, wasi};
use crate::instance::store::StoreData;
use crate::settings::Settings;

/// Most elements of a guest's table; a large component in Rust has some thousands.
pub(crate) const TABLE_ELEMENTS: usize = 100_000;

/// A configured engine with its linker and the thread that ticks its epochs.
pub(crate) struct Sandbox {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<StoreData>,
    stopped: Arc<AtomicBool>,
}

impl Sandbox {
    pub(crate) fn new(settings: &Settings) -> Result<Self, RunError> {
        let engine = Engine::new(&config(settings)).map_err(|e| unusable(&e))?;
        let mut linker = Linker::new(&engine);
        wasi::add_to_linker(&mut linker).map_err(|e| unusable(&e))?;
        sockets::refuse(&mut linker).map_err(|e| unusable(&e))?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).map_err(|e| unusable(&e))?;
        folder::read_ahead(&mut linker).map_err(|e| unusable(&e))?;
        contract::add_to_linker(&mut linker).map_err(|e| unusable(&e))?;
        let stopped = Arc::new(AtomicBool::new(false));
        tick(&engine, settings, stopped.clone())?;
        Ok(Self { engine, linker, stopped })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

fn config(settings: &Settings) -> Config {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(settings.instances)
        .total_core_instances(settings.instances.saturating_mul(8))
        .total_memories(settings.instances.saturating_mul(2))
        .total_tables(settings.instances.saturating_mul(8))
        .total_stacks(settings.instances)
        .max_core_instances_per_component(16)
        .max_memories_per_component(2)
        .max_tables_per_component(16)
        // The sum of all core instances' bookkeeping; a component made by a Python or JavaScript toolchain has large ones.
        .max_component_instance_size(8 << 20)
        .max_core_instance_size(4 << 20)
        .table_elements(TABLE_ELEMENTS);
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(settings.stack_bytes)
        // Host functions run on the same fiber, so they get as much again.
        .async_stack_size(settings.stack_bytes.saturating_mul(2))
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .memory_init_cow(true)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(20));
    if settings.perf_map {
        config.profiler(ProfilingStrategy::PerfMap);
    }
    config
}

/// Ticks the epochs until the sandbox is dropped. A thread of its own, because a busy executor must not delay it.
fn tick(engine: &Engine, settings: &Settings, stopped: Arc<AtomicBool>) -> Result<(), RunError> {
    let weak = engine.weak();
    let tick = settings.tick;
    let body = move || {
        while !stopped.load(Ordering::Relaxed) {
            std::thread::sleep(tick);
            match weak.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => return,
            }
        }
    };
    std::thread::Builder::new()
        .name("sluice-epochs".into())
        .spawn(body)
        .map(drop)
        .map_err(|e| RunError::internal(format!("cannot start the thread that interrupts guests: {e}")))
}

fn unusable(error: &wasmtime::Error) -> RunError {
    RunError::internal(format!("the sandbox cannot be set up on this machine: {error:#}"))
}
