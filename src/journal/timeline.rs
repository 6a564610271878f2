//! Timeline of a journal window: the states of every agent and every call, and every decision with its
//! numbers. The command draws it.

use super::ReplayObserver;
use paceline_core::agent::{Activity, Availability, NoCallsReason, PartyKind, SeatView};
use paceline_core::campaign::Campaign;
use paceline_core::dialer::{CallStage, CallView, Dialer, Input, Output, View};
use paceline_core::ids::{AgentId, AttemptId, CallId, CampaignId, GroupId, LeadId};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::Outcome;
use paceline_core::pacing::Decision;
use paceline_core::time::{Time, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// The window requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: Utc,
    /// Exclusive.
    pub until: Utc,
    /// Restricts it to this campaign and the agents of its group.
    pub campaign: Option<String>,
}

/// An agent's state, from availability and activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgentState {
    SignedOut,
    Paused,
    /// Available, and the phone is not.
    NoPhone,
    Idle,
    Reserved,
    Ringing,
    Talking,
    /// Talking, with the callee on hold.
    Held,
    Consulting,
    WrapUp,
}

impl AgentState {
    pub const ALL: [AgentState; 10] = [
        AgentState::SignedOut,
        AgentState::Paused,
        AgentState::NoPhone,
        AgentState::Idle,
        AgentState::Reserved,
        AgentState::Ringing,
        AgentState::Talking,
        AgentState::Held,
        AgentState::Consulting,
        AgentState::WrapUp,
    ];

    pub fn of(seat: &SeatView) -> AgentState {
        let held = || {
            let parties = seat.work.iter().flat_map(|work| &work.parties);
            parties.clone().any(|party| party.kind == PartyKind::Callee && party.held)
        };
        match (&seat.activity, &seat.availability) {
            (Activity::Reserved, _) => AgentState::Reserved,
            (Activity::Ringing, _) => AgentState::Ringing,
            (Activity::Talking, _) if held() => AgentState::Held,
            (Activity::Talking, _) => AgentState::Talking,
            (Activity::Consulting, _) => AgentState::Consulting,
            (Activity::WrapUp, _) => AgentState::WrapUp,
            (Activity::Idle, Availability::SignedOut) => AgentState::SignedOut,
            (Activity::Idle, Availability::Paused { .. }) => AgentState::Paused,
            (Activity::Idle, Availability::Available) => match seat.no_calls {
                Some(NoCallsReason::PhoneAway | NoCallsReason::LegComing) => AgentState::NoPhone,
                _ => AgentState::Idle,
            },
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            AgentState::SignedOut => "signed_out",
            AgentState::Paused => "paused",
            AgentState::NoPhone => "no_phone",
            AgentState::Idle => "idle",
            AgentState::Reserved => "reserved",
            AgentState::Ringing => "ringing",
            AgentState::Talking => "talking",
            AgentState::Held => "held",
            AgentState::Consulting => "consulting",
            AgentState::WrapUp => "wrap_up",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Agent(AgentState),
    Call(CallStage),
}

impl State {
    pub const fn word(self) -> &'static str {
        match self {
            State::Agent(state) => state.word(),
            State::Call(stage) => stage.word(),
        }
    }
}

/// A state from `from` to `until`, exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Utc,
    pub until: Utc,
    pub state: State,
}

/// The subject of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowSubject {
    Agent {
        agent: AgentId,
        number: String,
    },
    Call {
        attempt: AttemptId,
        campaign: CampaignId,
        number: Option<PhoneNumber>,
        lead: Option<LeadId>,
        inbound: bool,
        /// The agent who talked with the callee.
        agent: Option<AgentId>,
        /// The outcome, if the call ended within the window.
        outcome: Option<Outcome>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub of: RowSubject,
    pub spans: Vec<Span>,
}

/// One decision with the snapshot behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    pub at: Utc,
    pub campaign: CampaignId,
    pub decision: Decision,
    pub view: View,
}

