//! What people do to leads over the API: one lead and its inverse, many by a task, a lead added by hand.

use super::enterprises::{second_enterprise, with_cookie};
use super::leads_table::opened;
use super::*;
use crate::store::{Fixture, number, rows};
use axum::http::HeaderValue;
use paceline_core::dialer::input::DialVerdict;
use serde_json::json;

impl TestApp {
    /// Sends a POST with an `Idempotency-Key`.
    pub async fn post_once(&self, by: &str, key: &str, path: &str, body: Value) -> Answer {
        let mut request = self.request(by, "post", path, Some(body)).await;
        request.headers_mut().insert("idempotency-key", HeaderValue::from_str(key).unwrap());
        self.send(request).await
    }

    async fn engine_requests(&self) -> Vec<String> {
        self.settled().await;
        std::mem::take(&mut self.engine.lock().unwrap().others)
    }
}

/// The row of the table for one lead.
async fn row_of(app: &TestApp, row: u64) -> Value {
    let shown = app.get("8003", &format!("/campaigns/spring/leads?q={row}")).await.is(200).json();
    shown["leads"][0].clone()
}

#[tokio::test]
async fn a_lead_is_closed_once_and_opened_again_by_its_inverse() {
    let app = opened().await;
    let lead = row_of(&app, 10).await["lead"].clone();
    let path = format!("/leads/{lead}/actions");
    let close = json!({ "action": "close", "reason": "asked by letter" });
    app.post("8002", &path, close.clone()).await.is(400);
    let done = app.post_once("8002", "k1", &path, close.clone()).await.is(200);
    assert_eq!(
        done.json(),
        json!({ "done": true, "inverse": { "action": "reopen", "agent": null, "at": null, "skill": null } })
    );
    let said = app.engine_requests().await;
    assert!(said.iter().any(|it| it.contains("LeadsChanged") && it.contains(&lead.to_string())), "{said:?}");
    // The same request again is answered again and done once.
    let replayed = app.post_once("8002", "k1", &path, close.clone()).await.is(200);
    assert!(replayed.headers.contains_key("idempotency-replayed"));
    assert_eq!(replayed.json(), done.json());
    assert!(app.engine_requests().await.is_empty());
    assert_eq!(app.post_once("8002", "k2", &path, close).await.is(409).code(), "not_open");
    let closed = row_of(&app, 10).await;
    assert_eq!((closed["state"].as_str(), closed["reason"].as_str()), (Some("failed"), Some("stopped")));
    // A shift lead closes; opening again is for those who edit leads.
    let inverse = done.json()["inverse"].clone();
    app.post_once("8002", "k3", &path, inverse.clone()).await.is(403);
    app.post_once("8003", "k4", &path, inverse).await.is(200);
    assert_eq!(row_of(&app, 10).await["state"], "open");
    let audit = app.get("8005", "/audit?subject=lead").await;
    let audit =
        if audit.status == 200 { audit.json() } else { app.get("8005", "/audit").await.is(200).json() };
    assert!(audit.to_string().contains("asked by letter"), "{audit}");
}

