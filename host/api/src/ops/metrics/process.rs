//! The process itself, under the names that Prometheus's own libraries use. From `/proc`; what is not there is left out.

use std::fs;

use sluice_core::metrics::Text;

/// The kernel counts a process's time in hundredths of a second, whatever its own clock does.
const TICKS: f64 = 100.0;

pub(super) fn write(text: &mut Text) {
    // The name of the program is in parentheses and may hold anything; the fields after it are numbered from 3.
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    if let (Some(user), Some(system)) = (field(14), field(15)) {
        let help = "Time of processors that this process used; its workers are not in it.";
        text.counter("process_cpu_seconds_total", help, (user + system) / TICKS);
    }
    let booted = fs::read_to_string("/proc/stat").ok().and_then(|stat| {
        stat.lines().find_map(|line| line.strip_prefix("btime ")).and_then(|seconds| seconds.parse::<f64>().ok())
    });
    if let (Some(booted), Some(started)) = (booted, field(22)) {
        let help = "When this process started, seconds since 1970.";
        text.gauge("process_start_time_seconds", help, booted + started / TICKS);
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok())
    };
    if let Some(resident) = kilobytes("VmRSS:") {
        let help = "Memory that this process holds; its workers' is not in it.";
        text.gauge("process_resident_memory_bytes", help, resident << 10);
    }
    if let Some(all) = kilobytes("VmSize:") {
        text.gauge("process_virtual_memory_bytes", "Addresses that this process uses.", all << 10);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        text.gauge("process_open_fds", "Files and sockets that are open.", open.count());
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let most = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    if let Some(most) = most.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()) {
        text.gauge("process_max_fds", "Files and sockets that may be open.", most);
    }
}
