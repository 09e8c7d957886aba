//! Bounds of a worker that looks at what anybody may have sent.

use rustix::process::{Resource, Rlimit, setrlimit};
use sluice_core::RunError;

/// Seconds of processor time, of all threads together.
const CPU_SECONDS: u64 = 120;

/// Memory that can be written, bytes. The address space cannot be bounded: the sandbox reserves terabytes of it that nobody uses.
const MEMORY: u64 = 3 << 30;

/// Lets this process have little of anything from now on: what would take for ever, or all memory, ends it and nothing else.
pub(super) fn confine() -> Result<(), RunError> {
    bound(Resource::Cpu, CPU_SECONDS)?;
    bound(Resource::Data, MEMORY)
}

fn bound(resource: Resource, most: u64) -> Result<(), RunError> {
    let limit = Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(resource, limit).map_err(|e| RunError::internal(format!("a worker cannot bound itself: {e}")))
}
