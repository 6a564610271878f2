//! Calls without SIP: takes the dialer's outputs and returns, in virtual time, the progress that a trunk
//! would report, by the same scenarios as the carrier. Runs a whole day of calling in a second. How callees
//! treat an agent is in `callee`.

mod callee;
#[cfg(test)]
mod tests;

pub use callee::CalleeProfile;

use super::call_scenario::{Behaviour, CallScenario, callee_key};
use super::people::Population;
use super::random::SimRng;
use paceline_core::call::{Ended, HangUpCause, Heard, Progress};
use paceline_core::dialer::output::SoundName;
use paceline_core::dialer::{Input, Output};
use paceline_core::ids::{CallId, CampaignId, TrunkId};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::{EndedBy, Outcome};
use paceline_core::time::{Duration, Time, WallClock};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

/// From the dialer's hang-up to the report of the end: about one round trip.
const ROUND_TRIP: Duration = Duration::from_millis(40);

/// Length of the sorry message and of an agent's number announcement.
const SHORT_MESSAGE: Duration = Duration::from_secs(4);

/// One scheduled event of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Sent,
    Try,
    Ring,
    Answer,
    Refuse,
    FirstAudio,
    Key(usize),
    PlayEnded(u32),
    Leave,
    HungUp,
    /// The callee's patience or wish to talk is over; void once `phase` has changed.
    PatienceOver(u32),
    /// The callee calls back.
    CallBack,
    /// The ACK of a caller arrives.
    CallerAcked,
    /// The callee's patience is over and the dialer's ACK has not come.
    NoAckInTime,
}

#[derive(Debug)]
struct LineCall {
    scenario: CallScenario,
    rang: bool,
    answered: bool,
    /// Set by the dialer's hang-up: only the end of the call follows.
    ending: Option<HangUpCause>,
    /// Counts announcements, so that a replaced one reports no end.
    plays: u32,
    number: PhoneNumber,
    trunk: TrunkId,
    /// Counts changes between announcement, hold music and agent.
    phase: u32,
    /// The callee talks with an agent, so steps planned for the announcement are void.
    with_agent: bool,
    /// The callee called us.
    caller: bool,
}

impl LineCall {
    fn new(scenario: CallScenario, number: PhoneNumber, trunk: TrunkId) -> Self {
        LineCall {
            scenario,
            rang: false,
            answered: false,
            ending: None,
            plays: 0,
            number,
            trunk,
            phase: 0,
            with_agent: false,
            caller: false,
        }
    }
}

/// A trunk in virtual time.
#[derive(Debug)]
pub struct Line {
    people: Arc<Population>,
    clock: WallClock,
    announcements: BTreeMap<CampaignId, Duration>,
    calls: FxHashMap<CallId, LineCall>,
    times_called: FxHashMap<u64, u32>,
    steps: BinaryHeap<Reverse<(Time, u64, CallId, Step)>>,
    order: u64,
    placed: u64,
    calls_most: usize,
    callee_profile: CalleeProfile,
    /// Callees who will call back, by the ID of the call in which they do.
    callers: BTreeMap<CallId, (PhoneNumber, TrunkId)>,
    called_back: u64,
}

impl Line {
    /// `clock` gives the hour of the day, on which answer rates depend.
    pub fn new(people: Arc<Population>, clock: WallClock) -> Self {
        Line {
            people,
            clock,
            announcements: BTreeMap::new(),
            calls: FxHashMap::default(),
            times_called: FxHashMap::default(),
            steps: BinaryHeap::new(),
            order: 0,
            placed: 0,
            calls_most: 0,
            callee_profile: CalleeProfile::default(),
            callers: BTreeMap::new(),
            called_back: 0,
        }
    }

    pub fn set_callee_profile(&mut self, callee_profile: CalleeProfile) {
        self.callee_profile = callee_profile;
    }

    /// The number of calls from outside.
    pub fn called_back(&self) -> u64 {
        self.called_back
    }

    /// Sets the length of one play of a campaign's announcement; the default is ten seconds.
    pub fn set_announcement(&mut self, campaign: CampaignId, length: Duration) {
        self.announcements.insert(campaign, length);
    }

    /// The number of calls that are being set up or are up.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// The maximum of concurrent calls so far.
    pub fn calls_most(&self) -> usize {
        self.calls_most
    }

    pub fn placed(&self) -> u64 {
        self.placed
    }

    /// Callees behave like these from now on.
    pub fn set_people(&mut self, people: Arc<Population>) {
        self.people = people;
    }

    /// How often `user` was called.
    pub fn times_called(&self, user: &str) -> u32 {
        self.times_called.get(&callee_key(user)).copied().unwrap_or(0)
    }

