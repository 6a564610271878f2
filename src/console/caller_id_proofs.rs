//! Handlers of the papers that show who holds a caller ID: received as the body of a request, and given out to be saved.

use super::app_state::AppState;
use super::auth::Caller;
use super::caller_id_approvals::organisations_asking;
use super::caller_ids::{announce, answer, find, finish};
use super::objects::{self, Sending};
use super::problem::Problem;
use super::rights::Action;
use super::server::RequestDeadline;
use super::uploads::{receive, remove_object};
use super::versions::{check_version, with_etag};
use crate::files::{Kind, Stored};
use crate::store::Subject;
use crate::store::blobs::NewBlob;
use axum::body::Body as Sent;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use paceline_core::caller_id_life::CallerIdState;
use serde_json::json;
use tokio::io::AsyncReadExt;

/// What a proof may be, by its first bytes: the media type, and the ending it is saved with.
const KINDS: [(&[u8], &str, &str); 3] = [
    (b"%PDF-", "application/pdf", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
];

/// The types of proofs.
pub(super) const MEDIA_TYPES: [&str; 3] = [KINDS[0].1, KINDS[1].1, KINDS[2].1];

async fn media_type(state: &AppState, stored: &Stored) -> Result<&'static str, Problem> {
    let (file, _) = state.files().open_object(&stored.path).await.map_err(Problem::internal)?;
    let mut head = Vec::new();
    file.take(16).read_to_end(&mut head).await.map_err(Problem::internal)?;
    let kind = KINDS.into_iter().find(|(magic, ..)| head.starts_with(magic));
    kind.map(|(_, media_type, _)| media_type).ok_or_else(|| {
        Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_a_proof",
            "this file is neither PDF, PNG nor JPEG: send a scan or a photograph of the paper",
        )
    })
}

pub(super) async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    deadline: Option<Extension<RequestDeadline>>,
    headers: HeaderMap,
    body: Sent,
) -> Result<Response, Problem> {
    let found = find(&state, &caller, &number).await?;
    if found.state == CallerIdState::Retired {
        let detail = "a retired number takes no proof: enter it anew first";
        return Err(Problem::new(StatusCode::CONFLICT, "not_in_this_state", detail));
    }
    let deadline = deadline.map(|Extension(deadline)| deadline);
    let stored = receive(&state, &caller, deadline, &headers, body, Kind::Proof).await?;
    let kept = keep(&state, &caller, &number, &headers, &stored).await;
    if kept.as_ref().map_or(true, |(_, is_known)| *is_known) {
        remove_object(&state, &stored.path);
    }
    Ok(kept?.0)
}

/// The answer, and whether the same bytes were there.
async fn keep(
    state: &AppState,
    caller: &Caller,
    number: &str,
    headers: &HeaderMap,
    stored: &Stored,
) -> Result<(Response, bool), Problem> {
    let media_type = media_type(state, stored).await?;
    let found = find(state, caller, number).await?;
    let subject = Subject::of("caller_id", found.number.national());
    let mut change = state.change(caller, Action::CallerIdsEdit, subject).await?;
    let row = change.caller_id(found.id).await?.ok_or_else(|| Problem::not_found("caller ID"))?;
    check_version(headers, row.version, false)?;
    let blob = NewBlob {
        enterprise: row.enterprise,
        kind: Kind::Proof.word(),
        sha256: stored.sha256,
        bytes: stored.bytes,
        media_type,
        path: &stored.path,
    };
    change.set_before(json!({ "proof": row.proof.as_ref().map(|it| it.bytes) }));
    change.set_after(json!({ "proof": stored.bytes }));
    let entered = change.set_caller_id_proof(&row, &blob, caller.maker()).await?;
    let needed = organisations_asking(state).await?.contains(&row.organisation);
    let asked = change.note_caller_id_content(&row, needed, caller.maker()).await?;
    let row = finish(state, change, row.id).await?;
    entered.unused.iter().for_each(|path| remove_object(state, path));
    announce(state, &row, asked);
    let shown = answer(state, caller, &row).await?;
    Ok((with_etag(row.version, (StatusCode::CREATED, shown).into_response()), entered.blob_is_known))
}

/// The proof, to be saved; pictures may be shown where they are asked for by a page.
pub(super) async fn proof(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = find(&state, &caller, &number).await?;
    let proof = row.proof.as_ref().ok_or_else(|| Problem::not_found("proof"))?;
    let (file, _) = state.files().open_object(&proof.path).await.map_err(Problem::internal)?;
    let kind = KINDS.into_iter().find(|(_, media_type, _)| *media_type == proof.media_type);
    let (_, media_type, ending) = kind.ok_or_else(|| Problem::internal("a proof of no known type"))?;
    let number = row.number.national();
    state.record_access(&caller, Action::CallerIdsEdit, Subject::of("caller_id_proof", &number)).await?;
    let name = format!("{number}.{ending}");
    objects::send(file, Sending { media_type, save_as: Some(&name) }, &headers).await
}
