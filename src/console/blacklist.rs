//! Handlers of the blacklist: numbers and ranges that are not called, system-wide or by one campaign. What is
//! added holds from the store's commit on; the store then reports it to the engine, which takes back calls that
//! are not answered yet.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::fields::{TEXT, moment_of, parse_pattern, parse_text};
use super::problem::Problem;
use super::rights::Action;
use super::shown_number::{NumberSight, shown_optional, shown_text};
use super::views::{moment, optional_moment};
use crate::store::scope::FIRST_ENTERPRISE;
use crate::store::{BlacklistAddition, BlacklistEntry, BlacklistFilter, Reader, Role, Subject};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use paceline_core::ids::CampaignId;
use paceline_core::number_pattern::NumberPattern;
use paceline_core::time::Utc;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PAGE: u32 = 50;

/// Numbers of one request: a body of 64 KiB holds them.
pub const NUMBERS_MAX: usize = 1_000;

/// The source of entries that people add.
const BY_HAND: &str = "by hand";

/// The body of an addition: `number`, or `numbers`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "required": ["number"], "properties": { "number": { "type": "string" }, "numbers": { "type": "null" } } },
    { "required": ["numbers"], "properties": { "numbers": { "type": "array" }, "number": { "type": "null" } } },
]))]
pub(super) struct BlacklistRequest {
    /// A number in any spelling, or a range: `13800138000`, `1380013*`, `0755*`, `+852*`.
    #[schemars(regex(pattern = PATTERN))]
    number: Option<String>,
    #[schemars(length(min = 1, max = 1000), inner(regex(pattern = PATTERN)))]
    numbers: Option<Vec<String>>,
    /// A campaign's name; without it every campaign.
    #[schemars(length(min = 1, max = 128))]
    campaign: Option<String>,
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    reason: Option<String>,
    /// The first moment at which the numbers may be called again; without it never.
    #[schemars(with = "Option<super::answers::Moment>")]
    until: Option<String>,
    /// Where the numbers come from, like the name of a file; without it "by hand".
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    source: Option<String>,
}

/// The usual forms; other spellings with spaces, dashes and brackets are taken too.
const PATTERN: &str = r"^(\+86)?1[3-9][0-9]{5,8}\*$|^1[3-9][0-9]{9}$";

pub(super) async fn campaign_id(
    state: &AppState,
    caller: &Caller,
    name: Option<&str>,
) -> Result<Option<CampaignId>, Problem> {
    let Some(name) = name else { return Ok(None) };
    let mut reader = state.store().reader().await?;
    let found = reader.campaign_in(&caller.scope, name).await?;
    Ok(Some(found.ok_or_else(|| Problem::not_found("campaign"))?.id))
}

/// Whether the caller sees and changes the entries that hold for every campaign of the installation: they are the first
/// enterprise's, as campaign files are. Other organisations have those of their own campaigns.
pub(super) fn is_of_system(caller: &Caller) -> bool {
    caller.scope.holds(FIRST_ENTERPRISE, FIRST_ENTERPRISE)
}

/// The campaign of an entry that a caller without system-wide entries adds or removes: the one that is named, or that
/// of the agent's present call.
fn own_campaign(
    state: &AppState,
    caller: &Caller,
    named: Option<CampaignId>,
) -> Result<Option<CampaignId>, Problem> {
    if named.is_some() || is_of_system(caller) {
        return Ok(named);
    }
    let board = super::floor::board(state);
    let seat = caller.account.as_ref().and_then(|account| board.seats.get(&account.id));
    let present = seat.and_then(|seat| seat.work.as_ref()).map(|work| work.campaign);
    let (en, zh) =
        ("name one: the entries of every campaign are the operator's", "请指定活动:全局黑名单由平台维护");
    let missing = || Problem::of_field("/campaign", en, zh);
    present.filter(|_| caller.role == Role::Agent).map(Some).ok_or_else(missing)
}

