//! A stream of a million files is planned in less memory than a sandbox has.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed assertion is how a test fails")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sluice_files::{Files, Object, ObjectPage, Objects, Options, StreamConfig};
use sluice_sdk::{Hints, ReadMode, Result, Selection};

/// Counts what is allocated, and the most that ever was.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MOST.fetch_max(NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are those that the system asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const FILES: u64 = 1_000_000;
const PAGE: u64 = 1000;
const CONTENT: &[u8] = b"id\n1\n";

/// A bucket of a million objects that exist only as long as they are looked at.
struct Bucket;

fn object(number: u64) -> Object {
    // Nothing in a mark is like anything in another.
    let digest = u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    Object {
        key: format!("events/year=2026/day={:03}/part-{number:08}.csv", number / 4000),
        size: CONTENT.len() as u64,
        modified_ms: Some(1_770_000_000_000 + (number * 7919 % 86_400_000) as i64),
        etag: Some(format!("\"{digest:032x}\"")),
    }
}

impl Objects for Bucket {
    fn place(&self) -> String {
        "s3://million".into()
    }

    fn list(&self, _prefix: &str, page: Option<&str>) -> Result<ObjectPage> {
        let from: u64 = page.map_or(0, |page| page.parse().unwrap());
        let to = (from + PAGE).min(FILES);
        Ok(ObjectPage { objects: (from..to).map(object).collect(), next: (to < FILES).then(|| to.to_string()) })
    }

    fn verify(&self, _object: &Object) -> Result<()> {
        Ok(())
    }

    fn open(&self, _object: &Object, range: Range<u64>) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(&CONTENT[range.start as usize..range.end as usize]))
    }
}

#[test]
fn a_million_new_files_are_planned_within_a_sandbox() {
    let stream = StreamConfig { name: "t".into(), glob: "events/**/*.csv".into(), options: None };
    let files = Files::new(Arc::new(Bucket), vec![stream], Options::default()).unwrap();
    let selection = Selection {
        id: "t".into(),
        columns: Vec::new(),
        mode: ReadMode::Incremental(String::new()),
        filter: None,
        changed_files: None,
        state: None,
    };
    let hints = Hints { max_parallel: 2, split_bytes: 256 << 20, batch_bytes: 1 << 20 };
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let plan = files.plan(&[selection], &hints).unwrap();
    let most = (MOST.load(Ordering::Relaxed) - before) >> 20;
    let descriptors: usize = plan.splits.iter().map(|split| split.descriptor.len()).sum();
    assert_eq!(plan.streams[0].bytes, Some(FILES * CONTENT.len() as u64));
    assert!(plan.splits.iter().all(|split| split.descriptor.len() <= 1 << 20));
    // 256 MiB are what an instance has by default, for its code's own data and a page of the listing as well.
    assert!(
        most < 128,
        "{most} MiB at the most, descriptors of {} KiB in {} splits",
        descriptors >> 10,
        plan.splits.len()
    );
}
