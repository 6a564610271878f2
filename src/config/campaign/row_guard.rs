//! What the text of a row may not say when it comes over the API: names of files on the server. A name that the text
//! had before may stay.

use super::named_files::{is_flat, named_files};
use super::tables::{CampaignFile, Names, ResultsTable};
use crate::config::problem::Source;
use crate::config::units;

/// Records every name of a file that is new and is no uploaded one.
pub(super) fn check(
    before: Option<&CampaignFile>,
    after: &CampaignFile,
    is_known: impl Fn(&str) -> bool,
    source: &mut Source<'_>,
) {
    let results = before.map_or_else(|| ResultsTable::default().dir, |before| before.results.dir.clone());
    if after.results.dir != results {
        let hint = "remove it: only a campaign file says where its results lie";
        source.fault(&["results", "dir"], format!("dir = \"{}\"", after.results.dir.escape_debug()), hint);
    }
    let kept = |of: fn(&CampaignFile) -> &String| before.is_some_and(|before| of(before) == of(after));
    if !after.list.file.is_empty() && !kept(|file| &file.list.file) {
        let hint = "remove it: the lists of a campaign are uploaded";
        source.fault(&["list", "file"], format!("file = \"{}\"", after.list.file.escape_debug()), hint);
    }
    let of_before = before.map(|before| before.list.blacklists.as_slice()).unwrap_or_default();
    for name in after.list.blacklists.iter().filter(|name| !of_before.contains(name)) {
        let found = format!("`{}` is a file", name.escape_debug());
        source.fault(
            &["list", "blacklists"],
            found,
            "remove it: put the numbers on the campaign's blacklist",
        );
    }
    check_sound("file", &after.announcement.file, kept(|file| &file.announcement.file), &is_known, source);
    check_sound("sorry", &after.announcement.sorry, kept(|file| &file.announcement.sorry), &is_known, source);
    if let Names::One(name) = &after.calling.holidays {
        let is_kept = before.is_some_and(|it| matches!(&it.calling.holidays, Names::One(old) if old == name));
        if !is_kept && !name.trim().is_empty() && units::parse_holiday(name).is_err() {
            let found = format!("holidays: `{}` is no date", name.escape_debug());
            let hint = "write the days themselves: [\"2027-01-01\", \"2027-02-05..2027-02-12\"]";
            source.fault(&["calling", "holidays"], found, hint);
        }
    }
}

fn check_sound(
    key: &str,
    name: &str,
    is_kept: bool,
    is_known: impl Fn(&str) -> bool,
    source: &mut Source<'_>,
) {
    let path = ["announcement", key];
    let shown = name.escape_debug();
    if name.is_empty() || is_kept {
        return;
    }
    if name.contains(['/', '\\']) || name.contains("..") {
        source.fault(&path, format!("`{shown}` is a path"), "write the name of an uploaded sound");
    } else if !is_known(name) {
        source.fault(
            &path,
            format!("there is no sound `{shown}`"),
            "upload it, or write the name of another",
        );
    }
}

/// Records every name of a file that does not lie in the folder with the text.
pub(super) fn check_folder(written: &CampaignFile, is_there: impl Fn(&str) -> bool, source: &mut Source<'_>) {
    if written.results.dir != ResultsTable::default().dir {
        let found = format!("dir = \"{}\"", written.results.dir.escape_debug());
        source.fault(&["results", "dir"], found, "remove it: the service says where results lie");
    }
    for file in named_files(written) {
        let shown = file.name.escape_debug();
        if !is_flat(&file.name) {
            let hint = "put the file beside campaign.toml and write its name alone";
            source.fault(&file.key, format!("`{shown}` is a path"), hint);
        } else if !is_there(&file.name) {
            let hint = "put the file in, or take its name out of the text";
            source.fault(&file.key, format!("the folder has no file `{shown}`"), hint);
        }
    }
}
