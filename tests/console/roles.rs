//! Authorisation: the operator, bearer tokens, whose data a role sees. Every route against every role is in
//! the walk.

use super::*;
use paceline::console::routes::ROUTES;
use serde_json::json;

#[tokio::test]
async fn the_operator_is_admitted_beside_the_roles() {
    let app = TestApp::new().await;
    app.staff().await;
    make_operator(&app, "8001").await;
    for route in ROUTES.iter().filter(|route| route.method == "get" && !route.path.contains('{')) {
        let name = format!("{} {}", route.method, route.path);
        let admitted = super::walk::table::admitted(&name);
        let may = admitted == "*" || admitted.contains('a') || admitted.contains('o');
        let status = app.ask(app.request("8001", "get", route.path, None).await).await.status();
        assert_eq!(status != 403, may, "{name}: {status}");
    }
    // An operator who is no admin reads the system's own audit, not the enterprise's.
    app.post("8003", "/groups", json!({ "name": "x" })).await.is(201);
    assert_eq!(app.get("8001", "/audit").await.is(200).json()["items"], json!([]));
    let health = app.get("8001", "/health").await.is(200).json();
    assert_eq!(health["ok"], false, "no trunk: {health}");
    let config = app.get("8001", "/config").await.is(200).json();
    let listen = config["items"].as_array().unwrap().iter().find(|it| it["key"] == "http.listen").unwrap();
    assert_eq!(
        (listen["source"].as_str(), listen["value"].as_str()),
        (Some("default"), Some("127.0.0.1:8080"))
    );
    // Only an operator makes another.
    let operator = json!({ "operator": true });
    app.by("8005", "patch", "/agents/8002", Some(operator)).await.is(403);
    // Nor does an admin take an operator's account over.
    let password = json!({ "password": "a long password" });
    app.post("8005", "/agents/8001/password", password).await.is(403);
    app.by("8005", "patch", "/agents/8001", Some(json!({ "login": "mine" }))).await.is(403);
    app.by("8005", "delete", "/agents/8001", None).await.is(403);
}

#[tokio::test]
async fn a_bearer_token_admits_with_its_role_and_has_no_seat() {
    let app = TestApp::new().await;
    app.staff().await;
    let soon = app.clock.now() + Duration::from_secs(60);
    for (token, role) in [("read", Role::Analyst), ("run", Role::Manager)] {
        app.store.add_token(&secrets::key_hash(token), role, token, Some(soon)).await.unwrap();
    }
    let send = async |token: &str, method: &str, path: &str, body: Option<Value>| {
        let mut request = bare(method, path, body);
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        app.send(request).await
    };
    let me = send("read", "get", "/me", None).await.is(200).json();
    assert_eq!((me["role"].as_str(), me["program"].as_bool()), (Some("analyst"), Some(true)));
    send("read", "post", "/groups", Some(json!({ "name": "x" }))).await.is(403);
    send("run", "post", "/groups", Some(json!({ "name": "x" }))).await.is(201);
    send("run", "post", "/me/actions", Some(json!({ "action": "ready" }))).await.is(403);
    send("run", "post", "/agents/8001/actions", Some(json!({ "action": "ready" }))).await.is(200);
    let wanted = [(app.id("8001").await, AgentAction::Ready)];
    assert_eq!(app.engine.lock().unwrap().actions, wanted);
    let refused = send("guess", "get", "/me", None).await.is(401);
    assert!(refused.headers.contains_key(header::WWW_AUTHENTICATE));
    // An invalid token is refused, even beside a valid cookie.
    let mut both = app.request("8005", "get", "/me", None).await;
    both.headers_mut().insert(header::AUTHORIZATION, "Basic YTpi".parse().unwrap());
    app.send(both).await.is(401);
    app.clock.advance(61_000);
    send("run", "get", "/me", None).await.is(401);
    let local_service_token = app.state.local_service_token().to_owned();
    assert_eq!(send(&local_service_token, "get", "/me", None).await.is(200).json()["role"], "admin");
}

