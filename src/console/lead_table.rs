//! Handler of the table of a campaign's leads: filters, pages by key, counts, and for each row why it is where it is.

use super::app_state::AppState;
use super::auth::Caller;
use super::campaign_views::group_of;
use super::fields::parse_telephone;
use super::problem::Problem;
use super::rights::Action;
use super::shown_number::{NumberSight, ShownNumber, refuse_number_in, shown_optional, shown_text};
use super::views::{millis, optional_moment};
use crate::store::lead_actions::FRONT;
use crate::store::{CampaignRecord, LeadFilter, LeadKey, LeadTableRow, Reader};
use crate::text::{AgentNumbers, Lang, LeadRowFacts, TimeFormat};
use axum::Json;
use paceline_core::campaign::is_system_name;
use paceline_core::ids::{AgentId, GroupId, LeadId};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::{LeadState, Outcome, Reason};
use paceline_core::time::{Duration, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

const PAGE: usize = 50;

/// Leads are counted exactly up to this number.
const COUNT_MAX: u64 = 10_000;

/// A query ends with what it has after so much time of the database.
const QUERY_MAX: Duration = Duration::from_secs(2);

/// Digits of a row number; a number with more is a telephone number.
const ROW_DIGITS_MAX: usize = 7;

/// A look-up by `number` or `row`, or filters of the table; their forms are checked by the table of routes.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct LeadsQuery {
    pub number: Option<String>,
    pub row: Option<u64>,
    state: Option<String>,
    reason: Option<String>,
    outcome: Option<String>,
    disposition: Option<String>,
    building: Option<String>,
    callback: Option<bool>,
    q: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
    count: Option<u8>,
}

/// A campaign of the caller's scope, open or not. A shift lead sees those of their own groups.
pub(super) async fn find_campaign(
    state: &AppState,
    caller: &Caller,
    name: &str,
) -> Result<CampaignRecord, Problem> {
    let missing = || Problem::not_found("campaign");
    let found = state.store().reader().await?.campaign_in(&caller.scope, name).await?;
    let record = found.filter(|it| !is_system_name(&it.name)).ok_or_else(missing)?;
    if caller.can_see_all() {
        return Ok(record);
    }
    let group = campaign_group(state, caller, &record).await;
    if group.is_some() && caller.can_see_group(group) { Ok(record) } else { Err(missing()) }
}

/// The group of agents of a campaign, open or not.
pub(super) async fn campaign_group(
    state: &AppState,
    caller: &Caller,
    record: &CampaignRecord,
) -> Option<GroupId> {
    if let Some(facts) = state.campaigns().remove(&record.id) {
        return facts.rules.agents.as_ref().map(|rules| rules.group);
    }
    let name = group_of(&record.toml)?;
    state.group_by_name(&caller.scope, &name).await.ok().map(|row| row.group.id)
}

/// Whether a part of a name would find, digit after digit, the numbers in names that this reader is shown masked.
pub(super) fn guesses_digits(filter: &LeadFilter, sight: NumberSight) -> bool {
    sight == NumberSight::Masked
        && filter.name.as_ref().is_some_and(|name| name.chars().any(char::is_numeric))
}

/// The filter of a search text: a whole number, a row of the list, or a part of a name.
pub(super) fn search_filter(text: &str) -> Result<LeadFilter, Problem> {
    let text = text.trim();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits && (1..=ROW_DIGITS_MAX).contains(&text.len()) {
        return Ok(LeadFilter { row: text.parse().ok(), ..LeadFilter::default() });
    }
    if let Ok(number) = parse_telephone(text) {
        return Ok(LeadFilter { number: Some(number.as_u64()), ..LeadFilter::default() });
    }
    if digits {
        let (en, zh) = ("write a whole number, a row of the list, or a name", "请输入完整号码、行号或姓名");
        return Err(Problem::of_field("/q", en, zh));
    }
    Ok(LeadFilter { name: Some(text.to_owned()), ..LeadFilter::default() })
}

impl LeadsQuery {
    /// Whether anything but `number` and `row` is asked.
    pub fn has_filters(&self) -> bool {
        let words = [
            &self.state,
            &self.reason,
            &self.outcome,
            &self.disposition,
            &self.building,
            &self.q,
            &self.after,
        ];
        words.into_iter().any(Option::is_some)
            || self.callback.is_some()
            || self.limit.is_some()
            || self.count.is_some()
    }

    fn filter(&self) -> Result<LeadFilter, Problem> {
        let searched = self.q.as_deref().map(search_filter).transpose()?.unwrap_or_default();
        Ok(LeadFilter {
            state: self.state.clone(),
            reason: self.reason.clone(),
            outcome: self.outcome.clone(),
            disposition: self.disposition.clone(),
            building: self.building.clone(),
            callback: self.callback,
            ..searched
        })
    }
}

/// Notes a filter by number as a look-up, which callers without whole numbers may make few of.
pub(super) async fn record_number_filter(
    state: &AppState,
    caller: &Caller,
    filter: &LeadFilter,
) -> Result<(), Problem> {
    match filter.number.and_then(PhoneNumber::from_e164) {
        Some(number) => state.record_look_up(caller, Action::CampaignsRead, number).await,
        None => Ok(()),
    }
}

