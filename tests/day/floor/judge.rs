//! The judge of the floor: follows every input and output, and checks after each input that no callee waits
//! beside an idle agent or in silence, and no agent has two callees. Rules may change: each call is judged by those under
//! which it was opened or sent.

use super::bookings::Bookings;
use super::orders::Orders;
use super::{FloorPlan, actions};
use paceline_core::agent::{Activity, Availability, Endpoint, Holding, Party, PartyKind, SeatView, WorkMode};
use paceline_core::call::Progress;
use paceline_core::campaign::{Campaign, Mode};
use paceline_core::dialer::input::{DialVerdict, ManagerAction, TrunkState};
use paceline_core::dialer::output::{LegKind, SoundName};
use paceline_core::dialer::{Dialer, Input, Output};
use paceline_core::ids::{AgentId, AttemptId, CallId, GroupId, LeadId, MixId};
use paceline_core::number::PhoneNumber;
use paceline_core::pacing::Why;
use paceline_core::time::{Duration, Time, Utc};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Mode predictive: calls in set-up per signed-in agent.
const CALLS_PER_AGENT_MAX: usize = 25;

/// How long a call to an ordinary telephone may wait for the trunk's calls-per-second limit.
const LINE_WAIT: Duration = Duration::from_millis(500);

/// A callee, from the opened attempt (or the incoming call) to the end of the call.
#[derive(Clone, Debug, Default)]
pub struct Callee {
    pub inbound: bool,
    opened: Option<Time>,
    /// Placed for one agent, who requested the lead or booked the callback.
    pub for_one: bool,
    /// Placed in mode announce: it needs no agent, whatever the mode has become.
    placed_to_announce: bool,
    pub acked: Option<Time>,
    announcing: bool,
    pub playing: Option<SoundName>,
    pub mix: Option<MixId>,
    pub hung_up: bool,
    tried: BTreeSet<AgentId>,
    pub announced: bool,
    pub sorry: bool,
    pub bridged: bool,
    pub ended: bool,
    pub ended_by_callee: bool,
    /// A manager had every call hung up while the callee was on the line.
    pub ordered_off: bool,
    /// The first agent who spoke with the callee.
    pub first_agent: Option<AgentId>,
    /// All agents reserved, rung or connected for the call.
    pub agents: BTreeSet<AgentId>,
}

#[derive(Debug)]
struct Leg {
    kind: LegKind,
    agent: AgentId,
    mix: Option<MixId>,
    playing: bool,
    up: bool,
    ending: bool,
}

/// One INVITE to a callee.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub at: Utc,
    pub call: CallId,
    pub number: PhoneNumber,
    /// Place in [`Seen::versions`] of the rules that stood.
    pub version: usize,
}

/// A seat as reported. `logged` = it is a line of the state log.
#[derive(Clone, Debug)]
pub struct ReportedSeat {
    pub at: Utc,
    pub seat: SeatView,
    pub logged: bool,
}

#[derive(Default)]
pub struct Seen {
    pub callees: BTreeMap<CallId, Callee>,
    /// Callees of earlier processes.
    pub past: BTreeMap<AttemptId, Callee>,
    legs: BTreeMap<CallId, Leg>,
    pub seats: BTreeMap<AgentId, SeatView>,
    pub log: BTreeMap<AgentId, Vec<ReportedSeat>>,
    /// Leads that an agent requested, and so may be called whatever happened before.
    pub asked: BTreeSet<LeadId>,
    pub attempts_asked: BTreeSet<AttemptId>,
    /// Single numbers: an agent's own call, or a manager's test, at any hour.
    pub attempts_tested: BTreeSet<AttemptId>,
    /// When each lead was requested last.
    pub asked_at: BTreeMap<LeadId, Utc>,
    pub whys: BTreeMap<Why, u64>,
    pub crashes_at: Vec<Utc>,
    /// Every INVITE, in order.
    pub sent: Vec<Sent>,
    /// Legs and callers' calls that ended, and those of them with a saved row.
    pub legs_ended: u64,
    pub legs_saved: u64,
    opened_now: Vec<CallId>,
    /// The campaign's rules, in the order in which they came.
    pub versions: Vec<Campaign>,
    /// The version under which each attempt was opened, and the one by which its result was settled.
    pub opened_under: BTreeMap<AttemptId, usize>,
    pub settled_under: BTreeMap<AttemptId, usize>,
    /// The work mode that the group sets for all.
    group_mode: Option<WorkMode>,
    leads: BTreeSet<AgentId>,
    orders: Orders,
    pub bookings: Bookings,
    /// Actions accepted in this step, by their request IDs.
    granted: BTreeSet<u64>,
    /// The only trunk is down, or rests until then.
    trunk_down: bool,
    trunk_rests: Utc,
    /// Since when a callee waits while an agent on an ordinary telephone, who needs a free line, is idle.
    beside_telephone: BTreeMap<(CallId, AgentId), Time>,
    pub broken: Option<String>,
    pub checks: u64,
    pub most_waiting: usize,
}

