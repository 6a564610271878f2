//! The filters of calls as requests give them: `GET /calls`, the sums over calls and the exports take the same ones.

use super::app_state::AppState;
use super::auth::Caller;
use super::campaign_views::group_of;
use super::fields::{parse_moment, parse_shown, parse_telephone};
use super::parameters::{Form, Parameter};
use super::problem::Problem;
use super::rights::Action;
use super::route::{WHOLE_MAX, parameter};
use super::shown_number::refuse_number_in;
use crate::store::call_filters::{NO_AGENT, NO_CALLER_ID, NO_VALUE};
use crate::store::{CallDirection, CallFilter, CampaignRecord, GroupCalls};
use crate::text::TimeFormat;
use paceline_core::ids::{AgentId, LeadId};
use paceline_core::time::Utc;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

const SECS_MAX: i64 = 24 * 3_600;

/// The zone of days that no campaign's zone decides: organisations have none of their own.
pub(super) const ZONE: &str = "Asia/Shanghai";

/// How many filters there are.
pub(super) const FILTERS_COUNT: usize = 20;

/// The filters as query parameters.
pub(super) const CALL_FILTERS: [Parameter; FILTERS_COUNT] = [
    parameter("campaign", Form::Text, "Calls of the campaign with this name", "spring"),
    parameter(
        "group",
        Form::Text,
        "Calls in which a member of this group spoke, and those of its campaigns that no agent took",
        "vote",
    ),
    parameter(
        "agent",
        Form::Text,
        "Calls of the agent with this number; `-`: those of none, here and below",
        "8001",
    ),
    parameter("outcome", Form::OutcomeOrNone, "Outbound calls with this outcome", "answered"),
    parameter("disposition", Form::Text, "Calls with this code of an agent's summary", "voted"),
    parameter("result", Form::Text, "Outbound calls in which a key set this result", "agree"),
    parameter("trunk", Form::Text, "Outbound calls on this trunk", "main"),
    parameter("caller_id", Form::Text, "Outbound calls that showed this number", "075512345678"),
    parameter("building", Form::Text, "Calls to leads of this building", "3-2"),
    parameter("lead", Form::Whole(1, WHOLE_MAX), "Calls to the lead with this id", "17"),
    parameter("number", Form::Telephone, "Calls with this number on the other side", "13800138000"),
    parameter("ended_by", Form::EndedBy, "Calls that this side ended", "callee"),
    parameter("talk_min", Form::Whole(0, SECS_MAX), "Least seconds from the answer to the end", "10"),
    parameter("talk_max", Form::Whole(0, SECS_MAX), "Most seconds from the answer to the end", "600"),
    parameter(
        "waited_min",
        Form::Whole(0, SECS_MAX),
        "Least seconds that the other side waited for an agent, whether one came or not",
        "5",
    ),
    parameter("recorded", Form::Word(&["true", "false"]), "Whether a recording was made", "true"),
    parameter(
        "missed",
        Form::Word(&["true", "false"]),
        "Whether the other side waited for an agent and none came",
        "true",
    ),
    parameter(
        "direction",
        Form::Word(&["out", "in"]),
        "Outbound or inbound calls; without it outbound",
        "out",
    ),
    parameter(
        "from",
        Form::Moment,
        "Calls placed or arrived at this moment or later; without `from`, `until`, `lead` and `number` those of today, \
         in the campaign's zone",
        "2026-03-02T00:00:00+08:00",
    ),
    parameter(
        "until",
        Form::Moment,
        "Calls placed or arrived before this moment",
        "2036-03-03T00:00:00+08:00",
    ),
];

/// The filters and what a route takes beside them.
pub(super) const fn with_call_filters<const OWN: usize, const ALL: usize>(
    own: [Parameter; OWN],
) -> [Parameter; ALL] {
    assert!(ALL == OWN + FILTERS_COUNT, "as many as both together");
    let mut all = [CALL_FILTERS[0]; ALL];
    let mut at = 0;
    while at < ALL {
        all[at] = if at < FILTERS_COUNT { CALL_FILTERS[at] } else { own[at - FILTERS_COUNT] };
        at += 1;
    }
    all
}

/// Filters of calls. In a query string their forms are checked by the table of routes; where they stand in a body, by
/// [`CallQuery::check`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct CallQuery {
    pub campaign: Option<String>,
    pub group: Option<String>,
    /// An agent's number.
    pub agent: Option<String>,
    pub outcome: Option<String>,
    pub disposition: Option<String>,
    pub result: Option<String>,
    pub trunk: Option<String>,
    pub caller_id: Option<String>,
    pub building: Option<String>,
    pub lead: Option<i64>,
    /// The other side's number.
    pub number: Option<String>,
    pub ended_by: Option<String>,
    /// Seconds from the answer to the end.
    pub talk_min: Option<i64>,
    pub talk_max: Option<i64>,
    /// Seconds of the wait for an agent.
    pub waited_min: Option<i64>,
    pub recorded: Option<bool>,
    pub missed: Option<bool>,
    /// `out` or `in`.
    pub direction: Option<String>,
    pub from: Option<String>,
    pub until: Option<String>,
}

