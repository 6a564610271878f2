//! Handlers of lead records: corrections, contact history of the household.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::fields::{TEXT, parse_telephone};
use super::floor;
use super::parameters::TELEPHONE;
use super::problem::Problem;
use super::shown_number::{NumberSight, shown_optional, shown_text};
use super::views::{millis, stored_number};
use crate::store::{Correction, LeadChange, LeadRecord, Reader, Subject};
use axum::Json;
use axum::body::{Body as Sent, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use paceline_core::ids::{AgentId, AttemptId, CampaignId, LeadId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path as File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

const NAME_MAX: usize = 128;

/// Parses an id in a path; anything but a positive number is "not found".
pub(super) fn parse_id(text: &str, what: &str) -> Result<i64, Problem> {
    text.parse().ok().filter(|id| *id > 0).ok_or_else(|| Problem::not_found(what))
}

/// A lead that the caller may see: its campaign belongs to the caller's groups, or it is on the caller's
/// seat now, or the caller has spoken with its household.
pub(super) async fn visible_lead(
    state: &AppState,
    caller: &Caller,
    reader: &mut Reader,
    lead: LeadId,
) -> Result<LeadRecord, Problem> {
    let record = reader.lead_record(lead).await?;
    let record = record.filter(|it| caller.scope.holds(it.enterprise, it.organisation));
    let record = record.ok_or_else(|| Problem::not_found("lead"))?;
    let facts = state.campaigns().remove(&CampaignId(record.campaign_id));
    let group = facts.as_ref().and_then(|facts| facts.rules.agents.as_ref()).map(|rules| rules.group);
    if caller.can_see_group(group) {
        return Ok(record);
    }
    let account = caller.account.as_ref().ok_or_else(|| Problem::not_found("lead"))?;
    let board = floor::board(state);
    let work = board.seats.get(&account.id).and_then(|seat| seat.work.as_ref());
    if work.is_some_and(|work| work.lead == Some(lead)) || reader.has_contact_with(account.id, lead).await? {
        return Ok(record);
    }
    Err(Problem::not_found("lead"))
}

pub(super) async fn lead(
    State(state): State<AppState>,
    caller: Caller,
    Path(lead): Path<String>,
) -> Result<Json<Value>, Problem> {
    let lead = LeadId(parse_id(&lead, "lead")?);
    let mut reader = state.store().reader().await?;
    let record = visible_lead(&state, &caller, &mut reader, lead).await?;
    Ok(Json(lead_json(&state, &mut reader, &record, caller.sight()).await?))
}

/// A lead's record: what the list says, phones, corrections, and the calls of its household.
pub(super) async fn lead_json(
    state: &AppState,
    reader: &mut Reader,
    record: &LeadRecord,
    sight: NumberSight,
) -> Result<Value, Problem> {
    let lead = LeadId(record.lead_id);
    let numbers = state.agent_numbers().await?;
    let phones = reader.phones(lead).await?;
    let corrections = reader.corrections(lead).await?;
    let history = reader.household_history(lead).await?;
    Ok(json!({
        "id": record.lead_id,
        "campaign": record.campaign,
        "list_row": record.list_row,
        "household": shown_optional(record.household.as_ref(), sight),
        "name": shown_optional(record.name.as_ref(), sight),
        "state": record.state,
        "reason": record.reason,
        "attempts": record.attempts,
        "last_outcome": record.last_outcome,
        "last_at": millis(record.last_at),
        "next_at": millis(Some(record.next_at).filter(|at| *at > 0)),
        "result": record.result,
        "disposition": record.disposition,
        "callback_agent": record.callback_agent.and_then(|id| numbers.get(&AgentId(id))),
        "callback_skill": record.callback_skill,
        "columns": columns(record, sight),
        "phones": phones.iter().map(|phone| json!({
            "number": stored_number(Some(phone.number), sight),
            "given": shown_text(&phone.given, sight),
            "attempts": phone.attempts,
            "last_outcome": phone.last_outcome,
            "last_at": millis(phone.last_at),
            "closed": phone.closed,
        })).collect::<Vec<_>>(),
        "corrections": corrections.iter().map(|row| json!({
            "agent": numbers.get(&AgentId(row.agent_id)),
            "at": millis(Some(row.at)),
            "field": row.field,
            "was": shown_optional(row.was.as_ref(), sight),
            "now": shown_text(&row.now, sight),
            "attempt": row.attempt_id,
        })).collect::<Vec<_>>(),
        "history": history.iter().map(|row| json!({
            "attempt": row.attempt_id,
            "leg": row.leg_id.map(|leg| leg.to_string()),
            "lead": row.lead_id,
            "name": shown_optional(row.name.as_ref(), sight),
            "number": stored_number(row.number, sight),
            "at": millis(Some(row.at)),
            "answered_at": millis(row.answered_at),
            "connected_at": millis(row.connected_at),
            "ended_at": millis(row.ended_at),
            "outcome": row.outcome,
            "result": row.result,
            "agent": row.agent,
            "agent_name": row.agent_name,
            "disposition": row.disposition,
            "note": shown_optional(row.note.as_ref(), sight),
            "recorded": row.recording.is_some(),
        })).collect::<Vec<_>>(),
    }))
}

/// The columns of the imported list, in its order.
fn columns(record: &LeadRecord, sight: NumberSight) -> Vec<Value> {
    let header: Vec<String> = serde_json::from_str(&record.header).unwrap_or_default();
    let cells: Vec<String> = serde_json::from_str(&record.cells).unwrap_or_default();
    let cells = cells.into_iter().map(|cell| shown_text(&cell, sight));
    header
        .into_iter()
        .map(|name| shown_text(&name, sight))
        .zip(cells)
        .map(|(column, cell)| json!({ "column": column, "cell": cell }))
        .collect()
}

/// One correction: `name`, or `phone` (with `was`: replaces that number; without: adds one).
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "required": ["name"], "properties": {
        "name": { "type": "string" }, "phone": { "type": "null" }, "was": { "type": "null" } } },
    { "required": ["phone"], "properties": { "phone": { "type": "string" }, "name": { "type": "null" } } },
]))]
pub(super) struct CorrectionRequest {
    #[schemars(length(max = 128), regex(pattern = TEXT))]
    name: Option<String>,
    #[schemars(regex(pattern = TELEPHONE))]
    phone: Option<String>,
    #[schemars(regex(pattern = TELEPHONE))]
    was: Option<String>,
    /// The call in which the agent heard it.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_i64))]
    attempt: Option<i64>,
}

