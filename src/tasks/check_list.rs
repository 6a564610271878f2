//! Checks an uploaded list: the same reading and the same verdicts as `paceline check`, with the store's blacklists and
//! against the leads that the campaign has. Nothing is written to the leads.

use super::Shared;
use super::context::{TaskContext, TaskEnd, Words};
use super::known_rows::KnownRows;
use super::list_report::{ShownRow, UploadReport};
use super::list_spec::{CampaignList, Mapping, add_campaign_columns, spec_of};
use crate::files::{Kind, Stored, Temporary};
use crate::lists::{self, Batch, FixWriter, ImportError, ListError, ListSpec};
use crate::store::StoreError;
use crate::store::blobs::NewBlob;
use crate::store::list_uploads::{CheckResult, UploadId, UploadRow, UploadState};
use rustc_hash::{FxHashMap, FxHasher};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::io::{BufWriter, Write};

/// Rows of one list.
pub(super) const ROWS_MAX: u64 = 2_000_000;
/// Leads of one campaign.
pub(super) const LEADS_MAX: u64 = 1_000_000;
/// Other lists of the campaign that a check looks at.
const LISTS_MAX: u32 = 50;
/// Leads that are shown as examples.
const SHOWN: usize = 20;

pub(super) fn check_list(context: &mut TaskContext<'_>) -> Result<Value, TaskEnd> {
    let (store, id) = (context.shared.parts.store.clone(), UploadId(context.task.subject));
    let Some(upload) = context.wait(store.upload(context.task.enterprise, id))? else {
        return Ok(json!({ "gone": true }));
    };
    // Begun again after the result was written.
    if upload.state != UploadState::Checking {
        return Ok(json!({ "state": upload.state.word() }));
    }
    let mut check = Check { document: UploadReport::default(), fix: None };
    let checked = check.run(context, &upload)?;
    context.check_wanted()?;
    let error = match checked {
        Ok(()) => None,
        Err(error) => Some(list_words(error, &upload)),
    };
    let Check { document, fix } = check;
    let state = if error.is_some() { UploadState::Unreadable } else { UploadState::Checked };
    save(context, &upload, state, error.as_ref(), &document, fix)?;
    let report = document.report.as_ref();
    Ok(json!({
        "state": state.word(),
        "rows": report.map_or(0, |it| it.rows_read),
        "leads": report.map_or(0, |it| it.leads),
        "refused": report.map_or(0, |it| it.refused_rows),
    }))
}

/// What the reader says of the file, under the name that it was sent with.
pub(super) fn list_words(error: ListError, upload: &UploadRow) -> Words {
    let zh = format!("{}:{}", upload.file_name, zh_words(&error));
    Words::new(error.named(&upload.file_name).to_string(), zh)
}

pub(super) fn zh_words(error: &ListError) -> String {
    match error {
        ListError::Open { source, .. } => format!("无法打开({source}),请重新上传"),
        ListError::Read { row, source, .. } => format!("第 {row} 行之后读取失败({source}),请重新上传"),
        ListError::Foreign { what, .. } => format!("不是可读取的名单({what}),请另存为 .xlsx 或 CSV 后上传"),
        ListError::Sheet { row: 0, what, .. } => {
            format!("工作簿无法读取({what}),请用表格软件打开后另存再上传")
        }
        ListError::Sheet { row, what, .. } => {
            format!("工作簿第 {row} 行之后无法读取({what}),请用表格软件打开后另存再上传")
        }
        ListError::Empty { .. } => "名单为空:表头下没有任何数据行".into(),
        ListError::TooWide { columns, most, .. } => {
            format!("有 {columns} 列,名单最多 {most} 列:分隔符或换行是否有误?")
        }
        ListError::NoColumn { column, .. } => format!("没有名为「{column}」的列,请重新选择对应列"),
        ListError::NoPhoneColumn { found, .. } => {
            format!("没有找到电话号码列(现有列:{found}),请在“对应列”中指定号码列")
        }
        ListError::NoSheet { sheets, .. } => format!("没有可读取的工作表({sheets})"),
        ListError::Blacklist { count, .. } => format!("黑名单中有 {count} 行无法识别"),
        ListError::Write { source, .. } => format!("无法写入({source})"),
    }
}

/// A check under way.
struct Check {
    document: UploadReport,
    /// The refused rows.
    fix: Option<Temporary>,
}

