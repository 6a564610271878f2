//! The abandon ledger in virtual days: the dialer's counts equal the store's rows, before and after every
//! crash; and a ceiling is kept over the whole day, restarts or not.

use super::FloorPlan;
use paceline::sim::day::{Day, Troubles};
use paceline::sim::line::Line;
use paceline::sim::memory_store::MemoryStore;
use paceline::sim::random::SimRng;
use paceline::store::{Command, NewCampaign, Reply, Store};
use paceline_core::campaign::{Disposition, Mode, window};
use paceline_core::dialer::input::DialVerdict;
use paceline_core::dialer::output::{AttemptRequest, AttemptResult, SummaryRecord};
use paceline_core::dialer::{Dialer, Input};
use paceline_core::ids::CampaignId;
use paceline_core::outcome::LeadState;
use paceline_core::pacing::ledger::{Counts, Ledger, LedgerTime, Rule};
use paceline_core::time::{Duration, Time, Utc};
use std::sync::Arc;

const MINUTE: Duration = Duration::from_secs(60);

/// A campaign that takes longer than this in virtual time does not end.
const LONGEST: Time = Time::from_millis(40 * 24 * 3_600_000);

/// A plan whose agents get machines now and then, with an abandon brake.
fn plan(seed: u64, mode: Mode, leads: i64) -> FloorPlan {
    let mut plan = FloorPlan::from_seed(seed, mode, leads);
    let mut rng = SimRng::keyed(seed, &[mode as u64, 1]);
    plan.campaign.pacing.abandon_rules = Rule::ALL.into_iter().filter(|_| rng.chance(0.4)).collect();
    let agents = plan.campaign.agents.as_mut().expect("agents");
    agents.dispositions.push(Disposition {
        code: "mailbox".into(),
        label: "mailbox".into(),
        state: LeadState::Failed,
        retry: None,
        do_not_call: false,
        wrong_number: false,
        machine: true,
    });
    plan
}

fn ledger_of(plan: &FloorPlan, memory: &MemoryStore) -> Ledger {
    Ledger::restored(&memory.abandons(plan.campaign.pacing.answer_wait))
}

fn at(plan: &FloorPlan, day: &Day<Line>) -> LedgerTime {
    let now = day.utc();
    LedgerTime { now, day_start: plan.campaign.windows.local_day(now).0 }
}

/// The sum over the last 30 days.
fn sum(ledger: &Ledger, at: LedgerTime) -> Counts {
    ledger.window(Rule::UsTsr, at)
}

fn answers(counts: &Counts) -> u64 {
    counts.people() + counts.connected_machines
}

/// While calls are live the dialer is ahead by what their rows do not contain yet, and the store by attempts
/// whose opening the dialer has not received yet.
fn check_nearly_equal(plan: &FloorPlan, day: &Day<Line>) -> Result<(), String> {
    let at = at(plan, day);
    let stored = sum(&ledger_of(plan, &day.store), at);
    let Some(ledger) = day.dialer.ledger(day.campaign()) else { return Err("no ledger".into()) };
    let counted = sum(ledger, at);
    let open = day.store.attempts().filter(|attempt| attempt.result.is_none());
    let (opening, answered) = open.fold((0, 0), |(all, answered), attempt| {
        (all + 1, answered + u64::from(attempt.answered_at.is_some()))
    });
    let ahead = answers(&counted).checked_sub(answers(&stored));
    let behind = stored.placed.checked_sub(counted.placed);
    let nearly_equal = counted.settled == stored.settled
        && counted.hung_up == stored.hung_up
        && ahead.is_some_and(|ahead| ahead <= answered)
        && behind.is_some_and(|behind| behind <= opening);
    if nearly_equal {
        Ok(())
    } else {
        Err(format!("counted {counted:?}, stored {stored:?}, {opening} calls are out"))
    }
}

fn check_equal(plan: &FloorPlan, day: &Day<Line>) -> Result<Counts, String> {
    let (at, stored) = (at(plan, day), ledger_of(plan, &day.store));
    let Some(ledger) = day.dialer.ledger(day.campaign()) else { return Err("no ledger".into()) };
    if !ledger.sums().eq(stored.sums()) {
        let (counted, stored) = (ledger.sums().collect::<Vec<_>>(), stored.sums().collect::<Vec<_>>());
        return Err(format!("counted {counted:?}\nstored {stored:?}"));
    }
    let shown = day.dialer.view(day.campaign()).abandon.ok_or("nothing is shown")?;
    for rate in shown.rates {
        if rate != stored.rate(rate.rule, at) {
            return Err(format!("shown {rate:?}, stored {:?}", stored.rate(rate.rule, at)));
        }
    }
    Ok(sum(&stored, at))
}

