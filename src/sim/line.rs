//! Calls without SIP: takes the dialer's outputs and returns, in virtual time, the progress that a trunk
//! would report, by the same scenarios as the carrier. Runs a whole day of calling in a second. `Temper` says
//! how callees wait for an agent, talk and call back.

use super::call_scenario::{Behaviour, CallScenario, callee_key};
use super::people::{People, Spread};
use super::random::Dice;
use paceline_core::call::{Ended, HangUpCause, Heard, Progress};
use paceline_core::dialer::input::ArrivedCall;
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

/// Calls from outside have this bit, as the user agent's do.
const INCOMING: u64 = 1 << 63;

/// How callees behave towards agents.
#[derive(Clone, Debug, PartialEq)]
pub struct Temper {
    /// How long a callee who answered waits without an agent, or on hold.
    pub patience: Spread,
    /// Length of a conversation that the callee ends.
    pub talk: Spread,
    /// Share of missed and abandoned calls after which the callee calls back, and the delay.
    pub calls_back: f64,
    pub calls_back_after: Spread,
}

impl Default for Temper {
    fn default() -> Self {
        Temper {
            patience: Spread::new(20.0, 0.8, 0.5, 300.0),
            talk: Spread::new(70.0, 0.8, 2.0, 1_800.0),
            calls_back: 0.0,
            calls_back_after: Spread::new(600.0, 1.0, 20.0, 7_200.0),
        }
    }
}

/// Length of a voicemail recording.
const MACHINE_FULL: Duration = Duration::from_secs(180);

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
    people: Arc<People>,
    clock: WallClock,
    announcements: BTreeMap<CampaignId, Duration>,
    calls: FxHashMap<CallId, LineCall>,
    times_called: FxHashMap<u64, u32>,
    steps: BinaryHeap<Reverse<(Time, u64, CallId, Step)>>,
    order: u64,
    placed: u64,
    calls_most: usize,
    temper: Temper,
    /// Callees who will call back, by the ID of the call in which they do.
    callers: BTreeMap<CallId, (PhoneNumber, TrunkId)>,
    called_back: u64,
}

