//! The filters of calls: one type for the call log, the sums over calls and the exports, with its SQL.
//!
//! `query_attempts!` and `query_inbound!` make a statement with every filter in its `where`. The conditions are the
//! same in each; what differs is which index the statement walks ([`CallSource`]), what it selects and how it ends.

use super::Scope;
use super::blacklist::json_numbers;
use paceline_core::ids::{AgentId, CampaignId, LeadId};
use paceline_core::number::PhoneNumber;

/// The value of a filter for calls that have none: no outcome yet, no summary, a lead of no building.
pub const NO_VALUE: &str = "-";

/// As [`NO_VALUE`], for calls without an agent. No account has this id.
pub const NO_AGENT: AgentId = AgentId(0);

/// As [`NO_VALUE`], for calls that showed no number.
pub const NO_CALLER_ID: u64 = 0;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallDirection {
    #[default]
    Out,
    In,
}

/// Calls of a group: those in which one of its members spoke, and those of its campaigns that no agent took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupCalls {
    pub agents: Vec<AgentId>,
    pub campaigns: Vec<CampaignId>,
}

/// Which calls are wanted; `None` = no restriction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFilter {
    /// Calls of campaigns that such a caller sees. A caller in no campaign is the first enterprise's.
    pub scope: Scope,
    /// Calls of these agents only: those whom the reader may see. An empty list matches no call.
    pub seen: Option<Vec<AgentId>>,
    pub direction: CallDirection,
    /// Placed or arrived in `from..until`, in milliseconds of the wall clock.
    pub from: Option<i64>,
    pub until: Option<i64>,
    pub campaign: Option<CampaignId>,
    pub group: Option<GroupCalls>,
    pub agent: Option<AgentId>,
    /// Words of [`Outcome`](paceline_core::outcome::Outcome). No inbound call has an outcome, a result, a trunk or a
    /// caller ID.
    pub outcome: Option<String>,
    /// The result of a key.
    pub result: Option<String>,
    pub trunk: Option<String>,
    /// E.164 digits of the number that was shown.
    pub caller_id: Option<u64>,
    pub disposition: Option<String>,
    /// Of the lead.
    pub building: Option<String>,
    pub lead: Option<LeadId>,
    /// The other side.
    pub number: Option<PhoneNumber>,
    pub ended_by: Option<String>,
    /// Milliseconds from the answer to the end.
    pub talk_min: Option<i64>,
    pub talk_max: Option<i64>,
    /// Milliseconds for which the other side waited for an agent, whether one came or not.
    pub waited_min: Option<i64>,
    pub recorded: Option<bool>,
    /// The other side waited for an agent and none came.
    pub missed: Option<bool>,
}

/// The index that a statement walks: the one that leaves fewest calls, as a rule. What changes in a call (agent,
/// outcome, disposition, times) has no index, so that an ending call is cheap; it is asked of each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallSource {
    Lead,
    Number,
    /// Of one campaign.
    Building,
    Campaign,
    Time,
}

impl CallFilter {
    /// Every outbound call of a scope.
    pub fn of(scope: Scope) -> CallFilter {
        CallFilter {
            scope,
            seen: None,
            direction: CallDirection::Out,
            from: None,
            until: None,
            campaign: None,
            group: None,
            agent: None,
            outcome: None,
            result: None,
            trunk: None,
            caller_id: None,
            disposition: None,
            building: None,
            lead: None,
            number: None,
            ended_by: None,
            talk_min: None,
            talk_max: None,
            waited_min: None,
            recorded: None,
            missed: None,
        }
    }

    /// Whether no call can match: an inbound call has none of what is looked for, or the reader sees nobody's calls.
    pub fn is_empty(&self) -> bool {
        let is_outbound_only = self.outcome.is_some()
            || self.result.is_some()
            || self.trunk.is_some()
            || self.caller_id.is_some();
        (self.direction == CallDirection::In && is_outbound_only)
            || self.seen.as_ref().is_some_and(Vec::is_empty)
            || matches!((self.from, self.until), (Some(from), Some(until)) if from >= until)
    }

    pub fn source(&self) -> CallSource {
        if self.lead.is_some() {
            return CallSource::Lead;
        }
        if self.direction == CallDirection::In {
            return CallSource::Time;
        }
        // The index of buildings has no leads of none.
        let building = self.building.as_ref().filter(|it| *it != NO_VALUE);
        match (self.number, self.campaign, building) {
            (Some(_), _, _) => CallSource::Number,
            (None, Some(_), Some(_)) => CallSource::Building,
            (None, Some(_), None) => CallSource::Campaign,
            (None, None, _) => CallSource::Time,
        }
    }

