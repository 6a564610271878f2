//! Bridging: from an answered callee to a conversation with an agent (queue, offer, bridge, abandoned
//! call), and the end of the conversation.

use super::{Job, WrapUpJob};
use crate::agent::{Activity, Availability, Holding, Strategy};
use crate::call::HangUpCause;
use crate::campaign::{AgentRules, Recorded};
use crate::dialer::live_call::{Phase, Talk};
use crate::dialer::output::SoundName;
use crate::dialer::wake::Wake;
use crate::dialer::{Dialer, Output};
use crate::ids::{AgentId, CallId, MixId};
use crate::media::Voice;
use crate::pacing::predictive::Event;
use crate::time::{Duration, Time};

/// The longest conversation; a call that is still up then is hung up.
const TALK_MAX: Duration = Duration::from_secs(6 * 3600);

/// How long an agent's phone may take to respond to the INVITE at all: half of the callee's wait, within
/// these. A phone that is gone must not use up the wait, so the next agent is tried.
const PHONE_RESPONDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(4));

/// The longest sorry message.
const SORRY_MAX: Duration = Duration::from_secs(30);

impl Dialer {
    /// The mix in which a call's parties hear each other.
    pub(super) fn mix(call: CallId) -> MixId {
        MixId(call.0)
    }

    /// The mix of an agent and the consulted party, beside the call's own mix.
    pub(super) fn consult_mix(call: CallId) -> MixId {
        MixId(call.0 | 1 << 61)
    }

    pub(super) fn agent_rules(&self, call: CallId) -> Option<&AgentRules> {
        let call = self.calls.get(&call)?;
        self.campaigns.get(&call.campaign)?.agent_rules()
    }

    /// Queues an answered callee for an agent. `queued` = the callee asked for an agent and waits longer.
    pub(in crate::dialer) fn queue_for_agents(&mut self, id: CallId, queued: bool) {
        let now = self.now;
        let Some(wait) = self.agent_rules(id).map(|rules| rules.wait) else {
            return self.hang_up(id, HangUpCause::Finished);
        };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let patience =
            self.campaigns.get(&call.campaign).map_or(Duration::ZERO, |run| run.rules.pacing.answer_wait);
        let since = if queued { now } else { call.answered.unwrap_or(now) };
        call.phase = Phase::Waiting;
        call.queued = queued;
        call.waiting_since = Some(since);
        self.floor.queue.insert((since, id));
        let until = since + if queued { wait } else { patience };
        self.wakes.set(Wake::Abandon(id), until.max(now));
        self.wakes.set(Wake::CallLost(id), now + TALK_MAX);
        if queued {
            self.outputs.push_back(Output::Play { leg: id, sound: SoundName::HoldMusic });
        }
        // An agent reserved for this callee (callback owner, agent first) gets the offer; the search is
        // skipped.
        let kept = self.calls.get(&id).and_then(|call| call.for_agent);
        if let Some(agent) = kept.filter(|agent| self.call_of(*agent) == Some(id)) {
            self.offer(id, agent);
        }
    }

    /// Offers every waiting callee to a free agent, the longest wait first.
    pub(in crate::dialer) fn offer_waiting_calls(&mut self) {
        if self.floor.queue.is_empty() {
            return;
        }
        let waiting: Vec<CallId> = self.floor.queue.iter().map(|(_, call)| *call).collect();
        for id in waiting {
            while let Some((wanted, strategy)) = self.wanted(id) {
                let Some(agent) = self.choose(&wanted, strategy) else { break };
                self.offer(id, agent);
                // Ring-all goes on with the next agent until one is bridged.
                let waits = self.calls.get(&id).is_some_and(|call| call.phase == Phase::Waiting);
                if strategy != Strategy::RingAll || !waits {
                    break;
                }
            }
        }
    }

    /// Offers a call to an agent: bridges it at once when the agent's leg is up, else rings the agent's
    /// phone.
    fn offer(&mut self, id: CallId, agent: AgentId) {
        let Some(ring) = self.agent_rules(id).map(|rules| rules.ring) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.offered.insert(agent);
        if let Some(since) = call.waiting_since {
            self.floor.queue.remove(&(since, id));
        }
        if let Some(group) = self.agent_rules(id).map(|rules| rules.group) {
            self.floor.last_served.insert(group, agent);
        }
        let Some(seat) = self.seat(agent) else { return };
        seat.job = Some(Job::Call { call: id });
        // The agent's leg may be up already: nailed up, or from an agent-first call.
        let nailed = seat.holding == Holding::NailedUp;
        if nailed || self.floor.seats.get(&agent).is_some_and(|seat| self.floor.leg_up(seat)) {
            return self.connect(id, agent);
        }
        self.set_activity(agent, Activity::Ringing);
        if !self.ring_agent(agent, Some(id), ring) {
            return self.agent_lost(agent, id, false);
        }
        let patience = self.patience(id).unwrap_or(PHONE_RESPONDS.1 * 2);
        let responds = (patience / 2).clamp(PHONE_RESPONDS.0, PHONE_RESPONDS.1);
        self.wakes.set_sooner(Wake::PhoneSilent(id), self.now + responds);
        self.outputs.push_back(Output::Play { leg: id, sound: SoundName::RingBack });
    }

