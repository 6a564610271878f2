//! A trunk's limits, health and live calls. Its guard judges refused calls and lets the trunk rest.

use crate::campaign::Trunk;
use crate::dialer::input::TrunkState;
use crate::ids::CallId;
use crate::line_guard::{Charged, LineGuard};
use crate::pacing::Rate;
use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// A trunk that has not answered an INVITE for this long (not even 100) is doubted: it gets no calls until
/// it answers.
const DOUBT: Duration = Duration::from_secs(4);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TrunkLine {
    pub trunk: Trunk,
    down: bool,
    rests_until: Time,
    pub guard: LineGuard,
    /// Whether the trunk has answered anything since it was last doubted.
    alive: bool,
    /// Calls without any response yet, and when their INVITEs left.
    unanswered: BTreeMap<CallId, Time>,
    live: u32,
    /// Spaces the opening of attempts.
    opening: Rate,
    /// Bounds the INVITEs that leave, so that a slow disk does not bunch them.
    wire: Rate,
    /// Opened attempts whose INVITEs wait for `wire`, in the order in which they were opened.
    leaving: VecDeque<CallId>,
}

/// Whether a trunk takes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ready {
    Now,
    /// The rate allows the next start then.
    Rate(Time),
    Full,
    /// Out of use: until its state changes, or until that moment.
    Down(Option<Time>),
}

impl TrunkLine {
    pub fn new(trunk: Trunk) -> Self {
        let (opening, wire) = (Rate::spaced(trunk.calls_per_sec), Rate::per_sec(trunk.calls_per_sec));
        TrunkLine {
            trunk,
            down: false,
            rests_until: Time::ZERO,
            guard: LineGuard::default(),
            alive: false,
            unanswered: BTreeMap::new(),
            live: 0,
            opening,
            wire,
            leaving: VecDeque::new(),
        }
    }

    pub fn redefine(&mut self, trunk: Trunk) {
        self.opening.set_spacing(trunk.calls_per_sec);
        self.wire.set_per_sec(trunk.calls_per_sec);
        self.trunk = trunk;
    }

    pub fn set_state(&mut self, now: Time, state: TrunkState) {
        match state {
            TrunkState::Up => {
                self.down = false;
                self.alive = true;
            }
            TrunkState::Down => self.down = true,
            TrunkState::Resting { span } => self.rests_until = self.rests_until.max(now + span),
        }
    }

    /// Ends the pause that the carrier asked for, and every doubt about the trunk.
    pub fn end_rest(&mut self, now: Time) -> Vec<Charged> {
        (self.rests_until, self.alive) = (Time::ZERO, true);
        self.unanswered.clear();
        self.guard.end_rests(now)
    }

    /// Until when the carrier asked for a pause, if it lasts.
    pub fn asked_pause(&self, now: Time) -> Option<Time> {
        Some(self.rests_until).filter(|until| *until > now)
    }

    /// Live calls and legs on the trunk.
    pub fn live(&self) -> u32 {
        self.live
    }

    /// Calls that may be added.
    pub fn free(&self) -> u32 {
        self.trunk.calls_max.saturating_sub(self.live)
    }

    pub fn ready(&self, now: Time) -> Ready {
        if self.down {
            Ready::Down(None)
        } else if self.rests_until > now {
            Ready::Down(Some(self.rests_until))
        } else if let Some(until) = self.guard.rests(now) {
            Ready::Down(until)
        } else if self.doubted(now) {
            Ready::Down(None)
        } else {
            self.room(now)
        }
    }

    /// Whether limits and rate leave room for a call, whatever the trunk's state: never `Down`.
    pub fn room(&self, now: Time) -> Ready {
        if self.live >= self.trunk.calls_max {
            Ready::Full
        } else {
            match self.opening.next_start(now) {
                start if start > now => Ready::Rate(start),
                // Attempts are opened no faster than their INVITEs leave.
                _ if self.leaving.len() > self.leaving_max() => {
                    Ready::Rate(self.wire.next_start(now).max(now + Duration::from_millis(1)))
                }
                _ => Ready::Now,
            }
        }
    }

    /// Opened attempts that may wait for the wire: those of a tenth of a second.
    fn leaving_max(&self) -> usize {
        if self.trunk.calls_per_sec > 0.0 {
            (self.trunk.calls_per_sec / 10.0) as usize + 1
        } else {
            usize::MAX
        }
    }

