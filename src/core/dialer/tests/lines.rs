//! The line guard inside a whole dialer, over a simulated carrier in virtual time: random mixtures of good, bad and
//! blocked numbers, regions and times. No list is burned, and no good number waits long behind bad ones.

use super::*;
use rand::RngExt;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Callee {
    /// Rings, and answers or not.
    Good,
    /// Refused whatever the line does, fast or after a while, without a ring.
    Bad(Outcome, u16),
}

/// The carrier refuses calls from `from` to `until`: all, or those whose E.164 digits begin so.
#[derive(Clone, Debug)]
struct Block {
    from: Time,
    until: Time,
    prefix: Option<&'static str>,
    outcome: Outcome,
    code: u16,
}

#[derive(Clone, Debug)]
struct Scene {
    seed: u64,
    callees: Vec<(PhoneNumber, Callee)>,
    blocks: Vec<Block>,
    calls_max: u32,
    per_sec: f64,
    delay_max: u64,
}

struct Row {
    lead: Lead,
    state: LeadState,
    leased: bool,
}

/// A store and a carrier around a dialer.
struct World {
    scene: Scene,
    random: ChaCha8Rng,
    dialer: Dialer,
    now: Time,
    rows: BTreeMap<LeadId, Row>,
    results: BTreeMap<AttemptId, AttemptResult>,
    events: BTreeMap<(Time, u64), Input>,
    event: u64,
    lead_of: BTreeMap<CallId, LeadId>,
    live: BTreeMap<CallId, bool>,
    /// INVITEs: when, and to which lead.
    sent: Vec<(Time, LeadId)>,
    /// When calls were sent that rang.
    rang: Vec<Time>,
    finished: bool,
}

impl World {
    fn new(scene: Scene) -> Self {
        let rows = scene.callees.iter().enumerate().map(|(row, (number, _))| {
            let id = LeadId(row as i64 + 1);
            let lead = Lead { id, phones: vec![Phone::new(*number)], ..lead(1) };
            (id, Row { lead, state: LeadState::Open, leased: false })
        });
        let mut world = World {
            random: ChaCha8Rng::seed_from_u64(scene.seed),
            dialer: Dialer::new(scene.seed),
            now: Time::from_millis(1),
            rows: rows.collect(),
            results: BTreeMap::new(),
            events: BTreeMap::new(),
            event: 0,
            lead_of: BTreeMap::new(),
            live: BTreeMap::new(),
            sent: Vec::new(),
            rang: Vec::new(),
            finished: false,
            scene,
        };
        world.give(Input::ClockSet(MORNING));
        let (calls_max, calls_per_sec) = (world.scene.calls_max, world.scene.per_sec);
        world.give(Input::TrunkDefined(Trunk { calls_max, calls_per_sec, ..trunk(0) }));
        world.give(Input::TrunkChanged { trunk: TrunkId(0), state: TrunkState::Up });
        let leads_open = world.rows.len() as u64;
        let announcement = Some(Announcement {
            length: Duration::from_secs(5),
            plays: 1,
            input_wait: Duration::from_secs(1),
            pause: Duration::ZERO,
        });
        world.give(Input::CampaignOpened {
            campaign: Box::new(Campaign { announcement, ..campaign() }),
            leads_open,
            paused: false,
            abandons: Vec::new(),
            past: Vec::new(),
        });
        world
    }

    fn later(&mut self, millis: u64, input: Input) {
        self.event += 1;
        self.events.insert((self.now + Duration::from_millis(millis), self.event), input);
    }

