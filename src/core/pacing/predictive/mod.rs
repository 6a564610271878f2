//! Predictive pacing: how many calls to place now so that agents wait as little as the abandon budget allows.
//! [`Pacer`] learns from [`Event`]s and answers a [`Snapshot`] with a [`Plan`]. Deterministic: no clock, no
//! random numbers, ordered maps, so a restored pacer continues exactly where the saved one stopped.

mod agent_model;
mod budget;
mod call_model;
mod cold_start;
mod decide;
pub mod event;
mod feed_check;
mod margin;
#[cfg(test)]
mod robustness_tests;
pub mod rules;
pub mod snapshot;
mod survival;
mod table_builder;
mod tables;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;

pub use event::{Event, Part};
pub use rules::{BudgetCounts, Rules};
pub use snapshot::{AgentNow, CallNow, Doing, Limit, Plan, Reason, Snapshot, Stage, WaitingNow};

use crate::ids::CallId;
use crate::time::{Duration, Time};
use agent_model::AgentModel;
use budget::Budget;
use call_model::CallModel;
use feed_check::FeedCheck;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use table_builder::TableBuilder;
use tables::Tables;

/// An answered call: how long it rang, for the share of people by ringing time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Answered {
    rang: f64,
    connected: bool,
    /// End of the conversation. A machine may be reported after it.
    over: Option<Time>,
}

/// Each call and each agent is observed once within this time.
const OBSERVE_EVERY: Duration = Duration::from_secs(1);
/// A rebuild of the tables is spread over this time.
const REBUILD_WITHIN: Duration = Duration::from_secs(4);
/// How long after the conversation a machine report is still accepted.
const REPORT_WITHIN: Duration = Duration::from_secs(600);

/// The pacer of one campaign.
///
/// The caller does two things: pass every fact to [`Pacer::on_event`] and ask [`Pacer::decide`] for a plan,
/// best after every fact and when a plan's `next_look` has come; a fixed interval of up to two seconds does
/// as well, at some cost. A plan never exceeds [`Rules`] or the snapshot's limits, whatever the model
/// estimates.
///
/// **Units.** [`Time`] is milliseconds on any clock that does not jump, from any origin; spans are
/// [`Duration`]s; rates are shares (0.03 = three in a hundred). Ids are the caller's own; a call's id may be
/// reused ten minutes after the call has ended.
///
/// **Required:** `Placed`, one end of every call (`AnsweredLive`, `AnsweredMachine`, `Unanswered`,
/// `Cancelled`), and `Abandoned`: the budget counts nothing else. In the snapshot: every signed-in agent with
/// state and its start, every pending call, every waiting callee, and `lines_free`.
///
/// **Optional**, learnt from the snapshot or done without where the caller does not know it: `Ringing` (calls
/// then count as ringing from the moment they are placed), `PickedUp` (only with an answering machine
/// detector), `Connected`, `TalkEnded`, `WrapEnded`, agents' sign-ins, breaks and sign-outs, `FoundMachine`
/// (accepted late; without it machines count as people), `leads_left`, `closes` (without it nothing is
/// borrowed from the rest of the day), `starts_allowed` (`u32::MAX`). Events of one moment may come in any
/// order.
///
/// **Fallback:** one call for each idle agent, with [`Limit::FeedDoubted`] where events and snapshots
/// contradict each other and [`Limit::ModelFailed`] where a model value is not finite.
///
/// ```
/// use paceline_core::ids::{AgentId, CallId};
/// use paceline_core::pacing::predictive::{
///     AgentNow, CallNow, Doing, Event, Pacer, Part, Rules, Snapshot, Stage,
/// };
/// use paceline_core::time::{Duration, Time};
///
/// let mut pacer = Pacer::new(Rules { ring_max: Duration::from_secs(30), ..Rules::default() });
/// let idle = |n| AgentNow { agent: AgentId(n), doing: Doing::Idle, since: Time::ZERO, leaving: false };
/// let mut view = Snapshot {
///     agents: (0..5).map(idle).collect(),
///     lines_free: 60,
///     starts_allowed: 10,
///     closes: Some(Time::from_millis(4 * 3_600_000)),
///     ..Snapshot::default()
/// };
/// let mut now = Time::ZERO;
/// for second in 0..10 {
///     now = Time::from_millis(second * 1_000);
///     // The first call rings after two seconds and is answered after eight.
///     let call = CallId(0);
///     match second {
///         2 => {
///             pacer.on_event(now, Event::Ringing { call });
///             (view.calls[0].stage, view.calls[0].since) = (Stage::Ringing, now);
///         }
///         8 => {
///             pacer.on_event(now, Event::AnsweredLive { call });
///             pacer.on_event(now, Event::Connected { call, agent: AgentId(0) });
///             view.calls.remove(0);
///             (view.agents[0].doing, view.agents[0].since) = (Doing::Talking, now);
///         }
///         _ => {}
///     }
///     let plan = pacer.decide(now, &view);
///     for _ in 0..plan.place {
///         let call = CallId(view.calls.len() as u64);
///         pacer.on_event(now, Event::Placed { call, part: Part(0) });
///         view.calls.push(CallNow { call, part: Part(0), stage: Stage::Placed, since: now });
///         view.lines_free -= 1;
///     }
///     assert!(plan.cancel.is_empty(), "nobody has rung for fifteen seconds yet");
/// }
/// assert!(view.calls.len() >= 5, "at least one call for each of them");
/// assert_eq!(pacer.spent().live, 1.0);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pacer {
    rules: Rules,
    call_model: CallModel,
    agent_model: AgentModel,
    budget: Budget,
    answered: BTreeMap<CallId, Answered>,
    tables: Option<Tables>,
    table_builder: Option<TableBuilder>,
    feed: FeedCheck,
    /// Time of the first event or decision.
    began: Option<Time>,
    tables_begun: Time,
    learnt_at: Time,
    swept_at: Time,
    /// Index of the snapshot's agent that was observed last.
    last_observed_agent: usize,
    /// The risk limit of the last decision.
    risk: f64,
    /// Decisions made without the model because it had failed.
    failed: u64,
}

