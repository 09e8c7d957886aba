//! Guessing passwords is made slow, by account and by address: after a few failures each further one doubles the time until the next
//! try. The answer is the same whether there is such an account or not, and the right password waits as long as a wrong one.
//!
//! A window of an hour begins with the first failure. Within it, the `n`th try may come only so long after its beginning; a window that
//! is over is forgotten. So an account takes some 16 guesses an hour, an address some 64, on however many hosts.

use sha2::{Digest, Sha256};
use sluice_core::hex;
use sluice_store::Failures;

use crate::http::client::Client;
use crate::http::problem::{Problem, Slug};
use crate::state::App;

/// A window is over after so long.
pub(crate) const WINDOW_US: i64 = 3_600 * 1_000_000;

/// How often one may fail, and how fast waiting grows after that.
#[derive(Clone, Copy)]
struct Patience {
    /// Failures without a wait.
    free: u64,
    /// As many more double it.
    doubles: u64,
}

/// Of one account.
const ACCOUNT: Patience = Patience { free: 5, doubles: 1 };

/// Of one address, behind which there may be a whole company.
const ADDRESS: Patience = Patience { free: 20, doubles: 4 };

/// A try that may be made.
pub(crate) struct Try {
    account: String,
    address: String,
}

impl Try {
    /// Asks whether the password of an account may be tried from there, and counts the try against the account. A success takes it back;
    /// many at once are counted before any of them is known to have failed.
    ///
    /// # Errors
    /// If there were too many; says when to come back.
    pub(crate) async fn begin(app: &App, email: &str, client: Client) -> Result<Self, Problem> {
        // The store needs no second list of addresses.
        let account = format!("account {}", hex(&Sha256::digest(email.as_bytes())));
        let address = format!("address {}", client.key());
        let now = app.now_us();
        let (store, wait) = (&app.store, |seen, patience| wait_us(seen, patience, now));
        may(wait(store.failures(&address, WINDOW_US, now).await?, ADDRESS))?;
        may(wait(store.failures(&account, WINDOW_US, now).await?, ACCOUNT))?;
        let counted = store.count_failure(&account, WINDOW_US, now).await?;
        // Others may have come in between.
        may(wait(Failures { count: counted.count.saturating_sub(1), ..counted }, ACCOUNT))?;
        Ok(Self { account, address })
    }

    /// It was the wrong password.
    pub(crate) async fn failed(self, app: &App) -> Result<(), Problem> {
        app.store.count_failure(&self.address, WINDOW_US, app.now_us()).await?;
        Ok(())
    }

    /// It was the right one. The address's failures stay: whoever has one good account could otherwise guess at others for ever.
    pub(crate) async fn succeeded(self, app: &App) -> Result<(), Problem> {
        Ok(app.store.clear_failures(&self.account).await?)
    }
}

/// How long it is until the next try, counted from the window's beginning.
fn wait_us(seen: Failures, patience: Patience, now_us: i64) -> i64 {
    let Some(more) = seen.count.checked_sub(patience.free) else { return 0 };
    let doublings = u32::try_from(more / patience.doubles).unwrap_or(u32::MAX).saturating_add(1).min(20);
    let after_us = (1_i64 << doublings).saturating_mul(1_000_000).min(WINDOW_US);
    seen.since_us.saturating_add(after_us).saturating_sub(now_us)
}

fn may(wait_us: i64) -> Result<(), Problem> {
    if wait_us <= 0 {
        return Ok(());
    }
    let seconds = u64::try_from(wait_us).unwrap_or(0).div_ceil(1_000_000);
    let detail = format!("there were too many failed attempts; try again in {seconds} s");
    Err(Problem::new(Slug::TooManyRequests, detail).retry_after(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_begins_after_a_few_failures_and_doubles() {
        let wait = |count| wait_us(Failures { count, since_us: 0 }, ACCOUNT, 0) / 1_000_000;
        assert_eq!([4, 5, 6, 7, 10, 99].map(wait), [0, 2, 4, 8, 64, 3_600]);
        let wait = |count| wait_us(Failures { count, since_us: 0 }, ADDRESS, 0) / 1_000_000;
        assert_eq!([19, 20, 23, 24, 60].map(wait), [0, 2, 2, 4, 2_048]);
    }

    #[test]
    fn an_hour_takes_some_sixteen_guesses_at_an_account() {
        let tries =
            (0..).take_while(|count| wait_us(Failures { count: *count, since_us: 0 }, ACCOUNT, WINDOW_US - 1) <= 0);
        assert_eq!(tries.count(), 16);
    }
}
