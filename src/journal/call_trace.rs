//! Trace of one call, from the decision that placed it to its result, with the agents of its group at the
//! answer and when each was free. The command puts it into words.

use super::{AgentState, ReplayObserver};
use paceline_core::agent::{NoCallsReason, SeatView};
use paceline_core::call::{Digit, Ended, HangUpCause, Heard, Progress};
use paceline_core::dialer::input::DialVerdict;
use paceline_core::dialer::{CallStage, Dialer, Input, Output, View};
use paceline_core::ids::{AgentId, AttemptId, CampaignId, GroupId, LeadId};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::{LeadState, Outcome, Reason};
use paceline_core::pacing::predictive::Reason as PlanReason;
use paceline_core::time::{Duration, Time, Utc};
use std::collections::BTreeMap;

/// Selects the calls to trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceTarget {
    Attempt(AttemptId),
    /// Every attempt on this number.
    Number(PhoneNumber),
}

/// How long after the end of the call its busy agents are followed.
pub const FOLLOWED_AFTER_END: Duration = Duration::from_secs(600);

/// Upper limit of the attempts traced for one number.
const TRACES_MAX: usize = 50;

/// An agent's state when the call was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentAtAnswer {
    pub agent: AgentId,
    pub number: String,
    pub state: AgentState,
    pub since: Utc,
    /// Whether the agent could be offered the call: idle, phone registered, taking outbound calls.
    pub free: bool,
    /// When the agent could next have taken a call; `None` = not in the journal.
    pub free_at: Option<Utc>,
}

