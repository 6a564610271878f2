//! The set rate of campaigns and trunks, measured at the INVITEs of a whole dialer whose store and timers are
//! late.

use super::*;
use rand::RngExt;

/// Campaigns with their own rates (0 = none) on one trunk, dialling for ten seconds after a warm-up.
struct Load {
    dialer: Dialer,
    random: ChaCha8Rng,
    now: Time,
    replies: BTreeMap<(Time, u64), Input>,
    replied: u64,
    leads: i64,
    /// When INVITEs left, by campaign.
    sent: BTreeMap<CampaignId, Vec<u64>>,
}

impl Load {
    fn new(seed: u64, trunk_rate: f64, rates: &[f64]) -> Self {
        let mut load = Load {
            dialer: Dialer::new(seed),
            random: ChaCha8Rng::seed_from_u64(seed),
            now: Time::from_millis(3),
            replies: BTreeMap::new(),
            replied: 0,
            leads: 0,
            sent: BTreeMap::new(),
        };
        load.give(Input::ClockSet(MORNING));
        load.give(Input::TrunkDefined(Trunk { calls_max: 1_000_000, calls_per_sec: trunk_rate, ..trunk(0) }));
        load.give(Input::TrunkChanged { trunk: TrunkId(0), state: TrunkState::Up });
        for (nth, rate) in rates.iter().enumerate() {
            let id = CampaignId(nth as i64 + 1);
            let rules = Campaign { id, calls_per_sec: Some(*rate), concurrency_max: None, ..campaign() };
            load.give(Input::CampaignOpened {
                campaign: Box::new(rules),
                leads_open: 1_000_000,
                paused: false,
                abandons: Vec::new(),
                past: Vec::new(),
            });
        }
        load
    }

    fn give(&mut self, input: Input) {
        self.dialer.handle(self.now, input);
        while let Some(output) = self.dialer.poll() {
            match output {
                Output::FetchLeads { campaign, count, .. } => {
                    let ids = self.leads + 1..=self.leads + i64::from(count);
                    self.leads = *ids.end();
                    let leads = ids.map(numbered).collect();
                    self.reply(Input::LeadsArrived {
                        campaign,
                        leads,
                        next_due: None,
                        leads_open: 1_000_000,
                    });
                }
                Output::OpenAttempt(request) => {
                    let (attempt, verdict) = (request.attempt, DialVerdict::Opened);
                    self.reply(Input::AttemptOpened { attempt, verdict });
                }
                Output::PlaceCall { call, .. } => {
                    let campaign = self.dialer.call_now(call).expect("a live call").campaign;
                    self.sent.entry(campaign).or_default().push(self.now.as_millis());
                    self.reply(Input::CallProgressed { call, progress: Progress::Ringing });
                }
                _ => {}
            }
        }
    }

    /// The store and the network answer in order, up to 12 ms later.
    fn reply(&mut self, input: Input) {
        let at = self.now + Duration::from_millis(self.random.random_range(0..=12));
        let at = self.replies.last_key_value().map_or(at, |((last, _), _)| at.max(*last));
        self.replied += 1;
        self.replies.insert((at, self.replied), input);
    }

    fn run(&mut self, until: Time, late_max: u64) {
        loop {
            let reply = self.replies.first_key_value().map(|((at, _), _)| *at);
            let late = Duration::from_millis(self.random.random_range(0..=late_max));
            let wake = self.dialer.next_wake().map(|at| at + late);
            let Some(next) = reply.into_iter().chain(wake).min().filter(|next| *next < until) else { return };
            self.now = self.now.max(next);
            match self.replies.pop_first() {
                Some(((at, _), input)) if at <= self.now => self.give(input),
                other => {
                    self.replies.extend(other);
                    self.give(Input::TimePassed);
                }
            }
        }
    }
}

fn numbered(id: i64) -> Lead {
    let number = PhoneNumber::from_e164(8_613_800_000_000 + id as u64).expect("a number");
    Lead { id: LeadId(id), phones: vec![Phone::new(number)], ..lead(1) }
}

fn most_in_a_second(starts: &[u64]) -> usize {
    let (mut first, mut most) = (0, 0);
    for (last, start) in starts.iter().enumerate() {
        while starts[first] + 1_000 <= *start {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most
}

/// Trunk rate, the campaigns' own rates, and what all of them together should place in a second.
const LOADS: &[(f64, &[f64], f64)] = &[
    (0.5, &[0.0], 0.5),
    (20.0, &[0.0], 20.0),
    (300.0, &[0.0], 300.0),
    (100.0, &[30.0], 30.0),
    (100.0, &[0.0, 5.0, 0.0], 100.0),
    (600.0, &[250.0, 250.0, 0.0], 600.0),
    (800.0, &[0.0], 800.0),
];

#[test]
fn invites_leave_at_the_set_rate_and_never_faster() {
    for (seed, (trunk_rate, rates, wanted)) in LOADS.iter().enumerate() {
        let said = format!("seed {seed}: trunk {trunk_rate}/s, campaigns {rates:?}");
        let mut load = Load::new(seed as u64, *trunk_rate, rates);
        load.run(Time::from_millis(1_000), 4);
        let warm: usize = load.sent.values().map(Vec::len).sum();
        load.run(Time::from_millis(11_000), 4);
        assert_eq!(load.dialer.drift(), None, "{said}");
        let mut all: Vec<u64> = load.sent.values().flatten().copied().collect();
        all.sort_unstable();
        assert!(most_in_a_second(&all) as f64 <= trunk_rate.ceil(), "{said}: {}", most_in_a_second(&all));
        let (placed, wanted) = ((all.len() - warm) as f64, wanted * 10.0);
        assert!(placed >= (wanted * 0.99).min(wanted - 1.0), "{said}: {placed} of {wanted}");
        for (rate, starts) in rates.iter().zip(load.sent.values()).filter(|(rate, _)| **rate > 0.0) {
            assert!(most_in_a_second(starts) as f64 <= rate.ceil(), "{said}: a campaign of {rate}/s");
        }
    }
}
