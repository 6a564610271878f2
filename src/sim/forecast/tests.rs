//! A forecast is the same for the same seed, and says what the modes are known to do.

use super::*;
use crate::config::{Config, LoadedCampaign};
use paceline_core::pacing::shadow::ShadowRules;
use std::path::Path;

fn assumed(agents: u32) -> Assumed {
    let text = "name = \"f\"\nmode = \"ratio\"\n[list]\nfile = \"list.csv\"\n[agents]\ngroup = \"team\"\n";
    let loaded = LoadedCampaign::parse(Path::new("campaign.toml"), text.into(), &Config::default()).unwrap();
    Assumed {
        campaign: loaded.rules,
        trunks: vec![ample_trunk(500)],
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
    let assumed = Assumed { leads: 20_000, hours: 3.0, ..assumed(20) };
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

/// A shadow of the very setting that is live comes out as the live one does, and a shadow of another as a day
/// with that other setting does: what it says before the switch holds after it.
#[test]
fn a_shadow_comes_out_as_the_day_itself_would() {
    let day = |live: Mode, shadow: Mode| {
        let mut assumed = Assumed { leads: 40_000, hours: 4.0, ..assumed(12) };
        let rules = ShadowRules { mode: shadow, call_ratio: 1.5, abandon_rate_max: 0.03 };
        assumed.campaign.pacing.shadow = Some(rules);
        assumed.day(7, live, 1.5)
    };
    let near = |one: f64, two: f64, what: &str| assert!((one - two).abs() < 0.03, "{what}: {one} and {two}");
    for mode in [Mode::Progressive, Mode::Predictive] {
        let same = day(mode, mode).shadow.expect("a comparison");
        near(same.live.utilisation, same.shadow.utilisation, "the same setting twice");
        near(same.live.abandon_rate, same.shadow.abandon_rate, "the same setting twice");
    }
    let foretold = day(Mode::Progressive, Mode::Predictive);
    let compared = foretold.shadow.expect("a comparison");
    near(compared.live.utilisation, foretold.utilisation, "live, by shadow and forecast");
    let switched = day(Mode::Predictive, Mode::Progressive);
    near(compared.shadow.utilisation, switched.utilisation, "before the switch and after it");
    assert!(compared.shadow.abandon_rate <= 0.03, "{compared:?}");
}

#[test]
fn the_agents_needed_finish_the_list_and_one_fewer_do_not() {
    let mut assumed = Assumed { leads: 150, ..assumed(3) };
    assumed.campaign.retry.after.clear();
    let needed = assumed.agents_needed(1, Mode::Progressive, 1.0, 100).expect("some number is enough");
    let finished = |agents| Assumed { agents, ..assumed.clone() }.day(1, Mode::Progressive, 1.0).finished;
    assert!(finished(needed) && needed > 1 && !finished(needed - 1), "{needed}");
    // An hour is too short for a retry after two.
    assumed.campaign.retry.after.insert(Outcome::NoAnswer, Duration::from_secs(7_200));
    assert_eq!(assumed.agents_needed(1, Mode::Progressive, 1.0, 40), None);
}