#[tokio::test]
async fn actions_need_their_parts_and_the_campaigns_own_agents() {
    let app = opened().await;
    let path = format!("/leads/{}/actions", row_of(&app, 10).await["lead"]);
    let tomorrow = "2026-03-03T02:00:00Z";
    for (n, (body, status, code)) in [
        (json!({ "action": "assign" }), 422, "unfit"),
        (json!({ "action": "assign", "agent": "8101" }), 409, "not_in_group"),
        (json!({ "action": "assign", "agent": "8999" }), 404, "not_found"),
        (json!({ "action": "close", "agent": "8001" }), 422, "unfit"),
        (json!({ "action": "book" }), 422, "unfit"),
        (json!({ "action": "book", "at": "2020-01-01T00:00:00Z" }), 409, "past"),
        (json!({ "action": "book", "at": "2036-01-01T00:00:00Z" }), 422, "unfit"),
        (json!({ "action": "unassign" }), 409, "not_assigned"),
        (json!({ "action": "reopen" }), 409, "not_closed"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = app.post_once("8003", &format!("k{n}"), &path, body.clone()).await.is(status);
        assert_eq!(answer.code(), code, "{body}");
    }
    let assigned =
        app.post_once("8003", "a1", &path, json!({ "action": "assign", "agent": "8001" })).await.is(200);
    assert_eq!(assigned.json()["inverse"]["action"], "unassign");
    let shown = row_of(&app, 10).await;
    assert_eq!(shown["assigned_agent"], "8001");
    assert!(shown["because"]["en"].as_str().unwrap().contains("agent 8001 alone"), "{shown}");
    let booked = json!({ "action": "book", "at": tomorrow, "agent": "8001" });
    app.post_once("8003", "a2", &path, booked).await.is(200);
    let shown = row_of(&app, 10).await;
    assert_eq!(shown["callback"]["agent"], "8001");
    assert!(shown["callback"]["at"].as_str().unwrap().starts_with("2026-03-03T02:00:00"), "{shown}");
    app.post_once("8003", "a3", &path, json!({ "action": "first" })).await.is(409);
    app.post_once("8003", "a4", &path, json!({ "action": "blacklist", "reason": "asked" })).await.is(200);
    let entries = app.get("8003", "/blacklist?campaign=spring").await.is(200).json();
    assert_eq!(entries["items"].as_array().unwrap().len(), 1, "{entries}");
    let refused = app.post_once("8003", "a5", &path, json!({ "action": "reopen" })).await.is(409);
    assert_eq!(refused.code(), "blacklisted");
}

#[tokio::test]
async fn a_lead_in_a_call_is_busy_and_one_of_another_enterprise_is_not_there() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(3), &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    let request = fixture.request(Some(&lead), lead.phones[0].number);
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    let (dir, clock, campaign) = (fixture.dir.clone(), fixture.clock.clone(), fixture.campaign);
    fixture.close().await;
    let app = TestApp::open(dir, clock).await;
    app.staff().await;
    app.open_campaign(campaign, "spring", "vote").await;
    let path = format!("/leads/{}/actions", lead.id);
    let close = json!({ "action": "close" });
    let busy = app.post_once("8003", "k1", &path, close.clone()).await.is(409);
    assert_eq!((busy.code(), busy.json()["lead"].clone()), ("busy".into(), json!(lead.id.0)));
    assert_eq!(row_of(&app, 2).await["because"]["zh"], "正在呼叫");
    app.post_once("8102", "k2", &path, close.clone()).await.is(404);
    let li = second_enterprise(&app).await;
    let mut foreign = super::bare("post", &path, Some(close.clone()));
    for (name, value) in [
        ("cookie", format!("paceline={li}")),
        ("origin", format!("http://{HOST}")),
        ("idempotency-key", "k3".into()),
    ] {
        foreign.headers_mut().insert(name, value.parse().unwrap());
    }
    app.send(foreign).await.is(404);
    let many = "/campaigns/spring/leads/actions?dry_run=true";
    let mut foreign = super::bare("post", many, Some(json!({ "action": "close", "filters": {} })));
    for (name, value) in [
        ("cookie", format!("paceline={li}")),
        ("origin", format!("http://{HOST}")),
        ("idempotency-key", "k4".into()),
    ] {
        foreign.headers_mut().insert(name, value.parse().unwrap());
    }
    app.send(foreign).await.is(404);
    let theirs = with_cookie(&app, &li, "get", "/search?q=spring", None).await.is(200).json();
    assert_eq!(theirs["items"], json!([]));
}