#[derive(Clone, Default)]
pub struct FloorJudge {
    pub seen: Rc<RefCell<Seen>>,
}

impl FloorJudge {
    pub fn watcher(&self) -> paceline::sim::day::Watch {
        let seen = self.seen.clone();
        Box::new(move |at, utc, output| seen.borrow_mut().output(at, utc, output))
    }

    /// The campaign has these rules from now on.
    pub fn change(&self, campaign: Campaign) {
        self.seen.borrow_mut().versions.push(campaign);
    }

    pub fn inspector(&self, plan: &FloorPlan) -> paceline::sim::day::Inspect {
        let seen = self.seen.clone();
        self.change(plan.campaign.clone());
        let group_mode = plan.group.work_mode;
        seen.borrow_mut().group_mode = group_mode;
        let leads = plan.agents.iter().filter(|agent| agent.leads).map(|agent| agent.id);
        seen.borrow_mut().leads = leads.collect();
        seen.borrow_mut().bookings.watch(&plan.leads);
        Box::new(move |at, utc, input, dialer| {
            let mut seen = seen.borrow_mut();
            seen.input(utc, input);
            let rules = Rules::of(&seen.versions, group_mode);
            if seen.broken.is_none()
                && let Err(broken) = seen.check(at, utc, &rules, dialer)
            {
                seen.broken = Some(format!("{at} ({utc:?}), after {input:?}: {broken}"));
            }
            seen.opened_now.clear();
            seen.checks += 1;
        })
    }
}

/// The rules as they stand.
#[derive(Clone, Copy)]
struct Rules {
    mode: Mode,
    ratio: f64,
    /// The longest of all versions: a callee who waits keeps the old one.
    answer_wait: Duration,
    concurrency_max: Option<u32>,
    group: GroupId,
    campaign: paceline_core::ids::CampaignId,
    group_mode: Option<WorkMode>,
    wrap_up_len: Duration,
}

impl Rules {
    fn of(versions: &[Campaign], group_mode: Option<WorkMode>) -> Self {
        let campaign = versions.last().expect("rules");
        let agents = campaign.agents.as_ref().expect("agents");
        Rules {
            mode: campaign.mode,
            ratio: campaign.pacing.call_ratio,
            answer_wait: versions.iter().map(|rules| rules.pacing.answer_wait).max().unwrap_or_default(),
            concurrency_max: campaign.concurrency_max,
            group: agents.group,
            campaign: campaign.id,
            group_mode,
            wrap_up_len: agents.wrap_up_len,
        }
    }
}

