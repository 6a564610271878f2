//! Registers of several enterprises: the same number may stand in each, and none learns of another's.

use super::caller_ids::call;
use super::enterprises::{second_enterprise, with_cookie};
use super::records::{Scenario, scenario};
use super::*;
use paceline::store::caller_id_hours::hour_of;
use paceline::tasks::judge_caller_ids;
use serde_json::json;

const HOUR: i64 = 3_600_000;
const BAD: i64 = 8_675_512_345_672;
const GOOD: i64 = 8_675_512_345_671;
const BAD_NATIONAL: &str = "075512345672";

/// A campaign of the second enterprise, whose organisation has this id.
async fn their_campaign(app: &TestApp, organisation: i64) -> i64 {
    let mut conn = connection(app).await;
    sqlx::query_scalar(
        "insert into campaign (enterprise_id, organisation_id, name, title, mode, timezone, toml, retry, defined_at)
         select $1, $1, 'theirs', 'theirs', mode, timezone, toml, retry, defined_at
           from campaign where name = 'spring' returning id",
    )
    .bind(organisation)
    .fetch_one(&mut conn)
    .await
    .unwrap()
}

async fn connection(app: &TestApp) -> sqlx::SqliteConnection {
    <sqlx::SqliteConnection as sqlx::Connection>::connect(&crate::store::url(app.dir.path())).await.unwrap()
}

