//! Agents' legs whose phones are gone. A phone that loses power or restarts sends no BYE, so its leg would stay
//! up and callees would be joined to silence.
//!
//! Three signs are weighed: audio that stops without RTCP, a probe in the dialog (OPTIONS) that is not
//! answered or answered with 481, and a registration as after a restart. A muted phone may send no audio, but
//! it answers the probe.

use crate::agent::{Availability, Holding};
use crate::call::Heard;
use crate::dialer::output::LegKind;
use crate::dialer::wake::Wake;
use crate::dialer::{Dialer, Output};
use crate::ids::{AgentId, CallId};
use crate::time::Duration;

/// How long the answer to a probe may take. Its request is repeated after 0.5 s and 1.5 s (RFC 3261 Timer E).
const PROBE_WAIT: Duration = Duration::from_secs(2);

/// How long the lost leg of a phone may take to come up again before the agent is paused.
const RAISE_WAIT: Duration = Duration::from_secs(8);

impl Dialer {
    /// A media thread reports on an agent's leg. Other side legs belong to people who hang up themselves.
    pub(in crate::dialer) fn leg_heard(&mut self, leg: CallId, heard: &Heard) {
        let Some(side) = self.floor.legs.get_mut(&leg) else { return };
        if !side.up || side.ending || side.kind() != LegKind::Agent {
            return;
        }
        match heard {
            Heard::AudioStopped { rtcp } => {
                side.silent = !rtcp;
                match (rtcp, side.restarted) {
                    // The phone lives; no packet is expected from a muted one.
                    (true, false) => self.leg_probed(leg, true),
                    (_, true) => self.leg_dead(leg, "the phone restarted and sends no audio"),
                    (false, false) => self.probe_leg(leg),
                }
            }
            Heard::AudioResumed | Heard::FirstAudio => {
                side.silent = false;
                self.leg_probed(leg, true);
            }
            Heard::Digit(_) | Heard::DigitBy { .. } | Heard::PlayEnded | Heard::Silent => {}
        }
    }

    /// Asks the phone whether it still knows the leg. Until it answers, no callee is bridged with it.
    fn probe_leg(&mut self, leg: CallId) {
        let Some(side) = self.floor.legs.get_mut(&leg).filter(|side| !side.probing) else { return };
        side.probing = true;
        let agent = side.agent;
        self.floor.changed.insert(agent);
        self.wakes.set(Wake::LegProbe(leg), self.now + PROBE_WAIT);
        self.outputs.push_back(Output::ProbeLeg { leg });
    }

    /// The phone answered a probe, or did not in time.
    pub(in crate::dialer) fn leg_probed(&mut self, leg: CallId, alive: bool) {
        let Some(side) = self.floor.legs.get_mut(&leg).filter(|side| side.probing) else { return };
        side.probing = false;
        let agent = side.agent;
        self.floor.changed.insert(agent);
        self.wakes.clear(Wake::LegProbe(leg));
        if !alive {
            self.leg_dead(leg, "the phone is gone: it sends no audio and does not answer");
        }
    }

    /// A phone registered as after a restart: the same device cannot know a leg from before, whatever it
    /// answers; another one says nothing certain.
    pub(in crate::dialer) fn phone_restarted(&mut self, agent: AgentId, same_device: bool) {
        let leg = self.floor.seats.get(&agent).and_then(|seat| seat.leg);
        let Some(leg) = leg else { return };
        let Some(side) = self.floor.legs.get_mut(&leg).filter(|side| side.up && !side.ending) else { return };
        side.restarted |= same_device;
        if side.silent && side.restarted {
            self.leg_dead(leg, "the phone restarted and sends no audio");
        } else {
            self.probe_leg(leg);
        }
    }

    /// Gives up a leg whose phone is gone: the callee goes to the next agent, and the leg is raised again.
    fn leg_dead(&mut self, leg: CallId, why: &str) {
        let Some(side) = self.floor.legs.get_mut(&leg).filter(|side| side.up && !side.ending) else { return };
        side.lost = Some(why.into());
        let agent = side.agent;
        let own = self.floor.seats.get(&agent).is_some_and(|seat| seat.leg == Some(leg));
        self.wakes.clear(Wake::LegProbe(leg));
        self.hang_up_leg(leg);
        if !own {
            return;
        }
        let nailed = self.floor.seats.get(&agent).is_some_and(|seat| seat.holding == Holding::NailedUp);
        if nailed {
            self.wakes.set(Wake::LegMissing(agent), self.now + RAISE_WAIT);
        }
        self.after_leg_loss(agent, false);
    }

    /// The leg of a dead phone did not come up again: the agent is paused, and the reason says why.
    pub(in crate::dialer) fn leg_missing(&mut self, agent: AgentId) {
        let Some(seat) = self.floor.seats.get(&agent) else { return };
        if seat.availability != Availability::Available || self.floor.leg_up(seat) {
            return;
        }
        if let Some(seat) = self.seat(agent) {
            seat.availability = Availability::Paused { reason: "phone_lost".into() };
        }
    }
}
