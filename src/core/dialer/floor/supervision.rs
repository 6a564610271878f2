//! Supervision: the shift lead takes_events, whispers, barges in or takes over, and forces an agent's state.

use super::Job;
use crate::agent::{Activity, Availability, Force, Holding, Refusal, Supervision};
use crate::call::HangUpCause;
use crate::dialer::{Dialer, Output};
use crate::ids::{AgentId, CallId};
use crate::media::Voice;
use crate::time::Duration;

/// How long a shift lead's own phone rings.
const RING: Duration = Duration::from_secs(20);

impl Dialer {
    pub(super) fn supervise(
        &mut self,
        lead: AgentId,
        agent: AgentId,
        how: Supervision,
    ) -> Result<(), Refusal> {
        let seat = self.floor.seats.get(&lead).ok_or(Refusal::UnknownAgent)?;
        if !seat.agent.leads || lead == agent {
            return Err(Refusal::NotAllowed);
        }
        if !seat.is_signed_in() {
            return Err(Refusal::NotSignedIn);
        }
        let already = seat.supervising.is_some_and(|(of, _)| of == agent);
        if !already && !seat.is_free() {
            return Err(Refusal::Busy);
        }
        let id = self.talking(agent)?;
        if self
            .floor
            .seats
            .get(&lead)
            .is_some_and(|seat| seat.holding == Holding::NailedUp && !self.floor.leg_up(seat))
        {
            return Err(Refusal::PhoneNotReady);
        }
        if let Some(seat) = self.seat(lead) {
            seat.supervising = Some((agent, how));
        }
        self.set_activity(lead, Activity::Consulting);
        let up = self.floor.seats.get(&lead).is_some_and(|seat| self.floor.leg_up(seat));
        if up {
            self.supervisor_reached(lead);
        } else if self.floor.seats.get(&lead).is_some_and(|seat| seat.leg.is_none())
            && !self.ring_agent(lead, Some(id), RING)
        {
            self.stop_supervising(lead);
            return Err(Refusal::PhoneNotReady);
        }
        self.mark_parties_changed(id);
        Ok(())
    }

    /// The shift lead's leg is up: bridges it into the conversation with the chosen voice.
    pub(super) fn supervisor_reached(&mut self, lead: AgentId) {
        let Some(seat) = self.floor.seats.get(&lead) else { return };
        let (Some((agent, how)), Some(leg)) = (seat.supervising, seat.leg) else { return };
        let Ok(id) = self.talking(agent) else { return self.stop_supervising(lead) };
        let whispered = self.floor.seats.get(&agent).and_then(|seat| seat.leg);
        let voice = match (how, whispered) {
            (Supervision::Listen, _) | (Supervision::Whisper, None) => Voice::Nobody,
            (Supervision::Whisper, Some(leg)) => Voice::Only(leg),
            (Supervision::Barge, _) => Voice::Everyone,
            (Supervision::TakeOver, _) => return self.take_over(lead, agent, id),
        };
        self.outputs.push_back(Output::Join { leg, mix: Self::mix(id), voice });
    }

    fn take_over(&mut self, lead: AgentId, agent: AgentId, id: CallId) {
        if let Some(seat) = self.seat(lead) {
            seat.supervising = None;
        }
        self.end_consult(id);
        self.hand_over(id, agent, lead);
    }

    pub(super) fn stop_supervising(&mut self, lead: AgentId) {
        let Some(seat) = self.seat(lead).filter(|seat| seat.supervising.is_some()) else { return };
        let of = seat.supervising.take();
        self.release_leg(lead);
        self.set_idle(lead);
        if let Some(id) = of.and_then(|(agent, _)| self.call_of(agent)) {
            self.mark_parties_changed(id);
        }
    }

    /// The conversation is over or has another agent: ends all supervision of it.
    pub(super) fn leave_supervisors(&mut self, id: CallId) {
        let of = |seat: &super::Seat| {
            seat.supervising.is_some_and(|(agent, _)| {
                self.floor
                    .seats
                    .get(&agent)
                    .is_some_and(|seat| matches!(seat.job, Some(Job::Call { call }) if call == id))
            })
        };
        let leads: Vec<AgentId> =
            self.floor.seats.values().filter(|seat| of(seat)).map(|seat| seat.agent.id).collect();
        for lead in leads {
            self.stop_supervising(lead);
        }
    }

    /// Forces an agent's state. Sign-out is refused during a conversation.
    pub(super) fn force(&mut self, lead: AgentId, agent: AgentId, what: Force) -> Result<(), Refusal> {
        let may = self.floor.seats.get(&lead).is_some_and(|seat| seat.agent.leads);
        if !may {
            return Err(Refusal::NotAllowed);
        }
        let seat = self.floor.seats.get(&agent).ok_or(Refusal::UnknownAgent)?;
        if !seat.is_signed_in() {
            return Err(Refusal::NotSignedIn);
        }
        match what {
            Force::Release => {
                let id = self.call_of(agent).ok_or(Refusal::NoCall)?;
                self.hang_up(id, HangUpCause::Stopped);
                Ok(())
            }
            Force::Pause { reason } => self.pause(agent, reason),
            Force::Ready => {
                if matches!(seat.job, Some(Job::WrapUp(_))) {
                    self.end_wrap_up(agent);
                }
                self.ready(agent)
            }
            Force::SignOut => {
                let busy =
                    matches!(seat.activity, Activity::Talking | Activity::Consulting | Activity::Ringing);
                if busy {
                    return Err(Refusal::Busy);
                }
                self.request_sign_out(agent)
            }
        }
    }

    pub(super) fn pause(&mut self, agent: AgentId, reason: String) -> Result<(), Refusal> {
        let reason: String = reason.trim().chars().take(100).collect();
        if reason.is_empty() {
            return Err(Refusal::ReasonMissing);
        }
        let seat = self.seat(agent).ok_or(Refusal::UnknownAgent)?;
        seat.availability = Availability::Paused { reason };
        if matches!(seat.job, Some(Job::Preview { .. })) {
            self.return_lead(agent);
        }
        Ok(())
    }

    pub(super) fn ready(&mut self, agent: AgentId) -> Result<(), Refusal> {
        let now = self.now;
        let seat = self.seat(agent).ok_or(Refusal::UnknownAgent)?;
        if seat.availability != Availability::Available {
            seat.availability = Availability::Available;
            seat.idle_since = now;
            seat.leaving = false;
            seat.leg_failures = 0;
        }
        self.raise_leg(agent);
        Ok(())
    }
}
