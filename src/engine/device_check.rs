//! Device check: records an agent's leg for some seconds, plays it back, and measures level, loss and
//! jitter, as numbers and as a verdict. Also measures agents' legs for the board.

use super::Engine;
use crate::net::rtp::{AudioCapture, LegStats, MediaCommand};
use paceline_core::agent::{Activity, Refusal};
use paceline_core::ids::{AgentId, CallId};
use paceline_core::media::quality::{self, Measured, Quality};
use paceline_core::time::{Duration, Time};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Result of a device check.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeviceCheck {
    pub measured: Measured,
    pub quality: Quality,
}

pub(super) type Answer = oneshot::Sender<Result<DeviceCheck, Refusal>>;

/// Running checks, by leg.
#[derive(Debug, Default)]
pub(super) struct Checks {
    running: BTreeMap<CallId, Check>,
    /// When all agents' legs are measured next, for the board.
    measure_at: Time,
}

#[derive(Debug)]
struct Check {
    capture: AudioCapture,
    until: Time,
    answer: Option<Answer>,
}

/// How long the agent's speech is recorded.
const RECORDS_FOR: Duration = Duration::from_secs(5);

/// How often legs of agents are measured for the board.
const MEASURE_EVERY: Duration = Duration::from_secs(5);

impl Engine {
    pub(super) fn check_device(&mut self, agent: AgentId, answer: Answer) {
        let seat = self.board.seats.get(&agent);
        let refusal = match seat {
            None => Some(Refusal::UnknownAgent),
            Some(seat) if seat.signed_in_at.is_none() => Some(Refusal::NotSignedIn),
            Some(seat) if seat.activity != Activity::Idle => Some(Refusal::Busy),
            Some(seat) if !seat.leg_up => Some(Refusal::PhoneNotReady),
            Some(_) => None,
        };
        let leg = self.floor.legs.iter().find(|(_, of)| **of == agent).map(|(leg, _)| *leg);
        let (None, Some(leg)) = (refusal, leg) else {
            // The requester may have gone away.
            let _ = answer.send(Err(refusal.unwrap_or(Refusal::PhoneNotReady)));
            return;
        };
        let capture = AudioCapture::new(RECORDS_FOR);
        self.media.command(leg, MediaCommand::Capture(capture.clone()));
        let check = Check { capture, until: self.clock.now() + RECORDS_FOR, answer: Some(answer) };
        self.checks.running.insert(leg, check);
    }

    /// Plays back and measures the checks whose recording is over.
    pub(super) fn run_due_checks(&mut self) {
        let now = self.clock.now();
        for (leg, check) in self.checks.running.iter().filter(|(_, check)| check.until <= now) {
            // No playback into a call that has come meanwhile.
            let agent = self.floor.legs.get(leg);
            let idle = agent.and_then(|agent| self.board.seats.get(agent));
            if idle.is_some_and(|seat| seat.activity == Activity::Idle) {
                let sound = Arc::new(check.capture.sound("device check"));
                self.media.command(*leg, MediaCommand::Play { sound, plays: 1 });
            }
            self.media.command(*leg, MediaCommand::Measure);
        }
        for check in self.checks.running.values_mut().filter(|check| check.until <= now) {
            // Moves the deadline away: this check now waits for its measurement.
            check.until = now + MEASURE_EVERY * 100;
        }
        if self.checks.measure_at <= now {
            self.checks.measure_at = now + MEASURE_EVERY;
            for leg in self.floor.legs.keys() {
                self.media.command(*leg, MediaCommand::Measure);
            }
        }
    }

    pub(super) fn take_leg_stats(&mut self, leg: CallId, stats: LegStats) {
        let over =
            self.checks.running.get(&leg).is_some_and(|check| check.until > self.clock.now() + RECORDS_FOR);
        if over
            && let Some(mut check) = self.checks.running.remove(&leg)
            && let Some(answer) = check.answer.take()
        {
            let mut measured = stats.measured();
            // A wide-band leg that was not decoded for a mix has no level: take the recording's.
            measured.heard_dbov = measured.heard_dbov.or_else(|| level(&check.capture.linear()));
            let _ = answer.send(Ok(DeviceCheck { measured, quality: quality::judge(&measured) }));
        }
        if let Some(phone) = self.floor.legs.get(&leg).and_then(|agent| self.board.phones.get_mut(agent)) {
            phone.leg_stats = Some(stats);
        }
    }
}

/// Level in dBov; `None` = silence.
fn level(samples: &[i16]) -> Option<i8> {
    let power: f64 = samples.iter().map(|sample| (f64::from(*sample) / 32_768.0).powi(2)).sum();
    (power > 0.0).then(|| (10.0 * (power / samples.len() as f64).log10()).clamp(-127.0, 0.0) as i8)
}