impl CallQuery {
    /// Checks the form of every filter, which the table of routes does for a query string only.
    ///
    /// # Errors
    /// 422 that names the filter.
    pub fn check(&self) -> Result<(), Problem> {
        let given = serde_json::to_value(self).map_err(Problem::internal)?;
        for parameter in CALL_FILTERS {
            let text = match &given[parameter.name] {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let wrong = |wanted: String| Problem::unprocessable(format!("{}: {wanted}", parameter.name));
            parameter.form.check(&text).map_err(wrong)?;
        }
        Ok(())
    }

    pub fn direction(&self) -> CallDirection {
        match self.direction.as_deref() {
            Some("in") => CallDirection::In,
            _ => CallDirection::Out,
        }
    }

    /// Whether the calls of one day are asked that the request does not name. Those of a lead or a number are few, and
    /// are asked from the first on.
    fn is_of_today(&self) -> bool {
        self.from.is_none() && self.until.is_none() && self.lead.is_none() && self.number.is_none()
    }

    /// The filter for this caller: of the calls that it may see. `at` = the moment whose day is meant where the request
    /// names none: now, or that of the page before. A look-up by number is noted, and refused where a caller without
    /// whole numbers made too many.
    ///
    /// # Errors
    /// 404 of a campaign, a group or an agent that the caller does not see; 422 that names the filter; 429.
    pub async fn filter(&self, state: &AppState, caller: &Caller, at: Utc) -> Result<CallFilter, Problem> {
        let campaign = self.find_campaign(state, caller).await?;
        let (mut from, mut until) =
            (parse_moment(self.from.as_deref(), "from")?, parse_moment(self.until.as_deref(), "until")?);
        if self.is_of_today() {
            let zone = campaign.as_ref().map_or(ZONE, |campaign| campaign.timezone.as_str());
            (from, until) = day_of(at, &TimeFormat::in_zone(zone));
        }
        if matches!((from, until), (Some(from), Some(until)) if from >= until) {
            return Err(Problem::of_field("/until", "a moment behind `from`", "应晚于 `from`"));
        }
        if matches!((self.talk_min, self.talk_max), (Some(min), Some(max)) if min > max) {
            return Err(Problem::of_field("/talk_max", "at least `talk_min`", "不小于 `talk_min`"));
        }
        let unshown = |_| {
            let (en, zh) = ("a number that calls show: 075512345678", "外显号码,如 075512345678");
            Problem::of_field("/caller_id", en, zh)
        };
        let caller_id = self
            .caller_id
            .as_deref()
            .filter(|it| *it != NO_VALUE)
            .map(parse_shown)
            .transpose()
            .map_err(unshown)?;
        let number = self.number.as_deref().map(parse_telephone).transpose()?;
        let (seen, agent) = self.agents(state, caller).await?;
        let group = self.group_calls(state, caller).await?;
        refuse_number_in("/building", self.building.as_ref(), caller.sight())?;
        if let Some(number) = number {
            state.record_look_up(caller, Action::CallsRead, number).await?;
        }
        Ok(CallFilter {
            scope: caller.scope.clone(),
            seen,
            direction: self.direction(),
            from,
            until,
            campaign: campaign.map(|campaign| campaign.id),
            group,
            agent,
            outcome: self.outcome.clone(),
            result: self.result.clone(),
            trunk: self.trunk.clone(),
            caller_id: self
                .caller_id
                .as_ref()
                .map(|_| caller_id.map_or(NO_CALLER_ID, |number| number.as_u64())),
            disposition: self.disposition.clone(),
            building: self.building.clone(),
            lead: self.lead.map(LeadId),
            number,
            ended_by: self.ended_by.clone(),
            talk_min: self.talk_min.map(|secs| secs * 1_000),
            // A call of 4.9 s is one of 4 s.
            talk_max: self.talk_max.map(|secs| secs * 1_000 + 999),
            waited_min: self.waited_min.map(|secs| secs * 1_000),
            recorded: self.recorded,
            missed: self.missed,
        })
    }

    async fn find_campaign(
        &self,
        state: &AppState,
        caller: &Caller,
    ) -> Result<Option<CampaignRecord>, Problem> {
        let Some(name) = &self.campaign else { return Ok(None) };
        let found = state.store().reader().await?.campaign_in(&caller.scope, name).await?;
        Ok(Some(found.ok_or_else(|| Problem::not_found("campaign"))?))
    }

    /// The agents whose calls the caller may see (`None` = all), and the one that is asked for.
    async fn agents(
        &self,
        state: &AppState,
        caller: &Caller,
    ) -> Result<(Option<Vec<AgentId>>, Option<AgentId>), Problem> {
        // Callers that see everything also see the calls of removed agents.
        let accounts = state.store().all_agents().await?;
        let seen = accounts.iter().filter(|row| caller.can_see(row) && (caller.can_see_all() || row.active));
        let agent = match &self.agent {
            Some(number) if number == NO_VALUE => Some(NO_AGENT),
            Some(number) => {
                let found = seen.clone().find(|row| row.number == *number);
                Some(found.ok_or_else(|| Problem::not_found("agent"))?.id)
            }
            None => None,
        };
        let seen = if caller.can_see_all() { None } else { Some(seen.map(|row| row.id).collect()) };
        Ok((seen, agent))
    }

    async fn group_calls(&self, state: &AppState, caller: &Caller) -> Result<Option<GroupCalls>, Problem> {
        let Some(name) = &self.group else { return Ok(None) };
        let group = state.group_by_name(&caller.scope, name).await?.group.id;
        if !caller.can_see_group(Some(group)) {
            return Err(Problem::not_found("group"));
        }
        let members = state.agents_in(&caller.scope).await?;
        let is_member = |row: &&crate::store::AgentRow| row.groups.iter().any(|it| it.group == group);
        let agents = members.iter().filter(is_member).map(|row| row.id).collect();
        let campaigns = state.store().reader().await?.campaigns().await?.into_iter();
        let own = campaigns.filter(|it| caller.scope.holds(it.enterprise, it.organisation));
        let campaigns = own.filter(|it| group_of(&it.toml).is_some_and(|of| of == *name));
        Ok(Some(GroupCalls { agents, campaigns: campaigns.map(|it| it.id).collect() }))
    }
}

/// Beginning and end of a moment's day, in milliseconds.
fn day_of(at: Utc, zone: &TimeFormat) -> (Option<i64>, Option<i64>) {
    let day = zone.written(at, "%F").parse::<jiff::civil::Date>().ok();
    let start = |day: jiff::civil::Date| {
        let begins = day.to_zoned(zone.zone().clone()).and_then(|noon| noon.start_of_day()).ok()?;
        Some(begins.timestamp().as_millisecond())
    };
    (day.and_then(start), day.and_then(|day| day.tomorrow().ok()).and_then(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_has_a_parameter_and_the_other_way_round() {
        let fields = serde_json::to_value(CallQuery::default()).unwrap();
        let mut fields: Vec<&str> = fields.as_object().unwrap().keys().map(String::as_str).collect();
        let mut parameters: Vec<&str> = CALL_FILTERS.iter().map(|it| it.name).collect();
        fields.sort_unstable();
        parameters.sort_unstable();
        assert_eq!(fields, parameters);
    }

    #[test]
    fn filters_of_a_body_are_checked_as_those_of_a_query() {
        let of = |text: &str| serde_json::from_str::<CallQuery>(text).unwrap().check();
        assert!(of(r#"{"talk_min":5,"outcome":"answered","recorded":true,"number":"13800138000"}"#).is_ok());
        for (text, name) in [
            (r#"{"talk_min":-1}"#, "talk_min"),
            (r#"{"outcome":"fine"}"#, "outcome"),
            (r#"{"number":"1380013"}"#, "number"),
            (r#"{"campaign":""}"#, "campaign"),
            (r#"{"from":"yesterday"}"#, "from"),
            (r#"{"direction":"up"}"#, "direction"),
        ] {
            let refused = of(text).unwrap_err();
            assert!(refused.detail().starts_with(name), "{text}: {}", refused.detail());
        }
    }

    #[test]
    fn a_day_has_its_own_length() {
        let moment = |text: &str| Utc::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let hours = |at: &str, zone: &str| {
            let (from, until) = day_of(moment(at), &TimeFormat::in_zone(zone));
            (until.unwrap() - from.unwrap()) / 3_600_000
        };
        assert_eq!(hours("2026-11-30T12:00:00Z", "Asia/Shanghai"), 24);
        assert_eq!(hours("2026-03-29T12:00:00Z", "Europe/Berlin"), 23);
        assert_eq!(hours("2026-10-25T12:00:00Z", "Europe/Berlin"), 25);
        let (from, until) = day_of(moment("2026-11-29T16:30:00Z"), &TimeFormat::in_zone("Asia/Shanghai"));
        assert_eq!(from, Some(moment("2026-11-29T16:00:00Z").as_millis()));
        assert_eq!(until, Some(moment("2026-11-30T16:00:00Z").as_millis()));
    }
}