    /// How long the callee may wait for an agent after the answer; `None` = the callee asked for an agent.
    fn patience(&self, id: CallId) -> Option<Duration> {
        let call = self.calls.get(&id).filter(|call| !call.queued)?;
        self.campaigns.get(&call.campaign).map(|run| run.rules.pacing.answer_wait)
    }

    /// Agents to whom this callee is offered and whose phones have not responded to the INVITE.
    fn silent_phones(&self, id: CallId) -> Vec<AgentId> {
        let Some(call) = self.calls.get(&id) else { return Vec::new() };
        let silent = |agent: &AgentId| {
            let leg = self.floor.seats.get(agent).and_then(|seat| seat.leg);
            leg.and_then(|leg| self.floor.legs.get(&leg)).is_some_and(|leg| !leg.up && !leg.responded)
        };
        call.offered.iter().copied().filter(silent).collect()
    }

    /// Whether an agent's phone has failed this waiting callee.
    pub(in crate::dialer) fn has_phone_failed(&self, id: CallId) -> bool {
        self.calls.get(&id).is_some_and(|call| call.phone_failed) || !self.silent_phones(id).is_empty()
    }

    /// Takes the offer back from phones that have not responded; the next agent is tried.
    pub(in crate::dialer) fn drop_silent_phones(&mut self, id: CallId) {
        for agent in self.silent_phones(id) {
            self.release_leg(agent);
            self.agent_lost(agent, id, false);
        }
    }

