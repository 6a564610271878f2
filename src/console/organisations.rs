//! Handlers of organisations: enterprises are made by the operator, and each sets things for itself.

use super::agents::audit_view;
use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::fields::{TEXT, WORD, parse_login, parse_text};
use super::problem::Problem;
use super::rights::Action;
use super::secrets;
use super::versions::{answer_of_row, check_version, with_etag};
use crate::engine::EngineRequest;
use crate::store::{
    AgentDetails, Label, OrganisationRow, OrganisationSettings, PauseReason, Role, Scope, Secrets, Subject,
};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use paceline_core::dialer::input::ManagerAction;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What a slug is made of; it stands in `login@slug`.
const SLUG: &str = "^[a-z0-9][a-z0-9-]{0,31}$";

const PAUSE_REASONS_MAX: usize = 32;

/// People who must be able to decide before approvals are asked for: the one who asks, and another.
const SECOND_PERSON: usize = 2;

/// The people who may decide approvals.
struct Deciders {
    /// The organisation of each.
    organisations: Vec<i64>,
}

impl Deciders {
    async fn load(state: &AppState) -> Result<Deciders, Problem> {
        let roles = Action::ApprovalsDecide.roles();
        let people = state.store().agents().await?.into_iter();
        let organisations = people.filter(|it| roles.contains(&it.details.role)).map(|it| it.organisation);
        Ok(Deciders { organisations: organisations.collect() })
    }

    /// How many decide what belongs to this organisation: its own people, and those of the enterprise above it.
    fn of(&self, row: &OrganisationRow) -> usize {
        self.organisations.iter().filter(|own| **own == row.id || Some(**own) == row.parent).count()
    }
}

/// Refuses to ask for a second person's approval where there is no second person: nobody decides what is their own.
fn refuse_without_second_person(
    row: &OrganisationRow,
    asked: Option<&SettingsChange>,
    deciders: &Deciders,
) -> Result<(), Problem> {
    let Some(asked) = asked else { return Ok(()) };
    let switches = [
        (asked.approve_lists, row.settings.approve_lists),
        (asked.approve_audio, row.settings.approve_audio),
        (asked.approve_caller_ids, row.settings.approve_caller_ids),
    ];
    let turns_on = switches.iter().any(|(wanted, now)| *wanted == Some(true) && !now);
    let count = deciders.of(row);
    if !turns_on || count >= SECOND_PERSON {
        return Ok(());
    }
    let (en, zh) = match count {
        0 => ("nobody may decide approvals here".to_owned(), "这里没有人可以审核".to_owned()),
        _ => (
            "only one person may decide approvals here, and nobody decides on their own work".to_owned(),
            "这里只有一人可以审核,而自己上传的不能自己审核".to_owned(),
        ),
    };
    let en = format!("{en}: give a second person the role of a manager or an admin first");
    let zh = format!("{zh}:请先让另一人成为项目负责人或管理员");
    let problem = Problem::new(StatusCode::CONFLICT, "no_second_person", en.clone());
    Err(problem.with_fault("/settings".to_owned(), "unfit", &en, &zh))
}

fn view(row: &OrganisationRow, all: &[OrganisationRow], deciders: &Deciders) -> Value {
    let parent = row.parent.and_then(|parent| all.iter().find(|it| it.id == parent));
    json!({
        "slug": row.slug,
        "name": row.name,
        "parent": parent.map(|parent| &parent.slug),
        "state": if row.suspended { "suspended" } else { "active" },
        "settings": {
            "analysts_read_numbers": row.settings.analysts_read_numbers,
            "agents_add_leads": row.settings.agents_add_leads,
            "approve_lists": row.settings.approve_lists,
            "approve_audio": row.settings.approve_audio,
            "approve_caller_ids": row.settings.approve_caller_ids,
            "flagged_numbers_stay": row.settings.flagged_numbers_stay,
        },
        "approval_deciders": deciders.of(row),
        "version": row.version,
    })
}

/// Every organisation of the installation, for its operator.
pub(super) async fn list(State(state): State<AppState>) -> Result<Json<Value>, Problem> {
    let all = state.store().organisations().await?;
    let deciders = Deciders::load(&state).await?;
    let items: Vec<Value> = all.iter().map(|row| view(row, &all, &deciders)).collect();
    Ok(Json(json!({ "items": items })))
}

