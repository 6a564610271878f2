//! Test calls of a campaign: placed in the open campaign, or in one that is opened for them alone; and what came of the
//! last one, for the checklist.

use super::app_state::AppState;
use super::auth::Caller;
use super::campaign_requests::CampaignRequest;
use super::campaigns::find;
use super::fields::parse_telephone;
use super::problem::Problem;
use super::rights::Action;
use super::shown_number::shown_text;
use crate::engine::{CampaignOpening, EngineRequest};
use crate::store::campaign_rows::{CampaignRow, CampaignState};
use crate::store::{Subject, TestCallRow};
use crate::text::{Lang, TimeFormat, fault_lines_zh, fault_zh};
use axum::Json;
use axum::http::StatusCode;
use paceline_core::dialer::input::ManagerAction;
use paceline_core::ids::CampaignId;
use paceline_core::outcome::Outcome;
use paceline_core::time::Utc;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a trunk may take until it is free for a test call.
const TEST_WAIT: Duration = Duration::from_secs(10);

/// Answers with the attempt as the call log has it, or with the reason why there is none. `open` = the campaign, if
/// the engine has it.
pub(super) async fn place(
    state: &AppState,
    caller: &Caller,
    name: &str,
    open: Option<CampaignId>,
    number: &str,
) -> Result<(StatusCode, Json<Value>), Problem> {
    if caller.organisation.suspended {
        return Err(Problem::suspended());
    }
    let number = parse_telephone(number)?;
    // A drained campaign is closed, although the board still shows it.
    let drained = |id: &CampaignId| {
        state.engine().board().borrow().campaigns.get(id).is_some_and(|open| open.view.drained)
    };
    let closed = match open {
        Some(id) if state.campaign_service().is_none() || !drained(&id) => None,
        Some(_) | None => Some(find(state, caller, name).await?),
    };
    if closed.as_ref().is_some_and(|row| row.kept_state == CampaignState::Archived) {
        return Err(Problem::new(StatusCode::CONFLICT, "archived", "an archived campaign places no calls"));
    }
    let mut change = state.change(caller, Action::CampaignsRun, Subject::of("campaign", name)).await?;
    change.set_after(json!({ "action": "test_call", "number": crate::text::masked(number) }));
    change.commit().await?;
    let refused = |en: String, zh: String| {
        let (en, zh) = (shown_text(&en, caller.sight()), shown_text(&zh, caller.sight()));
        let words = json!({ "en": en, "zh": zh });
        Problem::new(StatusCode::CONFLICT, "not_called", en).with("words", words)
    };
    let not_called = |why: &str, zh: String| {
        refused(format!("{number} was not called: {why}"), format!("没有拨打 {number}:{zh}"))
    };
    let (campaign, opening) = match (&closed, open) {
        (Some(row), _) => {
            let prepared = prepare(state, row).await?;
            let faulty = |why: String| {
                // The settings have no file name for who edits them in a form.
                let zh = fault_lines_zh(&why);
                let zh = zh.strip_prefix("campaign.toml:").unwrap_or(&zh).to_owned();
                not_called(why.strip_prefix("campaign.toml: ").unwrap_or(&why), zh)
            };
            (row.id, Some(prepared.map_err(faulty)?))
        }
        (None, Some(id)) => (id, None),
        (None, None) => return Err(Problem::not_found("campaign")),
    };
    let trunks = opening.as_ref().map(|opening| trunk_names(state, opening));
    let placed = state.engine().test_call(campaign, number, opening);
    let Ok(opened) = tokio::time::timeout(TEST_WAIT, placed).await else {
        let secs = TEST_WAIT.as_secs();
        if let Some(trunks) = trunks {
            let action = ManagerAction::WithdrawTest { number };
            state.engine().send(EngineRequest::ManagerAction { campaign, action }).await;
            return Err(not_called(
                &format!("no trunk of the campaign took the call within {secs} s ({trunks}); see the trunks"),
                format!("{secs} 秒内没有线路可用({trunks}):请查看线路"),
            ));
        }
        let board = state.engine().board();
        let view = board.borrow().campaigns.get(&campaign).map(|it| it.view).unwrap_or_default();
        let moments = super::views::moments(state, campaign);
        let (en, zh) = (Lang::En.view(&view, &moments), Lang::Zh.view(&view, &moments));
        return Err(refused(
            format!("{number} was not called within {secs} s and is called as soon as that can be: {en}"),
            format!("{number} 在 {secs} 秒内没有拨出,可以拨打时会立即拨出:{zh}"),
        ));
    };
    let attempt =
        opened.map_err(|why| not_called(&why, fault_zh(&why).unwrap_or_else(|| fault_lines_zh(&why))))?;
    // The campaign may have been archived while its test was prepared.
    if closed.is_some() && find(state, caller, name).await?.kept_state == CampaignState::Archived {
        state.engine().send(EngineRequest::EndTests { campaign }).await;
        return Err(Problem::new(StatusCode::CONFLICT, "archived", "an archived campaign places no calls"));
    }
    Ok((StatusCode::ACCEPTED, Json(json!({ "taken": true, "attempt": attempt.0 }))))
}

