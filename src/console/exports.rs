//! Handlers of exports: asking for one, the list of them, its file and its manifest. Only its maker and admins see an
//! export; numbers are those that its maker may read, and who downloads it must still be allowed to read them.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::blacklist::is_of_system;

use super::call_filters::CallQuery;
use super::fields::parse_moment;
use super::list_views::{self, stored_json};
use super::objects::{self, Sending};
use super::problem::{Problem, language_of};
use super::records::{parse_id, parse_range};
use super::rights::Action;
use super::shown_number::{NumberSight, shown_json, shown_text};
use super::uploads::remove_object;
use super::views::moment;
use crate::store::exports::{ExportId, ExportRow, NewExport};
use crate::store::list_uploads::{UploadId, UploadRow};
use crate::store::task_rows::{TaskRow, TaskState};
use crate::store::{CallFilter, CampaignRecord, Reader, Role, Subject};
use crate::tasks::{
    Changed, Column, EXPORT_COLUMNS_MAX, EXPORTS_OPEN_MAX, ExportFilters, ExportWhat, ExportWish, LeadTable,
    SHEET_ROWS_MAX, SigningKey, attempt_columns, audit_columns, blacklist_columns, call_in_columns,
    hours_columns, signing_key_path,
};
use crate::text::Lang;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use paceline_core::ids::AgentId;
use paceline_core::time::Duration;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const PAGE: u32 = 50;

/// What is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportRequest {
    #[schemars(extend("enum" = ExportWhat::WORDS))]
    what: String,
    /// `zip` for recordings, `csv` or `xlsx` for a list report, the three others for the rest. Several tables come in a zip.
    #[schemars(extend("enum" = ["csv", "xlsx", "parquet", "zip"]))]
    format: String,
    /// Those of the page that shows the rows; without them all rows.
    filters: Option<ExportFilters>,
    /// Names of columns; without them all.
    #[schemars(length(max = 1000), inner(length(min = 1, max = 256)))]
    columns: Option<Vec<String>>,
    /// Several sheets where one does not hold the rows; without it such a workbook is refused.
    split: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct DryRun {
    dry_run: Option<bool>,
}

/// The right that the rows take beside that of exporting.
const fn right_of(what: ExportWhat) -> Action {
    match what {
        ExportWhat::Attempts | ExportWhat::Leads | ExportWhat::Calls | ExportWhat::Agents => {
            Action::ResultsRead
        }
        ExportWhat::ListReport => Action::ListsEdit,
        ExportWhat::Recordings => Action::RecordingsPlay,
        ExportWhat::Audit => Action::AuditRead,
        ExportWhat::Blacklist => Action::BlacklistRead,
    }
}

fn check_rights(caller: &Caller, what: ExportWhat) -> Result<(), Problem> {
    let needed = [Action::ExportsMake, right_of(what)];
    // Rows of lists are given whole or not at all.
    let numbers = (what == ExportWhat::ListReport).then_some(Action::NumbersRead);
    match needed.into_iter().chain(numbers).find(|action| !caller.may(*action)) {
        Some(missing) => Err(Problem::missing_right(missing)),
        None => Ok(()),
    }
}

/// A request that was checked.
struct Checked {
    what: ExportWhat,
    filters: ExportFilters,
    columns: Vec<String>,
    campaigns: Vec<CampaignRecord>,
    list: Option<UploadRow>,
    /// What the filters name.
    found: CallFilter,
}

/// The filters that are those of calls.
fn call_query(filters: &ExportFilters) -> Result<CallQuery, Problem> {
    let mut fields = serde_json::to_value(filters).map_err(Problem::internal)?;
    if let Some(fields) = fields.as_object_mut() {
        // Leads have some of the same names.
        fields.retain(|name, _| ExportWhat::Calls.filters().contains(&name.as_str()));
    }
    serde_json::from_value(fields).map_err(Problem::internal)
}

fn unfit(field: &str, en: &str, zh: &str) -> Problem {
    Problem::of_field(&format!("/filters/{field}"), en, zh)
}

