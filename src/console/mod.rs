//! The HTTP service (axum): the API under `/api/v1` for screens and programs, and the endpoints
//! `/metrics`, `/healthz` and `/readyz`. No other module uses axum.

mod accounts;
mod actions;
mod agents;
pub mod app_state;
pub mod auth;
pub mod client;
mod fields;
mod floor;
mod groups;
mod live;
mod login_throttle;
pub mod openapi;
pub mod problem;
mod records;
mod route;
pub mod routes;
pub mod secrets;
pub mod server;
mod tokens;
mod views;
pub mod why;

pub use app_state::{AppState, AppStateParts, CampaignFolder, OpenCampaign, PhoneSettings, agent_account};
pub use server::{Console, start};

use auth::Peer;
use axum::extract::{DefaultBodyLimit, Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use problem::Problem;
use serde_json::json;

/// The OpenAPI document as text, as `schemas/openapi.json` holds it.
pub fn openapi_text() -> String {
    let mut text = serde_json::to_string_pretty(&routes::document()).unwrap_or_default();
    text.push('\n');
    text
}

/// The whole router: the API, metrics and health checks.
pub fn routes(state: AppState) -> Router {
    let api = routes::router(&state)
        .fallback(async || Problem::not_found("path"))
        .layer(DefaultBodyLimit::max(auth::BODY_MAX))
        .layer(from_fn(problem::ensure_problem_document));
    Router::new()
        .nest(routes::ROOT, api)
        .route("/metrics", get(show_metrics))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(readiness))
        .with_state(state)
}

/// Open to scrapers on loopback; other addresses need a bearer token or a session cookie.
async fn show_metrics(
    State(state): State<AppState>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let address = auth::peer_address(peer.as_ref().map(|peer| &peer.0));
    if !address.is_loopback() && auth::authenticate(&state, &headers, address).await?.is_none() {
        return Err(Problem::unauthenticated());
    }
    let text = state.metrics().text();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// 200 when the store writes and at least one trunk is up, else 503; the body names every check.
async fn readiness(State(state): State<AppState>) -> Response {
    let board = floor::board(&state);
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
