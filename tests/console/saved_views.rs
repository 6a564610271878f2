//! Saved views: whose they are, who sees them, two people who change one, and what is no view.

use super::*;
use serde_json::json;

fn body() -> Value {
    json!({ "name": "Morning", "page": "results", "query": "outcome=answered&min=30", "columns": ["name", "talk"] })
}

async fn change(
    app: &TestApp,
    by: &str,
    method: &str,
    id: &Value,
    etag: &str,
    body: Option<Value>,
) -> Answer {
    let mut request = app.request(by, method, &format!("/views/{id}"), body).await;
    if !etag.is_empty() {
        request.headers_mut().insert(header::IF_MATCH, etag.parse().unwrap());
    }
    app.send(request).await
}

async fn names(app: &TestApp, by: &str) -> Vec<String> {
    let list = app.get(by, "/views?page=results").await.is(200).json();
    let items = list["items"].as_array().unwrap();
    items.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_view_is_its_owners_and_of_the_group_that_it_is_shared_with() {
    let app = TestApp::new().await;
    app.staff().await;
    let made = app.post("8002", "/views", body()).await.is(201);
    assert_eq!(made.headers[header::ETAG], "\"v1\"");
    let view = made.json();
    assert_eq!(
        (&view["query"], &view["columns"][1], &view["own"]),
        (&json!("outcome=answered&min=30"), &json!("talk"), &json!(true))
    );
    app.hire("8010", Role::Lead, &["vote"]).await;
    app.hire("8011", Role::Analyst, &["vote"]).await;
    for by in ["8003", "8005", "8010", "8011", "8102"] {
        assert!(names(&app, by).await.is_empty(), "{by}");
    }
    let shared =
        change(&app, "8002", "patch", &view["id"], "\"v1\"", Some(json!({ "group": "vote" }))).await.is(200);
    assert_eq!(shared.json()["group"], "vote");
    for (by, sees) in
        [("8002", true), ("8010", true), ("8011", true), ("8001", false), ("8003", false), ("8102", false)]
    {
        assert_eq!(!names(&app, by).await.is_empty(), sees, "{by}");
    }
    let seen = app.get("8010", "/views").await.json()["items"][0].clone();
    assert_eq!(
        (&seen["own"], &seen["owner"], &seen["owner_name"]),
        (&json!(false), &json!("8002"), &json!("N8002"))
    );
    // Who sees it cannot change it.
    for by in ["8010", "8003", "8005", "8001"] {
        change(&app, by, "patch", &view["id"], "*", Some(json!({ "name": "x" }))).await.is(404);
        change(&app, by, "delete", &view["id"], "*", None).await.is(404);
    }
    // Shared no longer, and deleted.
    change(&app, "8002", "patch", &view["id"], "\"v2\"", Some(json!({ "group": "" }))).await.is(200);
    assert!(names(&app, "8010").await.is_empty());
    change(&app, "8002", "delete", &view["id"], "\"v3\"", None).await.is(204);
    assert!(names(&app, "8002").await.is_empty());
    let audit = app.get("8005", "/audit?subject=view").await.is(200).json();
    assert_eq!(audit["items"].as_array().unwrap().len(), 4, "{audit}");
}

#[tokio::test]
async fn the_second_of_two_changes_of_a_view_learns_of_the_first() {
    let app = TestApp::new().await;
    app.staff().await;
    let view = app.post("8003", "/views", body()).await.is(201).json();
    change(&app, "8003", "patch", &view["id"], "", Some(json!({ "name": "x" }))).await.is(428);
    change(&app, "8003", "patch", &view["id"], "\"v1\"", Some(json!({ "query": "outcome=busy" })))
        .await
        .is(200);
    let refused =
        change(&app, "8003", "patch", &view["id"], "\"v1\"", Some(json!({ "name": "x" }))).await.is(412);
    assert_eq!(refused.code(), "changed");
    change(&app, "8003", "delete", &view["id"], "\"v1\"", None).await.is(412);
    let now = app.get("8003", "/views").await.json()["items"][0].clone();
    assert_eq!(
        (&now["query"], &now["name"], &now["version"]),
        (&json!("outcome=busy"), &json!("Morning"), &json!(2))
    );
}

#[tokio::test]
async fn an_unfit_view_is_refused_in_words() {
    let app = TestApp::new().await;
    app.staff().await;
    app.hire("8012", Role::Lead, &["night"]).await;
    app.hire("8011", Role::Analyst, &["vote"]).await;
    app.post("8003", "/views", body()).await.is(201);
    let with = |field: &str, value: Value| {
        let mut body = body();
        body["name"] = "Another".into();
        body[field] = value;
        body
    };
    for (body, words) in [
        (with("name", "Morning".into()), "Morning"),
        (with("name", "".into()), "name"),
        (with("page", "today".into()), "results"),
        (with("query", "a=1 2".into()), "query"),
        (with("query", "a=1#x".into()), "query"),
        (with("query", "?a=1".into()), "query"),
        (with("columns", json!(["Name"])), "columns"),
        (with("columns", json!(vec!["name"; 41])), "columns"),
    ] {
        let refused = app.post("8003", "/views", body.clone()).await;
        assert!(matches!(refused.status.as_u16(), 409 | 422), "{body}: {}", refused.status);
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(words), "{body}: {detail}");
    }
    // A group that one is not a member of does not exist, and agents have no results.
    app.post("8012", "/views", with("group", "vote".into())).await.is(404);
    app.post("8003", "/views", with("group", "gone".into())).await.is(404);
    app.post("8001", "/views", with("group", "vote".into())).await.is(403);
    // What its readers are not shown stands in no shared view.
    let mut numbered = with("group", "vote".into());
    numbered["query"] = "number=13800138000".into();
    app.post("8002", "/views", numbered.clone()).await.is(422);
    let mut shown = numbered.clone();
    shown["name"] = "By caller ID".into();
    shown["query"] = "caller=075512345678&outcome=answered".into();
    app.post("8002", "/views", shown).await.is(201);
    assert_eq!(
        app.get("8011", "/views").await.json()["items"][0]["query"],
        "caller=075512345678&outcome=answered"
    );
    numbered["group"] = Value::Null;
    app.post("8002", "/views", numbered).await.is(201);
    let audit = app.get("8005", "/audit?subject=view").await.is(200).json().to_string();
    assert!(!audit.contains("13800138000") && audit.contains("138****8000"), "{audit}");
}

#[tokio::test]
async fn a_person_has_a_hundred_views() {
    let app = TestApp::new().await;
    app.staff().await;
    for n in 0..100 {
        let mut view = body();
        view["name"] = format!("view {n}").into();
        app.post("8003", "/views", view).await.is(201);
        app.clock.advance(1_000);
    }
    app.post("8003", "/views", body()).await.is(422);
    app.post("8002", "/views", body()).await.is(201);
}
