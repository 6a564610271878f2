//! The owners' vote over the API: its count, the flats behind it, and what is done when it is decided.

use super::*;
use crate::store::{list, refused, row};
use paceline::lists::LeadRow;
use paceline::store::{AuditFilter, NewCampaign};
use paceline::tasks::follow_vote;
use paceline_core::outcome::Reason;
use serde_json::json;

const TEXT: &str = "name = \"spring\"\nmode = \"announce\"\n[keys]\n1 = { result = \"agree\" }\n2 = { result = \"against\" }\n\
                    [[dispositions]]\ncode = \"voted\"\nlabel = \"已投票\"\nstate = \"done\"\ndefault = true\n[vote]\n\
                    results = { agree = [\"agree\", \"voted\"], against = [\"against\"] }\n";

/// The campaign `spring` with this text, three flats and an owner more.
async fn scene(toml: &str, area: Option<u64>) -> (TestApp, CampaignId) {
    let app = TestApp::new().await;
    app.staff().await;
    let retry = crate::store::retry_rules();
    let new = NewCampaign {
        name: "spring",
        title: "A title",
        mode: "announce",
        timezone: "Asia/Shanghai",
        toml,
        retry: &retry,
    };
    let id = app.store.define_campaign(&new).await.unwrap();
    let flat = |n: u64, household: &str| LeadRow { area, ..row(n + 1, &[n], Some(household)) };
    let rows = [flat(1, "3-1-101"), flat(2, "3-1-102"), flat(3, "3-1-103"), flat(4, "3-1-103")];
    list(&app.store, id, &rows, &[refused(9, Reason::InvalidNumber)]).await;
    app.open_campaign(id, "spring", "vote").await;
    (app, id)
}

/// Writes what the lead of this row said, as its call would.
async fn say(app: &TestApp, row: i64, result: &str) {
    let mut conn = <sqlx::SqliteConnection as sqlx::Connection>::connect(&crate::store::url(app.dir.path()))
        .await
        .unwrap();
    sqlx::query("update lead set result = $2, state = 'done' where list_row = $1")
        .bind(row)
        .bind(result)
        .execute(&mut conn)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_vote_is_counted_by_heads_and_by_area() {
    let (app, _) = scene(TEXT, Some(10_050)).await;
    let shown = app.get("8004", "/campaigns/spring/vote").await.is(200).json();
    assert_eq!((&shown["heads"]["total"], &shown["heads"]["open"]), (&json!(3), &json!(3)));
    assert_eq!(shown["area"]["total"], json!(301.5));
    assert_eq!(shown["standing"], "open");
    assert_eq!(
        shown["thresholds"],
        json!({ "joint": "one", "quorum_heads": "2/3", "quorum_area": "2/3", "majority": "1/2" })
    );
    assert_eq!(shown["still_needed"]["quorum_area"], json!(201.0));
    assert!(shown["words"]["zh"].as_str().unwrap().contains("参与还差 2 人、201 ㎡"), "{}", shown["words"]);
    say(&app, 2, "agree").await;
    say(&app, 4, "agree").await;
    say(&app, 5, "against").await;
    let shown = app.get("8003", "/campaigns/spring/vote").await.is(200).json();
    let heads = &shown["heads"];
    assert_eq!(
        (&heads["took_part"], &heads["agree"], &heads["differing"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(shown["reached"]["quorum_heads"], true);
    let flats = app.get("8003", "/campaigns/spring/vote/flats?said=differing").await.is(200);
    let text = String::from_utf8_lossy(&flats.body).into_owned();
    assert!(!text.contains("1380000"), "no number: {text}");
    let flats = flats.json();
    let head = &flats["items"][0];
    assert_eq!(
        (&head["flats"], &head["said"]),
        (&json!([{ "name": "3-1-103", "area": 100.5 }]), &json!("differing"))
    );
    assert_eq!(head["owners"][1]["voice"], "against");
    assert_eq!(
        app.get("8003", "/campaigns/spring/vote/flats").await.json()["items"].as_array().unwrap().len(),
        3
    );
    let after = format!("/campaigns/spring/vote/flats?after={}", head["owners"][0]["lead"]);
    assert_eq!(app.get("8003", &after).await.json()["items"], json!([]));
    app.get("8003", "/campaigns/spring/vote/flats?said=loud").await.is(422);
}

#[tokio::test]
async fn without_areas_heads_alone_count_and_without_a_vote_there_is_none() {
    let (app, _) = scene(TEXT, None).await;
    let shown = app.get("8003", "/campaigns/spring/vote").await.is(200).json();
    assert_eq!((&shown["area"], &shown["still_needed"]["quorum_area"]), (&Value::Null, &Value::Null));
    assert_eq!(shown["flats_without_area"], 3);
    let (app, _) = scene(TEXT.split("[vote]").next().unwrap(), Some(1)).await;
    for path in ["/campaigns/spring/vote", "/campaigns/spring/vote/flats"] {
        assert_eq!(app.get("8003", path).await.is(404).code(), "no_vote");
    }
    say(&app, 2, "agree").await;
    let sums = app.get("8004", "/campaigns/spring/sums").await.is(200).json();
    assert_eq!((&sums["rows"], &sums["leads"], &sums["refused"]), (&json!(5), &json!(4), &json!(1)));
    assert_eq!(sums["results"], json!({ "agree": 1 }));
    assert_eq!(sums["refused_by"], json!({ "invalid_number": 1 }));
    app.get("8001", "/campaigns/spring/sums").await.is(403);
    app.get("8101", "/campaigns/spring/vote").await.is(403);
}

async fn reported(app: &TestApp) -> Vec<Value> {
    let events = app.store.events_after(1, 0, 1_000).await.unwrap();
    let votes = events.into_iter().filter(|event| event.kind == "vote");
    votes.map(|event| serde_json::from_str(&event.body).unwrap()).collect()
}

fn drained(app: &TestApp) -> usize {
    app.engine.lock().unwrap().others.iter().filter(|request| request.contains("Drain")).count()
}

#[tokio::test]
async fn a_decided_vote_is_reported_once_and_with_stop_its_campaign_drains_once() {
    for stop in [false, true] {
        let text = format!("{TEXT}stop = {stop}\n");
        let (app, id) = scene(&text, Some(10_000)).await;
        let look = async || {
            follow_vote(&app.store, app.state.engine(), id).await.unwrap();
            app.settled().await;
        };
        look().await;
        assert_eq!((reported(&app).await.len(), drained(&app)), (0, 0), "that it has begun is no news");
        say(&app, 2, "agree").await;
        say(&app, 3, "agree").await;
        look().await;
        look().await;
        let events = reported(&app).await;
        assert_eq!((events.len(), drained(&app)), (1, usize::from(stop)));
        assert_eq!((&events[0]["standing"], &events[0]["drains"]), (&json!("certain"), &json!(stop)));
        assert!(events[0]["words"]["zh"].as_str().unwrap().starts_with("已成定局"));
        let audit = app.store.audit(1, &AuditFilter { limit: 100, ..AuditFilter::default() }).await.unwrap();
        let drains: Vec<_> = audit.iter().filter(|row| row.action == "campaigns.run").collect();
        assert_eq!(drains.len(), usize::from(stop), "{drains:?}");
        // A correction opens it again.
        say(&app, 3, "").await;
        look().await;
        assert_eq!(reported(&app).await.last().unwrap()["standing"], "open");
    }
}