    pub(super) fn args(&self) -> CallArgs<'_> {
        let agents = |list: &Vec<AgentId>| json_numbers(list.iter().map(|agent| agent.0));
        let campaigns = |group: &GroupCalls| json_numbers(group.campaigns.iter().map(|campaign| campaign.0));
        CallArgs {
            enterprise: self.scope.enterprise,
            organisations: json_numbers(self.scope.organisations.iter().copied()),
            from: self.from.unwrap_or(i64::MIN),
            until: self.until.unwrap_or(i64::MAX),
            campaign: self.campaign.map(|campaign| campaign.0),
            seen: self.seen.as_ref().map(agents),
            agent: self.agent.map(|agent| agent.0),
            group_agents: self.group.as_ref().map(|group| agents(&group.agents)),
            group_campaigns: self.group.as_ref().map(campaigns),
            caller_id: self.caller_id.map(|number| number as i64),
            lead: self.lead.map(|lead| lead.0),
            number: self.number.map(|number| number.as_u64() as i64),
            filter: self,
        }
    }
}

/// SQL arguments of a filter.
pub(super) struct CallArgs<'a> {
    pub enterprise: i64,
    pub organisations: String,
    pub from: i64,
    pub until: i64,
    pub campaign: Option<i64>,
    pub seen: Option<String>,
    pub agent: Option<i64>,
    pub group_agents: Option<String>,
    pub group_campaigns: Option<String>,
    pub caller_id: Option<i64>,
    pub lead: Option<i64>,
    pub number: Option<i64>,
    pub filter: &'a CallFilter,
}

/// A statement over the outbound calls of a filter: what it selects, the condition of its source, and in brackets its end. The
/// filter's arguments are `$1` to `$23`, those of the statement itself begin at `$24`. The attempt is `a`, its campaign
/// `c`. `cross join` keeps the planner from walking the campaigns first.
macro_rules! query_attempts {
    ($row:ty, $args:expr, $select:tt, $source:tt, [$($rest:tt)+] $(, $more:expr)* $(,)?) => {
        sqlx::query_as!(
            $row,
            $select + r#"
                 from attempt a cross join campaign c
                where c.id = a.campaign_id and c.enterprise_id = $1 and c.organisation_id in (select cast(value as bigint) from json_each($2))
                  and a.placed_at >= $3 and a.placed_at < $4 and "# + $source + r#"
                  and (cast($5 as bigint) is null or a.campaign_id = $5)
                  and (cast($6 as text) is null or a.agent_id in (select cast(value as bigint) from json_each($6)))
                  and (cast($7 as bigint) is null or coalesce(a.agent_id, 0) = $7)
                  and (cast($8 as text) is null or a.agent_id in (select cast(value as bigint) from json_each($8))
                       or a.agent_id is null and a.campaign_id in (select cast(value as bigint) from json_each($9)))
                  and (cast($10 as text) is null or coalesce(a.outcome, '-') = $10)
                  and (cast($11 as text) is null or a.result = $11)
                  and (cast($12 as text) is null or a.trunk = $12)
                  and (cast($13 as bigint) is null or coalesce(a.caller_id, 0) = $13)
                  and (cast($14 as text) is null or coalesce(a.disposition, '-') = $14)
                  and (cast($15 as text) is null
                       or coalesce((select nullif(l.building, '') from lead l where l.id = a.lead_id), '-') = $15)
                  and (cast($16 as bigint) is null or a.lead_id = $16)
                  and (cast($17 as bigint) is null or a.number = $17)
                  and (cast($18 as text) is null or a.ended_by = $18)
                  and (cast($19 as bigint) is null or coalesce(a.alive_at, a.ended_at) - a.answered_at >= $19)
                  and (cast($20 as bigint) is null or coalesce(a.alive_at, a.ended_at) - a.answered_at <= $20)
                  and (cast($21 as bigint) is null
                       or coalesce(a.connected_at,
                            case when a.outcome in ('abandoned', 'agent_failed') then a.ended_at end)
                          - a.answered_at >= $21)
                  and (cast($22 as boolean) is null or (a.recording is not null) = $22)
                  and (cast($23 as boolean) is null
                       or (a.answered_at is not null and coalesce(a.outcome, '') in ('abandoned', 'agent_failed'))
                          = $23) "# + $($rest)+,
            $args.enterprise,
            $args.organisations,
            $args.from,
            $args.until,
            $args.campaign,
            $args.seen,
            $args.agent,
            $args.group_agents,
            $args.group_campaigns,
            $args.filter.outcome,
            $args.filter.result,
            $args.filter.trunk,
            $args.caller_id,
            $args.filter.disposition,
            $args.filter.building,
            $args.lead,
            $args.number,
            $args.filter.ended_by,
            $args.filter.talk_min,
            $args.filter.talk_max,
            $args.filter.waited_min,
            $args.filter.recorded,
            $args.filter.missed
            $(, $more)*
        )
    };
}

