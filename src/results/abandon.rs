//! Abandon rates of the summary: by plain divisors over all calls, by abandon rule, and by day. Computed from
//! the attempt rows with the same ledger that brakes a running campaign.

use super::days::Days;
use super::summary::Summary;
use crate::store::result_rows::AttemptRow;
use jiff::Timestamp;
use jiff::civil::Date;
use paceline_core::outcome::{EndedBy, Outcome};
use paceline_core::pacing::ledger::{FinishedAttempt, Ledger, LedgerTime, Rule};
use paceline_core::time::{Duration, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Abandoned calls in percent: over all attempts by several divisors, then by rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct AbandonRates {
    /// Calls that were answered and got no agent: the outcome `abandoned`, and `agent_failed` after an answer. Callees who hung up while
    /// they waited are included, here and in every rate.
    pub abandoned: u64,
    /// Of calls that a person answered: answered + abandoned.
    pub pct_of_answered_by_people: f64,
    /// Of calls that anything answered: answered + abandoned + machine.
    pub pct_of_answered_by_anyone: f64,
    pub pct_of_attempts: f64,
    /// Calls that waited for an agent: connected + abandoned.
    pub reached_queue: u64,
    pub pct_of_reached_queue: f64,
    /// Time of the last call, at which the windows of `by_rule` end; empty without calls.
    pub as_of: String,
    /// By the words of `abandon_rules`, each in its own window. A connected call counts as answered by a
    /// person unless the agent heard a machine.
    pub by_rule: BTreeMap<String, RuleRate>,
    /// Of calls that a person answered, by day of the answer (rule `whole_day`).
    pub by_day: BTreeMap<String, DayRate>,
}

/// One rule's rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct RuleRate {
    /// As the rule counts; the rule of the United Kingdom yields fractions.
    pub abandoned: f64,
    pub of: f64,
    pub pct: f64,
    /// Upper confidence bound: the true rate is above it with a probability of 5 %.
    pub upper_pct: f64,
}

/// One day's rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct DayRate {
    pub abandoned: u64,
    pub of: u64,
    pub pct: f64,
}

/// Accumulates the rates while the attempts are written.
#[derive(Debug, Default)]
pub(super) struct Abandons {
    ledger: Ledger,
    days: BTreeMap<Date, DayRate>,
    /// Answered callees whose agent's phone failed: abandoned too, whatever the reason.
    phones_failed: u64,
    last: Option<i64>,
}

impl Abandons {
    /// `day` = day of the answer.
    pub(super) fn attempt(&mut self, row: &AttemptRow, day: Option<Date>) {
        self.last = self.last.max(Some(row.placed_at)).max(row.ended_at);
        let ended = row.outcome.as_deref().and_then(Outcome::from_word).zip(row.ended_at);
        let Some((outcome, ended_at)) = ended else {
            return self.ledger.placed(Utc::from_millis(row.placed_at));
        };
        let booked = FinishedAttempt {
            placed_at: Utc::from_millis(row.placed_at),
            rang: row.ringing_at.is_some(),
            answered_at: row.answered_at.map(Utc::from_millis),
            connected_at: row.connected_at.map(Utc::from_millis),
            ended_at: Utc::from_millis(ended_at),
            ended_by: row.ended_by.as_deref().and_then(EndedBy::from_word).unwrap_or(EndedBy::Dialer),
            outcome,
            machine: row.machine,
        };
        // No early hang-ups: they depend on the campaign's answer wait, which the rows do not hold.
        self.ledger.enter(&booked, Duration::ZERO);
        let phone_failed = outcome == Outcome::AgentFailed && booked.answered_at.is_some();
        self.phones_failed += u64::from(phone_failed);
        let abandoned = outcome == Outcome::Abandoned || phone_failed;
        let person = booked.connected_at.is_some() && !row.machine;
        if let Some(date) = day.filter(|_| abandoned || person) {
            let day = self.days.entry(date).or_default();
            day.of += 1;
            day.abandoned += u64::from(abandoned);
        }
    }

    pub(super) fn rates(self, summary: &Summary, days: &mut Days) -> AbandonRates {
        let of =
            |outcome: Outcome| summary.attempts_by_outcome.get(outcome.word()).copied().unwrap_or_default();
        let abandoned = of(Outcome::Abandoned) + self.phones_failed;
        let people = of(Outcome::Answered) + abandoned;
        let reached_queue = summary.attempts_connected + abandoned;
        let pct_of = |whole: u64| pct(abandoned as f64 / whole.max(1) as f64);
        let last = self.last.and_then(|last| Some((last, days.day(last)?.start)));
        let at = last.map(|(now, start)| LedgerTime {
            now: Utc::from_millis(now),
            day_start: Utc::from_millis(start),
        });
        let by_day = self.days.into_iter().map(|(date, day)| {
            let pct = pct(day.abandoned as f64 / day.of.max(1) as f64);
            (date.to_string(), DayRate { pct, ..day })
        });
        AbandonRates {
            abandoned,
            pct_of_answered_by_people: pct_of(people),
            pct_of_answered_by_anyone: pct_of(people + of(Outcome::Machine)),
            pct_of_attempts: pct_of(summary.attempts),
            reached_queue,
            pct_of_reached_queue: pct_of(reached_queue),
            as_of: at.map_or_else(String::new, |at| moment(at.now)),
            by_rule: at.map(|at| by_rule(&self.ledger, at)).unwrap_or_default(),
            by_day: by_day.collect(),
        }
    }
}

fn by_rule(ledger: &Ledger, at: LedgerTime) -> BTreeMap<String, RuleRate> {
    let rate = |rule: Rule| {
        let rate = ledger.rate(rule, at);
        let (abandoned, of) = (hundredth(rate.abandoned), hundredth(rate.of));
        (rule.word().to_owned(), RuleRate { abandoned, of, pct: pct(rate.rate), upper_pct: pct(rate.upper) })
    };
    Rule::ALL.into_iter().map(rate).collect()
}

/// A share in percent, rounded to a hundredth.
fn pct(share: f64) -> f64 {
    hundredth(share * 100.0)
}

fn hundredth(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn moment(at: Utc) -> String {
    Timestamp::from_millisecond(at.as_millis()).map_or_else(|_| String::new(), |at| format!("{at:.3}"))
}