pub(super) async fn correct(
    State(state): State<AppState>,
    caller: Caller,
    Path(lead): Path<String>,
    Body(asked): Body<CorrectionRequest>,
) -> Result<StatusCode, Problem> {
    let account = caller.account()?.id;
    let lead = LeadId(parse_id(&lead, "lead")?);
    let mut reader = state.store().reader().await?;
    visible_lead(&state, &caller, &mut reader, lead).await?;
    drop(reader);
    let change = match (asked.name, asked.phone, asked.was) {
        (Some(name), None, None) => LeadChange::Name(lead_name(&name)?),
        (None, Some(now), Some(was)) => {
            LeadChange::Phone { was: parse_telephone(&was)?, now: parse_telephone(&now)? }
        }
        (None, Some(phone), None) => LeadChange::AddPhone(parse_telephone(&phone)?),
        _ => return Err(Problem::unprocessable("either name, or phone, or phone with the number it was")),
    };
    let attempt = asked.attempt.map(AttemptId);
    let (field, was, now) = change.words();
    let correction = Correction { lead, agent: account, attempt, change };
    let masked = |text: Option<String>| shown_optional(text.as_ref(), NumberSight::Masked);
    let subject = Subject::of("lead", lead);
    let mut change = state.change_own(&caller, "leads.correct", subject).await?;
    change.set_before(json!({ "field": field, "value": masked(was) }));
    change.set_after(json!({ "field": field, "value": masked(Some(now)) }));
    change.correct_lead(&correction).await?;
    change.commit().await?;
    Ok(StatusCode::CREATED)
}

