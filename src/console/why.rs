//! Explains why a campaign dials or does not, and why one lead of it is not dialled, from the board, the
//! dialer and the store, as data and as sentences. `paceline why` calls this directly when no service runs.

use super::app_state::{AppState, OpenCampaignFacts};
use super::auth::Caller;
use super::campaigns;
use super::fields::parse_telephone;
use super::floor;
use super::lead_table::{self, LeadsQuery};
use super::problem::Problem;
use super::records::parse_id;
use super::rights::Action;
use super::shown_number::{ShownNumber, shown_json, shown_optional, shown_text};
use super::views::{self, moment, optional_moment, stored_number};
use super::visible_campaigns;
use crate::store::{LeadSelector, Reader, Scope, StoreError};
use crate::text::{AgentNumbers, Lang, Sentence, TimeFormat};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use paceline_core::campaign::Campaign;
use paceline_core::dialer::{LeadPlace, View};
use paceline_core::explain::{self, DialStatus, LeadFacts, LeadWhy};
use paceline_core::ids::{CampaignId, LeadId};
use paceline_core::number::PhoneNumber;
use paceline_core::time::Utc;
use serde_json::{Value, json};
use std::sync::Arc;

/// Why the campaign dials or does not. `view` is `None` when no service has the campaign open. `line` = the name of
/// the trunk in `view.line`; without a view, the stored words of the trouble with which its last run ended.
pub async fn explain_campaign(
    reader: &mut Reader,
    campaign: &Campaign,
    view: Option<View>,
    line: &str,
    now: Utc,
) -> Result<Value, StoreError> {
    let due = reader.due_now(campaign.id, now).await?;
    let standing = match view {
        Some(view) => DialStatus::Open { mode: campaign.mode, view: Box::new(view) },
        None => DialStatus::NotOpen {
            leads_open: due.leads_open,
            due: due.due,
            next_due: due.next_due,
            window: explain::hours(campaign, now),
            holiday: campaign.windows.holiday_at(now),
        },
    };
    let moments = TimeFormat::in_zone(&campaign.windows.timezone);
    let shown = view.as_ref().map(views::view);
    let mut answer = json!({
        "campaign": campaign.name,
        "mode": campaign.mode.word(),
        "at": moment(now),
        "open": view.is_some(),
        "why": view.and_then(|view| view.why).map(|why| why.word()),
        "limit": view.and_then(|view| view.reason).map(|reason| reason.limit.word()),
        "until": optional_moment(view.and_then(|view| view.until)),
        "view": shown,
        "leads_open": due.leads_open,
        "due": due.due,
        "next_due": optional_moment(due.next_due),
    });
    add_sentences(&mut answer, |lang| lang.dial_status(&standing, &moments));
    add_line(&mut answer, view.as_ref(), line, &moments);
    Ok(answer)
}

/// Why this lead is not dialled. `place` = where a running dialer holds the lead.
pub async fn explain_lead(
    reader: &mut Reader,
    campaign: &Campaign,
    facts: &LeadFacts,
    place: Option<&LeadPlace>,
    now: Utc,
) -> Result<Value, StoreError> {
    let why = explain::lead_why(campaign, facts, place, now);
    let moments = TimeFormat::in_zone(&campaign.windows.timezone);
    let agents: AgentNumbers = reader.agent_numbers().await?;
    let record = reader.lead_record(facts.lead.id).await?;
    let mut answer = json!({
        "campaign": campaign.name,
        "lead": facts.lead.id,
        "row": facts.lead.row,
        "name": record.and_then(|record| record.name),
        "numbers": facts.lead.phones.iter().map(|phone| phone.number.national()).collect::<Vec<_>>(),
        "state": facts.state.word(),
        "at": moment(now),
        "because": why.word(),
        "until": optional_moment(why.until()),
        "ahead": match why {
            LeadWhy::Hopper { ahead } => Some(u64::from(ahead)),
            LeadWhy::Due { ahead } => Some(ahead),
            _ => None,
        },
        "reason": facts.reason.map(|reason| reason.word()),
    });
    add_sentences(&mut answer, |lang| lang.lead_why(&why, &moments, &agents));
    Ok(answer)
}

/// Adds why the line rests. Where no trunk is left, that is why the campaign does not dial.
fn add_line(answer: &mut Value, view: Option<&View>, line: &str, moments: &TimeFormat) {
    answer["line"] = match view {
        Some(view) => views::line(view.line.as_ref(), line, moments),
        None if line.is_empty() => Value::Null,
        None => json!({
            "trunk": null, "region": null, "all": false, "fault": null, "sip_code": null, "calls": null, "until": null,
            "words": { "en": format!("when it dialled last: {line}"), "zh": format!("上次拨打时:{line}") },
            "advice": { "en": null, "zh": null },
        }),
    };
    if view.is_some_and(|view| views::paused_by(view).is_some()) {
        (answer["words"], answer["advice"]) =
            (answer["line"]["words"].clone(), answer["line"]["advice"].clone());
    }
}

