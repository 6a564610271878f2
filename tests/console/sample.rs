//! The sample campaign: what the request makes, who may send it, and how it is refused.

use super::lists::ended;
use super::*;
use paceline::config::Config;
use paceline::config::campaign::sample::SAMPLE_AGENTS;
use paceline::store::Scope;
use paceline::store::campaign_rows::CampaignState;
use serde_json::json;

/// Asks for the sample campaign, under this key.
async fn ask(app: &TestApp, by: &str, key: &str) -> Answer {
    let mut request = app.request(by, "post", "/setup/sample", None).await;
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    app.send(request).await
}

async fn simulated(app: &TestApp) -> Vec<paceline::store::AgentRow> {
    let all = app.store.agents().await.unwrap();
    all.into_iter().filter(|row| row.simulated_for.is_some()).collect()
}

#[tokio::test]
async fn the_sample_is_a_campaign_on_the_simulated_carrier_with_agents_who_cannot_sign_in() {
    let app = TestApp::new().await;
    app.staff().await;
    let begun = ask(&app, "8003", "k1").await.is(202);
    let task = begun.json()["task"].clone();
    assert_eq!(begun.headers[header::LOCATION], format!("/api/v1/tasks/{task}"));
    assert_eq!(begun.json()["campaign"], "sample");
    let shown = app.get("8003", "/campaigns/sample").await.is(200).json();
    assert_eq!((&shown["sample"], &shown["state"]), (&json!(true), &json!("draft")));
    assert_eq!(shown["fields"]["trunks"], json!(["simulated"]));
    assert_eq!(shown["fields"]["agents"]["group"], "sample");

    let agents = simulated(&app).await;
    assert_eq!(agents.len(), SAMPLE_AGENTS);
    for row in &agents {
        assert_eq!((row.groups.len(), row.details.role), (1, Role::Agent), "{row:?}");
        for password in ["", &row.number, &row.details.login] {
            let body = json!({ "login": row.details.login, "password": password });
            let refused = app.send(bare("post", "/sign-in", Some(body))).await.status.as_u16();
            // 429 = the throttle, which so many wrong passwords meet.
            assert!(matches!(refused, 401 | 422 | 429), "{password}: {refused}");
        }
    }
    // Nor is one given a password, another group, or a phone.
    let number = &agents[0].number;
    for (method, path, body) in [
        ("post", format!("/agents/{number}/password"), json!({})),
        ("post", format!("/agents/{number}/phone-password"), json!({})),
        ("patch", format!("/agents/{number}"), json!({ "groups": [{ "group": "vote" }] })),
        ("put", format!("/agents/{number}/groups/vote"), json!({})),
    ] {
        assert_eq!(app.by("8005", method, &path, Some(body)).await.is(409).code(), "simulated", "{path}");
    }

    app.tasks.begin().await.unwrap();
    let done = ended(&app, &task).await;
    assert_eq!((&done["state"], &done["kind"]), (&json!("done"), &json!("sample")), "{done}");
    assert_eq!(done["result"], json!({ "campaign": "sample" }));
    let row = app.store.campaign_row(&Scope::first(), "sample").await.unwrap().expect("a campaign");
    assert_eq!(*app.campaign_requests.lock().unwrap(), [format!("sample {}", row.id.0)]);
    assert!(row.has_list && row.has_open_leads && row.is_sample);
    let counts = app.store.lead_counts(row.id).await.unwrap();
    assert!((290..=300).contains(&counts.all), "{counts:?}");
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_request_that_is_sent_again_makes_one_sample_and_another_is_led_to_it() {
    let app = TestApp::new().await;
    app.staff().await;
    let without = app.by("8003", "post", "/setup/sample", None).await.is(400);
    assert_eq!(without.code(), "key_missing");
    let first = ask(&app, "8003", "k1").await.is(202).json();
    assert_eq!(ask(&app, "8003", "k1").await.is(202).json(), first);
    let refused = ask(&app, "8005", "k2").await.is(409);
    assert_eq!(refused.code(), "sample_there");
    let body = refused.json();
    assert_eq!((&body["campaign"], &body["href"]), (&json!("sample"), &json!("/campaigns/sample/live")));
    let (left, right) = tokio::join!(ask(&app, "8003", "k3"), ask(&app, "8005", "k4"));
    assert_eq!((left.status.as_u16(), right.status.as_u16()), (409, 409));
    assert_eq!(simulated(&app).await.len(), SAMPLE_AGENTS);
    assert_eq!(app.store.samples().await.unwrap().len(), 1);
}

#[tokio::test]
async fn of_two_people_who_ask_at_once_one_gets_the_sample() {
    let app = TestApp::new().await;
    app.staff().await;
    let (first, second) = tokio::join!(ask(&app, "8003", "k1"), ask(&app, "8005", "k2"));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409]);
    assert_eq!((app.store.samples().await.unwrap().len(), simulated(&app).await.len()), (1, SAMPLE_AGENTS));
}

