//! Clocks and random numbers of an instance that keeps a tape.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use sluice_core::recording::Event;
use wasmtime_wasi::{Deterministic, HostMonotonicClock, HostWallClock, WasiCtxBuilder};

use super::Tape;

/// Random bytes of an instance, which come again after these. A recording is no place for more.
const RANDOM_BYTES: usize = 64 << 10;

/// Gives a guest the clocks and random numbers of its tape.
pub(crate) fn surroundings(wasi: &mut WasiCtxBuilder, tape: &Tape) {
    let seed = tape.lock().log.random.clone();
    let block = |counter: usize| Sha256::digest(format!("{seed}/{counter}"));
    let bytes: Vec<u8> = (0..RANDOM_BYTES / 32).flat_map(block).collect();
    let insecure = block(RANDOM_BYTES).iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte));
    wasi.secure_random(Deterministic::new(bytes.clone()))
        .insecure_random(Deterministic::new(bytes))
        .insecure_random_seed(insecure)
        .wall_clock(Wall(tape.clone()))
        .monotonic_clock(Monotonic { tape: tape.clone(), origin: Instant::now() });
}

struct Wall(Tape);

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    #[expect(clippy::disallowed_methods, reason = "a guest's own clock tells the time of day")]
    fn now(&self) -> Duration {
        let real = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let nanoseconds = self.0.played(|player| player.wall_clock());
        let now = nanoseconds.map_or_else(real, Duration::from_nanos);
        self.0.push(Event::WallClock(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)), 0);
        now
    }
}

struct Monotonic {
    tape: Tape,
    origin: Instant,
}

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        1_000
    }

    fn now(&self) -> u64 {
        let real = || u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let now = self.tape.played(|player| player.monotonic_clock()).unwrap_or_else(real);
        self.tape.push(Event::MonotonicClock(now), 0);
        now
    }
}
