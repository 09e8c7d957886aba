//! Lets a test kill the process, as `kill -9` would, at a named point of the path of the data. Only in builds with the
//! feature `failpoints`; no release has it.

/// Arms the point that `SLUICE_KILL_AT` names: `commit.visible`, or `batch.written*3` for the third time it is passed.
#[cfg(feature = "failpoints")]
pub(crate) fn arm() {
    use std::sync::atomic::{AtomicU64, Ordering};

    let Ok(wanted) = std::env::var("SLUICE_KILL_AT") else { return };
    let (name, times) = wanted.split_once('*').unwrap_or((&wanted, "1"));
    let Ok(times) = times.parse::<u64>() else { return };
    assert!(sluice_engine::POINTS.contains(&name), "there is no point named {name}");
    let passed = AtomicU64::new(0);
    let armed = fail::cfg_callback(name, move || {
        if passed.fetch_add(1, Ordering::SeqCst) + 1 == times {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            std::thread::sleep(std::time::Duration::from_secs(60));
        }
    });
    assert!(armed.is_ok(), "the point {name} cannot be armed");
}

/// Nothing to arm in this build.
#[cfg(not(feature = "failpoints"))]
pub(crate) fn arm() {}
