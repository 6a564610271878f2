//! Security headers of every response. A browser may neither run, frame nor sniff an answer of the API, and keeps
//! none; pages and assets bring the two headers of `pages` of their own.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;

const ALWAYS: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Marks a response that is a page or an asset of the console.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfThePage;

/// Sets the security headers. A handler's own `Cache-Control` stays where it names `no-store` too.
pub(super) fn set_security_headers(response: &mut Response) {
    let is_page = response.extensions().get::<OfThePage>().is_some();
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        if !(is_page && headers.contains_key(&name)) {
            headers.insert(name, value);
        }
    }
    if is_page {
        return;
    }
    let is_kept_out = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("no-store"));
    if !headers.get(header::CACHE_CONTROL).is_some_and(is_kept_out) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
