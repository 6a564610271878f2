//! A campaign's minutes, its decisions and its forecasts.

use super::*;
use crate::store::{list, row, rows};
use paceline::store::{CampaignMinute, Command, NewCampaign};
use paceline_core::dialer::View;
use paceline_core::pacing::{Decision, Why};
use paceline_core::time::Utc;
use serde_json::json;

const STAFFED: &str = "name = \"spring\"\nmode = \"predictive\"\n[list]\nfile = \"list.csv\"\n[agents]\n\
                       group = \"vote\"\n[calling]\nwindows = [\"00:00-24:00\"]\n";

/// The campaign `spring` of the group `vote`, stored with this text and open.
async fn scene(toml: &str) -> (TestApp, CampaignId) {
    let app = TestApp::new().await;
    app.staff().await;
    let retry = crate::store::retry_rules();
    let new = NewCampaign {
        name: "spring",
        title: "A title",
        mode: "predictive",
        timezone: "Asia/Shanghai",
        toml,
        retry: &retry,
    };
    let id = app.store.define_campaign(&new).await.unwrap();
    app.open_campaign(id, "spring", "vote").await;
    (app, id)
}

async fn save_minutes(app: &TestApp, minutes: Vec<CampaignMinute>) {
    let (writer, _replies) = app.store.start_writer();
    for minute in minutes {
        assert!(writer.send(Command::SaveMinute(Box::new(minute))).await);
    }
    writer.close().await;
}

fn minute(campaign: CampaignId, ago: i64, placed: u64) -> CampaignMinute {
    let at = MORNING - ago * 60_000;
    CampaignMinute {
        placed,
        answered: 1,
        talking: 2.5,
        abandoned: 3.0,
        divisor: 100.0,
        upper: Some(0.04),
        agents: [("talking".to_owned(), 2), ("idle".to_owned(), 1)].into(),
        limits: [("agents".to_owned(), 45.0), ("budget".to_owned(), 15.0)].into(),
        ..CampaignMinute::empty(campaign, Utc::from_millis(at - at.rem_euclid(60_000)))
    }
}

#[tokio::test]
async fn minutes_are_plotted_one_by_one_or_in_steps() {
    let (app, id) = scene(STAFFED).await;
    save_minutes(&app, (0..10).map(|ago| minute(id, ago, 1 + ago as u64)).collect()).await;
    // A process that begins in the middle of a minute adds its part.
    save_minutes(&app, vec![minute(id, 2, 100)]).await;
    app.clock.advance(60_000);
    let all = app.get("8003", "/campaigns/spring/series").await.is(200).json();
    let items = all["items"].as_array().unwrap();
    assert_eq!((all["step_secs"].as_u64(), items.len()), (Some(60), 10));
    assert_eq!((items[7]["placed"].as_u64(), items[7]["answered"].as_u64()), (Some(103), Some(2)));
    assert_eq!(items[9]["limits"], json!({ "agents": 45.0, "budget": 15.0 }));
    assert_eq!(items[9]["agents"], json!({ "talking": 2, "idle": 1 }));
    let steps = app.get("8002", "/campaigns/spring/series?step=5").await.is(200).json();
    let items = steps["items"].as_array().unwrap();
    let placed: u64 = items.iter().map(|item| item["placed"].as_u64().unwrap()).sum();
    assert_eq!((placed, steps["step_secs"].as_u64()), ((1..=10).sum::<u64>() + 100, Some(300)));
    let limits: f64 = items.iter().map(|item| item["limits"]["agents"].as_f64().unwrap()).sum();
    assert_eq!((limits, items[0]["talking"].as_f64()), (450.0, Some(2.5)));
    let since = "from=2026-03-02T01:58:00Z&until=2026-03-02T01:59:00Z";
    let some = app.get("8003", &format!("/campaigns/spring/series?{since}")).await.is(200).json();
    assert_eq!(some["items"].as_array().unwrap().len(), 1);
    let long = "from=2026-01-01T00:00:00Z&until=2026-03-02T00:00:00Z";
    app.get("8003", &format!("/campaigns/spring/series?{long}")).await.is(422);
    app.get("8003", &format!("/campaigns/spring/series?{long}&step=60")).await.is(200);
    app.get("8003", "/campaigns/spring/series?from=2026-03-02T02:00:00Z&until=2026-03-02T02:00:00Z")
        .await
        .is(422);
    app.get("8102", "/campaigns/spring/series").await.is(404);
    app.get("8003", "/campaigns/autumn/series").await.is(404);
    app.get("8003", "/campaigns/spring/series?step=7").await.is(422);
}

