//! `sluice admin rewrap`: wraps the keys of all tenants anew with the first of the master keys, while the service runs or not.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, json};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_store::{MasterKeys, Rewrapped, Store, Vault};

use super::serve::{keys, parts};
use super::{failed, migrate};
use crate::cli::{Options, RewrapArgs};
use crate::wire;

/// How often a program is told how far it is.
const TELL: Duration = Duration::from_secs(1);

pub(crate) async fn run(options: &Options, args: &RewrapArgs) -> u8 {
    match rewrap(options, args).await {
        Ok(()) => 0,
        Err(error) => failed(options, &error),
    }
}

async fn rewrap(options: &Options, args: &RewrapArgs) -> Result<(), RunError> {
    let keys = keys::of_service(args.master_key.as_deref(), &args.database)?;
    let store = migrate::open(&args.database).await?;
    let done = with_keys(options, args.dry_run, &store, keys).await;
    store.close().await;
    done
}

async fn with_keys(options: &Options, dry_run: bool, store: &Store, keys: MasterKeys) -> Result<(), RunError> {
    let wrapped = store.wrapped_keys().await?;
    let current = keys.current().to_owned();
    let to_do = wrapped.iter().filter(|(id, _)| *id != current).map(|(_, count)| count).sum::<u64>();
    show(options, &keys, &wrapped, to_do);
    if dry_run || to_do == 0 {
        return Ok(());
    }
    let vault = Vault::new(keys, std::sync::Arc::new(parts::bytes));
    let mut progress = Progress::new(options, to_do);
    let result = store.rewrap(&vault, wire::now_us(), |done| progress.tell(done)).await;
    progress.bar.finish_and_clear();
    told(options, &current, &result?)
}

/// Which master key wraps how many keys.
fn show(options: &Options, keys: &MasterKeys, wrapped: &[(String, u64)], to_do: u64) {
    if options.json() {
        let wrapped: Map<_, _> = wrapped.iter().map(|(id, count)| (id.clone(), (*count).into())).collect();
        println!("{}", json!({"event": "keys", "current": keys.current(), "wrapped": wrapped, "to_do": to_do}));
        return;
    }
    for (id, count) in wrapped {
        let how = match id == keys.current() {
            true => "the current master key",
            false if keys.knows(id) => "to be wrapped anew",
            false => "NOT in the file of master keys: these cannot be wrapped anew",
        };
        println!("{id}: {count} keys of tenants, {how}");
    }
    println!("{to_do} to wrap anew with {}", keys.current());
}

fn told(options: &Options, current: &str, all: &Rewrapped) -> Result<(), RunError> {
    if options.json() {
        println!("{}", json!({"event": "rewrapped", "current": current, "done": all.done, "failed": all.failed}));
    } else {
        println!("wrapped {} keys anew with {current}", all.done);
    }
    let Some(first) = all.errors.first() else { return Ok(()) };
    let failed = all.failed;
    let message =
        format!("{failed} keys stay as they were, keep their master key; the first of them: {}", first.message);
    Err(RunError::new(Kind::Auth, Actor::User, message))
}

/// How far it is: a bar for people, a line now and then for programs.
struct Progress {
    bar: ProgressBar,
    json: bool,
    of: u64,
    told: Instant,
}

impl Progress {
    fn new(options: &Options, of: u64) -> Self {
        let json = options.json();
        let bar = if json { ProgressBar::hidden() } else { ProgressBar::new(of) };
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} keys") {
            bar.set_style(style);
        }
        Self { bar, json, of, told: Instant::now() }
    }

    fn tell(&mut self, done: u64) {
        self.bar.set_position(done);
        if self.json && self.told.elapsed() >= TELL {
            self.told = Instant::now();
            println!("{}", json!({"event": "progress", "done": done, "of": self.of}));
        }
    }
}
