//! The floor: agents' seats, groups and legs. What an agent may ask for is in `actions`, the choice of an
//! agent for a call in `agent_selection`, the bridge between callee and agent in `bridging`.

mod actions;
mod admission;
mod agent_selection;
mod bridging;
mod call_control;
mod consult;
mod dead_legs;
mod inbound;
mod legs;
mod pacer_feed;
mod preview;
mod sign_in;
mod supervision;
mod telephone_sign_in;
mod transfer;
mod wrap_up;

pub(super) use admission::agent_for_lead;
use pacer_feed::ReportedState;
pub(super) use pacer_feed::{part, tried};
use telephone_sign_in::SignInCall;
pub(super) use wrap_up::WrapUpJob;

use super::{Dialer, Output};
use crate::agent::{
    Activity, Agent, Availability, Endpoint, Group, Holding, NoCallsReason, Party, PartyKind, SeatView,
    Supervision, Work, WorkMode,
};
use crate::campaign::lease::LeasedLead;
use crate::ids::{AgentId, CallId, CampaignId, GroupId, TrunkId};
use crate::number::PhoneNumber;
use crate::outcome::Reason;
use crate::time::{Duration, Time, Utc};
use legs::SideLeg;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Floor {
    pub groups: BTreeMap<GroupId, Group>,
    pub seats: BTreeMap<AgentId, Seat>,
    pub legs: BTreeMap<CallId, SideLeg>,
    legs_made: u64,
    /// Answered callees without an agent, the longest wait first.
    pub queue: BTreeSet<(Time, CallId)>,
    /// The agent who got the last call of each group, for round robin.
    last_served: BTreeMap<GroupId, AgentId>,
    /// Seats whose view may have changed.
    pub(super) changed: BTreeSet<AgentId>,
    /// Calls of agents who sign in or out from their own telephones.
    pub sign_in_calls: BTreeMap<CallId, SignInCall>,
    /// Number of the placing round, one per input.
    pub round: u64,
    /// The service is stopping.
    closed: bool,
}

/// One agent's place on the floor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Seat {
    pub agent: Agent,
    pub availability: Availability,
    pub activity: Activity,
    /// Since when the agent waits for work.
    pub idle_since: Time,
    /// When the agent last took an action.
    touched: Time,
    signed_in_at: Option<Utc>,
    pub groups: BTreeSet<GroupId>,
    work_mode: WorkMode,
    pub endpoint: Endpoint,
    pub holding: Holding,
    phone_ready: bool,
    /// The agent's leg: nailed up, or for the current call alone.
    pub leg: Option<CallId>,
    pub job: Option<Job>,
    /// The agent is signed out once the current job is over.
    leaving: bool,
    /// The seat is removed once the agent is signed out.
    removed: bool,
    muted: bool,
    supervising: Option<(AgentId, Supervision)>,
    /// Calls in a row that the agent's phone did not answer.
    misses: u32,
    /// Failures in a row to raise the nailed-up leg.
    leg_failures: u32,
    pub answered: u32,
    talked: Duration,
    /// Why the store refused the last call that the agent asked for.
    pub refused: Option<Reason>,
    /// When the activity last changed.
    doing_since: Time,
    /// The state last reported to the pacers.
    reported: ReportedState,
    /// The view last sent as `Output::SeatChanged`.
    published: Option<Box<SeatView>>,
}

/// What a seat is busy with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Job {
    /// A lead is shown in a preview.
    Preview {
        campaign: CampaignId,
        leased: Box<LeasedLead>,
        until: Option<Time>,
    },
    /// The lead that the agent asked for is being leased.
    Fetching {
        campaign: CampaignId,
    },
    /// Agent first: the agent's phone rings, then the callee is dialled.
    AgentFirst {
        campaign: CampaignId,
        number: PhoneNumber,
        leased: Option<Box<LeasedLead>>,
    },
    /// Reserved for this call, rung for it, or talking in it.
    Call {
        call: CallId,
    },
    /// Consulted by the agent of this call.
    Consulted {
        call: CallId,
    },
    WrapUp(Box<WrapUpJob>),
}

