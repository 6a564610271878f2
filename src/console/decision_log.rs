//! The latest pacing decisions of each campaign, in memory: after a restart they begin anew.

use super::app_state::AppState;
use super::auth::Caller;
use super::campaign_series::find_visible;
use super::problem::Problem;
use super::views;
use crate::engine::{EngineHandle, LiveEvent};
use crate::text::TimeFormat;
use axum::Json;
use axum::extract::{Path, Query, State};
use paceline_core::dialer::View;
use paceline_core::ids::CampaignId;
use paceline_core::pacing::Decision;
use paceline_core::time::Utc;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Decisions kept of one campaign, and of all: a decision with its view takes about a kilobyte.
const KEPT_MAX: usize = 5_000;
const KEPT_OF_ALL_MAX: usize = 100_000;

/// Decisions in an answer.
const PAGE: usize = 100;

/// A decision with the view from which it was made.
#[derive(Clone, Debug)]
struct Kept {
    id: u64,
    at: Utc,
    decision: Decision,
    view: Box<View>,
    /// The trunk of `view.line` as screens name it.
    line_trunk: String,
}

#[derive(Debug, Default)]
struct Rings {
    campaigns: BTreeMap<CampaignId, Ring>,
    len: usize,
}

#[derive(Debug, Default)]
struct Ring {
    /// Oldest first.
    decisions: VecDeque<Kept>,
    /// Older ones were dropped.
    is_cut: bool,
}

impl Rings {
    fn push(&mut self, campaign: CampaignId, kept: Kept) {
        let ring = self.campaigns.entry(campaign).or_default();
        ring.decisions.push_back(kept);
        self.len += 1;
        if ring.decisions.len() > KEPT_MAX {
            self.drop_oldest(campaign);
        } else if self.len > KEPT_OF_ALL_MAX
            && let Some(longest) = self.longest()
        {
            self.drop_oldest(longest);
        }
    }

    fn longest(&self) -> Option<CampaignId> {
        self.campaigns.iter().max_by_key(|(_, ring)| ring.decisions.len()).map(|(id, _)| *id)
    }

    fn drop_oldest(&mut self, campaign: CampaignId) {
        if let Some(ring) = self.campaigns.get_mut(&campaign)
            && ring.decisions.pop_front().is_some()
        {
            ring.is_cut = true;
            self.len -= 1;
        }
    }
}

/// The decisions that this process has seen.
#[derive(Debug)]
pub(super) struct DecisionLog {
    rings: Mutex<Rings>,
    /// From this moment on none is missing but those that were dropped for room.
    complete_since: Mutex<Utc>,
}

