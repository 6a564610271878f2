//! The table of a campaign's leads over the API: filters, pages, counts, masking, and which caller sees it.

use super::enterprises::{second_enterprise, with_cookie};
use super::*;
use crate::store::{Fixture, number, row};
use paceline_core::outcome::Outcome;
use serde_json::json;

/// Thirty leads, three of them dialled; the group of the campaign is `vote`.
pub async fn opened() -> TestApp {
    let mut fixture = Fixture::new().await;
    let list: Vec<_> = (0..30).map(|n| row(n + 2, &[n], (n < 3).then_some("3-2-1402"))).collect();
    fixture.list(&list, &[]).await;
    for outcome in [Outcome::NoAnswer, Outcome::Vacant] {
        fixture.call(outcome).await;
    }
    let (dir, clock, campaign) = (fixture.dir.clone(), fixture.clock.clone(), fixture.campaign);
    fixture.close().await;
    let app = TestApp::open(dir, clock).await;
    app.staff().await;
    app.open_campaign(campaign, "spring", "vote").await;
    app
}

fn leads(answer: &Value) -> Vec<i64> {
    answer["leads"].as_array().unwrap().iter().map(|lead| lead["lead"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn pages_follow_each_other_until_the_last() {
    let app = opened().await;
    let all = app.get("8003", "/campaigns/spring/leads?limit=500&count=1").await.is(200).json();
    assert_eq!((all["next"].clone(), all["count"].clone()), (Value::Null, json!({ "n": 30, "exact": true })));
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = app.get("8002", &format!("/campaigns/spring/leads?limit=7{after}")).await.is(200).json();
        seen.extend(leads(&page));
        assert!(page.get("count").is_none(), "nothing is counted without being asked");
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, leads(&all));
    app.get("8003", "/campaigns/spring/leads?after=yesterday").await.is(422);
    app.get("8003", "/campaigns/spring/leads?row=3&state=open").await.is(422);
    app.get("8003", "/campaigns/spring/leads?state=asleep").await.is(422);
    app.get("8003", "/campaigns/spring/leads?reason=none").await.is(422);
}

#[tokio::test]
async fn a_row_says_who_where_when_and_why() {
    let app = opened().await;
    let tried = app.get("8003", "/campaigns/spring/leads?outcome=no_answer").await.is(200).json();
    let lead = &tried["leads"][0];
    assert_eq!(tried["leads"].as_array().unwrap().len(), 1);
    assert_eq!((lead["row"].as_i64(), lead["list"].as_str()), (Some(2), Some("list.csv")));
    assert_eq!((lead["place"].as_str(), lead["households"].as_i64()), (Some("3-2-1402"), Some(2)));
    assert_eq!(lead["numbers"], json!([number(0).national()]));
    assert_eq!((lead["attempts"].as_i64(), lead["attempts_max"].as_i64()), (Some(1), Some(3)));
    assert_eq!(lead["last"]["outcome"], "no_answer");
    assert!(lead["next_at"].is_string(), "{lead}");
    assert!(lead["because"]["zh"].as_str().unwrap().contains("无人接听"), "{lead}");
    assert!(lead["because"]["en"].as_str().unwrap().contains("rests until"), "{lead}");
    let closed = app.get("8003", "/campaigns/spring/leads?state=failed").await.is(200).json();
    assert!(closed["leads"][0]["because"]["en"].as_str().unwrap().starts_with("closed"), "{closed}");
    for (query, rows) in [
        ("q=7", vec![7]),
        ("q=%E4%B8%9A%E4%B8%BB11", vec![11]),
        ("q=13800000005", vec![7]),
        ("callback=true", vec![]),
        ("building=none", vec![]),
        ("disposition=voted", vec![]),
        ("q=%E4%B8%9A%E4%B8%BB3&state=open", vec![3, 30, 31]),
    ] {
        let found = app.get("8003", &format!("/campaigns/spring/leads?{query}")).await.is(200).json();
        let found: Vec<i64> =
            found["leads"].as_array().unwrap().iter().map(|lead| lead["row"].as_i64().unwrap()).collect();
        // The second lead of the flat was dialled, and its number does not exist.
        let wanted: Vec<i64> = rows.into_iter().filter(|row| *row != 3).collect();
        assert_eq!(found, wanted, "{query}");
    }
}

#[tokio::test]
async fn numbers_are_masked_for_analysts_and_few_look_ups_are_theirs() {
    let app = opened().await;
    let shown = app.get("8004", "/campaigns/spring/leads?limit=1").await.is(200).json();
    assert_eq!(shown["leads"][0]["numbers"], json!(["138****0000"]));
    let path = format!("/campaigns/spring/leads?q={}", number(4).national());
    for _ in 0..30 {
        app.get("8004", &path).await.is(200);
    }
    app.get("8004", &path).await.is(429);
    app.get("8003", &path).await.is(200);
    let audit = app.get("8005", "/audit?action=campaigns.read").await.is(200).json();
    assert_eq!(audit["items"].as_array().unwrap().len(), 31, "each look-up by number");
    assert!(!audit.to_string().contains(&number(4).national()), "masked in the audit");
}

#[tokio::test]
async fn the_table_is_for_the_campaigns_own_people() {
    let app = opened().await;
    for (by, status) in [
        ("8001", 403),
        ("8002", 200),
        ("8003", 200),
        ("8004", 200),
        ("8006", 200),
        ("8101", 404),
        ("8102", 404),
    ] {
        app.get(by, "/campaigns/spring/leads").await.is(status);
    }
    app.get("8003", "/campaigns/autumn/leads").await.is(404);
    let li = second_enterprise(&app).await;
    with_cookie(&app, &li, "get", "/campaigns/spring/leads", None).await.is(404);
}

#[tokio::test]
async fn the_table_is_there_while_the_campaign_is_not_open() {
    let app = opened().await;
    let (dir, clock) = (app.dir.clone(), app.clock.clone());
    let key = app.key("8003").await;
    drop(app);
    let closed = TestApp::open(dir, clock).await;
    let shown =
        with_cookie(&closed, &key, "get", "/campaigns/spring/leads?limit=3", None).await.is(200).json();
    assert_eq!(shown["leads"].as_array().unwrap().len(), 3);
    // Its text names no group, so it is of no shift lead's groups.
    closed.get("8002", "/campaigns/spring/leads").await.is(404);
}
