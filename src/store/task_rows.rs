//! Long work on uploads and campaigns: queued, taken by one thread, and queued again after a crash.

use super::blacklist::json_numbers;
use super::{Scope, Store, StoreError, outbox};
use paceline_core::time::Utc;
use sqlx::SqliteConnection;

/// Row id of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub i64);

/// What a task does. Each kind can be begun again from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskKind {
    CheckList,
    LoadList,
    UndoList,
    MeasureAudio,
    Forecast,
    ChangeLeads,
    Sample,
    /// Takes a campaign's folder in, or opens a campaign file.
    ImportCampaign,
    /// Reads from the journal why a call was dialled and what became of it.
    Story,
    /// Writes a file of results, recordings or records.
    Export,
    /// Reads a blacklist that was sent, or makes it the entries of its source.
    ImportBlacklist,
}

impl TaskKind {
    pub const ALL: [TaskKind; 11] = [
        TaskKind::CheckList,
        TaskKind::LoadList,
        TaskKind::UndoList,
        TaskKind::MeasureAudio,
        TaskKind::Forecast,
        TaskKind::ChangeLeads,
        TaskKind::Sample,
        TaskKind::ImportCampaign,
        TaskKind::Story,
        TaskKind::Export,
        TaskKind::ImportBlacklist,
    ];
    pub const WORDS: [&'static str; 11] = [
        "check_list",
        "load_list",
        "undo_list",
        "measure_audio",
        "forecast",
        "change_leads",
        "sample",
        "import_campaign",
        "story",
        "export",
        "import_blacklist",
    ];

    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    pub fn from_word(word: &str) -> Option<TaskKind> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskState {
    Queued,
    Running,
    Done,
    Failed,
    Cancelled,
}

impl TaskState {
    pub const ALL: [TaskState; 5] =
        [TaskState::Queued, TaskState::Running, TaskState::Done, TaskState::Failed, TaskState::Cancelled];
    pub const WORDS: [&'static str; 5] = ["queued", "running", "done", "failed", "cancelled"];

    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    pub fn from_word(word: &str) -> Option<TaskState> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether it waits or runs.
    pub const fn is_open(self) -> bool {
        matches!(self, TaskState::Queued | TaskState::Running)
    }
}

/// A task that was begun so often without an end is not begun again: it ends the process each time.
pub const STARTS_MAX: i64 = 3;

/// A task to queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewTask {
    pub enterprise: i64,
    pub kind: TaskKind,
    /// Row id of what it works on: an uploaded list, a sound, a campaign.
    pub subject: i64,
    /// Units of work, if known; 0 = not known.
    pub total: u64,
    /// The account; `None` = a program.
    pub asked_by: Option<i64>,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRow {
    pub id: TaskId,
    pub enterprise: i64,
    pub kind: TaskKind,
    pub state: TaskState,
    pub done: u64,
    pub total: u64,
    pub subject: i64,
    /// What was asked beside the subject: JSON of the kind's own.
    pub asked: Option<String>,
    /// JSON of the kind's own.
    pub result: Option<String>,
    /// JSON `{en, zh}`.
    pub error: Option<String>,
    pub asked_by: Option<i64>,
    pub made_at: Utc,
    pub began_at: Option<Utc>,
    pub ended_at: Option<Utc>,
}

/// Which tasks are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Those of this account; `None` = all.
    pub asked_by: Option<i64>,
    pub kind: Option<TaskKind>,
    pub state: Option<TaskState>,
    /// Those before this id.
    pub before: Option<i64>,
}

pub(crate) async fn queue(
    conn: &mut SqliteConnection,
    new: NewTask,
    now: i64,
) -> Result<TaskId, sqlx::Error> {
    queue_request(conn, new, serde_json::json!({ "subject": new.subject }), now).await
}

/// As [`queue`], with what is asked beside the subject.
pub(crate) async fn queue_with(
    conn: &mut SqliteConnection,
    new: NewTask,
    asked: &serde_json::Value,
    now: i64,
) -> Result<TaskId, sqlx::Error> {
    queue_request(conn, new, serde_json::json!({ "subject": new.subject, "asked": asked }), now).await
}

async fn queue_request(
    conn: &mut SqliteConnection,
    new: NewTask,
    request: serde_json::Value,
    now: i64,
) -> Result<TaskId, sqlx::Error> {
    let NewTask { enterprise, kind, subject: _, total, asked_by } = new;
    let (kind, total, request) = (kind.word(), total as i64, request.to_string());
    let id = sqlx::query_scalar!(
        r#"insert into task (enterprise_id, kind, total, request, asked_by, made_at)
           values ($1, $2, $3, $4, $5, $6) returning id as "id!""#,
        enterprise,
        kind,
        total,
        request,
        asked_by,
        now
    )
    .fetch_one(&mut *conn)
    .await?;
    outbox::add_task(conn, id, now).await?;
    Ok(TaskId(id))
}

/// The columns of `task`, as sqlx reads them.
struct Columns {
    id: i64,
    enterprise_id: i64,
    kind: String,
    state: String,
    done: i64,
    total: i64,
    request: String,
    result: Option<String>,
    error: Option<String>,
    asked_by: Option<i64>,
    made_at: i64,
    began_at: Option<i64>,
    ended_at: Option<i64>,
}

impl Columns {
    /// `None` = of a kind that a newer program made.
    fn row(self) -> Option<TaskRow> {
        let request: serde_json::Value = serde_json::from_str(&self.request).ok()?;
        Some(TaskRow {
            id: TaskId(self.id),
            enterprise: self.enterprise_id,
            kind: TaskKind::from_word(&self.kind)?,
            state: TaskState::from_word(&self.state)?,
            done: self.done as u64,
            total: self.total as u64,
            subject: request["subject"].as_i64()?,
            asked: request.get("asked").map(serde_json::Value::to_string),
            result: self.result,
            error: self.error,
            asked_by: self.asked_by,
            made_at: Utc::from_millis(self.made_at),
            began_at: self.began_at.map(Utc::from_millis),
            ended_at: self.ended_at.map(Utc::from_millis),
        })
    }
}

impl Store {
    /// Queues a task.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn queue_task(&self, new: NewTask) -> Result<TaskId, StoreError> {
        let now = self.now().as_millis();
        self.transaction_with_events(async |conn| queue(conn, new, now).await)
            .await
            .map_err(self.query_error())
    }

