//! Handler of the search: one text, and what it may mean, by right and by scope.

use super::app_state::AppState;
use super::auth::Caller;
use super::fields::parse_telephone;
use super::lead_table::{guesses_digits, search_filter};
use super::problem::Problem;
use super::rights::Action;
use super::shown_number::{shown_optional, shown_text};
use super::views::stored_number;
use super::visible_campaigns;
use crate::store::campaign_rows::CampaignRow;
use crate::store::finds::FoundCall;
use crate::store::{LeadKey, Reader};
use axum::Json;
use axum::extract::{Query, State};
use paceline_core::number::PhoneNumber;
use paceline_core::time::Duration;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Hits of one answer, and of one kind.
const HITS_MAX: usize = 20;
const OF_KIND_MAX: usize = 5;

/// Names of leads are looked for no longer than this.
const NAMES_MAX: Duration = Duration::from_millis(500);

/// Campaigns whose leads' names are looked through.
const CAMPAIGNS_MAX: usize = 5;

/// Pages of the console: path, what they need, and their names.
const PAGES: &[(&str, Action, &str, &str)] = &[
    ("/today", Action::CampaignsRead, "Today", "今天"),
    ("/campaigns", Action::CampaignsRead, "Campaigns", "活动"),
    ("/floor", Action::FloorRead, "Floor", "坐席现场"),
    ("/results", Action::ResultsRead, "Results", "结果"),
    ("/people", Action::PeopleRead, "People", "人员"),
    ("/groups", Action::PeopleRead, "Groups", "坐席组"),
    ("/audio", Action::AudioEdit, "Audio", "录音"),
    ("/approvals", Action::ApprovalsDecide, "Approvals", "审核"),
    ("/blacklist", Action::BlacklistRead, "Blacklist", "黑名单"),
    ("/schedule", Action::CampaignsRead, "Schedule", "日程"),
    ("/tokens", Action::TokensEdit, "Tokens", "令牌"),
    ("/audit", Action::AuditRead, "Audit", "审计"),
    ("/health", Action::HealthRead, "Health", "运行状况"),
];

#[derive(Deserialize)]
pub(super) struct SearchQuery {
    q: Option<String>,
}

fn hit(kind: &str, id: impl ToString, title: impl Into<Value>, detail: Value, href: String) -> Value {
    json!({ "kind": kind, "id": id.to_string(), "title": title.into(), "detail": detail, "href": href })
}

fn has(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(part)
}

pub(super) async fn search(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<SearchQuery>,
) -> Result<Json<Value>, Problem> {
    let text = query.q.unwrap_or_default().trim().to_owned();
    if text.is_empty() {
        return Ok(Json(json!({ "items": [] })));
    }
    let part = text.to_lowercase();
    let rows = match caller.may(Action::CampaignsRead) {
        true => visible_campaigns::rows(&state, &caller).await?,
        false => Vec::new(),
    };
    let mut items = Vec::new();
    let named = rows.iter().filter(|row| has(&row.name, &part) || has(&row.title, &part));
    items.extend(named.take(OF_KIND_MAX).map(|row| {
        hit(
            "campaign",
            &row.name,
            row.title.clone(),
            row.name.clone().into(),
            format!("/campaigns/{}/live", row.name),
        )
    }));
    items.extend(calls(&state, &caller, &rows, &part).await?);
    items.extend(people(&state, &caller, &part).await?);
    items.extend(leads(&state, &caller, &rows, &text).await?);
    items.extend(files(&state, &caller, &text).await?);
    items.extend(pages(&caller, &part));
    items.truncate(HITS_MAX);
    Ok(Json(json!({ "items": items })))
}

/// A call by its id: `out-812`, `in-40`.
async fn calls(
    state: &AppState,
    caller: &Caller,
    rows: &[CampaignRow],
    part: &str,
) -> Result<Vec<Value>, Problem> {
    let id = |prefix: &str| part.strip_prefix(prefix)?.parse::<i64>().ok().filter(|id| *id > 0);
    let (out, inbound) = (id("out-"), id("in-"));
    if !caller.may(Action::CallsRead) || (out.is_none() && inbound.is_none()) {
        return Ok(Vec::new());
    }
    let mut reader = state.store().reader().await?;
    let found = match (out, inbound) {
        (Some(out), _) => reader.find_call(&caller.scope, out).await?,
        (_, Some(inbound)) => reader.find_inbound_call(&caller.scope, inbound).await?,
        _ => None,
    };
    let is_own = |call: &FoundCall| {
        let own = caller.account.as_ref().map(|account| account.id.0);
        caller.can_see_all()
            || (own.is_some() && call.agent == own)
            || rows.iter().any(|row| row.name == call.campaign)
    };
    let shown = found.filter(is_own).map(|call| {
        let title = if out.is_some() { format!("out-{}", call.id) } else { format!("in-{}", call.id) };
        let name = shown_optional(call.name.as_ref(), caller.sight());
        let detail = name.map_or_else(|| stored_number(call.number, caller.sight()), Value::from);
        let href = format!("/results?call={title}");
        hit("call", &title, title.clone(), detail, href)
    });
    Ok(shown.into_iter().collect())
}

