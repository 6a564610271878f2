//! SDP offer and answer (RFC 4566, RFC 3264): audio over RTP/AVP with telephone events. Parsing is in
//! `description`; the SIP dialog decides when to offer.

mod description;
#[cfg(test)]
mod tests;

pub use description::{MAX_DESCRIPTION, MAX_MEDIA, SdpError};

use crate::media::{Codec, Direction, MediaCapabilities, MediaTarget, RtpFollow};
use description::{Description, Media};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

/// Payload type of telephone-event in our offers.
pub const TELEPHONE_EVENT: u8 = 101;

/// Builds an offer. `id` stays the same through the call; `version` increases with every description that
/// differs from the last one (RFC 3264 section 8).
pub fn offer(capabilities: &MediaCapabilities, id: u64, version: u64) -> String {
    offer_directed(capabilities, id, version, Direction::SendRecv)
}

/// Builds an offer with a direction as seen from us: `SendOnly` puts the far end on hold.
pub fn offer_directed(
    capabilities: &MediaCapabilities,
    id: u64,
    version: u64,
    direction: Direction,
) -> String {
    let codecs: Vec<_> = capabilities.codecs.iter().map(|codec| (codec.payload_type(), *codec)).collect();
    let mut text = head(capabilities.address.ip(), id, version);
    push_audio(
        &mut text,
        &Audio { port: capabilities.address.port(), protocol: "RTP/AVP", codecs: &codecs },
        Some(TELEPHONE_EVENT),
        direction,
    );
    text
}

/// Answers an offer: picks the first of our codecs that was offered, with the offer's payload types. The
/// first usable audio line is accepted; all others are refused with port 0. Returns where to send, and
/// the text of the answer.
pub fn answer(
    offer: &[u8],
    capabilities: &MediaCapabilities,
    id: u64,
    version: u64,
) -> Result<(MediaTarget, String), SdpError> {
    let offer = text(offer)?;
    let offer = Description::parse(&offer)?;
    let mut failure = SdpError::NoAudio;
    let mut chosen = None;
    for (at, media) in offer.media.iter().enumerate().filter(|(_, media)| media.is_plain_audio()) {
        match settle(media, capabilities) {
            Ok(settled) => {
                chosen = Some((at, settled));
                break;
            }
            Err(error) => failure = error,
        }
    }
    let (place, mut target) = chosen.ok_or(failure)?;
    target.telephone_event_in = target.telephone_event;
    let mut text = head(capabilities.address.ip(), id, version);
    for (at, media) in offer.media.iter().enumerate() {
        if at == place {
            let codecs = [(target.payload_type, target.codec)];
            let port = capabilities.address.port();
            let audio = Audio { port, protocol: media.protocol, codecs: &codecs };
            push_audio(&mut text, &audio, target.telephone_event, target.direction);
        } else {
            let format = media.formats.first().copied().unwrap_or("0");
            let _ = write!(text, "m={} 0 {} {format}\r\n", media.kind, media.protocol);
        }
    }
    Ok((target, text))
}

/// Reads the answer to our offer: the first of its codecs that we offered.
pub fn read_answer(capabilities: &MediaCapabilities, answer: &[u8]) -> Result<MediaTarget, SdpError> {
    let answer = text(answer)?;
    let answer = Description::parse(&answer)?;
    // We offer one media line, so the answer has one; if it has more, ours is the first.
    let media = answer.media.iter().find(|media| media.is_plain_audio()).ok_or(SdpError::NoAudio)?;
    let (payload_type, codec) =
        media.codecs().find(|(_, codec)| capabilities.codecs.contains(codec)).ok_or(SdpError::NoCodec)?;
    let mut target = target(media, payload_type, codec, capabilities)?;
    // Our offer names it, so it may come even where the answer leaves it out (RFC 3264 section 5.1).
    target.telephone_event_in = (payload_type != TELEPHONE_EVENT).then_some(TELEPHONE_EVENT);
    Ok(target)
}

