//! A day of calling in virtual time: dialer, memory store, far end and agents, driven by one queue of events.
//! The caller can add crashes, a slow store and a full disk.

use crate::sim::agents::Workforce;
use crate::sim::memory_store::MemoryStore;
use paceline_core::campaign::{Campaign, Trunk};
use paceline_core::dialer::{Dialer, Input, Output};
use paceline_core::ids::CampaignId;
use paceline_core::number_pattern::NumberPattern;
use paceline_core::time::{Duration, Time, Utc, WallClock};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// The far end of the trunks.
pub trait FarEnd {
    /// Carries out an output of the dialer for a call that is no agent's leg.
    fn carry(&mut self, now: Time, output: &Output);
    /// The next event that happens by `now`.
    fn poll(&mut self, now: Time) -> Option<Input>;
    fn next_wake(&self) -> Option<Time>;
    /// The dialer's process died: it sends and receives nothing any more.
    fn dialer_died(&mut self, now: Time);
}

/// Faults of a day.
#[derive(Clone, Copy, Debug, Default)]
pub struct Troubles {
    /// Maximum delay of the store's answers.
    pub store_delay_max: Duration,
    /// Mean time between kills of the process.
    pub crash_every: Option<Duration>,
    /// Mean time between full disks, each of up to a minute.
    pub stall_every: Option<Duration>,
}

/// More steps than this without time passing are a fault of the dialer.
const SPINS_MAX: u32 = 20_000;

/// Called with every output and its time, monotonic and UTC.
pub type Watch = Box<dyn FnMut(Time, Utc, &Output)>;

/// Called with the dialer after every input, once its outputs have been carried out.
pub type Inspect = Box<dyn FnMut(Time, Utc, &Input, &Dialer)>;

/// One dialer with store, far end and agents.
pub struct Day<F> {
    pub dialer: Dialer,
    pub store: MemoryStore,
    pub far: F,
    /// The agents; `None` = a campaign without agents.
    pub floor: Option<Workforce>,
    pub now: Time,
    pub crashes: u32,
    wall: WallClock,
    campaign: Campaign,
    trunks: Vec<Trunk>,
    troubles: Troubles,
    random: ChaCha8Rng,
    replies: BTreeMap<(Time, u64), Input>,
    sequence: u64,
    stalled_until: Option<Time>,
    next_crash: Option<Time>,
    next_stall: Option<Time>,
    finished: bool,
    spins: u32,
    /// Every input with its time, while it is `Some`: a journal.
    pub journal: Option<Vec<(Time, Input)>>,
    /// Observers for tests: every output, and the dialer after every input.
    pub watch: Option<Watch>,
    pub inspect: Option<Inspect>,
}