impl Seat {
    fn new(agent: Agent, now: Time) -> Self {
        Seat {
            agent,
            availability: Availability::SignedOut,
            activity: Activity::Idle,
            idle_since: now,
            touched: now,
            signed_in_at: None,
            groups: BTreeSet::new(),
            work_mode: WorkMode::Both,
            endpoint: Endpoint::Phone,
            holding: Holding::NailedUp,
            phone_ready: false,
            leg: None,
            job: None,
            leaving: false,
            removed: false,
            muted: false,
            supervising: None,
            misses: 0,
            leg_failures: 0,
            answered: 0,
            talked: Duration::ZERO,
            refused: None,
            doing_since: now,
            reported: ReportedState::default(),
            published: None,
        }
    }

    pub fn is_signed_in(&self) -> bool {
        self.availability != Availability::SignedOut
    }

    /// When an untouched preview expires: `span` after the agent's last action.
    fn preview_expires(&self, span: Duration) -> Time {
        self.touched.max(self.doing_since) + span
    }

    /// Whether the agent's phone can be rung at all.
    fn is_reachable(&self) -> bool {
        match self.endpoint {
            Endpoint::Phone => self.phone_ready,
            Endpoint::Telephone(_) => true,
        }
    }

    /// Whether the seat has no call, preview, wrap-up, consult or supervision.
    fn is_free(&self) -> bool {
        self.is_signed_in()
            && self.activity == Activity::Idle
            && self.job.is_none()
            && self.supervising.is_none()
    }
}

impl Floor {
    fn work_mode(&self, seat: &Seat, group: GroupId) -> WorkMode {
        self.groups.get(&group).and_then(|group| group.work_mode).unwrap_or(seat.work_mode)
    }

    pub(super) fn leg_up(&self, seat: &Seat) -> bool {
        seat.leg.is_some_and(|leg| self.legs.get(&leg).is_some_and(|leg| leg.up && !leg.ending))
    }

    /// Whether a callee can be bridged with the seat's leg: it is up, and nothing says that its phone is gone.
    fn leg_sound(&self, seat: &Seat) -> bool {
        let doubted = |leg: CallId| self.legs.get(&leg).is_some_and(|leg| leg.probing);
        self.leg_up(seat) && !seat.leg.is_some_and(doubted)
    }

    /// Whether a call of this group may go to the seat now.
    pub(super) fn takes_calls(&self, seat: &Seat, group: GroupId, inbound: bool) -> bool {
        let mode = self.work_mode(seat, group);
        seat.is_free()
            && seat.availability == Availability::Available
            && !seat.leaving
            && seat.groups.contains(&group)
            && (if inbound { mode.takes_inbound() } else { mode.takes_outbound() })
            && match seat.holding {
                Holding::NailedUp => self.leg_sound(seat),
                Holding::PerCall => seat.is_reachable() && seat.leg.is_none(),
            }
    }

    /// Agents signed in to the group and not paused, and those of them who may get a call now.
    pub(super) fn census(&self, group: GroupId) -> (u32, u32) {
        let mut census = (0, 0);
        for seat in self.seats.values().filter(|seat| seat.groups.contains(&group)) {
            census.0 += u32::from(seat.availability == Availability::Available && !seat.leaving);
            census.1 += u32::from(self.takes_calls(seat, group, false));
        }
        census
    }

    /// Legs of agents' telephones and consulted parties on this trunk.
    pub(super) fn legs_on(&self, trunk: TrunkId) -> u32 {
        self.legs.values().filter(|leg| leg.trunk == Some(trunk)).count() as u32
    }

    /// Whether a seat has a preview, an agent-first call or a wrap-up of this campaign.
    pub(super) fn works_on(&self, campaign: CampaignId) -> bool {
        self.seats.values().any(|seat| match &seat.job {
            Some(Job::Preview { campaign: of, .. } | Job::Fetching { campaign: of })
            | Some(Job::AgentFirst { campaign: of, .. }) => *of == campaign,
            Some(Job::WrapUp(job)) => job.campaign == campaign,
            Some(Job::Call { .. } | Job::Consulted { .. }) | None => false,
        })
    }
}

