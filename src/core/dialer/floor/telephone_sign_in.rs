//! Sign-in by telephone: an agent calls us from their own telephone and enters the agent number and the
//! hash key; the result is spoken.

use crate::agent::{Endpoint, Holding, WorkMode};
use crate::call::{Digit, HangUpCause, Heard, Progress};
use crate::dialer::output::{SoundName, Spoken};
use crate::dialer::wake::Wake;
use crate::dialer::{Dialer, Output};
use crate::ids::CallId;
use crate::number::PhoneNumber;
use crate::time::Duration;
use serde::{Deserialize, Serialize};

/// One call of an agent who signs in or out by telephone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::dialer) struct SignInCall {
    from: PhoneNumber,
    typed: String,
    result_spoken: bool,
}

/// The longest such call.
const CALL_MAX: Duration = Duration::from_secs(60);

/// Such calls at once.
const CALLS_MAX: usize = 50;

/// Longest agent number that is kept.
const TYPED_MAX: usize = 16;

impl Dialer {
    /// Whether the caller's number is an agent's own telephone: the call is then answered as a sign-in
    /// call.
    pub(super) fn take_sign_in_call(&mut self, call: CallId, from: PhoneNumber) -> bool {
        let known = self.floor.seats.values().any(|seat| seat.agent.telephone == Some(from));
        if !known || self.floor.sign_in_calls.len() >= CALLS_MAX {
            return false;
        }
        let sign_in = SignInCall { from, typed: String::new(), result_spoken: false };
        self.floor.sign_in_calls.insert(call, sign_in);
        self.wakes.set(Wake::CallOver(call), self.now + CALL_MAX);
        self.outputs.push_back(Output::AnswerCall { call });
        true
    }

    /// `false` = not a sign-in call.
    pub(in crate::dialer) fn sign_in_call_progressed(&mut self, call: CallId, progress: &Progress) -> bool {
        if !self.floor.sign_in_calls.contains_key(&call) {
            return false;
        }
        match progress {
            Progress::Answered => self.play_prompt(call, Spoken::EnterAgentNumber),
            Progress::Ended(_) => {
                self.floor.sign_in_calls.remove(&call);
                self.wakes.clear(Wake::CallOver(call));
            }
            Progress::Sent | Progress::Trying | Progress::Ringing => {}
        }
        true
    }

    /// `false` = not a sign-in call.
    pub(in crate::dialer) fn sign_in_call_heard(&mut self, call: CallId, heard: &Heard) -> bool {
        let Some(sign_in) = self.floor.sign_in_calls.get_mut(&call) else { return false };
        match heard {
            Heard::PlayEnded if sign_in.result_spoken => self.end_sign_in_call(call),
            Heard::Digit(digit) | Heard::DigitBy { digit, .. } if !sign_in.result_spoken => {
                if *digit != Digit::HASH {
                    if sign_in.typed.len() < TYPED_MAX {
                        sign_in.typed.push(digit.as_char());
                    }
                    return true;
                }
                sign_in.result_spoken = true;
                let (typed, from) = (std::mem::take(&mut sign_in.typed), sign_in.from);
                let said = self.toggle_sign_in(&typed, from);
                self.play_prompt(call, said);
            }
            Heard::PlayEnded
            | Heard::Digit(_)
            | Heard::FirstAudio
            | Heard::Silent
            | Heard::AudioStopped { .. }
            | Heard::AudioResumed
            | Heard::DigitBy { .. } => {}
        }
        true
    }

    /// The time is over, or the result was spoken.
    pub(in crate::dialer) fn end_sign_in_call(&mut self, call: CallId) {
        if self.floor.sign_in_calls.contains_key(&call) {
            self.outputs.push_back(Output::HangUp { call, cause: HangUpCause::Finished });
        }
    }

    /// Signs in a signed-out agent and the reverse. Only from the agent's own telephone.
    fn toggle_sign_in(&mut self, typed: &str, from: PhoneNumber) -> Spoken {
        let hers = |seat: &&super::Seat| seat.agent.number == typed && seat.agent.telephone == Some(from);
        let Some(seat) = self.floor.seats.values().find(hers) else { return Spoken::NotKnown };
        let (agent, signed_in) = (seat.agent.id, seat.is_signed_in());
        if signed_in {
            return if self.request_sign_out(agent).is_ok() { Spoken::SignedOut } else { Spoken::NotKnown };
        }
        let endpoint = Endpoint::Telephone(from);
        match self.sign_in(agent, Vec::new(), endpoint, Holding::PerCall, WorkMode::Both) {
            Ok(()) => Spoken::SignedIn,
            Err(_) => Spoken::NotKnown,
        }
    }

    fn play_prompt(&mut self, leg: CallId, said: Spoken) {
        self.outputs.push_back(Output::Play { leg, sound: SoundName::Spoken(said) });
    }
}