/// An agent puts the number of its present call on the blacklist, and no other.
fn check_own_call(state: &AppState, caller: &Caller, patterns: &[NumberPattern]) -> Result<(), Problem> {
    if caller.role != Role::Agent {
        return Ok(());
    }
    let board = super::floor::board(state);
    let work = board.seats.get(&caller.account()?.id).and_then(|seat| seat.work.as_ref());
    let number = work.and_then(|work| work.number).map(NumberPattern::exact);
    if number.is_some_and(|number| patterns == [number]) {
        return Ok(());
    }
    Err(Problem::forbidden("an agent adds the number of its present call; ask the shift lead for others"))
}

/// Patterns in the words of the audit: an exact number is masked.
fn audit_view(patterns: &[NumberPattern], campaign: Option<&str>) -> Value {
    let shown = patterns.iter().take(100).map(|it| shown_text(&it.to_string(), NumberSight::Masked));
    json!({ "campaign": campaign, "count": patterns.len(), "numbers": shown.collect::<Vec<_>>() })
}

fn parse_until(text: &str, now: Utc) -> Result<Utc, Problem> {
    let at = moment_of(text);
    let at = at.ok_or_else(|| Problem::unprocessable("until: a moment like 2030-01-31T09:30:00Z"))?;
    if at <= now {
        return Err(Problem::new(StatusCode::CONFLICT, "past", "until: this moment is in the past"));
    }
    Ok(at)
}

pub(super) async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<BlacklistRequest>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let numbers = match (asked.number, asked.numbers) {
        (Some(number), None) => vec![number],
        (None, Some(numbers)) if (1..=NUMBERS_MAX).contains(&numbers.len()) => numbers,
        _ => {
            let detail = format!("send `number`, or `numbers` with 1 to {NUMBERS_MAX} of them");
            return Err(Problem::unprocessable(detail));
        }
    };
    let mut patterns: Vec<NumberPattern> = Vec::new();
    for (place, number) in numbers.iter().enumerate() {
        let parsed = parse_pattern(number);
        // One of many is named by its place; none is added.
        let named =
            |problem: Problem| if numbers.len() > 1 { problem.at_place("numbers", place) } else { problem };
        patterns.extend(parsed.map_err(named)?);
    }
    let text = |field: &str, given: Option<String>| given.map(|text| parse_text(field, &text)).transpose();
    let addition = BlacklistAddition {
        campaign: own_campaign(
            &state,
            &caller,
            campaign_id(&state, &caller, asked.campaign.as_deref()).await?,
        )?,
        patterns,
        source: text("source", asked.source)?.unwrap_or_else(|| BY_HAND.to_owned()),
        reason: text("reason", asked.reason)?,
        added_by: Some(caller.account.as_ref().map_or("program", |account| &account.number).to_owned()),
        until: asked.until.as_deref().map(|text| parse_until(text, state.now())).transpose()?,
    };
    check_own_call(&state, &caller, &addition.patterns)?;
    let subject = Subject::of("blacklist", &addition.source);
    let mut change = state.change(&caller, Action::BlacklistAdd, subject).await?;
    change.set_after(audit_view(&addition.patterns, asked.campaign.as_deref()));
    let added = change.add_blacklist(&addition).await?;
    change.commit().await?;
    let leads_closed = state.store().apply_blacklist(&addition).await?;
    Ok((StatusCode::CREATED, Json(json!({ "added": added, "leads_closed": leads_closed }))))
}

/// Filters of the list; their forms are checked by the table of routes.
#[derive(Deserialize)]
pub(super) struct BlacklistQuery {
    number: Option<String>,
    campaign: Option<String>,
    scope: Option<String>,
    after: Option<i64>,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<BlacklistQuery>,
) -> Result<Json<Value>, Problem> {
    let campaign = campaign_id(&state, &caller, query.campaign.as_deref()).await?;
    let scope = match (query.scope.as_deref(), campaign) {
        (Some("system"), _) => Some(None),
        (_, Some(campaign)) => Some(Some(campaign)),
        _ => None,
    };
    let limit = query.limit.unwrap_or(PAGE);
    let number_asked = query.number.as_deref().map(super::fields::parse_any_telephone).transpose()?;
    if let Some(number) = number_asked {
        state.record_look_up(&caller, Action::BlacklistRead, number).await?;
    }
    let filter =
        BlacklistFilter { scope, number: number_asked, in_force_at: None, after: query.after.unwrap_or(0) };
    let mut reader = state.store().reader().await?;
    let entries = reader.blacklist_entries(filter, limit).await?;
    let seen = Seen::of(&mut reader, &caller).await?;
    let next = entries.last().filter(|_| entries.len() as u32 == limit).map(|entry| entry.id);
    // Entries of other enterprises' campaigns are as if they were not there.
    let shown = entries.iter().filter(|entry| seen.holds(entry));
    let items: Vec<Value> = shown.map(|entry| view(entry, &seen.campaigns, caller.sight())).collect();
    Ok(Json(json!({ "items": items, "next": next })))
}

