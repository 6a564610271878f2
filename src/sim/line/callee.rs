//! How simulated callees treat an agent: patience while they wait, length of a conversation, calling back.

use super::{Line, LineCall, Step};
use crate::sim::call_scenario::{Behaviour, CallScenario};
use crate::sim::people::Spread;
use crate::sim::random::SimRng;
use paceline_core::dialer::Input;
use paceline_core::dialer::input::ArrivedCall;
use paceline_core::ids::{CallId, TrunkId};
use paceline_core::number::PhoneNumber;
use paceline_core::time::{Duration, Time};

/// Calls from outside have this bit, as the user agent's do.
const INCOMING: u64 = 1 << 63;

/// Length of a voicemail recording.
const MACHINE_FULL: Duration = Duration::from_secs(180);

/// How callees behave towards agents.
#[derive(Clone, Debug, PartialEq)]
pub struct CalleeProfile {
    /// How long a callee who answered waits without an agent, or on hold.
    pub patience: Spread,
    /// Length of a conversation that the callee ends.
    pub talk: Spread,
    /// Share of missed and abandoned calls after which the callee calls back, and the delay.
    pub calls_back: f64,
    pub calls_back_after: Spread,
}

impl Default for CalleeProfile {
    fn default() -> Self {
        CalleeProfile {
            patience: Spread::new(20.0, 0.8, 0.5, 300.0),
            talk: Spread::new(70.0, 0.8, 2.0, 1_800.0),
            calls_back: 0.0,
            calls_back_after: Spread::new(600.0, 1.0, 20.0, 7_200.0),
        }
    }
}

impl Line {
    /// A callee calls back: the dialer gets the call as incoming.
    pub(super) fn call_back(&mut self, at: Time, call: CallId) -> Option<Input> {
        let (number, trunk) = self.callers.remove(&call)?;
        let scenario = CallScenario {
            behaviour: Behaviour::Answer,
            slow: Duration::ZERO,
            alert: Duration::ZERO,
            ring_back: false,
            ring: Duration::ZERO,
            late_answer: false,
            keys: Vec::new(),
            keys_by_info: false,
            stay: None,
        };
        self.calls.insert(call, LineCall { caller: true, ..LineCall::new(scenario, number, trunk) });
        self.called_back += 1;
        self.start_waiting(at, call);
        let number = Some(number);
        Some(Input::CallArrived(Box::new(ArrivedCall { call, trunk, number, known: None })))
    }

    /// Draws whether a callee who was missed or abandoned calls back, and when.
    pub(super) fn draw_call_back(&mut self, now: Time, number: PhoneNumber, trunk: TrunkId) {
        if self.callee_profile.calls_back <= 0.0 {
            return;
        }
        self.order += 1;
        let mut rng = SimRng::keyed(self.people.seed, &[number.as_u64(), self.order]);
        if rng.chance(self.callee_profile.calls_back) {
            let call = CallId(INCOMING | self.order);
            let at = now + self.callee_profile.calls_back_after.draw(&mut rng);
            self.callers.insert(call, (number, trunk));
            self.schedule(at, call, Step::CallBack);
        }
    }

    /// No agent is connected: the callee's patience runs.
    pub(super) fn start_waiting(&mut self, now: Time, call: CallId) {
        self.change_phase(now, call, false);
    }

    /// An agent is connected.
    pub(super) fn start_talking(&mut self, now: Time, call: CallId) {
        self.change_phase(now, call, true);
    }

    fn change_phase(&mut self, now: Time, call: CallId, talks: bool) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        known.phase += 1;
        known.with_agent |= talks;
        let phase = known.phase;
        match known.scenario.behaviour {
            Behaviour::Answer => {}
            // A machine ends a call only when its recording is full; else the agent does.
            Behaviour::Voicemail if talks => {
                return self.schedule(now + MACHINE_FULL, call, Step::PatienceOver(phase));
            }
            _ => return,
        }
        let mut rng = SimRng::keyed(self.people.seed, &[known.number.as_u64(), call.0, u64::from(phase)]);
        let span = if talks { &self.callee_profile.talk } else { &self.callee_profile.patience };
        let at = now + span.draw(&mut rng);
        self.schedule(at, call, Step::PatienceOver(phase));
    }
}
