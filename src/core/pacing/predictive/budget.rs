//! The abandon budget: how many callees may still be abandoned today, and the risk per call that spends the
//! budget evenly. Counts people; has no agents and no calls.

use super::rules::{BudgetCounts, Rules};
use crate::time::{Duration, Time};

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Upper limit of the risk, whatever is left.
const RISK_MAX: f64 = 0.6;
/// Share of the ceiling that is aimed at, as losses of the last minutes come out of the rest.
const SHARE_USED: f64 = 0.965;
/// Further share where the abandoned people are estimated (machines reach the agents), not known.
const SHARE_ESTIMATED: f64 = 0.9;
/// Prior: people abandoned per unit of risk taken. Floors of every kind are near it, and the abandons of a
/// few people are mostly chance, so it is kept until many were lost.
const USUAL_RATIO: f64 = 0.68;
const RATIO_WEIGHT: f64 = 8.0;
const RATIO_FADES: f64 = 0.999;
/// People kept in reserve, and standard deviations of the imminent abandons: they come in clusters.
const RESERVE: f64 = 1.0;
const CLUSTER: f64 = 1.5;
/// Share of the expected answers that is relied on.
const SURE_SHARE: f64 = 0.75;
/// Highest rate to spend at, as a multiple of the ceiling.
const RATE_MAX: f64 = 1.15;
/// Live answers from which the floor counts as known, and the share of the risk taken before.
const KNOWN_FROM: f64 = 60.0;
const UNKNOWN_PART: f64 = 0.8;
/// The last people of the budget are spent with growing care.
const LAST_PEOPLE: f64 = 2.5;
/// People borrowed from the rest of the day, for each root of those that the whole day allows.
const LOAN: f64 = 0.3;
/// Upper limit of the loan, as a share of what the rest of the day will allow.
const LOAN_OF_REST: f64 = 0.4;
/// Care begins when this share of the loan, or of the half hour's ceiling, is left.
const CARE_LOAN: f64 = 0.8;
const CARE_HALF_HOUR: f64 = 0.3;
/// Lower limit of the care factor: the first bit of risk saves the most agent time.
const CARE_MOST: f64 = 0.25;
/// Risk while the current limit is reached: a fraction of an abandon in a thousand answers, and still most of
/// the benefit of predicting.
const RISK_AT_LIMIT: f64 = 0.001;
/// The day is nearly over when this share of its answers is still to come.
const LAST_PART: f64 = 0.05;
/// People risked in all the rest of a day that has none left.
const LAST_RISK: f64 = 0.01;
const LAST_RISK_MAX: f64 = 0.003;
/// A half hour whose ceiling is fewer people is not judged; in teams of `LARGE` or more it is judged sooner.
const JUDGED_FROM: f64 = 4.0;
const JUDGED_FROM_LARGE: f64 = 2.5;
const LARGE: u32 = 25;

/// The model is distrusted once half an hour lost this many people plus this multiple of its forecast.
const DISTRUST_FROM: f64 = 10.0;
const DISTRUST_FACTOR: f64 = 4.0;

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Minute {
    number: u64,
    live: f64,
    abandoned: f64,
    /// Sum of the risk taken over its live answers.
    risked: f64,
}

/// The budget's counts, and how many abandons the risk taken has caused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    live: f64,
    abandoned: f64,
    /// Sums over live answers of the risk taken, and of those abandoned; they fade.
    risk_taken: f64,
    abandoned_at_risk: f64,
    recent: VecDeque<Minute>,
    /// Time of the first answer, and the number of answers since.
    began: Option<Time>,
    answers_seen: f64,
}

/// The risk that may be taken now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowance {
    /// P(the answer finds no idle agent) up to which a call is placed; zero = only calls that cannot be
    /// abandoned.
    pub risk: f64,
    /// People who may still be abandoned today, after the reserve.
    pub left: f64,
    /// `Some` near the end of the day: how many whole people may still be abandoned.
    pub last: Option<u32>,
}

