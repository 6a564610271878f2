//! The record of what each attempt's call does: messages by their Call-ID as they pass the loop, and what the dialer
//! and the callee do in between. It is written with the result (`attempt.steps`).
//!
//! Cost: a SIP message of any kind costs one look for its Call-ID and one hash lookup; a message of an attempt one
//! string more. RTP never passes here.

use super::Engine;
use super::floor::transport_word;
use crate::net::rtp::LegStats;
use crate::store::Command;
use paceline_core::call::{Digit, Heard, KeyWay};
use paceline_core::call_note::NoteKind;
use paceline_core::call_steps::{CallSteps, Direction};
use paceline_core::dialer::output::AttemptResult;
use paceline_core::ids::CallId;
use paceline_core::media::Voice;
use paceline_core::sip::outline::Outline;
use paceline_core::sip::user_agent::Peer;
use paceline_core::time::{Duration, Time};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::fmt::Display;

/// How long the result of a test call waits for the measurement of its audio.
const MEASURE_WAIT: Duration = Duration::from_secs(2);

/// The records of live attempts.
#[derive(Debug, Default)]
pub(super) struct StepLog {
    calls: FxHashMap<CallId, Recorded>,
    /// Only our own Call-IDs are keys, and they derive from our seed: no far end can make them collide.
    by_call_id: FxHashMap<String, CallId>,
    /// Results of test calls whose media leg is closing.
    held: BTreeMap<CallId, HeldResult>,
}

#[derive(Debug)]
struct Recorded {
    call_id: String,
    steps: CallSteps,
}

/// A result that waits for the measurement of its call's audio.
#[derive(Debug)]
struct HeldResult {
    result: Box<AttemptResult>,
    until: Time,
}

impl StepLog {
    /// Records the call that has this Call-ID from now on.
    pub fn begin(&mut self, call: CallId, call_id: &str) {
        self.by_call_id.insert(call_id.to_owned(), call);
        self.calls.insert(call, Recorded { call_id: call_id.to_owned(), steps: CallSteps::default() });
    }

    pub fn message(&mut self, now: Time, dir: Direction, peer: Peer, bytes: &[u8]) {
        if self.by_call_id.is_empty() {
            return;
        }
        let Some(outline) = Outline::read(bytes) else { return };
        let call = self.by_call_id.get(outline.call_id);
        let Some(recorded) = call.and_then(|call| self.calls.get_mut(call)) else { return };
        let to = (dir == Direction::Out && outline.is_invite())
            .then(|| format!("{} {}", transport_word(peer.transport), peer.address));
        recorded.steps.add_message(now, dir, &outline.text(), outline.cseq, to.as_deref());
    }

    pub fn note(&mut self, now: Time, call: CallId, text: &str) {
        if let Some(recorded) = self.calls.get_mut(&call) {
            recorded.steps.add_note(now, text);
        }
    }

    /// The record so far, as JSON; `None` = no such call is live.
    pub fn json(&self, call: CallId) -> Option<String> {
        self.calls.get(&call).map(|recorded| recorded.steps.to_json())
    }

    /// Ends the record.
    pub fn end(&mut self, call: CallId) -> Option<String> {
        let recorded = self.calls.remove(&call)?;
        self.by_call_id.remove(&recorded.call_id);
        Some(recorded.steps.to_json())
    }
}

impl Engine {
    /// Notes what is no message; `rest` follows the kind's word.
    pub(super) fn note_step(&mut self, call: CallId, kind: NoteKind, rest: impl Display) {
        self.step_log.note(self.clock.now(), call, &kind.text(rest));
    }

    /// Notes what the media thread heard, as far as a reader of the trace asks for it.
    pub(super) fn note_heard(&mut self, call: CallId, heard: &Heard) {
        let key = |digit: Digit, way: KeyWay| format!("{} {}", digit.as_char(), way.word());
        let (kind, rest) = match heard {
            Heard::Digit(digit) => (NoteKind::Key, key(*digit, KeyWay::Rtp)),
            Heard::DigitBy { digit, way } => (NoteKind::Key, key(*digit, *way)),
            Heard::FirstAudio => (NoteKind::AudioBegins, String::new()),
            Heard::AudioStopped { rtcp: false } => (NoteKind::AudioStopped, String::new()),
            Heard::AudioStopped { rtcp: true } => (NoteKind::AudioStopped, "rtcp".into()),
            Heard::AudioResumed => (NoteKind::AudioResumed, String::new()),
            Heard::PlayEnded => (NoteKind::PlayEnded, String::new()),
            Heard::PlayHeld => (NoteKind::PlayHeld, String::new()),
            Heard::PlayResumed => (NoteKind::PlayResumed, String::new()),
            Heard::Silent => return,
        };
        self.note_step(call, kind, rest);
    }

