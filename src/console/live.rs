//! The live stream (server-sent events): a snapshot, then events as they happen. A reader that falls
//! behind gets a fresh snapshot instead of the events it missed. Events of the outbox (tasks, lists, approvals) carry
//! its id: a reader that was cut off and sends `Last-Event-ID` gets those it missed, once and in order.

use super::app_state::AppState;
use super::auth::{self, Caller};
use super::campaign_series;
use super::floor::{self, Scope};
use super::limits::{STREAMS_PER_ACCOUNT_MAX, StreamPermit, StreamRefusal};
use super::live_topics::Topics;
use super::problem::Problem;
use super::{desk, live_rows, pages, sessions, views};
use crate::engine::LiveEvent;
use crate::tasks::Changed;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use paceline_core::agent::SeatView;
use paceline_core::ids::{AgentId, CampaignId, LeadId};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::time::{Interval, MissedTickBehavior};

/// How often campaign figures are compared; changed ones are sent.
const CAMPAIGNS_EVERY: Duration = Duration::from_secs(1);

/// Longer than the engine's interval between two boards (200 ms).
const BOARD_WAIT: Duration = Duration::from_millis(500);

/// How often a `beat` is sent and the reader's session is checked again.
const BEAT_EVERY: Duration = Duration::from_secs(15);

/// Shortest time between two looks into the outbox.
const STORED_EVERY: Duration = Duration::from_millis(250);

/// Stored events that a reader who was away gets; of more it gets a snapshot that says so.
const STORED_MAX: usize = 1_000;

const LAST_EVENT_ID: &str = "last-event-id";

struct LiveStream {
    state: AppState,
    headers: HeaderMap,
    caller: Caller,
    topics: Topics,
    scope: Scope,
    /// Agents of the groups whose seats are read by name.
    group_agents: BTreeSet<AgentId>,
    events: broadcast::Receiver<LiveEvent>,
    /// Tasks and lists, also as they go on.
    changes: broadcast::Receiver<Changed>,
    /// Wakes when the outbox may have grown.
    stored: watch::Receiver<()>,
    /// The outbox may have grown since it was looked into.
    has_stored: bool,
    stored_due: Interval,
    /// Id of the last event of the outbox that was looked at.
    last_id: i64,
    /// True = the service stops.
    closing: watch::Receiver<bool>,
    is_closing: bool,
    /// Each with its id, if it is a stored one.
    queue: VecDeque<(Option<i64>, Event)>,
    /// The person on the reader's own seat, whose record was sent.
    card: Option<LeadId>,
    /// As last sent.
    campaigns: BTreeMap<CampaignId, Value>,
    trunks: BTreeMap<String, Value>,
    campaigns_due: Interval,
    beat: Interval,
    /// Counts this stream against the limits while it is open.
    _permit: StreamPermit,
}

#[derive(Deserialize)]
pub(super) struct LiveQuery {
    topics: Option<String>,
}

