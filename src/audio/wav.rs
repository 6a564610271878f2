//! Reads the chunks of a WAV file into parts that a decoder can take without surprise. Recorders that were cut off,
//! tools that write to a pipe, and files joined end to end leave sizes of 0, beyond the end, or of the first piece
//! only, although the audio is there. A file whose meaning stays unclear is refused with the seconds found and claimed.

use super::sniff::damaged;
use super::{MAX_FILE_BYTES, Refusal};
use std::ops::Range;

/// Audio beyond the last chunk, in seconds, from which a file is refused.
const STRAY_SECS: f64 = 0.25;
/// Sizes from here on are what tools write that do not know the size.
const UNKNOWN_SIZE: u64 = 0x7FFF_0000;

/// Audio of one format.
#[derive(Debug)]
pub struct Part {
    format: Format,
    pieces: Vec<Piece>,
    /// Bytes of audio that the header claims and the file does not hold.
    missing: u64,
}

#[derive(Debug)]
enum Piece {
    Bytes(Range<usize>),
    /// Bytes of silence, from a `slnt` chunk.
    Silence(usize),
}

/// The parts of the file in their order; an incomplete last sample of each piece is cut.
pub fn parts(bytes: &[u8]) -> Result<Vec<Part>, Refusal> {
    let mut parts: Vec<Part> = Vec::new();
    let (mut format, mut wide_size) = (None, None);
    let mut has_data = false;
    let mut chunks = Chunks { bytes, next: 0 };
    while let Some(chunk) = chunks.next() {
        let content = bytes.get(chunk.at..).unwrap_or_default();
        match &chunk.id {
            b"fmt " => format = Some(Format::read(content)?),
            // ds64: the 64-bit sizes of an RF64 file, the RIFF's first.
            b"ds64" => {
                wide_size =
                    content.get(8..).and_then(|size| size.first_chunk()).copied().map(u64::from_le_bytes)
            }
            b"slnt" => {
                let samples = content.first_chunk().copied().map_or(0, u32::from_le_bytes);
                if let Some(format) = format {
                    Part::of(&mut parts, format).add_silence(samples)?;
                }
            }
            b"data" => {
                has_data = true;
                let Some(format) = format.or_else(|| first_format(bytes)) else {
                    return Err(damaged("is a WAV file that ends before its format is told"));
                };
                let claimed = match chunk.size {
                    u32::MAX => wide_size.unwrap_or(u64::MAX),
                    size => u64::from(size),
                };
                let end = chunks.take_data(&chunk, claimed);
                Part::of(&mut parts, format).add(chunk.at..end, claimed);
            }
            _ => {}
        }
    }
    if format.is_none() {
        return Err(damaged("is a WAV file that ends before its format is told"));
    }
    if !has_data {
        return Err(damaged("is a WAV file without audio data"));
    }
    parts.retain(|part| part.size() > 0);
    let Some(last) = parts.last() else {
        return Err(Refusal::new("holds no sound (0 seconds)", "upload it again, or export it anew"));
    };
    let stray = bytes.get(chunks.next..).unwrap_or_default();
    let is_tag = [&b"ID3"[..], b"TAG", b"APETAGEX"].iter().any(|tag| stray.starts_with(tag));
    let sounding = stray.iter().filter(|byte| **byte != 0).count();
    let stray_secs = stray.len() as f64 / last.format.bytes_per_sec();
    if stray_secs >= STRAY_SECS && !is_tag && sounding * 2 > stray.len() {
        let claimed: f64 = parts.iter().map(Part::secs).sum();
        return Err(Refusal::new(
            format!(
                "holds more audio than its header says (about {:.1} seconds found, {claimed:.1} claimed)",
                claimed + stray_secs
            ),
            "its header is damaged: export it again",
        ));
    }
    Ok(parts)
}

fn first_format(bytes: &[u8]) -> Option<Format> {
    let mut chunks = Chunks { bytes, next: 0 };
    let chunk = std::iter::from_fn(|| chunks.next()).find(|chunk| &chunk.id == b"fmt ")?;
    Format::read(bytes.get(chunk.at..)?).ok()
}

impl Part {
    /// The part that goes on in this format.
    fn of(parts: &mut Vec<Part>, format: Format) -> &mut Part {
        if parts.last().is_none_or(|part| part.format != format) {
            parts.push(Part { format, pieces: Vec::new(), missing: 0 });
        }
        let last = parts.len() - 1;
        &mut parts[last]
    }

