//! The abandon ledger: one record of live answers, machines, waits and abandons, and the rate by every
//! rule in use, each with an upper bound while few calls are known. Pure counts; who dials less because
//! of them is decided elsewhere.

use crate::time::{Duration, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const HOUR_MS: i64 = 3_600_000;
/// Hours kept: the longest window.
const HOURS_KEPT: i64 = 30 * 24;
/// Two-sided 90 %: one in twenty that the true rate is above the bound.
const BOUND_Z: f64 = 1.644_853_6;

/// One answered call, once it is known what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub at: Utc,
    pub who: Who,
    pub end: End,
    /// From the end of the greeting (or from the answer, where that is not heard) to the agent, or to the end.
    pub waited: Duration,
}

/// Who answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// A person, by the agent's word or the detector's.
    Person,
    /// A machine that the detector found; no agent heard it.
    MachineDetected,
    /// A machine that an agent heard.
    MachineHeard,
    /// Nobody knows: it ended before an agent or a detector could tell.
    Unknown,
}

/// What became of an answered call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// An agent had it.
    Connected,
    /// It waited too long, or was let go.
    Abandoned,
    /// It hung up before its time was over.
    HungUp,
    /// The detector closed it.
    Closed,
}

/// Counts of one hour or one window. Restorable from stored sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub placed: u64,
    /// Connected calls with a person and with a machine that the agent heard.
    pub connected_people: u64,
    pub connected_machines: u64,
    /// Abandoned calls: a person, or nobody knows.
    pub abandoned: u64,
    /// Hung up before the time was over.
    pub hung_up: u64,
    pub machines_detected: u64,
    /// Connected, but later than the rule's seconds: abandoned by the letter of the US rule.
    pub connected_late: u64,
}

impl Counts {
    fn add(&mut self, other: &Counts) {
        self.placed += other.placed;
        self.connected_people += other.connected_people;
        self.connected_machines += other.connected_machines;
        self.abandoned += other.abandoned;
        self.hung_up += other.hung_up;
        self.machines_detected += other.machines_detected;
        self.connected_late += other.connected_late;
    }
}

/// A way of counting that somebody demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// 16 CFR 310.4(b)(4), 47 CFR 64.1200(a)(7): of the calls answered by a person, per campaign and 30
    /// days; late connections count as abandoned.
    UsTsr,
    /// Ofcom 2008: abandoned calls reduced by the machine share that agents see; 24 hours.
    UkOfcom,
    /// Of the calls answered by a person, this calendar day.
    WholeDay,
    /// The same over the last 24 hours.
    Rolling24h,
    /// Of all calls placed, this calendar day.
    AllCalls,
    /// Of the calls that reached the queue (machines that agents heard included), this calendar day.
    ReachedQueue,
}

impl Rule {
    pub const ALL: &[Rule] =
        &[Rule::UsTsr, Rule::UkOfcom, Rule::WholeDay, Rule::Rolling24h, Rule::AllCalls, Rule::ReachedQueue];

    /// The label of `paceline_abandon_ratio`.
    pub const fn word(self) -> &'static str {
        match self {
            Rule::UsTsr => "us_tsr",
            Rule::UkOfcom => "uk_ofcom",
            Rule::WholeDay => "whole_day",
            Rule::Rolling24h => "rolling_24h",
            Rule::AllCalls => "all_calls",
            Rule::ReachedQueue => "reached_queue",
        }
    }
}

/// A rate with what it stands on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    pub rule: Rule,
    /// Abandoned, as the rule counts (the UK rule makes fractions).
    pub abandoned: f64,
    pub of: f64,
    /// 0 to 1; 0 while nothing was answered.
    pub rate: f64,
    /// The true rate is above this with a chance of one in twenty (Wilson's bound).
    pub upper: f64,
}

/// The record of one campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// By hours since 1970.
    hours: BTreeMap<i64, Counts>,
    /// Added to UTC to find the calendar day, in milliseconds.
    day_offset_ms: i64,
    late_after: Duration,
}

impl Ledger {
    /// `day_offset`: minutes east of Greenwich, for the calendar day. `late_after`: seconds within which
    /// an agent must have the call (two in the United States).
    pub fn new(day_offset_mins: i32, late_after: Duration) -> Self {
        Ledger { hours: BTreeMap::new(), day_offset_ms: i64::from(day_offset_mins) * 60_000, late_after }
    }

    fn hour(&mut self, at: Utc) -> &mut Counts {
        let number = at.as_millis().div_euclid(HOUR_MS);
        self.hours.entry(number).or_default();
        while self.hours.first_key_value().is_some_and(|(old, _)| old + HOURS_KEPT < number) {
            self.hours.pop_first();
        }
        self.hours.entry(number).or_default()
    }

    pub fn placed(&mut self, at: Utc) {
        self.hour(at).placed += 1;
    }

