//! No rows where there always are some.
//!
//! The statistic is a plain one, so that a person can check it: a stream that had no rows in `k` of its last `n` complete runs is
//! expected to have none in `(k + 1) / (n + 2)` of them (Laplace's rule of succession). A run without rows is an anomaly if
//! that is at most one in ten, and at least eight runs are known. So a stream that was never empty is told of from its ninth run on, one
//! that is empty every weekend never, and one that stays empty is told of at most three times in thirty runs.

/// Runs that are looked back at.
pub const LOOK_BACK: usize = 30;

/// Fewest runs from which anything is concluded.
const FEWEST: usize = 8;

/// Whether a complete run of a stream that had `rows` rows is an anomaly, given the rows of the complete runs before it, the newest
/// first.
pub fn zero_rows(rows: u64, before: &[u64]) -> bool {
    let known = before.len().min(LOOK_BACK);
    let empty = before.iter().take(known).filter(|rows| **rows == 0).count();
    rows == 0 && known >= FEWEST && (empty + 1) * 10 <= known + 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_run_after_eight_that_had_rows_is_an_anomaly() {
        assert!(zero_rows(0, &[5; 8]));
        assert!(!zero_rows(0, &[5; 7]), "too little is known");
        assert!(!zero_rows(1, &[500; 30]), "few rows are not none");
    }

    #[test]
    fn a_stream_that_is_empty_at_weekends_is_not_an_anomaly() {
        let weeks: Vec<u64> = (0..28).map(|day| if day % 7 < 2 { 0 } else { 100 }).collect();
        assert!(!zero_rows(0, &weeks));
    }

    #[test]
    fn a_stream_that_stays_empty_is_told_of_three_times() {
        let mut history = vec![9; 30];
        let mut told = 0;
        for _ in 0..60 {
            told += u32::from(zero_rows(0, &history));
            history.insert(0, 0);
        }
        assert_eq!(told, 3);
    }

    #[test]
    fn only_the_last_thirty_runs_count() {
        let mut history = vec![3; 30];
        history.extend([0; 500]);
        assert!(zero_rows(0, &history));
    }
}
