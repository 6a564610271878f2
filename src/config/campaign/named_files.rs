//! The files that a campaign's text names: its list, blacklists, sounds and days without calls.

use super::tables::{CampaignFile, Names};
use crate::config::units;

/// What a campaign does with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileUse {
    List,
    Blacklist,
    Sound,
    /// Days without calls, a day a line or as .ics.
    Holidays,
}

impl FileUse {
    /// Whether the file holds telephone numbers.
    pub const fn has_numbers(self) -> bool {
        matches!(self, FileUse::List | FileUse::Blacklist)
    }
}

/// A file that a text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// As the text writes it: a name, or in a campaign file a path.
    pub name: String,
    /// The key that names it, with its table.
    pub key: [&'static str; 2],
    pub what: FileUse,
}

/// The files of a text in the order of its tables; a name that stands twice is there twice.
pub fn named_files(written: &CampaignFile) -> Vec<NamedFile> {
    let list = [(&written.list.file, ["list", "file"], FileUse::List)];
    let blacklists =
        written.list.blacklists.iter().map(|it| (it, ["list", "blacklists"], FileUse::Blacklist));
    let holidays = match &written.calling.holidays {
        Names::One(name) if units::parse_holiday(name).is_err() => Some(name),
        _ => None,
    };
    let holidays = holidays.map(|name| (name, ["calling", "holidays"], FileUse::Holidays));
    let sounds = [
        (&written.announcement.file, ["announcement", "file"], FileUse::Sound),
        (&written.announcement.sorry, ["announcement", "sorry"], FileUse::Sound),
    ];
    let all = list.into_iter().chain(blacklists).chain(holidays).chain(sounds);
    all.filter(|(name, ..)| !name.trim().is_empty())
        .map(|(name, key, what)| NamedFile { name: name.clone(), key, what })
        .collect()
}

/// Whether a name is that of a file in the campaign's own folder: no separator, no `..`, no control character, at most
/// 255 bytes.
pub fn is_flat(name: &str) -> bool {
    let is_word = !name.is_empty() && name.len() <= 255 && name != "." && !name.contains("..");
    is_word && !name.contains(['/', '\\', ':']) && !name.chars().any(char::is_control)
}
