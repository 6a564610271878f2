//! What the approval of a caller ID means to the console: whether one is needed, who decides, what is refused before.

use super::app_state::AppState;
use super::auth::Caller;
use super::problem::Problem;
use crate::store::caller_ids::CallerIdRow;
use axum::http::StatusCode;
use paceline_core::caller_id_life::{CallerIdAct, CallerIdState};
use paceline_core::campaign::caller_id::Usage;
use paceline_core::number::ShownNumber;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Where a number stands with its approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ApprovalStanding {
    NotNeeded,
    /// It was not asked for.
    Missing,
    Waiting,
    Approved,
}

impl ApprovalStanding {
    pub const WORDS: [&'static str; 4] = ["not_needed", "missing", "waiting", "approved"];

    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    pub fn of(row: &CallerIdRow, asking: &BTreeSet<i64>) -> ApprovalStanding {
        match (asking.contains(&row.organisation), row.is_approved(), row.asked) {
            (false, ..) => ApprovalStanding::NotNeeded,
            (true, true, _) => ApprovalStanding::Approved,
            (true, false, Some(_)) => ApprovalStanding::Waiting,
            (true, false, None) => ApprovalStanding::Missing,
        }
    }

    /// Whether calls may show it as far as approvals go.
    pub const fn lets_be_shown(self) -> bool {
        matches!(self, ApprovalStanding::NotNeeded | ApprovalStanding::Approved)
    }

    /// The state after this act; `None` = it is not possible. An approval that is missing can be asked for in every
    /// state that a number is not retired in.
    pub fn after(self, row: &CallerIdRow, act: CallerIdAct) -> Option<CallerIdState> {
        let after = row.state.after(act, row.flags > 0);
        match act {
            CallerIdAct::Request
                if self == ApprovalStanding::Missing && row.state != CallerIdState::Retired =>
            {
                Some(after.unwrap_or(row.state))
            }
            _ => after,
        }
    }

    /// Whether this act would have calls show a number that is not approved.
    pub fn forbids(self, act: CallerIdAct, after: CallerIdState) -> bool {
        act != CallerIdAct::Request && after.usage() != Usage::Not && !self.lets_be_shown()
    }

    /// What is possible now.
    pub fn acts(self, row: &CallerIdRow) -> Vec<CallerIdAct> {
        let is_possible =
            |act: &CallerIdAct| self.after(row, *act).is_some_and(|after| !self.forbids(*act, after));
        CallerIdAct::ALL.into_iter().filter(is_possible).collect()
    }
}

/// Organisations that ask for the approval of their caller IDs.
pub(super) async fn organisations_asking(state: &AppState) -> Result<BTreeSet<i64>, Problem> {
    let all = state.store().organisations().await?;
    Ok(all.into_iter().filter(|it| it.settings.approve_caller_ids).map(|it| it.id).collect())
}

/// Who may decide about a caller ID.
pub(super) fn who_decides() -> Value {
    json!({
        "en": "a manager other than those who entered it, wrote its holder or proof, or asked for it",
        "zh": "登记、修改持有人或证明、提出申请者之外的另一位项目负责人",
    })
}

/// The refusal of an act on a number that is not approved.
pub(super) fn not_approved(standing: ApprovalStanding) -> Problem {
    let detail = match standing {
        ApprovalStanding::Waiting => {
            "its approval was asked for: a colleague who may decide approves it first"
        }
        _ => "another person approves this number first: request it",
    };
    Problem::new(StatusCode::CONFLICT, "not_approved", detail).with("who", who_decides())
}

/// Checks that a test call of this caller may show a number: where its organisation asks for approvals, an approved one;
/// where several enterprises share the trunks, one of its own register.
pub(super) async fn check_shown_by_test(
    state: &AppState,
    caller: &Caller,
    shown: ShownNumber,
) -> Result<(), Problem> {
    let organisations = state.store().organisations().await?;
    let rows = state.store().caller_ids_in(&caller.scope).await?;
    let own = rows.iter().find(|row| row.number == shown && row.state != CallerIdState::Retired);
    let asking = organisations_asking(state).await?;
    let standing = match own {
        Some(row) => ApprovalStanding::of(row, &asking),
        None if asking.contains(&caller.scope.own()) => ApprovalStanding::Missing,
        None if organisations.iter().any(|it| it.parent.unwrap_or(it.id) != caller.scope.enterprise) => {
            return Err(Problem::not_found("caller ID"));
        }
        None => ApprovalStanding::NotNeeded,
    };
    if standing.lets_be_shown() { Ok(()) } else { Err(not_approved(standing)) }
}