/// The organisation of this slug, if the caller belongs to it or above it.
async fn own(state: &AppState, caller: &Caller, slug: &str) -> Result<OrganisationRow, Problem> {
    let found = state.store().organisations().await?.into_iter().find(|row| row.slug == slug);
    let seen = found.filter(|row| caller.scope.holds(row.enterprise(), row.id));
    seen.ok_or_else(|| Problem::not_found("organisation"))
}

pub(super) async fn show(
    State(state): State<AppState>,
    caller: Caller,
    Path(slug): Path<String>,
) -> Result<Response, Problem> {
    let row = own(&state, &caller, &slug).await?;
    let all = state.store().organisations().await?;
    Ok(answer_of_row(row.version, view(&row, &all, &Deciders::load(&state).await?)))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOrganisation {
    /// Small letters, digits and dashes; people sign in as `login@slug`.
    #[schemars(regex(pattern = SLUG))]
    slug: String,
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    name: String,
    /// Slug of the enterprise that it is a part of; without it an enterprise of its own.
    #[schemars(regex(pattern = SLUG))]
    parent: Option<String>,
    admin: NewAdmin,
}

/// The first account of an organisation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAdmin {
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    name: String,
    #[schemars(length(max = 64), regex(pattern = WORD))]
    login: String,
}

fn check_slug(slug: &str) -> Result<(), Problem> {
    let letters = slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if letters && !slug.starts_with('-') && (1..=32).contains(&slug.len()) {
        return Ok(());
    }
    Err(Problem::unprocessable("slug: 1 to 32 small letters, digits and dashes"))
}

/// Makes an organisation with its first admin; answers with the admin's password, shown once.
pub(super) async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<NewOrganisation>,
) -> Result<Response, Problem> {
    check_slug(&asked.slug)?;
    let name = parse_text("name", &asked.name)?;
    let details = AgentDetails {
        name: parse_text("admin.name", &asked.admin.name)?,
        login: parse_login(&asked.admin.login)?,
        role: Role::Admin,
        telephone: None,
        recorded: false,
        skills: BTreeSet::new(),
        sip_user: None,
    };
    let parent = match &asked.parent {
        None => None,
        Some(slug) => {
            let found = state.store().organisations().await?.into_iter().find(|row| row.slug == *slug);
            let parent = found.ok_or_else(|| Problem::not_found("organisation"))?;
            if parent.parent.is_some() {
                return Err(Problem::unprocessable(
                    "parent: a part of an enterprise has no parts of its own",
                ));
            }
            Some(parent.id)
        }
    };
    let password = secrets::random_password()?;
    let kept = Secrets { password: state.hasher().hash(&password).await?, ..Secrets::default() };
    let number =
        state.store().free_agent_number("9?", 4, secrets::random_number()?, &BTreeSet::new()).await?;
    let number = number.ok_or_else(|| Problem::internal("no agent number of four digits is free"))?;
    let subject = Subject::of("organisation", &asked.slug);
    let mut change = state.change(&caller, Action::OrganisationsMake, subject).await?;
    let id = change.add_organisation(parent, &asked.slug, &name).await?;
    let scope = Scope { enterprise: parent.unwrap_or(id), organisations: vec![id] };
    let agent = change.add_agent(&scope, &number, &details, &kept).await?;
    let row = change.organisation(id).await?;
    let account = change.agent(agent).await?;
    change.set_after(json!({ "name": name, "admin": audit_view(&account, &Default::default()) }));
    change.commit().await?;
    state.send_agent_to_engine(agent).await?;
    let all = state.store().organisations().await?;
    let answer = json!({
        "organisation": view(&row, &all, &Deciders::load(&state).await?),
        "admin": { "number": number, "login": details.login, "password": password },
    });
    Ok(with_etag(row.version, (StatusCode::CREATED, Json(answer)).into_response()))
}

