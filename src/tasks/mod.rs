//! Long work: lists are checked, loaded and undone, sounds are measured, campaigns are forecast,
//! the sample campaign is opened, the trace of a call is read from the journal. Two threads of low priority take the oldest
//! queued task of the store each; a task can be begun again from the start, so a crash costs its time and nothing else.

mod asked_by;
mod call_words;
mod caller_id_health;
mod campaign_summary;
mod change_leads;
mod check_list;
mod context;
mod export;
mod folder_zip;
mod forecast;
mod import_blacklist;
mod import_campaign;
mod known_rows;
mod list_report;
mod list_spec;
mod load_list;
mod measure_audio;
mod new_lead;
mod opening;
mod sample;
mod story;
mod vote_owners;
mod vote_watch;
mod worker;

pub use asked_by::AskedBy;
pub use call_words::{call_traces_json, call_traces_text, masked_number, rfc3339};
pub use caller_id_health::judge_caller_ids;
pub use campaign_summary::{Summary, SummaryError, campaign_summary};
pub use change_leads::LeadsWish;
pub use context::Words;
pub use export::{
    Column, EXPORT_COLUMNS_MAX, EXPORTS_OPEN_MAX, ExportFilters, ExportWhat, ExportWish, LeadTable,
    SHEET_ROWS_MAX, SigningKey, attempt_columns, audit_columns, blacklist_columns, call_in_columns,
    hours_columns, signing_key_path,
};
pub use folder_zip::write_folder;
pub use forecast::{
    FORECAST_AGENTS_MAX, FORECAST_HOURS_MAX, FORECAST_SEEDS_MAX, ForecastWish, forecast_refusal,
    measure_history, next_opening,
};
pub use import_blacklist::{BLACKLIST_ROWS_MAX, BlacklistImportReport, BlacklistWish};
pub use import_campaign::{FolderFault, FolderNames, ImportWish, check_folder, name_taken};
pub use known_rows::KnownRows;
pub use list_report::{FixForm, ListRows, RowsWanted, UploadReport, read_report, read_rows, write_fix};
pub use list_spec::{Mapping, Reading};
pub use measure_audio::{Peaks, SoundMeasured, peaks};
pub use new_lead::{PhoneRefusal, clean_phones};
pub use opening::{OpenCampaign, OpenRefusal, UseText};
pub use sample::SampleOpening;
pub use vote_owners::vote_owners;
pub use vote_watch::follow_vote;

pub use crate::audio::{LANE_BINS_MAX, LanePeaks, lane_peaks};

use crate::config::Config;
use crate::engine::EngineHandle;
use crate::files::Files;
use crate::lists;
use crate::store::approvals::ApprovalId;
use crate::store::list_uploads::UploadId;
use crate::store::task_rows::{TaskId, TaskKind, TaskRow, TaskState};
use crate::store::{Store, StoreError};
use paceline_core::number::ShownNumber;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc};

/// What the tasks need.
#[derive(Clone)]
pub struct TaskParts {
    pub store: Arc<Store>,
    pub files: Files,
    pub engine: EngineHandle,
    /// What the texts of campaigns are checked against.
    pub config: Arc<Config>,
    /// Opens campaign files; `None` = this process opens none by itself.
    pub openings: Option<mpsc::Sender<OpenCampaign>>,
    /// Opens sample campaigns; `None` = this process opens none.
    pub samples: Option<mpsc::Sender<SampleOpening>>,
}

/// Handle of the task threads. Cheap to clone; the threads run until [`Tasks::stop`].
#[derive(Clone)]
pub struct Tasks {
    shared: Arc<Shared>,
    threads: Arc<Mutex<Vec<std::thread::JoinHandle<()>>>>,
}

pub(crate) struct Shared {
    pub parts: TaskParts,
    /// Whether one more task may be queued. No part of the runtime: a thread that waits outlives it in silence.
    pub is_woken: Mutex<bool>,
    pub wake: Condvar,
    pub is_stopping: Arc<AtomicBool>,
    /// Running tasks, each with the wish to cancel it.
    pub running: Mutex<BTreeMap<TaskId, Arc<AtomicBool>>>,
    /// For screens. A slow subscriber loses the oldest.
    pub changed: broadcast::Sender<Changed>,
}

/// Something that a screen may show and that is not as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It was queued, began, went on or ended.
    Task(TaskId),
    List(UploadId),
    /// Of this enterprise.
    Approval(i64, ApprovalId),
}

/// Threads that work.
const THREADS: usize = 2;

impl Tasks {
    /// As [`Tasks::idle`] and [`Tasks::begin`].
    ///
    /// # Errors
    /// As [`Tasks::begin`].
    pub async fn start(parts: TaskParts) -> Result<Tasks, StoreError> {
        let tasks = Tasks::idle(parts);
        tasks.begin().await?;
        Ok(tasks)
    }