    /// Takes the oldest queued task: it is running from this commit on. One that was begun before without an end has the
    /// process to itself, so that of two tasks the one that ends the process is known.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn take_task(&self) -> Result<Option<TaskRow>, StoreError> {
        let now = self.now().as_millis();
        let taken = self
            .transaction_with_events(async |conn| {
                let taken = sqlx::query_as!(
                    Columns,
                    r#"update task set state = 'running', began_at = $1, done = 0, starts = starts + 1
                        where id = (select min(oldest.id) from task oldest where oldest.state = 'queued')
                          and not exists (select 1 from task other where other.node_id = 1
                                             and other.state = 'running' and (task.starts > 0 or other.starts > 1))
                       returning id as "id!", enterprise_id as "enterprise_id!", kind as "kind!", state as "state!",
                         done as "done!", total as "total!", request as "request!", result, error, asked_by,
                         made_at as "made_at!", began_at, ended_at"#,
                    now
                )
                .fetch_optional(&mut *conn)
                .await?;
                if let Some(taken) = &taken {
                    outbox::add_task(conn, taken.id, now).await?;
                }
                Ok(taken)
            })
            .await
            .map_err(self.query_error())?;
        match taken.map(|columns| (columns.id, columns.row())) {
            Some((_, Some(row))) => Ok(Some(row)),
            Some((id, None)) => {
                let error = serde_json::json!({
                    "en": "this program does not know this kind of task",
                    "zh": "本版本程序不认识这种任务",
                });
                self.end_task(TaskId(id), TaskState::Failed, None, Some(&error.to_string())).await?;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Queues what ran when the process ended, unless it was begun too often. Returns how many.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn requeue_tasks(&self) -> Result<u64, StoreError> {
        let queued = self
            .transaction(async |conn| {
                let queued = sqlx::query!(
                    "update task set state = 'queued', began_at = null, done = 0
                      where node_id = 1 and state = 'running' and starts < $1",
                    STARTS_MAX
                )
                .execute(conn)
                .await?;
                Ok(queued.rows_affected())
            })
            .await;
        queued.map_err(self.query_error())
    }

    /// The tasks that run, at a start: those that [`Store::requeue_tasks`] left because they were begun too often.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn running_tasks(&self) -> Result<Vec<TaskRow>, StoreError> {
        let mut conn = self.read().await?;
        let rows = sqlx::query_as!(
            Columns,
            r#"select id as "id!", enterprise_id, kind, state, done, total, request, result, error, asked_by,
                      made_at, began_at, ended_at
                 from task where node_id = 1 and state = 'running' order by id"#
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(rows.into_iter().filter_map(Columns::row).collect())
    }

    /// Queues one running task again: the service stops. This start had an end.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn requeue_task(&self, id: TaskId) -> Result<(), StoreError> {
        let now = self.now().as_millis();
        self.transaction_with_events(async |conn| {
            sqlx::query!(
                "update task set state = 'queued', began_at = null, done = 0, starts = starts - 1
                  where id = $1 and state = 'running'",
                id.0
            )
            .execute(&mut *conn)
            .await?;
            outbox::add_task(conn, id.0, now).await
        })
        .await
        .map_err(self.query_error())
    }

    /// # Errors
    /// The store cannot be written.
    pub async fn note_task_progress(&self, id: TaskId, done: u64, total: u64) -> Result<(), StoreError> {
        let (done, total) = (done as i64, total as i64);
        self.transaction(async |conn| {
            sqlx::query!("update task set done = $2, total = $3 where id = $1", id.0, done, total)
                .execute(conn)
                .await?;
            Ok(())
        })
        .await
        .map_err(self.query_error())
    }

    /// Ends a task that is queued or running; `result` and `error` are JSON.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn end_task(
        &self,
        id: TaskId,
        state: TaskState,
        result: Option<&str>,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        let (now, state) = (self.now().as_millis(), state.word());
        self.transaction_with_events(async |conn| {
            let ended = sqlx::query!(
                "update task set state = $2, result = $3, error = $4, ended_at = $5,
                        total = case when $2 = 'done' and total < done then done else total end
                  where id = $1 and state in ('queued', 'running')",
                id.0,
                state,
                result,
                error,
                now
            )
            .execute(&mut *conn)
            .await?;
            match ended.rows_affected() {
                0 => Ok(()),
                _ => outbox::add_task(conn, id.0, now).await,
            }
        })
        .await
        .map_err(self.query_error())
    }

