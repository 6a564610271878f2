//! The listener: so many connections, so long for a request's head, so many headers. Slow and endless
//! requests cost a connection and nothing else.

use super::Door;
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

/// Connections at once, from everywhere and from one address.
const CONNECTIONS_MAX: usize = 1_024;
const PER_ADDRESS_MAX: usize = 128;

/// How long a request's head may take to arrive, and an idle connection may stay.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// How long a body may take to arrive and be answered; streams are answered at once.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Bytes of a request's head.
const HEAD_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 64;

/// A console that listens. It goes on until it is stopped or the process ends.
#[derive(Debug)]
pub struct Console {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Console {
    /// Ends it with every connection, and lets go of the store.
    pub async fn stop(self) {
        self.task.abort();
        // It was aborted: that is its only end.
        let _ = self.task.await;
    }
}

/// Listens and serves.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(listen: SocketAddr, door: Door) -> std::io::Result<Console> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(serve(listener, door));
    Ok(Console { address, task })
}

async fn serve(listener: TcpListener, door: Door) {
    let app = super::routes(door);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut open: std::collections::BTreeMap<std::net::IpAddr, usize> = Default::default();
    // Dropped with this task: no connection outlives the console.
    let mut connections: JoinSet<std::net::IpAddr> = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let address = peer.ip().to_canonical();
                    let here = open.entry(address).or_default();
                    let Ok(place) = places.clone().try_acquire_owned() else { continue };
                    if *here >= PER_ADDRESS_MAX && !address.is_loopback() {
                        continue;
                    }
                    *here += 1;
                    let app = app.clone();
                    connections.spawn(async move {
                        connection(stream, peer, app).await;
                        drop(place);
                        address
                    });
                }
                // Out of file handles: those that are open must end first.
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

async fn connection(stream: TcpStream, peer: SocketAddr, app: axum::Router) {
    let app = app.layer(axum::middleware::from_fn(in_time)).layer(axum::Extension(Peer(peer)));
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

/// Whoever sends a body a byte at a time is not waited for.
async fn in_time(request: Request, next: axum::middleware::Next) -> axum::response::Response {
    match tokio::time::timeout(ANSWER_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => axum::response::IntoResponse::into_response(super::Problem::new(
            axum::http::StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            "the request took too long",
        )),
    }
}
