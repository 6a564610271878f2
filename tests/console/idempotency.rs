//! `Idempotency-Key`: one effect, the same answer.

use super::*;
use paceline::store::{KeyClaim, RequestKey};
use serde_json::json;
use std::task::Poll;

async fn post(app: &TestApp, by: &str, path: &str, key: &str, body: Value) -> Answer {
    let mut request = app.request(by, "post", path, Some(body)).await;
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    app.send(request).await
}

#[tokio::test]
async fn a_request_that_is_sent_again_has_one_effect_and_the_same_answer() {
    let app = TestApp::new().await;
    app.staff().await;
    let group = json!({ "name": "evening" });
    let first = post(&app, "8003", "/groups", "k1", group.clone()).await.is(201);
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let again = post(&app, "8003", "/groups", "k1", group.clone()).await.is(201);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.json(), first.json());
    let reused = post(&app, "8003", "/groups", "k1", json!({ "name": "morning" })).await.is(422);
    assert_eq!(reused.code(), "key_reused");
    // The key space is the caller's own.
    post(&app, "8005", "/groups", "k1", json!({ "name": "morning" })).await.is(201);
    // A day later the key is forgotten, and the name is taken.
    app.clock.advance(25 * 3_600_000);
    assert_eq!(post(&app, "8003", "/groups", "k1", group).await.is(409).code(), "taken");
    for unfit in ["", "two words", &"k".repeat(65)] {
        assert_eq!(post(&app, "8003", "/groups", unfit, json!({})).await.is(400).code(), "key_unfit");
    }
}