/// Whose entries a caller sees.
struct Seen {
    campaigns: BTreeMap<CampaignId, String>,
    of_system: bool,
}

impl Seen {
    async fn of(reader: &mut Reader, caller: &Caller) -> Result<Seen, Problem> {
        let campaigns = reader.campaigns().await?.into_iter();
        let own = campaigns.filter(|it| caller.scope.holds(it.enterprise, it.organisation));
        let campaigns = own.map(|campaign| (campaign.id, campaign.name)).collect();
        Ok(Seen { campaigns, of_system: is_of_system(caller) })
    }

    fn holds(&self, entry: &BlacklistEntry) -> bool {
        entry.campaign.map_or(self.of_system, |campaign| self.campaigns.contains_key(&campaign))
    }
}

fn view(entry: &BlacklistEntry, names: &BTreeMap<CampaignId, String>, sight: NumberSight) -> Value {
    json!({
        "id": entry.id,
        "number": shown_text(&entry.pattern.to_string(), sight),
        "scope": if entry.campaign.is_some() { "campaign" } else { "system" },
        "campaign": entry.campaign.and_then(|campaign| names.get(&campaign)),
        "source": shown_text(&entry.source, sight),
        "reason": shown_optional(entry.reason.as_ref(), sight),
        "added_by": entry.added_by,
        "until": optional_moment(entry.until),
        "added_at": moment(entry.added_at),
    })
}

pub(super) async fn remove_entry(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let missing = || Problem::not_found("entry of the blacklist");
    let id = super::records::parse_id(&id, "entry of the blacklist")?;
    let mut reader = state.store().reader().await?;
    let seen = Seen::of(&mut reader, &caller).await?;
    let before = BlacklistFilter { after: id - 1, ..BlacklistFilter::default() };
    let entry = reader.blacklist_entries(before, 1).await?.pop().filter(|entry| entry.id == id);
    let entry = entry.filter(|entry| seen.holds(entry)).ok_or_else(missing)?;
    drop(reader);
    let subject = Subject::of("blacklist", &entry.source);
    let mut change = state.change(&caller, Action::BlacklistEdit, subject).await?;
    change.set_before(view(&entry, &seen.campaigns, NumberSight::Masked));
    change.remove_blacklist_entry(id).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The body of a removal: the number or range as it was added.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BlacklistRemoval {
    #[schemars(regex(pattern = PATTERN))]
    number: String,
    /// A campaign's name; without it the system-wide entries.
    #[schemars(length(min = 1, max = 128))]
    campaign: Option<String>,
}

/// Removes a number from one scope, from whichever source it came.
pub(super) async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<BlacklistRemoval>,
) -> Result<Json<Value>, Problem> {
    let patterns = parse_pattern(&asked.number)?;
    let campaign = campaign_id(&state, &caller, asked.campaign.as_deref()).await?;
    let campaign = own_campaign(&state, &caller, campaign)?;
    let subject = Subject::of("blacklist", asked.campaign.as_deref().unwrap_or("system"));
    let mut change = state.change(&caller, Action::BlacklistEdit, subject).await?;
    change.set_before(audit_view(&patterns, asked.campaign.as_deref()));
    let removed = change.remove_blacklist(campaign, &patterns).await?;
    if removed == 0 {
        let scope =
            asked.campaign.map_or("every campaign".to_owned(), |name| format!("the campaign `{name}`"));
        let number = shown_text(&asked.number, caller.sight());
        let detail = format!("{number} is not on the blacklist of {scope}");
        return Err(Problem::new(StatusCode::NOT_FOUND, "not_listed", detail));
    }
    change.commit().await?;
    Ok(Json(json!({ "removed": removed })))
}
