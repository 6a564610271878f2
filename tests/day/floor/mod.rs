//! Whole days on the floor in virtual time, under every dialling mode: agents who take breaks, lose their
//! network, never answer, restart their phones and forget to sign out.

mod actions;
mod bookings;
mod changes;
mod end_checks;
mod interfering_manager;
mod judge;
mod lead_checks;
pub mod ledger;
mod orders;
pub mod properties;
mod replay_view;

use paceline::sim::agents::{AgentProfile, WorkContext, Workforce};
use paceline::sim::day::{Day, Troubles};
use paceline::sim::line::{CalleeProfile, Line};
use paceline::sim::memory_store::MemoryStore;
use paceline::sim::people::{Population, Spread};
use paceline::sim::random::SimRng;
use paceline_core::agent::{Agent, Group, Membership, Strategy, WorkMode, WrapUp};
use paceline_core::call::Digit;
use paceline_core::campaign::{
    AgentRules, Announcement, CalleePattern, CallerIdRules, CallingWindows, Campaign, Disposition,
    HomeCountry, KeyRule, Mode, PacingRules, Preview, Recorded, RetryRules, Rotation, Trunk,
};
use paceline_core::ids::{AgentId, CampaignId, GroupId, HouseholdId, LeadId, TrunkId};
use paceline_core::lead::{Lead, Phone};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::{LeadState, Outcome};
use paceline_core::pacing::ledger::RuleSet;
use paceline_core::pacing::shadow::ShadowRules;
use paceline_core::time::{Duration, Time, Utc, WallClock};
use std::sync::Arc;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const GROUP: GroupId = GroupId(1);
/// Where the rules change, the campaign moves between two groups.
const OTHER_GROUP: GroupId = GroupId(2);

/// Monday, 8 o'clock in Shanghai.
const START: Utc = Utc::from_millis(1_794_182_400_000);

/// A campaign, its agents, a list and faults, all drawn from one seed.
pub struct FloorPlan {
    pub seed: u64,
    pub campaign: Campaign,
    pub trunk: Trunk,
    pub group: Group,
    pub agents: Vec<Agent>,
    pub profile: AgentProfile,
    pub leads: Vec<Lead>,
    pub people: Arc<Population>,
    pub callee_profile: CalleeProfile,
    pub troubles: Troubles,
    /// A manager interferes all day long.
    pub managed: bool,
    /// The manager changes the campaign's rules too, and agents are of two groups.
    pub changed: bool,
}

impl FloorPlan {
    pub fn from_seed(seed: u64, mode: Mode, leads: i64) -> Self {
        let mut rng = SimRng::keyed(seed, &[mode as u64]);
        let agents = 1 + (rng.next_u64() % 8) as i64;
        let wild = rng.chance(0.6);
        let mut campaign = campaign(mode, &mut rng);
        // A random stream of its own: the rest of the day does not depend on it.
        campaign.pacing.shadow = shadow(&mut SimRng::keyed(seed, &[mode as u64, 1]));
        FloorPlan {
            seed,
            campaign,
            trunk: Trunk {
                id: TrunkId(0),
                name: "trunk".into(),
                calls_max: 60,
                calls_per_sec: 50.0,
                setup: None,
                allow: vec![CalleePattern::every()],
                deny: Vec::new(),
            },
            group: group(&mut rng),
            agents: (1..=agents).map(|n| agent(n, &mut rng)).collect(),
            profile: if wild { AgentProfile::wild() } else { AgentProfile::default() },
            leads: (1..=leads).map(|n| lead(n, leads, &mut rng)).collect(),
            people: Arc::new(people(seed)),
            callee_profile: CalleeProfile {
                patience: Spread::new(15.0, 0.8, 0.2, 120.0),
                calls_back: if rng.chance(0.5) { 0.2 } else { 0.0 },
                ..CalleeProfile::default()
            },
            troubles: Troubles {
                store_delay_max: Duration::from_millis(rng.next_u64() % 40),
                crash_every: rng.chance(0.4).then(|| HOUR + MINUTE * (rng.next_u64() % 240) as u32),
                stall_every: rng.chance(0.2).then_some(HOUR),
            },
            managed: false,
            changed: false,
        }
    }

    /// A day on which the campaign's rules change at any moment.
    pub fn changing(seed: u64, mode: Mode, leads: i64) -> Self {
        let mut plan = FloorPlan { managed: true, changed: true, ..FloorPlan::from_seed(seed, mode, leads) };
        let mut rng = SimRng::keyed(seed, &[mode as u64, 9]);
        for agent in &mut plan.agents {
            let member = |group| Membership { group, priority: 1, in_use: true };
            agent.groups = match rng.next_u64() % 3 {
                0 => vec![member(GROUP)],
                1 => vec![member(OTHER_GROUP)],
                _ => vec![member(GROUP), member(OTHER_GROUP)],
            };
        }
        // The list is called to its end by the group that the campaign has in the end.
        plan.agents[0].groups = vec![Membership { group: GROUP, priority: 1, in_use: true }];
        plan
    }

