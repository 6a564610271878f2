//! Handlers of the blacklist: numbers and ranges that are not called, system-wide or by one campaign. What is
//! added holds from the store's commit on; the store then reports it to the engine, which takes back calls that
//! are not answered yet.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::fields::{TEXT, parse_pattern, parse_text};
use super::problem::Problem;
use super::views::{moment, optional_moment};
use crate::store::{BlacklistAddition, BlacklistEntry, BlacklistFilter};
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
    #[schemars(length(min = 1, max = 1000), inner(inner(regex(pattern = PATTERN))))]
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

async fn campaign_id(state: &AppState, name: Option<&str>) -> Result<Option<CampaignId>, Problem> {
    let Some(name) = name else { return Ok(None) };
    let mut reader = state.store().reader().await?;
    Ok(Some(reader.campaign(name).await.map_err(|_| Problem::not_found("campaign"))?.id))
}

fn parse_until(text: &str, now: Utc) -> Result<Utc, Problem> {
    let at = text.parse::<jiff::Timestamp>();
    let at = at.map_err(|_| Problem::unprocessable("until: a moment like 2030-01-31T09:30:00Z"))?;
    let at = Utc::from_millis(at.as_millisecond());
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
    for number in &numbers {
        patterns.extend(parse_pattern(number)?);
    }
    let text = |field: &str, given: Option<String>| given.map(|text| parse_text(field, &text)).transpose();
    let addition = BlacklistAddition {
        campaign: campaign_id(&state, asked.campaign.as_deref()).await?,
        patterns,
        source: text("source", asked.source)?.unwrap_or_else(|| BY_HAND.to_owned()),
        reason: text("reason", asked.reason)?,
        added_by: Some(caller.account.as_ref().map_or("program", |account| &account.number).to_owned()),
        until: asked.until.as_deref().map(|text| parse_until(text, state.now())).transpose()?,
    };
    let added = state.store().add_blacklist(&addition).await?;
    Ok((StatusCode::CREATED, Json(json!({ "added": added.added, "leads_closed": added.leads_closed }))))
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
    Query(query): Query<BlacklistQuery>,
) -> Result<Json<Value>, Problem> {
    let campaign = campaign_id(&state, query.campaign.as_deref()).await?;
    let scope = match (query.scope.as_deref(), campaign) {
        (Some("system"), _) => Some(None),
        (_, Some(campaign)) => Some(Some(campaign)),
        _ => None,
    };
    let limit = query.limit.unwrap_or(PAGE);
    let filter = BlacklistFilter {
        scope,
        number: query.number.as_deref().map(super::fields::parse_telephone).transpose()?,
        in_force_at: None,
        after: query.after.unwrap_or(0),
    };
    let mut reader = state.store().reader().await?;
    let entries = reader.blacklist_entries(filter, limit).await?;
    let names: BTreeMap<CampaignId, String> =
        reader.campaigns().await?.into_iter().map(|campaign| (campaign.id, campaign.name)).collect();
    let next = entries.last().filter(|_| entries.len() as u32 == limit).map(|entry| entry.id);
    let items: Vec<Value> = entries.iter().map(|entry| view(entry, &names)).collect();
    Ok(Json(json!({ "items": items, "next": next })))
}

fn view(entry: &BlacklistEntry, names: &BTreeMap<CampaignId, String>) -> Value {
    json!({
        "id": entry.id,
        "number": entry.pattern.to_string(),
        "scope": if entry.campaign.is_some() { "campaign" } else { "system" },
        "campaign": entry.campaign.and_then(|campaign| names.get(&campaign)),
        "source": entry.source,
        "reason": entry.reason,
        "added_by": entry.added_by,
        "until": optional_moment(entry.until),
        "added_at": moment(entry.added_at),
    })
}

pub(super) async fn remove_entry(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = super::records::parse_id(&id, "entry of the blacklist")?;
    state.store().remove_blacklist_entry(id).await?;
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
    Body(asked): Body<BlacklistRemoval>,
) -> Result<Json<Value>, Problem> {
    let patterns = parse_pattern(&asked.number)?;
    let campaign = campaign_id(&state, asked.campaign.as_deref()).await?;
    let removed = state.store().remove_blacklist(campaign, &patterns).await?;
    if removed == 0 {
        let scope =
            asked.campaign.map_or("every campaign".to_owned(), |name| format!("the campaign `{name}`"));
        let detail = format!("{} is not on the blacklist of {scope}", asked.number);
        return Err(Problem::new(StatusCode::NOT_FOUND, "not_listed", detail));
    }
    Ok(Json(json!({ "removed": removed })))
}
