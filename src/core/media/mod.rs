//! RTP, RTCP, codecs and digits as bytes and numbers. Ports, threads and the 20 ms beat are in the
//! shell (`net::rtp`); nothing here waits.

/// G.711 by table (ITU-T G.711).
pub mod g711;

/// G.722 at 64 kbit/s, around `ezk-g722`.
pub mod g722;

/// Telephone keys in RTP (RFC 4733), both ways.
pub mod dtmf;

/// What arrived early, late or twice, as a steady stream of 20 ms frames.
pub mod jitter;

/// Which source of packets is believed.
pub mod latch;

/// Who hears whom in a mix, and the sum of what they say.
pub mod mix;

/// Levels, loss and jitter of a leg in words.
pub mod quality;

/// 16,000 samples a second to 8,000 and back.
pub mod rate;

/// Sequence, loss and jitter of what arrives (RFC 3550 appendix A).
pub mod reception;

/// Another stream's numbers mapped onto our own, for packets that are passed on as they are.
pub mod relay;

/// RTCP sender and receiver reports, SDES, BYE (RFC 3550 section 6).
pub mod rtcp;

/// RTP packets (RFC 3550 section 5), around `rtp-rs`.
pub mod rtp;

/// Call progress tones in the Chinese cadence.
pub mod tone;

pub use mix::Voice;

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// A codec we speak. All of them have an RTP clock of 8,000 Hz (for G.722 by RFC 3551 section 4.5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    Pcma,
    Pcmu,
    G722,
}

impl Codec {
    pub const ALL: [Codec; 3] = [Codec::Pcma, Codec::Pcmu, Codec::G722];

    /// The static RTP payload type (RFC 3551 table 4).
    pub const fn payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
            Codec::G722 => 9,
        }
    }

    /// The name in `a=rtpmap`.
    pub const fn encoding(self) -> &'static str {
        match self {
            Codec::Pcma => "PCMA",
            Codec::Pcmu => "PCMU",
            Codec::G722 => "G722",
        }
    }

    /// Audio samples per second before coding.
    pub const fn sample_rate(self) -> u32 {
        match self {
            Codec::Pcma | Codec::Pcmu => 8_000,
            Codec::G722 => 16_000,
        }
    }

    /// The byte that is silence, or nearly so for G.722, whose coder remembers what came before.
    pub const fn silence_byte(self) -> u8 {
        match self {
            Codec::Pcma => g711::ALAW_SILENCE,
            Codec::Pcmu => g711::ULAW_SILENCE,
            Codec::G722 => 0xFA,
        }
    }

    /// Payload bytes of 20 ms: 160 for all three.
    pub const fn frame_bytes(self) -> usize {
        160
    }
}

/// What one of our legs offers or answers with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaCapabilities {
    /// Where we receive RTP (an even port; RTCP on the next one). The address goes into `c=`.
    pub address: SocketAddr,
    /// In order of preference.
    pub codecs: Vec<Codec>,
}

/// Direction as seen from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

/// What offer and answer settled for one leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaTarget {
    /// Where to send RTP; an unspecified address (0.0.0.0) = hold.
    pub rtp: SocketAddr,
    /// Where to send RTCP: `a=rtcp`, or the next port.
    pub rtcp: SocketAddr,
    pub codec: Codec,
    /// Payload type to send the codec with: its own, unless the far side mapped it to another.
    pub payload_type: u8,
    /// Payload type of telephone-event that the far side listens for, where it offered one.
    pub telephone_event: Option<u8>,
    /// Payload type of telephone-event that we announced and the far side may send.
    pub telephone_event_in: Option<u8>,
    pub direction: Direction,
}

impl MediaTarget {
    /// Whether packets may be sent there at all.
    pub fn may_send(&self) -> bool {
        let sends = matches!(self.direction, Direction::SendRecv | Direction::SendOnly);
        sends && self.rtp.port() != 0 && !is_unspecified(self.rtp.ip())
    }

    /// Whether the far side is expected to send to us, so that silence means something.
    pub fn may_receive(&self) -> bool {
        matches!(self.direction, Direction::SendRecv | Direction::RecvOnly) && !is_unspecified(self.rtp.ip())
    }
}

fn is_unspecified(address: IpAddr) -> bool {
    address.is_unspecified()
}
