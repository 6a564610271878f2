//! A forecast is the same for the same seed, and says what the modes are known to do.

use super::*;
use crate::config::{Config, LoadedCampaign};
use std::path::Path;

fn assumed(agents: u32) -> Assumed {
    let text = "name = \"f\"\nmode = \"ratio\"\n[list]\nfile = \"list.csv\"\n[agents]\ngroup = \"team\"\n";
    let loaded = LoadedCampaign::parse(Path::new("campaign.toml"), text.into(), &Config::default()).unwrap();
    Assumed {
        campaign: loaded.rules,
        trunks: vec![ample_trunk(500)],
        leads: 3_000,
        agents,
        answer_rate: 0.35,
        talk: Duration::from_secs(60),
        wrap_up: Duration::from_secs(10),
        ring: Duration::from_secs(12),
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
