//! Loads a checked list: its new rows become leads of the campaign, all of them in one commit, also while the campaign
//! runs. And undoes it, as long as nobody on it was called.

use super::Shared;
use super::check_list::{LEADS_MAX, ROWS_MAX, list_words};
use super::context::{TaskContext, TaskEnd, Words};
use super::known_rows::{KnownRows, NewNumber};
use super::list_report::{UploadReport, read_report};
use super::list_spec::{CampaignList, add_campaign_columns, spec_of};
use crate::engine::EngineRequest;
use crate::lists::{self, Batch, ImportError, ListReport, ListSpec};
use crate::store::list_growth::ADDED;
use crate::store::list_uploads::{UploadId, UploadRefusal, UploadRow, UploadState};
use crate::store::upload_loads::LoadedUpload;
use crate::store::{Import, ImportId, NewImport, Store, StoreError};
use paceline_core::dialer::input::ManagerAction;
use paceline_core::ids::CampaignId;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn load_list(context: &mut TaskContext<'_>) -> Result<Value, TaskEnd> {
    let (store, id) = (context.shared.parts.store.clone(), UploadId(context.task.subject));
    let Some(upload) = context.wait(store.upload(context.task.enterprise, id))? else {
        return Ok(json!({ "gone": true }));
    };
    // Begun again after its commit.
    if upload.state == UploadState::Loaded {
        notify_dialer(context, upload.campaign);
        return Ok(json!({ "state": "loaded" }));
    }
    if upload.state != UploadState::Loading {
        return Ok(json!({ "state": upload.state.word() }));
    }
    // What a load that was cut off has left.
    context.wait(store.sweep_upload(id))?;
    let campaign = CampaignList::of(&context.wait(store.campaign_toml(upload.campaign))?);
    let mut spec = spec_of(context, &upload, &campaign)?;
    let checked = checked_report(context, &upload)?;
    if let Some(preview) = &checked.preview {
        add_campaign_columns(&mut spec, &campaign, preview);
    }
    if let Some(problem) = checked.problem {
        return Err(TaskEnd::Failed(problem));
    }
    let mut load = Load::begin(context, &upload)?;
    let read = load.read(context, &spec);
    let finished = read.and_then(|report| load.finish(context, &report));
    match finished {
        Ok(result) => {
            notify_dialer(context, upload.campaign);
            Ok(result)
        }
        // The next start sweeps.
        Err(TaskEnd::Stopping) => Err(TaskEnd::Stopping),
        Err(end) => {
            context.wait(store.sweep_upload(id))?;
            Err(end)
        }
    }
}

fn checked_report(context: &TaskContext<'_>, upload: &UploadRow) -> Result<UploadReport, TaskEnd> {
    let (store, files) = (&context.shared.parts.store, &context.shared.parts.files);
    let Some(report) = upload.report else { return Ok(UploadReport::default()) };
    let blob = context.wait(store.blob(report))?;
    Ok(read_report(files, &blob.path)?)
}

/// The dialer of a campaign that is open has leads to ask for.
fn notify_dialer(context: &TaskContext<'_>, campaign: CampaignId) {
    let action = ManagerAction::LeadsAdded;
    context.wait(context.shared.parts.engine.send(EngineRequest::ManagerAction { campaign, action }));
}

/// A load under way.
struct Load<'a> {
    upload: &'a UploadRow,
    store: Arc<Store>,
    known: KnownRows,
    /// Leads of the campaign before.
    have: u64,
    imports: Vec<SheetImport>,
    numbers: Vec<NewNumber>,
    new_leads: u64,
    known_rows: u64,
    refused_rows: u64,
    household_done: u64,
}

/// The import of one sheet, not visible yet.
struct SheetImport {
    sheet: Arc<str>,
    import: Import,
}

