//! One outbound call as the dialer sees it: what the network reports (`Progress`), how it ended
//! (`Ended`), and what the callee's phone does to us (`Heard`).

use crate::outcome::{EndedBy, Outcome};
use crate::time::Duration;
use serde::{Deserialize, Serialize};

/// What the network reports about a call, in the order in which it can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// The INVITE left. (Reported once, when the first bytes were given to the network.)
    Sent,
    /// 100: the trunk is alive and works on it. Reported once; a trunk may leave it out.
    Trying,
    /// 180, or any other 18x: the callee's phone rings, or the network speaks to us.
    Ringing,
    /// A 2xx arrived. It is not acknowledged until the answer is on disk.
    Answered,
    /// The call is over. Nothing follows.
    Ended(Ended),
}

/// How a call ended, in the line's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// What it means for the lead. For a call that had been answered: `Answered`.
    pub outcome: Outcome,
    pub by: EndedBy,
    /// The final SIP code, where there was one.
    pub sip_code: Option<u16>,
    /// Plain words: the reason phrase, the Q.850 cause, or what timed out. Text from outside:
    /// bounded in length, otherwise untouched; escape it where it leaves.
    pub cause: String,
    /// The trunk asked for a rest (503 with Retry-After, RFC 3261 section 21.5.4).
    pub retry_after: Option<Duration>,
    /// The failure speaks of the trunk, not of the callee: try the next trunk.
    pub try_next_trunk: bool,
}

/// Why we end a call. Travels to the network as CANCEL, BYE or a final response with a Reason header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HangUpCause {
    /// Nobody answered within the ring time.
    RingTimeout,
    /// The announcement and the input wait are over, or a key ended it.
    Finished,
    /// A person stopped it, or the service is stopping.
    Stopped,
    /// No media arrived, or the media room failed.
    MediaLost,
    /// The answer could not be written down, so the call may not go on.
    NotSaved,
    /// The agent ended it.
    AgentHungUp,
    /// The agent for whom it was placed is gone.
    AgentFailed,
    /// Nobody was free to speak with her.
    Abandoned,
}

/// What media threads report about a leg. Everything else about audio stays with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Heard {
    /// The first packet from the latched source.
    FirstAudio,
    /// A key, reported once at its end or when it has lasted long enough: `0`-`9`, `*`, `#`, `A`-`D`.
    Digit(Digit),
    /// All plays of the announcement are over.
    PlayEnded,
    /// No packet for the configured span.
    Silent,
}

/// One telephone key.
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
