//! What a running task has at hand: the store and the object store, its progress, and whether it is to end.

use super::{Changed, Shared};
use crate::store::StoreError;
use crate::store::task_rows::TaskRow;
use paceline_core::time::Utc;
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;

/// One sentence in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Words {
    pub en: String,
    pub zh: String,
}

impl Words {
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Words {
        Words { en: en.into(), zh: zh.into() }
    }

    pub fn json(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

/// Why a task ended before its end.
#[derive(Debug)]
pub(super) enum TaskEnd {
    Cancelled,
    /// The service stops: the task begins again with the next.
    Stopping,
    /// What was found and what to do.
    Failed(Words),
}

impl From<Words> for TaskEnd {
    fn from(words: Words) -> Self {
        TaskEnd::Failed(words)
    }
}

impl From<StoreError> for TaskEnd {
    fn from(error: StoreError) -> Self {
        TaskEnd::Failed(Words::new(error.to_string(), format!("数据库无法读写:{error}")))
    }
}

impl From<io::Error> for TaskEnd {
    fn from(error: io::Error) -> Self {
        TaskEnd::Failed(Words::new(
            format!("the object store cannot be read or written: {error}"),
            format!("文件存储无法读写:{error}"),
        ))
    }
}

/// Time between two writes of the progress, in milliseconds.
const NOTED_EVERY: i64 = 1_000;

pub(super) struct TaskContext<'a> {
    pub shared: &'a Shared,
    pub task: &'a TaskRow,
    runtime: &'a Handle,
    is_cancelled: Arc<AtomicBool>,
    noted_at: Option<Utc>,
}

impl<'a> TaskContext<'a> {
    pub fn new(
        shared: &'a Shared,
        runtime: &'a Handle,
        task: &'a TaskRow,
        is_cancelled: Arc<AtomicBool>,
    ) -> TaskContext<'a> {
        TaskContext { shared, task, runtime, is_cancelled, noted_at: None }
    }

    /// The same task at work on something else: `task` is its row with another subject.
    pub fn with_task<'b>(&self, task: &'b TaskRow) -> TaskContext<'b>
    where
        'a: 'b,
    {
        TaskContext::new(self.shared, self.runtime, task, self.is_cancelled.clone())
    }

    /// Waits for the store. The task threads belong to no runtime, so they may.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Whether the task is to go on. A reading that fails is asked first: it ends when its task does.
    ///
    /// # Errors
    /// The task is cancelled, or the service stops.
    pub fn check_wanted(&self) -> Result<(), TaskEnd> {
        if self.is_cancelled.load(Ordering::Acquire) {
            return Err(TaskEnd::Cancelled);
        }
        if self.shared.is_stopping.load(Ordering::Acquire) {
            return Err(TaskEnd::Stopping);
        }
        Ok(())
    }

    /// The moment from which [`TaskContext::rest`] counts.
    pub fn now(&self) -> Utc {
        self.shared.parts.store.clock_now()
    }

    /// Leaves the disk to calls for as long as the work since `began` took.
    pub fn rest(&self, began: Utc, most: Duration) {
        let took = self.now().as_millis().saturating_sub(began.as_millis()).max(0) as u64;
        std::thread::sleep(Duration::from_millis(took).min(most));
    }

    /// Notes the progress, at most once a second.
    ///
    /// # Errors
    /// As [`TaskContext::check_wanted`].
    pub fn progress(&mut self, done: u64, total: u64) -> Result<(), TaskEnd> {
        self.check_wanted()?;
        let store = &self.shared.parts.store;
        let now = store.clock_now();
        let is_due = self.noted_at.is_none_or(|at| {
            let since = now.as_millis().saturating_sub(at.as_millis());
            // The wall clock may have been set back.
            !(0..NOTED_EVERY).contains(&since)
        });
        let is_whole = total > 0 && done == total;
        if is_due || is_whole {
            self.noted_at = Some(now);
            self.wait(store.note_task_progress(self.task.id, done, total))?;
            let _ = self.shared.changed.send(Changed::Task(self.task.id));
        }
        Ok(())
    }
}