    fn give(&mut self, input: Input) {
        self.dialer.handle(self.now, input);
        while let Some(output) = self.dialer.poll() {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        let utc = self.dialer.utc();
        match output {
            Output::FetchLeads { campaign, count, untried } => {
                let input = self.fetch(campaign, count as usize, untried, utc);
                self.later(1, input);
            }
            Output::OpenAttempt(request) => {
                let lead = request.lead.expect("no tests");
                assert_eq!(self.rows[&lead].state, LeadState::Open, "seed {}: {lead}", self.scene.seed);
                self.lead_of.insert(request.attempt.call(), lead);
                self.later(
                    2,
                    Input::AttemptOpened { attempt: request.attempt, verdict: DialVerdict::Opened },
                );
            }
            Output::PlaceCall { call, number, .. } => self.dial(call, number),
            Output::SaveAnswer { call, .. } => self.later(2, Input::AnswerSaved { call }),
            Output::HangUp { call, .. } if self.live.remove(&call).is_some() => {
                let (outcome, by) = (Outcome::Answered, EndedBy::Dialer);
                let ended = Ended { outcome, by, ..refused(outcome, 200) };
                self.later(10, Input::CallProgressed { call, progress: Progress::Ended(ended) });
            }
            Output::SaveResult(result) => {
                let update = result.lead.clone().expect("a lead");
                let row = self.rows.get_mut(&update.lead).expect("a row");
                row.lead.phones = update.phones;
                row.lead.next_at = update.next_at;
                row.lead.uncounted = update.uncounted;
                (row.state, row.leased) = (update.state, false);
                let attempt = result.attempt;
                self.results.insert(attempt, *result);
                self.later(2, Input::ResultSaved { attempt });
            }
            Output::SaveLead(update) => {
                let row = self.rows.get_mut(&update.lead).expect("a row");
                row.lead.phones = update.phones;
                row.lead.next_at = update.next_at;
                (row.state, row.leased) = (update.state, false);
            }
            Output::ReturnLeads { leads, .. } => {
                leads.iter().for_each(|lead| self.rows.get_mut(lead).expect("a row").leased = false);
            }
            Output::TakeBack { attempts, next_at, .. } => {
                attempts.iter().for_each(|attempt| self.take_back(*attempt, next_at));
            }
            Output::MakeDue { leads, at, .. } => {
                for lead in leads {
                    let row = self.rows.get_mut(&lead).expect("a row");
                    if row.state == LeadState::Open {
                        row.lead.phones[0].next_at = row.lead.phones[0].next_at.min(Some(at));
                        row.lead.next_at = row.lead.earliest();
                    }
                }
            }
            Output::CampaignFinished { .. } => self.finished = true,
            _ => {}
        }
    }

    fn take_back(&mut self, attempt: AttemptId, next_at: Utc) {
        let result = self.results.get_mut(&attempt).expect("an ended attempt");
        assert_eq!(result.answered_at, None, "an answered call is never taken back");
        let lead = self.lead_of[&attempt.call()];
        let row = self.rows.get_mut(&lead).expect("a row");
        if row.state == LeadState::Done {
            return;
        }
        let phone = &mut row.lead.phones[0];
        phone.attempts -= u32::from(result.counted);
        row.lead.uncounted -= u32::from(!result.counted);
        (phone.closed, phone.next_at, phone.last_outcome) = (false, Some(next_at), Some(Outcome::LineFault));
        (result.outcome, result.counted) = (Outcome::LineFault, false);
        row.state = LeadState::Open;
        row.lead.next_at = row.lead.earliest();
    }

    fn fetch(&mut self, campaign: CampaignId, count: usize, untried: bool, utc: Utc) -> Input {
        let due = |row: &Row| row.state == LeadState::Open && !row.leased;
        let key = |row: &Row| (row.lead.next_at.is_none(), row.lead.next_at, row.lead.id);
        let mut ready: Vec<_> = self
            .rows
            .values()
            .filter(|row| due(row) && row.lead.next_at.map_or(untried, |at| at <= utc))
            .map(key)
            .collect();
        ready.sort_unstable();
        ready.truncate(count);
        let mut leads = Vec::new();
        for (.., id) in ready {
            let row = self.rows.get_mut(&id).expect("a row");
            row.leased = true;
            leads.push(row.lead.clone());
        }
        let waiting = self.rows.values().filter(|row| due(row)).filter_map(|row| row.lead.next_at);
        let next_due = waiting.min();
        let leads_open = self.rows.values().filter(|row| row.state == LeadState::Open).count() as u64;
        Input::LeadsArrived { campaign, leads, next_due, leads_open }
    }

    fn dial(&mut self, call: CallId, number: PhoneNumber) {
        let lead = self.lead_of[&call];
        self.sent.push((self.now, lead));
        let digits = number.as_u64().to_string();
        let block = self.scene.blocks.iter().find(|block| {
            (block.from..block.until).contains(&self.now)
                && block.prefix.is_none_or(|prefix| digits.starts_with(prefix))
        });
        let callee = self.scene.callees[lead.0 as usize - 1].1;
        let answer = match (block, callee) {
            (Some(block), _) => Some((block.outcome, block.code)),
            (None, Callee::Bad(outcome, code)) => Some((outcome, code)),
            (None, Callee::Good) => None,
        };
        let delay = self.random.random_range(3..=self.scene.delay_max);
        self.later(3, Input::CallProgressed { call, progress: Progress::Trying });
        match answer {
            Some((outcome, code)) => {
                let progress = Progress::Ended(refused(outcome, code));
                self.later(delay.max(4), Input::CallProgressed { call, progress });
            }
            None => {
                self.rang.push(self.now);
                let ring = self.random.random_range(300..2_500);
                self.later(ring, Input::CallProgressed { call, progress: Progress::Ringing });
                let up = ring + self.random.random_range(1_000..9_000);
                self.live.insert(call, true);
                self.later(up, Input::CallProgressed { call, progress: Progress::Answered });
            }
        }
    }

    /// Runs until the campaign is finished or `until`.
    fn run(&mut self, until: Time) {
        while !self.finished {
            let event = self.events.first_key_value().map(|((at, _), _)| *at);
            let Some(next) = event.into_iter().chain(self.dialer.next_wake()).min() else { return };
            if next > until {
                return;
            }
            self.now = self.now.max(next);
            match self.events.pop_first() {
                Some(((at, _), input)) if at <= self.now => self.give(input),
                other => {
                    self.events.extend(other);
                    self.give(Input::TimePassed);
                }
            }
        }
    }

    fn good(&self) -> impl Iterator<Item = &Row> {
        let callees = &self.scene.callees;
        self.rows.values().filter(|row| callees[row.lead.id.0 as usize - 1].1 == Callee::Good)
    }
}

fn refused(outcome: Outcome, code: u16) -> Ended {
    Ended {
        outcome,
        by: EndedBy::Carrier,
        sip_code: Some(code),
        cause: String::new(),
        retry_after: None,
        try_next_trunk: matches!(outcome, Outcome::LineFault | Outcome::CarrierBlock),
    }
}

const REFUSALS: [(Outcome, u16); 6] = [
    (Outcome::Vacant, 404),
    (Outcome::CarrierBlock, 403),
    (Outcome::Unreachable, 480),
    (Outcome::LineFault, 500),
    (Outcome::LineFault, 488),
    (Outcome::Rejected, 603),
];

/// Mobile networks and areas that the numbers come from.
const NETWORKS: [&str; 5] = ["86138", "86139", "86186", "86755", "8610"];

fn scene(seed: u64) -> Scene {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed);
    let calls_max = [1, 5, 30, 100][random.random_range(0..4)];
    let per_sec = [2.0, 10.0, 50.0][random.random_range(0..3)];
    let rows = random.random_range(150..500);
    let bad = [0.0, 0.05, 0.3, 0.6][random.random_range(0..4)];
    let head = [0, 0, 12][random.random_range(0..3)];
    let mut callees = Vec::new();
    for row in 0..rows {
        let network = NETWORKS[random.random_range(0..NETWORKS.len())];
        let length = if network.starts_with("861") && network != "8610" { 13 } else { 12 };
        let rest = length - network.len();
        // The row makes each number its own; the digits before it are spread over the network.
        let spread =
            2 * 10u64.pow(rest as u32 - 1) + random.random_range(0..7u64) * 10u64.pow(rest as u32 - 1);
        let digits: u64 =
            format!("{network}{:0rest$}", spread + row * 10_007 % 900_000).parse().expect("digits");
        let number = PhoneNumber::from_e164(digits).expect("a number");
        let refusal = REFUSALS[random.random_range(0..REFUSALS.len())];
        // Most bad numbers of a list are vacant.
        let refusal = if random.random_bool(0.7) { REFUSALS[0] } else { refusal };
        let is_bad = row < head || random.random_bool(bad);
        callees.push((number, if is_bad { Callee::Bad(refusal.0, refusal.1) } else { Callee::Good }));
    }
    let mut blocks = Vec::new();
    if random.random_bool(0.7) {
        let from = Time::from_millis([0, 0, 20_000, 60_000][random.random_range(0..4)]);
        let until = from + Duration::from_secs(random.random_range(20..400));
        let prefix = random.random_bool(0.4).then(|| NETWORKS[random.random_range(0..NETWORKS.len())]);
        let refusals = if prefix.is_some() { &REFUSALS[1..5] } else { &REFUSALS[..] };
        let (outcome, code) = refusals[random.random_range(0..refusals.len())];
        blocks.push(Block { from, until, prefix, outcome, code });
    }
    Scene { seed, callees, blocks, calls_max, per_sec, delay_max: [8, 150, 1_500][random.random_range(0..3)] }
}

