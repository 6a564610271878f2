//! `Idempotency-Key`: a POST that is sent again with its key has its effect once, and gets the first answer again.
//!
//! A key is claimed in the store before the request is served. The change that the request makes marks the key in its
//! own transaction, so that after a crash it is known whether there was an effect. Refusals free the key.

use super::app_state::AppState;
use super::auth::{BODY_MAX, Caller};
use super::problem::Problem;
use super::route::Route;
use super::secrets;
use super::server::RequestDeadline;
use super::uploads;
use crate::store::{KeyClaim, RequestKey};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

pub(super) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const KEY_MAX: usize = 64;

/// Largest answer that is kept, in bytes.
const ANSWER_MAX: usize = 256 * 1024;

/// Routes whose answer shows a password or a token once: it is not kept.
const SHOWS_SECRET: &[&str] = &[
    "/agents",
    "/agents/batch",
    "/agents/{number}/phone-password",
    "/agents/{number}/password",
    "/me/password",
    "/organisations",
    "/tokens",
];

/// Routes that take no request without a key.
const REQUIRED: &[&str] = &[
    "/campaigns/{name}/leads",
    "/campaigns/{name}/leads/actions",
    "/leads/{id}/actions",
    "/agents/batch",
    "/audio",
    "/blacklist/imports",
    "/campaigns/{name}/lists",
    "/exports",
    "/lists/{id}/actions",
    "/setup/sample",
];

/// Keys of requests that are being served by this process.
#[derive(Clone, Debug, Default)]
pub(super) struct ServedKeys {
    keys: Arc<Mutex<BTreeSet<RequestKey>>>,
}

/// A key while its request is served.
struct ServedKey {
    key: RequestKey,
    all: ServedKeys,
}

impl ServedKeys {
    /// `None` = another request with this key is being served.
    fn begin(&self, key: &RequestKey) -> Option<ServedKey> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.clone()).then(|| ServedKey { key: key.clone(), all: self.clone() })
    }
}

impl Drop for ServedKey {
    fn drop(&mut self) {
        self.all.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// Whether the document says that a route takes a key.
pub fn takes_key(route: &Route) -> bool {
    route.method == "post" && route.right != super::rights::Right::Public
}

/// Whether a route refuses requests without a key.
pub fn needs_key(route: &Route) -> bool {
    route.method == "post" && REQUIRED.contains(&route.path)
}

/// Serves a request, or answers again what the first request with its key was answered. `caller` is put on the
/// request.
pub(super) async fn serve_once(
    state: &AppState,
    route: &'static Route,
    mut caller: Caller,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(key) = request.headers().get(&KEY).filter(|_| takes_key(route)) else {
        if needs_key(route) {
            let detail = "send an Idempotency-Key, a word of your own for this request";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "key_missing", detail));
        }
        request.extensions_mut().insert(caller);
        return Ok(next.run(request).await);
    };
    let key = parse_key(key)?;
    let key = RequestKey { caller: caller.key_space(), key };
    let (request, hash) = hash_of(request).await?;
    let busy = || {
        let detail = "the first request with this key is still being served; ask again in a moment";
        Problem::new(StatusCode::CONFLICT, "key_busy", detail)
    };
    let served = state.served_keys().begin(&key).ok_or_else(busy)?;
    let name = format!("{} {}", route.method, route.path);
    match state.store().claim_key(&key, &name, &hash).await? {
        KeyClaim::Claimed => {}
        KeyClaim::Reused => return Err(reused()),
        KeyClaim::Answered { status, answer, file } => {
            if let Some(file) = file
                && file != hash_of_file(state, &caller, request).await?
            {
                return Err(reused());
            }
            return answer.map(|answer| replay(status, answer)).ok_or_else(|| {
                let detail =
                    "this was done already; its answer is not kept. Read the row, or set a new secret";
                Problem::new(StatusCode::CONFLICT, "already_done", detail)
            });
        }
    }
    caller.request_key = Some(key.clone());
    let mut request = request;
    request.extensions_mut().insert(caller);
    let response = next.run(request).await;
    let response = keep(state, route, &key, response).await?;
    drop(served);
    Ok(response)
}

fn reused() -> Problem {
    let detail = "this key was used for another request; draw a new one for each";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "key_reused", detail)
}

async fn hash_of_file(state: &AppState, caller: &Caller, request: Request) -> Result<String, Problem> {
    let (parts, body) = request.into_parts();
    let deadline = parts.extensions.get::<RequestDeadline>().cloned();
    uploads::hash_again(state, caller, deadline, &parts.headers, body).await
}

fn parse_key(value: &HeaderValue) -> Result<String, Problem> {
    let text = value.to_str().unwrap_or_default();
    if text.is_empty() || text.len() > KEY_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let detail = format!("Idempotency-Key: 1 to {KEY_MAX} visible characters without spaces");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "key_unfit", detail));
    }
    Ok(text.to_owned())
}

/// The request with a hash of its path, query and body. Of an upload type and length are hashed here; its bytes are
/// hashed while they are received, and that hash is kept beside this one.
async fn hash_of(request: Request) -> Result<(Request, String), Problem> {
    let (parts, body) = request.into_parts();
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Media types have no case (RFC 9110, section 8.3.1).
    let content = text(header::CONTENT_TYPE).to_ascii_lowercase();
    let length = text(header::CONTENT_LENGTH).parse::<u64>().unwrap_or(0);
    let address = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let is_upload = !content.is_empty() && !content.starts_with("application/json");
    // A longer body is refused by the handler, which sees it whole.
    if is_upload || length > BODY_MAX as u64 {
        let hash = secrets::key_hash(&format!("{address}\n{content}\n{length}"));
        return Ok((Request::from_parts(parts, body), hash));
    }
    let too_large = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body", "the body is larger than 64 KiB");
    let bytes = to_bytes(body, BODY_MAX).await.map_err(too_large)?;
    let hash = secrets::key_hash(&format!("{address}\n{}", String::from_utf8_lossy(&bytes)));
    Ok((Request::from_parts(parts, Body::from(bytes)), hash))
}

/// Keeps the answer of a success; frees the key of a refusal.
async fn keep(
    state: &AppState,
    route: &Route,
    key: &RequestKey,
    response: Response,
) -> Result<Response, Problem> {
    let status = response.status();
    if !status.is_success() {
        state.store().release_key(key).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes: Bytes = to_bytes(body, ANSWER_MAX).await.map_err(Problem::internal)?;
    let text = std::str::from_utf8(&bytes).ok().filter(|_| !SHOWS_SECRET.contains(&route.path));
    state.store().keep_answer(key, status.as_u16(), text).await?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn replay(status: u16, answer: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let is_empty = answer.is_empty();
    let mut response = (status, answer).into_response();
    let headers = response.headers_mut();
    if is_empty {
        headers.remove(header::CONTENT_TYPE);
    } else {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
