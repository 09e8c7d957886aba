//! Answers requests on a socket.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::{App, router, tidy};

/// Answers requests until `stop` is ready; then those that have begun are answered to their end. What is over is forgotten meanwhile.
///
/// # Errors
/// If the socket fails.
pub async fn serve(
    listener: TcpListener,
    app: &App,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    tokio::select! {
        served = axum::serve(listener, service).with_graceful_shutdown(stop).into_future() => served,
        never = tidy::for_ever(app) => match never {},
    }
}
