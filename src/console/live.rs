//! The live stream (server-sent events): a snapshot, then events as they happen. A reader that falls
//! behind gets a fresh snapshot instead of the events it missed.

use super::app_state::AppState;
use super::auth::{self, Caller};
use super::campaign_series;
use super::floor::{self, Scope};
use super::limits::{STREAMS_PER_ACCOUNT_MAX, StreamPermit, StreamRefusal};
use super::problem::Problem;
use super::rights::Action;
use super::sessions;
use super::{list_views, task_routes, views};
use crate::engine::LiveEvent;
use crate::tasks::Changed;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use paceline_core::ids::CampaignId;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::{Interval, MissedTickBehavior};

/// How often campaign figures are compared; changed ones are sent.
const CAMPAIGNS_EVERY: Duration = Duration::from_secs(1);

/// Longer than the engine's interval between two boards (200 ms).
const BOARD_WAIT: Duration = Duration::from_millis(500);

/// How often a `beat` is sent and the reader's session is checked again.
const BEAT_EVERY: Duration = Duration::from_secs(15);

struct LiveStream {
    state: AppState,
    headers: HeaderMap,
    caller: Caller,
    scope: Scope,
    events: broadcast::Receiver<LiveEvent>,
    /// Tasks, lists and approvals.
    changes: broadcast::Receiver<Changed>,
    queue: VecDeque<Event>,
    /// As last sent.
    campaigns: BTreeMap<CampaignId, Value>,
    campaigns_due: Interval,
    beat: Interval,
    /// Counts this stream against the limits while it is open.
    _permit: StreamPermit,
}

pub(super) async fn live(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let permit = state.live_streams().try_open(caller.stream_reader()).map_err(|refusal| match refusal {
        StreamRefusal::AccountFull => {
            let detail = format!("this account has {STREAMS_PER_ACCOUNT_MAX} live streams; close a screen");
            Problem::too_many_requests(5, detail)
        }
        StreamRefusal::ServiceFull => Problem::full("as many screens as this service serves are open"),
    })?;
    // Subscribe first, so that events during the making of the snapshot follow it.
    let events = state.engine().live();
    let changes = state.tasks().changes();
    let scope = Scope::of(&state, &caller).await?;
    let mut stream = LiveStream {
        state,
        headers,
        caller,
        scope,
        events,
        changes,
        queue: VecDeque::new(),
        campaigns: BTreeMap::new(),
        campaigns_due: every(CAMPAIGNS_EVERY),
        beat: every(BEAT_EVERY),
        _permit: permit,
    };
    stream.push_snapshot().await;
    let events = stream::unfold(stream, |mut stream| async move {
        let event = stream.next().await?;
        Some((Ok::<Event, Infallible>(event), stream))
    });
    let mut response = Sse::new(events).into_response();
    // Keeps nginx from buffering the stream.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn every(span: Duration) -> Interval {
    let mut interval = tokio::time::interval(span);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval.reset();
    interval
}

impl LiveStream {
    /// Sends a snapshot. The board is written a few times a second, so the next one is awaited: one written
    /// before the subscription would lack the events in between.
    async fn push_snapshot(&mut self) {
        let mut board = self.state.engine().board();
        board.mark_unchanged();
        // After a timeout the engine has stopped, and the last board is final.
        let _ = tokio::time::timeout(BOARD_WAIT, board.changed()).await;
        self.queue.clear();
        self.campaigns = self.scope.campaigns(&self.state, &floor::board(&self.state));
        self.push("snapshot", &floor::snapshot(&self.state, &self.scope));
    }

    fn push(&mut self, what: &str, data: &Value) {
        self.queue.push_back(Event::default().event(what).data(data.to_string()));
    }

