//! Test calls over trunks, and traces of calls, through the API.

use super::records::scenario;
use super::*;
use paceline::config::TrunkConfig;
use paceline::engine::{TrunkBoard, TrunkTestRefusal};
use paceline_core::ids::TrunkId;
use serde_json::json;

#[tokio::test]
async fn a_trace_is_shown_to_those_who_may_see_the_call() {
    let scene = scenario().await;
    let path = format!("/calls/{}/trace", scene.request.attempt);
    for (by, status) in
        [("8001", 200), ("8002", 200), ("8003", 200), ("8004", 200), ("8101", 404), ("8102", 404)]
    {
        scene.app.get(by, &path).await.is(status);
    }
    let trace = scene.app.get("8003", &path).await.is(200).json();
    assert_eq!(
        (trace["steps"].as_array().map(Vec::len), trace["outcome"].as_str()),
        (Some(0), Some("answered"))
    );
    assert!(trace["words"]["zh"].as_str().is_some_and(|zh| zh.contains("接通")), "{trace}");
    for path in ["/calls/99999/trace", "/calls/x/trace"] {
        scene.app.get("8003", path).await.is(404);
    }
}

#[tokio::test]
async fn a_test_call_names_its_attempt_or_why_it_is_not_placed() {
    let app = TestApp::new().await;
    app.staff().await;
    let act = |name: &'static str, body: Value| app.by("8003", "post", name, Some(body));
    let call = json!({ "action": "test_call", "number": "+442079460000", "caller_id": "+8695188" });
    let unknown = act("/trunks/main/actions", call.clone()).await.is(404);
    assert!(unknown.json()["detail"].as_str().is_some_and(|detail| detail.contains("no such trunk")));
    let trunk = TrunkBoard { name: "main".into(), up: true, ..TrunkBoard::default() };
    app.board.send_replace(Arc::new(Board { trunks: vec![trunk], ..Board::default() }));
    assert_eq!(act("/trunks/main/actions", call.clone()).await.is(202).json(), json!({ "attempt": 7 }));
    for (refusal, status, code) in [
        (TrunkTestRefusal::NotCarried, 422, "not_carried"),
        (TrunkTestRefusal::Full, 409, "trunk_full"),
        (TrunkTestRefusal::Blacklisted, 409, "blacklisted"),
        (TrunkTestRefusal::StoreStalled, 503, "store_stalled"),
    ] {
        app.engine.lock().unwrap().trunk_test = Some(Err(refusal));
        assert_eq!(act("/trunks/main/actions", call.clone()).await.is(status).code(), code);
    }
    for unfit in [
        json!({ "action": "test_call", "number": "110" }),
        json!({ "action": "test_call", "number": "+86110" }),
        json!({ "action": "test_call", "number": "13800138000", "caller_id": "x" }),
        json!({ "action": "test_call" }),
        json!({ "action": "rest" }),
    ] {
        act("/trunks/main/actions", unfit).await.is(422);
    }
    let campaigns = app.get("8003", "/campaigns").await.is(200).json();
    assert!(!campaigns.to_string().contains("_trunk_test"), "{campaigns}");
}

/// As the operator of the installation.
#[tokio::test]
async fn a_test_call_leaves_a_disabled_trunk_alone_and_shows_an_approved_number() {
    let app = TestApp::new().await;
    app.staff().await;
    let board = |disabled| {
        let trunk = TrunkBoard { name: "main".into(), up: true, disabled, ..TrunkBoard::default() };
        Arc::new(Board { trunks: vec![trunk], ..Board::default() })
    };
    let call = json!({ "action": "test_call", "number": "13800138000", "caller_id": "075512345678" });
    let test = || app.by("8003", "post", "/trunks/main/actions", Some(call.clone()));
    app.board.send_replace(board(true));
    assert_eq!(test().await.is(409).code(), "trunk_disabled");
    app.board.send_replace(board(false));
    test().await.is(202);
    let change = json!({ "settings": { "approve_caller_ids": true } });
    let mut switch = app.request("8005", "patch", "/organisations/main", Some(change)).await;
    switch.headers_mut().insert(header::IF_MATCH, "*".parse().unwrap());
    app.send(switch).await.is(200);
    let refused = test().await.is(409);
    assert_eq!(refused.code(), "not_approved");
}

async fn operate(app: &TestApp, method: &str, path: &str, body: Option<Value>) -> Answer {
    let mut request = bare(method, path, body);
    let token = app.state.local_service_token();
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    if method != "post" {
        request.headers_mut().insert(header::IF_MATCH, "*".parse().unwrap());
    }
    app.send(request).await
}

