//! The register of caller IDs: its life cycle over the API, and the hourly judgement of what was called.

use super::records::{Scenario, scenario};
use super::*;
use paceline::store::caller_id_hours::{hour_of, hour_start};
use paceline::tasks::judge_caller_ids;
use serde_json::json;

const HOUR: i64 = 3_600_000;

async fn act(app: &TestApp, number: &str, body: Value) -> Answer {
    app.post("8003", &format!("/caller-ids/{number}/actions"), body).await
}

fn told(app: &TestApp) -> String {
    app.engine.lock().unwrap().others.last().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_number_is_led_from_its_application_to_its_retirement() {
    let app = TestApp::new().await;
    app.staff().await;
    let body = json!({ "number": "0755-8888 6666", "holder": "翠园物业", "holder_id": "440301199001011234" });
    let added = app.post("8003", "/caller-ids", body.clone()).await.is(201).json();
    assert_eq!((&added["number"], &added["state"]), (&json!("075588886666"), &json!("entered")));
    // Of the holder's identity number its end alone is kept.
    assert_eq!(added["holder_id_end"], "1234");
    assert_eq!(app.post("8003", "/caller-ids", body).await.is(409).code(), "taken");
    app.settled().await;
    assert!(told(&app).contains("Not"), "not shown before it is whitelisted: {}", told(&app));

    let number = "075588886666";
    assert_eq!(act(&app, number, json!({ "action": "flag" })).await.is(409).code(), "not_in_this_state");
    for (action, state) in [
        (json!({ "action": "request" }), "requested"),
        (json!({ "action": "mark_whitelisted" }), "whitelisted"),
        (json!({ "action": "bind", "agent": "8001" }), "bound"),
        (json!({ "action": "start_warm_up" }), "warming"),
        (json!({ "action": "resume" }), "normal"),
        (json!({ "action": "flag", "note": "业主说显示骚扰电话" }), "flagged"),
        (json!({ "action": "resume" }), "recovering"),
        (json!({ "action": "clear_flag" }), "normal"),
        (json!({ "action": "rest", "until": "2036-01-31T09:30:00Z" }), "resting"),
        (json!({ "action": "resume" }), "normal"),
        (json!({ "action": "unbind" }), "unbound"),
        (json!({ "action": "retire" }), "retired"),
    ] {
        let shown = act(&app, number, action.clone()).await.is(200).json();
        assert_eq!(shown["state"], state, "{action}");
        if state == "bound" {
            assert_eq!(shown["bound_agent"], "8001");
            app.settled().await;
            assert!(told(&app).contains("agent: Some"), "{}", told(&app));
        }
    }
    let shown = app.get("8003", &format!("/caller-ids/{number}")).await.is(200).json();
    let log: Vec<&str> =
        shown["log"].as_array().unwrap().iter().map(|it| it["why"].as_str().unwrap()).collect();
    assert_eq!((log.len(), log[0], log[6]), (12, "retire", "flag"));
    assert_eq!(
        (&shown["log"][6]["note"], &shown["log"][6]["by"]),
        (&json!("业主说显示骚扰电话"), &json!("8003"))
    );
    assert_eq!(shown["actions"], json!([]));
    assert_eq!(app.get("8003", "/caller-ids").await.json()["items"], json!([]));
    assert_eq!(app.get("8003", "/caller-ids?retired=true").await.json()["items"][0]["state"], "retired");
    // A retired number may be entered anew.
    app.post("8003", "/caller-ids", json!({ "number": number })).await.is(201);
}

#[tokio::test]
async fn a_number_is_bound_to_no_account_that_is_gone() {
    let app = TestApp::new().await;
    app.staff().await;
    app.post("8003", "/caller-ids", json!({ "number": "0755-8888 6666" })).await.is(201);
    act(&app, "075588886666", json!({ "action": "mark_whitelisted" })).await.is(200);
    act(&app, "075588886666", json!({ "action": "bind", "agent": "8001" })).await.is(200);
    app.by("8003", "delete", "/agents/8001", None).await.is(204);
    let shown = app.get("8003", "/caller-ids/075588886666").await.is(200).json();
    assert_eq!((&shown["bound_agent"], &shown["state"]), (&Value::Null, &json!("bound")));
    app.settled().await;
    assert!(told(&app).contains("numbers: []"), "it may be shown by everybody: {}", told(&app));
}

#[tokio::test]
async fn facts_of_a_number_are_changed_by_its_version() {
    let app = TestApp::new().await;
    app.staff().await;
    app.post("8003", "/caller-ids", json!({ "number": "95188" })).await.is(201);
    let path = "/caller-ids/95188";
    let body = json!({ "carrier": "深圳联通", "per_day_max": 300, "idle_days": 7 });
    let shown = app.by("8003", "patch", path, Some(body)).await.is(200).json();
    assert_eq!(
        (&shown["carrier"], &shown["per_day_max"], &shown["version"]),
        (&json!("深圳联通"), &json!(300), &json!(2))
    );
    app.settled().await;
    assert!(told(&app).contains("per_day_max: Some(300)"), "{}", told(&app));
    let refused = app.by("8003", "patch", path, Some(json!({ "number": "95189" }))).await.is(422);
    assert!(refused.json()["detail"].as_str().unwrap().contains("stays what it is"));
    app.by("8003", "patch", path, Some(json!({ "per_day_max": 100_001 }))).await.is(422);
    app.by("8003", "patch", path, Some(json!({ "holder": "a\nb" }))).await.is(422);
    app.post("8003", "/caller-ids", json!({ "number": "110" })).await.is(422);
    for of_carriers in ["10086", "+8610010", "12345"] {
        let refused = app.post("8003", "/caller-ids", json!({ "number": of_carriers })).await.is(422);
        assert!(
            refused.json()["detail"].as_str().unwrap().contains("no subscriber can hold"),
            "{of_carriers}"
        );
    }
    for odd in ["/caller-ids/95188%0d%0a", "/caller-ids/%0095188", "/caller-ids/95188%7F/health"] {
        app.get("8003", odd).await.is(404);
    }
    let rest = |until: &str| json!({ "action": "rest", "until": until });
    act(&app, "95188", json!({ "action": "resume" })).await.is(200);
    for odd in ["2036-01-31T09:30:00+25:00", "2036-01-31T09:30:00+08:00:30", "2036-01-31T09:30:00Z[UTC]"] {
        act(&app, "95188", rest(odd)).await.is(422);
    }
    act(&app, "95188", rest("2036-01-31T17:30:00+08:00")).await.is(200);
    app.post("8003", "/caller-ids", json!({})).await.is(422);
    for who in ["8001", "8002", "8004", "8006"] {
        app.get(who, "/caller-ids").await.is(403);
    }
}

/// Calls of an hour: of each number so many, of which so many are answered.
pub async fn call(app: &TestApp, campaign: i64, hour: i64, of: &[(i64, i64, i64)], first_id: &mut i64) {
    let mut conn = <sqlx::SqliteConnection as sqlx::Connection>::connect(&crate::store::url(app.dir.path()))
        .await
        .unwrap();
    let begin = hour_start(hour).as_millis();
    for (number, calls, answered) in of {
        for n in 0..*calls {
            let placed = begin + n * 10_000;
            let is_answered = n < *answered;
            sqlx::query(
                "insert into attempt (id, campaign_id, number, ordinal, trunk, caller_id, call_id, dialog, state, placed_at,
                                      ringing_at, answered_at, ended_at, outcome, rest_millis)
                 values ($1, $2, $3, 1, 'main', $4, 'x', '{}', 'ended', $5, $5, $6, $5 + 20000, $7, 0)",
            )
            .bind(*first_id)
            .bind(campaign)
            .bind(8_613_800_000_000 + *first_id)
            .bind(number)
            .bind(placed)
            .bind(is_answered.then_some(placed + 5_000))
            .bind(if is_answered { "answered" } else { "no_answer" })
            .execute(&mut conn)
            .await
            .unwrap();
            *first_id += 1;
        }
    }
}