#[tokio::test]
async fn a_lead_sees_its_groups_and_an_agent_itself() {
    let app = TestApp::new().await;
    app.staff().await;
    let numbers = async |by: &str| -> Vec<String> {
        let all = app.get(by, "/agents").await.is(200).json();
        all["agents"].as_array().unwrap().iter().map(|row| row["number"].as_str().unwrap().into()).collect()
    };
    assert_eq!(numbers("8001").await, ["8001"]);
    assert_eq!(numbers("8002").await, ["8001", "8002"]);
    assert_eq!(numbers("8004").await.len(), 8);
    for (by, path, status) in [
        ("8001", "/agents/8001", 200),
        ("8001", "/agents/8002", 404),
        ("8002", "/agents/8001", 200),
        ("8002", "/agents/8101", 404),
        ("8002", "/agents/9999", 404),
        ("8002", "/floor?group=vote", 200),
        ("8002", "/floor?group=night", 404),
        ("8003", "/floor?group=night", 200),
        ("8001", "/calls?agent=8002", 404),
        ("8002", "/calls?agent=8101", 404),
        ("8004", "/calls?agent=8101", 200),
    ] {
        app.get(by, path).await.is(status);
    }
    let foreign = app.get("8002", "/agents/8101").await;
    let nobody = app.get("8002", "/agents/9999").await;
    let without_id = |answer: &Answer| {
        let mut document = answer.json();
        assert!(document["id"].take().is_string());
        document
    };
    assert_eq!(without_id(&foreign), without_id(&nobody), "what is hidden looks like what is not there");
    let groups = app.get("8002", "/groups").await.json();
    assert_eq!(groups["groups"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_manager_cannot_make_or_change_an_admin() {
    let app = TestApp::new().await;
    app.staff().await;
    let admin = json!({ "number": "9001", "name": "Boss", "role": "admin" });
    assert_eq!(app.post("8003", "/agents", admin.clone()).await.is(403).code(), "forbidden");
    app.post("8005", "/agents", admin).await.is(201);
    app.by("8003", "patch", "/agents/8001", Some(json!({ "role": "admin" }))).await.is(403);
    for (method, path) in [
        ("patch", "/agents/8005"),
        ("delete", "/agents/8005"),
        ("post", "/agents/8005/password"),
        ("post", "/agents/8005/phone-password"),
    ] {
        app.by("8003", method, path, Some(json!({}))).await.is(403);
    }
    app.by("8005", "delete", "/agents/8005", None).await.is(403);
}

#[tokio::test]
async fn metrics_are_open_to_loopback_and_to_tokens() {
    use paceline::console::source::Peer;
    let app = TestApp::new().await;
    let scrape = async |peer: &str, token: Option<&str>| {
        let mut request = Request::builder().uri("/metrics").body(Body::empty()).unwrap();
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        if let Some(token) = token {
            request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        }
        app.send(request).await.status.as_u16()
    };
    assert_eq!(scrape("127.0.0.1:1", None).await, 200);
    assert_eq!(scrape("[::ffff:127.0.0.1]:1", None).await, 200);
    assert_eq!(scrape("192.0.2.9:1", None).await, 401);
    let key = app.state.local_service_token().to_owned();
    assert_eq!(scrape("192.0.2.9:1", Some(&key)).await, 200);
}

/// Every role, every role of the account, every act on it: nobody changes an account, or gives a role, with rights that
/// are not their own.
#[tokio::test]
async fn an_account_is_changed_by_those_who_have_its_rights() {
    let app = TestApp::new().await;
    app.staff().await;
    let vote = app.group("vote").await;
    let callers = [
        (Role::Agent, "8001"),
        (Role::Lead, "8002"),
        (Role::Manager, "8003"),
        (Role::Analyst, "8004"),
        (Role::Auditor, "8006"),
        (Role::Admin, "8005"),
    ];
    // The roles whose rights are a part of the caller's own.
    let below = |caller: Role| match caller {
        Role::Admin => Role::ALL.to_vec(),
        Role::Manager => Role::ALL.into_iter().filter(|role| *role != Role::Admin).collect(),
        Role::Lead => vec![Role::Agent, Role::Lead],
        _ => vec![],
    };
    let mut next = 9_000;
    for (role, caller) in callers {
        let edits = matches!(role, Role::Manager | Role::Admin);
        for other in Role::ALL {
            let may = below(role).contains(&other);
            let word = other.word();
            // Acts on an account that is there; the last one removes it.
            let acts = [
                ("patch", "", json!({ "name": "x" }), edits),
                ("patch", "", json!({ "role": word }), edits),
                ("post", "/password", json!({}), edits),
                ("post", "/phone-password", json!({}), edits),
                ("put", "/groups/vote", json!({ "priority": 2 }), edits || role == Role::Lead),
                ("delete", "/sessions", Value::Null, edits),
                ("delete", "/groups/vote", Value::Null, edits || role == Role::Lead),
                ("delete", "", Value::Null, edits),
            ];
            for (method, part, body, has_right) in acts {
                next += 1;
                let number = next.to_string();
                let id = app.hire(&number, other, &[]).await;
                let member = Membership { group: vote, priority: 1, in_use: true };
                app.store.set_memberships(id, &[member]).await.unwrap();
                let before = app.store.agents().await.unwrap().into_iter().find(|row| row.id == id);
                app.clock.advance(1_000);
                let body = (!body.is_null()).then_some(body);
                let path = format!("/agents/{number}{part}");
                let answer = app.by(caller, method, &path, body).await;
                let what = format!("{role:?} {method} {part} of {other:?}: {}", answer.status);
                let after = app.store.agents().await.unwrap().into_iter().find(|row| row.id == id);
                if has_right && may {
                    assert!(answer.status.is_success(), "{what}");
                } else {
                    assert_eq!(answer.status, 403, "{what}");
                    assert_eq!(before, after, "{what}");
                }
            }
            // A role is given to an agent, to a new account, and to a program.
            let number = (next + 500).to_string();
            app.hire(&number, Role::Agent, &[]).await;
            let new = json!({ "name": "x", "role": word });
            let given = [
                ("patch", format!("/agents/{number}"), json!({ "role": word })),
                ("post", "/agents".to_owned(), new),
                ("post", "/tokens".to_owned(), json!({ "name": "x", "role": word })),
            ];
            for (method, path, body) in given {
                app.clock.advance(1_000);
                let answer = app.by(caller, method, &path, Some(body)).await;
                let what = format!("{role:?} {method} {path} {other:?}: {}", answer.status);
                let is_seat = path == "/tokens" && matches!(other, Role::Agent | Role::Lead);
                // A program that reads the audit is made by those who may read it.
                let is_audit = path == "/tokens" && role == Role::Manager && other == Role::Auditor;
                match edits && may && !is_audit {
                    true if is_seat => assert_eq!(answer.status, 422, "{what}"),
                    true => assert!(answer.status.is_success(), "{what}"),
                    false => assert_eq!(answer.status, 403, "{what}"),
                }
            }
            // Hands off the numbers of the next round.
            next += 600;
        }
    }
}

/// Makes this account an operator.
async fn make_operator(app: &TestApp, number: &str) {
    let actor = paceline::store::Actor {
        kind: paceline::store::ActorKind::System,
        id: None,
        name: "test".into(),
        address: String::new(),
        enterprise: 1,
        key: None,
    };
    let subject = paceline::store::Subject::of("agent", number);
    let mut change = app.store.begin_change(&actor, "test", subject).await.unwrap();
    change.set_operator(app.id(number).await, true).await.unwrap();
    change.commit().await.unwrap();
}

/// A program whose scopes leave something out reaches no account that has it: it would be given its password.
#[tokio::test]
async fn a_scoped_token_sets_no_managers_password() {
    let app = TestApp::new().await;
    app.staff().await;
    let asked = json!({ "name": "people", "role": "manager", "scopes": ["people.read", "people.edit"] });
    let token = app.post("8003", "/tokens", asked).await.is(201).json()["token"].as_str().unwrap().to_owned();
    let send = async |path: &str| {
        let mut request = bare("post", path, Some(json!({})));
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        app.send(request).await.status.as_u16()
    };
    assert_eq!(send("/agents/8003/password").await, 403);
    assert_eq!(send("/agents/8001/password").await, 200);
}

#[tokio::test]
async fn an_installation_keeps_an_operator() {
    let app = TestApp::new().await;
    app.staff().await;
    make_operator(&app, "8005").await;
    let refused = app.by("8005", "patch", "/agents/8005", Some(json!({ "operator": false }))).await.is(409);
    assert_eq!(refused.code(), "last_operator");
}
