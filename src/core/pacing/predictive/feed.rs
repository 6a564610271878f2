//! Reconciles events with snapshots: ringing phones, calls without an event, calls that are gone, agents who
//! talk or are idle again. The snapshot wins; how often it had to is counted.

use super::calls::{Calls, Flight, Rings};
use super::view::{AgentNow, CallNow, Doing, Snapshot, Stage};
use crate::ids::CallId;
use crate::pacing::estimate::Share;
use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Events may arrive this much later than the snapshot shows their effect.
const PATIENCE: Duration = Duration::from_secs(5);
/// A disagreement this old is settled by the snapshot.
const SETTLED_AFTER: Duration = Duration::from_secs(10);
/// How long a call that the snapshot does not show may be in set-up, or with the detector.
const SETUP_AT_MOST: Duration = Duration::from_secs(8);
const VERDICT_AT_MOST: Duration = Duration::from_secs(15);
/// With this share of calls whose end no event reported, the feed is unusable.
const LOST_MAX: f64 = 0.25;

/// Agreement of events and snapshots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feed {
    /// Since when they disagree about the pending calls.
    apart: Option<Time>,
    settled: Option<Time>,
    /// Share of ended calls without an end event.
    lost: Share,
    /// Pending calls, by the events in set-up or with the detector, that the snapshot does not show.
    hidden: Vec<CallNow>,
}

impl Default for Feed {
    fn default() -> Self {
        Feed { apart: None, settled: None, lost: Share::new(0.0, 12.0), hidden: Vec::new() }
    }
}

impl Feed {
    /// An event reported a call's end.
    pub fn ended(&mut self) {
        self.lost.fade(0.98);
        self.lost.count(false);
    }

    /// Whether events and snapshots have disagreed for too long to trust either.
    pub fn doubted(&self, now: Time) -> bool {
        self.apart.is_some_and(|since| now.since(since) > PATIENCE) || self.lost.mean() > LOST_MAX
    }

    /// Pending calls that the snapshot does not show.
    pub fn hidden(&self) -> &[CallNow] {
        &self.hidden
    }

    /// Compares the calls known from events with those of the snapshot.
    pub fn check(&mut self, now: Time, calls: &mut Calls, view: &Snapshot) {
        calls.see_ringing(view);
        self.hidden.clear();
        if calls.flights.len() > view.calls.len() {
            calls.hidden(now, &view.calls, &mut self.hidden);
        }
        let (own, shown) = (calls.flights.len(), view.calls.len() + self.hidden.len());
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
    /// Takes ringing from the snapshot where no event reports it.
    fn see_ringing(&mut self, view: &Snapshot) {
        if self.rings == Rings::ByEvents {
            return;
        }
        for call in view.calls.iter().filter(|call| call.stage == Stage::Ringing) {
            let Some(flight) = self.flights.get(&call.call) else { continue };
            // A caller that shows all calls as ringing from the start conveys nothing by it.
            let later = call.since.since(flight.since) >= Duration::from_millis(200);
            if self.rings == Rings::Never && flight.stage == Stage::Ringing && later {
                self.ringing_is_told(Rings::BySnapshots);
            }
            if self.flights.get(&call.call).is_some_and(|flight| flight.stage == Stage::Placed) {
                self.rings = Rings::BySnapshots;
                self.ringing(call.since, call.call);
            }
        }
    }

    /// A caller may show ringing calls only: those just placed or with the detector are pending as well.
    fn hidden(&self, now: Time, shown: &[CallNow], hidden: &mut Vec<CallNow>) {
        let shown: BTreeSet<CallId> = shown.iter().map(|call| call.call).collect();
        let young = |flight: &Flight| match flight.stage {
            Stage::Placed => now.since(flight.since) < SETUP_AT_MOST,
            Stage::PickedUp => now.since(flight.since) < VERDICT_AT_MOST,
            Stage::Ringing => false,
        };
        hidden.extend(
            self.flights.iter().filter(|(call, flight)| young(flight) && !shown.contains(*call)).map(
                |(call, flight)| {
                    let Flight { part, stage, since, .. } = *flight;
                    CallNow { call: *call, part, stage, since }
                },
            ),
        );
    }

    /// Adopts the snapshot's calls: unknown ones are added, missing ones removed. Returns how many were
    /// removed.
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
    /// Takes an agent's state from the snapshot. Returns the call whose end no event reported.
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
