//! Versions of rows (`ETag`, `If-Match`, RFC 9110 sections 8.8.3 and 13.1.1): two people who change the same row do
//! not undo each other's change.

use super::problem::Problem;
use super::route::Route;
use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// Routes that change nothing without `If-Match`, by method and path; the others take it where it is sent.
/// A change of a campaign that is only tried needs none.
const REQUIRED: &[(&str, &str)] = &[
    ("patch", "/organisations/{slug}"),
    ("put", "/pause-reasons"),
    ("put", "/holidays"),
    ("put", "/campaigns/{name}"),
    ("patch", "/views/{id}"),
    ("delete", "/views/{id}"),
    ("patch", "/campaigns/{name}"),
];

/// Whether a route refuses requests without `If-Match`.
pub(super) fn needs_version(route: &Route) -> bool {
    REQUIRED.contains(&(route.method, route.path))
}

/// The entity tag of a row in this version.
pub(super) fn etag(version: i64) -> String {
    format!("\"v{version}\"")
}

/// The answer about a row, with its entity tag.
pub(super) fn answer_of_row(version: i64, row: Value) -> Response {
    with_etag(version, Json(row).into_response())
}

pub(super) fn with_etag(version: i64, mut response: Response) -> Response {
    if let Ok(value) = HeaderValue::from_str(&etag(version)) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// Checks `If-Match` against the row's present version; call it inside the change.
///
/// # Errors
/// 412 `changed` if the row is in another version; 428 `if_match` if the header is missing and `required`.
pub(super) fn check_version(headers: &HeaderMap, version: i64, required: bool) -> Result<(), Problem> {
    let Some(given) = headers.get(header::IF_MATCH) else {
        let detail = "send If-Match with the ETag of the row that you read";
        let missing = || Problem::new(StatusCode::PRECONDITION_REQUIRED, "if_match", detail);
        return if required { Err(missing()) } else { Ok(()) };
    };
    let present = etag(version);
    let given = given.to_str().unwrap_or_default();
    if given.split(',').any(|tag| matches!(tag.trim(), "*") || tag.trim() == present) {
        return Ok(());
    }
    let detail = "somebody changed it meanwhile: read it again, compare, then apply";
    Err(Problem::new(StatusCode::PRECONDITION_FAILED, "changed", detail).with("version", version.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_matches_itself_a_list_with_it_and_a_star() {
        let check = |given: Option<&str>, required| {
            let mut headers = HeaderMap::new();
            if let Some(given) = given {
                headers.insert(header::IF_MATCH, given.parse().unwrap());
            }
            check_version(&headers, 17, required).map_err(|problem| problem.status().as_u16())
        };
        for given in ["\"v17\"", "*", "\"v3\", \"v17\""] {
            assert_eq!(check(Some(given), true), Ok(()), "{given}");
        }
        // A weak tag never matches here (RFC 9110 section 13.1.1).
        for given in ["\"v16\"", "v17", "W/\"v17\"", "", "\"v170\""] {
            assert_eq!(check(Some(given), false), Err(412), "{given}");
        }
        assert_eq!((check(None, false), check(None, true)), (Ok(()), Err(428)));
    }
}