#[tokio::test]
async fn minutes_are_kept_for_ninety_days() {
    let (app, id) = scene(STAFFED).await;
    let days = |days: i64| minute(id, days * 1_440, 1);
    save_minutes(&app, vec![days(200), days(91), days(89), days(0)]).await;
    assert_eq!(app.store.delete_old_minutes().await.unwrap(), 2);
    assert_eq!(app.store.delete_old_minutes().await.unwrap(), 0);
    let hours = "from=2025-12-01T00:00:00Z&until=2025-12-31T00:00:00Z&step=60";
    let left = app.get("8003", &format!("/campaigns/spring/series?{hours}")).await.is(200).json();
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
}

async fn decide(app: &TestApp, campaign: CampaignId, id: u64, why: Why) {
    let decision = Decision { place: 0, why };
    let at = app.clock.now() + Duration::from_millis(id);
    let view = Box::new(View { why: Some(why), ringing: 4, ..View::default() });
    app.live.send(LiveEvent::Decision { id, campaign, at, decision, view }).unwrap();
    // The log is a task of its own, and the channel of these tests is short.
    for _ in 0..1_000 {
        let path = "/campaigns/spring/decisions";
        if app.get("8003", path).await.json()["items"][0]["id"].as_u64() == Some(id) {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("decision {id} was not kept");
}

#[tokio::test]
async fn decisions_are_kept_with_their_sentence_and_numbers() {
    let (app, id) = scene(STAFFED).await;
    let none = app.get("8003", "/campaigns/spring/decisions").await.is(200).json();
    assert_eq!((&none["items"], none["kept_since"].as_str()), (&json!([]), Some("2026-03-02T02:00:00.000Z")));
    for number in 1..=105 {
        let why = if number % 21 == 0 { Why::AbandonBudget } else { Why::LinesOut };
        decide(&app, id, number, why).await;
    }
    let page = app.get("8002", "/campaigns/spring/decisions").await.is(200).json();
    let first = &page["items"][0];
    assert_eq!((first["id"].as_u64(), page["items"].as_array().unwrap().len()), (Some(105), 100));
    assert_eq!((first["why"].as_str(), first["limit"].as_str()), (Some("abandon_budget"), Some("budget")));
    assert_eq!((first["view"]["ringing"].as_u64(), first["place"].as_u64()), (Some(4), Some(0)));
    assert!(first["words"]["zh"].as_str().is_some_and(|words| !words.is_empty()));
    let path = format!("/campaigns/spring/decisions?before={}", page["next"]);
    let rest = app.get("8002", &path).await.is(200).json();
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (5, &Value::Null));
    let some = app.get("8002", "/campaigns/spring/decisions?why=abandon_budget").await.is(200).json();
    assert_eq!(some["items"].as_array().unwrap().len(), 5);
    app.get("8002", "/campaigns/spring/decisions?why=mood").await.is(422);
    app.get("8102", "/campaigns/spring/decisions").await.is(404);
    app.get("8001", "/campaigns/spring/decisions").await.is(403);
}

async fn ended(app: &TestApp, task: i64) -> Value {
    let mut changes = app.tasks.changes();
    loop {
        let shown = app.get("8003", &format!("/tasks/{task}")).await.is(200).json();
        if !matches!(shown["state"].as_str(), Some("queued" | "running")) {
            return shown;
        }
        let _ = tokio::time::timeout(Duration::from_secs(60), changes.recv()).await;
    }
}

#[tokio::test]
async fn a_forecast_is_a_task_with_the_result_of_the_command() {
    let (app, id) = scene(STAFFED).await;
    list(&app.store, id, &rows(40), &[]).await;
    let asked = json!({ "agents": 2, "hours": 0.5, "seeds": 1, "answer_rate": 0.5 });
    let begun = app.post("8003", "/campaigns/spring/forecasts", asked).await.is(202);
    let task = begun.json()["task"].as_i64().unwrap();
    assert_eq!(begun.headers[header::LOCATION], format!("/api/v1/tasks/{task}"));
    let few = json!({ "agents": 2, "hours": 0.5, "seeds": 1, "from_history": true });
    let few = app.post("8003", "/campaigns/spring/forecasts", few).await.is(202).json()["task"].clone();
    app.tasks.begin().await.unwrap();
    let done = ended(&app, task).await;
    assert_eq!((done["state"].as_str(), done["kind"].as_str()), (Some("done"), Some("forecast")), "{done}");
    let result = &done["result"];
    assert_eq!((result["leads"].as_u64(), result["agents"].as_u64()), (Some(40), Some(2)));
    assert_eq!(result["answer_rate"].as_f64(), Some(0.5));
    let pacings: Vec<&str> =
        result["forecasts"].as_array().unwrap().iter().map(|it| it["pacing"].as_str().unwrap()).collect();
    assert!(pacings.contains(&"progressive") && pacings.contains(&"predictive"), "{pacings:?}");
    assert!(result["forecasts"][0]["days"][0]["calls"].as_u64().unwrap() > 0, "{result}");
    assert_eq!(
        (done["done"].as_u64(), &done["subject"]["kind"]),
        (done["total"].as_u64(), &json!("campaign"))
    );
    let failed = ended(&app, few.as_i64().unwrap()).await;
    assert_eq!(failed["state"], "failed");
    assert!(failed["error"]["en"].as_str().unwrap().contains("too few to learn from"), "{failed}");
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_forecast_that_cannot_be_made_says_why() {
    let (app, _) = scene(STAFFED).await;
    let path = "/campaigns/spring/forecasts";
    let asked = |agents: u32, hours: f64| json!({ "agents": agents, "hours": hours, "seeds": 2 });
    app.post("8003", path, asked(0, 8.0)).await.is(422);
    app.post("8003", path, asked(5, 25.0)).await.is(422);
    app.post("8003", path, json!({ "agents": 5, "hours": 8, "seeds": 21 })).await.is(422);
    app.post("8003", path, json!({ "agents": 5, "hours": 8, "seeds": 1, "answer_rate": 1.5 })).await.is(422);
    app.post("8102", path, asked(5, 8.0)).await.is(404);
    // Analysts forecast too, and see their own tasks.
    let task = app.post("8004", path, asked(5, 8.0)).await.is(202).json()["task"].clone();
    app.get("8004", &format!("/tasks/{task}")).await.is(200);
    let cancelled = app.post("8004", &format!("/tasks/{task}/actions"), json!({ "action": "cancel" })).await;
    assert_eq!(cancelled.is(202).json()["state"], "cancelled");
    for _ in 0..3 {
        app.post("8003", path, asked(5, 8.0)).await.is(202);
    }
    assert_eq!(app.post("8003", path, asked(5, 8.0)).await.is(409).code(), "busy");
    let (app, _) = scene(
        "name = \"spring\"\nmode = \"announce\"\n[list]\nfile = \"l.csv\"\n[announcement]\nfile = \"a.wav\"\n",
    )
    .await;
    assert_eq!(app.post("8003", path, asked(5, 8.0)).await.is(409).code(), "no_forecast");
}

#[tokio::test]
async fn a_forecast_that_runs_is_cancelled() {
    let (app, id) = scene(STAFFED).await;
    let many: Vec<_> = (0..5_000).map(|n| row(n + 2, &[n + 1], None)).collect();
    list(&app.store, id, &many, &[]).await;
    let asked = json!({ "agents": 50, "hours": 24, "seeds": 20, "needed": true });
    let task = app.post("8003", "/campaigns/spring/forecasts", asked).await.is(202).json()["task"].clone();
    let mut changes = app.tasks.changes();
    app.tasks.begin().await.unwrap();
    let _ = tokio::time::timeout(Duration::from_secs(60), changes.recv()).await;
    let action = json!({ "action": "cancel" });
    app.post("8003", &format!("/tasks/{task}/actions"), action).await.is(202);
    assert_eq!(ended(&app, task.as_i64().unwrap()).await["state"], "cancelled");
    app.tasks.stop().await;
}
