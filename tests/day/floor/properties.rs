//! Many seeds, every mode, every property of the floor.

use super::judge::{FloorJudge, Seen};
use super::{FloorPlan, end_checks, interfering_manager, lead_checks};
use paceline::sim::agents::AgentProfile;
use paceline::sim::day::{Day, Troubles};
use paceline::sim::line::Line;
use paceline_core::campaign::Mode;
use paceline_core::outcome::Outcome;
use paceline_core::pacing::Why;
use paceline_core::time::{Duration, Time};
use std::collections::BTreeMap;

const HOUR: Duration = Duration::from_secs(3600);

/// A campaign that takes longer than this in virtual time does not end.
const LONGEST: Time = Time::from_millis(40 * 24 * 3_600_000);

/// Sums over several days, to check that a test met every case.
#[derive(Debug, Default)]
pub struct Total {
    days: u32,
    crashes: u32,
    checks: u64,
    bridged: usize,
    abandoned: usize,
    callbacks_kept: usize,
    bookings_dialled: u64,
    called_back: u64,
    most_waiting: usize,
    acts: BTreeMap<&'static str, u64>,
    refusals: BTreeMap<&'static str, u64>,
    whys: BTreeMap<Why, u64>,
}

impl Total {
    fn run(&mut self, plan: &FloorPlan) {
        self.judged(plan, |_| {}).unwrap_or_else(|broken| panic!("{broken}"));
    }

    /// Runs one day, from the first sign-in until every agent has signed out; returns the first broken
    /// property. `show` gets the day before it begins.
    pub fn judged(&mut self, plan: &FloorPlan, show: impl FnOnce(&mut Day<Line>)) -> Result<(), String> {
        let mut day = plan.day();
        let judge = FloorJudge::default();
        day.watch = Some(judge.watcher());
        day.inspect = Some(judge.inspector(plan));
        show(&mut day);
        let of = format!("seed {} in mode {}", plan.seed, plan.campaign.mode.word());
        let (finished, whole) = if plan.managed {
            interfering_manager::run(&mut day, plan, &judge, LONGEST)
        } else {
            (day.run(LONGEST), true)
        };
        if let Some(broken) = &judge.seen.borrow().broken {
            return Err(format!("{of}: {broken}"));
        }
        // Without outbound agents a campaign cannot finish.
        if !finished
            && day.floor.as_ref().is_some_and(|floor| floor.has_outbound_agents(plan.group.work_mode))
        {
            let (view, seats) = (day.dialer.view(day.campaign()), day.dialer.seats());
            return Err(format!("{of}: not finished after 40 days: {view:?} {seats:?}"));
        }
        let until = day.now + HOUR * 7;
        if !day.close(until) {
            return Err(format!("{of}: calls and legs stay: {:?}", day.dialer.seats()));
        }
        let seen = judge.seen.borrow();
        if let Some(broken) = &seen.broken {
            return Err(format!("{of}, while closing: {broken}"));
        }
        lead_checks::judge(plan, &seen, &day.store, finished && whole)
            .map_err(|broken| format!("{of}, afterwards: {broken}"))?;
        end_checks::judge(plan, &seen, &day.store, &day.dialer, finished && whole)
            .map_err(|broken| format!("{of}, afterwards: {broken}"))?;
        let floor = day.floor.as_ref().ok_or("no floor")?;
        if floor.legs() > 0 {
            return Err(format!("{of}: {} legs without an owner", floor.legs()));
        }
        self.add(&day, &seen);
        Ok(())
    }

    fn add(&mut self, day: &Day<Line>, seen: &Seen) {
        self.days += 1;
        self.crashes += day.crashes;
        self.checks += seen.checks;
        self.most_waiting = self.most_waiting.max(seen.most_waiting);
        self.called_back += day.far.called_back();
        self.bookings_dialled += seen.bookings.dialled;
        self.callbacks_kept += end_checks::callbacks_kept(seen, &day.store);
        for attempt in day.store.attempts() {
            let outcome = attempt.result.as_ref().map(|result| result.outcome);
            let connected = attempt.result.as_ref().is_some_and(|result| result.connected_at.is_some());
            self.bridged += usize::from(connected);
            self.abandoned += usize::from(outcome == Some(Outcome::Abandoned));
        }
        if let Some(floor) = &day.floor {
            for (into, from) in [(&mut self.acts, &floor.done), (&mut self.refusals, &floor.refused)] {
                from.iter().for_each(|(word, count)| *into.entry(word).or_default() += count);
            }
        }
        seen.whys.iter().for_each(|(why, count)| *self.whys.entry(*why).or_default() += count);
    }
}