/// Forecast for the rest of the day, in people.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DayForecast {
    /// Live answers until the end of the day.
    pub answers: f64,
    /// Of those, from calls that are already pending.
    pub in_flight: f64,
    /// Of those in turn, the ones that will find no idle agent.
    pub failing: f64,
    /// Those lost to agents who leave, as at lunch time.
    pub leaving: f64,
    /// Whether the end of the day or of the list is known.
    pub end_known: bool,
    /// Machines reach the agents, so the number of abandoned people is an estimate.
    pub is_estimated: bool,
    /// Agents signed in, on a break or not.
    pub team: u32,
}

impl Budget {
    pub fn new(rules: &Rules) -> Self {
        Budget {
            live: rules.carried.live,
            abandoned: rules.carried.abandoned,
            risk_taken: 0.0,
            abandoned_at_risk: 0.0,
            recent: VecDeque::new(),
            began: None,
            answers_seen: 0.0,
        }
    }

    fn minute(&mut self, now: Time) -> &mut Minute {
        // After a clock was set back, counts go to the latest minute reached.
        let last = self.recent.back().map_or(0, |minute| minute.number);
        let number = (now.as_millis() / 60_000).max(last);
        if self.recent.back().is_none_or(|minute| minute.number != number) {
            self.recent.push_back(Minute { number, ..Minute::default() });
            while self.recent.front().is_some_and(|minute| minute.number + 30 < number) {
                self.recent.pop_front();
            }
        }
        let last = self.recent.len() - 1;
        &mut self.recent[last]
    }

    /// A person answered while `risk` was the limit.
    pub fn answered(&mut self, now: Time, risk: f64) {
        self.live += 1.0;
        self.answers_seen += 1.0;
        self.began.get_or_insert(now);
        let minute = self.minute(now);
        minute.live += 1.0;
        minute.risked += risk.max(0.0);
        if risk > 0.0 {
            self.risk_taken = self.risk_taken * RATIO_FADES + risk;
            self.abandoned_at_risk *= RATIO_FADES;
        }
    }

    /// A callee was abandoned; `person` = the probability that it was a person.
    pub fn abandoned(&mut self, now: Time, person: f64) {
        self.abandoned += person;
        self.abandoned_at_risk += person;
        self.minute(now).abandoned += person;
        // The part that may have been a machine is no live answer either.
        self.live -= 1.0 - person;
        self.minute(now).live -= 1.0 - person;
    }

    /// A live answer turned out to be a machine.
    pub fn remove_machine(&mut self, now: Time) {
        self.live = (self.live - 1.0).max(0.0);
        let minute = self.minute(now);
        minute.live = (minute.live - 1.0).max(0.0);
    }

    pub fn set_spent(&mut self, spent: BudgetCounts) {
        if spent.live.is_finite() && spent.abandoned.is_finite() {
            (self.live, self.abandoned) = (spent.live.max(0.0), spent.abandoned.max(0.0));
        }
    }

    pub fn live(&self) -> f64 {
        self.live
    }

    pub fn abandoned_so_far(&self) -> f64 {
        self.abandoned
    }

    /// People abandoned per unit of risk taken.
    fn abandons_per_risk(&self) -> f64 {
        ((self.abandoned_at_risk + USUAL_RATIO * RATIO_WEIGHT) / (self.risk_taken + RATIO_WEIGHT))
            .clamp(0.05, 3.0)
    }

    /// Live answers per second expected for the rest of the day: half by the last half hour, half by the
    /// whole day, so that neither a lunch break nor a cautious spell is extrapolated.
    pub fn pace(&self, now: Time) -> Option<f64> {
        let recent = self.recent_pace(now)?;
        let span = now.since(self.began?).as_millis() as f64 / 1000.0;
        Some(0.5 * recent + 0.5 * self.answers_seen / span.max(60.0))
    }

    fn recent_pace(&self, now: Time) -> Option<f64> {
        let (live, _) = self.half_hour();
        let first = self.recent.front()?.number * 60_000;
        let span = now.since(Time::from_millis(first)).as_millis() as f64 / 1000.0;
        (live >= 15.0 && span > 120.0).then(|| live / span)
    }

