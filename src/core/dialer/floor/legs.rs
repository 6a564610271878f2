//! Legs of agents and consulted parties. They are no attempts, so nothing is saved before they ring; each
//! is written once it is over.

use super::Job;
use crate::agent::{Activity, Availability, Endpoint, Holding};
use crate::call::{Ended, HangUpCause, Progress};
use crate::campaign::HomeCountry;
use crate::dialer::output::{LegKind, LegRecord};
use crate::dialer::trunk_line::{Ready, TrunkLine};
use crate::dialer::wake::Wake;
use crate::dialer::{Dialer, Output};
use crate::ids::{AgentId, CallId, TrunkId};
use crate::number::PhoneNumber;
use crate::outcome::EndedBy;
use crate::time::{Duration, Time, Utc};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::dialer) struct SideLeg {
    kind: LegKind,
    /// The leg's agent; of a consulted party, the agent who asked for it.
    pub agent: AgentId,
    number: Option<PhoneNumber>,
    pub trunk: Option<TrunkId>,
    pub up: bool,
    /// The phone, or the trunk to it, has responded to the INVITE.
    pub responded: bool,
    /// Its audio has stopped, and a probe is to tell whether the phone is gone.
    pub probing: bool,
    /// Its audio has stopped, and no RTCP comes either.
    pub silent: bool,
    /// The phone has restarted since the leg came up.
    pub restarted: bool,
    /// The phone is gone: why, in words.
    pub lost: Option<String>,
    began_at: Utc,
    answered_at: Option<Utc>,
    /// The call it serves, where known; `None` = nailed up for the shift.
    call: Option<CallId>,
    /// Set once we asked the network to end it.
    pub ending: bool,
}

impl SideLeg {
    pub fn kind(&self) -> LegKind {
        self.kind
    }
}

/// How long a nailed-up leg may ring: the agent picks up at the start of the shift.
const SHIFT_RING: Duration = Duration::from_secs(45);

/// RFC 3261 Timer B and Timer H (32 s each), and some.
const LOST_MARGIN: Duration = Duration::from_secs(75);

/// Seconds between two tries to raise a nailed-up leg, by the number of failures so far.
const RAISE_DELAYS: [u64; 5] = [1, 2, 5, 15, 30];

/// Missed calls in a row that pause the agent, so that callees stop waiting for that phone.
const MISSES_MAX: u32 = 2;

impl Dialer {
    /// Rings an agent's phone; `false` = it cannot be rung now. `call` = for that call alone; `None` =
    /// nailed up, or for a call that is still to be placed.
    pub(super) fn ring_agent(&mut self, agent: AgentId, call: Option<CallId>, ring: Duration) -> bool {
        let Some(seat) = self.floor.seats.get(&agent).filter(|seat| seat.leg.is_none()) else { return false };
        let endpoint = seat.endpoint;
        let auto_answer = seat.holding == Holding::NailedUp || call.is_none();
        let trunk = match endpoint {
            Endpoint::Phone => None,
            Endpoint::Telephone(number) => match self.trunk_for(number) {
                Some(trunk) => Some(trunk),
                None => return false,
            },
        };
        let shown = call.and_then(|call| self.calls.get(&call)).filter(|call| !call.withheld);
        let shown = shown.map(|call| call.number);
        let leg = self.new_leg(LegKind::Agent, agent, call, trunk, ring);
        if let Some(seat) = self.seat(agent) {
            seat.leg = Some(leg);
        }
        self.outputs.push_back(Output::CallAgent { leg, agent, endpoint, trunk, auto_answer, shown, ring });
        true
    }

    /// Rings a consulted party outside.
    pub(super) fn ring_consulted_party(
        &mut self,
        agent: AgentId,
        call: CallId,
        number: PhoneNumber,
    ) -> Option<CallId> {
        let trunk = self.trunk_for(number)?;
        let calling = self.calls.get(&call)?;
        let caller_id = calling.caller_id.as_ref().map(|caller_id| caller_id.number);
        let ring = self.campaigns.get(&calling.campaign).map_or(SHIFT_RING, |run| run.rules.ring);
        let leg = self.new_leg(LegKind::Consulted, agent, Some(call), Some(trunk), ring);
        if let Some(made) = self.floor.legs.get_mut(&leg) {
            made.number = Some(number);
        }
        self.outputs.push_back(Output::CallConsulted { leg, trunk, number, caller_id, ring });
        Some(leg)
    }

