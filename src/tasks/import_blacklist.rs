//! Reads a blacklist that was sent and says what is in it; then, when a person wants it, makes it the entries of its
//! source: all of them from one moment on, or none.

use super::Shared;
use super::asked_by::AskedBy;
use super::check_list::remove;
use super::context::{TaskContext, TaskEnd, Words};
use crate::lists::{self, ListError};
use crate::store::blacklist_imports::{BlacklistChecked, BlacklistImportId, BlacklistImportRow};
use crate::store::task_rows::TaskRow;
use crate::store::{Store, StoreError, Subject};
use crate::text::Lang;
use paceline_core::number::PhoneNumber;
use paceline_core::number_pattern::NumberPattern;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::time::Duration;

/// Rows of one blacklist.
pub const BLACKLIST_ROWS_MAX: u64 = 5_000_000;
/// Patterns between two looks at the clock and at the wish to cancel.
const CHUNK: usize = 2_000;
/// Refused rows that a report names.
const REFUSED_NAMED: usize = 500;
/// Rows between two notes of the progress.
const NOTED_EVERY: u64 = 4_096;
/// Entries of the source that are compared at once.
const ENTRIES_PAGE: u32 = 4_000;
/// Numbers without a country code are of this region.
const REGION: &str = "CN";
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// What is done with an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlacklistWish {
    /// Load it; else check it.
    pub load: bool,
    #[serde(flatten)]
    pub asked_by: AskedBy,
}

/// What the check of a blacklist found. Each row is an entry, a repeated one, or refused, and a row that is several of
/// them is counted by `further` too: `rows + further = numbers + ranges + repeated + refused`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BlacklistImportReport {
    pub rows: u64,
    /// What stands in rows beside the first of each: more numbers, more ranges, or something that is refused.
    pub further: u64,
    /// Different numbers and ranges.
    pub numbers: u64,
    pub ranges: u64,
    /// Named again in the file.
    pub repeated: u64,
    /// Entries that the source has already.
    pub known: u64,
    /// Entries of the source that the file does not name: they are removed.
    pub gone: u64,
    /// Rows in which something is not understood, is never dialled, or is missing.
    pub refused: u64,
    /// The first of them.
    pub refused_rows: Vec<RefusedBlacklistRow>,
    pub unread_sheets: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedBlacklistRow {
    pub row: u64,
    /// Empty in a file without sheets.
    pub sheet: String,
    pub hint: Words,
}

/// A pattern in eight bytes: five million of them fit into 40 MB.
fn packed(pattern: NumberPattern) -> u64 {
    pattern.digits() << 1 | u64::from(pattern.is_prefix())
}

fn unpacked(packed: u64) -> Option<NumberPattern> {
    match packed & 1 {
        1 => NumberPattern::prefix(packed >> 1),
        _ => PhoneNumber::from_e164(packed >> 1).map(NumberPattern::exact),
    }
}

pub(super) fn import_blacklist(context: &mut TaskContext<'_>) -> Result<Value, TaskEnd> {
    let (store, id) = (context.shared.parts.store.clone(), BlacklistImportId(context.task.subject));
    let Some(row) = context.wait(store.blacklist_import(context.task.enterprise, id))? else {
        return Ok(json!({ "gone": true }));
    };
    let unreadable =
        || Words::new("the request of this task cannot be read; ask again", "任务内容无法读取,请重新提交");
    let asked = context.task.asked.as_deref().ok_or_else(unreadable)?;
    let wish: BlacklistWish = serde_json::from_str(asked).map_err(|_| unreadable())?;
    match (row.state.as_str(), wish.load) {
        ("checking", false) => check(context, &row),
        ("loading" | "loaded", true) => load(context, &row, &wish),
        // A source that is emptied needs no check.
        ("checking", true) => empty(context, &row, &wish),
        // Begun again after its end was written.
        (state, _) => Ok(json!({ "state": state })),
    }
}

