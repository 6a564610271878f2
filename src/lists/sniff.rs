//! Detects a file's kind, text encoding and separator from its bytes.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

/// The kind of a file, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// A ZIP archive, which is also what an `.xlsx` is.
    Zip,
    /// No list; the text describes the file.
    Foreign(&'static str),
}

/// The encoding of a text and the length of its byte order mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    pub encoding: &'static Encoding,
    pub bom: usize,
}

pub fn detect_kind(head: &[u8]) -> Kind {
    const SIGNS: &[(&[u8], &str)] = &[
        (b"\xD0\xCF\x11\xE0", "an old Excel file (.xls): save it as .xlsx or CSV"),
        (b"%PDF", "a PDF file: export the list as .xlsx or CSV"),
        (b"\x1F\x8B", "a gzip archive: unpack it first"),
        (b"Rar!", "a RAR archive: unpack it first"),
        (b"7z\xBC\xAF", "a 7-Zip archive: unpack it first"),
        (b"\x89PNG", "a picture"),
        (b"\xFF\xD8\xFF", "a picture"),
        (b"GIF8", "a picture"),
        (b"RIFF", "a sound or video file"),
        (b"ID3", "a sound file"),
        (b"\x7FELF", "a program"),
        (b"{\\rtf", "a Word document: save it as .xlsx or CSV"),
        (b"SQLite format 3", "a database"),
        (b"PAR1", "a Parquet file: export the list as .xlsx or CSV"),
    ];
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Kind::Zip;
    }
    if let Some((_, what)) = SIGNS.iter().find(|(sign, _)| head.starts_with(sign)) {
        return Kind::Foreign(what);
    }
    let start: Vec<u8> = head.iter().copied().skip_while(u8::is_ascii_whitespace).take(64).collect();
    let start = start.to_ascii_lowercase();
    if [b"<!doctype".as_slice(), b"<html", b"<table", b"<?xml", b"<meta"]
        .iter()
        .any(|tag| start.starts_with(tag))
    {
        return Kind::Foreign(
            "a web page or XML file under another name: open it in a spreadsheet and save it as .xlsx",
        );
    }
    match looks_binary(head) {
        true => Kind::Foreign("a binary file"),
        false => Kind::Text,
    }
}

/// Text has no NUL and hardly a control character, unless it is UTF-16.
fn looks_binary(head: &[u8]) -> bool {
    if utf16(head).is_some() {
        return false;
    }
    let nul = head.iter().filter(|b| **b == 0).count();
    let control = head.iter().filter(|b| matches!(**b, 1..=8 | 14..=26 | 28..=31 | 127)).count();
    nul * 200 > head.len() || control * 20 > head.len()
}

/// Detects UTF-16 by its byte order mark, or by NUL in every second byte of digits, separators and line ends.
fn utf16(head: &[u8]) -> Option<Text> {
    match head {
        [0xFF, 0xFE, ..] => return Some(Text { encoding: UTF_16LE, bom: 2 }),
        [0xFE, 0xFF, ..] => return Some(Text { encoding: UTF_16BE, bom: 2 }),
        _ => {}
    }
    let pairs = head.len() / 2;
    if pairs < 4 {
        return None;
    }
    let count = |offset: usize| {
        head.chunks_exact(2)
            .filter(|pair| pair[offset] == 0 && matches!(pair[1 - offset], 9 | 10 | 13 | 32..=126))
            .count()
    };
    let (le, be) = (count(1), count(0));
    if le * 3 > pairs && be * 50 < pairs {
        Some(Text { encoding: UTF_16LE, bom: 0 })
    } else if be * 3 > pairs && le * 50 < pairs {
        Some(Text { encoding: UTF_16BE, bom: 0 })
    } else {
        None
    }
}