/// As `query_attempts!`, over inbound calls: the leg is `a`, its campaign, if any, `c`. What inbound calls do not
/// have is answered by [`CallFilter::is_empty`] before.
macro_rules! query_inbound {
    ($row:ty, $args:expr, $select:tt, $source:tt, [$($rest:tt)+] $(, $more:expr)* $(,)?) => {
        sqlx::query_as!(
            $row,
            $select + r#"
                 from leg a left join campaign c on c.id = a.campaign_id
                where a.kind = 'inbound' and coalesce(c.enterprise_id, 1) = $1
                  and coalesce(c.organisation_id, 1) in (select cast(value as bigint) from json_each($2))
                  and a.began_at >= $3 and a.began_at < $4 and "# + $source + r#"
                  and (cast($5 as bigint) is null or a.campaign_id = $5)
                  and (cast($6 as text) is null or coalesce(a.summary_agent_id, a.agent_id)
                         in (select cast(value as bigint) from json_each($6)))
                  and (cast($7 as bigint) is null or coalesce(a.summary_agent_id, a.agent_id, 0) = $7)
                  and (cast($8 as text) is null or coalesce(a.summary_agent_id, a.agent_id)
                         in (select cast(value as bigint) from json_each($8))
                       or coalesce(a.summary_agent_id, a.agent_id) is null
                          and a.campaign_id in (select cast(value as bigint) from json_each($9)))
                  and (cast($10 as text) is null or coalesce(a.disposition, '-') = $10)
                  and (cast($11 as text) is null
                       or coalesce((select nullif(l.building, '') from lead l where l.id = a.lead_id), '-') = $11)
                  and (cast($12 as bigint) is null or a.lead_id = $12)
                  and (cast($13 as bigint) is null or a.number = $13)
                  and (cast($14 as text) is null or a.ended_by = $14)
                  and (cast($15 as bigint) is null or a.ended_at - a.answered_at >= $15)
                  and (cast($16 as bigint) is null or a.ended_at - a.answered_at <= $16)
                  and (cast($17 as bigint) is null
                       or coalesce(a.connected_at, a.ended_at) - coalesce(a.answered_at, a.began_at) >= $17)
                  and (cast($18 as boolean) is null or (a.recording is not null) = $18)
                  and (cast($19 as boolean) is null
                       or (a.connected_at is null and a.ended_at is not null) = $19) "# + $($rest)+,
            $args.enterprise,
            $args.organisations,
            $args.from,
            $args.until,
            $args.campaign,
            $args.seen,
            $args.agent,
            $args.group_agents,
            $args.group_campaigns,
            $args.filter.disposition,
            $args.filter.building,
            $args.lead,
            $args.number,
            $args.filter.ended_by,
            $args.filter.talk_min,
            $args.filter.talk_max,
            $args.filter.waited_min,
            $args.filter.recorded,
            $args.filter.missed
            $(, $more)*
        )
    };
}

pub(super) use {query_attempts, query_inbound};

#[cfg(test)]
mod tests {
    use super::*;

    fn filter() -> CallFilter {
        CallFilter::of(Scope::first())
    }

    #[test]
    fn the_index_is_that_of_the_narrowest_filter() {
        let campaign = Some(CampaignId(1));
        let building = Some("3".to_owned());
        let by = |make: fn(&mut CallFilter)| {
            let mut it = CallFilter { campaign, building: building.clone(), ..filter() };
            make(&mut it);
            it.source()
        };
        assert_eq!(by(|_| ()), CallSource::Building);
        assert_eq!(by(|it| it.campaign = None), CallSource::Time);
        assert_eq!(by(|it| it.building = None), CallSource::Campaign);
        assert_eq!(by(|it| it.building = Some(NO_VALUE.into())), CallSource::Campaign);
        assert_eq!(by(|it| it.number = PhoneNumber::from_e164(8_613_800_138_000)), CallSource::Number);
        assert_eq!(by(|it| it.lead = Some(LeadId(3))), CallSource::Lead);
        assert_eq!(by(|it| it.direction = CallDirection::In), CallSource::Time);
    }

    #[test]
    fn a_filter_of_outbound_calls_finds_no_inbound_ones() {
        let asked: [fn(&mut CallFilter); 4] = [
            |it| it.outcome = Some("answered".into()),
            |it| it.result = Some("agree".into()),
            |it| it.trunk = Some("main".into()),
            |it| it.caller_id = Some(8_675_512_345_678),
        ];
        for set in asked {
            let mut it = filter();
            set(&mut it);
            assert!(!it.is_empty());
            it.direction = CallDirection::In;
            assert!(it.is_empty());
        }
        assert!(CallFilter { seen: Some(Vec::new()), ..filter() }.is_empty());
        assert!(CallFilter { from: Some(5), until: Some(5), ..filter() }.is_empty());
    }
}