    /// The dialer's process died: its calls are gone and nothing more is reported, but the counts of calls to
    /// each callee stay.
    pub fn dialer_died(&mut self) {
        self.calls.clear();
        // A planned call back happens all the same.
        self.steps.retain(|Reverse((.., step))| *step == Step::CallBack);
    }

    /// Carries out an output that concerns the trunk or its callees. Returns whether it was one.
    pub fn carry_out(&mut self, now: Time, output: &Output) -> bool {
        match output {
            Output::PlaceCall { call, number, setup, ring, trunk, caller_id, .. } => {
                let shown = caller_id.map(|number| number.national()).unwrap_or_default();
                self.place(now, *call, *number, &shown, *trunk, (*setup, *ring));
            }
            Output::Acknowledge { call } => self.acknowledge(now, *call),
            Output::PlayAnnouncement { call, campaign, plays, pause } => {
                let length = self.announcements.get(campaign).copied().unwrap_or(Duration::from_secs(10));
                self.play(now, *call, *pause + length.saturating_mul(*plays));
            }
            Output::HangUp { call, cause } => self.hang_up(now, *call, *cause),
            Output::Join { leg, .. } => self.start_talking(now, *leg),
            Output::Leave { leg } => self.start_waiting(now, *leg),
            Output::Play { leg, sound: SoundName::Sorry(_) } => self.play(now, *leg, SHORT_MESSAGE),
            Output::AnswerCall { call } => self.schedule(now + ROUND_TRIP, *call, Step::CallerAcked),
            _ => return false,
        }
        true
    }

    /// The next event that happens by `now`.
    pub fn poll(&mut self, now: Time) -> Option<Input> {
        loop {
            let Reverse((at, _, call, step)) = *self.steps.peek()?;
            if at > now {
                return None;
            }
            self.steps.pop();
            if let Some(input) = self.run_step(at, call, step) {
                return Some(input);
            }
        }
    }

    pub fn next_wake(&self) -> Option<Time> {
        self.steps.peek().map(|Reverse((at, ..))| *at)
    }

    fn schedule(&mut self, at: Time, call: CallId, step: Step) {
        self.order += 1;
        self.steps.push(Reverse((at, self.order, call, step)));
    }

    /// `times` = set-up and ring time.
    fn place(
        &mut self,
        now: Time,
        call: CallId,
        number: PhoneNumber,
        shown: &str,
        trunk: TrunkId,
        times: (Duration, Duration),
    ) {
        let user = &number.national();
        let nth = self.times_called.entry(callee_key(user)).or_default();
        *nth += 1;
        let hour = self.people.hour(self.clock.utc(now).as_millis());
        let scenario = self.people.call_scenario_from(shown, user, *nth, Some(hour));
        self.placed += 1;
        self.schedule(now, call, Step::Sent);
        let alert = now + scenario.slow + scenario.alert;
        let settled = alert + scenario.ring;
        let (setup, ring) = times;
        let rings = scenario.behaviour != Behaviour::Silent
            && alert < settled.min(now + setup)
            && (scenario.behaviour.rings() || scenario.ring > Duration::ZERO);
        // The user agent cancels by itself: the step after set-up or ring time is the end, unless the callee
        // was quicker.
        let given_up = if rings { alert + ring } else { now + setup };
        let end = if scenario.behaviour.answers() { Step::Answer } else { Step::Refuse };
        if scenario.behaviour == Behaviour::Silent || settled > given_up {
            self.schedule(given_up + ROUND_TRIP, call, Step::HungUp);
        } else {
            self.schedule(settled, call, end);
        }
        if scenario.behaviour != Behaviour::Silent {
            self.schedule(now + ROUND_TRIP, call, Step::Try);
        }
        if rings {
            self.schedule(alert, call, Step::Ring);
        }
        self.calls.insert(call, LineCall::new(scenario, number, trunk));
        self.calls_most = self.calls_most.max(self.calls.len());
    }

    fn acknowledge(&mut self, now: Time, call: CallId) {
        let Some(known) = self.calls.get(&call) else { return };
        if !known.answered || known.ending.is_some() {
            return;
        }
        let keys: Vec<Duration> = known.scenario.keys.iter().map(|press| press.after).collect();
        let stay = known.scenario.stay;
        self.schedule(now + Duration::from_millis(20), call, Step::FirstAudio);
        for (place, after) in keys.into_iter().enumerate() {
            self.schedule(now + after, call, Step::Key(place));
        }
        if let Some(stay) = stay {
            self.schedule(now + stay, call, Step::Leave);
        }
        self.start_waiting(now, call);
    }

