//! The pages of the console: the build of `ui/`, embedded in release builds, read from `ui/dist` in debug builds.
//! `index.html` has a fresh nonce for each load and is never kept; assets have a hash in their name and are kept
//! for ever. A build without `ui/dist` serves a page that says so.

use super::headers::OfThePage;
use super::problem::Problem;
use super::secrets;
use axum::Extension;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use std::borrow::Cow;

#[derive(rust_embed::Embed)]
#[folder = "ui/dist"]
#[allow_missing = true]
struct Files;

/// Stands in `index.html` where the nonce goes.
const NONCE_MARK: &str = "__NONCE__";

/// Stands at the head of `index.html` as Vite leaves it.
const HTML_TAG: &str = "<html lang=\"zh-CN\">";

/// The cookie in which the page keeps language and theme: `zh.dark`. It names no person.
const LOOK_COOKIE: &str = "paceline_look";

/// Shown where the binary was built without the console.
const NOT_BUILT: &str = "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>Paceline</title>\
<main><h1>Paceline</h1><p>这个程序编译时没有包含控制台页面。请在源码的 ui 文件夹里运行 npm ci 和 npm run build,再编译一次。\
接口在 /api/v1 下照常可用。</p><p lang=\"en\">This program was built without the pages of the console. Run npm ci and \
npm run build in the folder ui of the source, then build it again. The API under /api/v1 works.</p></main></html>";

/// Language and theme of a page before its scripts run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    lang: &'static str,
    /// Class of the root element; empty = the system's choice.
    theme: &'static str,
}

/// Handler of every path that no route has: a problem below `/api`, an asset, else the page.
pub(super) async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if path == "/api" || path.starts_with("/api/") {
        return Problem::not_found("path").into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        let detail = "pages are read with GET";
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
        return ([(header::ALLOW, "GET, HEAD")], problem).into_response();
    }
    let name = path.trim_start_matches('/');
    if let Some(response) = asset(name, &headers) {
        return response;
    }
    // A page of an older console asks for a chunk that is gone; HTML in its place would hide that.
    if name.starts_with("assets/") {
        return Problem::not_found("file").into_response();
    }
    match secrets::random_key() {
        Ok(nonce) => index(&nonce, look(&headers)),
        Err(problem) => problem.into_response(),
    }
}

/// Version of the program with the build of its pages: another one says that an open page is of another program.
pub(super) fn build() -> String {
    let version = env!("CARGO_PKG_VERSION");
    match Files::get("index.html") {
        Some(file) => format!("{version}+{}", &secrets::key_hash(&String::from_utf8_lossy(&file.data))[..8]),
        None => version.to_owned(),
    }
}

fn index(nonce: &str, look: Look) -> Response {
    let (status, html) = match Files::get("index.html") {
        Some(file) => (StatusCode::OK, fill(&String::from_utf8_lossy(&file.data), nonce, look)),
        None => (StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT.to_owned()),
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::CONTENT_SECURITY_POLICY, policy(Some(nonce))),
        (header::VARY, HeaderValue::from_static("Accept-Language, Cookie")),
    ];
    (status, Extension(OfThePage), headers, html).into_response()
}

/// `index.html` with the nonce, the language and the theme of this load.
fn fill(html: &str, nonce: &str, look: Look) -> String {
    let class = if look.theme.is_empty() { String::new() } else { format!(" class=\"{}\"", look.theme) };
    html.replacen(HTML_TAG, &format!("<html lang=\"{}\"{class}>", look.lang), 1).replace(NONCE_MARK, nonce)
}

/// A file of the build, in the smallest encoding that the browser takes.
fn asset(name: &str, headers: &HeaderMap) -> Option<Response> {
    let content_type = content_type(name)?;
    let coded = [("br", ".br"), ("gzip", ".gz")].into_iter().find_map(|(coding, ending)| {
        let file = takes(headers, coding).then(|| Files::get(&format!("{name}{ending}"))).flatten()?;
        Some((Some(coding), file))
    });
    let (coding, file) = coded.or_else(|| Some((None, Files::get(name)?)))?;
    // Names below `assets/` change with their content.
    let kept = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = match file.data {
        Cow::Borrowed(bytes) => bytes.into_response(),
        Cow::Owned(bytes) => bytes.into_response(),
    };
    response.extensions_mut().insert(OfThePage);
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    out.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    // A worker is under the policy of its own script.
    out.insert(header::CONTENT_SECURITY_POLICY, policy(None));
    if let Some(coding) = coding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    Some(response)
}