impl Check {
    /// The inner error: the list is unreadable.
    fn run(
        &mut self,
        context: &mut TaskContext<'_>,
        upload: &UploadRow,
    ) -> Result<Result<(), ListError>, TaskEnd> {
        let store = context.shared.parts.store.clone();
        let toml = context.wait(store.campaign_toml(upload.campaign))?;
        let campaign = CampaignList::of(&toml);
        let mut spec = spec_of(context, upload, &campaign)?;
        if let Err(error) = lists::check_workbook(&spec.file) {
            return Ok(Err(error));
        }
        context.progress(0, 0)?;
        let preview = match lists::preview(&spec) {
            Ok(preview) => preview,
            Err(error) => return Ok(Err(error)),
        };
        add_campaign_columns(&mut spec, &campaign, &preview);
        self.document.preview = Some(preview);
        let known = context.wait(KnownRows::load(&store, upload.campaign, false))?;
        let others = context.wait(store.uploads(upload.enterprise, upload.campaign, None, LISTS_MAX))?;
        let is_unloaded = |row: &&UploadRow| {
            row.id != upload.id && matches!(row.state, UploadState::Checked | UploadState::Waiting)
        };
        self.document.unloaded_lists =
            others.iter().filter(is_unloaded).map(|it| it.file_name.clone()).collect();
        let have = context.wait(store.lead_counts(upload.campaign))?.all;
        let blocked = context.wait(store.blacklisted(Some(upload.campaign)))?;
        let read = self.read(context, upload, &spec, &known, blocked)?;
        if let Err(error) = read {
            return Ok(Err(error));
        }
        if have + self.document.new_leads > LEADS_MAX {
            let new = self.document.new_leads;
            self.document.problem = Some(Words::new(
                format!(
                    "the campaign has {have} leads and this list {new} new ones; a campaign has at most {LEADS_MAX}"
                ),
                format!("该任务已有 {have} 条名单,本名单新增 {new} 条;一个任务最多 {LEADS_MAX} 条"),
            ));
        } else if self.document.report.as_ref().is_some_and(|report| report.leads == 0) {
            self.document.problem = Some(Words::new(
                "no row of this list can be dialled: the refused rows say why",
                "本名单没有可拨打的行,原因见“不导入”的各行",
            ));
        }
        Ok(Ok(()))
    }

    fn read(
        &mut self,
        context: &mut TaskContext<'_>,
        upload: &UploadRow,
        spec: &ListSpec,
        known: &KnownRows,
        blocked: Vec<paceline_core::number_pattern::NumberPattern>,
    ) -> Result<Result<(), ListError>, TaskEnd> {
        let mut fix = FixWriter::new(BufWriter::new(context.shared.parts.files.create()?))?;
        let mut households = Households::default();
        let mut examples = Examples::new(&upload.sha256);
        let mut rows = 0;
        let document = &mut self.document;
        let mut sink = |batch: &Batch| {
            rows += (batch.leads.len() + batch.refused.len()) as u64;
            if rows > ROWS_MAX {
                let en = format!("the list has more than {ROWS_MAX} rows: split it");
                let zh = format!("名单超过 {ROWS_MAX} 行,请拆分后分别上传");
                return Err(TaskEnd::Failed(Words::new(en, zh)));
            }
            fix.write(batch)?;
            let (known_rows, new_numbers) = known.count_known(batch);
            document.new_leads += batch.leads.len() as u64 - known_rows;
            document.known_rows += known_rows;
            document.new_numbers += new_numbers;
            households.add(batch);
            examples.add(batch);
            context.progress(rows, upload.rows.max(rows))
        };
        let report = match lists::import(spec, &mut blocked.into_iter(), &mut sink) {
            Ok(report) => report,
            Err(ImportError::List(error)) => return Ok(Err(error)),
            Err(ImportError::Sink(end)) => return Err(end),
        };
        let fix = fix.finish()?.into_inner().map_err(|error| error.into_error())?;
        self.fix = (report.refused_rows > 0).then_some(fix);
        document.household_shared = households.shared();
        document.leads = examples.rows();
        document.mapping =
            Some(Mapping { phones: phones_in_order(spec, &report), ..Mapping::of(&report.columns) });
        document.report = Some(lists::ListReport { file: upload.file_name.clone(), ..report });
        Ok(Ok(()))
    }
}

/// The phone columns in dialling order: as they were named, or as they stand.
fn phones_in_order(spec: &ListSpec, report: &lists::ListReport) -> Vec<String> {
    match spec.phones.is_empty() {
        true => Mapping::of(&report.columns).phones,
        false => spec.phones.clone(),
    }
}

