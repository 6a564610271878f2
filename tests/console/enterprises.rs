//! Several enterprises in one service: none sees, changes or counts what is another's. And whole numbers for those
//! alone who may read them.

use super::records::{Scenario, scenario};
use super::*;
use paceline::console::routes::{BodySchema, ROUTES};
use paceline_core::agent::{Activity, Availability, Work};
use paceline_core::ids::LeadId;
use serde_json::json;

/// Makes the enterprise `haitang` by the operator; returns the session cookie of its admin.
pub async fn second_enterprise(app: &TestApp) -> String {
    let operator = app.state.local_service_token().to_owned();
    let body =
        json!({ "slug": "haitang", "name": "海棠物业", "admin": { "name": "李芳", "login": "lifang" } });
    let mut request = bare("post", "/organisations", Some(body));
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {operator}").parse().unwrap());
    let made = app.send(request).await.is(201).json();
    let password = made["admin"]["password"].as_str().unwrap();
    let sign_in = json!({ "login": "lifang@haitang", "password": password });
    app.send(bare("post", "/sign-in", Some(sign_in))).await.is(200).key()
}

pub async fn with_cookie(app: &TestApp, key: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
    let mut request = bare(method, path, body);
    request.headers_mut().insert(header::COOKIE, format!("paceline={key}").parse().unwrap());
    request.headers_mut().insert(header::ORIGIN, format!("http://{HOST}").parse().unwrap());
    app.send(request).await
}

#[tokio::test]
async fn rows_of_another_enterprise_are_not_there() {
    let Scenario { app, lead, request, .. } = scenario().await;
    let token = app.store.add_token("hash", Role::Manager, "theirs", None).await.unwrap();
    let entry = json!({ "number": "13800138000", "campaign": "spring" });
    app.post("8003", "/blacklist", entry).await.is(201);
    let li = second_enterprise(&app).await;
    let me = with_cookie(&app, &li, "get", "/me", None).await.is(200).json();
    assert_eq!(me["organisation"]["slug"], "haitang");
    assert_eq!(me["operator"], false);

    for (path, list) in [
        ("/agents", "agents"),
        ("/groups", "groups"),
        ("/campaigns", "campaigns"),
        ("/campaigns", "workplaces"),
        ("/floor", "seats"),
        ("/floor", "campaigns"),
        ("/calls", "calls"),
        ("/calls?direction=in", "calls"),
        ("/tokens", "tokens"),
        ("/blacklist", "items"),
    ] {
        let shown = with_cookie(&app, &li, "get", path, None).await.is(200).json();
        let rows = shown[list].as_array().unwrap();
        // Li Fang's own account is the only row.
        assert_eq!(rows.len(), usize::from(path == "/agents"), "{path}: {rows:?}");
    }
    let some = |body: Value| Some(body);
    for (method, path, body) in [
        ("get", "/agents/8001".to_owned(), None),
        ("patch", "/agents/8001".into(), some(json!({ "name": "x" }))),
        ("delete", "/agents/8001".into(), None),
        ("post", "/agents/8001/password".into(), some(json!({}))),
        ("post", "/agents/8001/phone-password".into(), None),
        ("put", "/agents/8001/groups/vote".into(), some(json!({}))),
        ("delete", "/agents/8001/groups/vote".into(), None),
        ("post", "/agents/8001/actions".into(), some(json!({ "action": "ready" }))),
        ("patch", "/groups/vote".into(), some(json!({ "seats": 1 }))),
        ("delete", "/groups/vote".into(), None),
        ("get", "/floor?group=vote".into(), None),
        ("post", "/agents".into(), some(json!({ "name": "x", "groups": ["vote"] }))),
        ("post", "/campaigns/spring/actions".into(), some(json!({ "action": "pause" }))),
        ("post", "/campaigns/spring/actions".into(), some(json!({ "action": "undo_import" }))),
        ("get", "/campaigns/spring/why".into(), None),
        ("get", "/campaigns/spring/leads?row=2".into(), None),
        ("get", format!("/campaigns/spring/leads/{}/why", lead.id), None),
        ("get", format!("/leads/{}", lead.id), None),
        ("post", format!("/leads/{}/corrections", lead.id), some(json!({ "name": "x" }))),
        ("get", format!("/calls/{}/recording", request.attempt), None),
        ("get", "/calls?campaign=spring".into(), None),
        ("get", "/calls?agent=8001".into(), None),
        ("get", "/blacklist?campaign=spring".into(), None),
        ("post", "/blacklist".into(), some(json!({ "number": "13800138001", "campaign": "spring" }))),
        (
            "post",
            "/blacklist/removals".into(),
            some(json!({ "number": "13800138000", "campaign": "spring" })),
        ),
        ("delete", "/blacklist/1".into(), None),
        ("delete", format!("/tokens/{token}"), None),
        ("get", "/organisations/main".into(), None),
    ] {
        let answer = with_cookie(&app, &li, method, &path, body).await;
        assert_eq!(answer.status.as_u16(), 404, "{method} {path}: {}", String::from_utf8_lossy(&answer.body));
    }
    // Nothing was changed, and the audit of each has its own rows alone.
    assert_eq!(app.get("8003", "/agents/8001").await.json()["name"], "N8001");
    assert_eq!(app.get("8003", "/blacklist").await.json()["items"].as_array().unwrap().len(), 1);
    let theirs = with_cookie(&app, &li, "get", "/audit", None).await.is(200).json();
    assert_eq!(theirs["items"], json!([]));
    with_cookie(&app, &li, "post", "/groups", Some(json!({ "name": "vote" }))).await.is(201);
    let theirs = with_cookie(&app, &li, "get", "/audit", None).await.is(200).json();
    assert_eq!(theirs["items"].as_array().unwrap().len(), 1);
    // The same names may stand in both.
    assert_eq!(app.store.groups().await.unwrap().iter().filter(|it| it.name == "vote").count(), 2);
    let hired = json!({ "number": "8001", "login": "login8001", "name": "x", "phone": false });
    with_cookie(&app, &li, "post", "/agents", Some(hired)).await.is(201);
    assert_eq!(app.get("8003", "/agents/8001").await.json()["name"], "N8001");
    let status = app.send(bare("get", "/setup", None)).await.json();
    assert_eq!(status["organisations"], true);
}

