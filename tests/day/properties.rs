//! Many seeds, every property.

use super::judge::Judge;
use super::{HOUR, Plan};
use paceline::sim::day::{Day, Troubles};
use paceline::sim::line::Line;
use paceline_core::time::Time;

/// A campaign that takes longer than this in virtual time does not end.
const LONGEST: Time = Time::from_millis(60 * 24 * 3_600_000);

fn check(seed: u64, leads: u64) -> (u32, usize) {
    let plan = Plan::from_seed(seed, leads);
    check_plan(&plan)
}

fn check_plan(plan: &Plan) -> (u32, usize) {
    judged(plan, |_| {}).unwrap_or_else(|broken| panic!("{broken}"))
}

/// Runs one campaign until it is finished: returns the number of crashes and of calls, or the first broken
/// property. `show` gets the day before it begins.
pub fn judged(plan: &Plan, show: impl FnOnce(&mut Day<Line>)) -> Result<(u32, usize), String> {
    let mut day = plan.day();
    let judge = Judge::default();
    day.watch = Some(judge.watcher());
    day.inspect = Some(super::counters_agree(plan.seed));
    show(&mut day);
    let of = format!("seed {}", plan.seed);
    if !day.run(LONGEST) {
        return Err(format!("{of}: not finished after 60 days; {:?}", day.dialer.view(day.campaign())));
    }
    judge.judge(plan, &day.store).map_err(|broken| format!("{of}: {broken}"))?;
    let sent = judge.sent.borrow().len();
    Ok((day.crashes, sent))
}

#[test]
fn every_property_holds_under_faults() {
    let (mut crashes, mut sent) = (0, 0);
    for seed in 0..60 {
        let (c, s) = check(seed, 150);
        crashes += c;
        sent += s;
    }
    assert!(crashes > 100 && sent > 5_000, "{crashes} crashes, {sent} calls: too tame a test");
}

#[test]
fn a_crash_every_few_seconds_still_ends_and_calls_no_number_twice() {
    for seed in 1000..1010 {
        let mut plan = Plan::from_seed(seed, 60);
        plan.troubles = Troubles { crash_every: Some(HOUR / 120), ..plan.troubles };
        check_plan(&plan);
    }
}

#[test]
fn a_quiet_day_of_a_larger_list_reconciles() {
    let mut plan = Plan::from_seed(7, 5_000);
    plan.troubles = Troubles::default();
    let (_, sent) = check_plan(&plan);
    assert!(sent >= 5_000 / 2, "{sent} calls");
}