impl Seen {
    fn input(&mut self, utc: Utc, input: &Input) {
        if let Err(odd) = self.orders.input(input) {
            self.broken.get_or_insert(format!("{utc:?}: {odd}"));
        }
        self.bookings.input(input);
        match input {
            Input::ClockSet(_) if !self.seats.is_empty() => {
                self.crashes_at.push(utc);
                for (call, callee) in std::mem::take(&mut self.callees) {
                    self.past.insert(call.attempt(), callee);
                }
                self.legs.clear();
                self.seats.clear();
                self.beside_telephone.clear();
                self.orders.forget();
            }
            Input::CallProgressed { call, progress: Progress::Ended(ended) } => {
                let caller = self.callees.get(call).is_some_and(|callee| callee.inbound);
                self.legs_ended += u64::from(self.legs.remove(call).is_some() || caller);
                if let Some(callee) = self.callees.get_mut(call) {
                    callee.ended = true;
                    callee.mix = None;
                    callee.ended_by_callee = ended.by == paceline_core::outcome::EndedBy::Callee;
                }
            }
            Input::AgentActed { request: ask, agent, action: act } if self.granted.remove(ask) => {
                let Some(seat) = self.seats.get(agent) else { return };
                let with = seat.work.as_ref().and_then(|work| work.parties.first()).map(|party| party.leg);
                let callee = with.and_then(|call| self.callees.get(&call));
                if let Some(odd) = actions::mismatch(act, seat, callee) {
                    self.broken.get_or_insert(format!("{utc:?}: {act:?}, and {odd}: {seat:?} {callee:?}"));
                }
            }
            Input::ManagerActed { action: ManagerAction::HangUpAll, .. } => {
                self.callees.values_mut().for_each(|callee| callee.ordered_off |= !callee.ended);
            }
            Input::TrunkChanged { state, .. } => match state {
                TrunkState::Up => self.trunk_down = false,
                TrunkState::Down => self.trunk_down = true,
                // A rest that a trunk asked for holds, even if the trunk answers before its end.
                TrunkState::Resting { span } => self.trunk_rests = self.trunk_rests.max(utc + *span),
            },
            Input::AttemptOpened { attempt, verdict } if *verdict != DialVerdict::Opened => {
                self.callees.remove(&attempt.call());
            }
            Input::CallProgressed { call, progress: Progress::Answered } => {
                if let Some(leg) = self.legs.get_mut(call) {
                    leg.up = true;
                }
            }
            _ => {}
        }
    }

    fn output(&mut self, at: Time, utc: Utc, output: &Output) {
        self.orders.output(output);
        self.bookings.output(output);
        match output {
            Output::OpenAttempt(request) => {
                let call = request.attempt.call();
                // A test call has no lead and needs no agent.
                let test = request.lead.is_none();
                let version = self.versions.len() - 1;
                self.opened_under.insert(request.attempt, version);
                let placed_to_announce = !test && self.versions[version].mode == Mode::Announce;
                let callee =
                    Callee { opened: Some(at), for_one: test, placed_to_announce, ..Callee::default() };
                self.callees.insert(call, callee);
                self.opened_now.push(call);
                if test {
                    self.attempts_tested.insert(request.attempt);
                }
                if request.lead.is_none_or(|lead| self.asked.remove(&lead)) {
                    self.attempts_asked.insert(request.attempt);
                }
            }
            Output::AnswerCall { call } => {
                let callee = Callee { inbound: true, acked: Some(at), ..Callee::default() };
                self.callees.insert(*call, callee);
            }
            Output::FetchLead { lead, .. } => {
                self.asked.insert(*lead);
                self.asked_at.insert(*lead, utc);
            }
            Output::PlaceCall { call, number, .. } => {
                let version = self.versions.len() - 1;
                self.sent.push(Sent { at: utc, call: *call, number: *number, version });
            }
            Output::SaveLeg(_) => self.legs_saved += 1,
            Output::SaveResult(result) => {
                self.settled_under.insert(result.attempt, self.versions.len() - 1);
            }
            Output::ActionAnswered { request: ask, refusal: None } => {
                self.granted.insert(*ask);
            }
            Output::CallAgent { leg, agent, .. } => self.leg(*leg, LegKind::Agent, *agent),
            Output::CallConsulted { leg, .. } => self.leg(*leg, LegKind::Consulted, AgentId(0)),
            Output::Decided { decision, .. } => *self.whys.entry(decision.why).or_default() += 1,
            Output::SeatChanged { seat, logged } => self.seat(utc, seat, *logged),
            output => self.sound(at, output),
        }
    }

    fn leg(&mut self, id: CallId, kind: LegKind, agent: AgentId) {
        let leg = Leg { kind, agent, mix: None, playing: false, up: false, ending: false };
        self.legs.insert(id, leg);
    }

