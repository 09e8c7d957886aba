//! Makes those checks of the conformance kit that read no rows, of a connection that is in use.

use sluice_conformance::{Connected, Kit, Verdict, WITHOUT_ROWS};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::limits::RunLimits;
use sluice_core::pipeline::SourceSpec;
use sluice_core::plan::{CheckStep, Outcome};
use sluice_core::worker::Event;

use crate::cli::Options;
use crate::events::tell;
use crate::wire;

pub(super) async fn run(
    options: &Options,
    source: &SourceSpec,
    limits: &RunLimits,
    streams: Vec<String>,
) -> Result<(), RunError> {
    let runtime = wire::runtime(options)?;
    let (connector, path) = wire::connector(options, &runtime, &source.connector, source.digest.as_deref()).await?;
    let bytes = std::fs::read(&path).map_err(|e| {
        let message = format!("the component's file {} cannot be read: {e}", path.display());
        RunError::new(Kind::Resources, Actor::Host, message)
    })?;
    let connected =
        Connected { config: source.config.clone(), grants: source.grants.clone(), limits: limits.instance.clone() };
    let inspected = sluice_runtime::inspect(&bytes)?;
    let kit = Kit::of_connection(connector, inspected, connected, streams, wire::environment(options)?);
    kit.run(&WITHOUT_ROWS.map(str::to_owned), |checked| {
        let (outcome, detail) = match &checked.verdict {
            Verdict::Passed(detail) => (Outcome::Passed, detail),
            Verdict::Failed(detail) => (Outcome::Failed, detail),
            Verdict::Skipped(detail) => (Outcome::Skipped, detail),
        };
        let (name, detail) = (checked.name.clone(), detail.clone());
        tell(&Event::Step(CheckStep { name, outcome, detail, remedy: String::new() }));
    })
    .await
    .map(drop)
}
