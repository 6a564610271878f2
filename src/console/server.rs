//! The HTTP listener and its limits: connections in all and per address, head size, number of headers, and
//! timeouts, so that a slow or endless request costs no more than one connection.

use super::AppState;
use super::auth::Peer;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

/// Open connections in all, and from one address.
const CONNECTIONS_MAX: usize = 1_024;
const PER_ADDRESS_MAX: usize = 128;

/// Timeout of a request's head, and of an idle keep-alive connection.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// Timeout from the head to the response; a stream's response begins at once, so it is not cut off.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Largest head of a request, in bytes.
const HEAD_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 64;

/// A listening HTTP service. Dropping this does not stop it; [`Console::stop`] does.
#[derive(Debug)]
pub struct Console {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Console {
    /// Stops listening, ends every connection and releases the store.
    pub async fn stop(self) {
        self.task.abort();
        // An aborted task always ends with an error.
        let _ = self.task.await;
    }
}

/// Binds the address and serves the console on it.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(listen: SocketAddr, state: AppState) -> std::io::Result<Console> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(serve(listener, state));
    Ok(Console { address, task })
}

async fn serve(listener: TcpListener, state: AppState) {
    let app = super::routes(state);
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut open: std::collections::BTreeMap<std::net::IpAddr, usize> = Default::default();
    // Dropped with this task, so no connection outlives the console.
    let mut connections: JoinSet<std::net::IpAddr> = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let address = peer.ip().to_canonical();
                    let here = open.entry(address).or_default();
                    let Ok(permit) = permits.clone().try_acquire_owned() else { continue };
                    if *here >= PER_ADDRESS_MAX && !address.is_loopback() {
                        continue;
                    }
                    *here += 1;
                    let app = app.clone();
                    connections.spawn(async move {
                        serve_connection(stream, peer, app).await;
                        drop(permit);
                        address
                    });
                }
                // Mostly EMFILE: open connections must end first.
                Err(error) => {
                    tracing::warn!(%error, "a connection to the console was not taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(Ok(address)) = connections.join_next() => {
                if let Some(here) = open.get_mut(&address) {
                    *here -= 1;
                    if *here == 0 {
                        open.remove(&address);
                    }
                }
            }
        }
    }
}

async fn serve_connection(stream: TcpStream, peer: SocketAddr, app: axum::Router) {
    let app = app.layer(axum::middleware::from_fn(enforce_timeout)).layer(axum::Extension(Peer(peer)));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app))
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the console ended early");
    }
}

/// Middleware: answers 408 when a request takes longer than [`ANSWER_TIME`].
async fn enforce_timeout(request: Request, next: axum::middleware::Next) -> axum::response::Response {
    match tokio::time::timeout(ANSWER_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => axum::response::IntoResponse::into_response(super::Problem::new(
            axum::http::StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            "the request took too long",
        )),
    }
}
