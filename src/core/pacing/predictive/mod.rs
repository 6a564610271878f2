//! Predictive pacing: how many calls to place now so that agents wait as little as the abandon budget allows.
//! [`Pacer`] learns from [`Event`]s and answers a [`Snapshot`] with a [`Plan`]. Deterministic: no clock, no
//! random numbers, ordered maps, so a restored pacer continues exactly where the saved one stopped.

#[cfg(test)]
mod absurd;
mod budget;
mod calls;
mod decide;
pub mod event;
mod feed;
pub mod odds;
mod outlook;
pub mod rules;
mod staff;
mod table_builder;
#[cfg(test)]
mod tests;
pub mod view;

pub use event::{Event, Part};
pub use rules::{Carried, Rules};
pub use view::{AgentNow, CallNow, Doing, Limit, Plan, Reason, Snapshot, Stage, WaitingNow};

use crate::ids::CallId;
use crate::time::{Duration, Time};
use budget::Budget;
use calls::Calls;
use feed::Feed;
use outlook::Outlook;
use serde::{Deserialize, Serialize};
use staff::Staff;
use std::collections::BTreeMap;
use table_builder::Draft;

/// An answered call: how long it rang, for the share of people by ringing time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Answered {
    rang: f64,
    connected: bool,
    /// End of the conversation. A machine may be reported after it.
    over: Option<Time>,
}

/// Each call and each agent is observed once within this time.
const A_ROUND: Duration = Duration::from_secs(1);
/// A rebuild of the tables is spread over this time.
const MADE_WITHIN: Duration = Duration::from_secs(4);
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
/// What happened since: the first call rings after two seconds and is answered after eight.
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
    calls: Calls,
    staff: Staff,
    budget: Budget,
    answered: BTreeMap<CallId, Answered>,
    outlook: Option<Outlook>,
    draft: Option<Draft>,
    feed: Feed,
    /// Time of the first event or decision.
    began: Option<Time>,
    looked: Time,
    learnt: Time,
    swept: Time,
    /// Index of the snapshot's agent that was observed last.
    agent_looked_at: usize,
    /// The risk limit of the last decision.
    risk: f64,
    /// Decisions made without the model because it had failed.
    failed: u64,
}

