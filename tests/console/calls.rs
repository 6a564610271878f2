//! One whole call: its moments, who may see what of it, its recording, and its trace from the journal.

use super::records::{Scenario, scenario};
use super::*;
use crate::store::floor::seat;
use crate::store::{number, retry_rules};
use paceline::config::Config;
use paceline::store::{Command, Reply};
use paceline_core::agent::{Activity, Availability, Work};
use paceline_core::ids::CallId;
use rand::{RngExt, SeedableRng};
use serde_json::json;

/// Writes commands, and waits until they are in the store.
async fn write(app: &TestApp, commands: Vec<Command>) {
    let (writer, mut replies) = app.store.start_writer();
    for command in commands {
        assert!(writer.send(command).await);
    }
    let last = Command::FetchLeads { campaign: CampaignId(1), count: 0, untried: true };
    assert!(writer.send(last).await);
    while !matches!(replies.recv().await.unwrap(), Reply::Leads { .. }) {}
}

/// Gives an ended attempt other steps than its call had.
async fn set_steps(app: &TestApp, attempt: AttemptId, steps: &Value) {
    let url = crate::store::url(app.dir.path());
    let mut conn = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
    sqlx::query("update attempt set steps = $2 where id = $1")
        .bind(attempt.0)
        .bind(steps.to_string())
        .execute(&mut conn)
        .await
        .unwrap();
    sqlx::Connection::close(conn).await.unwrap();
}

fn stereo(frames: impl Iterator<Item = (i16, i16)>) -> Vec<u8> {
    let sound: Vec<u8> =
        frames.flat_map(|(left, right)| [left.to_le_bytes(), right.to_le_bytes()].concat()).collect();
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0".to_vec();
    bytes.extend(8_000u32.to_le_bytes());
    bytes.extend(32_000u32.to_le_bytes());
    bytes.extend(b"\x04\0\x10\0data");
    bytes.extend((sound.len() as u32).to_le_bytes());
    bytes.extend(sound);
    bytes
}

/// A seat that works on an attempt.
fn at_work(agent: AgentId, attempt: AttemptId, activity: Activity, since: i64) -> Command {
    let since = paceline_core::time::Utc::from_millis(since);
    let mut seat = seat(agent, Availability::Available, activity, since);
    seat.work = Some(Work {
        campaign: CampaignId(1),
        lead: None,
        number: None,
        attempt: Some(attempt),
        inbound: false,
        answered_at: None,
        connected_at: None,
        parties: vec![],
        recording: false,
        summary: None,
    });
    Command::LogSeat(Box::new(seat))
}

