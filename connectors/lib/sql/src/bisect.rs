//! Cutting a range of keys into parts of about equal rows, where only a database's estimates are at hand.

/// A part of the range, both ends included, and the rows that are expected in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    first: i128,
    last: i128,
    rows: u64,
}

/// Most questions to the database. Estimates are cheap, but not free.
const MAX_QUESTIONS: usize = 4000;

/// Cuts `first..=last` such that each part holds about `wanted` rows; the answer is where parts end (inclusive), without the last
/// one's end. `estimate` says how many rows lie in a range, both ends included.
///
/// Halves what holds too much until nothing does, then joins neighbours that hold little. So gaps in the keys cost a few
/// questions, and no part comes out empty because of them.
///
/// # Errors
/// Those of `estimate`.
pub fn cuts<E>(
    first: i128,
    last: i128,
    wanted: u64,
    mut estimate: impl FnMut(i128, i128) -> Result<u64, E>,
) -> Result<Vec<i128>, E> {
    if first >= last {
        return Ok(Vec::new());
    }
    let wanted = wanted.max(1);
    let mut questions = 1;
    let mut parts = vec![Part { first, last, rows: estimate(first, last)? }];
    // Pieces of a quarter, so that joining them comes close to what is wanted.
    let fine = (wanted / 4).max(1);
    loop {
        let mut halves = Vec::with_capacity(parts.len() * 2);
        let mut halved = false;
        for part in &parts {
            if part.rows <= fine || part.first >= part.last || questions >= MAX_QUESTIONS {
                halves.push(*part);
                continue;
            }
            let middle = part.first + (part.last - part.first) / 2;
            for (first, last) in [(part.first, middle), (middle + 1, part.last)] {
                halves.push(Part { first, last, rows: estimate(first, last)? });
                questions += 1;
            }
            halved = true;
        }
        parts = halves;
        if !halved {
            break;
        }
    }
    Ok(join(&parts, wanted))
}

fn join(parts: &[Part], wanted: u64) -> Vec<i128> {
    let mut ends = Vec::new();
    let mut held = 0_u64;
    for (part, next) in parts.iter().zip(parts.iter().skip(1)) {
        held = held.saturating_add(part.rows);
        // Cut where the next one would lead further away from what is wanted than stopping here.
        if held.saturating_add(next.rows / 2) >= wanted {
            ends.push(part.last);
            held = 0;
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts exactly.
    fn cut(keys: &[i128], wanted: u64) -> (Vec<i128>, Vec<usize>) {
        let count = |a: i128, b: i128| keys.iter().filter(|k| (a..=b).contains(*k)).count();
        let (first, last) = (keys[0], *keys.last().unwrap());
        let ends = cuts(first, last, wanted, |a, b| Ok::<_, ()>(count(a, b) as u64)).unwrap();
        let mut sizes = Vec::new();
        let mut start = first;
        for end in ends.iter().copied().chain([last]) {
            sizes.push(count(start, end));
            start = end + 1;
        }
        (ends, sizes)
    }

    #[test]
    fn even_keys_make_even_parts() {
        let keys: Vec<i128> = (0..10_000).collect();
        let (_, sizes) = cut(&keys, 1000);
        assert_eq!(sizes.iter().sum::<usize>(), 10_000);
        assert!((8..=13).contains(&sizes.len()) && sizes.iter().all(|size| (600..=1500).contains(size)), "{sizes:?}");
    }

    #[test]
    fn a_gap_as_wide_as_the_type_does_not_unbalance() {
        let mut keys: Vec<i128> = (0..1000).collect();
        keys.extend((0..1000).map(|k| i128::from(u64::MAX) - 1000 + k));
        let (_, sizes) = cut(&keys, 250);
        assert!((6..=10).contains(&sizes.len()) && sizes.iter().all(|size| *size <= 450), "{sizes:?}");
    }

    #[test]
    fn little_is_not_cut() {
        assert_eq!(cut(&[5], 10).0, [0_i128; 0]);
        assert_eq!(cut(&[1, 2, 3], 10).0, [0_i128; 0]);
    }

    #[test]
    fn a_database_that_estimates_nonsense_is_asked_only_so_often() {
        let mut asked = 0;
        let ends = cuts(0, i128::from(u64::MAX), 1, |_, _| {
            asked += 1;
            Ok::<_, ()>(1_000_000)
        });
        assert!(asked <= MAX_QUESTIONS + 2 && ends.unwrap().len() <= MAX_QUESTIONS);
    }
}