    fn half_hour(&self) -> (f64, f64) {
        self.recent.iter().fold((0.0, 0.0), |(live, gone), m| (live + m.live, gone + m.abandoned))
    }

    /// Whether the last half hour lost so many more people than the risk taken explains that the model must
    /// be wrong about this floor: then none of its risk estimates can be used.
    fn is_model_distrusted(&self) -> bool {
        let sum = |of: fn(&Minute) -> f64| self.recent.iter().map(of).sum::<f64>();
        sum(|minute| minute.abandoned)
            > DISTRUST_FROM + DISTRUST_FACTOR * USUAL_RATIO * sum(|minute| minute.risked)
    }

    /// The risk allowed with this forecast. It stays as even as the budget allows: the agents' gain grows
    /// with the logarithm of the risk, so a small steady risk is worth far more than a large one now and none
    /// later.
    pub fn allowance(&self, rules: &Rules, now: Time, forecast: DayForecast) -> Allowance {
        let DayForecast { answers: coming, in_flight, failing, leaving, end_known, is_estimated, team } =
            forecast;
        let max = rules.abandon_rate_max * SHARE_USED * if is_estimated { SHARE_ESTIMATED } else { 1.0 };
        let ratio = self.abandons_per_risk();
        // Pending calls can still become abandons, and expected answers may not come.
        let spread = (failing + max * in_flight).sqrt();
        let reserve = RESERVE + failing + leaving + CLUSTER * spread;
        let left = max * (self.live + coming) - self.abandoned - reserve;
        let certain = (SURE_SHARE * coming - 1.5 * coming.sqrt()).max(0.0);
        let people = (rules.abandon_rate_max * (self.live + certain) - self.abandoned).max(0.0) as u32;
        let last = (coming < LAST_PART * self.live).then_some(people);
        let none = Allowance { risk: 0.0, left: left.max(0.0), last };
        let spent = rules.abandon_rate_max * (self.live + certain) <= self.abandoned + failing;
        if max <= 0.0 || spent || self.is_model_distrusted() {
            return none;
        }
        let last_risk = (LAST_RISK / (ratio * (coming + in_flight).max(1.0))).min(LAST_RISK_MAX);
        let sure = max * (self.live + certain) - self.abandoned - reserve;
        if sure <= 0.0 {
            return Allowance { risk: last_risk, ..none };
        }
        // The day may end worse than it began: little is borrowed from future answers, and nothing where the
        // end is unknown.
        let day = max * (self.live + coming);
        let lent = if end_known { (1.0 + LOAN * day.sqrt()).min(LOAN_OF_REST * max * coming) } else { 0.0 };
        let head = max * self.live + lent - self.abandoned - failing - spread;
        let half_hour = self.half_hour_room(rules, now, failing, team);
        if head < -(1.0 + lent) || half_hour < -0.5 {
            return Allowance { risk: RISK_AT_LIMIT, ..none };
        }
        let usual_head = if end_known { CARE_LOAN * lent } else { 0.35 * (max * self.live).sqrt() };
        let care = (head / (usual_head + 0.5)).min(half_hour).clamp(CARE_MOST, 1.0);
        // The rate stays near the ceiling at any time, lower while little is known and at the end.
        let known = UNKNOWN_PART + (1.0 - UNKNOWN_PART) * (self.live / KNOWN_FROM).min(1.0);
        let rate =
            (left / coming.max(1.0)).min(RATE_MAX * max) * known * care * (sure / LAST_PEOPLE).min(1.0);
        Allowance { risk: (rate / ratio).clamp(last_risk, RISK_MAX), left, last }
    }

