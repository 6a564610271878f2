//! Splits an MP3 file into its frames. Files joined from clips (`cat`, text-to-speech services) hold several streams
//! with rates, channel counts and headers of their own; each becomes a [`Clip`]. Tags are skipped whatever their
//! size. Decodes nothing.

use super::Refusal;
use std::ops::Range;

/// Bytes that belong to no frame and no tag, in seconds of sound, from which a file is refused.
const STRAY_SECS: f64 = 0.5;
/// Their least share of the file.
const STRAY_SHARE: f64 = 0.05;

/// Frames of one rate and channel count that follow each other.
#[derive(Debug)]
pub struct Clip {
    pub rate: u32,
    pub channels: u16,
    /// Samples of one frame and channel.
    pub frame_samples: usize,
    /// Places of the frames, headers included.
    pub frames: Vec<Range<usize>>,
    /// Samples that the encoder put before and behind the sound.
    pub trim_start: usize,
    pub trim_end: usize,
    /// Frames by the Xing or Info header.
    pub claimed_frames: Option<u32>,
}

/// One frame header (ISO 11172-3, 13818-3 and the extension to 2.5).
#[derive(Clone, Copy, Debug)]
pub struct FrameHeader {
    pub length: usize,
    pub rate: u32,
    pub channels: u16,
    pub samples: usize,
    /// Bytes of side information after the header.
    side_info: usize,
}

impl FrameHeader {
    /// The layer 3 frame that begins here.
    pub fn read(bytes: &[u8]) -> Option<FrameHeader> {
        const KBITS_V1: [usize; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
        const KBITS_V2: [usize; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
        let [sync, b, c, d] = *bytes.first_chunk()?;
        if sync != 0xFF || b & 0xE6 != 0xE2 {
            return None;
        }
        let (rates, kbits, samples) = match b >> 3 & 3 {
            3 => ([44_100, 48_000, 32_000], KBITS_V1, 1_152),
            2 => ([22_050, 24_000, 16_000], KBITS_V2, 576),
            0 => ([11_025, 12_000, 8_000], KBITS_V2, 576),
            _ => return None,
        };
        let kbit = kbits.get((c >> 4).checked_sub(1)? as usize)?;
        let rate: u32 = *rates.get((c >> 2 & 3) as usize)?;
        let channels = if d >> 6 == 3 { 1 } else { 2 };
        let side_info = match (samples, channels) {
            (1_152, 2) => 32,
            (1_152, _) | (_, 2) => 17,
            _ => 9,
        };
        let length = samples * 125 * kbit / rate as usize + usize::from(c >> 1 & 1);
        Some(FrameHeader { length, rate, channels, samples, side_info })
    }

    fn is_like(&self, other: &FrameHeader) -> bool {
        (self.rate, self.channels, self.samples) == (other.rate, other.channels, other.samples)
    }
}

/// All clips of the file in their order.
pub fn clips(bytes: &[u8]) -> Result<Vec<Clip>, Refusal> {
    let mut clips: Vec<Clip> = Vec::new();
    let (mut at, mut stray) = (0, 0);
    let mut in_step = false;
    while at < bytes.len() {
        if let Some(tag) = tag_length(&bytes[at..]) {
            at = at.saturating_add(tag);
            in_step = false;
            continue;
        }
        let found = FrameHeader::read(&bytes[at..]).filter(|header| {
            let continues = clips.last().is_some_and(|clip| clip.matches(header));
            // A header where none is due must be confirmed by the one that follows it.
            in_step && continues || is_followed(bytes, at, header)
        });
        let Some(header) = found else {
            in_step = false;
            stray += usize::from(bytes[at] != 0);
            at += 1;
            continue;
        };
        in_step = true;
        let frame = at..(at + header.length).min(bytes.len());
        at = frame.end;
        if frame.len() < header.length {
            // The file was cut off within its last frame.
            break;
        }
        let info = Info::read(&bytes[frame.clone()], &header);
        match clips.last_mut().filter(|clip| clip.matches(&header) && info.is_none() && !clip.is_complete()) {
            Some(clip) => clip.frames.push(frame),
            None => clips.push(Clip::new(&header, info, frame)),
        }
    }
    clips.retain(|clip| !clip.frames.is_empty());
    clips.iter_mut().for_each(Clip::distrust_wrong_header);
    let sound: f64 = clips.iter().map(Clip::secs).sum();
    let size = clips.iter().flat_map(|clip| &clip.frames).map(Range::len).sum::<usize>().max(1);
    let stray_secs = stray as f64 * sound / size as f64;
    if stray_secs > STRAY_SECS && stray as f64 > STRAY_SHARE * bytes.len() as f64 {
        return Err(Refusal::new(
            format!(
                "holds {sound:.1} seconds of MP3 and {stray} bytes that are none (about {stray_secs:.1} seconds)"
            ),
            "it is damaged, or was joined with a file of another kind: export it again",
        ));
    }
    Ok(clips)
}

/// Whether another frame, a tag or the end of the file follows this frame.
fn is_followed(bytes: &[u8], at: usize, header: &FrameHeader) -> bool {
    let Some(rest) = bytes.get(at + header.length..) else { return at == 0 };
    rest.is_empty() || tag_length(rest).is_some() || FrameHeader::read(rest).is_some()
}

/// Length of the tag that begins here: ID3v2 (with its pictures), ID3v1, APE, Lyrics3.
fn tag_length(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'I', b'D', b'3', major, _, flags, a, b, c, d, ..]
            if *major < 0xFF && [a, b, c, d].iter().all(|byte| **byte < 0x80) =>
        {
            let size = [a, b, c, d].iter().fold(0, |size, byte| size << 7 | usize::from(**byte));
            Some(size + if flags & 0x10 != 0 { 20 } else { 10 })
        }
        [b'T', b'A', b'G', b'+', ..] if bytes.len() >= 227 => Some(227),
        [b'T', b'A', b'G', ..] if bytes.len() >= 128 => Some(128),
        [
            b'A',
            b'P',
            b'E',
            b'T',
            b'A',
            b'G',
            b'E',
            b'X',
            _,
            _,
            _,
            _,
            a,
            b,
            c,
            d,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            flags,
            ..,
        ] => {
            let size = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            // With the header flag this is the header, whose size does not count itself.
            Some(if flags & 0x20 != 0 { size.saturating_add(32) } else { 32 })
        }
        _ if bytes.starts_with(b"LYRICSBEGIN") => {
            let end =
                bytes.windows(9).take(8_192).position(|nine| nine == b"LYRICS200" || nine == b"LYRICSEND")?;
            Some(end + 9)
        }
        _ => None,
    }
}

