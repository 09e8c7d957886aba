//! Named points between the steps of a load, at which a test can kill the process. They compile to nothing unless the binary
//! is built with its `failpoints` feature. `docs/failpoints.md` lists them with what each proves.

/// Every point, in the order in which a load passes them.
pub const POINTS: [&str; 12] = [
    "run.begun",
    "stream.planned",
    "stream.prepared",
    "ledger.opened",
    "batch.read",
    "batch.written",
    "ledger.finalized",
    "commit.permitted",
    "commit.recorded",
    "commit.marked",
    "commit.visible",
    "commit.applied",
];

/// Passes a point.
#[inline]
pub(crate) fn pass(name: &'static str) {
    let _ = name;
    fail::fail_point!(name);
}