#[tokio::test]
async fn two_enterprises_have_the_same_number_each_with_its_own_state_and_figures() {
    let Scenario { app, request, .. } = scenario().await;
    let li = second_enterprise(&app).await;
    let organisation = app.store.organisations().await.unwrap().last().unwrap().id;
    let body = json!({ "number": BAD_NATIONAL, "holder": "翠园物业" });
    app.post("8003", "/caller-ids", body).await.is(201);
    // The other one does not learn that it stands there.
    let theirs = json!({ "number": BAD_NATIONAL, "holder": "海棠物业" });
    with_cookie(&app, &li, "post", "/caller-ids", Some(theirs.clone())).await.is(201);
    assert_eq!(with_cookie(&app, &li, "post", "/caller-ids", Some(theirs)).await.is(409).code(), "taken");
    let act = json!({ "action": "resume" });
    let path = format!("/caller-ids/{BAD_NATIONAL}");
    let shown = with_cookie(&app, &li, "post", &format!("{path}/actions"), Some(act.clone())).await;
    assert_eq!(shown.is(200).json()["state"], "normal");
    let ours = async || app.get("8003", &path).await.is(200).json();
    let theirs = async || with_cookie(&app, &li, "get", &path, None).await.is(200).json();
    assert_eq!((&ours().await["state"], &ours().await["holder"]), (&json!("entered"), &json!("翠园物业")));
    app.settled().await;
    // What each register says stands by itself: the first lets its calls not show the number.
    let told = app.engine.lock().unwrap().others.last().cloned().unwrap();
    assert!(told.contains("register: RegisterId(1)") && told.contains("usage: Not"), "{told}");
    assert!(!told.contains(&format!("RegisterId({organisation})")), "{told}");

    app.post("8003", &format!("{path}/actions"), act.clone()).await.is(200);
    let good = json!({ "number": "075512345671" });
    app.post("8003", "/caller-ids", good.clone()).await.is(201);
    app.post("8003", "/caller-ids/075512345671/actions", act.clone()).await.is(200);
    with_cookie(&app, &li, "post", "/caller-ids", Some(good)).await.is(201);
    with_cookie(&app, &li, "post", "/caller-ids/075512345671/actions", Some(act)).await.is(200);

    // In the first enterprise's calls fewer answer the second number, in the other's as many as the other.
    let other = their_campaign(&app, organisation).await;
    let first = hour_of(app.clock.now()) + 1;
    let mut id = 1_000_000;
    for hour in first..first + 8 {
        call(&app, request.campaign.0, hour, &[(GOOD, 60, 24), (BAD, 60, 6)], &mut id).await;
        call(&app, other, hour, &[(GOOD, 30, 12), (BAD, 30, 12)], &mut id).await;
    }
    app.clock.advance(9 * HOUR + 1_200_000);
    judge_caller_ids(&app.store, app.state.engine(), app.clock.now()).await.unwrap();
    let (mine, other) = (ours().await, theirs().await);
    assert_eq!((&mine["state"], &mine["suspected"]), (&json!("flagged"), &json!(true)), "{mine}");
    assert_eq!((&other["state"], &other["suspected"]), (&json!("normal"), &json!(false)), "{other}");
    // Neither learns how often the other showed it.
    assert_eq!((&mine["last_day"], &other["last_day"]), (&json!(480), &json!(240)));
    let calls = |row: &Value| {
        row["days"].as_array().unwrap().iter().map(|it| it["calls"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((calls(&mine), calls(&other)), (480, 240));
    let used = |row: &Value| row["last_used_at"].as_str().unwrap().to_owned();
    assert!(used(&mine) > used(&other), "each by its own calls: {} {}", used(&mine), used(&other));

    // Retired and entered anew: the other's row stays as it is.
    app.post("8003", &format!("{path}/actions"), json!({ "action": "retire" })).await.is(200);
    assert_eq!(theirs().await["state"], "normal");
    app.post("8003", "/caller-ids", json!({ "number": BAD_NATIONAL })).await.is(201);
    assert_eq!((&ours().await["state"], &theirs().await["state"]), (&json!("entered"), &json!("normal")));
}

#[tokio::test]
async fn a_call_finds_a_number_for_its_own_enterprise() {
    let Scenario { app, request, .. } = scenario().await;
    let shown = request.caller_id.unwrap();
    let li = second_enterprise(&app).await;
    let theirs = with_cookie(&app, &li, "get", "/caller-ids", None).await.is(200).json();
    assert_eq!(theirs["items"], json!([]));
    let path = format!("/caller-ids/{}", shown.national());
    assert_eq!(app.get("8003", &path).await.is(200).json()["found"], true);
    with_cookie(&app, &li, "get", &path, None).await.is(404);
    let entered = json!({ "number": shown.national() });
    let added = with_cookie(&app, &li, "post", "/caller-ids", Some(entered)).await.is(201).json();
    assert_eq!(
        (&added["today"], &added["last_day"], &added["first_used_at"], &added["last_used_at"]),
        (&json!(0), &json!(0), &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn the_last_use_and_the_cap_of_today_move_with_the_calls() {
    let Scenario { app, request, .. } = scenario().await;
    let body = json!({ "number": BAD_NATIONAL, "per_day_max": 100, "idle_days": 1 });
    app.post("8003", "/caller-ids", body).await.is(201);
    let path = format!("/caller-ids/{BAD_NATIONAL}");
    for action in ["mark_whitelisted", "start_warm_up"] {
        app.post("8003", &format!("{path}/actions"), json!({ "action": action })).await.is(200);
    }
    let shown = app.get("8003", &path).await.is(200).json();
    assert_eq!(
        (&shown["cap"], &shown["cap_by"], &shown["last_day"]),
        (&json!(20), &json!("warm_up"), &json!(0))
    );
    let hour = hour_of(app.clock.now());
    call(&app, request.campaign.0, hour, &[(BAD, 7, 2)], &mut 1_000_000).await;
    app.clock.advance(HOUR);
    // The hour is not judged yet.
    let shown = app.get("8003", &path).await.is(200).json();
    assert_eq!((&shown["last_day"], &shown["today"]), (&json!(7), &json!(7)), "{shown}");
    assert_ne!(shown["last_used_at"], Value::Null);
    assert!(shown["idle_at"].as_str() > shown["last_used_at"].as_str(), "{shown}");
    // Three days later its warm-up lets it be shown more often than its own cap does.
    app.clock.advance(3 * 24 * HOUR);
    let shown = app.get("8003", &path).await.is(200).json();
    assert_eq!((&shown["cap"], &shown["cap_by"]), (&json!(100), &json!("own")));
    // It is idle now, and flagged: both are on the day's page.
    app.post("8003", &format!("{path}/actions"), json!({ "action": "flag" })).await.is(200);
    let day = app.get("8003", "/today").await.is(200).json();
    let items: Vec<&str> = day["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["kind"] == "caller_id")
        .map(|it| it["words"]["en"].as_str().unwrap())
        .collect();
    assert_eq!(items.len(), 2, "{day}");
    assert!(items[0].contains("suspected") && items[1].contains("the carrier takes"), "{items:?}");
    let for_analyst = app.get("8004", "/today").await;
    assert!(
        !String::from_utf8_lossy(&for_analyst.body).contains("caller_id"),
        "only for those who keep them"
    );
}