impl DecisionLog {
    /// A log that is written by a task of its own until the engine is gone. Outside a runtime it stays empty.
    pub fn of(engine: &EngineHandle, now: impl Fn() -> Utc + Send + 'static) -> Arc<DecisionLog> {
        let log = Arc::new(DecisionLog { rings: Mutex::default(), complete_since: Mutex::new(now()) });
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (events, board) = (engine.live(), engine.board());
            let kept_in = log.clone();
            runtime.spawn(async move {
                let name_of_line = |campaign: CampaignId| {
                    let board = board.borrow();
                    board.campaigns.get(&campaign).map(|open| open.line_trunk.clone()).unwrap_or_default()
                };
                kept_in.follow(events, name_of_line, now).await;
            });
        }
        log
    }

    async fn follow(
        &self,
        mut events: broadcast::Receiver<LiveEvent>,
        line_trunk: impl Fn(CampaignId) -> String,
        now: impl Fn() -> Utc,
    ) {
        loop {
            match events.recv().await {
                Ok(LiveEvent::Decision { id, campaign, at, decision, view }) => {
                    let line_trunk = line_trunk(campaign);
                    self.lock().push(campaign, Kept { id, at, decision, view, line_trunk });
                }
                Ok(LiveEvent::Seat(_) | LiveEvent::Finished { .. } | LiveEvent::Minute(_)) => {}
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::debug!(missed, "the log of decisions has a gap");
                    *self.complete_since.lock().unwrap_or_else(PoisonError::into_inner) = now();
                }
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Rings> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Up to `limit` decisions before the one with id `before`, newest first, and since when all are kept.
    fn page(&self, campaign: CampaignId, before: u64, why: Option<&str>, limit: usize) -> (Vec<Kept>, Utc) {
        let complete_since = *self.complete_since.lock().unwrap_or_else(PoisonError::into_inner);
        let rings = self.lock();
        let Some(ring) = rings.campaigns.get(&campaign) else { return (Vec::new(), complete_since) };
        let oldest = ring.decisions.front().filter(|_| ring.is_cut).map(|oldest| oldest.at);
        let wanted = |kept: &&Kept| kept.id < before && why.is_none_or(|why| kept.decision.why.word() == why);
        let found = ring.decisions.iter().rev().filter(wanted).take(limit).cloned().collect();
        (found, oldest.map_or(complete_since, |oldest| oldest.max(complete_since)))
    }
}

#[derive(Deserialize)]
pub(super) struct DecisionsQuery {
    before: Option<u64>,
    why: Option<String>,
}

/// The latest decisions of a campaign, newest first.
pub(super) async fn decisions(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<DecisionsQuery>,
) -> Result<Json<Value>, Problem> {
    let campaign = find_visible(&state, &caller, &name).await?.id;
    let before = query.before.unwrap_or(u64::MAX);
    let (kept, kept_since) = state.decisions().page(campaign, before, query.why.as_deref(), PAGE + 1);
    let next = kept.get(PAGE).and_then(|_| kept.get(PAGE - 1)).map(|last| last.id);
    let moments = views::moments(&state, campaign);
    let items: Vec<Value> = kept.iter().take(PAGE).map(|kept| shown(kept, &moments)).collect();
    Ok(Json(json!({ "items": items, "kept_since": views::moment(kept_since), "next": next })))
}

fn shown(kept: &Kept, moments: &TimeFormat) -> Value {
    json!({
        "id": kept.id,
        "at": views::moment(kept.at),
        "place": kept.decision.place,
        "why": kept.decision.why.word(),
        "limit": kept.decision.why.limit(),
        "words": views::words(&kept.view, &kept.line_trunk, moments),
        "view": views::view(&kept.view),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::pacing::Why;

    fn kept(id: u64) -> Kept {
        let why = if id.is_multiple_of(2) { Why::LinesOut } else { Why::AbandonBudget };
        Kept {
            id,
            at: Utc::from_millis(id as i64),
            decision: Decision { place: 0, why },
            view: Box::default(),
            line_trunk: String::new(),
        }
    }

    #[test]
    fn the_latest_are_kept_and_pages_lead_back() {
        let log = DecisionLog { rings: Mutex::default(), complete_since: Mutex::new(Utc::from_millis(-5)) };
        (0..KEPT_MAX as u64).for_each(|id| log.lock().push(CampaignId(1), kept(id)));
        assert_eq!(log.page(CampaignId(1), u64::MAX, None, 10).1, Utc::from_millis(-5), "none was dropped");
        log.lock().push(CampaignId(1), kept(KEPT_MAX as u64));
        let (page, since) = log.page(CampaignId(1), 100, Some("lines_out"), 3);
        assert_eq!(page.iter().map(|kept| kept.id).collect::<Vec<_>>(), [98, 96, 94]);
        assert_eq!(since, Utc::from_millis(1));
        assert_eq!(log.page(CampaignId(1), 1, None, 3).0.len(), 0, "0 was dropped");
        assert_eq!(log.page(CampaignId(2), 9, None, 3).0.len(), 0);
    }

    #[test]
    fn all_campaigns_together_are_bounded() {
        let mut rings = Rings::default();
        for campaign in 0..30 {
            (0..KEPT_MAX as u64).for_each(|id| rings.push(CampaignId(campaign), kept(id)));
        }
        let sum: usize = rings.campaigns.values().map(|ring| ring.decisions.len()).sum();
        assert_eq!((sum, rings.len), (KEPT_OF_ALL_MAX, KEPT_OF_ALL_MAX));
        assert!(rings.campaigns[&CampaignId(29)].decisions.len() > 3_000, "none is starved");
    }
}
