//! State of one live call: stage, times, agent, talk and consult.

use super::output::LeadUpdate;
use super::seen::Shown;
use crate::agent::CallSummary;
use crate::call::{Digit, HangUpCause, KeyWay};
use crate::campaign::lease::LeasedLead;
use crate::campaign::window;
use crate::campaign::{CallerId, Disposition};
use crate::ids::{AgentId, AttemptId, CallId, CampaignId, TrunkId};
use crate::number::PhoneNumber;
use crate::pacing::predictive::Part;
use crate::time::{Time, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Keys kept per call: an automaton at the far end must not fill the store.
const KEYS_MAX: usize = 64;

/// One live call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Call {
    pub attempt: AttemptId,
    pub campaign: CampaignId,
    /// The part of the list whose statistics count this call.
    pub part: Part,
    /// `None` = a single-number test.
    pub leased: Option<LeasedLead>,
    pub number: PhoneNumber,
    pub trunk: TrunkId,
    pub caller_id: Option<CallerId>,
    pub phase: Phase,
    pub opened: Time,
    pub placed_at: Utc,
    /// Its INVITE may leave before this moment.
    pub open_until: Utc,
    pub ringing_at: Option<Utc>,
    pub answered_at: Option<Utc>,
    pub keys: Vec<Digit>,
    /// How each of `keys` came.
    pub key_ways: Vec<KeyWay>,
    pub repeats: u32,
    /// While the announcement waits: since when, and when the call would have been over.
    pub play_held: Option<(Time, Time)>,
    pub result: Option<String>,
    /// Set once we asked the network to end the call.
    pub hanging_up: Option<HangUpCause>,
    /// The number was blacklisted while the call was live.
    pub blacklisted: bool,
    /// After the end: try the next trunk as soon as the result is on disk.
    pub next_trunk: bool,
    /// An inbound call.
    pub inbound: bool,
    /// The caller's number is withheld.
    pub withheld: bool,
    pub rang: Option<Time>,
    /// When the 200 arrived.
    pub answered: Option<Time>,
    /// Reserved agent: the call is placed for this agent alone.
    pub for_agent: Option<AgentId>,
    /// The agent's phone was rung first: without the agent the call is cancelled.
    pub agent_first: bool,
    /// Since when the callee waits for an agent.
    pub waiting_since: Option<Time>,
    /// The callee asked for an agent (a key, or an inbound call): the wait is longer, and the call is never
    /// abandoned.
    pub queued: bool,
    /// The wait is over: the offer that is out is the last.
    pub wait_expired: bool,
    /// Agents to whom the call is offered: their phones ring.
    pub offered: BTreeSet<AgentId>,
    pub not_reached: BTreeSet<AgentId>,
    /// The phone of an agent to whom the waiting callee was offered declined, was gone or was not answered.
    pub phone_failed: bool,
    pub talk: Option<Talk>,
    /// The agent who spoke with the callee last, and when the first one was bridged.
    pub spoke: Option<(AgentId, Utc)>,
    /// Summary given during the call, and what its disposition meant then.
    pub summary: Option<CallSummary>,
    pub said: Option<Box<Disposition>>,
    /// The agent who spoke last has a wrap-up for this call, or has had it.
    pub summary_asked: bool,
    pub recording: bool,
    /// Answered, and no agent was bridged in time.
    pub abandoned: bool,
    /// The lead's state as decided by an agent in another call while this one was live.
    pub decided_elsewhere: Option<Box<LeadUpdate>>,
    /// Placed to hear the announcement, whatever the campaign's mode has become since.
    pub announced: bool,
    /// Number of the texts that the call hears: see [`CampaignRun::texts_of`].
    ///
    /// [`CampaignRun::texts_of`]: super::campaign_run::CampaignRun::texts_of
    pub texts: u32,
}