    pub fn day(&self) -> Day<Line> {
        let mut store = MemoryStore::default();
        self.leads.iter().cloned().for_each(|lead| store.add_lead(lead));
        let clock = WallClock::new(Time::ZERO, START);
        let mut line = Line::new(self.people.clone(), clock);
        line.set_announcement(self.campaign.id, Duration::from_secs(8));
        line.set_callee_profile(self.callee_profile.clone());
        let trunks = vec![self.trunk.clone()];
        let mut day = Day::new(self.seed, START, self.campaign.clone(), trunks, store, line, self.troubles);
        let context = WorkContext {
            campaign: self.campaign.id,
            group: GROUP,
            dispositions: self.rules().dispositions.clone(),
            leads: self.leads.iter().map(|lead| lead.id).collect(),
            outside: (0..40).map(|n| number(9_000 + n)).collect(),
        };
        let mut groups = vec![self.group.clone()];
        if self.changed {
            groups.push(Group { id: OTHER_GROUP, name: "second".into(), ..self.group.clone() });
        }
        let (agents, profile) = (self.agents.clone(), self.profile.clone());
        day.floor = Some(Workforce::new(self.seed, clock, context, groups, agents, profile));
        day
    }

    pub fn rules(&self) -> &AgentRules {
        self.campaign.agents.as_ref().expect("a campaign with agents")
    }
}

/// The inputs of a day on which the rules change, in one process.
pub fn recorded_with_changes(seed: u64) -> (u64, Vec<(Time, paceline_core::dialer::Input)>) {
    let mut plan = FloorPlan::changing(seed, Mode::Predictive, 120);
    plan.troubles.crash_every = None;
    let mut day = plan.day();
    let judge = judge::FloorJudge::default();
    day.watch = Some(judge.watcher());
    day.inspect = Some(judge.inspector(&plan));
    day.journal = Some(Vec::new());
    interfering_manager::run(&mut day, &plan, &judge, Time::ZERO + HOUR * 72);
    assert_eq!(judge.seen.borrow().broken, None, "seed {seed}");
    (seed, day.journal.take().expect("a journal"))
}

/// Agents who sign in at once, stay, and answer every call.
fn steady() -> AgentProfile {
    AgentProfile {
        late: Spread::new(1.0, 0.1, 0.0, 10.0),
        shift: Spread::new(86_400.0, 0.01, 86_000.0, 86_400.0),
        between_breaks: Spread::new(86_400.0, 0.01, 86_000.0, 86_400.0),
        nailed_up: 1.0,
        telephone: 0.0,
        misses: 0.0,
        declines: 0.0,
        holds: 0.0,
        consults: 0.0,
        moves_phone: 0.0,
        loses_network: 0.0,
        callbacks: 0.0,
        phone_crashes: 0.0,
        own_calls: 0.0,
        clumsy: 0.0,
        supervises: 0.0,
        ..AgentProfile::default()
    }
}

fn pick<T: Copy>(rng: &mut SimRng, all: &[T]) -> T {
    all[rng.next_u64() as usize % all.len()]
}

fn campaign(mode: Mode, rng: &mut SimRng) -> Campaign {
    let announce = mode == Mode::Announce;
    let hands_over = KeyRule { agents: true, ..KeyRule::default() };
    let key = Digit::from_char('1').expect("a key");
    Campaign {
        id: CampaignId(1),
        name: "floor".into(),
        mode,
        trunks: vec![TrunkId(0)],
        ring: Duration::from_secs(30),
        setup: Duration::from_secs(20),
        concurrency_max: announce.then_some(6),
        calls_per_sec: None,
        windows: CallingWindows::daily("Asia/Shanghai", 480, 1200),
        start: None,
        end: None,
        retry: RetryRules {
            attempts_max: 3,
            per_day_max: 3,
            gap_min: MINUTE * 10,
            after: [
                (Outcome::NoAnswer, HOUR),
                (Outcome::Busy, MINUTE * 10),
                (Outcome::Interrupted, MINUTE * 10),
                (Outcome::AgentFailed, MINUTE * 10),
            ]
            .into_iter()
            .chain(rng.chance(0.5).then_some((Outcome::Abandoned, HOUR * 3)))
            .collect(),
        },
        announcement: announce.then_some(Announcement {
            length: Duration::from_secs(8),
            plays: 1,
            pause: Duration::ZERO,
            input_wait: Duration::from_secs(5),
        }),
        keys: if announce { [(key, hands_over)].into() } else { Default::default() },
        caller_ids: CallerIdRules {
            numbers: Vec::new(),
            rotation: Rotation::InOrder,
            sticky: false,
            per_hour_max: None,
            per_day_max: None,
            warm_up: false,
            register: Default::default(),
        },
        agents: Some(agent_rules(rng)),
        home: HomeCountry::china(),
        pacing: PacingRules {
            call_ratio: pick(rng, &[1.0, 1.3, 2.0, 3.0]),
            abandon_rate_max: pick(rng, &[0.03, 0.1, 1.0]),
            abandon_rules: RuleSet::default(),
            abandoned_rest: HOUR * 3,
            answer_wait: Duration::from_secs(2),
            waiting_max: pick(rng, &[0, 2, 5]),
            may_cancel: false,
            shadow: None,
        },
    }
}

