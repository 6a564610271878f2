//! First start: the set-up code, the first account, and what `/me` says.

use super::*;
use paceline::store::AuditFilter;
use serde_json::json;

fn account(code: &str) -> Value {
    json!({ "code": code, "name": "王敏", "login": "wangmin", "password": "correct horse", "language": "zh" })
}

async fn post(app: &TestApp, body: Value) -> Answer {
    app.send(bare("post", "/setup", Some(body))).await
}

#[tokio::test]
async fn the_first_account_is_an_admin_and_operator_and_signed_in_by_its_cookie() {
    let app = TestApp::new().await;
    // An agent of a simulation cannot sign in, so the service still waits for its first account.
    app.hire("8001", Role::Agent, &["vote"]).await;
    let status = app.send(bare("get", "/setup", None)).await.is(200).json();
    assert_eq!(status, json!({ "needs_account": true, "organisations": false }));
    let code = app.state.open_setup_code().await.unwrap().expect("a code");
    assert_eq!((code.len(), code.find('-')), (9, Some(4)), "{code}");

    let answer = post(&app, account(&code.to_lowercase())).await.is(200);
    let key = answer.key();
    let mut request = bare("get", "/me", None);
    request.headers_mut().insert(header::COOKIE, format!("paceline={key}").parse().unwrap());
    let me = app.send(request).await.is(200).json();
    assert_eq!((me["role"].as_str(), me["operator"].as_bool()), (Some("admin"), Some(true)));
    assert_eq!(me["preferences"]["language"], "zh");
    assert_eq!(me["organisation"], json!({ "slug": "main", "name": "Main" }));
    let rights: Vec<&str> = me["rights"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    for right in ["people.edit", "campaigns.run", "organisations.make", "system.read", "trunks.edit"] {
        assert!(rights.contains(&right), "{right} of {rights:?}");
    }

    assert_eq!(app.send(bare("get", "/setup", None)).await.json()["needs_account"], false);
    assert_eq!(app.state.open_setup_code().await.unwrap(), None);
    assert_eq!(post(&app, account(&code)).await.is(409).code(), "already_done");
    let rows = app.store.audit(1, &AuditFilter { limit: 10, ..AuditFilter::default() }).await.unwrap();
    assert_eq!((rows.len(), rows[0].action.as_str(), rows[0].actor_kind.as_str()), (1, "setup", "system"));
}

#[tokio::test]
async fn a_wrong_code_makes_no_account_and_ten_of_them_void_the_right_one() {
    let app = TestApp::new().await;
    let code = app.state.open_setup_code().await.unwrap().expect("a code");
    let wrong = if code.starts_with('2') { code.replacen('2', "3", 1) } else { format!("2{}", &code[1..]) };
    for left in (0..10).rev() {
        let refused = post(&app, account(&wrong)).await.is(403);
        assert_eq!(
            (refused.code().as_str(), refused.json()["tries_left"].as_i64()),
            ("wrong_code", Some(left))
        );
    }
    assert_eq!(post(&app, account(&code)).await.is(403).code(), "code_void");
    assert!(app.store.agents().await.unwrap().is_empty());
}

#[tokio::test]
async fn of_two_people_who_finish_at_once_one_has_the_account() {
    let app = TestApp::new().await;
    let code = app.state.open_setup_code().await.unwrap().expect("a code");
    let mut second = account(&code);
    second["login"] = "second".into();
    let (first, second) = tokio::join!(post(&app, account(&code)), post(&app, second));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(app.store.agents().await.unwrap().len(), 1);
}

#[tokio::test]
async fn preferences_are_merged_and_a_stale_version_changes_nothing() {
    let app = TestApp::new().await;
    app.staff().await;
    let me = app.get("8001", "/me").await.is(200);
    let etag = me.headers[header::ETAG].clone();
    assert_eq!(
        me.json()["preferences"],
        json!({ "language": null, "theme": null, "keys": null, "tour_closed": null })
    );
    assert_eq!(me.json()["operator"], false);
    let patch = async |etag: Option<&str>, body: Value| {
        let mut request = app.request("8001", "patch", "/me", Some(body)).await;
        if let Some(etag) = etag {
            request.headers_mut().insert(header::IF_MATCH, etag.parse().unwrap());
        }
        app.send(request).await
    };
    let etag = etag.to_str().unwrap();
    let dark = json!({ "preferences": { "theme": "dark" } });
    let changed = patch(Some(etag), dark.clone()).await.is(200);
    assert_ne!(changed.headers[header::ETAG].to_str().unwrap(), etag);
    let stale = patch(Some(etag), dark).await.is(412);
    assert_eq!((stale.code().as_str(), stale.json()["version"].is_i64()), ("changed", true));
    let both = patch(None, json!({ "preferences": { "language": "en" }, "telephone": "13800138000" })).await;
    let me = both.is(200).json();
    let kept = json!({ "language": "en", "theme": "dark", "keys": null, "tour_closed": null });
    assert_eq!(me["preferences"], kept);
    // The tour is closed for ever: what a later change leaves out stays.
    patch(None, json!({ "preferences": { "tour_closed": true } })).await.is(200);
    let light = json!({ "preferences": { "theme": "light", "tour_closed": null } });
    let me = patch(None, light).await.is(200).json();
    let kept = json!({ "language": "en", "theme": "light", "keys": null, "tour_closed": true });
    assert_eq!(me["preferences"], kept);
    assert_eq!(me["telephone"], "13800138000");
    for body in [
        json!({ "preferences": { "theme": "pink" } }),
        json!({ "preferences": { "keys": { "hang_up": "x".repeat(40) } } }),
        json!({ "telephone": "12" }),
        json!({ "role": "admin" }),
    ] {
        patch(None, body).await.is(422);
    }
    // The telephone is on record, masked; preferences are nobody else's business.
    let rows = app.store.audit(1, &AuditFilter { limit: 10, ..AuditFilter::default() }).await.unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0].after.as_deref(), Some(r#"{"telephone":"138****8000"}"#));
}
