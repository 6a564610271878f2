//! The task threads: take the oldest queued task, run it, write how it ended.

use super::context::{TaskContext, TaskEnd, Words};
use super::{
    Shared, change_leads, check_list, export, forecast, import_blacklist, import_campaign, load_list,
    measure_audio, sample, story,
};
use crate::caught_panic;
use crate::lists;
use crate::store::StoreError;
use crate::store::list_uploads::UploadId;
use crate::store::task_rows::{STARTS_MAX, TaskKind, TaskRow, TaskState};
use paceline_core::ids::CampaignId;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;

/// Without a wake a thread looks for tasks this often.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The object store is tidied at the start and once a day.
const TIDY_EVERY: Duration = Duration::from_secs(24 * 3_600);

/// Runs tasks until the service stops.
pub(super) fn work(shared: &Shared, runtime: &Handle) {
    // The whole CPU is for calls first. Without the right to change it, the thread keeps its priority.
    let _ = rustix::process::nice(10);
    while !shared.is_stopping.load(Ordering::Acquire) {
        match runtime.block_on(shared.parts.store.take_task()) {
            Ok(Some(task)) => {
                // There may be another one for the other thread.
                shared.wake_thread();
                run(shared, runtime, &task);
            }
            Ok(None) => shared.wait_for_task(LOOK_AGAIN),
            Err(error) => {
                tracing::warn!(%error, "tasks cannot be taken now; trying again");
                shared.wait_for_task(LOOK_AGAIN);
            }
        }
    }
}

fn run(shared: &Shared, runtime: &Handle, task: &TaskRow) {
    let is_cancelled = Arc::new(AtomicBool::new(false));
    shared.lock_running().insert(task.id, is_cancelled.clone());
    shared.announce(task);
    let mut context = TaskContext::new(shared, runtime, task, is_cancelled.clone());
    let mut work = || match task.kind {
        TaskKind::CheckList => check_list::check_list(&mut context),
        TaskKind::LoadList => load_list::load_list(&mut context),
        TaskKind::UndoList => load_list::undo_list(&mut context),
        TaskKind::MeasureAudio => measure_audio::measure_audio(&mut context),
        TaskKind::Forecast => forecast::forecast(&mut context),
        TaskKind::ChangeLeads => change_leads::change_leads(&mut context),
        TaskKind::Sample => sample::open_sample(&mut context),
        TaskKind::ImportCampaign => import_campaign::import_campaign(&mut context),
        TaskKind::Story => story::story(&mut context),
        TaskKind::Export => export::export(&mut context),
        TaskKind::ImportBlacklist => import_blacklist::import_blacklist(&mut context),
    };
    let ends = [is_cancelled, shared.is_stopping.clone()];
    let ended = lists::while_wanted(&ends, || caught_panic::catch("working on a task", &mut work));
    let ended = ended.unwrap_or_else(|| {
        let en = "this could not be done: the program met a fault of its own, which its log shows";
        Err(TaskEnd::Failed(Words::new(en, "任务未能完成:程序内部出错,详情见日志")))
    });
    // A reading that was cut off by the cancel is no fault of its file.
    let ended = match (ended, context.check_wanted()) {
        (Err(TaskEnd::Failed(_)), Err(cancelled)) => Err(cancelled),
        (ended, _) => ended,
    };
    let written = runtime.block_on(end(shared, task, ended));
    if let Err(error) = written {
        // The row still says that it runs, so it begins again with the next start.
        tracing::error!(%error, task = task.id.0, "the end of a task could not be written");
    }
    if task.kind == TaskKind::ImportCampaign
        && let Err(error) = runtime.block_on(import_campaign::release_folders(shared))
    {
        tracing::warn!(%error, "folders that are not needed could not be removed now");
    }
    shared.lock_running().remove(&task.id);
    shared.announce(task);
}

