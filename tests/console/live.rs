//! The live stream (server-sent events): snapshot, then events, each reader only what it may see.

use super::*;
use crate::store::floor::seat;
use paceline::engine::CampaignBoard;
use paceline_core::agent::{Activity, Availability};
use paceline_core::pacing::{Decision, Why};

/// One reader of the stream.
struct Reader {
    body: Body,
    text: String,
}

impl Reader {
    async fn of(app: &TestApp, number: &str) -> Reader {
        let response = app.ask(app.request(number, "get", "/live", None).await).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Reader { body: response.into_body(), text: String::new() }
    }

    /// The next event; `None` = the stream has ended.
    async fn next(&mut self) -> Option<(String, Value)> {
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
