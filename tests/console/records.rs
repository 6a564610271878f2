//! Lead records, corrections, the call log and recordings, and which caller may see them.

use super::*;
use crate::store::floor::{leg, said};
use crate::store::{Fixture, number, row};
use paceline::store::Command;
use paceline_core::agent::{Activity, Availability, Work};
use paceline_core::dialer::output::{AttemptRequest, LegKind};
use paceline_core::ids::{CallId, LeadId};
use paceline_core::lead::Lead;
use serde_json::json;

/// Two leads of one household and one of another; 8001 spoke with the first and said `voted`.
pub struct Scenario {
    pub app: TestApp,
    pub lead: Lead,
    pub request: AttemptRequest,
    others: Vec<LeadId>,
}

pub async fn scenario() -> Scenario {
    let mut fixture = Fixture::new().await;
    let list = [row(2, &[1], Some("3-1-201")), row(3, &[2], Some("3-1-201")), row(4, &[3], None)];
    fixture.list(&list, &[]).await;
    let (dir, clock, campaign) = (fixture.dir.clone(), fixture.clock.clone(), fixture.campaign);
    // The first account added gets this id.
    let (lead, request) = fixture.talk(AgentId(1)).await;
    let at = fixture.clock.now();
    fixture.summarise(&said(&request, "voted", at, None)).await;
    let call = request.attempt.call();
    let path = "2026/03/call.wav".to_owned();
    fixture.tell(Command::SaveRecording { call, path, seconds: 3.0, lost_frames: 0 }).await;
    let others: Vec<LeadId> =
        fixture.fetch(5).await.0.iter().map(|lead| lead.id).filter(|id| *id != lead.id).collect();
    fixture.close().await;
    let app = TestApp::open(dir, clock).await;
    app.staff().await;
    assert_eq!(app.id("8001").await, AgentId(1));
    app.open_campaign(campaign, "spring", "vote").await;
    let recordings = app.dir.path().join("recordings/2026/03");
    std::fs::create_dir_all(&recordings).unwrap();
    let sound: Vec<u8> = (0..=255).collect();
    std::fs::write(recordings.join("call.wav"), sound).unwrap();
    std::fs::write(app.dir.path().join("secret.wav"), "not for you").unwrap();
    Scenario { app, lead, request, others }
}

#[tokio::test]
async fn a_record_shows_list_columns_phones_and_the_households_history() {
    let Scenario { app, lead, request, others } = scenario().await;
    let record = app.get("8001", &format!("/leads/{}", lead.id)).await.is(200).json();
    assert_eq!(record["columns"][0], json!({ "column": "姓名", "cell": "业主2" }));
    assert_eq!(record["phones"][0]["number"], number(1).national());
    assert_eq!(
        (record["household"].as_str(), record["campaign"].as_str()),
        (Some("3-1-201"), Some("spring"))
    );
    let history = &record["history"][0];
    assert_eq!(
        (history["attempt"].as_i64(), history["agent"].as_str()),
        (Some(request.attempt.0), Some("8001"))
    );
    assert_eq!((history["disposition"].as_str(), history["recorded"].as_bool()), (Some("voted"), Some(true)));
    // A lead of the same household has the same history.
    let neighbour = others.iter().find(|id| id.0 == lead.id.0 + 1).expect("the second owner");
    let record = app.get("8001", &format!("/leads/{neighbour}")).await.is(200).json();
    assert_eq!(record["history"][0]["attempt"], request.attempt.0);
}

#[tokio::test]
async fn a_lead_is_visible_to_its_group_and_to_the_agent_on_whose_seat_it_is() {
    let Scenario { app, lead, others, .. } = scenario().await;
    let path = format!("/leads/{}", lead.id);
    for (by, status) in
        [("8001", 200), ("8002", 200), ("8003", 200), ("8004", 200), ("8101", 404), ("8102", 404)]
    {
        app.get(by, &path).await.is(status);
    }
    app.get("8003", "/leads/99999").await.is(404);
    // An agent may see the lead on its seat, whatever the group.
    let night = app.id("8101").await;
    let since = app.clock.now();
    let mut seat = crate::store::floor::seat(night, Availability::Available, Activity::Talking, since);
    seat.work = Some(Work {
        campaign: CampaignId(1),
        lead: Some(others[0]),
        number: Some(number(2)),
        attempt: None,
        inbound: true,
        answered_at: None,
        connected_at: None,
        parties: vec![],
        recording: false,
        summary: None,
    });
    let mut board = Board::default();
    board.seats.insert(night, Arc::new(seat));
    app.board.send_replace(Arc::new(board));
    app.get("8101", &format!("/leads/{}", others[0])).await.is(200);
    app.get("8101", &path).await.is(404);
}

