//! Health of caller IDs, found in their own traffic: whether callees answer calls that show one number less often
//! than calls that show the others (a phone says "fraud" beside the number, or a carrier refuses it).
//!
//! **Control.** The calls of an hour are split into `Stratum`s: one campaign, one kind of callee
//! (`CalleeNetwork`), first attempts apart from later ones, which are answered less often and which a sticky
//! number gets more of. Within a stratum the numbers shown are exchangeable unless one of them is marked. Given how
//! many calls of the stratum were answered, the number of answers among those that showed *this* number is then
//! hypergeometric, whatever the answer rate is; if the odds of an answer are `odds` times those of the others, it is
//! Fisher's noncentral hypergeometric (R. A. Fisher 1935). `ln_likelihood_ratio` is the logarithm of their ratio.
//!
//! **Flag.** A number may be good for weeks and be marked then, so the ratio is added up from every hour on:
//! `R = (1 + R) x ratio`, the procedure of Shiryaev (1963) and Roberts (1966). On a healthy number `R` minus the
//! number of hours is a martingale, so the mean number of hours until `R` reaches a bound `A` is at least `A`
//! (Pollak, Ann. Statist. 13, 1985), without any assumption about the answer rate. Two things are tested: answers
//! that become rarer (`ODDS_ANSWERED`) and refusals that become more frequent (`ODDS_REFUSED`). Their bounds let
//! a healthy number that is used in `HOURS_A_WEEK` be flagged once in `WEEKS_TO_FALSE_FLAG` weeks on
//! average, or more rarely.
//!
//! **Recovery.** After its rest a flagged number gets a tenth of its calls. Wald's sequential test of each of the two
//! decides between marked (one of them says so) and healthy (the answers say so, and the refusals, of which there may be
//! none at all, do not speak against it), either with the error `RECOVERY_ERROR`.

mod calls;
mod network;

pub use calls::{EndedCall, JudgedCall, compare};
pub use network::CalleeNetwork;

use crate::ids::CampaignId;
use serde::{Deserialize, Serialize};

/// A marked number's odds of an answer, as a share of the others' odds: 28 % answered become 14 %.
pub const ODDS_ANSWERED: f64 = 0.42;
/// A marked number's odds of a refusal, in multiples of the others' odds.
pub const ODDS_REFUSED: f64 = 6.0;
/// Mean weeks until a healthy number is flagged, at least.
pub const WEEKS_TO_FALSE_FLAG: f64 = 200.0;
/// Probability that a recovering number is judged wrongly, either way, at most (Wald 1945).
pub const RECOVERY_ERROR: f64 = 0.05;

/// Hours of the week in which a number may be used: 13 a day in China (08:00 to 21:00), and some more.
const HOURS_A_WEEK: f64 = 100.0;
/// Shares of the false flags that each of the two tests may cause.
const SHARE_ANSWERED: f64 = 0.8;
const SHARE_REFUSED: f64 = 0.2;

/// Calls that are compared with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stratum {
    pub campaign: CampaignId,
    pub network: CalleeNetwork,
    /// First attempts at their lead.
    pub is_first: bool,
}

/// Calls of one hour and stratum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that the carrier took; line faults are none.
    pub calls: u32,
    pub answered: u32,
    /// Refused for the caller's sake: SIP 403, 603, 607 (RFC 8197), 608 (RFC 8688), or any final response before the
    /// phone could ring.
    pub refused: u32,
}

impl Counts {
    /// The calls without those.
    pub fn without(self, those: Counts) -> Counts {
        Counts {
            calls: self.calls - those.calls,
            answered: self.answered - those.answered,
            refused: self.refused - those.refused,
        }
    }

    /// Adds calls.
    pub fn add(&mut self, other: Counts) {
        self.calls += other.calls;
        self.answered += other.answered;
        self.refused += other.refused;
    }
}

/// Calls of one stratum that showed the number, and those that showed another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    pub own: Counts,
    pub control: Counts,
}

impl Compared {
    fn ln_answered(&self) -> f64 {
        let (own, all) = (self.own, self.control);
        ln_likelihood_ratio(own.answered, own.calls, all.answered, all.calls, ODDS_ANSWERED)
    }

    fn ln_refused(&self) -> f64 {
        let (own, all) = (self.own, self.control);
        ln_likelihood_ratio(own.refused, own.calls, all.refused, all.calls, ODDS_REFUSED)
    }

