//! Limits of a workbook from a stranger: what its directory says it unpacks to, and for the parts that are held in memory,
//! what they really unpack to.

use super::ListError;
use super::bounded_xml::{BoundedXml, XmlFault};
use super::wanted::WantedFile;
use quick_xml::events::Event;
use std::io::{self, BufReader, Read};
use std::path::Path;
use zip::ZipArchive;

/// Members of the archive.
const MEMBERS_MAX: usize = 2_000;
/// Unpacked size of all members.
const UNPACKED_MAX: u64 = 2 << 30;
/// Unpacked size of a member as a multiple of its packed size. Small members are not judged by it.
const RATIO_MAX: u64 = 100;
const RATIO_FROM: u64 = 1 << 20;
/// Parts that are held in memory, unpacked: shared strings and the rest beside the sheets.
const STRINGS_MAX: u64 = 128 << 20;

/// Shared strings of a workbook: each costs some 24 bytes beside its letters.
const STRINGS_COUNT_MAX: u64 = 4_000_000;
/// The parts that name the sheets.
const INDEX_MAX: u64 = 8 << 20;
/// Cell styles: a spreadsheet makes at most 65,490.
const STYLES_COUNT_MAX: u64 = 65_536;
/// Cell styles, each with the longest format, in octets.
const STYLES_HELD_MAX: u64 = 32 << 20;
/// Styles are kept by their number, each many times larger than its letters.
const STYLES_MAX: u64 = 16 << 20;

/// Checks a file that begins like a workbook; any other file is fine.
///
/// # Errors
/// The workbook unpacks to more than a list needs, has a member outside the archive, or has an external part.
pub fn check_workbook(path: &Path) -> Result<(), ListError> {
    let failed = |source| ListError::Open { file: path.into(), source };
    let mut head = Vec::new();
    WantedFile::open(path).map_err(failed)?.take(4).read_to_end(&mut head).map_err(failed)?;
    if head != b"PK\x03\x04" {
        return Ok(());
    }
    let refused = |what: String| ListError::Sheet { file: path.into(), row: 0, what };
    let file = WantedFile::open(path).map_err(failed)?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| refused(error.to_string()))?;
    check_members(&mut archive).map_err(refused)?;
    check_strings(path).map_err(refused)?;
    check_parsed(&mut archive).map_err(refused)
}

/// Checks what the shared strings of a workbook say of their number, also where the file is trusted otherwise: its reader
/// makes room for as many, and a process without that room ends.
///
/// # Errors
/// In words, what was found.
pub(super) fn check_strings(path: &Path) -> Result<(), String> {
    let file = WantedFile::open(path).map_err(|error| error.to_string())?;
    // An archive that cannot be read is refused by the reader, in its words.
    let Ok(mut archive) = ZipArchive::new(BufReader::new(file)) else { return Ok(()) };
    for at in 0..archive.len() {
        let Ok(member) = archive.by_index(at) else { continue };
        let name = member.name().map_err(|error| error.to_string())?.into_owned();
        if name.to_ascii_lowercase().ends_with("sharedstrings.xml") {
            let mut strings = StringCount::default();
            // The reader reports damage.
            let _ = io::copy(&mut member.take(UNPACKED_MAX), &mut strings);
            strings.check(&name)?;
        }
    }
    Ok(())
}

fn check_members(archive: &mut ZipArchive<BufReader<WantedFile>>) -> Result<(), String> {
    if archive.len() > MEMBERS_MAX {
        return Err(format!("it has {} members, and a list at most {MEMBERS_MAX}", archive.len()));
    }
    let mut total = 0u64;
    for at in 0..archive.len() {
        let member = archive.by_index_raw(at).map_err(|error| error.to_string())?;
        let name = member.name().map_err(|error| error.to_string())?.into_owned();
        let (packed, unpacked) = (member.compressed_size(), member.size());
        drop(member);
        if name.split(['/', '\\']).any(|part| part == "..") || name.starts_with(['/', '\\']) {
            return Err(format!("its member '{}' leads out of it", shown(&name)));
        }
        total = total.saturating_add(unpacked);
        if total > UNPACKED_MAX {
            return Err(format!("it unpacks to more than {} MB", UNPACKED_MAX >> 20));
        }
        if unpacked > RATIO_FROM && unpacked / packed.max(1) > RATIO_MAX {
            return Err(format!(
                "its member '{}' unpacks to {} times its size, and a list at most to {RATIO_MAX}",
                shown(&name),
                unpacked / packed.max(1)
            ));
        }
        if !is_sheet(&name) {
            check_held(archive, at, &name, unpacked)?;
        }
    }
    Ok(())
}