#[tokio::test]
async fn corrections_keep_what_the_list_said() {
    let Scenario { app, lead, request, .. } = scenario().await;
    let path = format!("/leads/{}/corrections", lead.id);
    let attempt = request.attempt.0;
    app.post("8001", &path, json!({ "name": "王芳", "attempt": attempt })).await.is(201);
    app.post("8001", &path, json!({ "phone": "13900139000", "was": number(1).national() })).await.is(201);
    app.post("8001", &path, json!({ "phone": "0571-88888888" })).await.is(201);
    let record = app.get("8001", &format!("/leads/{}", lead.id)).await.json();
    assert_eq!(
        (record["name"].as_str(), record["columns"][0]["cell"].as_str()),
        (Some("王芳"), Some("业主2"))
    );
    let phones: Vec<(&str, bool)> = record["phones"]
        .as_array()
        .unwrap()
        .iter()
        .map(|phone| (phone["number"].as_str().unwrap(), phone["closed"].as_bool().unwrap()))
        .collect();
    let old = number(1).national();
    assert!(phones.contains(&("13900139000", false)) && phones.contains(&("057188888888", false)));
    assert!(phones.contains(&(old.as_str(), true)), "{phones:?}");
    let corrections = record["corrections"].as_array().unwrap();
    assert_eq!(corrections.len(), 3);
    assert_eq!(
        (corrections[0]["agent"].as_str(), corrections[0]["was"].as_str()),
        (Some("8001"), Some("业主2"))
    );

    app.post("8101", &path, json!({ "name": "x" })).await.is(404);
    for asked in [
        json!({}),
        json!({ "name": "" }),
        json!({ "name": "x", "phone": "13900139000" }),
        json!({ "phone": "120" }),
        json!({ "was": "13900139000" }),
    ] {
        app.post("8001", &path, asked).await.is(422);
    }
    app.post("8001", &path, json!({ "phone": "13900139001", "was": "13700137000" })).await.is(404);
}

#[tokio::test]
async fn the_call_log_shows_own_calls_or_the_groups() {
    let Scenario { app, request, .. } = scenario().await;
    let ids = async |by: &str, query: &str| -> Vec<i64> {
        let log = app.get(by, &format!("/calls{query}")).await.is(200).json();
        log["calls"].as_array().unwrap().iter().map(|call| call["id"].as_i64().unwrap()).collect()
    };
    let mine = vec![request.attempt.0];
    for by in ["8001", "8002", "8003", "8004"] {
        assert_eq!(ids(by, "").await, mine, "{by}");
    }
    assert!(ids("8101", "").await.is_empty() && ids("8102", "").await.is_empty());
    let callee = number(1).national();
    assert_eq!(ids("8003", &format!("?agent=8001&number={callee}&campaign=spring")).await, mine);
    assert_eq!(
        ids("8003", "?from=2026-03-02T00:00:00%2B08:00&until=2026-03-03T00:00:00%2B08:00").await,
        mine
    );
    for none in [
        "?number=13912345678",
        "?from=2026-03-03T00:00:00Z",
        "?until=2026-03-01T00:00:00Z",
        "?direction=in",
        "?agent=8101",
        "?before=1",
    ] {
        assert!(ids("8003", none).await.is_empty(), "{none}");
    }
    // Each filter alone keeps the call or leaves it out.
    for (kept, left_out) in [
        ("outcome=answered", "outcome=busy"),
        ("disposition=voted", "disposition=moved"),
        ("ended_by=callee", "ended_by=carrier"),
        ("talk_min=0", "talk_min=80000"),
        ("talk_max=80000", "talk_max=0"),
        ("recorded=true", "recorded=false"),
        ("campaign=spring", "lead=99999"),
        ("direction=out", "trunk=none"),
        ("agent=8001", "result=none"),
        ("agent=8001", "direction=in&outcome=answered"),
    ] {
        assert_eq!(ids("8003", &format!("?{kept}")).await, mine, "{kept}");
        assert!(ids("8003", &format!("?{left_out}")).await.is_empty(), "{left_out}");
    }
    assert_eq!(ids("8003", &format!("?lead={}", request.lead.unwrap())).await, mine);
    let page = app.get("8003", "/calls?limit=1").await.json();
    assert!(page["next"].is_null(), "nothing is behind the last call");
    assert_eq!(page["calls"][0]["recording"], format!("/api/v1/calls/{}/recording", request.attempt));
    for bad in ["?limit=x", "?from=yesterday", "?direction=up", "?number=x", "?before=1e9"] {
        app.get("8003", &format!("/calls{bad}")).await.is(422);
    }
    app.get("8003", "/calls?campaign=autumn").await.is(404);
}