    /// Queues again what ran when the last process ended, ends what ended it too often, and starts the threads. Must be called in a runtime, once.
    ///
    /// # Errors
    /// The store cannot be written, or the system has no thread to give.
    pub async fn begin(&self) -> Result<(), StoreError> {
        let again = self.shared.parts.store.requeue_tasks().await?;
        if again > 0 {
            tracing::info!(tasks = again, "tasks that the last stop cut off begin again");
        }
        worker::end_crashed(&self.shared).await?;
        let runtime = tokio::runtime::Handle::current();
        let mut threads = self.lock_threads();
        for at in 1..=THREADS {
            let (shared, runtime) = (self.shared.clone(), runtime.clone());
            let thread = std::thread::Builder::new().name(format!("task-{at}"));
            let begun = thread.spawn(move || worker::work(&shared, &runtime));
            let failed = |error| StoreError::cannot_open(Path::new("a thread for tasks"), &error);
            threads.push(begun.map_err(failed)?);
        }
        drop(threads);
        tokio::spawn(worker::keep_files_tidy(Arc::downgrade(&self.shared)));
        tokio::spawn(caller_id_health::keep_caller_ids_judged(Arc::downgrade(&self.shared)));
        tokio::spawn(vote_watch::keep_votes_followed(Arc::downgrade(&self.shared)));
        Ok(())
    }

    /// A handle without threads: tasks are queued and wait.
    pub fn idle(parts: TaskParts) -> Tasks {
        let shared = Shared {
            parts,
            is_woken: Mutex::default(),
            wake: Condvar::new(),
            is_stopping: Arc::default(),
            running: Mutex::default(),
            changed: broadcast::channel(256).0,
        };
        Tasks { shared: Arc::new(shared), threads: Arc::default() }
    }

    fn lock_threads(&self) -> std::sync::MutexGuard<'_, Vec<std::thread::JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A task was queued.
    pub fn wake(&self) {
        self.shared.wake_thread();
    }

    /// Notifies screens.
    pub fn announce(&self, changed: Changed) {
        // Without a screen there is no subscriber.
        let _ = self.shared.changed.send(changed);
    }

    /// What changes from now on.
    pub fn changes(&self) -> broadcast::Receiver<Changed> {
        self.shared.changed.subscribe()
    }

    /// Cancels a task: one that waits at once, one that runs within a second or so.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn cancel(&self, id: TaskId) -> Result<(), StoreError> {
        if self.shared.parts.store.cancel_queued_task(id).await? {
            let task = self.shared.parts.store.task_of_any(id).await?;
            if let Some(task) = task.filter(|task| task.state == TaskState::Cancelled) {
                worker::settle_cancelled(&self.shared, &task).await?;
            }
            self.announce(Changed::Task(id));
        } else if let Some(wish) = self.shared.lock_running().get(&id) {
            wish.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Stops the threads; what runs is queued again. Returns once they have ended.
    pub async fn stop(&self) {
        self.shared.is_stopping.store(true, Ordering::Release);
        let threads = std::mem::take(&mut *self.lock_threads());
        drop(self.shared.lock_woken());
        self.shared.wake.notify_all();
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a task thread ended by a panic");
                }
            }
        });
        if let Err(error) = joined.await {
            tracing::error!(%error, "the task threads were not waited for");
        }
    }
}

impl Shared {
    /// One thread looks for a task.
    pub fn wake_thread(&self) {
        *self.lock_woken() = true;
        self.wake.notify_one();
    }

    /// Waits until a task may be queued, the threads are to stop, or the span is over.
    pub fn wait_for_task(&self, span: Duration) {
        let is_idle = |is_woken: &mut bool| !*is_woken && !self.is_stopping.load(Ordering::Acquire);
        let waited = self.wake.wait_timeout_while(self.lock_woken(), span, is_idle);
        let (mut is_woken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *is_woken = false;
    }

    fn lock_woken(&self) -> std::sync::MutexGuard<'_, bool> {
        self.is_woken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notifies screens of a task and of what it works on.
    pub fn announce(&self, task: &TaskRow) {
        let _ = self.changed.send(Changed::Task(task.id));
        if matches!(task.kind, TaskKind::CheckList | TaskKind::LoadList | TaskKind::UndoList) {
            let _ = self.changed.send(Changed::List(UploadId(task.subject)));
        }
    }

    pub fn lock_running(&self) -> std::sync::MutexGuard<'_, BTreeMap<TaskId, Arc<AtomicBool>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number that calls show, in any form that people write; `region` = the country of one without a country code.
/// `None` = no such number, or digits that could be numbers of two countries.
pub fn parse_caller_id(text: &str, region: &str) -> Option<ShownNumber> {
    lists::caller_id(text, region).ok()
}

/// Refuses a received list early: a workbook that unpacks to more than a list needs, or that is none. CPU work; not for an
/// async task. `name` = as it was sent.
///
/// # Errors
/// The file, what was found, and what to do.
pub fn check_received_list(file: &Path, name: &str) -> Result<(), String> {
    lists::check_workbook(file).map_err(|error| error.named(name).to_string())
}