    /// The next event; `None` = the session has ended, or the engine has stopped.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            tokio::select! {
                event = self.events.recv() => match event {
                    Ok(event) => self.on_event(event).await?,
                    Err(broadcast::error::RecvError::Lagged(_)) => self.push_snapshot().await,
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                // The handle of the tasks outlives the stream; what a slow reader missed comes with the next change.
                Ok(changed) = self.changes.recv() => self.push_change(changed).await,
                _ = self.campaigns_due.tick() => self.push_changed_campaigns(),
                _ = self.beat.tick() => {
                    self.authenticate_again().await?;
                    self.push("beat", &json!({ "at": views::moment(self.state.now()) }));
                }
            }
        }
    }

    async fn on_event(&mut self, event: LiveEvent) -> Option<()> {
        match event {
            LiveEvent::Seat(seat) => {
                if !self.scope.has_agent(seat.agent) {
                    self.authenticate_again().await?;
                }
                if self.scope.can_see(&seat) {
                    let board = floor::board(&self.state);
                    let phone = views::phone_of(&board, seat.agent);
                    let shown = views::seat(&seat, phone, &self.scope.names);
                    self.push("seat", &shown);
                }
            }
            LiveEvent::Decision { id, campaign, at, decision, view } => {
                if self.scope.can_see_campaign(&self.state, campaign) {
                    let board = floor::board(&self.state);
                    let trunk = board.campaigns.get(&campaign).map_or("", |open| open.line_trunk.as_str());
                    let shown = json!({
                        "id": id,
                        "campaign": self.scope.names.campaigns.get(&campaign),
                        "at": views::moment(at),
                        "place": decision.place,
                        "why": decision.why.word(),
                        "limit": decision.why.limit(),
                        "words": views::words(&view, trunk, &views::moments(&self.state, campaign)),
                    });
                    self.push("decision", &shown);
                }
            }
            LiveEvent::Minute(minute) => {
                if self.scope.can_see_campaign(&self.state, minute.campaign) {
                    let mut shown = campaign_series::shown(&minute);
                    shown["campaign"] = json!(self.scope.names.campaigns.get(&minute.campaign));
                    self.push("minute", &shown);
                }
            }
            LiveEvent::Finished { campaign } => {
                if self.scope.can_see_campaign(&self.state, campaign) {
                    let name = self.scope.names.campaigns.get(&campaign).cloned();
                    self.push("finished", &json!({ "campaign": name }));
                }
            }
        }
        Some(())
    }

    /// A task, a list or an approval as the reader may see it. One that cannot be read now comes with its next change.
    async fn push_change(&mut self, changed: Changed) {
        let (store, enterprise) = (self.state.store(), self.caller.scope.enterprise);
        let sight = self.caller.sight();
        let numbers = self.state.agent_numbers().await.unwrap_or_default();
        match changed {
            Changed::Task(id) => {
                let found = store.task(&self.caller.scope, id).await.ok().flatten();
                if let Some(row) = found.filter(|row| task_routes::may_see(&self.caller, row)) {
                    self.push("task", &list_views::task(&row, &numbers, sight));
                }
            }
            Changed::List(id) if self.caller.may(Action::ListsEdit) => {
                let found = store.upload(enterprise, id).await.ok().flatten();
                let seen = found.filter(|row| self.caller.scope.holds(row.enterprise, row.organisation));
                if let Some(row) = seen {
                    let task = list_views::task_of(&self.state, &row).await.ok().flatten();
                    self.push("list", &list_views::upload(&row, task.as_ref(), &numbers, &self.caller));
                }
            }
            Changed::Approval(of, id) if of == enterprise && self.caller.may(Action::ApprovalsDecide) => {
                if store.has_approval(&self.caller.scope, id).await.unwrap_or(false) {
                    self.push("approval", &json!({ "id": id.0 }));
                }
            }
            Changed::List(_) | Changed::Approval(..) => {}
        }
    }

    fn push_changed_campaigns(&mut self) {
        let now = self.scope.campaigns(&self.state, &floor::board(&self.state));
        let changed: Vec<Value> = now
            .iter()
            .filter(|(id, shown)| self.campaigns.get(id) != Some(shown))
            .map(|(_, shown)| shown.clone())
            .collect();
        for shown in changed {
            self.push("campaign", &shown);
        }
        self.campaigns = now;
    }

    /// Authenticates the reader again: groups may have changed, or the session ended (`None`).
    async fn authenticate_again(&mut self) -> Option<()> {
        let caller = auth::authenticate(&self.state, &self.headers, self.caller.address).await.ok()??;
        if let Some(session) = &caller.session {
            sessions::extend(&self.state, session, self.state.now()).await.ok()?;
        }
        self.scope = Scope::of(&self.state, &caller).await.ok()?;
        self.caller = caller;
        Some(())
    }
}
