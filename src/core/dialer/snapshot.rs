//! Read-only views of the dialer: live calls, the place of a lead, the numbers behind a campaign's why.

use super::Dialer;
use super::campaign_run::CampaignRun;
use super::floor::{Job, agent_for_lead};
use super::line_health::LineView;
use super::live_call::{Call, Phase};
use super::placing::Search;
use super::sharing::GivenLines;
use super::trunk_line::Ready;
use crate::campaign::Campaign;
use crate::campaign::window::Holiday;
use crate::ids::{AgentId, CallId, CampaignId, HouseholdId, LeadId, TrunkId};
use crate::number::PhoneNumber;
use crate::pacing::Why;
use crate::pacing::fail_safe::PacerFault;
use crate::pacing::ledger::AbandonReport;
use crate::pacing::predictive::Reason;
use crate::pacing::shadow::Comparison;
use crate::time::Utc;
use serde::{Deserialize, Serialize};

/// A call's stage as screens and timelines show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStage {
    /// The store is opening the attempt, or the INVITE waits for its slot.
    Opening,
    Placed,
    Ringing,
    /// A 200 arrived; "answered" is being written.
    Answered,
    Announcing,
    /// Answered; waiting for an agent, or an agent's phone rings.
    Waiting,
    Talking,
    /// Talking, on hold with music.
    Held,
    /// The sorry message plays: no agent is free.
    Sorry,
    /// Over; the result is being written.
    Ended,
}

impl CallStage {
    pub const ALL: [CallStage; 10] = [
        CallStage::Opening,
        CallStage::Placed,
        CallStage::Ringing,
        CallStage::Answered,
        CallStage::Announcing,
        CallStage::Waiting,
        CallStage::Talking,
        CallStage::Held,
        CallStage::Sorry,
        CallStage::Ended,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            CallStage::Opening => "opening",
            CallStage::Placed => "placed",
            CallStage::Ringing => "ringing",
            CallStage::Answered => "answered",
            CallStage::Announcing => "announcing",
            CallStage::Waiting => "waiting",
            CallStage::Talking => "talking",
            CallStage::Held => "held",
            CallStage::Sorry => "sorry",
            CallStage::Ended => "ended",
        }
    }
}

/// One live call. Agents' legs are not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallView {
    pub call: CallId,
    pub campaign: CampaignId,
    /// `None` = a single-number test, or an unknown inbound caller.
    pub lead: Option<LeadId>,
    /// `None` = an inbound caller who withholds it.
    pub number: Option<PhoneNumber>,
    pub trunk: TrunkId,
    /// The call is inbound.
    pub inbound: bool,
    pub stage: CallStage,
    /// The agent in the conversation, or reserved for the call.
    pub agent: Option<AgentId>,
    pub opened_at: Utc,
    pub answered_at: Option<Utc>,
    /// Answered, and no agent was bridged in time.
    pub abandoned: bool,
}

/// The place that holds a lead, so that no other call to it is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    Call {
        call: CallId,
        stage: CallStage,
        agent: Option<AgentId>,
    },
    /// In this agent's preview, or this agent's phone rings first.
    Screen {
        agent: AgentId,
    },
    /// This agent is in wrap-up for it.
    WrapUp {
        agent: AgentId,
    },
}

/// Where a lead is in the dialer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadPlace {
    /// In a call, a preview or a wrap-up.
    pub held: Option<Held>,
    /// Another lead of the same household is held; or the same number, by another lead.
    pub household: Option<Held>,
    pub number: Option<Held>,
    /// Number of leads before it in the hopper.
    pub hopper: Option<u32>,
    /// In the hopper, and booked for an agent who is not free now.
    pub agent_away: bool,
    /// Its numbers that rest because a crash cut off their calls.
    pub resting: Vec<(PhoneNumber, Utc)>,
    /// Its numbers that at least one trunk of the campaign may carry.
    pub carried: Vec<PhoneNumber>,
}

