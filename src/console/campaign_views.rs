//! Campaigns as rows in JSON: state, figures, what waits for an approval.

use super::app_state::AppState;
use super::auth::Caller;
use super::problem::Problem;
use super::shown_number::{NumberSight, shown_json, shown_text};
use super::versions::etag;
use super::views::moment;
use super::{caller_id_approvals, caller_id_campaigns};
use crate::config::Config;
use crate::engine::CampaignBoard;
use crate::store::approvals::ApprovalKind;
use crate::store::campaign_rows::{
    CampaignFileRow, CampaignRow, CampaignState, CampaignTotals, DesiredState, WaitingBytes,
};
use crate::store::{OrganisationRow, Scope};
use paceline_core::campaign::SIMULATED_TRUNK;
use paceline_core::ids::{AgentId, CampaignId, GroupId};
use paceline_core::pacing::Why;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the states of campaigns depend on, beside their rows.
pub(super) struct StateFacts {
    waiting: Vec<WaitingBytes>,
    organisations: Vec<OrganisationRow>,
    board: Arc<crate::engine::Board>,
}

impl StateFacts {
    pub async fn load(state: &AppState, scope: &Scope) -> Result<StateFacts, Problem> {
        let mut waiting = state.store().waiting_bytes(scope).await?;
        waiting.extend(caller_id_campaigns::not_approved(state, scope).await?);
        Ok(StateFacts {
            waiting,
            organisations: state.store().organisations().await?,
            board: state.engine().board().borrow().clone(),
        })
    }

    /// The bytes of a campaign that wait, as far as its organisation asks for approvals.
    pub fn waiting(&self, row: &CampaignRow) -> Vec<&WaitingBytes> {
        self.waiting_in(row.id, row.organisation)
    }

    /// As [`StateFacts::waiting`], of a campaign whose row is not at hand.
    pub fn waiting_in(&self, campaign: CampaignId, organisation: i64) -> Vec<&WaitingBytes> {
        let own = self.organisations.iter().find(|it| it.id == organisation);
        let asks = |bytes: &&WaitingBytes| {
            own.is_some_and(|own| match bytes.kind {
                ApprovalKind::Audio => own.settings.approve_audio,
                ApprovalKind::List => own.settings.approve_lists,
                // Whether one is needed is said by the number's organisation.
                ApprovalKind::CallerId => true,
            })
        };
        self.waiting.iter().filter(|bytes| bytes.campaign == campaign).filter(asks).collect()
    }

    /// Whether an approval is missing that the campaign cannot start without. A further list may wait while the
    /// campaign calls those it has.
    pub fn waits(&self, row: &CampaignRow) -> bool {
        self.waiting(row).iter().any(|bytes| bytes.kind != ApprovalKind::List || !row.has_list)
    }

    /// The campaign in the engine; `None` = it is not open, or at its end.
    pub fn live(&self, id: CampaignId) -> Option<&CampaignBoard> {
        self.board.campaigns.get(&id).filter(|it| !it.finished && !it.view.drained)
    }

    /// Whether its calls were let end, so that it calls nobody before it is started again.
    pub fn is_drained(&self, row: &CampaignRow) -> bool {
        let is_shown_drained = self.board.campaigns.get(&row.id).is_some_and(|it| it.view.drained);
        let was_open = row.opened_at.is_some() && row.desired == DesiredState::Closed;
        is_shown_drained || (was_open && self.live(row.id).is_none())
    }

    /// Where the campaign is. The row follows the engine within a second; what the engine has counts.
    pub fn state(&self, row: &CampaignRow) -> CampaignState {
        let kept = row.state(self.waits(row));
        match (self.live(row.id), self.board.campaigns.contains_key(&row.id)) {
            (Some(_), _) if kept.is_open() => kept,
            (Some(live), _) => match live.view.why {
                Some(Why::Paused) => CampaignState::Paused,
                Some(Why::Draining) => CampaignState::Draining,
                _ => CampaignState::Running,
            },
            (None, true) if kept.is_open() => {
                CampaignRow { kept_state: CampaignState::Ready, ..row.clone() }.state(self.waits(row))
            }
            (None, _) => kept,
        }
    }
}

/// The group of agents that a text names.
pub(super) fn group_of(toml: &str) -> Option<String> {
    let table: toml::Table = toml.parse().ok()?;
    let group = table.get("agents")?.get("group")?.as_str()?;
    Some(group.to_owned()).filter(|group| !group.is_empty())
}