    /// Takes the offer back from every phone, since the callee's wait is over. A phone that rings has missed nothing:
    /// the agent had less than the ring time. A phone that has not responded at all has failed.
    fn drop_offers(&mut self, id: CallId) {
        let silent = self.silent_phones(id);
        let offered = self.calls.get_mut(&id).map(|call| std::mem::take(&mut call.offered));
        for agent in offered.unwrap_or_default() {
            self.release_leg(agent);
            if silent.contains(&agent) {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.not_reached.insert(agent);
                    call.phone_failed = true;
                }
                self.note_miss(agent);
            }
            self.after_missed_ring(agent, id);
        }
    }

    /// The agent's leg came up while a call is assigned to the agent.
    pub(super) fn agent_reached(&mut self, agent: AgentId, id: CallId) {
        match self.calls.get(&id).map(|call| call.phase) {
            Some(Phase::Waiting) => self.connect(id, agent),
            // The agent changed phones during the call.
            Some(Phase::Talking) => self.rejoin_after_phone_change(id, agent),
            _ => {}
        }
    }

    /// Bridges callee and agent.
    pub(super) fn connect(&mut self, id: CallId, agent: AgentId) {
        let (now, utc) = (self.now, self.wall.utc(self.now));
        let Some(leg) = self.floor.seats.get(&agent).and_then(|seat| seat.leg) else {
            return self.agent_lost(agent, id, false);
        };
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.phase = Phase::Talking;
        call.talk = Some(Talk { agent: Some(agent), since: now, held: false, consult: None });
        let first = call.spoke.is_none();
        call.spoke = Some((agent, call.spoke.map_or(utc, |(_, at)| at)));
        call.summary_asked = false;
        let answered_at = call.answered_at.filter(|_| first && !call.inbound);
        call.not_reached.clear();
        let others: Vec<AgentId> = call.offered.iter().copied().filter(|other| *other != agent).collect();
        call.offered.clear();
        let (campaign, inbound) = (call.campaign, call.inbound);
        if let Some(since) = call.waiting_since.take() {
            self.floor.queue.remove(&(since, id));
        }
        for other in others {
            self.withdraw(other);
        }
        self.wakes.clear(Wake::Abandon(id));
        self.wakes.clear(Wake::PhoneSilent(id));
        self.wakes.set(Wake::CallLost(id), now + TALK_MAX);
        self.set_activity(agent, Activity::Talking);
        let Some(seat) = self.seat(agent) else { return };
        seat.answered += 1;
        seat.misses = 0;
        seat.muted = false;
        let number = seat.agent.number.clone();
        let recorded = seat.agent.recorded;
        self.outputs.push_back(Output::StopPlaying { leg: id });
        self.outputs.push_back(Output::StopPlaying { leg });
        self.outputs.push_back(Output::Join { leg: id, mix: Self::mix(id), voice: Voice::Everyone });
        self.outputs.push_back(Output::Join { leg, mix: Self::mix(id), voice: Voice::Everyone });
        let Some(rules) = self.agent_rules(id) else { return };
        let announce = rules.announce_number
            && self.floor.groups.get(&rules.group).is_none_or(|group| group.announce_number);
        let record = match rules.recorded {
            Recorded::All => true,
            Recorded::PerAgent => recorded,
            Recorded::OnDemand | Recorded::Never => false,
        };
        if announce && !inbound {
            self.outputs.push_back(Output::Play { leg: id, sound: SoundName::AgentNumber(number) });
        }
        if let (Some(run), Some(at)) = (self.campaigns.get_mut(&campaign), answered_at) {
            run.ledger.connected(at, utc);
        }
        self.feed_pacer(id, |call| Event::Connected { call, agent });
        if record {
            self.record(id, true);
        }
    }

    pub(super) fn record(&mut self, id: CallId, on: bool) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.recording != on) else { return };
        call.recording = on;
        let agent = call.talk.as_ref().and_then(|talk| talk.agent);
        let campaign = call.campaign;
        self.outputs.push_back(Output::Record { call: id, campaign, agent, on });
        self.mark_parties_changed(id);
    }

    /// BusySet the seats of everyone in this call as changed.
    pub(super) fn mark_parties_changed(&mut self, id: CallId) {
        let of = |seat: &super::Seat| matches!(&seat.job, Some(Job::Call { call } | Job::Consulted { call }) if *call == id);
        let agents: Vec<AgentId> =
            self.floor.seats.values().filter(|seat| of(seat)).map(|seat| seat.agent.id).collect();
        self.floor.changed.extend(agents);
    }

    /// Withdraws an offer: another agent was faster, or the callee is gone.
    fn withdraw(&mut self, agent: AgentId) {
        self.release_leg(agent);
        self.set_idle(agent);
    }

    /// The agent of this call was not reached, or their leg ended during the call.
    pub(super) fn agent_lost(&mut self, agent: AgentId, id: CallId, hung_up: bool) {
        let Some(call) = self.calls.get_mut(&id) else { return self.set_idle(agent) };
        match call.phase {
            Phase::Waiting => {
                call.offered.remove(&agent);
                call.not_reached.insert(agent);
                call.phone_failed = true;
                self.note_miss(agent);
                self.after_missed_ring(agent, id);
                self.requeue(id);
            }
            Phase::Talking => {
                let hers = call.talk.as_ref().is_some_and(|talk| talk.agent == Some(agent));
                if !hers {
                    return self.set_idle(agent);
                }
                if hung_up {
                    return self.hang_up(id, HangUpCause::AgentHungUp);
                }
                self.requeue_without_agent(id, agent);
            }
            // The call was placed for this agent, who cannot take it: an agent-first call is cancelled, any
            // other goes to the next free agent.
            Phase::Opening | Phase::Opened | Phase::Placed | Phase::Ringing | Phase::Answered => {
                let only = call.for_agent == Some(agent);
                if only && call.agent_first {
                    self.hang_up(id, HangUpCause::AgentFailed);
                } else if let Some(call) = self.calls.get_mut(&id).filter(|_| only) {
                    call.for_agent = None;
                }
                self.set_idle(agent);
            }
            Phase::Announcing | Phase::Sorry | Phase::Ended => self.set_idle(agent),
        }
    }

    /// The agent's leg broke during the call: the callee is queued for another agent.
    fn requeue_without_agent(&mut self, id: CallId, agent: AgentId) {
        self.end_consult(id);
        let since = self.calls.get(&id).and_then(|call| call.talk.as_ref()).map(|talk| talk.since);
        self.count_talk(agent, since);
        if let Some(call) = self.calls.get_mut(&id) {
            call.talk = None;
            call.recording = false;
        }
        self.leave_supervisors(id);
        self.outputs.push_back(Output::Leave { leg: id });
        self.set_idle(agent);
        self.queue_for_agents(id, true);
    }

    /// An offer failed: the callee returns to the queue at the same place.
    fn requeue(&mut self, id: CallId) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.offered.is_empty()) else { return };
        let since = *call.waiting_since.get_or_insert(now);
        let wait_expired = call.wait_expired;
        self.floor.queue.insert((since, id));
        self.offer_waiting_calls();
        let unserved =
            self.calls.get(&id).is_some_and(|call| call.phase == Phase::Waiting && call.offered.is_empty());
        if wait_expired && unserved {
            self.play_sorry(id);
        }
    }

    /// The callee's wait is over, whatever agents' phones do. A callee who asked for an agent hears music meanwhile
    /// and gets the rest of a ring that has begun.
    pub(in crate::dialer) fn wait_expired(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.phase == Phase::Waiting) else { return };
        call.wait_expired = true;
        if call.queued && !call.offered.is_empty() {
            return;
        }
        self.drop_offers(id);
        self.play_sorry(id);
    }

    /// No agent came: plays the sorry message and ends the call.
    fn play_sorry(&mut self, id: CallId) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.phase = Phase::Sorry;
        call.abandoned = !call.queued && !call.inbound && call.spoke.is_none();
        let (campaign, abandoned) = (call.campaign, call.answered_at.filter(|_| call.abandoned));
        if let Some(since) = call.waiting_since.take() {
            self.floor.queue.remove(&(since, id));
        }
        if let (Some(at), Some(run)) = (abandoned, self.campaigns.get_mut(&campaign)) {
            run.ledger.abandoned(at);
            self.feed_pacer(id, |call| Event::Abandoned { call });
        }
        self.wakes.clear(Wake::Abandon(id));
        self.wakes.clear(Wake::PhoneSilent(id));
        self.wakes.set(Wake::CallOver(id), now + SORRY_MAX);
        self.wakes.set(Wake::CallLost(id), now + SORRY_MAX + Duration::from_secs(75));
        self.outputs.push_back(Output::Play { leg: id, sound: SoundName::Sorry(campaign) });
    }

    /// The callee's leg is over: frees its agent, offered agents, consulted party and supervisors.
    pub(in crate::dialer) fn end_conversation(&mut self, id: CallId) {
        self.wakes.clear(Wake::Abandon(id));
        self.wakes.clear(Wake::PhoneSilent(id));
        self.end_consult(id);
        self.leave_supervisors(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(since) = call.waiting_since.take() {
            self.floor.queue.remove(&(since, id));
        }
        let talk = call.talk.take();
        call.recording = false;
        let offered = std::mem::take(&mut call.offered);
        for agent in offered {
            let any_ring =
                self.agent_rules(id).is_some_and(|rules| rules.wrap_up == crate::agent::WrapUp::AnyRing);
            self.release_leg(agent);
            if any_ring { self.begin_wrap_up(agent, id) } else { self.set_idle(agent) }
        }
        if let Some(talk) = talk {
            if let Some(agent) = talk.agent {
                self.count_talk(agent, Some(talk.since));
                self.release_leg(agent);
                self.begin_wrap_up(agent, id);
            }
            return;
        }
        self.save_last_summary(id);
        // Reserved for one agent and never answered. An attempt that was not opened rang nowhere and has no
        // row, so it brings no wrap-up.
        let kept = self.calls.get(&id).and_then(|call| call.for_agent);
        if let Some(agent) = kept.filter(|agent| self.call_of(*agent) == Some(id)) {
            let opened = self.calls.get(&id).is_some_and(|call| call.phase != Phase::Opening);
            let any_ring = opened
                && self.agent_rules(id).is_some_and(|rules| rules.wrap_up == crate::agent::WrapUp::AnyRing);
            self.release_leg(agent);
            if any_ring { self.begin_wrap_up(agent, id) } else { self.set_idle(agent) }
        }
    }

    /// The agent was rung and not reached: wrap-up follows only where the campaign wants it after every
    /// ring.
    fn after_missed_ring(&mut self, agent: AgentId, id: CallId) {
        let any_ring =
            self.agent_rules(id).is_some_and(|rules| rules.wrap_up == crate::agent::WrapUp::AnyRing);
        let paused = self
            .floor
            .seats
            .get(&agent)
            .is_some_and(|seat| matches!(seat.availability, Availability::Paused { .. }));
        if any_ring && !paused { self.begin_wrap_up(agent, id) } else { self.set_idle(agent) }
    }

    pub(super) fn count_talk(&mut self, agent: AgentId, since: Option<Time>) {
        let now = self.now;
        if let (Some(seat), Some(since)) = (self.seat(agent), since) {
            seat.talked += now.since(since);
        }
    }

    /// Reserves the agent for a call, so that no other call is offered.
    pub(in crate::dialer) fn reserve_agent(&mut self, agent: AgentId, id: CallId) {
        if let Some(seat) = self.seat(agent) {
            seat.job = Some(Job::Call { call: id });
        }
        self.set_activity(agent, Activity::Reserved);
    }

    /// The wrap-up job for this call as it stands now.
    pub(super) fn wrap_up_job(&self, id: CallId) -> Option<WrapUpJob> {
        let call = self.calls.get(&id)?;
        Some(WrapUpJob {
            call: id,
            inbound: call.inbound,
            campaign: call.campaign,
            lead: call.leased.as_ref().map(|leased| leased.lead.clone()),
            number: Some(call.number).filter(|_| !call.withheld),
            answered_at: call.answered_at,
            connected_at: call.spoke.map(|(_, at)| at),
            decides: call.answered_at.is_none(),
            until: None,
        })
    }
}
