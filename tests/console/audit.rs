//! The audit: every change by hand or program is on record, in a chain that shows tampering.

use super::records::{Scenario, scenario};
use super::*;
use serde_json::json;
use sqlx::Connection;

async fn rows(app: &TestApp, query: &str) -> Vec<Value> {
    let page = app.get("8006", &format!("/audit{query}")).await.is(200).json();
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn each_change_names_actor_subject_before_and_after_without_secrets() {
    let app = TestApp::new().await;
    app.staff().await;
    let asked = json!({ "number": "8500", "name": "Ana", "password": "a good password", "groups": ["vote"],
                        "telephone": "13800138000" });
    let sheet = app.post("8003", "/agents", asked).await.is(201).json();
    app.by("8003", "patch", "/agents/8500", Some(json!({ "role": "lead" }))).await.is(200);
    app.post("8003", "/agents/8500/password", json!({ "password": "another good one" })).await.is(200);
    app.by("8002", "put", "/agents/8500/groups/vote", Some(json!({ "priority": 3 }))).await.is(200);
    app.post("8003", "/groups", json!({ "name": "evening" })).await.is(201);
    let token = app.post("8003", "/tokens", json!({ "name": "CRM" })).await.is(201).json();
    app.by("8003", "delete", "/groups/evening", None).await.is(204);
    app.by("8003", "delete", "/agents/8500", None).await.is(204);

    let all = rows(&app, "").await;
    let words: Vec<(&str, &str)> = all
        .iter()
        .rev()
        .map(|row| (row["action"].as_str().unwrap(), row["subject"].as_str().unwrap()))
        .collect();
    assert_eq!(
        words,
        [
            ("people.edit", "8500"),
            ("people.edit", "8500"),
            ("people.edit", "8500"),
            ("groups.members", "8500"),
            ("groups.edit", "evening"),
            ("tokens.edit", "CRM"),
            ("groups.edit", "evening"),
            ("people.edit", "8500"),
        ]
    );
    let role = &all[6];
    assert_eq!(
        (role["before"]["role"].as_str(), role["after"]["role"].as_str()),
        (Some("agent"), Some("lead"))
    );
    assert_eq!(role["before"]["telephone"], "138****8000");
    assert_eq!((role["actor_kind"].as_str(), role["actor"].as_str()), (Some("person"), Some("8003 N8003")));
    let text = serde_json::to_string(&all).unwrap();
    let secrets = [
        "a good password",
        "another good one",
        "argon2",
        "13800138000",
        sheet["sheet"]["password"].as_str().unwrap(),
        token["token"].as_str().unwrap(),
    ];
    for secret in secrets {
        assert!(!text.contains(secret), "{secret}");
    }

    assert_eq!(rows(&app, "?subject=agent:8500").await.len(), 5);
    assert_eq!(rows(&app, "?subject=group").await.len(), 2);
    assert_eq!(rows(&app, "?action=tokens.edit").await.len(), 1);
    assert_eq!(rows(&app, "?actor=8002").await.len(), 1);
    // A wildcard of SQL is a character here.
    assert_eq!(rows(&app, "?actor=%25").await.len(), 0);
    let page = app.get("8005", "/audit?limit=3").await.is(200).json();
    let mut seen: Vec<i64> =
        page["items"].as_array().unwrap().iter().map(|it| it["id"].as_i64().unwrap()).collect();
    let mut next = page["next"].as_i64();
    while let Some(after) = next {
        let page = app.get("8005", &format!("/audit?limit=3&after={after}")).await.is(200).json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|it| it["id"].as_i64().unwrap()));
        next = page["next"].as_i64();
    }
    assert_eq!(seen, all.iter().map(|row| row["id"].as_i64().unwrap()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_refused_change_leaves_no_row_and_no_audit() {
    let app = TestApp::new().await;
    app.staff().await;
    app.post("8003", "/groups", json!({ "name": "evening" })).await.is(201);
    app.post("8003", "/groups", json!({ "name": "evening" })).await.is(409);
    app.post("8001", "/groups", json!({ "name": "other" })).await.is(403);
    let mut request = app.request("8003", "patch", "/groups/evening", Some(json!({ "seats": 5 }))).await;
    request.headers_mut().insert(header::IF_MATCH, "\"v99\"".parse().unwrap());
    app.send(request).await.is(412);
    // A client that goes away in the middle of a change leaves nothing of it.
    let actor = paceline::store::Actor {
        kind: paceline::store::ActorKind::System,
        id: None,
        name: "test".into(),
        address: String::new(),
        enterprise: 1,
        key: None,
    };
    let subject = paceline::store::Subject::of("agent", "8001");
    let mut change = app.store.begin_change(&actor, "people.edit", subject).await.unwrap();
    change.remove_agent(app.id("8001").await).await.unwrap();
    drop(change);
    assert_eq!(app.store.agents().await.unwrap().len(), 8);
    assert_eq!(rows(&app, "").await.len(), 1);
    app.post("8003", "/groups", json!({ "name": "other" })).await.is(201);
}

#[tokio::test]
async fn plays_and_look_ups_are_on_record_and_numbers_masked() {
    let Scenario { app, lead, request, .. } = scenario().await;
    let path = format!("/calls/{}/recording", request.attempt);
    app.get("8004", &path).await.is(200);
    // A player that asks for the rest of the sound does not play it again.
    let mut range = app.request("8004", "get", &path, None).await;
    range.headers_mut().insert(header::RANGE, "bytes=100-".parse().unwrap());
    app.send(range).await.is(206);
    let number = crate::store::number(1).national();
    app.get("8003", &format!("/calls?number={number}")).await.is(200);
    app.get("8003", &format!("/campaigns/spring/leads?number={number}")).await.is(200);
    let correction = json!({ "phone": "13900139000", "was": number });
    app.post("8001", &format!("/leads/{}/corrections", lead.id), correction).await.is(201);
    let all = rows(&app, "").await;
    let words: Vec<(&str, &str)> = all
        .iter()
        .rev()
        .map(|row| (row["action"].as_str().unwrap(), row["subject_kind"].as_str().unwrap()))
        .collect();
    let wanted = [
        ("recordings.play", "call"),
        ("calls.read", "number"),
        ("campaigns.read", "number"),
        ("leads.correct", "lead"),
    ];
    assert_eq!(words, wanted);
    let text = serde_json::to_string(&all).unwrap();
    assert!(!text.contains(&number) && !text.contains("13900139000"), "{text}");
}

#[tokio::test]
async fn events_are_read_in_order_by_their_enterprise_and_forgotten_after_a_month() {
    let app = TestApp::new().await;
    let mut actor = paceline::store::Actor {
        kind: paceline::store::ActorKind::System,
        id: None,
        name: "test".into(),
        address: String::new(),
        enterprise: 1,
        key: None,
    };
    for (enterprise, subject) in [(1, "a"), (2, "b"), (1, "c")] {
        actor.enterprise = enterprise;
        let named = paceline::store::Subject::of("list", subject);
        let mut change = app.store.begin_change(&actor, "lists.edit", named).await.unwrap();
        change.add_event("list", subject, json!({ "state": "checked" }));
        change.commit().await.unwrap();
    }
    let dropped = paceline::store::Subject::of("list", "d");
    let mut change = app.store.begin_change(&actor, "lists.edit", dropped).await.unwrap();
    change.add_event("list", "d", json!({}));
    drop(change);
    let seen = async |after: i64| -> Vec<(i64, String)> {
        let rows = app.store.events_after(1, after, 10).await.unwrap();
        rows.into_iter().map(|row| (row.id, row.subject)).collect()
    };
    assert_eq!(seen(0).await, [(1, "a".to_owned()), (3, "c".to_owned())]);
    assert_eq!(seen(1).await, [(3, "c".to_owned())]);
    assert_eq!(app.store.delete_old_events().await.unwrap(), 0);
    app.clock.advance(31 * 24 * 3_600_000);
    assert_eq!(app.store.delete_old_events().await.unwrap(), 3);
    // Ids go on where they stopped, so that a reader's last id stays true.
    let named = paceline::store::Subject::of("list", "e");
    actor.enterprise = 1;
    let mut change = app.store.begin_change(&actor, "lists.edit", named).await.unwrap();
    change.add_event("list", "e", json!({}));
    change.commit().await.unwrap();
    assert_eq!(seen(3).await, [(4, "e".to_owned())]);
}

#[tokio::test]
async fn a_row_that_is_changed_or_taken_out_breaks_the_chain() {
    let app = TestApp::new().await;
    app.staff().await;
    for name in ["a", "b", "c", "d"] {
        app.post("8003", "/groups", json!({ "name": name })).await.is(201);
    }
    assert_eq!(app.store.find_broken_audit_row(1, None).await.unwrap(), None);
    assert_eq!(app.store.find_broken_audit_row(1, Some(2)).await.unwrap(), None);
    let file = url(app.dir.path());
    for (forgery, broken) in [
        ("update audit set after = '{}' where id = 2", 2),
        ("update audit set actor = 'somebody else' where id = 3", 3),
        ("delete from audit where id = 2", 3),
        ("delete from audit where id = 1", 2),
    ] {
        let mut conn = sqlx::SqliteConnection::connect(&file).await.unwrap();
        sqlx::query("create table kept as select * from audit").execute(&mut conn).await.unwrap();
        sqlx::query(forgery).execute(&mut conn).await.unwrap();
        assert_eq!(app.store.find_broken_audit_row(1, None).await.unwrap(), Some(broken), "{forgery}");
        for undo in ["delete from audit", "insert into audit select * from kept", "drop table kept"] {
            sqlx::query(undo).execute(&mut conn).await.unwrap();
        }
        conn.close().await.unwrap();
    }
    assert_eq!(app.store.find_broken_audit_row(1, None).await.unwrap(), None);
}