/// Current numbers behind a campaign's why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Numbers {
    /// Calls placed by the last decision.
    pub placed: u32,
    /// Agents of its group who are signed in and not paused, and those of them who may take a call now.
    pub agents: u32,
    pub idle: u32,
    /// Calls of the group that will need an agent and have none yet.
    pub pending: u32,
    /// Live calls, from the opened attempt to the end; and the campaign's own limit.
    pub live: u32,
    pub concurrency_max: Option<u32>,
    /// Lines of its trunks in use, and their total.
    pub lines: u32,
    pub lines_max: u32,
    /// Its trunks, and those that are out of use now.
    pub trunks: u32,
    pub trunks_down: u32,
    /// Call starts per second that its own limit and its trunks allow.
    pub calls_per_sec: f64,
    /// Leads in the hopper; and whether the store has more that are due.
    pub hopper: u32,
    pub more_due: bool,
}

/// One campaign as screens show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Attempts being opened or set up, not yet ringing.
    pub starting: u32,
    pub ringing: u32,
    /// Answered, hearing the announcement or the sorry message.
    pub up: u32,
    /// Answered, waiting for an agent.
    pub waiting: u32,
    /// Bridged with an agent.
    pub talking: u32,
    /// Abandon rates by every rule; `None` = a campaign without agents.
    pub abandon: Option<AbandonReport>,
    pub leads_open: u64,
    /// A drain is complete: paused until it is resumed or opened again.
    pub drained: bool,
    pub why: Option<Why>,
    /// Mode predictive: the numbers behind the last plan.
    pub reason: Option<Reason>,
    /// Further numbers behind the why.
    pub numbers: Numbers,
    /// When the reason to wait is expected to end.
    pub until: Option<Utc>,
    /// Mode predictive: why the pacer is bypassed at the moment.
    pub trouble: Option<PacerFault>,
    /// A setting that runs in the shadow of the live one.
    pub shadow: Option<Comparison>,
    /// A trunk of the campaign, or a region on it, rests because the line refuses us.
    pub line: Option<LineView>,
    /// The holiday that keeps the campaign from calling.
    pub holiday: Option<Holiday>,
    /// With [`Why::ShareUsed`]: the campaign that has the lines.
    pub share: Option<GivenLines>,
}

impl Dialer {
    /// Every campaign that was opened, finished or not.
    pub fn campaigns(&self) -> impl Iterator<Item = &Campaign> {
        self.campaigns.values().map(|run| &run.rules)
    }

    /// Every live call, inbound ones included.
    pub fn calls_now(&self) -> impl Iterator<Item = CallView> {
        self.calls.iter().map(|(id, call)| self.call_view(*id, call))
    }

    pub fn call_now(&self, call: CallId) -> Option<CallView> {
        self.calls.get(&call).map(|it| self.call_view(call, it))
    }

    fn call_view(&self, id: CallId, call: &Call) -> CallView {
        let talk = call.talk.as_ref();
        CallView {
            call: id,
            campaign: call.campaign,
            lead: call.leased.as_ref().map(|leased| leased.lead.id),
            number: Some(call.number).filter(|_| !call.withheld),
            trunk: call.trunk,
            inbound: call.inbound,
            stage: stage(call),
            agent: talk.and_then(|talk| talk.agent).or(call.spoke.map(|(agent, _)| agent)).or(call.for_agent),
            opened_at: self.wall.utc(call.opened),
            answered_at: call.answered_at,
            abandoned: call.abandoned,
        }
    }