#[tokio::test]
async fn an_account_of_another_enterprise_takes_no_login_away() {
    let app = TestApp::new().await;
    app.staff().await;
    app.post("8005", "/agents/8003/password", json!({ "password": "a long password" })).await.is(200);
    let login = "login8003".to_owned();
    let li = second_enterprise(&app).await;
    for taken in [login.clone(), format!("{login}@main")] {
        let body = json!({ "name": "x", "login": taken, "role": "analyst", "password": "another password" });
        // Whether it is taken or refused: it changes nothing for others.
        with_cookie(&app, &li, "post", "/agents", Some(body)).await;
    }
    let main = app.get("8005", "/me").await.json()["organisation"]["slug"].as_str().unwrap().to_owned();
    for asked in [login.clone(), format!("{login}@{main}")] {
        let body = json!({ "login": asked, "password": "a long password" });
        app.send(bare("post", "/sign-in", Some(body))).await.is(200);
    }
}

#[tokio::test]
async fn an_organisation_is_changed_by_its_admin_and_suspended_by_the_operator() {
    let app = TestApp::new().await;
    app.staff().await;
    let li = second_enterprise(&app).await;
    let shown = with_cookie(&app, &li, "get", "/organisations/haitang", None).await.is(200);
    let etag = shown.headers[header::ETAG].clone();
    let body = json!({ "settings": { "analysts_read_numbers": true } });
    let refused = with_cookie(&app, &li, "patch", "/organisations/haitang", Some(body.clone())).await.is(428);
    assert_eq!(refused.code(), "if_match");
    let patch = async |etag: &axum::http::HeaderValue| {
        let mut request = bare("patch", "/organisations/haitang", Some(body.clone()));
        request.headers_mut().insert(header::COOKIE, format!("paceline={li}").parse().unwrap());
        request.headers_mut().insert(header::ORIGIN, format!("http://{HOST}").parse().unwrap());
        request.headers_mut().insert(header::IF_MATCH, etag.clone());
        app.send(request).await
    };
    let changed = patch(&etag).await.is(200).json();
    assert_eq!(changed["settings"]["analysts_read_numbers"], true);
    assert_eq!(patch(&etag).await.is(412).code(), "changed");
    // An admin is no operator.
    let suspend = Some(json!({ "action": "suspend" }));
    with_cookie(&app, &li, "post", "/organisations/haitang/actions", suspend.clone()).await.is(403);
    with_cookie(&app, &li, "get", "/organisations", None).await.is(403);
    let mut request = bare("post", "/organisations/haitang/actions", suspend);
    let operator = app.state.local_service_token();
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {operator}").parse().unwrap());
    assert_eq!(app.send(request).await.is(200).json()["state"], "suspended");
    let opening = Some(json!({ "file": "x.toml" }));
    assert_eq!(with_cookie(&app, &li, "post", "/campaigns", opening).await.is(409).code(), "suspended");
    with_cookie(&app, &li, "get", "/me", None).await.is(200);
}

