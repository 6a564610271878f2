//! Sign-in and sign-out, change of phone, and the definitions of agents and groups.

use super::{Job, Seat};
use crate::agent::{Activity, Agent, Availability, Endpoint, Group, Holding, Refusal, WorkMode};
use crate::dialer::Dialer;
use crate::dialer::wake::Wake;
use crate::ids::{AgentId, GroupId};
use crate::time::Duration;
use std::collections::BTreeSet;

/// How long the new phone may ring when an agent changes phones during a call.
const MOVE_RING: Duration = Duration::from_secs(20);

impl Dialer {
    pub(in crate::dialer) fn define_agent(&mut self, agent: Agent) {
        let (id, now) = (agent.id, self.now);
        let known: BTreeSet<GroupId> =
            agent.groups.iter().filter(|of| of.in_use).map(|of| of.group).collect();
        let seat = self.floor.seats.entry(id).or_insert_with(|| Seat::new(agent.clone(), now));
        // An agent's number never changes, whatever the definition says.
        let number = seat.agent.number.clone();
        seat.agent = Agent { number, ..agent };
        seat.removed = false;
        seat.groups.retain(|group| known.contains(group));
        self.floor.changed.insert(id);
    }

    pub(in crate::dialer) fn remove_agent(&mut self, agent: AgentId) {
        let Some(seat) = self.seat(agent) else { return };
        seat.removed = true;
        // An agent in a call finishes it first; a signed-out agent is refused, which is fine.
        let _ = self.request_sign_out(agent);
    }

    pub(in crate::dialer) fn define_group(&mut self, group: Group) {
        self.floor.groups.insert(group.id, group);
    }

    pub(in crate::dialer) fn phone_changed(&mut self, agent: AgentId, ready: bool) {
        let now = self.now;
        let Some(seat) = self.seat(agent).filter(|seat| seat.phone_ready != ready) else { return };
        seat.phone_ready = ready;
        if ready {
            seat.leg_failures = 0;
            seat.idle_since = now;
            self.raise_leg(agent);
        }
    }

    pub(super) fn sign_in(
        &mut self,
        agent: AgentId,
        groups: Vec<GroupId>,
        endpoint: Endpoint,
        holding: Holding,
        work_mode: WorkMode,
    ) -> Result<(), Refusal> {
        let (now, utc) = (self.now, self.wall.utc(self.now));
        if self.floor.closed {
            return Err(Refusal::CampaignClosed);
        }
        let seat = self.floor.seats.get(&agent).ok_or(Refusal::UnknownAgent)?;
        if seat.is_signed_in() {
            return Err(Refusal::AlreadySignedIn);
        }
        let hers = seat.agent.groups.iter().filter(|of| of.in_use).map(|of| of.group);
        let chosen: BTreeSet<GroupId> =
            hers.filter(|group| groups.is_empty() || groups.contains(group)).collect();
        if chosen.is_empty() {
            return Err(Refusal::NotAMember);
        }
        self.phone_allowed(agent, endpoint, &chosen)?;
        for group in chosen.iter().filter_map(|group| self.floor.groups.get(group)) {
            let taken = self.floor.seats.values().filter(|seat| seat.groups.contains(&group.id)).count();
            if group.seats.is_some_and(|seats| taken as u32 >= seats) {
                return Err(Refusal::SeatsTaken);
            }
        }
        let Some(seat) = self.seat(agent) else { return Err(Refusal::UnknownAgent) };
        seat.availability = Availability::Available;
        seat.signed_in_at = Some(utc);
        seat.idle_since = now;
        seat.groups = chosen;
        seat.work_mode = work_mode;
        seat.endpoint = endpoint;
        seat.holding = holding;
        seat.leaving = false;
        seat.misses = 0;
        seat.leg_failures = 0;
        seat.answered = 0;
        seat.talked = Duration::ZERO;
        self.raise_leg(agent);
        self.watch_idle(agent);
        Ok(())
    }

    /// The phone must be registered, admitted by the groups, and used by no other agent.
    fn phone_allowed(
        &self,
        agent: AgentId,
        endpoint: Endpoint,
        groups: &BTreeSet<GroupId>,
    ) -> Result<(), Refusal> {
        let seat = self.floor.seats.get(&agent).ok_or(Refusal::UnknownAgent)?;
        match endpoint {
            Endpoint::Phone if !seat.phone_ready => Err(Refusal::PhoneNotReady),
            Endpoint::Phone => Ok(()),
            Endpoint::Telephone(_) => {
                let admitted = groups
                    .iter()
                    .all(|group| self.floor.groups.get(group).is_none_or(|group| group.telephones));
                let taken =
                    self.floor.seats.values().any(|seat| {
                        seat.agent.id != agent && seat.is_signed_in() && seat.endpoint == endpoint
                    });
                match (admitted, taken) {
                    (false, _) => Err(Refusal::PhoneNotReady),
                    (true, true) => Err(Refusal::PhoneTaken),
                    (true, false) => Ok(()),
                }
            }
        }
    }

