//! axum lives here and nowhere else. For now what a machine asks: `/metrics`, `/healthz`, `/readyz`.

use crate::engine::Board;
use crate::metrics::Metrics;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

#[derive(Clone)]
struct Shown {
    metrics: Arc<Metrics>,
    board: watch::Receiver<Arc<Board>>,
}

/// Listens and serves until the process ends. Returns where it listens.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(
    listen: SocketAddr,
    metrics: Arc<Metrics>,
    board: watch::Receiver<Arc<Board>>,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, routes(metrics, board)).await {
            tracing::error!(%error, "the console stopped");
        }
    });
    Ok(address)
}

/// The table of routes.
pub fn routes(metrics: Arc<Metrics>, board: watch::Receiver<Arc<Board>>) -> Router {
    Router::new()
        .route("/metrics", get(show_metrics))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(readiness))
        .with_state(Shown { metrics, board })
}

async fn show_metrics(State(shown): State<Shown>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], shown.metrics.text()).into_response()
}

/// 200 when it can dial, 503 when it cannot, with every check by name.
async fn readiness(State(shown): State<Shown>) -> Response {
    let board = shown.board.borrow().clone();
    let trunks_up = board.trunks.iter().any(|trunk| trunk.up);
    let ready = board.store_stalled.is_none() && trunks_up;
    let trunks: Vec<_> = board
        .trunks
        .iter()
        .map(|trunk| json!({ "name": trunk.name, "up": trunk.up, "calls": trunk.calls }))
        .collect();
    let body = json!({
        "ready": ready,
        "store": board.store_stalled.as_deref().unwrap_or("ok"),
        "trunks": trunks,
    });
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(body)).into_response()
}