/// Seeds of the property: sixty, or those of `PACELINE_SEEDS=1000-1499`.
fn seeds() -> std::ops::RangeInclusive<u64> {
    let given = std::env::var("PACELINE_SEEDS").ok();
    let range = given.as_deref().and_then(|given| given.split_once('-'));
    let bounds = range.and_then(|(first, last)| Some(first.parse().ok()?..=last.parse().ok()?));
    bounds.unwrap_or(0..=59)
}

#[test]
fn no_list_is_burned_and_no_good_number_waits_long() {
    let (mut burned_all, mut scenes) = (0, 0);
    for seed in seeds() {
        let scene = scene(seed);
        let said = format!(
            "seed {seed}: {} rows, {:?}, {} lines, {}/s, refused within {} ms",
            scene.callees.len(),
            scene.blocks,
            scene.calls_max,
            scene.per_sec,
            scene.delay_max
        );
        let mut world = World::new(scene);
        world.run(Time::from_millis(3 * 3_600_000));
        assert_eq!(world.dialer.drift(), None, "{said}");
        let burned = world.good().filter(|row| row.state == LeadState::Failed).count();
        let open = world.good().filter(|row| row.state == LeadState::Open).count();
        assert!(burned <= 5, "{said}: {burned} good leads were charged");
        assert_eq!(open, 0, "{said}: good leads are still open");
        (burned_all, scenes) = (burned_all + burned, scenes + 1);
        assert_waits(&world, &said);
        // Calls are not wasted: each good lead is reached once, refusals are bounded.
        let most = world.rows.len() * 4 + 400;
        assert!(world.sent.len() <= most, "{said}: {} calls", world.sent.len());
    }
    assert!(burned_all <= scenes, "{burned_all} good leads were charged in {scenes} scenes");
}