    /// Cancels a task that waits. `false` = it runs, or has ended.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn cancel_queued_task(&self, id: TaskId) -> Result<bool, StoreError> {
        let now = self.now().as_millis();
        let cancelled = self
            .transaction_with_events(async |conn| {
                let cancelled = sqlx::query!(
                    "update task set state = 'cancelled', ended_at = $2 where id = $1 and state = 'queued'",
                    id.0,
                    now
                )
                .execute(&mut *conn)
                .await?;
                let is_cancelled = cancelled.rows_affected() > 0;
                if is_cancelled {
                    outbox::add_task(conn, id.0, now).await?;
                }
                Ok(is_cancelled)
            })
            .await;
        cancelled.map_err(self.query_error())
    }

    /// One task about what is of this scope.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn task(&self, scope: &Scope, id: TaskId) -> Result<Option<TaskRow>, StoreError> {
        let mut conn = self.read().await?;
        let organisations = json_numbers(scope.organisations.iter().copied());
        let is_whole = scope.is_whole();
        let found = sqlx::query_as!(
            Columns,
            r#"select id as "id!", enterprise_id, kind, state, done, total, request, result, error, asked_by,
                      made_at, began_at, ended_at
                 from task t
                where t.id = $1 and t.enterprise_id = $2 and ($3 or
                  case when t.kind in ('check_list', 'load_list', 'undo_list')
                       then (select u.organisation_id from list_upload u
                              where u.id = cast(t.request ->> 'subject' as bigint) and u.enterprise_id = $2)
                       when t.kind = 'measure_audio'
                       then (select s.organisation_id from audio s
                              where s.id = cast(t.request ->> 'subject' as bigint) and s.enterprise_id = $2)
                       when t.kind = 'export'
                       then (select x.organisation_id from export x
                              where x.id = cast(t.request ->> 'subject' as bigint) and x.enterprise_id = $2)
                       when t.kind = 'import_blacklist'
                       then (select y.organisation_id from blacklist_import y
                              where y.id = cast(t.request ->> 'subject' as bigint) and y.enterprise_id = $2)
                       else (select c.organisation_id from campaign c
                              where c.id = cast(t.request ->> 'subject' as bigint) and c.enterprise_id = $2) end
                  in (select cast(value as bigint) from json_each($4)))"#,
            id.0,
            scope.enterprise,
            is_whole,
            organisations
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(found.and_then(Columns::row))
    }

    /// One task, of whichever enterprise.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn task_of_any(&self, id: TaskId) -> Result<Option<TaskRow>, StoreError> {
        let mut conn = self.read().await?;
        let found = sqlx::query_as!(
            Columns,
            r#"select id as "id!", enterprise_id, kind, state, done, total, request, result, error, asked_by,
                      made_at, began_at, ended_at
                 from task where id = $1"#,
            id.0
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(found.and_then(Columns::row))
    }

    /// Tasks, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn tasks(
        &self,
        scope: &Scope,
        filter: &TaskFilter,
        limit: u32,
    ) -> Result<Vec<TaskRow>, StoreError> {
        let mut conn = self.read().await?;
        let organisations = json_numbers(scope.organisations.iter().copied());
        let is_whole = scope.is_whole();
        let (asked_by, limit) = (filter.asked_by, i64::from(limit));
        let (kind, state) = (filter.kind.map(TaskKind::word), filter.state.map(TaskState::word));
        let before = filter.before.unwrap_or(i64::MAX);
        let rows = sqlx::query_as!(
            Columns,
            r#"select id as "id!", enterprise_id, kind, state, done, total, request, result, error, asked_by,
                      made_at, began_at, ended_at
                 from task t
                where t.enterprise_id = $1 and t.id < $2
                  and (cast($3 as bigint) is null or t.asked_by = $3)
                  and (cast($4 as text) is null or t.kind = $4)
                  and (cast($5 as text) is null or t.state = $5)
                  and ($7 or
                  case when t.kind in ('check_list', 'load_list', 'undo_list')
                       then (select u.organisation_id from list_upload u
                              where u.id = cast(t.request ->> 'subject' as bigint) and u.enterprise_id = $1)
                       when t.kind = 'measure_audio'
                       then (select s.organisation_id from audio s
                              where s.id = cast(t.request ->> 'subject' as bigint) and s.enterprise_id = $1)
                       when t.kind = 'export'
                       then (select x.organisation_id from export x
                              where x.id = cast(t.request ->> 'subject' as bigint) and x.enterprise_id = $1)
                       when t.kind = 'import_blacklist'
                       then (select y.organisation_id from blacklist_import y
                              where y.id = cast(t.request ->> 'subject' as bigint) and y.enterprise_id = $1)
                       else (select c.organisation_id from campaign c
                              where c.id = cast(t.request ->> 'subject' as bigint) and c.enterprise_id = $1) end
                  in (select cast(value as bigint) from json_each($8)))
                order by t.id desc limit $6"#,
            scope.enterprise,
            before,
            asked_by,
            kind,
            state,
            limit,
            is_whole,
            organisations
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(rows.into_iter().filter_map(Columns::row).collect())
    }
}

