//! Cutting tables into ranges of about equal bytes.

use std::ops::Range;

/// Most splits that one stream is cut into: beyond that, planning costs more than balance gains.
pub const MAX_SPLITS: u64 = 1000;

/// How many splits this many bytes are worth.
pub fn count(bytes: u64, split_bytes: u64) -> u64 {
    bytes.div_ceil(split_bytes.max(1)).clamp(1, MAX_SPLITS)
}

/// Cuts block numbers into at most `parts` ranges, such that each holds about the same number of blocks when range `a..b`
/// stands for the blocks `a..b` of *every* relation of these sizes (a table has one, a partitioned table many). The last
/// range ends at the largest size.
pub fn cut(sizes: &[u64], parts: u64) -> Vec<Range<u64>> {
    let end = sizes.iter().copied().max().unwrap_or(0);
    let total: u64 = sizes.iter().sum();
    let parts = parts.clamp(1, MAX_SPLITS).min(end.max(1));
    let mut ranges = Vec::new();
    let mut start = 0;
    for part in 1..=parts {
        let wanted = u64::try_from(u128::from(total) * u128::from(part) / u128::from(parts)).unwrap_or(total);
        let stop = if part == parts { end } else { block_after(sizes, wanted, end) };
        if stop > start || part == parts {
            ranges.push(start..stop);
            start = stop;
        }
    }
    ranges
}

/// The first block number up to which the relations together hold `wanted` blocks.
fn block_after(sizes: &[u64], wanted: u64, end: u64) -> u64 {
    let held = |block: u64| sizes.iter().map(|size| (*size).min(block)).sum::<u64>();
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        if held(middle) < wanted { low = middle + 1 } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_cut_into_equal_ranges_without_gaps() {
        assert_eq!(cut(&[100], 4), [0..25, 25..50, 50..75, 75..100]);
        assert_eq!(cut(&[3], 8), [0..1, 1..2, 2..3]);
        for empty in [&[0][..], &[]] {
            assert_eq!(cut(empty, 8).as_slice(), std::slice::from_ref(&(0..0)));
        }
    }

    #[test]
    fn partitions_of_different_sizes_are_cut_by_what_lies_in_all_of_them() {
        // Ten small ones of 10 blocks and one of 100: the first ten block numbers hold 110 of 200 blocks.
        let mut sizes = vec![10; 10];
        sizes.push(100);
        let ranges = cut(&sizes, 2);
        assert_eq!(ranges.len(), 2);
        let held = |r: &Range<u64>| sizes.iter().map(|s| (*s).min(r.end) - (*s).min(r.start)).sum::<u64>();
        assert_eq!(ranges.iter().map(held).sum::<u64>(), 200);
        assert!(ranges.iter().all(|r| held(r).abs_diff(100) <= 11), "{ranges:?}");
    }

    #[test]
    fn splits_follow_the_bytes_within_bounds() {
        assert_eq!(count(0, 256), 1);
        assert_eq!(count(257, 256), 2);
        assert_eq!(count(u64::MAX, 1), MAX_SPLITS);
        assert_eq!(count(10, 0), 10);
    }
}
