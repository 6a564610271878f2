//! Shapes of the answers about lists, sounds, approvals and tasks.

use super::answers::{Moment, Words, answers, by_hand};
use crate::store::approvals::ApprovalKind;
use crate::store::audio_files::AudioState;
use crate::store::list_uploads::UploadState;
use crate::store::task_rows::{TaskKind, TaskState};
use crate::tasks::{Mapping, Reading, SoundMeasured, UploadReport};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};
use std::borrow::Cow;

by_hand! {
    ListStateWord = json!({ "type": "string", "enum": UploadState::ALL.map(UploadState::word) });
    SoundStateWord = json!({ "type": "string", "enum": AudioState::ALL.map(AudioState::word) });
    TaskKindWord = json!({ "type": "string", "enum": TaskKind::WORDS });
    TaskStateWord = json!({ "type": "string", "enum": TaskState::WORDS });
    TaskSubjectWord = json!({ "type": "string", "enum": ["list", "audio", "campaign", "call", "export", "blacklist"] });
    ApprovalKindWord = json!({ "type": "string", "enum": ApprovalKind::WORDS });
    ApprovalStateWord = json!({ "type": "string", "enum": ["open", "approved", "refused", "withdrawn"] });
}

answers! {
    TaskSubject { kind: TaskSubjectWord, id: i64, }
    TaskView {
        id: i64,
        kind: TaskKindWord,
        state: TaskStateWord,
        /// Of `total` units of the kind.
        done: u64,
        /// 0 = not known.
        total: u64,
        subject: TaskSubject,
        words: Words,
        /// What came of it; the fields are the kind's own.
        result: Option<Value>,
        error: Option<Words>,
        /// The number of the account.
        asked_by: Option<String>,
        made_at: Moment,
        began_at: Option<Moment>,
        ended_at: Option<Moment>,
    }
    TaskList { items: Vec<TaskView>, next: Option<i64>, }

    ListDecision {
        approved: bool,
        /// The number of the account.
        by: Option<String>,
        at: Option<Moment>,
        note: Option<String>,
    }
    ListView {
        id: i64,
        campaign: String,
        file_name: String,
        bytes: u64,
        sha256: String,
        state: ListStateWord,
        reading: Reading,
        /// A person's; `null` = the reader finds the columns.
        mapping: Option<Mapping>,
        error: Option<Words>,
        rows: u64,
        leads: u64,
        refused: u64,
        has_fix_file: bool,
        needs_approval: bool,
        /// About these bytes, reading and columns; `null` = none, or no approval is asked for here.
        decision: Option<ListDecision>,
        is_editable: bool,
        may_load: bool,
        /// Unless somebody on it was called.
        may_undo: bool,
        made_at: Moment,
        made_by: Option<String>,
        changed_at: Moment,
        version: i64,
        etag: String,
        /// The task that works on it, or did last.
        task: Option<TaskView>,
    }
    /// A list with what its check found.
    ListDetail {
        id: i64,
        campaign: String,
        file_name: String,
        bytes: u64,
        sha256: String,
        state: ListStateWord,
        reading: Reading,
        /// A person's; `null` = the reader finds the columns.
        mapping: Option<Mapping>,
        error: Option<Words>,
        rows: u64,
        leads: u64,
        refused: u64,
        has_fix_file: bool,
        needs_approval: bool,
        /// About these bytes, reading and columns; `null` = none, or no approval is asked for here.
        decision: Option<ListDecision>,
        is_editable: bool,
        may_load: bool,
        /// Unless somebody on it was called.
        may_undo: bool,
        made_at: Moment,
        made_by: Option<String>,
        changed_at: Moment,
        version: i64,
        etag: String,
        /// The task that works on it, or did last.
        task: Option<TaskView>,
        found: Option<UploadReport>,
    }
    Lists { items: Vec<ListView>, next: Option<i64>, }
    ListAdded { list: ListView, task: i64, }
    ListChanged {
        /// `null` = discarded.
        list: Option<ListView>,
        task: Option<i64>,
        approval: Option<i64>,
    }
    ListRow { row: u64, cells: Vec<String>, reason: String, hint: String, }
    ListRowsPage { columns: Vec<String>, items: Vec<ListRow>, next: Option<u64>, }

    SoundView {
        id: i64,
        name: String,
        bytes: u64,
        state: SoundStateWord,
        measured: Option<SoundMeasured>,
        /// What callees will notice.
        warnings: Vec<Words>,
        error: Option<Words>,
        /// Campaigns that name it.
        used_by: Vec<String>,
        task: Option<i64>,
        made_at: Moment,
        made_by: Option<String>,
        version: i64,
        etag: String,
    }
    Sounds { items: Vec<SoundView>, next: Option<i64>, }
    Peaks { peaks: Vec<f32>, }

    ApprovalView {
        id: i64,
        kind: ApprovalKindWord,
        subject: i64,
        title: String,
        campaign: Option<String>,
        href: String,
        state: ApprovalStateWord,
        by: Option<String>,
        at: Moment,
        may_decide: bool,
        decided_by: Option<String>,
        decided_at: Option<Moment>,
        note: Option<String>,
    }
    Approvals { items: Vec<ApprovalView>, next: Option<i64>, }
}