impl Dialer {
    /// Every seat, as screens show it.
    pub fn seats(&self) -> Vec<SeatView> {
        self.floor.seats.values().map(|seat| self.seat_view(seat)).collect()
    }

    /// Answered callees of this campaign who wait for an agent.
    pub fn callees_waiting(&self, campaign: CampaignId) -> u32 {
        let waiting = self.floor.queue.iter().filter_map(|(_, call)| self.calls.get(call));
        waiting.filter(|call| call.campaign == campaign).count() as u32
    }

    pub(super) fn seat(&mut self, agent: AgentId) -> Option<&mut Seat> {
        self.floor.changed.insert(agent);
        self.floor.seats.get_mut(&agent)
    }

    /// Sets the agent's activity and its start.
    pub(super) fn set_activity(&mut self, agent: AgentId, activity: Activity) {
        let now = self.now;
        let Some(seat) = self.seat(agent) else { return };
        if activity == Activity::Idle && seat.activity != Activity::Idle {
            seat.idle_since = now;
        }
        if seat.activity != activity {
            seat.doing_since = now;
        }
        seat.activity = activity;
    }

    /// Reports every changed seat, once per input.
    pub(super) fn publish_changed_seats(&mut self) {
        let utc = self.wall.utc(self.now);
        while let Some(agent) = self.floor.changed.pop_first() {
            let Some(seat) = self.floor.seats.get(&agent) else { continue };
            let mut view = self.seat_view(seat);
            let before = seat.published.as_deref();
            let logged = before.is_none_or(|published| {
                published.availability != view.availability || published.activity != view.activity
            });
            view.since = if logged { utc } else { before.map_or(utc, |published| published.since) };
            if before == Some(&view) {
                continue;
            }
            let removed = seat.removed && !seat.is_signed_in() && seat.job.is_none();
            if let Some(seat) = self.floor.seats.get_mut(&agent) {
                seat.published = Some(Box::new(view.clone()));
            }
            if removed {
                self.floor.seats.remove(&agent);
            }
            self.outputs.push_back(Output::SeatChanged { seat: Box::new(view), logged });
        }
    }

    fn seat_view(&self, seat: &Seat) -> SeatView {
        let published = seat.published.as_deref();
        SeatView {
            agent: seat.agent.id,
            number: seat.agent.number.clone(),
            availability: seat.availability.clone(),
            activity: seat.activity.clone(),
            since: published.map_or_else(|| self.wall.utc(self.now), |published| published.since),
            signed_in_at: seat.signed_in_at,
            groups: seat.groups.iter().copied().collect(),
            work_mode: seat.work_mode,
            endpoint: seat.endpoint,
            holding: seat.holding,
            phone_ready: seat.is_reachable(),
            leg_up: self.floor.leg_up(seat),
            no_calls: self.no_calls_reason(seat),
            work: self.work_view(seat),
            muted: seat.muted,
            until: match &seat.job {
                Some(Job::Preview { until, .. }) => until.map(|until| self.wall.utc(until)),
                Some(Job::WrapUp(job)) => job.until.map(|until| self.wall.utc(until)),
                _ => None,
            },
            leaving: seat.leaving,
            supervising: seat.supervising,
            answered: seat.answered,
            talked: seat.talked,
            refused: seat.refused,
        }
    }

    /// Why a free agent gets no calls.
    fn no_calls_reason(&self, seat: &Seat) -> Option<NoCallsReason> {
        if !seat.is_free() {
            return None;
        }
        let campaigns = || {
            self.campaigns.values().filter(|run| {
                !run.finished
                    && run.rules.agents.as_ref().is_some_and(|rules| seat.groups.contains(&rules.group))
            })
        };
        let outbound = seat.groups.iter().any(|group| self.floor.work_mode(seat, *group).takes_outbound());
        if seat.availability != Availability::Available {
            Some(NoCallsReason::Paused)
        } else if !seat.is_reachable() {
            Some(NoCallsReason::PhoneAway)
        } else if seat.holding == Holding::NailedUp && !self.floor.leg_sound(seat) {
            Some(NoCallsReason::LegComing)
        } else if campaigns().next().is_none() {
            Some(NoCallsReason::NoCampaign)
        } else if !outbound {
            Some(NoCallsReason::InboundOnly)
        } else if campaigns().all(|run| run.live == 0) {
            Some(NoCallsReason::NothingPlaced)
        } else {
            None
        }
    }