#[tokio::test]
async fn pause_reasons_are_built_in_until_the_organisation_chooses_its_own() {
    let app = TestApp::new().await;
    app.staff().await;
    let built_in = app.get("8001", "/pause-reasons").await.is(200);
    assert_eq!(built_in.json()["own"], false);
    let put = async |by: &str, etag: &str, items: Value| {
        let mut request = app.request(by, "put", "/pause-reasons", Some(json!({ "items": items }))).await;
        request.headers_mut().insert(header::IF_MATCH, etag.parse().unwrap());
        app.send(request).await
    };
    let etag = built_in.headers[header::ETAG].to_str().unwrap();
    let own = json!([{ "code": "tea", "label": { "zh": "喝茶", "en": "Tea" }, "max_secs": 600 }]);
    put("8003", etag, own.clone()).await.is(403);
    put("8005", etag, json!([own[0], own[0]])).await.is(422);
    put("8005", etag, own.clone()).await.is(200);
    put("8005", etag, own.clone()).await.is(412);
    let shown = app.get("8001", "/pause-reasons").await.json();
    assert_eq!((&shown["items"], shown["own"].as_bool()), (&own, Some(true)));
}

/// Every route that reads, as an analyst who may not read numbers: no answer has a whole number of the list.
#[tokio::test]
async fn numbers_are_masked_in_every_answer_for_callers_without_the_right() {
    let Scenario { app, lead, request, .. } = scenario().await;
    let whole = crate::store::number(1).national();
    let correction = json!({ "phone": "13900139000", "was": whole });
    app.post("8001", &format!("/leads/{}/corrections", lead.id), correction).await.is(201);
    app.post("8003", "/blacklist", json!({ "number": "13700137000", "reason": "x" })).await.is(201);
    let telephone = json!({ "telephone": "13600136000" });
    app.by("8003", "patch", "/agents/8001", Some(telephone)).await.is(200);
    let ana = app.id("8001").await;
    let mut seat =
        crate::store::floor::seat(ana, Availability::Available, Activity::Talking, app.clock.now());
    seat.endpoint = paceline_core::agent::Endpoint::Telephone(crate::store::number(5));
    seat.work = Some(Work {
        campaign: CampaignId(1),
        lead: Some(lead.id),
        number: Some(crate::store::number(1)),
        attempt: Some(request.attempt),
        inbound: false,
        answered_at: None,
        connected_at: None,
        parties: vec![],
        recording: false,
        summary: None,
    });
    let mut board = Board::default();
    board.seats.insert(ana, Arc::new(seat));
    app.board.send_replace(Arc::new(board));
    let numbers: Vec<String> = [1, 2, 3, 5]
        .map(|n| crate::store::number(n).national())
        .into_iter()
        .chain(["13900139000", "13700137000", "13600136000"].map(String::from))
        .collect();

    let mut found = BTreeSet::new();
    for route in ROUTES
        .iter()
        .filter(|route| route.method == "get" && !["/live", "/openapi.json"].contains(&route.path))
    {
        let path =
            route.path.replace("{number}", "8001").replace("{group}", "vote").replace("{name}", "spring");
        let path = path.replace("{attempt}", &request.attempt.to_string()).replace("{slug}", "main");
        let path = path.replace("{lead}", &lead.id.to_string()).replace("{id}", &lead.id.to_string());
        let path = path.replace("{call}", "1");
        let mut paths = vec![path.clone()];
        if route.path == "/leads/{id}" {
            paths = (1..=3).map(|id| format!("/leads/{id}")).collect();
        }
        if route.path == "/campaigns/{name}/leads" {
            paths = [
                format!("{path}?row=2"),
                format!("{path}?number={whole}"),
                format!("{path}?number=13800138999"),
            ]
            .into();
        }
        for path in paths {
            for by in ["8004", "8006"] {
                let answer = app.get(by, &path).await;
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                for number in &numbers {
                    let asked = path.contains(number.as_str()) && !answer.status.is_success();
                    assert!(
                        !text.contains(number.as_str()) || asked,
                        "{by} {path} shows {number}: {:.2000}",
                        text
                    );
                }
            }
            // The manager sees them: the search would find what is not masked.
            let text = String::from_utf8_lossy(&app.get("8003", &path).await.body).into_owned();
            found.extend(numbers.iter().filter(|number| text.contains(number.as_str())).cloned());
        }
    }
    assert_eq!(found.len(), numbers.len(), "a manager finds each of {numbers:?} somewhere, found {found:?}");

    // With the organisation's leave an analyst reads them.
    let organisation = app.get("8005", "/organisations/main").await.is(200);
    let body = Some(json!({ "settings": { "analysts_read_numbers": true } }));
    let mut patch = app.request("8005", "patch", "/organisations/main", body).await;
    patch.headers_mut().insert(header::IF_MATCH, organisation.headers[header::ETAG].clone());
    app.send(patch).await.is(200);
    let record = app.get("8004", &format!("/leads/{}", lead.id)).await.json();
    assert_eq!(record["phones"][0]["number"], whole);
}