/// The encoding by byte order mark or UTF-16 pattern; `None` if only the letters can decide.
pub fn encoding_by_mark(head: &[u8]) -> Option<Text> {
    match head {
        [0xEF, 0xBB, 0xBF, ..] => Some(Text { encoding: UTF_8, bom: 3 }),
        _ => utf16(head),
    }
}

/// Guesses the encoding of text with bytes above 127: UTF-8 if it decodes as UTF-8 but for a few broken
/// bytes; else GB18030 (a superset of GBK) if it decodes without a fault; else the detector's guess. `piece`
/// may end in the middle of a character.
pub fn guess_encoding(piece: &[u8]) -> &'static Encoding {
    let (good, bad) = utf8_score(piece);
    if bad == 0 || good > bad * 10 {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(piece, true);
    let guessed = detector.guess(Some(b"cn"), Utf8Detection::Deny);
    // A short list has too few letters for statistics, so known header words decide first.
    if has_header_word(GB18030, piece) {
        return GB18030;
    }
    if has_header_word(BIG5, piece) {
        return BIG5;
    }
    let whole = &piece[..piece.iter().rposition(|b| *b == b'\n').map_or(piece.len(), |at| at + 1)];
    let (_, faults) = GB18030.decode_without_bom_handling(whole);
    match faults && guessed != encoding_rs::GBK {
        true => guessed,
        false => GB18030,
    }
}

fn has_header_word(encoding: &'static Encoding, piece: &[u8]) -> bool {
    let first = piece.iter().position(|b| *b == b'\n').unwrap_or(piece.len()).min(4096);
    let (text, _) = encoding.decode_without_bom_handling(&piece[..first]);
    ["手机", "电话", "姓名", "房号", "号码", "业主", "客户", "手機", "電話", "號碼"]
        .iter()
        .any(|word| text.contains(word))
}

/// Counts non-ASCII characters that are valid UTF-8, and broken places. A character cut off at the end is not
/// broken.
fn utf8_score(mut piece: &[u8]) -> (usize, usize) {
    let (mut good, mut bad) = (0, 0);
    let beyond = |text: &[u8]| text.iter().filter(|b| **b >= 0xC0).count();
    loop {
        match std::str::from_utf8(piece) {
            Ok(text) => return (good + beyond(text.as_bytes()), bad),
            Err(error) => {
                good += beyond(&piece[..error.valid_up_to()]);
                let Some(len) = error.error_len() else { return (good, bad) };
                bad += 1;
                piece = &piece[error.valid_up_to() + len..];
            }
        }
    }
}

/// Possible separators, the likeliest first.
pub const SEPARATORS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// The separator that splits the most lines into the same number of cells, more than one. A list of bare
/// numbers has none and reads the same with a comma. `sep=;` in the first line (Excel) decides.
pub fn detect_separator(text: &[u8]) -> u8 {
    if let Some([wanted, ..]) = excel_separator(text)
        && SEPARATORS.contains(wanted)
    {
        return *wanted;
    }
    let lines: Vec<&[u8]> = text.split(|b| *b == b'\n').filter(|line| line.len() > 1).take(200).collect();
    let mut best = (0, 0, b',');
    for separator in SEPARATORS {
        let counts: Vec<usize> = lines.iter().map(|line| outside_quotes(line, separator)).collect();
        let Some(usual) = most_common(counts.iter().copied().filter(|n| *n > 0)) else { continue };
        let agree = counts.iter().filter(|n| **n == usual).count();
        if (agree, usual) > (best.0, best.1) {
            best = (agree, usual, separator);
        }
    }
    best.2
}

/// The text after `sep=` in the first line.
pub fn excel_separator(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"sep=").or_else(|| text.strip_prefix(b"\"sep="))?;
    Some(&rest[..rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len())])
}

fn outside_quotes(line: &[u8], separator: u8) -> usize {
    let mut quoted = false;
    line.iter()
        .filter(|b| {
            quoted ^= **b == b'"';
            **b == separator && !quoted
        })
        .count()
}

