//! The blacklist over the API: what is added holds at once, in any spelling, for its scope and until its end.

use super::records::{Scenario, scenario};
use super::*;
use paceline_core::number::PhoneNumber;
use paceline_core::number_pattern::NumberPattern;
use serde_json::json;

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::chinese(text.as_bytes()).unwrap()
}

#[tokio::test]
async fn an_addition_holds_at_once_and_is_reported_to_the_engine() {
    let app = TestApp::new().await;
    app.staff().await;
    let mut changes = app.store.blacklist_changes();
    let body = json!({ "numbers": ["138-0013 8000", "1390013*"], "reason": "asked by letter" });
    let added = app.post("8003", "/blacklist", body).await.is(201).json();
    assert_eq!(added["added"], 2);
    let blocked = app.store.blacklisted(None).await.unwrap();
    for (called, is_blocked) in [("13800138000", true), ("13900139999", true), ("13800138001", false)] {
        let found = blocked.iter().any(|pattern| pattern.matches(number(called)));
        assert_eq!(found, is_blocked, "{called}");
    }
    let change = changes.recv().await.expect("the engine hears of it");
    assert_eq!(change.campaign, None);
    assert!(change.patterns.contains(&NumberPattern::exact(number("13800138000"))));

    let page = app.get("8002", "/blacklist?number=13900131234").await.is(200).json();
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(
        (items[0]["number"].as_str(), items[0]["scope"].as_str(), items[0]["added_by"].as_str()),
        (Some("+861390013*"), Some("system"), Some("8003"))
    );
    assert_eq!((items[0]["reason"].as_str(), &items[0]["until"]), (Some("asked by letter"), &Value::Null));
    app.by("8003", "delete", &format!("/blacklist/{}", items[0]["id"]), None).await.is(204);
    app.by("8003", "delete", &format!("/blacklist/{}", items[0]["id"]), None).await.is(404);
    let removal = json!({ "number": "+8613800138000" });
    assert_eq!(app.post("8003", "/blacklist/removals", removal.clone()).await.is(200).json()["removed"], 1);
    assert_eq!(app.post("8003", "/blacklist/removals", removal).await.is(404).code(), "not_listed");
    assert!(app.store.blacklisted(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_campaigns_entries_hold_for_it_alone_and_close_its_leads() {
    let Scenario { app, .. } = scenario().await;
    let two = crate::store::number(2).national();
    let body = json!({ "number": two, "campaign": "spring" });
    assert_eq!(app.post("8003", "/blacklist", body).await.is(201).json()["leads_closed"], 1);
    assert!(app.store.blacklisted(None).await.unwrap().is_empty());
    let page = app.get("8003", "/blacklist?campaign=spring").await.is(200).json();
    assert_eq!((page["items"][0]["campaign"].as_str(), &page["next"]), (Some("spring"), &Value::Null));
    assert!(app.get("8003", "/blacklist?scope=system").await.json()["items"].as_array().unwrap().is_empty());
    app.post("8003", "/blacklist", json!({ "number": "13800138000", "campaign": "autumn" })).await.is(404);
}

#[tokio::test]
async fn one_of_many_that_is_no_number_is_named_and_none_is_added() {
    let Scenario { app, .. } = scenario().await;
    let body = json!({ "numbers": ["13800138000", "13900138000", "abc"] });
    let problem = app.post("8003", "/blacklist", body).await.is(422);
    let detail = problem.json()["detail"].as_str().unwrap_or_default().to_owned();
    assert!(detail.starts_with("numbers[2]: "), "{detail}");
    assert!(app.store.blacklisted(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn pages_hold_every_entry_once() {
    let app = TestApp::new().await;
    app.staff().await;
    let numbers: Vec<String> = (0..7).map(|n| format!("1380013800{n}")).collect();
    app.post("8005", "/blacklist", json!({ "numbers": numbers })).await.is(201);
    let (mut seen, mut after) = (Vec::new(), 0);
    loop {
        let page = app.get("8002", &format!("/blacklist?limit=3&after={after}")).await.is(200).json();
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["number"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_i64() else { break };
        after = next;
    }
    assert_eq!(seen, numbers.iter().map(|number| format!("+86{number}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_unfit_or_past_addition_adds_nothing() {
    let app = TestApp::new().await;
    app.staff().await;
    for (body, status) in [
        (json!({}), 422),
        (json!({ "number": "13800138000", "numbers": ["13800138001"] }), 422),
        (json!({ "numbers": [] }), 422),
        (json!({ "numbers": vec!["13800138000"; 1_001] }), 422),
        (json!({ "numbers": ["13800138000", "138*0013"] }), 422),
        (json!({ "number": "110" }), 422),
        (json!({ "number": "*" }), 422),
        (json!({ "number": "13800138000", "until": "tomorrow" }), 422),
        (json!({ "number": "13800138000", "until": "2020-01-01T00:00:00Z" }), 409),
        (json!({ "number": "13800138000", "unitl": "2036-01-01T00:00:00Z" }), 422),
    ] {
        app.post("8003", "/blacklist", body.clone()).await.is(status);
    }
    assert!(app.store.blacklisted(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_number_of_another_country_is_looked_up_as_it_was_added() {
    let app = TestApp::new().await;
    app.staff().await;
    let body = json!({ "numbers": ["+85291234567", "+1415*"], "reason": "asked by letter" });
    assert_eq!(app.post("8003", "/blacklist", body).await.is(201).json()["added"], 2);
    for (number, entry) in [
        ("%2B85291234567", "+85291234567"),
        ("0085291234567", "+85291234567"),
        ("%2B852%209123%204567", "+85291234567"),
        ("%2B14155550100", "+1415*"),
    ] {
        let page = app.get("8003", &format!("/blacklist?number={number}")).await.is(200).json();
        let items = page["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{number}: {page}");
        assert_eq!(items[0]["number"], entry, "{number}");
    }
    // A range is no number that is called.
    for unfit in ["1380013*", "110", "%2B86110"] {
        app.get("8003", &format!("/blacklist?number={unfit}")).await.is(422);
    }
}
