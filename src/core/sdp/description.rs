//! SDP parser: bounded, borrowed, tolerant of unknown lines. The parent module interprets the result for
//! a call.

use crate::media::{Codec, Direction};
use std::net::IpAddr;

/// Longest description accepted, in bytes.
pub const MAX_DESCRIPTION: usize = 16 * 1_024;
/// Most media lines accepted; the answer must contain every one of them.
pub const MAX_MEDIA: usize = 16;
/// Most payload types read on one media line.
const MAX_FORMATS: usize = 64;

/// Why no call can be based on a description. The response to such an offer is 488 (400 also fits
/// `Unreadable` and `TooLarge`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    #[error("no session description with a readable media line")]
    Unreadable,
    #[error("larger than 16 KiB, or more than 16 media lines")]
    TooLarge,
    #[error("no audio over plain RTP, or it was refused")]
    NoAudio,
    #[error("no codec in common")]
    NoCodec,
    #[error("no address to send to, or one of another family than ours")]
    NoAddress,
}

/// The parts of a description that are used.
#[derive(Clone, Debug, Default)]
pub(super) struct Description<'a> {
    address: Option<IpAddr>,
    direction: Option<Direction>,
    pub media: Vec<Media<'a>>,
}

/// One `m=` section.
#[derive(Clone, Debug)]
pub(super) struct Media<'a> {
    /// `audio`, `video`, …
    pub kind: &'a str,
    /// 0 = refused or unused.
    pub port: u16,
    /// `RTP/AVP` and the like, as written.
    pub protocol: &'a str,
    /// Payload types in order of preference, as written.
    pub formats: Vec<&'a str>,
    pub address: Option<IpAddr>,
    pub direction: Option<Direction>,
    /// Payload type, encoding name and clock rate of each `a=rtpmap`.
    maps: Vec<(u8, &'a str, u32)>,
    pub rtcp_port: Option<u16>,
    pub rtcp_address: Option<IpAddr>,
    ptime: Option<u32>,
    maxptime: Option<u32>,
}

impl<'a> Description<'a> {
    /// Parses a description. Unknown or broken lines are skipped, except a broken media line: without it
    /// the following lines cannot be assigned to a section.
    pub fn parse(text: &'a str) -> Result<Self, SdpError> {
        if text.len() > MAX_DESCRIPTION {
            return Err(SdpError::TooLarge);
        }
        let mut description = Description::default();
        for line in text.split(['\n', '\r']) {
            let Some((kind, value)) = line.trim().split_once('=') else { continue };
            let value = value.trim();
            let full = description.media.len() == MAX_MEDIA;
            match (kind, description.media.last_mut()) {
                ("m", _) if full => return Err(SdpError::TooLarge),
                ("m", _) => description.media.push(Media::parse(value)?),
                ("c", None) => description.address = connection(value),
                ("c", Some(media)) => media.address = connection(value),
                ("a", None) => description.direction = direction(value).or(description.direction),
                ("a", Some(media)) => media.take_attribute(value),
                _ => {}
            }
        }
        for media in &mut description.media {
            media.address = media.address.or(description.address);
            media.direction = media.direction.or(description.direction);
        }
        if description.media.is_empty() { Err(SdpError::Unreadable) } else { Ok(description) }
    }
}

impl<'a> Media<'a> {
    /// `audio 49170 RTP/AVP 8 0 101`, or `audio 49170/2 …`.
    fn parse(line: &'a str) -> Result<Self, SdpError> {
        let mut words = line.split_ascii_whitespace();
        let kind = words.next().ok_or(SdpError::Unreadable)?;
        let port = words.next().ok_or(SdpError::Unreadable)?;
        let port = port.split('/').next().unwrap_or("").parse().map_err(|_| SdpError::Unreadable)?;
        let protocol = words.next().ok_or(SdpError::Unreadable)?;
        let formats: Vec<_> = words.take(MAX_FORMATS).collect();
        if formats.is_empty() {
            return Err(SdpError::Unreadable);
        }
        Ok(Media {
            kind,
            port,
            protocol,
            formats,
            address: None,
            direction: None,
            maps: Vec::new(),
            rtcp_port: None,
            rtcp_address: None,
            ptime: None,
            maxptime: None,
        })
    }