/// Sheets are read cell by cell, never held; the other parts are.
fn is_sheet(name: &str) -> bool {
    let name = name.replace('\\', "/").to_ascii_lowercase();
    name.starts_with("xl/worksheets/") || name.starts_with("xl/media/")
}

/// Unpacks a part that will be held in memory, without holding it: the directory may lie about its size.
fn check_held(
    archive: &mut ZipArchive<BufReader<WantedFile>>,
    at: usize,
    name: &str,
    claimed: u64,
) -> Result<(), String> {
    let lower = name.to_ascii_lowercase();
    let most = match () {
        () if lower.ends_with("styles.xml") => STYLES_MAX,
        () if is_index(&lower) => INDEX_MAX,
        () => STRINGS_MAX,
    };
    if claimed > most {
        return Err(format!("its member '{}' unpacks to more than {} MB", shown(name), most >> 20));
    }
    // To one byte more than the directory says, so that a lie costs no more than the truth.
    let member = archive.by_index(at).map_err(|error| error.to_string())?;
    // Their number is checked by [`check_strings`], which looks at every workbook.
    let real = io::copy(&mut member.take(claimed + 1), &mut io::sink());
    match real.map_err(|error| format!("its member '{}' is damaged: {error}", shown(name)))? {
        real if real > claimed => {
            Err(format!("its member '{}' is larger than the archive says", shown(name)))
        }
        _ => Ok(()),
    }
}

/// Parts that name the sheets.
fn is_index(lower: &str) -> bool {
    ["workbook.xml", "workbook.xml.rels", "theme1.xml"].iter().any(|name| lower.ends_with(name))
}

/// Reads the parts whose elements the reader keeps, event by event: it keeps each text whole, each style with a copy of
/// its format, and each sheet with its names.
fn check_parsed(archive: &mut ZipArchive<BufReader<WantedFile>>) -> Result<(), String> {
    for at in 0..archive.len() {
        let member = archive.by_index(at).map_err(|error| error.to_string())?;
        let name = member.name().map_err(|error| error.to_string())?.into_owned();
        let lower = name.to_ascii_lowercase();
        let is_styles = lower.ends_with("styles.xml");
        if !is_styles && !is_index(&lower) && !lower.ends_with("sharedstrings.xml") {
            continue;
        }
        let mut events = BoundedXml::new(BufReader::new(member));
        let (mut styles, mut longest) = (0u64, 0u64);
        loop {
            match events.next() {
                Ok(Event::Start(tag)) if is_styles => {
                    styles += u64::from(tag.local_name().as_ref() == "xf");
                    longest = longest.max(tag.len() as u64);
                }
                Ok(Event::Eof) => break,
                Ok(_) => {}
                // The reader reports damage.
                Err(XmlFault::Damaged(_)) => break,
                Err(XmlFault::TooLarge) => {
                    return Err(format!("its member '{}': {}", shown(&name), XmlFault::TooLarge));
                }
            }
        }
        if styles > STYLES_COUNT_MAX || styles.saturating_mul(longest) > STYLES_HELD_MAX {
            return Err(format!(
                "its member '{}' has {styles} styles of up to {longest} octets, more than a spreadsheet makes",
                shown(&name)
            ));
        }
    }
    Ok(())
}

/// Counts the strings of a part while it passes, and reads how many it says it has: its reader makes room for them. Every
/// `uniqueCount` counts, wherever it stands, so that none is hidden behind a comment or another one.
#[derive(Debug, Default)]
struct StringCount {
    counted: u64,
    claimed: u64,
    /// The last three octets, the newest last.
    recent: [u8; 3],
    place: Place,
}

/// Where in `uniqueCount = "12"` the part is.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// So many letters of the name have come.
    Name(usize),
    Equals,
    Quote,
    Digits(u64),
}

impl Default for Place {
    fn default() -> Self {
        Place::Name(0)
    }
}

const COUNT_NAME: &[u8] = b"uniqueCount";

impl StringCount {
    fn take(&mut self, octet: u8) {
        // An element `si`, with or without a prefix.
        let [before, rest @ ..] = self.recent;
        if rest == *b"si"
            && matches!(before, b'<' | b':')
            && matches!(octet, b'>' | b'/' | b' ' | b'\t'..=b'\r')
        {
            self.counted += 1;
        }
        self.recent = [rest[0], rest[1], octet];
        self.place = match (self.place, octet) {
            (Place::Name(n), _) if octet == COUNT_NAME[n] && n + 1 == COUNT_NAME.len() => Place::Equals,
            (Place::Name(n), _) if octet == COUNT_NAME[n] => Place::Name(n + 1),
            (Place::Equals, b'=') => Place::Quote,
            (Place::Quote, b'"' | b'\'') => Place::Digits(0),
            (place @ (Place::Equals | Place::Quote), b' ' | b'\t'..=b'\r') => place,
            (Place::Digits(count), b'0'..=b'9') => {
                let count = count.saturating_mul(10).saturating_add(u64::from(octet - b'0'));
                self.claimed = self.claimed.max(count);
                Place::Digits(count)
            }
            (Place::Digits(0), b'+') => Place::Digits(0),
            _ => Place::Name(usize::from(octet == COUNT_NAME[0])),
        };
    }