/// A field that is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrganisationChange {
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    name: Option<String>,
    settings: Option<SettingsChange>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SettingsChange {
    /// Whether analysts and auditors read whole telephone numbers.
    analysts_read_numbers: Option<bool>,
    /// Whether agents add leads.
    agents_add_leads: Option<bool>,
    /// Whether a list is loaded only once another person has approved it.
    approve_lists: Option<bool>,
    /// Whether a sound is used only once another person has approved it.
    approve_audio: Option<bool>,
    /// Whether a caller ID is shown only once another person has approved it. Those that are in use when this is turned
    /// on count as approved.
    approve_caller_ids: Option<bool>,
    /// Whether a caller ID whose callees answer too rarely stays in use; it is shown as suspected all the same.
    flagged_numbers_stay: Option<bool>,
}

pub(super) async fn edit(
    State(state): State<AppState>,
    caller: Caller,
    Path(slug): Path<String>,
    headers: HeaderMap,
    Body(asked): Body<OrganisationChange>,
) -> Result<Response, Problem> {
    let found = own(&state, &caller, &slug).await?;
    let name = asked.name.as_deref().map(|name| parse_text("name", name)).transpose()?;
    let deciders = Deciders::load(&state).await?;
    refuse_without_second_person(&found, asked.settings.as_ref(), &deciders)?;
    let row = change_row(&state, &caller, Action::OrganisationEdit, &headers, found.id, |row| {
        row.name = name.unwrap_or_else(|| row.name.clone());
        if let Some(settings) = asked.settings {
            let now = &mut row.settings;
            now.analysts_read_numbers = settings.analysts_read_numbers.unwrap_or(now.analysts_read_numbers);
            now.agents_add_leads = settings.agents_add_leads.unwrap_or(now.agents_add_leads);
            now.approve_lists = settings.approve_lists.unwrap_or(now.approve_lists);
            now.approve_audio = settings.approve_audio.unwrap_or(now.approve_audio);
            now.approve_caller_ids = settings.approve_caller_ids.unwrap_or(now.approve_caller_ids);
            now.flagged_numbers_stay = settings.flagged_numbers_stay.unwrap_or(now.flagged_numbers_stay);
        }
    })
    .await?;
    if row.settings.approve_caller_ids != found.settings.approve_caller_ids {
        state.engine().register_caller_ids(state.store().registered_numbers().await?).await;
    }
    let all = state.store().organisations().await?;
    Ok(answer_of_row(row.version, view(&row, &all, &deciders)))
}

/// Changes an organisation of the caller's; the version of `If-Match` must be the present one.
pub(super) async fn change_row(
    state: &AppState,
    caller: &Caller,
    right: Action,
    headers: &HeaderMap,
    id: i64,
    edit: impl FnOnce(&mut OrganisationRow),
) -> Result<OrganisationRow, Problem> {
    let subject = Subject::of("organisation", id);
    let mut change = state.change(caller, right, subject).await?;
    let before = change.organisation(id).await?;
    check_version(headers, before.version, true)?;
    let mut after = before.clone();
    edit(&mut after);
    let whole = |row: &OrganisationRow| json!({ "name": row.name, "settings": serde_json::to_value(&row.settings).unwrap_or_default() });
    change.set_subject(Subject::of("organisation", &before.slug));
    change.set_before(whole(&before));
    change.set_after(whole(&after));
    change.change_organisation(&after).await?;
    let row = change.organisation(id).await?;
    change.commit().await?;
    Ok(row)
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "action", deny_unknown_fields)]
pub(super) enum OrganisationAction {
    /// No new calls: its campaigns are paused and none is opened. Its people still sign in and read.
    Suspend {},
    /// Campaigns stay paused until people resume them.
    Resume {},
}

pub(super) async fn act(
    State(state): State<AppState>,
    caller: Caller,
    Path(slug): Path<String>,
    Body(asked): Body<OrganisationAction>,
) -> Result<Json<Value>, Problem> {
    let all = state.store().organisations().await?;
    let found = all.iter().find(|row| row.slug == slug).ok_or_else(|| Problem::not_found("organisation"))?;
    let suspended = matches!(asked, OrganisationAction::Suspend {});
    let subject = Subject::of("organisation", &slug);
    let mut change = state.change(&caller, Action::OrganisationsMake, subject).await?;
    let mut row = change.organisation(found.id).await?;
    change.set_before(json!({ "suspended": row.suspended }));
    change.set_after(json!({ "suspended": suspended }));
    row.suspended = suspended;
    change.change_organisation(&row).await?;
    let row = change.organisation(found.id).await?;
    change.commit().await?;
    if suspended {
        let parts: Vec<i64> =
            all.iter().filter(|it| it.id == row.id || it.parent == Some(row.id)).map(|it| it.id).collect();
        for (campaign, facts) in state.campaigns() {
            if parts.contains(&facts.organisation) {
                let action = ManagerAction::Pause;
                state.engine().send(EngineRequest::ManagerAction { campaign, action }).await;
            }
        }
    }
    Ok(Json(view(&row, &all, &Deciders::load(&state).await?)))
}