    /// 1 while the last half hour is far from its ceiling, 0 at it, negative above it.
    fn half_hour_room(&self, rules: &Rules, now: Time, failing: f64, team: u32) -> f64 {
        let Some(max) = rules.half_hour_rate_max else { return 1.0 };
        let (live, gone) = self.half_hour();
        let young = self.recent.front().is_none_or(|minute| minute.number + 28 > now.as_millis() / 60_000);
        let whole =
            if young { self.recent_pace(now).map_or(live, |pace| (pace * 1800.0).max(live)) } else { live };
        // Too few to be judged by a rate: two people would already be too many.
        if whole * max < if team < LARGE { JUDGED_FROM } else { JUDGED_FROM_LARGE } {
            return 1.0;
        }
        ((whole * max - gone - 1.0 - failing) / (CARE_HALF_HOUR * whole * max)).min(1.0)
    }
}

/// Live answers expected until `closes`, from the pace so far or, early, from the size of the floor.
pub fn expected_answers(
    pace: Option<f64>,
    floor_pace: f64,
    now: Time,
    closes: Option<Time>,
    from_leads: Option<f64>,
) -> f64 {
    let left = closes.map_or(Duration::from_secs(3600), |closes| closes.since(now));
    let by_time = pace.unwrap_or(floor_pace * 0.6) * left.as_millis() as f64 / 1000.0;
    from_leads.map_or(by_time, |leads| leads.min(by_time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_risk_follows_what_is_left_and_stops_before_the_last_one() {
        let rules = Rules::default();
        let mut budget = Budget::new(&rules);
        let now = Time::from_millis(60_000);
        for _ in 0..100 {
            budget.answered(now, 0.1);
        }
        let full = budget.allowance(&rules, now, DayForecast { answers: 300.0, ..DayForecast::default() });
        assert!(full.risk > 0.05, "{full:?}");
        assert!((full.left - (0.03 * SHARE_USED * 400.0 - RESERVE)).abs() < 1e-9);
        for _ in 0..10 {
            budget.abandoned(now, 1.0);
        }
        let spent = budget.allowance(&rules, now, DayForecast { answers: 300.0, ..DayForecast::default() });
        assert_eq!(spent.risk, 0.0, "one more could not be paid for with certainty");
    }

    #[test]
    fn a_half_hour_may_be_spent_though_the_day_is_not() {
        let rules = Rules::default();
        let mut budget =
            Budget::new(&Rules { carried: BudgetCounts { live: 5000.0, abandoned: 20.0 }, ..rules.clone() });
        let now = Time::from_millis(60_000);
        for _ in 0..200 {
            budget.answered(now, 0.1);
        }
        for _ in 0..14 {
            budget.abandoned(now, 1.0);
        }
        let day = DayForecast { answers: 1000.0, end_known: true, ..DayForecast::default() };
        let stopped = budget.allowance(&rules, now, day);
        assert!(stopped.risk <= RISK_AT_LIMIT && stopped.left > 5.0, "{stopped:?}");
        let later = Time::from_millis(60_000 * 40);
        budget.answered(later, 0.1);
        assert!(budget.allowance(&rules, later, day).risk > 0.01);
    }

    #[test]
    fn the_risk_is_even_from_the_start_to_the_middle() {
        let rules = Rules::default();
        let mut budget = Budget::new(&rules);
        let day = |answers| DayForecast { answers, end_known: true, ..DayForecast::default() };
        let first = budget.allowance(&rules, Time::from_millis(0), day(2000.0)).risk;
        // The plan comes true: of 1,000 answers at that risk 29 are lost, evenly.
        for n in 1..=1000u64 {
            let now = Time::from_millis(n * 7_200);
            budget.answered(now, 0.043);
            if n.is_multiple_of(34) {
                budget.abandoned(now, 1.0);
            }
        }
        let middle = budget.allowance(&rules, Time::from_millis(7_200_000), day(1000.0)).risk;
        assert!((0.03..0.05).contains(&first) && (0.03..0.055).contains(&middle), "{first} {middle}");
    }

    #[test]
    fn a_distrusted_model_gets_no_risk_for_half_an_hour() {
        let rules = Rules { half_hour_rate_max: None, ..Rules::default() };
        let mut budget = Budget::new(&rules);
        let day = DayForecast { answers: 50_000.0, end_known: true, ..DayForecast::default() };
        let now = Time::from_millis(60_000);
        for n in 0..1_000 {
            budget.answered(now, 0.002);
            if n % 50 == 0 && n < 600 {
                budget.abandoned(now, 1.0);
            }
        }
        assert!(budget.allowance(&rules, now, day).risk > 0.0, "twelve where two were expected");
        (0..10).for_each(|_| budget.abandoned(now, 1.0));
        assert_eq!(budget.allowance(&rules, now, day).risk, 0.0, "22 are no chance any more");
        let later = Time::from_millis(60_000 * 40);
        budget.answered(later, 0.0);
        assert!(budget.allowance(&rules, later, day).risk > 0.0, "it is trusted again");
    }

    #[test]
    fn without_a_known_end_the_rate_stays_below_the_ceiling() {
        let rules = Rules { half_hour_rate_max: None, ..Rules::default() };
        let mut budget = Budget::new(&rules);
        let now = Time::from_millis(60_000);
        for _ in 0..300 {
            budget.answered(now, 0.05);
        }
        for _ in 0..9 {
            budget.abandoned(now, 1.0);
        }
        let known = DayForecast { answers: 700.0, end_known: true, ..DayForecast::default() };
        let (lent, not) = (
            budget.allowance(&rules, now, known),
            budget.allowance(&rules, now, DayForecast { end_known: false, ..known }),
        );
        assert!(not.risk < 0.5 * lent.risk, "{not:?} {lent:?}");
    }

    #[test]
    fn the_last_allowed_abandon_is_risked_at_most_once() {
        let rules = Rules { half_hour_rate_max: None, ..Rules::default() };
        let mut budget = Budget::new(&rules);
        let now = Time::from_millis(60_000);
        for _ in 0..150 {
            budget.answered(now, 0.05);
        }
        for _ in 0..5 {
            budget.abandoned(now, 1.0);
        }
        // Six in 200 would be three in a hundred, but not all of them are certain to answer.
        let day = DayForecast { answers: 50.0, end_known: true, ..DayForecast::default() };
        let allowance = budget.allowance(&rules, now, day);
        assert!(allowance.risk * budget.abandons_per_risk() * 50.0 <= LAST_RISK + 1e-9, "{allowance:?}");
    }

    #[test]
    fn the_day_keeps_its_ceiling_at_any_cost_of_risk() {
        let rules = Rules { half_hour_rate_max: None, ..Rules::default() };
        for (seed, cost) in [(1u64, 0.3), (2, 0.7), (3, 1.2), (4, 0.7), (5, 2.0)] {
            for answers in [150u64, 600, 4000] {
                let mut state = seed * 0x9e37_79b9 + answers;
                let mut unit = || {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    (state >> 11) as f64 / (1u64 << 53) as f64
                };
                let mut budget = Budget::new(&rules);
                for n in 0..answers {
                    let now = Time::from_millis(n * 14_400_000 / answers);
                    let rest = (answers - n) as f64;
                    let day = DayForecast { answers: rest, end_known: true, ..DayForecast::default() };
                    let risk = budget.allowance(&rules, now, day).risk;
                    budget.answered(now, risk);
                    if unit() < risk * cost {
                        budget.abandoned(now, 1.0);
                    }
                }
                let rate = budget.abandoned_so_far() / budget.live();
                assert!(rate <= 0.03, "seed {seed}, cost {cost}, {answers} answers: {rate}");
                assert!(answers < 600 || rate > 0.02, "and uses it: seed {seed}, {answers} answers: {rate}");
            }
        }
    }

    #[test]
    fn no_ceiling_left_means_no_risk() {
        let rules = Rules { abandon_rate_max: 0.0, ..Rules::default() };
        assert_eq!(
            Budget::new(&rules)
                .allowance(
                    &rules,
                    Time::ZERO,
                    DayForecast { answers: 1e6, in_flight: 10.0, ..DayForecast::default() }
                )
                .risk,
            0.0
        );
    }
}