#[tokio::test]
async fn a_recording_is_served_whole_or_in_ranges_to_callers_who_may_hear_it() {
    let Scenario { app, request, .. } = scenario().await;
    let path = format!("/calls/{}/recording", request.attempt);
    for (by, status) in [
        ("8001", 200),
        ("8002", 200),
        ("8003", 200),
        ("8005", 200),
        ("8004", 200),
        ("8006", 200),
        ("8101", 404),
        ("8102", 404),
    ] {
        app.get(by, &path).await.is(status);
    }
    let whole = app.get("8001", &path).await;
    assert_eq!((whole.body.len(), whole.headers[header::CONTENT_TYPE].to_str().unwrap()), (256, "audio/wav"));
    let mut part = app.request("8001", "get", &path, None).await;
    part.headers_mut().insert(header::RANGE, "bytes=10-19".parse().unwrap());
    let part = app.send(part).await.is(206);
    assert_eq!(part.body, (10..=19).collect::<Vec<u8>>());
    assert_eq!(part.headers[header::CONTENT_RANGE], "bytes 10-19/256");
    let mut beyond = app.request("8001", "get", &path, None).await;
    beyond.headers_mut().insert(header::RANGE, "bytes=256-".parse().unwrap());
    let beyond = app.send(beyond).await.is(416);
    assert_eq!(beyond.headers[header::CONTENT_RANGE], "bytes */256");
    app.get("8001", &format!("{path}?part=2")).await.is(404);
    for unfit in ["?part=0", "?part=-1", "?part=x", "?part=99999999999999999999"] {
        app.get("8001", &format!("{path}{unfit}")).await.is(422);
    }
    app.get("8003", "/calls/99999/recording").await.is(404);
}

#[tokio::test]
async fn an_inbound_recording_is_served_to_its_agent_and_supervisors() {
    let Scenario { app, request, .. } = scenario().await;
    let (writer, mut replies) = app.store.start_writer();
    let call = CallId(1 << 63 | 1);
    let mut record = leg(call, LegKind::Inbound, app.clock.now());
    record.agent = Some(app.id("8001").await);
    record.campaign = Some(request.campaign);
    let path = "2026/03/in.wav".to_owned();
    std::fs::write(app.dir.path().join("recordings").join(&path), "she calls").unwrap();
    assert!(writer.send(Command::SaveLeg(Box::new(record))).await);
    assert!(writer.send(Command::SaveRecording { call, path, seconds: 1.0, lost_frames: 0 }).await);
    assert!(writer.send(Command::FetchLeads { campaign: request.campaign, count: 0, untried: true }).await);
    replies.recv().await.unwrap();
    let log = app.get("8001", "/calls?direction=in").await.is(200).json();
    let link = log["calls"][0]["recording"].as_str().expect("a link").to_owned();
    let path = link.strip_prefix("/api/v1").unwrap();
    for (by, status) in [("8001", 200), ("8002", 200), ("8003", 200), ("8004", 200), ("8101", 404)] {
        app.get(by, path).await.is(status);
    }
    assert_eq!(app.get("8001", path).await.body, b"she calls");
    // An outbound attempt with the same id is another call.
    app.get("8003", &format!("/calls/in/{}/recording", request.attempt.0 + 999)).await.is(404);
    app.get("8003", "/calls/in/x/recording").await.is(404);
}

#[tokio::test]
async fn no_stored_path_leads_out_of_the_folder_of_recordings() {
    let Scenario { app, request, .. } = scenario().await;
    let (writer, mut replies) = app.store.start_writer();
    let outside = app.dir.path().join("secret.wav");
    std::os::unix::fs::symlink(&outside, app.dir.path().join("recordings/link.wav")).unwrap();
    let paths =
        ["../secret.wav", "2026/../../secret.wav", "link.wav", outside.to_str().unwrap(), "/etc/passwd", ""];
    for path in paths {
        let call = request.attempt.call();
        let path = path.to_owned();
        assert!(writer.send(Command::SaveRecording { call, path, seconds: 1.0, lost_frames: 0 }).await);
    }
    assert!(writer.send(Command::FetchLeads { campaign: request.campaign, count: 0, untried: true }).await);
    replies.recv().await.unwrap();
    let path = format!("/calls/{}/recording", request.attempt);
    app.get("8003", &path).await.is(200);
    for part in 2..=1 + paths.len() {
        app.get("8003", &format!("{path}?part={part}")).await.is(404);
    }
}

#[tokio::test]
async fn a_filter_that_is_unknown_or_unfit_is_refused_in_words() {
    let app = TestApp::new().await;
    app.staff().await;
    for (path, words) in [
        ("/calls?outcom=busy", "`outcom`"),
        ("/calls?outcome=fine", "answered, machine"),
        ("/calls?limit=0", "1 to 500"),
        ("/calls?limit=5&limit=6", "twice"),
        ("/calls?direction=sideways", "out, in"),
        ("/calls?talk_min=-1", "talk_min"),
        ("/calls?from=yesterday", "2030-01-31"),
        ("/agents?page=2", "takes no parameter"),
        ("/floor?grup=vote", "known are group"),
        ("/openapi.json?x", "`x`"),
    ] {
        let detail = app.get("8003", path).await.is(422).json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(words), "{path}: {detail}");
    }
    app.by("8003", "post", "/groups?dry_run=1", Some(json!({ "name": "day" }))).await.is(422);
    assert!(app.store.groups().await.unwrap().iter().all(|group| group.name != "day"));
}