/// Whether the campaign of this text calls over the simulated carrier, so that no phone rings.
fn is_simulated(toml: &str, config: &Config) -> bool {
    if !config.has_trunks() {
        return true;
    }
    let table = toml.parse::<toml::Table>().unwrap_or_default();
    let named = table.get("trunks").and_then(toml::Value::as_array);
    named.is_some_and(|named| named.iter().any(|it| it.as_str() == Some(SIMULATED_TRUNK)))
}

/// Whether the caller may see this campaign: a shift lead sees those of its groups.
pub(super) fn may_see(caller: &Caller, row: &CampaignRow, groups: &BTreeMap<String, GroupId>) -> bool {
    caller.can_see_all()
        || caller.can_see_group(group_of(&row.toml).and_then(|name| groups.get(&name).copied()))
}

pub(super) fn waiting_for(waiting: &[&WaitingBytes], campaign: &str, sight: NumberSight) -> Vec<Value> {
    let one = |bytes: &&WaitingBytes| {
        let (href, who) = match bytes.kind {
            ApprovalKind::Audio => (format!("/audio?sound={}", bytes.id), who_decides()),
            ApprovalKind::List => (format!("/campaigns/{campaign}/lists/{}", bytes.id), who_decides()),
            // One that does not stand in the register is entered first.
            ApprovalKind::CallerId if bytes.id == 0 => {
                ("/caller-ids?add=1".to_owned(), caller_id_approvals::who_decides())
            }
            ApprovalKind::CallerId => {
                (format!("/caller-ids?caller-id={}", bytes.title), caller_id_approvals::who_decides())
            }
        };
        // The page of caller IDs has its own right; a link to one names no number to those who see none.
        let (title, href) = (shown_text(&bytes.title, sight), shown_text(&href, sight));
        json!({ "kind": bytes.kind.word(), "id": bytes.id, "title": title, "href": href, "who": who })
    };
    waiting.iter().map(one).collect()
}

pub(super) fn who_decides() -> Value {
    json!({
        "en": "a manager other than the one who uploaded it",
        "zh": "上传者之外的另一位项目负责人",
    })
}

/// JSON `{en, zh}` of the store.
fn trouble(row: &CampaignRow) -> Value {
    row.trouble.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null)
}

pub(super) fn row_view(
    row: &CampaignRow,
    facts: &StateFacts,
    totals: CampaignTotals,
    numbers: &BTreeMap<AgentId, String>,
    sight: NumberSight,
) -> Value {
    let live = facts.live(row.id);
    let braking = live.and_then(|it| it.view.abandon.map(|standing| standing.braking()));
    let CampaignTotals { leads, leads_open, placed, answered } = totals;
    json!({
        "name": row.name,
        "title": row.title,
        "mode": row.mode,
        "state": facts.state(row).word(),
        "waiting_for": waiting_for(&facts.waiting(row), &row.name, sight),
        "trouble": shown_json(trouble(row), sight),
        "group": group_of(&row.toml),
        "leads": leads,
        "leads_open": leads_open,
        "answer_rate": (placed > 0).then(|| answered as f64 / placed as f64),
        "abandon_rate": braking.filter(|rate| rate.of > 0.0).map(|rate| rate.rate),
        "placed": placed,
        "version": row.version,
        "changed_at": moment(row.changed_at),
        "changed_by": row.changed_by.and_then(|id| numbers.get(&AgentId(id))),
        "is_open": live.is_some(),
    })
}

pub(super) fn campaign_view(
    row: &CampaignRow,
    facts: &StateFacts,
    fields: Value,
    files: &[CampaignFileRow],
    numbers: &BTreeMap<AgentId, String>,
    (sight, config): (NumberSight, &Config),
) -> Value {
    let file = |file: &CampaignFileRow| {
        json!({
            "name": file.name,
            "audio": file.audio.as_ref().map(|(id, _)| id),
            "list": null,
            "bytes": file.bytes,
            "state": file.audio.as_ref().map_or("ready", |(_, state)| state.as_str()),
        })
    };
    json!({
        "name": row.name,
        "title": row.title,
        "state": facts.state(row).word(),
        "desired_state": row.desired.word(),
        "waiting_for": waiting_for(&facts.waiting(row), &row.name, sight),
        "trouble": shown_json(trouble(row), sight),
        "toml": row.toml,
        "fields": fields,
        "version": row.version,
        "etag": etag(row.version),
        "changed_at": moment(row.changed_at),
        "changed_by": row.changed_by.and_then(|id| numbers.get(&AgentId(id))),
        "source": row.source,
        "files": files.iter().map(file).collect::<Vec<_>>(),
        "sample": row.is_sample,
        "simulated": is_simulated(&row.toml, config),
    })
}