/// Filters by text that would tell a caller who is shown masked numbers what is masked: names and buildings of lists
/// may hold numbers, and a row that is found or not says whether a digit was guessed.
fn check_texts(caller: &Caller, filters: &ExportFilters) -> Result<(), Problem> {
    if caller.sight() == NumberSight::Whole {
        return Ok(());
    }
    // A part of a name is looked for, so that one digit after the other could be tried.
    if filters.name.as_ref().is_some_and(|text| text.chars().any(char::is_numeric)) {
        return Err(unfit(
            "name",
            "without the right to whole numbers, write a name without digits",
            "没有查看完整号码的权限:姓名里不要写数字",
        ));
    }
    // Buildings are compared whole, and their names have digits.
    let masked = |text: &String| shown_text(text, NumberSight::Masked) != *text;
    if filters.building.as_ref().is_some_and(masked) {
        return Err(unfit(
            "building",
            "without the right to whole numbers, write a building without a telephone number",
            "没有查看完整号码的权限:楼栋里不要写电话号码",
        ));
    }
    Ok(())
}

async fn check(
    state: &AppState,
    caller: &Caller,
    reader: &mut Reader,
    asked: &ExportRequest,
) -> Result<Checked, Problem> {
    let known = || Problem::unprocessable(format!("what: one of {}", ExportWhat::WORDS.join(", ")));
    let what = ExportWhat::from_word(&asked.what).ok_or_else(known)?;
    check_rights(caller, what)?;
    if !what.formats().contains(&asked.format.as_str()) {
        return Err(Problem::unprocessable(format!("format: one of {}", what.formats().join(", "))));
    }
    let mut filters = asked.filters.clone().unwrap_or_default();
    let names = filters.names();
    if let Some(name) = names.iter().find(|name| !what.filters().contains(&name.as_str())) {
        return Err(unfit(name, "this export has no such filter", "这种导出没有该筛选条件"));
    }
    check_texts(caller, &filters)?;
    let (from, until) =
        (parse_moment(filters.from.as_deref(), "from")?, parse_moment(filters.until.as_deref(), "until")?);
    if from.zip(until).is_some_and(|(from, until)| from >= until) {
        return Err(unfit("until", "the span ends before it begins", "结束时间早于开始时间"));
    }
    let calls = call_query(&filters)?;
    calls.check()?;
    // Names are looked up, and a look-up by number is noted.
    let found = calls.filter(state, caller, state.now()).await?;
    if let Some(number) = found.number {
        filters.number = Some(number.national());
    }
    if let Some(zone) = &filters.zone
        && jiff::tz::TimeZoneDatabase::bundled().get(zone).is_err()
    {
        return Err(unfit(
            "zone",
            "this is no time zone; write Asia/Shanghai",
            "不是时区;请写 Asia/Shanghai",
        ));
    }
    let all = reader.campaigns().await?.into_iter();
    let seen = all.filter(|it| caller.scope.holds(it.enterprise, it.organisation));
    let campaigns: Vec<_> =
        seen.filter(|it| filters.campaign.as_ref().is_none_or(|name| it.name == *name)).collect();
    if filters.campaign.is_some() && campaigns.is_empty() {
        return Err(Problem::not_found("campaign"));
    }
    if what == ExportWhat::Leads && filters.campaign.is_none() {
        return Err(unfit(
            "campaign",
            "leads are exported of one campaign: name it",
            "客户按活动导出:请指定活动",
        ));
    }
    if what == ExportWhat::Agents && (from.is_none() || until.is_none()) {
        return Err(unfit(
            "from",
            "hours are those of a span: name its two ends",
            "工时按时间范围导出:请指定起止时间",
        ));
    }
    let list = match (what, filters.list) {
        (ExportWhat::ListReport, Some(id)) => {
            let found = state.store().upload(caller.scope.enterprise, UploadId(id)).await?;
            let found = found.filter(|row| caller.scope.holds(row.enterprise, row.organisation));
            Some(found.ok_or_else(|| Problem::not_found("list"))?)
        }
        (ExportWhat::ListReport, None) => {
            return Err(unfit("list", "name the list", "请指定名单"));
        }
        _ => None,
    };
    let columns = asked.columns.clone().unwrap_or_default();
    if columns.len() > EXPORT_COLUMNS_MAX {
        return Err(Problem::unprocessable(format!("columns: at most {EXPORT_COLUMNS_MAX}")));
    }
    let checked = Checked { what, filters, columns, campaigns, list, found };
    let tables = tables_of(reader, &checked).await?;
    let known: BTreeSet<&str> = tables.iter().flatten().map(|column| column.name.as_str()).collect();
    if let Some(place) = checked.columns.iter().position(|name| !known.contains(name.as_str())) {
        return Err(Problem::of_field(
            &format!("/columns/{place}"),
            "the export has no such column",
            "导出中没有该列",
        ));
    }
    Ok(checked)
}