fn most_common(counts: impl Iterator<Item = usize>) -> Option<usize> {
    let mut tally = std::collections::BTreeMap::new();
    for count in counts {
        *tally.entry(count).or_insert(0) += 1;
    }
    tally.into_iter().max_by_key(|(count, times)| (*times, *count)).map(|(count, _)| count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "姓名,手机号码,房号\n王芳,15412345678,1-101\n李强,15412345679,1-102\n";

    #[test]
    fn encodings_are_found_by_mark_or_by_content() {
        let utf16 = |bytes: fn(u16) -> [u8; 2]| LIST.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        assert_eq!(encoding_by_mark(&utf16(u16::to_le_bytes)), Some(Text { encoding: UTF_16LE, bom: 0 }));
        assert_eq!(encoding_by_mark(&utf16(u16::to_be_bytes)), Some(Text { encoding: UTF_16BE, bom: 0 }));
        assert_eq!(encoding_by_mark(b"\xFF\xFEa\0"), Some(Text { encoding: UTF_16LE, bom: 2 }));
        assert_eq!(encoding_by_mark("\u{FEFF}a".as_bytes()), Some(Text { encoding: UTF_8, bom: 3 }));
        assert_eq!(encoding_by_mark(LIST.as_bytes()), None);
        assert_eq!(guess_encoding(LIST.as_bytes()), UTF_8);
        assert_eq!(guess_encoding(&GB18030.encode(LIST).0), GB18030);
        assert_eq!(guess_encoding(&BIG5.encode("姓名,電話號碼,地址\n陳大文,15412345678,九龍灣\n").0), BIG5);
    }

    #[test]
    fn one_character_is_enough_to_detect_gbk() {
        for text in ["手机\n15412345678\n", "name,phone\n王,15412345678\n", "张三\t15412345678\n"] {
            assert_eq!(guess_encoding(&GB18030.encode(text).0), GB18030, "{text}");
        }
    }

    #[test]
    fn a_broken_byte_does_not_change_utf8_detection() {
        let mut bytes = LIST.repeat(3).into_bytes();
        bytes.extend_from_slice(b"\xE7\n");
        assert_eq!(guess_encoding(&bytes), UTF_8);
        assert_eq!(guess_encoding(&LIST.as_bytes()[..LIST.len() - 20]), UTF_8);
    }

    #[test]
    fn files_that_are_no_lists_are_refused_by_kind() {
        assert_eq!(detect_kind(b"PK\x03\x04...."), Kind::Zip);
        for bytes in [
            b"\xD0\xCF\x11\xE0\xA1\xB1".as_slice(),
            b"%PDF-1.7",
            b"\x1F\x8B\x08",
            b"  <html><table>",
            &[0; 500],
        ] {
            assert!(matches!(detect_kind(bytes), Kind::Foreign(_)), "{bytes:?}");
        }
        let noise: Vec<u8> = (0..=255).collect();
        assert!(matches!(detect_kind(&noise), Kind::Foreign(_)));
        assert_eq!(detect_kind(LIST.as_bytes()), Kind::Text);
        assert_eq!(detect_kind(&GB18030.encode(LIST).0), Kind::Text);
        assert_eq!(
            detect_kind(&LIST.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()),
            Kind::Text
        );
    }

    #[test]
    fn the_separator_splits_lines_into_equal_cell_counts() {
        for (text, separator) in [
            ("a,b,c\n1,2,3\n", b','),
            ("a\tb\n1,5\t2\n1\t2\n", b'\t'),
            ("a;b\n\"1;2;3\";4\n5,6;7\n", b';'),
            ("a|b|c\n1|2|3\n", b'|'),
            ("phone\n15412345678\n", b','),
            ("name,phone\nx,1;2\ny,3;4\nz,5\n", b','),
            ("sep=;\na,b;c,d\n", b';'),
            ("", b','),
        ] {
            assert_eq!(detect_separator(text.as_bytes()), separator, "{text}");
        }
    }
}