    pub fn answered(&mut self, answer: &Answer) {
        let late = answer.waited > self.late_after;
        let counts = self.hour(answer.at);
        match (answer.end, answer.who) {
            (End::Closed, _) | (_, Who::MachineDetected) => counts.machines_detected += 1,
            (End::Connected, Who::MachineHeard) => counts.connected_machines += 1,
            (End::Connected, _) => {
                counts.connected_people += 1;
                counts.connected_late += u64::from(late);
            }
            (End::Abandoned, _) => counts.abandoned += 1,
            (End::HungUp, _) => counts.hung_up += 1,
        }
    }

    /// Sums from a store, for the hour of `at`.
    pub fn restore(&mut self, at: Utc, counts: &Counts) {
        self.hour(at).add(counts);
    }

    /// Every hour that holds something, as (its first moment, its counts), to be stored.
    pub fn hours(&self) -> impl Iterator<Item = (Utc, &Counts)> {
        self.hours.iter().map(|(number, counts)| (Utc::from_millis(number * HOUR_MS), counts))
    }

    /// The sums from `from` to `now`, by whole hours, the hour of `from` included.
    pub fn since(&self, from: Utc, now: Utc) -> Counts {
        let first = from.as_millis().div_euclid(HOUR_MS);
        let last = now.as_millis().div_euclid(HOUR_MS);
        let mut sum = Counts::default();
        for (_, counts) in self.hours.range(first..=last.max(first)) {
            sum.add(counts);
        }
        sum
    }

    /// The counts of a rule's window.
    pub fn window(&self, rule: Rule, now: Utc) -> Counts {
        let from = match rule {
            Rule::UsTsr => now.as_millis() - (HOURS_KEPT - 1) * HOUR_MS,
            Rule::UkOfcom | Rule::Rolling24h => now.as_millis() - 23 * HOUR_MS,
            Rule::WholeDay | Rule::AllCalls | Rule::ReachedQueue => {
                let day = 24 * HOUR_MS;
                (now.as_millis() + self.day_offset_ms).div_euclid(day) * day - self.day_offset_ms
            }
        };
        self.since(Utc::from_millis(from), now)
    }

    /// The rate by one rule.
    pub fn rate(&self, rule: Rule, now: Utc) -> Rate {
        rate(rule, &self.window(rule, now))
    }

    /// The rate that leaves the least room under its ceiling: `chosen` are rules with their ceilings.
    pub fn strictest(&self, chosen: &[(Rule, f64)], now: Utc) -> Option<Rate> {
        let room = |(rule, ceiling): &(Rule, f64)| (self.rate(*rule, now), *ceiling);
        chosen
            .iter()
            .map(room)
            .min_by(|(one, one_max), (two, two_max)| {
                let left = |rate: &Rate, max: f64| max * rate.of - rate.abandoned;
                left(one, *one_max).total_cmp(&left(two, *two_max))
            })
            .map(|(rate, _)| rate)
    }
}

/// One rule applied to counts.
pub fn rate(rule: Rule, counts: &Counts) -> Rate {
    let abandoned = counts.abandoned as f64;
    let people = counts.connected_people as f64;
    let heard = counts.connected_machines as f64;
    let (abandoned, of) = match rule {
        Rule::UsTsr => (abandoned + counts.connected_late as f64, people + abandoned),
        Rule::UkOfcom => {
            let share = if people + heard > 0.0 { heard / (people + heard) } else { 0.0 };
            let reduced = abandoned * (1.0 - share);
            (reduced, people + reduced)
        }
        Rule::WholeDay | Rule::Rolling24h => (abandoned, people + abandoned),
        Rule::AllCalls => (abandoned, counts.placed as f64),
        Rule::ReachedQueue => (abandoned, people + heard + abandoned + counts.hung_up as f64),
    };
    let rate = if of > 0.0 { abandoned / of } else { 0.0 };
    Rate { rule, abandoned, of, rate, upper: upper(abandoned, of) }
}