#[tokio::test]
async fn those_who_do_not_edit_campaigns_are_refused() {
    let app = TestApp::new().await;
    app.staff().await;
    for number in ["8001", "8002", "8004", "8006"] {
        assert_eq!(ask(&app, number, "k1").await.is(403).code(), "forbidden", "{number}");
    }
    ask(&app, "", "k1").await.is(401);
    assert!(app.store.samples().await.unwrap().is_empty() && simulated(&app).await.is_empty());
}

#[tokio::test]
async fn names_that_are_taken_are_left_alone() {
    let app = TestApp::new().await;
    app.staff().await;
    let own = json!({ "toml": "name = \"sample\"\nmode = \"announce\"\n" });
    app.post("8003", "/campaigns", own).await.is(201);
    app.hire("88001", Role::Agent, &["sample"]).await;
    assert_eq!(ask(&app, "8003", "k1").await.is(202).json()["campaign"], "sample-2");
    let shown = app.get("8003", "/campaigns/sample-2").await.is(200).json();
    assert_eq!(shown["fields"]["agents"]["group"], "sample-2");
    let agents = simulated(&app).await;
    assert_eq!(agents.len(), SAMPLE_AGENTS);
    assert!(agents.iter().all(|row| row.number != "88001"));
    assert_eq!(app.get("8003", "/campaigns/sample").await.is(200).json()["sample"], false);
}

