//! Trace of one call, from the decision that placed it to its result, with the agents of its group at the
//! answer and when each was free. The command puts it into words.

use super::{AgentState, Onlooker};
use paceline_core::agent::{Quiet, SeatView};
use paceline_core::call::{Digit, Ended, HangUpCause, Heard, Progress};
use paceline_core::dialer::input::DialVerdict;
use paceline_core::dialer::{CallStage, Dialer, Input, Output, View};
use paceline_core::ids::{AgentId, AttemptId, CampaignId, GroupId, LeadId};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::{LeadState, Outcome, Reason};
use paceline_core::time::{Duration, Time, Utc};
use std::collections::BTreeMap;

/// Selects the calls to trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Attempt(AttemptId),
    /// Every attempt on this number.
    Number(PhoneNumber),
}

/// How long after the end of the call its busy agents are followed.
const WATCHED: Duration = Duration::from_secs(600);

/// Upper limit of the attempts traced for one number.
const STORIES_MAX: usize = 50;

/// An agent's state when the call was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentThere {
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
pub struct Line {
    pub at: Utc,
    pub what: Happened,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Happened {
    /// The decision that placed it, with its numbers.
    Decided(Box<View>),
    /// The store's verdict whether it may be dialled.
    Asked(DialVerdict),
    /// The INVITE was sent.
    Placed,
    Trying,
    Ringing,
    /// With the agents of its group at that time.
    Answered(Vec<AgentThere>),
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
    Said {
        agent: AgentId,
        disposition: String,
        next_at: Option<Utc>,
    },
    /// The process died during the call.
    CutOff,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    pub attempt: AttemptId,
    pub campaign: CampaignId,
    pub number: PhoneNumber,
    pub lead: Option<LeadId>,
    pub timezone: String,
    /// How long an answered callee waits for an agent before the call counts as abandoned.
    pub answer_wait: Duration,
    pub lines: Vec<Line>,
    /// Agents of its group when it was answered, and when each was next free.
    pub there: Vec<AgentThere>,
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
pub struct Stories {
    wanted: Wanted,
    pub told: Vec<Story>,
    /// Numbers (extensions) of all agents seen.
    pub agents: BTreeMap<AgentId, String>,
    /// First and last attempt in the journal.
    pub attempts: Option<(AttemptId, AttemptId)>,
}

impl Stories {
    pub fn of(wanted: Wanted) -> Stories {
        Stories { wanted, told: Vec::new(), agents: BTreeMap::new(), attempts: None }
    }

    fn wants(&self, attempt: AttemptId, number: PhoneNumber) -> bool {
        match self.wanted {
            Wanted::Attempt(wanted) => wanted == attempt,
            Wanted::Number(wanted) => wanted == number,
        }
    }

    fn story(&mut self, attempt: AttemptId) -> Option<&mut Story> {
        self.told.iter_mut().find(|story| story.attempt == attempt)
    }

    fn open(&mut self, request: &paceline_core::dialer::output::AttemptRequest, utc: Utc, dialer: &Dialer) {
        let attempt = request.attempt;
        let (first, _) = *self.attempts.get_or_insert((attempt, attempt));
        self.attempts = Some((first.min(attempt), attempt));
        if !self.wants(attempt, request.number) || self.told.len() >= STORIES_MAX {
            return;
        }
        let rules = dialer.campaigns().find(|campaign| campaign.id == request.campaign);
        let view = dialer.view(request.campaign);
        self.told.push(Story {
            attempt,
            campaign: request.campaign,
            number: request.number,
            lead: request.lead,
            timezone: rules.map_or_else(String::new, |rules| rules.windows.timezone.clone()),
            answer_wait: rules.map_or(Duration::ZERO, |rules| rules.pacing.answer_wait),
            lines: vec![Line { at: utc, what: Happened::Decided(Box::new(view)) }],
            there: Vec::new(),
            answered_at: None,
            connected: None,
            outcome: None,
            ended_at: None,
            group: rules.and_then(|rules| rules.agents.as_ref()).map(|agents| agents.group),
            stage: Some(CallStage::Opening),
        });
    }

    fn hear(&mut self, utc: Utc, input: &Input, dialer: &Dialer) {
        match input {
            Input::AttemptOpened { attempt, verdict } => {
                if let Some(story) = self.story(*attempt) {
                    story.tell(utc, Happened::Asked(*verdict));
                }
            }
            Input::CallProgressed { call, progress } if !call.is_side_leg() => {
                let Some(story) = self.story(call.attempt()).filter(|story| story.goes_on()) else { return };
                match progress {
                    Progress::Sent => {}
                    Progress::Trying => story.tell(utc, Happened::Trying),
                    Progress::Ringing => story.tell(utc, Happened::Ringing),
                    Progress::Answered => {
                        let there = there(dialer, story.group);
                        story.answered_at = Some(utc);
                        story.there.clone_from(&there);
                        story.tell(utc, Happened::Answered(there));
                    }
                    Progress::Ended(ended) => story.tell(utc, Happened::Ended(ended.clone())),
                }
            }
            Input::MediaHeard { call, heard: Heard::Digit(digit) } if !call.is_side_leg() => {
                if let Some(story) = self.story(call.attempt()) {
                    story.tell(utc, Happened::Pressed(*digit));
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, utc: Utc, output: &Output) {
        match output {
            Output::PlaceCall { call, .. } => self.tell(call.attempt(), utc, Happened::Placed),
            Output::PlayAnnouncement { call, .. } => self.tell(call.attempt(), utc, Happened::Announced),
            Output::HangUp { call, cause } if !call.is_side_leg() => {
                self.tell(call.attempt(), utc, Happened::HungUp(*cause));
            }
            Output::SaveResult(result) => {
                let update = result.lead.as_ref();
                let Some(story) = self.story(result.attempt) else { return };
                story.outcome = Some(result.outcome);
                story.ended_at = Some(result.ended_at);
                story.tell(
                    utc,
                    Happened::Result {
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
                let said = Happened::Said { agent: record.agent, disposition, next_at };
                self.tell(record.attempt, utc, said);
            }
            Output::SeatChanged { seat, .. } => self.seat(utc, seat),
            _ => {}
        }
    }

    fn tell(&mut self, attempt: AttemptId, utc: Utc, what: Happened) {
        if let Some(story) = self.story(attempt) {
            story.tell(utc, what);
        }
    }

    fn seat(&mut self, utc: Utc, seat: &SeatView) {
        self.agents.insert(seat.agent, seat.number.clone());
        let idle = free(seat);
        let works_on = seat.work.as_ref().and_then(|work| work.attempt);
        let ringing = AgentState::of(seat) == AgentState::Ringing;
        for story in &mut self.told {
            let watched = story.ended_at.is_none_or(|ended| utc.since(ended) <= WATCHED);
            let takes = works_on == Some(story.attempt);
            if takes && ringing && story.goes_on() {
                story.tell(utc, Happened::Offered(seat.agent));
            }
            for there in story.there.iter_mut().filter(|there| there.agent == seat.agent && watched) {
                if there.free_at.is_none() && (idle || takes) {
                    there.free_at = Some(utc);
                }
            }
        }
    }

    /// Records changed stages of the traced calls.
    fn look(&mut self, utc: Utc, dialer: &Dialer) {
        for story in self.told.iter_mut().filter(|story| story.goes_on()) {
            let call = dialer.call_now(story.attempt.call());
            let stage = call.map(|call| call.stage);
            if stage == story.stage {
                continue;
            }
            let before = std::mem::replace(&mut story.stage, stage);
            match (stage, call.and_then(|call| call.agent)) {
                (Some(CallStage::Talking), _) if before == Some(CallStage::Held) => {
                    story.tell(utc, Happened::Retrieved);
                }
                (Some(CallStage::Talking), Some(agent)) => {
                    story.connected.get_or_insert((agent, utc));
                    story.tell(utc, Happened::Talking(agent));
                }
                (Some(CallStage::Held), _) => story.tell(utc, Happened::Held),
                (Some(CallStage::Sorry), _) => story.tell(utc, Happened::Sorry),
                _ => {}
            }
        }
    }
}

impl Story {
    fn tell(&mut self, at: Utc, what: Happened) {
        self.lines.push(Line { at, what });
    }

    fn goes_on(&self) -> bool {
        self.outcome.is_none() && !self.lines.iter().any(|line| line.what == Happened::CutOff)
    }

    pub fn abandoned(&self) -> bool {
        self.outcome == Some(Outcome::Abandoned)
    }

    /// The agent who could have taken the answered call first, and when.
    pub fn first_free(&self) -> Option<(&AgentThere, Utc)> {
        let free = self.there.iter().filter_map(|there| Some((there, there.free_at?)));
        free.min_by_key(|(there, at)| (*at, there.agent))
    }
}

/// Whether the agent could be offered an outbound call.
fn free(seat: &SeatView) -> bool {
    let cannot = [Quiet::InboundOnly, Quiet::PhoneAway, Quiet::LegComing];
    AgentState::of(seat) == AgentState::Idle && !seat.quiet.is_some_and(|quiet| cannot.contains(&quiet))
}

fn there(dialer: &Dialer, group: Option<GroupId>) -> Vec<AgentThere> {
    let Some(group) = group else { return Vec::new() };
    let seats = dialer.seats().into_iter().filter(|seat| seat.groups.contains(&group));
    let now = dialer.utc();
    seats
        .map(|seat| {
            let state = AgentState::of(&seat);
            let free = free(&seat);
            let free_at = free.then_some(now);
            AgentThere { agent: seat.agent, number: seat.number, state, since: seat.since, free, free_at }
        })
        .filter(|there| there.state != AgentState::SignedOut)
        .collect()
}

impl Onlooker for Stories {
    fn segment(&mut self, dialer: &Dialer) {
        // Calls of a process that died have ended.
        for story in self.told.iter_mut().filter(|story| story.goes_on()) {
            if dialer.call_now(story.attempt.call()).is_none() {
                let at = story.lines.last().map_or_else(Utc::default, |line| line.at);
                story.tell(at, Happened::CutOff);
            }
        }
    }

    fn after(&mut self, _at: Time, input: &Input, outputs: &[Output], dialer: &Dialer) {
        let utc = dialer.utc();
        for output in outputs {
            if let Output::OpenAttempt(request) = output {
                self.open(request, utc, dialer);
            }
        }
        if self.told.is_empty() {
            return;
        }
        self.hear(utc, input, dialer);
        for output in outputs {
            self.note(utc, output);
        }
        self.look(utc, dialer);
    }
}
