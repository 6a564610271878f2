//! The console's pages: paths, policy, nonce and what browsers keep. Holds with and without a build in `ui/dist`.

use super::TestApp;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};

struct Seen {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Seen {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn nonce(&self) -> &str {
        let policy = self.header(header::CONTENT_SECURITY_POLICY);
        policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or_default()
    }
}

async fn ask(app: &TestApp, method: &str, path: &str, headers: &[(header::HeaderName, &str)]) -> Seen {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let response = app.ask(request.body(Body::empty()).unwrap()).await;
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 22).await.unwrap();
    let body = String::from_utf8_lossy(&body).into_owned();
    Seen { status: parts.status.as_u16(), headers: parts.headers, body }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_outside_the_api_is_the_page_with_a_fresh_nonce() {
    let app = TestApp::new().await;
    let mut nonces = Vec::new();
    for path in
        ["/", "/sign-in?next=%2F", "/campaigns/x/live", "/nowhere/../else", "/%2e%2e/%2e%2e/Cargo.toml"]
    {
        let seen = ask(&app, "GET", path, &[(header::ACCEPT_LANGUAGE, "en")]).await;
        assert!(matches!(seen.status, 200 | 503), "{path}: {}", seen.status);
        assert_eq!(seen.header(header::CONTENT_TYPE), "text/html; charset=utf-8", "{path}");
        assert_eq!(seen.header(header::CACHE_CONTROL), "no-store", "{path}");
        assert!(!seen.headers.contains_key(header::ETAG), "{path}: a kept page would have an old nonce");
        let policy = seen.header(header::CONTENT_SECURITY_POLICY);
        assert!(!policy.contains("unsafe") && policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(!seen.body.contains("[workspace]") && !seen.body.contains("__NONCE__"), "{path}");
        assert_eq!(seen.nonce().len(), 64, "{path}: {policy}");
        if seen.status == 200 {
            assert!(seen.body.contains(seen.nonce()) && seen.body.contains("lang=\"en-GB\""), "{path}");
        }
        nonces.push(seen.nonce().to_owned());
    }
    let all = nonces.len();
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), all, "each load has a nonce of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_below_the_api_and_missing_assets_are_problems() {
    let app = TestApp::new().await;
    for path in
        ["/api", "/api/", "/api/v2/me", "/api/v1/nothing", "/assets/gone-0123.js", "/assets/../Cargo.toml"]
    {
        let seen = ask(&app, "GET", path, &[]).await;
        assert_eq!(seen.status, 404, "{path}");
        assert_eq!(seen.header(header::CONTENT_TYPE), "application/problem+json", "{path}");
    }
    let seen = ask(&app, "POST", "/today", &[]).await;
    assert_eq!((seen.status, seen.header(header::ALLOW)), (405, "GET, HEAD"));
}

#[tokio::test(flavor = "multi_thread")]
async fn assets_are_kept_and_come_in_the_coding_that_the_browser_takes() {
    let app = TestApp::new().await;
    let page = ask(&app, "GET", "/", &[]).await;
    let Some(script) = page.body.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()) else {
        assert_eq!(page.status, 503, "only a program that was built without ui/dist has no script");
        return;
    };
    for (asked, coding) in [("br, gzip", "br"), ("gzip, deflate", "gzip"), ("br;q=0", ""), ("", "")] {
        let seen = ask(&app, "GET", script, &[(header::ACCEPT_ENCODING, asked)]).await;
        assert_eq!(seen.status, 200, "{script}");
        assert_eq!(seen.header(header::CONTENT_ENCODING), coding, "{asked}");
        assert_eq!(seen.header(header::VARY), "Accept-Encoding");
        assert!(seen.header(header::CACHE_CONTROL).contains("immutable"));
        assert!(seen.header(header::CONTENT_SECURITY_POLICY).contains("worker-src 'self'"));
        assert_eq!(seen.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    }
}
