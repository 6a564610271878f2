//! Problem documents (RFC 9457), the body of every refused request. Internal errors go to the log, never
//! into the document.

use super::rights::Action;
use crate::store::StoreError;
use crate::text::{Lang, refusal_zh};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use paceline_core::agent::Refusal;
use serde_json::{Value, json};

/// A problem document before it is serialised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    /// `Retry-After`, in seconds.
    retry_after: Option<u64>,
    /// Further members of the document, by name.
    members: Vec<(&'static str, Value)>,
    /// Faults by field.
    errors: Vec<Value>,
}

const CONTENT: HeaderValue = HeaderValue::from_static("application/problem+json");

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Problem {
            status,
            code,
            detail: detail.into(),
            retry_after: None,
            members: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// 400: the request cannot be parsed.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// 422: the request was parsed, but a value is not allowed.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unfit", detail)
    }

    /// 422: the value of one field is not allowed. `at` is its JSON pointer; both sentences say what to write.
    pub fn of_field(at: &str, en: &str, zh: &str) -> Self {
        let field = at.trim_start_matches('/');
        let mut problem = Problem::unprocessable(format!("{field}: {en}"));
        problem.errors.push(json!({
            "at": at,
            "code": "unfit",
            "params": {},
            "words": { "en": format!("{field}: {en}"), "zh": format!("{field}:{zh}") },
        }));
        problem
    }

    /// Adds a fault of one field; `at` = its JSON pointer, or file and line.
    pub fn with_fault(mut self, at: String, code: &str, en: &str, zh: &str) -> Self {
        self.errors.push(json!({ "at": at, "code": code, "params": {}, "words": { "en": en, "zh": zh } }));
        self
    }

    /// Names the entry of an array whose value is not allowed; `place` counts from 0.
    pub fn at_place(mut self, field: &str, place: usize) -> Self {
        self.detail = format!("{field}[{place}]: {}", self.detail);
        self
    }

    /// 404, also for what exists but must be hidden from the caller.
    pub fn not_found(what: &str) -> Self {
        Problem::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    pub fn forbidden(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 403: the caller lacks a right.
    pub fn missing_right(action: Action) -> Self {
        let detail = format!("this needs the right `{}`; ask an administrator", action.word());
        Problem::forbidden(detail).with("right", action.word().into())
    }

    pub fn unauthenticated() -> Self {
        Problem::new(StatusCode::UNAUTHORIZED, "sign_in_first", "sign in first, or send a bearer token")
    }

    /// 409: the caller's organisation is suspended, so nobody is called.
    pub fn suspended() -> Self {
        let detail = "this organisation is suspended: no new calls; ask the operator";
        Problem::new(StatusCode::CONFLICT, "suspended", detail)
    }

    /// 429; the next request is allowed in so many seconds.
    pub fn too_many_requests(secs: u64, detail: impl Into<String>) -> Self {
        let retry_after = Some(secs.max(1));
        Problem { retry_after, ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "slow_down", detail) }
    }

    /// 503: a limit of the service is reached.
    pub fn full(detail: impl Into<String>) -> Self {
        Problem { retry_after: Some(5), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, "full", detail) }
    }

    /// 503: a fault of the service; the error itself goes to the log only.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "a request could not be served");
        let detail = "this could not be done now; the log of the service says why";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }

    /// Adds a member to the document (RFC 9457 section 3.2).
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.members.push((name, value));
        self
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::UnknownAgent => StatusCode::NOT_FOUND,
            Refusal::NotAllowed | Refusal::NotAMember => StatusCode::FORBIDDEN,
            Refusal::ReasonMissing
            | Refusal::UnknownDisposition
            | Refusal::CallbackInThePast
            | Refusal::NumberRefused => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::StoreStalled => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::CONFLICT,
        };
        Problem::new(status, refusal.word(), refusal.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken { .. } => Problem::new(StatusCode::CONFLICT, "taken", error.to_string()),
            StoreError::Unknown { .. } => Problem::new(StatusCode::NOT_FOUND, "not_found", error.to_string()),
            StoreError::ImportInUse { .. } | StoreError::ImportNotDone { .. } => {
                Problem::new(StatusCode::CONFLICT, "in_use", error.to_string())
            }
            other => Problem::internal(other),
        }
    }
}