impl<'a> Load<'a> {
    fn begin(context: &TaskContext<'_>, upload: &'a UploadRow) -> Result<Load<'a>, TaskEnd> {
        let store = context.shared.parts.store.clone();
        let known = context.wait(KnownRows::load(&store, upload.campaign, false))?;
        let have = context.wait(store.lead_counts(upload.campaign))?.all;
        Ok(Load {
            upload,
            store,
            known,
            have,
            imports: Vec::new(),
            numbers: Vec::new(),
            new_leads: 0,
            known_rows: 0,
            refused_rows: 0,
            household_done: 0,
        })
    }

    fn read(&mut self, context: &mut TaskContext<'_>, spec: &ListSpec) -> Result<ListReport, TaskEnd> {
        let blocked = context.wait(self.store.blacklisted(Some(self.upload.campaign)))?;
        let upload = self.upload;
        let mut rows = 0;
        let read = lists::import(spec, &mut blocked.into_iter(), &mut |batch| {
            rows += (batch.leads.len() + batch.refused.len()) as u64;
            if rows > ROWS_MAX {
                let words =
                    Words::new("the list has more rows than were checked", "名单行数与检查时不符,请重新上传");
                return Err(TaskEnd::Failed(words));
            }
            self.take(context, batch)?;
            context.progress(rows, upload.rows.max(rows))
        });
        read.map_err(|error| match error {
            ImportError::List(error) => TaskEnd::Failed(list_words(error, upload)),
            ImportError::Sink(end) => end,
        })
    }

    fn take(&mut self, context: &TaskContext<'_>, batch: &Batch) -> Result<(), TaskEnd> {
        if self.imports.last().is_none_or(|open| open.sheet != batch.sheet) {
            let import = context.wait(self.begin_import(batch))?;
            self.imports.push(SheetImport { sheet: batch.sheet.clone(), import });
        }
        let mut batch = batch.clone();
        let mut flats = Vec::new();
        self.known_rows += self.known.keep_new(&mut batch, &mut self.numbers, &mut flats);
        self.new_leads += batch.leads.len() as u64;
        self.refused_rows += batch.refused.len() as u64;
        if self.have + self.new_leads > LEADS_MAX {
            let en = format!(
                "the campaign would have more than {LEADS_MAX} leads: load the list into another one"
            );
            let zh = format!("该任务的名单将超过 {LEADS_MAX} 条,请导入到其他任务");
            return Err(TaskEnd::Failed(Words::new(en, zh)));
        }
        if let Some(open) = self.imports.last_mut() {
            self.household_done += context.wait(open.import.push_paced(&batch.leads, &batch.refused))?;
            context.wait(open.import.push_flats(&flats))?;
        }
        Ok(())
    }

    async fn begin_import(&self, batch: &Batch) -> Result<Import, StoreError> {
        let upload = self.upload;
        let file = match &*batch.sheet {
            "" => upload.file_name.clone(),
            sheet => format!("{} [{sheet}]", upload.file_name),
        };
        let sha256: String = upload.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let fingerprint = match (batch.is_last_sheet, self.imports.len()) {
            (true, _) => format!("{ADDED}{}:{sha256}", upload.bytes),
            (false, before) => format!("{ADDED}{}:{sha256}#{}", upload.bytes, before + 1),
        };
        let header = batch.columns.to_vec();
        let new = NewImport { campaign: upload.campaign, file, fingerprint, header };
        self.store.begin_upload_import(upload.id, &new).await
    }

    /// Makes everything visible.
    fn finish(&mut self, context: &mut TaskContext<'_>, report: &ListReport) -> Result<Value, TaskEnd> {
        let Some(first) = self.imports.first().map(|open| open.import.id()) else {
            let words = Words::new("no row of this list can be dialled", "本名单没有可拨打的行");
            return Err(TaskEnd::Failed(words));
        };
        context.progress(report.rows_read, report.rows_read)?;
        context.wait(self.store.add_upload_numbers(first, &self.numbers))?;
        let imports: Vec<(ImportId, u64)> =
            self.imports.iter().map(|open| (open.import.id(), open.import.rows())).collect();
        let report = ListReport { file: self.upload.file_name.clone(), ..report.clone() };
        let json = serde_json::to_string(&report).map_err(std::io::Error::other)?;
        let (id, by) = (self.upload.id, context.task.asked_by);
        context.wait(self.store.commit_upload(&LoadedUpload { id, imports: &imports, report: &json, by }))?;
        Ok(json!({
            "state": "loaded",
            "new_leads": self.new_leads,
            "known_rows": self.known_rows,
            "new_numbers": self.numbers.len(),
            "refused_rows": self.refused_rows,
            "household_done": self.household_done,
        }))
    }
}

pub(super) fn undo_list(context: &mut TaskContext<'_>) -> Result<Value, TaskEnd> {
    let (store, id) = (context.shared.parts.store.clone(), UploadId(context.task.subject));
    context.progress(0, 0)?;
    match context.wait(store.undo_upload(id, context.task.asked_by))? {
        Ok(()) => {}
        Err(UploadRefusal::Called(calls)) => {
            let en = format!("{calls} calls were made from this list, so it stays; close its leads instead");
            let zh = format!("本名单已拨打 {calls} 次,不能撤销;可以关闭其余名单");
            return Err(TaskEnd::Failed(Words::new(en, zh)));
        }
        Err(_) => return Ok(json!({ "gone": true })),
    }
    // From here on the list is undone, whatever happens; the next start deletes what is left.
    context.wait(store.sweep_upload(id))?;
    Ok(json!({ "state": "undone" }))
}

/// The load did not happen: the list is checked, as it was.
pub(super) async fn settle(shared: &Shared, id: UploadId, words: &Words) -> Result<(), StoreError> {
    shared.parts.store.fail_load(id, &words.json()).await
}
