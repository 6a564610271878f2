//! Sign-in: session cookie, Origin check (CSRF), login throttle, passwords.

use super::*;
use paceline::console::source::Peer;
use serde_json::json;

const PASSWORD: &str = "a good password";

async fn app_with_ana() -> TestApp {
    let app = TestApp::new().await;
    app.staff().await;
    let asked =
        json!({ "number": "8500", "name": "Ana", "login": "ana", "password": PASSWORD, "groups": ["vote"] });
    app.post("8003", "/agents", asked).await.is(201);
    app
}

async fn sign_in(app: &TestApp, login: &str, password: &str) -> Answer {
    app.send(from("192.0.2.1", login, password)).await
}

fn from(address: &str, login: &str, password: &str) -> Request<Body> {
    let mut request = bare("post", "/sign-in", Some(json!({ "login": login, "password": password })));
    request.extensions_mut().insert(Peer(format!("{address}:9").parse().unwrap()));
    request
}

async fn me(app: &TestApp, key: &str) -> u16 {
    let mut request = bare("get", "/me", None);
    request.headers_mut().insert(header::COOKIE, format!("paceline={key}").parse().unwrap());
    app.send(request).await.status.as_u16()
}

async fn with_key(app: &TestApp, key: &str, path: &str, body: Value) -> Answer {
    let mut request = bare("post", path, Some(body));
    request.headers_mut().insert(header::COOKIE, format!("paceline={key}").parse().unwrap());
    request.headers_mut().insert(header::ORIGIN, format!("http://{HOST}").parse().unwrap());
    app.send(request).await
}

#[tokio::test]
async fn the_session_cookie_is_http_only_same_site_and_ends_with_the_sign_out() {
    let app = app_with_ana().await;
    let answer = sign_in(&app, "ana", PASSWORD).await.is(200);
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    let key = answer.key();
    assert_eq!((me(&app, &key).await, answer.json()["number"].as_str()), (200, Some("8500")));
    assert!(!String::from_utf8_lossy(&answer.body).contains("argon2"), "no secret in an answer");

    // Signing in again starts a new session and ends the one of the cookie that was sent.
    let mut again = from("192.0.2.1", "ana", PASSWORD);
    again.headers_mut().insert(header::COOKIE, format!("paceline={key}").parse().unwrap());
    let second = app.send(again).await.is(200).key();
    assert_ne!(key, second);
    assert_eq!((me(&app, &key).await, me(&app, &second).await), (401, 200));

    with_key(&app, &second, "/sign-out", json!({})).await.is(204);
    assert_eq!(me(&app, &second).await, 401);
}

#[tokio::test]
async fn a_session_ends_after_its_lifetime_and_with_the_account() {
    let app = app_with_ana().await;
    let key = sign_in(&app, "ana", PASSWORD).await.key();
    app.clock.advance(15 * 3_600_000);
    assert_eq!(me(&app, &key).await, 401);
    let key = sign_in(&app, "ana", PASSWORD).await.key();
    app.by("8003", "delete", "/agents/8500", None).await.is(204);
    assert_eq!(me(&app, &key).await, 401);
    sign_in(&app, "ana", PASSWORD).await.is(401);
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let app = app_with_ana().await;
    let (desk, home) =
        (sign_in(&app, "ana", PASSWORD).await.key(), sign_in(&app, "ana", PASSWORD).await.key());
    let short = json!({ "old": PASSWORD, "new": "short" });
    with_key(&app, &desk, "/me/password", short).await.is(422);
    let wrong = json!({ "old": "something else", "new": "another good one" });
    with_key(&app, &desk, "/me/password", wrong).await.is(401);
    let right = json!({ "old": PASSWORD, "new": "another good one" });
    let new = with_key(&app, &desk, "/me/password", right).await.is(200).key();
    assert_eq!((me(&app, &desk).await, me(&app, &home).await, me(&app, &new).await), (401, 401, 200));
    sign_in(&app, "ana", PASSWORD).await.is(401);
    let key = sign_in(&app, "ana", "another good one").await.is(200).key();
    // So does a password that a manager set.
    let drawn = app.post("8003", "/agents/8500/password", json!({})).await.is(200).json();
    assert_eq!(me(&app, &key).await, 401);
    sign_in(&app, "ana", drawn["password"].as_str().unwrap()).await.is(200);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_login_get_the_same_answer() {
    let app = app_with_ana().await;
    let wrong = sign_in(&app, "ana", "wrong password").await.is(401);
    let unknown = sign_in(&app, "nobody", "wrong password").await.is(401);
    let without = sign_in(&app, "login8001", "").await.is(401);
    let without_id = |answer: &Answer| {
        let mut document = answer.json();
        assert!(document["id"].take().is_string());
        document
    };
    assert_eq!(without_id(&wrong), without_id(&unknown));
    assert_eq!(without_id(&wrong), without_id(&without));
    let names = |answer: &Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&wrong), names(&unknown));
    assert_eq!(wrong.code(), "wrong_password");
}

