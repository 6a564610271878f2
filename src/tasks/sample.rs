//! The sample campaign: loads its list of fictional owners, then has the service open it. Begun again after a crash it
//! goes on where it was.

use super::Shared;
use super::context::{TaskContext, TaskEnd, Words};
use crate::config::campaign::CampaignFile;
use crate::config::campaign::sample::SAMPLE_LIST;
use crate::lists::{self, Batch, ImportError, ListSpec};
use crate::store::campaign_rows::{CampaignState, DesiredState};
use crate::store::{Import, NewImport, StoreError};
use paceline_core::ids::CampaignId;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::Write;
use tokio::sync::oneshot;

/// The list's name in the campaign.
const FILE_NAME: &str = "owners.csv";

/// A request to the service: open this sample campaign, with its simulated agents.
#[derive(Debug)]
pub struct SampleOpening {
    pub campaign: CampaignId,
    /// Why it could not be opened, in a sentence. Dropped = the service stops.
    pub answer: oneshot::Sender<Result<(), String>>,
}

pub(super) fn open_sample(context: &mut TaskContext<'_>) -> Result<Value, TaskEnd> {
    let (store, id) = (context.shared.parts.store.clone(), CampaignId(context.task.subject));
    let row = match context.wait(store.any_campaign_row(id)) {
        Err(StoreError::Unknown { .. }) => return Ok(json!({ "gone": true })),
        row => row?,
    };
    if !row.has_list {
        load_list(context, id, &row.toml)?;
    }
    context.wait(store.note_campaign_state(id, DesiredState::Open, CampaignState::Ready, None))?;
    open(context, id)?;
    Ok(json!({ "campaign": row.name }))
}

fn open(context: &TaskContext<'_>, campaign: CampaignId) -> Result<(), TaskEnd> {
    let service = context.shared.parts.samples.clone();
    let service = service.ok_or_else(|| failed("this process runs one campaign and opens no other"))?;
    let (answer, answered) = oneshot::channel();
    let sent = context.wait(service.send(SampleOpening { campaign, answer }));
    sent.map_err(|_| TaskEnd::Stopping)?;
    let opened = context.wait(answered).map_err(|_| TaskEnd::Stopping)?;
    opened.map_err(|why| failed(&why))
}

fn failed(why: &str) -> TaskEnd {
    TaskEnd::Failed(Words::new(
        format!("the sample campaign was not opened: {why}"),
        format!("示例活动没有启动:{why}"),
    ))
}

/// Takes the list in, all of it in one commit.
fn load_list(context: &mut TaskContext<'_>, campaign: CampaignId, toml: &str) -> Result<(), TaskEnd> {
    let region = toml::from_str::<CampaignFile>(toml).map_or_else(|_| "CN".into(), |file| file.list.region);
    let mut file = context.shared.parts.files.create()?;
    file.write_all(SAMPLE_LIST)?;
    let mut spec = ListSpec { file: file.path().to_owned(), region, ..ListSpec::default() };
    spec.reading.by_content = true;
    let store = context.shared.parts.store.clone();
    let blocked = context.wait(store.blacklisted(Some(campaign)))?;
    let sha256: String = Sha256::digest(SAMPLE_LIST).iter().map(|byte| format!("{byte:02x}")).collect();
    let fingerprint = format!("{}:{sha256}", SAMPLE_LIST.len());
    let mut import: Option<Import> = None;
    let read = lists::import(&spec, &mut blocked.into_iter(), &mut |batch: &Batch| {
        let import = match &mut import {
            Some(import) => import,
            none => {
                let header = batch.columns.to_vec();
                let (file, fingerprint) = (FILE_NAME.to_owned(), fingerprint.clone());
                let new = NewImport { campaign, file, fingerprint, header };
                none.insert(context.wait(store.begin_import(&new))?)
            }
        };
        context.wait(import.push_paced(&batch.leads, &batch.refused))?;
        context.progress(import.rows(), 0)
    });
    let unreadable = |why: String| {
        let words = Words::new(format!("the sample's list: {why}"), format!("示例名单:{why}"));
        TaskEnd::Failed(words)
    };
    let ended = match read {
        Ok(mut report) => {
            report.file = FILE_NAME.to_owned();
            let json = serde_json::to_string(&report).map_err(std::io::Error::other)?;
            Ok((report.rows_read, json))
        }
        Err(ImportError::List(error)) => Err(unreadable(error.to_string())),
        Err(ImportError::Sink(end)) => Err(end),
    };
    let Some(import) = import else {
        return Err(ended.err().unwrap_or_else(|| unreadable("no row can be dialled".into())));
    };
    match ended {
        Ok((rows, report)) => {
            context.wait(import.commit(rows, &report))?;
            Ok(())
        }
        Err(end) => {
            context.wait(import.abandon())?;
            Err(end)
        }
    }
}

/// The campaign stays closed, and says why; one that is open already stays so.
pub(super) async fn settle(shared: &Shared, campaign: CampaignId, words: &Words) -> Result<(), StoreError> {
    let board = shared.parts.engine.board();
    if board.borrow().campaigns.get(&campaign).is_some_and(|it| !it.finished && !it.view.drained) {
        return Ok(());
    }
    let (desired, state) = (DesiredState::Closed, CampaignState::Ready);
    shared.parts.store.note_campaign_state(campaign, desired, state, Some(&words.json())).await
}
