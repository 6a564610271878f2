//! Handlers of one whole call: its row, legs, seats, summaries, corrections, recording, and the agents at the answer.

use super::app_state::AppState;
use super::auth::Caller;
use super::call_moments::{marks, timeline};
use super::call_trace::cause_words;
use super::campaign_views::group_of;
use super::problem::Problem;
use super::records::parse_id;
use super::shown_number::{NumberSight, shown_optional, shown_text};
use super::views::{millis, stored_number};
use crate::store::call_detail::{
    AgentAtAnswerRow, CallCorrectionRow, CallDetailRow, CallLegRow, CallRecordingRow, CallSeatRow,
    CallSummaryRow,
};
use crate::store::{AgentRow, Reader};
use crate::text::{Lang, NoRecording};
use axum::Json;
use axum::extract::{Path, State};
use paceline_core::call_note::NoteKind;
use paceline_core::call_steps::{Direction, Step};
use paceline_core::ids::{AgentId, AttemptId, CampaignId, GroupId};
use paceline_core::outcome::Outcome;
use serde_json::{Value, json};

/// A call with all that hangs on it.
pub(super) struct WholeCall {
    pub row: CallDetailRow,
    pub inbound: bool,
    pub steps: Vec<Step>,
    pub seats: Vec<CallSeatRow>,
    pub summaries: Vec<CallSummaryRow>,
    pub recordings: Vec<CallRecordingRow>,
    legs: Vec<CallLegRow>,
    corrections: Vec<CallCorrectionRow>,
    agents_at_answer: Vec<AgentAtAnswerRow>,
    /// Why there is no sound to hear.
    no_recording: Option<NoRecording>,
}

pub(super) async fn call(
    State(state): State<AppState>,
    caller: Caller,
    Path(attempt): Path<String>,
) -> Result<Json<Value>, Problem> {
    let attempt = AttemptId(parse_id(&attempt, "call")?);
    // Asked before the store: a call that ends in between is whole there.
    let live = state.engine().call_steps(attempt).await;
    let mut reader = state.store().reader().await?;
    let mut row = reader.call_detail(attempt).await?.ok_or_else(|| Problem::not_found("call"))?;
    row.steps = row.steps.or(live);
    answer(&state, &caller, &mut reader, row, false).await
}

pub(super) async fn inbound_call(
    State(state): State<AppState>,
    caller: Caller,
    Path(call): Path<String>,
) -> Result<Json<Value>, Problem> {
    let call = parse_id(&call, "call")?;
    let mut reader = state.store().reader().await?;
    let row = reader.inbound_call_detail(call).await?.ok_or_else(|| Problem::not_found("call"))?;
    answer(&state, &caller, &mut reader, row, true).await
}

async fn answer(
    state: &AppState,
    caller: &Caller,
    reader: &mut Reader,
    row: CallDetailRow,
    inbound: bool,
) -> Result<Json<Value>, Problem> {
    let accounts = state.store().all_agents().await?;
    let seats = reader.call_seats(&row, inbound).await?;
    if !may_see(caller, &row, &seats, &accounts) {
        return Err(Problem::not_found("call"));
    }
    let toml = match row.campaign_id {
        Some(id) => state.store().campaign_toml(CampaignId(id)).await?,
        None => String::new(),
    };
    let group = group_of_campaign(state, &row, &toml).await?;
    let mut agents_at_answer = Vec::new();
    if let (Some(at), Some(group)) = (row.answered_at, group) {
        agents_at_answer = reader.agents_at(row.enterprise, group, at).await?;
    }
    // An agent sees itself, a shift lead the members of its groups.
    let is_seen = |id: i64| accounts.iter().any(|it| it.id.0 == id && caller.can_see(it));
    agents_at_answer.retain(|it| is_seen(it.agent_id));
    let corrections = if inbound { Vec::new() } else { reader.call_corrections(AttemptId(row.id)).await? };
    let recordings = reader.call_recordings(&row, inbound).await?;
    let steps =
        row.steps.as_deref().map_or(Ok(Vec::new()), serde_json::from_str).map_err(Problem::internal)?;
    let days = state.config().retention.recordings_days;
    let whole = WholeCall {
        no_recording: no_recording(&row, &steps, &recordings, &toml, days),
        legs: reader.call_legs(&row).await?,
        summaries: reader.call_summaries(&row, inbound).await?,
        row,
        inbound,
        steps,
        seats,
        recordings,
        corrections,
        agents_at_answer,
    };
    Ok(Json(whole.json(caller.sight())))
}