#[tokio::test]
async fn a_call_has_its_moments_legs_summaries_and_recording() {
    let Scenario { app, lead, request, .. } = scenario().await;
    let attempt = request.attempt.0;
    let correction = json!({ "name": "王芳", "attempt": attempt });
    app.post("8001", &format!("/leads/{}/corrections", lead.id), correction).await.is(201);
    let call = app.get("8003", &format!("/calls/{attempt}")).await.is(200).json();
    assert_eq!((call["direction"].as_str(), call["campaign"].as_str()), (Some("out"), Some("spring")));
    assert_eq!(call["number"], number(1).national());
    let kinds: Vec<&str> =
        call["timeline"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    for kind in ["written", "answered", "connected", "ended", "summary"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    assert_eq!(call["summaries"][0]["disposition"], "voted");
    assert_eq!(call["summaries"][0]["note"], "a note");
    assert_eq!(call["corrections"][0]["now"], "王芳");
    assert_eq!(call["no_recording"], Value::Null);
    let part = &call["recordings"][0];
    assert_eq!((part["part"].as_i64(), part["millis"].as_i64()), (Some(1), Some(3_000)));
    assert_eq!(part["source"], format!("/api/v1/calls/{attempt}/recording?part=1"));
    for (by, status) in [("8001", 200), ("8002", 200), ("8006", 200), ("8101", 404), ("8102", 404)] {
        app.get(by, &format!("/calls/{attempt}")).await.is(status);
    }
    app.get("8003", "/calls/99999").await.is(404);
    app.get("8003", "/calls/in/99999").await.is(404);
}

#[tokio::test]
async fn the_agents_at_the_answer_are_those_of_the_group_with_when_each_was_free() {
    let Scenario { app, request, .. } = scenario().await;
    let attempt = request.attempt;
    let call = app.get("8003", &format!("/calls/{attempt}")).await.json();
    let answered = call["answered_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let (busy, idle) = (app.id("8002").await, app.id("8003").await);
    let group = app.group("vote").await;
    let in_group = |command: Command| match command {
        Command::LogSeat(mut seat) => {
            seat.groups = vec![group];
            Command::LogSeat(seat)
        }
        other => other,
    };
    let log = |agent, activity, at: i64| {
        let since = paceline_core::time::Utc::from_millis(at);
        in_group(Command::LogSeat(Box::new(seat(agent, Availability::Available, activity, since))))
    };
    write(
        &app,
        vec![
            log(idle, Activity::Idle, answered - 60_000),
            log(busy, Activity::Talking, answered - 30_000),
            log(busy, Activity::WrapUp, answered + 2_000),
            log(busy, Activity::Idle, answered + 9_000),
            // Signed in later, and one of another group.
            log(app.id("8005").await, Activity::Idle, answered + 1),
        ],
    )
    .await;
    let toml = "[agents]\ngroup = \"vote\"\n";
    set_toml(&app, toml).await;
    let call = app.get("8003", &format!("/calls/{attempt}")).await.is(200).json();
    let there = call["agents_at_answer"].as_array().unwrap();
    let of = |number: &str| there.iter().find(|it| it["agent"] == number).cloned().unwrap_or_default();
    assert_eq!(there.len(), 2, "{there:?}");
    assert_eq!(of("8003")["is_free"], true);
    assert_eq!(
        (of("8002")["is_free"].as_bool(), of("8002")["activity"].as_str()),
        (Some(false), Some("talking"))
    );
    let free_at = of("8002")["free_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(free_at.as_millisecond(), answered + 9_000);
    // An agent sees no other.
    let own = app.get("8001", &format!("/calls/{attempt}")).await.is(200).json();
    assert_eq!(own["agents_at_answer"], json!([]));
}

/// Gives the campaign another text.
async fn set_toml(app: &TestApp, toml: &str) {
    let define = paceline::store::NewCampaign {
        name: "spring",
        title: "A title",
        mode: "progressive",
        timezone: "Asia/Shanghai",
        toml,
        retry: &retry_rules(),
    };
    app.store.define_campaign(&define).await.unwrap();
}

/// Whatever was noted, in whatever order it was written: the moments are in order, and those of the row are the row's.
#[tokio::test]
async fn the_moments_are_in_order_and_agree_with_the_row() {
    let Scenario { app, request, .. } = scenario().await;
    let attempt = request.attempt;
    let agent = app.id("8001").await;
    for seed in 0..12u64 {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut steps = vec![json!({ "at_ms": 0, "dir": "out", "text": "INVITE sip:1@h" })];
        if random.random_bool(0.5) {
            steps.push(json!({ "at_ms": random.random_range(0..60_000), "dir": "in", "text": "200 OK" }));
        }
        for _ in 0..random.random_range(0..8) {
            let at_ms = random.random_range(0..200_000);
            steps.push(json!({ "at_ms": at_ms, "dir": "note", "text": "key 1 rtp" }));
        }
        set_steps(&app, attempt, &Value::from(steps)).await;
        let at = app.clock.now().as_millis() + random.random_range(0..100_000);
        write(
            &app,
            vec![
                at_work(agent, attempt, Activity::Talking, at),
                at_work(agent, attempt, Activity::WrapUp, at + random.random_range(0..50_000)),
            ],
        )
        .await;
        let call = app.get("8003", &format!("/calls/{attempt}")).await.is(200).json();
        let moments = call["timeline"].as_array().unwrap();
        let times: Vec<jiff::Timestamp> =
            moments.iter().map(|it| it["at"].as_str().unwrap().parse().unwrap()).collect();
        assert!(times.is_sorted(), "seed {seed}: {moments:?}");
        for (kind, field) in [
            ("written", "at"),
            ("ringing", "ringing_at"),
            ("answered", "answered_at"),
            ("connected", "connected_at"),
            ("ended", "ended_at"),
        ] {
            let told: Vec<&Value> =
                moments.iter().filter(|it| it["kind"] == kind).map(|it| &it["at"]).collect();
            match call[field].is_null() {
                true => assert!(told.is_empty(), "seed {seed}: {kind}"),
                false => assert_eq!(told.first(), Some(&&call[field]), "seed {seed}: {kind}"),
            }
        }
    }
}

/// A moment of the answer in milliseconds.
fn millis_of(at: &Value) -> i64 {
    at.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// The ladder and the timeline tell one call: what stands in both has the same moment, to the millisecond.
#[tokio::test]
async fn a_step_of_the_ladder_is_at_its_moment_of_the_timeline() {
    let Scenario { app, request, .. } = scenario().await;
    let attempt = request.attempt;
    let url = crate::store::url(app.dir.path());
    let mut conn = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let moved = "update attempt set placed_at = answered_at - 20000, ringing_at = answered_at - 9998 \
                  where id = $1";
    sqlx::query(moved).bind(attempt.0).execute(&mut conn).await.unwrap();
    sqlx::Connection::close(conn).await.unwrap();
    let call = app.get("8003", &format!("/calls/{attempt}")).await.is(200).json();
    let (answered, ended) = (millis_of(&call["answered_at"]), millis_of(&call["ended_at"]));
    // The INVITE left 358 ms after the call was opened, and the row's moments are some ms off the steps' clock.
    let after = 19_642;
    let steps = json!([
        { "at_ms": 0, "dir": "out", "text": "INVITE sip:1@h" },
        { "at_ms": 20, "dir": "in", "text": "100 Trying" },
        { "at_ms": 9_640, "dir": "in", "text": "180 Ringing" },
        { "at_ms": after, "dir": "in", "text": "200 OK" },
        { "at_ms": after + 700, "dir": "note", "text": "key 1 rtp" },
        { "at_ms": after + ended - answered - 3, "dir": "in", "text": "BYE sip:1@h" },
    ]);
    set_steps(&app, attempt, &steps).await;
    let call = app.get("8003", &format!("/calls/{attempt}")).await.is(200).json();
    let trace = app.get("8003", &format!("/calls/{attempt}/trace")).await.is(200).json();
    let step = |text: &str| {
        let mut steps = trace["steps"].as_array().unwrap().iter();
        steps.find(|it| it["text"].as_str().unwrap().starts_with(text)).unwrap()["at"].clone()
    };
    for (kind, text) in
        [("left", "INVITE"), ("ringing", "180"), ("answered", "200"), ("key", "key 1"), ("ended", "BYE")]
    {
        let mut moments = call["timeline"].as_array().unwrap().iter();
        let told = moments.find(|it| it["kind"] == kind).unwrap_or_else(|| panic!("{kind}: {call}"));
        assert_eq!(told["at"], step(text), "{kind}");
    }
    let opened = millis_of(&trace["at"]);
    assert!(millis_of(&step("INVITE")) - opened > 300, "{trace}");
    let times: Vec<i64> = trace["steps"].as_array().unwrap().iter().map(|it| millis_of(&it["at"])).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[tokio::test]
async fn every_number_in_a_call_is_masked_for_those_who_may_not_read_it() {
    let Scenario { app, lead, request, .. } = scenario().await;
    let attempt = request.attempt;
    let (said, was, now) = ("13911112222", number(1).national(), "13933334444");
    let correction = json!({ "phone": now, "was": was, "attempt": attempt.0 });
    app.post("8001", &format!("/leads/{}/corrections", lead.id), correction).await.is(201);
    let steps = json!([
        { "at_ms": 0, "dir": "out", "text": format!("INVITE sip:+86{was}@h"), "peer": "udp 192.0.2.1:5060" },
        { "at_ms": 9, "dir": "note", "text": format!("not_registered 403 call {said}") },
    ]);
    let mut consulted = crate::store::floor::leg(
        CallId(1 << 62 | 9),
        paceline_core::dialer::output::LegKind::Consulted,
        app.clock.now(),
    );
    consulted.attempt = Some(attempt);
    consulted.number = Some(number(77));
    consulted.cause = format!("moved to {said}");
    set_steps(&app, attempt, &steps).await;
    write(&app, vec![Command::SaveLeg(Box::new(consulted))]).await;
    let secrets = [said.to_owned(), was, now.to_owned(), number(77).national()];
    for path in [format!("/calls/{attempt}"), format!("/calls/{attempt}/trace")] {
        let whole = String::from_utf8(app.get("8003", &path).await.is(200).body).unwrap();
        let masked = String::from_utf8(app.get("8004", &path).await.is(200).body).unwrap();
        for secret in &secrets {
            assert!(!masked.contains(&secret[3..]), "{path} shows {secret}: {masked}");
        }
        let shown = secrets.iter().filter(|secret| whole.contains(secret.as_str())).count();
        assert!(shown >= 2, "{path}: the manager sees them: {whole}");
    }
}

/// Asks for a range; empty = for the whole.
async fn range(app: &TestApp, by: &str, path: &str, range: &str) -> Answer {
    let mut request = app.request(by, "get", path, None).await;
    if !range.is_empty() {
        request.headers_mut().insert(header::RANGE, range.parse().unwrap());
    }
    app.send(request).await
}

/// Actions of the audit on recordings, oldest first.
async fn heard(app: &TestApp) -> Vec<String> {
    let rows = app.get("8005", "/audit?limit=200").await.is(200).json();
    let words = rows["items"].as_array().unwrap().iter().rev();
    let words = words.map(|row| row["action"].as_str().unwrap().to_owned());
    words.filter(|word| word.starts_with("recordings.")).collect()
}

#[tokio::test]
async fn a_hearing_is_on_record_once_and_a_download_as_its_own() {
    let Scenario { app, request, .. } = scenario().await;
    let path = format!("/calls/{}/recording", request.attempt);
    let play = "recordings.play";
    // Whatever ranges a player asks for, and whether it begins at the beginning or not.
    range(&app, "8004", &path, "bytes=100-").await.is(206);
    for part in ["bytes=0-", "bytes=0-9", "bytes=50-60", ""] {
        range(&app, "8004", &path, part).await;
    }
    assert_eq!(heard(&app).await, [play]);
    // Another hearing of the same person says its own number; another person has one too.
    let second = format!("{path}?hearing=5");
    for _ in 0..3 {
        range(&app, "8004", &second, "bytes=1-").await.is(206);
    }
    range(&app, "8001", &path, "bytes=0-").await.is(206);
    assert_eq!(heard(&app).await, [play, play, play]);
    // After a long pause it is heard anew.
    app.clock.advance(3_000_000);
    range(&app, "8004", &second, "bytes=1-").await.is(206);
    assert_eq!(heard(&app).await.len(), 4);
    // Peaks are no hearing.
    app.get("8004", &format!("/calls/{}/peaks", request.attempt)).await.is(200);
    assert_eq!(heard(&app).await.len(), 4);
    // A file to keep needs its right, and each is on record.
    let kept = format!("{path}?download=true");
    let refused = range(&app, "8001", &kept, "").await.is(403);
    assert_eq!(refused.json()["right"], "exports.make");
    let file = range(&app, "8004", &kept, "").await.is(200);
    let name = file.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert_eq!(name, format!("attachment; filename=\"out-{}.wav\"", request.attempt));
    range(&app, "8004", &kept, "bytes=100-").await.is(206);
    range(&app, "8004", &kept, "").await.is(200);
    assert_eq!(heard(&app).await[4..], ["recordings.download", "recordings.download"]);
}

#[tokio::test]
async fn the_peaks_of_a_known_recording_have_known_values() {
    let Scenario { app, request, .. } = scenario().await;
    let file = app.dir.path().join("recordings/2026/03/call.wav");
    let sound = stereo(
        (0..8_000).map(|at| (if at < 4_000 { 16_384 } else { 0 }, if at == 7_999 { -32_768 } else { 0 })),
    );
    std::fs::write(&file, sound).unwrap();
    let path = format!("/calls/{}/peaks", request.attempt);
    let peaks = app.get("8001", &format!("{path}?bins=4")).await.is(200).json();
    assert_eq!(peaks, json!({ "millis": 1_000, "lanes": [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]] }));
    let whole = app.get("8001", &path).await.is(200).json();
    assert_eq!(whole["lanes"][0].as_array().unwrap().len(), 2_000);
    for unfit in ["?bins=0", "?bins=2001", "?part=0", "?bins=x"] {
        app.get("8001", &format!("{path}{unfit}")).await.is(422);
    }
    app.get("8001", &format!("{path}?part=2")).await.is(404);
    app.get("8101", &path).await.is(404);
}

#[tokio::test]
async fn a_call_without_sound_says_why() {
    let Scenario { app, request, .. } = scenario().await;
    let path = format!("/calls/{}", request.attempt);
    let why = async |app: &TestApp| app.get("8003", &path).await.is(200).json()["no_recording"].clone();
    assert_eq!(why(&app).await, Value::Null);
    app.store.mark_recordings_deleted(&[1]).await.unwrap();
    let deleted = why(&app).await;
    assert_eq!(
        (deleted["code"].as_str(), deleted["words"]["zh"].as_str()),
        (Some("deleted"), Some("已按 90 天规则删除"))
    );
    app.get("8003", &format!("{path}/recording")).await.is(404);
}

#[tokio::test]
async fn a_recording_that_a_crash_cut_off_says_how_far_it_reaches() {
    let Scenario { app, request, .. } = scenario().await;
    let began_at = app.clock.now();
    let found = paceline::store::RecoveredRecording {
        call: request.attempt.call(),
        began_at,
        path: "2026/03/cut.wav".into(),
        seconds: 72.0,
        lost_frames: 0,
        is_cut: true,
    };
    app.store.add_recovered_recordings(&[found], &[]).await.unwrap();
    let call = app.get("8003", &format!("/calls/{}", request.attempt)).await.is(200).json();
    let parts: Vec<(bool, i64)> = call["recordings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["recovered"].as_bool().unwrap(), it["millis"].as_i64().unwrap()))
        .collect();
    assert_eq!(parts, [(false, 3_000), (true, 72_000)]);
}

/// The result of a trace from the journal, once its task has ended.
async fn told(app: &TestApp, attempt: AttemptId) -> Value {
    let begun = app.by("8003", "post", &format!("/calls/{attempt}/story"), None).await.is(202).json();
    for _ in 0..600 {
        let task = app.get("8003", &format!("/tasks/{}", begun["task"])).await.is(200).json();
        match task["state"].as_str() {
            Some("queued" | "running") => tokio::time::sleep(Duration::from_millis(50)).await,
            Some("done") => return task["result"].clone(),
            _ => panic!("{task}"),
        }
    }
    panic!("the story was not told within 30 seconds")
}

#[tokio::test]
async fn the_trace_from_the_journal_says_when_the_journal_of_its_time_is_gone() {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let journal = dir.path().join("kept.journal");
    let start = crate::day::replays::write_journal(&journal);
    let clock = crate::store::ManualClock::at(start.as_millis() + 60_000);
    let mut fixture = crate::store::Fixture::open(dir.clone(), clock.clone(), &retry_rules()).await;
    fixture.list(&[crate::store::row(2, &[1], None), crate::store::row(3, &[2], None)], &[]).await;
    let (_, request) = fixture.talk(AgentId(1)).await;
    fixture.close().await;
    let mut config = Config::default();
    config.store.journal = journal.display().to_string();
    let app = TestApp::with_config(dir, clock, config).await;
    app.staff().await;
    app.tasks.begin().await.unwrap();
    app.by("8001", "post", &format!("/calls/{}/story", request.attempt), None).await.is(403);
    let story = told(&app, request.attempt).await;
    assert_eq!(story["found"], true, "{story}");
    let lines = story["call"]["lines"].as_array().unwrap();
    assert!(lines.len() >= 3, "{story}");
    assert!(lines.iter().all(|line| !line["words"]["zh"].as_str().unwrap().is_empty()));
    // Without its files the task says so, and does not fail.
    std::fs::remove_dir_all(&journal).unwrap();
    let story = told(&app, request.attempt).await;
    assert_eq!((story["found"].as_bool(), story["call"].is_null()), (Some(false), true));
    assert!(story["words"]["zh"].as_str().unwrap().contains("已不在"), "{story}");
    app.tasks.stop().await;
}