    /// Where this lead is, and what keeps it from being dialled: household, numbers, trunks.
    pub fn lead_place(
        &self,
        campaign: CampaignId,
        lead: LeadId,
        household: Option<HouseholdId>,
        numbers: &[PhoneNumber],
    ) -> LeadPlace {
        let utc = self.utc();
        let mut place = LeadPlace::default();
        for (id, call) in &self.calls {
            let held = Held::Call {
                call: *id,
                stage: stage(call),
                agent: call.talk.as_ref().and_then(|talk| talk.agent),
            };
            let of = call.leased.as_ref().map(|leased| &leased.lead);
            if of.is_some_and(|of| of.id == lead) {
                place.held = Some(held);
            } else if call.campaign == campaign
                && household.is_some()
                && of.is_some_and(|of| of.household == household)
            {
                place.household = Some(held);
            } else if numbers.contains(&call.number) && !call.withheld {
                place.number = Some(held);
            }
        }
        for (agent, seat) in &self.floor.seats {
            let agent = *agent;
            let (of, held) = match &seat.job {
                Some(Job::Preview { leased, .. }) => (Some(&leased.lead), Held::Screen { agent }),
                Some(Job::AgentFirst { leased: Some(leased), .. }) => {
                    (Some(&leased.lead), Held::Screen { agent })
                }
                Some(Job::WrapUp(job)) => (job.lead.as_ref(), Held::WrapUp { agent }),
                _ => continue,
            };
            let Some(of) = of else { continue };
            if of.id == lead {
                place.held.get_or_insert(held);
            } else if household.is_some() && of.household == household && matches!(held, Held::Screen { .. })
            {
                place.household.get_or_insert(held);
            }
        }
        let Some(run) = self.campaigns.get(&campaign) else { return place };
        if let Some((before, leased)) = run.hopper.find(lead) {
            place.hopper = Some(before as u32);
            place.agent_away =
                agent_for_lead(&self.floor, &leased.lead, &run.rules, Search::All, utc).is_none();
        }
        let rests = |number: &PhoneNumber| self.resting.get(number).map(|until| (*number, *until));
        place.resting = numbers.iter().filter_map(rests).filter(|(_, until)| *until > utc).collect();
        let carries = |number: &&PhoneNumber| {
            let mut lines = run.rules.trunks.iter().filter_map(|trunk| self.trunks.get(trunk));
            lines.any(|line| line.trunk.carries(**number, &run.rules.home))
        };
        place.carried = numbers.iter().filter(carries).copied().collect();
        place
    }

    pub(super) fn numbers(&self, run: &CampaignRun) -> Numbers {
        let mut numbers = Numbers {
            placed: run.last.map_or(0, |decision| decision.place),
            live: run.live,
            concurrency_max: run.rules.concurrency_max,
            hopper: run.hopper.len() as u32,
            more_due: run.supply.fetching.is_some() || run.supply.more_due,
            ..Numbers::default()
        };
        for line in run.rules.trunks.iter().filter_map(|trunk| self.trunks.get(trunk)) {
            numbers.trunks += 1;
            numbers.trunks_down += u32::from(matches!(line.ready(self.now), Ready::Down(_)));
            numbers.lines += line.trunk.calls_max.saturating_sub(line.free());
            numbers.lines_max = numbers.lines_max.saturating_add(line.trunk.calls_max);
            numbers.calls_per_sec += line.trunk.calls_per_sec;
        }
        if let Some(own) = run.rules.calls_per_sec.filter(|own| *own > 0.0) {
            let trunks = Some(numbers.calls_per_sec).filter(|trunks| *trunks > 0.0);
            numbers.calls_per_sec = trunks.map_or(own, |trunks| trunks.min(own));
        }
        if let Some(group) = run.rules.agents.as_ref().map(|rules| rules.group) {
            (numbers.agents, numbers.idle) = self.floor.census(group);
            let of_group = |call: &&Call| {
                let run = self.campaigns.get(&call.campaign);
                run.and_then(|run| run.rules.agents.as_ref()).is_some_and(|rules| rules.group == group)
            };
            numbers.pending =
                self.calls.values().filter(|call| call.needs_agent()).filter(of_group).count() as u32;
        }
        numbers
    }
}

fn stage(call: &Call) -> CallStage {
    match call.phase {
        Phase::Opening | Phase::Opened => CallStage::Opening,
        Phase::Placed => CallStage::Placed,
        Phase::Ringing => CallStage::Ringing,
        Phase::Answered => CallStage::Answered,
        Phase::Announcing => CallStage::Announcing,
        Phase::Waiting => CallStage::Waiting,
        Phase::Talking if call.talk.as_ref().is_some_and(|talk| talk.held) => CallStage::Held,
        Phase::Talking => CallStage::Talking,
        Phase::Sorry => CallStage::Sorry,
        Phase::Ended => CallStage::Ended,
    }
}
