//! Handlers of uploaded lists: receive, look at, map, check, load, undo. The wizard's state is the row's, so a person may
//! leave and come back.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::list_views::{ApprovalStanding, report, task_of, upload};
use super::objects::{self, Sending};
use super::problem::{Problem, language_of};
use super::records::parse_id;
use super::rights::Action;
use super::server::RequestDeadline;
use super::uploads::{receive, remove_object};
use super::versions::{answer_of_row, check_version, with_etag};
use crate::files::{Kind, Stored};
use crate::store::approvals::{ApprovalId, ApprovalKind, ApprovalRefusal, list_hash};
use crate::store::blobs::{BlobId, NewBlob};
use crate::store::list_uploads::{
    EnteredUpload, NewUpload, UploadChange, UploadEditor, UploadId, UploadRefusal, UploadRow, UploadState,
};
use crate::store::task_rows::TaskId;
use crate::store::{CampaignRecord, StoreError, Subject};
use crate::tasks::{self, Changed, FixForm, Mapping, Reading, RowsWanted};
use crate::text::Lang;
use axum::Json;
use axum::body::Body as Sent;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

const PAGE: u32 = 50;

/// An uploaded list that the caller may see.
async fn find(state: &AppState, caller: &Caller, id: &str) -> Result<UploadRow, Problem> {
    let id = UploadId(parse_id(id, "list")?);
    let found = state.store().upload(caller.scope.enterprise, id).await?;
    let found = found.filter(|row| caller.scope.holds(row.enterprise, row.organisation));
    found.filter(|row| row.state != UploadState::Discarded).ok_or_else(|| Problem::not_found("list"))
}

async fn find_campaign(state: &AppState, caller: &Caller, name: &str) -> Result<CampaignRecord, Problem> {
    let found = state.store().reader().await?.campaign_in(&caller.scope, name).await?;
    found.ok_or_else(|| Problem::not_found("campaign"))
}

/// The caller as the one who changes a list in the version that was read.
fn editor(caller: &Caller, row: &UploadRow) -> UploadEditor {
    let account = caller.maker();
    UploadEditor { enterprise: caller.scope.enterprise, account, version: Some(row.version) }
}

async fn shown(state: &AppState, caller: &Caller, row: &UploadRow) -> Result<Value, Problem> {
    let numbers = state.agent_numbers().await?;
    let (task, standing) = (task_of(state, row).await?, approval_standing(state, row).await?);
    Ok(upload(row, task.as_ref(), &numbers, &standing, caller))
}

impl From<UploadRefusal> for Problem {
    fn from(refusal: UploadRefusal) -> Self {
        let conflict = |code, detail: String| Problem::new(StatusCode::CONFLICT, code, detail);
        match refusal {
            UploadRefusal::Unknown => Problem::not_found("list"),
            UploadRefusal::State(state) => {
                let detail = format!("the list is {}, which does not admit this", state.word());
                conflict("wrong_state", detail).with("state", state.word().into())
            }
            UploadRefusal::Version(version) => {
                let detail = "somebody changed it meanwhile: read it again, compare, then apply";
                Problem::new(StatusCode::PRECONDITION_FAILED, "changed", detail)
                    .with("version", version.into())
            }
            UploadRefusal::Called(calls) => {
                let detail =
                    format!("{calls} calls were made from this list, so it stays; close its leads instead");
                conflict("called", detail).with("calls", calls.into())
            }
            UploadRefusal::Busy(TaskId(task)) => {
                conflict("busy", "a task works on this list; wait for it, or cancel it".into())
                    .with("task", task.into())
            }
        }
    }
}

/// A list was changed, and a task may wait for it.
fn begin_work(state: &AppState, id: UploadId) {
    state.tasks().wake();
    state.tasks().announce(Changed::List(id));
}

#[derive(Deserialize)]
pub(super) struct FileNameQuery {
    file_name: Option<String>,
}

