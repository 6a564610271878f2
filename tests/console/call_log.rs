//! The call log over the API: its default day, what a row says, its orders, counts, and what it refuses.

use super::records::{Scenario, scenario};
use super::*;
use serde_json::json;

#[tokio::test]
async fn without_a_span_the_log_is_of_today_and_an_empty_one_names_the_last_day() {
    let Scenario { app, request, .. } = scenario().await;
    let log = app.get("8003", "/calls?count=1").await.is(200).json();
    let call = &log["calls"][0];
    assert_eq!(call["id"].as_i64(), Some(request.attempt.0));
    assert_eq!(log["count"], json!({ "n": 1, "exact": true }));
    assert_eq!(
        (&log["earlier"], &log["searched_to"], &log["next"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    // The day of the campaign's zone, from midnight to midnight.
    assert!(log["from"].as_str().unwrap().contains("T16:00:00"), "{log}");
    assert_eq!((&call["agent"], &call["agent_name"]), (&json!("8001"), &json!("N8001")));
    assert_eq!((&call["ordinal"], &call["missed"]), (&json!(1), &json!(false)));
    assert!(call["waited_ms"].as_i64().is_some() && call["trunk"].is_string(), "{call}");
    app.clock.advance(24 * 3_600_000);
    for query in ["", "?campaign=spring", "?count=1&outcome=answered"] {
        let log = app.get("8003", &format!("/calls{query}")).await.is(200).json();
        assert!(log["calls"].as_array().unwrap().is_empty(), "{query}");
        assert_eq!(log["earlier"], call["at"], "{query}: the last call before today");
    }
    // A caller learns nothing of calls that it does not see.
    assert_eq!(app.get("8101", "/calls").await.json()["earlier"], Value::Null);
    // The calls of a lead and of a number are few: they are asked from the first on.
    for query in [format!("lead={}", request.lead.unwrap()), format!("number={}", request.number.national())]
    {
        let log = app.get("8003", &format!("/calls?{query}")).await.is(200).json();
        assert_eq!(log["calls"][0]["id"], call["id"], "{query}");
    }
}

#[tokio::test]
async fn a_group_has_its_members_calls_for_those_who_see_it() {
    let Scenario { app, request, .. } = scenario().await;
    for (by, query, found) in [
        ("8003", "group=vote", true),
        ("8003", "group=night", false),
        ("8002", "group=vote", true),
        ("8003", "group=vote&missed=true", false),
        ("8003", "missed=false&waited_min=0", true),
        ("8003", "waited_min=3600", false),
        ("8003", "building=none", false),
        ("8003", "caller_id=%2B8695188", false),
    ] {
        let log = app.get(by, &format!("/calls?{query}")).await.is(200).json();
        let ids: Vec<i64> =
            log["calls"].as_array().unwrap().iter().map(|it| it["id"].as_i64().unwrap()).collect();
        assert_eq!(ids == [request.attempt.0], found, "{query}: {ids:?}");
    }
    app.get("8002", "/calls?group=night").await.is(404);
    app.get("8003", "/calls?group=gone").await.is(404);
}

#[tokio::test]
async fn every_order_is_served_and_a_filter_that_cannot_be_is_refused_by_name() {
    let Scenario { app, request, .. } = scenario().await;
    for order in ["newest", "oldest", "longest", "shortest", "waited"] {
        let log = app.get("8003", &format!("/calls?sort={order}")).await.is(200).json();
        assert_eq!(log["calls"][0]["id"].as_i64(), Some(request.attempt.0), "{order}");
        let behind = format!("/calls?sort={order}&before={}", request.attempt.0);
        assert!(app.get("8003", &behind).await.is(200).json()["calls"].as_array().unwrap().is_empty());
    }
    for (query, name) in [
        ("sort=best", "sort"),
        ("talk_min=9&talk_max=3", "talk_max"),
        ("from=2026-03-03T00:00:00Z&until=2026-03-03T00:00:00Z", "until"),
        ("caller_id=abc", "caller_id"),
        ("missed=yes", "missed"),
        ("waited_min=-1", "waited_min"),
        ("count=2", "count"),
        ("sort=newest&sort=oldest", "sort"),
    ] {
        let detail = app.get("8003", &format!("/calls?{query}")).await.is(422).json()["detail"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(detail.starts_with(name), "{query}: {detail}");
    }
}

/// A building's name may hold a number: who is shown it masked does not find it by guesses.
#[tokio::test]
async fn a_filter_does_not_unmask_a_number_in_the_name_of_a_building() {
    let Scenario { app, .. } = scenario().await;
    for path in ["/calls", "/aggregates", "/campaigns/spring/leads"] {
        for building in ["13812345678", "138-1234-5678", "13812345678栋"] {
            let path = format!("{path}?building={building}");
            app.get("8003", &path).await.is(200);
            assert_eq!(app.get("8004", &path).await.is(422).json()["errors"][0]["at"], "/building", "{path}");
        }
        app.get("8004", &format!("{path}?building=3-2")).await.is(200);
    }
    app.get("8004", "/campaigns/spring/leads?q=1381a").await.is(422);
    app.get("8003", "/campaigns/spring/leads?q=1381a").await.is(200);
}
