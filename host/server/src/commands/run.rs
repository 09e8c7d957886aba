//! `sluice run`: one run of a pipeline, no service needed.

use std::sync::Arc;
use std::time::Instant;

use sluice_core::RunError;
use sluice_core::pipeline::Pipeline;
use sluice_core::run::RunState;
use sluice_engine::{Progress, RunReport, RunSetup};
use sluice_runtime::Budget;
use sluice_store::{Scope, Store};
use tokio_util::sync::CancellationToken;

use super::failed;
use crate::cli::{Options, RunArgs};
use crate::show::run::Watcher;
use crate::{exit, file, wire};

pub(crate) async fn run(options: &Options, args: &RunArgs) -> u8 {
    let begun = Instant::now();
    let progress = Arc::new(Progress::default());
    let watcher = Watcher::start(options.json(), progress.clone(), begun);
    let ran = attempt(options, args, progress).await;
    match ran {
        Ok(report) => {
            watcher.finish(&report).await;
            match (&report.error, report.state) {
                (Some(error), _) => exit::code(error),
                (None, RunState::Stopped) => exit::STOPPED,
                (None, _) => 0,
            }
        }
        Err(error) => {
            watcher.abort().await;
            failed(options, &error)
        }
    }
}

async fn attempt(options: &Options, args: &RunArgs, progress: Arc<Progress>) -> Result<RunReport, RunError> {
    let pipeline = chosen(file::pipeline(&args.file)?, &args.streams)?;
    let runtime = wire::runtime(options)?;
    let connection = wire::connection(options, &runtime, &pipeline.source, &pipeline.limits).await?;
    let sink = wire::sink(&pipeline.sink).await?;
    let store = wire::store(options, &file::folder(&args.file)).await?;
    if args.from_beginning {
        forget(&store, &pipeline).await?;
    }
    let (stop, kill) = (CancellationToken::new(), CancellationToken::new());
    tokio::spawn(signals(stop.clone(), kill.clone(), pipeline.limits.wall_seconds));
    let setup = RunSetup {
        budget: Budget::new(pipeline.limits.bytes_in_flight),
        tenant: Scope::LOCAL.tenant.to_owned(),
        request: None,
        pipeline,
        connection,
        sink,
        store: store.clone(),
        run_id: wire::run_id(),
        snapshot_date: args.snapshot_date.unwrap_or_else(wire::today),
        accepts_tables: args.accept_table_state || args.from_beginning,
        clock: Arc::new(wire::now_us),
        progress,
        stop,
        kill,
    };
    let report = sluice_engine::run(setup).await;
    store.close().await;
    report
}

/// The pipeline with only the streams that were asked for.
fn chosen(mut pipeline: Pipeline, streams: &[String]) -> Result<Pipeline, RunError> {
    if let Some(unknown) = streams.iter().find(|id| !pipeline.streams.iter().any(|spec| spec.id == **id)) {
        let all: Vec<&str> = pipeline.streams.iter().map(|spec| spec.id.as_str()).collect();
        let message = format!("the pipeline has no stream {unknown}; it has {}", all.join(", "));
        return Err(RunError::config("--stream", message));
    }
    if !streams.is_empty() {
        pipeline.streams.retain(|spec| streams.contains(&spec.id));
    }
    Ok(pipeline)
}

async fn forget(store: &Store, pipeline: &Pipeline) -> Result<(), RunError> {
    let lease = store.lease(Scope::LOCAL, &pipeline.name, wire::now_us()).await?;
    for stream in &pipeline.streams {
        store.forget_state(Scope::LOCAL, &lease, &stream.id).await?;
    }
    store.release(lease).await
}

/// The first interrupt stops at the next checkpoints, the second ends now, the third does not wait for anybody.
async fn signals(stop: CancellationToken, kill: CancellationToken, wall_seconds: u64) {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
    let mut asked = 0;
    let deadline = tokio::time::sleep(std::time::Duration::from_secs(wall_seconds));
    tokio::pin!(deadline);
    loop {
        let terminated = async {
            match &mut terminate {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => asked += 1,
            () = terminated => asked += 1,
            () = &mut deadline, if wall_seconds > 0 && asked == 0 => asked += 1,
        }
        match asked {
            1 => {
                eprintln!("stopping at the next checkpoint; interrupt again to stop now");
                stop.cancel();
            }
            2 => kill.cancel(),
            _ => std::process::exit(130),
        }
    }
}