/// The columns of each table.
async fn tables_of(reader: &mut Reader, checked: &Checked) -> Result<Vec<Vec<Column>>, Problem> {
    Ok(match checked.what {
        ExportWhat::Attempts | ExportWhat::Recordings => vec![attempt_columns()],
        ExportWhat::Calls => {
            let outbound = checked.filters.takes_outbound().then(attempt_columns);
            let inbound = checked.filters.takes_inbound().then(call_in_columns);
            outbound.into_iter().chain(inbound).collect()
        }
        ExportWhat::Leads => {
            let mut tables = Vec::new();
            for campaign in &checked.campaigns {
                let imports = reader.imports(campaign.id).await?;
                tables.push(LeadTable::of(campaign, &imports).columns());
            }
            tables
        }
        ExportWhat::Agents => vec![hours_columns()],
        ExportWhat::Audit => vec![audit_columns()],
        ExportWhat::Blacklist => vec![blacklist_columns()],
        ExportWhat::ListReport => Vec::new(),
    })
}

/// Rows of each table; `None` = not known before they are written.
async fn count(
    reader: &mut Reader,
    wish: &ExportWish,
    checked: &Checked,
) -> Result<Vec<Option<u64>>, Problem> {
    let filters = &checked.filters;
    let mut wanted = filters.calls(wish);
    let mut counts = Vec::new();
    match checked.what {
        ExportWhat::Attempts | ExportWhat::Calls | ExportWhat::Recordings => {
            if checked.what == ExportWhat::Recordings {
                wanted.recorded = Some(true);
            }
            if filters.takes_outbound() {
                let mut rows = 0;
                for campaign in &checked.campaigns {
                    rows += reader.count_attempts(campaign.id, &wanted).await?.values().sum::<u64>();
                }
                counts.push(Some(rows));
            }
            if checked.what == ExportWhat::Calls && filters.takes_inbound() {
                counts.push(None);
            }
        }
        ExportWhat::Leads => {
            for campaign in &checked.campaigns {
                let rows = match filters.leads() {
                    Some(filter) => reader.count_leads(campaign.id, &filter, u64::MAX, &|| false).await?.0,
                    None => {
                        let sums = reader.lead_sums(campaign.id).await?;
                        sums.leads.values().chain(sums.refused.values()).sum()
                    }
                };
                counts.push(Some(rows));
            }
        }
        ExportWhat::ListReport => counts.push(checked.list.as_ref().map(|list| list.refused)),
        ExportWhat::Agents | ExportWhat::Audit | ExportWhat::Blacklist => counts.push(None),
    }
    Ok(counts)
}

