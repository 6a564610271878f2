//! A circuit breaker around the pacer: where it panics or decides too slowly, the campaign goes on with one
//! call for each idle agent and reports the fault. A fault never stops dialling and never floods the trunks.

use super::history::{self, FinishedCall};
use super::predictive::{BudgetCounts, Event, Pacer, Part, Plan, Rules, Snapshot};
use crate::time::{Duration, Time, Utc};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How long a failed pacer is left out before a new one is tried.
const LEFT_OUT_FOR: Duration = Duration::from_secs(600);
/// After this many failures no new pacer is tried.
const FAILURES_MAX: u32 = 3;
/// This many slow decisions within `SLOW_WITHIN` count as a failure.
const SLOW_MAX: usize = 5;
const SLOW_WITHIN: Duration = Duration::from_secs(60);

/// The pacer's clock starts this much before the process's, so that calls of an earlier process can be
/// replayed with valid times.
const HISTORY_MAX: Duration = Duration::from_secs(86_400);

/// Why the pacer is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PacerFault {
    /// It panicked.
    Panicked,
    /// The caller measured that its decisions take too long.
    TooSlow,
}

/// A [`Pacer`] behind a circuit breaker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailSafePacer {
    pacer: Pacer,
    failures: u32,
    trouble: Option<(PacerFault, Time)>,
    slow: VecDeque<Time>,
}

impl FailSafePacer {
    pub fn new(rules: Rules) -> Self {
        FailSafePacer { pacer: Pacer::new(rules), failures: 0, trouble: None, slow: VecDeque::new() }
    }

    pub fn rules(&self) -> &Rules {
        self.pacer.rules()
    }

    /// See [`Pacer::set_rules`].
    pub fn set_rules(&mut self, rules: Rules) {
        self.pacer.set_rules(rules);
    }

    /// The fault that keeps the pacer out at `now`.
    pub fn fault(&self, now: Time) -> Option<PacerFault> {
        let (trouble, since) = self.trouble?;
        (self.failures >= FAILURES_MAX || now.since(since) < LEFT_OUT_FOR).then_some(trouble)
    }

    /// When a new pacer will be tried; `None` after the last failure or without one.
    pub fn retry_at(&self) -> Option<Time> {
        self.trouble.filter(|_| self.failures < FAILURES_MAX).map(|(_, since)| since + LEFT_OUT_FOR)
    }

    /// See [`Pacer::spent`].
    pub fn spent(&self) -> BudgetCounts {
        self.pacer.spent()
    }

    /// See [`Pacer::set_spent`].
    pub fn set_spent(&mut self, spent: BudgetCounts) {
        self.pacer.set_spent(spent);
    }

    /// Replays an earlier process's calls of the last day. `utc` is the wall-clock time of `now`. The budget
    /// is left as it was: [`FailSafePacer::set_spent`] sets it from the ledger.
    pub fn learn(&mut self, now: Time, utc: Utc, calls: &[FinishedCall], part: impl Fn(u32) -> Part) {
        let spent = self.pacer.spent();
        for (at, event) in history::to_events(calls, part) {
            let ago = utc.since(at);
            if at <= utc && ago < HISTORY_MAX {
                let then = Time::from_millis(
                    (to_pacer_time(now).as_millis()).saturating_sub(ago.as_millis() as u64),
                );
                let pacer = &mut self.pacer;
                if !runs_without_panic(|| pacer.on_event(then, event)) {
                    return self.record_fault(now, PacerFault::Panicked);
                }
            }
        }
        self.pacer.set_spent(spent);
    }

    /// See [`Pacer::on_event`]. A pacer that is left out goes on learning.
    pub fn on_event(&mut self, now: Time, event: Event) {
        let pacer = &mut self.pacer;
        if !runs_without_panic(|| pacer.on_event(to_pacer_time(now), event)) {
            self.record_fault(now, PacerFault::Panicked);
        }
    }

    /// See [`Pacer::decide`]. `None` = the pacer is left out: one call for each idle agent.
    pub fn decide(&mut self, now: Time, mut view: Snapshot) -> Option<Plan> {
        if self.fault(now).is_some() {
            return None;
        }
        view.agents.iter_mut().for_each(|agent| agent.since = to_pacer_time(agent.since));
        view.calls.iter_mut().for_each(|call| call.since = to_pacer_time(call.since));
        view.waiting.iter_mut().for_each(|waiting| waiting.since = to_pacer_time(waiting.since));
        view.closes = view.closes.map(to_pacer_time);
        let pacer = &mut self.pacer;
        let mut plan = None;
        if runs_without_panic(|| plan = Some(pacer.decide(to_pacer_time(now), &view))) {
            return plan.map(|plan| Plan { next_look: plan.next_look.map(from_pacer_time), ..plan });
        }
        self.record_fault(now, PacerFault::Panicked);
        None
    }

    /// The step that made the last plan took longer than live agents can wait.
    pub fn report_slow_decision(&mut self, now: Time) {
        if self.fault(now).is_some() {
            return;
        }
        self.slow.retain(|at| now.since(*at) < SLOW_WITHIN);
        self.slow.push_back(now);
        if self.slow.len() >= SLOW_MAX {
            self.record_fault(now, PacerFault::TooSlow);
        }
    }

    /// The new pacer takes over the spent budget and nothing else: the old one's learnt state may have caused
    /// the failure.
    fn record_fault(&mut self, now: Time, trouble: PacerFault) {
        self.failures += 1;
        self.trouble = Some((trouble, now));
        self.slow.clear();
        let carried = self.pacer.spent();
        self.pacer = Pacer::new(Rules { carried, ..self.pacer.rules().clone() });
    }

