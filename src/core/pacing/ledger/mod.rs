//! The abandon ledger: counts of placed calls, live answers, machines, waits and abandons, and the abandon
//! rate by every rule in use, each with an upper confidence bound. `brake` acts on it.
//!
//! Each count belongs to the quarter hour of the call's answer (of its start, for `placed` and `settled`), so
//! the sums equal those of the stored attempts whenever they are computed.

use crate::outcome::{EndedBy, Outcome};
use crate::time::{Duration, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Width of one slot. Every time zone in use is a multiple of it away from UTC, so local days are exact.
pub const SLOT: Duration = Duration::from_secs(15 * 60);

/// The longest window of any rule.
pub const LONGEST_WINDOW: Duration = Duration::from_secs(30 * 24 * 3600);

/// 16 CFR 310.4(b)(1)(iv), 47 CFR 64.1200(a)(7): an agent must be connected within two seconds of the end of
/// the greeting (of the answer, where the greeting is not detected), whatever the campaign's `answer_wait`
/// is.
pub const LATE_AFTER: Duration = Duration::from_secs(2);

const SLOT_MS: i64 = SLOT.as_millis() as i64;
const DAY_SLOTS: i64 = 24 * 4;
const SLOTS_KEPT: i64 = 30 * DAY_SLOTS;
/// Two-sided 90 %: the true rate is above the bound with a probability of 5 %.
const BOUND_Z: f64 = 1.644_853_6;

/// Counts of one quarter hour or one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Attempts opened, tests and agents' manual calls included.
    pub placed: u64,
    /// Attempts that rang to an end, answered or not: the divisor of the answer rate.
    pub settled: u64,
    /// Connected calls with a person, and with a machine by the agent's disposition.
    pub connected_people: u64,
    pub connected_machines: u64,
    /// Answered without getting an agent: outcome `abandoned`, whichever side hung up.
    pub abandoned: u64,
    /// Of the abandoned, those who hung up before `answer_wait` was over. Every rate counts them as
    /// abandoned, to be on the careful side; this count shows them.
    pub hung_up: u64,
    /// Machines found by a detector; no agent was connected.
    pub machines_detected: u64,
    /// Of the connected people, those who waited longer than [`LATE_AFTER`].
    pub connected_late: u64,
}

impl Counts {
    fn add(&mut self, other: &Counts) {
        self.placed += other.placed;
        self.settled += other.settled;
        self.connected_people += other.connected_people;
        self.connected_machines += other.connected_machines;
        self.abandoned += other.abandoned;
        self.hung_up += other.hung_up;
        self.machines_detected += other.machines_detected;
        self.connected_late += other.connected_late;
    }

    /// People who answered and needed an agent.
    pub fn people(&self) -> u64 {
        self.connected_people + self.abandoned
    }

    /// Share of machines among the connected calls.
    fn machine_share(&self) -> f64 {
        let heard = self.connected_people + self.connected_machines;
        if heard > 0 { self.connected_machines as f64 / heard as f64 } else { 0.0 }
    }
}

/// One regulator's or customer's way of counting abandons.
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
    #[serde(rename = "rolling_24h")]
    Rolling24h,
    /// Of all calls placed, this calendar day.
    AllCalls,
    /// Of the calls that reached the queue (machines that agents heard included), this calendar day.
    ReachedQueue,
}

impl Rule {
    pub const ALL: [Rule; 6] =
        [Rule::UsTsr, Rule::UkOfcom, Rule::WholeDay, Rule::Rolling24h, Rule::AllCalls, Rule::ReachedQueue];

    /// The word in campaign files, results and labels.
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

    /// The first quarter hour of the rule's window.
    fn first_slot(self, at: LedgerTime) -> i64 {
        let last = slot(at.now);
        match self {
            Rule::UsTsr => last - (SLOTS_KEPT - 1),
            Rule::UkOfcom | Rule::Rolling24h => last - (DAY_SLOTS - 1),
            Rule::WholeDay | Rule::AllCalls | Rule::ReachedQueue => slot(at.day_start),
        }
    }

