//! Legs of agents' phones and of consulted parties in virtual time: produces the progress reports that the
//! network would send for a leg that is no attempt.

use crate::sim::random::SimRng;
use paceline_core::call::{Ended, Progress};
use paceline_core::dialer::Input;
use paceline_core::ids::{AgentId, CallId};
use paceline_core::outcome::{EndedBy, Outcome};
use paceline_core::time::{Duration, Time};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// About one round trip.
const ROUND_TRIP: Duration = Duration::from_millis(40);

/// Share of hang-ups that cross an answer on the wire.
const CROSSINGS: f64 = 0.1;

/// The reaction of a rung phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pickup {
    After(Duration),
    Declined(Duration),
    /// The phone rings until the dialer cancels.
    Never,
    /// The phone is not registered.
    Away,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Sent,
    Ring,
    Answer,
    Decline,
    GiveUp,
    Away,
    HungUp,
    /// The consulted party hangs up.
    Leave,
}

#[derive(Debug)]
struct Leg {
    /// The owner of the phone; `None` = an outside party.
    agent: Option<AgentId>,
    up: bool,
    ending: bool,
    stays: Option<Duration>,
}

/// Every leg that exists.
#[derive(Debug, Default)]
pub struct Legs {
    legs: BTreeMap<CallId, Leg>,
    steps: BinaryHeap<Reverse<(Time, u64, CallId, Step)>>,
    order: u64,
}

impl Legs {
    pub fn len(&self) -> usize {
        self.legs.len()
    }

    pub fn is_empty(&self) -> bool {
        self.legs.is_empty()
    }

    /// The connected leg of this agent.
    pub fn of(&self, agent: AgentId) -> Option<CallId> {
        let hers = |leg: &&Leg| leg.agent == Some(agent) && leg.up && !leg.ending;
        self.legs.iter().find(|(_, leg)| hers(leg)).map(|(id, _)| *id)
    }

    /// Rings a phone; `stays` = from the answer until the far side hangs up.
    pub fn ring(
        &mut self,
        now: Time,
        id: CallId,
        agent: Option<AgentId>,
        ring: Duration,
        pickup: Pickup,
        stays: Option<Duration>,
    ) {
        self.legs.insert(id, Leg { agent, up: false, ending: false, stays });
        self.schedule(now, id, Step::Sent);
        if pickup == Pickup::Away {
            return self.schedule(now + ROUND_TRIP, id, Step::Away);
        }
        self.schedule(now + ROUND_TRIP, id, Step::Ring);
        match pickup {
            Pickup::After(span) if span < ring => self.schedule(now + ROUND_TRIP + span, id, Step::Answer),
            Pickup::Declined(span) if span < ring => {
                self.schedule(now + ROUND_TRIP + span, id, Step::Decline)
            }
            _ => self.schedule(now + ring + ROUND_TRIP, id, Step::GiveUp),
        }
    }

    /// The dialer ends a leg.
    pub fn hang_up(&mut self, now: Time, id: CallId, rng: &mut SimRng) {
        let crosses = rng.chance(CROSSINGS);
        let Some(leg) = self.legs.get_mut(&id).filter(|leg| !leg.ending) else { return };
        leg.ending = true;
        if crosses && !leg.up {
            self.schedule(now + ROUND_TRIP / 2, id, Step::Answer);
        }
        self.schedule(now + ROUND_TRIP, id, Step::HungUp);
    }

    /// The far side ends a leg: `Callee` = the person at the phone, `Carrier` = the phone's network.
    pub fn end(&mut self, id: CallId, by: EndedBy, cause: &str) -> Option<Input> {
        let leg = self.legs.remove(&id)?;
        let outcome = if leg.up { Outcome::Answered } else { Outcome::AgentFailed };
        Some(ended(id, outcome, by, None, cause))
    }

    /// The dialer's process died: its legs are dropped and nothing more is reported.
    pub fn forget(&mut self) {
        self.legs.clear();
        self.steps.clear();
    }

    pub fn next_wake(&self) -> Option<Time> {
        self.steps.peek().map(|Reverse((at, ..))| *at)
    }