pub(super) async fn show(
    state: &AppState,
    caller: &Caller,
    name: &str,
    query: LeadsQuery,
) -> Result<Json<Value>, Problem> {
    let campaign = find_campaign(state, caller, name).await?;
    if !caller.may(Action::CampaignsRead) {
        return Err(Problem::missing_right(Action::CampaignsRead));
    }
    refuse_number_in("/building", query.building.as_ref(), caller.sight())?;
    let filter = query.filter()?;
    if guesses_digits(&filter, caller.sight()) {
        let (en, zh) = (
            "write a whole number, a row of the list, or a name without digits",
            "请输入完整号码、行号或不含数字的姓名",
        );
        return Err(Problem::of_field("/q", en, zh));
    }
    let after = match query.after.as_deref().map(str::parse::<LeadKey>) {
        None => LeadKey::default(),
        Some(Ok(key)) => key,
        Some(Err(())) => {
            let (en, zh) = ("send `next` of the page before", "请使用上一页的 `next`");
            return Err(Problem::of_field("/after", en, zh));
        }
    };
    record_number_filter(state, caller, &filter).await?;
    let mut reader = state.store().reader().await?;
    let began = state.now();
    let is_late = || state.now() >= began + QUERY_MAX;
    let limit = query.limit.unwrap_or(PAGE);
    let page = reader.lead_page(campaign.id, &filter, after, limit, &is_late).await?;
    let table = Table::of(&mut reader, &campaign, state.now(), caller.sight()).await?;
    let leads = table.rows(&mut reader, &page.leads).await?;
    let mut answer = json!({ "leads": leads, "next": page.next.map(|key| key.to_string()) });
    if query.count.is_some() {
        let (n, exact) = reader.count_leads(campaign.id, &filter, COUNT_MAX, &is_late).await?;
        answer["count"] = json!({ "n": n, "exact": exact });
    }
    Ok(Json(answer))
}

/// What the rows of one campaign share.
struct Table {
    attempts_max: Option<u32>,
    agents: AgentNumbers,
    moments: TimeFormat,
    now: Utc,
    sight: NumberSight,
}

impl Table {
    async fn of(
        reader: &mut Reader,
        campaign: &CampaignRecord,
        now: Utc,
        sight: NumberSight,
    ) -> Result<Table, Problem> {
        Ok(Table {
            attempts_max: reader.attempts_max(campaign.id).await?,
            agents: reader.agent_numbers().await?,
            moments: TimeFormat::in_zone(&campaign.timezone),
            now,
            sight,
        })
    }

    async fn rows(&self, reader: &mut Reader, leads: &[LeadKey]) -> Result<Vec<Value>, Problem> {
        let mut numbers = reader.lead_numbers(leads).await?;
        let rows = reader.lead_rows(leads).await?;
        let shown = rows.iter().map(|row| {
            let numbers = numbers.remove(&LeadId(row.lead_id)).unwrap_or_default();
            self.row(row, &numbers)
        });
        Ok(shown.collect())
    }

    fn agent(&self, id: Option<i64>) -> Option<String> {
        id.and_then(|id| self.agents.get(&AgentId(id)).cloned())
    }

    fn row(&self, row: &LeadTableRow, numbers: &[PhoneNumber]) -> Value {
        let next_at = Some(Utc::from_millis(row.next_at)).filter(|_| row.next_at > FRONT);
        let facts = LeadRowFacts {
            state: LeadState::from_word(&row.state),
            reason: row.reason.as_deref().and_then(Reason::from_word),
            attempts: row.attempts.try_into().unwrap_or(u32::MAX),
            last_outcome: row.last_outcome.as_deref().and_then(Outcome::from_word),
            next_at,
            callback_agent: self.agent(row.callback_agent),
            callback_skill: row.callback_skill.clone(),
            assigned_agent: self.agent(row.assigned_agent),
            is_first: row.rank > 0,
            is_called: row.is_called,
        };
        let is_booked = facts.state == Some(LeadState::FollowUp) && next_at.is_some();
        let words = |lang: Lang| lang.lead_row(&facts, self.now, &self.moments);
        let numbers = numbers.iter().map(|number| ShownNumber::of(*number, self.sight).into());
        json!({
            "lead": row.lead_id,
            "row": row.list_row,
            "list": file_name(&row.list).map(|name| shown_text(name, self.sight)),
            "name": shown_optional(row.name.as_ref(), self.sight),
            "households": row.others,
            "place": shown_optional(row.place.as_ref(), self.sight),
            "building": shown_optional(row.building.as_ref(), self.sight),
            "numbers": numbers.collect::<Vec<Value>>(),
            "state": row.state,
            "reason": row.reason,
            "attempts": row.attempts,
            "attempts_max": self.attempts_max,
            "last": row.last_outcome.as_ref().map(|outcome| json!({
                "at": millis(row.last_at),
                "outcome": outcome,
                "disposition": row.disposition,
            })),
            "next_at": optional_moment(next_at),
            "callback": is_booked.then(|| json!({
                "at": optional_moment(next_at),
                "agent": facts.callback_agent,
            })),
            "assigned_agent": facts.assigned_agent,
            "because": { "en": words(Lang::En), "zh": words(Lang::Zh) },
        })
    }
}

/// The last part of a path: where a list lies on the server is of no use to its reader.
fn file_name(path: &str) -> Option<&str> {
    path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_text_is_a_row_a_number_or_a_name() {
        let row = search_filter("4711").unwrap();
        assert_eq!((row.row, row.number, row.name), (Some(4_711), None, None));
        let number = search_filter(" 138 0013 8000 ").unwrap();
        assert_eq!((number.row, number.number), (None, Some(8_613_800_138_000)));
        assert_eq!(search_filter("王").unwrap().name.as_deref(), Some("王"));
        assert!(search_filter("138001380").is_err(), "part of a number finds nothing");
    }
}