/// Callers that see every call, the agents who spoke in it, and their shift leads.
pub(super) fn may_see(
    caller: &Caller,
    row: &CallDetailRow,
    seats: &[CallSeatRow],
    accounts: &[AgentRow],
) -> bool {
    let speakers = seats.iter().filter(|seat| seat.activity == "talking").map(|seat| seat.agent_id);
    let mut spoke = speakers.chain(row.agent_id);
    caller.scope.holds(row.enterprise, row.organisation)
        && (caller.can_see_all()
            || spoke.any(|id| accounts.iter().any(|it| it.id == AgentId(id) && caller.can_see(it))))
}

async fn group_of_campaign(
    state: &AppState,
    row: &CallDetailRow,
    toml: &str,
) -> Result<Option<GroupId>, Problem> {
    let Some(name) = group_of(toml) else { return Ok(None) };
    let groups = state.store().group_rows().await?;
    let own = |it: &&crate::store::GroupRow| it.enterprise == row.enterprise && it.group.name == name;
    Ok(groups.iter().find(own).map(|it| it.group.id))
}

/// Why there is nothing to hear; `None` = there is.
fn no_recording(
    row: &CallDetailRow,
    steps: &[Step],
    recordings: &[CallRecordingRow],
    toml: &str,
    days: u32,
) -> Option<NoRecording> {
    if recordings.iter().any(|it| it.deleted_at.is_none()) {
        return None;
    }
    let was_begun = steps.iter().any(|step| {
        step.dir == Direction::Note
            && NoteKind::parse(&step.text).is_some_and(|(kind, _)| kind == NoteKind::Record)
    });
    let was_interrupted = row.outcome.as_deref() == Some(Outcome::Interrupted.word());
    Some(if !recordings.is_empty() {
        NoRecording::Deleted { days }
    } else if row.ended_at.is_none() {
        NoRecording::Live
    } else if row.answered_at.is_none() {
        NoRecording::NotAnswered
    } else if was_interrupted {
        NoRecording::Interrupted
    } else if was_begun {
        NoRecording::Failed
    } else if row.connected_at.is_none() {
        NoRecording::NoConversation
    } else {
        match recorded_by(toml).as_deref() {
            None | Some("never") => NoRecording::CampaignOff,
            Some("on_demand") => NoRecording::NotAskedFor,
            Some("agents") => NoRecording::AgentOff,
            Some(_) => NoRecording::NotThen,
        }
    })
}

/// Which conversations the campaign records, as its text says; `None` = it has no agents.
fn recorded_by(toml: &str) -> Option<String> {
    let table: toml::Table = toml.parse().ok()?;
    let agents = table.get("agents")?;
    Some(agents.get("record").and_then(toml::Value::as_str).unwrap_or("agents").to_owned())
}