/// Counts leads by household.
#[derive(Default)]
struct Households {
    leads: FxHashMap<u64, u32>,
}

impl Households {
    fn add(&mut self, batch: &Batch) {
        for name in batch.leads.iter().filter_map(|lead| lead.household.as_ref()) {
            let mut hash = FxHasher::default();
            name.hash(&mut hash);
            *self.leads.entry(hash.finish()).or_default() += 1;
        }
    }

    /// Leads whose household has more than one.
    fn shared(&self) -> u64 {
        self.leads.values().filter(|count| **count > 1).map(|count| u64::from(*count)).sum()
    }
}

/// Some leads that the list's own hash chooses: the same list shows the same ones.
struct Examples {
    seed: u64,
    chosen: BTreeMap<(u64, u64), ShownRow>,
    seen: u64,
}

impl Examples {
    fn new(sha256: &[u8]) -> Examples {
        let seed = sha256.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        Examples { seed, chosen: BTreeMap::new(), seen: 0 }
    }

    fn add(&mut self, batch: &Batch) {
        for lead in &batch.leads {
            self.seen += 1;
            let key = (mixed(self.seed ^ self.seen), self.seen);
            let is_full = self.chosen.len() == SHOWN;
            if is_full && self.chosen.last_key_value().is_some_and(|(last, _)| *last < key) {
                continue;
            }
            self.chosen
                .insert(key, ShownRow { row: lead.row, cells: lead.cells.clone(), ..ShownRow::default() });
            if is_full {
                self.chosen.pop_last();
            }
        }
    }

    /// In the order of the list.
    fn rows(self) -> Vec<ShownRow> {
        let mut rows: Vec<((u64, u64), ShownRow)> = self.chosen.into_iter().collect();
        rows.sort_by_key(|((_, at), _)| *at);
        rows.into_iter().map(|(_, row)| row).collect()
    }
}

/// The finaliser of SplitMix64: every bit of the result depends on every bit of the argument.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ bits >> 31
}

fn save(
    context: &TaskContext<'_>,
    upload: &UploadRow,
    state: UploadState,
    error: Option<&Words>,
    document: &UploadReport,
    fix: Option<Temporary>,
) -> Result<(), TaskEnd> {
    let (store, files) = (&context.shared.parts.store, &context.shared.parts.files);
    let now = store.clock_now();
    let fix = fix.map(|fix| files.keep(fix, upload.enterprise, Kind::ListFix, now)).transpose()?;
    let mut json = files.create()?;
    json.write_all(&serde_json::to_vec(document).map_err(std::io::Error::other)?)?;
    let json = files.keep(json, upload.enterprise, Kind::ListReport, now)?;
    let report = document.report.as_ref();
    let error = error.map(Words::json);
    let result = CheckResult {
        state,
        error: error.as_deref(),
        report: Some(blob(upload.enterprise, Kind::ListReport, "application/json", &json)),
        fix: fix.as_ref().map(|fix| blob(upload.enterprise, Kind::ListFix, "text/csv", fix)),
        rows: report.map_or(0, |it| it.rows_read),
        leads: report.map_or(0, |it| it.leads),
        refused: report.map_or(0, |it| it.refused_rows),
    };
    for path in context.wait(store.finish_check(upload.id, result))? {
        remove(context.shared, &path);
    }
    Ok(())
}

pub(super) fn blob<'a>(enterprise: i64, kind: Kind, media_type: &'a str, stored: &'a Stored) -> NewBlob<'a> {
    let Stored { path, sha256, bytes } = stored;
    NewBlob { enterprise, kind: kind.word(), sha256: *sha256, bytes: *bytes, media_type, path }
}

/// Removes an object that nothing names. What stays is removed by the daily sweep.
pub(super) fn remove(shared: &Shared, path: &str) {
    if let Err(error) = shared.parts.files.delete(path) {
        tracing::warn!(%error, path, "an object that is not needed could not be removed now");
    }
}

/// The check did not come to its end: the list is unreadable for this reason, and may be checked again.
pub(super) async fn settle(shared: &Shared, id: UploadId, words: &Words) -> Result<(), StoreError> {
    let error = words.json();
    let result = CheckResult {
        state: UploadState::Unreadable,
        error: Some(&error),
        report: None,
        fix: None,
        rows: 0,
        leads: 0,
        refused: 0,
    };
    for path in shared.parts.store.finish_check(id, result).await? {
        remove(shared, &path);
    }
    Ok(())
}