    fn add(&mut self, place: Range<usize>, claimed: u64) {
        let length = place.len() - place.len() % usize::from(self.format.block());
        if claimed < UNKNOWN_SIZE {
            self.missing += claimed.saturating_sub(place.len() as u64);
        }
        self.pieces.push(Piece::Bytes(place.start..place.start + length));
    }

    fn add_silence(&mut self, samples: u32) -> Result<(), Refusal> {
        let length = u64::from(samples) * u64::from(self.format.block());
        if length + self.size() as u64 > MAX_FILE_BYTES {
            return Err(Refusal::new("is longer than 10 minutes", "cut it: an announcement is seconds long"));
        }
        self.pieces.push(Piece::Silence(length as usize));
        Ok(())
    }

    fn size(&self) -> usize {
        let length = |piece: &Piece| match piece {
            Piece::Bytes(place) => place.len(),
            Piece::Silence(length) => *length,
        };
        self.pieces.iter().map(length).sum()
    }

    /// Samples a second by the header.
    pub fn rate(&self) -> u32 {
        self.format.rate
    }

    pub fn secs(&self) -> f64 {
        self.size() as f64 / self.format.bytes_per_sec()
    }

    /// Seconds by the header where it claims more than there is.
    pub fn claimed_secs(&self) -> f64 {
        self.secs() + self.missing as f64 / self.format.bytes_per_sec()
    }

    /// The part as a WAV file of one format chunk and one data chunk.
    pub fn file(&self, bytes: &[u8]) -> Vec<u8> {
        let mut file = self.format.header(self.size() as u32);
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(place) => file.extend(bytes.get(place.clone()).unwrap_or_default()),
                Piece::Silence(length) => file.resize(file.len() + length, self.format.silence()),
            }
        }
        file
    }
}

/// The fields of a `fmt ` chunk that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Format {
    tag: u16,
    channels: u16,
    rate: u32,
    /// Bits of one stored sample.
    bits: u16,
}

impl Format {
    const EXTENSIBLE: u16 = 0xFFFE;

    fn read(chunk: &[u8]) -> Result<Format, Refusal> {
        let Some(&[t0, t1, c0, c1, r0, r1, r2, r3, _, _, _, _, k0, k1, b0, b1]) = chunk.first_chunk() else {
            return Err(damaged("is a WAV file that ends in its header"));
        };
        let mut tag = u16::from_le_bytes([t0, t1]);
        if tag == Format::EXTENSIBLE {
            // The real format tag is at the start of the sub-format GUID.
            let Some(&[s0, s1]) = chunk.get(24..26) else {
                return Err(damaged("is a WAV file that ends in its header"));
            };
            tag = u16::from_le_bytes([s0, s1]);
        }
        let channels = u16::from_le_bytes([c0, c1]);
        let rate = u32::from_le_bytes([r0, r1, r2, r3]);
        let claimed_bits = u16::from_le_bytes([b0, b1]);
        // 12 or 20 bits are stored in 16 or 24; the block size shows which.
        let stored = u16::from_le_bytes([k0, k1]).checked_div(channels).unwrap_or(0);
        let bits =
            claimed_bits.max(stored.saturating_mul(8).min(64)).checked_next_multiple_of(8).unwrap_or(0);
        let coding = match tag {
            0x0001 | 0x0003 | 0x0006 | 0x0007 => None,
            0x0002 | 0x0011 => Some("ADPCM"),
            0x0031 => Some("GSM 6.10"),
            0x0050 => Some("MPEG layer 1 or 2"),
            0x0055 => Some("MP3 inside WAV"),
            0x0161 | 0x0162 => Some("WMA"),
            _ => Some("an unknown coding"),
        };
        if let Some(coding) = coding {
            return Err(Refusal::new(format!("is WAV in {coding}"), "convert it to WAV (PCM 16 bit) or MP3"));
        }
        let possible = match tag {
            0x0001 => matches!(bits, 8 | 16 | 24 | 32),
            0x0003 => matches!(bits, 32 | 64),
            _ => bits == 8,
        };
        if !possible || !(1..=8).contains(&channels) {
            return Err(damaged(format!("claims {channels} channels of {claimed_bits} bits")));
        }
        Ok(Format { tag, channels, rate, bits })
    }