    #[cfg(test)]
    pub(crate) fn fail_for_test(&mut self, now: Time) {
        if !runs_without_panic(|| panic!("a test broke it")) {
            self.record_fault(now, PacerFault::Panicked);
        }
    }
}

/// Converts a time of the process to the pacer's clock.
fn to_pacer_time(at: Time) -> Time {
    at + HISTORY_MAX
}

/// Converts a time of the pacer's clock back.
fn from_pacer_time(at: Time) -> Time {
    Time::from_millis(at.as_millis().saturating_sub(HISTORY_MAX.as_millis() as u64))
}

/// Whether `work` ran without a panic. After one the caller discards the state that `work` touched.
fn runs_without_panic(work: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(work)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AgentId;
    use crate::pacing::predictive::{AgentNow, Doing};

    fn at(secs: u64) -> Time {
        Time::from_millis(secs * 1_000)
    }

    fn view() -> Snapshot {
        let idle = AgentNow { agent: AgentId(1), doing: Doing::Idle, since: Time::ZERO, leaving: false };
        Snapshot { agents: vec![idle], lines_free: 10, starts_allowed: 10, ..Snapshot::default() }
    }

    #[test]
    fn a_panic_leaves_the_pacer_out_for_ten_minutes_and_keeps_what_was_spent() {
        let mut guarded = FailSafePacer::new(Rules::default());
        guarded.on_event(at(0), Event::AgentCame { agent: AgentId(1) });
        guarded.set_spent(BudgetCounts { live: 40.0, abandoned: 1.0 });
        assert!(guarded.decide(at(1), view()).is_some());
        guarded.fail_for_test(at(2));
        assert_eq!(guarded.fault(at(3)), Some(PacerFault::Panicked));
        assert_eq!(guarded.decide(at(3), view()), None);
        assert_eq!(guarded.spent(), BudgetCounts { live: 40.0, abandoned: 1.0 });
        assert_eq!(guarded.retry_at(), Some(at(602)));
        assert!(guarded.decide(at(602), view()).is_some(), "a fresh one is tried");
    }

    #[test]
    fn the_third_failure_is_the_last() {
        let mut guarded = FailSafePacer::new(Rules::default());
        for round in 0..3 {
            guarded.fail_for_test(at(1_000 * round));
        }
        assert_eq!(guarded.decide(at(100_000), view()), None);
        assert_eq!(guarded.retry_at(), None);
    }

    #[test]
    fn slow_decisions_count_when_they_come_together() {
        let mut guarded = FailSafePacer::new(Rules::default());
        for round in 0..20 {
            guarded.report_slow_decision(at(20 * round));
        }
        assert_eq!(guarded.fault(at(400)), None, "one in twenty seconds is tolerated");
        for round in 0..5 {
            guarded.report_slow_decision(at(500 + round));
        }
        assert_eq!(guarded.fault(at(505)), Some(PacerFault::TooSlow));
    }

    /// A morning's calls in a store: one in four answered after ten seconds, a minute of talk, ten seconds of
    /// wrap-up; then a new process.
    #[test]
    fn replayed_history_raises_the_first_decision() {
        let utc = Utc::from_millis(1_795_262_400_000);
        let call = |n: u64| {
            let placed = utc - Duration::from_secs(20_000 - n * 20);
            let answered = n.is_multiple_of(4).then_some(placed + Duration::from_secs(12));
            let agent = answered.map(|at| (AgentId(1 + n as i64 % 7), at));
            let ended = answered.map_or(placed + Duration::from_secs(32), |at| at + Duration::from_secs(60));
            FinishedCall {
                call: crate::ids::CallId(n),
                tries: 0,
                placed,
                ringing: Some(placed + Duration::from_secs(2)),
                answered,
                agent,
                ended,
                wrapped: answered.map(|_| ended + Duration::from_secs(10)),
                cancelled: false,
                network: false,
                abandoned: false,
            }
        };
        let past: Vec<FinishedCall> = (0..900).map(call).collect();
        let lines = |past: &[FinishedCall]| {
            let mut guarded = FailSafePacer::new(Rules::default());
            guarded.learn(at(5), utc, past, |_| Part(0));
            assert_eq!(guarded.spent(), BudgetCounts::default(), "what was spent is the ledger's to say");
            let mut view = view();
            view.agents = (1..=10).map(|n| AgentNow { agent: AgentId(n), ..view.agents[0] }).collect();
            view.agents.iter().for_each(|now| guarded.on_event(at(5), Event::AgentCame { agent: now.agent }));
            (view.lines_free, view.starts_allowed) = (200, 200);
            guarded.decide(at(6), view).expect("a plan").place
        };
        let (cold, warm) = (lines(&[]), lines(&past));
        assert!(cold >= 10 && warm > cold, "{cold} without, {warm} with the morning's calls");
    }

    #[test]
    fn calls_older_than_a_day_are_not_replayed() {
        let utc = Utc::from_millis(1_795_262_400_000);
        let placed = utc - Duration::from_secs(90_000);
        let past = FinishedCall {
            call: crate::ids::CallId(1),
            tries: 0,
            placed,
            ringing: None,
            answered: Some(placed),
            agent: None,
            ended: placed,
            wrapped: None,
            cancelled: false,
            network: false,
            abandoned: true,
        };
        let mut guarded = FailSafePacer::new(Rules::default());
        guarded.learn(at(0), utc, &[past], |_| Part(0));
        assert_eq!(guarded, FailSafePacer::new(Rules::default()));
    }
}