/// Now and then another setting runs in the shadow; it must not change any call.
fn shadow(rng: &mut SimRng) -> Option<ShadowRules> {
    let modes = [None, None, Some(Mode::Progressive), Some(Mode::Ratio), Some(Mode::Predictive)];
    let mode = pick(rng, &modes)?;
    Some(ShadowRules { mode, call_ratio: 2.0, abandon_rate_max: 0.03 })
}

fn agent_rules(rng: &mut SimRng) -> AgentRules {
    let disposition = |code: &str, state| Disposition {
        code: code.into(),
        label: code.into(),
        state,
        retry: None,
        do_not_call: false,
        wrong_number: false,
        machine: false,
    };
    let strategies = [
        Strategy::LongestIdle,
        Strategy::RoundRobin,
        Strategy::Random,
        Strategy::FewestAnswered,
        Strategy::Priority,
        Strategy::RingAll,
    ];
    let timed = Preview::Timed { countdown: Duration::from_secs(15), step: Duration::from_secs(10) };
    AgentRules {
        group: GROUP,
        strategy: pick(rng, &strategies),
        wrap_up: pick(rng, &[WrapUp::Answered, WrapUp::AnyRing, WrapUp::Off]),
        wrap_up_len: Duration::from_secs(20),
        ring: Duration::from_secs(12),
        announce_number: rng.chance(0.5),
        prefer_last: rng.chance(0.5),
        preview: pick(rng, &[Preview::Click, timed]),
        wait: Duration::from_secs(45),
        recorded: Recorded::PerAgent,
        dispositions: vec![
            disposition("agreed", LeadState::Done),
            disposition("against", LeadState::Done),
            disposition("unsaid", LeadState::Failed),
            Disposition { retry: Some(MINUTE * 30), ..disposition("bad_line", LeadState::Open) },
            Disposition { wrong_number: true, ..disposition("wrong_number", LeadState::Failed) },
            Disposition { do_not_call: true, ..disposition("never_again", LeadState::Failed) },
        ],
        disposition_required: rng.chance(0.5),
        disposition_default: Some("unsaid".into()),
    }
}

fn group(rng: &mut SimRng) -> Group {
    Group {
        id: GROUP,
        name: "team".into(),
        telephones: rng.chance(0.7),
        announce_number: true,
        idle_release: rng.chance(0.3).then_some(MINUTE * 30),
        work_mode: rng.chance(0.5).then_some(WorkMode::Both),
        seats: None,
    }
}

fn agent(n: i64, rng: &mut SimRng) -> Agent {
    Agent {
        id: AgentId(n),
        number: format!("{}", 8000 + n),
        name: format!("agent {n}"),
        skills: Default::default(),
        groups: vec![Membership { group: GROUP, priority: (n % 3) as u8, in_use: true }],
        telephone: Some(number(8_000 + n as u64)),
        recorded: rng.chance(0.3),
        leads: n == 1,
    }
}

fn lead(n: i64, leads: i64, rng: &mut SimRng) -> Lead {
    let phones = if rng.chance(0.3) { 2 } else { 1 };
    Lead {
        id: LeadId(n),
        row: n as u64 + 1,
        household: rng.chance(0.4).then(|| HouseholdId(1 + (rng.next_u64() as i64).rem_euclid(leads))),
        phones: (0..phones).map(|p| Phone::new(number(10_000 + n as u64 * 2 + p))).collect(),
        next_at: None,
        uncounted: 0,
        callback: None,
        last_agent: None,
        assigned: None,
        is_first: false,
        version: 0,
    }
}

fn number(n: u64) -> PhoneNumber {
    PhoneNumber::from_e164(8_613_900_000_000 + n).expect("a number")
}

fn people(seed: u64) -> Population {
    let text =
        format!("seed = {seed}\n[keys]\npress = {{ 1 = 0.5, 5 = 0.1 }}\nafter = {{ median_secs = 5.0 }}\n");
    Population::parse(&text).expect("people")
}