impl<F: FarEnd> Day<F> {
    pub fn new(
        seed: u64,
        start: Utc,
        campaign: Campaign,
        trunks: Vec<Trunk>,
        store: MemoryStore,
        far: F,
        troubles: Troubles,
    ) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let next_crash = troubles.crash_every.map(|mean| random_time_after(&mut random, Time::ZERO, mean));
        let next_stall = troubles.stall_every.map(|mean| random_time_after(&mut random, Time::ZERO, mean));
        Day {
            dialer: Dialer::new(seed),
            store,
            far,
            floor: None,
            now: Time::ZERO,
            crashes: 0,
            wall: WallClock::new(Time::ZERO, start),
            campaign,
            trunks,
            troubles,
            random,
            replies: BTreeMap::new(),
            sequence: 0,
            stalled_until: None,
            next_crash,
            next_stall,
            finished: false,
            spins: 0,
            journal: None,
            watch: None,
            inspect: None,
        }
    }

    pub fn utc(&self) -> Utc {
        self.wall.utc(self.now)
    }

    /// Opens the campaign and runs until it is finished or `until` is reached; returns whether it finished.
    pub fn run(&mut self, until: Time) -> bool {
        if self.sequence == 0 {
            self.start();
        }
        while !self.finished && self.advance(until) {}
        self.finished
    }

    /// Stops the service: every agent signs out once the current call is over. Runs until no call is live or
    /// `until` is reached; returns whether none is.
    pub fn close(&mut self, until: Time) -> bool {
        (self.next_crash, self.next_stall) = (None, None);
        if let Some(floor) = &mut self.floor {
            floor.sign_out_all(self.now);
        }
        self.give(Input::FloorClosed);
        while self.dialer.calls_live() > 0 && self.advance(until) {}
        self.dialer.calls_live() == 0
    }

    /// Processes the next event; `false` = none is due before `until`.
    fn advance(&mut self, until: Time) -> bool {
        let wakes = [
            self.dialer.next_wake(),
            self.far.next_wake(),
            self.floor.as_ref().and_then(Workforce::next_wake),
            self.replies.first_key_value().map(|((at, _), _)| *at),
            self.next_crash,
            self.next_stall,
            self.stalled_until,
        ];
        let Some(next) = wakes.into_iter().flatten().min().filter(|next| *next <= until) else {
            return false;
        };
        self.spins = if next > self.now { 0 } else { self.spins + 1 };
        assert!(self.spins < SPINS_MAX, "time stands still at {}: {:?}", self.now, self.dialer);
        self.now = self.now.max(next);
        self.step();
        true
    }

    fn step(&mut self) {
        if self.next_crash.is_some_and(|at| at <= self.now) {
            return self.crash();
        }
        if self.next_stall.is_some_and(|at| at <= self.now) {
            self.next_stall =
                self.troubles.stall_every.map(|mean| random_time_after(&mut self.random, self.now, mean));
            let span = Duration::from_millis(self.random.random_range(100..60_000));
            self.stalled_until = Some(self.now + span);
            return self.give(Input::StoreStalled { why: "no space left on device".into() });
        }
        if self.stalled_until.is_some_and(|at| at <= self.now) {
            self.stalled_until = None;
            return self.give(Input::StoreRecovered);
        }
        if let Some(entry) = self.replies.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let reply = entry.remove();
            return self.give(reply);
        }
        if let Some(input) = self.far.poll(self.now) {
            let input = self.with_known_caller(input);
            return self.give(input);
        }
        match self.floor.as_mut().and_then(|floor| floor.poll(self.now)) {
            Some(input) => self.give(input),
            None => self.give(Input::TimePassed),
        }
    }

    /// Looks up the caller's number in the store.
    fn with_known_caller(&self, input: Input) -> Input {
        match input {
            Input::CallArrived(mut arrived) => {
                arrived.known = arrived.number.and_then(|number| self.store.find_caller(number));
                Input::CallArrived(arrived)
            }
            other => other,
        }
    }

    fn start(&mut self) {
        self.sequence += 1;
        self.give(Input::ClockSet(self.utc()));
        let work = self.store.resume(&self.campaign.retry, self.campaign.id, self.utc());
        self.give(Input::Resumed(work));
        for trunk in self.trunks.clone() {
            self.give(Input::TrunkDefined(trunk));
        }
        let definitions = self.floor.as_mut().map(|floor| floor.open(self.now));
        for input in definitions.unwrap_or_default() {
            self.give(input);
        }
        let leads_open = self.store.leads_open();
        let abandons = self.store.abandons(self.campaign.pacing.answer_wait);
        let campaign = Box::new(self.campaign.clone());
        self.give(Input::CampaignOpened { campaign, leads_open, paused: false, abandons, past: Vec::new() });
    }

    /// `kill -9`: what was not in the store is lost, and the process starts again a little later.
    pub fn crash(&mut self) {
        self.crashes += 1;
        self.far.dialer_died(self.now);
        if let Some(floor) = &mut self.floor {
            floor.dialer_died();
        }
        self.replies.clear();
        self.stalled_until = None;
        self.now += Duration::from_millis(self.random.random_range(10..5_000));
        self.next_crash =
            self.troubles.crash_every.map(|mean| random_time_after(&mut self.random, self.now, mean));
        self.dialer = Dialer::new(self.random.random());
        // A new process would start its clock anew; the virtual one goes on, which is the harder case.
        self.start();
    }

    /// Gives the dialer one input and carries out all its outputs.
    pub fn give(&mut self, input: Input) {
        if let Some(journal) = &mut self.journal {
            journal.push((self.now, input.clone()));
        }
        if let Input::CampaignChanged { campaign } = &input {
            // The next process opens the campaign with its present rules.
            self.campaign = (**campaign).clone();
        }
        let shown = self.inspect.is_some().then(|| input.clone());
        self.dialer.handle(self.now, input);
        while let Some(output) = self.dialer.poll() {
            let utc = self.utc();
            if let Some(watch) = &mut self.watch {
                watch(self.now, utc, &output);
            }
            self.carry_out(output);
        }
        let utc = self.utc();
        if let (Some(inspect), Some(input)) = (&mut self.inspect, shown) {
            inspect(self.now, utc, &input, &self.dialer);
        }
    }

    fn carry_out(&mut self, output: Output) {
        let utc = self.utc();
        match output {
            Output::FetchLeads { campaign, count, untried } => {
                let (leads, next_due, leads_open) = self.store.fetch(count, untried, utc);
                self.reply(Input::LeadsArrived { campaign, leads, next_due, leads_open });
            }
            Output::OpenAttempt(request) => {
                let verdict = self.store.open_attempt(&request, utc);
                self.reply(Input::AttemptOpened { attempt: request.attempt, verdict });
            }
            Output::SaveAnswer { call, at } => {
                self.store.save_answer(call, at);
                self.reply(Input::AnswerSaved { call });
            }
            Output::SaveResult(result) => {
                let attempt = result.attempt;
                self.store.save_result(*result);
                self.reply(Input::ResultSaved { attempt });
            }
            Output::SaveLead(update) => self.store.save_lead(*update),
            Output::ReturnLeads { leads, .. } => self.store.return_leads(&leads),
            Output::TakeBack { attempts, next_at, .. } => self.store.take_back(&attempts, next_at),
            Output::MakeDue { leads, at, .. } => self.store.make_due(&leads, at),
            Output::LineChanged { .. } => {}
            Output::CloseLeads { reason, .. } => self.store.close_leads(reason),
            Output::Blacklist { campaign, number, .. } => {
                self.store.blacklist(number);
                let patterns = vec![NumberPattern::exact(number)];
                self.reply(Input::Blacklisted { campaign: Some(campaign), patterns });
            }
            Output::CampaignFinished { .. } => self.finished = true,
            Output::Decided { .. } | Output::TestRefused { .. } => {}
            Output::SaveSummary(record) => self.store.save_summary(*record),
            Output::SaveLeg(record) => self.store.save_leg(*record),
            Output::FetchLead { campaign, lead, agent } => {
                let lead = self.store.fetch_lead(lead).map(Box::new);
                self.reply(Input::LeadFetched { campaign, agent, lead });
            }
            Output::ActionAnswered { .. }
            | Output::SeatChanged { .. }
            | Output::CallAgent { .. }
            | Output::CallConsulted { .. }
            | Output::ProbeLeg { .. } => self.carry_to_floor(&output),
            Output::Acknowledge { call } | Output::HangUp { call, .. } if call.is_side_leg() => {
                self.carry_to_floor(&output);
            }
            Output::PlaceCall { .. }
            | Output::Acknowledge { .. }
            | Output::PlayAnnouncement { .. }
            | Output::HangUp { .. }
            | Output::AnswerCall { .. }
            | Output::Join { .. }
            | Output::Leave { .. }
            | Output::Play { .. } => self.far.carry(self.now, &output),
            // The simulation has no sound for these.
            Output::StopPlaying { .. } | Output::SendDigits { .. } | Output::Record { .. } => {}
        }
    }

    fn carry_to_floor(&mut self, output: &Output) {
        if let Some(floor) = &mut self.floor {
            floor.carry(self.now, output);
        }
    }

    /// The store has written already and the answer comes a little later: after a crash between the two, the
    /// row exists and the dialer never learnt of it.
    fn reply(&mut self, input: Input) {
        let most = self.troubles.store_delay_max.as_millis() as u64;
        let delay = if most == 0 { 0 } else { self.random.random_range(0..=most) };
        let at = self.stalled_until.unwrap_or(self.now).max(self.now) + Duration::from_millis(delay);
        // Replies keep their order, as the real store's do.
        let at = self.replies.last_key_value().map_or(at, |((last, _), _)| at.max(*last));
        self.sequence += 1;
        self.replies.insert((at, self.sequence), input);
    }

    pub fn campaign(&self) -> CampaignId {
        self.campaign.id
    }
}

fn random_time_after(random: &mut ChaCha8Rng, now: Time, mean: Duration) -> Time {
    // Exponential, by inversion.
    let unit: f64 = random.random_range(f64::EPSILON..1.0);
    now + mean.mul_f64(-unit.ln())
}

impl FarEnd for super::line::Line {
    fn carry(&mut self, now: Time, output: &Output) {
        self.carry_out(now, output);
    }

    fn poll(&mut self, now: Time) -> Option<Input> {
        self.poll(now)
    }

    fn next_wake(&self) -> Option<Time> {
        self.next_wake()
    }

    fn dialer_died(&mut self, _now: Time) {
        self.dialer_died();
    }
}