    fn work_view(&self, seat: &Seat) -> Option<Work> {
        let mut work = Work {
            campaign: CampaignId(0),
            lead: None,
            number: None,
            attempt: None,
            inbound: false,
            answered_at: None,
            connected_at: None,
            parties: Vec::new(),
            recording: false,
            summary: None,
        };
        match seat.job.as_ref()? {
            Job::Preview { campaign, leased, .. } => {
                work.campaign = *campaign;
                work.lead = Some(leased.lead.id);
                work.number = leased.lead.phones.iter().find(|phone| !phone.closed).map(|phone| phone.number);
            }
            Job::Fetching { campaign } => work.campaign = *campaign,
            Job::AgentFirst { campaign, number, leased } => {
                work.campaign = *campaign;
                work.number = Some(*number);
                work.lead = leased.as_ref().map(|leased| leased.lead.id);
            }
            Job::Call { call } | Job::Consulted { call } => {
                let id = *call;
                let call = self.calls.get(&id)?;
                work.campaign = call.campaign;
                work.lead = call.leased.as_ref().map(|leased| leased.lead.id);
                work.number = Some(call.number).filter(|_| !call.withheld);
                work.attempt = (!call.inbound).then_some(call.attempt);
                work.inbound = call.inbound;
                work.answered_at = call.answered_at;
                work.connected_at = call.spoke.map(|(_, at)| at);
                work.parties = self.parties(id);
                work.recording = call.recording;
                work.summary = call.summary.clone();
            }
            Job::WrapUp(job) => {
                work.campaign = job.campaign;
                work.lead = job.lead.as_ref().map(|lead| lead.id);
                work.number = job.number;
                work.attempt = (!job.inbound).then(|| job.call.attempt());
                work.inbound = job.inbound;
                work.answered_at = job.answered_at;
                work.connected_at = job.connected_at;
            }
        }
        Some(work)
    }

    /// The parties of a conversation.
    fn parties(&self, id: CallId) -> Vec<Party> {
        let Some(call) = self.calls.get(&id) else { return Vec::new() };
        let held = call.talk.as_ref().is_some_and(|talk| talk.held);
        let mut parties = vec![Party {
            leg: id,
            kind: PartyKind::Callee,
            agent: None,
            number: Some(call.number).filter(|_| !call.withheld),
            up: call.answered_at.is_some(),
            held,
        }];
        for seat in self.floor.seats.values() {
            let kind = match (&seat.job, seat.supervising) {
                (Some(Job::Call { call }), _) if *call == id => PartyKind::Agent,
                (Some(Job::Consulted { call }), _) if *call == id => PartyKind::Consulted,
                // A silent listener is visible to the shift lead alone.
                (_, Some((agent, how))) if how != Supervision::Listen && self.call_of(agent) == Some(id) => {
                    PartyKind::Supervisor
                }
                _ => continue,
            };
            if let Some(leg) = seat.leg {
                let (up, agent) = (self.floor.leg_up(seat), Some(seat.agent.id));
                parties.push(Party { leg, kind, agent, number: None, up, held: false });
            }
        }
        if let Some(consult) = call.talk.as_ref().and_then(|talk| talk.consult.as_ref())
            && let (Some(leg), Some(number)) = (consult.leg, consult.number)
        {
            let (kind, number) = (PartyKind::Consulted, Some(number));
            parties.push(Party { leg, kind, agent: None, number, up: consult.up, held: false });
        }
        parties
    }

    /// The call that this agent talks in, or is reserved for.
    fn call_of(&self, agent: AgentId) -> Option<CallId> {
        match self.floor.seats.get(&agent)?.job {
            Some(Job::Call { call }) => Some(call),
            _ => None,
        }
    }
}