fn applied(app: &TestApp) -> Vec<String> {
    std::mem::take(&mut *app.campaign_requests.lock().unwrap())
}

#[tokio::test]
async fn a_trunk_is_added_changed_and_removed_and_its_password_is_never_said() {
    let app = TestApp::new().await;
    app.staff().await;
    let settings =
        json!({ "uri": "sip:203.0.113.10", "username": "7550", "password": "hush 7", "calls_max": 60 });
    let body = json!({ "name": "main", "settings": settings });
    assert_eq!(app.post("8003", "/trunks", body.clone()).await.is(403).code(), "forbidden");
    let added = operate(&app, "post", "/trunks", Some(body.clone())).await.is(201).json();
    assert_eq!(
        (&added["source"], &added["enabled"], &added["has_password"]),
        (&json!("row"), &json!(true), &json!(true))
    );
    assert_eq!((&added["settings"]["calls_max"], &added["settings"]["password"]), (&json!(60), &json!("")));
    assert_eq!(operate(&app, "post", "/trunks", Some(body)).await.is(409).code(), "taken");
    assert_eq!(applied(&app), ["trunk main"]);

    // A change of one setting keeps the others, and the password.
    let patch = |settings: Value| Some(json!({ "settings": settings }));
    let changed =
        operate(&app, "patch", "/trunks/main", patch(json!({ "calls_max": 90 }))).await.is(200).json();
    assert_eq!(
        (&changed["settings"]["calls_max"], &changed["settings"]["username"]),
        (&json!(90), &json!("7550"))
    );
    assert_eq!((&changed["has_password"], &changed["version"]), (&json!(true), &json!(2)));
    let bare = operate(&app, "patch", "/trunks/main", patch(json!({ "password": "" }))).await.is(200).json();
    assert_eq!(bare["has_password"], false);
    for (unfit, at) in [
        (json!({ "calls_max": 0 }), "/settings/calls_max"),
        (json!({ "uri": "203.0.113.10" }), "/settings/uri"),
        (json!({ "username": "", "register": true }), "/settings/register"),
        (json!({ "no_such": 1 }), "/settings"),
        (json!({ "password": 7 }), "/settings/password"),
    ] {
        let refused = operate(&app, "patch", "/trunks/main", patch(unfit.clone())).await.is(422).json();
        assert_eq!(refused["errors"][0]["at"], at, "{unfit}: {refused}");
    }
    for name in ["", "a b", "simulated"] {
        let body = json!({ "name": name, "settings": { "uri": "sip:203.0.113.10" } });
        operate(&app, "post", "/trunks", Some(body)).await.is(422);
    }
    let plain = app.by("8003", "patch", "/trunks/main", patch(json!({ "calls_max": 1 }))).await;
    assert_eq!(plain.is(403).code(), "forbidden");

    // Taken out of use and into use again.
    let act = |action: &'static str| {
        operate(&app, "post", "/trunks/main/actions", Some(json!({ "action": action })))
    };
    act("disable").await.is(202);
    assert_eq!(app.get("8003", "/trunks/main").await.is(200).json()["enabled"], false);
    act("enable").await.is(202);
    let refused = app.post("8003", "/trunks/main/actions", json!({ "action": "disable" })).await;
    assert_eq!(refused.is(403).json()["right"], "trunks.edit");

    // No answer, audit row or event says the password, and the store has it sealed.
    let audit = app.get("8006", "/audit?limit=100").await.is(200).json().to_string();
    assert!(audit.contains("trunk") && !audit.contains("hush"), "{audit}");
    let list = app.get("8003", "/trunks").await.is(200).json().to_string();
    assert!(!list.contains("hush"), "{list}");

    // One with calls stays; else it goes.
    *app.campaign_refusal.lock().unwrap() = Some("3".into());
    let in_use = operate(&app, "delete", "/trunks/main", None).await.is(409).json();
    assert_eq!((&in_use["code"], &in_use["calls"]), (&json!("in_use"), &json!(3)), "{in_use}");
    *app.campaign_refusal.lock().unwrap() = None;
    operate(&app, "delete", "/trunks/main", None).await.is(204);
    operate(&app, "get", "/trunks/main", None).await.is(404);
    assert!(applied(&app).contains(&"no trunk 1".to_owned()));
}