impl super::Change<'_> {
    /// Queues a forecast of a campaign; `asked` = what it assumes.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn queue_forecast(
        &mut self,
        enterprise: i64,
        campaign: paceline_core::ids::CampaignId,
        asked_by: Option<i64>,
        asked: &serde_json::Value,
    ) -> Result<TaskId, StoreError> {
        let new = NewTask { enterprise, kind: TaskKind::Forecast, subject: campaign.0, total: 0, asked_by };
        let now = self.now.as_millis();
        let queued = queue_with(self.conn(), new, asked, now).await;
        queued.map_err(self.store.query_error())
    }

    /// Queues the trace of a call from the journal.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn queue_story(
        &mut self,
        enterprise: i64,
        attempt: paceline_core::ids::AttemptId,
        asked_by: Option<i64>,
    ) -> Result<TaskId, StoreError> {
        let new = NewTask { enterprise, kind: TaskKind::Story, subject: attempt.0, total: 0, asked_by };
        let now = self.now.as_millis();
        let queued = queue(self.conn(), new, now).await;
        queued.map_err(self.store.query_error())
    }

    /// Queues a change of many leads of a campaign; `asked` = which leads, what is done to them, and by whom.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn queue_lead_changes(
        &mut self,
        enterprise: i64,
        campaign: paceline_core::ids::CampaignId,
        total: u64,
        asked_by: Option<i64>,
        asked: &serde_json::Value,
    ) -> Result<TaskId, StoreError> {
        let new = NewTask { enterprise, kind: TaskKind::ChangeLeads, subject: campaign.0, total, asked_by };
        let now = self.now.as_millis();
        let queued = queue_with(self.conn(), new, asked, now).await;
        queued.map_err(self.store.query_error())
    }
}
