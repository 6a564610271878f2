//! The HTTP listener and its limits: connections in all and per address, head size, number of headers, and
//! timeouts, so that a slow or endless request costs no more than one connection. A few places are kept for
//! metrics and health checks, which are answered when every other place is taken.

use super::AppState;
use super::headers::set_security_headers;
use super::limits::{Counts, Permit};
use super::problem::Problem;
use super::running_requests::RunningRequests;
use super::source::Peer;
use super::write_timeout::WriteTimeout;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Connections beyond the limits that may ask for metrics and health: from this machine, and from elsewhere.
const RESERVED_MAX: usize = 16;

/// Largest head of a request, in bytes.
const HEAD_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 64;

/// How long a connection may take for each step.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Of a request's head, and of an idle keep-alive connection.
    pub head: Duration,
    /// From the head to the response, with the body of the request; a stream's response begins at once, so it
    /// is not cut off.
    pub answer: Duration,
    /// Of a reader that takes no byte of its response.
    pub write: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Timeouts { head: secs(10), answer: secs(30), write: secs(60) }
    }
}

impl Timeouts {
    /// For connections in reserved places: one short request each.
    fn reserved(self) -> Timeouts {
        let short = Duration::from_secs(3);
        Timeouts { head: self.head.min(short), answer: self.answer.min(short), write: self.write.min(short) }
    }
}

/// A listening HTTP service. Dropping this does not stop it; [`Console::stop`] does.
#[derive(Debug)]
pub struct Console {
    pub address: SocketAddr,
    task: JoinHandle<()>,
    closing: Arc<watch::Sender<bool>>,
    running: Arc<RunningRequests>,
}

/// How long requests may take to end when the console stops.
const REQUESTS_END_WITHIN: Duration = Duration::from_secs(5);

/// How long readers of the live stream may take to hear that it ends.
const FAREWELL_MAX: Duration = Duration::from_secs(2);

impl Console {
    /// Tells readers of the live stream, lets running changes end, stops listening, ends every connection and releases
    /// the store.
    pub async fn stop(self) {
        self.closing.send_replace(true);
        // Each stream holds a receiver until it has ended; one whose reader takes nothing is not waited for.
        let _ = tokio::time::timeout(FAREWELL_MAX, self.closing.closed()).await;
        self.running.stop(REQUESTS_END_WITHIN).await;
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
    start_with(listen, state, Timeouts::default()).await
}

/// As [`start`], with timeouts of the caller's choice.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start_with(listen: SocketAddr, state: AppState, timeouts: Timeouts) -> std::io::Result<Console> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let (closing, running) = (state.closing_switch(), state.running_requests().clone());
    let task = tokio::spawn(serve(listener, state, timeouts));
    Ok(Console { address, task, closing, running })
}

async fn serve(listener: TcpListener, state: AppState, timeouts: Timeouts) {
    let admission = Admission::new(state.clone());
    let whole = with_timeout(super::routes(state.clone()), timeouts);
    let health_only = with_timeout(super::health_routes(state), timeouts.reserved());
    // Dropped with this task, so no connection outlives the console.
    let mut connections: JoinSet<()> = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let Some(place) = admission.place_for(peer.ip().to_canonical()) else { continue };
                    let (app, timeouts) = match place.is_reserved {
                        false => (whole.clone(), timeouts),
                        true => (health_only.clone(), timeouts.reserved()),
                    };
                    connections.spawn(async move {
                        serve_connection(stream, peer, app, timeouts, !place.is_reserved).await;
                        drop(place);
                    });
                }
                // Mostly EMFILE: open connections must end first.
                Err(error) => {
                    tracing::warn!(%error, "a connection to the console was not taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Decides which connections are taken.
struct Admission {
    state: AppState,
    all: Counts<()>,
    by_address: Counts<IpAddr>,
    /// By whether the far end is this machine, so that strangers cannot starve a local health check.
    reserved: Counts<bool>,
}

/// The place of one connection.
struct Place {
    is_reserved: bool,
    _all: Option<Permit<()>>,
    _address: Option<Permit<IpAddr>>,
    _reserved: Option<Permit<bool>>,
}

impl Admission {
    fn new(state: AppState) -> Admission {
        Admission {
            state,
            all: Counts::default(),
            by_address: Counts::default(),
            reserved: Counts::default(),
        }
    }

    /// `None` = the connection is closed at once. This machine and trusted proxies have no limit of their own:
    /// behind a proxy the requests are counted by the address that it vouches for.
    fn place_for(&self, address: IpAddr) -> Option<Place> {
        let limits = self.state.http();
        let is_exempt = address.is_loopback() || self.state.proxies().contain(address);
        let of_address = match is_exempt {
            true => Some(None),
            false => {
                let max = limits.connections_per_address_max as usize;
                self.by_address.try_acquire(address, max).map(Some)
            }
        };
        let admitted = of_address.and_then(|of_address| {
            Some((self.all.try_acquire((), limits.connections_max as usize)?, of_address))
        });
        if let Some((all, of_address)) = admitted {
            return Some(Place {
                is_reserved: false,
                _all: Some(all),
                _address: of_address,
                _reserved: None,
            });
        }
        let reserved = self.reserved.try_acquire(address.is_loopback(), RESERVED_MAX)?;
        Some(Place { is_reserved: true, _all: None, _address: None, _reserved: Some(reserved) })
    }
}

async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: axum::Router,
    timeouts: Timeouts,
    keep_alive: bool,
) {
    let app = TowerToHyperService::new(app);
    let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        app.call(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts.head)
        .keep_alive(keep_alive)
        .max_buf_size(HEAD_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(WriteTimeout::new(stream, timeouts.write)), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the console ended early");
    }
}

/// How long a request may take until its answer begins; the handler of an upload extends it.
#[derive(Clone, Debug)]
pub(super) struct RequestDeadline(watch::Sender<Duration>);

impl RequestDeadline {
    /// From now on the request may take so long.
    pub fn extend(&self, span: Duration) {
        self.0.send_replace(span);
    }
}

/// Ends when the span that was set last is over.
async fn expire(mut span: watch::Receiver<Duration>) {
    let mut sleep = std::pin::pin!(tokio::time::sleep(*span.borrow_and_update()));
    let mut may_change = true;
    loop {
        tokio::select! {
            () = &mut sleep => return,
            changed = span.changed(), if may_change => match changed {
                Ok(()) => sleep.set(tokio::time::sleep(*span.borrow_and_update())),
                // The handler has dropped its half: the span that it set last holds.
                Err(_) => may_change = false,
            },
        }
    }
}

/// Adds a middleware that answers 408 when a request takes longer than [`Timeouts::answer`], or than its handler
/// asked for.
fn with_timeout(app: axum::Router, timeouts: Timeouts) -> axum::Router {
    let limit = timeouts.answer;
    app.layer(axum::middleware::from_fn(
        move |mut request: Request, next: axum::middleware::Next| async move {
            let (deadline, span) = watch::channel(limit);
            request.extensions_mut().insert(RequestDeadline(deadline));
            tokio::select! {
                response = next.run(request) => response,
                () = expire(span) => too_slow(),
            }
        },
    ))
}

fn too_slow() -> Response {
    let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "the request took too long");
    let mut response = problem.into_response();
    set_security_headers(&mut response);
    response
}