#[tokio::test]
async fn two_at_once_have_one_effect() {
    let app = TestApp::new().await;
    app.staff().await;
    let body = json!({ "number": "13800138000", "reason": "x" });
    let all =
        futures_util::future::join_all((0..6).map(|_| post(&app, "8003", "/blacklist", "k", body.clone())));
    let mut added = 0;
    for answer in all.await {
        match answer.status.as_u16() {
            201 => {
                added += answer.json()["added"].as_i64().unwrap_or_default()
                    * i64::from(!answer.headers.contains_key("idempotency-replayed"))
            }
            409 => assert_eq!(answer.code(), "key_busy"),
            other => panic!("{other}"),
        }
    }
    assert_eq!(added, 1);
    let audited = app.get("8005", "/audit?action=blacklist.add").await.json();
    assert_eq!(audited["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_refusal_frees_the_key_and_a_secret_is_not_kept() {
    let app = TestApp::new().await;
    app.staff().await;
    let wrong = json!({ "number": "1", "name": "Ana" });
    post(&app, "8003", "/agents", "k", wrong).await.is(422);
    let right = json!({ "number": "8500", "name": "Ana" });
    let hired = post(&app, "8003", "/agents", "k", right.clone()).await.is(201).json();
    let again = post(&app, "8003", "/agents", "k", right).await.is(409);
    assert_eq!(again.code(), "already_done");
    let bytes = std::fs::read(app.store.path()).unwrap();
    let wal = std::fs::read(format!("{}-wal", app.store.path().display())).unwrap_or_default();
    let password = hired["password"].as_str().unwrap().as_bytes();
    let is_there = |bytes: &[u8]| bytes.windows(password.len()).any(|window| window == password);
    assert!(!is_there(&bytes) && !is_there(&wal));
}

/// After a crash it is known whether there was an effect.
#[tokio::test]
async fn a_key_that_was_cut_off_before_its_effect_is_served_and_after_it_is_not() {
    let app = TestApp::new().await;
    app.staff().await;
    let key = |key: &str| RequestKey { caller: "account 3".into(), key: key.into() };
    for word in ["before", "after"] {
        assert_eq!(app.store.claim_key(&key(word), "r", "h").await.unwrap(), KeyClaim::Claimed);
    }
    let actor = paceline::store::Actor {
        kind: paceline::store::ActorKind::System,
        id: None,
        name: "test".into(),
        address: String::new(),
        enterprise: 1,
        key: Some(key("after")),
    };
    let subject = paceline::store::Subject::of("agent", "8001");
    app.store.begin_change(&actor, "people.edit", subject).await.unwrap().commit().await.unwrap();
    assert_eq!(app.store.claim_key(&key("before"), "r", "h").await.unwrap(), KeyClaim::Claimed);
    let done = KeyClaim::Answered { status: 0, answer: None, file: None };
    assert_eq!(app.store.claim_key(&key("after"), "r", "h").await.unwrap(), done);
}

fn batch(numbers: &[&str]) -> Value {
    let agents = numbers.iter().map(|number| json!({ "number": number, "name": "A" }));
    json!({ "agents": agents.collect::<Vec<_>>() })
}

/// Sends the request until its key is free.
async fn post_when_free(app: &TestApp, path: &str, key: &str, body: &Value) -> Answer {
    loop {
        app.clock.advance(1_000);
        let answer = post(app, "8003", path, key, body.clone()).await;
        if answer.status != 409 || answer.code() != "key_busy" {
            return answer;
        }
        tokio::task::yield_now().await;
    }
}

/// However far a request came before its client went away, what it began is whole once it is sent again.
#[tokio::test]
async fn a_batch_whose_client_goes_away_at_any_step_is_whole_when_it_is_sent_again() {
    let app = TestApp::new().await;
    app.staff().await;
    for (round, steps) in [1_usize, 2, 3, 5, 8, 13, 21, 34, 200, 5_000].into_iter().enumerate() {
        let numbers = [format!("86{round}0"), format!("86{round}1"), format!("86{round}2")];
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let (key, body) = (format!("k{round}"), batch(&numbers));
        let mut request = app.request("8003", "post", "/agents/batch", Some(body.clone())).await;
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        let mut asking = Box::pin(app.ask(request));
        for _ in 0..steps {
            let polled = std::future::poll_fn(|cx| Poll::Ready(asking.as_mut().poll(cx).is_ready())).await;
            if polled {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(asking);
        let again = post_when_free(&app, "/agents/batch", &key, &body).await;
        assert!(again.status == 200 || again.code() == "already_done", "{}", again.code());
        for number in &numbers {
            app.get("8003", &format!("/agents/{number}")).await.is(200);
        }
        app.settled().await;
        let known = &app.engine.lock().unwrap().agents;
        let known = numbers.iter().all(|number| known.iter().any(|(of_engine, _)| of_engine == number));
        assert!(known, "the engine knows the accounts: {steps} steps");
    }
}

#[tokio::test]
async fn a_batch_is_one_change_with_a_row_of_the_audit_for_each_account() {
    let app = TestApp::new().await;
    app.staff().await;
    let many = json!({ "agents": [
        { "number": "8700", "name": "A" },
        { "number": "8001", "name": "taken" },
        { "number": "8700", "name": "twice" },
        { "number": "8701", "name": "B" },
        { "number": "8702", "name": "" },
    ] });
    let answer = post(&app, "8003", "/agents/batch", "k", many).await.is(200).json();
    let added: Vec<bool> =
        answer["items"].as_array().unwrap().iter().map(|item| item["agent"].is_object()).collect();
    assert_eq!(added, [true, false, false, true, false]);
    let audited = app.get("8005", "/audit?action=people.edit").await.json();
    let rows: Vec<(&str, &str)> = audited["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["subject"].as_str().unwrap(), row["after"]["number"].as_str().unwrap()))
        .collect();
    assert_eq!(rows, [("8701", "8701"), ("8700", "8700")], "{audited}");
    // All ten numbers of a pattern are drawn, each once.
    let drawn = json!({ "agents": vec![json!({ "name": "x", "pattern": "7?", "digits": 2 }); 10] });
    let answer = post(&app, "8003", "/agents/batch", "k2", drawn).await.is(200).json();
    let numbers: std::collections::BTreeSet<&str> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["agent"]["number"].as_str().expect("an account"))
        .collect();
    assert_eq!(numbers.len(), 10);
}

#[tokio::test]
async fn a_key_is_of_one_file_and_not_of_its_length() {
    let app = super::lists::working().await;
    let send = async |bytes: &str| {
        let path = "/campaigns/spring/lists?file_name=list.csv";
        let mut request = app.request("8003", "post", path, None).await;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, "application/octet-stream".parse().unwrap());
        headers.insert(header::CONTENT_LENGTH, bytes.len().to_string().parse().unwrap());
        headers.insert("idempotency-key", "k".parse().unwrap());
        *request.body_mut() = Body::from(bytes.to_owned());
        app.send(request).await
    };
    let first = send("phone\n13800138000\n").await.is(201);
    let again = send("phone\n13800138000\n").await.is(201);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.json(), first.json());
    for other in ["phone\n13800138001\n", "phone\n1380013800\n", ""] {
        assert_eq!(send(other).await.is(422).code(), "key_reused", "{other:?}");
    }
    let lists = app.get("8003", "/campaigns/spring/lists").await.json();
    assert_eq!(lists["items"].as_array().unwrap().len(), 1);
    app.tasks.stop().await;
}

/// Reading what is sensitive is noted in the audit, and is no effect of the request.
#[tokio::test]
async fn a_noted_access_does_not_end_the_request_of_its_key() {
    let app = TestApp::new().await;
    app.staff().await;
    let key = RequestKey { caller: "account 3".into(), key: "k".into() };
    assert_eq!(app.store.claim_key(&key, "r", "h").await.unwrap(), KeyClaim::Claimed);
    let actor = paceline::store::Actor {
        kind: paceline::store::ActorKind::System,
        id: None,
        name: "test".into(),
        address: String::new(),
        enterprise: 1,
        key: Some(key.clone()),
    };
    let subject = paceline::store::Subject::of("number", "138****8000");
    app.store.record_access(&actor, "calls.read", subject).await.unwrap();
    assert_eq!(app.store.claim_key(&key, "r", "h").await.unwrap(), KeyClaim::Claimed);
}