    /// Whether the agent's phone can be rung at this moment: an ordinary telephone needs a free line and a
    /// slot in the trunk's calls per second.
    pub(super) fn can_be_rung(&self, seat: &super::Seat) -> bool {
        match seat.endpoint {
            Endpoint::Telephone(number) if seat.leg.is_none() => self.trunk_for(number).is_some(),
            Endpoint::Telephone(_) | Endpoint::Phone => true,
        }
    }

    /// Sets a wake for every trunk whose next start is a little later.
    pub(super) fn wake_for_telephones(&mut self) {
        for (id, line) in &self.trunks {
            let at = match line.ready(self.now) {
                Ready::Rate(at) => at,
                Ready::Now => line.next_invite(self.now),
                Ready::Full | Ready::Down(_) => continue,
            };
            if at > self.now {
                self.wakes.set_sooner(Wake::Trunk(*id), at);
            }
        }
    }

    /// The trunk for a leg that belongs to no campaign: one that may carry the number for an open campaign; where
    /// none is open, for a list of China.
    fn trunk_for(&self, number: PhoneNumber) -> Option<TrunkId> {
        let homes: Vec<&HomeCountry> = self.campaigns.values().map(|run| &run.rules.home).collect();
        let carries = |line: &&TrunkLine| match homes.is_empty() {
            true => line.trunk.carries(number, &HomeCountry::china()),
            false => homes.iter().any(|home| line.trunk.carries(number, home)),
        };
        let mut lines = self.trunks.values().filter(carries);
        let free =
            |line: &&TrunkLine| line.ready(self.now) == Ready::Now && line.next_invite(self.now) <= self.now;
        lines.find(free).map(|line| line.trunk.id)
    }

    fn new_leg(
        &mut self,
        kind: LegKind,
        agent: AgentId,
        call: Option<CallId>,
        trunk: Option<TrunkId>,
        ring: Duration,
    ) -> CallId {
        self.floor.legs_made += 1;
        let leg = CallId::side_leg(self.floor.legs_made);
        if let Some(line) = trunk.and_then(|trunk| self.trunks.get_mut(&trunk)) {
            line.open(self.now);
            line.reserve_invite(self.now);
        }
        let began_at = self.wall.utc(self.now);
        let side = SideLeg {
            kind,
            agent,
            number: None,
            trunk,
            up: false,
            responded: false,
            probing: false,
            silent: false,
            restarted: false,
            lost: None,
            began_at,
            answered_at: None,
            call,
            ending: false,
        };
        self.floor.legs.insert(leg, side);
        self.wakes.set(Wake::LegLost(leg), self.now + ring + LOST_MARGIN);
        leg
    }

    /// Releases a leg: it is detached from its seat at once; its BYE may still be in flight.
    pub(super) fn hang_up_leg(&mut self, leg: CallId) {
        let Some(side) = self.floor.legs.get_mut(&leg).filter(|side| !side.ending) else { return };
        side.ending = true;
        let (agent, own) = (side.agent, side.kind == LegKind::Agent);
        if own && let Some(seat) = self.seat(agent).filter(|seat| seat.leg == Some(leg)) {
            seat.leg = None;
        }
        self.wakes.set(Wake::LegLost(leg), self.now + LOST_MARGIN);
        self.outputs.push_back(Output::HangUp { call: leg, cause: HangUpCause::Finished });
    }

    /// Releases an agent's leg from a call: a per-call leg is hung up, a nailed-up one leaves the mix.
    pub(super) fn release_leg(&mut self, agent: AgentId) {
        let Some(seat) = self.floor.seats.get(&agent) else { return };
        let Some(leg) = seat.leg else { return };
        match seat.holding {
            Holding::PerCall => self.hang_up_leg(leg),
            Holding::NailedUp => {
                self.outputs.push_back(Output::StopPlaying { leg });
                self.outputs.push_back(Output::Leave { leg });
            }
        }
    }

