//! Sending objects and files made of them: whole or in ranges, with a type of our own choosing, never rendered.

use super::problem::Problem;
use super::records::{parse_range, set_header};
use crate::files::chunks;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// How a file is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sending<'a> {
    pub media_type: &'a str,
    /// The name that a browser saves it under; `None` = it is shown where it is asked for (a sound).
    pub save_as: Option<&'a str>,
}

/// Sends a file, or the range of it that was asked for.
///
/// # Errors
/// The file cannot be read.
pub(super) async fn send(
    file: tokio::fs::File,
    sending: Sending<'_>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let size = file.metadata().await.map_err(Problem::internal)?.len();
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let (status, range) = match range.and_then(|text| parse_range(text, size)) {
        None => (StatusCode::OK, 0..size),
        Some(Some((first, last))) => (StatusCode::PARTIAL_CONTENT, first..last + 1),
        Some(None) => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            set_header(&mut response, header::CONTENT_RANGE, &format!("bytes */{size}"));
            return Ok(response);
        }
    };
    let body = chunks(file, range.clone()).await.map_err(Problem::internal)?;
    let mut response = (status, Body::from_stream(body)).into_response();
    set_header(&mut response, header::CONTENT_TYPE, sending.media_type);
    set_header(&mut response, header::ACCEPT_RANGES, "bytes");
    set_header(&mut response, header::CONTENT_LENGTH, &(range.end - range.start).to_string());
    set_header(&mut response, header::CACHE_CONTROL, "private, no-store");
    if let Some(name) = sending.save_as {
        set_header(&mut response, header::CONTENT_DISPOSITION, &disposition(name));
    }
    if status == StatusCode::PARTIAL_CONTENT {
        let part = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        set_header(&mut response, header::CONTENT_RANGE, &part);
    }
    Ok(response)
}

/// `Content-Disposition` of a file to be saved (RFC 6266), with a name of any script (RFC 8187).
fn disposition(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_. ".contains(c) { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"-_.".contains(&b) => encoded.push(char::from(b)),
            b => encoded.push_str(&format!("%{b:02X}")),
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_script_is_saved_under_itself_and_breaks_no_header() {
        assert_eq!(disposition("a b.csv"), "attachment; filename=\"a b.csv\"; filename*=UTF-8''a%20b.csv");
        let hostile = disposition("业主\"\r\nSet-Cookie: x;.csv");
        assert!(hostile.starts_with("attachment; filename=\"__"), "{hostile}");
        assert!(!hostile.contains(['\r', '\n']) && hostile.matches('"').count() == 2, "{hostile}");
        assert!(axum::http::HeaderValue::from_str(&hostile).is_ok());
    }
}
