//! `sluice connector record`: what a connector asks of its source and what it is answered, without its secrets.

use serde_json::json;
use sluice_conformance::recording::{Recorded, Wanted, record};
use sluice_core::RunError;

use super::{connection, project, say, write};
use crate::cli::{ComponentArgs, Options, RecordArgs};
use crate::{exit, show, wire};

pub(super) async fn run(options: &Options, args: &RecordArgs) -> Result<u8, RunError> {
    let named = args.named.clone().or_else(|| args.connection.component.component.clone());
    let component = project::component(&ComponentArgs { component: named })?;
    let connected = connection::read(&args.connection.config)?;
    let connector = wire::runtime(options)?.load(&component).await?;
    let wanted = Wanted {
        streams: args.streams.clone(),
        rows: Some(args.limit),
        incremental: args.incremental.clone(),
        hints: None,
    };
    let Recorded { recording, ended } = record(&connector, &connected, &wire::environment(options)?, &wanted).await?;
    let text = recording.to_text()?;
    write(&args.output, text.as_bytes())?;
    let calls: usize = recording.instances.iter().map(|instance| instance.calls().count()).sum();
    let rows: u64 = recording.instances.iter().map(sluice_core::recording::Instance::rows).sum();
    let path = args.output.display();
    let mut sentence =
        format!("{path}: {calls} calls, {rows} rows ({}), replayed as recorded", show::bytes(text.len() as u64));
    if let Some(error) = &ended {
        sentence.push_str(&format!("\n  it ends where the connector failed: {error}"));
    }
    let failed = ended.as_ref().map(ToString::to_string);
    let event = json!({
        "event": "recorded", "path": args.output, "calls": calls, "rows": rows, "bytes": text.len(), "ended": failed,
    });
    say(options, &sentence, &event);
    Ok(ended.as_ref().map_or(0, exit::code))
}