impl WholeCall {
    fn json(&self, sight: NumberSight) -> Value {
        let row = &self.row;
        let root = match self.inbound {
            true => format!("/api/v1/calls/in/{}", row.id),
            false => format!("/api/v1/calls/{}", row.id),
        };
        json!({
            "id": row.id,
            "direction": if self.inbound { "in" } else { "out" },
            "campaign": row.campaign,
            "lead": row.lead_id,
            "name": shown_optional(row.name.as_ref(), sight),
            "number": stored_number(row.number, sight),
            "ordinal": (row.ordinal > 0 && row.lead_id.is_some()).then_some(row.ordinal),
            "lead_attempts": row.lead_id.map(|_| row.lead_attempts),
            "trunk": row.trunk,
            // The number that is shown to callees is the enterprise's own.
            "caller_id": stored_number(row.caller_id, NumberSight::Whole),
            "at": millis(Some(row.at)),
            "ringing_at": millis(row.ringing_at),
            "answered_at": millis(row.answered_at),
            "connected_at": millis(row.connected_at),
            "ended_at": millis(row.ended_at),
            "outcome": row.outcome,
            "sip_code": row.sip_code,
            "ended_by": row.ended_by,
            "cause": shown_text(&row.cause, sight),
            "cause_words": cause_words(&row.cause, sight),
            "keys": row.keys,
            "result": row.result,
            "agent": row.agent,
            "agent_name": row.agent_name,
            "disposition": row.disposition,
            "note": shown_optional(row.note.as_ref(), sight),
            "timeline": timeline(self, sight),
            "legs": self.legs.iter().map(|leg| leg_json(leg, sight)).collect::<Vec<_>>(),
            "parties": self.seats.iter().map(seat_json).collect::<Vec<_>>(),
            "summaries": self.summaries.iter().map(|it| summary_json(it, sight)).collect::<Vec<_>>(),
            "corrections": self.corrections.iter().map(|it| correction_json(it, sight)).collect::<Vec<_>>(),
            "recordings": self.recordings_json(&root),
            "no_recording": self.no_recording.map(no_recording_json),
            "agents_at_answer": self.agents_at_answer.iter().map(agent_json).collect::<Vec<_>>(),
        })
    }

    /// The kept parts, numbered as `…/recording?part=` numbers them.
    fn recordings_json(&self, root: &str) -> Vec<Value> {
        let all = self.recordings.iter().enumerate();
        let kept = all.filter(|(_, it)| it.deleted_at.is_none()).zip(1..);
        kept.map(|((place, it), part)| {
            json!({
                "part": part,
                "source": format!("{root}/recording?part={part}"),
                "peaks": format!("{root}/peaks?part={part}"),
                "millis": it.millis,
                "began_at": millis(Some(it.saved_at - it.millis)),
                "recovered": it.recovered,
                "lost_frames": it.lost_frames,
                "marks": marks(&self.steps, place, it.millis),
            })
        })
        .collect()
    }
}

fn leg_json(leg: &CallLegRow, sight: NumberSight) -> Value {
    json!({
        "kind": leg.kind,
        "agent": leg.agent,
        "agent_name": leg.agent_name,
        "number": stored_number(leg.number, sight),
        "began_at": millis(leg.began_at),
        "answered_at": millis(leg.answered_at),
        "connected_at": millis(leg.connected_at),
        "ended_at": millis(leg.ended_at),
        "ended_by": leg.ended_by,
        "cause_words": cause_words(&leg.cause, sight),
    })
}

fn seat_json(seat: &CallSeatRow) -> Value {
    json!({
        "agent": seat.agent,
        "agent_name": seat.agent_name,
        "activity": seat.activity,
        "at": millis(Some(seat.at)),
        "until": millis(seat.until),
    })
}

fn summary_json(it: &CallSummaryRow, sight: NumberSight) -> Value {
    json!({
        "agent": it.agent,
        "agent_name": it.agent_name,
        "disposition": it.disposition,
        "note": shown_text(&it.note, sight),
        "callback_at": millis(it.callback_at),
        "defaulted": it.defaulted,
        "at": millis(Some(it.at)),
        "wrap_millis": it.wrap_began_at.map(|began| it.at - began),
    })
}

fn correction_json(it: &CallCorrectionRow, sight: NumberSight) -> Value {
    json!({
        "agent": it.agent,
        "at": millis(Some(it.at)),
        "field": it.field,
        "was": shown_optional(it.was.as_ref(), sight),
        "now": shown_text(&it.now, sight),
    })
}

fn agent_json(it: &AgentAtAnswerRow) -> Value {
    let is_free = it.availability == "available" && it.activity == "idle";
    json!({
        "agent": it.agent,
        "agent_name": it.agent_name,
        "availability": it.availability,
        "activity": it.activity,
        "reason": it.reason,
        "since": millis(Some(it.since)),
        "is_free": is_free,
        "free_at": millis(it.free_at),
    })
}

fn no_recording_json(why: NoRecording) -> Value {
    let [en, zh] = [Lang::En, Lang::Zh].map(|lang| lang.no_recording(why));
    json!({ "code": why.word(), "words": { "en": en, "zh": zh } })
}