/// Receives a list and queues its check.
pub(super) async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Path(campaign): Path<String>,
    Query(query): Query<FileNameQuery>,
    deadline: Option<Extension<RequestDeadline>>,
    headers: HeaderMap,
    body: Sent,
) -> Result<Response, Problem> {
    let name = query
        .file_name
        .ok_or_else(|| Problem::unprocessable("file_name: the name of the file is missing"))?;
    let campaign = find_campaign(&state, &caller, &campaign).await?;
    let deadline = deadline.map(|Extension(deadline)| deadline);
    let stored = receive(&state, &caller, deadline, &headers, body, Kind::List).await?;
    let entered = enter(&state, &caller, &name, &campaign, &stored).await;
    let Ok(entered) = entered else {
        remove_object(&state, &stored.path);
        return entered.map(|_| ().into_response());
    };
    if entered.blob_is_known {
        remove_object(&state, &stored.path);
    }
    begin_work(&state, entered.id);
    let row = find(&state, &caller, &entered.id.0.to_string()).await?;
    let list = shown(&state, &caller, &row).await?;
    let answer = json!({ "list": list, "task": entered.task.0 });
    Ok(with_etag(row.version, (StatusCode::CREATED, Json(answer)).into_response()))
}

async fn enter(
    state: &AppState,
    caller: &Caller,
    name: &str,
    campaign: &CampaignRecord,
    stored: &Stored,
) -> Result<EnteredUpload, Problem> {
    if stored.bytes == 0 {
        return Err(Problem::unprocessable("the file is empty: it has no byte"));
    }
    let file = state.files().file(&stored.path).map_err(Problem::internal)?;
    let sent_as = name.to_owned();
    let looked = tokio::task::spawn_blocking(move || tasks::check_received_list(&file, &sent_as));
    let refused = |why| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not_a_list", why);
    looked.await.map_err(Problem::internal)?.map_err(refused)?;
    let blob = NewBlob {
        enterprise: caller.scope.enterprise,
        kind: Kind::List.word(),
        sha256: stored.sha256,
        bytes: stored.bytes,
        media_type: "application/octet-stream",
        path: &stored.path,
    };
    let made_by = caller.maker();
    let new = NewUpload {
        blob,
        organisation: campaign.organisation,
        campaign: campaign.id,
        file_name: name,
        made_by,
    };
    let mut change = state.change(caller, Action::ListsEdit, Subject::of("list", name)).await?;
    let entered = change.enter_upload(&new).await?;
    change.set_after(json!({ "list": entered.id.0, "file_name": name, "bytes": stored.bytes }));
    change.add_event("list", entered.id.0, json!({ "list": entered.id.0, "state": "checking" }));
    change.commit().await?;
    Ok(entered)
}

#[derive(Deserialize)]
pub(super) struct PageQuery {
    after: Option<i64>,
    limit: Option<u32>,
}

pub(super) async fn lists(
    State(state): State<AppState>,
    caller: Caller,
    Path(campaign): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Value>, Problem> {
    let campaign = find_campaign(&state, &caller, &campaign).await?.id;
    let limit = query.limit.unwrap_or(PAGE);
    let rows =
        state.store().uploads(caller.scope.enterprise, campaign, query.after.map(UploadId), limit).await?;
    let next = rows.last().filter(|_| rows.len() as u32 == limit).map(|row| row.id.0);
    let numbers = state.agent_numbers().await?;
    let mut items = Vec::new();
    for row in rows.iter().filter(|row| caller.scope.holds(row.enterprise, row.organisation)) {
        let standing = approval_standing(&state, row).await?;
        items.push(upload(row, task_of(&state, row).await?.as_ref(), &numbers, &standing, &caller));
    }
    Ok(Json(json!({ "items": items, "next": next })))
}

pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let row = find(&state, &caller, &id).await?;
    let mut answer = shown(&state, &caller, &row).await?;
    answer["found"] = match row.report {
        Some(_) => read_report(&state, &caller, &row).await?,
        None => Value::Null,
    };
    Ok(answer_of_row(row.version, answer))
}