    fn play(&mut self, now: Time, call: CallId, length: Duration) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        known.plays += 1;
        known.phase += 1;
        let play = known.plays;
        self.schedule(now + length, call, Step::PlayEnded(play));
    }

    fn hang_up(&mut self, now: Time, call: CallId, cause: HangUpCause) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        if known.ending.is_none() {
            known.ending = Some(cause);
            self.schedule(now + ROUND_TRIP, call, Step::HungUp);
        }
    }

    fn run_step(&mut self, at: Time, call: CallId, step: Step) -> Option<Input> {
        if step == Step::CallBack {
            return self.call_back(at, call);
        }
        let known = self.calls.get_mut(&call)?;
        if known.ending.is_some() && step != Step::HungUp {
            return None;
        }
        match step {
            Step::Sent => Some(Input::CallProgressed { call, progress: Progress::Sent }),
            Step::Try => Some(Input::CallProgressed { call, progress: Progress::Trying }),
            Step::Ring => {
                known.rang = true;
                Some(Input::CallProgressed { call, progress: Progress::Ringing })
            }
            Step::Answer => {
                known.answered = true;
                // The same draw as the patience that begins anew with our ACK.
                let mut rng = SimRng::keyed(self.people.seed, &[known.number.as_u64(), call.0, u64::MAX]);
                let span = self.callee_profile.patience.draw(&mut rng);
                if known.scenario.behaviour == Behaviour::Answer {
                    self.schedule(at + span, call, Step::NoAckInTime);
                }
                Some(Input::CallProgressed { call, progress: Progress::Answered })
            }
            Step::FirstAudio => Some(Input::MediaHeard { call, heard: Heard::FirstAudio }),
            Step::Key(place) => {
                let key = known.scenario.keys.get(place)?.key;
                Some(Input::MediaHeard { call, heard: Heard::Digit(key) })
            }
            Step::PlayEnded(play) if play == known.plays => {
                Some(Input::MediaHeard { call, heard: Heard::PlayEnded })
            }
            Step::PlayEnded(_) => None,
            Step::CallerAcked => {
                known.answered = true;
                self.start_waiting(at, call);
                Some(Input::CallProgressed { call, progress: Progress::Answered })
            }
            Step::PatienceOver(phase) if phase != known.phase => None,
            Step::Leave if known.with_agent => None,
            Step::NoAckInTime if known.phase > 0 || known.plays > 0 => None,
            Step::CallBack => None,
            Step::Refuse | Step::Leave | Step::HungUp | Step::PatienceOver(_) | Step::NoAckInTime => {
                let (number, trunk, caller) = (known.number, known.trunk, known.caller);
                let abandoned = known.ending == Some(HangUpCause::Abandoned);
                let ended = self.ended(call, step)?;
                if (abandoned || ended.outcome == Outcome::NoAnswer) && !caller {
                    self.draw_call_back(at, number, trunk);
                }
                Some(Input::CallProgressed { call, progress: Progress::Ended(ended) })
            }
        }
    }

    fn ended(&mut self, call: CallId, step: Step) -> Option<Ended> {
        let known = self.calls.remove(&call)?;
        let behaviour = known.scenario.behaviour;
        let ended = |outcome, by, sip_code, cause: &str| Ended {
            outcome,
            by,
            sip_code,
            cause: cause.into(),
            retry_after: None,
            try_next_trunk: false,
        };
        Some(match step {
            Step::Leave | Step::PatienceOver(_) | Step::NoAckInTime => {
                ended(Outcome::Answered, EndedBy::Callee, None, "the callee hung up")
            }
            Step::Refuse => {
                let refusal = behaviour.refusal()?;
                let by = match behaviour {
                    Behaviour::Reject => EndedBy::Callee,
                    _ => EndedBy::Carrier,
                };
                let faulty = behaviour == Behaviour::Unavailable;
                let rest = Duration::from_secs(u64::from(self.people.trouble.retry_after_secs));
                Ended {
                    retry_after: faulty.then_some(rest),
                    try_next_trunk: faulty,
                    ..ended(behaviour.outcome(), by, Some(refusal.code), refusal.phrase)
                }
            }
            _ if known.answered => ended(Outcome::Answered, EndedBy::Dialer, None, "we hung up"),
            _ if behaviour == Behaviour::Silent && known.ending.is_none() => Ended {
                try_next_trunk: true,
                ..ended(Outcome::LineFault, EndedBy::Dialer, None, "no answer from the trunk")
            },
            _ => match known.ending {
                None if !known.rang => {
                    ended(Outcome::Unreachable, EndedBy::Dialer, Some(487), "the phone did not ring in time")
                }
                None | Some(HangUpCause::RingTimeout) => {
                    ended(Outcome::NoAnswer, EndedBy::Dialer, Some(487), "ring time over")
                }
                Some(_) => ended(Outcome::Cancelled, EndedBy::Dialer, Some(487), "cancelled"),
            },
        })
    }
}
