//! What the kernel says of a process.

use anyhow::{Context, Result};

/// Resident memory, and the share of it that is this process's own or its part of what is shared, bytes.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) resident: u64,
    pub(crate) proportional: u64,
}

/// This process's memory.
pub(crate) fn memory() -> Result<Memory> {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let field = |name: &str| -> Result<u64> {
        let line = text.lines().find(|line| line.starts_with(name)).with_context(|| format!("{name} is not told"))?;
        let kilobytes: u64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
        Ok(kilobytes * 1024)
    };
    Ok(Memory { resident: field("Rss:")?, proportional: field("Pss:")? })
}

/// Processor time that a process has had, seconds.
pub(crate) fn processor(pid: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold spaces.
    let (_, rest) = text.rsplit_once(')').context("a process's name")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |index: usize| -> Result<f64> { Ok(fields.get(index).context("a field")?.parse::<f64>()?) };
    // User and system time, in the hundredths that Linux shows on every machine.
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}