/// The path of an object of a list.
async fn object_path(state: &AppState, blob: Option<BlobId>, what: &str) -> Result<String, Problem> {
    let blob = blob.ok_or_else(|| Problem::not_found(what))?;
    Ok(state.store().blob(blob).await?.path)
}

async fn read_report(state: &AppState, caller: &Caller, row: &UploadRow) -> Result<Value, Problem> {
    let path = object_path(state, row.report, "report").await?;
    let files = state.files().clone();
    let read = tokio::task::spawn_blocking(move || tasks::read_report(&files, &path));
    report(&read.await.map_err(Problem::internal)?.map_err(Problem::internal)?, caller)
}

pub(super) async fn list_report(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let row = find(&state, &caller, &id).await?;
    Ok(Json(read_report(&state, &caller, &row).await?))
}

/// A change of a list: what is left out stays as it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListChange {
    /// How the file is read; what is left out in it is found by the reader.
    reading: Option<Reading>,
    /// Which columns are what; `null` = the reader finds them.
    #[serde(default, deserialize_with = "present")]
    mapping: Option<Option<Mapping>>,
}

/// A field that is there, also as `null`.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Mapping>>, D::Error> {
    Option::deserialize(from).map(Some)
}

pub(super) async fn change(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(asked): Body<ListChange>,
) -> Result<Response, Problem> {
    let row = find(&state, &caller, &id).await?;
    check_version(&headers, row.version, true)?;
    if let Some(reading) = &asked.reading {
        reading.check().map_err(Problem::unprocessable)?;
    }
    if asked.mapping.as_ref().is_some_and(|it| it.as_ref().is_some_and(|it| it.phones.is_empty())) {
        return Err(Problem::unprocessable("mapping.phones: name at least one column with numbers"));
    }
    let text = |value: Value| value.to_string();
    let edit = UploadChange {
        reading: asked.reading.map(|reading| text(json!(reading))),
        mapping: asked.mapping.map(|mapping| mapping.map(|mapping| text(json!(mapping)))),
    };
    let mut change = state.change(&caller, Action::ListsEdit, Subject::of("list", &row.file_name)).await?;
    change.set_before(json!({ "list": row.id.0, "reading": row.reading, "mapping": row.mapping }));
    let task = change.edit_upload(row.id, &edit, editor(&caller, &row)).await??;
    change.set_after(json!({ "list": row.id.0, "reading": edit.reading, "mapping": edit.mapping }));
    change.add_event("list", row.id.0, json!({ "list": row.id.0, "state": "checking" }));
    change.commit().await?;
    begin_work(&state, row.id);
    answer_of_list(&state, &caller, &id, Some(task), None).await
}

/// The answer to a change: the list as it is now, with what was begun.
async fn answer_of_list(
    state: &AppState,
    caller: &Caller,
    id: &str,
    task: Option<TaskId>,
    approval: Option<i64>,
) -> Result<Response, Problem> {
    let row = find(state, caller, id).await?;
    let list = shown(state, caller, &row).await?;
    let answer = json!({ "list": list, "task": task.map(|task| task.0), "approval": approval });
    Ok(with_etag(row.version, (StatusCode::ACCEPTED, Json(answer)).into_response()))
}

#[derive(Deserialize)]
pub(super) struct RowsQuery {
    kind: Option<String>,
    reason: Option<String>,
    after: Option<u64>,
    limit: Option<u32>,
}

/// Callers without the right to read numbers get no row: what is masked could be unmasked by its other cells.
fn require_numbers(caller: &Caller) -> Result<(), Problem> {
    match caller.may(Action::NumbersRead) {
        true => Ok(()),
        false => Err(Problem::missing_right(Action::NumbersRead)),
    }
}

