//! Uploaded lists and tasks as the API shows them.

use super::app_state::AppState;
use super::auth::Caller;
use super::problem::Problem;
use super::shown_number::{NumberSight, shown_json, shown_text};
use super::versions::etag;
use super::views::{moment, optional_moment};
use crate::store::Scope;
use crate::store::approvals::DecisionRow;
use crate::store::list_uploads::{UploadRow, UploadState};
use crate::store::task_rows::{TaskKind, TaskRow};
use crate::tasks::UploadReport;
use crate::text::{Lang, TaskWords};
use paceline_core::ids::AgentId;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// JSON that the store keeps as text; a text of another program is `null`.
pub(super) fn stored_json(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// Whether a list needs an approval, and what was decided about it.
pub(super) struct ApprovalStanding {
    pub is_needed: bool,
    /// Only where its organisation asks for approvals.
    pub decision: Option<DecisionRow>,
}

/// An uploaded list with the task that works on it.
pub(super) fn upload(
    row: &UploadRow,
    task: Option<&TaskRow>,
    numbers: &BTreeMap<AgentId, String>,
    standing: &ApprovalStanding,
    caller: &Caller,
) -> Value {
    let sight = caller.sight();
    let decision = standing.decision.as_ref().map(|it| {
        json!({
            "approved": it.is_approved,
            "by": it.by.and_then(|id| numbers.get(&AgentId(id))),
            "at": optional_moment(it.at),
            "note": it.note.as_deref().map(|note| shown_text(note, sight)),
        })
    });
    json!({
        "id": row.id.0,
        "campaign": row.campaign_name,
        "file_name": shown_text(&row.file_name, sight),
        "bytes": row.bytes,
        "sha256": row.sha256.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        "state": row.state.word(),
        "reading": shown_json(stored_json(Some(&row.reading)), sight),
        "mapping": shown_json(stored_json(row.mapping.as_deref()), sight),
        "error": shown_json(stored_json(row.error.as_deref()), sight),
        "rows": row.rows,
        "leads": row.leads,
        "refused": row.refused,
        "has_fix_file": row.fix.is_some(),
        "needs_approval": standing.is_needed,
        "decision": decision,
        "is_editable": row.state.is_editable(),
        "may_load": row.state == UploadState::Checked,
        "may_undo": row.state == UploadState::Loaded,
        "made_at": moment(row.made_at),
        "made_by": row.made_by.and_then(|id| numbers.get(&AgentId(id))),
        "changed_at": moment(row.changed_at),
        "version": row.version,
        "etag": etag(row.version),
        "task": task.map(|task| self::task(task, numbers, sight)),
    })
}

/// The document of a check, its cells as the caller may see them.
pub(super) fn report(document: &UploadReport, caller: &Caller) -> Result<Value, Problem> {
    let document = serde_json::to_value(document).map_err(Problem::internal)?;
    Ok(shown_json(document, NumberSight::of(caller)))
}

/// A task.
pub(super) fn task(row: &TaskRow, numbers: &BTreeMap<AgentId, String>, sight: NumberSight) -> Value {
    let words =
        TaskWords { kind: row.kind.word(), state: row.state.word(), done: row.done, total: row.total };
    json!({
        "id": row.id.0,
        "kind": row.kind.word(),
        "state": row.state.word(),
        "done": row.done,
        "total": row.total,
        "subject": { "kind": subject_kind(row.kind), "id": row.subject },
        "words": { "en": Lang::En.task(&words), "zh": Lang::Zh.task(&words) },
        "result": shown_json(stored_json(row.result.as_deref()), sight),
        "error": shown_json(stored_json(row.error.as_deref()), sight),
        "asked_by": row.asked_by.and_then(|id| numbers.get(&AgentId(id))),
        "made_at": moment(row.made_at),
        "began_at": optional_moment(row.began_at),
        "ended_at": optional_moment(row.ended_at),
    })
}

const fn subject_kind(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::CheckList | TaskKind::LoadList | TaskKind::UndoList => "list",
        TaskKind::MeasureAudio => "audio",
        TaskKind::Story => "call",
        TaskKind::Export => "export",
        TaskKind::ImportBlacklist => "blacklist",
        TaskKind::Forecast | TaskKind::ChangeLeads | TaskKind::Sample | TaskKind::ImportCampaign => {
            "campaign"
        }
    }
}

/// The task of a list.
pub(super) async fn task_of(state: &AppState, row: &UploadRow) -> Result<Option<TaskRow>, Problem> {
    match row.task {
        Some(task) => {
            let scope = Scope { enterprise: row.enterprise, organisations: vec![row.organisation] };
            Ok(state.store().task(&scope, task).await?)
        }
        None => Ok(None),
    }
}