/// The patterns of the file, in order and each once, with what was found beside them.
fn read(
    context: &mut TaskContext<'_>,
    row: &BlacklistImportRow,
) -> Result<Result<(Vec<u64>, BlacklistImportReport), ListError>, TaskEnd> {
    let parts = context.shared.parts.clone();
    let mut report = BlacklistImportReport::default();
    let mut patterns = Vec::new();
    let Some(blob) = row.blob else { return Ok(Ok((patterns, report))) };
    let path = parts.files.file(&context.wait(parts.store.blob(blob))?.path)?;
    if let Err(error) = lists::check_workbook(&path) {
        return Ok(Err(error));
    }
    // The object's name says nothing of its kind.
    let reading = lists::Reading { by_content: true, ..lists::Reading::default() };
    let mut ended = None;
    let mut receive = |found: lists::BlacklistRow<'_>| {
        report.rows += 1;
        let hint = found.hint.or(found.without_use);
        let parts = found.entries.len() as u64 + u64::from(hint.is_some());
        report.further += parts.saturating_sub(1);
        patterns.extend(found.entries.into_iter().map(packed));
        if let Some(hint) = hint {
            report.refused += 1;
            if report.refused_rows.len() < REFUSED_NAMED {
                let (row, sheet) = (found.row, found.sheet.to_owned());
                report.refused_rows.push(RefusedBlacklistRow { row, sheet, hint: hint_words(hint) });
            }
        }
        let is_long = report.rows > BLACKLIST_ROWS_MAX || patterns.len() as u64 > 2 * BLACKLIST_ROWS_MAX;
        if is_long {
            ended = Some(TaskEnd::Failed(Words::new(
                format!(
                    "the blacklist has more than {BLACKLIST_ROWS_MAX} rows: split it, with a source for each part"
                ),
                format!("黑名单超过 {BLACKLIST_ROWS_MAX} 行,请拆分,并为每部分使用不同的来源"),
            )));
        } else if report.rows.is_multiple_of(NOTED_EVERY) {
            ended = context.progress(report.rows, 0).err();
        }
        if ended.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let read = lists::read_blacklist_rows(&path, REGION, &reading, &mut receive);
    if let Some(ended) = ended {
        return Err(ended);
    }
    match read {
        Ok(unread) => report.unread_sheets = unread.into_iter().map(|sheet| sheet.name).collect(),
        Err(error) => return Ok(Err(error)),
    }
    let named = patterns.len() as u64;
    patterns.sort_unstable();
    patterns.dedup();
    report.ranges = patterns.iter().filter(|packed| *packed & 1 == 1).count() as u64;
    report.numbers = patterns.len() as u64 - report.ranges;
    report.repeated = named - patterns.len() as u64;
    Ok(Ok((patterns, report)))
}

/// What is said of a row: the part of it that is meant stands in front.
fn hint_words(hint: String) -> Words {
    let zh = match hint.strip_prefix('\'').and_then(|rest| rest.split_once("': ")) {
        Some((part, why)) => format!("“{part}”:{}", Lang::Zh.list_hint(why)),
        None => Lang::Zh.list_hint(&hint),
    };
    Words::new(hint, zh)
}

fn check(context: &mut TaskContext<'_>, row: &BlacklistImportRow) -> Result<Value, TaskEnd> {
    let store = context.shared.parts.store.clone();
    let (patterns, mut report) = match read(context, row)? {
        Ok(read) => read,
        Err(error) => {
            let zh = format!("{}:{}", row.file_name, super::check_list::zh_words(&error));
            return unreadable(context, row, &Words::new(error.named(&row.file_name).to_string(), zh));
        }
    };
    if patterns.is_empty() {
        let words = Words::new(
            "no row of this file holds a number; to empty a source, remove its entries",
            "文件中没有任何号码;如要清空某个来源,请使用移除",
        );
        return unreadable(context, row, &words);
    }
    let mut after = 0;
    loop {
        let page = context.wait(store.source_entries(row.campaign, &row.source, after, ENTRIES_PAGE))?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for (_, pattern) in page {
            match patterns.binary_search(&packed(pattern)) {
                Ok(_) => report.known += 1,
                Err(_) => report.gone += 1,
            }
        }
        context.check_wanted()?;
    }
    let document = serde_json::to_string(&report).map_err(std::io::Error::other)?;
    let found = BlacklistChecked {
        state: "checked",
        error: None,
        report: Some(&document),
        entries: patterns.len() as u64,
        gone: report.gone,
    };
    context.wait(store.finish_blacklist_check(row.enterprise, row.id, found))?;
    Ok(
        json!({ "state": "checked", "entries": patterns.len(), "refused": report.refused, "gone": report.gone }),
    )
}

fn unreadable(context: &TaskContext<'_>, row: &BlacklistImportRow, words: &Words) -> Result<Value, TaskEnd> {
    let store = &context.shared.parts.store;
    let error = words.json();
    let found =
        BlacklistChecked { state: "unreadable", error: Some(&error), report: None, entries: 0, gone: 0 };
    context.wait(store.finish_blacklist_check(row.enterprise, row.id, found))?;
    Ok(json!({ "state": "unreadable" }))
}

