//! How many requests one may send: so many at once, and so many per second after that. Counted by credential, and by address where
//! nobody is signed in. Each process counts for itself, in bounded memory.
//!
//! A bucket is one number, the moment at which it is full again (the "generic cell rate algorithm"), and one that is full is forgotten.
//! That is little enough to be written here, with the clock as an argument.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ipnet::IpNet;

use super::client::Client;
use super::problem::{Problem, Slug};

/// Buckets at once. Whoever comes when there are so many shares one with all who do.
const MOST: usize = 20_000;

/// How often full buckets are looked for when there is no room for another.
const SWEEP_US: i64 = 1_000_000;

/// How many requests are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In the long run.
    pub per_second: u32,
    /// At once.
    pub burst: u32,
}

/// What the operator decides about requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests of one session or token.
    pub credential: Rate,
    /// Requests of one address that show no good credential.
    pub address: Rate,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpNet>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            credential: Rate { per_second: 50, burst: 200 },
            address: Rate { per_second: 10, burst: 100 },
            proxies: Vec::new(),
        }
    }
}

/// Counts requests.
pub(crate) struct Limiters {
    credentials: Buckets,
    addresses: Buckets,
}

impl Limiters {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { credentials: Buckets::new(limits.credential, MOST), addresses: Buckets::new(limits.address, MOST) }
    }

    /// Counts a request of a session or token.
    pub(crate) fn credential(&self, id: &str, now_us: i64) -> Result<(), Problem> {
        self.credentials.take(id, now_us).map_err(|wait| too_many("this session or token sends", wait))
    }

    /// Counts a request that shows no good credential.
    pub(crate) fn address(&self, client: Client, now_us: i64) -> Result<(), Problem> {
        self.addresses.take(&client.key(), now_us).map_err(|wait| too_many("your address sends", wait))
    }
}

fn too_many(who: &str, wait_us: i64) -> Problem {
    let seconds = u64::try_from(wait_us).unwrap_or(0).div_ceil(1_000_000).max(1);
    let detail = format!("{who} more requests than are answered; come back in {seconds} s");
    Problem::new(Slug::TooManyRequests, detail).retry_after(seconds)
}

struct Buckets {
    interval_us: i64,
    capacity_us: i64,
    most: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    full_at_us: HashMap<String, i64>,
    swept_us: i64,
}

impl Buckets {
    fn new(rate: Rate, most: usize) -> Self {
        let interval_us = 1_000_000 / i64::from(rate.per_second.clamp(1, 1_000_000));
        let capacity_us = interval_us * i64::from(rate.burst.max(1));
        Self { interval_us, capacity_us, most, inner: Mutex::default() }
    }

    /// Takes one out of the bucket, or says how long there will be none.
    fn take(&self, key: &str, now_us: i64) -> Result<(), i64> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let key = if inner.has_room(key, self.most, now_us) { key } else { "" };
        let full_at = inner.full_at_us.get(key).copied().unwrap_or(now_us);
        // Further ahead than a bucket is deep means that the clock was set back, which must not lock anybody out: it begins anew.
        let possible = full_at <= now_us.saturating_add(self.capacity_us);
        let full_at = if possible { full_at.max(now_us) } else { now_us };
        let then = full_at.saturating_add(self.interval_us);
        let wait = then - now_us - self.capacity_us;
        if wait > 0 {
            return Err(wait);
        }
        inner.full_at_us.insert(key.to_owned(), then);
        Ok(())
    }
}

impl Inner {
    fn has_room(&mut self, key: &str, most: usize, now_us: i64) -> bool {
        if self.full_at_us.len() < most || self.full_at_us.contains_key(key) {
            return true;
        }
        if (now_us - self.swept_us).abs() >= SWEEP_US {
            self.swept_us = now_us;
            self.full_at_us.retain(|_, full_at| *full_at > now_us);
        }
        self.full_at_us.len() < most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(most: usize) -> Buckets {
        Buckets::new(Rate { per_second: 10, burst: 3 }, most)
    }

    #[test]
    fn a_burst_is_answered_and_then_as_many_as_come_back() {
        let buckets = buckets(9);
        for _ in 0..3 {
            assert_eq!(buckets.take("a", 1_000), Ok(()));
        }
        assert_eq!(buckets.take("a", 1_000), Err(100_000));
        assert_eq!(buckets.take("b", 1_000), Ok(()), "others are not concerned");
        assert_eq!(buckets.take("a", 101_000), Ok(()));
        assert_eq!(buckets.take("a", 101_000), Err(100_000));
        assert_eq!(buckets.take("a", -9_000_000_000), Ok(()), "nobody is locked out by a clock that was set back");
    }

    #[test]
    fn memory_is_bounded() {
        let buckets = buckets(2);
        let all: Vec<bool> = (0..9).map(|n| buckets.take(&n.to_string(), 0).is_ok()).collect();
        assert_eq!(all, [true, true, true, true, true, false, false, false, false], "two alone, the rest shares three");
        assert_eq!(buckets.inner.lock().unwrap().full_at_us.len(), 3);
        assert_eq!(buckets.take("10", 2_000_000), Ok(()));
        assert_eq!(buckets.inner.lock().unwrap().full_at_us.len(), 1, "full ones are forgotten");
    }
}