impl Call {
    pub fn new(
        attempt: AttemptId,
        campaign: CampaignId,
        leased: Option<LeasedLead>,
        number: PhoneNumber,
        trunk: TrunkId,
        opened: Time,
    ) -> Self {
        Call {
            attempt,
            campaign,
            part: Part::default(),
            leased,
            number,
            trunk,
            caller_id: None,
            phase: Phase::Opening,
            opened,
            placed_at: Utc::default(),
            open_until: window::FOREVER,
            ringing_at: None,
            answered_at: None,
            keys: Vec::new(),
            key_ways: Vec::new(),
            repeats: 0,
            play_held: None,
            result: None,
            hanging_up: None,
            blacklisted: false,
            next_trunk: false,
            inbound: false,
            withheld: false,
            rang: None,
            answered: None,
            for_agent: None,
            agent_first: false,
            waiting_since: None,
            queued: false,
            wait_expired: false,
            offered: BTreeSet::new(),
            not_reached: BTreeSet::new(),
            phone_failed: false,
            talk: None,
            spoke: None,
            summary: None,
            said: None,
            summary_asked: false,
            recording: false,
            abandoned: false,
            decided_elsewhere: None,
            announced: false,
            texts: 0,
        }
    }

    /// Keeps a pressed key and how it came, up to a limit per call.
    pub fn note_key(&mut self, digit: Digit, way: KeyWay) {
        if self.keys.len() < KEYS_MAX {
            self.keys.push(digit);
            self.key_ways.push(way);
        }
    }

    /// What the call has shown by now.
    pub fn shown(&self, now: Time) -> Shown {
        Shown {
            rang: self.rang.map(|at| now - at),
            answered: self.answered.map(|at| now - at),
            heard: self.spoke.is_some() || !self.keys.is_empty(),
            asked: self.hanging_up.is_some(),
        }
    }

    /// Whether the call will need an agent and has none yet.
    pub fn needs_agent(&self) -> bool {
        match self.phase {
            Phase::Opening | Phase::Opened | Phase::Placed | Phase::Ringing | Phase::Answered => {
                self.for_agent.is_none() && !self.inbound && !self.announced && self.hanging_up.is_none()
            }
            Phase::Waiting => self.offered.is_empty() && !self.queued,
            Phase::Announcing | Phase::Talking | Phase::Sorry | Phase::Ended => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    /// The store is opening the attempt.
    Opening,
    /// On disk; the INVITE waits for its slot.
    Opened,
    /// The INVITE was sent.
    Placed,
    Ringing,
    /// A 200 arrived; "answered" is being written.
    Answered,
    Announcing,
    /// Answered; waiting for an agent, or an agent's phone rings.
    Waiting,
    /// Bridged with an agent.
    Talking,
    /// The sorry message plays: no agent is free.
    Sorry,
    /// Over; the result is being written.
    Ended,
}

/// A conversation that is up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Talk {
    /// `None` = the agent transferred the callee to a consulted party outside.
    pub agent: Option<AgentId>,
    pub since: Time,
    /// On hold: the callee hears music.
    pub held: bool,
    pub consult: Option<Consult>,
}

impl Talk {
    pub fn began(&self) -> Time {
        self.since
    }

    /// Restarts the talk time: another agent talks from now on.
    pub fn restart(&mut self, now: Time) {
        self.since = now;
    }
}

/// A consult: the party whom the agent asked for help, and how far it has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Consult {
    pub agent: Option<AgentId>,
    /// Leg of a consulted party outside.
    pub leg: Option<CallId>,
    pub number: Option<PhoneNumber>,
    pub up: bool,
    /// In a conference with callee and agent.
    pub joined: bool,
}

/// All choices made for one call.
pub(super) struct NewAttempt {
    pub campaign: CampaignId,
    pub leased: Option<LeasedLead>,
    pub number: PhoneNumber,
    pub trunk: TrunkId,
    pub caller_id: Option<CallerId>,
    pub open_until: Utc,
    pub for_agent: Option<AgentId>,
    pub agent_first: bool,
}