/// What the engine needs of a campaign that is not open; the inner error is a sentence for people.
async fn prepare(
    state: &AppState,
    row: &CampaignRow,
) -> Result<Result<Box<CampaignOpening>, String>, Problem> {
    let Some(service) = state.campaign_service() else { return Err(Problem::not_found("open campaign")) };
    let (answer, answered) = oneshot::channel();
    let gone = || "the service is stopping".to_owned();
    Ok(match service.send(CampaignRequest::PrepareTest { campaign: row.id, answer }).await {
        Ok(()) => answered.await.unwrap_or_else(|_| Err(gone())),
        Err(_) => Err(gone()),
    })
}

fn trunk_names(state: &AppState, opening: &CampaignOpening) -> String {
    let board = state.engine().board();
    let board = board.borrow();
    let named = opening.campaign.trunks.iter().filter_map(|it| board.trunk(*it));
    named.map(|trunk| trunk.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What came of the last test call: whether it succeeded, and a sentence in English and Chinese.
pub(super) fn last_test(last: &TestCallRow, changed_at: Utc, moments: &TimeFormat) -> (bool, String, String) {
    let at = moments.written(last.placed_at, "%m-%d %H:%M");
    let Some(ended) = last.ended_at else {
        return (false, format!("a test call is under way, since {at}"), format!("正在测试({at} 开始)"));
    };
    let outcome = last.outcome.as_deref().and_then(Outcome::from_word);
    let (Some(answered), Some(Outcome::Answered)) = (last.answered_at, outcome) else {
        let code = last.sip_code.map(|code| format!(" (SIP {code})")).unwrap_or_default();
        let words = |lang: Lang| outcome.map_or("", |outcome| lang.outcome_words(outcome));
        let (en, zh) = (words(Lang::En), words(Lang::Zh));
        return (
            false,
            format!("the last test call, at {at}, failed: {en}{code}; see what it did, and call again"),
            format!("上次测试({at})没有成功:{zh}{code};请查看过程后重测"),
        );
    };
    let secs = ended.since(answered).as_millis().div_ceil(1_000);
    let keys = match (last.keys.is_empty(), &last.result) {
        (true, _) => (", no key".to_owned(), ",没有按键".to_owned()),
        (false, None) => (format!(", key {}", last.keys), format!(",按键 {}", last.keys)),
        (false, Some(result)) => {
            (format!(", key {} → {result}", last.keys), format!(",按键 {} → {result}", last.keys))
        }
    };
    let (since_en, since_zh) = match changed_at > last.placed_at {
        true => ("; the settings were changed since: test again", ";之后改过设置,建议重测"),
        false => ("", ""),
    };
    (
        true,
        format!("answered {secs} s{} ({at}){since_en}", keys.0),
        format!("接通 {secs} 秒{}({at}){since_zh}", keys.1),
    )
}