#[tokio::test]
async fn a_change_needs_the_version_that_was_read_and_what_is_not_applied_is_said() {
    let app = TestApp::new().await;
    app.staff().await;
    let body = json!({ "name": "main", "settings": { "uri": "sip:203.0.113.10" } });
    operate(&app, "post", "/trunks", Some(body)).await.is(201);
    let patch = json!({ "settings": { "calls_max": 9 } });
    let with_tag = |tag: Option<&'static str>| {
        let mut request = bare("patch", "/trunks/main", Some(patch.clone()));
        let token = app.state.local_service_token();
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        if let Some(tag) = tag {
            request.headers_mut().insert(header::IF_MATCH, tag.parse().unwrap());
        }
        app.send(request)
    };
    assert_eq!(with_tag(None).await.is(428).code(), "if_match");
    assert_eq!(with_tag(Some("\"v7\"")).await.is(412).code(), "changed");
    *app.campaign_refusal.lock().unwrap() =
        Some("carrier.example is reached over tls, and [sip] listen has none".into());
    let refused = with_tag(Some("\"v1\"")).await.is(409).json();
    assert_eq!(refused["code"], "not_applied");
    assert!(
        refused["words"]["en"].as_str().is_some_and(|en| en.contains("kept, and not in use")),
        "{refused}"
    );
    assert_eq!(
        operate(&app, "get", "/trunks/main", None).await.json()["settings"]["calls_max"],
        9,
        "it is kept"
    );
}

#[tokio::test]
async fn a_trunk_of_the_file_is_shown_with_its_line_and_changed_there() {
    let text = "[http]\nlisten = \"127.0.0.1:0\"\n\n[trunks.main]\nuri = \"sip:203.0.113.10\"\npassword = \"hush\"\nusername = \"7550\"\n";
    let config =
        paceline::config::Config::parse(std::path::Path::new("/etc/paceline.toml"), text, []).unwrap();
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let app = TestApp::with_config(dir, ManualClock::at(MORNING), config).await;
    app.staff().await;
    let kept = [("main".to_owned(), (TrunkId(1), paceline::store::trunks::TrunkSource::File))].into();
    app.store.keep_trunks_of_file(&kept).await.unwrap();
    let shown = app.get("8003", "/trunks/main").await.is(200).json();
    assert_eq!(shown["set_in"], json!({ "file": "/etc/paceline.toml", "line": 4 }));
    assert_eq!(
        (&shown["settings"]["uri"], &shown["settings"]["password"]),
        (&json!("sip:203.0.113.10"), &json!(""))
    );
    assert_eq!((&shown["has_password"], &shown["live"]), (&json!(true), &Value::Null));
    for (method, body) in [("patch", Some(json!({ "settings": { "calls_max": 1 } }))), ("delete", None)] {
        let refused = operate(&app, method, "/trunks/main", body).await.is(409).json();
        assert_eq!(
            (&refused["code"], &refused["file"], &refused["line"]),
            (&json!("set_in_file"), &json!("/etc/paceline.toml"), &json!(4)),
            "{method}"
        );
        assert!(refused["words"]["zh"].as_str().is_some_and(|zh| zh.contains("/etc/paceline.toml:4")));
    }
    // It is taken out of use all the same: that is no setting of the file.
    operate(&app, "post", "/trunks/main/actions", Some(json!({ "action": "disable" }))).await.is(202);
    assert_eq!(app.get("8003", "/trunks/main").await.json()["enabled"], false);
}

#[tokio::test]
async fn trunks_of_the_store_keep_their_ids_and_passwords_are_sealed() {
    let app = TestApp::new().await;
    app.staff().await;
    let body = |name: &str| json!({ "name": name, "settings": TrunkConfig { uri: "sip:203.0.113.10".into(), password: "hush".into(), username: "a".into(), ..TrunkConfig::default() } });
    for name in ["b", "a"] {
        operate(&app, "post", "/trunks", Some(body(name))).await.is(201);
    }
    let rows = app.store.trunk_rows().await.unwrap();
    let ids: Vec<(u16, &str)> = rows.iter().map(|row| (row.id.0, row.name.as_str())).collect();
    assert_eq!(ids, [(1, "b"), (2, "a")]);
    for row in &rows {
        assert!(row.settings.contains("203.0.113.10") && !row.settings.contains("hush"));
        assert!(!row.password_sealed.contains("hush"));
    }
    // A trunk of the file with the name of a row takes its place, under its id.
    let source = paceline::store::trunks::TrunkSource::File;
    app.store.keep_trunks_of_file(&[("a".to_owned(), (TrunkId(2), source))].into()).await.unwrap();
    let rows = app.store.trunk_rows().await.unwrap();
    let of_file = rows.iter().find(|row| row.name == "a").unwrap();
    assert_eq!((of_file.id, of_file.source, of_file.password_sealed.as_str()), (TrunkId(2), source, ""));
    // And goes with it.
    app.store.keep_trunks_of_file(&Default::default()).await.unwrap();
    assert_eq!(app.store.trunk_rows().await.unwrap().len(), 1);
}