/// Works as long as `more` says, and leaves the writer as much time as each piece took.
fn in_pieces(
    context: &TaskContext<'_>,
    mut more: impl FnMut() -> Result<bool, TaskEnd>,
) -> Result<(), TaskEnd> {
    loop {
        context.check_wanted()?;
        let began = context.now();
        if !more()? {
            return Ok(());
        }
        context.rest(began, PAUSE_MAX);
    }
}

fn load(
    context: &mut TaskContext<'_>,
    row: &BlacklistImportRow,
    wish: &BlacklistWish,
) -> Result<Value, TaskEnd> {
    let store = context.shared.parts.store.clone();
    if row.state == "loaded" {
        // The last run ended behind the word that counts.
        in_pieces(context, || Ok(context.wait(store.delete_replaced_rows(row))?))?;
        return Ok(json!({ "state": "loaded", "entries": row.entries }));
    }
    // What a run before this one has written.
    in_pieces(context, || Ok(context.wait(store.delete_import_rows(row.id))?))?;
    let words = || Words::new("the file cannot be read any more; send it again", "文件已无法读取,请重新上传");
    let (patterns, _) = read(context, row)?.map_err(|_| words())?;
    let patterns: Vec<NumberPattern> = patterns.into_iter().filter_map(unpacked).collect();
    if patterns.len() as u64 != row.entries {
        return Err(words().into());
    }
    let total = patterns.len() as u64;
    let mut done = 0;
    for piece in patterns.chunks(CHUNK) {
        let began = context.now();
        context.wait(store.insert_import_rows(row, piece))?;
        done += piece.len() as u64;
        context.progress(done.min(total.saturating_sub(1)), total)?;
        context.rest(began, PAUSE_MAX);
    }
    let row = flip(context, row, wish)?;
    let mut closed = 0;
    for piece in patterns.chunks(CHUNK) {
        let began = context.now();
        closed += context.wait(store.apply_blacklist(&Store::addition_of(&row, piece)))?;
        context.rest(began, PAUSE_MAX);
    }
    in_pieces(context, || Ok(context.wait(store.delete_replaced_rows(&row))?))?;
    Ok(json!({ "state": "loaded", "entries": total, "leads_closed": closed, "gone": row.gone }))
}

/// Empties a source: the word alone, then its rows.
fn empty(
    context: &mut TaskContext<'_>,
    row: &BlacklistImportRow,
    wish: &BlacklistWish,
) -> Result<Value, TaskEnd> {
    let store = context.shared.parts.store.clone();
    let row = flip(context, row, wish)?;
    in_pieces(context, || Ok(context.wait(store.delete_replaced_rows(&row))?))?;
    Ok(json!({ "state": "loaded", "entries": 0, "gone": row.gone }))
}

/// Says the word, in the name of the person who asked for it. Returns the row as it stands from then on.
fn flip(
    context: &TaskContext<'_>,
    row: &BlacklistImportRow,
    wish: &BlacklistWish,
) -> Result<BlacklistImportRow, TaskEnd> {
    context.check_wanted()?;
    let store = &context.shared.parts.store;
    let subject = Subject::of("blacklist", &row.source);
    let mut change = context.wait(store.begin_change(&wish.asked_by.actor(), "blacklist.edit", subject))?;
    change.set_after(json!({
        "import": row.id.0, "file_name": row.file_name, "entries": row.entries, "removed": row.gone,
    }));
    let paths = context.wait(change.load_blacklist_import(row))?;
    context.wait(change.commit())?;
    paths.iter().for_each(|path| remove(context.shared, path));
    let loaded = context.wait(store.blacklist_import(row.enterprise, row.id))?;
    loaded.ok_or_else(|| TaskEnd::from(std::io::Error::other("an import without its row")))
}

/// The task did not come to its end: a check is unreadable for this reason, a load may be begun again.
pub(super) async fn settle(shared: &Shared, task: &TaskRow, words: &Words) -> Result<(), StoreError> {
    let (store, id) = (&shared.parts.store, BlacklistImportId(task.subject));
    let error = words.json();
    let found =
        BlacklistChecked { state: "unreadable", error: Some(&error), report: None, entries: 0, gone: 0 };
    store.finish_blacklist_check(task.enterprise, id, found).await?;
    let row = store.blacklist_import(task.enterprise, id).await?;
    if row.is_some_and(|row| row.state == "loading") {
        while store.delete_import_rows(id).await? {}
        store.reset_blacklist_load(task.enterprise, id, &error).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_pattern_is_the_pattern_again() {
        for text in ["+8613800138000", "+861380013*", "+85223456789", "+86755*"] {
            let pattern: NumberPattern = text.parse().expect(text);
            assert_eq!(unpacked(packed(pattern)), Some(pattern), "{text}");
        }
    }
}