    pub(super) fn note_join(&mut self, call: CallId, voice: Voice) {
        let kind = match voice {
            Voice::Everyone => NoteKind::Join,
            Voice::Nobody => NoteKind::JoinMuted,
            Voice::Only(_) => NoteKind::JoinWhisper,
        };
        self.note_step(call, kind, "");
    }

    /// Writes the result with its record. The result of a test call waits until its closing leg has measured the
    /// audio: `is_closing`.
    pub(super) fn save_result(&mut self, result: Box<AttemptResult>, is_closing: bool) {
        let call = result.attempt.call();
        if is_closing {
            let until = self.clock.now() + MEASURE_WAIT;
            self.step_log.held.insert(call, HeldResult { result, until });
            return;
        }
        if let Some(steps) = self.step_log.end(call) {
            self.send_to_store(Command::SaveSteps { attempt: result.attempt, steps });
        }
        self.send_to_store(Command::SaveResult(result));
    }

    /// The media leg of a call is closed: notes the audio of a test call, whose result may wait for it.
    pub(super) fn note_closed_leg(&mut self, call: CallId, stats: &LegStats) {
        let is_test = match self.calls.get_mut(&call) {
            Some(facts) => std::mem::take(&mut facts.closing),
            None => self.step_log.held.contains_key(&call),
        };
        let held = self.step_log.held.get(&call);
        let is_answered = held.is_some_and(|held| held.result.answered_at.is_some());
        let has_audio = is_answered || stats.packets_sent + stats.packets_received > 0;
        if is_test && has_audio {
            self.note_step(call, NoteKind::Audio, audio_figures(stats));
        }
        if let Some(held) = self.step_log.held.remove(&call) {
            self.save_result(held.result, false);
        }
    }

    /// Writes results whose measurement did not come.
    pub(super) fn save_overdue_results(&mut self) {
        let now = self.clock.now();
        let overdue = self.step_log.held.iter().filter(|(_, held)| held.until <= now);
        for call in overdue.map(|(call, _)| *call).collect::<Vec<_>>() {
            if let Some(held) = self.step_log.held.remove(&call) {
                self.save_result(held.result, false);
            }
        }
    }
}

/// `sent=152 sent_db=-13 received=150 received_db=-24 lost=0`: packets, and levels in dBov where there is one.
fn audio_figures(stats: &LegStats) -> String {
    let mut words = format!("sent={} received={}", stats.packets_sent, stats.packets_received);
    for (name, level) in [("sent_db", stats.sent_dbov), ("received_db", stats.heard_dbov)] {
        if let Some(level) = level {
            words += &format!(" {name}={level}");
        }
    }
    words + &format!(" lost={}", stats.packets_lost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::ids::AttemptId;
    use paceline_core::sip::user_agent::Transport;

    fn message(start: &str, call_id: &str, cseq: &str) -> Vec<u8> {
        format!("{start}\r\nVia: x\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\n\r\n").into_bytes()
    }

    #[test]
    fn only_messages_of_recorded_calls_are_kept_and_the_record_ends_with_its_call() {
        let mut log = StepLog::default();
        let (call, now) = (AttemptId(7).call(), Time::ZERO);
        let peer = Peer { transport: Transport::Udp, address: ([192, 0, 2, 1], 5060).into() };
        log.begin(call, "ours");
        let invite = message("INVITE sip:1@h SIP/2.0", "ours", "1 INVITE");
        log.message(now, Direction::Out, peer, &invite);
        let later = now + Duration::from_millis(31);
        log.message(later, Direction::In, peer, &message("SIP/2.0 100 Trying", "ours", "1 INVITE"));
        log.message(later, Direction::In, peer, &message("SIP/2.0 200 OK", "another", "1 INVITE"));
        log.message(later, Direction::In, peer, b"no message at all");
        log.note(later, AttemptId(8).call(), "not recorded");
        let json = log.end(call).expect("a record");
        let steps: Vec<paceline_core::call_steps::Step> = serde_json::from_str(&json).expect("JSON");
        let texts: Vec<(u32, &str)> = steps.iter().map(|step| (step.at_ms, step.text.as_str())).collect();
        assert_eq!(texts, [(0, "INVITE sip:1@h"), (31, "100 Trying")]);
        assert_eq!(steps[0].peer.as_deref(), Some("udp 192.0.2.1:5060"));
        assert!(log.calls.is_empty() && log.by_call_id.is_empty() && log.end(call).is_none());
    }
}