    fn sound(&mut self, at: Time, output: &Output) {
        let of = match output {
            Output::Acknowledge { call } | Output::PlayAnnouncement { call, .. } => *call,
            Output::HangUp { call, .. } => *call,
            Output::Join { leg, .. }
            | Output::Leave { leg }
            | Output::Play { leg, .. }
            | Output::StopPlaying { leg } => *leg,
            _ => return,
        };
        if let Some(leg) = self.legs.get_mut(&of) {
            match output {
                Output::HangUp { .. } => (leg.ending, leg.mix) = (true, None),
                Output::Join { mix, .. } => leg.mix = Some(*mix),
                Output::Leave { .. } => leg.mix = None,
                Output::Play { .. } => leg.playing = true,
                Output::StopPlaying { .. } => leg.playing = false,
                _ => {}
            }
        }
        let Some(callee) = self.callees.get_mut(&of) else { return };
        match output {
            Output::Acknowledge { .. } => callee.acked = Some(at),
            Output::PlayAnnouncement { .. } => (callee.announcing, callee.announced) = (true, true),
            Output::HangUp { .. } => callee.hung_up = true,
            Output::Join { mix, .. } => {
                callee.mix = Some(*mix);
                callee.announcing = false;
                callee.bridged = true;
                callee.tried.clear();
            }
            Output::Leave { .. } => callee.mix = None,
            Output::Play { sound, .. } => {
                callee.announcing = false;
                callee.sorry |= matches!(sound, SoundName::Sorry(_));
                callee.playing = Some(sound.clone());
            }
            Output::StopPlaying { .. } => (callee.announcing, callee.playing) = (false, None),
            _ => {}
        }
    }

    fn seat(&mut self, utc: Utc, seat: &SeatView, logged: bool) {
        let call_of =
            |seat: &SeatView| seat.work.as_ref().and_then(|work| work.parties.first()).map(|party| party.leg);
        let before = self.seats.insert(seat.agent, seat.clone());
        if let Some(before) = &before
            && before.activity == Activity::Ringing
            && let Some(call) = call_of(before)
            && !(call_of(seat) == Some(call)
                && matches!(seat.activity, Activity::Talking | Activity::Ringing))
            && let Some(callee) = self.callees.get_mut(&call)
            && callee.mix.is_none()
        {
            callee.tried.insert(seat.agent);
        }
        let here = |seat: &SeatView| seat.availability == Availability::Available;
        if let Some(before) = before.as_ref().filter(|before| before.leaving && here(before))
            && here(seat)
            && !seat.leaving
        {
            self.broken.get_or_insert(format!("{utc:?}: she was leaving: {before:?}, and now {seat:?}"));
        }
        if let Some(before) = &before
            && let Some(odd) = self.wrong_assignment(before, seat)
        {
            self.broken.get_or_insert(format!("{utc:?}: agent {} got a call {odd}: {seat:?}", seat.agent));
        }
        if let (Activity::Talking, Some(call)) = (&seat.activity, call_of(seat))
            && let Some(callee) = self.callees.get_mut(&call)
        {
            callee.first_agent.get_or_insert(seat.agent);
        }
        if let Some(callee) = call_of(seat).and_then(|call| self.callees.get_mut(&call)) {
            callee.agents.insert(seat.agent);
        }
        if seat.activity == Activity::Reserved
            && let Some(attempt) = seat.work.as_ref().and_then(|work| work.attempt)
            && let Some(callee) = self.callees.get_mut(&attempt.call())
        {
            callee.for_one = true;
        }
        self.log.entry(seat.agent).or_default().push(ReportedSeat { at: utc, seat: seat.clone(), logged });
    }