pub(super) async fn rows(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<RowsQuery>,
) -> Result<Json<Value>, Problem> {
    require_numbers(&caller)?;
    let row = find(&state, &caller, &id).await?;
    let report = object_path(&state, row.report, "report of this list yet").await?;
    let fix = match row.fix {
        Some(_) => Some(object_path(&state, row.fix, "fix file").await?),
        None => None,
    };
    let wanted = RowsWanted {
        refused: query.kind.as_deref() != Some("lead"),
        reason: query.reason,
        after: query.after.unwrap_or(0),
        limit: query.limit.unwrap_or(PAGE) as usize,
    };
    let files = state.files().clone();
    let read = move || tasks::read_rows(&files, &report, fix.as_deref(), &wanted);
    let page =
        tokio::task::spawn_blocking(read).await.map_err(Problem::internal)?.map_err(Problem::internal)?;
    let items: Vec<Value> = page
        .rows
        .into_iter()
        .map(|row| json!({ "row": row.row, "cells": row.cells, "reason": row.reason, "hint": row.hint }))
        .collect();
    Ok(Json(json!({ "columns": page.columns, "items": items, "next": page.next })))
}

/// The list as it was sent.
pub(super) async fn file(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    require_numbers(&caller)?;
    let row = find(&state, &caller, &id).await?;
    state.store().blob(row.blob).await?;
    note_access(&state, &caller, &row, "file").await?;
    let (file, _) = state.files().open_object(&row.path).await.map_err(Problem::internal)?;
    let sending = Sending { media_type: "application/octet-stream", save_as: Some(&row.file_name) };
    objects::send(file, sending, &headers).await
}

async fn note_access(state: &AppState, caller: &Caller, row: &UploadRow, what: &str) -> Result<(), Problem> {
    let subject = Subject::of("list", format!("{} {}: {what}", row.id.0, row.file_name));
    state.record_access(caller, Action::ListsEdit, subject).await
}

fn fix_name(row: &UploadRow, ending: &str) -> String {
    let stem = row.file_name.rsplit_once('.').map_or(row.file_name.as_str(), |(stem, _)| stem);
    format!("{stem}.fix.{ending}")
}

#[derive(Deserialize)]
pub(super) struct FixQuery {
    lang: Option<String>,
}

pub(super) async fn fix_csv(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<FixQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    fix_file(&state, &caller, &id, FixForm::Csv, query.lang.as_deref(), &headers).await
}

pub(super) async fn fix_xlsx(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<FixQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    fix_file(&state, &caller, &id, FixForm::Workbook, query.lang.as_deref(), &headers).await
}

/// Sends the refused rows in the language that is asked for; without one, in the caller's.
async fn fix_file(
    state: &AppState,
    caller: &Caller,
    id: &str,
    form: FixForm,
    lang: Option<&str>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    require_numbers(caller)?;
    let lang = match lang {
        Some("zh") => Lang::Zh,
        Some(_) => Lang::En,
        None => language_of(headers),
    };
    let row = find(state, caller, id).await?;
    let path = object_path(state, row.fix, "fix file: no row was refused").await?;
    let (ending, media_type) = match form {
        FixForm::Csv => ("csv", "text/csv; charset=utf-8"),
        FixForm::Workbook => ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    };
    note_access(state, caller, &row, &format!("fix.{ending}")).await?;
    let files = state.files().clone();
    let written = tokio::task::spawn_blocking(move || tasks::write_fix(&files, &path, form, lang));
    let file = written.await.map_err(Problem::internal)?.map_err(Problem::internal)?;
    let name = fix_name(&row, ending);
    objects::send(tokio::fs::File::from_std(file), Sending { media_type, save_as: Some(&name) }, headers)
        .await
}

/// `submit` asks for an approval, `load` makes leads of the list, `undo` takes them away while nobody was called,
/// `discard` drops a list that was not loaded.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListActionRequest {
    action: ListAction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ListAction {
    Submit,
    Load,
    Undo,
    Discard,
}

