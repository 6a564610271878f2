//! Timers: every reason for which the dialer asks to be handle_wake.

use crate::ids::{AgentId, CallId, CampaignId, TrunkId};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Wake {
    /// A campaign may place or send again: its rate allows it, its window opens, or a retry is due.
    Pace(CampaignId),
    /// A trunk's rest is over, or its rate allows the next start or INVITE.
    Trunk(TrunkId),
    /// The plays and the input wait, or the sorry message, are over.
    CallOver(CallId),
    /// No report on this call came for longer than SIP timers allow.
    CallLost(CallId),
    /// An answered callee has waited for an agent as long as allowed.
    Abandon(CallId),
    /// No report on an agent's or consulted party's leg came for longer than SIP timers allow.
    LegLost(CallId),
    /// The next try to raise a nailed-up leg.
    RaiseLeg(AgentId),
    WrapUp(AgentId),
    /// A preview's countdown is over, or it was left untouched for too long.
    Preview(AgentId),
    /// A floating seat has been idle for too long.
    IdleSeat(AgentId),
    /// The phone of an agent to whom this callee is offered should have answered the INVITE by now.
    PhoneSilent(CallId),
    /// A silent leg has not answered the probe.
    LegProbe(CallId),
    /// The nailed-up leg that a dead phone lost should be up again.
    LegMissing(AgentId),
}

/// The set wakes, soonest first. Each reason is set at most once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wakes {
    by_time: BTreeSet<(Time, Wake)>,
    by_reason: std::collections::BTreeMap<Wake, Time>,
}

impl Wakes {
    /// Sets or moves this wake.
    pub fn set(&mut self, wake: Wake, at: Time) {
        self.clear(wake);
        self.by_reason.insert(wake, at);
        self.by_time.insert((at, wake));
    }

    /// Sets this wake, or moves it if it was set later.
    pub fn set_sooner(&mut self, wake: Wake, at: Time) {
        if self.by_reason.get(&wake).is_none_or(|set| at < *set) {
            self.set(wake, at);
        }
    }

    pub fn clear(&mut self, wake: Wake) {
        if let Some(at) = self.by_reason.remove(&wake) {
            self.by_time.remove(&(at, wake));
        }
    }

    /// When this wake is due; `None` = it is not set.
    pub fn at(&self, wake: Wake) -> Option<Time> {
        self.by_reason.get(&wake).copied()
    }

    pub fn next(&self) -> Option<Time> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes the next wake that is due at `now`.
    pub fn pop_due(&mut self, now: Time) -> Option<Wake> {
        let (at, wake) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.clear(wake);
        Some(wake)
    }
}