async fn end(shared: &Shared, task: &TaskRow, ended: Result<Value, TaskEnd>) -> Result<(), StoreError> {
    let store = &shared.parts.store;
    match ended {
        Ok(result) => store.end_task(task.id, TaskState::Done, Some(&result.to_string()), None).await,
        Err(TaskEnd::Stopping) => store.requeue_task(task.id).await,
        Err(TaskEnd::Cancelled) => {
            settle_cancelled(shared, task).await?;
            store.end_task(task.id, TaskState::Cancelled, None, None).await
        }
        Err(TaskEnd::Failed(words)) => {
            tracing::warn!(task = task.id.0, kind = task.kind.word(), why = words.en, "a task failed");
            settle(shared, task, &words).await?;
            store.end_task(task.id, TaskState::Failed, None, Some(&words.json())).await
        }
    }
}

/// Fails the tasks that were begun too often without an end.
pub(super) async fn end_crashed(shared: &Shared) -> Result<(), StoreError> {
    for task in shared.parts.store.running_tasks().await? {
        let en = format!(
            "the service ended {STARTS_MAX} times while it did this, so it is not begun again by itself: ask who runs \
             the service what its log says, then ask for it again, with another file if it has one"
        );
        let zh = format!(
            "服务在执行这项任务时已 {STARTS_MAX} 次中断,因此不再自动重试。请联系服务的运维人员查看日志,然后重新发起;\
             如果涉及文件,请换一个文件"
        );
        end(shared, &task, Err(TaskEnd::Failed(Words::new(en, zh)))).await?;
        shared.announce(&task);
    }
    Ok(())
}

/// Takes what a cancelled task worked on back to a state in which it can be begun again.
pub(super) async fn settle_cancelled(shared: &Shared, task: &TaskRow) -> Result<(), StoreError> {
    settle(shared, task, &Words::new("this was cancelled", "已取消")).await
}

async fn settle(shared: &Shared, task: &TaskRow, words: &Words) -> Result<(), StoreError> {
    match task.kind {
        TaskKind::CheckList => check_list::settle(shared, UploadId(task.subject), words).await,
        TaskKind::LoadList => load_list::settle(shared, UploadId(task.subject), words).await,
        TaskKind::UndoList
        | TaskKind::Forecast
        | TaskKind::ChangeLeads
        | TaskKind::Export
        | TaskKind::Story => Ok(()),
        TaskKind::ImportBlacklist => import_blacklist::settle(shared, task, words).await,
        TaskKind::MeasureAudio => measure_audio::settle(shared, task, words).await,
        TaskKind::Sample => sample::settle(shared, CampaignId(task.subject), words).await,
        TaskKind::ImportCampaign => import_campaign::settle(shared, task, words).await,
    }
}

/// Removes objects without a row, at the start and once a day, until the tasks are gone.
pub(super) async fn keep_files_tidy(shared: Weak<Shared>) {
    let mut due = tokio::time::interval(TIDY_EVERY);
    loop {
        due.tick().await;
        let Some(shared) = shared.upgrade() else { return };
        if let Err(error) = import_campaign::release_folders(&shared).await {
            tracing::warn!(%error, "folders that are not needed could not be removed now");
        }
        if let Err(error) = export::delete_expired(&shared).await {
            tracing::warn!(%error, "exports that are past their time could not be removed now");
        }
        let (store, files) = (&shared.parts.store, shared.parts.files.clone());
        let known = match store.blob_paths().await {
            Ok(known) => known,
            Err(error) => {
                tracing::warn!(%error, "the object store is not tidied now");
                continue;
            }
        };
        let millis = store.clock_now().as_millis().max(0) as u64;
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        match tokio::task::spawn_blocking(move || files.sweep(&known, now)).await {
            Ok(Ok(0)) => {}
            Ok(Ok(removed)) => tracing::info!(removed, "objects without a row were removed"),
            Ok(Err(error)) => tracing::warn!(%error, "the object store could not be tidied"),
            Err(error) => tracing::warn!(%error, "the object store could not be tidied"),
        }
    }
}