pub(super) async fn live(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<LiveQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let topics = Topics::parse(query.topics.as_deref())?;
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
    let stored = state.store().outbox_changes();
    let closing = state.closing();
    let (last_id, is_missed) = first_id(&state, &headers).await?;
    let scope = Scope::of(&state, &caller).await?;
    let group_agents = agents_of(&state, &caller, &topics).await?;
    let mut stream = LiveStream {
        state,
        headers,
        caller,
        topics,
        scope,
        group_agents,
        events,
        changes,
        stored,
        has_stored: false,
        stored_due: every(STORED_EVERY),
        last_id,
        closing,
        is_closing: false,
        queue: VecDeque::new(),
        card: None,
        campaigns: BTreeMap::new(),
        trunks: BTreeMap::new(),
        campaigns_due: every(CAMPAIGNS_EVERY),
        beat: every(BEAT_EVERY),
        _permit: permit,
    };
    // What was stored while the reader was away, then the present.
    let is_missed = is_missed || !stream.push_stored().await.is_whole;
    stream.push_snapshot(is_missed).await;
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

/// Where the reader goes on in the outbox, and whether events between are lost: they are too old, or the id is not of
/// this outbox.
async fn first_id(state: &AppState, headers: &HeaderMap) -> Result<(i64, bool), Problem> {
    let bounds = state.store().outbox_bounds().await?;
    let Some(text) = headers.get(LAST_EVENT_ID) else { return Ok((bounds.last, false)) };
    let id = text.to_str().ok().and_then(|text| text.trim().parse::<i64>().ok());
    let id = id.filter(|id| (bounds.deleted..=bounds.last).contains(id));
    Ok(id.map_or((bounds.last, true), |id| (id, false)))
}

/// The agents of the groups that a reader named.
async fn agents_of(state: &AppState, caller: &Caller, topics: &Topics) -> Result<BTreeSet<AgentId>, Problem> {
    let mut found = BTreeSet::new();
    if topics.groups().is_empty() {
        return Ok(found);
    }
    let agents = state.agents_in(&caller.scope).await?;
    for name in topics.groups() {
        let group = state.group_by_name(&caller.scope, name).await?.group.id;
        if !caller.can_see_group(Some(group)) {
            return Err(Problem::not_found("group"));
        }
        let members = agents.iter().filter(|row| row.groups.iter().any(|it| it.group == group));
        found.extend(members.map(|row| row.id));
    }
    Ok(found)
}

/// What a look into the outbox gave.
struct Pushed {
    /// Kind and id of what was sent.
    subjects: BTreeSet<(String, i64)>,
    /// False = there was more than a reader is sent.
    is_whole: bool,
}

fn every(span: Duration) -> Interval {
    let mut interval = tokio::time::interval(span);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval.reset();
    interval
}

impl LiveStream {
    /// Sends a snapshot. The board is written a few times a second, so the next one is awaited: one written
    /// before the subscription would lack the events in between. `is_missed` = stored events were lost to the reader.
    async fn push_snapshot(&mut self, is_missed: bool) {
        let mut board = self.state.engine().board();
        board.mark_unchanged();
        // After a timeout the engine has stopped, and the last board is final.
        let _ = tokio::time::timeout(BOARD_WAIT, board.changed()).await;
        // Stored events are in no snapshot.
        self.queue.retain(|(id, _)| id.is_some());
        let board = floor::board(&self.state);
        self.campaigns = self.scope.campaigns(&self.state, &board);
        self.trunks = self.trunks_now();
        let mut shown = floor::snapshot(&self.state, &self.scope);
        if let Some(seats) = shown["seats"].as_array_mut() {
            let numbers: BTreeSet<&str> = board
                .seats
                .values()
                .filter(|seat| self.reads_seat(seat.agent))
                .map(|seat| &*seat.number)
                .collect();
            seats.retain(|seat| seat["agent"].as_str().is_some_and(|number| numbers.contains(number)));
        }
        for topic in ["campaigns", "trunks"] {
            if !self.topics.has(topic) {
                shown[topic] = json!([]);
            }
        }
        shown["version"] = pages::build().into();
        shown["missed"] = is_missed.into();
        self.push_with("snapshot", &shown, Some(self.last_id));
    }

    fn push(&mut self, what: &str, data: &Value) {
        self.push_with(what, data, None);
    }

    /// `id` = that of the outbox, from which a reader goes on after a cut.
    fn push_with(&mut self, what: &str, data: &Value, id: Option<i64>) {
        let event = Event::default().event(what).data(data.to_string());
        let event = match id {
            Some(id) => event.id(id.to_string()),
            None => event,
        };
        // A snapshot is replaced by a later one, whatever its id.
        self.queue.push_back((id.filter(|_| what != "snapshot"), event));
    }

    fn reads_seat(&self, agent: AgentId) -> bool {
        let is_own = self.topics.has("me") && self.caller.is_agent(agent);
        self.topics.has("seats") || is_own || self.group_agents.contains(&agent)
    }

    fn trunks_now(&self) -> BTreeMap<String, Value> {
        if !self.topics.has("trunks") {
            return BTreeMap::new();
        }
        self.scope.trunks(&floor::board(&self.state)).into_iter().collect()
    }

    /// The next event; `None` = the session has ended, or the engine has stopped.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((_, event)) = self.queue.pop_front() {
                return Some(event);
            }
            if self.is_closing {
                return None;
            }
            tokio::select! {
                event = self.events.recv() => match event {
                    Ok(event) => self.on_event(event).await?,
                    Err(broadcast::error::RecvError::Lagged(_)) => self.push_snapshot(false).await,
                    Err(broadcast::error::RecvError::Closed) => self.close(),
                },
                // The handle of the tasks outlives the stream; what a slow reader missed comes with the next change.
                Ok(changed) = self.changes.recv() => self.push_change(changed).await,
                Ok(()) = self.stored.changed(), if !self.has_stored => self.has_stored = true,
                _ = self.stored_due.tick(), if self.has_stored => {
                    self.push_new_stored().await;
                }
                Ok(()) = self.closing.changed() => self.close(),
                _ = self.campaigns_due.tick() => self.push_changed_campaigns(),
                _ = self.beat.tick() => {
                    self.authenticate_again().await?;
                    self.push("beat", &json!({ "at": views::moment(self.state.now()) }));
                }
            }
        }
    }

    /// The service stops: the reader is asked to come back, and the stream ends.
    fn close(&mut self) {
        self.is_closing = true;
        self.push("closing", &json!({}));
    }

    /// Sends what was stored since the last look, and waits a little before the next.
    async fn push_new_stored(&mut self) -> Pushed {
        self.stored.mark_unchanged();
        let pushed = self.push_stored().await;
        self.has_stored = false;
        if !pushed.is_whole {
            self.push_snapshot(true).await;
        }
        pushed
    }

    /// Sends the events of the outbox after the last one that was looked at, as they are now: of several of one
    /// subject the last. One that cannot be read now comes with the next look.
    async fn push_stored(&mut self) -> Pushed {
        let mut pushed = Pushed { subjects: BTreeSet::new(), is_whole: true };
        let (store, enterprise) = (self.state.store(), self.caller.scope.enterprise);
        let rows = store.live_events_after(enterprise, self.last_id, STORED_MAX as u32 + 1).await;
        let Ok(rows) = rows else { return pushed };
        if rows.len() > STORED_MAX {
            if let Ok(bounds) = store.outbox_bounds().await {
                self.last_id = bounds.last;
            }
            pushed.is_whole = false;
            return pushed;
        }
        let Some(last) = rows.last().map(|row| row.id) else { return pushed };
        let newest: BTreeMap<(&str, &str), i64> =
            rows.iter().map(|row| ((row.kind.as_str(), row.subject.as_str()), row.id)).collect();
        for row in
            rows.iter().filter(|row| newest.get(&(row.kind.as_str(), row.subject.as_str())) == Some(&row.id))
        {
            let Ok(subject) = row.subject.parse::<i64>() else { continue };
            if let Some(shown) =
                live_rows::shown(&self.state, &self.caller, &self.topics, &row.kind, subject).await
            {
                self.push_with(&row.kind, &shown, Some(row.id));
            }
            pushed.subjects.insert((row.kind.clone(), subject));
        }
        self.last_id = last;
        let is_about_approvals =
            |(kind, _): &(String, i64)| matches!(kind.as_str(), "approval" | "list" | "caller_id");
        if pushed.subjects.iter().any(is_about_approvals) {
            self.scope.refresh_waiting(&self.state).await;
        }
        pushed
    }

    async fn on_event(&mut self, event: LiveEvent) -> Option<()> {
        match event {
            LiveEvent::Seat(seat) => {
                if !self.scope.has_agent(seat.agent) {
                    self.authenticate_again().await?;
                }
                if self.scope.can_see(&seat) && self.reads_seat(seat.agent) {
                    let board = floor::board(&self.state);
                    let phone = views::phone_of(&board, seat.agent);
                    let shown = views::seat(&seat, phone, &self.scope.names);
                    self.push("seat", &shown);
                    self.push_card(&seat).await;
                }
            }
            LiveEvent::Decision { id, campaign, at, decision, view } => {
                if self.reads_campaign(campaign) {
                    let board = floor::board(&self.state);
                    let trunk = board.campaigns.get(&campaign).map_or("", |open| open.line_trunk.as_str());
                    let other = self.scope.campaign_with_lines(&self.state, &view);
                    let zone = views::moments(&self.state, campaign);
                    let shown = json!({
                        "id": id,
                        "campaign": self.scope.names.campaigns.get(&campaign),
                        "at": views::moment(at),
                        "place": decision.place,
                        "why": decision.why.word(),
                        "limit": decision.why.limit(),
                        "words": views::words_beside(&view, trunk, &zone, other.as_deref()),
                    });
                    self.push("decision", &shown);
                }
            }
            LiveEvent::Minute(minute) => {
                if self.reads_campaign(minute.campaign) {
                    let mut shown = campaign_series::shown(&minute);
                    shown["campaign"] = json!(self.scope.names.campaigns.get(&minute.campaign));
                    self.push("minute", &shown);
                }
            }
            LiveEvent::Finished { campaign } => {
                if self.reads_campaign(campaign) {
                    let name = self.scope.names.campaigns.get(&campaign).cloned();
                    self.push("finished", &json!({ "campaign": name }));
                }
            }
        }
        Some(())
    }

    /// The record of the person on the reader's own seat, beside the event that brings it there: the page draws it
    /// without asking. Where it cannot be read now, the page asks for it.
    async fn push_card(&mut self, seat: &SeatView) {
        if !self.topics.has("me") || !self.caller.is_agent(seat.agent) {
            return;
        }
        let lead = seat.work.as_ref().and_then(|work| work.lead);
        if lead == self.card {
            return;
        }
        self.card = lead;
        let Some(lead) = lead else { return };
        if let Ok(shown) = desk::card(&self.state, &self.caller, lead).await {
            self.push("card", &shown);
        }
    }

    fn reads_campaign(&self, campaign: CampaignId) -> bool {
        self.topics.has("campaigns") && self.scope.can_see_campaign(&self.state, campaign)
    }

    /// A task or a list that went on. A change of its state is stored, and comes with its id; how far it is does not.
    async fn push_change(&mut self, changed: Changed) {
        let pushed = self.push_new_stored().await;
        let (kind, id) = match changed {
            Changed::Task(id) => ("task", id.0),
            Changed::List(id) => ("list", id.0),
            // Always stored.
            Changed::Approval(..) => return,
        };
        if pushed.subjects.contains(&(kind.to_owned(), id)) {
            return;
        }
        if let Some(shown) = live_rows::shown(&self.state, &self.caller, &self.topics, kind, id).await {
            self.push(kind, &shown);
        }
    }

    fn push_changed_campaigns(&mut self) {
        let trunks = self.trunks_now();
        let changed: Vec<Value> = trunks
            .iter()
            .filter(|(name, shown)| self.trunks.get(*name) != Some(shown))
            .map(|(_, it)| it.clone())
            .collect();
        changed.iter().for_each(|shown| self.push("trunk", shown));
        self.trunks = trunks;
        if !self.topics.has("campaigns") {
            return;
        }
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
            if session.locked {
                return None;
            }
            sessions::extend(&self.state, session, self.state.now()).await.ok()?;
        }
        self.scope = Scope::of(&self.state, &caller).await.ok()?;
        self.group_agents = agents_of(&self.state, &caller, &self.topics).await.ok()?;
        self.caller = caller;
        Some(())
    }
}