#[tokio::test]
async fn without_whole_numbers_thirty_look_ups_an_hour_are_allowed() {
    let app = TestApp::new().await;
    app.staff().await;
    for _ in 0..30 {
        app.get("8004", "/calls?number=13800138000").await.is(200);
        app.get("8003", "/calls?number=13800138000").await.is(200);
    }
    let refused = app.get("8004", "/calls?number=13800138001").await.is(429);
    assert!(refused.headers.contains_key(header::RETRY_AFTER));
    app.get("8003", "/calls?number=13800138001").await.is(200);
    app.clock.advance(3_600_000);
    app.get("8004", "/calls?number=13800138001").await.is(200);
}

#[tokio::test]
async fn a_token_with_scopes_may_do_these_alone() {
    let Scenario { app, .. } = scenario().await;
    let asked = json!({ "name": "CRM", "role": "manager", "scopes": ["calls.read", "groups.edit"] });
    let made = app.post("8003", "/tokens", asked).await.is(201).json();
    assert_eq!(made["row"]["scopes"], json!(["calls.read", "groups.edit"]));
    assert_eq!(made["row"]["made_by"], "8003");
    let token = made["token"].as_str().unwrap().to_owned();
    let send = async |method: &str, path: &str, body: Option<Value>| {
        let mut request = bare(method, path, body);
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        app.send(request).await
    };
    assert_eq!(send("get", "/me", None).await.json()["rights"], json!(["groups.edit", "calls.read"]));
    send("post", "/groups", Some(json!({ "name": "x" }))).await.is(201);
    send("post", "/agents", Some(json!({ "name": "x" }))).await.is(403);
    send("get", "/blacklist", None).await.is(403);
    send("get", "/agents", None).await.is(403);
    send("get", "/live", None).await.is(403);
    send("get", "/campaigns", None).await.is(403);
    let calls = send("get", "/calls", None).await.is(200).json();
    assert!(calls["calls"][0]["number"].as_str().unwrap().contains('*'), "no `numbers.read`: {calls}");
    assert!(app.get("8003", "/tokens").await.json()["tokens"][0]["used_at"].is_string());
    for scopes in [json!(["everything"]), json!(["trunks.edit"])] {
        let asked = json!({ "name": "CRM", "role": "manager", "scopes": scopes });
        app.post("8003", "/tokens", asked).await.is(422);
    }
    let asked = json!({ "name": "CRM", "role": "auditor", "scopes": ["audit.read"] });
    assert_eq!(app.post("8003", "/tokens", asked).await.is(403).code(), "forbidden");
}

#[tokio::test]
async fn a_shift_lead_pauses_its_own_campaigns_and_an_agent_blocks_the_number_of_its_call() {
    let Scenario { app, lead, .. } = scenario().await;
    let act = async |by: &str, action: &str| {
        app.post(by, "/campaigns/spring/actions", json!({ "action": action })).await.status.as_u16()
    };
    assert_eq!(
        [act("8002", "pause").await, act("8002", "resume").await, act("8002", "drain").await],
        [202, 202, 403]
    );
    assert_eq!([act("8102", "pause").await, act("8003", "drain").await], [404, 202]);

    let own = crate::store::number(1).national();
    let block = async |by: &str, number: &str| {
        app.post(by, "/blacklist", json!({ "number": number })).await.status.as_u16()
    };
    assert_eq!(block("8001", &own).await, 403, "no call is up");
    let ana = app.id("8001").await;
    let mut seat =
        crate::store::floor::seat(ana, Availability::Available, Activity::Talking, app.clock.now());
    seat.work = Some(Work {
        campaign: CampaignId(1),
        lead: Some(LeadId(lead.id.0)),
        number: Some(crate::store::number(1)),
        attempt: None,
        inbound: false,
        answered_at: None,
        connected_at: None,
        parties: vec![],
        recording: false,
        summary: None,
    });
    let mut board = Board::default();
    board.seats.insert(ana, Arc::new(seat));
    app.board.send_replace(Arc::new(board));
    assert_eq!(block("8001", "13900139000").await, 403);
    assert_eq!(block("8001", &own).await, 201);
    assert_eq!(block("8002", "13900139000").await, 201);
}