/// Adds the sentence and the advice in English and Chinese.
pub(super) fn add_sentences(answer: &mut Value, says: impl Fn(Lang) -> Sentence) {
    let (en, zh) = (says(Lang::En), says(Lang::Zh));
    answer["words"] = json!({ "en": en.says, "zh": zh.says });
    answer["advice"] = json!({ "en": en.advice, "zh": zh.advice });
}

/// Explains why a number or row is no lead of this campaign: refused row, similar number, other list; with
/// advice. `scope` = whose other campaigns are looked through; `None` = no other one is.
pub async fn explain_missing_lead(
    reader: &mut Reader,
    scope: Option<&Scope>,
    campaign: &Campaign,
    selector: LeadSelector,
) -> Result<String, StoreError> {
    let id = campaign.id;
    let last = reader.last_list_row(id).await?;
    if last == 0 {
        let name = &campaign.name;
        return Ok(format!("no list of the campaign `{name}` was taken in yet; `paceline run` takes it in"));
    }
    let refused = |row: crate::store::RefusedRow| {
        let (place, reason, hint) = (row.list_row, row.reason, row.hint);
        format!("row {place} of the list was not taken ({reason}): {hint}; see fix.csv")
    };
    match selector {
        LeadSelector::Lead(lead) => {
            Ok(format!("lead {lead} is none of this campaign; name a --number or a --row"))
        }
        LeadSelector::Row(row) => Ok(match reader.refused_row(id, Some(row), None).await? {
            Some(found) => refused(found),
            None => {
                format!("row {row} is no row of the list: its first is row 2, its last lead is row {last}")
            }
        }),
        LeadSelector::Number(number) => {
            let national = number.national();
            if let Some(found) = reader.refused_row(id, None, Some(&national)).await? {
                return Ok(format!("{national}: {}", refused(found)));
            }
            let near = reader.numbers_in_lists(id, &similar_numbers(number)).await?;
            if !near.is_empty() {
                let near: Vec<String> = near.into_iter().map(PhoneNumber::national).collect();
                return Ok(format!("{national} is not in the list; near it are {}", near.join(", ")));
            }
            let other = match scope {
                Some(scope) => reader.other_campaign_with(scope, id, number).await?,
                None => None,
            };
            if let Some(other) = other {
                return Ok(format!("{national} is not in this list, but in that of the campaign `{other}`"));
            }
            Ok(format!(
                "{national} is not in the list; look for it in the file, or ask by --row (rows 2 to {last})"
            ))
        }
    }
}

/// Numbers that differ by one digit, or by two adjacent digits swapped: typing mistakes.
fn similar_numbers(number: PhoneNumber) -> Vec<PhoneNumber> {
    let digits: Vec<u8> = number.as_u64().to_string().into_bytes();
    let mut found = Vec::new();
    let mut note = |digits: &[u8]| {
        let value = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
        if let Some(near) = value.and_then(PhoneNumber::from_e164).filter(|near| *near != number) {
            found.push(near);
        }
    };
    for place in 2..digits.len() {
        for digit in b'0'..=b'9' {
            let mut changed = digits.clone();
            changed[place] = digit;
            note(&changed);
        }
        let mut swapped = digits.clone();
        swapped.swap(place - 1, place);
        note(&swapped);
    }
    found
}

/// The campaign of this name, open or not; one that the caller may not see is "not found".
async fn visible_campaign(
    state: &AppState,
    caller: &Caller,
    name: &str,
) -> Result<(CampaignId, Arc<OpenCampaignFacts>), Problem> {
    if let Some((id, facts)) = state.campaign_named(&caller.scope, name) {
        return match caller.can_see_campaign(&facts) {
            true => Ok((id, facts)),
            false => Err(Problem::not_found("campaign")),
        };
    }
    let row = campaigns::find(state, caller, name).await?;
    let Some(loaded) = visible_campaigns::load(state, caller, &row).await? else {
        let detail = "the text of this campaign has faults: open its settings, which name them";
        return Err(Problem::new(StatusCode::CONFLICT, "campaign_faulty", detail));
    };
    let (title, enterprise, organisation) = (loaded.title, row.enterprise, row.organisation);
    let rules = Campaign { id: row.id, ..loaded.rules };
    Ok((row.id, Arc::new(OpenCampaignFacts { title, rules, enterprise, organisation })))
}