    fn take_attribute(&mut self, attribute: &'a str) {
        if let Some(known) = direction(attribute) {
            self.direction = Some(known);
            return;
        }
        let Some((name, value)) = attribute.split_once(':') else { return };
        match name.trim_end() {
            "rtpmap" if self.maps.len() < MAX_FORMATS => self.maps.extend(rtpmap(value)),
            "rtcp" => {
                let (port, rest) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
                self.rtcp_port = port.parse().ok().filter(|port| *port != 0);
                self.rtcp_address = connection(rest);
            }
            "ptime" => self.ptime = milliseconds(value),
            "maxptime" => self.maxptime = milliseconds(value),
            _ => {}
        }
    }

    /// Milliseconds of audio in the packets that it wants (RFC 4566 section 6): its `ptime` within its
    /// `maxptime`, in steps of 10 ms up to 60 ms; 20 ms without either.
    pub fn packet_ms(&self) -> u8 {
        let wanted = self.ptime.unwrap_or(20).min(self.maxptime.unwrap_or(60)).clamp(10, 60);
        (wanted / 10 * 10) as u8
    }

    /// Audio over plain RTP whose port is not 0.
    pub fn is_plain_audio(&self) -> bool {
        let plain = ["RTP/AVP", "RTP/AVPF"].iter().any(|known| self.protocol.eq_ignore_ascii_case(known));
        self.kind.eq_ignore_ascii_case("audio") && plain && self.port != 0
    }

    /// The supported codecs among its payload types, in its order, each with its payload type.
    pub fn codecs(&self) -> impl Iterator<Item = (u8, Codec)> {
        self.payload_types().filter_map(|number| Some((number, self.codec(number)?)))
    }

    /// The payload type of telephone-event at 8,000 Hz (RFC 4733), the clock of all our codecs.
    pub fn telephone_event(&self) -> Option<u8> {
        self.payload_types().find(|number| {
            self.maps.iter().any(|(mapped, name, rate)| {
                mapped == number && *rate == 8_000 && name.eq_ignore_ascii_case("telephone-event")
            })
        })
    }

    fn payload_types(&self) -> impl Iterator<Item = u8> {
        self.formats.iter().filter_map(|format| format.parse().ok()).filter(|number| *number < 128)
    }

    /// The codec of a payload type: by its rtpmap, or by the static table if it has none.
    fn codec(&self, number: u8) -> Option<Codec> {
        let Some((_, name, rate)) = self.maps.iter().find(|(mapped, ..)| *mapped == number) else {
            return Codec::ALL.into_iter().find(|codec| codec.payload_type() == number);
        };
        // RFC 3551 assigns G.722 a clock of 8,000 by mistake; some peers write the real rate.
        let codec = Codec::ALL.into_iter().find(|codec| codec.encoding().eq_ignore_ascii_case(name))?;
        (*rate == 8_000 || (codec == Codec::G722 && *rate == 16_000)).then_some(codec)
    }
}

/// `20`, or `20.0`; 0 says nothing.
fn milliseconds(value: &str) -> Option<u32> {
    let whole = value.trim().split(['.', ' ']).next()?;
    whole.parse().ok().filter(|ms| *ms > 0)
}

/// `IN IP4 192.0.2.1` or `IN IP4 224.2.1.1/127`. Host names are not resolved.
fn connection(value: &str) -> Option<IpAddr> {
    let mut words = value.split_ascii_whitespace();
    let (network, _family, address) = (words.next()?, words.next()?, words.next()?);
    if !network.eq_ignore_ascii_case("IN") {
        return None;
    }
    address.split('/').next()?.parse().ok()
}

fn direction(attribute: &str) -> Option<Direction> {
    match attribute {
        "sendrecv" => Some(Direction::SendRecv),
        "sendonly" => Some(Direction::SendOnly),
        "recvonly" => Some(Direction::RecvOnly),
        "inactive" => Some(Direction::Inactive),
        _ => None,
    }
}

/// `96 PCMA/8000/1`. More than one channel is not supported.
fn rtpmap(value: &str) -> Option<(u8, &str, u32)> {
    let (number, encoding) = value.trim().split_once([' ', '\t'])?;
    let mut parts = encoding.trim().split('/');
    let (name, rate) = (parts.next()?, parts.next()?);
    // An unusable rtpmap still overrides the static meaning of its payload type.
    let mono = parts.next().is_none_or(|channels| channels.trim() == "1");
    Some((number.parse().ok()?, if mono { name } else { "" }, rate.trim().parse().ok()?))
}