/// Runs one day and compares with the store every 17 minutes and at its end; returns its counts, or the
/// difference.
pub fn one_day(seed: u64, mode: Mode, crash_every: Option<Duration>) -> Result<(Counts, u32), String> {
    let mut plan = plan(seed, mode, 120);
    plan.troubles = Troubles { crash_every, ..plan.troubles };
    let of = format!("seed {seed} in mode {}", mode.word());
    let mut day = plan.day();
    let mut until = Time::ZERO;
    loop {
        until += MINUTE * 17;
        let finished = day.run(until);
        check_nearly_equal(&plan, &day).map_err(|broken| format!("{of}, at {}: {broken}", day.now))?;
        if finished {
            break;
        }
        if until >= LONGEST {
            if day.floor.as_ref().is_some_and(|floor| !floor.has_outbound_agents(plan.group.work_mode)) {
                break;
            }
            return Err(format!("{of}: not finished"));
        }
    }
    let over = day.now + MINUTE * 420;
    if !day.close(over) {
        return Err(format!("{of}: calls stay"));
    }
    let counts = check_equal(&plan, &day).map_err(|broken| format!("{of}: {broken}"))?;
    Ok((counts, day.crashes))
}

#[test]
fn the_ledger_equals_the_stores_rows_at_any_crash() {
    let (mut all, mut crashes) = (Counts::default(), 0);
    for (mode, seed) in [(Mode::Ratio, 700), (Mode::Predictive, 720), (Mode::Announce, 740)] {
        for seed in seed..seed + 8 {
            let (counts, crashed) =
                one_day(seed, mode, Some(MINUTE * 25)).unwrap_or_else(|broken| panic!("{broken}"));
            all.connected_people += counts.connected_people;
            all.connected_machines += counts.connected_machines;
            all.connected_late += counts.connected_late;
            all.abandoned += counts.abandoned;
            all.hung_up += counts.hung_up;
            crashes += crashed;
        }
    }
    let tame = [all.connected_people, all.connected_machines, all.connected_late, all.abandoned, all.hung_up]
        .contains(&0);
    assert!(!tame && crashes > 40, "too tame: {all:?}, {crashes} crashes");
}

/// No callee hangs up early, so the brake alone decides: a day with many restarts keeps its ceiling as one
/// without.
#[test]
fn a_ceiling_is_kept_over_a_day_of_restarts() {
    let mut abandoned = 0.0;
    for (seed, mode) in (800..812).flat_map(|seed| [(seed, Mode::Ratio), (seed, Mode::Predictive)]) {
        let mut plan = FloorPlan::from_seed(seed, mode, 1_500);
        plan.agents = (1..=6).map(|n| super::agent(n, &mut SimRng::new(seed))).collect();
        plan.profile = super::steady();
        plan.group.work_mode = Some(paceline_core::agent::WorkMode::Outbound);
        plan.callee_profile.calls_back = 0.0;
        plan.leads.iter_mut().for_each(|lead| lead.household = None);
        plan.campaign.pacing.call_ratio = 3.0;
        plan.campaign.pacing.abandon_rate_max = 0.03;
        plan.campaign.pacing.abandon_rules = Default::default();
        plan.campaign.pacing.waiting_max = 5;
        plan.troubles = Troubles { crash_every: Some(MINUTE * 20), ..Troubles::default() };
        let mut day = plan.day();
        // One calling day, from eight to eight.
        day.run(Time::from_millis(12 * 3_600_000));
        let ledger = ledger_of(&plan, &day.store);
        let rate = ledger.rate(Rule::WholeDay, at(&plan, &day));
        assert!(rate.of > 100.0 && day.crashes > 3, "seed {seed}: too tame: {rate:?}");
        assert!(rate.rate <= 0.03, "seed {seed}, {mode:?}: {rate:?}");
        abandoned += rate.abandoned;
    }
    assert!(abandoned > 20.0, "too tame: nobody was abandoned anywhere");
}