/// Picks the codec of one media line; our order of preference decides.
fn settle(media: &Media<'_>, capabilities: &MediaCapabilities) -> Result<MediaTarget, SdpError> {
    let offered: Vec<_> = media.codecs().collect();
    let choice = |wanted: &Codec| offered.iter().find(|(_, codec)| codec == wanted).copied();
    let (payload_type, codec) = capabilities.codecs.iter().find_map(choice).ok_or(SdpError::NoCodec)?;
    target(media, payload_type, codec, capabilities)
}

fn target(
    media: &Media<'_>,
    payload_type: u8,
    codec: Codec,
    capabilities: &MediaCapabilities,
) -> Result<MediaTarget, SdpError> {
    let ip = media.address.ok_or(SdpError::NoAddress)?;
    let ours = capabilities.address.ip();
    if !ip.is_unspecified() && !ours.is_unspecified() && ip.is_ipv4() != ours.is_ipv4() {
        return Err(SdpError::NoAddress);
    }
    let rtcp_port = media.rtcp_port.unwrap_or(media.port.saturating_add(1));
    Ok(MediaTarget {
        rtp: SocketAddr::new(ip, media.port),
        rtcp: SocketAddr::new(media.rtcp_address.unwrap_or(ip), rtcp_port),
        codec,
        payload_type,
        telephone_event: media.telephone_event(),
        telephone_event_in: None,
        direction: our_direction(media.direction.unwrap_or(Direction::SendRecv), ip.is_unspecified()),
        packet_ms: media.packet_ms(),
        follow: RtpFollow::default(),
    })
}

/// Mirrors the far end's direction. An all-zero address is the old form of hold (RFC 3264 section 8.4):
/// nothing may be sent there.
const fn our_direction(theirs: Direction, hold: bool) -> Direction {
    match (theirs, hold) {
        (Direction::SendRecv, false) => Direction::SendRecv,
        (Direction::RecvOnly, false) => Direction::SendOnly,
        (Direction::SendOnly, _) | (Direction::SendRecv, true) => Direction::RecvOnly,
        (Direction::Inactive, _) | (Direction::RecvOnly, true) => Direction::Inactive,
    }
}

fn text(body: &[u8]) -> Result<Cow<'_, str>, SdpError> {
    if body.len() > MAX_DESCRIPTION { Err(SdpError::TooLarge) } else { Ok(String::from_utf8_lossy(body)) }
}

fn head(ip: IpAddr, id: u64, version: u64) -> String {
    let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
    let mut text = String::with_capacity(320);
    let _ =
        write!(text, "v=0\r\no=- {id} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n");
    text
}

struct Audio<'a> {
    port: u16,
    protocol: &'a str,
    codecs: &'a [(u8, Codec)],
}

/// Writes the audio section. RFC 3551 needs no rtpmap for G.711 and G.722, but many peers require one.
fn push_audio(text: &mut String, audio: &Audio<'_>, telephone_event: Option<u8>, direction: Direction) {
    let _ = write!(text, "m=audio {} {}", audio.port, audio.protocol);
    for number in audio.codecs.iter().map(|(number, _)| *number).chain(telephone_event) {
        let _ = write!(text, " {number}");
    }
    text.push_str("\r\n");
    for (number, codec) in audio.codecs {
        let _ = write!(text, "a=rtpmap:{number} {}/8000\r\n", codec.encoding());
    }
    if let Some(number) = telephone_event {
        let _ = write!(text, "a=rtpmap:{number} telephone-event/8000\r\na=fmtp:{number} 0-16\r\n");
    }
    text.push_str("a=ptime:20\r\n");
    text.push_str(match direction {
        Direction::SendRecv => "a=sendrecv\r\n",
        Direction::SendOnly => "a=sendonly\r\n",
        Direction::RecvOnly => "a=recvonly\r\n",
        Direction::Inactive => "a=inactive\r\n",
    });
}