fn lead_name(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    let fits = !name.is_empty() && name.chars().count() <= NAME_MAX && !name.chars().any(char::is_control);
    if fits {
        Ok(name.to_owned())
    } else {
        Err(Problem::unprocessable(format!("name: 1 to {NAME_MAX} characters")))
    }
}

pub(super) async fn send_file(path: &File, range: Option<&HeaderValue>) -> Result<Response, Problem> {
    let mut file = tokio::fs::File::open(path).await.map_err(|_| Problem::not_found("recording"))?;
    let size = file.metadata().await.map_err(Problem::internal)?.len();
    let range = range.and_then(|value| value.to_str().ok()).and_then(|text| parse_range(text, size));
    let (status, first, len) = match range {
        None => (StatusCode::OK, 0, size),
        Some(Some((first, last))) => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Some(None) => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            set_header(&mut response, header::CONTENT_RANGE, &format!("bytes */{size}"));
            return Ok(response);
        }
    };
    file.seek(std::io::SeekFrom::Start(first)).await.map_err(Problem::internal)?;
    let body = stream::unfold((file, len), |(mut file, left)| async move {
        if left == 0 {
            return None;
        }
        let mut chunk = vec![0; left.min(64 * 1024) as usize];
        match file.read(&mut chunk).await {
            Ok(0) => None,
            Ok(read) => {
                chunk.truncate(read);
                Some((Ok::<Bytes, std::io::Error>(chunk.into()), (file, left - read as u64)))
            }
            Err(error) => Some((Err(error), (file, 0))),
        }
    });
    let mut response = (status, Sent::from_stream(body)).into_response();
    let kind = match path.extension().and_then(|extension| extension.to_str()) {
        Some("wav") => "audio/wav",
        Some("mp3") => "audio/mpeg",
        Some("ogg" | "opus") => "audio/ogg",
        _ => "application/octet-stream",
    };
    set_header(&mut response, header::CONTENT_TYPE, kind);
    set_header(&mut response, header::ACCEPT_RANGES, "bytes");
    set_header(&mut response, header::CONTENT_LENGTH, &len.to_string());
    set_header(&mut response, header::CACHE_CONTROL, "private, no-store");
    if status == StatusCode::PARTIAL_CONTENT {
        let last = first + len - 1;
        set_header(&mut response, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{size}"));
    }
    Ok(response)
}

pub(super) fn set_header(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// First and last byte of a `Range`. Outer `None` = no range that is understood, so the whole is sent
/// (RFC 9110 section 14.2); inner `None` = it cannot be satisfied.
pub(super) fn parse_range(text: &str, size: u64) -> Option<Option<(u64, u64)>> {
    let (first, last) = text.strip_prefix("bytes=")?.trim().split_once('-')?;
    if first.is_empty() {
        let tail: u64 = last.parse().ok()?;
        return Some((tail > 0 && size > 0).then(|| (size.saturating_sub(tail), size - 1)));
    }
    let first: u64 = first.parse().ok()?;
    let last = if last.is_empty() { u64::MAX } else { last.parse().ok()? };
    if last < first {
        return None;
    }
    Some((first < size).then(|| (first, last.min(size - 1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_header_selects_a_part_the_whole_or_nothing() {
        for (text, part) in [
            ("bytes=0-9", Some(Some((0, 9)))),
            ("bytes=90-", Some(Some((90, 99)))),
            ("bytes=90-1000", Some(Some((90, 99)))),
            ("bytes=-10", Some(Some((90, 99)))),
            ("bytes=-1000", Some(Some((0, 99)))),
            ("bytes=100-", Some(None)),
            ("bytes=-0", Some(None)),
            ("bytes=9-0", None),
            ("bytes=0-1,5-6", None),
            ("bytes=a-b", None),
            ("lines=0-1", None),
            ("bytes=18446744073709551616-", None),
        ] {
            assert_eq!(parse_range(text, 100), part, "{text}");
        }
        assert_eq!(parse_range("bytes=0-", 0), Some(None));
    }
}