    /// Begin of the rule's window: calls answered then or later are in it.
    pub fn window_start(self, at: LedgerTime) -> Utc {
        Utc::from_millis(self.first_slot(at) * SLOT_MS)
    }

    /// How many more callees may be abandoned before this rule's rate exceeds `ceiling`.
    pub fn left(self, counts: &Counts, ceiling: f64) -> u32 {
        self.left_of(&rate(self, counts), 1.0 - counts.machine_share(), ceiling)
    }

    /// `person_share`: share of people among the connected calls, by which the rule of the United Kingdom reduces
    /// abandons.
    fn left_of(self, now: &Rate, person_share: f64, ceiling: f64) -> u32 {
        let room = ceiling * now.of - now.abandoned;
        // One more abandon changes both numerator and divisor, except where all calls are the divisor.
        let weight = match self {
            Rule::AllCalls => 1.0,
            Rule::UkOfcom => (1.0 - ceiling) * person_share,
            _ => 1.0 - ceiling,
        };
        if room < 0.0 { 0 } else { (room / weight.max(1e-9) + 1e-9).floor().min(1e6) as u32 }
    }
}

/// A set of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleSet(u8);

impl RuleSet {
    pub fn contains(self, rule: Rule) -> bool {
        self.0 & 1 << rule as u8 != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Rule> {
        Rule::ALL.into_iter().filter(move |rule| self.contains(*rule))
    }
}

impl Default for RuleSet {
    fn default() -> Self {
        [Rule::WholeDay].into_iter().collect()
    }
}

impl FromIterator<Rule> for RuleSet {
    fn from_iter<T: IntoIterator<Item = Rule>>(rules: T) -> Self {
        RuleSet(rules.into_iter().fold(0, |set, rule| set | 1 << rule as u8))
    }
}

impl Serialize for RuleSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Postcard needs the length before the first element.
        self.iter().collect::<Vec<Rule>>().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RuleSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Rule>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// A rate with its counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    pub rule: Rule,
    /// Abandoned calls as the rule counts them (fractions under the UK rule).
    pub abandoned: f64,
    pub of: f64,
    /// 0 to 1; 0 while nothing was answered.
    pub rate: f64,
    /// Upper bound of the true rate (Wilson): exceeded with a probability of 5 %.
    pub upper: f64,
}

/// A campaign's position by every rule, and the rule that brakes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AbandonReport {
    /// In the order of [`Rule::ALL`].
    pub rates: [Rate; Rule::ALL.len()],
    pub chosen: RuleSet,
    /// The ceiling of every chosen rule, 0 to 1.
    pub ceiling: f64,
    /// The chosen rule with the least room under the ceiling.
    pub strictest: Rule,
    /// How many callees may still be abandoned before the strictest rule's rate exceeds the ceiling.
    pub left: u32,
}

impl AbandonReport {
    /// The strictest chosen rule's rate.
    pub fn braking(&self) -> Rate {
        self.rates[self.strictest as usize]
    }

    /// How many callees may still be abandoned before this rule's own rate exceeds the ceiling.
    pub fn left_of(&self, rule: Rule) -> u32 {
        // The same window without the reduction tells the reduction; before any abandon the careful side is none.
        let (reduced, whole) = (self.rates[Rule::UkOfcom as usize], self.rates[Rule::Rolling24h as usize]);
        let person_share = if whole.abandoned > 0.0 { reduced.abandoned / whole.abandoned } else { 1.0 };
        rule.left_of(&self.rates[rule as usize], person_share, self.ceiling)
    }
}

/// A time, and the start of the campaign's local day that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerTime {
    pub now: Utc,
    /// Start of the local day: 23 to 25 hours before the next one's.
    pub day_start: Utc,
}