/// What a Xing, Info or VBRI header says. Its frame holds no sound.
struct Info {
    frames: Option<u32>,
    trim: Option<(usize, usize)>,
}

impl Info {
    fn read(frame: &[u8], header: &FrameHeader) -> Option<Info> {
        let word = |at: usize| Some(u32::from_be_bytes(*frame.get(at..)?.first_chunk()?));
        if frame.get(36..40) == Some(b"VBRI") {
            return Some(Info { frames: word(50), trim: None });
        }
        let tag = 4 + header.side_info;
        if !matches!(frame.get(tag..tag + 4), Some(b"Xing" | b"Info")) {
            return None;
        }
        let flags = word(tag + 4).unwrap_or(0);
        let frames = word(tag + 8).filter(|_| flags & 1 != 0);
        let extension = tag
            + 8
            + [(1, 4), (2, 4), (4, 100), (8, 4)]
                .iter()
                .filter(|(flag, _)| flags & flag != 0)
                .map(|(_, size)| size)
                .sum::<usize>();
        let encoder = frame.get(extension..extension + 4);
        let trim =
            matches!(encoder, Some(b"LAME" | b"Lavf" | b"Lavc")).then(|| word(extension + 21)).flatten();
        // Twelve bits each; the decoder adds 529 samples of its own.
        let trim = trim
            .map(|trim| ((trim >> 20) as usize + 529, ((trim >> 8 & 0xFFF) as usize).saturating_sub(529)));
        Some(Info { frames, trim })
    }
}

impl Clip {
    fn new(header: &FrameHeader, info: Option<Info>, frame: Range<usize>) -> Clip {
        let frames = if info.is_some() { Vec::new() } else { vec![frame] };
        let (trim_start, trim_end) = info.as_ref().and_then(|info| info.trim).unwrap_or((0, 0));
        Clip {
            rate: header.rate,
            channels: header.channels,
            frame_samples: header.samples,
            frames,
            trim_start,
            trim_end,
            claimed_frames: info.and_then(|info| info.frames).filter(|frames| *frames > 0),
        }
    }

    /// All frames that its header counts have come: the next one begins a clip that has no header.
    fn is_complete(&self) -> bool {
        self.claimed_frames == Some(self.frames.len() as u32)
    }

    fn matches(&self, header: &FrameHeader) -> bool {
        let own = FrameHeader {
            length: 0,
            rate: self.rate,
            channels: self.channels,
            samples: self.frame_samples,
            side_info: 0,
        };
        own.is_like(header)
    }

    /// The padding at the end is known only if the header counts the frames that are there.
    fn distrust_wrong_header(&mut self) {
        if !self.is_complete() {
            self.trim_end = 0;
        }
        let samples = self.frames.len() * self.frame_samples;
        self.trim_start = self.trim_start.min(samples);
        self.trim_end = self.trim_end.min(samples - self.trim_start);
    }

    /// Seconds of sound in its frames.
    pub fn secs(&self) -> f64 {
        let samples = self.frames.len() * self.frame_samples - self.trim_start - self.trim_end;
        samples as f64 / f64::from(self.rate)
    }

    /// Seconds by the Xing or Info header where it counts more frames than there are.
    pub fn claimed_secs(&self) -> f64 {
        let missing =
            self.claimed_frames.map_or(0, |claimed| (claimed as usize).saturating_sub(self.frames.len()));
        self.secs() + (missing * self.frame_samples) as f64 / f64::from(self.rate)
    }
}
