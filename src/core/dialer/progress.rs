//! Call progress: reports of the network, and keys pressed by the callee.

use super::live_call::Phase;
use super::output::{DoNotCallBy, SoundName};
use super::wake::Wake;
use super::{Dialer, Output};
use crate::call::{Digit, HangUpCause, Heard, KeyWay, Progress};
use crate::campaign::{Announcement, KeyRule};
use crate::ids::CallId;
use crate::pacing::predictive::Event;
use crate::time::{Duration, Time};

/// How long a callee may correct a key that set a result.
const CORRECTION: Duration = Duration::from_secs(2);

/// How long a single-number test plays music where the campaign has no announcement.
const TEST_SOUND: Duration = Duration::from_secs(10);
/// A callee who holds the call for longer than this does not come back to the announcement.
const HELD_MAX: Duration = Duration::from_secs(60);

/// Repeats of the announcement per call.
const REPEATS_MAX: u32 = 5;

impl Dialer {
    pub(super) fn call_progressed(&mut self, id: CallId, progress: Progress) {
        if self.sign_in_call_progressed(id, &progress) {
            return;
        }
        let (now, utc) = (self.now, self.wall.utc(self.now));
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.inbound {
            match progress {
                Progress::Answered => self.caller_answered(id),
                Progress::Ended(ended) => self.caller_gone(id, &ended),
                Progress::Sent | Progress::Trying | Progress::Ringing => {}
            }
            return;
        }
        if !matches!(progress, Progress::Sent | Progress::Ended(_))
            && let Some(line) = self.trunks.get_mut(&call.trunk)
        {
            line.note_response(id);
        }
        match progress {
            Progress::Sent | Progress::Trying => {}
            Progress::Ringing => {
                call.ringing_at.get_or_insert(utc);
                call.rang.get_or_insert(now);
                if call.phase == Phase::Placed {
                    call.phase = Phase::Ringing;
                    self.line_rang(id);
                    self.feed_pacer(id, |call| Event::Ringing { call });
                }
            }
            Progress::Answered => {
                if matches!(call.phase, Phase::Placed | Phase::Ringing) {
                    call.phase = Phase::Answered;
                    call.answered_at = Some(utc);
                    call.answered = Some(now);
                    if let Some(line) = self.trunks.get_mut(&call.trunk) {
                        line.guard.answered(now, id);
                    }
                    self.outputs.push_back(Output::SaveAnswer { call: id, at: utc });
                    self.feed_pacer(id, |call| Event::AnsweredLive { call });
                }
            }
            Progress::Ended(ended) => self.finish(id, ended),
        }
    }