/// Why agents pause, where the organisation has not chosen reasons of its own.
fn default_reasons() -> Vec<PauseReason> {
    let reason = |code: &str, zh: &str, en: &str, max_secs| PauseReason {
        code: code.into(),
        label: Label { zh: zh.into(), en: en.into() },
        max_secs,
    };
    vec![
        reason("break", "小休", "Short break", Some(900)),
        reason("meal", "就餐", "Meal", Some(3_600)),
        reason("training", "培训", "Training", None),
        reason("meeting", "会议", "Meeting", None),
        reason("paperwork", "整理资料", "Paperwork", Some(1_800)),
        reason("other", "其他", "Other", None),
    ]
}

fn reasons_view(settings: &OrganisationSettings, version: i64) -> Value {
    let own = !settings.pause_reasons.is_empty();
    let reasons = if own { settings.pause_reasons.clone() } else { default_reasons() };
    json!({ "items": reasons, "own": own, "version": version })
}

pub(super) async fn pause_reasons(caller: Caller) -> Response {
    let row = &caller.organisation;
    answer_of_row(row.version, reasons_view(&row.settings, row.version))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PauseReasons {
    /// In the order in which screens show them; none = the built-in ones.
    #[schemars(length(max = 32))]
    items: Vec<PauseReasonRequest>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PauseReasonRequest {
    /// What a pause is logged with.
    #[schemars(regex(pattern = "^[a-z0-9_]{1,32}$"))]
    code: String,
    label: LabelRequest,
    /// After so many seconds screens mark the pause; without it never.
    #[schemars(range(min = 1, max = 86_400))]
    max_secs: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LabelRequest {
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    zh: String,
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    en: String,
}

impl PauseReasons {
    fn parse(self) -> Result<Vec<PauseReason>, Problem> {
        if self.items.len() > PAUSE_REASONS_MAX {
            return Err(Problem::unprocessable(format!("items: at most {PAUSE_REASONS_MAX} reasons")));
        }
        let mut codes = BTreeSet::new();
        let mut reasons = Vec::new();
        for (place, item) in self.items.into_iter().enumerate() {
            let is_word =
                item.code.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_');
            if !is_word || !(1..=32).contains(&item.code.len()) {
                let detail = format!("items/{place}/code: 1 to 32 small letters, digits and _");
                return Err(Problem::unprocessable(detail));
            }
            if !codes.insert(item.code.clone()) {
                return Err(Problem::unprocessable(format!(
                    "items/{place}/code: `{}` is there twice",
                    item.code
                )));
            }
            if item.max_secs.is_some_and(|secs| !(1..=86_400).contains(&secs)) {
                return Err(Problem::unprocessable(format!("items/{place}/max_secs: 1 to 86400")));
            }
            let label = Label {
                zh: parse_text(&format!("items/{place}/label/zh"), &item.label.zh)?,
                en: parse_text(&format!("items/{place}/label/en"), &item.label.en)?,
            };
            reasons.push(PauseReason { code: item.code, label, max_secs: item.max_secs });
        }
        Ok(reasons)
    }
}

pub(super) async fn set_pause_reasons(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Body(asked): Body<PauseReasons>,
) -> Result<Response, Problem> {
    let reasons = asked.parse()?;
    let id = caller.organisation.id;
    let row = change_row(&state, &caller, Action::OrganisationEdit, &headers, id, |row| {
        row.settings.pause_reasons = reasons
    })
    .await?;
    Ok(answer_of_row(row.version, reasons_view(&row.settings, row.version)))
}