/// Asks for an export; with `dry_run` says what it would hold.
pub(super) async fn ask(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<DryRun>,
    headers: HeaderMap,
    Body(asked): Body<ExportRequest>,
) -> Result<Response, Problem> {
    let mut reader = state.store().reader().await?;
    let checked = check(&state, &caller, &mut reader, &asked).await?;
    let wish = ExportWish {
        is_split: asked.split == Some(true),
        language: if language_of(&headers) == Lang::Zh { "zh" } else { "en" }.to_owned(),
        enterprise: caller.scope.enterprise,
        organisations: caller.scope.organisations.clone(),
        sees_system: is_of_system(&caller),
        agent: checked.found.agent.map(|agent| agent.0),
        group_agents: checked.found.group.as_ref().map(|group| group.agents.iter().map(|it| it.0).collect()),
        group_campaigns: checked
            .found
            .group
            .iter()
            .flat_map(|group| &group.campaigns)
            .map(|it| it.0)
            .collect(),
        caller_id: checked.found.caller_id,
    };
    let counts = count(&mut reader, &wish, &checked).await?;
    let rows = counts.iter().try_fold(0, |sum, rows| Some(sum + (*rows)?));
    let largest = counts.iter().flatten().max().copied().unwrap_or(0);
    let has_numbers = caller.may(Action::NumbersRead);
    if query.dry_run == Some(true) {
        let tables = tables_of(&mut reader, &checked).await?;
        let mut columns: Vec<&str> = Vec::new();
        for column in tables.iter().flatten() {
            if !columns.contains(&column.name.as_str()) {
                columns.push(&column.name);
            }
        }
        let columns: Vec<String> = columns.into_iter().map(|name| shown_text(name, caller.sight())).collect();
        return Ok(Json(json!({
            "rows": rows,
            "columns": columns,
            "masked": !has_numbers,
            "sheets": largest.div_ceil(SHEET_ROWS_MAX).max(1),
        }))
        .into_response());
    }
    drop(reader);
    if asked.format == "xlsx" && largest > SHEET_ROWS_MAX && asked.split != Some(true) {
        let detail = format!(
            "{largest} rows, and a sheet holds {SHEET_ROWS_MAX}: ask for several sheets with `split`, or for parquet"
        );
        return Err(Problem::new(StatusCode::CONFLICT, "too_many_rows", detail)
            .with("sheets", largest.div_ceil(SHEET_ROWS_MAX).into()));
    }
    if let Some(list) = checked.list.as_ref().filter(|list| list.refused == 0) {
        let detail = format!("the list {} has no refused row: there is nothing to export", list.file_name);
        return Err(Problem::new(StatusCode::CONFLICT, "nothing_to_export", detail));
    }
    let maker = caller.key_space();
    if state.store().open_exports(caller.scope.enterprise, &maker).await? >= EXPORTS_OPEN_MAX {
        let detail = format!(
            "{EXPORTS_OPEN_MAX} exports of yours are on their way; wait for one of them, or cancel it"
        );
        return Err(Problem::too_many_requests(30, detail));
    }
    if !state.files().has_room(0).map_err(Problem::internal)? {
        let detail = "the disk of the service is nearly full, so no file is made; ask its operator for room";
        return Err(Problem::new(StatusCode::INSUFFICIENT_STORAGE, "disk_low", detail));
    }
    let filters = serde_json::to_value(&checked.filters).map_err(Problem::internal)?;
    let days = u64::from(state.config().retention.exports_days.max(1));
    let new = NewExport {
        what: checked.what.word(),
        format: &asked.format,
        filters: &filters,
        columns: &checked.columns,
        has_numbers,
        maker: &maker,
        made_by: caller.maker(),
        expires_at: state.now() + Duration::from_secs(days * 24 * 3_600),
        asked: &serde_json::to_value(&wish).map_err(Problem::internal)?,
        total: rows.unwrap_or(0),
    };
    let mut change =
        state.change(&caller, Action::ExportsMake, Subject::of("export", checked.what.word())).await?;
    let id = change.add_export(&caller.scope, &new).await?;
    change.set_subject(Subject::of("export", id.0));
    change.set_after(json!({
        "what": checked.what.word(),
        "format": asked.format,
        "filters": shown_json(filters.clone(), NumberSight::Masked),
        "columns": checked.columns,
        "numbers": has_numbers,
        "rows": rows,
    }));
    change.commit().await?;
    let row = find(&state, &caller, &id.0.to_string()).await?;
    state.tasks().announce(Changed::Task(row.task));
    state.tasks().wake();
    let view = shown(&state, &caller, &row, &state.agent_numbers().await?).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "export": view, "task": row.task.0 }))).into_response())
}

fn sees_all(caller: &Caller) -> bool {
    caller.role == Role::Admin
}

/// An export that the caller made, or that an admin looks at.
async fn find(state: &AppState, caller: &Caller, id: &str) -> Result<ExportRow, Problem> {
    let missing = || Problem::not_found("export");
    let id = ExportId(parse_id(id, "export")?);
    let row = state.store().export(caller.scope.enterprise, id).await?.ok_or_else(missing)?;
    let is_seen = caller.scope.holds(row.enterprise, row.organisation)
        && (sees_all(caller) || row.maker == caller.key_space())
        && row.expires_at > state.now();
    if is_seen { Ok(row) } else { Err(missing()) }
}

/// Why the caller may not have the file; `None` = it may.
fn refusal(caller: &Caller, row: &ExportRow) -> Option<Problem> {
    if let Some(problem) = ExportWhat::from_word(&row.what).and_then(|what| check_rights(caller, what).err())
    {
        return Some(problem);
    }
    (row.has_numbers && !caller.may(Action::NumbersRead)).then(|| Problem::missing_right(Action::NumbersRead))
}