    /// "Answered" is on disk: acknowledges the call, then queues it for an agent or plays the announcement.
    pub(super) fn answer_saved(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.phase == Phase::Answered) else { return };
        call.phase = Phase::Announcing;
        self.outputs.push_back(Output::Acknowledge { call: id });
        // A campaign that has changed to agents may have no announcement: the call keeps the one it was placed for.
        if let Some(run) = self.campaigns.get(&call.campaign)
            && (run.rules.announcement.is_some() || !call.announced)
        {
            call.texts = run.texts;
        }
        if self.is_for_agents(id) {
            self.queue_for_agents(id, false);
        } else {
            self.play(id);
        }
    }

    pub(super) fn media_heard(&mut self, id: CallId, heard: Heard) {
        if self.sign_in_call_heard(id, &heard) {
            return;
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        match (call.phase, &heard) {
            (Phase::Announcing, _) => {}
            (Phase::Sorry, Heard::PlayEnded) => return self.hang_up(id, HangUpCause::Abandoned),
            (Phase::Waiting | Phase::Talking, heard) => {
                if let Some((digit, way)) = heard.key() {
                    call.note_key(digit, way);
                }
                return;
            }
            _ => return,
        }
        match heard {
            Heard::Digit(digit) => self.pressed(id, digit, KeyWay::Rtp),
            Heard::DigitBy { digit, way } => self.pressed(id, digit, way),
            Heard::PlayEnded => {
                // Without key rules the dialer awaits no key.
                let run = self.campaigns.get(&call.campaign);
                let waits = run.is_some_and(|run| !run.texts_of(call).keys.is_empty());
                if !waits {
                    self.hang_up(id, HangUpCause::Finished);
                }
            }
            Heard::PlayHeld => self.play_held(id),
            Heard::PlayResumed => self.play_resumed(id),
            Heard::FirstAudio | Heard::Silent | Heard::AudioStopped { .. } | Heard::AudioResumed => {}
        }
    }

    /// Plays the announcement from its start. The call ends `plays x length + input wait` later.
    fn play(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let campaign = call.campaign;
        let run = self.campaigns.get(&campaign);
        let Some(announcement) = run.and_then(|run| run.texts_of(call).announcement) else {
            // A single-number test of a campaign with agents takes no agent's time: the callee hears music.
            if call.leased.is_none() && !call.inbound {
                let over = self.now + TEST_SOUND;
                self.wakes.set(Wake::CallOver(id), over);
                self.wakes.set(Wake::CallLost(id), over + Duration::from_secs(60));
                self.outputs.push_back(Output::Play { leg: id, sound: SoundName::HoldMusic });
                return;
            }
            return self.hang_up(id, HangUpCause::Finished);
        };
        let plays = announcement.plays;
        let pause = if call.repeats == 0 { announcement.pause } else { Duration::ZERO };
        let over = self.now + pause + announcement.whole();
        self.set_call_over(id, over);
        self.outputs.push_back(Output::PlayAnnouncement { call: id, campaign, plays, pause });
        if let Some(call) = self.calls.get_mut(&id) {
            call.play_held = None;
        }
    }

    /// The callee cannot hear the announcement (hold): the call's time stands still, up to a bound.
    fn play_held(&mut self, id: CallId) {
        let Some(over) = self.wakes.at(Wake::CallOver(id)) else { return };
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.play_held.is_none()) else { return };
        call.play_held = Some((self.now, over));
        self.set_call_over(id, self.now + HELD_MAX);
    }

    fn play_resumed(&mut self, id: CallId) {
        let held = self.calls.get_mut(&id).and_then(|call| call.play_held.take());
        if let Some((since, over)) = held {
            self.set_call_over(id, over + self.now.since(since));
        }
    }

    fn set_call_over(&mut self, id: CallId, over: Time) {
        self.wakes.set(Wake::CallOver(id), over);
        self.wakes.set(Wake::CallLost(id), over + Duration::from_secs(60));
    }

    fn has_agents(&self, id: CallId) -> bool {
        let run = self.calls.get(&id).and_then(|call| self.campaigns.get(&call.campaign));
        run.is_some_and(|run| run.agent_rules().is_some())
    }

    fn pressed(&mut self, id: CallId, digit: Digit, way: KeyWay) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.hanging_up.is_none()) else { return };
        call.note_key(digit, way);
        // A key without a rule is only noted; the announcement goes on.
        let rule = self.campaigns.get(&call.campaign).and_then(|run| run.texts_of(call).keys.get(&digit));
        let Some(rule) = rule.cloned() else { return };
        let KeyRule { result, repeat, blacklist, agents } = rule;
        let decided = result.is_some();
        if decided {
            call.result = result;
        }
        if blacklist {
            call.blacklisted = true;
            let (campaign, number) = (call.campaign, call.number);
            self.outputs.push_back(Output::Blacklist { campaign, number, by: DoNotCallBy::Key });
            self.hang_up(id, HangUpCause::Finished);
        } else if agents && self.has_agents(id) {
            self.wakes.clear(Wake::CallOver(id));
            self.outputs.push_back(Output::StopPlaying { leg: id });
            self.queue_for_agents(id, true);
        } else if repeat && self.calls.get(&id).is_some_and(|call| call.repeats < REPEATS_MAX) {
            if let Some(call) = self.calls.get_mut(&id) {
                call.repeats += 1;
            }
            self.play(id);
        } else if decided {
            self.wakes.set(Wake::CallOver(id), self.now + CORRECTION);
            if let Some(call) = self.calls.get_mut(&id) {
                call.play_held = None;
            }
        }
    }
}

impl Announcement {
    /// Length of all plays and the wait for a key.
    pub fn whole(&self) -> Duration {
        self.length * self.plays + self.input_wait
    }
}