#[tokio::test]
async fn a_number_that_fewer_answer_is_flagged_with_its_evidence_rests_and_comes_back() {
    let Scenario { app, request, .. } = scenario().await;
    let numbers = [8_675_512_345_671, 8_675_512_345_672, 8_675_512_345_673_i64];
    for number in numbers {
        let body = json!({ "number": format!("+{number}") });
        let number =
            app.post("8003", "/caller-ids", body).await.is(201).json()["number"].as_str().unwrap().to_owned();
        act(&app, &number, json!({ "action": "resume" })).await.is(200);
    }
    let (bad, good) = ("075512345672", "075512345671");
    let first = hour_of(app.clock.now()) + 1;
    let mut id = 1_000_000;
    for hour in first..first + 8 {
        // 30 % of the others answer, 12 % of the second.
        let of = [(numbers[0], 60, 18), (numbers[1], 60, 7), (numbers[2], 60, 18)];
        call(&app, request.campaign.0, hour, &of, &mut id).await;
    }
    app.clock.advance(9 * HOUR + 1_200_000);
    judge_caller_ids(&app.store, app.state.engine(), app.clock.now()).await.unwrap();
    let shown = app.get("8003", &format!("/caller-ids/{bad}")).await.is(200).json();
    assert_eq!((&shown["state"], &shown["suspected"]), (&json!("flagged"), &json!(true)), "{shown}");
    assert_eq!((&shown["log"][0]["why"], &shown["log"][0]["by"]), (&json!("answered_less"), &Value::Null));
    let said = shown["words"]["en"].as_str().unwrap();
    assert!(said.contains("12 % of 480") && said.contains("30 %"), "{said}");
    assert_eq!(app.get("8003", &format!("/caller-ids/{good}")).await.json()["state"], "normal");
    let health = app.get("8003", &format!("/caller-ids/{bad}/health?days=3")).await.is(200).json();
    let sum = |field: &str| {
        health["days"].as_array().unwrap().iter().map(|day| day[field].as_f64().unwrap()).sum::<f64>()
    };
    assert_eq!((sum("calls"), sum("answered"), sum("expected")), (480.0, 56.0, 144.0));
    app.settled().await;
    assert!(told(&app).contains("RegisterCallerIds"), "{}", told(&app));

    // An hour is judged once.
    judge_caller_ids(&app.store, app.state.engine(), app.clock.now()).await.unwrap();
    let again = app.get("8003", &format!("/caller-ids/{bad}/health?days=3")).await.json();
    assert_eq!(again, health);

    // A week later it comes back with a tenth of its calls, and they are answered as others' are.
    app.clock.advance(7 * 24 * HOUR);
    judge_caller_ids(&app.store, app.state.engine(), app.clock.now()).await.unwrap();
    assert_eq!(app.get("8003", &format!("/caller-ids/{bad}")).await.json()["state"], "recovering");
    let next = hour_of(app.clock.now()) + 1;
    for hour in next..next + 12 {
        let of = [(numbers[0], 60, 18), (numbers[1], 10, 3), (numbers[2], 60, 18)];
        call(&app, request.campaign.0, hour, &of, &mut id).await;
    }
    // What the service missed while it was down is judged in turns of a day.
    for _ in 0..10 {
        judge_caller_ids(&app.store, app.state.engine(), app.clock.now()).await.unwrap();
    }
    app.clock.advance(13 * HOUR + 1_200_000);
    judge_caller_ids(&app.store, app.state.engine(), app.clock.now()).await.unwrap();
    let shown = app.get("8003", &format!("/caller-ids/{bad}")).await.json();
    assert_eq!((&shown["state"], &shown["suspected"]), (&json!("normal"), &json!(false)), "{}", shown["log"]);
    assert_eq!(shown["log"][0]["why"], "recovered");
}

