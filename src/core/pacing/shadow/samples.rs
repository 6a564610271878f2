//! Samples of the live line and agents: fates of calls, durations of conversations and wrap-ups, to be drawn
//! from. New samples replace the oldest, so a changing line is followed.

use crate::ids::CallId;
use crate::time::{Duration, Time};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Samples kept of each kind: enough for an answer rate to within a few in a hundred.
const FATES_KEPT: usize = 600;
const SPANS_KEPT: usize = 300;
/// Calls followed at the same time; more are not needed to know the line.
const FOLLOWED: usize = 5_000;

/// The course of one placed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fate {
    /// From placing to the first ring; `None` = it never rang.
    pub rang: Option<Duration>,
    /// From placing to the answer or the end.
    pub after: Duration,
    pub answered: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Samples {
    out: BTreeMap<CallId, (Time, Option<Duration>)>,
    fates: VecDeque<Fate>,
    talks: VecDeque<Duration>,
    wraps: VecDeque<Duration>,
}

impl Samples {
    pub fn placed(&mut self, now: Time, call: CallId) {
        if self.out.len() < FOLLOWED {
            self.out.insert(call, (now, None));
        }
    }

    pub fn ringing(&mut self, now: Time, call: CallId) {
        if let Some((left, rang)) = self.out.get_mut(&call) {
            rang.get_or_insert(now.since(*left));
        }
    }

    pub fn answered(&mut self, now: Time, call: CallId) {
        self.finish_call(now, call, true);
    }

    pub fn ended(&mut self, now: Time, call: CallId) {
        self.finish_call(now, call, false);
    }

    /// The dialer cancelled it: its fate is unknown.
    pub fn forget(&mut self, call: CallId) {
        self.out.remove(&call);
    }

    fn finish_call(&mut self, now: Time, call: CallId, answered: bool) {
        let Some((left, rang)) = self.out.remove(&call) else { return };
        push_bounded(&mut self.fates, Fate { rang, after: now.since(left), answered }, FATES_KEPT);
    }

    pub fn talked(&mut self, span: Duration) {
        push_bounded(&mut self.talks, span, SPANS_KEPT);
    }

    pub fn wrapped(&mut self, span: Duration) {
        push_bounded(&mut self.wraps, span, SPANS_KEPT);
    }

    pub fn calls(&self) -> usize {
        self.fates.len()
    }

    pub fn talks(&self) -> usize {
        self.talks.len()
    }

    pub fn fate(&self, random: &mut impl Rng) -> Fate {
        let never = Fate { rang: None, after: Duration::from_secs(30), answered: false };
        draw_from(&self.fates, random).unwrap_or(never)
    }

    pub fn talk(&self, random: &mut impl Rng) -> Duration {
        draw_from(&self.talks, random).unwrap_or(Duration::from_secs(60))
    }

    pub fn wrap(&self, random: &mut impl Rng) -> Duration {
        draw_from(&self.wraps, random).unwrap_or(Duration::ZERO)
    }
}

fn push_bounded<T>(into: &mut VecDeque<T>, one: T, most: usize) {
    into.push_back(one);
    if into.len() > most {
        into.pop_front();
    }
}

fn draw_from<T: Copy>(from: &VecDeque<T>, random: &mut impl Rng) -> Option<T> {
    if from.is_empty() {
        return None;
    }
    from.get(random.random_range(0..from.len())).copied()
}