/// One finished attempt as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishedAttempt {
    pub placed_at: Utc,
    pub rang: bool,
    pub answered_at: Option<Utc>,
    pub connected_at: Option<Utc>,
    pub ended_at: Utc,
    pub ended_by: EndedBy,
    pub outcome: Outcome,
    /// The agent's disposition says machine.
    pub machine: bool,
}

/// The counts of one campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// By quarter hours since 1970. Slots are UTC; the window decides the local day, so a change of daylight
    /// saving moves no count.
    slots: BTreeMap<i64, Counts>,
    /// Incremented by every change.
    changes: u64,
}

impl Ledger {
    /// Restores a ledger from stored sums, each with the start of its quarter hour.
    pub fn restored(sums: &[(Utc, Counts)]) -> Self {
        let mut ledger = Ledger::default();
        for (at, counts) in sums {
            ledger.at(*at).add(counts);
        }
        ledger
    }

    fn at(&mut self, at: Utc) -> &mut Counts {
        self.changes += 1;
        let number = slot(at);
        let newest = self.slots.last_key_value().map_or(number, |(newest, _)| number.max(*newest));
        self.slots.entry(number).or_default();
        while self.slots.first_key_value().is_some_and(|(old, _)| old + SLOTS_KEPT < newest) {
            self.slots.pop_first();
        }
        // A slot older than every window was just removed: it is created once more and goes with the next
        // removal.
        self.slots.entry(number).or_default()
    }

    pub fn placed(&mut self, placed_at: Utc) {
        self.at(placed_at).placed += 1;
    }

    /// A call that rang has ended.
    pub fn settled(&mut self, placed_at: Utc) {
        self.at(placed_at).settled += 1;
    }

    /// An agent and the answered callee are bridged. Called once per call.
    pub fn connected(&mut self, answered_at: Utc, connected_at: Utc) {
        let late = u64::from(is_late(answered_at, connected_at));
        let counts = self.at(answered_at);
        counts.connected_people += 1;
        counts.connected_late += late;
    }

    /// The answered callee got no agent.
    pub fn abandoned(&mut self, answered_at: Utc) {
        self.at(answered_at).abandoned += 1;
    }

    /// The abandoned callee hung up before `answer_wait` was over; called in addition to `abandoned`.
    pub fn hung_up(&mut self, answered_at: Utc) {
        self.at(answered_at).hung_up += 1;
    }

    pub fn machine_detected(&mut self, answered_at: Utc) {
        self.at(answered_at).machines_detected += 1;
    }

    /// Moves a connected call from people to machines, or back when the agent corrects the disposition.
    pub fn machine_heard(&mut self, answered_at: Utc, connected_at: Utc, machine: bool) {
        let late = u64::from(is_late(answered_at, connected_at));
        let counts = self.at(answered_at);
        if machine {
            counts.connected_people = counts.connected_people.saturating_sub(1);
            counts.connected_late = counts.connected_late.saturating_sub(late);
            counts.connected_machines += 1;
        } else {
            counts.connected_machines = counts.connected_machines.saturating_sub(1);
            counts.connected_people += 1;
            counts.connected_late += late;
        }
    }

    /// Enters a whole stored attempt. `answer_wait`: how long the callee was to wait for an agent.
    pub fn enter(&mut self, booked: &FinishedAttempt, answer_wait: Duration) {
        self.placed(booked.placed_at);
        if booked.rang || booked.answered_at.is_some() {
            self.settled(booked.placed_at);
        }
        let Some(answered_at) = booked.answered_at else { return };
        if let Some(connected_at) = booked.connected_at {
            self.connected(answered_at, connected_at);
            if booked.machine {
                self.machine_heard(answered_at, connected_at, true);
            }
        }
        match booked.outcome {
            // An answered callee whose agent's phone failed was abandoned too, whatever the reason.
            Outcome::Abandoned | Outcome::AgentFailed => {
                self.abandoned(answered_at);
                if left_early(answered_at, booked.ended_at, booked.ended_by, answer_wait) {
                    self.hung_up(answered_at);
                }
            }
            Outcome::Machine => self.machine_detected(answered_at),
            _ => {}
        }
    }

