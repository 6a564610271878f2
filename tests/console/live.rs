//! The live stream (server-sent events): snapshot, then events, each reader only what it may see.

use super::*;
use crate::store::floor::seat;
use paceline::engine::CampaignBoard;
use paceline_core::agent::{Activity, Availability};
use paceline_core::pacing::{Decision, Why};

/// One reader of the stream.
pub struct Reader {
    body: Body,
    text: String,
    /// Of the last event that had one.
    last_id: Option<String>,
}

impl Reader {
    pub async fn of(app: &TestApp, number: &str) -> Reader {
        Reader::with(app, number, "/live", None).await
    }

    /// A reader that comes back: the last id that it saw is sent.
    async fn again(app: &TestApp, number: &str, last_id: &str) -> Reader {
        Reader::with(app, number, "/live", Some(last_id)).await
    }

    async fn with(app: &TestApp, number: &str, path: &str, last_id: Option<&str>) -> Reader {
        let mut request = app.request(number, "get", path, None).await;
        if let Some(id) = last_id {
            request.headers_mut().insert("last-event-id", id.parse().unwrap());
        }
        let response = app.ask(request).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Reader { body: response.into_body(), text: String::new(), last_id: None }
    }

    /// Kinds and ids of the stored events up to the snapshot, and the snapshot.
    async fn missed(&mut self) -> (Vec<(String, i64)>, Value) {
        let mut found = Vec::new();
        loop {
            let (name, data) = self.next().await.expect("the stream goes on");
            if name == "snapshot" {
                return (found, data);
            }
            found.push((name, data["id"].as_i64().unwrap()));
        }
    }

    /// The next event of this kind.
    async fn of_kind(&mut self, kind: &str) -> Value {
        loop {
            let (name, data) = self.next().await.expect("the stream goes on");
            if name == kind {
                return data;
            }
        }
    }

    /// The next event; `None` = the stream has ended.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        let next = async {
            loop {
                if let Some((event, rest)) = self.text.split_once("\n\n") {
                    let line = |name: &str| {
                        event
                            .lines()
                            .find_map(|line| line.strip_prefix(name))
                            .map(str::trim)
                            .map(str::to_owned)
                    };
                    let found = (line("event:"), line("data:"));
                    self.last_id = line("id:").or(self.last_id.take());
                    self.text = rest.to_owned();
                    if let (Some(name), Some(data)) = found {
                        return Some((name, serde_json::from_str(&data).unwrap()));
                    }
                    continue;
                }
                let data = self.body.frame().await?.unwrap().into_data().unwrap();
                self.text.push_str(std::str::from_utf8(&data).unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(30), next).await.expect("an event, or the end")
    }

    /// The next event other than `campaign` and `beat`.
    async fn happened(&mut self) -> (String, Value) {
        loop {
            let (name, data) = self.next().await.expect("the stream goes on");
            if name != "campaign" && name != "beat" {
                return (name, data);
            }
        }
    }
}

/// A board with these seats, and the campaign `spring` (number 7).
fn board(seats: &[(AgentId, &str)]) -> Arc<Board> {
    let mut board = Board::default();
    for (id, number) in seats {
        board.seats.insert(*id, Arc::new(sitting(*id, number, Activity::Idle)));
    }
    let mut campaign = CampaignBoard::default();
    campaign.name = "spring".into();
    board.campaigns.insert(CampaignId(7), campaign);
    Arc::new(board)
}

fn sitting(id: AgentId, number: &str, activity: Activity) -> paceline_core::agent::SeatView {
    let since = paceline_core::time::Utc::from_millis(MORNING);
    paceline_core::agent::SeatView {
        number: number.into(),
        ..seat(id, Availability::Available, activity, since)
    }
}

async fn floor() -> (TestApp, AgentId, AgentId) {
    let app = TestApp::new().await;
    app.staff().await;
    app.open_campaign(CampaignId(7), "spring", "vote").await;
    let (vote, night) = (app.id("8001").await, app.id("8101").await);
    app.board.send_replace(board(&[(vote, "8001"), (night, "8101")]));
    (app, vote, night)
}

