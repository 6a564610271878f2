//! Reconciles events with snapshots: ringing phones, calls without an event, calls that are gone, agents who
//! talk or are idle again. The snapshot wins; how often it had to is counted.

use super::call_model::{CallModel, PendingCall, RingingSource};
use super::snapshot::{AgentNow, CallNow, Doing, Snapshot, Stage};
use crate::ids::CallId;
use crate::pacing::estimate::Share;
use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Events may arrive this much later than the snapshot shows their effect.
const EVENT_DELAY_MAX: Duration = Duration::from_secs(5);
/// A disagreement this old is settled by the snapshot.
const SETTLED_AFTER: Duration = Duration::from_secs(10);
/// How long a call that the snapshot does not show may be in set-up, or with the detector.
const SETUP_AT_MOST: Duration = Duration::from_secs(8);
const VERDICT_AT_MOST: Duration = Duration::from_secs(15);
/// With this share of calls whose end no event reported, the feed is unusable.
const LOST_MAX: f64 = 0.25;

/// Agreement of events and snapshots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedCheck {
    /// Since when they disagree about the pending calls.
    disagree_since: Option<Time>,
    settled_at: Option<Time>,
    /// Share of ended calls without an end event.
    lost_ends: Share,
    /// Pending calls, by the events in set-up or with the detector, that the snapshot does not show.
    hidden: Vec<CallNow>,
}

impl Default for FeedCheck {
    fn default() -> Self {
        FeedCheck {
            disagree_since: None,
            settled_at: None,
            lost_ends: Share::new(0.0, 12.0),
            hidden: Vec::new(),
        }
    }
}

impl FeedCheck {
    /// An event reported a call's end.
    pub fn count_end_event(&mut self) {
        self.lost_ends.fade(0.98);
        self.lost_ends.count(false);
    }

    /// Whether events and snapshots have disagreed for too long to trust either.
    pub fn is_doubted(&self, now: Time) -> bool {
        self.disagree_since.is_some_and(|since| now.since(since) > EVENT_DELAY_MAX)
            || self.lost_ends.mean() > LOST_MAX
    }

    /// Pending calls that the snapshot does not show.
    pub fn hidden_calls(&self) -> &[CallNow] {
        &self.hidden
    }

    /// Compares the calls known from events with those of the snapshot.
    pub fn check(&mut self, now: Time, calls: &mut CallModel, view: &Snapshot) {
        calls.adopt_ringing(view);
        self.hidden.clear();
        if calls.pending_calls.len() > view.calls.len() {
            calls.collect_hidden(now, &view.calls, &mut self.hidden);
        }
        let (own, shown) = (calls.pending_calls.len(), view.calls.len() + self.hidden.len());
        if own.abs_diff(shown) <= 2.max(own.max(shown) / 10) {
            self.disagree_since = None;
            return;
        }
        let since = *self.disagree_since.get_or_insert(now);
        let rested = self.settled_at.is_none_or(|at| now.since(at) >= Duration::from_secs(1));
        if now.since(since) > SETTLED_AFTER && rested {
            self.settled_at = Some(now);
            for _ in 0..calls.adopt_snapshot(now, &view.calls) {
                self.lost_ends.fade(0.98);
                self.lost_ends.count(true);
            }
        }
    }
}

impl CallModel {
    /// Takes ringing from the snapshot where no event reports it.
    fn adopt_ringing(&mut self, view: &Snapshot) {
        if self.ringing_source == RingingSource::ByEvents {
            return;
        }
        for call in view.calls.iter().filter(|call| call.stage == Stage::Ringing) {
            let Some(pending) = self.pending_calls.get(&call.call) else { continue };
            // A caller that shows all calls as ringing from the start conveys nothing by it.
            let later = call.since.since(pending.since) >= Duration::from_millis(200);
            if self.ringing_source == RingingSource::Never && pending.stage == Stage::Ringing && later {
                self.set_ringing_source(RingingSource::BySnapshots);
            }
            if self.pending_calls.get(&call.call).is_some_and(|pending| pending.stage == Stage::Placed) {
                self.ringing_source = RingingSource::BySnapshots;
                self.start_ringing(call.since, call.call);
            }
        }
    }

    /// A caller may show ringing calls only: those just placed or with the detector are pending as well.
    fn collect_hidden(&self, now: Time, shown: &[CallNow], hidden: &mut Vec<CallNow>) {
        let shown: BTreeSet<CallId> = shown.iter().map(|call| call.call).collect();
        let young = |pending: &PendingCall| match pending.stage {
            Stage::Placed => now.since(pending.since) < SETUP_AT_MOST,
            Stage::PickedUp => now.since(pending.since) < VERDICT_AT_MOST,
            Stage::Ringing => false,
        };
        hidden.extend(
            self.pending_calls.iter().filter(|(call, pending)| young(pending) && !shown.contains(*call)).map(
                |(call, pending)| {
                    let PendingCall { part, stage, since, .. } = *pending;
                    CallNow { call: *call, part, stage, since }
                },
            ),
        );
    }

    /// Adopts the snapshot's calls: unknown ones are added, missing ones removed. Returns how many were
    /// removed.
    fn adopt_snapshot(&mut self, now: Time, shown: &[CallNow]) -> usize {
        let known: BTreeSet<CallId> = shown.iter().map(|call| call.call).collect();
        let before = self.pending_calls.len();
        self.pending_calls.retain(|call, pending| {
            known.contains(call) || now.since(pending.seen.max(pending.since)) < EVENT_DELAY_MAX
        });
        let gone = before - self.pending_calls.len();
        for call in shown {
            let (part, stage, since) = (self.learnt_part(call.part), call.stage, call.since.min(now));
            self.pending_calls.entry(call.call).or_insert(PendingCall {
                part,
                stage,
                since,
                seen: now,
                rang: 0.0,
            });
        }
        gone
    }
}

impl super::agent_model::AgentModel {
    /// Takes an agent's state from the snapshot. Returns the call whose end no event reported.
    pub fn adopt_snapshot(&mut self, agent: &AgentNow) -> Option<CallId> {
        match agent.doing {
            Doing::Talking => {
                self.adopt_talking(agent.since, agent.agent);
                None
            }
            Doing::WrapUp { .. } => self.adopt_wrap_up(agent.since, agent.agent),
            Doing::Idle => self.adopt_idle(agent.since, agent.agent, false),
            Doing::Paused => self.adopt_idle(agent.since, agent.agent, true),
            Doing::Reserved => None,
        }
    }
}
