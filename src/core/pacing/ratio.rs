//! Lines for idle agents: the fixed ratio of the manuals, and the brake that makes an abandon rate a
//! ceiling instead of a wish.

use serde::{Deserialize, Serialize};

/// Lines = ratio x idle agents, rounded down. With nobody idle, none.
pub fn lines(ratio: f64, idle: u32) -> u32 {
    let lines = ratio.max(0.0) * f64::from(idle);
    // The worked numbers of the manuals are exact products: 1.3 x 10 is 13.
    (lines + 1e-9).floor().min(f64::from(u32::MAX)) as u32
}

/// What a campaign's agents have met with so far: people who answered, and those of them whom
/// nobody spoke with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub answered: u64,
    pub abandoned: u64,
    /// Calls that rang to an end, answered or not: for the answer rate.
    pub settled: u64,
}

/// Answers that are taken for granted at the start, when one abandoned call is already a high rate.
const ANSWERS_AT_START: f64 = 34.0;

/// What is assumed of the answer rate before anything is known, and how many calls that weighs.
const ANSWER_RATE: f64 = 0.5;
const ANSWER_WEIGHT: f64 = 10.0;

impl Tally {
    pub fn connected(&mut self, inbound: bool) {
        if !inbound {
            self.answered += 1;
        }
    }

    pub fn abandoned(&mut self) {
        self.answered += 1;
        self.abandoned += 1;
    }

    /// Abandoned of those who answered.
    pub fn abandon_rate(&self) -> Option<f64> {
        (self.answered > 0).then(|| self.abandoned as f64 / self.answered as f64)
    }

    fn answer_rate(&self) -> f64 {
        (self.answered as f64 + ANSWER_RATE * ANSWER_WEIGHT) / (self.settled as f64 + ANSWER_WEIGHT)
    }

    /// Whether a model may still lend on the rest of the day: not beyond a third above the ceiling of
    /// the answers so far, and two people.
    pub fn may_lend(&self, rate_max: f64) -> bool {
        let now = rate_max * (self.answered as f64).max(2.0 * ANSWERS_AT_START);
        (self.abandoned as f64) < now * 1.3 + 2.0
    }

    /// Whether `pending` unanswered calls for `idle` agents can still be paid for: what is abandoned
    /// already, and what would be if the answers came two deviations early, stays below the ceiling.
    pub fn pays_for(&self, pending: u32, idle: u32, rate_max: f64) -> bool {
        if pending <= idle {
            return true;
        }
        let rate = self.answer_rate().min(1.0);
        let expected = f64::from(pending) * rate;
        let deviation = (expected * (1.0 - rate)).sqrt();
        let short = (expected + 2.0 * deviation - f64::from(idle)).max(0.0);
        let budget = rate_max * (self.answered as f64 + expected).max(ANSWERS_AT_START);
        self.abandoned as f64 + short <= budget
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_numbers_of_the_manuals() {
        // Z5: ratio 2.
        assert_eq!([0, 1, 100].map(|idle| lines(2.0, idle)), [0, 2, 200]);
        // Wombat: 7 x 1.3 = 9.
        assert_eq!(lines(1.3, 7), 9);
        assert_eq!(lines(1.3, 10), 13);
        assert_eq!(lines(0.0, 10), 0);
    }

    #[test]
    fn one_call_per_idle_agent_is_always_paid_for() {
        let spent = Tally { answered: 100, abandoned: 50, settled: 300 };
        for idle in 0..50 {
            assert!(spent.pays_for(idle, idle, 0.03));
            assert!(!spent.pays_for(idle + 1, idle, 0.03), "{idle}");
        }
    }

    #[test]
    fn nothing_is_lent_far_beyond_the_ceiling_whatever_a_model_says() {
        let after = |answered, abandoned| Tally { answered, abandoned, settled: 0 }.may_lend(0.03);
        assert!(after(0, 0) && after(50, 4) && !after(50, 5));
        assert!(after(1_000, 40) && !after(1_000, 41));
        assert!(!Tally { answered: 100, abandoned: 2, settled: 0 }.may_lend(0.0));
    }

    #[test]
    fn a_good_record_pays_for_more_lines_and_a_spent_one_for_none() {
        let most = |tally: Tally| (10..200).take_while(|pending| tally.pays_for(*pending, 10, 0.03)).count();
        let fresh = most(Tally::default());
        let good = most(Tally { answered: 1_000, abandoned: 0, settled: 4_000 });
        let spent = most(Tally { answered: 1_000, abandoned: 31, settled: 4_000 });
        assert!(fresh < good, "{fresh} {good}");
        assert!(spent <= 1, "{spent}");
    }
}