    /// Signs the agent out: at once when free, else after the call and its wrap-up.
    pub(super) fn request_sign_out(&mut self, agent: AgentId) -> Result<(), Refusal> {
        let seat = self.floor.seats.get(&agent).ok_or(Refusal::UnknownAgent)?;
        if !seat.is_signed_in() {
            return Err(Refusal::NotSignedIn);
        }
        self.stop_supervising(agent);
        if matches!(
            self.floor.seats.get(&agent).and_then(|seat| seat.job.as_ref()),
            Some(Job::Preview { .. } | Job::Fetching { .. })
        ) {
            self.return_lead(agent);
        }
        let Some(seat) = self.seat(agent) else { return Err(Refusal::UnknownAgent) };
        if seat.is_free() {
            self.sign_out(agent);
        } else {
            seat.leaving = true;
        }
        Ok(())
    }

    pub(super) fn sign_out(&mut self, agent: AgentId) {
        self.wakes.clear(Wake::RaiseLeg(agent));
        self.wakes.clear(Wake::IdleSeat(agent));
        let Some(seat) = self.seat(agent) else { return };
        seat.availability = Availability::SignedOut;
        seat.activity = Activity::Idle;
        seat.signed_in_at = None;
        seat.groups.clear();
        seat.leaving = false;
        seat.muted = false;
        if let Some(leg) = seat.leg {
            self.hang_up_leg(leg);
        }
    }

    /// Changes the agent's phone; the seat is kept.
    pub(super) fn change_endpoint(
        &mut self,
        agent: AgentId,
        endpoint: Endpoint,
        holding: Holding,
    ) -> Result<(), Refusal> {
        let seat = self.floor.seats.get(&agent).ok_or(Refusal::UnknownAgent)?;
        if !seat.is_signed_in() {
            return Err(Refusal::NotSignedIn);
        }
        let groups = seat.groups.clone();
        self.phone_allowed(agent, endpoint, &groups)?;
        let talking = self.talking(agent).ok();
        if talking.is_none()
            && seat.job.is_some()
            && !matches!(seat.job, Some(Job::WrapUp(_) | Job::Preview { .. }))
        {
            return Err(Refusal::Busy);
        }
        if let Some(call) = talking {
            self.hold(call, true);
        }
        if let Some(leg) = self.floor.seats.get(&agent).and_then(|seat| seat.leg) {
            self.hang_up_leg(leg);
        }
        let Some(seat) = self.seat(agent) else { return Err(Refusal::UnknownAgent) };
        seat.endpoint = endpoint;
        seat.holding = holding;
        seat.leg_failures = 0;
        match talking {
            Some(call) => {
                if !self.ring_agent(agent, Some(call), MOVE_RING) {
                    self.agent_lost(agent, call, false);
                }
            }
            None => self.raise_leg(agent),
        }
        Ok(())
    }

    /// The service is stopping.
    pub(in crate::dialer) fn close_floor(&mut self) {
        self.floor.closed = true;
        let agents: Vec<AgentId> = self.floor.seats.keys().copied().collect();
        for agent in agents {
            // A wrap-up must not keep the service up: the default disposition is written.
            self.end_wrap_up(agent);
            // A signed-out agent is refused, which is fine.
            let _ = self.request_sign_out(agent);
        }
    }

    /// Floating seats: sets the wake that signs out an idle, untouched agent.
    pub(super) fn watch_idle(&mut self, agent: AgentId) {
        let Some(seat) = self.floor.seats.get(&agent) else { return };
        let spans = seat.groups.iter().filter_map(|group| self.floor.groups.get(group)?.idle_release);
        if let Some(span) = spans.min() {
            let at = seat.idle_since.max(seat.touched) + span;
            self.wakes.set(Wake::IdleSeat(agent), at.max(self.now));
        }
    }

    pub(in crate::dialer) fn idle_too_long(&mut self, agent: AgentId) {
        let now = self.now;
        let Some(seat) = self.floor.seats.get(&agent) else { return };
        let spans = seat.groups.iter().filter_map(|group| self.floor.groups.get(group)?.idle_release);
        let Some(span) = spans.min() else { return };
        let due = seat.idle_since.max(seat.touched) + span;
        if seat.is_free() && due <= now {
            self.sign_out(agent);
        } else {
            // Busy now or since: checked again when due, a whole span later at the latest.
            self.wakes.set(Wake::IdleSeat(agent), if due > now { due } else { now + span });
        }
    }
}