pub(super) async fn campaign(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (id, facts) = visible_campaign(&state, &caller, &name).await?;
    let (view, line) = view_of(&state, id);
    let mut reader = state.store().reader().await?;
    Ok(Json(explain_campaign(&mut reader, &facts.rules, view, &line, state.now()).await?))
}

pub(super) async fn lead(
    State(state): State<AppState>,
    caller: Caller,
    Path((name, lead)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let (campaign, facts) = visible_campaign(&state, &caller, &name).await?;
    let (rules, now) = (&facts.rules, state.now());
    let lead = LeadId(parse_id(&lead, "lead")?);
    let mut reader = state.store().reader().await?;
    let day = rules.windows.local_day(now);
    let missing = || Problem::not_found("lead in this campaign");
    let known = reader.lead_facts(campaign, lead, now, day).await?.ok_or_else(missing)?;
    let numbers = known.lead.phones.iter().map(|phone| phone.number).collect();
    let (view, line) = view_of(&state, campaign);
    // A dialer that does not have the campaign knows nothing of its leads.
    let place = match view {
        Some(_) => state.engine().lead_place(campaign, lead, known.lead.household, numbers).await,
        None => None,
    };
    let mut answer = explain_lead(&mut reader, rules, &known, place.as_ref(), now).await?;
    answer["name"] = shown_json(answer["name"].take(), caller.sight());
    let phones = known.lead.phones.iter();
    let shown = phones.map(|phone| ShownNumber::of(phone.number, caller.sight()).into());
    answer["numbers"] = shown.collect::<Vec<Value>>().into();
    answer["turn"] = explain_campaign(&mut reader, rules, view, &line, now).await?;
    Ok(Json(answer))
}

/// The dialer's view of a campaign, and the name of its trunk that rests.
fn view_of(state: &AppState, campaign: CampaignId) -> (Option<View>, String) {
    let board = floor::board(state);
    let open = board.campaigns.get(&campaign);
    (open.map(|open| open.view), open.map(|open| open.line_trunk.clone()).unwrap_or_default())
}

/// Looks leads up by a number or by a row of the list; without them the table of leads.
pub(super) async fn leads(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<LeadsQuery>,
) -> Result<Json<Value>, Problem> {
    if query.number.is_none() && query.row.is_none() {
        return lead_table::show(&state, &caller, &name, query).await;
    }
    if query.has_filters() {
        let detail = "`number` and `row` are asked alone; the filter `q` takes numbers and rows too";
        return Err(Problem::unprocessable(detail));
    }
    let (campaign, facts) = visible_campaign(&state, &caller, &name).await?;
    let sight = caller.sight();
    let selector = match (&query.number, query.row) {
        (Some(number), None) => {
            let number = parse_telephone(number)?;
            state.record_look_up(&caller, Action::CampaignsRead, number).await?;
            LeadSelector::Number(number)
        }
        (None, Some(row)) => LeadSelector::Row(row),
        _ => return Err(Problem::unprocessable("ask by `number` or by `row`, not by both")),
    };
    let mut reader = state.store().reader().await?;
    let found = reader.find_leads(campaign, selector).await?;
    if found.is_empty() {
        // A shift lead does not see the campaigns of other groups.
        let scope = Some(&caller.scope).filter(|_| caller.can_see_all());
        let advice = explain_missing_lead(&mut reader, scope, &facts.rules, selector).await?;
        return Err(Problem::new(StatusCode::NOT_FOUND, "not_listed", shown_text(&advice, sight)));
    }
    let mut shown = Vec::new();
    for lead in found {
        let Some(record) = reader.lead_record(lead).await? else { continue };
        let phones = reader.phones(lead).await?;
        shown.push(json!({
            "id": record.lead_id,
            "row": record.list_row,
            "name": shown_optional(record.name.as_ref(), sight),
            "state": record.state,
            "numbers": phones.iter().map(|phone| stored_number(Some(phone.number), sight)).collect::<Vec<_>>(),
        }));
    }
    Ok(Json(json!({ "leads": shown })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_is_a_similar_number() {
        let number = |text: u64| PhoneNumber::from_e164(text).expect("a number");
        let near = similar_numbers(number(8_613_800_138_000));
        for slip in [8_613_800_138_001, 8_613_900_138_000, 8_613_800_183_000, 8_631_800_138_000] {
            assert!(near.contains(&number(slip)), "{slip}");
        }
        assert!(!near.contains(&number(8_613_800_138_000)) && near.len() < 150, "{}", near.len());
    }
}