impl Line {
    /// `clock` gives the hour of the day, on which answer rates depend.
    pub fn new(people: Arc<People>, clock: WallClock) -> Self {
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
            temper: Temper::default(),
            callers: BTreeMap::new(),
            called_back: 0,
        }
    }

    pub fn set_temper(&mut self, temper: Temper) {
        self.temper = temper;
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
            Output::PlaceCall { call, number, ring, trunk, .. } => {
                self.place(now, *call, *number, *trunk, *ring);
            }
            Output::Acknowledge { call } => self.acknowledge(now, *call),
            Output::PlayAnnouncement { call, campaign, plays } => {
                let length = self.announcements.get(campaign).copied().unwrap_or(Duration::from_secs(10));
                self.play(now, *call, length.saturating_mul(*plays));
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

    fn place(&mut self, now: Time, call: CallId, number: PhoneNumber, trunk: TrunkId, ring: Duration) {
        let user = &number.national();
        let nth = self.times_called.entry(callee_key(user)).or_default();
        *nth += 1;
        let hour = self.people.hour(self.clock.utc(now).as_millis());
        let scenario = self.people.call_scenario(user, *nth, Some(hour));
        self.placed += 1;
        self.schedule(now, call, Step::Sent);
        let alert = now + scenario.slow + scenario.alert;
        let settled = alert + scenario.ring;
        // The user agent cancels by itself: the step after `ring` is the end, unless the callee was quicker.
        let given_up = now + ring;
        let end = if scenario.behaviour.answers() { Step::Answer } else { Step::Refuse };
        if scenario.behaviour == Behaviour::Silent || settled > given_up {
            self.schedule(given_up + ROUND_TRIP, call, Step::HungUp);
        } else {
            self.schedule(settled, call, end);
        }
        if scenario.behaviour != Behaviour::Silent {
            self.schedule(now + ROUND_TRIP, call, Step::Try);
        }
        if scenario.behaviour != Behaviour::Silent
            && alert < settled.min(given_up)
            && (scenario.behaviour.rings() || scenario.ring > Duration::ZERO)
        {
            self.schedule(alert, call, Step::Ring);
        }
        self.calls.insert(call, LineCall::new(scenario, number, trunk));
        self.calls_most = self.calls_most.max(self.calls.len());
    }

    /// A callee calls back: the dialer gets the call as incoming.
    fn call_back(&mut self, at: Time, call: CallId) -> Option<Input> {
        let (number, trunk) = self.callers.remove(&call)?;
        let scenario = CallScenario {
            behaviour: Behaviour::Answer,
            slow: Duration::ZERO,
            alert: Duration::ZERO,
            ring_back: false,
            ring: Duration::ZERO,
            late_answer: false,
            keys: Vec::new(),
            keys_by_info: false,
            stay: None,
        };
        self.calls.insert(call, LineCall { caller: true, ..LineCall::new(scenario, number, trunk) });
        self.called_back += 1;
        self.start_waiting(at, call);
        let number = Some(number);
        Some(Input::CallArrived(Box::new(ArrivedCall { call, trunk, number, known: None })))
    }

    /// Draws whether a callee who was missed or abandoned calls back, and when.
    fn draw_call_back(&mut self, now: Time, number: PhoneNumber, trunk: TrunkId) {
        if self.temper.calls_back <= 0.0 {
            return;
        }
        self.order += 1;
        let mut dice = Dice::keyed(self.people.seed, &[number.as_u64(), self.order]);
        if dice.chance(self.temper.calls_back) {
            let call = CallId(INCOMING | self.order);
            let at = now + self.temper.calls_back_after.draw(&mut dice);
            self.callers.insert(call, (number, trunk));
            self.schedule(at, call, Step::CallBack);
        }
    }

    /// No agent is connected: the callee's patience runs.
    fn start_waiting(&mut self, now: Time, call: CallId) {
        self.change_phase(now, call, false);
    }

    /// An agent is connected.
    fn start_talking(&mut self, now: Time, call: CallId) {
        self.change_phase(now, call, true);
    }

    fn change_phase(&mut self, now: Time, call: CallId, talks: bool) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        known.phase += 1;
        known.with_agent |= talks;
        let phase = known.phase;
        match known.scenario.behaviour {
            Behaviour::Answer => {}
            // A machine ends a call only when its recording is full; else the agent does.
            Behaviour::Voicemail if talks => {
                return self.schedule(now + MACHINE_FULL, call, Step::PatienceOver(phase));
            }
            _ => return,
        }
        let mut dice = Dice::keyed(self.people.seed, &[known.number.as_u64(), call.0, u64::from(phase)]);
        let span = if talks { &self.temper.talk } else { &self.temper.patience };
        let at = now + span.draw(&mut dice);
        self.schedule(at, call, Step::PatienceOver(phase));
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
            Step::Ring => Some(Input::CallProgressed { call, progress: Progress::Ringing }),
            Step::Answer => {
                known.answered = true;
                // The same draw as the patience that begins anew with our ACK.
                let mut dice = Dice::keyed(self.people.seed, &[known.number.as_u64(), call.0, u64::MAX]);
                let span = self.temper.patience.draw(&mut dice);
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
                None | Some(HangUpCause::RingTimeout) => {
                    ended(Outcome::NoAnswer, EndedBy::Dialer, Some(487), "ring time over")
                }
                Some(_) => ended(Outcome::Cancelled, EndedBy::Dialer, Some(487), "cancelled"),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::ids::TrunkId;
    use paceline_core::number::PhoneNumber;

    fn line(text: &str) -> Line {
        Line::new(Arc::new(People::parse(text).expect("people")), WallClock::default())
    }

    fn place(line: &mut Line, now: Time, call: u64) {
        let number = PhoneNumber::from_e164(8_613_000_000_000 + call).expect("a number");
        let ring = Duration::from_secs(45);
        let place =
            Output::PlaceCall { call: CallId(call), trunk: TrunkId(0), number, caller_id: None, ring };
        assert!(line.carry_out(now, &place));
    }

    /// Runs until nothing more happens; acknowledges and plays ten seconds at each answer, hangs up when the
    /// play has ended.
    fn run(line: &mut Line) -> Vec<(Time, Input)> {
        let mut seen = Vec::new();
        while let Some(now) = line.next_wake() {
            while let Some(input) = line.poll(now) {
                match &input {
                    Input::CallProgressed { call, progress: Progress::Answered } => {
                        line.acknowledge(now, *call);
                        line.play(now, *call, Duration::from_secs(10));
                    }
                    Input::MediaHeard { call, heard: Heard::PlayEnded } => {
                        line.hang_up(now, *call, HangUpCause::Finished);
                    }
                    _ => {}
                }
                seen.push((now, input));
            }
        }
        seen
    }

    fn words(seen: &[(Time, Input)]) -> Vec<String> {
        let trying =
            |input: &Input| matches!(input, Input::CallProgressed { progress: Progress::Trying, .. });
        seen.iter()
            .filter(|(_, input)| !trying(input))
            .map(|(_, input)| match input {
                Input::CallProgressed { progress: Progress::Ended(ended), .. } => {
                    format!("{} by {}", ended.outcome, ended.by)
                }
                Input::CallProgressed { progress, .. } => format!("{progress:?}"),
                Input::MediaHeard { heard, .. } => format!("{heard:?}"),
                other => format!("{other:?}"),
            })
            .collect()
    }

    const ONLY: &str = "busy = 0\nno_answer = 0\nreject = 0\nvoicemail = 0\npowered_off = 0\nunreachable = 0\n\
                        vacant = 0\nsuspended = 0\nrestricted = 0\nanswer = ";

    #[test]
    fn an_answered_call_plays_the_announcement_and_ends() {
        let mut line = line(&format!(
            "[shares]\n{ONLY}1\n[listening]\nearly_share = 0\nto_the_end = 1\n[keys]\npress = {{ 2 = 1.0 }}\n\
             after = {{ median_secs = 3 }}\nsecond = 0\n[ring]\nuntil_answer = {{ median_secs = 9 }}"
        ));
        place(&mut line, Time::ZERO, 1);
        let seen = run(&mut line);
        let expected = [
            "Sent",
            "Ringing",
            "Answered",
            "FirstAudio",
            "Digit(Digit(50))",
            "PlayEnded",
            "answered by dialer",
        ];
        assert_eq!(words(&seen), expected);
        assert_eq!((line.calls(), line.calls_most(), line.placed()), (0, 1, 1));
    }

    #[test]
    fn an_unanswered_call_is_cancelled_at_the_ring_time() {
        let mut line = line(&format!("[shares]\n{ONLY}0\nno_answer = 1").replacen("no_answer = 0\n", "", 1));
        place(&mut line, Time::ZERO, 1);
        let seen = run(&mut line);
        assert_eq!(words(&seen), ["Sent", "Ringing", "no_answer by dialer"]);
        let (ended_at, _) = seen.last().unwrap();
        assert_eq!(*ended_at, Time::from_millis(45_040));
    }

    #[test]
    fn a_hang_up_while_ringing_cancels_the_call() {
        let mut line = line(&format!("[shares]\n{ONLY}1"));
        place(&mut line, Time::ZERO, 1);
        let hang_up = Output::HangUp { call: CallId(1), cause: HangUpCause::Stopped };
        while line.poll(Time::ZERO).is_some() {}
        line.carry_out(Time::ZERO, &hang_up);
        assert_eq!(words(&run(&mut line)), ["cancelled by dialer"]);
    }

    #[test]
    fn a_carrier_at_its_limit_refuses_with_retry_after() {
        let mut line = line("[trouble]\nunavailable = 1\nretry_after_secs = 30");
        place(&mut line, Time::ZERO, 1);
        let (_, last) = run(&mut line).pop().expect("an end");
        let Input::CallProgressed { progress: Progress::Ended(ended), .. } = last else { panic!("{last:?}") };
        assert_eq!((ended.retry_after, ended.try_next_trunk), (Some(Duration::from_secs(30)), true));
    }

    #[test]
    fn the_same_people_give_the_same_day_and_every_call_ends_once() {
        let day = || {
            let mut line = line("seed = 5\n[trouble]\nunavailable = 0.02\nslow = 0.1\nsilent = 0.01");
            for call in 0..3_000 {
                place(&mut line, Time::from_millis(call * 50), call);
            }
            let seen = run(&mut line);
            assert_eq!(line.calls(), 0);
            seen
        };
        let one = day();
        let ends = one
            .iter()
            .filter(|(_, input)| matches!(input, Input::CallProgressed { progress: Progress::Ended(_), .. }));
        assert_eq!(ends.count(), 3_000);
        assert!(one.is_sorted_by_key(|(at, _)| *at));
        assert_eq!(one, day());
    }
}