    fn bytes_per_sec(&self) -> f64 {
        f64::from(self.rate.max(1)) * f64::from(self.block())
    }

    fn silence(&self) -> u8 {
        match (self.tag, self.bits) {
            (0x0001, 8) => 0x80,
            (0x0006, _) => 0xD5,
            (0x0007, _) => 0xFF,
            _ => 0,
        }
    }

    /// Bytes of one sample of all channels.
    fn block(&self) -> u16 {
        self.channels * (self.bits / 8)
    }

    /// The whole header up to the samples.
    fn header(&self, data_size: u32) -> Vec<u8> {
        // Only PCM has no extension size.
        let format_size: u32 = if self.tag == 1 { 16 } else { 18 };
        let bytes_per_sec = self.rate.saturating_mul(u32::from(self.block()));
        let mut header = b"RIFF".to_vec();
        header.extend((20 + format_size + data_size).to_le_bytes());
        header.extend(b"WAVEfmt ");
        header.extend(format_size.to_le_bytes());
        header.extend(self.tag.to_le_bytes());
        header.extend(self.channels.to_le_bytes());
        header.extend(self.rate.to_le_bytes());
        header.extend(bytes_per_sec.to_le_bytes());
        header.extend(self.block().to_le_bytes());
        header.extend(self.bits.to_le_bytes());
        header.resize(20 + format_size as usize, 0);
        header.extend(b"data");
        header.extend(data_size.to_le_bytes());
        header
    }
}

struct Chunk {
    id: [u8; 4],
    /// Size claimed by the file.
    size: u32,
    /// Offset of its content.
    at: usize,
}

/// The chunks of the file, also of files behind the first one and of `LIST wavl`.
struct Chunks<'a> {
    bytes: &'a [u8],
    /// Where the next chunk begins; after the last one, what follows belongs to none.
    next: usize,
}

impl Chunks<'_> {
    fn next(&mut self) -> Option<Chunk> {
        loop {
            let [a, b, c, d, size @ ..]: [u8; 8] = self.bytes.get(self.next..)?.first_chunk().copied()?;
            let (id, size, at) = ([a, b, c, d], u32::from_le_bytes(size), self.next + 8);
            let kind = self.bytes.get(at..at + 4);
            let is_file = matches!(&id, b"RIFF" | b"RF64" | b"BW64") && kind == Some(b"WAVE");
            if is_file || &id == b"LIST" && kind == Some(b"wavl") {
                self.next = at + 4;
                continue;
            }
            let end = at.saturating_add(size as usize);
            let is_audio = matches!(&id, b"data" | b"fmt ");
            if !is_audio && (end > self.bytes.len() || !id.iter().all(|byte| (0x20..0x7F).contains(byte))) {
                return None;
            }
            self.skip_to(end, size);
            return Some(Chunk { id, size, at });
        }
    }

    /// Chunks begin at even offsets; some tools leave out the byte before.
    fn skip_to(&mut self, end: usize, size: u32) {
        const KNOWN: [&[u8]; 8] = [b"data", b"fmt ", b"LIST", b"RIFF", b"fact", b"slnt", b"id3 ", b"cue "];
        let unpadded = self.bytes.get(end..).is_some_and(|rest| KNOWN.iter().any(|id| rest.starts_with(id)));
        self.next = end.saturating_add(usize::from(size % 2 == 1 && !unpadded)).min(self.bytes.len());
    }

    /// The end of the audio in this `data` chunk.
    fn take_data(&mut self, chunk: &Chunk, claimed: u64) -> usize {
        let there = (self.bytes.len() - chunk.at) as u64;
        let content = &self.bytes[chunk.at..];
        let is_empty =
            claimed == 0 && [&b"data"[..], b"LIST", b"RIFF"].iter().any(|id| content.starts_with(id));
        let end = if is_empty {
            chunk.at
        } else if claimed == 0 || claimed > there {
            // The size was not known when the header was written. Another file may follow.
            let next = content.windows(16).position(|head| {
                (head.starts_with(b"RIFF") || head.starts_with(b"RF64")) && head[8..].starts_with(b"WAVE")
            });
            next.map_or(self.bytes.len(), |next| chunk.at + next)
        } else {
            chunk.at + claimed as usize
        };
        self.skip_to(end, (end - chunk.at) as u32);
        end
    }
}