impl Problem {
    /// The document, in English and without an id.
    pub(super) fn document(&self) -> Value {
        let mut document = json!({
            "type": format!("urn:paceline:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Problem"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
        });
        for (name, value) in &self.members {
            document[*name] = value.clone();
        }
        if !self.errors.is_empty() {
            document["errors"] = self.errors.clone().into();
        }
        document
    }

    /// The document for one request: its id, which the log has too, and the detail in the reader's language.
    fn document_for(&self, id: &str, lang: Lang) -> Value {
        let mut document = self.document();
        document["id"] = id.into();
        let param = |name: &str| match name {
            "id" => Some(id.to_owned()),
            "retry_after" => self.retry_after.map(|secs| secs.to_string()),
            name => document.get(name).map(|value| value.as_str().map_or(value.to_string(), str::to_owned)),
        };
        if lang == Lang::Zh {
            let of_fields: Vec<&str> =
                self.errors.iter().filter_map(|error| error.pointer("/words/zh")?.as_str()).collect();
            let own = document.pointer("/words/zh").and_then(Value::as_str).map(str::to_owned);
            let sentence = match of_fields.is_empty() {
                true => own.or_else(|| refusal_zh(self.code, param)),
                false => Some(of_fields.join(";")),
            };
            if let Some(sentence) = sentence {
                document["detail"] = sentence.into();
            }
        }
        document
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.document().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, CONTENT);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"paceline\""));
        }
        if let Some(secs) = self.retry_after {
            headers.insert(header::RETRY_AFTER, secs.into());
        }
        // The middleware writes the document again, in the reader's language.
        response.extensions_mut().insert(self);
        response
    }
}

/// The language of a problem's detail, and of a file: the first of Chinese and English that `Accept-Language` prefers (RFC 9110
/// section 12.5.4); without either English.
pub(super) fn language_of(headers: &HeaderMap) -> Lang {
    let text = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut best = (0.0_f32, Lang::En);
    for entry in text.split(',').take(32) {
        let (tag, weight) = entry.split_once(";q=").unwrap_or((entry, "1"));
        let lang = match tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "zh" => Lang::Zh,
            "en" => Lang::En,
            _ => continue,
        };
        let weight = weight.trim().parse::<f32>().unwrap_or(0.0);
        if weight > best.0 {
            best = (weight, lang);
        }
    }
    best.1
}

/// A word for one refused request, which its reader can tell the people who read the log.
fn request_id() -> String {
    let chance = super::secrets::random_number().unwrap_or_default();
    format!("{:08x}", chance as u32)
}

/// Middleware: turns error responses that axum makes itself (404, 405, 413, 416) into problem documents.
/// Every document gets its id, and its detail in the reader's language.
pub(super) async fn ensure_problem_document(request: Request, next: Next) -> Response {
    let (lang, path) = (language_of(request.headers()), request.uri().path().to_owned());
    let response = with_problem_document(next.run(request).await);
    let Some(problem) = response.extensions().get::<Problem>().cloned() else { return response };
    let id = request_id();
    if problem.status.is_server_error() {
        tracing::warn!(id, path, code = problem.code, "a request was refused");
    } else {
        tracing::debug!(id, path, code = problem.code, "a request was refused");
    }
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(problem.document_for(&id, lang).to_string()))
}

fn with_problem_document(response: Response) -> Response {
    let status = response.status();
    let is_problem = response.headers().get(header::CONTENT_TYPE) == Some(&CONTENT);
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => ("not_found", "there is no such path"),
        StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", "this path knows other methods"),
        StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "the body is larger than is taken here"),
        StatusCode::RANGE_NOT_SATISFIABLE => ("range", "that part is not there"),
        _ if status.is_server_error() => ("unavailable", "this could not be done"),
        _ => ("bad_request", "the request cannot be understood"),
    };
    let mut replaced = Problem::new(status, code, detail).into_response();
    for name in [header::ALLOW, header::CONTENT_RANGE] {
        if let Some(value) = response.headers().get(&name) {
            replaced.headers_mut().insert(name, value.clone());
        }
    }
    drop::<Response<Body>>(response);
    replaced
}