#[tokio::test]
async fn a_flag_may_leave_a_number_in_use() {
    let Scenario { app, request, .. } = scenario().await;
    let change = json!({ "settings": { "flagged_numbers_stay": true } });
    let mut switch = app.request("8005", "patch", "/organisations/main", Some(change)).await;
    switch.headers_mut().insert(header::IF_MATCH, "*".parse().unwrap());
    app.send(switch).await.is(200);
    let numbers = [8_675_512_345_671, 8_675_512_345_672_i64];
    for number in numbers {
        let body = json!({ "number": format!("+{number}") });
        let number =
            app.post("8003", "/caller-ids", body).await.is(201).json()["number"].as_str().unwrap().to_owned();
        act(&app, &number, json!({ "action": "resume" })).await.is(200);
    }
    let first = hour_of(app.clock.now()) + 1;
    let mut id = 1_000_000;
    for hour in first..first + 8 {
        call(&app, request.campaign.0, hour, &[(numbers[0], 90, 36), (numbers[1], 90, 9)], &mut id).await;
    }
    app.clock.advance(9 * HOUR + 1_200_000);
    judge_caller_ids(&app.store, app.state.engine(), app.clock.now()).await.unwrap();
    let shown = app.get("8003", "/caller-ids/075512345672").await.json();
    assert_eq!((&shown["state"], &shown["suspected"]), (&json!("normal"), &json!(true)));
    assert_eq!(shown["log"].as_array().unwrap().iter().filter(|it| it["why"] == "answered_less").count(), 1);
}

#[tokio::test]
async fn a_number_that_a_call_showed_stands_in_the_register_by_itself() {
    let Scenario { app, request, .. } = scenario().await;
    let shown = app.get("8003", "/caller-ids").await.is(200).json();
    let found = shown["items"].as_array().unwrap();
    assert_eq!((found.len(), request.caller_id.is_some()), (1, true), "{shown}");
    assert_eq!((&found[0]["found"], &found[0]["state"]), (&json!(true), &json!("normal")));
}
