//! The brake that turns the abandon rate from a goal into a ceiling: decides whether more than one call for
//! each idle agent is still affordable. Plain arithmetic outside any model; `ledger` does the counting.

use serde::{Deserialize, Serialize};

/// Answers assumed at the start of a day, when one abandoned call is already a high rate. Capped by the
/// answers that the day can be expected to bring.
const ANSWERS_AT_START: f64 = 34.0;

/// Share of the answers expected from the rest of the day that is relied on.
const SURE_SHARE: f64 = 0.7;

/// Agents who walk away make callees abandoned even with one call for each agent: this many abandons are kept
/// in reserve once the day has room for them.
const RESERVE: f64 = 1.0;

/// In the middle of a day a model may exceed the ceiling of the answers so far by this factor, plus this many
/// people.
const LOAN: f64 = 1.3;
const LOAN_PEOPLE: f64 = 2.0;

/// Answer rate assumed before any call has ended, and the number of calls that this assumption weighs.
const ANSWER_RATE: f64 = 0.5;
const ANSWER_WEIGHT: f64 = 10.0;

/// A campaign's position by its strictest rule, and the answers that its day may still bring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Brake {
    /// Abandoned calls, and their divisor `of`, as the rule counts them.
    pub abandoned: f64,
    pub of: f64,
    /// 0 to 1.
    pub ceiling: f64,
    /// Share of the pending calls that will be answered, 0 to 1.
    pub answer_rate: f64,
    /// Answers expected from the rest of the day.
    pub to_come: f64,
    /// Callees waiting in excess of the idle agents: they will hardly get one.
    pub failing: f64,
}

impl Brake {
    /// Whether `pending` unanswered calls for `idle` agents are affordable: the abandons so far, plus those
    /// that would follow if answers exceeded their expectation by two standard deviations, stay below the
    /// ceiling.
    pub fn pays_for(&self, pending: u32, idle: u32) -> bool {
        // A rate of one cannot be exceeded.
        if pending <= idle || self.ceiling >= 1.0 {
            return true;
        }
        let rate = self.answer_rate.clamp(0.0, 1.0);
        let expected = f64::from(pending) * rate;
        let deviation = (expected * (1.0 - rate)).sqrt();
        let short = (expected + 2.0 * deviation - f64::from(idle)).max(0.0);
        let start = ANSWERS_AT_START.min(self.of + SURE_SHARE * self.to_come);
        let reserve = RESERVE.min(self.ceiling * self.of);
        self.abandoned + self.failing + short + reserve <= self.ceiling * (self.of + expected).max(start)
    }

    /// Whether a model may still borrow from the rest of the day. One more abandon, after those that are
    /// about to happen, must be within the ceiling by the day's end even if the campaign went on with one
    /// call for each idle agent; and the rate may never be far above the ceiling of the answers so far.
    pub fn may_lend(&self) -> bool {
        let spent = self.abandoned + self.failing + 1.0;
        let by_the_end = self.ceiling * (self.of + self.failing + 1.0 + SURE_SHARE * self.to_come);
        let so_far = self.ceiling * self.of.max(2.0 * ANSWERS_AT_START);
        spent <= by_the_end + 1e-9 && self.abandoned < so_far * LOAN + LOAN_PEOPLE
    }
}

/// Answer rate of the calls that rang to an end, blended with the prior while there are few.
pub fn answer_rate(answered: u64, settled: u64) -> f64 {
    let rate = (answered as f64 + ANSWER_RATE * ANSWER_WEIGHT) / (settled as f64 + ANSWER_WEIGHT);
    rate.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brake(of: u64, abandoned: u64, to_come: f64) -> Brake {
        let (of, abandoned) = (of as f64, abandoned as f64);
        Brake { abandoned, of, ceiling: 0.03, answer_rate: 0.33, to_come, failing: 0.0 }
    }

    #[test]
    fn one_call_per_idle_agent_is_always_paid_for() {
        let spent = brake(100, 50, 1_000.0);
        for idle in 0..50 {
            assert!(spent.pays_for(idle, idle));
            assert!(!spent.pays_for(idle + 1, idle), "{idle}");
        }
    }

    #[test]
    fn a_good_record_pays_for_more_lines_and_a_spent_one_for_none() {
        let most = |brake: Brake| (10..200).take_while(|pending| brake.pays_for(*pending, 10)).count();
        let fresh = most(Brake { answer_rate: answer_rate(0, 0), ..brake(0, 0, 500.0) });
        let good = most(Brake { answer_rate: 0.25, ..brake(1_000, 0, 500.0) });
        let spent = most(Brake { answer_rate: 0.25, ..brake(1_000, 31, 500.0) });
        assert!(fresh < good, "{fresh} {good}");
        assert!(spent <= 1, "{spent}");
    }

    #[test]
    fn a_day_that_is_too_short_to_pay_lends_nothing() {
        // The ceiling is one in 33: 32 answers never pay for an abandon.
        for (of, to_come, lends) in
            [(0, 0.0, false), (0, 45.0, false), (0, 47.0, true), (32, 0.0, false), (33, 0.0, true)]
        {
            assert_eq!(brake(of, 0, to_come).may_lend(), lends, "{of} answers, {to_come} to come");
        }
        assert!(!brake(0, 0, 20.0).pays_for(20, 10) && brake(0, 0, 60.0).pays_for(20, 10));
    }

    #[test]
    fn a_long_day_may_start_above_the_ceiling_and_ends_below_it() {
        // One of the first ten is 10 %, and a day of 1,500 answers has room for it.
        assert!(brake(10, 1, 1_500.0).may_lend() && brake(50, 4, 1_500.0).may_lend());
        assert!(!brake(50, 5, 1_500.0).may_lend(), "not far above the ceiling at any time");
        assert!(brake(1_000, 40, 1_500.0).may_lend() && !brake(1_000, 41, 1_500.0).may_lend());
        for answers in 1..2_000 {
            let most = (0..).take_while(|gone| brake(answers, *gone, 0.0).may_lend()).count() as f64;
            assert!(most <= 0.03 * (answers as f64 + 1.0) + 1e-9, "{most} of {answers} at the end of a day");
        }
    }

    #[test]
    fn waiting_callees_beyond_the_idle_agents_count_as_abandoned() {
        let with = |failing| Brake { failing, ..brake(1_000, 25, 0.0) }.may_lend();
        assert!(with(0.0) && with(4.0) && !with(6.0));
    }

    #[test]
    fn a_zero_ceiling_affords_and_lends_nothing() {
        let none = Brake { ceiling: 0.0, ..brake(100, 0, 1_000.0) };
        assert!(!none.may_lend() && !none.pays_for(20, 10) && none.pays_for(10, 10));
        let all = Brake { ceiling: 1.0, ..brake(0, 0, 0.0) };
        assert!(all.may_lend() && all.pays_for(100, 1));
    }

    #[test]
    fn the_answer_rate_begins_at_a_half_and_follows_what_is_seen() {
        assert_eq!(answer_rate(0, 0), 0.5);
        assert!((answer_rate(100, 400) - 0.256).abs() < 1e-3);
        assert_eq!(answer_rate(500, 100), 1.0, "more answers than ends is possible for a while");
    }
}