    /// Counts an attempt that is opened on this trunk.
    pub fn open(&mut self, now: Time) {
        self.opening.reserve(now);
        self.live += 1;
    }

    /// Whether the trunk is silent. A trunk that never answered gets one call at a time.
    fn doubted(&self, now: Time) -> bool {
        let longest = self.unanswered.values().min();
        longest.is_some_and(|since| !self.alive || *since + DOUBT <= now)
    }

    /// Notes that the INVITE of this call leaves.
    pub fn sent(&mut self, now: Time, call: CallId) {
        self.unanswered.insert(call, now);
    }

    /// Notes a response to this call: the trunk is alive.
    pub fn note_response(&mut self, call: CallId) {
        self.unanswered.remove(&call);
        self.alive = true;
    }

    /// Queues an opened attempt whose INVITE is to leave.
    pub fn queue_invite(&mut self, call: CallId) {
        self.leaving.push_back(call);
    }

    /// The queued attempts, in the order in which they were opened.
    pub fn leaving(&self) -> &VecDeque<CallId> {
        &self.leaving
    }

    /// Takes the attempt at this place out of the queue.
    pub fn unqueue_invite(&mut self, place: usize) {
        self.leaving.remove(place);
    }

    /// The first moment at which an INVITE may leave.
    pub fn next_invite(&self, now: Time) -> Time {
        self.wire.next_start(now)
    }

    /// Reserves the start of an INVITE that leaves now.
    pub fn reserve_invite(&mut self, now: Time) {
        self.wire.reserve(now);
    }

    /// A call failed by the trunk's fault. `heard` = the trunk itself reported the fault.
    pub fn note_fault(&mut self, now: Time, heard: bool, retry_after: Option<Duration>) {
        if let Some(span) = retry_after {
            self.rests_until = self.rests_until.max(now + span);
        }
        self.alive &= heard;
    }

    /// Frees the line of a call that is over or was not opened.
    pub fn close(&mut self, call: CallId) {
        self.live = self.live.saturating_sub(1);
        self.unanswered.remove(&call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TrunkId;

    fn line() -> TrunkLine {
        TrunkLine::new(Trunk {
            id: TrunkId(0),
            name: "main".into(),
            calls_max: 2,
            calls_per_sec: 10.0,
            setup: None,
            allow: vec![crate::campaign::CalleePattern::every()],
            deny: Vec::new(),
        })
    }

    #[test]
    fn limits_hold() {
        let mut line = line();
        assert_eq!(line.ready(Time::ZERO), Ready::Now);
        line.open(Time::ZERO);
        assert_eq!(line.ready(Time::ZERO), Ready::Rate(Time::from_millis(100)));
        line.open(Time::from_millis(100));
        assert_eq!(line.ready(Time::from_millis(300)), Ready::Full);
        line.close(CallId(1));
        assert_eq!(line.ready(Time::from_millis(300)), Ready::Now);
    }

    #[test]
    fn a_trunk_that_says_nothing_gets_one_call_and_then_none() {
        let mut line = line();
        line.trunk.calls_max = 100;
        line.open(Time::ZERO);
        line.sent(Time::ZERO, CallId(1));
        assert_eq!(line.ready(Time::from_millis(500)), Ready::Down(None), "never heard from");
        line.note_response(CallId(1));
        assert_eq!(line.ready(Time::from_millis(500)), Ready::Now);
        line.open(Time::from_millis(500));
        line.sent(Time::from_millis(500), CallId(2));
        assert_eq!(line.ready(Time::from_millis(4_000)), Ready::Now, "it may be slow once");
        assert_eq!(line.ready(Time::from_millis(4_500)), Ready::Down(None), "silent for too long");
        line.note_fault(Time::from_millis(32_500), false, None);
        line.close(CallId(2));
        line.open(Time::from_millis(33_000));
        line.sent(Time::from_millis(33_000), CallId(3));
        assert_eq!(line.ready(Time::from_millis(34_000)), Ready::Down(None), "one call tries it again");
    }

    #[test]
    fn retry_after_is_obeyed() {
        let mut line = line();
        line.open(Time::ZERO);
        line.note_fault(Time::ZERO, true, Some(Duration::from_secs(30)));
        assert_eq!(line.ready(Time::from_millis(500)), Ready::Down(Some(Time::from_millis(30_000))));
    }
}
