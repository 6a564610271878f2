//! The HTTP service (axum): the API under `/api/v1` for screens and programs, the console's pages, and the
//! endpoints `/metrics`, `/healthz` and `/readyz`. No other module uses axum.

mod abandoned;
mod account_rights;
mod accounts;
mod action_schema;
mod actions;
mod agent_hours;
mod agents;
mod aggregates;
pub mod answers;
pub mod app_state;
mod approvals;
mod audio;
mod audit;
pub mod auth;
mod blacklist;
mod blacklist_imports;
mod call_answers;
mod call_detail;
mod call_detail_answers;
mod call_filters;
mod call_log;
mod call_moments;
mod call_story;
mod call_trace;
mod caller_id_answers;
mod caller_id_approvals;
mod caller_id_campaigns;
mod caller_id_proofs;
mod caller_id_requests;
mod caller_id_views;
mod caller_ids;
mod campaign_answers;
mod campaign_folder;
mod campaign_forecast;
pub mod campaign_requests;
mod campaign_series;
mod campaign_start;
mod campaign_text;
mod campaign_views;
mod campaigns;
mod checklist;
pub mod client;
mod decision_log;
mod desk;
mod desk_answers;
mod export_answers;
mod exports;
mod fields;
mod floor;
mod free_text;
mod groups;
mod headers;
mod health;
mod holidays;
pub mod idempotency;
mod kept_counts;
mod lead_actions;
mod lead_answers;
mod lead_table;
mod limits;
pub mod list_changes;
mod list_views;
mod lists;
mod live;
mod live_rows;
mod live_topics;
mod login_throttle;
mod objects;
pub mod openapi;
mod organisations;
mod pacing_answers;
mod pages;
pub mod parameters;
pub mod problem;
mod recording_access;
mod recordings;
mod records;
mod request_limits;
pub mod rights;
mod route;
pub mod routes;
mod routes_caller_ids;
mod routes_calls;
mod routes_campaigns;
mod routes_desk;
mod routes_exports;
mod routes_leads;
mod routes_one_call;
mod routes_pacing;
mod routes_people;
mod routes_results;
mod routes_sums;
mod routes_trunks;
mod routes_uploads;
mod running_requests;
mod saved_views;
mod schedule;
mod search;
mod seat_acts;
pub mod secrets;
pub mod server;
mod sessions;
mod setup;
mod setup_sample;
mod shown_number;
pub mod source;
mod summary;
mod sums_answers;
mod task_routes;
mod test_call;
mod today;
mod tokens;
mod trunk_answers;
pub mod trunk_requests;
mod trunk_rows;
mod trunks;
mod upload_answers;
mod uploads;
mod versions;
mod views;
mod visible_campaigns;
mod vote;
mod vote_answers;
pub mod why;
mod write_timeout;

pub use app_state::{AppState, AppStateParts, CampaignFolder, PhoneSettings, agent_account};
pub use blacklist::NUMBERS_MAX;
pub use server::{Console, start};

use crate::engine::TrunkBoard;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Extension, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use headers::set_security_headers;
use paceline_core::campaign::SIMULATED_TRUNK;
use problem::Problem;
use serde_json::json;
use source::{Peer, Source};

/// The OpenAPI document as text, as `schemas/openapi.json` holds it.
pub fn openapi_text() -> String {
    let mut text = serde_json::to_string_pretty(&routes::document()).unwrap_or_default();
    text.push('\n');
    text
}

/// Whether a text is a number or a range that the blacklist takes.
///
/// # Errors
/// What to write instead.
pub fn check_pattern(text: &str) -> Result<(), String> {
    fields::parse_pattern(text).map(|_| ()).map_err(|problem| problem.detail().to_owned())
}

/// The whole router: the API, metrics, health checks and the pages.
pub fn routes(state: AppState) -> Router {
    let api = routes::router(&state)
        .fallback(unknown_path)
        .layer(DefaultBodyLimit::max(auth::BODY_MAX))
        .layer(from_fn(refuse_control_characters))
        .layer(from_fn_with_state(state.clone(), limit_forwarded_requests))
        .layer(from_fn(problem::ensure_problem_document));
    let router = health_router().nest(routes::ROOT, api).fallback(pages::page);
    with_outer_layers(router, state)
}