fn numbers(snapshot: &Value) -> Vec<&str> {
    snapshot["seats"].as_array().unwrap().iter().map(|seat| seat["agent"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_changed_seat_is_sent_to_readers_who_may_see_it() {
    let (app, vote, night) = floor().await;
    let mut readers = Vec::new();
    for (number, seen) in [
        ("8001", vec!["8001"]),
        ("8002", vec!["8001"]),
        ("8003", vec!["8001", "8101"]),
        ("8101", vec!["8101"]),
    ] {
        let mut reader = Reader::of(&app, number).await;
        let (name, snapshot) = reader.next().await.unwrap();
        assert_eq!((name.as_str(), numbers(&snapshot)), ("snapshot", seen.clone()), "{number}");
        readers.push((number, reader, seen));
    }
    app.live.send(LiveEvent::Seat(Arc::new(sitting(night, "8101", Activity::Ringing)))).unwrap();
    app.live.send(LiveEvent::Seat(Arc::new(sitting(vote, "8001", Activity::Talking)))).unwrap();
    for (number, mut reader, seen) in readers {
        let mut expected = vec![("8101", "ringing"), ("8001", "talking")];
        expected.retain(|(agent, _)| seen.contains(agent));
        for (agent, activity) in expected {
            let (name, seat) = reader.happened().await;
            assert_eq!(name, "seat", "{number}");
            assert_eq!(
                (seat["agent"].as_str(), seat["activity"].as_str()),
                (Some(agent), Some(activity)),
                "{number}"
            );
            assert_eq!(seat["name"], format!("N{agent}"));
            assert_eq!(seat["since"], "2026-03-02T02:00:00.000Z");
        }
    }
}

#[tokio::test]
async fn a_minute_is_sent_to_readers_of_the_campaigns_group() {
    let (app, vote, night) = floor().await;
    let (mut vote_reader, mut night_reader) =
        (Reader::of(&app, "8002").await, Reader::of(&app, "8102").await);
    vote_reader.next().await.unwrap();
    night_reader.next().await.unwrap();
    let at = app.clock.now();
    let minute = paceline::store::CampaignMinute {
        placed: 17,
        ..paceline::store::CampaignMinute::empty(CampaignId(7), at)
    };
    app.live.send(LiveEvent::Minute(Arc::new(minute))).unwrap();
    app.live.send(LiveEvent::Seat(Arc::new(sitting(vote, "8001", Activity::Idle)))).unwrap();
    app.live.send(LiveEvent::Seat(Arc::new(sitting(night, "8101", Activity::Idle)))).unwrap();
    let (name, minute) = vote_reader.happened().await;
    assert_eq!((name.as_str(), minute["placed"].as_u64()), ("minute", Some(17)));
    assert_eq!(
        (minute["campaign"].as_str(), minute["at"].as_str()),
        (Some("spring"), Some("2026-03-02T02:00:00.000Z"))
    );
    assert_eq!(night_reader.happened().await.0, "seat", "nothing of the other group's campaign");
}

#[tokio::test]
async fn decisions_are_sent_to_readers_of_the_campaigns_group() {
    let (app, vote, night) = floor().await;
    let (mut vote_reader, mut night_reader) =
        (Reader::of(&app, "8002").await, Reader::of(&app, "8102").await);
    assert_eq!(vote_reader.next().await.unwrap().1["campaigns"][0]["name"], "spring");
    assert_eq!(night_reader.next().await.unwrap().1["campaigns"].as_array().unwrap().len(), 0);
    let decision = Decision { place: 0, why: Why::Paused };
    app.live
        .send(LiveEvent::Decision {
            id: 31,
            campaign: CampaignId(7),
            at: app.clock.now(),
            decision,
            view: Box::default(),
        })
        .unwrap();
    app.live.send(LiveEvent::Seat(Arc::new(sitting(vote, "8001", Activity::Idle)))).unwrap();
    app.live.send(LiveEvent::Seat(Arc::new(sitting(night, "8101", Activity::Idle)))).unwrap();
    let (name, decided) = vote_reader.happened().await;
    assert_eq!(
        (name.as_str(), decided["why"].as_str(), decided["campaign"].as_str()),
        ("decision", Some("paused"), Some("spring"))
    );
    assert_eq!((decided["id"].as_u64(), decided["limit"].as_str()), (Some(31), Some("stopped")));
    assert_eq!(night_reader.happened().await.1["agent"], "8101", "nothing of the other group's campaign");
}

#[tokio::test]
async fn figures_of_a_campaign_are_sent_when_they_change() {
    let (app, vote, _) = floor().await;
    let mut reader = Reader::of(&app, "8002").await;
    reader.next().await.unwrap();
    let mut changed = (*board(&[(vote, "8001")])).clone();
    changed.campaigns.get_mut(&CampaignId(7)).unwrap().placed = 42;
    app.board.send_replace(Arc::new(changed));
    let (name, campaign) = reader.next().await.unwrap();
    assert_eq!(
        (name.as_str(), campaign["placed"].as_u64(), campaign["group"].as_str()),
        ("campaign", Some(42), Some("vote"))
    );
}

#[tokio::test]
async fn a_reader_that_falls_behind_gets_a_new_snapshot() {
    let (app, vote, _) = floor().await;
    let mut reader = Reader::of(&app, "8001").await;
    assert_eq!(reader.next().await.unwrap().0, "snapshot");
    for _ in 0..40 {
        app.live.send(LiveEvent::Seat(Arc::new(sitting(vote, "8001", Activity::Ringing)))).unwrap();
    }
    assert_eq!(reader.happened().await.0, "snapshot");
    // Events still in the channel follow, then later ones as before.
    app.live.send(LiveEvent::Seat(Arc::new(sitting(vote, "8001", Activity::WrapUp)))).unwrap();
    loop {
        let (name, seat) = reader.happened().await;
        if name == "seat" && seat["activity"] == "wrap_up" {
            break;
        }
    }
}

#[tokio::test]
async fn a_stream_ends_with_the_readers_session() {
    let (app, _, _) = floor().await;
    let mut reader = Reader::of(&app, "8002").await;
    assert_eq!(reader.next().await.unwrap().0, "snapshot");
    app.store.end_all_sessions(app.id("8002").await).await.unwrap();
    // A seat of an unknown agent makes the stream check its reader's session again.
    app.live.send(LiveEvent::Seat(Arc::new(sitting(AgentId(999), "9999", Activity::Idle)))).unwrap();
    let mut ended = false;
    for _ in 0..5 {
        ended |= reader.next().await.is_none();
        if ended {
            break;
        }
    }
    assert!(ended);
}

#[tokio::test]
async fn own_seat_and_floor_snapshot_can_be_read() {
    let (app, _, _) = floor().await;
    let seat = app.get("8001", "/me/seat").await.is(200).json();
    assert_eq!(
        (seat["agent"].as_str(), seat["availability"].as_str(), seat["phone_ready"].as_bool()),
        (Some("8001"), Some("available"), Some(true))
    );
    app.get("8002", "/me/seat").await.is(404);
    let floor = app.get("8003", "/floor").await.is(200).json();
    assert_eq!((numbers(&floor).len(), floor["campaigns"][0]["title"].as_str()), (2, Some("A title")));
    let night = app.get("8003", "/floor?group=night").await.is(200).json();
    assert_eq!((numbers(&night), night["campaigns"].as_array().unwrap().len()), (vec!["8101"], 0));
    let mine = app.get("8001", "/campaigns").await.is(200).json();
    assert_eq!(mine["campaigns"][0]["dispositions"][0]["label"], "已投票");
    assert_eq!(app.get("8101", "/campaigns").await.is(200).json()["campaigns"].as_array().unwrap().len(), 0);
}

/// A program's work that leaves stored events: a task of this account.
async fn queue_task(app: &TestApp, by: &str) -> i64 {
    let new = paceline::store::task_rows::NewTask {
        enterprise: 1,
        kind: paceline::store::task_rows::TaskKind::Forecast,
        subject: 1,
        total: 0,
        asked_by: Some(app.id(by).await.0),
    };
    app.store.queue_task(new).await.unwrap().0
}

#[tokio::test]
async fn events_missed_in_a_cut_come_once_and_in_order() {
    let (app, _, _) = floor().await;
    let mut reader = Reader::of(&app, "8003").await;
    let (missed, snapshot) = reader.missed().await;
    assert_eq!((missed, &snapshot["missed"]), (Vec::new(), &serde_json::json!(false)));
    assert!(snapshot["version"].as_str().unwrap().starts_with(env!("CARGO_PKG_VERSION")), "{snapshot}");
    let first = queue_task(&app, "8003").await;
    assert_eq!(reader.of_kind("task").await["id"], first);
    let last_id = reader.last_id.clone().expect("a stored event has an id");
    drop(reader);

    // While it is away: two tasks, the second with three states, and one that is cancelled between them.
    let second = queue_task(&app, "8003").await;
    let third = queue_task(&app, "8003").await;
    app.store.cancel_queued_task(paceline::store::task_rows::TaskId(first)).await.unwrap();
    for _ in 0..2 {
        let taken = app.store.take_task().await.unwrap().unwrap();
        app.store.end_task(taken.id, paceline::store::task_rows::TaskState::Done, None, None).await.unwrap();
    }
    let mut reader = Reader::again(&app, "8003", &last_id).await;
    let (missed, snapshot) = reader.missed().await;
    let task = |id: i64| ("task".to_owned(), id);
    assert_eq!(missed, [task(first), task(second), task(third)], "in the order of their last changes");
    assert_eq!(snapshot["missed"], false);
    let last_id = reader.last_id.clone().unwrap();
    // Once: what came is not sent again, neither in this stream nor in the next.
    let fourth = queue_task(&app, "8003").await;
    assert_eq!(reader.of_kind("task").await["id"], fourth);
    let newer = reader.last_id.clone().unwrap();
    assert!(newer.parse::<i64>().unwrap() > last_id.parse::<i64>().unwrap());
    drop(reader);
    assert_eq!(Reader::again(&app, "8003", &newer).await.missed().await.0, []);
    assert_eq!(Reader::again(&app, "8003", &last_id).await.missed().await.0, [task(fourth)]);
    // A new reader begins with the present.
    assert_eq!(Reader::of(&app, "8003").await.missed().await.0, []);
}

#[tokio::test]
async fn a_reader_without_the_right_gets_neither_an_event_nor_its_id() {
    let (app, vote, _) = floor().await;
    let before = app.store.outbox_bounds().await.unwrap().last.to_string();
    let own = queue_task(&app, "8001").await;
    let managers = queue_task(&app, "8003").await;
    let task = |id: i64| ("task".to_owned(), id);
    assert_eq!(Reader::again(&app, "8001", &before).await.missed().await.0, [task(own)], "one's own task");
    assert_eq!(Reader::again(&app, "8004", &before).await.missed().await.0, []);
    assert_eq!(Reader::again(&app, "8003", &before).await.missed().await.0, [task(own), task(managers)]);
    // The right ends while the reader is away.
    app.store.end_all_sessions(vote).await.unwrap();
    let request = {
        let mut request = bare("get", "/live", None);
        request.headers_mut().insert(header::COOKIE, "paceline=key of 8001".parse().unwrap());
        request.headers_mut().insert("last-event-id", before.parse().unwrap());
        request
    };
    assert_eq!(app.ask(request).await.status(), 401);
}

#[tokio::test]
async fn a_reader_that_missed_too_much_learns_it() {
    let (app, _, _) = floor().await;
    let before = app.store.outbox_bounds().await.unwrap().last;
    queue_task(&app, "8003").await;
    for foreign in ["999999999", "-1", "of another program"] {
        let (missed, snapshot) = Reader::again(&app, "8003", foreign).await.missed().await;
        assert_eq!((missed, &snapshot["missed"]), (Vec::new(), &serde_json::json!(true)), "{foreign}");
    }
    // More than is sent: a thousand and one tasks.
    for _ in 0..1_000 {
        queue_task(&app, "8003").await;
    }
    let mut reader = Reader::again(&app, "8003", &before.to_string()).await;
    let (missed, snapshot) = reader.missed().await;
    assert_eq!((missed, &snapshot["missed"]), (Vec::new(), &serde_json::json!(true)));
    let last = app.store.outbox_bounds().await.unwrap().last.to_string();
    assert_eq!(reader.last_id.as_deref(), Some(last.as_str()), "it goes on from the present");
    let (missed, _) = Reader::again(&app, "8003", &(before + 1).to_string()).await.missed().await;
    assert_eq!(missed.len(), 1_000);
    // Those that are deleted are missed too.
    app.clock.advance(40 * 24 * 3_600 * 1_000);
    assert_eq!(app.store.delete_old_events().await.unwrap(), 1_001);
    let (_, snapshot) = Reader::again(&app, "8003", &(before + 1).to_string()).await.missed().await;
    assert_eq!(snapshot["missed"], true);
}

#[tokio::test]
async fn topics_narrow_what_is_sent() {
    let (app, vote, night) = floor().await;
    let seats = async |topics: &str| -> Vec<String> {
        let path = format!("/live?topics={topics}");
        let (_, snapshot) = Reader::with(&app, "8003", &path, None).await.next().await.unwrap();
        let mut all: Vec<String> = numbers(&snapshot).into_iter().map(str::to_owned).collect();
        all.extend(
            snapshot["campaigns"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["name"].as_str().unwrap().to_owned()),
        );
        all
    };
    assert_eq!(seats("seats,campaigns").await, ["8001", "8101", "spring"]);
    assert_eq!(seats("seats:night").await, ["8101"]);
    assert_eq!(seats("campaigns").await, ["spring"]);
    assert_eq!(seats("tasks,me").await, [] as [&str; 0]);
    app.get("8003", "/live?topics=weather").await.is(422);
    app.get("8003", "/live?topics=seats:nowhere").await.is(404);
    app.get("8002", "/live?topics=seats:night").await.is(404);

    let mut reader = Reader::with(&app, "8003", "/live?topics=seats:vote", None).await;
    reader.next().await.unwrap();
    queue_task(&app, "8003").await;
    app.live.send(LiveEvent::Seat(Arc::new(sitting(night, "8101", Activity::Ringing)))).unwrap();
    app.live.send(LiveEvent::Seat(Arc::new(sitting(vote, "8001", Activity::Talking)))).unwrap();
    let (name, seat) = reader.happened().await;
    assert_eq!((name.as_str(), seat["agent"].as_str()), ("seat", Some("8001")));
}

#[tokio::test]
async fn a_slow_reader_keeps_the_stored_events_it_has_not_read() {
    let (app, vote, _) = floor().await;
    let mut reader = Reader::of(&app, "8003").await;
    reader.missed().await;
    let task = queue_task(&app, "8003").await;
    for _ in 0..40 {
        app.live.send(LiveEvent::Seat(Arc::new(sitting(vote, "8001", Activity::Ringing)))).unwrap();
    }
    assert_eq!(reader.of_kind("task").await["id"], task);
}

#[tokio::test]
async fn a_service_that_stops_says_so() {
    let (app, _, _) = floor().await;
    let console = paceline::console::start("127.0.0.1:0".parse().unwrap(), app.state.clone()).await.unwrap();
    let mut reader = Reader::of(&app, "8003").await;
    reader.missed().await;
    // The reader reads while the service waits for it.
    let (said, ()) = tokio::join!(
        async {
            let said = reader.of_kind("closing").await;
            let end = reader.next().await;
            drop(reader);
            (said, end)
        },
        console.stop()
    );
    assert_eq!(said, (serde_json::json!({}), None));
}

#[tokio::test]
async fn an_open_campaign_says_what_it_waits_for_as_it_changes() {
    use super::lists::{ended, send_file, switch, working};
    let app = working().await;
    switch(&app, |settings| settings.approve_lists = true).await;
    let id = app.store.campaign_row(&paceline::store::Scope::first(), "spring").await.unwrap().unwrap().id;
    app.open_campaign(id, "spring", "vote").await;
    let mut board = Board::default();
    let mut campaign = CampaignBoard::default();
    campaign.name = "spring".into();
    board.campaigns.insert(id, campaign);
    app.board.send_replace(Arc::new(board));
    let mut reader = Reader::of(&app, "8003").await;
    let (_, snapshot) = reader.missed().await;
    let shown = &snapshot["campaigns"][0];
    assert_eq!(
        (&shown["state"], &shown["waiting_for"]),
        (&"running".into(), &serde_json::json!([])),
        "{shown}"
    );

    let path = "/campaigns/spring/lists?file_name=list.csv";
    let added = send_file(&app, "8003", path, "手机\n13800138000\n".into()).await.is(201).json();
    ended(&app, &added["task"]).await;
    let path = format!("/lists/{}/actions", added["list"]["id"]);
    let body = Some(serde_json::json!({ "action": "submit" }));
    let mut request = app.request("8003", "post", &path, body).await;
    request.headers_mut().insert("idempotency-key", "submit".parse().unwrap());
    let asked = app.send(request).await.is(202).json();
    let event = reader.of_kind("approval").await;
    assert_eq!(
        (&event["id"], &event["title"], &event["may_decide"]),
        (&asked["approval"], &"list.csv".into(), &false.into())
    );
    assert!(reader.last_id.is_some());
    let waiting = reader.of_kind("campaign").await;
    assert_eq!(waiting["waiting_for"][0]["title"], "list.csv", "{waiting}");
    assert!(waiting["waiting_for"][0]["who"]["zh"].as_str().is_some_and(|who| !who.is_empty()));

    let path = format!("/approvals/{}/actions", asked["approval"]);
    app.post("8005", &path, serde_json::json!({ "action": "approve" })).await.is(204);
    assert_eq!(reader.of_kind("list").await["state"], "checked");
    assert_eq!(reader.of_kind("campaign").await["waiting_for"], serde_json::json!([]));
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_number_whose_state_changes_is_named_to_those_who_keep_the_register() {
    use paceline::tasks::judge_caller_ids;
    use serde_json::json;
    let (app, ..) = floor().await;
    let number = "075588886666";
    let path = format!("/caller-ids/{number}/actions");
    app.post("8003", "/caller-ids", json!({ "number": number })).await.is(201);
    let mut reader = Reader::with(&app, "8003", "/live?topics=caller_ids", None).await;
    reader.next().await.unwrap();
    // A shift lead is sent no number of the register.
    let mut lead = Reader::with(&app, "8002", "/live?topics=caller_ids,seats", None).await;
    lead.next().await.unwrap();
    let seen = |event: Value| (event["number"].clone(), event["state"].clone());
    app.post("8003", &path, json!({ "action": "resume" })).await.is(200);
    assert_eq!(seen(reader.of_kind("caller_id").await), (json!(number), json!("normal")));
    let until = app.clock.now().as_millis() + 60_000;
    let until = jiff::Timestamp::from_millisecond(until).unwrap().to_string();
    app.post("8003", &path, json!({ "action": "rest", "until": until })).await.is(200);
    assert_eq!(reader.of_kind("caller_id").await["state"], "resting");
    // Time brings it back, and says so too.
    app.clock.advance(120_000);
    judge_caller_ids(&app.store, app.state.engine(), app.clock.now()).await.unwrap();
    assert_eq!(reader.of_kind("caller_id").await["state"], "normal");
    let seat = LiveEvent::Seat(Arc::new(sitting(app.id("8001").await, "8001", Activity::Talking)));
    app.live.send(seat).unwrap();
    assert_eq!(lead.happened().await.0, "seat");
}