impl Pacer {
    pub fn new(rules: Rules) -> Self {
        Pacer {
            calls: Calls::new(rules.ring_max),
            staff: Staff::default(),
            budget: Budget::new(&rules),
            answered: BTreeMap::new(),
            outlook: None,
            draft: None,
            feed: Feed::default(),
            began: None,
            looked: Time::ZERO,
            learnt: Time::ZERO,
            swept: Time::ZERO,
            agent_looked_at: 0,
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
        self.rules = rules;
    }

    /// Live answers and abandoned callees of this day, as the budget counts them.
    pub fn spent(&self) -> Carried {
        Carried { live: self.budget.live(), abandoned: self.budget.abandoned_so_far() }
    }

    /// Replaces the budget's counts by the ledger's, as the rule that brakes counts them. The strictest rule
    /// may change from hour to hour; the remaining budget follows it.
    pub fn set_spent(&mut self, spent: Carried) {
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
                self.calls.placed(now, call, part);
            }
            Event::Ringing { call } => self.calls.rings(now, call),
            Event::PickedUp { call } => self.calls.picked_up(now, call),
            Event::AnsweredLive { call } => self.answered_live(now, call),
            Event::AnsweredMachine { call } => {
                self.feed.ended();
                self.calls.answered_machine(now, call);
            }
            Event::Unanswered { call, network } => {
                self.feed.ended();
                self.calls.ended(now, call, network, false);
            }
            Event::Cancelled { call } => self.calls.ended(now, call, false, true),
            Event::Connected { call, agent } => {
                self.answered_live(now, call);
                self.staff.connected(now, agent, call);
                if let Some(answered) = self.answered.get_mut(&call)
                    && !answered.connected
                {
                    answered.connected = true;
                    self.calls.taken(answered.rang, true);
                }
            }
            Event::Abandoned { call } => {
                self.answered_live(now, call);
                let rang = self.answered.get(&call).map_or(0.0, |answered| answered.rang);
                self.budget.abandoned(now, self.calls.person_share(rang));
                self.over(now, call);
            }
            Event::HungUpWaiting { call } => self.over(now, call),
            Event::FoundMachine { call } => {
                if let Some(answered) = self.answered.remove(&call) {
                    if answered.connected {
                        self.calls.taken(answered.rang, false);
                    }
                    self.budget.was_machine(now);
                }
            }
            Event::TalkEnded { agent } => {
                if let Some(call) = self.staff.talk_ended(now, agent) {
                    self.over(now, call);
                }
            }
            Event::WrapEnded { agent } => self.staff.wrap_ended(now, agent),
            Event::AgentCame { agent } | Event::AgentBack { agent } => self.staff.free(now, agent),
            Event::AgentPaused { agent } => self.staff.away(now, agent),
            Event::AgentLeft { agent } => self.staff.left(now, agent),
        }
    }

    /// Counts a live answer once, whether an event states it or a later event implies it.
    fn answered_live(&mut self, now: Time, call: CallId) {
        if self.answered.contains_key(&call) {
            return;
        }
        self.feed.ended();
        let rang = self.calls.answered_live(now, call).unwrap_or(0.0);
        self.answered.insert(call, Answered { rang, connected: false, over: None });
        self.budget.answered(now, self.risk);
    }

    fn over(&mut self, now: Time, call: CallId) {
        if let Some(answered) = self.answered.get_mut(&call) {
            answered.over = Some(now);
        }
    }

    /// What to place and what to cancel now, with the reason. Costs some 20 microseconds at 100 agents and
    /// some 100 at 1,000 with 3,000 calls pending; the very first decision builds the tables at once.
    pub fn decide(&mut self, now: Time, view: &Snapshot) -> Plan {
        self.began.get_or_insert(now);
        // After a clock was set back the intervals start anew.
        (self.looked, self.swept) = (self.looked.min(now), self.swept.min(now));
        let elapsed = if self.outlook.is_none() { A_ROUND } else { now.since(self.learnt) };
        self.learnt = now;
        self.learn(now, view, (elapsed.as_secs_f64() / A_ROUND.as_secs_f64()).min(1.0));
        self.feed.check(now, &mut self.calls, view);
        self.bring_up_to_date(now, view, elapsed);
        let plan = decide::decide(self, now, view);
        self.risk = plan.why.risk_max;
        self.failed += u64::from(plan.why.limit == Limit::ModelFailed);
        plan
    }

    /// Observes a share of all calls and agents, so that each is observed once a second.
    fn learn(&mut self, now: Time, view: &Snapshot, share: f64) {
        let count = (view.agents.len() as f64 * share).ceil() as usize;
        for _ in 0..count.min(view.agents.len()) {
            self.agent_looked_at = (self.agent_looked_at + 1) % view.agents.len();
            let agent = &view.agents[self.agent_looked_at];
            if let Some(call) = self.staff.see(agent) {
                self.over(agent.since, call);
            }
        }
        self.calls.watch(now, share);
        self.staff.watch(now, share);
        if now.since(self.swept) >= Duration::from_secs(60) {
            self.swept = now;
            self.answered
                .retain(|_, answered| answered.over.is_none_or(|over| now.since(over) < REPORT_WITHIN));
        }
    }

    /// Rebuilds the tables every few seconds, a few steps at each decision.
    fn bring_up_to_date(&mut self, now: Time, view: &Snapshot, elapsed: Duration) {
        let apart = self.looks_apart(now);
        if self.draft.is_none() && (self.outlook.is_none() || now.since(self.looked) >= apart) {
            self.looked = now;
            self.calls.refresh();
            self.draft = Some(Draft::new(&self.calls, &self.staff, view.next_part, self.rules.answer_wait));
            if self.outlook.is_some() {
                return;
            }
        }
        let Some(mut draft) = self.draft.take() else { return };
        let part = elapsed.as_secs_f64() / apart.min(MADE_WITHIN).as_secs_f64();
        let steps = (draft.steps() as f64 * part).ceil() as usize;
        if self.outlook.is_some() && !draft.advance(steps) {
            self.draft = Some(draft);
            return;
        }
        self.outlook = draft.finish();
        if self.outlook.is_none() {
            // The learnt state yields no valid tables: it is reset; the spent budget is kept.
            self.calls = Calls::new(self.rules.ring_max);
            self.staff = Staff::default();
        }
    }

    /// Whether the first calls may still be ringing.
    fn first_generation(&self, now: Time) -> bool {
        let whole = self.rules.ring_max.min(Duration::from_secs(180)) + Duration::from_secs(4);
        self.calls.cautious_answer().is_some() && self.began.is_none_or(|began| now.since(began) < whole)
    }

    /// Lifetime of the tables: the estimates change quickly at first. Between rebuilds only the list's scale
    /// is followed.
    fn looks_apart(&self, now: Time) -> Duration {
        let young = self.began.is_none_or(|began| now.since(began) < Duration::from_secs(600));
        if young || self.budget.live() < 100.0 { Duration::from_secs(3) } else { Duration::from_secs(12) }
    }
}