/// The types of files that a build has; other names are no assets.
fn content_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        "woff2" => Some("font/woff2"),
        "wav" => Some("audio/wav"),
        _ => None,
    }
}

/// Whether `Accept-Encoding` names the coding with a weight above zero (RFC 9110 section 12.5.3).
fn takes(headers: &HeaderMap, coding: &str) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        is_named && weight.and_then(|q| q.parse::<f32>().ok()).is_none_or(|q| q > 0.0)
    })
}

/// Language and theme that the page kept in its cookie, else the browser's first language and the system's theme.
fn look(headers: &HeaderMap) -> Look {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let kept = cookies
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(LOOK_COOKIE)?.strip_prefix('='))
        .unwrap_or_default();
    let (language, theme) = kept.split_once('.').unwrap_or((kept, ""));
    let lang = match language {
        "zh" => "zh-CN",
        "en" => "en-GB",
        _ => preferred_language(headers),
    };
    let theme = match theme {
        "light" => "light",
        "dark" => "dark",
        _ => "",
    };
    Look { lang, theme }
}

/// Chinese unless the browser asks for English before Chinese.
fn preferred_language(headers: &HeaderMap) -> &'static str {
    let asked =
        headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let known = asked.split(',').map(str::trim).find(|tag| tag.starts_with("zh") || tag.starts_with("en"));
    if known.is_some_and(|tag| tag.starts_with("en")) { "en-GB" } else { "zh-CN" }
}

/// What a page or a worker may load: our own files, and styles that carry the page's nonce.
fn policy(nonce: Option<&str>) -> HeaderValue {
    let nonce = nonce.map(|nonce| format!(" 'nonce-{nonce}'")).unwrap_or_default();
    let text = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'{nonce}; img-src 'self' data: blob:; \
         media-src 'self' blob:; connect-src 'self'; worker-src 'self'; font-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn nonce_language_and_theme_are_written_into_the_page() {
        let html = "<html lang=\"zh-CN\"><meta content=\"__NONCE__\"></html>";
        let filled = fill(html, "abc", Look { lang: "en-GB", theme: "dark" });
        assert_eq!(filled, "<html lang=\"en-GB\" class=\"dark\"><meta content=\"abc\"></html>");
        let plain = fill(html, "abc", Look { lang: "zh-CN", theme: "" });
        assert_eq!(plain, "<html lang=\"zh-CN\"><meta content=\"abc\"></html>");
    }

    #[test]
    fn the_look_is_the_cookies_and_hostile_cookies_change_nothing() {
        let of = |cookie: &'static str| look(&headers(&[(header::COOKIE, cookie)]));
        assert_eq!(of("a=b; paceline_look=en.dark"), Look { lang: "en-GB", theme: "dark" });
        assert_eq!(of("paceline_look=zh.system"), Look { lang: "zh-CN", theme: "" });
        for hostile in
            ["paceline_look=\"><script>.x", "paceline_look=", "paceline_look", "paceline_look=.dark\""]
        {
            assert_eq!(of(hostile), Look { lang: "zh-CN", theme: "" }, "{hostile}");
        }
    }

    #[test]
    fn the_language_is_the_first_that_the_browser_asks_for() {
        let of = |asked: &'static str| preferred_language(&headers(&[(header::ACCEPT_LANGUAGE, asked)]));
        assert_eq!(of("en-US,en;q=0.9,zh;q=0.8"), "en-GB");
        assert_eq!(of("fr, zh-TW;q=0.8, en;q=0.5"), "zh-CN");
        assert_eq!(of("fr"), "zh-CN");
    }

    #[test]
    fn a_coding_with_weight_zero_is_refused() {
        let of = |asked: &'static str, coding| takes(&headers(&[(header::ACCEPT_ENCODING, asked)]), coding);
        assert!(of("gzip, deflate, br", "br") && of("br;q=0.5", "br") && of("GZIP", "gzip"));
        assert!(!of("gzip, br;q=0", "br") && !of("brotli", "br") && !of("", "gzip"));
    }
}