    /// Every non-empty quarter hour as (its start, its counts).
    pub fn sums(&self) -> impl Iterator<Item = (Utc, &Counts)> {
        let at = |number: &i64| Utc::from_millis(number * SLOT_MS);
        self.slots
            .iter()
            .filter(|(_, counts)| **counts != Counts::default())
            .map(move |(n, counts)| (at(n), counts))
    }

    /// Change counter, for caches of computed rates.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The counts within a rule's window.
    pub fn window(&self, rule: Rule, at: LedgerTime) -> Counts {
        let (first, last) = (rule.first_slot(at), slot(at.now));
        let mut sum = Counts::default();
        for (_, counts) in self.slots.range(first.min(last)..=last) {
            sum.add(counts);
        }
        sum
    }

    pub fn rate(&self, rule: Rule, at: LedgerTime) -> Rate {
        rate(rule, &self.window(rule, at))
    }

    /// The chosen rule's rate with the least room under the ceiling; the whole day's where no rule is chosen.
    pub fn strictest(&self, chosen: RuleSet, ceiling: f64, at: LedgerTime) -> Rate {
        let room = |rate: &Rate| ceiling * rate.of - rate.abandoned;
        let rates = chosen.iter().map(|rule| self.rate(rule, at));
        let least = rates.min_by(|one, other| room(one).total_cmp(&room(other)));
        least.unwrap_or_else(|| self.rate(Rule::WholeDay, at))
    }

    /// The campaign's position by every rule.
    pub fn abandon_report(&self, chosen: RuleSet, ceiling: f64, at: LedgerTime) -> AbandonReport {
        let strictest = self.strictest(chosen, ceiling, at).rule;
        AbandonReport {
            rates: Rule::ALL.map(|rule| self.rate(rule, at)),
            chosen,
            ceiling,
            strictest,
            left: strictest.left(&self.window(strictest, at), ceiling),
        }
    }

    /// Start of the first quarter hour since `from` with an answer by a person.
    pub fn answers_since(&self, from: Utc) -> Option<Utc> {
        let mut slots = self.slots.range(slot(from)..);
        let first = slots.find(|(_, counts)| counts.people() > 0)?;
        Some(Utc::from_millis(first.0 * SLOT_MS))
    }
}

impl LedgerTime {
    /// Equal for times in which every window holds the same counts: a cache key.
    pub fn key(&self) -> (i64, Utc) {
        (slot(self.now), self.day_start)
    }
}

fn slot(at: Utc) -> i64 {
    at.as_millis().div_euclid(SLOT_MS)
}

fn is_late(answered_at: Utc, connected_at: Utc) -> bool {
    connected_at.since(answered_at) > LATE_AFTER
}

/// Whether the abandoned callee hung up before `answer_wait` was over.
pub fn left_early(answered_at: Utc, ended_at: Utc, ended_by: EndedBy, answer_wait: Duration) -> bool {
    ended_by == EndedBy::Callee && ended_at.since(answered_at) < answer_wait
}

/// Applies one rule to counts.
pub fn rate(rule: Rule, counts: &Counts) -> Rate {
    let abandoned = counts.abandoned as f64;
    let people = counts.connected_people as f64;
    let (abandoned, of) = match rule {
        Rule::UsTsr => (abandoned + counts.connected_late as f64, people + abandoned),
        Rule::UkOfcom => {
            let reduced = abandoned * (1.0 - counts.machine_share());
            (reduced, people + reduced)
        }
        Rule::WholeDay | Rule::Rolling24h => (abandoned, people + abandoned),
        Rule::AllCalls => (abandoned, counts.placed as f64),
        Rule::ReachedQueue => (abandoned, people + counts.connected_machines as f64 + abandoned),
    };
    let rate = if of > 0.0 { abandoned / of } else { 0.0 };
    Rate { rule, abandoned, of, rate, upper: upper(abandoned, of) }
}

/// Wilson's upper bound; 1 without data.
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
mod tests;