/// One step of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceEntry {
    pub at: Utc,
    pub what: TraceEvent,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TraceEvent {
    /// The decision that placed it, with its numbers.
    Decided(Box<View>),
    /// The store's verdict whether it may be dialled.
    StoreVerdict(DialVerdict),
    /// The INVITE was sent.
    Placed,
    Trying,
    Ringing,
    /// With the agents of its group at that time.
    Answered(Vec<AgentAtAnswer>),
    Announced,
    Pressed(Digit),
    /// The agent's phone rings for the call, or the agent has it.
    Offered(AgentId),
    Talking(AgentId),
    Held,
    Retrieved,
    Sorry,
    HungUp(HangUpCause),
    Ended(Ended),
    /// The outcome, and the new state of its lead.
    Result {
        outcome: Outcome,
        state: Option<LeadState>,
        reason: Option<Reason>,
        next_at: Option<Utc>,
    },
    /// The agent's disposition.
    Disposition {
        agent: AgentId,
        disposition: String,
        next_at: Option<Utc>,
    },
    /// The process died during the call.
    CutOff,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CallTrace {
    pub attempt: AttemptId,
    pub campaign: CampaignId,
    pub number: PhoneNumber,
    pub lead: Option<LeadId>,
    pub timezone: String,
    /// How long an answered callee waits for an agent before the call counts as abandoned.
    pub answer_wait: Duration,
    pub lines: Vec<TraceEntry>,
    /// Agents of its group when it was answered, and when each was next free.
    pub agents_at_answer: Vec<AgentAtAnswer>,
    pub answered_at: Option<Utc>,
    /// The first bridge of an agent and the callee.
    pub connected: Option<(AgentId, Utc)>,
    pub outcome: Option<Outcome>,
    pub ended_at: Option<Utc>,
    group: Option<GroupId>,
    stage: Option<CallStage>,
}

/// Traces the wanted calls through a replay.
#[derive(Clone, Debug)]
pub struct CallTracer {
    wanted: TraceTarget,
    pub traces: Vec<CallTrace>,
    /// Numbers (extensions) of all agents seen.
    pub agents: BTreeMap<AgentId, String>,
    /// First and last attempt in the journal.
    pub attempts: Option<(AttemptId, AttemptId)>,
}

impl CallTracer {
    pub fn new(wanted: TraceTarget) -> CallTracer {
        CallTracer { wanted, traces: Vec::new(), agents: BTreeMap::new(), attempts: None }
    }

    /// Whether the one call that is wanted has ended by `now`, and nothing of its trace can follow: its agents are
    /// free again or were followed long enough, and its wrap-up is over.
    pub fn is_complete(&self, now: Utc) -> bool {
        let TraceTarget::Attempt(attempt) = self.wanted else { return false };
        let trace = self.traces.iter().find(|trace| trace.attempt == attempt);
        trace.is_some_and(|trace| trace.ended_at.is_some_and(|ended| now.since(ended) > FOLLOWED_AFTER_END))
    }

    fn is_wanted(&self, attempt: AttemptId, number: PhoneNumber) -> bool {
        match self.wanted {
            TraceTarget::Attempt(wanted) => wanted == attempt,
            TraceTarget::Number(wanted) => wanted == number,
        }
    }

    fn trace_mut(&mut self, attempt: AttemptId) -> Option<&mut CallTrace> {
        self.traces.iter_mut().find(|trace| trace.attempt == attempt)
    }

    fn start_trace(
        &mut self,
        request: &paceline_core::dialer::output::AttemptRequest,
        utc: Utc,
        dialer: &Dialer,
    ) {
        let attempt = request.attempt;
        let (first, _) = *self.attempts.get_or_insert((attempt, attempt));
        self.attempts = Some((first.min(attempt), attempt));
        if !self.is_wanted(attempt, request.number) || self.traces.len() >= TRACES_MAX {
            return;
        }
        let rules = dialer.campaigns().find(|campaign| campaign.id == request.campaign);
        let view = dialer.view(request.campaign);
        self.traces.push(CallTrace {
            attempt,
            campaign: request.campaign,
            number: request.number,
            lead: request.lead,
            timezone: rules.map_or_else(String::new, |rules| rules.windows.timezone.clone()),
            answer_wait: rules.map_or(Duration::ZERO, |rules| rules.pacing.answer_wait),
            lines: vec![TraceEntry { at: utc, what: TraceEvent::Decided(Box::new(view)) }],
            agents_at_answer: Vec::new(),
            answered_at: None,
            connected: None,
            outcome: None,
            ended_at: None,
            group: rules.and_then(|rules| rules.agents.as_ref()).map(|agents| agents.group),
            stage: Some(CallStage::Opening),
        });
    }

    fn trace_input(&mut self, utc: Utc, input: &Input, dialer: &Dialer) {
        match input {
            Input::AttemptOpened { attempt, verdict } => {
                if let Some(trace) = self.trace_mut(*attempt) {
                    trace.add_event(utc, TraceEvent::StoreVerdict(*verdict));
                }
            }
            Input::CallProgressed { call, progress } if !call.is_side_leg() => {
                let Some(trace) = self.trace_mut(call.attempt()).filter(|trace| trace.is_live()) else {
                    return;
                };
                match progress {
                    Progress::Sent => {}
                    Progress::Trying => trace.add_event(utc, TraceEvent::Trying),
                    Progress::Ringing => trace.add_event(utc, TraceEvent::Ringing),
                    Progress::Answered => {
                        let there = agents_at_answer(dialer, trace.group);
                        trace.answered_at = Some(utc);
                        trace.agents_at_answer.clone_from(&there);
                        trace.add_event(utc, TraceEvent::Answered(there));
                    }
                    Progress::Ended(ended) => trace.add_event(utc, TraceEvent::Ended(ended.clone())),
                }
            }
            Input::MediaHeard { call, heard: Heard::Digit(digit) | Heard::DigitBy { digit, .. } }
                if !call.is_side_leg() =>
            {
                if let Some(trace) = self.trace_mut(call.attempt()) {
                    trace.add_event(utc, TraceEvent::Pressed(*digit));
                }
            }
            _ => {}
        }
    }

    fn trace_output(&mut self, utc: Utc, output: &Output) {
        match output {
            Output::PlaceCall { call, .. } => self.add_event(call.attempt(), utc, TraceEvent::Placed),
            Output::PlayAnnouncement { call, .. } => {
                self.add_event(call.attempt(), utc, TraceEvent::Announced)
            }
            Output::HangUp { call, cause } if !call.is_side_leg() => {
                self.add_event(call.attempt(), utc, TraceEvent::HungUp(*cause));
            }
            Output::SaveResult(result) => {
                let update = result.lead.as_ref();
                let Some(trace) = self.trace_mut(result.attempt) else { return };
                trace.outcome = Some(result.outcome);
                trace.ended_at = Some(result.ended_at);
                trace.add_event(
                    utc,
                    TraceEvent::Result {
                        outcome: result.outcome,
                        state: update.map(|update| update.state),
                        reason: update.and_then(|update| update.reason),
                        next_at: update.and_then(|update| update.next_at),
                    },
                );
            }
            Output::SaveSummary(record) if !record.inbound => {
                let next_at = record.lead.as_ref().and_then(|lead| lead.next_at);
                let disposition = record.summary.disposition.clone();
                let said = TraceEvent::Disposition { agent: record.agent, disposition, next_at };
                self.add_event(record.attempt, utc, said);
            }
            Output::SeatChanged { seat, .. } => self.trace_seat(utc, seat),
            _ => {}
        }
    }

    fn add_event(&mut self, attempt: AttemptId, utc: Utc, what: TraceEvent) {
        if let Some(trace) = self.trace_mut(attempt) {
            trace.add_event(utc, what);
        }
    }

    fn trace_seat(&mut self, utc: Utc, seat: &SeatView) {
        self.agents.insert(seat.agent, seat.number.clone());
        let idle = is_free(seat);
        let attempt = seat.work.as_ref().and_then(|work| work.attempt);
        let ringing = AgentState::of(seat) == AgentState::Ringing;
        for trace in &mut self.traces {
            let watched = trace.ended_at.is_none_or(|ended| utc.since(ended) <= FOLLOWED_AFTER_END);
            let takes = attempt == Some(trace.attempt);
            if takes && ringing && trace.is_live() {
                trace.add_event(utc, TraceEvent::Offered(seat.agent));
            }
            for there in
                trace.agents_at_answer.iter_mut().filter(|there| there.agent == seat.agent && watched)
            {
                if there.free_at.is_none() && (idle || takes) {
                    there.free_at = Some(utc);
                }
            }
        }
    }

    /// Records changed stages of the traced calls.
    fn trace_stages(&mut self, utc: Utc, dialer: &Dialer) {
        for trace in self.traces.iter_mut().filter(|trace| trace.is_live()) {
            let call = dialer.call_now(trace.attempt.call());
            let stage = call.map(|call| call.stage);
            if stage == trace.stage {
                continue;
            }
            let before = std::mem::replace(&mut trace.stage, stage);
            match (stage, call.and_then(|call| call.agent)) {
                (Some(CallStage::Talking), _) if before == Some(CallStage::Held) => {
                    trace.add_event(utc, TraceEvent::Retrieved);
                }
                (Some(CallStage::Talking), Some(agent)) => {
                    trace.connected.get_or_insert((agent, utc));
                    trace.add_event(utc, TraceEvent::Talking(agent));
                }
                (Some(CallStage::Held), _) => trace.add_event(utc, TraceEvent::Held),
                (Some(CallStage::Sorry), _) => trace.add_event(utc, TraceEvent::Sorry),
                _ => {}
            }
        }
    }
}

impl CallTrace {
    fn add_event(&mut self, at: Utc, what: TraceEvent) {
        self.lines.push(TraceEntry { at, what });
    }

    fn is_live(&self) -> bool {
        self.outcome.is_none() && !self.lines.iter().any(|line| line.what == TraceEvent::CutOff)
    }

    /// The numbers of the decision that placed it, in mode predictive.
    pub fn reason(&self) -> Option<PlanReason> {
        self.lines.iter().find_map(|line| match &line.what {
            TraceEvent::Decided(view) => view.reason,
            _ => None,
        })
    }

    pub fn abandoned(&self) -> bool {
        self.outcome == Some(Outcome::Abandoned)
    }

    /// The agent who could have taken the answered call first, and when.
    pub fn first_free(&self) -> Option<(&AgentAtAnswer, Utc)> {
        let free = self.agents_at_answer.iter().filter_map(|there| Some((there, there.free_at?)));
        free.min_by_key(|(there, at)| (*at, there.agent))
    }
}

/// Whether the agent could be offered an outbound call.
fn is_free(seat: &SeatView) -> bool {
    let cannot = [NoCallsReason::InboundOnly, NoCallsReason::PhoneAway, NoCallsReason::LegComing];
    AgentState::of(seat) == AgentState::Idle && !seat.no_calls.is_some_and(|quiet| cannot.contains(&quiet))
}

fn agents_at_answer(dialer: &Dialer, group: Option<GroupId>) -> Vec<AgentAtAnswer> {
    let Some(group) = group else { return Vec::new() };
    let seats = dialer.seats().into_iter().filter(|seat| seat.groups.contains(&group));
    let now = dialer.utc();
    seats
        .map(|seat| {
            let state = AgentState::of(&seat);
            let free = is_free(&seat);
            let free_at = free.then_some(now);
            AgentAtAnswer { agent: seat.agent, number: seat.number, state, since: seat.since, free, free_at }
        })
        .filter(|there| there.state != AgentState::SignedOut)
        .collect()
}

impl ReplayObserver for CallTracer {
    fn segment(&mut self, dialer: &Dialer) {
        // Calls of a process that died have ended.
        for trace in self.traces.iter_mut().filter(|trace| trace.is_live()) {
            if dialer.call_now(trace.attempt.call()).is_none() {
                let at = trace.lines.last().map_or_else(Utc::default, |line| line.at);
                trace.add_event(at, TraceEvent::CutOff);
            }
        }
    }

    fn after(&mut self, _at: Time, input: &Input, outputs: &[Output], dialer: &Dialer) {
        let utc = dialer.utc();
        for output in outputs {
            if let Output::OpenAttempt(request) = output {
                self.start_trace(request, utc, dialer);
            }
        }
        if self.traces.is_empty() {
            return;
        }
        self.trace_input(utc, input, dialer);
        for output in outputs {
            self.trace_output(utc, output);
        }
        self.trace_stages(utc, dialer);
    }
}
