//! Feeds a campaign's abandon ledger from its calls, and derives the brake for pacing from it. Counting is
//! in `pacing::ledger`, the ceiling in `pacing::brake`.

use super::campaign_run::{Braking, CampaignRun};
use super::live_call::Call;
use super::plan::ANSWER_HORIZON;
use crate::campaign::window::WindowState;
use crate::ids::CallId;
use crate::outcome::{EndedBy, Outcome};
use crate::pacing::brake::{self, Brake};
use crate::pacing::ledger::{self, AbandonReport, LedgerTime, Rule};
use crate::pacing::predictive::{BudgetCounts, Event};
use crate::time::{Duration, Time, Utc};

/// Assumed agent time per answer, until the day's own pace is known.
const ASSUMED_TURN: Duration = Duration::from_secs(180);
/// Answers of the day from which its own pace counts as known.
const PACE_KNOWN_FROM: u64 = 15;

/// Attempts with a machine disposition that are kept, so that a corrected summary can be undone in the
/// ledger.
const MACHINES_MAX: usize = 1_000;

impl CampaignRun {
    /// Counts a call that is over.
    pub fn note_end(&mut self, call: &Call, outcome: Outcome, ended_by: EndedBy, ended_at: Utc) {
        if call.ringing_at.is_some() || call.answered_at.is_some() {
            self.ledger.settled(call.placed_at);
        }
        let Some(answered_at) = call.answered_at else { return };
        let wait = self.rules.pacing.answer_wait;
        match outcome {
            Outcome::Abandoned | Outcome::AgentFailed
                if ledger::left_early(answered_at, ended_at, ended_by, wait) =>
            {
                self.ledger.hung_up(answered_at);
            }
            Outcome::Machine => self.ledger.machine_detected(answered_at),
            _ => {}
        }
    }

    /// A summary says, or no longer says, that a machine answered.
    pub fn note_machine(
        &mut self,
        now: Time,
        call: CallId,
        answered_at: Utc,
        connected_at: Utc,
        machine: bool,
    ) {
        let changed = match machine {
            true => self.machines.insert(call.attempt()),
            false => self.machines.remove(&call.attempt()),
        };
        if !changed {
            return;
        }
        while self.machines.len() > MACHINES_MAX {
            self.machines.pop_first();
        }
        self.ledger.machine_heard(answered_at, connected_at, machine);
        if machine {
            self.feed_event(now, Event::FoundMachine { call });
        }
    }

    /// Abandon rates by every rule; `None` = the campaign has no agents, so no call can be abandoned.
    pub fn abandon_report(&self, utc: Utc) -> Option<AbandonReport> {
        self.rules.agents.as_ref()?;
        let (day_start, _) = self.rules.windows.local_day(utc);
        let pacing = &self.rules.pacing;
        let at = LedgerTime { now: utc, day_start };
        Some(self.ledger.abandon_report(pacing.abandon_rules, pacing.abandon_rate_max, at))
    }

    fn braking(&mut self, utc: Utc) -> Braking {
        let (day_start, _) = self.local_day(utc);
        let at = LedgerTime { now: utc, day_start };
        let key = (self.ledger.changes(), at.key());
        if let Some(known) = self.braking.filter(|known| known.key == key) {
            return known;
        }
        let pacing = &self.rules.pacing;
        let day = self.ledger.window(Rule::WholeDay, at);
        *self.braking.insert(Braking {
            key,
            rate: self.ledger.strictest(pacing.abandon_rules, pacing.abandon_rate_max, at),
            people: day.people(),
            answered: day.people() + day.connected_machines + day.machines_detected,
            settled: day.settled,
            placed: day.placed,
            first: self.ledger.answers_since(day_start),
        })
    }

    /// The brake for placing more calls than there are idle agents. `there`: agents at work. `failing`:
    /// waiting callees beyond the idle agents.
    pub fn brake(&mut self, utc: Utc, there: u32, failing: u32) -> Brake {
        let known = self.braking(utc);
        let answer_rate = brake::answer_rate(known.answered, known.settled);
        Brake {
            abandoned: known.rate.abandoned,
            of: known.rate.of,
            ceiling: self.rules.pacing.abandon_rate_max,
            answer_rate,
            to_come: self.answers_ahead(&known, utc, there),
            failing: f64::from(failing),
        }
    }

    /// Expected answers in the rest of the day, at most its next hour: the day's pace so far, bounded by
    /// the leads left. Remaining leads count at the answer rate of placed calls, most of which never rang
    /// where the list is poor.
    fn answers_ahead(&mut self, known: &Braking, utc: Utc, there: u32) -> f64 {
        let (_, day_end) = self.local_day(utc);
        let left = match self.window(utc) {
            WindowState::OpenUntil(until) => until.min(day_end).since(utc),
            WindowState::ClosedUntil(_) => Duration::ZERO,
        };
        let pace = match known.first.filter(|_| known.people >= PACE_KNOWN_FROM) {
            Some(first) => known.people as f64 / utc.since(first).as_secs_f64().max(60.0),
            None => f64::from(there) / ASSUMED_TURN.as_secs_f64(),
        };
        let leads = self.supply.leads_open.max(self.hopper.len() as u64);
        let by_leads = leads as f64 * brake::answer_rate(known.people, known.placed);
        (pace * left.min(ANSWER_HORIZON).as_secs_f64()).min(by_leads)
    }

    /// Sets the pacer's spent budget to the strictest rule's counts. `waiting`: callees who answered and
    /// are neither bridged nor abandoned yet.
    pub fn set_pacer_budget(&mut self, utc: Utc, waiting: usize) {
        let rate = self.braking(utc).rate;
        let spent = BudgetCounts { live: rate.of + waiting as f64, abandoned: rate.abandoned };
        if let Some(pacer) = self.pacer.as_mut().filter(|pacer| pacer.spent() != spent) {
            pacer.set_spent(spent);
        }
    }
}