/// Builds a timeline: pass it to a replay as observer, then call [`Timeline::finish`].
#[derive(Clone, Debug)]
pub struct Timeline {
    pub window: Window,
    /// Agents by number, then calls in the order of opening; empty until finished.
    pub rows: Vec<Row>,
    pub decisions: Vec<Decided>,
    /// Names of campaigns.
    pub campaigns: BTreeMap<CampaignId, String>,
    /// Time of the last input seen; `None` = none within the window.
    pub seen_until: Option<Utc>,
    agents: BTreeMap<AgentId, Track>,
    calls: BTreeMap<CallId, Track>,
    numbers: BTreeMap<AgentId, String>,
    began: bool,
}

#[derive(Clone, Debug)]
struct Track {
    of: RowSubject,
    spans: Vec<Span>,
    now: Option<(Utc, State)>,
}

impl Track {
    fn new(of: RowSubject) -> Track {
        Track { of, spans: Vec::new(), now: None }
    }

    /// The subject is in this state from `at` on; `None` = it is gone.
    fn set_state(&mut self, at: Utc, state: Option<State>) {
        if let Some((from, was)) = self.now {
            if Some(was) == state {
                return;
            }
            if at > from {
                self.spans.push(Span { from, until: at, state: was });
            }
        }
        self.now = state.map(|state| (at, state));
    }
}

impl Timeline {
    pub fn new(window: Window) -> Timeline {
        Timeline {
            window,
            rows: Vec::new(),
            decisions: Vec::new(),
            campaigns: BTreeMap::new(),
            seen_until: None,
            agents: BTreeMap::new(),
            calls: BTreeMap::new(),
            numbers: BTreeMap::new(),
            began: false,
        }
    }

    /// Numbers (extensions) of all agents seen.
    pub fn agent_numbers(&self) -> &BTreeMap<AgentId, String> {
        &self.numbers
    }

    /// Closes every row at the end of the window, or where the journal ended before it.
    pub fn finish(mut self) -> Timeline {
        let end = self.seen_until.map_or(self.window.from, |seen| seen.min(self.window.until));
        let busy = |track: &Track| {
            let out = State::Agent(AgentState::SignedOut);
            track.spans.iter().any(|span| span.state != out)
        };
        let mut rows = Vec::new();
        let mut agents: Vec<Track> = std::mem::take(&mut self.agents).into_values().collect();
        agents.sort_by_key(|track| match &track.of {
            RowSubject::Agent { agent, number } => (number.clone(), agent.0),
            RowSubject::Call { .. } => (String::new(), 0),
        });
        for mut track in agents.into_iter().chain(std::mem::take(&mut self.calls).into_values()) {
            track.set_state(end, None);
            if busy(&track) {
                rows.push(Row { of: track.of, spans: track.spans });
            }
        }
        self.rows = rows;
        self
    }

