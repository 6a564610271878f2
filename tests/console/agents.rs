//! Accounts, groups and memberships over the API, and the settings sheet for a phone.

use super::*;
use paceline_core::sip::auth::PasswordHash;
use serde_json::json;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_new_agent_gets_a_sheet_with_its_phones_password() {
    let app = TestApp::new().await;
    app.staff().await;
    let asked = json!({
        "number": "8500", "name": "安娜", "groups": ["vote", { "group": "night", "priority": 3, "in_use": false }],
        "skills": ["cantonese"], "telephone": "138 0013 8000", "recorded": true,
    });
    let answer = app.post("8003", "/agents", asked).await.is(201).json();
    let sheet = &answer["sheet"];
    let (user, password) = (sheet["user"].as_str().unwrap(), sheet["password"].as_str().unwrap());
    assert_eq!(
        (user, sheet["domain"].as_str(), sheet["proxy"].as_str()),
        ("8500", Some("calls.example"), Some("192.0.2.7:5060"))
    );
    assert_eq!(sheet["transport"], "udp");
    assert!(password.len() >= 16 && answer["password"].as_str().unwrap().len() >= 16);
    let row = app.store.agent_by_login("8500").await.unwrap().expect("her number is her login");
    let kept = PasswordHash::new("8500", "calls.example", password);
    assert_eq!(
        (row.secrets.ha1_md5, row.secrets.ha1_sha256),
        (Some(hex(&kept.md5)), Some(hex(&kept.sha256)))
    );
    assert_eq!(row.details.telephone.unwrap().national(), "13800138000");
    let night = row.groups.iter().find(|it| it.priority == 3).expect("a member of the night");
    assert!(!night.in_use && row.groups.len() == 2);
    app.settled().await;
    assert_eq!(app.engine.lock().unwrap().agents, [("8500".to_owned(), true)]);
    let shown = app.get("8003", "/agents/8500").await.is(200);
    let text = String::from_utf8_lossy(&shown.body).into_owned();
    assert!(!text.contains(password) && !text.contains("argon2") && !text.contains(&hex(&kept.md5)));

    // A new phone password voids the old one and leaves the console's unchanged.
    let again = app.post("8003", "/agents/8500/phone-password", json!({})).await.is(200).json();
    assert_ne!(again["sheet"]["password"].as_str().unwrap(), password);
    let after = app.store.agent_by_login("8500").await.unwrap().unwrap();
    assert_eq!(after.secrets.password, row.secrets.password);
    assert_ne!(after.secrets.ha1_md5, Some(hex(&kept.md5)));
}

#[tokio::test]
async fn a_number_is_drawn_by_pattern_and_never_changes() {
    let app = TestApp::new().await;
    app.staff().await;
    let answer =
        app.post("8003", "/agents", json!({ "name": "Bo", "pattern": "7?", "digits": 3 })).await.is(201);
    let number = answer.json()["agent"]["number"].as_str().unwrap().to_owned();
    assert!(number.len() == 3 && number.starts_with('7'), "{number}");
    let path = format!("/agents/{number}");
    app.by("8003", "patch", &path, Some(json!({ "number": "9999" }))).await.is(409);
    let changed =
        json!({ "number": number, "name": "Bea", "telephone": "0571-88888888", "groups": ["vote"] });
    let row = app.by("8003", "patch", &path, Some(changed)).await.is(200).json();
    assert_eq!((row["name"].as_str(), row["telephone"].as_str()), (Some("Bea"), Some("057188888888")));
    assert_eq!(row["groups"][0]["group"], "vote");
    let none = app.by("8003", "patch", &path, Some(json!({ "telephone": "" }))).await.is(200).json();
    assert!(none["telephone"].is_null() && none["name"] == "Bea");
    app.by("8003", "delete", &path, None).await.is(204);
    app.settled().await;
    assert_eq!(app.engine.lock().unwrap().gone.len(), 1);
    app.get("8003", &path).await.is(404);
    let taken = app.post("8003", "/agents", json!({ "name": "Cy", "number": number })).await;
    assert_eq!(taken.is(409).code(), "taken");
}

#[tokio::test]
async fn groups_can_be_added_changed_and_removed_and_the_engine_learns_of_it() {
    let app = TestApp::new().await;
    app.staff().await;
    let asked = json!({ "name": "late", "telephones": true, "idle_release_secs": 900, "seats": 12, "work_mode": "outbound" });
    app.post("8003", "/groups", asked.clone()).await.is(201);
    assert_eq!(app.post("8003", "/groups", asked).await.is(409).code(), "taken");
    app.by("8003", "put", "/agents/8001/groups/late", Some(json!({ "priority": 7 }))).await.is(200);
    let groups = app.get("8003", "/groups").await.json();
    let late = groups["groups"].as_array().unwrap().iter().find(|it| it["name"] == "late").unwrap().clone();
    assert_eq!((late["members"].clone(), late["seats"].as_u64()), (json!(["8001"]), Some(12)));
    let changed = json!({ "seats": 0, "work_mode": "", "idle_release_secs": 0, "name": "later" });
    let late = app.by("8003", "patch", "/groups/late", Some(changed)).await.is(200).json();
    assert!(late["seats"].is_null() && late["work_mode"].is_null() && late["telephones"] == true);
    app.settled().await;
    let sent = app.engine.lock().unwrap().groups.last().cloned().unwrap();
    assert_eq!((sent.name.as_str(), sent.seats, sent.idle_release), ("later", None, None));
    app.by("8003", "delete", "/groups/later", None).await.is(204);
    let row = app.store.agents().await.unwrap().into_iter().find(|row| row.number == "8001").unwrap();
    assert_eq!(row.groups.len(), 1);
    app.settled().await;
    assert_eq!(app.engine.lock().unwrap().agents.last().unwrap().0, "8001");
}