fn hundredth(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Writes the rows of a virtual day through the real store.
async fn write_rows(store: &Store, plan: &FloorPlan, memory: &MemoryStore) -> CampaignId {
    let campaign = NewCampaign {
        name: &plan.campaign.name,
        title: "a virtual day",
        mode: plan.campaign.mode.word(),
        timezone: &plan.campaign.windows.timezone,
        toml: "",
        retry: &plan.campaign.retry,
    };
    let id = store.define_campaign(&campaign).await.expect("a campaign");
    let (writer, mut replies) = store.start_writer();
    for attempt in memory.attempts() {
        // The memory store has checked every refusal reason already.
        let request = AttemptRequest {
            campaign: id,
            lead: None,
            household: None,
            open_until: window::FOREVER,
            attempts_max: u32::MAX,
            per_day_max: u32::MAX,
            gap_min: Duration::ZERO,
            guaranteed: true,
            ..attempt.request.clone()
        };
        let result = attempt.result.clone().expect("the day is over");
        let result = AttemptResult { campaign: id, lead: None, ..result };
        let (trunk, call_id) = ("trunk".to_owned(), format!("{}", request.attempt));
        let request = Box::new(request);
        writer.send(Command::OpenAttempt { request, trunk, call_id, dialog: "{}".into() }).await;
        let opened = replies.recv().await;
        assert!(
            matches!(opened, Some(Reply::AttemptOpened { verdict: DialVerdict::Opened, .. })),
            "{opened:?}"
        );
        writer.send(Command::SaveResult(Box::new(result))).await;
        replies.recv().await.expect("saved");
    }
    for record in memory.summaries().iter().filter(|record| !record.inbound) {
        let record = SummaryRecord { campaign: id, lead: None, ..record.clone() };
        writer.send(Command::SaveSummary(Box::new(record))).await;
        replies.recv().await.expect("saved");
    }
    writer.close().await;
    id
}

async fn store_at(dir: &std::path::Path, now: Utc) -> Store {
    let url = format!("sqlite://{}", dir.join("paceline.db").display());
    Store::open(&url, Arc::new(move || now)).await.expect("a store")
}

#[tokio::test]
async fn dialer_store_and_summary_agree_after_a_whole_day_and_after_a_restart() {
    for (seed, mode) in [(760, Mode::Ratio), (761, Mode::Predictive), (762, Mode::Ratio)] {
        let mut plan = plan(seed, mode, 150);
        plan.troubles = Troubles { crash_every: None, ..plan.troubles };
        let mut day = plan.day();
        assert!(day.run(LONGEST) && day.close(day.now + MINUTE * 420), "seed {seed}: not finished");
        let counted = day.dialer.ledger(day.campaign()).expect("a ledger").clone();
        let dir = tempfile::tempdir().expect("a folder");
        let now = day.utc();
        let store = store_at(dir.path(), now).await;
        let id = write_rows(&store, &plan, &day.store).await;
        let summary = {
            let mut reader = store.reader().await.expect("a reader");
            paceline::results::write(&mut reader, "floor", &dir.path().join("results"))
                .await
                .expect("results")
        };
        store.close().await.expect("closed");
        // The next process.
        let store = store_at(dir.path(), now).await;
        let wait = plan.campaign.pacing.answer_wait;
        let abandons = store.abandons(id, wait).await.expect("sums");
        let restored = Ledger::restored(&abandons);
        let (counts, sums) = (restored.sums().collect::<Vec<_>>(), counted.sums().collect::<Vec<_>>());
        assert_eq!(counts, sums, "seed {seed}: the store's sums, and the dialer's");

        let mut next = Dialer::new(seed);
        next.handle(Time::ZERO, Input::ClockSet(day.dialer.utc()));
        let campaign = Box::new(plan.campaign.clone());
        let opened =
            Input::CampaignOpened { campaign, leads_open: 0, paused: true, abandons, past: Vec::new() };
        next.handle(Time::ZERO, opened);
        let shown = day.dialer.view(day.campaign()).abandon;
        assert!(shown.is_some() && next.view(day.campaign()).abandon == shown, "seed {seed}: the same rates");

        let last = day.store.attempts().filter_map(|attempt| Some(attempt.result.as_ref()?.ended_at)).max();
        let now = last.expect("calls");
        let at = LedgerTime { now, day_start: plan.campaign.windows.local_day(now).0 };
        let abandon = &summary.abandon;
        for rule in Rule::ALL {
            let (rate, abandon) = (counted.rate(rule, at), &abandon.by_rule[rule.word()]);
            let known = [rate.abandoned, rate.of, rate.rate * 100.0, rate.upper * 100.0].map(hundredth);
            assert_eq!(
                [abandon.abandoned, abandon.of, abandon.pct, abandon.upper_pct],
                known,
                "seed {seed}: {rule:?}"
            );
        }
        let days: u64 = abandon.by_day.values().map(|day| day.abandoned).sum();
        assert_eq!(
            (days, abandon.abandoned),
            (abandon.abandoned, sum(&counted, at).abandoned),
            "seed {seed}"
        );
        assert!(abandon.abandoned > 0, "seed {seed}: too tame");
    }
}