    pub(in crate::dialer) fn leg_progressed(&mut self, leg: CallId, progress: Progress) {
        let utc = self.wall.utc(self.now);
        match progress {
            Progress::Sent => {}
            Progress::Trying | Progress::Ringing => {
                if let Some(side) = self.floor.legs.get_mut(&leg) {
                    side.responded = true;
                }
            }
            Progress::Answered => {
                let Some(side) = self.floor.legs.get_mut(&leg).filter(|side| !side.up) else { return };
                side.up = true;
                side.answered_at = Some(utc);
                let (agent, kind, ending) = (side.agent, side.kind, side.ending);
                // An answer that crossed our hang-up: the end is still to come.
                if !ending {
                    self.wakes.clear(Wake::LegLost(leg));
                }
                self.outputs.push_back(Output::Acknowledge { call: leg });
                match kind {
                    _ if ending => {}
                    LegKind::Agent => self.agent_leg_up(agent, leg),
                    LegKind::Consulted | LegKind::Inbound => self.consulted_party_up(leg),
                }
            }
            Progress::Ended(ended) => self.leg_ended(leg, &ended),
        }
    }

    fn agent_leg_up(&mut self, agent: AgentId, leg: CallId) {
        let now = self.now;
        let Some(seat) = self.seat(agent).filter(|seat| seat.leg == Some(leg)) else { return };
        seat.misses = 0;
        seat.leg_failures = 0;
        seat.idle_since = now;
        self.wakes.clear(Wake::LegMissing(agent));
        match self.floor.seats.get(&agent).and_then(|seat| seat.job.clone()) {
            Some(Job::AgentFirst { .. }) => self.dial_after_agent(agent),
            Some(Job::Call { call }) => self.agent_reached(agent, call),
            Some(Job::Consulted { call }) => self.consulted_agent_reached(agent, call),
            Some(Job::Preview { .. } | Job::Fetching { .. } | Job::WrapUp(_)) | None => {}
        }
        self.supervisor_reached(agent);
    }

    pub(in crate::dialer) fn leg_lost(&mut self, leg: CallId) {
        if self.floor.legs.get(&leg).is_some_and(|side| !side.ending) {
            self.outputs.push_back(Output::HangUp { call: leg, cause: HangUpCause::MediaLost });
        }
        let ended = Ended {
            outcome: crate::outcome::Outcome::AgentFailed,
            by: EndedBy::Dialer,
            sip_code: None,
            cause: "no end of the leg was reported".into(),
            retry_after: None,
            try_next_trunk: false,
        };
        self.leg_ended(leg, &ended);
    }

    fn leg_ended(&mut self, leg: CallId, ended: &Ended) {
        let utc = self.wall.utc(self.now);
        let Some(side) = self.floor.legs.remove(&leg) else { return };
        self.wakes.clear(Wake::LegLost(leg));
        self.wakes.clear(Wake::LegProbe(leg));
        if let Some(line) = side.trunk.and_then(|trunk| self.trunks.get_mut(&trunk)) {
            line.close(leg);
        }
        let of = side.call.and_then(|call| self.calls.get(&call));
        self.outputs.push_back(Output::SaveLeg(Box::new(LegRecord {
            leg,
            kind: side.kind,
            agent: Some(side.agent),
            number: side.number,
            campaign: of.map(|call| call.campaign),
            lead: of.and_then(|call| call.leased.as_ref()).map(|leased| leased.lead.id),
            attempt: of.filter(|call| !call.inbound).map(|call| call.attempt),
            began_at: side.began_at,
            answered_at: side.answered_at,
            connected_at: None,
            ended_at: utc,
            ended_by: if side.ending { EndedBy::Dialer } else { agent_or(ended.by) },
            cause: side.lost.clone().unwrap_or_else(|| ended.cause.clone()),
        })));
        match side.kind {
            LegKind::Agent => self.agent_leg_ended(side.agent, leg, side.up, ended),
            LegKind::Consulted | LegKind::Inbound => self.consulted_party_ended(leg),
        }
    }