async fn shown(
    state: &AppState,
    caller: &Caller,
    row: &ExportRow,
    numbers: &BTreeMap<AgentId, String>,
) -> Result<Value, Problem> {
    let task: Option<TaskRow> = state.store().task(&caller.scope, row.task).await?;
    let state_word = task.as_ref().map_or(TaskState::Done, |task| task.state);
    let is_there = row.blob.is_some();
    Ok(json!({
        "id": row.id.0,
        "what": row.what,
        "format": row.format,
        "filters": shown_json(stored_json(Some(&row.filters)), caller.sight()),
        "columns": shown_json(stored_json(Some(&row.columns)), caller.sight()),
        "masked": !row.has_numbers,
        "state": if is_there { TaskState::Done.word() } else { state_word.word() },
        "rows": is_there.then_some(row.rows),
        "bytes": is_there.then_some(row.bytes),
        "file_name": row.file_name,
        "may_download": is_there && refusal(caller, row).is_none(),
        "is_own": row.maker == caller.key_space(),
        "made_by": row.made_by.and_then(|id| numbers.get(&AgentId(id))),
        "made_at": moment(row.made_at),
        "expires_at": moment(row.expires_at),
        "task": task.map(|task| list_views::task(&task, numbers, caller.sight())),
    }))
}

#[derive(Deserialize)]
pub(super) struct PageQuery {
    after: Option<i64>,
    limit: Option<u32>,
}

pub(super) async fn exports(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Value>, Problem> {
    let limit = query.limit.unwrap_or(PAGE);
    let maker = caller.key_space();
    let maker = (!sees_all(&caller)).then_some(maker.as_str());
    let rows = state.store().exports(&caller.scope, maker, query.after, limit).await?;
    let next = rows.last().filter(|_| rows.len() as u32 == limit).map(|row| row.id.0);
    let (numbers, now) = (state.agent_numbers().await?, state.now());
    let mut items = Vec::new();
    for row in rows.iter().filter(|row| row.expires_at > now) {
        items.push(shown(&state, &caller, row, &numbers).await?);
    }
    Ok(Json(json!({ "items": items, "next": next })))
}

pub(super) async fn export(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let row = find(&state, &caller, &id).await?;
    Ok(Json(shown(&state, &caller, &row, &state.agent_numbers().await?).await?))
}

/// It is still being written, or it failed: its task says which.
fn not_there() -> Problem {
    Problem::not_found("file of this export")
}

/// The file, whole or in ranges. Each request that is sent bytes of it is in the audit before the first of them.
pub(super) async fn file(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = find(&state, &caller, &id).await?;
    if let Some(problem) = refusal(&caller, &row) {
        return Err(problem);
    }
    let (path, name) = row.path.as_ref().zip(row.file_name.as_ref()).ok_or_else(not_there)?;
    let (file, size) = state.files().open_object(path).await.map_err(|_| not_there())?;
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    // A range that cannot be satisfied is answered without a byte; one that is not understood, with all of them.
    let is_read = range.and_then(|text| parse_range(text, size)) != Some(None);
    if is_read {
        state.record_access(&caller, Action::ExportsMake, Subject::of("export", row.id.0)).await?;
    }
    let media_type = row.media_type.as_deref().unwrap_or("application/octet-stream");
    objects::send(file, Sending { media_type, save_as: Some(name) }, &headers).await
}

/// The manifest, byte for byte as it was signed.
pub(super) async fn manifest(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let row = find(&state, &caller, &id).await?;
    if let Some(problem) = refusal(&caller, &row) {
        return Err(problem);
    }
    let document = row.manifest.ok_or_else(not_there)?;
    let name = format!("attachment; filename=\"{}-{}.manifest.json\"", row.what, row.id.0);
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, document).into_response())
}

/// Removes an export, also one that is being written.
pub(super) async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let row = find(&state, &caller, &id).await?;
    let mut change = state.change(&caller, Action::ExportsMake, Subject::of("export", row.id.0)).await?;
    change.set_before(json!({ "what": row.what, "format": row.format, "rows": row.rows }));
    let paths = change.remove_export(&row).await?;
    change.commit().await?;
    paths.iter().for_each(|path| remove_object(&state, path));
    // The task finds no row any more and leaves nothing behind.
    state.tasks().cancel(row.task).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The key that manifests are signed with, for those who check them.
pub(super) async fn key(State(state): State<AppState>) -> Result<Json<Value>, Problem> {
    let path = signing_key_path(state.store().path());
    let opened = tokio::task::spawn_blocking(move || SigningKey::open(&path));
    let key = opened.await.map_err(Problem::internal)?.map_err(Problem::internal)?.public();
    Ok(Json(json!({ "algorithm": "Ed25519", "public_key": key.to_hex(), "fingerprint": key.fingerprint() })))
}
