//! Content sniffing (file type by its first bytes) and repair of WAV headers. Decodes nothing.

use super::Refusal;

/// A supported file type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Wav,
    Mp3,
}

const CONVERT: &str = "convert it to WAV or MP3";

/// Magic numbers of unsupported formats: (offset, first bytes, description).
const KNOWN: &[(usize, &[u8], &str)] = &[
    (0, b"fLaC", "is FLAC audio"),
    (0, b"OggS", "is Ogg audio (Vorbis or Opus)"),
    (4, b"ftyp", "is MP4/M4A audio"),
    (0, b"#!AMR", "is AMR audio"),
    (0, b"FORM", "is AIFF audio"),
    (0, b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", "is WMA audio"),
    (0, b"\x1A\x45\xDF\xA3", "is Matroska or WebM"),
    (0, b"caff", "is CAF audio"),
    (0, b".snd", "is AU audio"),
    (0, b"MThd", "is a MIDI file"),
    (0, b"RIFX", "is big-endian WAV"),
    (0, b"RF64", "is RF64 WAV"),
    (0, b"\x7FELF", "is a program (ELF), not audio"),
    (0, b"MZ", "is a Windows program, not audio"),
    (0, b"%PDF", "is a PDF document, not audio"),
    (0, b"PK\x03\x04", "is a ZIP archive or an Office file, not audio"),
    (0, b"Rar!", "is a RAR archive, not audio"),
    (0, b"\x1F\x8B", "is a gzip archive, not audio"),
    (0, b"\x89PNG", "is a PNG picture, not audio"),
    (0, b"\xFF\xD8\xFF", "is a JPEG picture, not audio"),
    (0, b"GIF8", "is a GIF picture, not audio"),
    (0, b"\xD0\xCF\x11\xE0", "is an old Office document, not audio"),
    (0, b"{\\rtf", "is an RTF document, not audio"),
];

/// Determines the file type, or refuses it by name.
pub fn file_kind(bytes: &[u8]) -> Result<Kind, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::new("is empty (0 bytes)", "upload it again"));
    }
    if bytes.starts_with(b"RIFF") {
        return riff(bytes);
    }
    for (offset, magic, what) in KNOWN {
        if bytes.get(*offset..).is_some_and(|rest| rest.starts_with(magic)) {
            return Err(Refusal::new(*what, CONVERT));
        }
    }
    if looks_like_html(bytes) {
        return Err(Refusal::new(
            "is a web page (HTML), not audio",
            "the download went wrong: fetch the file itself",
        ));
    }
    if bytes.starts_with(b"ID3") || finds_mp3_frame(bytes) {
        return Ok(Kind::Mp3);
    }
    if bytes.len() < 64 {
        return Err(Refusal::new(format!("has only {} bytes and no audio", bytes.len()), "upload it again"));
    }
    let text = bytes[..bytes.len().min(512)].iter().all(|&byte| byte >= 0x20 || b"\r\n\t".contains(&byte));
    let what = if text { "is text, not audio" } else { "is neither WAV nor MP3" };
    Err(Refusal::new(what, CONVERT))
}

fn riff(bytes: &[u8]) -> Result<Kind, Refusal> {
    match bytes.get(8..12) {
        Some(b"WAVE") => Ok(Kind::Wav),
        Some(b"AVI ") => Err(Refusal::new("is an AVI video", CONVERT)),
        Some(_) => Err(Refusal::new("is a RIFF file without WAVE audio", CONVERT)),
        None => Err(damaged("is a WAV file that ends in its header")),
    }
}

fn damaged(found: impl Into<String>) -> Refusal {
    Refusal::new(found, "its header is damaged: upload it again, or export it anew")
}

/// Rewrites the header of a WAV file from the trustworthy parts of the old one, so that decoders meet no
/// surprise. Recorders that were cut off, and tools that write to a pipe, leave sizes of 0 or beyond the
/// end of the file although the audio is there. An incomplete last frame is cut.
pub fn repair_header(bytes: &mut Vec<u8>) -> Result<(), Refusal> {
    let format = chunks(bytes).find(|chunk| &chunk.id == b"fmt ");
    let format = format.ok_or_else(|| damaged("is a WAV file that ends before its format is told"))?;
    let format = Format::read(bytes.get(format.at..).unwrap_or_default())?;
    let data = chunks(bytes).find(|chunk| &chunk.id == b"data");
    let data = data.ok_or_else(|| damaged("is a WAV file without audio data"))?;
    let there = bytes.len() - data.at;
    let claimed = data.size as usize;
    let size = if claimed == 0 || claimed > there { there } else { claimed };
    let size = size - size % usize::from(format.block());
    if size == 0 {
        return Err(Refusal::new("holds no sound (0 seconds)", "upload it again, or export it anew"));
    }
    bytes.truncate(data.at + size);
    bytes.splice(..data.at, format.header(size as u32));
    Ok(())
}

/// The fields of a `fmt ` chunk that matter.
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
        let bits = claimed_bits.max(stored.saturating_mul(8).min(64)).next_multiple_of(8);
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

fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk> {
    let mut next = 12;
    std::iter::from_fn(move || {
        let header: [u8; 8] = bytes.get(next..)?.first_chunk().copied()?;
        let [a, b, c, d, size @ ..] = header;
        let size = u32::from_le_bytes(size);
        let at = next + 8;
        next = at.saturating_add(size as usize).saturating_add(size as usize & 1);
        Some(Chunk { id: [a, b, c, d], size, at })
    })
}

fn looks_like_html(bytes: &[u8]) -> bool {
    let start: Vec<u8> = bytes[..bytes.len().min(256)]
        .iter()
        .skip_while(|byte| byte.is_ascii_whitespace() || [0xEF, 0xBB, 0xBF].contains(*byte))
        .map(u8::to_ascii_lowercase)
        .collect();
    [b"<!doctype html".as_slice(), b"<html", b"<?xml", b"<head", b"<script"]
        .iter()
        .any(|tag| start.starts_with(tag))
}

/// True for two MPEG layer 3 headers at the right distance within the first 64 KB, so that noise and text
/// with a stray 0xFF are not mistaken for MP3; or for a file of one frame with its header at the start.
fn finds_mp3_frame(bytes: &[u8]) -> bool {
    let searched = &bytes[..bytes.len().min(65_536)];
    if frame_length(searched).is_some_and(|length| length >= searched.len()) {
        return true;
    }
    (0..searched.len().saturating_sub(4)).any(|at| {
        frame_length(&searched[at..])
            .and_then(|length| bytes.get(at + length..))
            .and_then(frame_length)
            .is_some()
    })
}

/// Length in bytes of the layer 3 frame that begins here.
fn frame_length(bytes: &[u8]) -> Option<usize> {
    const KBITS_V1: [usize; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const KBITS_V2: [usize; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let [sync, b, c, _] = *bytes.first_chunk()?;
    if sync != 0xFF || b & 0xE6 != 0xE2 {
        return None;
    }
    let (rates, kbits, samples) = match b >> 3 & 3 {
        3 => ([44_100, 48_000, 32_000], KBITS_V1, 144_000),
        2 => ([22_050, 24_000, 16_000], KBITS_V2, 72_000),
        0 => ([11_025, 12_000, 8_000], KBITS_V2, 72_000),
        _ => return None,
    };
    let kbit = kbits.get((c >> 4).checked_sub(1)? as usize)?;
    let rate = rates.get((c >> 2 & 3) as usize)?;
    Some(samples * kbit / rate + usize::from(c >> 1 & 1))
}