#[tokio::test]
async fn a_lead_manages_members_of_its_own_groups_only() {
    let app = TestApp::new().await;
    app.staff().await;
    let rest = Some(json!({ "in_use": false }));
    let row = app.by("8002", "put", "/agents/8001/groups/vote", rest.clone()).await.is(200).json();
    assert_eq!(row["groups"][0]["in_use"], false);
    app.by("8002", "put", "/agents/8001/groups/night", rest.clone()).await.is(404);
    app.by("8002", "put", "/agents/8101/groups/vote", rest).await.is(404);
    app.by("8002", "delete", "/agents/8001/groups/vote", None).await.is(200);
    app.get("8002", "/agents/8001").await.is(404);
}

#[tokio::test]
async fn a_group_of_an_open_campaign_cannot_be_removed() {
    let app = TestApp::new().await;
    app.staff().await;
    app.open_campaign(CampaignId(1), "spring", "vote").await;
    let mut board = Board::default();
    board.campaigns.entry(CampaignId(1)).or_default().name = "spring".into();
    app.board.send_replace(Arc::new(board));
    assert_eq!(app.by("8003", "delete", "/groups/vote", None).await.is(409).code(), "in_use");
}

#[tokio::test]
async fn an_invalid_field_is_named_in_the_problem() {
    let app = TestApp::new().await;
    app.staff().await;
    for (asked, word) in [
        (json!({ "number": "8x01", "name": "A" }), "digits"),
        (json!({ "number": "8600", "name": "" }), "name"),
        (json!({ "number": "8600", "name": "A\u{7}" }), "name"),
        (json!({ "number": "8600", "name": "A", "login": "a b" }), "login"),
        (json!({ "number": "8600", "name": "A", "role": "king" }), "role"),
        (json!({ "number": "8600", "name": "A", "telephone": "110" }), "telephone"),
        (json!({ "number": "8600", "name": "A", "password": "short" }), "password"),
        (json!({ "number": "8600", "name": "A", "unknown": 1 }), "unknown"),
        (json!({ "number": 8600, "name": "A" }), "string"),
        (json!({ "name": "A", "pattern": "?" , "digits": 9 }), "digits"),
    ] {
        let answer = app.post("8003", "/agents", asked.clone()).await.is(422);
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
        let problem = answer.json();
        assert!(problem["detail"].as_str().unwrap().contains(word), "{asked}: {problem}");
        for field in ["type", "title", "status", "detail", "code"] {
            assert!(!problem[field].is_null(), "{field}");
        }
    }
    app.post("8003", "/agents", json!({ "number": "8600", "name": "A", "groups": ["none"] })).await.is(404);
}

/// A day of the state log, with a state that began the evening before.
#[tokio::test]
async fn an_agents_day_is_shown_by_state_and_summed_by_day() {
    use crate::store::{Fixture, MINUTE, MORNING};
    use paceline::store::Command;
    use paceline_core::agent::{Activity, Availability};
    use paceline_core::time::Utc;
    const HOUR: i64 = 60 * MINUTE;
    let mut fixture = Fixture::new().await;
    let at = |millis: i64| Utc::from_millis(MORNING + millis);
    let states = [
        (-11 * HOUR, Availability::Available, Activity::Idle),
        (-9 * HOUR, Availability::Available, Activity::Talking),
        (-8 * HOUR, Availability::Paused { reason: "meal".into() }, Activity::Idle),
        (-7 * HOUR, Availability::SignedOut, Activity::Idle),
    ];
    for (since, availability, activity) in states {
        let seat = crate::store::floor::seat(AgentId(1), availability, activity, at(since));
        fixture.tell(Command::LogSeat(Box::new(seat))).await;
    }
    let (dir, clock) = (fixture.dir.clone(), fixture.clock.clone());
    fixture.close().await;
    let app = TestApp::open(dir, clock).await;
    app.staff().await;
    // Ten in the morning of 2 March in Shanghai: the day began ten hours ago.
    let log = app.get("8001", "/agents/8001/log").await.is(200).json();
    let rows: Vec<(&str, i64)> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["state"].as_str().unwrap(), row["secs"].as_i64().unwrap()))
        .collect();
    assert_eq!(rows, [("idle", 3_600), ("talking", 3_600), ("paused", 3_600), ("signed_out", 7 * 3_600)]);
    assert_eq!((log["day"].as_str(), log["items"][2]["reason"].as_str()), (Some("2026-03-02"), Some("meal")));
    let hours = app.get("8002", "/agents/8001/hours?from=2026-03-01&until=2026-03-02").await.is(200).json();
    assert_eq!(hours["items"][0], json!({ "day": "2026-03-01", "secs": { "idle": 3_600 } }));
    let second = json!({ "day": "2026-03-02", "secs": { "idle": 3_600, "talking": 3_600, "paused": 3_600 } });
    assert_eq!(hours["items"][1], second);
    let utc = app.get("8002", "/agents/8001/hours?from=2026-03-01&zone=UTC").await.is(200).json();
    assert_eq!(utc["items"][0]["secs"], json!({ "idle": 2 * 3_600, "talking": 3_600, "paused": 3_600 }));
    app.get("8102", "/agents/8001/log").await.is(404);
    for unfit in [
        "log?day=2026-02-30",
        "log?zone=Mars",
        "hours?from=2026-03-03&until=2026-03-02",
        "hours?from=2020-01-01&until=2026-03-02",
    ] {
        app.get("8003", &format!("/agents/8001/{unfit}")).await.is(422);
    }
}
