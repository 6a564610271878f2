//! Follows the votes of open campaigns: which untried leads each needs most, and when it is decided.

use super::{Shared, vote_owners};
use crate::config::campaign::vote::VotePlan;
use crate::engine::{EngineHandle, EngineRequest};
use crate::store::campaign_rows::{CampaignState, DesiredState};
use crate::store::votes::VoteCampaign;
use crate::store::{Actor, ActorKind, Store, StoreError, Subject};
use crate::text::Lang;
use paceline_core::dialer::input::ManagerAction;
use paceline_core::ids::{CampaignId, LeadId};
use paceline_core::vote::{Count, Owner, Said, Standing, VoteRules, count, heads};
use serde_json::json;
use std::sync::Weak;

/// Time between two looks.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_secs(60);

/// Follows them once a minute until the tasks are gone.
pub(super) async fn keep_votes_followed(shared: Weak<Shared>) {
    let mut due = tokio::time::interval(LOOK_AGAIN);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        let Some(shared) = shared.upgrade() else { return };
        let parts = &shared.parts;
        let open: Vec<CampaignId> = {
            let board = parts.engine.board();
            let board = board.borrow();
            board.campaigns.iter().filter(|(_, it)| !it.finished).map(|(id, _)| *id).collect()
        };
        for campaign in open {
            if let Err(error) = follow_vote(&parts.store, &parts.engine, campaign).await {
                tracing::warn!(%error, "the vote of a campaign could not be followed now; trying again");
            }
        }
    }
}

/// Counts the vote of an open campaign, orders its untried leads by what the vote still needs, and reports where it
/// stands when that has changed. A campaign without `[vote]` stays as it is.
///
/// # Errors
/// The store cannot be read or written; what was written before stays.
pub async fn follow_vote(
    store: &Store,
    engine: &EngineHandle,
    campaign: CampaignId,
) -> Result<(), StoreError> {
    let Some(found) = store.vote_campaign(campaign).await? else { return Ok(()) };
    let Some(plan) = VotePlan::of_text(&found.toml) else { return Ok(()) };
    let rows = store.reader().await?.owners(campaign).await?;
    let before: Vec<i64> = rows.iter().map(|row| row.order).collect();
    let owners = vote_owners(rows, &plan);
    let rules = plan.rules;
    // A large list takes a second.
    let counted = tokio::task::spawn_blocking(move || {
        let order = changed_order(&rules, &owners, &before);
        (count(&rules, &owners), order)
    });
    let Ok((counted, order)) = counted.await else { return Ok(()) };
    store.set_vote_order(&order).await?;
    report(store, engine, &found, &counted, plan.stop).await
}

/// The places of leads that are not where they were: owners of whom nobody has said anything come by the area that they
/// would bring, the largest first; an owner whose flat has spoken is needed no more.
fn changed_order(rules: &VoteRules, owners: &[Owner], before: &[i64]) -> Vec<(LeadId, i64)> {
    let mut changed = Vec::new();
    for head in heads(rules.joint, owners) {
        let is_needed = head.said == Said::Nothing { is_open: true };
        let area = i64::try_from(head.area).unwrap_or(i64::MAX - 1);
        for place in head.owners {
            let owner = &owners[place];
            let order = if is_needed && owner.is_open { area + 1 } else { 0 };
            if before[place] != order {
                changed.push((LeadId(owner.lead), order));
            }
        }
    }
    changed
}

const fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Open => "open",
        Standing::Certain => "certain",
        Standing::OutOfReach => "out_of_reach",
    }
}

/// Reports a change of standing once; with `stop`, a campaign whose vote is decided drains.
async fn report(
    store: &Store,
    engine: &EngineHandle,
    campaign: &VoteCampaign,
    counted: &Count,
    stop: bool,
) -> Result<(), StoreError> {
    let standing = word(counted.standing);
    if campaign.standing.as_deref() == Some(standing) {
        return Ok(());
    }
    let actor = Actor {
        kind: ActorKind::System,
        id: None,
        name: "service".to_owned(),
        address: String::new(),
        enterprise: campaign.enterprise,
        key: None,
    };
    let drains = stop && counted.standing != Standing::Open;
    let words = json!({ "en": Lang::En.vote(counted), "zh": Lang::Zh.vote(counted) });
    let subject = Subject::of("campaign", &campaign.name);
    let mut change = store.begin_change(&actor, "campaigns.run", subject).await?;
    change.set_vote_standing(campaign.id, standing).await?;
    // That a vote has begun is no news.
    if campaign.standing.is_some() || counted.standing != Standing::Open {
        let body =
            json!({ "campaign": campaign.name, "standing": standing, "drains": drains, "words": words });
        change.add_event("vote", &campaign.name, body);
    }
    if drains {
        change.set_campaign_state(campaign.id, DesiredState::Draining, CampaignState::Draining, None).await?;
        let state = CampaignState::Draining.word();
        change.add_event("campaign", &campaign.name, json!({ "campaign": campaign.name, "state": state }));
        change.set_after(json!({ "action": "drain", "vote": standing, "words": words }));
    } else {
        change.leave_out_of_audit();
    }
    change.commit().await?;
    if drains {
        let action = ManagerAction::Drain;
        engine.send(EngineRequest::ManagerAction { campaign: campaign.id, action }).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::vote::{Flat, Joint, Threshold, Voice};

    #[test]
    fn the_largest_open_area_comes_first_and_who_is_not_needed_last() {
        let rules = VoteRules {
            joint: Joint::One,
            quorum_heads: Threshold::TWO_THIRDS,
            quorum_area: Threshold::TWO_THIRDS,
            majority: Threshold::HALF,
            heads_total: None,
            area_total: None,
        };
        let owner = |lead: i64, flat: &str, area: Option<u64>, voice: Option<Voice>| Owner {
            lead,
            flats: vec![Flat { name: Some(flat.to_owned()), area }],
            voice,
            is_open: voice.is_none(),
        };
        let owners = [
            owner(1, "a", Some(8_000), None),
            owner(2, "b", Some(12_000), None),
            owner(3, "c", Some(30_000), Some(Voice::Agree)),
            owner(4, "c", Some(30_000), None),
            owner(5, "d", None, None),
        ];
        let order = changed_order(&rules, &owners, &[0; 5]);
        assert_eq!(order, [(LeadId(1), 8_001), (LeadId(2), 12_001), (LeadId(5), 1)]);
        assert_eq!(changed_order(&rules, &owners, &[8_001, 12_001, 0, 7, 1]), [(LeadId(4), 0)]);
    }
}
