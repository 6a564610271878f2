//! What the snapshot tells and the events did not: phones that ring, calls that nobody announced, calls that
//! are gone, agents who talk or are free again. The snapshot is believed; how often it had to be is counted.

use super::calls::{Calls, Flight, Rings};
use super::view::{AgentNow, CallNow, Doing, Snapshot, Stage};
use crate::ids::CallId;
use crate::pacing::estimate::Share;
use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Events may come a little later than what the snapshot shows.
const PATIENCE: Duration = Duration::from_secs(5);
/// Disagreement is settled by the snapshot after this.
const SETTLED_AFTER: Duration = Duration::from_secs(10);
/// Of the calls that end, so many without a word make the feed worthless.
const LOST_MAX: f64 = 0.25;

/// How well events and snapshots have agreed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feed {
    /// They have disagreed about the calls on their way since.
    apart: Option<Time>,
    settled: Option<Time>,
    /// Of the calls that ended, those whose end nobody told.
    lost: Share,
}

impl Default for Feed {
    fn default() -> Self {
        Feed { apart: None, settled: None, lost: Share::new(0.0, 12.0) }
    }
}

impl Feed {
    /// A call ended and an event said so.
    pub fn ended(&mut self) {
        self.lost.fade(0.98);
        self.lost.count(false);
    }

    /// Whether events and snapshots have disagreed for too long to trust either.
    pub fn doubted(&self, now: Time) -> bool {
        self.apart.is_some_and(|since| now.since(since) > PATIENCE) || self.lost.mean() > LOST_MAX
    }

    /// Holds the calls that the events told of against those of the snapshot.
    pub fn check(&mut self, now: Time, calls: &mut Calls, view: &Snapshot) {
        calls.see_ringing(view);
        let (own, shown) = (calls.flights.len(), view.calls.len());
        if own.abs_diff(shown) <= 2.max(own.max(shown) / 10) {
            self.apart = None;
            return;
        }
        let since = *self.apart.get_or_insert(now);
        let rested = self.settled.is_none_or(|at| now.since(at) >= Duration::from_secs(1));
        if now.since(since) > SETTLED_AFTER && rested {
            self.settled = Some(now);
            for _ in 0..calls.settle(now, &view.calls) {
                self.lost.fade(0.98);
                self.lost.count(true);
            }
        }
    }
}

impl Calls {
    /// Phones that ring by the snapshot, where no event says so.
    fn see_ringing(&mut self, view: &Snapshot) {
        if matches!(self.rings, Rings::ByEvents | Rings::Never) {
            return;
        }
        for call in view.calls.iter().filter(|call| call.stage == Stage::Ringing) {
            if self.flights.get(&call.call).is_some_and(|flight| flight.stage == Stage::Placed) {
                self.rings = Rings::BySnapshots;
                self.ringing(call.since, call.call);
            }
        }
    }

    /// Takes the snapshot's word: calls it does not know are gone, others are there. Returns how many went.
    fn settle(&mut self, now: Time, shown: &[CallNow]) -> usize {
        let known: BTreeSet<CallId> = shown.iter().map(|call| call.call).collect();
        let before = self.flights.len();
        self.flights.retain(|call, flight| {
            known.contains(call) || now.since(flight.seen.max(flight.since)) < PATIENCE
        });
        let gone = before - self.flights.len();
        for call in shown {
            let (part, stage, since) = (self.known(call.part), call.stage, call.since.min(now));
            self.flights.entry(call.call).or_insert(Flight { part, stage, since, seen: now, rang: 0.0 });
        }
        gone
    }
}

impl super::staff::Staff {
    /// What an agent does by the snapshot. Returns the call whose end no event told.
    pub fn see(&mut self, agent: &AgentNow) -> Option<CallId> {
        match agent.doing {
            Doing::Talking => {
                self.seen_talking(agent.since, agent.agent);
                None
            }
            Doing::WrapUp { .. } => self.seen_wrapping(agent.since, agent.agent),
            Doing::Idle => self.seen_free(agent.since, agent.agent, false),
            Doing::Paused => self.seen_free(agent.since, agent.agent, true),
            Doing::Reserved => None,
        }
    }
}