    /// An agent's leg ended: the agent hung up, did not answer, or the network failed.
    fn agent_leg_ended(&mut self, agent: AgentId, leg: CallId, was_up: bool, ended: &Ended) {
        // A released leg is detached from its seat already.
        let Some(seat) = self.seat(agent).filter(|seat| seat.leg == Some(leg)) else {
            return self.raise_leg(agent);
        };
        seat.leg = None;
        if !was_up {
            seat.leg_failures += 1;
        }
        // A registered phone reports `Agent`, an ordinary telephone `Callee`.
        let hung_up = was_up && matches!(ended.by, EndedBy::Agent | EndedBy::Callee);
        self.after_leg_loss(agent, hung_up);
    }

    /// The agent has no leg any more: frees the call or the work that needed it, and raises the leg again.
    pub(super) fn after_leg_loss(&mut self, agent: AgentId, hung_up: bool) {
        let Some(seat) = self.floor.seats.get(&agent) else { return };
        match seat.job.clone() {
            Some(Job::Call { call }) => self.agent_lost(agent, call, hung_up),
            Some(Job::Consulted { call }) => self.consulted_agent_gone(agent, call),
            Some(Job::AgentFirst { .. }) => {
                self.note_miss(agent);
                self.return_lead(agent);
            }
            Some(Job::Preview { .. } | Job::Fetching { .. } | Job::WrapUp(_)) | None => {}
        }
        self.stop_supervising(agent);
        self.raise_leg(agent);
    }

    /// Counts a missed call. `MISSES_MAX` in a row pause the agent, so that no callee waits for that phone.
    pub(super) fn note_miss(&mut self, agent: AgentId) {
        let Some(seat) = self.seat(agent) else { return };
        seat.misses += 1;
        if seat.misses >= MISSES_MAX && seat.availability == Availability::Available {
            seat.misses = 0;
            seat.availability = Availability::Paused { reason: "phone_not_answered".into() };
        }
    }

    /// Ensures that a nailed-up leg is up or ringing, or that a wake will try again.
    pub(super) fn raise_leg(&mut self, agent: AgentId) {
        let Some(seat) = self.floor.seats.get(&agent) else { return };
        let wanted = seat.is_signed_in() && seat.holding == Holding::NailedUp && seat.leg.is_none();
        // A stopping service sends no INVITE any more.
        if !wanted || !seat.is_reachable() || self.floor.closed {
            self.wakes.clear(Wake::RaiseLeg(agent));
            return;
        }
        let failures = seat.leg_failures as usize;
        if failures == 0 {
            if self.ring_agent(agent, None, SHIFT_RING) {
                return;
            }
            if let Some(seat) = self.seat(agent) {
                seat.leg_failures = 1;
            }
        }
        let wait = RAISE_DELAYS[failures.saturating_sub(1).min(RAISE_DELAYS.len() - 1)];
        let at: Time = self.now + Duration::from_secs(wait);
        self.wakes.set_sooner(Wake::RaiseLeg(agent), at);
    }

    pub(in crate::dialer) fn raise_leg_again(&mut self, agent: AgentId) {
        let Some(seat) = self.floor.seats.get(&agent) else { return };
        let wanted = seat.is_signed_in() && seat.holding == Holding::NailedUp && seat.leg.is_none();
        if wanted && seat.is_reachable() && !self.ring_agent(agent, None, SHIFT_RING) {
            if let Some(seat) = self.seat(agent) {
                seat.leg_failures += 1;
            }
            self.raise_leg(agent);
        }
    }

    /// Makes the agent idle, then signs out or raises the leg where that was waiting.
    pub(super) fn set_idle(&mut self, agent: AgentId) {
        let Some(seat) = self.seat(agent) else { return };
        seat.job = None;
        seat.muted = false;
        let leaving = seat.leaving;
        self.set_activity(agent, Activity::Idle);
        if leaving {
            self.sign_out(agent);
        } else {
            self.raise_leg(agent);
        }
    }
}

/// On an agent's leg the far side is the agent, not a callee.
fn agent_or(by: EndedBy) -> EndedBy {
    if by == EndedBy::Callee { EndedBy::Agent } else { by }
}