    /// A queued call must not go to an agent who is away, leaving, or in the other direction's mode.
    fn wrong_assignment(&self, before: &SeatView, seat: &SeatView) -> Option<&'static str> {
        let work = seat.work.as_ref()?;
        let is_own_leg = |party: &Party| party.agent == Some(seat.agent) && party.kind == PartyKind::Agent;
        let from_the_queue = before.activity == Activity::Idle
            && matches!(seat.activity, Activity::Ringing | Activity::Talking)
            && work.parties.iter().any(is_own_leg);
        if !from_the_queue {
            return None;
        }
        let mode = self.group_mode.unwrap_or(seat.work_mode);
        let suits = if work.inbound { mode.takes_inbound() } else { mode.takes_outbound() };
        let away = |seat: &SeatView| seat.availability != Availability::Available;
        let callee = work.parties.first().and_then(|party| self.callees.get(&party.leg));
        // A supervisor takes over another agent's call.
        let began = callee.and_then(|callee| callee.first_agent).is_some_and(|first| first != seat.agent);
        if began && self.leads.contains(&seat.agent) {
            return None;
        }
        match () {
            () if away(before) && away(seat) => Some("in her pause"),
            () if before.leaving && seat.leaving => Some("on her way out"),
            () if !suits => Some("of the wrong direction"),
            () if callee.is_some_and(|callee| callee.tried.contains(&seat.agent)) => Some("that she missed"),
            () => None,
        }
    }

    fn check(&mut self, at: Time, utc: Utc, rules: &Rules, dialer: &Dialer) -> Result<(), String> {
        // C4: counters equal the sums over the calls.
        dialer.drift().map_or(Ok(()), Err)?;
        self.every_seat_is_reported(dialer)?;
        self.no_party_is_in_two_calls()?;
        self.no_callee_is_left_in_silence(at, rules)?;
        self.no_callee_waits_beside_an_idle_agent(at, utc, rules)?;
        self.lines_stay_within_the_mode(rules, dialer)?;
        self.calls_stay_within_the_limit(rules)?;
        if rules.mode != Mode::Announce {
            let idle = self.seats.values().filter(|seat| self.eligible(seat, false, rules));
            let idle: Vec<AgentId> = idle.map(|seat| seat.agent).collect();
            self.bookings.check(at, utc, rules.campaign, &idle, dialer)?;
        }
        self.no_state_sticks(at, utc, rules)
    }

    fn every_seat_is_reported(&self, dialer: &Dialer) -> Result<(), String> {
        for seat in dialer.seats() {
            // A seat is reported when it first changes.
            let Some(reported) = self.seats.get(&seat.agent) else { continue };
            let key = |seat: &SeatView| {
                let attempt = seat.work.as_ref().and_then(|work| work.attempt);
                (seat.availability.clone(), seat.activity.clone(), seat.leg_up, attempt, seat.phone_ready)
            };
            if key(&seat) != key(reported) {
                return Err(format!("not reported: {:?}, reported was {:?}", key(&seat), key(reported)));
            }
        }
        Ok(())
    }

    fn no_party_is_in_two_calls(&self) -> Result<(), String> {
        let mut in_mix: BTreeMap<MixId, Vec<CallId>> = BTreeMap::new();
        for (id, callee) in &self.callees {
            if let Some(mix) = callee.mix.filter(|_| !callee.ended && !callee.hung_up) {
                in_mix.entry(mix).or_default().push(*id);
            }
        }
        if let Some((mix, callees)) = in_mix.iter().find(|(_, callees)| callees.len() > 1) {
            return Err(format!("{callees:?} are together in {mix:?}"));
        }
        let mut of: BTreeMap<AgentId, Vec<CallId>> = BTreeMap::new();
        for (id, leg) in &self.legs {
            if leg.kind == LegKind::Agent && !leg.ending {
                of.entry(leg.agent).or_default().push(*id);
            }
        }
        match of.iter().find(|(_, legs)| legs.len() > 1) {
            Some((agent, legs)) => Err(format!("agent {agent} has the legs {legs:?}")),
            None => Ok(()),
        }
    }

    /// The number of other legs in this mix.
    fn others(&self, mix: MixId, not: CallId) -> usize {
        let legs = self.legs.iter().filter(|(id, leg)| **id != not && leg.mix == Some(mix) && !leg.ending);
        legs.count()
    }

    fn no_callee_is_left_in_silence(&self, at: Time, rules: &Rules) -> Result<(), String> {
        for (id, callee) in &self.callees {
            let Some(acked) = callee.acked.filter(|_| !callee.ended && !callee.hung_up) else { continue };
            let music = matches!(
                callee.playing,
                Some(SoundName::HoldMusic | SoundName::RingBack | SoundName::Sorry(_))
            );
            let with_other_leg = callee.mix.is_some_and(|mix| self.others(mix, *id) > 0);
            if callee.mix.is_some() && !with_other_leg && !music {
                return Err(format!("{id:?} is alone in a mix: {callee:?}"));
            }
            // From the ACK on: the store's delay is part of the wait.
            let waits = !callee.bridged && at.since(acked) <= rules.answer_wait;
            if !(music || with_other_leg || callee.announcing || waits) {
                return Err(format!("{id:?} hears nothing: {callee:?}"));
            }
        }
        Ok(())
    }

    fn eligible(&self, seat: &SeatView, inbound: bool, rules: &Rules) -> bool {
        let mode = rules.group_mode.unwrap_or(seat.work_mode);
        seat.availability == Availability::Available
            && seat.activity == Activity::Idle
            && seat.work.is_none()
            && !seat.leaving
            && seat.supervising.is_none()
            && seat.groups.contains(&rules.group)
            && (if inbound { mode.takes_inbound() } else { mode.takes_outbound() })
            && match seat.holding {
                Holding::NailedUp => seat.leg_up,
                Holding::PerCall => seat.phone_ready,
            }
    }

    /// Answered, with no agent connected or on the way.
    fn waits(&self, id: CallId, callee: &Callee) -> bool {
        let up = callee.acked.is_some() && !callee.ended && !callee.hung_up && !callee.sorry;
        let served = self.seats.values().any(|seat| {
            let on_it =
                |work: &paceline_core::agent::Work| work.parties.first().is_some_and(|party| party.leg == id);
            seat.work.as_ref().is_some_and(on_it)
        });
        let together = callee.mix.is_some_and(|mix| self.others(mix, id) > 0);
        let asks = if callee.inbound { callee.playing.is_some() } else { true };
        up && asks && !callee.announcing && !served && !together
    }

    fn no_callee_waits_beside_an_idle_agent(
        &mut self,
        at: Time,
        utc: Utc,
        rules: &Rules,
    ) -> Result<(), String> {
        let waiting: Vec<(CallId, &Callee)> = self
            .callees
            .iter()
            .filter(|(id, callee)| self.waits(**id, callee))
            .map(|(id, c)| (*id, c))
            .collect();
        let mut beside = BTreeMap::new();
        // A single-number test takes no agent's time: its callee hears music until it is hung up.
        let is_test = |id: &CallId, callee: &Callee| {
            !callee.inbound && self.attempts_tested.contains(&id.attempt()) && callee.agents.is_empty()
        };
        for (id, callee) in waiting.iter().filter(|(id, callee)| !is_test(id, callee)) {
            let free = self.seats.values().filter(|seat| {
                self.eligible(seat, callee.inbound, rules) && !callee.tried.contains(&seat.agent)
            });
            for seat in free {
                let key = (*id, seat.agent);
                if matches!(seat.endpoint, Endpoint::Telephone(_)) && seat.holding == Holding::PerCall {
                    let away = self.trunk_down || utc < self.trunk_rests;
                    let since = self.beside_telephone.get(&key).copied().filter(|_| !away).unwrap_or(at);
                    beside.insert(key, since);
                    if at.since(since) <= LINE_WAIT {
                        continue;
                    }
                }
                return Err(format!("{id:?} waits while agent {} is idle: {callee:?}, {seat:?}", seat.agent));
            }
        }
        self.most_waiting = self.most_waiting.max(waiting.len());
        self.beside_telephone = beside;
        Ok(())
    }

    fn lines_stay_within_the_mode(&self, rules: &Rules, dialer: &Dialer) -> Result<(), String> {
        let there = self
            .seats
            .values()
            .filter(|seat| seat.availability == Availability::Available && !seat.leaving)
            .filter(|seat| seat.groups.contains(&rules.group))
            .count();
        if rules.mode == Mode::Announce {
            return Ok(());
        }
        let ours: Vec<&CallId> = self
            .opened_now
            .iter()
            .filter(|call| self.callees.get(call).is_some_and(|callee| !callee.for_one))
            .collect();
        if rules.mode == Mode::Preview && !ours.is_empty() {
            return Err(format!("{ours:?} were dialled without an agent's wish"));
        }
        if there == 0 {
            let why = dialer.view(rules.campaign).why;
            let wrong = matches!(why, Some(Why::LinesOut | Why::AbandonBudget | Why::AgentsBusy));
            if !ours.is_empty() || wrong {
                return Err(format!("no agent is signed in, dialled was {ours:?}, said is {why:?}"));
            }
        }
        if ours.is_empty() {
            return Ok(());
        }
        let idle = self.seats.values().filter(|seat| self.eligible(seat, false, rules)).count();
        let pending = self.callees.iter().filter(|(id, callee)| {
            let out = callee.opened.is_some() && !callee.ended && !callee.hung_up && !callee.for_one;
            let out = out && !callee.placed_to_announce;
            // A callee whose agent was lost in mid-call waits in a separate queue.
            out && (callee.acked.is_none() || !callee.bridged && self.waits(**id, callee))
        });
        let pending = pending.count();
        let most = match rules.mode {
            Mode::Ratio => (rules.ratio * idle as f64 + 1e-9).floor() as usize,
            // The pacer counts on agents who will be free; a hard cap holds whatever it expects.
            Mode::Predictive => CALLS_PER_AGENT_MAX * there,
            _ => idle,
        };
        if pending > most {
            return Err(format!("{pending} lines for {idle} idle agents, allowed are {most}"));
        }
        Ok(())
    }

    /// No call is opened from the list beyond the limit that stands now; calls that were up before a change stay.
    fn calls_stay_within_the_limit(&self, rules: &Rules) -> Result<(), String> {
        let ours = self.opened_now.iter().filter(|call| self.callees.get(call).is_some_and(|it| !it.for_one));
        let (Some(most), true) = (rules.concurrency_max, ours.count() > 0) else { return Ok(()) };
        let live = self.callees.values().filter(|callee| callee.opened.is_some() && !callee.ended).count();
        match live > most as usize {
            true => Err(format!("{live} calls of the campaign, allowed are {most}")),
            false => Ok(()),
        }
    }

    fn no_state_sticks(&self, at: Time, utc: Utc, rules: &Rules) -> Result<(), String> {
        for seat in self.seats.values() {
            let longest = match seat.activity {
                Activity::Idle => continue,
                // A previewed lead waits for the agent's click, as long as the agent is active now and then.
                Activity::Reserved if seat.work.as_ref().is_none_or(|work| work.attempt.is_none()) => {
                    Duration::from_secs(3600)
                }
                Activity::Ringing | Activity::Reserved => Duration::from_secs(180),
                Activity::WrapUp => rules.wrap_up_len * 40,
                Activity::Talking | Activity::Consulting => Duration::from_secs(3 * 3600),
            };
            let opened = seat.work.as_ref().and_then(|work| self.callees.get(&work.attempt?.call())?.opened);
            // A lead previewed for long stays reserved once it is dialled.
            let held = match opened.filter(|_| seat.activity == Activity::Reserved) {
                Some(opened) => at.since(opened),
                None => utc.since(seat.since),
            };
            if held > longest {
                return Err(format!("stuck for {held:?}: {seat:?}"));
            }
        }
        Ok(())
    }
}

impl Seen {
    /// Whether the agent is the owner of the call that the seat shows.
    pub fn owns_call(seat: &SeatView) -> bool {
        matches!(seat.activity, Activity::Talking | Activity::Consulting)
            && seat.supervising.is_none()
            && seat.work.as_ref().is_some_and(|work| {
                let is_own_leg = |party: &paceline_core::agent::Party| {
                    party.kind == PartyKind::Agent && party.agent == Some(seat.agent)
                };
                // The agent's leg may be down while the agent moves to another phone.
                work.parties.iter().any(is_own_leg)
                    || !work.parties.iter().any(|party| party.agent == Some(seat.agent))
            })
    }
}