#[tokio::test]
async fn a_sample_that_could_not_be_opened_says_why_and_is_begun_again() {
    let app = TestApp::new().await;
    app.staff().await;
    *app.campaign_refusal.lock().unwrap() = Some("no socket is to be had".into());
    let begun = ask(&app, "8003", "k1").await.is(202).json();
    app.tasks.begin().await.unwrap();
    let failed = ended(&app, &begun["task"]).await;
    assert_eq!(failed["state"], "failed", "{failed}");
    assert!(failed["error"]["en"].as_str().unwrap().contains("no socket is to be had"), "{failed}");
    assert!(failed["error"]["zh"].as_str().unwrap().contains("示例活动没有启动"), "{failed}");
    let shown = app.get("8003", "/campaigns/sample").await.is(200).json();
    assert_eq!((&shown["desired_state"], &shown["trouble"]), (&json!("closed"), &failed["error"]));

    *app.campaign_refusal.lock().unwrap() = None;
    let again = ask(&app, "8003", "k2").await.is(202).json();
    assert_eq!(again["campaign"], "sample");
    assert_eq!(ended(&app, &again["task"]).await["state"], "done");
    let shown = app.get("8003", "/campaigns/sample").await.is(200).json();
    assert_eq!((&shown["desired_state"], &shown["trouble"]), (&json!("open"), &Value::Null));
    // Its list is not loaded a second time.
    let row = app.store.campaign_row(&Scope::first(), "sample").await.unwrap().expect("a campaign");
    assert_eq!(app.store.imports(row.id).await.unwrap().len(), 1);
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_sample_that_is_over_is_archived_before_another_and_its_agents_work_on() {
    let app = TestApp::new().await;
    app.staff().await;
    let begun = ask(&app, "8003", "k1").await.is(202).json();
    app.tasks.begin().await.unwrap();
    assert_eq!(ended(&app, &begun["task"]).await["state"], "done");
    let row = app.store.campaign_row(&Scope::first(), "sample").await.unwrap().expect("a campaign");
    let opened = app.store.note_campaign_state(row.id, row.desired, CampaignState::Running, None).await;
    opened.unwrap();
    let close = json!({ "action": "close", "filters": { "state": "open" } });
    let closed = app.post_once("8003", "close", "/campaigns/sample/leads/actions", close).await.is(202);
    assert_eq!(ended(&app, &closed.json()["task"]).await["state"], "done");
    let ready = app.store.note_campaign_state(row.id, row.desired, CampaignState::Ready, None).await;
    ready.unwrap();
    let refused = ask(&app, "8003", "k2").await.is(409);
    assert_eq!(
        (refused.code().as_str(), &refused.json()["href"]),
        ("sample_over", &json!("/campaigns/sample/live"))
    );

    let before = simulated(&app).await;
    app.post("8003", "/campaigns/sample/actions", json!({ "action": "archive" })).await.is(202);
    assert_eq!(ask(&app, "8003", "k3").await.is(202).json()["campaign"], "sample-2");
    let after = simulated(&app).await;
    assert_eq!(
        after.iter().map(|row| row.id).collect::<Vec<_>>(),
        before.iter().map(|row| row.id).collect::<Vec<_>>()
    );
    let second = app.store.campaign_row(&Scope::first(), "sample-2").await.unwrap().expect("a campaign");
    assert!(after.iter().all(|row| row.simulated_for == Some(second.id) && row.groups == before[0].groups));
    app.tasks.stop().await;
}

#[tokio::test]
async fn the_sample_is_not_moved_to_a_line() {
    let app = TestApp::new().await;
    app.staff().await;
    ask(&app, "8003", "k1").await.is(202);
    for trunks in [json!(["main"]), json!([]), json!(null), json!(["simulated", "main"])] {
        let mut request = app
            .request("8003", "patch", "/campaigns/sample", Some(json!({ "fields": { "trunks": trunks } })))
            .await;
        request.headers_mut().insert(header::IF_MATCH, "*".parse().unwrap());
        let refused = app.send(request).await.is(422);
        assert_eq!(refused.json()["errors"][0]["at"], "/trunks", "{trunks}");
    }
    let shown = app.get("8003", "/campaigns/sample").await.is(200).json();
    assert_eq!(shown["version"], 1);
}

#[tokio::test]
async fn a_service_that_simulated_phones_cannot_reach_says_what_to_do() {
    let mut config = Config::default();
    config.sip.listen = vec!["tcp://0.0.0.0:5060".into(), "udp://[::]:5060".into()];
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let app = TestApp::with_config(dir, ManualClock::at(MORNING), config).await;
    app.staff().await;
    let refused = ask(&app, "8003", "k1").await.is(409);
    assert_eq!(refused.code(), "cannot_place");
    assert!(refused.json()["detail"].as_str().unwrap().contains("udp://0.0.0.0:5060"));
    assert!(app.store.samples().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_campaign_that_rings_phones_does_not_start_with_simulated_agents() {
    let mut config = Config::default();
    config.trunks.insert("main".into(), Default::default());
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let app = TestApp::with_config(dir, ManualClock::at(MORNING), config).await;
    app.staff().await;
    ask(&app, "8003", "k1").await.is(202);
    let agents = async |toml: &str, name: &str| {
        app.post("8003", "/campaigns", json!({ "toml": toml })).await.is(201);
        let list = app.get("8003", &format!("/campaigns/{name}/checklist")).await.is(200).json();
        list["items"].as_array().unwrap().iter().find(|it| it["code"] == "agents").unwrap().clone()
    };
    let real = "name = \"real\"\nmode = \"preview\"\n[agents]\ngroup = \"sample\"\n";
    let item = agents(real, "real").await;
    assert_eq!(item["ok"], false, "{item}");
    assert!(item["words"]["en"].as_str().unwrap().contains("are simulated"), "{item}");
    let rehearsal = format!("trunks = [\"simulated\"]\n{}", real.replace("\"real\"", "\"rehearsal\""));
    assert_eq!(agents(&rehearsal, "rehearsal").await["ok"], true);
}

/// A part of an enterprise does not see its parent's campaigns, and no name of one is shown to it.
#[tokio::test]
async fn a_sample_of_another_part_is_not_named() {
    let app = TestApp::new().await;
    app.staff().await;
    let operator = app.state.local_service_token().to_owned();
    let body = json!({
        "slug": "part", "name": "A part", "parent": "main", "admin": { "name": "Li", "login": "li" },
    });
    let mut request = bare("post", "/organisations", Some(body));
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {operator}").parse().unwrap());
    let made = app.send(request).await.is(201).json();
    let sign_in = json!({ "login": "li@main", "password": made["admin"]["password"] });
    let li = app.send(bare("post", "/sign-in", Some(sign_in))).await.is(200).key();
    let ask_as_part = async |key: &str| {
        let mut request = bare("post", "/setup/sample", None);
        request.headers_mut().insert(header::COOKIE, format!("paceline={li}").parse().unwrap());
        request.headers_mut().insert(header::ORIGIN, format!("http://{HOST}").parse().unwrap());
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        app.send(request).await
    };
    // Both at once: whoever comes second is refused inside the change.
    let (ours, theirs) = tokio::join!(ask(&app, "8003", "k1"), ask_as_part("k1"));
    let mut seen = vec![theirs];
    if ours.status == 202 {
        seen.push(ask_as_part("k2").await);
        for refused in seen {
            let refused = refused.is(409);
            assert_eq!(refused.code(), "sample_elsewhere");
            assert!(!refused.json().to_string().contains("sample-") && refused.json()["campaign"].is_null());
        }
    } else {
        // The parent sees its part's.
        assert_eq!(ours.json()["campaign"], "sample");
    }
}

#[tokio::test]
async fn the_refusal_names_the_sample_that_is_there() {
    let app = TestApp::new().await;
    app.staff().await;
    let own = json!({ "toml": "name = \"sample\"\nmode = \"announce\"\n" });
    app.post("8003", "/campaigns", own).await.is(201);
    let (first, second) = tokio::join!(ask(&app, "8003", "k1"), ask(&app, "8005", "k2"));
    let (made, refused) = if first.status == 202 { (first, second) } else { (second, first) };
    assert_eq!(made.is(202).json()["campaign"], "sample-2");
    assert_eq!(refused.is(409).json()["campaign"], "sample-2");
}
