//! Changes many leads of a campaign, a few at a time beside live calls: each piece is one change with its row in the
//! audit, and the dialer is notified of it.

use super::asked_by::AskedBy;
use super::context::{TaskContext, TaskEnd, Words};
use crate::engine::EngineRequest;
use crate::store::lead_actions::LeadAction;
use crate::store::{BlacklistAddition, LeadFilter, LeadKey, Subject};
use paceline_core::dialer::input::ManagerAction;
use paceline_core::ids::{CampaignId, LeadId};
use paceline_core::number_pattern::NumberPattern;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Leads of one change: it holds up the commits of calls for its own length.
const CHUNK: usize = 50;

/// Leads that are looked for at once.
const PAGE: usize = 500;

/// Longest pause after a change.
const PAUSE_MAX_MILLIS: i64 = 2_000;

/// Which leads are changed, how, and in whose name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadsWish {
    pub action: LeadAction,
    pub reason: Option<String>,
    /// These leads; `None` = those of the filter.
    pub ids: Option<Vec<i64>>,
    pub filter: LeadFilter,
    /// The campaign's name, for the audit.
    pub campaign: String,
    #[serde(flatten)]
    pub asked_by: AskedBy,
}

/// What came of it.
#[derive(Default)]
struct Outcome {
    done: u64,
    refused: BTreeMap<&'static str, u64>,
}

impl Outcome {
    fn seen(&self) -> u64 {
        self.done + self.refused.values().sum::<u64>()
    }
}

pub(super) fn change_leads(context: &mut TaskContext<'_>) -> Result<Value, TaskEnd> {
    let unreadable = || {
        TaskEnd::Failed(Words::new(
            "the request of this task cannot be read; ask again",
            "任务内容无法读取,请重新提交",
        ))
    };
    let asked = context.task.asked.as_deref().ok_or_else(unreadable)?;
    let wish: LeadsWish = serde_json::from_str(asked).map_err(|_| unreadable())?;
    let (campaign, total) = (CampaignId(context.task.subject), context.task.total);
    let mut outcome = Outcome::default();
    let mut after = LeadKey::default();
    loop {
        let (leads, next) = match &wish.ids {
            Some(ids) => (ids.clone(), None),
            None => {
                let mut reader = context.wait(context.shared.parts.store.reader())?;
                let page = context.wait(reader.lead_page(campaign, &wish.filter, after, PAGE, &|| false))?;
                (page.leads.iter().map(|key| key.lead).collect(), page.next)
            }
        };
        for chunk in leads.chunks(CHUNK) {
            change_chunk(context, campaign, &wish, chunk, &mut outcome)?;
            context.progress(outcome.seen(), total.max(outcome.seen()))?;
        }
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    Ok(json!({ "done": outcome.done, "refused": outcome.refused }))
}

fn change_chunk(
    context: &TaskContext<'_>,
    campaign: CampaignId,
    wish: &LeadsWish,
    chunk: &[i64],
    outcome: &mut Outcome,
) -> Result<(), TaskEnd> {
    let (store, scope) = (&context.shared.parts.store, wish.asked_by.scope());
    let began = store.clock_now();
    let subject = Subject::of("campaign", &wish.campaign);
    let mut change = context.wait(store.begin_change(&wish.asked_by.actor(), "leads.edit", subject))?;
    let (mut leads, mut patterns) = (Vec::new(), Vec::new());
    for id in chunk {
        let lead = LeadId(*id);
        match context.wait(change.change_lead(&scope, campaign, lead, &wish.action))? {
            Ok(changed) => {
                leads.push(lead);
                patterns.extend(changed.numbers.into_iter().map(NumberPattern::exact));
            }
            Err(refusal) => *outcome.refused.entry(refusal.word()).or_default() += 1,
        }
    }
    if leads.is_empty() {
        return Ok(());
    }
    let addition = (wish.action == LeadAction::Blacklist).then(|| BlacklistAddition {
        campaign: Some(campaign),
        patterns,
        source: "by hand".into(),
        reason: wish.reason.clone(),
        added_by: Some(wish.asked_by.name.clone()),
        until: None,
    });
    if let Some(addition) = &addition {
        context.wait(change.add_blacklist(addition))?;
    }
    change.set_after(json!({
        "action": wish.action.word(), "reason": wish.reason, "leads": leads.iter().map(|lead| lead.0).collect::<Vec<_>>(),
    }));
    change.add_event("leads", campaign, json!({ "campaign": wish.campaign, "leads": leads.len() }));
    context.wait(change.commit())?;
    outcome.done += leads.len() as u64;
    if let Some(addition) = &addition {
        context.wait(store.apply_blacklist(addition))?;
    }
    let action = ManagerAction::LeadsChanged { leads };
    context.wait(context.shared.parts.engine.send(EngineRequest::ManagerAction { campaign, action }));
    let took = store.clock_now().as_millis().saturating_sub(began.as_millis()).clamp(0, PAUSE_MAX_MILLIS);
    std::thread::sleep(Duration::from_millis(took as u64));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape of requests that wait in stores.
    #[test]
    fn a_request_has_its_asker_beside_the_other_fields() {
        let kept = json!({
            "action": LeadAction::First, "reason": null, "ids": [4], "filter": LeadFilter::default(),
            "campaign": "spring", "enterprise": 1, "organisations": [1, 2], "by": 3, "is_person": true,
            "name": "8003 N", "address": "::1",
        });
        let wish: LeadsWish = serde_json::from_value(kept.clone()).expect("a request");
        assert_eq!((wish.asked_by.by, wish.asked_by.name.as_str()), (Some(3), "8003 N"));
        assert_eq!(serde_json::to_value(&wish).expect("JSON"), kept);
    }
}
