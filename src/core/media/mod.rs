//! RTP, RTCP, codecs and DTMF digits as bytes and numbers. Sockets, threads and the 20 ms tick are in the
//! shell (`net::rtp`); nothing here waits.

/// G.711 A-law and mu-law by table (ITU-T G.711).
pub mod g711;

/// G.722 at 64 kbit/s, around `audio-codec`.
pub mod g722;

/// Notices when a far end that should send stops sending audio.
pub mod audio_watch;

/// DTMF digits as RTP telephone events (RFC 4733), sent and received.
pub mod dtmf;

/// Jitter buffer: packets that arrive early, late or twice become a steady stream of 20 ms frames.
pub mod jitter_buffer;

/// Symmetric RTP latching: decides which source address a leg accepts packets from (RFC 7362).
pub mod latch;

/// Routing inside a mix (which member hears which) and the sum of the voices.
pub mod mix;

/// Packets of the length that the far end asked for.
pub mod packetizer;

/// Call quality: level, loss and jitter of a leg as a grade and a fault.
pub mod quality;

/// One key press reported by several ways is one key.
pub mod press_merger;

/// Resampling between 16,000 and 8,000 samples a second.
pub mod resample;

/// Receiver statistics: sequence, loss and jitter of received packets (RFC 3550 appendix A).
pub mod reception;

/// Relaying: maps another stream's sequence numbers and timestamps onto our own stream.
pub mod relay;

/// RTCP sender and receiver reports, SDES, BYE (RFC 3550 section 6).
pub mod rtcp;

/// RTP packets (RFC 3550 section 5), around `rtp-rs`.
pub mod rtp;

/// Outgoing RTP streams: SSRC, sequence numbers and clock.
pub mod stream;

/// Call progress tones (dial, ringback, busy, congestion) in the Chinese cadence.
pub mod tone;

/// Keys as tones in the audio (ITU-T Q.23, Q.24).
pub mod tone_keys;

pub use mix::Voice;

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// A supported codec. All have an RTP clock of 8,000 Hz (for G.722 by RFC 3551 section 4.5.2).
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

    /// The payload byte of silence; only nearly silent for G.722, whose decoder keeps state.
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

/// What a leg offers or answers with in SDP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaCapabilities {
    /// The leg's RTP address (even port; RTCP on the next one). Goes into `c=` and `m=`.
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

/// The result of offer and answer for one leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaTarget {
    /// Where to send RTP; an unspecified address (0.0.0.0) means hold.
    pub rtp: SocketAddr,
    /// Where to send RTCP: `a=rtcp`, or the next port.
    pub rtcp: SocketAddr,
    pub codec: Codec,
    /// Payload type to send the codec with: its static one, unless the far end mapped it to another.
    pub payload_type: u8,
    /// Payload type of telephone-event that the far end accepts, if it offered one.
    pub telephone_event: Option<u8>,
    /// Payload type of telephone-event that we announced and the far end may send.
    pub telephone_event_in: Option<u8>,
    pub direction: Direction,
    /// Milliseconds of audio in the packets that the far end asked for: a multiple of 10, at most 60.
    pub packet_ms: u8,
    pub follow: RtpFollow,
}

/// Where RTP is sent when the far end sends from another address than SDP says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RtpFollow {
    /// Where SDP says, unless RTP comes from another host and that address is private (NAT) or silent: see
    /// [`latch`].
    Auto,
    /// Always where SDP says.
    Sdp,
    /// Where RTP comes from, if that can be the far end's own host (symmetric RTP: telephones behind NAT).
    #[default]
    Source,
}

impl MediaTarget {
    /// Payload bytes of a packet.
    pub fn packet_bytes(&self) -> usize {
        usize::from(self.packet_ms) * 8
    }

    /// False on hold, for port 0, and in the directions `recvonly` and `inactive`.
    pub fn may_send(&self) -> bool {
        let sends = matches!(self.direction, Direction::SendRecv | Direction::SendOnly);
        sends && self.rtp.port() != 0 && !is_unspecified(self.rtp.ip())
    }

    /// Whether the far end is expected to send, so that silence from it is worth a report.
    pub fn may_receive(&self) -> bool {
        matches!(self.direction, Direction::SendRecv | Direction::RecvOnly) && !is_unspecified(self.rtp.ip())
    }
}

fn is_unspecified(address: IpAddr) -> bool {
    address.is_unspecified()
}