/// Bodies of routes are refused for fields that nobody knows; the table has no route without a right.
#[test]
fn every_route_that_changes_something_has_a_right_of_its_own() {
    use paceline::console::rights::Right;
    let own = [
        "/sign-in",
        "/sign-out",
        "/setup",
        "/me",
        "/me/password",
        "/me/verify",
        "/me/lock",
        "/tasks/{id}/actions",
        "/views",
        "/views/{id}",
    ];
    for route in ROUTES.iter().filter(|route| route.method != "get") {
        let is_own = own.contains(&route.path);
        let is_guarded = matches!(route.right, Right::Action(_) | Right::ThisMachine);
        assert_eq!(is_guarded, !is_own, "{} {}", route.method, route.path);
        assert!(matches!(route.body, BodySchema::Empty) || !route.summary.is_empty());
    }
}

#[tokio::test]
async fn approvals_are_switched_by_the_admin_where_two_people_may_decide() {
    let app = TestApp::new().await;
    app.staff().await;
    let patch = async |by: &str, etag: &str, settings: Value| {
        let body = Some(json!({ "settings": settings }));
        let mut request = app.request(by, "patch", "/organisations/main", body).await;
        if !etag.is_empty() {
            request.headers_mut().insert(header::IF_MATCH, etag.parse().unwrap());
        }
        app.send(request).await
    };
    let shown = app.get("8005", "/organisations/main").await.is(200);
    let etag = shown.headers[header::ETAG].to_str().unwrap().to_owned();
    let shown = shown.json();
    assert_eq!(
        (&shown["settings"]["approve_lists"], &shown["approval_deciders"]),
        (&json!(false), &json!(2)),
        "{shown}"
    );
    assert_eq!(patch("8005", "", json!({ "approve_lists": true })).await.is(428).code(), "if_match");
    patch("8003", &etag, json!({ "approve_lists": true })).await.is(403);
    let on = patch("8005", &etag, json!({ "approve_lists": true })).await.is(200);
    assert_eq!(
        (&on.json()["settings"]["approve_lists"], &on.json()["settings"]["approve_audio"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(patch("8005", &etag, json!({ "approve_lists": false })).await.is(412).code(), "changed");
    assert!(app.store.organisations().await.unwrap()[0].settings.approve_lists);
    let audit = app.get("8005", "/audit?action=organisation.edit").await.is(200).json();
    let (before, after) = (&audit["items"][0]["before"], &audit["items"][0]["after"]);
    assert_eq!(
        (&before["settings"]["approve_lists"], &after["settings"]["approve_lists"]),
        (&json!(false), &json!(true))
    );

    // The manager leaves: the admin alone could decide, and not on what is the admin's own.
    app.by("8005", "delete", "/agents/8003", None).await.is(204);
    let etag = on.headers[header::ETAG].to_str().unwrap().to_owned();
    let mut refused = app
        .request(
            "8005",
            "patch",
            "/organisations/main",
            Some(json!({ "settings": { "approve_audio": true } })),
        )
        .await;
    refused.headers_mut().insert(header::IF_MATCH, etag.parse().unwrap());
    refused.headers_mut().insert(header::ACCEPT_LANGUAGE, "zh-CN".parse().unwrap());
    let refused = app.send(refused).await.is(409);
    assert_eq!(refused.code(), "no_second_person");
    assert!(refused.json()["detail"].as_str().unwrap().contains("另一人"), "{}", refused.json());
    // What is on may stay, and may be turned off.
    patch("8005", &etag, json!({ "approve_lists": true, "agents_add_leads": true })).await.is(200);
    let shown = app.get("8005", "/organisations/main").await.is(200);
    assert_eq!(shown.json()["approval_deciders"], 1);
    let etag = shown.headers[header::ETAG].to_str().unwrap().to_owned();
    patch("8005", &etag, json!({ "approve_lists": false })).await.is(200);
    assert_eq!(patch("8005", "*", json!({ "approve_lists": true })).await.is(409).code(), "no_second_person");
}
