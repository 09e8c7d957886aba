//! What the operator decides about the sandbox as a whole.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of a [`crate::Runtime`].
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder for compiled components; none compiles each time.
    pub cache: Option<PathBuf>,
    /// Instances alive at once.
    pub instances: u32,
    /// How often a computing guest is interrupted, to yield and to look at its deadline.
    pub tick: Duration,
    /// Stack of a guest, bytes.
    pub stack_bytes: usize,
    /// Largest component that is compiled, bytes.
    pub component_bytes: u64,
    /// Tells `perf` what the guests' functions are called, in `/tmp/perf-<pid>.map`.
    pub perf_map: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cache: None,
            instances: 64,
            tick: Duration::from_millis(10),
            stack_bytes: 1 << 20,
            component_bytes: 64 << 20,
            perf_map: false,
        }
    }
}