fn many(mode: Mode, seeds: std::ops::Range<u64>) -> Total {
    let mut total = Total::default();
    for seed in seeds {
        total.run(&FloorPlan::from_seed(seed, mode, 120));
    }
    eprintln!("{mode:?}: {total:?}");
    assert!(total.bridged > 300 && total.acts.len() > 15, "too tame a test: {total:?}");
    total
}

#[test]
fn ratio_mode_keeps_every_property_of_the_floor() {
    let total = many(Mode::Ratio, 0..24);
    assert!(total.abandoned > 0 && total.callbacks_kept > 5 && total.crashes > 5, "too tame: {total:?}");
}

#[test]
fn progressive_mode_keeps_every_property_of_the_floor() {
    many(Mode::Progressive, 100..124);
}

#[test]
fn preview_mode_keeps_every_property_of_the_floor() {
    many(Mode::Preview, 200..224);
}

#[test]
fn predictive_mode_keeps_every_property_of_the_floor() {
    many(Mode::Predictive, 300..312);
}

#[test]
fn announce_mode_with_a_transfer_key_keeps_every_property_of_the_floor() {
    many(Mode::Announce, 400..424);
}

#[test]
fn rules_that_change_at_any_moment_keep_every_property_of_the_floor() {
    let mut total = Total::default();
    for (place, mode) in [Mode::Announce, Mode::Preview, Mode::Progressive, Mode::Ratio, Mode::Predictive]
        .into_iter()
        .enumerate()
    {
        for seed in 0..8 {
            total.run(&FloorPlan::changing(600 + place as u64 * 10 + seed, mode, 120));
        }
    }
    eprintln!("changing: {total:?}");
    assert!(total.bridged > 300 && total.abandoned > 0 && total.crashes > 5, "too tame: {total:?}");
}

#[test]
fn a_crash_every_few_minutes_calls_no_number_twice_and_leaves_no_leg() {
    let mut total = Total::default();
    for seed in 500..510 {
        let mut plan = FloorPlan::from_seed(seed, Mode::Ratio, 60);
        plan.troubles = Troubles { crash_every: Some(HOUR / 6), ..plan.troubles };
        total.run(&plan);
    }
    assert!(total.crashes > 30, "{total:?}");
}

#[test]
fn without_agents_no_lead_is_dialled_and_the_why_says_so() {
    let mut plan = FloorPlan::from_seed(1, Mode::Ratio, 50);
    plan.agents.clear();
    plan.troubles = Troubles::default();
    let mut day = plan.day();
    assert!(!day.run(Time::from_millis(5 * 3_600_000)));
    assert_eq!((day.far.placed(), day.dialer.view(day.campaign()).why), (0, Some(Why::NoAgents)));
}

#[test]
fn the_first_lines_are_ratio_times_agents() {
    // FEATURES.md Z5: ratio 2, one agent: 2 lines; 100 agents: 200.
    for (agents, lines) in [(1, 2), (100, 200)] {
        let mut plan = FloorPlan::from_seed(3, Mode::Ratio, 400);
        let profile = AgentProfile {
            late: paceline::sim::people::Spread::new(1.0, 0.0, 1.0, 1.0),
            nailed_up: 1.0,
            telephone: 0.0,
            ..AgentProfile::default()
        };
        plan.agents =
            (1..=agents).map(|n| super::agent(n, &mut paceline::sim::random::SimRng::new(1))).collect();
        plan.profile = profile;
        plan.group.work_mode = Some(paceline_core::agent::WorkMode::Both);
        plan.campaign.pacing.call_ratio = 2.0;
        plan.campaign.pacing.abandon_rate_max = 1.0;
        plan.trunk.calls_max = 500;
        plan.trunk.calls_per_sec = 500.0;
        plan.troubles = Troubles::default();
        plan.leads.iter_mut().for_each(|lead| lead.household = None);
        let only = "busy = 0\nanswer = 0\nreject = 0\nvoicemail = 0\npowered_off = 0\nunreachable = 0\n\
                    vacant = 0\nsuspended = 0\nrestricted = 0\nno_answer = 1";
        let people = paceline::sim::people::Population::parse(&format!("[shares]\n{only}")).expect("people");
        plan.people = std::sync::Arc::new(people);
        plan.campaign.ring = Duration::from_secs(60);
        let mut day = plan.day();
        // Every agent has signed in, and no unanswered call has been cancelled.
        day.run(Time::from_millis(55_000));
        assert_eq!(day.far.calls_most(), lines, "{agents} agents");
    }
}