impl Pacer {
    pub fn new(rules: Rules) -> Self {
        Pacer {
            call_model: CallModel::new(rules.ring_max),
            agent_model: AgentModel::default(),
            budget: Budget::new(&rules),
            answered: BTreeMap::new(),
            tables: None,
            table_builder: None,
            feed: FeedCheck::default(),
            began: None,
            tables_begun: Time::ZERO,
            learnt_at: Time::ZERO,
            swept_at: Time::ZERO,
            last_observed_agent: 0,
            risk: 0.0,
            failed: 0,
            rules,
        }
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Changes the campaign's rules; the learnt state stays. `carried` is ignored here: see
    /// [`Pacer::set_spent`].
    pub fn set_rules(&mut self, rules: Rules) {
        let before = std::mem::replace(&mut self.rules, rules);
        let (ring, wait) = (self.rules.ring_max, self.rules.answer_wait);
        if ring != before.ring_max {
            self.call_model.set_ring_max(ring);
        }
        if (ring, wait) != (before.ring_max, before.answer_wait) {
            // They are computed for these spans.
            (self.tables, self.table_builder) = (None, None);
        }
    }

    /// Live answers and abandoned callees of this day, as the budget counts them.
    pub fn spent(&self) -> BudgetCounts {
        BudgetCounts { live: self.budget.live(), abandoned: self.budget.abandoned_so_far() }
    }

    /// Replaces the budget's counts by the ledger's, as the rule that brakes counts them. The strictest rule
    /// may change from hour to hour; the remaining budget follows it.
    pub fn set_spent(&mut self, spent: BudgetCounts) {
        self.budget.set_spent(spent);
    }

    /// Number of decisions made without the model because one of its values was not finite. Each was one call
    /// for each idle agent with [`Limit::ModelFailed`].
    pub fn model_failures(&self) -> u64 {
        self.failed
    }

    /// Learns from one fact. `now` is when it happened, or when the caller learnt of it.
    pub fn on_event(&mut self, now: Time, event: Event) {
        self.began.get_or_insert(now);
        match event {
            Event::Placed { call, part } => {
                // The caller may reuse a call's id: an older answer under it is dropped.
                self.answered.remove(&call);
                self.call_model.placed(now, call, part);
            }
            Event::Ringing { call } => self.call_model.ringing_reported(now, call),
            Event::PickedUp { call } => self.call_model.picked_up(now, call),
            Event::AnsweredLive { call } => self.answered_live(now, call),
            Event::AnsweredMachine { call } => {
                self.feed.count_end_event();
                self.call_model.answered_machine(now, call);
            }
            Event::Unanswered { call, network } => {
                self.feed.count_end_event();
                self.call_model.ended(now, call, network, false);
            }
            Event::Cancelled { call } => self.call_model.ended(now, call, false, true),
            Event::Connected { call, agent } => {
                self.answered_live(now, call);
                self.agent_model.connected(now, agent, call);
                if let Some(answered) = self.answered.get_mut(&call)
                    && !answered.connected
                {
                    answered.connected = true;
                    self.call_model.count_agent_report(answered.rang, true);
                }
            }
            Event::Abandoned { call } => {
                self.answered_live(now, call);
                let rang = self.answered.get(&call).map_or(0.0, |answered| answered.rang);
                self.budget.abandoned(now, self.call_model.person_share(rang));
                self.end_conversation(now, call);
            }
            Event::HungUpWaiting { call } => self.end_conversation(now, call),
            Event::FoundMachine { call } => {
                if let Some(answered) = self.answered.remove(&call) {
                    if answered.connected {
                        self.call_model.count_agent_report(answered.rang, false);
                    }
                    self.budget.remove_machine(now);
                }
            }
            Event::TalkEnded { agent } => {
                if let Some(call) = self.agent_model.talk_ended(now, agent) {
                    self.end_conversation(now, call);
                }
            }
            Event::WrapEnded { agent } => self.agent_model.wrap_ended(now, agent),
            Event::AgentCame { agent } | Event::AgentBack { agent } => {
                self.agent_model.became_free(now, agent)
            }
            Event::AgentPaused { agent } => self.agent_model.paused(now, agent),
            Event::AgentLeft { agent } => self.agent_model.signed_out(now, agent),
        }
    }

    /// Counts a live answer once, whether an event states it or a later event implies it.
    fn answered_live(&mut self, now: Time, call: CallId) {
        if self.answered.contains_key(&call) {
            return;
        }
        self.feed.count_end_event();
        let rang = self.call_model.answered_live(now, call).unwrap_or(0.0);
        self.answered.insert(call, Answered { rang, connected: false, over: None });
        self.budget.answered(now, self.risk);
    }

    fn end_conversation(&mut self, now: Time, call: CallId) {
        if let Some(answered) = self.answered.get_mut(&call) {
            answered.over = Some(now);
        }
    }

    /// What to place and what to cancel now, with the reason. Costs some 20 microseconds at 100 agents and
    /// some 100 at 1,000 with 3,000 calls pending; the very first decision builds the tables at once.
    pub fn decide(&mut self, now: Time, view: &Snapshot) -> Plan {
        self.began.get_or_insert(now);
        // After a clock was set back the intervals start anew.
        (self.tables_begun, self.swept_at) = (self.tables_begun.min(now), self.swept_at.min(now));
        let elapsed = if self.tables.is_none() { OBSERVE_EVERY } else { now.since(self.learnt_at) };
        self.learnt_at = now;
        self.observe_all(now, view, (elapsed.as_secs_f64() / OBSERVE_EVERY.as_secs_f64()).min(1.0));
        self.feed.check(now, &mut self.call_model, view);
        self.rebuild_tables(now, view, elapsed);
        let plan = decide::decide(self, now, view);
        self.risk = plan.why.risk_max;
        self.failed += u64::from(plan.why.limit == Limit::ModelFailed);
        plan
    }

    /// Observes a share of all calls and agents, so that each is observed once a second.
    fn observe_all(&mut self, now: Time, view: &Snapshot, share: f64) {
        let count = (view.agents.len() as f64 * share).ceil() as usize;
        for _ in 0..count.min(view.agents.len()) {
            self.last_observed_agent = (self.last_observed_agent + 1) % view.agents.len();
            let agent = &view.agents[self.last_observed_agent];
            if let Some(call) = self.agent_model.adopt_snapshot(agent) {
                self.end_conversation(agent.since, call);
            }
        }
        self.call_model.observe_share(now, share);
        self.agent_model.observe_share(now, share);
        if now.since(self.swept_at) >= Duration::from_secs(60) {
            self.swept_at = now;
            self.answered
                .retain(|_, answered| answered.over.is_none_or(|over| now.since(over) < REPORT_WITHIN));
        }
    }

    /// Rebuilds the tables every few seconds, a few steps at each decision.
    fn rebuild_tables(&mut self, now: Time, view: &Snapshot, elapsed: Duration) {
        let apart = self.table_lifetime(now);
        if self.table_builder.is_none() && (self.tables.is_none() || now.since(self.tables_begun) >= apart) {
            self.tables_begun = now;
            self.call_model.refresh_live_rates();
            self.table_builder = Some(TableBuilder::new(
                &self.call_model,
                &self.agent_model,
                view.next_part,
                self.rules.answer_wait,
            ));
            if self.tables.is_some() {
                return;
            }
        }
        let Some(mut builder) = self.table_builder.take() else { return };
        let part = elapsed.as_secs_f64() / apart.min(REBUILD_WITHIN).as_secs_f64();
        let steps = (builder.steps() as f64 * part).ceil() as usize;
        if self.tables.is_some() && !builder.advance(steps) {
            self.table_builder = Some(builder);
            return;
        }
        self.tables = builder.finish();
        if self.tables.is_none() {
            // The learnt state yields no valid tables: it is reset; the spent budget is kept.
            self.call_model = CallModel::new(self.rules.ring_max);
            self.agent_model = AgentModel::default();
        }
    }

    /// Whether the first calls may still be ringing.
    fn first_generation(&self, now: Time) -> bool {
        let whole = self.rules.ring_max.min(Duration::from_secs(180)) + Duration::from_secs(4);
        self.call_model.cautious_answer_rate().is_some()
            && self.began.is_none_or(|began| now.since(began) < whole)
    }

    /// Lifetime of the tables: the estimates change quickly at first. Between rebuilds only the list's scale
    /// is followed.
    fn table_lifetime(&self, now: Time) -> Duration {
        let young = self.began.is_none_or(|began| now.since(began) < Duration::from_secs(600));
        if young || self.budget.live() < 100.0 { Duration::from_secs(3) } else { Duration::from_secs(12) }
    }
}
