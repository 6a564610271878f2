//! Limits of a workbook from a stranger: what its directory says it unpacks to, and for the parts that are held in memory,
//! what they really unpack to.

use super::ListError;
use std::fs::File;
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

/// Checks a file that begins like a workbook; any other file is fine.
///
/// # Errors
/// The workbook unpacks to more than a list needs, has a member outside the archive, or has an external part.
pub fn check_workbook(path: &Path) -> Result<(), ListError> {
    let failed = |source| ListError::Open { file: path.into(), source };
    let mut head = Vec::new();
    File::open(path).map_err(failed)?.take(4).read_to_end(&mut head).map_err(failed)?;
    if head != b"PK\x03\x04" {
        return Ok(());
    }
    let refused = |what: String| ListError::Sheet { file: path.into(), row: 0, what };
    let file = File::open(path).map_err(failed)?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| refused(error.to_string()))?;
    check_members(&mut archive).map_err(refused)
}

fn check_members(archive: &mut ZipArchive<BufReader<File>>) -> Result<(), String> {
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
    archive: &mut ZipArchive<BufReader<File>>,
    at: usize,
    name: &str,
    claimed: u64,
) -> Result<(), String> {
    let too_large = || format!("its member '{}' unpacks to more than {} MB", shown(name), STRINGS_MAX >> 20);
    if claimed > STRINGS_MAX {
        return Err(too_large());
    }
    // To one byte more than the directory says, so that a lie costs no more than the truth.
    let member = archive.by_index(at).map_err(|error| error.to_string())?;
    let real = io::copy(&mut member.take(claimed + 1), &mut io::sink());
    match real.map_err(|error| format!("its member '{}' is damaged: {error}", shown(name)))? {
        real if real > claimed => {
            Err(format!("its member '{}' is larger than the archive says", shown(name)))
        }
        _ => Ok(()),
    }
}

fn shown(name: &str) -> String {
    name.chars().take(80).collect::<String>().escape_debug().to_string()
}