pub(super) async fn act(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(asked): Body<ListActionRequest>,
) -> Result<Response, Problem> {
    let row = find(&state, &caller, &id).await?;
    check_version(&headers, row.version, false)?;
    let by = editor(&caller, &row);
    check_action(&state, &row, asked.action).await?;
    let mut change = state.change(&caller, Action::ListsEdit, Subject::of("list", &row.file_name)).await?;
    change.set_before(json!({ "list": row.id.0, "state": row.state.word() }));
    let (mut task, mut approval, mut unused) = (None, None, Vec::new());
    let after = match asked.action {
        ListAction::Submit => {
            let asked = change.submit_upload(&row, by.account).await?.map_err(approval_problem)?;
            change.add_event("approval", asked.0, json!({ "approval": asked.0, "state": "open" }));
            approval = Some(asked.0);
            "waiting"
        }
        ListAction::Load => {
            task = Some(change.begin_load(row.id, by).await??);
            "loading"
        }
        ListAction::Undo => {
            task = Some(change.begin_undo(row.id, by).await??);
            "undone"
        }
        ListAction::Discard => {
            unused = change.discard_upload(row.id, by).await??;
            "discarded"
        }
    };
    change.set_after(json!({ "list": row.id.0, "state": after }));
    change.add_event("list", row.id.0, json!({ "list": row.id.0, "state": after }));
    change.commit().await?;
    begin_work(&state, row.id);
    if let Some(approval) = approval {
        state.tasks().announce(Changed::Approval(row.enterprise, ApprovalId(approval)));
    }
    if asked.action == ListAction::Discard {
        unused.iter().for_each(|path| remove_object(&state, path));
        return Ok((StatusCode::ACCEPTED, Json(json!({ "list": null, "task": null, "approval": null })))
            .into_response());
    }
    answer_of_list(&state, &caller, &id, task, approval).await
}

/// Whether another person approves this list before it is loaded. Bytes and mapping that were approved once are.
async fn needs_approval(state: &AppState, row: &UploadRow) -> Result<bool, StoreError> {
    Ok(approval_standing(state, row).await?.is_needed)
}

/// As [`needs_approval`], with what was decided about these bytes and this mapping.
pub(super) async fn approval_standing(
    state: &AppState,
    row: &UploadRow,
) -> Result<ApprovalStanding, StoreError> {
    let all = state.store().organisations().await?;
    // The list's organisation says it, not the caller's.
    if !all.iter().any(|it| it.id == row.organisation && it.settings.approve_lists) {
        return Ok(ApprovalStanding { is_needed: false, decision: None });
    }
    let hash = list_hash(row);
    let decision = state.store().last_decision(row.enterprise, ApprovalKind::List, &hash).await?;
    Ok(ApprovalStanding { is_needed: !decision.as_ref().is_some_and(|it| it.is_approved), decision })
}

/// What is asked before the change begins, since it takes the store some time or needs the switches.
async fn check_action(state: &AppState, row: &UploadRow, action: ListAction) -> Result<(), Problem> {
    match action {
        ListAction::Submit if !needs_approval(state, row).await? => {
            let detail = "this list needs no approval; load it";
            Err(Problem::new(StatusCode::CONFLICT, "not_needed", detail))
        }
        ListAction::Load if needs_approval(state, row).await? => {
            let detail = "another person approves this list first; submit it";
            Err(Problem::new(StatusCode::CONFLICT, "not_approved", detail))
        }
        ListAction::Undo => match state.store().count_upload_calls(row.id).await? {
            0 => Ok(()),
            calls => Err(UploadRefusal::Called(calls).into()),
        },
        _ => Ok(()),
    }
}

pub(super) fn approval_problem(refusal: ApprovalRefusal) -> Problem {
    match refusal {
        ApprovalRefusal::Unknown => Problem::not_found("approval"),
        ApprovalRefusal::NotOpen => {
            let detail = "this was decided or withdrawn already";
            Problem::new(StatusCode::CONFLICT, "not_open", detail)
        }
        ApprovalRefusal::OwnWork => {
            let detail = "nobody approves their own work: ask a colleague who may";
            Problem::new(StatusCode::FORBIDDEN, "own_work", detail)
        }
        ApprovalRefusal::State(state) => UploadRefusal::State(state).into(),
    }
}
