//! Whole days of calling in virtual time, with crashes, a slow store and a full disk at any step. The
//! properties are checked against the store and all outputs of the dialer; a failure names its seed.

mod caller_ids;
mod floor;
mod households;
mod judge;
mod many;
mod properties;
pub mod replays;

use paceline::sim::day::{Day, Troubles};
use paceline::sim::line::Line;
use paceline::sim::memory_store::MemoryStore;
use paceline::sim::people::Population;
use paceline_core::call::Digit;
use paceline_core::campaign::{
    Announcement, CallerId, CallerIdRules, CallingWindows, Campaign, DayWindow, HomeCountry, KeyRule, Mode,
    RetryRules, Rotation, Trunk,
};
use paceline_core::ids::{CampaignId, HouseholdId, LeadId, TrunkId};
use paceline_core::lead::{Lead, Phone};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::Outcome;
use paceline_core::time::{Duration, Time, Utc, WallClock};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// C4: after every input each counter of the dialer equals the sum over its calls. A counter that drifted
/// would slow a campaign down, or stop it, without a visible reason.
pub fn counters_agree(seed: u64) -> paceline::sim::day::Inspect {
    Box::new(move |at, _, input, dialer| {
        if let Some(drift) = dialer.drift() {
            panic!("seed {seed}, at {at}, after {input:?}: {drift}");
        }
    })
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// A campaign, a list and faults, all drawn from one seed.
pub struct Plan {
    seed: u64,
    start: Utc,
    campaign: Campaign,
    trunks: Vec<Trunk>,
    leads: Vec<Lead>,
    people: Arc<Population>,
    troubles: Troubles,
}

impl Plan {
    fn from_seed(seed: u64, leads: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let zones = ["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"];
        let timezone = zones[random.random_range(0..zones.len())].to_owned();
        let households = random.random_range(1..=leads.max(2));
        let leads = (0..leads).map(|n| lead(n, households, &mut random)).collect();
        Plan {
            seed,
            // Around a change of daylight saving in the north or the south, at any time of day.
            start: Utc::from_millis(
                [1_772_841_600_000, 1_793_404_800_000, 1_775_260_800_000][random.random_range(0..3)]
                    + random.random_range(0..86_400_000),
            ),
            campaign: campaign(timezone, &mut random),
            trunks: (0..random.random_range(1..=2)).map(|n| trunk(n, &mut random)).collect(),
            leads,
            people: Arc::new(people(seed, &mut random)),
            troubles: Troubles {
                store_delay_max: Duration::from_millis(random.random_range(0..40)),
                crash_every: random.random_bool(0.7).then(|| MINUTE * random.random_range(1..120)),
                stall_every: random.random_bool(0.3).then(|| MINUTE * random.random_range(5..240)),
            },
        }
    }

    fn day(&self) -> Day<Line> {
        let mut store = MemoryStore::default();
        for lead in &self.leads {
            store.add_lead(lead.clone());
        }
        let mut line = Line::new(self.people.clone(), WallClock::new(Time::ZERO, self.start));
        line.set_announcement(self.campaign.id, Duration::from_secs(8));
        let (campaign, trunks) = (self.campaign.clone(), self.trunks.clone());
        Day::new(self.seed, self.start, campaign, trunks, store, line, self.troubles)
    }
}

fn campaign(timezone: String, random: &mut ChaCha8Rng) -> Campaign {
    let key = |result: &str| KeyRule { result: Some(result.into()), ..KeyRule::default() };
    let from_minute = random.random_range(0..1440);
    let numbers = (0..random.random_range(0..4u64)).map(|n| {
        let number = PhoneNumber::from_e164(8_675_512_345_670 + n).expect("a number");
        CallerId { number: number.into(), shown: number.national() }
    });
    let rotations =
        [Rotation::InOrder, Rotation::RoundRobin, Rotation::Random, Rotation::LeastUsed, Rotation::Region];
    Campaign {
        id: CampaignId(1),
        name: "virtual".into(),
        mode: Mode::Announce,
        trunks: vec![TrunkId(0), TrunkId(1)],
        ring: Duration::from_secs(random.random_range(10..60)),
        setup: Duration::from_secs(30),
        concurrency_max: random.random_bool(0.5).then(|| random.random_range(1..50)),
        calls_per_sec: random.random_bool(0.5).then(|| f64::from(random.random_range(1..10))),
        windows: CallingWindows {
            timezone,
            windows: vec![DayWindow {
                days: [true, true, random.random_bool(0.5), true, true, random.random_bool(0.5), true],
                from_minute,
                // The window may reach over midnight.
                to_minute: (from_minute + random.random_range(60..900)) % 1440,
            }],
            ..CallingWindows::default()
        },
        start: None,
        end: None,
        retry: RetryRules {
            attempts_max: random.random_range(1..=4),
            per_day_max: random.random_range(1..=3),
            gap_min: MINUTE * random.random_range(0..60),
            after: [
                (Outcome::NoAnswer, HOUR * random.random_range(0..4)),
                (Outcome::Busy, MINUTE * 10),
                (Outcome::PoweredOff, HOUR * 4),
                (Outcome::Interrupted, MINUTE * 5),
            ]
            .into(),
        },
        announcement: Some(Announcement {
            length: Duration::from_secs(8),
            plays: 1,
            pause: Duration::ZERO,
            input_wait: Duration::from_secs(5),
        }),
        keys: [
            ('1', key("agree")),
            ('2', key("against")),
            ('9', KeyRule { repeat: true, ..KeyRule::default() }),
            ('*', KeyRule { blacklist: true, ..KeyRule::default() }),
        ]
        .map(|(key, rule)| (Digit::from_char(key).expect("a key"), rule))
        .into(),
        caller_ids: CallerIdRules {
            numbers: numbers.collect(),
            rotation: rotations[random.random_range(0..rotations.len())],
            sticky: random.random_bool(0.5),
            per_hour_max: random.random_bool(0.3).then(|| random.random_range(5..200)),
            per_day_max: random.random_bool(0.3).then(|| random.random_range(50..2000)),
            warm_up: false,
            register: Default::default(),
        },
        agents: None,
        pacing: Default::default(),
        home: HomeCountry::china(),
    }
}

fn trunk(n: u16, random: &mut ChaCha8Rng) -> Trunk {
    Trunk {
        id: TrunkId(n),
        name: format!("trunk-{n}"),
        calls_max: random.random_range(1..60),
        calls_per_sec: f64::from(random.random_range(1..30)),
        setup: None,
        allow: Vec::new(),
        deny: Vec::new(),
    }
}

fn lead(n: u64, households: u64, random: &mut ChaCha8Rng) -> Lead {
    let phones = if random.random_bool(0.3) { 2 } else { 1 };
    Lead {
        id: LeadId(n as i64 + 1),
        row: n + 2,
        household: random.random_bool(0.6).then(|| HouseholdId(random.random_range(0..households) as i64)),
        // Some numbers stand in several rows: imports refuse those, but the dialer must handle them.
        phones: (0..phones)
            .map(|p| {
                let twin = random.random_bool(0.05) && n > 0;
                let of = if twin { random.random_range(0..n) } else { n };
                Phone::new(PhoneNumber::from_e164(8_614_000_000_000 + of * 2 + p).expect("a number"))
            })
            .collect(),
        next_at: None,
        uncounted: 0,
        callback: None,
        last_agent: None,
        assigned: None,
        is_first: false,
        version: 0,
    }
}

fn people(seed: u64, random: &mut ChaCha8Rng) -> Population {
    let trouble = if random.random_bool(0.5) { 0.05 } else { 0.0 };
    let text = format!(
        "seed = {seed}\n[trouble]\nunavailable = {trouble}\nslow = 0.1\nsilent = {}\nretry_after_secs = 2\n",
        trouble / 5.0
    );
    Population::parse(&text).expect("people")
}
