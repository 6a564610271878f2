//! Bearer tokens of programs: which roles make them, what they admit to and for how long.

use super::*;
use serde_json::json;

async fn status_with(app: &TestApp, token: &str, method: &str, path: &str, body: Option<Value>) -> u16 {
    let mut request = bare(method, path, body);
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    app.send(request).await.status.as_u16()
}

#[tokio::test]
async fn a_token_is_shown_once_and_admits_with_its_role_until_it_expires() {
    let app = TestApp::new().await;
    app.staff().await;
    let made = app.post("8003", "/tokens", json!({ "name": "crm", "days": 1 })).await.is(201).json();
    let token = made["token"].as_str().expect("a token").to_owned();
    assert_eq!((token.len(), made["row"]["role"].as_str()), (64, Some("analyst")));
    let list = app.get("8003", "/tokens").await.is(200);
    assert!(!String::from_utf8_lossy(&list.body).contains(&token), "it is shown once");
    assert_eq!(list.json()["tokens"][0]["name"], "crm");
    assert_eq!(status_with(&app, &token, "get", "/me", None).await, 200);
    assert_eq!(status_with(&app, &token, "post", "/groups", Some(json!({ "name": "x" }))).await, 403);
    app.clock.advance(24 * 3_600_000 + 1);
    assert_eq!(status_with(&app, &token, "get", "/me", None).await, 401);
    assert_eq!(app.get("8003", "/tokens").await.json()["tokens"][0]["expired"], true);
}

#[tokio::test]
async fn a_revoked_token_admits_to_nothing() {
    let app = TestApp::new().await;
    app.staff().await;
    let made =
        app.post("8005", "/tokens", json!({ "name": "crm", "role": "manager", "days": 0 })).await.json();
    let (token, id) = (made["token"].as_str().unwrap().to_owned(), made["row"]["id"].to_string());
    assert_eq!(made["row"]["expires_at"], Value::Null);
    assert_eq!(status_with(&app, &token, "get", "/tokens", None).await, 200);
    let more = Some(json!({ "name": "more" }));
    assert_eq!(status_with(&app, &token, "post", "/tokens", more).await, 403, "a token makes no tokens");
    app.by("8003", "delete", &format!("/tokens/{id}"), None).await.is(204);
    assert_eq!(status_with(&app, &token, "get", "/me", None).await, 401);
    app.by("8003", "delete", &format!("/tokens/{id}"), None).await.is(404);
    app.by("8003", "delete", "/tokens/x", None).await.is(404);
}

#[tokio::test]
async fn a_manager_cannot_make_an_admins_token_and_tokens_have_no_seat() {
    let app = TestApp::new().await;
    app.staff().await;
    app.post("8003", "/tokens", json!({ "name": "boss", "role": "admin" })).await.is(403);
    let made = app.post("8005", "/tokens", json!({ "name": "boss", "role": "admin" })).await.is(201).json();
    app.by("8003", "delete", &format!("/tokens/{}", made["row"]["id"]), None).await.is(403);
    for unfit in [
        json!({ "name": "" }),
        json!({ "name": "a\nb" }),
        json!({ "name": "x", "role": "agent" }),
        json!({ "name": "x", "role": "god" }),
        json!({ "name": "x", "days": 4_000 }),
        json!({ "role": "analyst" }),
    ] {
        app.post("8005", "/tokens", unfit.clone()).await.is(422);
    }
}