async fn people(state: &AppState, caller: &Caller, part: &str) -> Result<Vec<Value>, Problem> {
    if !caller.may(Action::PeopleRead) {
        return Ok(Vec::new());
    }
    let accounts = state.agents_in(&caller.scope).await?;
    let fits = |row: &&crate::store::AgentRow| {
        let details = &row.details;
        row.number.starts_with(part) || has(&details.name, part) || has(&details.login, part)
    };
    let seen = accounts.iter().filter(|row| caller.can_see(row)).filter(fits).take(OF_KIND_MAX);
    let mut items: Vec<Value> = seen
        .map(|row| {
            let href = format!("/people/{}/edit", row.number);
            hit("person", &row.number, row.details.name.clone(), row.number.clone().into(), href)
        })
        .collect();
    let groups = state.groups_in(&caller.scope).await?;
    let seen = groups.iter().filter(|row| caller.can_see_group(Some(row.group.id)));
    let named = seen.filter(|row| has(&row.group.name, part)).take(OF_KIND_MAX);
    items.extend(named.map(|row| {
        let name = &row.group.name;
        hit("group", name, name.clone(), Value::Null, format!("/groups/{name}/edit"))
    }));
    Ok(items)
}

/// Leads with this whole number, or whose name has this in it, in campaigns that the caller sees.
async fn leads(
    state: &AppState,
    caller: &Caller,
    rows: &[CampaignRow],
    text: &str,
) -> Result<Vec<Value>, Problem> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let lead = |id: i64, title: Option<String>, campaign: &str| {
        let title = title.unwrap_or_else(|| id.to_string());
        hit("lead", id, title, campaign.into(), format!("/campaigns/{campaign}/leads?lead={id}"))
    };
    if let Ok(number) = parse_telephone(text) {
        state.record_look_up(caller, Action::CampaignsRead, number).await?;
        let found = with_number(state, caller, number).await?;
        let seen: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        let shown = found.into_iter().filter(|it| seen.contains(it.campaign.as_str()));
        return Ok(shown
            .map(|it| lead(it.id, shown_optional(it.title.as_ref(), caller.sight()), &it.campaign))
            .collect());
    }
    let Some(filter) =
        search_filter(text).ok().filter(|it| it.name.is_some() && !guesses_digits(it, caller.sight()))
    else {
        return Ok(Vec::new());
    };
    let began = state.now();
    let is_late = || state.now() >= began + NAMES_MAX;
    let (mut reader, mut items) = (state.store().reader().await?, Vec::new());
    let open = rows.iter().filter(|row| row.kept_state.is_open());
    for row in open.take(CAMPAIGNS_MAX) {
        items.extend(
            named_leads(&mut reader, row, &filter, &is_late)
                .await?
                .into_iter()
                .map(|(id, name)| lead(id, shown_optional(name.as_ref(), caller.sight()), &row.name)),
        );
        if is_late() || items.len() >= OF_KIND_MAX {
            break;
        }
    }
    items.truncate(OF_KIND_MAX);
    Ok(items)
}

async fn with_number(
    state: &AppState,
    caller: &Caller,
    number: PhoneNumber,
) -> Result<Vec<crate::store::finds::Found>, Problem> {
    let mut reader = state.store().reader().await?;
    Ok(reader.leads_with_number(&caller.scope, number, HITS_MAX as i64).await?)
}

async fn named_leads(
    reader: &mut Reader,
    row: &CampaignRow,
    filter: &crate::store::LeadFilter,
    is_late: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<(i64, Option<String>)>, Problem> {
    let page = reader.lead_page(row.id, filter, LeadKey::default(), OF_KIND_MAX, is_late).await?;
    let found = reader.lead_rows(&page.leads).await?;
    Ok(found.into_iter().map(|row| (row.lead_id, row.name)).collect())
}

/// Uploaded lists and sounds by their names.
async fn files(state: &AppState, caller: &Caller, text: &str) -> Result<Vec<Value>, Problem> {
    let (mut reader, mut items) = (state.store().reader().await?, Vec::new());
    if caller.may(Action::ListsEdit) {
        let found = reader.find_uploads(&caller.scope, text, OF_KIND_MAX as i64).await?;
        items.extend(found.into_iter().map(|it| {
            let href = format!("/campaigns/{}/lists/{}", it.campaign, it.id);
            hit("list", it.id, shown_optional(it.title.as_ref(), caller.sight()), it.campaign.into(), href)
        }));
    }
    if caller.may(Action::AudioEdit) {
        let found = reader.find_sounds(&caller.scope, text, OF_KIND_MAX as i64).await?;
        items.extend(
            found
                .into_iter()
                .map(|(id, name)| (id, shown_text(&name, caller.sight())))
                .map(|(id, name)| hit("audio", id, name, Value::Null, format!("/audio?sound={id}"))),
        );
    }
    Ok(items)
}

fn pages(caller: &Caller, part: &str) -> Vec<Value> {
    let seen = PAGES.iter().filter(|(_, right, ..)| caller.may(*right));
    let named = seen.filter(|(_, _, en, zh)| has(en, part) || has(zh, part));
    named
        .map(|(path, _, en, zh)| hit("page", path, format!("{zh} · {en}"), Value::Null, (*path).to_owned()))
        .collect()
}