#[tokio::test]
async fn of_sixty_guesses_in_a_minute_few_are_checked_and_the_rest_throttled() {
    let app = app_with_ana().await;
    let mut judged = 0;
    for _ in 0..60 {
        let answer = sign_in(&app, "ana", "guess number one").await;
        match answer.status.as_u16() {
            401 => judged += 1,
            429 => assert!(answer.headers.contains_key(header::RETRY_AFTER)),
            other => panic!("{other}"),
        }
        app.clock.advance(900);
    }
    assert_eq!(judged, 5);
    // The right password is refused too, so a throttled guesser learns nothing.
    sign_in(&app, "ana", PASSWORD).await.is(429);
    // From another address the account signs in.
    app.send(from("192.0.2.2", "ana", PASSWORD)).await.is(200);
    // An unknown login is throttled in the same way.
    let unknown: Vec<u16> = {
        let mut statuses = Vec::new();
        for _ in 0..8 {
            statuses.push(app.send(from("192.0.2.3", "nobody", "guess")).await.status.as_u16());
        }
        statuses
    };
    assert_eq!(unknown, [401, 401, 401, 401, 401, 429, 429, 429]);
}

#[tokio::test]
async fn only_our_own_pages_can_change_anything_with_a_session_cookie() {
    let app = app_with_ana().await;
    let asked = Some(json!({ "name": "x" }));
    for origin in
        ["http://evil.example", "null", "http://paceline.test.evil.example", "https://paceline.test:444"]
    {
        let mut request = app.request("8003", "post", "/groups", asked.clone()).await;
        request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
        assert_eq!(app.send(request).await.is(403).code(), "foreign_origin", "{origin}");
    }
    let mut request = app.request("8003", "post", "/groups", asked.clone()).await;
    request.headers_mut().remove(header::ORIGIN);
    app.send(request).await.is(403);
    assert!(app.store.groups().await.unwrap().iter().all(|group| group.name != "x"));
    app.by("8003", "post", "/groups", asked).await.is(201);
    // A foreign page cannot sign in either.
    let mut request = from("192.0.2.1", "ana", PASSWORD);
    request.headers_mut().insert(header::ORIGIN, "http://evil.example".parse().unwrap());
    app.send(request).await.is(403);
    // A content type that an HTML form can send is refused.
    let mut request = app.request("8003", "post", "/groups", Some(json!({ "name": "y" }))).await;
    request.headers_mut().insert(header::CONTENT_TYPE, "text/plain".parse().unwrap());
    assert_eq!(app.send(request).await.is(415).code(), "not_json");
}

