//! Content sniffing: the file type by its first bytes. Decodes nothing.

use super::Refusal;
use super::mp3::FrameHeader;

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
    // RF64 and BW64 are WAV with 64-bit sizes.
    if [b"RIFF", b"RF64", b"BW64"].iter().any(|magic| bytes.starts_with(*magic)) {
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

pub(super) fn damaged(found: impl Into<String>) -> Refusal {
    Refusal::new(found, "its header is damaged: upload it again, or export it anew")
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

fn frame_length(bytes: &[u8]) -> Option<usize> {
    FrameHeader::read(bytes).map(|header| header.length)
}
