//! `sluice check`: tries a source's connection and shows each step.

use sluice_core::RunError;
use sluice_core::plan::{CheckStep, Outcome};

use super::failed;
use crate::cli::{FileArgs, Options};
use crate::{exit, file, show, wire};

pub(crate) async fn run(options: &Options, args: &FileArgs) -> u8 {
    shown(options, steps(options, args).await)
}

/// Shows the steps of a check; a step that failed is the user's to mend.
pub(super) fn shown(options: &Options, checked: Result<Vec<CheckStep>, RunError>) -> u8 {
    match checked {
        Ok(steps) => {
            steps.iter().for_each(|step| show::step(options, step));
            let bad = steps.iter().any(|step| step.outcome == Outcome::Failed);
            if bad { exit::USER } else { 0 }
        }
        Err(error) => failed(options, &error),
    }
}

async fn steps(options: &Options, args: &FileArgs) -> Result<Vec<CheckStep>, RunError> {
    let file = file::source(&args.file)?;
    let runtime = wire::runtime(options)?;
    let connection = wire::connection(options, &runtime, &file.source, &file.limits).await?;
    connection.instance().await?.check().await
}
