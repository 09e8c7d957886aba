//! `sluice serve`: the service. API, scheduler and local execution in one process; every attempt of a run in a process of its own.

mod cloud;
mod fetch;
mod keep;
pub(in crate::commands) mod keys;
pub(in crate::commands) mod limits;
mod oidc;
mod outward;
pub(in crate::commands) mod parts;
mod requests;
pub(in crate::commands) mod secret_manager;

use std::time::Duration;

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_engine::service::deliver::Deliverer;
use sluice_engine::service::notify::Herald;
use sluice_engine::service::queue::Dispatcher;
use sluice_engine::service::schedule::Scheduler;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::failed;
use crate::cli::{Options, ServeArgs};
use crate::telemetry::Tracing;
use crate::wire;

/// How long open requests may take once the service is asked to stop.
const GOODBYE: Duration = Duration::from_secs(5);

pub(crate) async fn run(options: &Options, args: &ServeArgs) -> u8 {
    match serve(options, args).await {
        Ok(()) => 0,
        Err(error) => failed(options, &error),
    }
}

async fn serve(options: &Options, args: &ServeArgs) -> Result<(), RunError> {
    let listener = TcpListener::bind(&args.listen).await.map_err(|e| {
        let message = format!("cannot listen on {}: {e}; choose another address with --listen", args.listen);
        RunError::new(Kind::Config, Actor::User, message)
    })?;
    let address = listener.local_addr().map_err(|e| RunError::internal(e.to_string()))?;
    let host = wire::run_id();
    let spans = Tracing::start(&args.telemetry, &host)?;
    let built = parts::build(options, args, address, (host, spans.traces())).await?;
    let stop = CancellationToken::new();
    tokio::spawn(signals(stop.clone()));
    let (key_file, vault) = built.master_keys;
    tokio::spawn(keys::follow(key_file, vault, keys::hangup()?, stop.clone()));
    let scheduling = match built.keeper {
        Some(keeper) => tokio::spawn(keeper.run(stop.clone())),
        None => {
            let scheduler = Scheduler {
                store: built.app.store.clone(),
                clock: built.app.clock.clone(),
                ids: built.app.ids.clone(),
                queued: built.app.queued.clone(),
                metrics: built.app.metrics.clone(),
                traces: built.app.traces.clone(),
            };
            tokio::spawn(scheduler.run(stop.clone()))
        }
    };
    let dispatching = tokio::spawn(Dispatcher::new(built.dispatch).run(stop.clone()));
    let herald = Herald { store: built.app.store.clone(), clock: built.app.clock.clone(), ids: built.app.ids.clone() };
    let telling = tokio::spawn(herald.run(stop.clone()));
    let forgetting = tokio::spawn(keep::retention(&args.keep, &built.app).run(stop.clone()));
    let delivering = tokio::spawn(Deliverer::new(built.delivery).run(stop.clone()));
    tracing::info!(address = %address, origin = built.app.origin, store = %built.app.store, "the service is ready");
    let answered = tokio::spawn({
        let (app, stop) = (built.app.clone(), stop.clone());
        async move { sluice_api::serve(listener, &app, stop.cancelled_owned()).await }
    });
    stop.cancelled().await;
    tracing::info!("stopping; runs come to their next checkpoints first");
    let _ = scheduling.await;
    let _ = dispatching.await;
    let _ = telling.await;
    let _ = delivering.await;
    let _ = forgetting.await;
    if let Ok(Ok(Err(error))) = tokio::time::timeout(GOODBYE, answered).await {
        tracing::error!(%error, "the socket failed");
    }
    spans.stop().await;
    Ok(())
}

/// The first signal asks the service to stop, a second one ends it.
async fn signals(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};

    let (Ok(mut term), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        tracing::error!("signals cannot be heard; the service ends only when it is killed");
        return;
    };
    let next = async |term: &mut tokio::signal::unix::Signal, interrupt: &mut tokio::signal::unix::Signal| {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    next(&mut term, &mut interrupt).await;
    stop.cancel();
    next(&mut term, &mut interrupt).await;
    std::process::exit(i32::from(crate::exit::STOPPED));
}