    pub fn poll(&mut self, now: Time) -> Option<Input> {
        loop {
            let Reverse((at, _, id, step)) = *self.steps.peek()?;
            if at > now {
                return None;
            }
            self.steps.pop();
            if let Some(input) = self.run_step(at, id, step) {
                return Some(input);
            }
        }
    }

    fn schedule(&mut self, at: Time, id: CallId, step: Step) {
        self.order += 1;
        self.steps.push(Reverse((at, self.order, id, step)));
    }

    fn run_step(&mut self, at: Time, id: CallId, step: Step) -> Option<Input> {
        let leg = self.legs.get_mut(&id)?;
        let progress = |progress| Some(Input::CallProgressed { call: id, progress });
        match step {
            Step::HungUp => {
                let outcome = if leg.up { Outcome::Answered } else { Outcome::Cancelled };
                self.legs.remove(&id);
                Some(ended(id, outcome, EndedBy::Dialer, None, "we hung up"))
            }
            Step::Answer if !leg.up => {
                leg.up = true;
                if let Some(stays) = leg.stays {
                    self.schedule(at + stays, id, Step::Leave);
                }
                progress(Progress::Answered)
            }
            _ if leg.ending => None,
            Step::Sent => progress(Progress::Sent),
            Step::Ring => progress(Progress::Ringing),
            Step::Answer => None,
            Step::Leave => self.end(id, EndedBy::Callee, "hung up"),
            Step::Decline => {
                self.legs.remove(&id);
                Some(ended(id, Outcome::Busy, EndedBy::Callee, Some(486), "Busy Here"))
            }
            Step::GiveUp => {
                self.legs.remove(&id);
                Some(ended(id, Outcome::NoAnswer, EndedBy::Dialer, Some(487), "ring time over"))
            }
            Step::Away => {
                self.legs.remove(&id);
                let cause = "no phone is registered";
                Some(ended(id, Outcome::AgentFailed, EndedBy::Carrier, Some(480), cause))
            }
        }
    }
}

fn ended(call: CallId, outcome: Outcome, by: EndedBy, sip_code: Option<u16>, cause: &str) -> Input {
    let cause = cause.into();
    let ended = Ended { outcome, by, sip_code, cause, retry_after: None, try_next_trunk: false };
    Input::CallProgressed { call, progress: Progress::Ended(ended) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEG: CallId = CallId(1 << 62 | 1);
    const RING: Duration = Duration::from_secs(10);

    fn words(legs: &mut Legs) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(now) = legs.next_wake() {
            while let Some(Input::CallProgressed { progress, .. }) = legs.poll(now) {
                seen.push(match progress {
                    Progress::Ended(ended) => format!("{} by {} at {}", ended.outcome, ended.by, now),
                    progress => format!("{progress:?}"),
                });
            }
        }
        seen
    }

    #[test]
    fn a_phone_answers_declines_or_rings_until_it_is_cancelled() {
        let second = Duration::from_secs(1);
        let table = [
            (Pickup::After(second), "answered by callee"),
            (Pickup::Declined(second), "busy by callee"),
            (Pickup::After(RING), "no_answer by dialer"),
            (Pickup::Never, "no_answer by dialer"),
            (Pickup::Away, "agent_failed by carrier"),
        ];
        for (pickup, expected) in table {
            let mut legs = Legs::default();
            legs.ring(Time::ZERO, LEG, Some(AgentId(1)), RING, pickup, Some(second));
            let seen = words(&mut legs);
            assert!(seen.last().is_some_and(|last| last.starts_with(expected)), "{pickup:?}: {seen:?}");
            assert!(legs.is_empty());
        }
    }

    #[test]
    fn a_leg_hung_up_by_the_dialer_ends_once() {
        for seed in 0..20 {
            let mut legs = Legs::default();
            legs.ring(Time::ZERO, LEG, Some(AgentId(1)), RING, Pickup::After(Duration::from_secs(1)), None);
            legs.hang_up(Time::from_millis(100), LEG, &mut SimRng::new(seed));
            legs.hang_up(Time::from_millis(120), LEG, &mut SimRng::new(seed));
            let seen = words(&mut legs);
            let ends: Vec<&String> = seen.iter().filter(|word| word.contains(" by ")).collect();
            assert_eq!(ends.len(), 1, "{seen:?}");
            assert!(ends[0].contains("by dialer"), "{seen:?}");
        }
    }
}