    /// Answers that the number would have if it were answered as the control is; `None` without a control.
    pub fn expected_answers(&self) -> Option<f64> {
        let share = f64::from(self.control.answered) / f64::from(self.control.calls);
        (self.control.calls > 0).then(|| share * f64::from(self.own.calls))
    }
}

/// What was counted of one number since it was last flagged or put back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Logarithms of `R`, of the answers and of the refusals; [`LN_NOTHING`] before the first hour.
    ln_answered: f64,
    ln_refused: f64,
    /// Sums of the logarithms, which judge a recovery.
    ln_answered_sum: f64,
    ln_refused_sum: f64,
}

impl Default for Evidence {
    fn default() -> Self {
        Evidence {
            ln_answered: LN_NOTHING,
            ln_refused: LN_NOTHING,
            ln_answered_sum: 0.0,
            ln_refused_sum: 0.0,
        }
    }
}

/// Stands for the logarithm of zero: JSON has no infinity.
const LN_NOTHING: f64 = -1e9;

/// Why a number is flagged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Answers became rarer.
    AnsweredLess,
    /// Refusals became more frequent.
    RefusedMore,
}

/// Result of a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    Undecided,
    Healthy,
    Marked,
}

impl Evidence {
    /// Adds an hour in which the number was used. `strata` are all strata of the hour that hold a call of it.
    pub fn add_hour<'a>(&mut self, strata: impl IntoIterator<Item = &'a Compared>) {
        let (mut answered, mut refused) = (0.0, 0.0);
        for stratum in strata {
            answered += stratum.ln_answered();
            refused += stratum.ln_refused();
        }
        self.ln_answered = ln_one_more(self.ln_answered) + answered;
        self.ln_refused = ln_one_more(self.ln_refused) + refused;
        self.ln_answered_sum += answered;
        self.ln_refused_sum += refused;
    }

    /// Whether the number is to be flagged.
    pub fn mark(&self) -> Option<Mark> {
        let bound = |share: f64| (WEEKS_TO_FALSE_FLAG * HOURS_A_WEEK / share).ln();
        if self.ln_answered >= bound(SHARE_ANSWERED) {
            Some(Mark::AnsweredLess)
        } else if self.ln_refused >= bound(SHARE_REFUSED) {
            Some(Mark::RefusedMore)
        } else {
            None
        }
    }

    /// Judges a number that came back from its rest with [`Evidence::default`].
    pub fn recovery(&self) -> Recovery {
        // A healthy number is judged wrongly by either test, so each may do it half as often.
        let marked = ((1.0 - RECOVERY_ERROR) / (RECOVERY_ERROR / 2.0)).ln();
        let healthy = ((1.0 - RECOVERY_ERROR / 2.0) / RECOVERY_ERROR).ln();
        let sums = [self.ln_answered_sum, self.ln_refused_sum];
        if sums.iter().any(|sum| *sum >= marked) {
            Recovery::Marked
        } else if self.ln_answered_sum <= -healthy && self.ln_refused_sum <= 0.0 {
            Recovery::Healthy
        } else {
            Recovery::Undecided
        }
    }
}

/// `ln(1 + e^x)`.
fn ln_one_more(x: f64) -> f64 {
    if x > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() }
}

/// Logarithm of how much better `odds` times the control's odds explain the number's own share than the same odds
/// do, given the sum of both: of `own_of` calls `own` count, of the control's `control_of` calls `control` do.
/// 0 where the sums leave no choice. At most `own_of` steps.
pub fn ln_likelihood_ratio(own: u32, own_of: u32, control: u32, control_of: u32, odds: f64) -> f64 {
    let sum = own + control;
    let least = sum.saturating_sub(control_of);
    let most = sum.min(own_of);
    // Weights of the hypergeometric distribution, each from the one before, as logarithms: they span hundreds of orders.
    let (mut ln_weight, mut ln_plain, mut ln_tilted) = (0.0f64, 0.0f64, 0.0f64);
    let ln_odds = odds.ln();
    for n in least + 1..=most {
        let up = f64::from(own_of - n + 1) * f64::from(sum - n + 1);
        let down = f64::from(n) * f64::from(control_of + n - sum);
        ln_weight += (up / down).ln();
        ln_plain = ln_sum(ln_plain, ln_weight);
        ln_tilted = ln_sum(ln_tilted, ln_weight + f64::from(n - least) * ln_odds);
    }
    f64::from(own.saturating_sub(least)) * ln_odds + ln_plain - ln_tilted
}

/// `ln(e^a + e^b)`.
fn ln_sum(a: f64, b: f64) -> f64 {
    a.max(b) + (-(a - b).abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests;
