//! One call as the dialer sees it: reports of the network (`Progress`), the end (`Ended`), and reports of
//! the media threads (`Heard`).

use crate::outcome::{EndedBy, Outcome};
use crate::time::Duration;
use serde::{Deserialize, Serialize};

/// Reports of the network about a call, in the order in which they can come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// The INVITE was sent. (Reported once, when the first bytes were given to the network.)
    Sent,
    /// 100: the trunk is alive. Reported once; a trunk may omit it.
    Trying,
    /// 180, or any other 18x: the callee's phone rings, or early media plays.
    Ringing,
    /// A 2xx arrived. It is not acknowledged until the answer is on disk.
    Answered,
    /// The call is over. No report follows.
    Ended(Ended),
}

/// How a call ended, as the network reported it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The outcome for the lead. For an answered call: `Answered`.
    pub outcome: Outcome,
    pub by: EndedBy,
    /// The final SIP code, where there was one.
    pub sip_code: Option<u16>,
    /// In words: the reason phrase, the Q.850 cause, or what timed out. Untrusted text: bounded in length,
    /// otherwise untouched; escape it where it is shown.
    pub cause: String,
    /// The trunk asked for a pause (503 with Retry-After, RFC 3261 section 21.5.4).
    pub retry_after: Option<Duration>,
    /// The trunk failed, not the callee: try the next trunk.
    pub try_next_trunk: bool,
}

impl Ended {
    /// Whether the carrier refused our account: no call of this trunk can succeed until it is mended.
    pub fn refuses_account(&self) -> bool {
        self.outcome == Outcome::LineFault && matches!(self.sip_code, Some(401 | 403 | 407))
    }
}

/// Why we end a call. Travels to the network as CANCEL, BYE or a final response with a Reason header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HangUpCause {
    /// Not answered within the ring time.
    RingTimeout,
    /// The announcement and the input wait are over, or a key ended it.
    Finished,
    /// A manager stopped it, or the service is stopping.
    Stopped,
    /// No media arrived, or the media thread failed.
    MediaLost,
    /// The answer could not be written, so the call may not go on.
    NotSaved,
    /// The agent ended it.
    AgentHungUp,
    /// The agent for whom it was placed could not be reached.
    AgentFailed,
    /// No agent was free for the callee.
    Abandoned,
    /// The callee's phone did not begin to ring within the set-up time.
    SetupTimeout,
}

/// Reports of the media threads about a leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Heard {
    /// The first packet from the latched source.
    FirstAudio,
    /// A digit, reported once at its end or when it has lasted long enough: `0`-`9`, `*`, `#`, `A`-`D`.
    Digit(Digit),
    /// All plays of the announcement are over.
    PlayEnded,
    /// No packet for the configured span.
    Silent,
    /// No audio for two seconds although the far end should send (not on hold; ten seconds if it suppresses silence).
    /// `rtcp`: it has sent RTCP after its last audio packet, as phones do that send no audio while muted. Reported
    /// again with `true` when the first RTCP packet comes later. Without RTCP only a probe in the dialog tells a dead
    /// phone from a muted one.
    AudioStopped { rtcp: bool },
    /// Audio came again after `AudioStopped`.
    AudioResumed,
    /// A digit that did not come as an RTP event.
    DigitBy { digit: Digit, way: KeyWay },
}

impl Heard {
    /// The key and the way it came, if this is a key press.
    pub fn key(&self) -> Option<(Digit, KeyWay)> {
        match *self {
            Heard::Digit(digit) => Some((digit, KeyWay::Rtp)),
            Heard::DigitBy { digit, way } => Some((digit, way)),
            _ => None,
        }
    }
}

/// How a key press reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyWay {
    /// RTP telephone event (RFC 4733).
    Rtp,
    /// SIP INFO.
    Info,
    /// Tone in the audio.
    Tone,
}

impl KeyWay {
    pub const ALL: [KeyWay; 3] = [KeyWay::Rtp, KeyWay::Info, KeyWay::Tone];

    /// As the store keeps it, beside the key.
    pub const fn letter(self) -> char {
        match self {
            KeyWay::Rtp => 'r',
            KeyWay::Info => 'i',
            KeyWay::Tone => 't',
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            KeyWay::Rtp => "rtp",
            KeyWay::Info => "info",
            KeyWay::Tone => "tone",
        }
    }
}

/// One DTMF digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "char", into = "char")]
pub struct Digit(u8);

impl Digit {
    pub const HASH: Digit = Digit(b'#');

    /// From `0`-`9`, `*`, `#`, `A`-`D` (either case).
    pub fn from_char(key: char) -> Option<Self> {
        let key = key.to_ascii_uppercase();
        matches!(key, '0'..='9' | '*' | '#' | 'A'..='D').then_some(Digit(key as u8))
    }

    /// From an RFC 4733 event code, 0 to 15.
    pub fn from_event(code: u8) -> Option<Self> {
        b"0123456789*#ABCD".get(code as usize).copied().map(Digit)
    }

    /// The RFC 4733 event code.
    pub fn event(self) -> u8 {
        match self.0 {
            b'0'..=b'9' => self.0 - b'0',
            b'*' => 10,
            b'#' => 11,
            letter => 12 + (letter - b'A'),
        }
    }

    pub fn as_char(self) -> char {
        self.0 as char
    }
}

impl TryFrom<char> for Digit {
    type Error = &'static str;

    fn try_from(key: char) -> Result<Self, Self::Error> {
        Digit::from_char(key).ok_or("a key is one of 0-9, *, #, A-D")
    }
}

impl From<Digit> for char {
    fn from(digit: Digit) -> char {
        digit.as_char()
    }
}
