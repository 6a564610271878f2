//! The abandon ledger through the whole dialer: how each call is counted, what the store restores, and whom
//! it brakes.

use super::floor::staffed;
use super::*;
use crate::lead::Callback;
use crate::pacing::ledger::{Counts, Rule, RuleSet};
use crate::pacing::predictive::BudgetCounts;

const HOUR: Duration = Duration::from_secs(3600);

fn counts(desk: &Desk) -> Counts {
    let ledger = desk.dialer.ledger(ID).expect("a ledger");
    ledger.sums().last().map(|(_, counts)| *counts).unwrap_or_default()
}

fn spent(people: u64, abandoned: u64) -> Counts {
    Counts { placed: 500, settled: 400, connected_people: people, abandoned, ..Counts::default() }
}

/// The campaign, opened with these counts from the store, two idle agents and plenty of leads.
fn opened(campaign: Campaign, abandons: Vec<(Utc, Counts)>) -> Desk {
    let mut desk = Desk::floor(staffed(campaign.mode));
    let campaign = Box::new(campaign);
    desk.give(Input::CampaignOpened {
        campaign,
        leads_open: 9_000,
        paused: false,
        abandons,
        past: Vec::new(),
    });
    desk.nailed_up(1);
    desk.nailed_up(2);
    let leads = (1..=30).map(lead).collect();
    desk.give(Input::LeadsArrived { campaign: ID, leads, next_due: None, leads_open: 9_000 });
    desk
}

fn ratio(rules: &[Rule]) -> Campaign {
    let mut campaign = staffed(Mode::Ratio);
    campaign.pacing.call_ratio = 2.0;
    campaign.pacing.abandon_rules = rules.iter().copied().collect();
    campaign
}

#[test]
fn every_call_is_counted_once_by_its_outcome() {
    let mut campaign = staffed(Mode::Ratio);
    (campaign.pacing.abandon_rate_max, campaign.pacing.call_ratio) = (1.0, 4.0);
    let mut desk = Desk::floor(campaign);
    desk.nailed_up(1);
    desk.leads((1..=4).map(lead).collect());
    let calls = desk.place_all();
    assert_eq!(calls.len(), 4);
    desk.answer(calls[0]);
    // The first callee hangs up in time, the second hears the sorry message, the third does not answer.
    desk.answer(calls[1]);
    desk.wait(Duration::from_millis(1_500));
    desk.progress(calls[1], ended(Outcome::Answered, 200));
    assert_eq!(desk.result().outcome, Outcome::Abandoned);
    desk.answer(calls[2]);
    desk.wait(Duration::from_secs(3));
    let counted = counts(&desk);
    assert_eq!((counted.abandoned, counted.settled), (2, 1), "abandoned from the moment on");
    desk.progress(calls[2], ended(Outcome::Answered, 200));
    let result = desk.result();
    let rest = result.rest_until.map(|until| until.since(result.ended_at));
    assert_eq!((result.outcome, rest), (Outcome::Abandoned, Some(HOUR * 72)));
    desk.progress(calls[3], Progress::Ringing);
    desk.progress(calls[3], ended(Outcome::NoAnswer, 480));
    assert_eq!(desk.result().rest_until, None);
    desk.progress(calls[0], ended(Outcome::Answered, 200));
    desk.result();
    let expected =
        Counts { placed: 4, settled: 4, connected_people: 1, abandoned: 2, hung_up: 1, ..Counts::default() };
    assert_eq!(counts(&desk), expected);
    let shown = desk.dialer.view(ID).abandon.expect("it has agents");
    assert_eq!((shown.braking().abandoned, shown.braking().of, shown.strictest), (2.0, 3.0, Rule::WholeDay));
}

#[test]
fn a_machine_disposition_moves_the_call_in_the_ledger_and_keeps_its_outcome() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.nailed_up(1);
    desk.leads(vec![lead(1)]);
    let call = desk.place_all()[0];
    desk.answer(call);
    assert_eq!((counts(&desk).connected_people, counts(&desk).connected_machines), (1, 0));
    desk.progress(call, ended(Outcome::Answered, 200));
    assert_eq!(desk.result().outcome, Outcome::Answered);
    assert_eq!(desk.summarise(1, "mailbox"), None);
    assert_eq!((counts(&desk).connected_people, counts(&desk).connected_machines), (0, 1));
    let records = desk.take(|output| match output {
        Output::SaveSummary(record) => Some(record.machine),
        _ => None,
    });
    assert_eq!(records, [true]);
}