    fn check(&self, name: &str) -> Result<(), String> {
        let most = self.counted.max(self.claimed);
        if most > STRINGS_COUNT_MAX {
            return Err(format!(
                "its member '{}' has {most} texts, and a list at most {STRINGS_COUNT_MAX}: save it as CSV",
                shown(name)
            ));
        }
        Ok(())
    }
}

impl io::Write for StringCount {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        bytes.iter().for_each(|octet| self.take(*octet));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn shown(name: &str) -> String {
    name.chars().take(80).collect::<String>().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::write::{SimpleFileOptions, ZipWriter};

    fn workbook(strings: &[u8]) -> tempfile::NamedTempFile {
        workbook_of("xl/sharedStrings.xml", strings)
    }

    fn workbook_of(part: &str, bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut zip = ZipWriter::new(file.reopen().expect("a file"));
        zip.start_file(part, SimpleFileOptions::default()).expect("a member");
        zip.write_all(bytes).expect("a member");
        zip.finish().expect("an archive");
        file
    }

    /// Letters that do not pack, so that no other limit is met.
    fn noise(count: usize) -> String {
        let mut state = 1_u64;
        let mut letter = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + (state >> 33) as u8 % 26)
        };
        (0..count).map(|_| letter()).collect()
    }

    #[test]
    fn parts_whose_elements_are_kept_are_bounded_by_what_is_kept() {
        let styles = |format: usize, count: usize| {
            let format = noise(format);
            let xf = "<xf numFmtId=\"164\"/>".repeat(count);
            format!("<styleSheet><numFmt numFmtId=\"164\" formatCode=\"{format}\"/>{xf}</styleSheet>")
        };
        for (part, xml, is_fine) in [
            ("xl/styles.xml", styles(255, 30_000), true),
            ("xl/styles.xml", styles(10, 70_000), false),
            // Each style would have a copy of the format.
            ("xl/styles.xml", styles(2_000, 40_000), false),
            ("xl/sharedStrings.xml", format!("<sst><si><t>{}</t></si></sst>", noise(900_000)), true),
            ("xl/sharedStrings.xml", format!("<sst><si><t>{}</t></si></sst>", noise(1_200_000)), false),
            ("xl/workbook.xml", format!("<workbook>{}</workbook>", noise(9 << 20)), false),
        ] {
            let file = workbook_of(part, xml.as_bytes());
            let checked = check_workbook(file.path());
            assert_eq!(checked.is_ok(), is_fine, "{part}, {} bytes: {checked:?}", xml.len());
        }
    }

    #[test]
    fn a_workbook_that_claims_or_has_billions_of_texts_is_refused_before_it_is_read() {
        let sst =
            |count: &str, texts: &str| format!("<sst uniqueCount=\"{count}\">{texts}</sst>").into_bytes();
        for (strings, is_fine) in [
            (sst("2", "<si><t>a</t></si><si/>"), true),
            (sst("4294967295", "<si><t>a</t></si>"), false),
            (sst("99999999999999999999999", ""), false),
            (sst("1", &"<si/>".repeat(4_000_001)), false),
            (sst("1", &"<x:si/>".repeat(4_000_001)), false),
            (b"<!-- uniqueCount=\"1\" --><s:sst uniqueCount = '4294967295'></s:sst>".to_vec(), false),
            (
                format!("<!--{}--><sst uniqueCount\n=\n\"4294967295\">", "x".repeat(100_000)).into_bytes(),
                false,
            ),
        ] {
            let file = workbook(&strings);
            assert_eq!(check_strings(file.path()).is_ok(), is_fine, "{} bytes", strings.len());
            assert_eq!(check_workbook(file.path()).is_ok(), is_fine, "{} bytes", strings.len());
        }
        let mut strings = StringCount::default();
        for piece in b"<sst><si><t>x</t></si><si/><six/>".chunks(3) {
            strings.write_all(piece).expect("it counts");
        }
        strings.write_all(b" uniqueC").and_then(|()| strings.write_all(b"ount=\"77\"")).expect("it counts");
        assert_eq!((strings.counted, strings.claimed), (2, 77), "also across pieces");
    }
}
