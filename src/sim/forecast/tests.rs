//! A forecast is the same for the same seed, and shows the modes' known behaviour.

use super::*;
use crate::config::{Config, LoadedCampaign};
use paceline_core::pacing::shadow::ShadowRules;
use std::path::Path;

fn assumed(agents: u32) -> Assumptions {
    let text = "name = \"f\"\nmode = \"ratio\"\n[list]\nfile = \"list.csv\"\n[agents]\ngroup = \"team\"\n";
    let loaded = LoadedCampaign::parse(Path::new("campaign.toml"), text.into(), &Config::default()).unwrap();
    Assumptions {
        trunks: vec![ample_trunk(&loaded.rules, 500)],
        campaign: loaded.rules,
        leads: 3_000,
        agents,
        world: World {
            answer_rate: 0.35,
            talk: Duration::from_secs(60),
            wrap_up: Duration::from_secs(10),
            ring: Duration::from_secs(12),
        },
        // Nine in the morning in Shanghai.
        start: Utc::from_millis(1_794_186_000_000),
        hours: 1.0,
    }
}

#[test]
fn the_same_seed_gives_the_same_day() {
    let assumed = assumed(5);
    assert_eq!(assumed.day(3, Mode::Predictive, 2.0), assumed.day(3, Mode::Predictive, 2.0));
}

#[test]
fn predictive_keeps_agents_busier_than_progressive_within_the_ceiling() {
    let assumed = Assumptions { leads: 20_000, hours: 3.0, ..assumed(20) };
    let progressive = assumed.day(1, Mode::Progressive, 1.0);
    let predictive = assumed.day(1, Mode::Predictive, 1.0);
    assert_eq!(progressive.abandoned, 0, "{progressive:?}");
    assert!(predictive.utilisation > progressive.utilisation + 0.05, "{progressive:?}\n{predictive:?}");
    assert!(predictive.abandon_rate <= 0.03, "{predictive:?}");
}

#[test]
fn a_short_list_ends_before_the_day_does() {
    let mut assumed = assumed(10);
    assumed.leads = 40;
    assumed.campaign.retry.after.clear();
    let day = assumed.day(1, Mode::Progressive, 1.0);
    assert!(day.finished && day.hours < 1.0, "{day:?}");
    assert_eq!(day.calls, 40);
}

/// A shadow of the live setting matches the live side, and a shadow of another setting matches a day with
/// that setting: its figures before the switch hold after it.
#[test]
fn a_shadow_comes_out_as_the_day_itself_would() {
    // One day of twelve agents and its shadow differ by a point or two by chance: three are averaged.
    let days = |live: Mode, shadow: Mode| {
        let mut assumed = Assumptions { leads: 40_000, hours: 3.0, ..assumed(12) };
        let rules = ShadowRules { mode: shadow, call_ratio: 1.5, abandon_rate_max: 0.03 };
        assumed.campaign.pacing.shadow = Some(rules);
        [7, 8, 9].map(|seed| assumed.day(seed, live, 1.5))
    };
    let mean = |days: &[Forecast], of: &dyn Fn(&Forecast) -> f64| {
        days.iter().map(of).sum::<f64>() / days.len() as f64
    };
    let compared = |day: &Forecast| day.shadow.expect("a comparison");
    let live = |day: &Forecast| compared(day).live.utilisation;
    let shadow = |day: &Forecast| compared(day).shadow.utilisation;
    let lost = |day: &Forecast| compared(day).shadow.abandon_rate;
    let near = |one: f64, two: f64, what: &str| assert!((one - two).abs() < 0.03, "{what}: {one} and {two}");
    for mode in [Mode::Progressive, Mode::Predictive] {
        let same = days(mode, mode);
        near(mean(&same, &live), mean(&same, &shadow), "the same setting twice");
        near(
            mean(&same, &|day| compared(day).live.abandon_rate),
            mean(&same, &lost),
            "the same setting twice",
        );
    }
    let foretold = days(Mode::Progressive, Mode::Predictive);
    near(mean(&foretold, &live), mean(&foretold, &|day| day.utilisation), "live, by shadow and forecast");
    let switched = days(Mode::Predictive, Mode::Progressive);
    near(mean(&foretold, &shadow), mean(&switched, &|day| day.utilisation), "before the switch and after it");
    assert!(foretold.iter().all(|day| lost(day) <= 0.03), "{foretold:?}");
}

#[test]
fn the_agents_needed_finish_the_list_and_one_fewer_do_not() {
    let mut assumed = Assumptions { leads: 150, ..assumed(3) };
    assumed.campaign.retry.after.clear();
    let needed = assumed.agents_needed(1, Mode::Progressive, 1.0, 100).expect("some number is enough");
    let finished = |agents| Assumptions { agents, ..assumed.clone() }.day(1, Mode::Progressive, 1.0).finished;
    assert!(finished(needed) && needed > 1 && !finished(needed - 1), "{needed}");
    // An hour is too short for a retry after two.
    assumed.campaign.retry.after.insert(Outcome::NoAnswer, Duration::from_secs(7_200));
    assert_eq!(assumed.agents_needed(1, Mode::Progressive, 1.0, 40), None);
}

#[test]
#[ignore = "shows a day, for the eye"]
fn a_day_minute_by_minute() {
    let number =
        |name: &str, usual: f64| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(usual);
    let mut assumed = assumed(number("AGENTS", 100.0) as u32);
    assumed.leads = 80_000;
    assumed.hours = number("HOURS", 3.0);
    assumed.world.answer_rate = 0.3;
    assumed.world.wrap_up = Duration::from_secs(12);
    assumed.campaign.ring = Duration::from_secs(30);
    let (mut day, totals) = assumed.prepare_day(1, Mode::Predictive, 1.0).expect("agents");
    let every = number("EVERY", 60.0) as u64;
    let (mut answered, mut abandoned) = (0, 0);
    for step in 1..=(assumed.hours * 3_600.0) as u64 / every {
        day.run(Time::from_millis(step * every * 1_000));
        let view = day.dialer.view(CampaignId(1));
        let totals = totals.borrow();
        let talks = totals.conversations + totals.abandoned;
        let reason = view.reason;
        println!(
            "{:6} s  talking {:3} out {:3} waiting {} | ended {:4} abandoned {:2} ({:.2} % so far) | {:?} {:?}",
            step * every,
            view.talking,
            view.starting + view.ringing,
            view.waiting,
            talks - answered,
            totals.abandoned - abandoned,
            100.0 * totals.abandoned as f64 / talks.max(1) as f64,
            view.why,
            reason.map(|r| (
                r.limit,
                (r.expected_free * 10.0).round() / 10.0,
                (r.expected_answers * 10.0).round() / 10.0,
                (r.risk_max * 1e4).round() / 1e4,
                (r.budget_left * 10.0).round() / 10.0
            )),
        );
        (answered, abandoned) = (talks, totals.abandoned);
    }
}