#[test]
fn abandons_of_an_earlier_process_brake_from_the_first_call() {
    let today = || vec![(MORNING - HOUR, spent(97, 3))];
    // So few callees answer that two more lines for two idle agents are no risk by themselves.
    let fresh = || vec![(MORNING - HOUR, spent(30, 0))];
    let yesterday = || vec![(MORNING - HOUR * 20, spent(97, 3)), (MORNING - HOUR, spent(30, 0))];
    let lines = |campaign: Campaign, abandons| {
        let mut desk = opened(campaign, abandons);
        (desk.requests().len(), desk.why())
    };
    let braked = (2, Some(Why::AbandonBudget));
    assert_eq!(lines(ratio(&[Rule::WholeDay]), fresh()), (4, Some(Why::LinesOut)));
    assert_eq!(lines(ratio(&[Rule::WholeDay]), today()), braked);
    assert_eq!(lines(ratio(&[Rule::WholeDay]), yesterday()), (4, Some(Why::LinesOut)));
    // With several rules the strictest brakes, whichever it is.
    for rules in [&[Rule::Rolling24h][..], &[Rule::WholeDay, Rule::UsTsr], &Rule::ALL[..]] {
        assert_eq!(lines(ratio(rules), yesterday()), braked, "{rules:?}");
    }
    let good = vec![(MORNING - HOUR * 20, spent(9_997, 3)), (MORNING, spent(97, 3))];
    assert_eq!(lines(ratio(&[Rule::UsTsr]), good.clone()), (4, Some(Why::LinesOut)));
    assert_eq!(lines(ratio(&[Rule::UsTsr, Rule::WholeDay]), good), braked);
}

#[test]
fn the_pacers_budget_is_the_strictest_rules() {
    let mut campaign = staffed(Mode::Predictive);
    campaign.pacing.abandon_rules = [Rule::WholeDay, Rule::UsTsr].into_iter().collect::<RuleSet>();
    let history = vec![(MORNING - HOUR * 20, spent(470, 30)), (MORNING - HOUR, spent(100, 0))];
    let desk = opened(campaign, history);
    let pacer = desk.dialer.campaigns[&ID].pacer.as_ref().expect("a pacer");
    assert_eq!(pacer.spent(), BudgetCounts { live: 600.0, abandoned: 30.0 });
    assert_eq!(desk.why(), Some(Why::AbandonBudget));
    let shown = desk.dialer.view(ID).abandon.expect("it has agents");
    assert_eq!((shown.strictest, shown.left), (Rule::UsTsr, 0));
}

#[test]
fn a_day_on_which_clocks_change_keeps_all_its_hours() {
    // New York, 1 November 2026: midnight is 04:00Z, and the day has 25 hours.
    let midnight = Utc::from_millis(1_793_505_600_000);
    let mut campaign = ratio(&[Rule::WholeDay]);
    campaign.windows.timezone = "America/New_York".into();
    campaign.windows.windows.clear();
    let night = vec![(midnight - HOUR, spent(9, 1)), (midnight, spent(97, 3))];
    let mut desk = opened(campaign, night);
    let of = |desk: &Desk| desk.dialer.view(ID).abandon.expect("it has agents").braking().of;
    for (hours, expected) in [(0, 100.0), (24, 100.0), (25, 0.0)] {
        desk.give(Input::ClockSet(midnight + HOUR * hours));
        assert_eq!(of(&desk), expected, "{hours} hours after midnight");
    }
    desk.give(Input::ClockSet(midnight - Duration::from_secs(60)));
    assert_eq!(of(&desk), 10.0, "the day before");
}

#[test]
fn only_a_call_with_an_agent_of_its_own_may_go_to_a_number_that_was_abandoned() {
    let guaranteed = |desk: &mut Desk| desk.requests().iter().map(|r| r.guaranteed).collect::<Vec<_>>();
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.nailed_up(1);
    desk.nailed_up(2);
    let mut booked = lead(2);
    booked.next_at = Some(MORNING);
    booked.callback = Some(Callback { agent: None, skill: None });
    desk.leads(vec![lead(1), booked]);
    // The booked callback is dialled first.
    assert_eq!(guaranteed(&mut desk), [true, false]);
    let mut desk = Desk::floor(staffed(Mode::Preview));
    desk.nailed_up(1);
    desk.leads(vec![lead(1)]);
    desk.dials(1);
    assert_eq!(guaranteed(&mut desk), [true]);
}