/// While the carrier takes calls and good leads that were never called remain, one is dialled every 30 s.
fn assert_waits(world: &World, said: &str) {
    let callees = &world.scene.callees;
    // Leads of a blocked region wait for their region.
    let in_region = |number: PhoneNumber| {
        let digits = number.as_u64().to_string();
        world.scene.blocks.iter().any(|block| block.prefix.is_some_and(|prefix| digits.starts_with(prefix)))
    };
    let good = |lead: LeadId| {
        let (number, callee) = callees[lead.0 as usize - 1];
        callee == Callee::Good && !in_region(number)
    };
    let mut first_calls: BTreeMap<LeadId, Time> = BTreeMap::new();
    for (at, lead) in world.sent.iter().filter(|(_, lead)| good(*lead)) {
        first_calls.entry(*lead).or_insert(*at);
    }
    let blocked = |from: Time, until: Time| {
        world
            .scene
            .blocks
            .iter()
            .any(|block| block.from < until && from < block.until && block.prefix.is_none())
    };
    let last = first_calls.values().max().copied().unwrap_or_default();
    let mut good_calls: Vec<Time> = world.rang.clone();
    good_calls.retain(|at| *at <= last);
    let ends = world.scene.blocks.iter().filter(|block| block.prefix.is_none()).map(|block| block.until);
    let mut moments: Vec<Time> = good_calls.into_iter().chain(ends.filter(|end| *end <= last)).collect();
    moments.push(Time::ZERO);
    moments.sort_unstable();
    for pair in moments.windows(2).filter(|pair| !blocked(pair[0], pair[1])) {
        // A talk may hold the only line.
        let allowed = 30 + if world.scene.calls_max == 1 { 30 } else { 0 };
        let waited = pair[1] - pair[0];
        assert!(waited <= Duration::from_secs(allowed), "{said}: waited {waited:?} from {}", pair[0]);
    }
}

#[test]
fn a_line_that_never_works_keeps_every_lead_and_says_why() {
    let callees = (0..40).map(|n| (number(n), Callee::Good)).collect();
    let block = Block {
        from: Time::ZERO,
        until: Time::from_millis(u64::MAX),
        prefix: None,
        outcome: Outcome::CarrierBlock,
        code: 403,
    };
    let blocks = vec![block];
    let mut world =
        World::new(Scene { seed: 1, callees, blocks, calls_max: 100, per_sec: 50.0, delay_max: 8 });
    world.run(Time::from_millis(60_000));
    assert!(world.rows.values().all(|row| row.state == LeadState::Open && row.lead.uncounted == 0));
    assert!(world.results.values().all(|result| result.outcome == Outcome::LineFault && !result.counted));
    let view = world.dialer.view(ID);
    let line = view.line.expect("the line is named");
    assert!(line.all && line.trouble.sip_code == Some(403), "{line:?}");
    assert_eq!(world.dialer.resting_trunks(), [line], "the trunk says the same");
    assert!(line.until.is_none_or(|at| at > world.dialer.utc()), "probes are out, or leave later: {line:?}");
    let mut called: Vec<LeadId> = world.sent.iter().map(|(_, lead)| *lead).collect();
    let calls = called.len();
    called.sort_unstable();
    called.dedup();
    assert_eq!(called.len(), calls, "no lead that failed is a probe again within a minute");
}

#[test]
fn a_dozen_odd_numbers_do_not_stop_ten_thousand_good_ones() {
    for (outcome, code) in REFUSALS {
        let odd = (0..12).map(|n| (number(n), Callee::Bad(outcome, code)));
        let callees = odd.chain((12..600).map(|n| (number(n), Callee::Good))).collect();
        let blocks = Vec::new();
        let mut world =
            World::new(Scene { seed: 2, callees, blocks, calls_max: 200, per_sec: 50.0, delay_max: 8 });
        world.run(Time::from_millis(90_000));
        let done = world.good().filter(|row| row.state == LeadState::Done).count();
        assert_eq!(done, 588, "{code}: good leads reached");
    }
}