/// Wilson's upper bound; 1 while nothing is known.
pub fn upper(some: f64, of: f64) -> f64 {
    if of <= 0.0 {
        return 1.0;
    }
    let z2 = BOUND_Z * BOUND_Z;
    let share = some / of;
    let middle = share + z2 / (2.0 * of);
    let half = BOUND_Z * (share * (1.0 - share) / of + z2 / (4.0 * of * of)).max(0.0).sqrt();
    ((middle + half) / (1.0 + z2 / of)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Utc = Utc::from_millis(1_795_262_400_000);

    fn answer(who: Who, end: End, waited_ms: u64) -> Answer {
        Answer { at: NOON, who, end, waited: Duration::from_millis(waited_ms) }
    }

    fn ledger(people: u64, machines: u64, abandoned: u64) -> Ledger {
        let mut ledger = Ledger::new(0, Duration::from_secs(2));
        for (count, who, end) in [
            (people, Who::Person, End::Connected),
            (machines, Who::MachineHeard, End::Connected),
            (abandoned, Who::Unknown, End::Abandoned),
        ] {
            for _ in 0..count {
                ledger.answered(&answer(who, end, 500));
            }
        }
        ledger
    }

    /// FEATURES.md section 2: 29 drops, 9 human, 7 machine -> 64.44 %.
    #[test]
    fn the_uk_worked_example_comes_out() {
        let rate = ledger(9, 7, 29).rate(Rule::UkOfcom, NOON);
        assert_eq!((rate.rate * 10_000.0).round() / 100.0, 64.44);
    }

    #[test]
    fn one_record_gives_every_rate() {
        let mut ledger = ledger(90, 10, 3);
        for _ in 0..400 {
            ledger.placed(NOON);
        }
        for _ in 0..2 {
            ledger.answered(&answer(Who::Unknown, End::HungUp, 800));
        }
        ledger.answered(&answer(Who::Person, End::Connected, 2500));
        let by = |rule| ledger.rate(rule, NOON);
        assert_eq!((by(Rule::UsTsr).abandoned, by(Rule::UsTsr).of), (4.0, 94.0), "late is abandoned");
        assert_eq!((by(Rule::WholeDay).abandoned, by(Rule::WholeDay).of), (3.0, 94.0));
        assert_eq!((by(Rule::AllCalls).abandoned, by(Rule::AllCalls).of), (3.0, 400.0));
        assert_eq!(by(Rule::ReachedQueue).of, 106.0);
    }

    #[test]
    fn machines_that_the_detector_closed_are_in_no_rate() {
        let mut with = ledger(50, 0, 1);
        let without = with.clone();
        for _ in 0..30 {
            with.answered(&answer(Who::MachineDetected, End::Closed, 0));
        }
        for rule in Rule::ALL {
            assert_eq!(with.rate(*rule, NOON), without.rate(*rule, NOON), "{rule:?}");
        }
    }

    #[test]
    fn windows_end_where_their_rule_says() {
        let mut ledger = ledger(97, 0, 3);
        let day = |n: i64| Utc::from_millis(NOON.as_millis() + n * 24 * HOUR_MS);
        assert_eq!(ledger.rate(Rule::WholeDay, day(1)).of, 0.0);
        assert_eq!(
            ledger.rate(Rule::Rolling24h, Utc::from_millis(NOON.as_millis() + 23 * HOUR_MS)).of,
            100.0
        );
        assert_eq!(ledger.rate(Rule::Rolling24h, day(1)).of, 0.0);
        assert_eq!(ledger.rate(Rule::UsTsr, day(29)).of, 100.0);
        assert_eq!(ledger.rate(Rule::UsTsr, day(30)).of, 0.0);
        ledger.placed(day(40));
        assert_eq!(ledger.hours().count(), 1, "what no window can see is forgotten");
    }

    #[test]
    fn the_calendar_day_is_the_campaigns_own() {
        // Noon in London is eight in the evening in Shanghai: five hours later it is the next day there.
        let late = Utc::from_millis(NOON.as_millis() + 5 * HOUR_MS);
        let mut east = Ledger::new(8 * 60, Duration::from_secs(2));
        east.answered(&answer(Who::Person, End::Connected, 0));
        assert_eq!(east.rate(Rule::WholeDay, NOON).of, 1.0);
        assert_eq!(east.rate(Rule::WholeDay, late).of, 0.0);
    }

    #[test]
    fn the_bound_is_wide_while_little_is_known() {
        assert_eq!(upper(0.0, 0.0), 1.0);
        assert!((upper(0.0, 10.0) - 0.2129).abs() < 1e-3, "{}", upper(0.0, 10.0));
        assert!((upper(3.0, 100.0) - 0.0721).abs() < 1e-3, "{}", upper(3.0, 100.0));
        assert!(upper(300.0, 10_000.0) < 0.033);
    }

    #[test]
    fn the_strictest_rule_is_the_one_with_the_least_room() {
        let ledger = ledger(94, 60, 4);
        let chosen = [(Rule::UkOfcom, 0.03), (Rule::WholeDay, 0.03), (Rule::ReachedQueue, 0.05)];
        assert_eq!(ledger.strictest(&chosen, NOON).map(|rate| rate.rule), Some(Rule::WholeDay));
        assert_eq!(ledger.strictest(&[], NOON), None);
    }

    #[test]
    fn stored_hours_bring_the_ledger_back() {
        let ledger = ledger(20, 5, 2);
        let mut again = Ledger::new(0, Duration::from_secs(2));
        for (at, counts) in ledger.hours() {
            again.restore(at, counts);
        }
        assert_eq!(again, ledger);
    }
}