#[tokio::test]
async fn a_session_slides_while_it_is_used_and_asks_for_the_password_after_a_day() {
    let app = app_with_ana().await;
    let key = sign_in(&app, "ana", PASSWORD).await.key();
    // Used every ten hours: it does not end after fourteen, and its cookie lives as long as it.
    app.clock.advance(10 * 3_600_000);
    let mut request = bare("get", "/me", None);
    request.headers_mut().insert(header::COOKIE, format!("paceline={key}").parse().unwrap());
    let answer = app.send(request).await.is(200);
    assert_eq!((answer.key(), answer.json()["locked"].as_bool()), (key.clone(), Some(false)));
    // Ten in the morning, ten hours and fourteen.
    assert_eq!(answer.json()["until"], "2026-03-03T02:00:00.000Z");
    app.clock.advance(10 * 3_600_000);
    assert_eq!(me(&app, &key).await, 200);
    app.clock.advance(5 * 3_600_000);
    // A day after the password was typed it is asked for again; calls can still be ended.
    assert_eq!(me(&app, &key).await, 200);
    let refused = with_key(&app, &key, "/agents/8500/actions", json!({ "action": "ready" })).await.is(423);
    assert_eq!(refused.code(), "locked");
    with_key(&app, &key, "/me/actions", json!({ "action": "ready" })).await.is(423);
    with_key(&app, &key, "/me/actions", json!({ "action": "hang_up" })).await.is(200);
    with_key(&app, &key, "/me/verify", json!({ "password": "something else" })).await.is(401);
    with_key(&app, &key, "/me/verify", json!({ "password": PASSWORD })).await.is(204);
    with_key(&app, &key, "/me/actions", json!({ "action": "ready" })).await.is(200);
    app.clock.advance(15 * 3_600_000);
    assert_eq!(me(&app, &key).await, 401);
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_those_who_may() {
    let app = app_with_ana().await;
    let mut request = from("192.0.2.1", "ana", PASSWORD);
    request.headers_mut().insert(header::USER_AGENT, format!("Browser {}", "x".repeat(300)).parse().unwrap());
    let key = app.send(request).await.is(200).key();
    let shown = app.get("8002", "/agents/8500/sessions").await.is(200).json();
    let session = &shown["items"][0];
    assert_eq!((session["address"].as_str(), session["current"].as_bool()), (Some("192.0.2.1"), Some(false)));
    assert_eq!(session["browser"].as_str().unwrap().len(), 200);
    assert!(!shown.to_string().contains(&key));
    app.get("8102", "/agents/8500/sessions").await.is(404);
    app.by("8002", "delete", "/agents/8500/sessions", None).await.is(403);
    app.by("8003", "delete", "/agents/8005/sessions", None).await.is(403);
    app.by("8003", "delete", "/agents/8500/sessions", None).await.is(204);
    assert_eq!(me(&app, &key).await, 401);
}

#[tokio::test]
async fn a_change_of_role_ends_the_sessions() {
    let app = app_with_ana().await;
    let key = sign_in(&app, "ana", PASSWORD).await.key();
    app.by("8003", "patch", "/agents/8500", Some(json!({ "name": "Anna" }))).await.is(200);
    assert_eq!(me(&app, &key).await, 200);
    app.by("8003", "patch", "/agents/8500", Some(json!({ "role": "lead" }))).await.is(200);
    assert_eq!(me(&app, &key).await, 401);
}

#[tokio::test]
async fn refusals_are_in_the_language_of_their_reader_and_name_the_field() {
    let app = app_with_ana().await;
    let ask = async |language: &str, body: Value| {
        let mut request = app.request("8003", "post", "/agents", Some(body)).await;
        request.headers_mut().insert(header::ACCEPT_LANGUAGE, language.parse().unwrap());
        app.send(request).await.json()
    };
    let unfit = json!({ "name": "", "number": "8600" });
    for (language, sentence) in [
        ("zh-CN", "name:一行,1 到 64 个字"),
        ("en;q=0.5, zh;q=0.9", "name:一行,1 到 64 个字"),
        ("en, zh;q=0.9", "name: 1 to 64 characters on one line"),
        ("fr", "name: 1 to 64 characters on one line"),
        (";q=,,zh;q=x", "name: 1 to 64 characters on one line"),
    ] {
        let problem = ask(language, unfit.clone()).await;
        assert_eq!(problem["detail"], sentence, "{language}");
        assert_eq!(problem["errors"][0]["at"], "/name");
        assert_eq!(problem["errors"][0]["words"]["zh"], "name:一行,1 到 64 个字");
        assert_eq!(problem["id"].as_str().unwrap().len(), 8);
    }
    let mut request = app.request("8001", "post", "/groups", Some(json!({ "name": "x" }))).await;
    request.headers_mut().insert(header::ACCEPT_LANGUAGE, "zh".parse().unwrap());
    let refused = app.send(request).await.is(403).json();
    assert_eq!(
        (refused["right"].as_str(), refused["detail"].as_str()),
        (Some("groups.edit"), Some("这里需要“groups.edit”权限,请联系管理员"))
    );
}

#[tokio::test]
async fn a_batch_adds_what_fits_and_says_of_each_other_row_why_not() {
    let app = app_with_ana().await;
    let batch = json!({ "agents": [
        { "number": "8700", "name": "A" },
        { "number": "8500", "name": "taken" },
        { "number": "8701", "name": "" },
        { "number": "8702", "name": "B", "role": "admin" },
        { "name": "drawn" },
    ] });
    app.post("8003", "/agents/batch", batch.clone()).await.is(400);
    let mut request = app.request("8003", "post", "/agents/batch", Some(batch)).await;
    request.headers_mut().insert("idempotency-key", "k".parse().unwrap());
    let rows = app.send(request).await.is(200).json()["items"].clone();
    let codes: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["problem"]["code"].as_str().unwrap_or("added"))
        .collect();
    assert_eq!(codes, ["added", "taken", "unfit", "forbidden", "added"]);
    assert!(rows[0]["password"].is_string() && rows[0]["sheet"]["password"].is_string());
}
