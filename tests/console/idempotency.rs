//! `Idempotency-Key`: one effect, the same answer.

use super::*;
use paceline::store::{KeyClaim, RequestKey};
use serde_json::json;

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
    let done = KeyClaim::Answered { status: 0, answer: None };
    assert_eq!(app.store.claim_key(&key("after"), "r", "h").await.unwrap(), done);
}
