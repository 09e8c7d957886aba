//! Guests that misbehave, one attack for each promise of the sandbox: see `examples/`. What is expected of the host stands in
//! `tests/tests/sandbox.rs`.