/// Metrics and health checks alone, for connections beyond the limits.
fn health_routes(state: AppState) -> Router {
    let full = async || Problem::full("the service has as many connections as it takes; try again");
    with_outer_layers(health_router().fallback(full), state)
}

fn health_router() -> Router<AppState> {
    Router::new()
        .route("/metrics", get(show_metrics))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(readiness))
}

fn with_outer_layers(router: Router<AppState>, state: AppState) -> Router {
    router.layer(from_fn_with_state(state.clone(), identify_source)).with_state(state)
}

/// Middleware: no path has control characters in it, encoded or not. Readers of numbers and names would skip them.
async fn refuse_control_characters(request: Request, next: Next) -> Result<Response, Problem> {
    let is_control = |byte: u8| byte < 0x20 || byte == 0x7f;
    let encoded = |hex: &str| u8::from_str_radix(hex, 16).is_ok_and(is_control);
    let path = request.uri().path();
    let found = path.split('%').skip(1).any(|part| part.get(..2).is_some_and(encoded));
    if found || path.bytes().any(is_control) {
        return Err(Problem::not_found("path"));
    }
    Ok(next.run(request).await)
}

/// A path that is in no table counts as a stranger's request, whoever sent it.
async fn unknown_path(State(state): State<AppState>, Extension(source): Extension<Source>) -> Problem {
    let limited = state.count_stranger(source.address);
    limited.err().unwrap_or_else(|| Problem::not_found("path"))
}

/// Middleware: puts the [`Source`] on the request and the security headers on the response.
async fn identify_source(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    let source = Source::of(peer.as_ref(), request.headers(), state.proxies());
    request.extensions_mut().insert(source);
    let mut response = next.run(request).await;
    set_security_headers(&mut response);
    response
}

/// Middleware: counts open requests by the address that a proxy vouches for; a response counts until its body
/// has been sent, so a live stream counts while it is open.
async fn limit_forwarded_requests(
    State(state): State<AppState>,
    Extension(source): Extension<Source>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if !source.is_forwarded {
        return Ok(next.run(request).await);
    }
    let max = state.http().connections_per_address_max as usize;
    let permit = state.forwarded_requests().try_acquire(source.address, max);
    let permit = permit.ok_or_else(|| {
        Problem::too_many_requests(1, "this address has as many open requests as one address may have")
    })?;
    let response = next.run(request).await;
    Ok(response.map(|body| Body::new(limits::HeldBody::new(body, permit))))
}

/// Whether the caller may see figures and details: a program on this machine, or any account or token.
async fn is_trusted(state: &AppState, source: Source, headers: &HeaderMap) -> Result<bool, Problem> {
    Ok(source.is_local || auth::authenticate(state, headers, source.address).await?.is_some())
}

/// Open to scrapers on this machine; other addresses need a bearer token or a session cookie.
async fn show_metrics(
    State(state): State<AppState>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !is_trusted(&state, source, &headers).await? {
        return Err(Problem::unauthenticated());
    }
    let text = state.metrics().text();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// 200 when the store writes and at least one trunk is up and not kept out of use by its guard, else 503. The body names every check to callers
/// that may see `/metrics`; strangers learn only whether the service is ready.
async fn readiness(
    State(state): State<AppState>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
) -> Response {
    let board = floor::board(&state);
    // Beside real trunks, the simulated carrier of a sample campaign says nothing of them.
    let is_judged = |name: &str| name != SIMULATED_TRUNK || board.trunks.len() == 1;
    let usable =
        |trunk: &&TrunkBoard| trunk.up && !trunk.disabled && trunk.rest.is_none() && is_judged(&trunk.name);
    let can_dial = board.trunks.iter().any(|trunk| usable(&trunk));
    let ready = board.store_stalled.is_none() && can_dial;
    let mut body = json!({ "ready": ready });
    // An invalid token gets what a stranger gets: a probe must not fail for it.
    if is_trusted(&state, source, &headers).await.unwrap_or(false) {
        let trunks: Vec<_> = board.trunks.iter().map(views::trunk).collect();
        body["store"] = board.store_stalled.as_deref().unwrap_or("ok").into();
        body["trunks"] = trunks.into();
    }
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(body)).into_response()
}