    fn wanted<'a>(&self, dialer: &'a Dialer) -> impl Iterator<Item = &'a Campaign> {
        let name = self.window.campaign.clone();
        dialer.campaigns().filter(move |campaign| name.as_ref().is_none_or(|name| *name == campaign.name))
    }

    /// The groups whose agents are shown; `None` = all.
    fn groups(&self, dialer: &Dialer) -> Option<BTreeSet<GroupId>> {
        self.window.campaign.as_ref()?;
        let rules = self.wanted(dialer).filter_map(|campaign| campaign.agents.as_ref());
        Some(rules.map(|rules| rules.group).collect())
    }

    fn observe(&mut self, at: Utc, dialer: &Dialer) {
        self.began = true;
        let groups = self.groups(dialer);
        let seats = dialer.seats();
        for seat in &seats {
            self.observe_seat(at, seat, groups.as_ref());
        }
        let there: BTreeSet<AgentId> = seats.iter().map(|seat| seat.agent).collect();
        for (agent, track) in &mut self.agents {
            if !there.contains(agent) {
                track.set_state(at, None);
            }
        }
        self.observe_calls(at, dialer);
    }

    fn observe_seat(&mut self, at: Utc, seat: &SeatView, groups: Option<&BTreeSet<GroupId>>) {
        self.numbers.insert(seat.agent, seat.number.clone());
        let known = self.agents.contains_key(&seat.agent);
        let ours = groups.is_none_or(|groups| seat.groups.iter().any(|group| groups.contains(group)));
        if !known && !ours {
            return;
        }
        let of = || RowSubject::Agent { agent: seat.agent, number: seat.number.clone() };
        let track = self.agents.entry(seat.agent).or_insert_with(|| Track::new(of()));
        track.set_state(at, Some(State::Agent(AgentState::of(seat))));
    }

    fn observe_calls(&mut self, at: Utc, dialer: &Dialer) {
        let wanted: BTreeSet<CampaignId> = self.wanted(dialer).map(|campaign| campaign.id).collect();
        let mut out = BTreeSet::new();
        for call in dialer.calls_now().filter(|call| wanted.contains(&call.campaign)) {
            out.insert(call.call);
            let track = self.calls.entry(call.call).or_insert_with(|| Track::new(row_of(&call)));
            if let RowSubject::Call { agent, .. } = &mut track.of {
                *agent = call.agent.or(*agent);
            }
            track.set_state(at, Some(State::Call(call.stage)));
        }
        for (_, track) in
            self.calls.iter_mut().filter(|(call, track)| track.now.is_some() && !out.contains(call))
        {
            track.set_state(at, None);
        }
    }
}

fn row_of(call: &CallView) -> RowSubject {
    RowSubject::Call {
        attempt: call.call.attempt(),
        campaign: call.campaign,
        number: call.number,
        lead: call.lead,
        inbound: call.inbound,
        agent: call.agent,
        outcome: None,
    }
}

impl ReplayObserver for Timeline {
    fn segment(&mut self, dialer: &Dialer) {
        if !self.began {
            return;
        }
        let seen = self.seen_until.unwrap_or(self.window.from);
        if dialer.utc() >= seen && dialer.utc() < self.window.until {
            // The same process goes on, or a part of its journal is missing.
            return self.observe(dialer.utc(), dialer);
        }
        // Another process: the last one's calls and seats have ended.
        if dialer.utc() < seen {
            for track in self.agents.values_mut().chain(self.calls.values_mut()) {
                track.set_state(seen, None);
            }
        }
    }

    fn before(&mut self, at: Time, dialer: &Dialer) {
        let utc = dialer.clock().utc(at);
        if !self.began && utc >= self.window.from && dialer.utc() < self.window.until {
            self.observe(self.window.from.max(dialer.utc()), dialer);
        }
    }

    fn after(&mut self, _at: Time, _input: &Input, outputs: &[Output], dialer: &Dialer) {
        let utc = dialer.utc();
        if utc < self.window.from {
            return;
        }
        if utc >= self.window.until {
            if self.began {
                self.seen_until = Some(utc);
            }
            return;
        }
        self.seen_until = Some(utc);
        self.began = true;
        let wanted: BTreeMap<CampaignId, String> =
            self.wanted(dialer).map(|campaign| (campaign.id, campaign.name.clone())).collect();
        let groups = self.groups(dialer);
        for output in outputs {
            match output {
                Output::SeatChanged { seat, .. } => self.observe_seat(utc, seat, groups.as_ref()),
                Output::Decided { campaign, decision } if wanted.contains_key(campaign) => {
                    let (campaign, decision) = (*campaign, *decision);
                    self.decisions.push(Decided { at: utc, campaign, decision, view: dialer.view(campaign) });
                }
                Output::SaveResult(result) => {
                    let track = self.calls.get_mut(&result.attempt.call());
                    if let Some(RowSubject::Call { outcome, .. }) = track.map(|track| &mut track.of) {
                        *outcome = Some(result.outcome);
                    }
                }
                _ => {}
            }
        }
        self.observe_calls(utc, dialer);
        self.campaigns.extend(wanted);
    }
}
