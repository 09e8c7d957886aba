//! A check, step by step: is the store reached, are the credentials taken, may the bucket be listed, can files be read.

use sluice_files::Files;
use sluice_sdk::{CheckStep, ErrorKind, Result, http};

use crate::store::Store;

/// Steps before files are looked at, in the order in which an answer passes them.
const STEPS: [&str; 3] = ["connect", "sign in", "list"];

/// Tries the store, then its files. `signing` says how requests are signed.
///
/// # Errors
/// None as yet; a store that cannot be used is a report with a failed step.
pub(crate) fn check(store: &Store, files: &Files, signing: &str) -> Result<Vec<CheckStep>> {
    let place = store.provider().place();
    let Err(refusal) = http::block_on(store.page("", None)) else {
        let mut steps = vec![
            CheckStep::passed("connect", format!("{place} answers")),
            CheckStep::passed("sign in", signing.to_owned()),
        ];
        steps.extend(files.check()?);
        return Ok(steps);
    };
    let error = refusal.error;
    // What the store itself refuses, it refuses after it was reached.
    let failed = match (refusal.status, error.kind) {
        (_, ErrorKind::Auth) => 1,
        (Some(_), _) => 2,
        (None, _) => 0,
    };
    let mut steps = Vec::new();
    for (nth, name) in STEPS.into_iter().enumerate() {
        steps.push(match nth.cmp(&failed) {
            std::cmp::Ordering::Less if nth == 0 => CheckStep::passed(name, format!("{place} answers")),
            std::cmp::Ordering::Less => CheckStep::passed(name, signing.to_owned()),
            std::cmp::Ordering::Equal => {
                CheckStep::failed(name, error.message.clone(), store.provider().remedy(&error))
            }
            std::cmp::Ordering::Greater => CheckStep::skipped(name),
        });
    }
    steps.push(CheckStep::skipped("read"));
    Ok(steps)
}