#[tokio::test]
async fn many_leads_are_counted_first_and_changed_by_a_task() {
    let app = opened().await;
    let path = "/campaigns/spring/leads/actions";
    let close = json!({ "action": "close", "reason": "end of the vote", "filters": { "state": "open", "q": "业主2" } });
    let counted =
        app.post_once("8003", "k1", &format!("{path}?dry_run=true"), close.clone()).await.is(200).json();
    let count = counted["count"].as_u64().unwrap();
    assert!(count >= 10, "{counted}");
    let neither = json!({ "action": "close" });
    app.post_once("8003", "k2", path, neither).await.is(422);
    let task = app.post_once("8003", "k3", path, close.clone()).await.is(202).json()["task"].clone();
    assert_eq!(app.post_once("8003", "k3", path, close).await.is(202).json()["task"], task);
    app.tasks.begin().await.unwrap();
    let done = super::lists::ended(&app, &task).await;
    assert_eq!(
        (done["state"].as_str(), done["result"]["done"].as_u64()),
        (Some("done"), Some(count)),
        "{done}"
    );
    let said = app.engine_requests().await;
    assert!(said.iter().any(|it| it.contains("LeadsChanged")), "{said:?}");
    let left =
        app.get("8003", "/campaigns/spring/leads?state=open&q=%E4%B8%9A%E4%B8%BB2").await.is(200).json();
    assert_eq!(left["leads"], json!([]));
    // Named leads, some of which do not fit.
    let ids: Vec<i64> = (1..=30).collect();
    let again = json!({ "action": "close", "ids": ids });
    let task = app.post_once("8003", "k4", path, again).await.is(202).json()["task"].clone();
    let done = super::lists::ended(&app, &task).await;
    let refused = done["result"]["refused"]["not_open"].as_u64().unwrap();
    assert_eq!(done["result"]["done"].as_u64().unwrap() + refused, 30, "{done}");
    assert!(refused >= count, "{done}");
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_lead_is_added_by_hand_as_a_row_of_a_list_is() {
    let app = opened().await;
    let path = "/campaigns/spring/leads";
    let new = json!({ "name": "李芳", "phones": ["139 0013 9000 / 0755-8888 1234"], "place": "3-2-1402", "building": "3" });
    let lead = app.post_once("8003", "k1", path, new.clone()).await.is(201).json()["lead"].clone();
    assert!(app.engine_requests().await.iter().any(|it| it.contains("LeadsAdded")));
    let shown = app.get("8003", "/campaigns/spring/leads?building=3").await.is(200).json();
    let shown = &shown["leads"][0];
    assert_eq!((shown["lead"].clone(), shown["list"].as_str()), (lead, Some("console")));
    assert_eq!(shown["numbers"], json!(["13900139000", "075588881234"]));
    assert_eq!(shown["households"], 3, "the flat has three leads of the list");
    let twice = app.post_once("8003", "k2", path, new).await.is(422);
    assert_eq!(twice.code(), "duplicate");
    for (n, (body, code)) in [
        (json!({ "phones": ["12"] }), "invalid_number"),
        (json!({ "phones": ["110"] }), "emergency_number"),
        (json!({ "phones": [number(3).national()] }), "duplicate"),
        (json!({ "phones": ["13900139001"], "cells": { "no such column": "x" } }), "unfit"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = app.post_once("8003", &format!("x{n}"), path, body.clone()).await.is(422);
        assert_eq!(answer.code(), code, "{body}");
    }
    app.post("8003", "/blacklist", json!({ "number": "13900139009" })).await.is(201);
    let listed = app.post_once("8003", "k3", path, json!({ "phones": ["13900139009"] })).await.is(422);
    assert_eq!(listed.code(), "blacklisted");
    app.post_once("8001", "k4", path, json!({ "phones": ["13900139002"] })).await.is(403);
    app.post_once("8102", "k5", path, json!({ "phones": ["13900139002"] })).await.is(404);
    app.post_once("8002", "k6", path, json!({ "phones": ["13900139002"] })).await.is(201);
    // Undoing the last list leaves them alone: here that list was dialled.
    let undo = app.post("8003", "/campaigns/spring/actions", json!({ "action": "undo_import" })).await;
    assert_eq!((undo.status.as_u16(), undo.code().as_str()), (409, "in_use"));
    let left = app.get("8003", "/campaigns/spring/leads?q=13900139002").await.is(200).json();
    assert_eq!(left["leads"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_campaign_that_is_not_open_takes_leads_and_says_why_they_are_not_dialled() {
    let app = opened().await;
    let text = "name = \"autumn\"\nmode = \"announce\"\n";
    app.post("8003", "/campaigns", json!({ "toml": text })).await.is(201);
    let new = json!({ "phones": ["13900139000"], "cells": { "房号": "3-1" } });
    let lead =
        app.post_once("8003", "k1", "/campaigns/autumn/leads", new).await.is(201).json()["lead"].clone();
    let why = app.get("8003", &format!("/campaigns/autumn/leads/{lead}/why")).await.is(200).json();
    assert_eq!((why["because"].as_str(), why["turn"]["open"].as_bool()), (Some("due"), Some(false)), "{why}");
    let record = app.get("8003", &format!("/leads/{lead}")).await.is(200).json();
    assert_eq!(record["columns"], json!([{ "column": "房号", "cell": "3-1" }]));
    let first =
        app.post_once("8003", "k2", &format!("/leads/{lead}/actions"), json!({ "action": "first" })).await;
    assert_eq!(first.is(200).json()["inverse"], Value::Null);
    let shown = app.get("8003", "/campaigns/autumn/leads").await.is(200).json();
    assert!(shown["leads"][0]["because"]["zh"].as_str().unwrap().contains("已提前"), "{shown}");
    // A campaign without a group is of no shift lead.
    app.get("8002", "/campaigns/autumn/leads").await.is(404);
}
